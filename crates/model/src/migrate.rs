//! The move of a data directory from a local disk to the storage that moves between the servers, and its way back: what is
//! seen before, what is to be done, and the record of it.

mod refusal;

pub use refusal::{Fail, Refusal};

use crate::config::{Database, FileSystemKind};
use crate::time::UtcMicros;
use crate::why::{Holder, Why};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What a person asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wish {
    /// Which data directory, where several servers run.
    pub from: Option<PathBuf>,
    pub device: PathBuf,
    pub mount_point: PathBuf,
    /// Consent to make a file system on a device that carries nothing.
    pub format: bool,
}

/// This host before the move.
#[derive(Clone, PartialEq, Debug)]
pub struct Seen {
    pub is_root: bool,
    /// Servers that run.
    pub clusters: Vec<Cluster>,
    /// Programs of servers that others than root could change.
    pub not_roots: Vec<PathBuf>,
    pub device: Device,
    pub place: Place,
    pub configured: Configured,
    /// This host is a node of a site: only a take by Siaga mounts what another node may have.
    pub of_a_site: bool,
    /// `mkfs.ext4` is here.
    pub can_format: bool,
    /// How fast is read from the old place and from the device, bytes in a second; `None`: not measured.
    pub reads_per_s: Option<u64>,
    /// `20250801`: goes into the name of what is kept.
    pub date: String,
}

/// A server that runs here.
#[derive(Clone, PartialEq, Debug)]
pub struct Cluster {
    pub server: Database,
    pub version: String,
    /// What `postgres --version` says now: `15`.
    pub programs: Option<String>,
    /// A unit that it runs in and that is not PostgreSQL's own.
    pub stranger_unit: Option<String>,
    /// Options of its command line that a start without its unit would not give.
    pub options: Vec<String>,
    /// Why its configuration file, where that lies elsewhere, can't be changed.
    pub config_unreadable: Option<Why>,
    /// The device number of the file system with the data.
    pub file_system: u64,
    pub is_mount_point: bool,
    pub bytes: u64,
    pub files: u64,
    /// Of the bytes: in files that were written in the last minutes.
    pub recent_bytes: u64,
    /// Links that lead out of the data directory, or into it by its own name.
    pub astray: Vec<(PathBuf, PathBuf)>,
    /// File systems that are mounted below it.
    pub mounts_inside: Vec<PathBuf>,
    /// It has the signal file of a standby or a recovery.
    pub follows: bool,
    /// The renamed directory would be in the way.
    pub kept_there: bool,
    pub answers: Answers,
}

/// What the server itself says.
#[derive(Clone, PartialEq, Debug)]
pub enum Answers {
    Says {
        in_recovery: bool,
        /// Files that set `data_directory`.
        set_in: Vec<PathBuf>,
        /// Other settings that name the data directory.
        naming: Vec<String>,
    },
    Silent {
        why: Why,
    },
}

/// The device that is to carry it.
#[derive(Clone, PartialEq, Debug)]
pub enum Device {
    Unusable {
        why: Why,
    },
    There {
        number: u64,
        bytes: u64,
        mounted_at: Vec<PathBuf>,
        held_by: Vec<Holder>,
        drbd: Drbd,
        carries: Carries,
    },
}

/// What is on it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Carries {
    Nothing,
    Ext4 {
        uuid: String,
        /// Neither mounted somewhere nor left without an unmount.
        clean: bool,
        is_empty: bool,
        free_bytes: u64,
    },
    /// It is mounted here.
    Mounted {
        /// `None`: of a kind that Siaga does not move.
        kind: Option<FileSystemKind>,
        uuid: Option<String>,
        free_bytes: u64,
        entries: Vec<String>,
    },
    Something {
        what: String,
    },
    Unreadable {
        why: Why,
    },
}

/// Is it replicated, and may it be written here?
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Drbd {
    No,
    Ready,
    NotReady { resource: String, state: String },
    Unknown { why: Why },
}

/// The mount point.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    Missing,
    Empty,
    NotEmpty,
    NotADirectory,
    Mounted { device: u64 },
}

/// Does an agent's configuration stand against it?
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Configured {
    /// There is none, or none of these directories is in it.
    No,
    Carries {
        service: String,
        data_dir: PathBuf,
    },
    Unreadable {
        file: PathBuf,
        said: String,
    },
}

/// How a start finds the data directory afterwards.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "by")]
pub enum Pointing {
    /// `data_directory` in a configuration file outside.
    ConfigFile { file: PathBuf },
    /// The configuration lies with the data: the old path leads to the new one.
    Link,
}

/// What does not change while a job lasts.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Facts {
    /// The server, with its old data directory.
    pub server: Database,
    pub version: String,
    /// Where the old directory lies once it is out of the way.
    pub kept: PathBuf,
    /// The new data directory.
    pub to: PathBuf,
    /// Its name while it is not whole.
    pub part: PathBuf,
    pub device: PathBuf,
    pub mount_point: PathBuf,
    pub kind: FileSystemKind,
    /// Of the file system; made up before where it is to be made.
    pub uuid: Option<String>,
    pub pointing: Pointing,
}

