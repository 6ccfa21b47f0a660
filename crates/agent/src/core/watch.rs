//! What the agent does by itself: cover a coordinator that fell silent, let go where it was declared gone, report what
//! it finds, and start the service again after the whole building lost power, where the site's policy says so.
//!
//! None of it takes a disk set without an ordinary plan and its proofs.

use super::by_hand::ByHand;
use super::cover::Covered;
use super::drive::{self, Begin, SeenEpochs};
use super::live::LiveRun;
use super::observe::{observe, own_facts};
pub use super::power_return::building_power_loss;
use super::runs::{KnownRun, new_run_id};
use super::state::Core;
use siaga_journal::Filter;
use siaga_model::api::LostRows;
use siaga_model::config::Service;
use siaga_model::event::{EventBody, Finding, FindingCode, Severity};
use siaga_model::evidence::Cleaned;
use siaga_model::observation::{DatabaseState, Holding};
use siaga_model::plan::{MoveKind, Placement, Request};
use siaga_model::proof::Ground;
use siaga_model::run::RunOutcome;
use siaga_model::{Epoch, Evidence, NodeName, RunId, ServiceName, Why};
use siaga_runner::hands::{Acted, Hands, Trouble};
use siaga_runner::ledger::Ledger;
use siaga_runner::run::RunSpec;
use siaga_words::Ui;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often the watch looks at its cheap signs.
const TICK: Duration = Duration::from_secs(1);
/// How many ticks lie between two looks at this node's own mounts, addresses and database.
const LOOK_EVERY: u32 = 5;
/// How many ticks lie between two times that free memory is given back.
const GIVE_BACK_EVERY: u32 = 20;

/// Never ends.
pub async fn watch(core: Arc<Core>) {
    let mut silent_since: BTreeMap<RunId, Instant> = BTreeMap::new();
    let mut tried: Vec<RunId> = Vec::new();
    // The services for which there is no start after a power loss to wait for (any more).
    let mut settled: BTreeSet<ServiceName> = BTreeSet::new();
    // The mandates under which this node was declared gone, and has said so in its log.
    let mut said_gone: BTreeSet<(ServiceName, u64)> = BTreeSet::new();
    let mut by_hand = ByHand::default();
    let mut tick: u32 = 0;
    loop {
        tokio::time::sleep(TICK).await;
        tick = tick.wrapping_add(1);
        if tick.is_multiple_of(GIVE_BACK_EVERY) {
            siaga_node::give_memory_back();
            if !super::calm::at_work(&core) {
                siaga_node::let_go_of_code();
            }
        }
        for service in core.config.services.clone() {
            // A replaced machine lets go (`replace`), and begins nothing by itself.
            if core.replaced.is_set() || core.runs.going_on(&service.name).is_some() {
                continue;
            }
            let (c, s) = (core.clone(), service.clone());
            let gone = tokio::task::spawn_blocking(move || declared_gone(&c, &s)).await;
            if let Ok(Some(epoch)) = gone {
                let news = said_gone.insert((service.name.clone(), epoch.counter));
                let_go(&core, &service, &epoch, news).await;
            }
            cover(&core, &service, &mut silent_since, &mut tried).await;
            if tick.is_multiple_of(LOOK_EVERY) {
                let facts = super::look::look(&core, &service).await;
                by_hand.look(&core, &service, &facts).await;
                super::redo::look(&core, &service, &facts).await;
            }
            if !settled.contains(&service.name) && building_power_loss(&core, &service).await {
                settled.insert(service.name.clone());
            }
        }
    }
}

