//! The report of an incident (*berita acara*): what was measured and entered, and lines for what is not known.

mod of_record;
mod paper;

pub(crate) use paper::document;

use crate::drill::Order;
use serde::{Deserialize, Serialize};
use siaga_journal::log_book::parse;
use siaga_model::api::{EventView, MoveReport, SeenBy};
use siaga_model::incident::{
    BackEntry, CauseCategory, CorrectiveAction, FirstSign, IncidentKind, Level, Review, Scope,
    SignedAs, TimeKind, UnitImpact,
};
use siaga_model::notice::Moment;
use siaga_model::plan::MoveKind;
use siaga_model::record::{ClockStep, IntegritySeen};
use siaga_model::{ServiceName, UtcMicros};
use std::collections::BTreeMap;

/// What the report is made from. Every field may be empty: unknown is blank.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct IncidentDocument {
    /// `None`: made from a run alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<siaga_model::IncidentKey>,
    pub number: Option<String>,
    pub kind: Option<IncidentKind>,
    pub scope: Option<Scope>,
    pub level: Option<Level>,
    pub services: Vec<ServiceName>,
    pub first: FirstSign,
    /// Each time with all that is known of it: a correction stands beside what was measured.
    pub times: BTreeMap<TimeKind, Vec<RecordedTime>>,
    /// Where a node's clock was set meanwhile.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clock_steps: Vec<ClockStep>,
    /// What was seen of the database's files since it moved.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub integrity: Vec<IntegritySeen>,
    pub cause: Option<(CauseCategory, String)>,
    pub decision: Option<String>,
    pub decider: Option<String>,
    /// How the old server was made safe.
    pub made_safe: Vec<String>,
    pub runs: Vec<MoveReport>,
    pub notices: Vec<NoticeLine>,
    /// All units of the site, by short name and title.
    pub units: Vec<(siaga_model::UnitName, String)>,
    pub impacts: Vec<UnitImpact>,
    pub back_entries: Vec<BackEntry>,
    pub review: Option<Review>,
    pub actions: Vec<CorrectiveAction>,
    pub signed: BTreeMap<SignedAs, String>,
}

/// A time and where it comes from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RecordedTime {
    /// `None`: taken back.
    pub at: Option<UtcMicros>,
    /// Measured, or entered by a person.
    pub measured: bool,
    /// The witness, or the person.
    pub by: String,
    pub reason: String,
}

/// A notice that went out.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NoticeLine {
    pub at: UtcMicros,
    pub moment: Moment,
    pub channel: String,
    pub to: String,
    pub by: String,
    pub received: Option<bool>,
}

impl IncidentDocument {
    /// From a run alone, where nobody kept a record.
    pub fn of_run(run: MoveReport, events: &[EventView]) -> Self {
        let order = Order::of_events(events);
        let kind = match run.kind {
            MoveKind::Takeover | MoveKind::Cover => IncidentKind::Unplanned,
            MoveKind::Drill => IncidentKind::Drill,
            MoveKind::Switchover
            | MoveKind::Failback
            | MoveKind::Restart
            | MoveKind::Stop
            | MoveKind::Start
            | MoveKind::Resume
            | MoveKind::Abort
            | MoveKind::Restore => IncidentKind::Planned,
        };
        Self {
            kind: Some(kind),
            services: vec![run.service.clone()],
            times: times_of_run(&run, &order),
            decision: order.reason.clone(),
            decider: order.approved_by.or(order.requested_by),
            made_safe: run.proof.iter().map(ToString::to_string).collect(),
            runs: vec![run],
            ..Self::default()
        }
    }
}

fn times_of_run(run: &MoveReport, order: &Order) -> BTreeMap<TimeKind, Vec<RecordedTime>> {
    let mut times = BTreeMap::new();
    let mut add = |kind: TimeKind, at: Option<UtcMicros>, by: &str| {
        if at.is_some() {
            let time = RecordedTime {
                at,
                measured: true,
                by: by.to_owned(),
                reason: String::new(),
            };
            times.entry(kind).or_insert_with(|| vec![time]);
        }
    };
    let witness = |o: &siaga_model::api::Outage| match (o.seen_by, &o.probe) {
        (SeenBy::Probe, Some(probe)) => probe.clone(),
        (SeenBy::Probe, None) => "probe".to_owned(),
        (SeenBy::Node, _) => "agent".to_owned(),
    };
    if let Some(first) = run.outages.first() {
        let at = first.offline_at.as_deref().and_then(parse);
        add(TimeKind::Offline, at, &witness(first));
    }
    if let Some(last) = run.outages.last() {
        let at = last.online_at.as_deref().and_then(parse);
        add(TimeKind::ClientOk, at, &witness(last));
    }
    add(TimeKind::Decided, order.at, "agent");
    for step in &run.steps {
        let begin = parse(&step.started_at);
        let length = i64::try_from(step.duration_ms).unwrap_or(0) * 1000;
        let end = begin.map(|at| UtcMicros(at.0.saturating_add(length)));
        let node = step.node.as_str();
        match step.action.as_str() {
            "fence" if step.outcome.is_done() => add(TimeKind::Fenced, end, node),
            "take" => add(TimeKind::TakeStart, begin, node),
            "start_database" if step.outcome.is_done() => {
                add(TimeKind::DatabaseAccepting, end, node);
            }
            _ => {}
        }
    }
    times
}
