//! Incidents: reads their records, and writes down what people do with them. Each node writes its own rows and can go
//! on alone; the records are the same on both once the rows were copied.

use super::actor::Who;
use super::seen;
use super::state::Core;
use siaga_journal::incidents::{incidents_summed, next_number};
use siaga_journal::{Durability, JournalError};
use siaga_model::event::{Actor, Event, EventBody};
use siaga_model::incident::IncidentEntry;
use siaga_model::incident_api::{IncidentAct, IncidentAnswer, IncidentRefusal, IncidentRequest};
use siaga_model::record::IncidentRecord;
use siaga_model::{IncidentKey, ServiceName, UnitName, UtcMicros};
use siaga_planner::incident::{self, Desk};
use siaga_runner::hands::Hands;
use std::sync::Arc;

/// Every record, oldest first.
///
/// # Errors
/// Where the log can't be read.
pub fn records(core: &Core) -> Result<Vec<IncidentRecord>, JournalError> {
    let (events, sums) = core.log.summed(&siaga_journal::incidents::filter())?;
    Ok(incidents_summed(&events, &sums, &units(core)))
}

/// The incident of a service that is not over, the newest.
pub fn open_of<'a>(
    records: &'a [IncidentRecord],
    service: &ServiceName,
) -> Option<&'a IncidentRecord> {
    records
        .iter()
        .rev()
        .find(|r| r.state.is_open() && r.services.contains(service))
}

/// Writes down what a person does. Two at once on one node wait for each other.
pub async fn act(core: &Arc<Core>, who: &Who, request: &IncidentRequest) -> IncidentAnswer {
    let _alone = core.incident_desk.lock().await;
    let records = match records(core) {
        Ok(records) => records,
        Err(error) => return failed(&error),
    };
    match rows(core, who, request, &records).await {
        Err(refusal) => IncidentAnswer::Refused { refusal },
        Ok((key, rows)) => match write(core, &key, &who.actor, rows) {
            Err(error) => failed(&error),
            Ok(()) => {
                tell_alert(core, who, &request.act, &key);
                written(core, &key)
            }
        },
    }
}

async fn rows(
    core: &Arc<Core>,
    who: &Who,
    request: &IncidentRequest,
    records: &[IncidentRecord],
) -> Result<(IncidentKey, Vec<IncidentEntry>), IncidentRefusal> {
    let now = core.hands.now();
    let (units, services) = (units(core), services(core));
    let mut desk = Desk {
        units: &units,
        services: &services,
        rules: &core.config.downtime.rules,
        now,
        person: who.person.as_ref(),
        computed: None,
        serving: None,
    };
    if matches!(request.act, IncidentAct::Open { .. }) {
        let rows = incident::open(&request.act, number(core, records, now), &desk)?;
        return Ok((new_key(core, now), rows));
    }
    let record = incident::select(records, request.incident.as_deref())?;
    let computed = match request.act {
        IncidentAct::Estimate { by_person: None } => {
            Some(super::estimate::of_record(core, record, records).await)
        }
        _ => None,
    };
    desk.computed = computed.as_ref();
    if matches!(request.act, IncidentAct::AllClear) {
        desk.serving = seen::all_serve(core, &record.services).await;
    }
    let rows = incident::admit(&request.act, record, records, &desk)?;
    Ok((record.key.clone(), rows))
}

/// Who takes care of the incident, or says that it is over, need not be alerted any more.
fn tell_alert(core: &Arc<Core>, who: &Who, act: &IncidentAct, key: &IncidentKey) {
    let settled = match act {
        IncidentAct::Acknowledge => {
            let going_on = super::notices::with_outbox(core, |o| {
                let all = o.going_on(key).map(|(notice, _)| notice.clone());
                all.collect::<Vec<_>>()
            });
            for notice in going_on.unwrap_or_default() {
                let act = siaga_model::notice_api::NoticeAct::AcknowledgeAlert { notice };
                super::notices::acts::act(core, who, act);
            }
            Ok(())
        }
        IncidentAct::Restored
        | IncidentAct::AllClear
        | IncidentAct::Withdraw { .. }
        | IncidentAct::MergeInto { .. }
        | IncidentAct::Close { .. } => super::alerts::settle(core, key, ""),
        _ => Ok(()),
    };
    if let Err(error) = settled {
        tracing::error!(%error, "the alert could not be settled");
    }
}

/// Writes rows of one incident, durably.
///
/// # Errors
/// Where the log can't be written.
pub fn write(
    core: &Core,
    key: &IncidentKey,
    actor: &Actor,
    rows: Vec<IncidentEntry>,
) -> Result<(), JournalError> {
    let event = |entry| Event {
        service: None,
        run: None,
        actor: Some(actor.clone()),
        body: EventBody::Incident {
            incident: key.clone(),
            entry: Box::new(entry),
        },
    };
    core.log
        .append(rows.into_iter().map(event).collect(), Durability::Sync)
}

/// The record with what is to be done of it now.
pub fn with_duties(core: &Core, mut record: IncidentRecord) -> IncidentRecord {
    record.duties = siaga_planner::duties::of_incident(&record, core.hands.now());
    record
}

fn written(core: &Core, key: &IncidentKey) -> IncidentAnswer {
    match records(core) {
        Err(error) => failed(&error),
        Ok(records) => match records.into_iter().find(|r| &r.key == key) {
            Some(record) => IncidentAnswer::Written {
                record: Box::new(with_duties(core, record)),
            },
            None => IncidentAnswer::Failed {
                why: "the row is not in the log".to_owned(),
            },
        },
    }
}

fn failed(error: &JournalError) -> IncidentAnswer {
    IncidentAnswer::Failed {
        why: error.to_string(),
    }
}

/// The number of an incident that is opened now, in the site's own year.
pub fn number(core: &Core, records: &[IncidentRecord], now: UtcMicros) -> String {
    let at = jiff::Timestamp::from_microsecond(now.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let zone =
        jiff::tz::TimeZone::get(&core.config.site.time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
    next_number(records, at.to_zoned_datetime(zone).year())
}

/// A key that no other node gives.
pub fn new_key(core: &Core, now: UtcMicros) -> IncidentKey {
    IncidentKey::new(format!("{:014x}-{}", now.0, core.me))
}

fn units(core: &Core) -> Vec<UnitName> {
    let units = &core.config.downtime.units;
    units.iter().map(|u| u.name.clone()).collect()
}

fn services(core: &Core) -> Vec<ServiceName> {
    let services = &core.config.services;
    services.iter().map(|s| s.name.clone()).collect()
}
