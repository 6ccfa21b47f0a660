//! What goes wrong in the lab, each with a stable code and, where there is one, the command that mends it.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The result of nearly everything here.
pub type Result<T> = std::result::Result<T, LabError>;

/// Why a lab command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    #[error("the lab makes namespaces, loop devices and mounts: it needs root. Run it with sudo")]
    NotRoot,
    #[error(
        "{what}: not permitted, although this is root. A container needs its privileges: run this on the host itself, or with `docker run --privileged`"
    )]
    NotPermitted { what: String },
    #[error("the program {program} is missing. Install it: apt-get install {package}")]
    MissingProgram {
        program: &'static str,
        package: &'static str,
    },
    #[error(
        "the operating system's user postgres is missing. Install it: apt-get install postgresql"
    )]
    NoPostgresUser,
    #[error("{0} is not there: this kernel has no loop devices. Load them: modprobe loop")]
    NoLoopControl(&'static str),
    #[error("a lab's name has 1 to 32 of a-z, 0-9 and '-': not {0:?}")]
    BadName(String),
    #[error("--size must be at least {least} MiB for {what}")]
    TooSmall { least: u64, what: &'static str },
    #[error("--dir {dir}: too long for the socket that lies there; use at most {most} bytes")]
    DirTooLong { dir: PathBuf, most: usize },
    #[error("--dir must be an absolute path, and not {0}")]
    BadDir(PathBuf),
    #[error(
        "the lab {name:?} exists already in {dir}. Use it, or remove it: siaga lab down --name {name}"
    )]
    Exists { name: String, dir: PathBuf },
    #[error("{0} exists and is no lab's directory: name another with --dir")]
    ForeignDir(PathBuf),
    #[error("there is no lab {name:?} (looked in {dir}). Bring it up: siaga lab up --name {name}")]
    NotUp { name: String, dir: PathBuf },
    #[error(
        "the lab {name:?} in {dir} is only half there. Remove it: siaga lab down --name {name}"
    )]
    HalfUp { name: String, dir: PathBuf },
    #[error("there is no machine {0:?} in the lab: serverdb, backup or client")]
    UnknownMachine(String),
    #[error("{0} is no node: the power, disk and fence commands know serverdb and backup")]
    NotANode(&'static str),
    #[error("{0} has no power. Give it back: siaga lab power-on {0}")]
    NodeOff(&'static str),
    #[error("{0} is frozen. Thaw it: siaga lab thaw {0}")]
    NodeFrozen(&'static str),
    #[error("all 256 lab networks are in use")]
    NoSlot,
    #[error("--at: {0:?} is not before:ACTION, in:ACTION, after:ACTION or pause:ACTION")]
    BadCrashPoint(String),
    #[error("this program carries no agent: the lab was started without one")]
    NoAgent,
    #[error("this program carries no load client")]
    NoLoad,
    #[error("{program} failed ({status}): {stderr}")]
    Command {
        program: String,
        status: String,
        stderr: String,
    },
    #[error("{what}: {source}")]
    System { what: String, source: io::Error },
    #[error("{what} took longer than {} s", .after.as_secs())]
    Timeout { what: String, after: Duration },
    #[error("{0}")]
    Broken(String),
}

impl LabError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotRoot => "lab-not-root",
            Self::NotPermitted { .. } => "lab-not-permitted",
            Self::MissingProgram { .. } => "lab-missing-program",
            Self::NoPostgresUser => "lab-no-postgres-user",
            Self::NoLoopControl(_) => "lab-no-loop-devices",
            Self::BadName(_) => "lab-bad-name",
            Self::TooSmall { .. } => "lab-too-small",
            Self::DirTooLong { .. } | Self::BadDir(_) | Self::ForeignDir(_) => "lab-bad-dir",
            Self::Exists { .. } => "lab-exists",
            Self::NotUp { .. } => "lab-not-up",
            Self::HalfUp { .. } => "lab-half-up",
            Self::UnknownMachine(_) => "lab-unknown-machine",
            Self::NotANode(_) => "lab-not-a-node",
            Self::NodeOff(_) => "lab-node-off",
            Self::NodeFrozen(_) => "lab-node-frozen",
            Self::NoSlot => "lab-no-slot",
            Self::BadCrashPoint(_) => "lab-bad-crash-point",
            Self::NoAgent => "lab-no-agent",
            Self::NoLoad => "lab-no-load",
            Self::Command { .. } => "lab-command-failed",
            Self::System { .. } => "lab-system",
            Self::Timeout { .. } => "lab-timeout",
            Self::Broken(_) => "lab-broken",
        }
    }

    /// The exit code of the command: 2 for what the user must write differently, 1 for what failed.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::BadName(_)
            | Self::TooSmall { .. }
            | Self::DirTooLong { .. }
            | Self::BadDir(_)
            | Self::ForeignDir(_)
            | Self::UnknownMachine(_)
            | Self::NotANode(_)
            | Self::BadCrashPoint(_) => 2,
            _ => 1,
        }
    }
}

/// Puts what was being done before an operating system's error. "Not permitted" gets its own advice.
pub(crate) trait Doing<T> {
    /// Names the act that failed.
    fn doing(self, what: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: Into<io::Error>> Doing<T> for std::result::Result<T, E> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|error| {
            let source: io::Error = error.into();
            if source.raw_os_error() == Some(libc::EPERM) {
                LabError::NotPermitted { what: what() }
            } else {
                LabError::System {
                    what: what(),
                    source,
                }
            }
        })
    }
}

/// `"<verb> <path>"`, for [`Doing::doing`].
pub(crate) fn on(verb: &str, path: &Path) -> String {
    format!("{verb} {}", path.display())
}
