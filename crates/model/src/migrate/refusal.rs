//! Why a move of a data directory is not done, and why a step of it was not.

use crate::why::{Holder, Why};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident $({ $($field:ident : $type:ty),+ $(,)? })? = $code:literal),+ $(,)?) => {
        /// Why it is not done; nothing was changed.
        #[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case", tag = "refusal")]
        pub enum Refusal { $($(#[$doc])* $name $({ $($field: $type),+ })?),+ }

        impl Refusal {
            /// Every code.
            pub const CODES: &[&str] = &[$($code),+];

            /// Stable.
            pub fn code(&self) -> &'static str {
                match self { $(refusals!(@pattern $name $({ $($field),+ })?) => $code),+ }
            }
        }
    };
    (@pattern $name:ident { $($field:ident),+ }) => { Refusal::$name { .. } };
    (@pattern $name:ident) => { Refusal::$name };
}

refusals! {
    NotRoot = "MIGRATE_NOT_ROOT",
    NoServer = "MIGRATE_NO_SERVER",
    SeveralServers { data_dirs: Vec<PathBuf> } = "MIGRATE_SEVERAL_SERVERS",
    /// Where `--from` names none that runs.
    NotThatServer { from: PathBuf } = "MIGRATE_NOT_THAT_SERVER",
    /// Others than root could change what root would run.
    NotRoots { program: PathBuf } = "MIGRATE_PROGRAM_OWNER",
    Configured { service: String, data_dir: PathBuf } = "MIGRATE_CONFIGURED",
    ConfigUnreadable { file: PathBuf, said: String } = "MIGRATE_CONFIG_UNREADABLE",
    StrangerUnit { unit: String } = "MIGRATE_NOT_OURS_TO_STOP",
    Options { options: Vec<String> } = "MIGRATE_OPTIONS",
    NoAnswer { why: Why } = "MIGRATE_NO_ANSWER",
    Standby = "MIGRATE_STANDBY",
    ProgramsDiffer { data: String, programs: String } = "MIGRATE_PROGRAMS_DIFFER",
    IsMountPoint { path: PathBuf } = "MIGRATE_IS_MOUNT_POINT",
    LeadsAway { link: PathBuf, to: PathBuf } = "MIGRATE_LEADS_AWAY",
    MountInside { path: PathBuf } = "MIGRATE_MOUNT_INSIDE",
    /// `data_directory` is not set once, in the configuration file itself.
    SetElsewhere { files: Vec<PathBuf> } = "MIGRATE_SET_ELSEWHERE",
    /// The configuration file can't be changed in its place.
    ConfigFile { file: PathBuf, why: Why } = "MIGRATE_CONFIG_FILE",
    Named { settings: Vec<String> } = "MIGRATE_SETTINGS",
    KeptThere { path: PathBuf } = "MIGRATE_KEPT_THERE",
    DeviceUnusable { device: PathBuf, why: Why } = "MIGRATE_DEVICE",
    SameFileSystem = "MIGRATE_SAME_FILE_SYSTEM",
    MountedElsewhere { at: Vec<PathBuf> } = "MIGRATE_MOUNTED_ELSEWHERE",
    DeviceHeld { by: Vec<Holder> } = "MIGRATE_DEVICE_HELD",
    DrbdNotReady { resource: String, state: String } = "MIGRATE_DRBD",
    DeviceUnreadable { why: Why } = "MIGRATE_DEVICE_UNREADABLE",
    Carries { what: String } = "MIGRATE_DEVICE_CARRIES",
    /// Nothing is on it, and there was no consent to make a file system.
    Blank { device: PathBuf } = "MIGRATE_DEVICE_BLANK",
    NoMkfs = "MIGRATE_NO_MKFS",
    NotClean = "MIGRATE_NOT_CLEAN",
    NotEmpty { entries: Vec<String> } = "MIGRATE_NOT_EMPTY",
    OtherFileSystem = "MIGRATE_FILE_SYSTEM",
    PlaceNotEmpty { mount_point: PathBuf } = "MIGRATE_PLACE_NOT_EMPTY",
    PlaceTaken { mount_point: PathBuf } = "MIGRATE_PLACE_TAKEN",
    TooSmall { needed: u64, free: u64 } = "MIGRATE_TOO_SMALL",
    /// Another job is not ended.
    UnderWay = "MIGRATE_UNDER_WAY",
    /// Another process carries one out at this moment.
    Busy = "MIGRATE_BUSY",
    NothingToGoBack = "MIGRATE_NOTHING_TO_GO_BACK",
    OldGone { path: PathBuf } = "MIGRATE_OLD_GONE",
    NewUnknown = "MIGRATE_NEW_UNKNOWN",
    /// It is to be mounted before it is known what was written there.
    NotMounted { device: PathBuf, mount_point: PathBuf } = "MIGRATE_NOT_MOUNTED",
    /// It would have to be mounted, and another node of the site may have it.
    SiteNode { device: PathBuf, mount_point: PathBuf } = "MIGRATE_SITE_NODE",
    /// What was copied back has changed the old copy.
    NotAsItWas = "MIGRATE_NOT_AS_IT_WAS",
}

/// Why a step was not done.
#[derive(Clone, PartialEq, Debug)]
pub enum Fail {
    Why(Why),
    /// It may not be done; nothing of it was.
    Refused {
        refusal: Refusal,
    },
    /// What is read from the disk is not what was written.
    CopyDiffers {
        path: PathBuf,
    },
    /// The control file does not say "shut down".
    NotShutDown {
        state: String,
    },
    StillRuns {
        processes: Vec<String>,
    },
    /// Somebody started it between its stop and what keeps it from starting.
    StartedMeanwhile,
    TargetNotEmpty {
        entries: Vec<String>,
    },
    OtherFileSystem {
        device: PathBuf,
    },
    DeviceCarries {
        device: PathBuf,
    },
    InTheWay {
        path: PathBuf,
    },
    /// The line of `data_directory` is not as it was left.
    NotPointed {
        file: PathBuf,
    },
    OtherDatabase {
        was: String,
        is: String,
    },
    OlderData {
        was: u64,
        is: u64,
    },
    RunsElsewhere {
        data_dir: PathBuf,
    },
    /// A person asked for the end while nothing was switched over yet.
    Interrupted,
}

impl From<Why> for Fail {
    fn from(why: Why) -> Self {
        Fail::Why(why)
    }
}
