//! One sentence of truth with its evidence, and the one recommended act.

use crate::danger::danger;
use crate::evidence;
use crate::goal::goal;
use crate::planned::plan;
use crate::world::{Grip, World};
use siaga_model::NodeName;
use siaga_model::api::{Verdict, VerdictState};
use siaga_model::config::Config;
use siaga_model::observation::{DatabaseState, Observation};
use siaga_model::plan::{MoveKind, Request};
use siaga_model::refusal::{Advice, Sentence};

/// What is true of the service now. The first advice is the one recommended act.
pub fn verdict(config: &Config, observation: &Observation) -> Verdict {
    let world = match World::new(config, observation) {
        Ok(world) => world,
        Err(refusal) => {
            return Verdict {
                state: VerdictState::Unknown,
                sentence: refusal.sentence,
                evidence: refusal.evidence,
                advice: refusal.next,
                active: None,
            };
        }
    };
    let found = in_a_run(&world)
        .or_else(|| danger(&world))
        .or_else(|| left_over(&world))
        .or_else(|| running(&world))
        .or_else(|| half(&world))
        .or_else(|| unseen(&world))
        .unwrap_or_else(|| nowhere(&world));
    let mut evidence = found.first;
    for said in witnesses(&world) {
        if !evidence.contains(&said) && said != found.sentence {
            evidence.push(said);
        }
    }
    Verdict {
        state: found.state,
        sentence: found.sentence,
        evidence,
        advice: found.advice,
        active: found.active.or_else(|| ready(&world)),
    }
}

/// A verdict before its common evidence.
pub(crate) struct Found {
    state: VerdictState,
    sentence: Sentence,
    /// What comes before the other evidence.
    first: Vec<Sentence>,
    advice: Vec<Advice>,
    active: Option<NodeName>,
}

impl Found {
    pub(crate) fn new(state: VerdictState, sentence: Sentence, advice: Vec<Advice>) -> Self {
        Self {
            state,
            sentence,
            first: Vec::new(),
            advice,
            active: None,
        }
    }
    pub(crate) fn because(mut self, first: Vec<Sentence>) -> Self {
        self.first = first;
        self
    }
    fn on(mut self, node: &NodeName) -> Self {
        self.active = Some(node.clone());
        self
    }
}

/// Everything that every witness says, the fences of each node last, and what having none costs once.
fn witnesses(world: &World) -> Vec<Sentence> {
    let mut said: Vec<Sentence> = world
        .nodes()
        .flat_map(|n| evidence::of_node(world, &n.name))
        .collect();
    said.extend(evidence::probes(world));
    said.extend(evidence::addresses(world));
    said.extend(evidence::disk(world));
    for node in world.nodes() {
        // A node is not asked for its own fence: the other one uses it.
        if node.name != world.seen.observer || world.fences(&node.name).is_empty() {
            said.extend(evidence::fences(world, &node.name));
        }
    }
    said
}

pub(crate) fn ready(world: &World) -> Option<NodeName> {
    let runs = |n: &NodeName| world.is_ready(n) && world.cut_off_by(n).is_none();
    let mut ready = world.nodes().filter(|n| runs(&n.name));
    match (ready.next(), ready.next()) {
        (Some(node), None) => Some(node.name.clone()),
        _ => None,
    }
}

/// In a run, two nodes may seem to hold the disk set for a moment: one lets go while the other gets ready.
fn in_a_run(world: &World) -> Option<Found> {
    let run = world.unfinished().filter(|r| r.live)?;
    let ready = world.nodes().filter(|n| world.is_ready(&n.name)).count();
    if ready > 1 {
        return None;
    }
    let by = Sentence::RunBy {
        run: run.run.clone(),
        actor: run.actor.clone(),
        since: run.since,
        coordinator: run.coordinator.clone(),
    };
    let sentence = Sentence::ServiceInTransition {
        service: world.name(),
        run: run.run.clone(),
    };
    let advice = vec![Advice::WaitForRun {
        run: run.run.clone(),
    }];
    Some(Found::new(VerdictState::InTransition, sentence, advice).because(vec![by]))
}