/// Another node took the disk set with a fence or an attestation against this one, under a mandate newer than any that
/// this node obeys, and the service has not been brought back here since.
pub fn declared_gone(core: &Core, service: &Service) -> Option<Epoch> {
    let facts = core.desks.get(&service.name)?.bench.lock().ledger.facts();
    let newest = core
        .log
        .runs()
        .newest(&service.name)
        .map(|k| k.plan.clone())?;
    let here = Placement::ActiveOn(core.me.clone());
    // A node that lost its own log knows too little of itself to judge.
    if facts.journal_lost || newest.plan.goal == here {
        return None;
    }
    let highest = facts.highest;
    if highest
        .as_ref()
        .is_some_and(|h| h.counter >= newest.epoch.counter)
    {
        return None;
    }
    let filter = Filter {
        service: Some(service.name.clone()),
        kinds: vec!["proof_used".into()],
        ..Filter::default()
    };
    let events = core.log.journal().events(&filter).ok()?;
    events.iter().rev().find_map(|e| match &e.event.body {
        EventBody::ProofUsed { proof }
            if proof.node == core.me
                && proof.ground != Ground::Released
                && highest
                    .as_ref()
                    .is_none_or(|h| proof.epoch.counter > h.counter) =>
        {
            Some(proof.epoch.clone())
        }
        _ => None,
    })
}

/// A probe misses rows that the database had acknowledged: that stands until the probe is started anew.
pub fn rows_lost(core: &Core, service: &ServiceName) {
    match of_lost(&core.me, core.probes.lost(service)) {
        None => core.mended(Some(service), FindingCode::RowsLost, &core.me),
        Some(finding) => core.found(Some(service), finding),
    }
}

fn of_lost(me: &NodeName, lost: Vec<LostRows>) -> Option<Finding> {
    let seen = |lost: LostRows| Evidence::RowsLost {
        probe: lost.probe,
        rows: lost.rows,
    };
    let each: Vec<Evidence> = lost.into_iter().map(seen).collect();
    (!each.is_empty()).then(|| Finding {
        code: FindingCode::RowsLost,
        node: me.clone(),
        severity: Severity::Blocking,
        evidence: Evidence::Several { each },
    })
}

/// Drops everything of the service here, and remembers the mandate. Nothing here can be wrong: another node holds
/// the disk set with a proof that this one does not. Where it can't be told whether all is gone (the fence still cuts
/// the device off) it is done again at the next look; only the first time is `news` for the log.
async fn let_go(core: &Arc<Core>, service: &Service, epoch: &Epoch, news: bool) {
    let facts = own_facts(core, &service.name).await;
    let (c, s, e) = (core.clone(), service.name.clone(), epoch.clone());
    let cleaned = tokio::task::spawn_blocking(move || {
        let Some(desk) = c.desks.get(&s) else {
            return Vec::new();
        };
        // A mandate that came meanwhile decides; one that comes now waits until nothing is in flight here.
        let still = |ledger: &Ledger| {
            let highest = ledger.facts().highest;
            highest.is_none_or(|h| h.counter < e.counter)
        };
        let Some(_letting_go) = desk.bench.occupy(&e, still) else {
            return Vec::new();
        };
        if news && c.hands.look(&s).disk != Holding::Free {
            // Said durably before the act. Where it can't be said, letting go is still the safe act.
            let body = EventBody::LettingGo { epoch: e.clone() };
            c.note_durably(&s, body);
        }
        c.hands.disown(&s);
        let mut said = drop_all(&c, &s);
        let clean = c.hands.prove_released(&s).is_ok();
        let mut bench = desk.bench.lock();
        let siaga_runner::executor::Bench { ledger, store, .. } = &mut *bench;
        // Only once nothing is left, so that an interrupted clean-up goes on at the next look.
        if clean && let Err(error) = ledger.remember(store.as_mut(), &e) {
            said.push(Cleaned::LogUnwritten { why: error.why() });
        }
        drop(bench);
        said
    })
    .await
    .unwrap_or_default();
    if facts.disk != Holding::Free || !cleaned.is_empty() {
        core.found(
            Some(&service.name),
            Finding {
                code: FindingCode::NodeUnfencedAndBack,
                node: core.me.clone(),
                severity: Severity::Warning,
                evidence: Evidence::DeclaredGone {
                    mandate: epoch.counter,
                    cleaned,
                },
            },
        );
    }
}

