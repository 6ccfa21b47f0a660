//! The records of all incidents, as a view of the events. Pure: the same events give the same records on every node.
//!
//! What was measured comes from the rows of runs and probes; what was said comes from the rows of incidents. Neither
//! can change the other: a correction stands beside the measured time.

mod facts;
mod fold;

use crate::filter::{Deliveries, Filter, SentSums};
use crate::log_book::{LogBookRow, Subject};
use facts::{Facts, RunFacts};
use fold::Draft;
use siaga_model::api::{EventView, SeenBy};
use siaga_model::event::EventBody;
use siaga_model::evidence::Evidence;
use siaga_model::incident::{IncidentEntry, TimeKind, UnitImpact};
use siaga_model::integrity::IntegrityReport;
use siaga_model::record::{
    ClockStep, Correction, Figures, IncidentLine, IncidentRecord, IncidentState, IntegritySeen,
    RecordTime, TimeSource,
};
use siaga_model::{IncidentKey, RunId, UnitName, UtcMicros};
use std::collections::{BTreeMap, BTreeSet};

/// The kinds of events that the records are made of.
pub const INCIDENT_KINDS: [&str; 13] = [
    "incident",
    "notice",
    "run_accepted",
    "run_ended",
    "plan_recorded",
    "step_finished",
    "proof_made",
    "outage_measured",
    "rows_lost",
    "service_online",
    "service_offline",
    "found",
    "integrity_checked",
];

/// The events that the records need.
pub fn filter() -> Filter {
    Filter {
        deliveries: Deliveries::Summed,
        ..Filter::of_kinds(&INCIDENT_KINDS)
    }
}

/// How far before its first sign an incident's own outage may have ended, microseconds: clocks differ.
const EARLY: i64 = 5_000_000;

/// How long after its all-clear a look at the files still belongs to an incident, microseconds.
const LOOKED_WITHIN: i64 = 15 * 60 * 1_000_000;

/// Every incident, oldest first. `units`: those of the configuration, so that each is named in every record.
pub fn incidents(events: &[EventView], units: &[UnitName]) -> Vec<IncidentRecord> {
    incidents_summed(events, &SentSums::new(), units)
}

/// The same, where what was sent comes as sums and not as events.
pub fn incidents_summed(
    events: &[EventView],
    sums: &SentSums,
    units: &[UnitName],
) -> Vec<IncidentRecord> {
    let mut facts = Facts::of(events);
    facts.add(sums);
    let gaps = service_gaps(events);
    let drafts = drafts(events);
    let runs: BTreeSet<RunId> = drafts.iter().flat_map(|d| d.runs.clone()).collect();
    let mut records: Vec<IncidentRecord> = drafts
        .into_iter()
        .map(|draft| assemble(draft, &facts, &gaps, &runs, units))
        .collect();
    records.sort_by(|a, b| (a.opened_at, &a.key).cmp(&(b.opened_at, &b.key)));
    distinct_numbers(&mut records);
    records
}

/// The record that a person means: by number, with or without its letter case, or by key.
pub fn find<'a>(records: &'a [IncidentRecord], asked: &str) -> Option<&'a IncidentRecord> {
    let is = |r: &&IncidentRecord| r.id.eq_ignore_ascii_case(asked) || r.key.as_str() == asked;
    records.iter().find(is)
}

/// The short form for lists.
pub fn line(record: &IncidentRecord) -> IncidentLine {
    IncidentLine {
        id: record.id.clone(),
        key: record.key.clone(),
        kind: record.kind,
        state: record.state,
        level: record.level,
        services: record.services.clone(),
        symptom: record.symptom.clone(),
        offline_at: record.time(TimeKind::Offline),
        online_at: record.time(TimeKind::ClientOk),
        down_ms: record.figures.down_ms,
        opened_at: record.opened_at,
        times: TimeKind::ALL
            .into_iter()
            .filter_map(|kind| Some((kind, record.time(kind)?)))
            .collect(),
    }
}

