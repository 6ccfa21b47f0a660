//! Somebody must know: where clients get no answer, and nobody planned it, an incident is proposed and the people on
//! call are told. Never for a planned move, never twice for one cause; and "nobody can tell" is a word of its own.

use super::alerts::{self, Raised};
use super::incidents::{self, new_key, open_of};
use super::notices::with_outbox;
use super::seen::{Seen, leads, seen};
use super::state::Core;
use siaga_comms::{AlertFacts, Sign};
use siaga_journal::{Filter, JournalError};
use siaga_model::api::SeenBy;
use siaga_model::config::Service;
use siaga_model::event::EventBody;
use siaga_model::incident::{FirstSign, IncidentEntry, IncidentKind, Origin};
use siaga_model::notice::AlertCause;
use siaga_model::plan::Placement;
use siaga_model::record::{IncidentRecord, IncidentState};
use siaga_model::run::RunOutcome;
use siaga_model::{ServiceName, UtcMicros};
use siaga_runner::hands::Hands;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often it looks.
const TICK: Duration = Duration::from_secs(1);
/// How many ticks lie between two looks where no probe reports: then the nodes have to be asked.
const ASK_EVERY: u32 = 5;

/// What is remembered of one service between two looks.
#[derive(Default)]
struct Trouble {
    /// Since when it is not seen to work, on this agent's own clock.
    since: Option<Instant>,
    /// It was seen to work since this agent started.
    worked: bool,
    /// An incident of it is open, and was seen to be.
    proposed: bool,
}

/// Never ends.
pub async fn vigil(core: Arc<Core>) {
    let mut troubles: BTreeMap<ServiceName, Trouble> = BTreeMap::new();
    let mut offline = offline_now(&core);
    let mut tick: u32 = 0;
    loop {
        tokio::time::sleep(TICK).await;
        tick = tick.wrapping_add(1);
        for service in &core.config.services {
            let probed = core
                .probes
                .fresh(&service.name, core.config.policy.witness_fresh);
            if probed.is_empty() && !tick.is_multiple_of(ASK_EVERY) {
                continue;
            }
            let trouble = troubles.entry(service.name.clone()).or_default();
            look(&core, service, trouble, &mut offline).await;
        }
        if tick.is_multiple_of(ASK_EVERY) && leads(&core) {
            merge_twins(&core).await;
        }
    }
}

async fn look(
    core: &Arc<Core>,
    service: &Service,
    trouble: &mut Trouble,
    offline: &mut BTreeSet<ServiceName>,
) {
    let seen = seen(core, service).await;
    let at = core.hands.now();
    match &seen {
        Seen::Serving => {
            let since = trouble.since.take();
            *trouble = Trouble {
                worked: true,
                ..Trouble::default()
            };
            if offline.remove(&service.name) && still_offline(core, &service.name) {
                back(core, service, since, at);
                works_again(core, service).await;
            }
            return;
        }
        Seen::Failing { .. } | Seen::CannotTell => {}
    }
    if !expected_up(core, service, trouble.worked) || under_way(core, service) {
        trouble.since = None;
        return;
    }
    let since = *trouble.since.get_or_insert_with(Instant::now);
    if since.elapsed() < core.config.downtime.rules.alert_after || !leads(core) {
        return;
    }
    let seen = begun(seen, at, since.elapsed());
    if let Seen::Failing { since, .. } = &seen
        && offline.insert(service.name.clone())
        && !still_offline(core, &service.name)
    {
        let body = EventBody::ServiceOffline {
            node: core.me.clone(),
            at: *since,
            cause: String::new(),
        };
        core.note(Some(&service.name), body);
    }
    if !trouble.proposed {
        trouble.proposed = propose(core, service, &seen).await;
    }
}

