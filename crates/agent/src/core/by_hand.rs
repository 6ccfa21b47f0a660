//! A service that serves here without a run that brought it here was moved by hand: it is adopted as it is, its incident
//! is opened or joined, and people are asked for the times that nobody measured.

use super::incidents::{self, new_key, open_of};
use super::runs::KnownRun;
use super::seen::{Seen, seen, works};
use super::state::Core;
use super::watch::{carries_on, declared_gone};
use siaga_journal::{Filter, JournalError};
use siaga_model::config::Service;
use siaga_model::event::EventBody;
use siaga_model::incident::{FirstSign, IncidentEntry, IncidentKind, Origin};
use siaga_model::observation::NodeFacts;
use siaga_model::plan::Placement;
use siaga_model::record::{IncidentRecord, IncidentState};
use siaga_model::run::RunOutcome;
use siaga_model::{ServiceName, UtcMicros};
use siaga_runner::hands::Hands;
use std::collections::BTreeMap;
use std::sync::Arc;

/// So many looks in a row have to find it here: a move that ends looks like this for a moment.
const LOOKS: u32 = 2;

/// What is remembered between two looks.
#[derive(Default)]
pub struct ByHand {
    seen: BTreeMap<ServiceName, u32>,
}

impl ByHand {
    /// Takes one look in, and writes down what it means.
    pub async fn look(&mut self, core: &Arc<Core>, service: &Service, facts: &NodeFacts) {
        let looks = self.seen.entry(service.name.clone()).or_insert(0);
        if !serves(facts) {
            *looks = 0;
            return;
        }
        *looks = looks.saturating_add(1);
        if *looks != LOOKS {
            return;
        }
        match adopt(core, service).await {
            Ok(Adopted::ByHand) => {
                tracing::warn!(service = %service.name, "it serves here and no run brought it here: moved by hand");
            }
            Ok(Adopted::InOrder) => {}
            // Once more at the next look.
            Ok(Adopted::NotYetKnown) => *looks = LOOKS - 1,
            Err(error) => {
                *looks = LOOKS - 1;
                tracing::error!(%error, "a move by hand could not be written down");
            }
        }
    }
}

/// Its file systems are mounted, its addresses here, its database ready.
fn serves(facts: &NodeFacts) -> bool {
    works(facts) && facts.mounts.iter().all(|m| m.mounted)
}

/// What a service that serves here turned out to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Adopted {
    /// Moved here by hand: that is written down now.
    ByHand,
    /// A run brought it here, or it is known already.
    InOrder,
    /// A run may still go on.
    NotYetKnown,
}

/// Writes the incident of a move made by hand, where it was one.
///
/// # Errors
/// Where the log can't be read or written.
pub async fn adopt(core: &Arc<Core>, service: &Service) -> Result<Adopted, JournalError> {
    let place = match last_run(core, service).await? {
        Left::Nothing => return Ok(Adopted::InOrder),
        Left::MayGoOn => return Ok(Adopted::NotYetKnown),
        Left::There(at, place) => (at, place),
    };
    // The clients' word, before anything is called restored.
    let serves = seen(core, service).await == Seen::Serving;
    let _alone = core.incident_desk.lock().await;
    let records = incidents::records(core)?;
    let newest = [Some(place), found_last(&records, &service.name)];
    let newest = newest.into_iter().flatten().max_by_key(|(at, _)| *at);
    if newest.is_some_and(|(_, place)| place == Placement::ActiveOn(core.me.clone())) {
        return Ok(Adopted::InOrder);
    }
    let now = core.hands.now();
    let watch = core.config.downtime.rules.watch_for.as_micros();
    let watch_until = UtcMicros(now.0.saturating_add(i64::try_from(watch).unwrap_or(0)));
    let found = IncidentEntry::MovedByHand {
        node: core.me.clone(),
    };
    let restored = serves.then_some(IncidentEntry::Restored { watch_until });
    let open = open_of(&records, &service.name).filter(|r| r.state != IncidentState::UnderWatch);
    let (key, mut rows) = match open {
        Some(open) => (open.key.clone(), vec![found]),
        None => {
            let opened = IncidentEntry::Opened {
                number: incidents::number(core, &records, now),
                kind: IncidentKind::Unplanned,
                origin: Origin::ByHand,
                services: vec![service.name.clone()],
                first: FirstSign::default(),
            };
            (new_key(core, now), vec![opened, found])
        }
    };
    rows.extend(restored);
    incidents::write(core, &key, &core.agent_actor(), rows)?;
    super::alerts::settle(core, &key, "")?;
    Ok(Adopted::ByHand)
}

/// What the newest run left behind.
enum Left {
    /// No run ever moved it, or what is here is not by hand.
    Nothing,
    /// Its end is still to come, or to be copied.
    MayGoOn,
    /// The service was there, as of then.
    There(UtcMicros, Placement),
}

async fn last_run(core: &Arc<Core>, service: &Service) -> Result<Left, JournalError> {
    let Some(known) = core.log.runs().newest(&service.name).cloned() else {
        return Ok(Left::Nothing);
    };
    if core.runs.going_on(&service.name).is_some() {
        return Ok(Left::MayGoOn);
    }
    // A node that another one took the service from drops what is left here: nobody moved it.
    if declared_gone(core, service).is_some() {
        return Ok(Left::Nothing);
    }
    let place = match &known.ended {
        Some(RunOutcome::Done | RunOutcome::Restored { .. }) => known.plan.plan.goal.clone(),
        Some(RunOutcome::Refused { .. }) => from(&known),
        // It rests in a named state, and may well serve.
        Some(RunOutcome::Stuck { .. }) => return Ok(Left::Nothing),
        None => return Ok(cut_off(core, &known).await),
    };
    let filter = Filter {
        service: Some(service.name.clone()),
        run: Some(known.run.clone()),
        kinds: vec!["run_ended".into()],
        ..Filter::default()
    };
    let events = core.log.with(|journal| journal.events(&filter))?;
    let ended = events
        .iter()
        .filter(|e| matches!(e.event.body, EventBody::RunEnded { .. }))
        .map(|e| e.at)
        .max();
    Ok(Left::There(ended.unwrap_or(known.since), place))
}

/// A run without an end: its coordinator died, or its last rows did with it.
async fn cut_off(core: &Arc<Core>, known: &KnownRun) -> Left {
    let here = Placement::ActiveOn(core.me.clone());
    // It brought the service here, or had not taken it away yet.
    if known.goal == here || known.plan.plan.goal == here || known.from.as_ref() == Some(&core.me) {
        return Left::Nothing;
    }
    let mine = known.plan.coordinator == core.me;
    if !mine && carries_on(core, known).await {
        return Left::MayGoOn;
    }
    Left::There(known.since, from(known))
}

fn from(known: &KnownRun) -> Placement {
    match &known.from {
        Some(node) => Placement::ActiveOn(node.clone()),
        None => Placement::Stopped,
    }
}

/// Where agents found it last, moved by hand.
fn found_last(records: &[IncidentRecord], service: &ServiceName) -> Option<(UtcMicros, Placement)> {
    let of = records.iter().filter(|r| r.services.contains(service));
    of.flat_map(|r| &r.history)
        .filter_map(|line| match &line.entry {
            IncidentEntry::MovedByHand { node } => {
                Some((line.at, Placement::ActiveOn(node.clone())))
            }
            _ => None,
        })
        .max_by_key(|(at, _)| *at)
}
