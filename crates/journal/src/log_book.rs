//! The paper's log book as a view of the events: for each downtime of a service and of each machine, when it went off
//! line, when it came back, how long, why, and who.

use crate::filter::Filter;
use serde::{Deserialize, Serialize};
use siaga_model::api::{EventView, Outage, SeenBy};
use siaga_model::event::EventBody;
use siaga_model::plan::MoveKind;
use siaga_model::seal::LogRows;
use siaga_model::{NodeName, RunId, ServiceName, UtcMicros};
use std::collections::BTreeMap;

/// How far a client's clock may be from a node's before a planned downtime looks unplanned, microseconds.
const CLOCKS_DIFFER: i64 = 2_000_000;

/// One line of the log book.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LogBookRow {
    pub subject: Subject,
    pub kind: DowntimeKind,
    /// Empty where it was not seen.
    pub offline_at: Option<UtcMicros>,
    /// Empty while it lasts.
    pub online_at: Option<UtcMicros>,
    pub duration_ms: Option<u64>,
    /// The true duration is within this of `duration_ms`; empty where that is not known.
    pub error_ms: Option<u64>,
    /// The reason given, or what was found.
    pub cause: Option<String>,
    /// The person who ordered the move.
    pub who: Option<String>,
    pub seen_by: SeenBy,
    pub run: Option<RunId>,
    /// The run that covered `run`, because its coordinator fell silent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub covered_by: Option<RunId>,
    /// Nobody measured it: this person entered its times, after a move made by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entered_by: Option<String>,
}

/// What was down.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    Service(ServiceName),
    Machine(NodeName),
}

impl Subject {
    /// `service` or `machine`.
    pub fn kind_name(&self) -> &'static str {
        match self {
            Subject::Service(_) => "service",
            Subject::Machine(_) => "machine",
        }
    }
    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Subject::Service(name) => name.as_str(),
            Subject::Machine(name) => name.as_str(),
        }
    }
}

/// What sort of downtime.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DowntimeKind {
    // a service's
    Unplanned,
    Planned,
    Drill,
    // a machine's
    /// Its power was seen off.
    PoweredOff,
    /// It booted anew.
    Restarted,
    /// It did not answer, and went on without a boot: a network or an agent that was away.
    Silent,
}

impl DowntimeKind {
    /// A stable name.
    pub fn name(self) -> &'static str {
        match self {
            DowntimeKind::Unplanned => "unplanned",
            DowntimeKind::Planned => "planned",
            DowntimeKind::Drill => "drill",
            DowntimeKind::PoweredOff => "powered_off",
            DowntimeKind::Restarted => "restarted",
            DowntimeKind::Silent => "silent",
        }
    }
}

/// The kinds of events that the rows of services are made of.
const SERVICE_KINDS: [&str; 7] = [
    "outage_measured",
    "service_online",
    "service_offline",
    "run_accepted",
    "plan_recorded",
    "run_ended",
    // The times that people entered of moves by hand.
    "incident",
];

/// The kinds of events that the rows of machines are made of, besides their last signs of life.
const MACHINE_KINDS: [&str; 4] = [
    "power_changed",
    "peer_silent",
    "peer_answers",
    "node_booted",
];

/// The events that these rows of the log book need.
pub fn filter(wanted: &LogRows) -> Filter {
    match wanted.services_only {
        true => Filter::of_kinds(&SERVICE_KINDS),
        false => Filter {
            last_signs: true,
            ..Filter::of_kinds(&[&SERVICE_KINDS[..], &MACHINE_KINDS[..]].concat())
        },
    }
}

/// These rows of the log book, from events in the merged order, oldest downtime first.
pub fn rows(events: &[EventView], wanted: &LogRows) -> Vec<LogBookRow> {
    let late = |row: &LogBookRow| {
        let over = wanted.since.zip(row.online_at);
        over.is_none_or(|(since, online)| online >= since)
    };
    let early = |row: &LogBookRow| {
        let begun = wanted.until.zip(row.offline_at);
        begun.is_none_or(|(until, offline)| offline < until)
    };
    let mut rows = log_book(events);
    rows.retain(|row| late(row) && early(row));
    if wanted.services_only {
        rows.retain(|row| matches!(row.subject, Subject::Service(_)));
    }
    rows
}

