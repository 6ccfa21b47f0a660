//! Starts the server and waits for progress, not for a flat limit.

use super::account::Account;
use super::ahead::Ahead;
use super::connect::Answer;
use super::launch::{Launch, launch};
use super::pid_file::{self, PidFile, SaidState};
use super::process::{self, Handle, Process};
use super::recovery::{self, RedoRange, Stall};
use super::unit::Unit;
use super::{Postgres, SQL_WITHIN, account, pointing};
use crate::observe::pg_control;
use crate::small_file;
use rustix::process::{Pid, test_kill_process};
use siaga_model::Why;
use siaga_model::config::Database;
use siaga_model::integrity::{ControlSeen, Judged};
use siaga_model::note::{Note, Progress as At};
use siaga_model::run::FailureKind;
use siaga_runner::hands::{Acted, Did, Progress, Trouble};
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How often a start is looked at: at first, and once it is clearly a long one.
const TICK: Duration = Duration::from_millis(1);
const SLOW_TICK: Duration = Duration::from_millis(5);
const SLOW_AFTER: Duration = Duration::from_secs(3);

/// A server that has just become ready is left to the clients that have been waiting for it: each first connection
/// builds the caches of the catalogues anew, and our own would only be one more at that very moment.
const CLIENTS_FIRST: Duration = Duration::from_millis(15);

/// How often progress is told, and how often it is checked that there is any.
const TELL_EVERY: Duration = Duration::from_millis(200);

/// How long a server that says "ready" may have no socket where it is expected.
const SOCKET_WITHIN: Duration = Duration::from_secs(5);

/// How much of the log is quoted, in bytes.
const QUOTED: usize = 1200;

fn failed(why: Why) -> Trouble {
    Trouble::failed(FailureKind::DatabaseStart, why)
}

/// What to make of the control file before a start.
pub type Judge<'a> = &'a dyn Fn(&ControlSeen) -> Judged;

/// Starts it, or waits for one that is starting already. `judge` is asked of the control file before a start.
pub fn start(server: &Postgres, judge: Judge, progress: Progress) -> Acted {
    let account = account::lookup(&server.config.os_user).map_err(failed)?;
    let found = process::find(&server.signature()).map_err(Trouble::Unknown)?;
    if let Some(postmaster) = process::postmaster(&found, server.said_pid()) {
        return adopt(server, postmaster, &account, progress);
    }
    if !found.is_empty() {
        return Err(failed(Why::LeftFromEarlierStart {
            processes: found.iter().map(Process::name).collect(),
        }));
    }
    match attempt(server, &account, judge, progress) {
        Err(End::Locked(why, locks)) => {
            let kept = move_aside(server, &locks).map_err(|e| failed(Why::all(vec![why, e])))?;
            let mut did = attempt(server, &account, judge, progress).map_err(End::into_trouble)?;
            did.notes.extend(kept);
            Ok(did)
        }
        other => other.map_err(End::into_trouble),
    }
}

/// A server that is there already: an earlier agent's, or started by hand.
fn adopt(server: &Postgres, postmaster: &Process, account: &Account, progress: Progress) -> Acted {
    let signature = server.signature();
    let handle =
        Handle::open(postmaster.pid, |pid| signature.matches(pid)).map_err(Trouble::Unknown)?;
    let handle = handle.ok_or_else(|| failed(Why::EndedWhileLookedAt))?;
    let was_ready = server.ask(account.uid, handle.pid, SQL_WITHIN) == Answer::Ready;
    if was_ready {
        return Ok(Did::nothing());
    }
    wait_ready(server, &handle, account, None, progress).map_err(End::into_trouble)?;
    Ok(Did::changed(vec![Note::WasStartingAlready]))
}

/// How a start ended otherwise.
enum End {
    /// It ended, and these lock files stand in its way.
    Locked(Why, Vec<LockFile>),
    Other(Trouble),
}

impl End {
    fn into_trouble(self) -> Trouble {
        match self {
            End::Locked(why, _) => failed(why),
            End::Other(trouble) => trouble,
        }
    }
}

