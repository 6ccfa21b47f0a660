//! Makes a report's content once more from the log, as of the moment it was made, and compares. So a file whose text
//! *and* record were changed together, with the seal left alone, is found too.

use crate::drill::DrillDocument;
use crate::incident::IncidentDocument;
use crate::report::{Content, Report};
use siaga_journal::availability::{Availability, Basis, Period, availability, rows_in};
use siaga_journal::log_book::{LogBookRow, Subject};
use siaga_model::UtcMicros;
use siaga_model::api::{EventView, MoveReport};
use siaga_model::record::IncidentRecord;
use siaga_model::seal::Seal;

/// What the log gives now.
pub enum Truth<'a> {
    /// The whole log book.
    Rows(&'a [LogBookRow]),
    /// The report's incident, from those of the events that the seal covers.
    Incident {
        record: &'a IncidentRecord,
        runs: Vec<MoveReport>,
        events: &'a [EventView],
    },
    /// The report's run, from those of its events that the seal covers.
    Run {
        run: &'a MoveReport,
        events: &'a [EventView],
    },
}

/// The events that were there when a seal was made.
pub fn sealed(seal: &Seal, events: Vec<EventView>) -> Vec<EventView> {
    let covered = |view: &EventView| {
        let head = seal
            .heads
            .iter()
            .find(|h| h.node == view.node && h.incarnation == view.incarnation);
        head.is_some_and(|head| view.seq <= head.seq)
    };
    events.into_iter().filter(covered).collect()
}

/// Is the report's content what the log gives?
pub fn agrees(report: &Report, truth: &Truth) -> bool {
    match (&report.content, truth) {
        (Content::Availability { figures, trend, .. }, Truth::Rows(rows)) => {
            let rows = as_of(rows, report.made_at);
            let mut all = figures.iter().chain(trend);
            all.all(|given| again(report, given, &rows).as_ref() == Some(given))
        }
        (
            Content::LogBook {
                period,
                rows: given,
            },
            Truth::Rows(rows),
        ) => {
            let mut rows = as_of(rows, report.made_at);
            if !period.is_empty() {
                let Some(period) = Period::month(period, &report.site.time_zone) else {
                    return false;
                };
                rows = rows_in(&period, &rows, report.made_at);
            }
            same_services(given, &rows)
        }
        (Content::Drill(given), Truth::Run { run, events }) => {
            **given == DrillDocument::of_run((*run).clone(), events)
        }
        (Content::Incident(given), Truth::Run { run, events }) => {
            let again = IncidentDocument {
                // The site's, not the log's.
                units: given.units.clone(),
                ..IncidentDocument::of_run((*run).clone(), events)
            };
            **given == again
        }
        (
            Content::Incident(given),
            Truth::Incident {
                record,
                runs,
                events,
            },
        ) => {
            let again = IncidentDocument {
                // The site's, not the log's.
                units: given.units.clone(),
                ..IncidentDocument::of_record(record, runs.clone(), events)
            };
            **given == again
        }
        (
            Content::Availability { .. } | Content::LogBook { .. } | Content::Drill(_),
            Truth::Run { .. } | Truth::Incident { .. } | Truth::Rows(_),
        )
        | (Content::Incident(_), Truth::Rows(_)) => false,
    }
}

/// The log book as it was at a moment: what began later is not there, what ended later is open.
fn as_of(rows: &[LogBookRow], at: UtcMicros) -> Vec<LogBookRow> {
    let there = |row: &&LogBookRow| row.offline_at.or(row.online_at).is_none_or(|t| t <= at);
    let open = |row: &LogBookRow| {
        let mut row = row.clone();
        if row.online_at.is_some_and(|on| on > at) {
            (row.online_at, row.duration_ms) = (None, None);
        }
        row
    };
    rows.iter().filter(there).map(open).collect()
}

fn again(report: &Report, given: &Availability, rows: &[LogBookRow]) -> Option<Availability> {
    let zone = &report.site.time_zone;
    let period =
        Period::month(&given.period, zone).or_else(|| Period::year(&given.period, zone))?;
    let basis = Basis {
        rows,
        now: report.made_at,
        target_milli_pct: report.site.availability_target_milli_pct,
        log_begins: report.seal.begins_at,
        records: &[],
    };
    Some(Availability {
        times: given.times.clone(),
        ..availability(&given.service, &period, &basis)
    })
}

/// The rows of the services that the report names: a machine's row may get another name when it comes back.
fn same_services(given: &[LogBookRow], rows: &[LogBookRow]) -> bool {
    let service = |row: &&LogBookRow| matches!(row.subject, Subject::Service(_));
    let named: Vec<&LogBookRow> = given.iter().filter(service).collect();
    let of_named = |row: &&LogBookRow| named.iter().any(|n| n.subject == row.subject);
    let there: Vec<&LogBookRow> = rows.iter().filter(service).filter(of_named).collect();
    named == there
}