/// One step. Each looks first, so that it may be begun again after a kill.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    Format,
    Mount,
    /// While the database runs.
    Copy,
    Stop,
    /// From here on no server starts from the old directory, under whatever name.
    DisableOld,
    /// What changed since.
    CopyRest,
    KeepOld,
    Point,
    EnableNew,
    StartNew,
    Verify,
    CopyBack,
    StopNew,
    DisableNew,
    CopyBackRest,
    PointBack,
    RestoreOld,
    /// With its own last state.
    EnableOldAsItWas,
    /// With the state of what was copied back.
    EnableOld,
    StartOld,
    VerifyOld,
    /// What was half copied is removed, and the device unmounted.
    Tidy,
}

impl Step {
    /// It works in the new place, and mounts it where it is not. A way back that needs nothing of the new place has to work
    /// without it.
    pub fn needs_mount(self) -> bool {
        match self {
            Step::Mount
            | Step::Copy
            | Step::CopyRest
            | Step::EnableNew
            | Step::StartNew
            | Step::Verify
            | Step::CopyBack
            | Step::CopyBackRest
            | Step::EnableOld => true,
            Step::Format
            | Step::Stop
            | Step::DisableOld
            | Step::KeepOld
            | Step::Point
            | Step::StopNew
            | Step::DisableNew
            | Step::PointBack
            | Step::RestoreOld
            | Step::EnableOldAsItWas
            | Step::StartOld
            | Step::VerifyOld
            | Step::Tidy => false,
        }
    }
}

/// Which way.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    Forward,
    /// Nothing was written in the new place, or it was copied back.
    Back,
    /// Without what was written in the new place.
    BackAsItWas,
}

/// What the plan says.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Plan {
    pub facts: Facts,
    pub steps: Vec<Step>,
    pub bytes: u64,
    pub files: u64,
    pub free_bytes: u64,
    pub needed_bytes: u64,
    pub reads_per_s: Option<u64>,
    /// The database goes on meanwhile.
    pub copy_s: Option<u64>,
    /// From the stop to the first answer. An estimate.
    pub away_s: Option<u64>,
}

/// A job, as it is kept on the disk: whoever reads it knows what is left to be done.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Job {
    pub form: u32,
    pub facts: Facts,
    pub direction: Direction,
    pub left: Vec<Step>,
    pub record: Record,
}

/// The form of a job that this version writes.
pub const JOB_FORM: u32 = 1;

/// What was done.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Record {
    pub begun: Option<UtcMicros>,
    pub ended: Option<UtcMicros>,
    pub steps: Vec<StepDone>,
    /// As the server was stopped: its identity and the last place in its WAL.
    pub system_identifier: Option<String>,
    pub stopped_at_lsn: Option<u64>,
    pub started_at_lsn: Option<u64>,
    pub stopped_at: Option<UtcMicros>,
    pub passes: Vec<Pass>,
    /// From the stop to the first answer to a client. `None`: it was not seen whole.
    pub away_ms: Option<u64>,
}

/// A step that was done.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StepDone {
    pub step: Step,
    pub at: UtcMicros,
    pub ms: u64,
}

/// One pass over the files.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Pass {
    pub files: u64,
    pub copied_files: u64,
    pub copied_bytes: u64,
    /// Files that were read again from the disk and had the same SHA-256.
    pub compared_files: u64,
    pub compared_bytes: u64,
    pub ms: u64,
}

/// Where both sides stand, for the way back.
#[derive(Clone, PartialEq, Debug)]
pub struct Sides {
    pub new: NewSide,
    /// The device is mounted at its place, on this host.
    pub mounted: bool,
    pub configured: Configured,
    /// This host is a node of a site: only a take by Siaga mounts what another node may have.
    pub of_a_site: bool,
    pub is_root: bool,
    pub old_there: bool,
    /// Where both say: how far the new one is ahead, bytes of WAL.
    pub ahead: Option<u64>,
}

/// The new place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NewSide {
    /// No server ever ran from it.
    Untouched,
    /// It was started, or may have been.
    Written,
    /// Its device is not mounted here. A look mounts nothing.
    NotMounted,
    /// It can't be read.
    Unknown,
}

/// How far it is.
#[derive(Clone, PartialEq, Debug)]
pub enum Progress {
    Step {
        step: Step,
        of: usize,
        number: usize,
    },
    Copying {
        bytes: u64,
        of: u64,
    },
    Comparing {
        bytes: u64,
        of: u64,
    },
}

/// How a job went wrong, where it did.
#[derive(Clone, PartialEq, Debug)]
pub struct StepFailed {
    pub step: Step,
    pub fail: Fail,
}
