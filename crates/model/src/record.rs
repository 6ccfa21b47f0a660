//! The record of one incident as it is shown: everything that was measured, entered, decided and told about one
//! downtime. A view of the events, made by `siaga-journal`; null is "not known", never zero.

use crate::duty::Duty;
use crate::ids::{IncidentKey, NodeName, NoticeId, PersonName, RunId, ServiceName, UnitName};
use crate::incident::{
    BackEntry, CauseCategory, CorrectiveAction, Estimate, IncidentEntry, IncidentKind, Level,
    Origin, Review, Scope, SignedAs, TimeKind, UnitImpact,
};
use crate::integrity::IntegrityReport;
use crate::notice::Moment;
use crate::plan::MoveKind;
use crate::proof::ProofRecord;
use crate::time::UtcMicros;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `GET /v1/incidents/{id}`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct IncidentRecord {
    /// For people: `DT-2026-007`. Two that were opened on two nodes at once under one number differ by a letter.
    pub id: String,
    pub key: IncidentKey,
    pub kind: IncidentKind,
    pub state: IncidentState,
    pub scope: Option<Scope>,
    pub level: Option<Level>,
    pub origin: Origin,
    pub services: Vec<ServiceName>,
    pub symptom: Option<String>,
    pub reported_by: Option<String>,
    pub reported_unit: Option<UnitName>,
    pub medium: Option<String>,
    pub opened_at: UtcMicros,
    pub opened_by: Option<String>,
    /// Every kind of time once, in order.
    pub times: Vec<RecordTime>,
    pub figures: Figures,
    pub cause: Option<Cause>,
    pub decision: Option<String>,
    pub decider: Option<PersonName>,
    /// Why the old server could do no harm.
    pub proofs: Vec<ProofRecord>,
    pub runs: Vec<RunLine>,
    pub estimates: Vec<Estimate>,
    /// The person on call who takes care of it.
    pub acknowledged_by: Option<PersonName>,
    pub updates: Vec<Said>,
    pub notes: Vec<Said>,
    pub notices: Vec<NoticeLine>,
    /// All units of the configuration, also those not affected.
    pub impact: Vec<UnitImpact>,
    pub back_entry: Vec<BackEntry>,
    /// The units that went to paper and have not entered everything, as far as is known.
    pub papers_left: Vec<UnitName>,
    pub watch_until: Option<UtcMicros>,
    pub review: Option<Review>,
    pub actions: Vec<CorrectiveAction>,
    pub signatures: Vec<Signature>,
    pub closed_at: Option<UtcMicros>,
    /// Where it was closed without an all-clear.
    pub closed_reason: Option<String>,
    /// Where a node's clock was set meanwhile: spans across it are not exact, and times before and after it don't
    /// compare.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clock_steps: Vec<ClockStep>,
    /// What was seen of the database's files since it moved: page checksums, and a look at its indexes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub integrity: Vec<IntegritySeen>,
    /// The incident with the same cause that goes on in its place.
    pub merged_into: Option<IncidentKey>,
    /// Every row, in the merged order: nothing that was ever said is lost.
    pub history: Vec<HistoryLine>,
    /// What is to be done of it, as of the moment at which it was asked for.
    #[serde(default)]
    pub duties: Vec<Duty>,
}

impl IncidentRecord {
    /// An agent found that the service had been moved by hand: some times are known to people only.
    pub fn moved_by_hand(&self) -> bool {
        let found = |h: &HistoryLine| matches!(h.entry, IncidentEntry::MovedByHand { .. });
        self.origin == Origin::ByHand || self.history.iter().any(found)
    }
    /// The value that counts: a correction where there is one, else what was measured or entered.
    pub fn time(&self, kind: TimeKind) -> Option<UtcMicros> {
        self.times.iter().find(|t| t.time == kind)?.counts()
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncidentState {
    /// Proposed: being looked at.
    Suspected,
    Confirmed,
    /// Works again, and is watched.
    UnderWatch,
    /// Over for the units; papers, review and signatures may be open.
    AllClear,
    Closed,
    /// It was none.
    Withdrawn,
    /// The same cause as another one.
    Merged,
}

impl IncidentState {
    /// True while units may still be without the service, or it is watched.
    pub fn is_open(self) -> bool {
        matches!(
            self,
            IncidentState::Suspected | IncidentState::Confirmed | IncidentState::UnderWatch
        )
    }
    /// A stable name.
    pub fn name(self) -> &'static str {
        match self {
            IncidentState::Suspected => "suspected",
            IncidentState::Confirmed => "confirmed",
            IncidentState::UnderWatch => "under_watch",
            IncidentState::AllClear => "all_clear",
            IncidentState::Closed => "closed",
            IncidentState::Withdrawn => "withdrawn",
            IncidentState::Merged => "merged",
        }
    }
}

/// One time of the record.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RecordTime {
    pub time: TimeKind,
    /// What was measured, or entered where nothing was.
    pub at: Option<UtcMicros>,
    pub source: Option<TimeSource>,
    /// What people entered beside or in place of it, oldest first.
    pub corrections: Vec<Correction>,
}

