//! What papers are made from, as the log told it at the heads of a seal: so a paper holds what its seal covers, neither
//! more nor less, and `report verify` finds the same again. Pure over events, also for those that are read from files.

use super::ended;
use siaga_journal::{Deliveries, Filter, Heads, SentSums, incidents};
use siaga_model::UnitName;
use siaga_model::api::{EventView, MoveReport};
use siaga_model::event::EventBody;
use siaga_model::notice::NoticeEntry;
use siaga_model::record::IncidentRecord;
use siaga_model::seal::{LogHead, SealedIncident};

/// Only what was there at these heads.
pub fn up_to(heads: &[LogHead], filter: Filter) -> Filter {
    let heads: Heads = heads
        .iter()
        .map(|h| ((h.node.clone(), h.incarnation), h.seq))
        .collect();
    Filter {
        up_to: Some(heads),
        ..filter
    }
}

/// What the report of an incident is made from. `None`: there is none of that number or key. `read`: what the log gives.
///
/// # Errors
/// Those of `read`.
pub fn incident<E>(
    read: impl Fn(Filter) -> Result<(Vec<EventView>, SentSums), E>,
    asked: &str,
    units: &[UnitName],
) -> Result<Option<SealedIncident>, E> {
    let (events, sums) = read(incidents::filter())?;
    let records = incidents::incidents_summed(&events, &sums, units);
    let Some(record) = incidents::find(&records, asked).cloned() else {
        return Ok(None);
    };
    let runs = runs(&record, &events);
    drop((events, records));
    let (sent, _) = read(sent(&record))?;
    let sent = sent.into_iter().filter(is_sent).collect();
    Ok(Some(SealedIncident { record, runs, sent }))
}

/// The reports of its runs, as far as they were over.
fn runs(record: &IncidentRecord, events: &[EventView]) -> Vec<MoveReport> {
    let report = |run| {
        let mine = events.iter().filter(|v| v.event.run.as_ref() == Some(run));
        let mine: Vec<EventView> = mine.cloned().collect();
        Some(ended::of_events(run, &mine)?.report)
    };
    let runs = record.runs.iter();
    runs.filter_map(|line| report(&line.run)).collect()
}

/// The rows of the incident's notices that were sent.
fn sent(record: &IncidentRecord) -> Filter {
    Filter {
        notices: Some(record.notices.iter().map(|n| n.notice.clone()).collect()),
        deliveries: Deliveries::Sent,
        ..Filter::of_kinds(&["notice"])
    }
}

fn is_sent(view: &EventView) -> bool {
    match &view.event.body {
        EventBody::Notice { entry, .. } => matches!(**entry, NoticeEntry::Sent { .. }),
        _ => false,
    }
}
