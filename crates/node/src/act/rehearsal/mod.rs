//! A rehearsal: PostgreSQL is started here from a copy of the running service's data, where nothing of it can reach
//! anything else, tried, and thrown away.
//!
//! | part | what it does |
//! |---|---|
//! | [`scratch`] | the folder of the copy: made, found again after the agent's death, removed |
//! | [`stage`] | the view of the copy's processes: mounts, network, processes of their own |
//! | [`backup`] | the copy, by `pg_basebackup` |
//! | [`trial`] | the start, the tests, the indexes |
//!
//! The work is done by a process of its own (this program again), outside the agent: namespaces belong to processes, and
//! whatever happens to the agent, the kernel ends all of it.

pub mod backup;
pub mod scratch;
pub mod source;
pub mod stage;
pub mod trial;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde::{Deserialize, Serialize};
use siaga_model::Why;
use siaga_model::config::Service;
use siaga_model::rehearsal::{IndexCheck, RehearsalTest};
use std::io::{BufRead, BufReader, Write};
use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The first argument of this program where it is the process of a rehearsal.
pub const ARGUMENT: &str = "__rehearsal";

/// How often the limits are looked at.
const TICK: Duration = Duration::from_millis(500);

/// What the process of a rehearsal is told, on its standard input.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    pub service: Service,
    /// The mount points of every service of the site: no copy of them may stay in the rehearsal's view.
    pub let_go: Vec<PathBuf>,
    /// The folder that was made for this rehearsal.
    pub scratch: PathBuf,
    /// Where the running service answers.
    pub host: IpAddr,
    pub user: String,
}

/// What it tells, a line each, on its standard output.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "told")]
pub enum Told {
    Copied { ms: u64 },
    Ready { ms: u64 },
    Tested { ms: u64, tests: Vec<RehearsalTest> },
    Indexes { indexes: IndexCheck },
    Done,
    Failed { why: Why },
}

/// Writes one line for the agent.
pub(crate) fn tell(told: &Told) {
    let Ok(mut line) = serde_json::to_string(told) else {
        return;
    };
    line.push('\n');
    // Nobody listens any more: the end of this process is near anyway.
    let _ = std::io::stdout().lock().write_all(line.as_bytes());
}

/// Breaks a rehearsal off at once, from any thread, and remembers why.
#[derive(Default)]
pub struct Break(Mutex<Breaking>);

#[derive(Default)]
struct Breaking {
    why: Option<Why>,
    process: Option<OwnedFd>,
}

impl Break {
    /// Kills what goes on, and lets nothing new begin. Waits for nothing.
    pub fn off(&self, why: Why) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.why.get_or_insert(why);
        if let Some(process) = &state.process {
            let _ = pidfd_send_signal(process, Signal::KILL);
        }
    }

    /// Why it was broken off, where it was.
    pub fn why(&self) -> Option<Why> {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.why.clone()
    }

    /// Begins a process, unless it is broken off already.
    fn begin(&self, spawn: impl FnOnce() -> std::io::Result<Child>) -> Result<Child, Why> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(why) = &state.why {
            return Err(why.clone());
        }
        let child = spawn().map_err(|e| Why::ProgramNotStarted {
            said: e.to_string(),
        })?;
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        state.process = pid.and_then(|p| pidfd_open(p, PidfdFlags::empty()).ok());
        Ok(child)
    }
}

/// The limits of one.
pub struct Limits {
    pub within: Duration,
    /// So many bytes stay free for others.
    pub keep_free: u64,
}

/// Carries a rehearsal out in the folder that was made for it, and gives each thing told to `hear`, with the bytes that
/// the copy has so far to `copying`. Blocks; the calling thread must outlive it, since the process ends with the thread.
/// All of its processes are gone when this returns, or are being ended by the kernel.
///
/// # Errors
/// Why it did not come to its end.
pub fn run(
    job: &Job,
    broken: &Break,
    limits: &Limits,
    hear: &mut dyn FnMut(Told),
    copying: &dyn Fn(u64),
) -> Result<(), Why> {
    let mut child = broken.begin(|| spawn("outer"))?;
    let given = hand_over(&mut child, job);
    let (sender, lines) = mpsc::channel();
    if let Some(out) = child.stdout.take() {
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
    }
    if let Err(why) = given {
        broken.off(why);
    }
    let begun = Instant::now();
    let free_before = scratch::free(&job.scratch).unwrap_or_default();
    let mut ended = Err(Why::ProgramEnded {
        said: String::new(),
    });
    loop {
        match lines.recv_timeout(TICK) {
            Ok(line) => match serde_json::from_str(&line) {
                Ok(Told::Done) => ended = Ok(()),
                Ok(Told::Failed { why }) => ended = Err(why),
                Ok(told) => hear(told),
                Err(_) => tracing::warn!(line, "the rehearsal said something else"),
            },
            Err(RecvTimeoutError::Timeout) => {
                let free = scratch::free(&job.scratch).unwrap_or_default();
                copying(free_before.saturating_sub(free));
                if let Some(why) = over_limit(job, limits, begun.elapsed(), free) {
                    broken.off(why);
                }
            }
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    let _ = child.wait();
    match broken.why() {
        Some(why) => Err(why),
        None => ended,
    }
}

fn over_limit(job: &Job, limits: &Limits, taken: Duration, free: u64) -> Option<Why> {
    if taken > limits.within {
        let seconds = limits.within.as_secs();
        return Some(Why::TookTooLong { seconds });
    }
    (free < limits.keep_free).then(|| Why::RoomRanOut {
        folder: job.scratch.clone(),
    })
}

/// This program again, as a process that the kernel ends with the thread that started it.
fn spawn(part: &str) -> std::io::Result<Child> {
    let mut command = Command::new("/proc/self/exe");
    command
        .args([ARGUMENT, part])
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("LC_ALL", "C")
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    end_with_parent(&mut command);
    command.spawn()
}

/// The kernel kills the child when the thread that starts it ends.
pub(crate) fn end_with_parent(command: &mut Command) {
    // SAFETY: one system call between fork and exec.
    unsafe {
        command.pre_exec(
            || match libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL, 0, 0, 0) {
                0 => Ok(()),
                _ => Err(std::io::Error::last_os_error()),
            },
        );
    }
}

/// Gives the job to the process, and closes its input.
pub(crate) fn hand_over(child: &mut Child, job: &Job) -> Result<(), Why> {
    let bytes = serde_json::to_vec(job).map_err(Why::system)?;
    match child.stdin.take() {
        Some(mut input) => input.write_all(&bytes).map_err(Why::system),
        None => Err(Why::AskingBroke),
    }
}