fn attempt(
    server: &Postgres,
    account: &Account,
    judge: Judge,
    progress: Progress,
) -> Result<Did, End> {
    let other = |why: Why| End::Other(failed(why));
    let config = &server.config;
    check_data_dir(&config.data_dir, account).map_err(other)?;
    let (arguments, mut notes) = arguments(server, judge).map_err(other)?;
    let locks_before = lock_files(config);
    let begun = Instant::now();
    let _until_ready = Ahead::begin(&config.data_dir);
    let up = match &server.unit {
        Some(unit) => by_unit(server, unit, account, progress),
        None => by_ourselves(server, account, &arguments, &mut notes, progress),
    };
    up.map_err(|end| match end {
        End::Other(Trouble::Failed(failure)) => match still_locking(&locks_before, config) {
            locks if locks.is_empty() => End::Other(Trouble::Failed(failure)),
            locks => End::Locked(failure.detail, locks),
        },
        end => end,
    })?;
    notes.push(Note::ReadyIn {
        ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
    });
    Ok(Did::changed(notes))
}

fn by_ourselves(
    server: &Postgres,
    account: &Account,
    arguments: &[OsString],
    notes: &mut Vec<Note>,
    progress: Progress,
) -> Result<(), End> {
    let config = &server.config;
    let log = Log::open(&server.log_path);
    let handle = launch(Launch {
        program: &config.bin_dir.join("postgres"),
        arguments,
        account,
        working_directory: &config.data_dir,
        log: log.as_ref().ok().and_then(|l| l.file.try_clone().ok()),
    })
    .map_err(|why| End::Other(failed(why)))?;
    let log = log
        .map_err(|said| notes.push(Note::NoServerLog { said }))
        .ok();
    wait_ready(server, &handle, account, log.as_ref(), progress)
}

/// The unit's own options hold. Ready is what it is without a unit; systemd's own end of the start is waited for too: it
/// kills what it has started where it gives up.
fn by_unit(
    server: &Postgres,
    unit: &Unit,
    account: &Account,
    progress: Progress,
) -> Result<(), End> {
    let within = server.config.start_stalled;
    if let Some(why) = pointing::elsewhere(&server.config) {
        return Err(End::Other(failed(why)));
    }
    progress(At::Starting);
    let (handle, mut job) = unit
        .launch(&server.signature(), &server.config.data_dir, within)
        .map_err(|why| End::Other(failed(why)))?;
    wait_ready(server, &handle, account, None, progress).map_err(|end| match end {
        End::Other(Trouble::Failed(mut failure)) => {
            failure.detail = unit.words(failure.detail);
            End::Other(Trouble::Failed(failure))
        }
        end => end,
    })?;
    let ended = job.ended(within);
    ended
        .unwrap_or_else(|| Err(job.unended(within)))
        .map_err(|why| End::Other(failed(why)))
}

/// PostgreSQL's own refusals are clear; these two would only be seen in its log.
fn check_data_dir(data_dir: &Path, account: &Account) -> Result<(), Why> {
    let path = data_dir.to_owned();
    let meta = std::fs::metadata(data_dir)
        .map_err(|e| Why::system(format!("{}: {e}", data_dir.display())))?;
    if !meta.is_dir() || !data_dir.join("PG_VERSION").is_file() {
        return Err(Why::NotADataDir { path });
    }
    if meta.uid() != account.uid {
        return Err(Why::DataDirOwner {
            path,
            owner: meta.uid(),
            user: account.name.clone(),
            uid: account.uid,
        });
    }
    // It would follow for ever a primary that there is not.
    if data_dir.join("standby.signal").exists() {
        return Err(Why::StandbyDataDir { path });
    }
    Ok(())
}

