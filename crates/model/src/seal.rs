//! What ties a report to the event log: how far each log reached when it was made, and the hashes there.

use crate::api::{EventView, MoveReport};
use crate::ids::{NodeName, RunId, UnitName};
use crate::record::IncidentRecord;
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

/// `POST /v1/sealed/log`: the log book as it was at these heads.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SealedLogRequest {
    pub heads: Vec<LogHead>,
    pub rows: LogRows,
}

/// Which rows of the log book: `GET /v1/log` and `POST /v1/sealed/log`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct LogRows {
    /// Not what was over before.
    #[serde(default)]
    pub since: Option<UtcMicros>,
    /// Not what began then or later.
    #[serde(default)]
    pub until: Option<UtcMicros>,
    /// Only those of services, not those of machines.
    #[serde(default)]
    pub services_only: bool,
}

/// `POST /v1/sealed/incidents`: all incidents as they were at these heads.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SealedRequest {
    pub heads: Vec<LogHead>,
}

/// `POST /v1/sealed/incident`: one incident as it was at these heads.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SealedIncidentRequest {
    pub heads: Vec<LogHead>,
    /// Its number or key.
    pub incident: String,
    /// The units that its record names, also where nothing is known of them.
    pub units: Vec<UnitName>,
}

/// What the report of an incident is made from.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SealedIncident {
    pub record: IncidentRecord,
    /// Those of its runs that were over.
    pub runs: Vec<MoveReport>,
    /// The rows of its notices that tell what was sent.
    pub sent: Vec<EventView>,
}

/// `POST /v1/sealed/run`: one run as it was at these heads.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SealedRunRequest {
    pub heads: Vec<LogHead>,
    pub run: RunId,
}

/// Every row of a run, in the merged order. Empty: none is known.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SealedRun {
    pub events: Vec<EventView>,
}
