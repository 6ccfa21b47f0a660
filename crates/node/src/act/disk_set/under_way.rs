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
use std::io::ErrorKind;
use std::time::Duration;

/// The variable's name; its value is the service's name and the secret.
const MARK: &str = "SIAGA_DISK_SET";

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

    fn processes(&self) -> std::io::Result<Vec<Holder>> {
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
            let environment = match fs::read(entry.path().join("environ")) {
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
