//! The rows of an incident: what was said, entered or decided about one downtime. What was *measured* stays in the
//! rows of the runs and probes; `siaga-journal` makes one record of both.

use crate::ids::{NodeName, PersonName, RunId, ServiceName, UnitName};
use crate::time::UtcMicros;
use serde::{Deserialize, Serialize};

/// One row. A row is never changed: what is said later stands beside it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "what")]
pub enum IncidentEntry {
    /// The first row of an incident.
    Opened {
        /// For people: `DT-2026-007`.
        number: String,
        kind: IncidentKind,
        origin: Origin,
        services: Vec<ServiceName>,
        first: FirstSign,
    },
    /// It is real: units may be told what is affected.
    Confirmed,
    /// Kind, scope or level, as they are now known.
    Classified {
        #[serde(default, rename = "incident_kind")]
        kind: Option<IncidentKind>,
        scope: Option<Scope>,
        level: Option<Level>,
    },
    /// A time that a person enters, or takes back (`at` is null). Beside a measured time it is a correction: both are
    /// shown.
    TimeEntered {
        time: TimeKind,
        at: Option<UtcMicros>,
        reason: String,
    },
    /// The cause, as far as it is known.
    CauseGiven {
        category: CauseCategory,
        text: String,
    },
    /// What was decided, and by whom.
    Decided {
        decision: String,
        decider: Option<PersonName>,
    },
    /// A run that belongs to this incident.
    RunJoined { run: RunId },
    /// An agent found the service serving on that node, without a run that brought it there.
    MovedByHand { node: NodeName },
    /// An estimate that was given to people.
    Estimated { estimate: Estimate },
    /// What is new, in one sentence for the units.
    Updated { text: String },
    /// A remark for the record.
    Noted { text: String },
    /// The on-call person who takes care of it.
    Acknowledged { person: PersonName },
    /// The service answers its clients again, and is watched until then.
    Restored { watch_until: UtcMicros },
    /// It is over for the units.
    AllClear,
    /// It was none: the check found the service working.
    Withdrawn { reason: String },
    /// The same cause as that incident, whose number this is.
    MergedInto { incident: crate::ids::IncidentKey },
    /// What it meant for a unit. The newest row of a unit counts.
    Impact { impact: UnitImpact },
    /// Paper forms of a unit. The newest row of a unit counts.
    BackEntry { entry: BackEntry },
    /// The review. The newest counts.
    Reviewed { review: Review },
    /// A corrective action, or its new state.
    Action { action: CorrectiveAction },
    /// Somebody signs the record.
    Signed { part: SignedAs, person: PersonName },
    /// Nothing is open any more. `reason` where there was no all-clear.
    Closed { reason: Option<String> },
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncidentKind {
    Unplanned,
    /// Not planned ahead, yet with time to tell the units.
    SemiPlanned,
    Planned,
    Drill,
}

/// What opened it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "by")]
pub enum Origin {
    Person,
    /// Client tests failed: the agents propose it.
    ClientTests,
    /// Nobody can tell whether the service works.
    CannotTell,
    /// A run stops the service, or takes it over.
    Run {
        run: RunId,
    },
    /// An agent found that a move had been made by hand.
    ByHand,
}

/// The first sign.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct FirstSign {
    pub symptom: String,
    /// Who reported it, where a person did.
    pub reported_by: Option<String>,
    pub unit: Option<UnitName>,
    /// How: telephone, message group, face to face.
    pub medium: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    Whole,
    Part,
}

/// How bad it is. Words and not colours: colour codes mean clinical emergencies.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Level {
    /// Some functions are disturbed.
    G0,
    /// Down for at most 15 minutes.
    G1,
    /// 15 to 60 minutes: paper for what is urgent.
    G2,
    /// More than 60 minutes, or not known: full paper.
    G3,
    /// More than 8 hours, or data lost: the disaster plan.
    G4,
}

/// The times of a record, in the order in which they usually come.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeKind {
    LastOk,
    Offline,
    Detected,
    Reported,
    Confirmed,
    FirstNotice,
    Decided,
    Fenced,
    TakeStart,
    DatabaseAccepting,
    /// The first success of a client: online.
    ClientOk,
    AllClear,
}

impl TimeKind {
    /// All of them, in order.
    pub const ALL: [TimeKind; 12] = [
        TimeKind::LastOk,
        TimeKind::Offline,
        TimeKind::Detected,
        TimeKind::Reported,
        TimeKind::Confirmed,
        TimeKind::FirstNotice,
        TimeKind::Decided,
        TimeKind::Fenced,
        TimeKind::TakeStart,
        TimeKind::DatabaseAccepting,
        TimeKind::ClientOk,
        TimeKind::AllClear,
    ];
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CauseCategory {
    NotKnown,
    Power,
    Network,
    Hardware,
    Storage,
    OperatingSystem,
    Database,
    Application,
    Human,
    PlannedWork,
    Drill,
}

/// When it will work again, as it was said at one moment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Estimate {
    /// `None`: not yet known.
    pub range: Option<Range>,
    pub given_at: UtcMicros,
    /// When the next news comes.
    pub next_update_at: UtcMicros,
    /// What it is based on: see `siaga estimate`.
    pub based_on: Vec<Basis>,
}

/// From now, in seconds, until clients work again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Range {
    pub low_s: u64,
    pub likely_s: u64,
    pub high_s: u64,
}

/// Where a part of an estimate comes from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "from")]
pub enum Basis {
    /// This site's own runs: how many times this step was measured.
    OwnRuns { action: String, times: u32 },
    /// No run of this site yet: a stated prior.
    Prior { action: String },
    /// How long people took to decide, in this site's own incidents.
    Decisions { times: u32 },
    /// How long people take to decide, where there was no incident yet.
    DecisionPrior,
    /// WAL that is to be redone, against the measured or a stated rate.
    Redo { bytes: u64, bytes_per_s: u64 },
    /// What is to be written back to the files before a stop, against the measured or a stated rate.
    WriteBack { bytes: u64, bytes_per_s: u64 },
    /// A person said so.
    Person,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct UnitImpact {
    pub unit: UnitName,
    /// `None`: not known. "Not affected" is information.
    pub affected: Option<bool>,
    pub went_to_paper: Option<bool>,
    /// Patients or transactions, where somebody counted.
    pub count: Option<u64>,
    pub note: String,
}

/// What a unit wrote on paper, and what of it was entered.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BackEntry {
    pub unit: UnitName,
    pub forms: Option<u64>,
    pub entered: Option<u64>,
    pub verified_by: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Review {
    pub root_cause: String,
    pub went_well: String,
    pub went_badly: String,
    /// A change of the written procedure that follows, with its new revision.
    pub procedure_change: Option<String>,
    /// What the check for lost data found.
    pub data_check: Option<String>,
    /// The last good copy of the data at the time of the incident.
    pub last_backup: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CorrectiveAction {
    /// From 1, within its incident.
    pub number: u32,
    pub text: String,
    pub owner: String,
    /// A day of the site's calendar: `2026-12-01`.
    pub due: String,
    pub done: bool,
}

/// As what somebody signs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignedAs {
    /// The officer who did it.
    Performer,
    /// The head of the IT unit.
    Verifier,
    /// The management takes note.
    Management,
}
