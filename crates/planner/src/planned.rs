//! "Bring the service to that placement": from what is seen to the steps, or to a refusal.

use crate::evidence;
use crate::guards;
use crate::steps::Graph;
use crate::takeover::Asked;
use crate::world::{Grip, World};
use siaga_model::NodeName;
use siaga_model::config::Config;
use siaga_model::observation::Observation;
use siaga_model::plan::{Action, MoveKind, Placement, Plan, PlannedProof, Request};
use siaga_model::proof::{Ground, ProofRecord};
use siaga_model::refusal::{Advice, Refusal, RefusalCode, Sentence};

/// The steps that bring the service from what is seen to `request.goal`, or why not. Pure. The coordinator is
/// `observation.observer`. `proofs`: what this run has obtained already; the same way is taken again where it is
/// still open, and every step verifies again.
pub fn plan(
    config: &Config,
    observation: &Observation,
    request: &Request,
    proofs: &[ProofRecord],
) -> Result<Plan, Refusal> {
    let world = World::new(config, observation)?;
    guards::refuse_other_run(&world, request)?;
    guards::refuse_two_holders(&world)?;
    let planner = Planner {
        world: &world,
        request,
        proofs,
    };
    match (&request.goal, request.kind) {
        (Placement::ActiveOn(target), MoveKind::Restart) => planner.restart(target),
        (Placement::ActiveOn(target), _) => planner.bring_to(target),
        (Placement::Stopped, _) => planner.stop(),
    }
}

/// One question to the planner.
pub(crate) struct Planner<'a> {
    pub world: &'a World<'a>,
    pub request: &'a Request,
    pub proofs: &'a [ProofRecord],
}