/// A run that was cut off, or that is stuck.
fn left_over(world: &World) -> Option<Found> {
    let run = world.unfinished().filter(|r| !r.live)?;
    if world.is_silent(&run.coordinator) && world.active().is_none() {
        // It may have ended well without our hearing of it. Nothing of it is here: the silent node is the story.
        return None;
    }
    let sentence = Sentence::RunLeftOver {
        run: run.run.clone(),
        since: run.since,
        coordinator: run.coordinator.clone(),
    };
    let service = world.name();
    let state = match ready(world) {
        Some(node) => Sentence::ServiceRuns { service, node },
        None => Sentence::ServiceDown {
            service,
            last_on: world.last_on().cloned(),
        },
    };
    // A silent coordinator can't go on with its run: what the table of takeovers allows is the way on (see
    // `guards::refuse_other_run`).
    let gone = world.is_silent(&run.coordinator) && ready(world).is_none();
    let advice = if gone {
        takeover_advice(world)
    } else {
        vec![Advice::Resume, Advice::Abort]
    };
    Some(Found::new(VerdictState::Stuck, sentence, advice).because(vec![state]))
}

fn running(world: &World) -> Option<Found> {
    let service = world.name();
    let node = ready(world)?;
    if !world.is_complete(&node) && world.is_adopted(&node) {
        return Some(adopted(world, &node));
    }
    if !world.is_complete(&node) {
        // The database is up and clients can't get to it.
        let sentence = Sentence::ServiceDown {
            service: service.clone(),
            last_on: Some(node.clone()),
        };
        let advice = vec![Advice::Start { service }, Advice::Diagnose];
        return Some(Found::new(VerdictState::Down, sentence, advice).on(&node));
    }
    let mut fresh = world.seen.probes.iter().filter(|p| world.is_fresh(p));
    let served = fresh.clone().any(|p| p.serving);
    let blind = fresh.any(|p| !p.serving);
    let stopped = evidence::stopped_applications(world, &node);
    let other_is_able = world
        .others(&node)
        .into_iter()
        .all(|n| matches!(world.grip(n), Grip::Free));
    let advice = match evidence::strangers(world, &node).next() {
        Some(mount) => vec![Advice::UnmountByHand {
            node: node.clone(),
            mount_point: mount.mount_point.clone(),
        }],
        // Only what comes after the database is started: nothing is stopped by it.
        None if !stopped.is_empty() => {
            let service = service.clone();
            vec![Advice::Start { service }, Advice::Diagnose]
        }
        None if blind && !served => vec![Advice::Diagnose],
        None if !other_is_able => vec![Advice::Diagnose, Advice::Check],
        None if node != world.service.preferred_node => {
            vec![
                Advice::Failback {
                    service: service.clone(),
                },
                Advice::Check,
            ]
        }
        None => vec![Advice::Check],
    };
    let sentence = Sentence::ServiceRuns {
        service,
        node: node.clone(),
    };
    let found = Found::new(VerdictState::Running, sentence, advice).because(stopped);
    Some(found.on(&node))
}

/// It runs as it did before Siaga came, at the server's own address.
fn adopted(world: &World, node: &NodeName) -> Found {
    let service = world.name();
    let facts = world.facts(node).into_iter();
    let absent = facts
        .flat_map(|f| &f.virtual_ips)
        .filter(|v| !v.present)
        .map(|v| Sentence::VirtualIpNotYet {
            node: node.clone(),
            address: v.address,
        })
        .collect();
    let advice = vec![
        Advice::Start {
            service: service.clone(),
        },
        Advice::Check,
    ];
    let sentence = Sentence::ServiceRuns {
        service,
        node: node.clone(),
    };
    let found = Found::new(VerdictState::Running, sentence, advice).because(absent);
    found.on(node)
}

/// An answering node has something of the service, and its database does not serve.
fn half(world: &World) -> Option<Found> {
    let node = world.active()?;
    let service = world.name();
    let sentence = Sentence::ServiceDown {
        service: service.clone(),
        last_on: Some(node.clone()),
    };
    let first = vec![evidence::holds(world, node)];
    let starting = matches!(
        world.facts(node).map(|f| &f.database),
        Some(DatabaseState::Starting { .. })
    );
    let mut advice = if starting {
        // A recovery that advances is left alone.
        vec![Advice::Status]
    } else if world.is_mounted(node) {
        vec![Advice::Restart { service }]
    } else {
        vec![Advice::Start { service }]
    };
    advice.push(Advice::Diagnose);
    Some(Found::new(VerdictState::Down, sentence, advice).because(first))
}