/// Drops what is here of the service, where another node has the disk set by right; goes on after a failure. Gives what
/// was done. The address first, so that no client writes here any more. Then the database, killed: its last checkpoint
/// would be a write as well, and no application that hangs may put it off.
pub(super) fn drop_all(core: &Core, service: &ServiceName) -> Vec<Cleaned> {
    let hands = core.hands.as_ref();
    let mut said = Vec::new();
    let mut keep = |done: fn(Option<Why>) -> Cleaned, acted: Acted| match acted {
        Ok(did) if did.changed => said.push(done(None)),
        Ok(_) => {}
        Err(Trouble::Failed(failure)) => said.push(done(Some(failure.detail))),
        Err(Trouble::Unknown(why)) => said.push(done(Some(why))),
    };
    keep(
        |trouble| Cleaned::AddressRemoved { trouble },
        hands.remove_virtual_ips(service),
    );
    keep(
        |trouble| Cleaned::DatabaseStopped { trouble },
        hands.kill_database(service),
    );
    keep(
        |trouble| Cleaned::ApplicationsStopped { trouble },
        hands.stop_applications(service),
    );
    keep(
        |trouble| Cleaned::Unmounted { trouble },
        hands.unmount(service),
    );
    said
}

/// Covers a run whose coordinator fell silent after this node was enlisted in it.
async fn cover(
    core: &Arc<Core>,
    service: &Service,
    silent_since: &mut BTreeMap<RunId, Instant>,
    tried: &mut Vec<RunId>,
) {
    let Some(known) = core.log.runs().open(&service.name).cloned() else {
        silent_since.clear();
        return;
    };
    let coordinator = known.plan.coordinator.clone();
    let obeyed = obeyed(core, service).await;
    if tried.contains(&known.run) || !may_cover(&core.me, &known, obeyed.as_ref()) {
        return;
    }
    if carries_on(core, &known).await {
        silent_since.remove(&known.run);
        return;
    }
    let since = *silent_since
        .entry(known.run.clone())
        .or_insert_with(Instant::now);
    if since.elapsed() < core.config.policy.coordinator_silence {
        return;
    }
    tried.push(known.run.clone());
    let facts = own_facts(core, &service.name).await;
    if facts.database == DatabaseState::Ready {
        interrupted(
            core,
            service,
            &known,
            Why::CoordinatorSilent { still_here: true },
        );
        return;
    }
    tracing::warn!(run = %known.run, %coordinator, "covering a silent coordinator");
    interrupted(core, service, &known, Why::CoverBegins);
    if let Err(why) = begin_by_itself(core, service, MoveKind::Cover, &known, Ui::ReasonCover).await
    {
        interrupted(core, service, &known, why);
    }
}

/// Only the node that let the service go in this very run covers it, and never a service that was to be stopped, nor a
/// run that rests in a named state. `obeyed`: the mandate of the newest plan that this node was enlisted in.
pub fn may_cover(me: &NodeName, known: &KnownRun, obeyed: Option<&Epoch>) -> bool {
    let stuck = matches!(known.ended, Some(RunOutcome::Stuck { .. }));
    let let_go_here = known.from.as_ref() == Some(me) && obeyed == Some(&known.plan.epoch);
    let_go_here && !stuck && &known.plan.coordinator != me && known.goal != Placement::Stopped
}

/// The mandate of the plan that this node knows last.
async fn obeyed(core: &Arc<Core>, service: &Service) -> Option<Epoch> {
    let (c, s) = (core.clone(), service.name.clone());
    let obeyed = tokio::task::spawn_blocking(move || {
        let bench = c.desks.get(&s)?.bench.lock();
        bench.ledger.plan().map(|p| p.epoch.clone())
    });
    obeyed.await.ok().flatten()
}