fn arguments(server: &Postgres, judge: Judge) -> Result<(Vec<OsString>, Vec<Note>), Why> {
    let config = &server.config;
    let version = small_file::read_text(&config.data_dir.join("PG_VERSION"))
        .map_err(|e| Why::system(format!("PG_VERSION: {e}")))?;
    let major: u32 = version
        .trim()
        .parse()
        .map_err(|_| Why::system(format!("PG_VERSION: {}", version.trim())))?;
    let mut arguments: Vec<OsString> = vec!["-D".into(), config.data_dir.clone().into()];
    let mut set = |name: &str, path: &Path| {
        let mut setting = OsString::from(name);
        setting.push("=");
        setting.push(path);
        arguments.extend(["-c".into(), setting]);
    };
    // A file that names other data would count more than `-D`.
    set("data_directory", &config.data_dir);
    if let Some(file) = &config.config_file {
        set("config_file", file);
    }
    arguments.extend(["-p".into(), config.port.to_string().into()]);
    arguments.extend(server.extra.iter().cloned());
    let control = pg_control::read(&config.data_dir);
    let mut notes = Vec::new();
    if let Ok(control) = &control {
        let control = control.seen();
        match judge(&control) {
            Judged::Fine => {}
            Judged::Rewritten => notes.push(Note::ControlRewritten),
            Judged::Wrong(why) => return Err(why),
        }
        notes.push(Note::ControlFound { control });
    }
    if control.as_ref().is_ok_and(|c| !c.state.is_shut_down()) {
        notes.push(Note::NeedsRecovery);
        // What it takes is measured against this later: the rate of this site's own recoveries.
        let range = RedoRange::measure(&config.data_dir);
        notes.extend(range.map(|r| Note::WalToRedo { bytes: r.bytes() }));
        // One call for the whole file system instead of an fsync of every file. Version 13 refuses to start with it.
        if major >= 14 {
            arguments.extend(["-c".into(), "recovery_init_sync_method=syncfs".into()]);
        }
    }
    Ok((arguments, notes))
}

/// A lock file of this data directory's server: in the directory itself, or beside its socket.
#[derive(PartialEq, Eq)]
struct LockFile {
    path: PathBuf,
    said: PidFile,
}

fn lock_files(config: &Database) -> Vec<LockFile> {
    let in_data_dir = pid_file::path(&config.data_dir);
    let beside_socket = config
        .socket_dir
        .join(format!(".s.PGSQL.{}.lock", config.port));
    // The one beside the socket may be that of another data directory's server: it says of which.
    let is_ours = |l: &LockFile| l.path == in_data_dir || l.said.data_dir() == config.data_dir;
    let read = |path: &PathBuf| {
        Some(LockFile {
            path: path.clone(),
            said: pid_file::read_file(path)?,
        })
    };
    [&in_data_dir, &beside_socket]
        .into_iter()
        .filter_map(read)
        .filter(is_ours)
        .collect()
}

/// Those that the start did not touch, and whose pid belongs to somebody. Told by the files and not by the server's
/// message, which may be in any language.
fn still_locking(before: &[LockFile], config: &Database) -> Vec<LockFile> {
    let is_used =
        |l: &LockFile| Pid::from_raw(l.said.pid).is_some_and(|pid| test_kill_process(pid).is_ok());
    lock_files(config)
        .into_iter()
        .filter(|l| before.contains(l) && is_used(l))
        .collect()
}

/// Keeps stale lock files as evidence. Only with no server of this data directory on this host.
fn move_aside(server: &Postgres, locks: &[LockFile]) -> Result<Vec<Note>, Why> {
    // A server in a container has another program path, and the same working directory.
    let signature = server.signature();
    let mut there = process::find(&signature)?;
    there.extend(process::find_anybody(&signature)?);
    if let Some(somebody) = there.first() {
        return Err(Why::WorksInDataDir {
            process: somebody.name(),
        });
    }
    let mut notes = Vec::new();
    for LockFile { path, said } in locks {
        let mut kept = path.clone().into_os_string();
        kept.push(format!(".siaga-{}", crate::wall_clock().0));
        std::fs::rename(path, &kept)
            .map_err(|e| Why::system(format!("{}: {e}", path.display())))?;
        notes.push(Note::LockFileKept {
            path: path.clone(),
            pid: said.pid,
            process: process::title(said.pid),
        });
    }
    Ok(notes)
}

/// Waits until the server is ready, as long as it advances.
fn wait_ready(
    server: &Postgres,
    handle: &Handle,
    account: &Account,
    log: Option<&Log>,
    progress: Progress,
) -> Result<(), End> {
    let begun = Instant::now();
    let data_dir = &server.config.data_dir;
    let quote = || log.map(Log::quoted).unwrap_or_default();
    let mut watch = Watch::new(server, begun);
    loop {
        let tick = if begun.elapsed() < SLOW_AFTER {
            TICK
        } else {
            SLOW_TICK
        };
        if handle.ended_within(tick) {
            return Err(End::Other(failed(Why::ServerEnded { log: quote() })));
        }
        match pid_file::read(data_dir)
            .filter(|f| f.pid == handle.pid)
            .map(|f| f.state)
        {
            // It is written and not believed: the answer to the question below counts.
            Some(SaidState::Ready) if watch.is_for_clients() => {}
            Some(SaidState::Ready) => match server.ask(account.uid, handle.pid, SQL_WITHIN) {
                Answer::Ready => return Ok(()),
                answer => watch.not_ready(answer)?,
            },
            Some(SaidState::Standby) => {
                return Err(End::Other(failed(Why::ServerIsStandby)));
            }
            Some(SaidState::Stopping) => return Err(End::Other(failed(Why::ServerShutsDown))),
            Some(SaidState::Starting | SaidState::Nothing) | None => {}
        }
        if let Some(stage) = watch.tell(handle.pid, log, progress) {
            return Err(End::Other(failed(Why::NoProgress {
                seconds: server.config.start_stalled.as_secs(),
                stage,
                log: quote(),
            })));
        }
    }
}