/// The log book from events in the merged order, oldest downtime first.
pub fn log_book(events: &[EventView]) -> Vec<LogBookRow> {
    let mut rows = service_rows(events);
    rows.extend(crate::by_hand::entered_rows(events, &rows));
    rows.extend(crate::machines::machine_rows(events));
    rows.sort_by_key(|row| row.offline_at.or(row.online_at));
    rows
}

/// A gap as one witness saw it.
#[derive(Clone)]
struct Gap {
    from: Option<UtcMicros>,
    to: Option<UtcMicros>,
    duration_ms: Option<u64>,
    error_ms: Option<u64>,
    seen_by: SeenBy,
    cause: Option<String>,
    run: Option<RunId>,
}

/// A run as far as a downtime needs it.
struct Run<'a> {
    id: &'a RunId,
    kind: MoveKind,
    from: UtcMicros,
    to: Option<UtcMicros>,
    reason: &'a str,
    who: Option<String>,
    covers: Option<&'a RunId>,
}

pub(crate) fn service_rows(events: &[EventView]) -> Vec<LogBookRow> {
    let mut gaps: BTreeMap<&ServiceName, Vec<Gap>> = BTreeMap::new();
    let mut open: BTreeMap<&ServiceName, Gap> = BTreeMap::new();
    for view in events {
        let Some(service) = &view.event.service else {
            continue;
        };
        match &view.event.body {
            EventBody::OutageMeasured { outage } => {
                gaps.entry(service)
                    .or_default()
                    .push(measured(outage, view));
            }
            EventBody::ServiceOffline { at, cause, .. } => {
                open.entry(service)
                    .or_insert_with(|| noted(*at, cause, view));
            }
            EventBody::ServiceOnline { at, .. } => {
                if let Some(mut gap) = open.remove(service) {
                    gap.to = Some(*at);
                    gap.duration_ms = gap.from.and_then(|from| span(from, *at));
                    gaps.entry(service).or_default().push(gap);
                }
            }
            _ => {}
        }
    }
    for (service, gap) in open {
        gaps.entry(service).or_default().push(gap);
    }
    let rows = |(service, gaps): (&ServiceName, Vec<Gap>)| {
        let runs = runs_of(events, service);
        merge(gaps)
            .into_iter()
            .map(move |gap| row(service, gap, &runs))
            .collect::<Vec<_>>()
    };
    gaps.into_iter().flat_map(rows).collect()
}

/// How long it was, in milliseconds. An end before its beginning: a clock was set in between, and nobody knows.
pub(crate) fn span(from: UtcMicros, to: UtcMicros) -> Option<u64> {
    (to >= from).then(|| to.millis_since(from))
}

fn measured(outage: &Outage, view: &EventView) -> Gap {
    Gap {
        from: outage.offline_at.as_deref().and_then(parse),
        to: outage.online_at.as_deref().and_then(parse),
        duration_ms: outage.downtime_ms,
        error_ms: outage.error_ms,
        seen_by: outage.seen_by,
        cause: None,
        run: view.event.run.clone(),
    }
}

fn noted(at: UtcMicros, cause: &str, view: &EventView) -> Gap {
    Gap {
        from: Some(at),
        to: None,
        duration_ms: None,
        error_ms: None,
        seen_by: SeenBy::Node,
        cause: (!cause.is_empty()).then(|| cause.to_owned()),
        run: view.event.run.clone(),
    }
}

/// An RFC 3339 text as an instant.
pub fn parse(text: &str) -> Option<UtcMicros> {
    text.parse::<jiff::Timestamp>()
        .ok()
        .map(|t| UtcMicros(t.as_microsecond()))
}

impl Gap {
    fn begin(&self) -> i64 {
        self.from.or(self.to).map_or(i64::MIN, |t| t.0)
    }
    fn end(&self) -> i64 {
        self.to.map_or(i64::MAX, |t| t.0)
    }
    /// A client's measurement counts more than a node's, and the longest one counts among clients.
    fn weight(&self) -> (bool, Option<u64>) {
        (self.seen_by == SeenBy::Probe, self.duration_ms)
    }
}

