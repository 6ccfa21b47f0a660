//! What an agent of the simulated site can know at one moment.

use crate::cluster::{Cluster, name_of};
use crate::hands::{boot_id, fence_state, lock, own_facts};
use crate::setup::address;
use crate::world::{NODES, World};
use siaga_model::config::FenceKind;
use siaga_model::event::EventBody;
use siaga_model::observation::{
    AddressAnswer, AddressSighting, AgentView, DatabaseState, DiskSighting, FenceState, FenceView,
    Holding, Known, LedgerFacts, Neighbour, NeighbourRun, NodeFacts, NodeView, Observation, Power,
    Presence, ProbeSighting, RunInProgress,
};
use siaga_model::plan::{MandatedPlan, Placement};
use siaga_model::run::RunOutcome;
use siaga_model::{NodeName, RunId, UtcMicros};
use std::collections::BTreeMap;

impl Cluster {
    fn unfinished(&self, node: usize, service: usize) -> Option<RunInProgress> {
        let world = lock(&self.world);
        let plan = newest_plan(&world, service)?;
        let open = match end_of(&world, service, &plan.epoch.run) {
            None | Some(RunOutcome::Stuck { .. }) => true,
            Some(_) => false,
        };
        let live = self.agents[node].live[service]
            .as_ref()
            .is_some_and(|l| l.run.spec().run == plan.epoch.run);
        (open
            && (live
                || knows(
                    &world.machines[node].parts[service].journal,
                    &plan.epoch.run,
                )))
        .then(|| RunInProgress {
            run: plan.epoch.run.clone(),
            epoch: plan.epoch.clone(),
            coordinator: plan.coordinator.clone(),
            since: UtcMicros(0),
            covers: None,
            actor: "siti".into(),
            live: live && plan.coordinator.as_str() == NODES[node],
            goal: Some(plan.plan.goal.clone()),
            home: plan.plan.from.clone().map(Placement::ActiveOn),
        })
    }

    fn facts(&self, node: usize, service: usize) -> NodeFacts {
        let ledger = LedgerFacts {
            unfinished: self.unfinished(node, service),
            ..self.agents[node].benches[service].lock().ledger.facts()
        };
        let world = lock(&self.world);
        let own = own_facts(&world.machines[node], service);
        NodeFacts {
            boot: boot_id(node, world.machines[node].boot),
            disk: own.disk,
            mounts: own.mounts,
            virtual_ips: own.virtual_ips,
            database: own.database,
            applications: own.applications,
            ledger,
            unable: None,
            astray: Vec::new(),
        }
    }

    /// What `me` can know of a service now.
    pub fn observe(&self, me: usize, service: usize) -> Observation {
        let mut nodes = BTreeMap::new();
        for (i, node) in NODES.iter().enumerate() {
            let agent = if self.reaches(me, i) {
                AgentView::Answered {
                    paths: vec!["a".into()],
                    facts: Box::new(self.facts(i, service)),
                }
            } else {
                AgentView::Silent {
                    paths_tried: vec!["a".into()],
                    late: false,
                }
            };
            let world = lock(&self.world);
            let m = &world.machines[i];
            let name = NodeName::from(*node);
            let fences: Vec<FenceView> = self
                .config
                .node(&name)
                .map(|n| n.fences.clone())
                .unwrap_or_default()
                .into_iter()
                .filter(|_| i != me)
                .map(|f| FenceView {
                    state: fence_state(m, &f.name),
                    name: f.name,
                    kind: f.kind,
                })
                .collect();
            let power =
                fences
                    .iter()
                    .find(|f| f.kind == FenceKind::Power)
                    .map_or(Power::Unknown, |f| match f.state {
                        FenceState::Open => Power::On,
                        FenceState::Fenced => Power::Off,
                        FenceState::Failed { .. } => Power::Unknown,
                    });
            let address = match () {
                () if i == me => AddressAnswer::Mine,
                () if m.answers() && world.link => AddressAnswer::Node {
                    node: name.clone(),
                    hardware: format!("02:00:00:00:00:0{}", i + 1),
                },
                () => AddressAnswer::Nobody,
            };
            nodes.insert(
                name,
                NodeView {
                    agent,
                    power,
                    fences,
                    address,
                },
            );
        }
        let others = (0..self.config.services.len()).filter(|s| *s != service);
        let neighbours = others.map(|s| self.neighbour(me, s)).collect();
        let world = lock(&self.world);
        Observation {
            service: name_of(service),
            observer: NODES[me].into(),
            at: UtcMicros(world.clock),
            nodes,
            probes: probes(&world, service),
            addresses: vec![AddressSighting {
                address: address(service),
                answer: vip_answer(&world, me, service),
            }],
            disk: DiskSighting::NotLooked {
                why: "not simulated".into(),
            },
            neighbours,
        }
    }

