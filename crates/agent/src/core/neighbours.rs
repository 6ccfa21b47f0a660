//! The site's other services, as far as a fence hits them: what is seen of each, and the mandates that a fence needs.

use super::moves::{in_progress_here, run_by};
use super::observe::{ask_agent, own_facts};
use super::state::Core;
use super::store::{Context, ServiceStore};
use siaga_model::Why;
use siaga_model::config::Service;
use siaga_model::observation::{
    AgentView, DatabaseState, Holding, Known, Neighbour, NeighbourRun, NodeFacts, Presence,
    RunInProgress,
};
use siaga_model::plan::{Hit, HitMandate};
use siaga_model::refusal::Refusal;
use siaga_model::{Epoch, NodeName, RunId, ServiceName};
use siaga_runner::executor::Bench;
use siaga_runner::ledger::{ForFence, LedgerError};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// Every service but `service`.
pub async fn observe(core: &Arc<Core>, service: &Service) -> Vec<Neighbour> {
    let others = core.config.services.iter();
    let looks = others
        .filter(|s| s.name != service.name)
        .map(|s| async { look(core, s).await.neighbour(core, s) });
    futures_util::future::join_all(looks).await
}

/// What the agents say of one service.
pub struct Look {
    own: NodeFacts,
    pub peers: BTreeMap<NodeName, AgentView>,
}

/// Asks every agent about `service`.
pub async fn look(core: &Arc<Core>, service: &Service) -> Look {
    let own = own_facts(core, &service.name);
    let peers = core.others().into_iter().map(|node| async {
        let view = ask_agent(core, &service.name, &node).await;
        (node, view)
    });
    let (own, peers) = tokio::join!(own, futures_util::future::join_all(peers));
    Look {
        own,
        peers: peers.into_iter().collect(),
    }
}

impl Look {
    /// As an observation has it.
    pub fn neighbour(&self, core: &Core, service: &Service) -> Neighbour {
        let facts = |view: &AgentView| view.facts().map(|f| f.ledger.clone());
        let ledgers: Vec<_> = self.peers.values().filter_map(facts).collect();
        let newest = core.log.runs().newest(&service.name).cloned();
        let copied = newest.map(|known| known.plan.epoch);
        let highest = ledgers.iter().filter_map(|l| l.highest.clone());
        Neighbour {
            service: service.name.clone(),
            on: self
                .peers
                .iter()
                .map(|(node, view)| (node.clone(), self.presence(view)))
                .collect(),
            run: self.run(core, service),
            probes: core.probes.sightings(&service.name),
            mandates: highest.chain(copied).collect(),
        }
    }

    /// A node that does not answer may have it, unless it works on this node.
    fn presence(&self, view: &AgentView) -> Known<Presence> {
        match view {
            AgentView::Answered { facts, .. } => presence(facts),
            AgentView::Silent { .. } if runs_with_disk(&self.own) => Known::Known(Presence::Absent),
            AgentView::Silent { late: false, .. } => Known::Unknown {
                why: Why::AgentSilent,
            },
            AgentView::Silent { late: true, .. } => Known::Unknown {
                why: Why::AgentLate,
            },
        }
    }

    /// The run of the service that goes on, here or on a node that answers.
    fn run(&self, core: &Core, service: &Service) -> Option<NeighbourRun> {
        if let Some(live) = core.runs.going_on(&service.name) {
            return Some(NeighbourRun {
                run: in_progress_here(core, &live),
                acts_on: live.acts_on().map_or_else(not_heard, Known::Known),
            });
        }
        let said = self.peers.values().filter_map(|v| v.facts());
        let run = said
            .filter_map(|f| f.ledger.unfinished.as_ref())
            .find(|u| u.live)?;
        Some(NeighbourRun {
            acts_on: acts_on(core, service, run),
            run: run.clone(),
        })
    }
}

fn not_heard<T>() -> Known<T> {
    Known::Unknown {
        why: Why::PlanUnheard,
    }
}

