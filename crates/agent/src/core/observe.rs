//! Gathers one observation: every witness is asked at the same time, each within its own limit.

use super::belied::BeliedFences;
use super::state::Core;
use crate::transport::client::PathAnswer;
use siaga_model::Why;
use siaga_model::api::FactsAnswer;
use siaga_model::config::{Fence, FenceKind, Service};
use siaga_model::observation::{
    AddressAnswer, AddressSighting, AgentView, DiskSighting, FenceState, FenceView, Holding,
    NodeFacts, NodeView, Observation, Power, PromiseFacts,
};
use siaga_model::{NodeName, ServiceName};
use siaga_node::observe::witness;
use siaga_runner::hands::Hands;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often an agent is asked for its facts that lives and is late with them.
const ASKED_LATE: u32 = 3;
/// How long an address may take to answer.
const ADDRESS_TIMEOUT: Duration = Duration::from_millis(300);
/// How far apart the first two looks at the shared disk are.
const DISK_INTERVAL: Duration = Duration::from_millis(100);

/// This node's own facts, the ledger's among them.
pub async fn own_facts(core: &Arc<Core>, service: &ServiceName) -> NodeFacts {
    let (c, s) = (core.clone(), service.clone());
    // On a thread that may block: a step may hold the ledger while it asks through this very runtime.
    let looked = tokio::task::spawn_blocking(move || {
        let desk = c.desks.get(&s);
        let own = c.hands.look(&s);
        let ledger = desk
            .map(|d| d.bench.lock().ledger.facts())
            .unwrap_or_default();
        let unable = (c.hands.unable(&s), c.hands.astray(&s));
        (own, ledger, desk.is_some_and(|d| d.bench.busy()), unable)
    });
    let (own, mut ledger, busy, (unable, astray)) = match looked.await {
        Ok((own, ledger, busy, unable)) => (Ok(own), ledger, busy, unable),
        Err(error) => (
            Err(error),
            siaga_model::observation::LedgerFacts::default(),
            false,
            (None, Vec::new()),
        ),
    };
    let open = core.log.runs().open(service).cloned();
    ledger.unfinished = open.map(|run| {
        let live = run.plan.coordinator == core.me
            && core.runs.get(&run.run).is_some_and(|live| !live.is_over());
        run.in_progress(live)
    });
    if ledger.unfinished.is_none()
        && let Some(live) = core.runs.going_on(service)
        && let Some(epoch) = ledger.highest.clone()
    {
        ledger.unfinished = Some(siaga_model::observation::RunInProgress {
            run: live.run.clone(),
            epoch,
            coordinator: core.me.clone(),
            since: live.started_at,
            covers: live.covers.as_ref().map(|c| c.run.clone()),
            actor: live.actor.name.clone(),
            live: true,
            goal: None,
            home: None,
        });
    }
    let own = match own {
        Ok(own) => own,
        Err(error) => siaga_runner::hands::OwnFacts {
            disk: Holding::Unknown {
                why: Why::system(&error),
            },
            mounts: Vec::new(),
            virtual_ips: Vec::new(),
            database: siaga_model::observation::DatabaseState::Unknown {
                why: Why::system(&error),
            },
            applications: Vec::new(),
        },
    };
    NodeFacts {
        boot: core.boot.clone(),
        // An effect in flight counts as held.
        disk: match own.disk {
            Holding::Free if busy => Holding::Held {
                by: vec![siaga_model::Holder::StepUnderWay],
            },
            disk => disk,
        },
        mounts: own.mounts,
        virtual_ips: own.virtual_ips,
        database: own.database,
        applications: own.applications,
        ledger,
        unable,
        astray,
    }
}

/// What this node says of its promise, right before the other takes the disk set. `None`: it can't be told.
pub async fn promise_facts(core: &Arc<Core>, service: &ServiceName) -> Option<PromiseFacts> {
    let (c, s) = (core.clone(), service.clone());
    let looked = tokio::task::spawn_blocking(move || {
        let desk = c.desks.get(&s)?;
        let disk = match desk.bench.busy() {
            true => Holding::Held {
                by: vec![siaga_model::Holder::StepUnderWay],
            },
            false => c.hands.claimed(&s),
        };
        let ledger = desk.bench.lock().ledger.facts();
        Some(PromiseFacts {
            node: c.me.clone(),
            boot: c.boot.clone(),
            promise: ledger.promise,
            highest: ledger.highest,
            last_take: ledger.last_take,
            disk,
        })
    });
    looked.await.ok().flatten()
}

