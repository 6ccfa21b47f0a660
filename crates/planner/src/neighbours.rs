//! The other services on a node that is to be fenced. No configured device hits one service alone: a power fence stops
//! the machine, and a fabric fence cuts its way to the storage as a whole. So every service that is there is hit, and
//! what can't be told counts as there.

use crate::evidence;
use crate::takeover::Asked;
use crate::world::World;
use siaga_model::NodeName;
use siaga_model::config::FenceKind;
use siaga_model::observation::{Known, Neighbour, NeighbourRun, Presence, ProbeSighting};
use siaga_model::plan::{Hit, PlannedProof};
use siaga_model::refusal::{Advice, Refusal, RefusalCode, Sentence};

/// The services whose mandates the fences among `letting_go` need: every other one of the site. One that is seen to
/// have nothing there may be brought there before the fence; under its mandate it can't.
pub(crate) fn hits(world: &World, letting_go: &[PlannedProof]) -> Vec<Hit> {
    let mut hits = Vec::new();
    for proof in letting_go {
        if let PlannedProof::Fence { node, fence, .. } = proof
            && hits_the_node(*fence)
        {
            hits.extend(all(world).map(|n| Hit {
                victim: node.clone(),
                service: n.service.clone(),
            }));
        }
    }
    hits
}

/// A reservation hits the disk set of one service, and nothing else that is on the node.
pub(crate) fn hits_the_node(fence: FenceKind) -> bool {
    match fence {
        FenceKind::Power | FenceKind::Fabric => true,
        FenceKind::Reservation => false,
    }
}

/// The other services, in the configuration's order.
fn all<'a>(world: &World<'a>) -> impl Iterator<Item = HitService<'a>> + use<'a> {
    let world = *world;
    let others = world.config.services.iter();
    others
        .filter(move |s| s.name != world.service.name)
        .map(move |s| HitService {
            service: &s.name,
            seen: world.seen.neighbours.iter().find(|n| n.service == s.name),
        })
}

/// Those that are, or may be, on `node`.
pub(crate) fn there<'a>(
    world: &World<'a>,
    node: &NodeName,
) -> impl Iterator<Item = HitService<'a>> + use<'a> {
    let node = node.clone();
    all(world).filter(move |hit| !hit.is_absent(&node))
}

/// A configured service, and what was seen of it.
#[derive(Clone, Copy)]
pub(crate) struct HitService<'a> {
    pub service: &'a siaga_model::ServiceName,
    seen: Option<&'a Neighbour>,
}

impl HitService<'_> {
    /// Known to have nothing there. What was not looked at is not known.
    fn is_absent(&self, node: &NodeName) -> bool {
        let on = self.seen.and_then(|n| n.on.get(node));
        on.is_some_and(|p| p.is(&Presence::Absent))
    }
}

/// What stands against fencing the node for the sake of the service that is asked for.
pub(crate) fn refuse_fence(asked: &Asked) -> Result<(), Refusal> {
    for hit in all(asked.world) {
        let Some(seen) = hit.seen else { continue };
        if !hit.is_absent(asked.node) && works_there(asked.world, seen, asked.node) {
            return Err(works(asked, seen));
        }
        if let Some(run) = seen.run.as_ref().filter(|r| acts_on(r, asked.node)) {
            return Err(in_progress(asked, seen, run));
        }
    }
    Ok(())
}

/// Its agent says that the database is ready there (which counts for nothing once a device has cut it from the
/// storage), or a fresh client probe says that it is served from there.
fn works_there(world: &World, seen: &Neighbour, node: &NodeName) -> bool {
    let ready = world.cut_off_by(node).is_none()
        && seen.on.get(node).is_some_and(|p| p.is(&Presence::Running));
    ready || serving(world, seen, node).is_some()
}

/// A fresh probe that is served by this node, or by one that it can't name: the service is not known to be elsewhere.
fn serving<'a>(world: &World, seen: &'a Neighbour, node: &NodeName) -> Option<&'a ProbeSighting> {
    seen.probes.iter().find(|probe| {
        probe.serving
            && world.is_fresh(probe)
            && probe.node.as_ref().is_none_or(|named| named == node)
    })
}

/// What can't be told of a run counts as acting there.
fn acts_on(run: &NeighbourRun, node: &NodeName) -> bool {
    match &run.acts_on {
        Known::Known(nodes) => nodes.contains(node),
        Known::Unknown { .. } => true,
    }
}

fn works(asked: &Asked, seen: &Neighbour) -> Refusal {
    let (node, service) = (asked.node.clone(), seen.service.clone());
    let mut next = vec![Advice::Switchover {
        service: service.clone(),
    }];
    next.extend(asked.attest_advice());
    next.push(Advice::Diagnose);
    let sentence = Sentence::RefusedFenceHitsRunning { node, service };
    let mut refusal = asked.refuse(RefusalCode::HolderOfRunningService, sentence, next);
    let probes = seen.probes.iter().map(|p| evidence::probe(asked.world, p));
    refusal.evidence.splice(0..0, probes);
    refusal
}

fn in_progress(asked: &Asked, seen: &Neighbour, run: &NeighbourRun) -> Refusal {
    let run = &run.run;
    let sentence = Sentence::RunBy {
        run: run.run.clone(),
        actor: run.actor.clone(),
        since: run.since,
        coordinator: run.coordinator.clone(),
    };
    Refusal {
        code: RefusalCode::RunInProgress,
        sentence,
        evidence: vec![Sentence::FenceHitsService {
            node: asked.node.clone(),
            service: seen.service.clone(),
        }],
        next: vec![Advice::WaitForRun {
            run: run.run.clone(),
        }],
    }
}

/// A fresh client probe of another service that names this node: the machine is not off.
pub(crate) fn served_there(world: &World, node: &NodeName) -> Option<Sentence> {
    let probes = world.seen.neighbours.iter().flat_map(|n| &n.probes);
    let mut served =
        probes.filter(|p| p.serving && world.is_fresh(p) && p.node.as_ref() == Some(node));
    served.next().map(|p| evidence::probe(world, p))
}
