//! The report of an incident from its record.

use super::{IncidentDocument, NoticeLine, RecordedTime};
use siaga_model::api::{EventView, MoveReport};
use siaga_model::event::EventBody;
use siaga_model::incident::{FirstSign, TimeKind};
use siaga_model::notice::{NoticeEntry, Recipient};
use siaga_model::proof::Ground;
use siaga_model::record::{IncidentRecord, RecordTime, TimeSource};
use std::collections::BTreeMap;

impl IncidentDocument {
    /// From the record, with the reports of its runs and the rows of its notices.
    pub fn of_record(record: &IncidentRecord, runs: Vec<MoveReport>, events: &[EventView]) -> Self {
        Self {
            incident: Some(record.key.clone()),
            number: Some(record.id.clone()),
            kind: Some(record.kind),
            scope: record.scope,
            level: record.level,
            services: record.services.clone(),
            first: FirstSign {
                symptom: record.symptom.clone().unwrap_or_default(),
                reported_by: record.reported_by.clone(),
                unit: record.reported_unit.clone(),
                medium: record.medium.clone(),
            },
            times: times(&record.times),
            clock_steps: record.clock_steps.clone(),
            integrity: record.integrity.clone(),
            cause: record.cause.as_ref().map(|c| (c.category, c.text.clone())),
            decision: record.decision.clone(),
            decider: record.decider.as_ref().map(ToString::to_string),
            made_safe: record.proofs.iter().map(made_safe).collect(),
            runs,
            notices: notices(record, events),
            units: Vec::new(),
            impacts: record.impact.clone(),
            back_entries: record.back_entry.clone(),
            review: record.review.clone(),
            actions: record.actions.clone(),
            signed: record
                .signatures
                .iter()
                .map(|s| (s.part, s.person.to_string()))
                .collect(),
        }
    }
}

fn times(times: &[RecordTime]) -> BTreeMap<TimeKind, Vec<RecordedTime>> {
    let mut all = BTreeMap::new();
    for time in times {
        let mut known = Vec::new();
        if let (Some(at), Some(source)) = (time.at, &time.source) {
            let (measured, by) = match source {
                TimeSource::Probe => (true, "probe".to_owned()),
                TimeSource::Node => (true, "agent".to_owned()),
                TimeSource::Run { run } => (true, run.to_string()),
                TimeSource::Notice { notice } => (true, notice.to_string()),
                TimeSource::Said { by } | TimeSource::Entered { by } => (false, by.clone()),
            };
            known.push(RecordedTime {
                at: Some(at),
                measured,
                by,
                reason: String::new(),
            });
        }
        known.extend(time.corrections.iter().map(|c| RecordedTime {
            at: c.at,
            measured: false,
            by: c.by.clone(),
            reason: c.reason.clone(),
        }));
        if !known.is_empty() {
            all.insert(time.time, known);
        }
    }
    all
}

fn made_safe(proof: &siaga_model::proof::ProofRecord) -> String {
    match &proof.ground {
        Ground::Released => proof.node.to_string(),
        Ground::Fenced { device, .. } => format!("{} ({device})", proof.node),
        Ground::Attested { by, .. } => format!("{} ({by})", proof.node),
    }
}

fn notices(record: &IncidentRecord, events: &[EventView]) -> Vec<NoticeLine> {
    let mut lines = Vec::new();
    for view in events {
        let EventBody::Notice { notice, entry } = &view.event.body else {
            continue;
        };
        let (NoticeEntry::Sent { to, channel, .. }, Some(of)) = (
            &**entry,
            record.notices.iter().find(|n| &n.notice == notice),
        ) else {
            continue;
        };
        let (to, received) = match to {
            Recipient::Unit(unit) => (unit.to_string(), of.acknowledged.contains(unit)),
            Recipient::OnCall(person) | Recipient::Person(person) => (person.to_string(), false),
        };
        lines.push(NoticeLine {
            at: view.at,
            moment: of.moment,
            channel: channel.to_string(),
            to,
            by: view
                .event
                .actor
                .as_ref()
                .map(|a| a.name.clone())
                .unwrap_or_default(),
            received: received.then_some(true),
        });
    }
    lines
}
