//! `siaga power`: through the fence, and never on the holder of a running service.
//!
//! `power off` is a fence like a takeover's: the intent is durable before the device is asked, it needs the mandates of
//! the services that it hits, and it takes its turn at the device.

use super::actor::Who;
use super::drive::ledger_refusal;
use super::moves::{refuse, run_by};
use super::neighbours::{self, Look};
use super::observe::first_word;
use super::runs::new_run_id;
use super::state::Core;
use siaga_journal::Durability;
use siaga_model::api::{PowerAction, PowerAnswer, PowerRequest};
use siaga_model::config::{Fence, FenceKind, Service};
use siaga_model::event::{Event, EventBody};
use siaga_model::observation::{
    AgentView, DatabaseState, FenceState, Holding, Known, Neighbour, Power, Presence,
};
use siaga_model::plan::{Hit, HitMandate};
use siaga_model::refusal::{Advice, Refusal, RefusalCode, Sentence};
use siaga_model::{NodeName, RunId, ServiceName, Why};
use siaga_runner::fencing::Asker;
use siaga_runner::hands::{Acted, Hands, Trouble};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Asks or switches.
pub async fn power(core: &Arc<Core>, who: &Who, request: &PowerRequest) -> PowerAnswer {
    let node = &request.node;
    if let Err(refusal) = super::replace::refuse_replaced(core) {
        return PowerAnswer::Refused { refusal };
    }
    let fences = devices(core, node);
    if fences.is_empty() {
        let none = Sentence::FenceNone { node: node.clone() };
        return PowerAnswer::Refused {
            refusal: refuse(RefusalCode::NoSuchThing, none, Advice::Check),
        };
    }
    let switched = match request.action {
        PowerAction::Status => Ok(()),
        PowerAction::Off => off(core, who, request, &fences).await,
        PowerAction::On => on(core, who, request, &fences).await,
    };
    if let Err(answer) = switched {
        return answer;
    }
    match together(ask(core, node, &fences).await) {
        FenceState::Open => PowerAnswer::Done { power: Power::On },
        FenceState::Fenced => PowerAnswer::Done { power: Power::Off },
        FenceState::Failed { why } => PowerAnswer::Failed { why },
    }
}

/// The power fences of `node`, in their order.
fn devices(core: &Core, node: &NodeName) -> Vec<Fence> {
    let fences = core.config.node(node).map(|n| n.fences.as_slice());
    let power = |f: &&Fence| f.kind == FenceKind::Power;
    fences
        .unwrap_or_default()
        .iter()
        .filter(power)
        .cloned()
        .collect()
}

/// What each of them says, asked at the same time.
async fn ask(core: &Arc<Core>, node: &NodeName, fences: &[Fence]) -> Vec<FenceState> {
    let asked = fences.iter().map(|fence| async {
        let one = fence.clone();
        let state = tokio::task::spawn_blocking(move || siaga_node::act::fence::state(&one)).await;
        let state = state.unwrap_or_else(|e| FenceState::Failed {
            why: Why::system(e),
        });
        core.belied.word(node, &fence.name, state)
    });
    futures_util::future::join_all(asked).await
}

fn together(states: Vec<FenceState>) -> FenceState {
    if let Some(word) = first_word(states.iter()) {
        return word.clone();
    }
    let whys = states.into_iter().filter_map(|state| match state {
        FenceState::Failed { why } => Some(why),
        FenceState::Open | FenceState::Fenced => None,
    });
    FenceState::Failed {
        why: Why::all(whys.collect()),
    }
}