/// A node knows since when it has looked in vain; a probe knows its last success.
fn begun(seen: Seen, now: UtcMicros, for_so_long: Duration) -> Seen {
    match seen {
        Seen::Failing {
            by: SeenBy::Node, ..
        } => {
            let micros = i64::try_from(for_so_long.as_micros()).unwrap_or(0);
            Seen::Failing {
                since: UtcMicros(now.0.saturating_sub(micros)),
                by: SeenBy::Node,
            }
        }
        other => other,
    }
}

/// It works again: what the probes measured of it is written down beside what this node saw.
fn back(core: &Core, service: &Service, since: Option<Instant>, at: UtcMicros) {
    let measured = since.map(|since| core.probes.outages(&service.name, since));
    for outage in measured.unwrap_or_default() {
        core.note(Some(&service.name), EventBody::OutageMeasured { outage });
    }
    let node = core.me.clone();
    core.note(Some(&service.name), EventBody::ServiceOnline { node, at });
}

/// The incident that the agents proposed is watched from now on: the service came back without a run.
async fn works_again(core: &Arc<Core>, service: &Service) {
    let _alone = core.incident_desk.lock().await;
    let Ok(records) = incidents::records(core) else {
        return;
    };
    let Some(open) = open_of(&records, &service.name) else {
        return;
    };
    if open.state == IncidentState::UnderWatch || under_way(core, service) {
        return;
    }
    let watch = core.config.downtime.rules.watch_for.as_micros();
    let watch_until = UtcMicros(
        core.hands
            .now()
            .0
            .saturating_add(i64::try_from(watch).unwrap_or(0)),
    );
    let row = IncidentEntry::Restored { watch_until };
    let written = incidents::write(core, &open.key, &core.agent_actor(), vec![row]);
    if let Err(error) = written.and_then(|()| alerts::settle(core, &open.key, "")) {
        tracing::error!(%error, "the end of an incident could not be written");
    }
}

/// A service that was stopped by an order, or never ran here, is not missed.
fn expected_up(core: &Core, service: &Service, worked: bool) -> bool {
    let newest = core.log.runs().newest(&service.name).cloned();
    match newest {
        None => worked,
        Some(known) => match &known.ended {
            Some(RunOutcome::Done | RunOutcome::Restored { .. }) => {
                known.plan.plan.goal != Placement::Stopped
            }
            None | Some(RunOutcome::Stuck { .. } | RunOutcome::Refused { .. }) => true,
        },
    }
}

/// A run is at work: here, or at a node that answers.
fn under_way(core: &Core, service: &Service) -> bool {
    if core.runs.going_on(&service.name).is_some() {
        return true;
    }
    let open = core.log.runs().open(&service.name).cloned();
    open.is_some_and(|known| {
        let pulse = core.pulses.get(&known.plan.coordinator);
        let age = pulse.and_then(|p| p.age());
        known.ended.is_none() && age.is_some_and(|age| age < core.config.policy.coordinator_silence)
    })
}

/// Opens an incident, unless one of that service is open, and alerts the people on call. True where both are done.
async fn propose(core: &Arc<Core>, service: &Service, seen: &Seen) -> bool {
    let _alone = core.incident_desk.lock().await;
    match proposed(core, service, seen) {
        Ok(done) => done,
        Err(error) => {
            tracing::error!(%error, "an incident could not be proposed");
            false
        }
    }
}

