//! From a verb to a placement, and to the node that coordinates: the one where the service is to run, since it is the
//! one that must be alive.

use crate::guards;
use crate::world::{Grip, World};
use siaga_model::NodeName;
use siaga_model::config::Config;
use siaga_model::observation::{Observation, RunInProgress};
use siaga_model::plan::{MoveKind, Placement};
use siaga_model::refusal::{Advice, Refusal, RefusalCode, Sentence};

/// The placement that the verb asks for, and the coordinator. `to`: the target, where the person chose one.
///
/// Refuses what can't even be asked: an unknown node or service, nothing to restart, nothing to resume, a coordinator
/// that does not answer. Everything else is for [`crate::plan`] to refuse.
pub fn goal(
    config: &Config,
    observation: &Observation,
    kind: MoveKind,
    to: Option<&NodeName>,
) -> Result<(Placement, NodeName), Refusal> {
    let world = World::new(config, observation)?;
    if let Some(to) = to.filter(|to| config.node(to).is_none()) {
        return Err(Refusal {
            code: RefusalCode::NoSuchThing,
            sentence: Sentence::RefusedNoSuchNode { node: to.clone() },
            evidence: Vec::new(),
            next: vec![Advice::Status],
        });
    }
    let on = |node: &NodeName| (Placement::ActiveOn(node.clone()), node.clone());
    let (placement, coordinator) = match kind {
        MoveKind::Takeover => on(to.unwrap_or_else(|| take_over_here(&world))),
        MoveKind::Switchover => on(to.unwrap_or_else(|| away(&world))),
        MoveKind::Failback => on(&world.service.preferred_node),
        MoveKind::Drill => on(to.unwrap_or_else(|| not_preferred(&world))),
        MoveKind::Start => on(to.unwrap_or_else(|| start_node(&world))),
        MoveKind::Restart => on(world.active().ok_or_else(|| guards::not_running(&world))?),
        MoveKind::Stop => (Placement::Stopped, holder(&world).clone()),
        MoveKind::Resume => {
            let run = unfinished(&world)?;
            let goal = run.goal.clone();
            placed(
                &world,
                goal.unwrap_or_else(|| Placement::ActiveOn(run.coordinator.clone())),
            )
        }
        MoveKind::Abort | MoveKind::Restore | MoveKind::Cover => placed(
            &world,
            unfinished(&world)?
                .home
                .clone()
                .unwrap_or(Placement::Stopped),
        ),
    };
    if world.is_silent(&coordinator) {
        return Err(guards::peer_silent(&world, &coordinator));
    }
    Ok((placement, coordinator))
}

fn placed(world: &World, placement: Placement) -> (Placement, NodeName) {
    let coordinator = match &placement {
        Placement::ActiveOn(node) => node.clone(),
        Placement::Stopped => holder(world).clone(),
    };
    (placement, coordinator)
}

/// The node that is to let go; where nobody holds anything, the one that was asked.
fn holder<'a>(world: &World<'a>) -> &'a NodeName {
    world.active().unwrap_or(&world.seen.observer)
}

/// Where another node is silent, the one that was asked is all that is left, even if the service is there already.
fn take_over_here<'a>(world: &World<'a>) -> &'a NodeName {
    match world.silent().next() {
        Some(_) => &world.seen.observer,
        None => away(world),
    }
}

/// Away from where the service is, or was. A node that is silent is where it was, as far as anybody can tell.
fn away<'a>(world: &World<'a>) -> &'a NodeName {
    let from = world
        .active()
        .or_else(|| world.silent().next())
        .or_else(|| world.last_on());
    let me = &world.seen.observer;
    match from {
        Some(from) if from == me => world.others(from).first().copied().unwrap_or(me),
        Some(_) | None => me,
    }
}

fn not_preferred<'a>(world: &World<'a>) -> &'a NodeName {
    let preferred = &world.service.preferred_node;
    world
        .others(preferred)
        .first()
        .copied()
        .unwrap_or(&world.seen.observer)
}

/// Where something of the service is already; else the preferred node, unless it is silent, or can't reach the disk set
/// while another one can.
fn start_node<'a>(world: &World<'a>) -> &'a NodeName {
    let preferred = &world.service.preferred_node;
    if let Some(active) = world.active() {
        return active;
    }
    if world.is_silent(preferred) {
        return &world.seen.observer;
    }
    let able = |n: &&NodeName| world.grip(n) == Grip::Free;
    match world.others(preferred).into_iter().find(able) {
        Some(other) if !able(&preferred) => other,
        Some(_) | None => preferred,
    }
}

fn unfinished<'a>(world: &World<'a>) -> Result<&'a RunInProgress, Refusal> {
    world.unfinished().ok_or_else(|| Refusal {
        code: RefusalCode::NothingInterrupted,
        sentence: Sentence::NothingToResume,
        evidence: Vec::new(),
        next: vec![Advice::Status],
    })
}