/// Does the coordinator's agent answer? Then it is a person's turn (`resume`, `abort`), not this node's. Asked for the least
/// that it can say: its facts wait for whatever hangs there, and a node that is late with them is not gone.
pub async fn carries_on(core: &Arc<Core>, known: &KnownRun) -> bool {
    let Some(peer) = core.peers.get(&known.plan.coordinator) else {
        return false;
    };
    peer.get::<super::link::Heads>("/v1/heads", core.config.policy.peer_timeout)
        .await
        .is_ok()
}

fn interrupted(core: &Core, service: &Service, known: &KnownRun, why: Why) {
    let event = siaga_model::event::Event {
        service: Some(service.name.clone()),
        run: Some(known.run.clone()),
        actor: Some(core.agent_actor()),
        body: EventBody::RunInterrupted { why },
    };
    if let Err(error) = core
        .log
        .append(vec![event], siaga_journal::Durability::Lazy)
    {
        tracing::error!(%error, "the log could not be written");
    }
}

/// Begins a run of the agent's own: an ordinary plan, with ordinary proofs.
pub(super) async fn begin_by_itself(
    core: &Arc<Core>,
    service: &Service,
    kind: MoveKind,
    known: &KnownRun,
    reason: Ui,
) -> Result<(), Why> {
    let mut observation = observe(core, service).await;
    for view in observation.nodes.values_mut() {
        if let siaga_model::observation::AgentView::Answered { facts, .. } = &mut view.agent
            && facts
                .ledger
                .unfinished
                .as_ref()
                .is_some_and(|u| u.run == known.run && !u.live)
        {
            facts.ledger.unfinished = None;
        }
    }
    let goal = Placement::ActiveOn(core.me.clone());
    let request = Request {
        kind,
        goal: goal.clone(),
        attested: Vec::new(),
        may_fence: kind == MoveKind::Cover,
        // A person's decision is for the run that it was given to, and for no run after it.
        accepts_old_data: false,
    };
    let plan =
        siaga_planner::plan(&core.config, &observation, &request, &[]).map_err(|refusal| {
            Why::Refused {
                sentence: Box::new(refusal.sentence),
            }
        })?;
    let now = core.hands.now();
    // A cover is a run of its own: the person's order was another one, and is not done by it.
    let run = new_run_id(now, &core.me);
    let covered = (kind == MoveKind::Cover).then(|| Covered::from(known));
    let live = LiveRun::new(
        run.clone(),
        service.name.clone(),
        kind,
        core.agent_actor(),
        now,
    )
    .covering(covered.clone())
    .intending(&plan);
    let live = core
        .runs
        .begin(live, "")
        .map_err(|_| Why::AnotherRunGoesOn)?;
    let spec = RunSpec {
        run,
        service: service.name.clone(),
        kind,
        legs: vec![goal.clone()],
        home: None,
        may_fence: request.may_fence,
        accepts_old_data: false,
        attested: Vec::new(),
    };
    let begin = Begin {
        service: service.clone(),
        live,
        spec,
        seen: SeenEpochs::from(&observation, &request, &core.me),
        first: Some(plan),
        accepted: EventBody::RunAccepted {
            move_kind: kind,
            goal,
            reason: siaga_words::ui(core.config.site.language, reason),
            requested_by: None,
            approved_by: None,
            idempotency_key: String::new(),
            covers: covered.map(|c| c.run),
        },
        budget: None,
    };
    tokio::spawn(drive::drive(core.clone(), begin));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_a_probe_misses_stand_in_the_way() {
        let me = NodeName::from("backup");
        assert_eq!(of_lost(&me, Vec::new()), None);
        let lost = |probe: &str, rows| LostRows {
            probe: probe.to_owned(),
            rows,
        };
        let found = of_lost(&me, vec![lost("loket-1", 3), lost("poli", 1)]).unwrap();
        assert_eq!(found.code, FindingCode::RowsLost);
        assert_eq!(found.severity, Severity::Blocking);
        let said = siaga_words::evidence(siaga_model::config::Language::English, &found.evidence);
        assert!(
            said.contains("loket-1: 3 rows") && said.contains("poli: 1 row "),
            "{said}"
        );
    }
}