impl Planner<'_> {
    fn bring_to(&self, target: &NodeName) -> Result<Plan, Refusal> {
        let world = self.world;
        if world.config.node(target).is_none() {
            return Err(no_such_node(target));
        }
        self.refuse_by_kind(target)?;
        guards::refuse_address_conflict(world, self.request)?;
        let old_data = guards::old_data(world, self.request, target)?;
        guards::refuse_lost_journal(world, self.request)?;
        let others = world.others(target);
        let in_the_way = |n: &&&NodeName| {
            !matches!(
                world.grip(n),
                Grip::Free | Grip::Silent | Grip::CutOff { .. }
            )
        };
        let in_the_way: Vec<_> = others.iter().filter(in_the_way).copied().collect();
        // What runs is not touched: the others let go of what they have left.
        if world.is_complete(target) && in_the_way.iter().all(|n| world.grip(n) == Grip::Holds) {
            return Ok(self.finish(target, &in_the_way));
        }
        let mut letting_go = Vec::new();
        for node in others {
            let asked = Asked {
                world,
                request: self.request,
                proofs: self.proofs,
                target,
                node,
            };
            letting_go.push(asked.let_go()?);
        }
        guards::refuse_unfenced(world, target, &letting_go)?;
        Ok(self.move_to(target, letting_go, old_data))
    }

    /// What each verb demands of the world before anything else.
    fn refuse_by_kind(&self, target: &NodeName) -> Result<(), Refusal> {
        let world = self.world;
        match self.request.kind {
            MoveKind::Switchover | MoveKind::Failback => self.refuse_unplanned(target),
            MoveKind::Drill => {
                let preferred = &world.service.preferred_node;
                if target != preferred
                    && !self.released_by_all_but(target)
                    && let Some(active) = world.active().filter(|a| *a != preferred)
                {
                    return Err(self.not_on_preferred(active));
                }
                self.refuse_unplanned(target)
            }
            // What another node has left of it (an address, at most) is taken away by a start.
            MoveKind::Start if self.left_elsewhere(target) => Ok(()),
            MoveKind::Takeover | MoveKind::Start if world.is_complete(target) => {
                Err(guards::already_there(world, target))
            }
            MoveKind::Takeover
            | MoveKind::Start
            | MoveKind::Resume
            | MoveKind::Abort
            | MoveKind::Restore
            | MoveKind::Cover
            | MoveKind::Restart
            | MoveKind::Stop => Ok(()),
        }
    }

    fn left_elsewhere(&self, target: &NodeName) -> bool {
        let others = self.world.others(target);
        others.iter().any(|n| self.world.grip(n) == Grip::Holds)
    }

    /// A planned move needs every agent, and a service that runs somewhere else.
    fn refuse_unplanned(&self, target: &NodeName) -> Result<(), Refusal> {
        let world = self.world;
        if world.is_ready(target) {
            return Err(guards::already_there(world, target));
        }
        if let Some(silent) = world.silent().next() {
            return Err(guards::peer_silent(world, silent));
        }
        match world.active().filter(|a| world.is_ready(a)) {
            Some(source) => guards::refuse_astray(world, source, target),
            // In the middle of this very run it runs nowhere: one node has let go, the other one does not serve yet.
            None if self.released_by_all_but(target) => Ok(()),
            None => Err(guards::not_running(world)),
        }
    }

    /// Did every node but `target` let go of the service in this run? Then `target` may hold something of it already.
    fn released_by_all_but(&self, target: &NodeName) -> bool {
        let world = self.world;
        let released = |node: &NodeName| {
            let of_it = |p: &ProofRecord| {
                p.service == world.service.name && &p.node == node && p.ground == Ground::Released
            };
            self.proofs.iter().any(of_it) && world.grip(node) == Grip::Free
        };
        let others = world.others(target);
        !others.is_empty() && others.into_iter().all(released)
    }

    fn not_on_preferred(&self, active: &NodeName) -> Refusal {
        let service = self.world.name();
        Refusal {
            code: RefusalCode::NotOnPreferred,
            sentence: Sentence::RefusedNotOnPreferred {
                service: service.clone(),
                active: active.clone(),
                preferred: self.world.service.preferred_node.clone(),
            },
            evidence: evidence::of_node(self.world, active),
            next: vec![Advice::Failback { service }],
        }
    }

    fn stop(&self) -> Result<Plan, Refusal> {
        let world = self.world;
        let holders = world.holders();
        if holders.is_empty() {
            // Only leftovers, or nothing: the service may be on a node that can't be asked.
            if let Some(silent) = world.silent().next() {
                return Err(guards::peer_silent(world, silent));
            }
            self.refuse_unknown(world.nodes().map(|n| &n.name))?;
        }
        self.refuse_unknown(holders.into_iter())?;
        let mut nodes: Vec<NodeName> = world
            .nodes()
            .map(|n| n.name.clone())
            .filter(|n| world.grip(n) == Grip::Holds)
            .collect();
        // A run that rests and finds its goal reached is brought to its end: every node promises so, and it is over.
        let rests = matches!(self.request.kind, MoveKind::Resume | MoveKind::Abort);
        let reached = nodes.is_empty() && rests;
        if reached {
            nodes = world.nodes().map(|n| n.name.clone()).collect();
        }
        let Some(first) = nodes.first() else {
            return Err(self.already_stopped());
        };
        for node in &nodes {
            guards::refuse_stranger(world, node)?;
        }
        guards::refuse_lost_journal(world, self.request)?;
        let mut graph = Graph::default();
        let mut enlisted = Vec::new();
        for node in &nodes {
            enlisted.push((node.clone(), graph.add(node, Action::Enlist, &[])));
        }
        for node in &nodes {
            self.release(&mut graph, node, &enlisted);
        }
        let service = world.name();
        let node = world.active().unwrap_or(first).clone();
        let sentence = match reached {
            true => Sentence::ServiceStopped { service },
            false => Sentence::WillStop { service, node },
        };
        let proofs = nodes
            .into_iter()
            .map(|node| PlannedProof::Release { node })
            .collect();
        Ok(self.made(graph, proofs, sentence, self.unseen()))
    }

    /// "Let go" can't be proved of a node that can't tell what it holds.
    fn refuse_unknown<'n>(
        &self,
        mut nodes: impl Iterator<Item = &'n NodeName>,
    ) -> Result<(), Refusal> {
        let found = nodes.find_map(|node| match self.world.grip(node) {
            Grip::Unknown { why } => Some((node, why)),
            Grip::Free | Grip::Holds | Grip::CutOff { .. } | Grip::Silent => None,
        });
        let Some((node, why)) = found else {
            return Ok(());
        };
        Err(Refusal {
            code: RefusalCode::HoldingUnknown,
            sentence: Sentence::NodeHoldingUnknown {
                node: node.clone(),
                why,
            },
            evidence: evidence::of_node(self.world, node),
            next: vec![Advice::Diagnose, Advice::Check],
        })
    }

    /// Nothing is left to stop, and nobody goes on with a run.
    fn already_stopped(&self) -> Refusal {
        let service = self.world.name();
        Refusal {
            code: RefusalCode::AlreadyThere,
            sentence: Sentence::ServiceStopped {
                service: service.clone(),
            },
            evidence: self
                .world
                .nodes()
                .flat_map(|n| evidence::of_node(self.world, &n.name))
                .collect(),
            next: vec![Advice::Start { service }],
        }
    }

    /// In place: the node goes on holding the disk set, so nobody else has to let go.
    fn restart(&self, node: &NodeName) -> Result<Plan, Refusal> {
        let world = self.world;
        if world.config.node(node).is_none() {
            return Err(no_such_node(node));
        }
        guards::refuse_unable_target(world, node)?;
        if !world.is_mounted(node) {
            return Err(guards::not_running(world));
        }
        guards::refuse_lost_journal(world, self.request)?;
        let mut graph = Graph::default();
        let enlist = graph.add(node, Action::Enlist, &[]);
        let stopped = graph.stop(node, world.service, &[enlist]);
        let database = graph.add(node, Action::StartDatabase, &[stopped]);
        graph.serve(node, world.service, database);
        let sentence = Sentence::WillRestart {
            service: world.name(),
            node: node.clone(),
        };
        let mut unproved = vec![
            Sentence::DatabaseStartNotTried { node: node.clone() },
            Sentence::ClientNotTried,
        ];
        unproved.extend(self.unseen());
        Ok(self.made(graph, Vec::new(), sentence, unproved))
    }

    /// Nodes that could not be asked, or could not tell.
    fn unseen(&self) -> Vec<Sentence> {
        let world = self.world;
        let said = world.nodes().filter_map(|n| {
            let node = n.name.clone();
            match world.grip(&node) {
                Grip::Silent => Some(world.silence(&node)),
                Grip::Unknown { why } => Some(Sentence::NodeHoldingUnknown { node, why }),
                Grip::Free | Grip::Holds | Grip::CutOff { .. } => None,
            }
        });
        said.collect()
    }

    pub(crate) fn made(
        &self,
        graph: Graph,
        proofs: Vec<PlannedProof>,
        sentence: Sentence,
        unproved: Vec<Sentence>,
    ) -> Plan {
        Plan {
            service: self.world.name(),
            kind: self.request.kind,
            goal: self.request.goal.clone(),
            from: self.world.last_on().cloned(),
            proofs,
            hits: Vec::new(),
            steps: graph.into_steps(),
            sentence,
            unproved,
        }
    }
}

fn no_such_node(node: &NodeName) -> Refusal {
    Refusal {
        code: RefusalCode::NoSuchThing,
        sentence: Sentence::RefusedNoSuchNode { node: node.clone() },
        evidence: Vec::new(),
        next: Vec::new(),
    }
}