/// One observation of `service`.
pub async fn observe(core: &Arc<Core>, service: &Service) -> Observation {
    let at = core.hands.now();
    let own = own_facts(core, &service.name);
    let peers = futures_util::future::join_all(
        core.others()
            .into_iter()
            .map(|node| view_of(core, service, node)),
    );
    let addresses = addresses(core, service);
    let neighbours = super::neighbours::observe(core, service);
    let (own, peers, addresses, neighbours) = tokio::join!(own, peers, addresses, neighbours);
    let disk = look_at_disk(core, service, &own).await;
    let mut nodes: BTreeMap<NodeName, NodeView> = peers.into_iter().collect();
    nodes.insert(
        core.me.clone(),
        NodeView {
            agent: AgentView::Answered {
                paths: vec!["here".into()],
                facts: Box::new(own),
            },
            power: Power::On,
            fences: Vec::new(),
            address: AddressAnswer::Mine,
        },
    );
    trust_coordinators(&mut nodes);
    Observation {
        service: service.name.clone(),
        observer: core.me.clone(),
        at,
        nodes,
        probes: core.probes.sightings(&service.name),
        addresses,
        disk,
        neighbours,
    }
}

/// A coordinator that answers knows best whether its run is over: the end may not have been copied yet.
fn trust_coordinators(nodes: &mut BTreeMap<NodeName, NodeView>) {
    let said: BTreeMap<NodeName, Option<siaga_model::RunId>> = nodes
        .iter()
        .filter_map(|(name, view)| {
            let unfinished = view.agent.facts()?.ledger.unfinished.as_ref();
            Some((name.clone(), unfinished.map(|u| u.run.clone())))
        })
        .collect();
    for view in nodes.values_mut() {
        if let AgentView::Answered { facts, .. } = &mut view.agent
            && let Some(unfinished) = &facts.ledger.unfinished
            && let Some(known) = said.get(&unfinished.coordinator)
            && known.as_ref() != Some(&unfinished.run)
        {
            facts.ledger.unfinished = None;
        }
    }
}

async fn view_of(core: &Arc<Core>, service: &Service, node: NodeName) -> (NodeName, NodeView) {
    let agent = ask_agent(core, &service.name, &node);
    let fences = fence_states(core, &node);
    let (c, n) = (core.clone(), node.clone());
    let address = tokio::task::spawn_blocking(move || {
        witness::node_address(&c.config, &c.me, &n, ADDRESS_TIMEOUT)
    });
    let reservation = reservation_of(core, service, &node);
    let (agent, mut fences, address, reservation) =
        tokio::join!(agent, fences, address, reservation);
    let mut lives = agent.lives();
    // All were asked at once: only an answer that comes after the fence's word belies it.
    if lives && BeliedFences::is_at_stake(&fences) {
        lives = ask_agent(core, &service.name, &node).await.lives();
    }
    core.belied.judge(&node, &mut fences, lives);
    fences.extend(reservation);
    let view = NodeView {
        agent,
        power: power(&fences),
        fences,
        address: address.unwrap_or_else(|e| AddressAnswer::NotAsked {
            why: Why::system(e),
        }),
    };
    (node, view)
}

/// Asks the agent of `node` about one service, over every path. One that lives, as its answers on the link show, and is late
/// with its facts (its machine is busy, or a disk hangs) is asked again: silence is what a fence follows on.
pub async fn ask_agent(core: &Arc<Core>, service: &ServiceName, node: &NodeName) -> AgentView {
    let mut asked = 0;
    loop {
        let began = Instant::now();
        let mut view = ask_agent_once(core, service, node).await;
        let AgentView::Silent { late, .. } = &mut view else {
            return view;
        };
        let beat = core.pulses.get(node).and_then(|pulse| pulse.age());
        *late = beat.is_some_and(|age| age < began.elapsed());
        asked += 1;
        if !*late || asked == ASKED_LATE {
            return view;
        }
    }
}