/// No answering node has the service, and some node can't be asked, or can't tell.
fn unseen(world: &World) -> Option<Found> {
    let service = world.name();
    let advice = takeover_advice(world);
    let Some(silent) = world.silent().next() else {
        let unknown = |n: &&NodeName| matches!(world.grip(n), Grip::Unknown { .. });
        let node = world.nodes().map(|n| &n.name).find(unknown)?;
        // Where this node itself can't reach the disk set, the one that can is the way on.
        let me = &world.seen.observer;
        let able = |n: &NodeName| world.grip(n) == Grip::Free;
        let advice = match world.others(me).into_iter().any(able) {
            true if !able(me) => vec![
                Advice::Start {
                    service: service.clone(),
                },
                Advice::Check,
            ],
            true | false => advice,
        };
        // No database serves anywhere. What is not known is who holds the disk set.
        let sentence = Sentence::ServiceDown {
            service,
            last_on: Some(node.clone()),
        };
        return Some(Found::new(VerdictState::Down, sentence, advice));
    };
    let last_on = Some(silent.clone());
    let fresh = || world.seen.probes.iter().filter(|p| world.is_fresh(p));
    if let Some(probe) = fresh().find(|p| p.serving) {
        let said = vec![evidence::probe(world, probe)];
        let sentence = Sentence::ServiceRuns {
            service,
            node: silent.clone(),
        };
        let found =
            Found::new(VerdictState::Running, sentence, vec![Advice::Diagnose]).because(said);
        // Certain only where the probe names the machine.
        return Some(if probe.node.as_ref() == Some(silent) {
            found.on(silent)
        } else {
            found
        });
    }
    if let Some(probe) = fresh().next() {
        let said = vec![evidence::probe(world, probe)];
        let sentence = Sentence::ServiceDown { service, last_on };
        return Some(Found::new(VerdictState::Down, sentence, advice).because(said));
    }
    let sentence = Sentence::ServiceUnknown { service };
    Some(Found::new(VerdictState::Unknown, sentence, advice))
}

/// Every agent answers, and the service is nowhere.
fn nowhere(world: &World) -> Found {
    let service = world.name();
    let advice = vec![
        Advice::Start {
            service: service.clone(),
        },
        Advice::Diagnose,
    ];
    if was_stopped(world) {
        let sentence = Sentence::ServiceStopped { service };
        return Found::new(VerdictState::Stopped, sentence, advice);
    }
    let sentence = Sentence::ServiceDown {
        service,
        last_on: world.last_on().cloned(),
    };
    Found::new(VerdictState::Down, sentence, advice)
}

/// Whoever knows the newest mandate has promised to have let go: the service was stopped in order.
fn was_stopped(world: &World) -> bool {
    let ledgers: Vec<_> = world
        .nodes()
        .filter_map(|n| world.facts(&n.name).map(|f| &f.ledger))
        .collect();
    let newest = ledgers
        .iter()
        .filter_map(|l| l.highest.as_ref().map(|e| e.counter))
        .max();
    let knows = |l: &&&siaga_model::observation::LedgerFacts| {
        l.highest.as_ref().map(|e| e.counter) == newest
    };
    newest.is_none() || ledgers.iter().filter(knows).all(|l| l.promise.is_some())
}

/// What the table of takeovers says of this world: the takeover, or what is missing for it.
pub(crate) fn takeover_advice(world: &World) -> Vec<Advice> {
    let (config, seen) = (world.config, world.seen);
    let kind = MoveKind::Takeover;
    let planned = goal(config, seen, kind, None).and_then(|(goal, _)| {
        let request = Request {
            kind,
            goal,
            attested: Vec::new(),
            may_fence: true,
            accepts_old_data: false,
        };
        plan(config, seen, &request, &[])
    });
    match planned {
        Ok(_) => vec![
            Advice::Takeover {
                service: world.name(),
            },
            Advice::Diagnose,
        ],
        Err(refusal) => refusal.next,
    }
}