/// Switches off, under the mandates of all that is there, by the first of them that does it.
async fn off(
    core: &Arc<Core>,
    who: &Who,
    request: &PowerRequest,
    fences: &[Fence],
) -> Result<(), PowerAnswer> {
    let node = &request.node;
    let refused = |refusal| PowerAnswer::Refused { refusal };
    if node == &core.me {
        let why = Why::SwitchesItselfOff { node: node.clone() };
        let sentence = Sentence::RefusedBadRequest { why };
        return Err(refused(refuse(
            RefusalCode::BadRequest,
            sentence,
            Advice::Status,
        )));
    }
    let seen = all_services(core, node).await.map_err(refused)?;
    let (hits, mandates) = prepare(core, node, seen).await.map_err(refused)?;
    let mut troubles = Vec::new();
    for fence in fences {
        if let Some(why) = core.belied.why_not(node, &fence.name) {
            troubles.push(why);
            continue;
        }
        let ordered = EventBody::PowerOrdered {
            node: node.clone(),
            on: false,
            device: fence.name.clone(),
            reason: request.reason.clone(),
            hits: hits.clone(),
        };
        write(core, who, ordered)?;
        let (c, n, device) = (core.clone(), node.clone(), fence.name.clone());
        let mandates = mandates.clone();
        let acted = tokio::task::spawn_blocking(move || {
            let hands = c.hands.as_ref();
            let check = || c.fencing.stand(&n, &mandates);
            c.fencing.fence(Asker::Person, &n, &device, hands, check)
        });
        let acted = acted.await.unwrap_or_else(|e| Err(broken(&e)));
        match outcome(core, who, node, false, acted)? {
            None => return Ok(()),
            Some(why) => troubles.push(why),
        }
    }
    Err(PowerAnswer::Failed {
        why: Why::all(troubles),
    })
}

/// Switches every one of them on that says "off". What was confirmed of the device before counts no more. One that does
/// not answer may hang behind another that was off.
async fn on(
    core: &Arc<Core>,
    who: &Who,
    request: &PowerRequest,
    fences: &[Fence],
) -> Result<(), PowerAnswer> {
    let node = &request.node;
    let states = ask(core, node, fences).await;
    if let FenceState::Failed { why } = together(states.clone()) {
        return Err(PowerAnswer::Failed { why });
    }
    let off = fences.iter().zip(states);
    for (fence, _) in off.filter(|(_, state)| *state == FenceState::Fenced) {
        let ordered = EventBody::PowerOrdered {
            node: node.clone(),
            on: true,
            device: fence.name.clone(),
            reason: request.reason.clone(),
            hits: Vec::new(),
        };
        write(core, who, ordered)?;
        let (c, n, fence) = (core.clone(), node.clone(), fence.clone());
        let acted = tokio::task::spawn_blocking(move || {
            let act = || siaga_node::act::fence::act_on(&fence);
            c.fencing.alone(&n, &fence.name, act)
        });
        let acted = acted.await.unwrap_or_else(|e| Err(broken(&e)));
        if let Some(why) = outcome(core, who, node, true, acted)? {
            return Err(PowerAnswer::Failed { why });
        }
    }
    Ok(())
}

/// The services that may be on `node`, with the mandates that a fence of it needs.
async fn prepare(
    core: &Arc<Core>,
    node: &NodeName,
    seen: Vec<Neighbour>,
) -> Result<(Vec<ServiceName>, Vec<HitMandate>), Refusal> {
    let run = new_run_id(core.hands.now(), &core.me);
    let absent = |n: &Neighbour| n.on.get(node).is_some_and(|p| p.is(&Presence::Absent));
    let answered = |n: &Neighbour| n.on.values().all(|p| p.known().is_some());
    let there = seen.iter().filter(|n| !absent(n));
    let names = there.map(|n| n.service.clone()).collect();
    // The mandates of all: what is not there yet may get there before the fence.
    let hits: Vec<Hit> = seen
        .iter()
        .map(|n| Hit {
            victim: node.clone(),
            service: n.service.clone(),
        })
        .collect();
    let answers_for = seen.iter().all(answered);
    let elsewhere = seen
        .iter()
        .map(|n| (n.service.clone(), n.mandates.clone()))
        .collect();
    let mandates = mint(core, run, hits, elsewhere, answers_for).await?;
    Ok((names, mandates))
}

async fn mint(
    core: &Arc<Core>,
    run: RunId,
    hits: Vec<Hit>,
    elsewhere: BTreeMap<ServiceName, Vec<siaga_model::Epoch>>,
    answers_for: bool,
) -> Result<Vec<HitMandate>, Refusal> {
    let c = core.clone();
    let minted = tokio::task::spawn_blocking(move || {
        let fence = neighbours::Fence {
            run: &run,
            hits: &hits,
            elsewhere: &elsewhere,
            answers_for,
        };
        neighbours::mandates(&c, &fence).map_err(|e| ledger_refusal(&c, &e))
    });
    minted.await.unwrap_or_else(|e| {
        let why = Why::system(e);
        let sentence = Sentence::RefusedBadRequest { why };
        Err(refuse(RefusalCode::BadRequest, sentence, Advice::Status))
    })
}