async fn ask_agent_once(core: &Arc<Core>, service: &ServiceName, node: &NodeName) -> AgentView {
    let silent = |paths_tried| AgentView::Silent {
        paths_tried,
        late: false,
    };
    let Some(peer) = core.peers.get(node) else {
        return silent(Vec::new());
    };
    let path = format!("/v1/facts?service={service}");
    let answers: Vec<PathAnswer<FactsAnswer>> = peer
        .ask_all_paths(&path, core.config.policy.peer_timeout)
        .await;
    let tried = answers.iter().map(|a| a.path.to_string()).collect();
    let answered: Vec<String> = answers
        .iter()
        .filter(|a| a.answer.is_ok())
        .map(|a| a.path.to_string())
        .collect();
    match answers.into_iter().find_map(|a| a.answer.ok()) {
        Some(facts) if &facts.node == node => {
            if let Some(pulse) = core.pulses.get(node) {
                pulse.beat();
            }
            AgentView::Answered {
                paths: answered,
                facts: Box::new(facts.facts),
            }
        }
        _ => silent(tried),
    }
}

/// The fences of `node` as they answer from here, without the word of those that are known to be another machine's.
pub(super) async fn fences_of(
    core: &Arc<Core>,
    service: &Service,
    node: &NodeName,
) -> Vec<FenceView> {
    let reservation = reservation_of(core, service, node);
    let (mut fences, reservation) = tokio::join!(fence_states(core, node), reservation);
    core.belied.judge(node, &mut fences, false);
    fences.extend(reservation);
    fences
}

async fn reservation_of(core: &Arc<Core>, service: &Service, node: &NodeName) -> Option<FenceView> {
    let (c, n, s) = (core.clone(), node.clone(), service.name.clone());
    let looked = tokio::task::spawn_blocking(move || c.hands.reservation_view(&s, &n));
    looked.await.ok().flatten()
}

async fn fence_states(core: &Arc<Core>, node: &NodeName) -> Vec<FenceView> {
    let Some(fences) = core.config.node(node).map(|n| n.fences.clone()) else {
        return Vec::new();
    };
    let asked = fences.into_iter().map(|fence: Fence| {
        tokio::task::spawn_blocking(move || FenceView {
            name: fence.name.clone(),
            kind: fence.kind,
            state: siaga_node::act::fence::state(&fence),
        })
    });
    futures_util::future::join_all(asked)
        .await
        .into_iter()
        .flatten()
        .collect()
}

fn power(fences: &[FenceView]) -> Power {
    let power = fences.iter().filter(|f| f.kind == FenceKind::Power);
    match first_word(power.map(|f| &f.state)) {
        Some(FenceState::Open) => Power::On,
        Some(FenceState::Fenced) => Power::Off,
        Some(FenceState::Failed { .. }) | None => Power::Unknown,
    }
}

/// What the power fences of one node say together: the first of them, in the order of the configuration, that answers. A
/// management processor that stands first knows the machine itself; behind it a strip is on while the machine is off.
pub(super) fn first_word<'a>(
    mut states: impl Iterator<Item = &'a FenceState>,
) -> Option<&'a FenceState> {
    states.find(|s| !matches!(s, FenceState::Failed { .. }))
}

async fn addresses(core: &Arc<Core>, service: &Service) -> Vec<AddressSighting> {
    let asked = service.virtual_ips.iter().map(|vip| {
        let (core, vip) = (core.clone(), vip.clone());
        tokio::task::spawn_blocking(move || {
            let answer = match vip.interface(&core.me) {
                Some(interface) => witness::address_answer(
                    &core.config,
                    &core.me,
                    interface,
                    vip.address,
                    ADDRESS_TIMEOUT,
                ),
                None => AddressAnswer::NotAsked {
                    why: Why::NoInterfaceHere,
                },
            };
            AddressSighting {
                address: vip.address,
                answer,
            }
        })
    });
    futures_util::future::join_all(asked)
        .await
        .into_iter()
        .flatten()
        .collect()
}

async fn look_at_disk(core: &Arc<Core>, service: &Service, own: &NodeFacts) -> DiskSighting {
    if own.disk != Holding::Free {
        return DiskSighting::NotLooked {
            why: Why::ThisNodeHoldsOrUnknown,
        };
    }
    let (c, name) = (core.clone(), service.name.clone());
    let looked =
        tokio::task::spawn_blocking(move || c.hands.watch_disk(&name, DISK_INTERVAL)).await;
    looked.unwrap_or_else(|e| DiskSighting::NotLooked {
        why: Why::system(e),
    })
}