fn proposed(core: &Core, service: &Service, seen: &Seen) -> Result<bool, JournalError> {
    let now = core.hands.now();
    if with_outbox(core, |outbox| outbox.pause(now).is_some())? {
        return Ok(false);
    }
    let records = incidents::records(core)?;
    // What is only watched any more has its alert behind it: this is new trouble.
    let open = open_of(&records, &service.name).filter(|r| r.state != IncidentState::UnderWatch);
    let (key, number) = match open {
        // Somebody opened it, or a run did: they know.
        Some(open) if !by_agents(open) => return Ok(true),
        Some(open) => (open.key.clone(), open.id.clone()),
        None => {
            let number = incidents::number(core, &records, now);
            let key = new_key(core, now);
            let row = IncidentEntry::Opened {
                number: number.clone(),
                kind: IncidentKind::Unplanned,
                origin: match seen {
                    Seen::Failing { .. } => Origin::ClientTests,
                    Seen::CannotTell | Seen::Serving => Origin::CannotTell,
                },
                services: vec![service.name.clone()],
                first: FirstSign::default(),
            };
            incidents::write(core, &key, &core.agent_actor(), vec![row])?;
            tracing::warn!(service = %service.name, incident = %key, "an incident was proposed");
            (key, number)
        }
    };
    let raised = alerts::raise(core, &key, &AlertCause::Trouble, |notice| {
        let facts = AlertFacts {
            sign: match seen {
                Seen::Failing { .. } => Sign::ClientTestsFail,
                Seen::CannotTell | Seen::Serving => Sign::CannotTell,
            },
            service: service.name.to_string(),
            since: match seen {
                Seen::Failing { since, .. } => *since,
                Seen::CannotTell | Seen::Serving => now,
            },
            now,
            number: Some(number),
            notice: notice.to_string(),
            drill: false,
        };
        siaga_comms::alert(&core.notices.templates, core.config.site.language, &facts)
    })?;
    Ok(raised != Raised::Paused)
}

fn by_agents(record: &IncidentRecord) -> bool {
    matches!(record.origin, Origin::ClientTests | Origin::CannotTell)
}

fn offline_now(core: &Core) -> BTreeSet<ServiceName> {
    let names = core.config.services.iter().map(|s| s.name.clone());
    names.filter(|s| still_offline(core, s)).collect()
}

/// The log says that the service went off line, and not that it came back.
fn still_offline(core: &Core, service: &ServiceName) -> bool {
    let filter = Filter {
        service: Some(service.clone()),
        kinds: vec!["service_offline".into(), "service_online".into()],
        last: Some(1),
        ..Filter::default()
    };
    let events = core.log.read(&filter);
    events.is_ok_and(|events| {
        let last = events.last().map(|view| &view.event.body);
        matches!(last, Some(EventBody::ServiceOffline { .. }))
    })
}

/// Two nodes that could not hear each other may both have proposed an incident for one cause: the later one goes into
/// the earlier one. What people wrote stays in both.
async fn merge_twins(core: &Arc<Core>) {
    let version = core.log.with(|journal| journal.version());
    if core
        .twins_looked
        .swap(version, std::sync::atomic::Ordering::Relaxed)
        == version
    {
        return;
    }
    let _alone = core.incident_desk.lock().await;
    let Ok(records) = incidents::records(core) else {
        return;
    };
    for (later, earlier) in twins(&records) {
        let row = IncidentEntry::MergedInto { incident: earlier };
        if let Err(error) = incidents::write(core, &later, &core.agent_actor(), vec![row]) {
            tracing::error!(%error, "two incidents could not be merged");
        }
    }
}

/// Open proposals of the agents for the same service: the later with the earlier.
fn twins(records: &[IncidentRecord]) -> Vec<(siaga_model::IncidentKey, siaga_model::IncidentKey)> {
    let proposed = |r: &&IncidentRecord| r.state.is_open() && by_agents(r);
    let down = |r: &&IncidentRecord| r.state.is_open() && r.state != IncidentState::UnderWatch;
    let open: Vec<&IncidentRecord> = records.iter().filter(down).collect();
    let same = |a: &IncidentRecord, b: &IncidentRecord| {
        a.key != b.key && a.services.iter().any(|s| b.services.contains(s))
    };
    open.iter()
        .copied()
        .filter(proposed)
        .filter_map(|later| {
            let earlier = open.iter().find(|e| {
                same(e, later) && (e.opened_at, &e.key) < (later.opened_at, &later.key)
            })?;
            Some((later.key.clone(), earlier.key.clone()))
        })
        .collect()
}

#[cfg(test)]
mod tests;
