//! The processes of one database server: found by what they are (the postgres binary, working in the data directory),
//! not by a file that says so.

use crate::observe::holders::{all_pids, command_name};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use siaga_model::Why;
use siaga_model::config::Database;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// One live process of the server. A zombie is none: it has let go of everything.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Process {
    pub pid: i32,
    pub parent: i32,
    pub session: i32,
    /// What it calls itself: the command line, or `postgres: checkpointer`.
    pub title: String,
}

impl Process {
    /// A short name for people.
    pub fn name(&self) -> String {
        format!("pid {} ({})", self.pid, self.title)
    }

    /// True for what the postmaster forked: it names itself after its work.
    fn is_titled(&self) -> bool {
        self.title.starts_with("postgres: ")
    }
}

/// How the server of one data directory is recognised.
#[derive(Clone, Debug)]
pub struct Signature {
    programs: Vec<PathBuf>,
    data_dir: PathBuf,
    data_dir_real: PathBuf,
    identity: Option<(u64, u64)>,
}

impl Signature {
    /// For the configured server, as its paths lead now.
    pub fn of(config: &Database) -> Self {
        let program = config.bin_dir.join("postgres");
        let real = program.canonicalize().unwrap_or_else(|_| program.clone());
        let identity = std::fs::metadata(&config.data_dir)
            .ok()
            .map(|m| (m.dev(), m.ino()));
        Self {
            programs: vec![program, real],
            data_dir: config.data_dir.clone(),
            data_dir_real: config
                .data_dir
                .canonicalize()
                .unwrap_or_else(|_| config.data_dir.clone()),
            identity,
        }
    }

    /// Is it the server, or a process that the server forked?
    pub fn matches(&self, pid: i32) -> bool {
        let Ok(exe) = std::fs::read_link(format!("/proc/{pid}/exe")) else {
            return false;
        };
        // The binary may have been replaced by an upgrade while the server runs.
        let exe = exe.as_os_str().as_bytes();
        let exe = Path::new(OsStr::from_bytes(
            exe.strip_suffix(b" (deleted)").unwrap_or(exe),
        ));
        self.programs.iter().any(|p| p == exe) && self.works_here(pid)
    }

    /// Is its working directory the data directory? Also when another mount namespace names it differently.
    fn works_here(&self, pid: i32) -> bool {
        let link = format!("/proc/{pid}/cwd");
        let by_name = std::fs::read_link(&link)
            .is_ok_and(|cwd| cwd == self.data_dir || cwd == self.data_dir_real);
        by_name
            || self.identity.is_some_and(|wanted| {
                std::fs::metadata(&link).is_ok_and(|m| (m.dev(), m.ino()) == wanted)
            })
    }
}

/// Every process of the server, the postmaster and orphans alike. An error means that it can't be told.
pub fn find(signature: &Signature) -> Result<Vec<Process>, Why> {
    let pids = all_pids()?;
    Ok(pids
        .into_iter()
        .filter(|pid| signature.matches(*pid))
        .filter_map(describe)
        .collect())
}

/// What the server's processes started and left in the data directory (an `archive_command`'s shell): in the session
/// of one of them, and working there.
pub fn find_helpers(signature: &Signature, sessions: &BTreeSet<i32>) -> Result<Vec<Process>, Why> {
    let helper = |p: &Process| sessions.contains(&p.session) && signature.works_here(p.pid);
    Ok(all_pids()?
        .into_iter()
        .filter_map(describe)
        .filter(helper)
        .collect())
}

/// Everybody whose working directory is the data directory, whatever they are.
pub fn find_anybody(signature: &Signature) -> Result<Vec<Process>, Why> {
    let pids = all_pids()?;
    Ok(pids
        .into_iter()
        .filter(|pid| signature.works_here(*pid))
        .filter_map(describe)
        .collect())
}

/// The process that the others descend from: the one that has no parent among them and no title of its own.
pub fn postmaster(found: &[Process], said_by_file: Option<i32>) -> Option<&Process> {
    let is_root = |p: &&Process| !found.iter().any(|q| q.pid == p.parent) && !p.is_titled();
    let roots = || found.iter().filter(is_root);
    roots()
        .find(|p| Some(p.pid) == said_by_file)
        .or_else(|| roots().next())
}

pub(super) fn describe(pid: i32) -> Option<Process> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat[stat.rfind(')')? + 1..].split_ascii_whitespace();
    if matches!(fields.next()?, "Z" | "X") {
        return None;
    }
    let parent = fields.next()?.parse().ok()?;
    let session = fields.nth(1)?.parse().ok()?;
    Some(Process {
        pid,
        parent,
        session,
        title: title(pid),
    })
}

/// The command line of a process, as one line; its short name where it has none.
pub fn title(pid: i32) -> String {
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let text = String::from_utf8_lossy(&line).replace('\0', " ");
    match text.trim() {
        "" => command_name(pid),
        text => text.to_owned(),
    }
}

/// A handle on one process that no other process with the same pid can slip under.
#[derive(Debug)]
pub struct Handle {
    pub pid: i32,
    descriptor: OwnedFd,
}

impl Handle {
    /// Takes hold of a process, where it still is what `still` says. `None`: it is gone.
    pub fn open(pid: i32, still: impl Fn(i32) -> bool) -> Result<Option<Self>, Why> {
        let Some(id) = Pid::from_raw(pid) else {
            return Ok(None);
        };
        match pidfd_open(id, PidfdFlags::empty()) {
            Ok(descriptor) => Ok(still(pid).then_some(Self { pid, descriptor })),
            Err(rustix::io::Errno::SRCH) => Ok(None),
            Err(e) => Err(Why::system(format!("pidfd_open {pid}: {e}"))),
        }
    }

    /// Sends a signal. A process that is gone needs none.
    pub fn signal(&self, signal: Signal) {
        if let Err(e) = pidfd_send_signal(&self.descriptor, signal)
            && e != rustix::io::Errno::SRCH
        {
            tracing::warn!(pid = self.pid, error = %e, "a signal was not sent");
        }
    }

    /// True as soon as the process has ended; false after `within`.
    pub fn ended_within(&self, within: Duration) -> bool {
        let deadline = Instant::now() + within;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let timeout = Timespec {
                tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: i64::from(left.subsec_nanos()),
            };
            match poll(
                &mut [PollFd::new(&self.descriptor, PollFlags::IN)],
                Some(&timeout),
            ) {
                Ok(0) if left.is_zero() => return false,
                Ok(0) | Err(rustix::io::Errno::INTR) => {}
                Ok(_) => return true,
                Err(_) => return false,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: i32, parent: i32, title: &str) -> Process {
        Process {
            pid,
            parent,
            session: pid,
            title: title.to_owned(),
        }
    }

    #[test]
    fn the_postmaster_is_the_untitled_root() {
        let found = [
            process(12, 10, "postgres: checkpointer"),
            process(10, 1, "/usr/lib/postgresql/15/bin/postgres -D /srv"),
            process(14, 10, "/usr/lib/postgresql/15/bin/postgres -D /srv"),
        ];
        assert_eq!(postmaster(&found, None).unwrap().pid, 10);
        assert_eq!(postmaster(&found, Some(12)).unwrap().pid, 10);
        assert!(postmaster(&found[..1], Some(12)).is_none());
    }
}