/// The number that comes next in that year: `DT-2026-008`.
pub fn next_number(records: &[IncidentRecord], year: i16) -> String {
    let start = format!("DT-{year:04}-");
    let used = records.iter().filter_map(|r| {
        let digits = r.id.strip_prefix(&start)?;
        let digits: String = digits.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<u32>().ok()
    });
    format!("{start}{:03}", used.max().unwrap_or(0).saturating_add(1))
}

fn service_gaps(events: &[EventView]) -> Vec<LogBookRow> {
    let mut rows = crate::log_book::service_rows(events);
    rows.sort_by_key(|row| row.offline_at.or(row.online_at));
    rows
}

fn drafts(events: &[EventView]) -> Vec<Draft> {
    let mut drafts: BTreeMap<&IncidentKey, Draft> = BTreeMap::new();
    for view in events {
        if let Some(step) = clock_step(view) {
            let open = drafts.values_mut().filter(|d| d.record.state.is_open());
            open.for_each(|d| d.record.clock_steps.push(step.clone()));
        }
        if let EventBody::IntegrityChecked { report } = &view.event.body {
            let of = drafts
                .values_mut()
                .filter(|d| awaits(&d.record, view, report));
            of.for_each(|d| d.record.integrity.push(seen(view, report)));
        }
        let EventBody::Incident { incident, entry } = &view.event.body else {
            continue;
        };
        // A row of an incident whose opening was not copied yet waits for it.
        match (drafts.get_mut(incident), &**entry) {
            (Some(draft), _) => draft.apply(view, entry),
            (None, IncidentEntry::Opened { .. }) => {
                if let Some(draft) = Draft::opened(incident, view, entry) {
                    drafts.insert(incident, draft);
                }
            }
            (None, _) => {}
        }
    }
    drafts.into_values().collect()
}

/// The look comes some minutes after a start: the record may have had its all-clear by then. A later one is of another night.
fn awaits(record: &IncidentRecord, view: &EventView, report: &IntegrityReport) -> bool {
    let clear = |h: &siaga_model::record::HistoryLine| h.entry == IncidentEntry::AllClear;
    let cleared = record.history.iter().rfind(|h| clear(h)).map(|h| h.at);
    let soon = cleared.is_some_and(|at| view.at.0 <= at.0.saturating_add(LOOKED_WITHIN));
    let goes_on = record.state.is_open() || (record.state == IncidentState::AllClear && soon);
    goes_on && record.services.contains(&report.service)
}

fn seen(view: &EventView, report: &IntegrityReport) -> IntegritySeen {
    IntegritySeen {
        at: view.at,
        report: report.clone(),
    }
}

fn clock_step(view: &EventView) -> Option<ClockStep> {
    let EventBody::Found { finding } = &view.event.body else {
        return None;
    };
    match finding.evidence {
        Evidence::ClockStepped { by_ms } => Some(ClockStep {
            at: view.at,
            node: view.node.clone(),
            by_ms,
        }),
        _ => None,
    }
}

/// Two nodes that could not hear each other may have given the same number: the later one gets a letter.
fn distinct_numbers(records: &mut [IncidentRecord]) {
    let mut used: BTreeMap<String, u8> = BTreeMap::new();
    for record in records {
        let times = used.entry(record.id.clone()).or_insert(0);
        if *times > 0 {
            record
                .id
                .push(char::from(b'a'.saturating_add(*times).min(b'z')));
        }
        *times = times.saturating_add(1);
    }
}

fn assemble(
    draft: Draft,
    facts: &Facts,
    gaps: &[LogBookRow],
    all_runs: &BTreeSet<RunId>,
    units: &[UnitName],
) -> IncidentRecord {
    let mut record = draft.record;
    let runs: Vec<&RunFacts> = draft
        .runs
        .iter()
        .filter_map(|r| facts.runs.get(r))
        .collect();
    record.proofs = runs.iter().flat_map(|r| r.proofs.clone()).collect();
    record.runs = runs.iter().map(|r| r.line.clone()).collect();
    record.notices = facts.notices.get(&record.key).cloned().unwrap_or_default();
    record.acknowledged_by = record
        .acknowledged_by
        .or_else(|| facts.cared_for.get(&record.key).cloned());
    record.impact = every_unit(units, draft.impact);
    record.papers_left = papers_left(&record);
    let mine: Vec<&LogBookRow> = gaps
        .iter()
        .filter(|g| belongs(g, &record, &draft.runs, all_runs))
        .collect();
    let mut times = measured(&record, &runs, &mine);
    times.extend(draft.said);
    record.times = TimeKind::ALL
        .into_iter()
        .map(|time| one_time(time, &times, draft.entered.get(&time)))
        .collect();
    record.figures = figures(&record, &mine);
    record
}

