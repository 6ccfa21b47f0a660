//! Runs a program: no shell, a fixed small environment, a bounded wait.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};
use siaga_model::Why;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How much of each output is kept, in bytes: the beginning of standard output, the end of standard error.
pub const OUTPUT_LIMIT: usize = 64 * 1024;

/// How long a killed program may take to be gone. One that hangs in the kernel is left to a thread.
const KILLED_WITHIN: Duration = Duration::from_secs(1);

/// What came of a program.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CommandResult {
    /// The exit code where it ended by itself.
    pub exit: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// The first [`OUTPUT_LIMIT`] bytes.
    pub stdout: String,
    /// The last [`OUTPUT_LIMIT`] bytes.
    pub stderr: String,
    /// It was killed because its time was over.
    pub timed_out: bool,
    /// Why it never ran.
    pub not_started: Option<String>,
}

impl CommandResult {
    /// It ended by itself with code 0, in time.
    pub fn succeeded(&self) -> bool {
        self.exit == Some(0) && !self.timed_out
    }

    /// How it ended, with what it `said` of it.
    pub fn ending(&self, said: &str) -> Why {
        let said = said.trim().to_owned();
        match (&self.not_started, self.timed_out, self.exit, self.signal) {
            (Some(why), ..) => Why::ProgramNotStarted { said: why.clone() },
            (None, true, ..) => Why::ProgramTooSlow { said },
            (None, false, Some(code), _) => Why::ProgramExit { code, said },
            (None, false, None, Some(signal)) => Why::ProgramSignal { signal, said },
            (None, false, None, None) => Why::ProgramEnded { said },
        }
    }

    /// The last line that it wrote to its standard error.
    pub fn last_line(&self) -> &str {
        self.stderr.trim().lines().last().unwrap_or_default()
    }
}

/// Runs `argv` and waits until it ends or `timeout` is over; then its whole process group is killed, and only that.
/// The program gets its own process group, `/` as working directory, and only `PATH` and `LC_ALL=C` as environment.
/// Secrets belong on `stdin`: arguments can be read by everybody on the host. A process that it leaves behind on
/// purpose (a daemon) is neither waited for nor killed.
pub fn run(argv: &[String], stdin: Option<&[u8]>, timeout: Duration) -> CommandResult {
    run_marked(argv, stdin, timeout, None)
}

/// As [`run`], with one more variable in the environment, by which the program and its children can be found again.
pub fn run_marked(
    argv: &[String],
    stdin: Option<&[u8]>,
    timeout: Duration,
    mark: Option<(&str, &str)>,
) -> CommandResult {
    let deadline = Instant::now() + timeout;
    let mut child = match spawn(argv, stdin.is_some(), mark) {
        Ok(child) => child,
        Err(why) => {
            return CommandResult {
                not_started: Some(why),
                ..CommandResult::default()
            };
        }
    };
    let mut result = CommandResult::default();
    let talk = Talk::new(&mut child, stdin.unwrap_or_default());
    let ended = match talk {
        Ok(mut talk) => {
            let ended = talk.until_end(deadline);
            result.stdout = String::from_utf8_lossy(&talk.stdout.kept).into_owned();
            result.stderr = String::from_utf8_lossy(&talk.stderr.kept).into_owned();
            ended
        }
        Err(e) => {
            // Without its pidfd it can't be waited for in time, so it is not let run.
            result.not_started = Some(format!("its process can't be watched: {e}"));
            Ok(false)
        }
    };
    result.timed_out = result.not_started.is_none() && !matches!(ended, Ok(true));
    if !matches!(ended, Ok(true)) {
        kill_group(&child);
    }
    if let Some(status) = reap(child) {
        result.exit = status.code();
        result.signal = status.signal();
    }
    result
}

fn spawn(argv: &[String], with_stdin: bool, mark: Option<(&str, &str)>) -> Result<Child, String> {
    let (program, args) = argv.split_first().ok_or("no program is named")?;
    Command::new(program)
        .args(args)
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("LC_ALL", "C")
        .envs(mark)
        .current_dir("/")
        .process_group(0)
        .stdin(if with_stdin {
            Stdio::piped()
        } else {
            Stdio::null()
        })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| format!("{program}: {e}"))
}

/// Kills the group that the child leads. The child is not reaped yet, so its id can't belong to anybody else.
fn kill_group(child: &Child) {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// Waits for a program that has ended or was killed.
fn reap(mut child: Child) -> Option<ExitStatus> {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw)?;
    let gone = pidfd_open(pid, PidfdFlags::empty()).is_ok_and(|pidfd| {
        let mut fds = [PollFd::new(&pidfd, PollFlags::IN)];
        matches!(wait(&mut fds, Instant::now() + KILLED_WITHIN), Ok(true))
    });
    if gone {
        return child.wait().ok();
    }
    std::thread::spawn(move || child.wait());
    None
}