    /// What `me` can know of another service.
    fn neighbour(&self, me: usize, service: usize) -> Neighbour {
        let other = 1 - me;
        let facts = self.reaches(me, other).then(|| self.facts(other, service));
        let own = self.facts(me, service);
        let runs_here =
            own.database == DatabaseState::Ready && matches!(own.disk, Holding::Held { .. });
        let presence = match &facts {
            Some(facts) => presence(facts),
            None if runs_here => Known::Known(Presence::Absent),
            None => Known::Unknown {
                why: "it does not answer".into(),
            },
        };
        let ledgers = [Some(own), facts].into_iter().flatten().map(|f| f.ledger);
        let ledgers: Vec<LedgerFacts> = ledgers.collect();
        let run = ledgers
            .iter()
            .filter_map(|l| l.unfinished.clone())
            .find(|u| u.live);
        let world = lock(&self.world);
        let plan = newest_plan(&world, service);
        Neighbour {
            service: name_of(service),
            on: [(NODES[other].into(), presence)].into(),
            run: run.map(|run| NeighbourRun {
                acts_on: plan
                    .filter(|p| p.epoch == run.epoch)
                    .map_or(Known::Unknown { why: "new".into() }, |p| {
                        Known::Known(p.plan.nodes())
                    }),
                run,
            }),
            probes: probes(&world, service),
            mandates: ledgers.into_iter().filter_map(|l| l.highest).collect(),
        }
    }
}

/// What a machine's own agent says that it has.
fn presence(facts: &NodeFacts) -> Known<Presence> {
    let up = facts.mounts.iter().any(|m| m.mounted)
        || facts.virtual_ips.iter().any(|v| v.present)
        || facts.applications.iter().any(|a| a.running.is(&true));
    match (&facts.database, &facts.disk) {
        (DatabaseState::Ready, _) => Known::Known(Presence::Running),
        (_, Holding::Unknown { why }) => Known::Unknown { why: why.clone() },
        (_, Holding::Free) if !up => Known::Known(Presence::Absent),
        _ => Known::Known(Presence::Held),
    }
}

/// The plan of a service with the highest mandate, in any journal.
pub(crate) fn newest_plan(world: &World, service: usize) -> Option<MandatedPlan> {
    world
        .machines
        .iter()
        .flat_map(|m| &m.parts[service].journal)
        .filter_map(|b| match b {
            EventBody::PlanRecorded { plan } => Some((**plan).clone()),
            _ => None,
        })
        .max_by_key(|p| p.epoch.counter)
}

fn knows(journal: &[EventBody], run: &RunId) -> bool {
    journal
        .iter()
        .any(|b| matches!(b, EventBody::PlanRecorded { plan } if &plan.epoch.run == run))
}

/// How a run ended, if it did after its newest plan. Runs end on one node, in its journal's order.
fn end_of(world: &World, service: usize, run: &RunId) -> Option<RunOutcome> {
    world.machines.iter().find_map(|m| {
        let mut current = false;
        let mut ended = None;
        for body in &m.parts[service].journal {
            match body {
                EventBody::PlanRecorded { plan } => {
                    current = &plan.epoch.run == run;
                    if current {
                        ended = None;
                    }
                }
                EventBody::RunEnded { outcome, .. } if current => ended = Some(outcome.clone()),
                _ => {}
            }
        }
        ended
    })
}

fn probes(world: &World, service: usize) -> Vec<ProbeSighting> {
    if !world.probe {
        return Vec::new();
    }
    let serving = world.serving(service);
    vec![ProbeSighting {
        probe: "client1".into(),
        age_ms: 50,
        serving: serving.is_some(),
        answered_by: serving.map(|i| format!("02:00:00:00:00:0{}", i + 1)),
        node: serving.map(|i| NODES[i].into()),
    }]
}

fn vip_answer(world: &World, me: usize, service: usize) -> AddressAnswer {
    let holder = (0..2).find(|i| {
        let m = &world.machines[*i];
        m.answers() && m.parts[service].address
    });
    match holder {
        Some(i) if i == me => AddressAnswer::Mine,
        Some(i) => AddressAnswer::Node {
            node: NODES[i].into(),
            hardware: format!("02:00:00:00:00:0{}", i + 1),
        },
        None => AddressAnswer::Nobody,
    }
}