fn every_unit(units: &[UnitName], mut known: BTreeMap<UnitName, UnitImpact>) -> Vec<UnitImpact> {
    for unit in units {
        known.entry(unit.clone()).or_insert_with(|| UnitImpact {
            unit: unit.clone(),
            affected: None,
            went_to_paper: None,
            count: None,
            note: String::new(),
        });
    }
    known.into_values().collect()
}

fn papers_left(record: &IncidentRecord) -> Vec<UnitName> {
    let entered = |unit: &UnitName| {
        let entry = record.back_entry.iter().find(|e| &e.unit == unit);
        entry.is_some_and(|e| e.forms.is_some() && e.forms == e.entered)
    };
    let on_paper = record
        .impact
        .iter()
        .filter(|i| i.went_to_paper == Some(true));
    let mut left: Vec<UnitName> = on_paper
        .map(|i| &i.unit)
        .chain(record.back_entry.iter().map(|e| &e.unit))
        .filter(|unit| !entered(unit))
        .cloned()
        .collect();
    left.sort();
    left.dedup();
    left
}

/// Does a downtime of a service belong to the incident? By its run, or because it lies in the incident's time.
fn belongs(
    gap: &LogBookRow,
    record: &IncidentRecord,
    runs: &[RunId],
    all_runs: &BTreeSet<RunId>,
) -> bool {
    let Subject::Service(service) = &gap.subject else {
        return false;
    };
    if let Some(run) = &gap.run {
        if runs.contains(run) {
            return true;
        }
        // Another incident's run: its downtime is that one's.
        if all_runs.contains(run) {
            return false;
        }
    }
    if !record.services.contains(service) || record.merged_into.is_some() {
        return false;
    }
    let begin = record.opened_at.0.saturating_sub(EARLY);
    let end = record
        .history
        .iter()
        .find(|h| {
            matches!(
                h.entry,
                IncidentEntry::AllClear
                    | IncidentEntry::Closed { .. }
                    | IncidentEntry::Withdrawn { .. }
            )
        })
        .map_or(i64::MAX, |h| h.at.0);
    let (from, to) = (
        gap.offline_at.or(gap.online_at).map_or(i64::MIN, |t| t.0),
        gap.online_at.map_or(i64::MAX, |t| t.0),
    );
    from <= end && to >= begin
}

type Measured = (TimeKind, UtcMicros, TimeSource);

fn measured(record: &IncidentRecord, runs: &[&RunFacts], gaps: &[&LogBookRow]) -> Vec<Measured> {
    let mut times = Vec::new();
    let source = |gap: &LogBookRow| match gap.seen_by {
        SeenBy::Probe => TimeSource::Probe,
        SeenBy::Node => TimeSource::Node,
    };
    if let Some((gap, at)) = gaps.first().and_then(|g| Some((g, g.offline_at?))) {
        times.push((TimeKind::Offline, at, source(gap)));
        if gap.seen_by == SeenBy::Probe {
            times.push((TimeKind::LastOk, at, TimeSource::Probe));
        }
    }
    // Online where the last of its outages is over.
    let over = gaps.iter().all(|g| g.online_at.is_some());
    let last = gaps.iter().max_by_key(|g| g.online_at);
    if let (true, Some((gap, at))) = (over, last.and_then(|g| Some((g, g.online_at?)))) {
        times.push((TimeKind::ClientOk, at, source(gap)));
    }
    for run in runs {
        times.extend(run.times.iter().map(|(kind, at)| {
            let run = run.line.run.clone();
            (*kind, *at, TimeSource::Run { run })
        }));
    }
    let first = record
        .notices
        .iter()
        .filter_map(|n| Some((n.first_sent_at?, n.notice.clone())))
        .min();
    if let Some((at, notice)) = first {
        times.push((TimeKind::FirstNotice, at, TimeSource::Notice { notice }));
    }
    times
}