/// Several witnesses of one downtime become one gap.
fn merge(mut gaps: Vec<Gap>) -> Vec<Gap> {
    gaps.sort_by_key(|gap| (gap.begin(), gap.end()));
    let mut merged: Vec<Gap> = Vec::new();
    // How far the witnesses of the last gap reach together.
    let mut reach = i64::MIN;
    for gap in gaps {
        let (begin, end) = (gap.begin(), gap.end());
        match merged.last_mut() {
            Some(last) if begin <= reach => {
                let (cause, run) = (last.cause.take().or(gap.cause.clone()), last.run.take());
                let run = run.or(gap.run.clone());
                if gap.weight() > last.weight() {
                    *last = gap;
                }
                (last.cause, last.run) = (cause, run);
                reach = reach.max(end);
            }
            _ => {
                merged.push(gap);
                reach = end;
            }
        }
    }
    merged
}

fn runs_of<'a>(events: &'a [EventView], service: &ServiceName) -> Vec<Run<'a>> {
    let mut runs: Vec<Run> = Vec::new();
    for view in events
        .iter()
        .filter(|v| v.event.service.as_ref() == Some(service))
    {
        let Some(id) = &view.event.run else { continue };
        match &view.event.body {
            EventBody::RunAccepted {
                move_kind,
                reason,
                requested_by,
                covers,
                ..
            } => {
                if runs.iter().any(|r| r.id == id) {
                    continue;
                }
                let actor = view.event.actor.as_ref().map(|a| a.name.clone());
                let who = requested_by.as_ref().map(ToString::to_string).or(actor);
                runs.push(Run {
                    id,
                    kind: *move_kind,
                    from: view.at,
                    to: None,
                    reason,
                    who,
                    covers: covers.as_ref(),
                });
            }
            // This node was enlisted, and the order itself was not copied before its coordinator fell silent.
            EventBody::PlanRecorded { plan } if !runs.iter().any(|r| r.id == id) => {
                runs.push(Run {
                    id,
                    kind: plan.plan.kind,
                    from: view.at,
                    to: None,
                    reason: "",
                    who: None,
                    covers: None,
                });
            }
            EventBody::RunEnded { .. } => {
                for run in runs.iter_mut().filter(|r| r.id == id) {
                    run.to = Some(view.at);
                }
            }
            _ => {}
        }
    }
    runs
}

fn row(service: &ServiceName, gap: Gap, runs: &[Run]) -> LogBookRow {
    let touches = |run: &&Run| {
        let early = gap.begin().saturating_sub(CLOCKS_DIFFER);
        gap.run.as_ref() == Some(run.id)
            || (run.from.0 <= gap.end() && run.to.is_none_or(|t| t.0 >= early))
    };
    // A run that was over before it began touches it only if the clocks differ: any other comes first.
    let over_before = |run: &&Run| run.to.is_some_and(|t| t.0 < gap.begin());
    // The earliest run that touches it is the one that caused it, or the first that mended it.
    let run = runs
        .iter()
        .filter(touches)
        .min_by_key(|run| (over_before(run), run.from));
    LogBookRow {
        subject: Subject::Service(service.clone()),
        kind: run.map_or(DowntimeKind::Unplanned, |run| kind(run, &gap)),
        offline_at: gap.from,
        online_at: gap.to,
        duration_ms: gap.duration_ms,
        error_ms: gap.error_ms,
        cause: run
            .map(|r| r.reason.to_owned())
            .filter(|r| !r.is_empty())
            .or(gap.cause),
        who: run.and_then(|r| r.who.clone()),
        seen_by: gap.seen_by,
        covered_by: run.and_then(|run| {
            let cover = runs.iter().find(|r| r.covers == Some(run.id))?;
            Some(cover.id.clone())
        }),
        run: run.map(|r| r.id.clone()),
        entered_by: None,
    }
}

fn kind(run: &Run, gap: &Gap) -> DowntimeKind {
    // A service that was down before anybody ordered anything was not down by plan.
    let down_before = gap
        .from
        .is_some_and(|from| from.0 < run.from.0.saturating_sub(CLOCKS_DIFFER));
    match run.kind {
        MoveKind::Takeover => DowntimeKind::Unplanned,
        _ if down_before => DowntimeKind::Unplanned,
        MoveKind::Drill => DowntimeKind::Drill,
        MoveKind::Switchover
        | MoveKind::Failback
        | MoveKind::Restart
        | MoveKind::Stop
        | MoveKind::Start
        | MoveKind::Resume
        | MoveKind::Abort
        | MoveKind::Restore
        | MoveKind::Cover => DowntimeKind::Planned,
    }
}