fn write(core: &Core, who: &Who, body: EventBody) -> Result<(), PowerAnswer> {
    let event = Event {
        service: None,
        run: None,
        actor: Some(who.actor.clone()),
        body,
    };
    core.log
        .append(vec![event], Durability::Sync)
        .map_err(|error| PowerAnswer::Failed {
            why: Why::LogUnwritten {
                said: error.to_string(),
            },
        })
}

/// Records what came of it. Gives why it was not done.
fn outcome(
    core: &Core,
    who: &Who,
    node: &NodeName,
    on: bool,
    acted: Acted,
) -> Result<Option<Why>, PowerAnswer> {
    let node = node.clone();
    let why = match acted {
        Ok(_) => {
            return write(core, who, EventBody::PowerChanged { node, on }).map(|()| None);
        }
        Err(Trouble::Failed(failure)) => failure.detail,
        Err(Trouble::Unknown(why)) => why,
    };
    let body = EventBody::PowerNotChanged {
        node,
        on,
        why: why.clone(),
    };
    write(core, who, body)?;
    Ok(Some(why))
}

fn broken(error: &tokio::task::JoinError) -> Trouble {
    Trouble::Unknown(Why::system(error))
}

/// What is known of every service on `node`, or the refusal: it holds a running service, or a run acts on it.
async fn all_services(core: &Arc<Core>, node: &NodeName) -> Result<Vec<Neighbour>, Refusal> {
    let mut seen = Vec::new();
    for service in &core.config.services {
        let look = neighbours::look(core, service).await;
        let neighbour = look.neighbour(core, service);
        refuse_holder(core, node, service, &look, &neighbour)?;
        if let Some(run) = &neighbour.run {
            let acts_there = match &run.acts_on {
                Known::Known(nodes) => nodes.contains(node),
                Known::Unknown { .. } => true,
            };
            if acts_there {
                return Err(run_by(&run.run));
            }
        }
        seen.push(neighbour);
    }
    Ok(seen)
}

/// The refusal where `node` holds a running service, or where that can't be told and a probe sees the service there.
fn refuse_holder(
    core: &Core,
    node: &NodeName,
    service: &Service,
    look: &Look,
    seen: &Neighbour,
) -> Result<(), Refusal> {
    let facts = look.peers.get(node).and_then(AgentView::facts);
    let runs_there =
        facts.is_some_and(|f| f.database != DatabaseState::Stopped && f.disk != Holding::Free);
    let fresh_ms = u64::try_from(core.config.policy.witness_fresh.as_millis()).unwrap_or(u64::MAX);
    let served = |p: &siaga_model::observation::ProbeSighting| {
        p.serving && p.age_ms <= fresh_ms && p.node.as_ref() != Some(&core.me)
    };
    if runs_there || (facts.is_none() && seen.probes.iter().any(served)) {
        let service = service.name.clone();
        let sentence = Sentence::RefusedHolderOfRunning {
            node: node.clone(),
            service: service.clone(),
        };
        return Err(refuse(
            RefusalCode::HolderOfRunningService,
            sentence,
            Advice::Switchover { service },
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_what_the_first_of_its_fences_says_that_answers() {
        let dead = || FenceState::Failed {
            why: Why::NoReservation,
        };
        let (on, off) = (|| FenceState::Open, || FenceState::Fenced);
        assert_eq!(together(vec![on()]), on());
        // The management processor hangs behind a strip that is off.
        assert_eq!(together(vec![dead(), off()]), off());
        assert_eq!(together(vec![dead(), on()]), on());
        // It switched the machine off, and the strip goes on; or the strip is off, and a second cord is not in it.
        assert_eq!(together(vec![off(), on()]), off());
        assert_eq!(together(vec![on(), off()]), on());
        assert_eq!(together(vec![dead()]), dead());
        let FenceState::Failed { why } = together(vec![dead(), dead()]) else {
            panic!("nobody answered")
        };
        assert_ne!(why, Why::NoReservation, "both are named");
    }
}