/// The earliest measured time of that kind, with what people entered beside it.
fn one_time(
    time: TimeKind,
    measured: &[Measured],
    entered: Option<&Vec<Correction>>,
) -> RecordTime {
    let first = measured
        .iter()
        .filter(|(kind, ..)| *kind == time)
        .min_by_key(|(_, at, _)| *at);
    let entered = entered.cloned().unwrap_or_default();
    match (first, entered.split_last()) {
        (Some((_, at, source)), _) => RecordTime {
            time,
            at: Some(*at),
            source: Some(source.clone()),
            corrections: entered,
        },
        // Nothing was measured: the newest entry is the time, what it replaced stays in sight.
        (None, Some((newest, _))) => RecordTime {
            time,
            at: newest.at,
            source: Some(TimeSource::Entered {
                by: newest.by.clone(),
            }),
            corrections: if entered.len() > 1 {
                entered
            } else {
                Vec::new()
            },
        },
        (None, None) => RecordTime {
            time,
            at: None,
            source: None,
            corrections: Vec::new(),
        },
    }
}

fn figures(record: &IncidentRecord, gaps: &[&LogBookRow]) -> Figures {
    let of = |kind| record.time(kind);
    let between = |from: Option<UtcMicros>, to: Option<UtcMicros>| {
        let (from, to) = (from?, to?);
        (to >= from).then(|| to.millis_since(from))
    };
    let corrected = |kind: TimeKind| {
        let time = record.times.iter().find(|t| t.time == kind);
        time.is_some_and(|t| !t.corrections.is_empty() || t.at.is_none())
    };
    // What people corrected or entered counts from end to end; what was measured counts outage by outage.
    let down_ms =
        if gaps.is_empty() || corrected(TimeKind::Offline) || corrected(TimeKind::ClientOk) {
            between(of(TimeKind::Offline), of(TimeKind::ClientOk))
        } else {
            gaps.iter().map(|g| g.duration_ms).sum()
        };
    let detected = of(TimeKind::Detected).or(of(TimeKind::Reported));
    Figures {
        down_ms,
        detect_ms: between(of(TimeKind::Offline), detected),
        notice_ms: between(detected, of(TimeKind::FirstNotice)),
        decision_ms: between(of(TimeKind::Confirmed).or(detected), of(TimeKind::Decided)),
        technical_ms: between(of(TimeKind::TakeStart), of(TimeKind::ClientOk)),
    }
}

/// The state that follows from the rows.
fn state(draft: &IncidentRecord) -> IncidentState {
    let mut state = IncidentState::Suspected;
    for line in &draft.history {
        state = match (&line.entry, state) {
            (IncidentEntry::MergedInto { .. }, _) => IncidentState::Merged,
            (_, IncidentState::Merged) => IncidentState::Merged,
            (IncidentEntry::Closed { .. }, _) => IncidentState::Closed,
            (IncidentEntry::Withdrawn { .. }, IncidentState::Closed) => IncidentState::Closed,
            (IncidentEntry::Withdrawn { .. }, _) => IncidentState::Withdrawn,
            (IncidentEntry::AllClear, s) if s != IncidentState::Closed => IncidentState::AllClear,
            (IncidentEntry::Restored { .. }, s) if s.is_open() => IncidentState::UnderWatch,
            // A run or a word that it is real.
            (
                IncidentEntry::Confirmed
                | IncidentEntry::RunJoined { .. }
                | IncidentEntry::MovedByHand { .. },
                s,
            ) if s.is_open() => IncidentState::Confirmed,
            (IncidentEntry::Opened { origin, .. }, s) => match origin {
                siaga_model::incident::Origin::Run { .. }
                | siaga_model::incident::Origin::ByHand => IncidentState::Confirmed,
                siaga_model::incident::Origin::Person
                | siaga_model::incident::Origin::ClientTests
                | siaga_model::incident::Origin::CannotTell => s,
            },
            (_, s) => s,
        };
    }
    state
}
