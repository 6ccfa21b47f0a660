//! The log book's lines of moves made by hand while no agent ran: nothing measured them, so they have the times that
//! people entered, and say so.

use crate::log_book::{DowntimeKind, LogBookRow, Subject};
use siaga_model::api::{EventView, SeenBy};
use siaga_model::event::EventBody;
use siaga_model::incident::{IncidentEntry, IncidentKind, Origin, TimeKind};
use siaga_model::{IncidentKey, ServiceName, UtcMicros};
use std::collections::BTreeMap;

/// What is known of one incident.
#[derive(Default)]
struct Told<'a> {
    services: &'a [ServiceName],
    kind: Option<IncidentKind>,
    symptom: &'a str,
    by_hand: bool,
    void: bool,
    offline_at: Option<UtcMicros>,
    online_at: Option<UtcMicros>,
    by: Option<&'a str>,
}

/// The lines of what was entered, where `measured` has nothing of that time. Without the time at which it was back
/// there is no line yet: it is known to be back, and must not look as if it lasted.
pub(crate) fn entered_rows(events: &[EventView], measured: &[LogBookRow]) -> Vec<LogBookRow> {
    let mut incidents: BTreeMap<&IncidentKey, Told> = BTreeMap::new();
    for view in events {
        if let EventBody::Incident { incident, entry } = &view.event.body {
            let by = view.event.actor.as_ref().map(|a| a.name.as_str());
            incidents.entry(incident).or_default().apply(entry, by);
        }
    }
    let entered = |t: &&Told| t.by_hand && !t.void && t.online_at.is_some();
    let rows = incidents
        .values()
        .filter(entered)
        .flat_map(|t| t.services.iter().map(|service| t.row(service)));
    rows.filter(|row| !measured.iter().any(|m| overlaps(m, row)))
        .collect()
}

impl<'a> Told<'a> {
    fn apply(&mut self, entry: &'a IncidentEntry, by: Option<&'a str>) {
        match entry {
            IncidentEntry::Opened {
                kind,
                origin,
                services,
                first,
                ..
            } => {
                self.services = services;
                self.kind = self.kind.or(Some(*kind));
                self.symptom = &first.symptom;
                self.by_hand |= *origin == Origin::ByHand;
            }
            IncidentEntry::MovedByHand { .. } => self.by_hand = true,
            IncidentEntry::Classified {
                kind: Some(kind), ..
            } => self.kind = Some(*kind),
            IncidentEntry::TimeEntered { time, at, .. } => {
                match time {
                    TimeKind::Offline => self.offline_at = *at,
                    TimeKind::ClientOk => self.online_at = *at,
                    _ => return,
                }
                self.by = by.or(self.by);
            }
            IncidentEntry::Withdrawn { .. } | IncidentEntry::MergedInto { .. } => self.void = true,
            _ => {}
        }
    }

    fn row(&self, service: &ServiceName) -> LogBookRow {
        let span = self.offline_at.zip(self.online_at);
        LogBookRow {
            subject: Subject::Service(service.clone()),
            kind: match self.kind {
                Some(IncidentKind::Planned | IncidentKind::SemiPlanned) => DowntimeKind::Planned,
                Some(IncidentKind::Drill) => DowntimeKind::Drill,
                Some(IncidentKind::Unplanned) | None => DowntimeKind::Unplanned,
            },
            offline_at: self.offline_at,
            online_at: self.online_at,
            duration_ms: span.map(|(from, to)| to.millis_since(from)),
            error_ms: None,
            cause: (!self.symptom.is_empty()).then(|| self.symptom.to_owned()),
            who: self.by.map(str::to_owned),
            seen_by: SeenBy::Node,
            run: None,
            covered_by: None,
            entered_by: Some(self.by.unwrap_or("?").to_owned()),
        }
    }
}

fn overlaps(a: &LogBookRow, b: &LogBookRow) -> bool {
    let from = |r: &LogBookRow| r.offline_at.or(r.online_at).map_or(i64::MIN, |t| t.0);
    let to = |r: &LogBookRow| r.online_at.map_or(i64::MAX, |t| t.0);
    a.subject == b.subject && from(a) <= to(b) && from(b) <= to(a)
}