/// What is remembered while waiting.
struct Watch<'a> {
    server: &'a Postgres,
    stall: Stall,
    next: Instant,
    range: Option<RedoRange>,
    no_socket_since: Option<Instant>,
    said_ready: Option<Instant>,
}

impl<'a> Watch<'a> {
    fn new(server: &'a Postgres, now: Instant) -> Self {
        let stall = Stall::new(now, server.config.start_stalled);
        Self {
            server,
            stall,
            next: now + TELL_EVERY,
            range: None,
            no_socket_since: None,
            said_ready: None,
        }
    }

    /// The server says that it is ready, and has said so only for a moment.
    fn is_for_clients(&mut self) -> bool {
        self.said_ready.get_or_insert_with(Instant::now).elapsed() < CLIENTS_FIRST
    }

    /// A server that calls itself ready and does not pass the check.
    fn not_ready(&mut self, answer: Answer) -> Result<(), End> {
        match answer {
            Answer::Ready | Answer::InRecovery | Answer::NotNow(_) | Answer::Silent => Ok(()),
            Answer::CannotCheck(why) => Err(End::Other(failed(Why::ReadinessUnchecked {
                why: Box::new(why),
            }))),
            Answer::NoServer(why) => {
                let since = *self.no_socket_since.get_or_insert_with(Instant::now);
                if since.elapsed() < SOCKET_WITHIN {
                    return Ok(());
                }
                Err(End::Other(failed(Why::ServerUnreachable {
                    why: Box::new(why),
                })))
            }
        }
    }

    /// Now and then: tells the progress; says where it stands when there has been none for too long.
    fn tell(&mut self, postmaster: i32, log: Option<&Log>, progress: Progress) -> Option<At> {
        let now = Instant::now();
        if now < self.next {
            return None;
        }
        self.next = now + TELL_EVERY;
        let data_dir = &self.server.config.data_dir;
        self.range = self.range.or_else(|| RedoRange::measure(data_dir));
        let stage = recovery::stage(postmaster, self.range.as_ref());
        progress(stage.at.clone());
        let fingerprint = recovery::fingerprint(
            postmaster,
            data_dir,
            log.map(|_| self.server.log_path.as_path()),
        );
        self.stall.is_stalled(now, fingerprint).then_some(stage.at)
    }
}

/// The server's output, appended to a file of the agent's.
struct Log {
    file: File,
    begins_at: u64,
}

impl Log {
    fn open(path: &Path) -> Result<Self, String> {
        let make = || -> std::io::Result<Self> {
            if let Some(directory) = path.parent() {
                std::fs::DirBuilder::new()
                    .recursive(true)
                    .mode(0o700)
                    .create(directory)?;
            }
            let mut file = OpenOptions::new()
                .read(true)
                .append(true)
                .create(true)
                .mode(0o600)
                .open(path)?;
            let begins_at = file.seek(SeekFrom::End(0))?;
            Ok(Self { file, begins_at })
        };
        make().map_err(|e| format!("{}: {e}", path.display()))
    }

    /// The last lines that this start wrote.
    fn quoted(&self) -> String {
        let mut text = Vec::new();
        let read = self.file.try_clone().and_then(|mut file| {
            file.seek(SeekFrom::Start(self.begins_at))?;
            file.read_to_end(&mut text)
        });
        if let Err(e) = read {
            return e.to_string();
        }
        let from = text.len().saturating_sub(QUOTED);
        String::from_utf8_lossy(&text[from..])
            .trim()
            .replace('\n', " | ")
    }
}
