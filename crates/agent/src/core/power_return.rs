//! The whole building lost power and both nodes are back: where the site's policy says so, the preferred one starts the
//! service, by an ordinary plan with ordinary proofs. Not while automatic acts rest.

use super::notices::with_outbox;
use super::observe::observe;
use super::state::Core;
use super::watch::begin_by_itself;
use siaga_journal::Filter;
use siaga_model::config::Service;
use siaga_model::event::EventBody;
use siaga_model::observation::{DatabaseState, Holding};
use siaga_model::plan::{MoveKind, Placement};
use siaga_model::run::RunOutcome;
use siaga_model::why::Holder;
use siaga_model::{NodeName, UtcMicros};
use siaga_runner::hands::Hands;
use siaga_words::Ui;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What an agent sees of it.
enum Seen {
    /// There is nothing to wait for, or not any more.
    Settled,
    /// The other node, or its word, is still to come.
    NotYet,
    /// Both are back, and hold nothing.
    Free(Box<super::runs::KnownRun>),
}

/// Both nodes rebooted since the service was last on line, both hold nothing, and the policy allows it: the preferred
/// node starts the service. Returns true once there is nothing more to wait for.
pub async fn building_power_loss(core: &Arc<Core>, service: &Service) -> bool {
    let known = match look(core, service).await {
        Seen::Settled => {
            core.duties.start_waits(&service.name, false);
            return true;
        }
        Seen::NotYet => return false,
        Seen::Free(known) => known,
    };
    // A person who lets automatic acts rest may have hands in the cabinet. Both nodes' screens say what waits.
    let rests = rests(core);
    core.duties.start_waits(&service.name, rests);
    if rests {
        return false;
    }
    if service.preferred_node == core.me {
        let (kind, why) = (MoveKind::Start, Ui::ReasonPowerReturned);
        if let Err(why) = begin_by_itself(core, service, kind, &known, why).await {
            tracing::warn!(?why, "not started after the power loss");
        }
    }
    true
}

/// Automatic acts rest. What can't be read rests too.
fn rests(core: &Core) -> bool {
    let now = core.hands.now();
    with_outbox(core, |outbox| outbox.pause(now).is_some()).unwrap_or(true)
}

async fn look(core: &Arc<Core>, service: &Service) -> Seen {
    if !core.config.policy.start_after_building_power_loss {
        return Seen::Settled;
    }
    let Some(known) = core.log.runs().newest(&service.name).cloned() else {
        return Seen::Settled;
    };
    let ended_well = matches!(
        known.ended,
        Some(RunOutcome::Done | RunOutcome::Restored { .. })
    );
    let rebooted = rebooted_since_last_run(core, service);
    // The newest plan says where the run brought the service in the end, also where it was aborted or restored.
    let stopped = known.plan.plan.goal == Placement::Stopped;
    if !ended_well || stopped || !rebooted.contains(&core.me) {
        return Seen::Settled;
    }
    // The other one comes back when it comes back, and its word of that a moment later.
    if !core.config.nodes.iter().all(|n| rebooted.contains(&n.name)) {
        return Seen::NotYet;
    }
    let observation = observe(core, service).await;
    let everybody = observation
        .nodes
        .values()
        .all(|v| v.agent.facts().is_some());
    if !everybody {
        return Seen::NotYet;
    }
    // Its replica is not connected yet, or copies what it missed.
    let home = observation.nodes.get(&service.preferred_node);
    let home = home.and_then(|v| v.agent.facts());
    if home.is_some_and(|f| f.unable.is_some()) {
        return Seen::NotYet;
    }
    let facts = observation.nodes.values().filter_map(|v| v.agent.facts());
    match facts.map(|f| left(&f.database, &f.disk)).max() {
        Some(Left::Nothing) | None => Seen::Free(Box::new(known)),
        Some(Left::Untold) => Seen::NotYet,
        Some(Left::Used) => Seen::Settled,
    }
}

/// What is left of the service on a node that booted, the better first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Left {
    /// Nothing that lives. A registration at the disk outlives a boot: the start's own plan takes it back.
    Nothing,
    /// A storage that comes up after its servers tells later.
    Untold,
    /// Somebody has brought it, or some of it, up already.
    Used,
}

fn left(database: &DatabaseState, disk: &Holding) -> Left {
    let registered = |h: &Holder| matches!(h, Holder::Registered { .. });
    let disk = match disk {
        Holding::Free => Left::Nothing,
        Holding::Held { by } if !by.is_empty() && by.iter().all(registered) => Left::Nothing,
        Holding::Held { .. } => Left::Used,
        Holding::Unknown { .. } => Left::Untold,
    };
    let database = match database {
        DatabaseState::Stopped => Left::Nothing,
        DatabaseState::Unknown { .. } => Left::Untold,
        DatabaseState::Starting { .. }
        | DatabaseState::Ready
        | DatabaseState::NotServing { .. } => Left::Used,
    };
    disk.max(database)
}

/// The nodes that booted since the last run of the service ended.
fn rebooted_since_last_run(core: &Core, service: &Service) -> BTreeSet<NodeName> {
    let filter = Filter {
        kinds: vec!["run_ended".into(), "node_booted".into()],
        ..Filter::default()
    };
    let Ok(events) = core.log.with(|journal| journal.events(&filter)) else {
        return BTreeSet::new();
    };
    let last_end = events
        .iter()
        .filter(|e| e.event.service.as_ref() == Some(&service.name))
        .filter(|e| matches!(e.event.body, EventBody::RunEnded { .. }))
        .map(|e| e.at)
        .max()
        .unwrap_or(UtcMicros(0));
    events
        .into_iter()
        .filter(|e| matches!(e.event.body, EventBody::NodeBooted { .. }) && e.at > last_end)
        .map(|e| e.node)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use siaga_model::Why;

    #[test]
    fn storage_that_is_still_to_come_is_waited_for() {
        let registered = Holder::Registered {
            device: "/dev/sdb".into(),
        };
        let volume = Holder::ActiveVolume {
            volume: "vg_simrs/data".into(),
        };
        let held = |by: &[&Holder]| Holding::Held {
            by: by.iter().map(|h| (*h).clone()).collect(),
        };
        let unknown = Holding::Unknown {
            why: Why::NoReservation,
        };
        let stopped = |disk: Holding| left(&DatabaseState::Stopped, &disk);
        assert_eq!(stopped(Holding::Free), Left::Nothing);
        // The registration of before the boot.
        assert_eq!(stopped(held(&[&registered])), Left::Nothing);
        assert_eq!(stopped(unknown.clone()), Left::Untold);
        assert_eq!(stopped(held(&[&registered, &volume])), Left::Used);
        assert_eq!(stopped(held(&[])), Left::Used);
        assert_eq!(left(&DatabaseState::Ready, &unknown), Left::Used);
    }
}
