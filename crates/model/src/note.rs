//! What a step tells of itself: notes for the log and for people, and how far it has come.

use crate::why::Why;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::path::PathBuf;

/// A fact about a step that is done.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "note")]
pub enum Note {
    MmpWaits,
    MmpWaitsWithoutTool,
    MmpCleared,
    WasStartingAlready,
    NoServerLog {
        said: String,
    },
    ReadyIn {
        ms: u64,
    },
    NeedsRecovery,
    /// So much of the WAL was to be redone, as it was measured before the start.
    WalToRedo {
        bytes: u64,
    },
    /// So much of the WAL was not yet written back to the files before a checkpoint.
    WalToWriteBack {
        bytes: u64,
    },
    LockFileKept {
        path: PathBuf,
        pid: i32,
        process: String,
    },
    /// The control file as the stop left it.
    ControlLeft {
        control: crate::integrity::ControlSeen,
    },
    /// The control file as it was before the start.
    ControlFound {
        control: crate::integrity::ControlSeen,
    },
    /// Somebody wrote the control file since the last stop that Siaga made.
    ControlRewritten,
    Stopped {
        ms: u64,
        how: StopKind,
        control: ControlState,
        clean: bool,
    },
    /// It was stopped by signals alone.
    UnitNotAsked {
        unit: String,
        why: Why,
    },
    AppStarted {
        name: String,
    },
    AppStopped {
        name: String,
    },
    CommandDone {
        name: String,
    },
    DuplicateCleared {
        address: IpAddr,
    },
    AnsweredAndDefended {
        address: IpAddr,
        hardware: String,
    },
    /// It complained, and then confirmed all the same.
    FenceComplained {
        why: Why,
    },
    /// It was mounted, and its file system had given up.
    TookNoWrites {
        said: String,
    },
    FenceShared,
    /// In the words of the system, or of another version.
    #[serde(untagged)]
    System(String),
}

/// How the database's first process ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopKind {
    Fast,
    Immediate,
    Killed,
    /// There was none, only processes that an earlier one had left.
    LeftOversEnded,
}

/// What the control file of PostgreSQL says of the cluster.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ControlState {
    /// In PostgreSQL's own words: `shut down`.
    Says(String),
    Unreadable {
        said: String,
    },
}

/// How far a step has come.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "at")]
pub enum Progress {
    FastStop,
    ImmediateStop,
    Killing,
    EndingLeftOvers,
    KillingLeftOvers,
    Starting,
    Redo {
        percent: Option<u8>,
    },
    EndOfRecoveryCheckpoint,
    /// Of another version.
    #[serde(untagged)]
    Told(String),
}
