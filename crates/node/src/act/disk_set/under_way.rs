//! Programs that change who holds a disk set, found again by a mark in their environment. An agent that is killed
//! leaves such a program running: it may still take what the next agent would promise to have given up. The mark is a
//! secret of this boot: any account could put a known one into its own processes, and so keep every move from going on.
//! (Whose account a program is by now says nothing: one of the site's may have become another.)

mod secret;

use crate::command::{self, CommandResult};
use siaga_model::observation::Holding;
use siaga_model::why::Holder;
use siaga_model::{ServiceName, Why};
use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::Duration;

/// The variable's name; its value is the service's name and the secret.
const MARK: &str = "SIAGA_DISK_SET";

/// How often a process is asked that is just becoming another program, a millisecond apart. What takes longer than that
/// waits for a disk.
const ASKED_BETWEEN: u32 = 200;
/// How often one is asked that became another program meanwhile. After that its environment is one that nobody can read:
/// a process may say that it lies where nothing is.
const ASKED_AFTER: u32 = 10;

/// The mark of one service.
#[derive(Clone)]
pub struct UnderWay {
    service: String,
}

impl UnderWay {
    /// The mark of `service`.
    pub fn of(service: &ServiceName) -> Self {
        Self {
            service: service.to_string(),
        }
    }

    /// Runs a program that changes who holds the disk set.
    pub fn run(&self, argv: &[String], timeout: Duration) -> CommandResult {
        match secret::of_this_boot() {
            Ok(secret) => {
                let value = format!("{} {}", self.service, secret.word);
                command::run_marked(argv, None, timeout, Some((MARK, &value)))
            }
            // It could not be found again.
            Err(e) => CommandResult {
                not_started: Some(e.to_string()),
                ..CommandResult::default()
            },
        }
    }

    /// Held where such a program, or a process that it left behind, is there.
    pub fn look(&self) -> Holding {
        match self.processes() {
            Ok(by) if by.is_empty() => Holding::Free,
            Ok(by) => Holding::Held { by },
            Err(e) => Holding::Unknown {
                why: Why::system(e),
            },
        }
    }

    fn processes(&self) -> io::Result<Vec<Holder>> {
        let secret = secret::of_this_boot()?;
        let before = format!("{MARK}={}", self.service);
        let mark = format!("{before} {}", secret.word);
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc")? {
            let entry = entry?;
            let name = entry.file_name();
            let Some(pid) = name.to_str().and_then(|n| n.parse::<i32>().ok()) else {
                continue;
            };
            let environment = match environment(&entry.path()) {
                Ok(environment) => environment,
                // It ended meanwhile. (What another user's process may hide from an agent that is not root, a program
                // that this agent began does not.)
                Err(e) if e.kind() == ErrorKind::NotFound => continue,
                Err(e) if e.raw_os_error() == Some(libc::ESRCH) => continue,
                Err(e) if e.kind() == ErrorKind::PermissionDenied => continue,
                Err(e) => return Err(e),
            };
            let has = |mark: &str| environment.split(|b| *b == 0).any(|v| v == mark.as_bytes());
            if has(&mark) || has(&before) && secret.is_later_than(&entry.path()) {
                let command = fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
                found.push(Holder::ProgramRuns {
                    pid,
                    command: command.trim().to_owned(),
                });
            }
        }
        Ok(found)
    }
}

/// The environment of a process, whole. While it becomes another program it has none for a moment, and what is read of
/// the program before ends at once: neither may pass for an environment without the mark.
fn environment(process: &Path) -> io::Result<Vec<u8>> {
    let (mut between, mut after) = (0, 0);
    loop {
        let environment = fs::read(process.join("environ"))?;
        match told(&fs::read_to_string(process.join("stat"))?) {
            Told::NoMemory => return Ok(environment),
            Told::Bytes(bytes) if bytes == environment.len() as u64 => return Ok(environment),
            Told::Bytes(_) if after == ASKED_AFTER => return Ok(environment),
            Told::Bytes(_) => after += 1,
            Told::Between if between == ASKED_BETWEEN => {
                let what = format!("{}: becomes another program", process.display());
                return Err(io::Error::new(ErrorKind::TimedOut, what));
            }
            Told::Between => {
                between += 1;
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }
}

/// What the kernel tells of a process's environment.
#[derive(PartialEq, Debug)]
enum Told {
    /// A thread of the kernel, or ended.
    NoMemory,
    /// The memory of another program already, and no environment in it yet.
    Between,
    /// So many bytes of it.
    Bytes(u64),
}

/// By `vsize`, `endcode`, `env_start` and `env_end` of proc(5). The kernel sets where the code ends once the environment
/// is in its place.
fn told(stat: &str) -> Told {
    let words = stat.rsplit_once(')').map_or("", |(_, words)| words);
    // Counted from 1 in the manual, and the first two are gone.
    let word = |nth: usize| words.split_whitespace().nth(nth - 3)?.parse::<u64>().ok();
    match (word(23), word(27), word(50), word(51)) {
        (Some(1..), Some(0), ..) => Told::Between,
        (Some(1..), _, Some(start), Some(end)) => Told::Bytes(end.saturating_sub(start)),
        _ => Told::NoMemory,
    }
}

#[cfg(test)]
mod tests;