impl RecordTime {
    /// A correction where there is one, else what was measured.
    pub fn counts(&self) -> Option<UtcMicros> {
        match self.corrections.last() {
            Some(correction) => correction.at,
            None => self.at,
        }
    }
}

/// Where a time comes from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "how")]
pub enum TimeSource {
    /// A client probe saw it.
    Probe,
    /// A node saw it; not confirmed from a client.
    Node,
    /// A row of a run.
    Run { run: RunId },
    /// The moment at which a person said it in the program.
    Said { by: String },
    /// A notice was sent.
    Notice { notice: NoticeId },
    /// A person entered it.
    Entered { by: String },
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Correction {
    pub at: Option<UtcMicros>,
    pub by: String,
    pub said_at: UtcMicros,
    pub reason: String,
}

/// Computed from the times; null where one of them is not known.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Figures {
    /// The sum of its outages.
    pub down_ms: Option<u64>,
    /// Offline to detected.
    pub detect_ms: Option<u64>,
    /// Detected to the first notice.
    pub notice_ms: Option<u64>,
    /// Confirmed to decided.
    pub decision_ms: Option<u64>,
    /// Takeover begun to the first client.
    pub technical_ms: Option<u64>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Cause {
    pub category: CauseCategory,
    pub text: String,
}

/// A run of the incident.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RunLine {
    pub run: RunId,
    pub kind: MoveKind,
    pub who: Option<String>,
    pub reason: String,
    pub started_at: UtcMicros,
    pub ended_at: Option<UtcMicros>,
    /// `done`, `refused`, `restored`, `stuck`; null while it goes on.
    pub outcome: Option<String>,
    pub steps: Vec<StepLine>,
    /// What client probes did not find again after it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost_rows: Vec<crate::api::LostRows>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StepLine {
    pub node: NodeName,
    pub action: String,
    pub started_at: UtcMicros,
    pub duration_ms: u64,
    /// `done`, `failed`, `unknown`.
    pub outcome: String,
}

/// A look at a database's files, in the background.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct IntegritySeen {
    pub at: UtcMicros,
    pub report: IntegrityReport,
}

/// A node's clock was set.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ClockStep {
    /// By the new clock.
    pub at: UtcMicros,
    pub node: NodeName,
    /// Forward, or back where it is negative.
    pub by_ms: i64,
}

/// A sentence with its time and its author.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Said {
    pub at: UtcMicros,
    pub by: Option<String>,
    pub text: String,
}

/// A notice of the incident.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NoticeLine {
    pub notice: NoticeId,
    pub moment: Moment,
    pub drafted_at: UtcMicros,
    pub released_at: Option<UtcMicros>,
    pub first_sent_at: Option<UtcMicros>,
    /// When it promised the next news.
    #[serde(default)]
    pub next_update_at: Option<UtcMicros>,
    pub sent: u32,
    pub acknowledged: Vec<UnitName>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Signature {
    pub part: SignedAs,
    pub person: PersonName,
    pub at: UtcMicros,
}

/// One row as it was written.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct HistoryLine {
    pub at: UtcMicros,
    /// The node whose agent wrote it.
    pub node: NodeName,
    pub by: Option<String>,
    pub entry: IncidentEntry,
}

/// One line of `GET /v1/incidents`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct IncidentLine {
    pub id: String,
    pub key: IncidentKey,
    pub kind: IncidentKind,
    pub state: IncidentState,
    pub level: Option<Level>,
    pub services: Vec<ServiceName>,
    pub symptom: Option<String>,
    pub offline_at: Option<UtcMicros>,
    pub online_at: Option<UtcMicros>,
    pub down_ms: Option<u64>,
    pub opened_at: UtcMicros,
    /// The times that are known, each as it counts.
    #[serde(default)]
    pub times: BTreeMap<TimeKind, UtcMicros>,
}