/// From the plan, where the copy of the coordinator's log has it already.
fn acts_on(core: &Core, service: &Service, run: &RunInProgress) -> Known<Vec<NodeName>> {
    let runs = core.log.runs();
    match runs.newest(&service.name) {
        Some(known) if known.plan.epoch == run.epoch => {
            let mut nodes = known.plan.plan.nodes();
            nodes.push(run.coordinator.clone());
            Known::Known(nodes)
        }
        _ => not_heard(),
    }
}

/// What its own agent says that a node has of a service.
fn presence(facts: &NodeFacts) -> Known<Presence> {
    let nothing_up = facts.mounts.iter().all(|m| !m.mounted)
        && facts.virtual_ips.iter().all(|v| !v.present)
        && facts.applications.iter().all(|a| a.running.is(&false));
    match (&facts.database, &facts.disk) {
        (DatabaseState::Ready, _) => Known::Known(Presence::Running),
        (_, Holding::Unknown { why }) => Known::Unknown { why: why.clone() },
        (DatabaseState::Stopped, Holding::Free) if nothing_up => Known::Known(Presence::Absent),
        _ => Known::Known(Presence::Held),
    }
}

fn runs_with_disk(facts: &NodeFacts) -> bool {
    facts.database == DatabaseState::Ready && matches!(facts.disk, Holding::Held { .. })
}

/// A fence that is about to be bound to a mandate, or ordered by a person.
pub struct Fence<'a> {
    pub run: &'a RunId,
    pub hits: &'a [Hit],
    /// The highest mandates of each service that are known of the other nodes.
    pub elsewhere: &'a BTreeMap<ServiceName, Vec<Epoch>>,
    /// True where the other nodes' journals are accounted for.
    pub answers_for: bool,
}

/// Mints the mandate of every service that the fence hits, durably, or shares the one that stands for it already.
/// Blocks.
pub fn mandates(core: &Core, fence: &Fence) -> Result<Vec<HitMandate>, LedgerError> {
    let is_live = |run: &RunId| core.runs.get(run).is_some_and(|live| !live.is_over());
    let actor = core.runs.get(fence.run).map(|live| live.actor.clone());
    let mut mandates = Vec::new();
    for hit in fence.hits {
        let no_service = || LedgerError::Log(hit.service.to_string());
        let desk = core.desks.get(&hit.service).ok_or_else(no_service)?;
        // Not the service's own store: this is another run's doing, under another name.
        let mut store = ServiceStore {
            log: core.log.clone(),
            context: Arc::new(Mutex::new(Context {
                run: Some(fence.run.clone()),
                actor: actor.clone(),
            })),
        };
        let asked = ForFence {
            victim: &hit.victim,
            run: fence.run,
            elsewhere: fence.elsewhere.get(&hit.service).map_or(&[], Vec::as_slice),
            answers_for: fence.answers_for,
            is_live: &is_live,
        };
        let mut bench = desk.bench.lock();
        let Bench { ledger, .. } = &mut *bench;
        mandates.push(HitMandate {
            victim: hit.victim.clone(),
            service: hit.service.clone(),
            epoch: ledger.mandate_for_fence(&mut store, &asked)?,
        });
    }
    Ok(mandates)
}

/// The refusal for the sake of a run of another service that acts on the node.
pub fn run_there(core: &Core, run: &RunId) -> Refusal {
    match core.runs.get(run) {
        Some(live) => run_by(&in_progress_here(core, &live)),
        // It ended this moment.
        None => run_by(&RunInProgress {
            run: run.clone(),
            epoch: Epoch {
                counter: 0,
                issuer: core.me.clone(),
                run: run.clone(),
            },
            coordinator: core.me.clone(),
            since: super::runs::run_time(run),
            covers: None,
            actor: String::new(),
            live: true,
            goal: None,
            home: None,
        }),
    }
}