/// One output of the program.
struct Output {
    pipe: Option<File>,
    kept: Vec<u8>,
    keep_end: bool,
}

impl Output {
    fn new(pipe: Option<OwnedFd>, keep_end: bool) -> rustix::io::Result<Self> {
        if let Some(pipe) = &pipe {
            rustix::fs::fcntl_setfl(pipe, OFlags::NONBLOCK)?;
        }
        Ok(Self {
            pipe: pipe.map(File::from),
            kept: Vec::new(),
            keep_end,
        })
    }

    /// Reads what is there now, at most a mebibyte so that nobody keeps us here; closes the pipe at its end.
    fn drain(&mut self) {
        let mut chunk = [0; 16 * 1024];
        for _ in 0..64 {
            let Some(pipe) = &mut self.pipe else { return };
            match pipe.read(&mut chunk) {
                Ok(0) => self.pipe = None,
                Ok(n) => self.keep(&chunk[..n]),
                Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => return,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(_) => self.pipe = None,
            }
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.keep_end {
            self.kept.extend_from_slice(bytes);
            let over = self.kept.len().saturating_sub(OUTPUT_LIMIT);
            self.kept.drain(..over);
        } else {
            let room = OUTPUT_LIMIT
                .saturating_sub(self.kept.len())
                .min(bytes.len());
            self.kept.extend_from_slice(&bytes[..room]);
        }
    }
}

/// The pipes of a running program.
struct Talk<'a> {
    pidfd: OwnedFd,
    stdin: Option<File>,
    unsent: &'a [u8],
    stdout: Output,
    stderr: Output,
}

impl<'a> Talk<'a> {
    fn new(child: &mut Child, unsent: &'a [u8]) -> rustix::io::Result<Self> {
        let pid = i32::try_from(child.id())
            .ok()
            .and_then(Pid::from_raw)
            .ok_or(rustix::io::Errno::SRCH)?;
        let stdin = child.stdin.take().map(OwnedFd::from);
        if let Some(stdin) = &stdin {
            rustix::fs::fcntl_setfl(stdin, OFlags::NONBLOCK)?;
        }
        let mut talk = Self {
            pidfd: pidfd_open(pid, PidfdFlags::empty())?,
            stdin: stdin.map(File::from),
            unsent,
            stdout: Output::new(child.stdout.take().map(OwnedFd::from), false)?,
            stderr: Output::new(child.stderr.take().map(OwnedFd::from), true)?,
        };
        talk.feed();
        Ok(talk)
    }

    /// Writes what the program takes now, and closes its input after the last byte.
    fn feed(&mut self) {
        while let Some(pipe) = &mut self.stdin {
            if self.unsent.is_empty() {
                self.stdin = None;
                return;
            }
            match pipe.write(self.unsent) {
                Ok(n) => self.unsent = &self.unsent[n..],
                Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => return,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                // It closed its input: it does not want the rest.
                Err(_) => self.stdin = None,
            }
        }
    }

    /// True when the program has ended, false when its time is over first.
    fn until_end(&mut self, deadline: Instant) -> rustix::io::Result<bool> {
        loop {
            let ended = self.wait_once(deadline)?;
            self.feed();
            self.stdout.drain();
            self.stderr.drain();
            if ended {
                return Ok(true);
            }
            if Instant::now() >= deadline {
                return Ok(false);
            }
        }
    }

    /// Waits for anything to do. True when the program has ended.
    fn wait_once(&self, deadline: Instant) -> rustix::io::Result<bool> {
        let mut fds = vec![PollFd::new(&self.pidfd, PollFlags::IN)];
        fds.extend(
            self.stdin
                .iter()
                .map(|f| PollFd::from_borrowed_fd(f.as_fd(), PollFlags::OUT)),
        );
        for output in [&self.stdout, &self.stderr] {
            fds.extend(
                output
                    .pipe
                    .iter()
                    .map(|f| PollFd::from_borrowed_fd(f.as_fd(), PollFlags::IN)),
            );
        }
        wait(&mut fds, deadline)?;
        Ok(!fds[0].revents().is_empty())
    }
}

/// Waits until one of `fds` is ready. False when `deadline` came first; a signal counts as nothing.
pub(crate) fn wait(fds: &mut [PollFd<'_>], deadline: Instant) -> rustix::io::Result<bool> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left).ok();
        match poll(fds, timeout.as_ref()) {
            Ok(ready) => return Ok(ready > 0),
            Err(rustix::io::Errno::INTR) => {}
            Err(e) => return Err(e),
        }
    }
}
