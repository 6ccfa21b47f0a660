//! What people write into the record of an incident, why it may be refused, and what an estimate answers.

use crate::ids::{PersonName, ServiceName, UnitName};
use crate::incident::{
    BackEntry, CauseCategory, IncidentKind, Level, Review, Scope, SignedAs, TimeKind, UnitImpact,
};
use crate::record::{IncidentRecord, IncidentState};
use crate::time::UtcMicros;
use serde::{Deserialize, Serialize};

/// `POST /v1/incidents`: something to write down.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct IncidentRequest {
    /// Its number or key. Null: open one, or take the only one that is open.
    pub incident: Option<String>,
    pub act: IncidentAct,
    /// `--as NAME`, from root.
    #[serde(default)]
    pub stated_actor: Option<PersonName>,
}

/// What a person does with an incident.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "do")]
pub enum IncidentAct {
    Open {
        #[serde(rename = "incident_kind")]
        kind: IncidentKind,
        services: Vec<ServiceName>,
        first: crate::incident::FirstSign,
        scope: Option<Scope>,
        level: Option<Level>,
        /// When the service went offline, where somebody knows.
        offline_at: Option<UtcMicros>,
    },
    Confirm {
        scope: Option<Scope>,
        level: Option<Level>,
    },
    Classify {
        #[serde(rename = "incident_kind")]
        kind: Option<IncidentKind>,
        scope: Option<Scope>,
        level: Option<Level>,
    },
    EnterTime {
        time: TimeKind,
        at: Option<UtcMicros>,
        reason: String,
    },
    GiveCause {
        category: CauseCategory,
        text: String,
    },
    Decide {
        decision: String,
        decider: Option<PersonName>,
    },
    /// `range` null: not yet known. Where the whole is null, the computed estimate is given.
    Estimate {
        by_person: Option<PersonEstimate>,
    },
    Update {
        text: String,
    },
    Note {
        text: String,
    },
    Acknowledge,
    Restored,
    AllClear,
    Withdraw {
        reason: String,
    },
    MergeInto {
        incident: String,
    },
    Impact {
        impact: UnitImpact,
    },
    BackEntry {
        entry: BackEntry,
    },
    Review {
        review: Review,
    },
    /// `number` null: a new one.
    Action {
        number: Option<u32>,
        text: String,
        owner: String,
        due: String,
    },
    ActionDone {
        number: u32,
    },
    Sign {
        part: SignedAs,
    },
    Close {
        reason: Option<String>,
    },
}

/// What a person says of when it will work again.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PersonEstimate {
    pub range: Option<crate::incident::Range>,
}

/// Answer to `POST /v1/incidents`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "answer")]
pub enum IncidentAnswer {
    Written {
        record: Box<IncidentRecord>,
    },
    Refused {
        refusal: IncidentRefusal,
    },
    /// The log could not be written.
    Failed {
        why: String,
    },
}

/// Why nothing was written. `siaga-words` says it, with the remedy.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE", tag = "code")]
pub enum IncidentRefusal {
    /// No incident has that number.
    IncidentUnknown {
        asked: String,
    },
    /// None is open, and none was named.
    NoneOpen,
    /// Several are open: which?
    SeveralOpen {
        ids: Vec<String>,
    },
    /// It is closed, withdrawn or merged: nothing but notes, actions and signatures is added.
    IncidentOver {
        id: String,
        state: IncidentState,
    },
    /// An end before its start.
    EndBeforeStart {
        start: UtcMicros,
        end: UtcMicros,
    },
    /// A time that has not come.
    InTheFuture {
        at: UtcMicros,
    },
    /// Closing needs an all-clear or a reason.
    AllClearMissing {
        id: String,
    },
    /// Paper forms are not all entered: closing needs a reason.
    BackEntryOpen {
        id: String,
        units: Vec<UnitName>,
    },
    /// The all-clear needs a service that works again.
    NotRestored {
        id: String,
    },
    UnitUnknown {
        unit: UnitName,
        known: Vec<UnitName>,
    },
    ServiceUnknown {
        service: ServiceName,
    },
    ActionUnknown {
        number: u32,
    },
    /// A text that must not be empty, by its name on the command line.
    TextMissing {
        name: String,
    },
    /// Not a day of the calendar.
    BadDay {
        name: String,
        found: String,
    },
    /// More than the log takes in one row.
    TooLong {
        name: String,
        at_most: u32,
    },
    /// It was signed: only notes and actions are added.
    Signed {
        id: String,
    },
    /// More was entered than there are forms.
    TooManyEntered {
        forms: u64,
        entered: u64,
    },
    /// Signing needs a person of the list.
    PersonNeeded,
    NotAllowed {
        refusal: Box<crate::refusal::Refusal>,
    },
}

/// `GET /v1/estimate`: when clients work again, as of now.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct EstimateAnswer {
    pub service: ServiceName,
    /// Its open incident, where there is one.
    pub incident: Option<String>,
    pub phase: EstimatePhase,
    /// Null: not yet known.
    pub low_s: Option<u64>,
    pub likely_s: Option<u64>,
    pub high_s: Option<u64>,
    pub next_update_at: UtcMicros,
    pub based_on: Vec<crate::incident::Basis>,
    /// The newest one that was given to people is over, and the service is not back: give a new one.
    pub exceeded: bool,
}

/// What an estimate is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EstimatePhase {
    Undecided,
    Running,
    Serving,
}

/// `GET /v1/estimate/score`: how good the estimates were.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct EstimateScore {
    pub given: u32,
    pub in_range: u32,
    /// Null where none was given.
    pub in_range_pct: Option<u32>,
    pub without_range: u32,
    pub median_width_s: Option<u64>,
    pub median_error_s: Option<u64>,
}
