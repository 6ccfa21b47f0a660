//! What ties a report to the event log: how far each log reached when it was made, and the hashes there.

use crate::ids::{NodeName, RunId};
use crate::time::UtcMicros;
use serde::{Deserialize, Serialize};

/// `GET /v1/seal`: the heads of the event chains. A head vouches for every row before it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Seal {
    /// The last row of every log, by node and incarnation.
    pub heads: Vec<LogHead>,
    /// When the oldest row was written.
    pub begins_at: Option<UtcMicros>,
    /// The run that the report is about. `None`: about the whole log.
    pub run: Option<RunId>,
    /// How many rows that run has.
    pub rows: u64,
    /// SHA-256 over the hashes of that run's rows, log by log; without a run, over the heads. Hexadecimal.
    pub digest: String,
}

/// The last row of one log.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct LogHead {
    pub node: NodeName,
    pub incarnation: u32,
    pub seq: u64,
    /// The row's own hash, as it stands in the file.
    pub hash: String,
}

/// Answer to `POST /v1/seal`: nothing where the events still agree.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SealAnswer {
    pub problems: Vec<SealProblem>,
}

/// What no longer agrees.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "problem")]
pub enum SealProblem {
    /// The seal names no log, or does not fit itself: it proves nothing.
    Broken,
    /// That row is not in the log, or there is no such log.
    RowMissing { head: LogHead },
    /// Another row stands in its place.
    RowDiffers { head: LogHead },
    /// The run has other rows now, up to the same heads.
    RunDiffers { run: RunId },
    /// A row before the head does not verify.
    Damaged { detail: String },
}
