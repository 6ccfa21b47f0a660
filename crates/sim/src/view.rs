//! What an agent of the simulated site can know at one moment.

use crate::cluster::{Cluster, service};
use crate::hands::{boot_id, fence_state, lock, own_facts};
use crate::world::{NODES, World};
use siaga_model::config::FenceKind;
use siaga_model::event::EventBody;
use siaga_model::observation::{
    AddressAnswer, AddressSighting, AgentView, DiskSighting, FenceState, FenceView, LedgerFacts,
    NodeFacts, NodeView, Observation, Power, ProbeSighting, RunInProgress,
};
use siaga_model::plan::{MandatedPlan, Placement};
use siaga_model::run::RunOutcome;
use siaga_model::{NodeName, RunId, UtcMicros};
use std::collections::BTreeMap;

impl Cluster {
    fn unfinished(&self, node: usize) -> Option<RunInProgress> {
        let world = lock(&self.world);
        let plan = newest_plan(&world)?;
        let open = match end_of(&world, &plan.epoch.run) {
            None | Some(RunOutcome::Stuck { .. }) => true,
            Some(_) => false,
        };
        let live = self.agents[node]
            .live
            .as_ref()
            .is_some_and(|l| l.run.spec().run == plan.epoch.run);
        (open && (live || knows(&world.machines[node].journal, &plan.epoch.run))).then(|| {
            RunInProgress {
                run: plan.epoch.run.clone(),
                epoch: plan.epoch.clone(),
                coordinator: plan.coordinator.clone(),
                since: UtcMicros(0),
                covers: None,
                actor: "siti".into(),
                live: live && plan.coordinator.as_str() == NODES[node],
                goal: Some(plan.plan.goal.clone()),
                home: plan.plan.from.clone().map(Placement::ActiveOn),
            }
        })
    }

    fn facts(&self, node: usize) -> NodeFacts {
        let ledger = LedgerFacts {
            unfinished: self.unfinished(node),
            ..self.agents[node].bench.lock().ledger.facts()
        };
        let world = lock(&self.world);
        let own = own_facts(&world.machines[node]);
        NodeFacts {
            boot: boot_id(node, world.machines[node].boot),
            disk: own.disk,
            mounts: own.mounts,
            virtual_ips: own.virtual_ips,
            database: own.database,
            applications: own.applications,
            ledger,
        }
    }

    /// What `me` can know now.
    pub fn observe(&self, me: usize) -> Observation {
        let mut nodes = BTreeMap::new();
        for (i, node) in NODES.iter().enumerate() {
            let agent = if self.reaches(me, i) {
                AgentView::Answered {
                    paths: vec!["a".into()],
                    facts: Box::new(self.facts(i)),
                }
            } else {
                AgentView::Silent {
                    paths_tried: vec!["a".into()],
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
        let world = lock(&self.world);
        Observation {
            service: service(),
            observer: NODES[me].into(),
            at: UtcMicros(world.clock),
            nodes,
            probes: probes(&world),
            addresses: vec![AddressSighting {
                address: std::net::IpAddr::from([192, 0, 2, 222]),
                answer: vip_answer(&world, me),
            }],
            disk: DiskSighting::NotLooked {
                why: "not simulated".into(),
            },
        }
    }
}

/// The plan with the highest mandate, in any journal.
pub(crate) fn newest_plan(world: &World) -> Option<MandatedPlan> {
    world
        .machines
        .iter()
        .flat_map(|m| &m.journal)
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
fn end_of(world: &World, run: &RunId) -> Option<RunOutcome> {
    world.machines.iter().find_map(|m| {
        let mut current = false;
        let mut ended = None;
        for body in &m.journal {
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

fn probes(world: &World) -> Vec<ProbeSighting> {
    if !world.probe {
        return Vec::new();
    }
    let serving = world.serving();
    vec![ProbeSighting {
        probe: "client1".into(),
        age_ms: 50,
        serving: serving.is_some(),
        answered_by: serving.map(|i| format!("02:00:00:00:00:0{}", i + 1)),
        node: serving.map(|i| NODES[i].into()),
    }]
}

fn vip_answer(world: &World, me: usize) -> AddressAnswer {
    let holder = (0..2).find(|i| world.machines[*i].answers() && world.machines[*i].address);
    match holder {
        Some(i) if i == me => AddressAnswer::Mine,
        Some(i) => AddressAnswer::Node {
            node: NODES[i].into(),
            hardware: format!("02:00:00:00:00:0{}", i + 1),
        },
        None => AddressAnswer::Nobody,
    }
}
