//! The steps of a move: every other node lets go, and the target takes, mounts and starts.

use crate::guards::OldData;
use crate::neighbours;
use crate::planned::Planner;
use crate::steps::{Graph, LetGo};
use crate::world::Grip;
use siaga_model::config::FenceKind;
use siaga_model::observation::DatabaseState;
use siaga_model::observation::FenceState;
use siaga_model::plan::{Action, MoveKind, Plan, PlannedProof};
use siaga_model::refusal::Sentence;
use siaga_model::{NodeName, StepId};

/// A node that is to obey the mandate, and the step by which it comes to.
type Enlisted = (NodeName, StepId);

impl Planner<'_> {
    /// The service runs on the target: what the others have left over goes, and what comes after the database is done.
    pub(crate) fn finish(&self, target: &NodeName, left_over: &[&NodeName]) -> Plan {
        let (world, service) = (self.world, self.world.service);
        let mut graph = Graph::default();
        let mut enlisted: Vec<Enlisted> = Vec::new();
        for node in left_over.iter().copied().chain([target]) {
            enlisted.push((node.clone(), graph.add(node, Action::Enlist, &[])));
        }
        let mut last = enlisted.last().map_or(StepId(0), |(_, id)| *id);
        for node in left_over {
            last = self.release(&mut graph, node, &enlisted).disk;
        }
        if world.applications_run(target) {
            graph.test(target, service, last);
        } else {
            graph.serve(target, service, last);
        }
        let sentence = Sentence::ServiceRuns {
            service: world.name(),
            node: target.clone(),
        };
        let release = |node: &&NodeName| PlannedProof::Release {
            node: (*node).clone(),
        };
        let letting_go = left_over.iter().map(release).collect();
        self.made(graph, letting_go, sentence, vec![Sentence::ClientNotTried])
    }

    pub(crate) fn move_to(
        &self,
        target: &NodeName,
        letting_go: Vec<PlannedProof>,
        old_data: Option<OldData>,
    ) -> Plan {
        let service = self.world.service;
        let mut graph = Graph::default();
        let released = letting_go.iter().filter_map(|p| match p {
            PlannedProof::Release { node } => Some(node),
            PlannedProof::Fence { .. } | PlannedProof::Attested { .. } => None,
        });
        // Nobody stops anything before everybody obeys the mandate.
        let mut enlisted: Vec<Enlisted> = Vec::new();
        for node in released.chain([target]) {
            enlisted.push((node.clone(), graph.add(node, Action::Enlist, &[])));
        }
        let here = enlisted.last().map_or(StepId(0), |(_, id)| *id);
        let gone: Vec<LetGo> = letting_go
            .iter()
            .map(|proof| self.let_go(&mut graph, proof, &enlisted))
            .collect();
        let cleared = self.clear(&mut graph, target, here);

        let mut before: Vec<StepId> = gone.iter().map(|g| g.disk).collect();
        before.push(cleared.unwrap_or(here));
        if let Some(OldData { resource, state }) = old_data.clone() {
            // After the proofs: a fence that fails needs no decision about data.
            let accept = Action::AcceptOldData { resource, state };
            before = vec![graph.add(target, accept, &before)];
        }
        let take = graph.add(target, Action::Take, &before);
        before = gone.iter().map(|g| g.address).collect();
        before.push(here);
        let address = graph.add(target, Action::AddVirtualIp, &before);
        let mount = graph.add(target, Action::Mount, &[take]);
        let database = graph.add(target, Action::StartDatabase, &[mount, address]);
        graph.serve(target, service, database);

        let sentence = self.move_sentence(target, &letting_go);
        let hits = neighbours::hits(self.world, &letting_go);
        let mut unproved = self.unproved_fences(&letting_go);
        if let Some(OldData { resource, state }) = old_data {
            // First: what is lost.
            let node = target.clone();
            let lost = Sentence::OldDataLost {
                node,
                resource,
                state,
            };
            unproved.insert(0, lost);
        }
        unproved.push(Sentence::MountNotTried {
            node: target.clone(),
        });
        unproved.push(Sentence::DatabaseStartNotTried {
            node: target.clone(),
        });
        unproved.push(Sentence::ClientNotTried);
        Plan {
            hits,
            ..self.made(graph, letting_go, sentence, unproved)
        }
    }

    /// The steps by which one other node lets go.
    fn let_go(&self, graph: &mut Graph, proof: &PlannedProof, enlisted: &[Enlisted]) -> LetGo {
        let me = &self.world.seen.observer;
        let forced = |id| LetGo {
            disk: id,
            address: id,
        };
        match proof {
            PlannedProof::Release { node } => self.release(graph, node, enlisted),
            PlannedProof::Fence {
                node,
                device,
                fence,
            } => {
                let (victim, device) = (node.clone(), device.clone());
                // Waits for nothing: it is what takes longest.
                let action = Action::Fence {
                    wait_ms: self.hold_back_ms(node, &device, *fence),
                    victim,
                    device,
                    fence: *fence,
                };
                forced(graph.add(me, action, &[]))
            }
            PlannedProof::Attested { node, how } => forced(graph.add(
                me,
                Action::Attest {
                    victim: node.clone(),
                    how: *how,
                },
                &[],
            )),
        }
    }

    /// How long this node waits before it fences `victim`. Both may be about to fence each other, cut apart: who holds the
    /// service does not wait, and of two that do not the first of the configuration waits less. One that is off fences
    /// nobody, and of two that reserve the later one finds the other's key.
    fn hold_back_ms(&self, victim: &NodeName, device: &str, fence: FenceKind) -> u64 {
        let me = &self.world.seen.observer;
        let view = self.world.fence_view(victim, device);
        let off = view.is_some_and(|v| v.state == FenceState::Fenced);
        if fence == FenceKind::Reservation || off || self.world.is_mounted(me) {
            return 0;
        }
        let nodes = &self.world.config.nodes;
        let place = nodes.iter().position(|n| &n.name == me).unwrap_or_default();
        let delay = self.world.config.policy.fence_delay.as_millis();
        let times = u64::try_from(place).unwrap_or_default() + 1;
        u64::try_from(delay)
            .unwrap_or_default()
            .saturating_mul(times)
    }

    pub(crate) fn release(
        &self,
        graph: &mut Graph,
        node: &NodeName,
        enlisted: &[Enlisted],
    ) -> LetGo {
        let own: Vec<StepId> = enlisted
            .iter()
            .filter(|(n, _)| n == node)
            .map(|(_, id)| *id)
            .collect();
        if self.world.grip(node) == Grip::Free {
            // It holds nothing: the promise alone is the proof.
            let release = graph.add(node, Action::Release, &own);
            return LetGo {
                disk: release,
                address: release,
            };
        }
        let mut gates: Vec<StepId> = enlisted.iter().map(|(_, id)| *id).collect();
        if self.checkpoints(node) {
            let checkpoint = graph.add(node, Action::Checkpoint, &own);
            gates.retain(|id| !own.contains(id));
            gates.push(checkpoint);
        }
        graph.release_all(node, self.world.service, &gates)
    }

    /// Writing back first makes the stop short. In need there is no time for it.
    fn checkpoints(&self, node: &NodeName) -> bool {
        let planned = match self.request.kind {
            MoveKind::Switchover | MoveKind::Failback | MoveKind::Drill | MoveKind::Stop => true,
            MoveKind::Takeover
            | MoveKind::Restart
            | MoveKind::Start
            | MoveKind::Resume
            | MoveKind::Abort
            | MoveKind::Restore
            | MoveKind::Cover => false,
        };
        planned && self.world.is_ready(node)
    }

    /// What is left on the target that must not be gone on with: a mount that may be older than what another node wrote
    /// (its way to the storage was cut and is back, without a boot between); a database that is shutting down or hung,
    /// since a stop can't be taken back.
    fn clear(&self, graph: &mut Graph, target: &NodeName, here: StepId) -> Option<StepId> {
        let world = self.world;
        if world.has_mount(target) && !world.is_newest_taker(target) {
            let stopped = graph.stop(target, world.service, &[here]);
            return Some(graph.add(target, Action::Unmount, &[stopped]));
        }
        match &world.facts(target)?.database {
            DatabaseState::NotServing { .. } | DatabaseState::Unknown { .. } => {
                Some(graph.stop(target, world.service, &[here]))
            }
            DatabaseState::Stopped | DatabaseState::Starting { .. } | DatabaseState::Ready => None,
        }
    }

    /// What is not tried of each fence, and which other services are on a node that is forced.
    fn unproved_fences(&self, letting_go: &[PlannedProof]) -> Vec<Sentence> {
        let mut said = Vec::new();
        for proof in letting_go {
            match proof {
                PlannedProof::Release { .. } => {}
                PlannedProof::Fence {
                    node,
                    device,
                    fence,
                } => {
                    said.push(Sentence::FenceNotTried {
                        node: node.clone(),
                        device: device.clone(),
                    });
                    let there = neighbours::there(self.world, node)
                        .filter(|_| neighbours::hits_the_node(*fence));
                    said.extend(there.map(|n| Sentence::FenceHitsService {
                        node: node.clone(),
                        service: n.service.clone(),
                    }));
                }
                // A person did something to the node, and this plan does nothing: it needs no other mandate.
                PlannedProof::Attested { node, .. } => {
                    let there = neighbours::there(self.world, node);
                    said.extend(there.map(|n| Sentence::AttestedMayCarry {
                        node: node.clone(),
                        service: n.service.clone(),
                    }));
                }
            }
        }
        said
    }

    fn move_sentence(&self, target: &NodeName, letting_go: &[PlannedProof]) -> Sentence {
        let (service, to) = (self.world.name(), target.clone());
        let forced = letting_go.iter().find_map(|p| match p {
            PlannedProof::Fence { node, .. } | PlannedProof::Attested { node, .. } => Some(node),
            PlannedProof::Release { .. } => None,
        });
        if let Some(from) = forced {
            return Sentence::WillTakeOver {
                service,
                from: from.clone(),
                to,
            };
        }
        match self.world.active().filter(|a| *a != target) {
            Some(from) if self.request.kind == MoveKind::Takeover => Sentence::WillTakeOver {
                service,
                from: from.clone(),
                to,
            },
            Some(from) => Sentence::WillMove {
                service,
                from: from.clone(),
                to,
            },
            None => Sentence::WillStart { service, node: to },
        }
    }
}
