//! Processes, named so that a recycled number is never mistaken for one that has gone.

use crate::error::{Doing, LabError, Result};
use crate::wait::Deadline;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde::{Deserialize, Serialize};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A process by its number and the moment of its start.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ProcessId {
    pub pid: i32,
    /// In ticks since the machine's boot.
    pub start: u64,
}

impl ProcessId {
    /// The process that has this number now.
    pub fn of(pid: i32) -> Option<Self> {
        let start = stat(pid)?.start;
        Some(Self { pid, start })
    }

    /// Whether it still runs; a zombie does not.
    pub fn is_alive(self) -> bool {
        stat(self.pid).is_some_and(|stat| stat.start == self.start && stat.state != 'Z')
    }

    /// A handle on it; `None` when it has gone.
    pub fn open(self) -> Result<Option<OwnedFd>> {
        let Some(pid) = Pid::from_raw(self.pid) else {
            return Ok(None);
        };
        match pidfd_open(pid, PidfdFlags::empty()) {
            // The handle names whoever has the number now: compare after taking it.
            Ok(handle) => Ok(self.is_alive().then_some(handle)),
            Err(Errno::SRCH) => Ok(None),
            Err(errno) => Err(errno).doing(|| format!("open process {}", self.pid)),
        }
    }

    /// Sends a signal; nothing happens when it has gone.
    pub fn signal(self, signal: Signal) -> Result<()> {
        let Some(handle) = self.open()? else {
            return Ok(());
        };
        match pidfd_send_signal(&handle, signal) {
            Ok(()) | Err(Errno::SRCH) => Ok(()),
            Err(errno) => Err(errno).doing(|| format!("signal process {}", self.pid)),
        }
    }

    /// SIGKILL, and waits for its end. The end of the first process of a PID namespace is the end of all in it.
    pub fn kill_and_wait(self, patience: Duration) -> Result<()> {
        let Some(handle) = self.open()? else {
            return Ok(());
        };
        match pidfd_send_signal(&handle, Signal::KILL) {
            Ok(()) => {}
            Err(Errno::SRCH) => return Ok(()),
            Err(errno) => return Err(errno).doing(|| format!("kill process {}", self.pid)),
        }
        if readable(&handle, patience)? {
            return Ok(());
        }
        Err(LabError::Timeout {
            what: format!("the end of process {}", self.pid),
            after: patience,
        })
    }
}

/// Waits until `fd` can be read (a pidfd: until its process has ended). `false` when the time is up.
pub(crate) fn readable(fd: impl AsFd, patience: Duration) -> Result<bool> {
    let deadline = Deadline::new(patience);
    loop {
        let mut fds = [PollFd::new(&fd, PollFlags::IN)];
        let timeout = Timespec::try_from(deadline.left()).unwrap_or(Timespec {
            tv_sec: 3600,
            tv_nsec: 0,
        });
        match poll(&mut fds, Some(&timeout)) {
            Ok(0) => return Ok(false),
            Ok(_) => return Ok(true),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno).doing(|| "poll".into()),
        }
    }
}

struct Stat {
    state: char,
    start: u64,
}

/// State and start of a process, from `/proc/PID/stat`; the name in it may hold spaces and brackets.
fn stat(pid: i32) -> Option<Stat> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = text[text.rfind(')')? + 1..].split_ascii_whitespace();
    let state = fields.next()?.chars().next()?;
    Some(Stat {
        state,
        start: fields.nth(18)?.parse().ok()?,
    })
}

/// Whether a process is stopped, by SIGSTOP for example, or dead.
pub(crate) fn is_stopped(pid: i32) -> bool {
    stat(pid).is_none_or(|stat| matches!(stat.state, 'T' | 't' | 'Z' | 'X'))
}

/// The numbers of all processes of this machine.
pub(crate) fn all() -> Vec<i32> {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

/// What identifies a namespace of a process: `pid:[4026531836]`. `None` for one that has gone.
pub(crate) fn namespace(pid: i32, kind: &str) -> Option<PathBuf> {
    std::fs::read_link(format!("/proc/{pid}/ns/{kind}")).ok()
}

/// The processes of the PID namespace whose first process is `init`.
pub(crate) fn in_namespace_of(init: ProcessId) -> Vec<i32> {
    let Some(wanted) = namespace(init.pid, "pid") else {
        return Vec::new();
    };
    all()
        .into_iter()
        .filter(|pid| namespace(*pid, "pid").as_ref() == Some(&wanted))
        .collect()
}

/// The lab's own helper processes (hidden verbs) whose command line names exactly this lab's directory.
pub(crate) fn helpers_of(dir: &Path) -> Vec<ProcessId> {
    let own = std::process::id();
    let belongs = |pid: &i32| {
        let Ok(line) = std::fs::read(format!("/proc/{pid}/cmdline")) else {
            return false;
        };
        let words: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
        let hidden = words.iter().any(|word| word.starts_with(b"__"));
        let named = words
            .windows(2)
            .any(|pair| pair[0] == b"--dir" && pair[1] == dir.as_os_str().as_bytes());
        hidden && named && u32::try_from(*pid) != Ok(own)
    };
    all()
        .into_iter()
        .filter(belongs)
        .filter_map(ProcessId::of)
        .filter(|process| process.is_alive())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recycled_number_is_not_the_process() {
        let own = ProcessId::of(i32::try_from(std::process::id()).unwrap()).unwrap();
        assert!(own.is_alive());
        let other = ProcessId {
            start: own.start + 1,
            ..own
        };
        assert!(!other.is_alive());
        // Were the start not compared, this would kill the test itself.
        other.kill_and_wait(Duration::from_secs(1)).unwrap();
    }

    #[test]
    fn only_hidden_verbs_with_this_very_directory_are_helpers() {
        let dir = Path::new("/nonexistent/siaga-lab-x");
        let spawn = |args: &[&str]| {
            // It waits by itself: a child of the shell would look like the shell until it runs its own program.
            std::process::Command::new("/bin/sh")
                .args(args)
                .stdin(std::process::Stdio::piped())
                .spawn()
                .unwrap()
        };
        let mut mine = spawn(&[
            "-c",
            "read line",
            "__controller",
            "--dir",
            "/nonexistent/siaga-lab-x",
        ]);
        let mut longer = spawn(&[
            "-c",
            "read line",
            "__controller",
            "--dir",
            "/nonexistent/siaga-lab-x2",
        ]);
        let mut user = spawn(&[
            "-c",
            "read line",
            "status",
            "--dir",
            "/nonexistent/siaga-lab-x",
        ]);
        let found = helpers_of(dir);
        let mine_id = i32::try_from(mine.id()).unwrap();
        for child in [&mut mine, &mut longer, &mut user] {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        assert_eq!(
            found.iter().map(|p| p.pid).collect::<Vec<_>>(),
            vec![mine_id]
        );
    }
}
