//! Yes, no or not known: what the world itself says, before any finding.

use crate::guards;
use crate::planned::plan;
use crate::world::{Grip, World};
use siaga_model::api::CanTakeOver;
use siaga_model::evidence::OnlyAPerson;
use siaga_model::observation::{AddressAnswer, AgentView, Known, Observation};
use siaga_model::plan::{MoveKind, Placement, Plan, PlannedProof, Request};
use siaga_model::readiness::{CheckId, CheckStatus, Examined};
use siaga_model::refusal::{Refusal, RefusalCode};
use siaga_model::{Evidence, NodeName, Why};

/// The answer, and what was seen of the way to make the others let go.
pub(super) struct Answer {
    pub can: CanTakeOver,
    pub ways: Vec<Examined>,
}

pub(super) fn answer(world: &World) -> Answer {
    let me = &world.seen.observer;
    let mut all = Answer {
        can: CanTakeOver::Yes,
        ways: Vec::new(),
    };
    for node in world.nodes().map(|n| &n.name) {
        match world.grip(node) {
            Grip::Free => {}
            Grip::Holds => all.add(if_it_dies(world, node)),
            Grip::Unknown { .. } => all.add((CanTakeOver::Unknown, None)),
            Grip::CutOff { .. } if node == me => all.add((CanTakeOver::No, None)),
            Grip::CutOff { .. } => {}
            Grip::Silent => all.add(without(world, node)),
        }
    }
    if unable(world).next().is_some() {
        all.add((CanTakeOver::No, None));
    }
    all
}

impl Answer {
    /// The worst of all counts.
    fn add(&mut self, (can, way): (CanTakeOver, Option<Examined>)) {
        self.can = match (self.can, can) {
            (CanTakeOver::No, _) | (_, CanTakeOver::No) => CanTakeOver::No,
            (CanTakeOver::Unknown, _) | (_, CanTakeOver::Unknown) => CanTakeOver::Unknown,
            (CanTakeOver::Yes, CanTakeOver::Yes) => CanTakeOver::Yes,
        };
        self.ways.extend(way);
    }
}

/// The nodes that would have to take over: the one that was asked, or the others where it has the service itself.
pub(super) fn targets<'a>(world: &World<'a>) -> Vec<&'a NodeName> {
    let me = &world.seen.observer;
    match world.grip(me) {
        Grip::Holds => world.others(me),
        Grip::Free | Grip::Unknown { .. } | Grip::CutOff { .. } | Grip::Silent => vec![me],
    }
}

/// Those of them of which it is known that a take would fail, and why.
pub(super) fn unable<'a>(world: &World<'a>) -> impl Iterator<Item = (&'a NodeName, Why)> {
    let world = *world;
    let why = move |node: &'a NodeName| {
        let facts = world.facts(node).filter(|_| !world.is_mounted(node))?;
        let why = facts.unable.clone()?;
        // A node that has the service is fenced for a takeover. Where nobody has it, nobody is.
        let nobody = || {
            world
                .others(node)
                .into_iter()
                .all(|n| world.grip(n) == Grip::Free)
        };
        (!guards::is_over_by_a_fence(&why) || nobody()).then_some((node, why))
    };
    targets(&world).into_iter().filter_map(why)
}

/// The node has the service and answers. It may die at any moment: what then?
fn if_it_dies(world: &World, holder: &NodeName) -> (CanTakeOver, Option<Examined>) {
    let me = &world.seen.observer;
    // Where nothing could fence it, that is known wherever it is asked. Of its own fences a node
    // knows what the others told it.
    let unseen = holder == me && world.view(me).is_none_or(|v| v.fences.is_empty());
    if unseen && !world.fences(holder).is_empty() {
        return (CanTakeOver::Yes, None);
    }
    let mut answers = targets(world)
        .into_iter()
        .filter(|target| *target != holder && !world.is_silent(target))
        .map(|target| {
            let seen = dead(world.seen, holder, target);
            judged(world, holder, &takeover(world, &seen, target), |code| {
                match code {
                    RefusalCode::NeedsAttestation | RefusalCode::JournalLost => {
                        CanTakeOver::Unknown
                    }
                    // A run that goes on, and whatever else passes by itself, is told where it counts.
                    _ => CanTakeOver::Yes,
                }
            })
        });
    answers.next().unwrap_or((CanTakeOver::Yes, None))
}

/// The node is silent, so the takeover itself can be planned.
fn without(world: &World, node: &NodeName) -> (CanTakeOver, Option<Examined>) {
    let planned = takeover(world, world.seen, &world.seen.observer);
    judged(world, node, &planned, |code| match code {
        // It is here already, or a person has to look at the other machine.
        RefusalCode::AlreadyThere => CanTakeOver::Yes,
        RefusalCode::NeedsAttestation | RefusalCode::JournalLost => CanTakeOver::Unknown,
        _ => CanTakeOver::No,
    })
}

fn takeover(world: &World, seen: &Observation, target: &NodeName) -> Result<Plan, Refusal> {
    let request = Request {
        kind: MoveKind::Takeover,
        goal: Placement::ActiveOn(target.clone()),
        attested: Vec::new(),
        may_fence: true,
        accepts_old_data: false,
    };
    plan(world.config, seen, &request, &[])
}

/// What the plan, or its refusal, says of the node that would be dead.
fn judged(
    world: &World,
    node: &NodeName,
    planned: &Result<Plan, Refusal>,
    of: impl Fn(RefusalCode) -> CanTakeOver,
) -> (CanTakeOver, Option<Examined>) {
    let id = CheckId::LettingGo;
    let refusal = match planned {
        Ok(plan) => {
            let by = plan.proofs.iter().find_map(|proof| match proof {
                PlannedProof::Fence {
                    node: fenced,
                    device,
                    ..
                } if fenced == node => Some(Evidence::thing(device)),
                _ => None,
            });
            return (CanTakeOver::Yes, by.map(|by| Examined::pass(id, node, by)));
        }
        Err(refusal) => refusal,
    };
    let can = of(refusal.code);
    let way = (can == CanTakeOver::Unknown).then(|| {
        let because = match refusal.code {
            RefusalCode::JournalLost => OnlyAPerson::JournalLost,
            _ if !world.config.somebody_may_attest() => OnlyAPerson::NobodyListed,
            _ if world.fences(node).is_empty() => OnlyAPerson::NoFence,
            _ => OnlyAPerson::NoFenceAnswers,
        };
        let seen = Evidence::NeedsAPerson { because };
        Examined::open(id, node, CheckStatus::Unknown, seen)
    });
    (can, way)
}

/// What `target` would see if `node` lost its power now: no word of it and of anything on it. Its fences are seen as they are.
fn dead(seen: &Observation, node: &NodeName, target: &NodeName) -> Observation {
    let mut seen = seen.clone();
    seen.observer = target.clone();
    if let Some(view) = seen.nodes.get_mut(node) {
        view.agent = AgentView::Silent {
            paths_tried: Vec::new(),
            late: false,
        };
        view.address = AddressAnswer::Nobody;
    }
    seen.probes.clear();
    for neighbour in &mut seen.neighbours {
        let why = Why::AgentSilent;
        neighbour.on.insert(node.clone(), Known::Unknown { why });
        let served_there = |by: &Option<NodeName>| by.as_ref().is_none_or(|by| by == node);
        neighbour.probes.retain(|p| !served_there(&p.node));
    }
    seen
}
