//! What holds in every world, also in worlds that nobody thought of. Half of them contradict themselves.

use crate::common::{config, hardware, invariants, vip};
use proptest::prelude::*;
use siaga_model::api::VerdictState;
use siaga_model::config::Config;
use siaga_model::mandate::Epoch;
use siaga_model::observation::{
    AddressAnswer, AddressSighting, AgentView, ApplicationFact, AttestationGiven, DatabaseState,
    DiskSighting, FenceState, FenceView, Holding, Known, LastTake, LedgerFacts, MountFact,
    Neighbour, NeighbourRun, NodeFacts, NodeView, Observation, Power, Presence, ProbeSighting,
    Promise, RunInProgress, VirtualIpFact,
};
use siaga_model::plan::{Action, MoveKind, Placement, Request};
use siaga_model::proof::{AttestKind, Ground, ProofRecord};
use siaga_model::refusal::{Advice, RefusalCode};
use siaga_model::{NodeName, UtcMicros};

const KINDS: [MoveKind; 11] = [
    MoveKind::Takeover,
    MoveKind::Switchover,
    MoveKind::Failback,
    MoveKind::Drill,
    MoveKind::Restart,
    MoveKind::Stop,
    MoveKind::Start,
    MoveKind::Resume,
    MoveKind::Abort,
    MoveKind::Restore,
    MoveKind::Cover,
];

fn why() -> siaga_model::Why {
    "not known".into()
}

fn name() -> impl Strategy<Value = NodeName> {
    prop_oneof![
        Just(NodeName::from("serverdb")),
        Just(NodeName::from("backup"))
    ]
}

fn holding() -> impl Strategy<Value = Holding> {
    prop_oneof![
        3 => Just(Holding::Free),
        2 => Just(Holding::Held { by: vec!["postgres".into()] }),
        1 => Just(Holding::Unknown { why: why() }),
    ]
}

fn database() -> impl Strategy<Value = DatabaseState> {
    prop_oneof![
        3 => Just(DatabaseState::Stopped),
        2 => Just(DatabaseState::Ready),
        1 => Just(DatabaseState::Starting { percent: None }),
        1 => Just(DatabaseState::NotServing { why: why() }),
        1 => Just(DatabaseState::Unknown { why: why() }),
    ]
}

fn epoch(counter: u64, issuer: NodeName) -> Epoch {
    Epoch {
        counter,
        issuer,
        run: "run-1".into(),
    }
}

fn ledger() -> BoxedStrategy<LedgerFacts> {
    let highest = prop::option::of((0..4_u64, name()));
    let promised = prop::option::of((0..4_u64, name()));
    let run = prop::option::weighted(0.15, (any::<bool>(), prop::option::of(placement())));
    let took = prop_oneof![
        Just(LastTake::Unknown),
        Just(LastTake::Never),
        (0..4_u64, name()).prop_map(|(c, n)| LastTake::Under { epoch: epoch(c, n) }),
    ];
    let (lost, adopted) = (prop::bool::weighted(0.1), prop::bool::weighted(0.2));
    (highest, promised, run, lost, took, adopted)
        .prop_map(
            |(highest, promised, run, journal_lost, last_take, adopted)| LedgerFacts {
                adopted,
                highest: highest.map(|(c, n)| epoch(c, n)),
                journal_lost,
                last_take,
                promise: promised.map(|(c, n)| Promise {
                    node: n.clone(),
                    boot: "boot-1".into(),
                    epoch: epoch(c, n),
                    at: UtcMicros(1),
                }),
                unfinished: run.map(|(live, goal)| RunInProgress {
                    run: "run-1".into(),
                    epoch: epoch(3, "backup".into()),
                    coordinator: "backup".into(),
                    since: UtcMicros(1),
                    covers: None,
                    actor: "budi".into(),
                    live,
                    home: goal.clone(),
                    goal,
                }),
            },
        )
        .boxed()
}

fn facts(config: Config) -> BoxedStrategy<NodeFacts> {
    let running = prop_oneof![
        Just(Known::Known(true)),
        Just(Known::Known(false)),
        Just(Known::Unknown { why: why() })
    ];
    let flags = (any::<bool>(), any::<bool>(), prop::bool::weighted(0.1));
    (holding(), database(), flags, running, ledger())
        .prop_map(
            move |(disk, database, (mounted, present, stranger), running, ledger)| {
                let service = &config.services[0];
                let mounts = service.file_systems.iter().map(|fs| MountFact {
                    mount_point: fs.mount_point.clone(),
                    mounted,
                    stranger,
                });
                let applications = service.applications.iter().map(|a| ApplicationFact {
                    name: a.name.clone(),
                    running: running.clone(),
                });
                NodeFacts {
                    boot: "boot-1".into(),
                    disk,
                    mounts: mounts.collect(),
                    virtual_ips: vec![VirtualIpFact {
                        address: vip(0),
                        present,
                    }],
                    database,
                    applications: applications.collect(),
                    ledger,
                    unable: None,
                    astray: Vec::new(),
                }
            },
        )
        .boxed()
}

fn answer() -> impl Strategy<Value = AddressAnswer> {
    prop_oneof![
        4 => Just(AddressAnswer::Nobody),
        2 => name().prop_map(|node| AddressAnswer::Node { hardware: hardware(node.as_str()), node }),
        1 => Just(AddressAnswer::Stranger { hardware: "02:00:5e:00:53:99".into() }),
        1 => Just(AddressAnswer::NotAsked { why: why() }),
    ]
}

fn node_view(config: Config, index: usize) -> BoxedStrategy<NodeView> {
    let states = prop::collection::vec(
        prop_oneof![
            Just(FenceState::Open),
            Just(FenceState::Fenced),
            Just(FenceState::Failed { why: why() })
        ],
        2,
    );
    let power = prop_oneof![Just(Power::On), Just(Power::Off), Just(Power::Unknown)];
    let agent = prop_oneof![
        2 => facts(config.clone()).prop_map(|facts| AgentView::Answered {
            paths: vec!["path-1".into()],
            facts: Box::new(facts),
        }),
        1 => any::<bool>().prop_map(|late| AgentView::Silent {
            paths_tried: vec!["path-1".into()],
            late,
        }),
    ];
    (agent, power, states, answer())
        .prop_map(move |(agent, power, states, address)| {
            let fences = config.nodes[index].fences.iter().zip(states);
            let fences = fences.map(|(f, state)| FenceView {
                name: f.name.clone(),
                kind: f.kind,
                state,
            });
            NodeView {
                agent,
                power,
                fences: fences.collect(),
                address,
            }
        })
        .boxed()
}

fn probe() -> impl Strategy<Value = ProbeSighting> {
    (0..9000_u64, any::<bool>(), prop::option::of(name())).prop_map(|(age_ms, serving, node)| {
        ProbeSighting {
            probe: "loket-1".into(),
            age_ms,
            serving,
            answered_by: node.as_ref().map(|n| hardware(n.as_str())),
            node,
        }
    })
}

fn neighbour_run() -> impl Strategy<Value = NeighbourRun> {
    let acts_on = prop_oneof![
        3 => prop::collection::vec(name(), 0..2).prop_map(Known::Known),
        1 => Just(Known::Unknown { why: why() }),
    ];
    acts_on.prop_map(|acts_on| NeighbourRun {
        run: RunInProgress {
            run: "run-8".into(),
            epoch: epoch(8, "serverdb".into()),
            coordinator: "serverdb".into(),
            since: UtcMicros(1),
            covers: None,
            actor: "budi".into(),
            live: true,
            goal: None,
            home: None,
        },
        acts_on,
    })
}

/// Everything that can be seen, or not, of the second service.
fn neighbours(config: &Config) -> BoxedStrategy<Vec<Neighbour>> {
    let Some(other) = config.services.get(1) else {
        return Just(Vec::new()).boxed();
    };
    let service = other.name.clone();
    let presence = prop_oneof![
        2 => Just(Known::Known(Presence::Absent)),
        2 => Just(Known::Known(Presence::Held)),
        1 => Just(Known::Known(Presence::Running)),
        2 => Just(Known::Unknown { why: why() }),
    ];
    let run = prop::option::weighted(0.3, neighbour_run());
    let probes = prop::collection::vec(probe(), 0..2);
    let seen = prop::collection::btree_map(name(), presence, 0..3);
    let neighbour = (seen, run, probes).prop_map(move |(on, run, probes)| Neighbour {
        service: service.clone(),
        on,
        run,
        probes,
        mandates: Vec::new(),
    });
    prop::collection::vec(neighbour, 0..=1).boxed()
}

fn observation(config: Config) -> BoxedStrategy<Observation> {
    let disk = prop_oneof![
        Just(DiskSighting::Changing),
        Just(DiskSighting::NoChangeSeen),
        Just(DiskSighting::NotLooked { why: why() })
    ];
    (
        name(),
        node_view(config.clone(), 0),
        node_view(config.clone(), 1),
        prop::collection::vec(probe(), 0..3),
        answer(),
        disk,
        neighbours(&config),
    )
        .prop_map(
            move |(observer, serverdb, backup, probes, answer, disk, neighbours)| Observation {
                service: config.services[0].name.clone(),
                observer,
                at: UtcMicros(1),
                nodes: [("serverdb".into(), serverdb), ("backup".into(), backup)].into(),
                probes,
                addresses: vec![AddressSighting {
                    address: vip(0),
                    answer,
                }],
                disk,
                neighbours,
            },
        )
        .prop_filter("an observer answers itself", |o| {
            o.nodes[&o.observer].agent.facts().is_some()
        })
        .boxed()
}

fn placement() -> impl Strategy<Value = Placement> {
    prop_oneof![4 => name().prop_map(Placement::ActiveOn), 1 => Just(Placement::Stopped)]
}

fn how() -> impl Strategy<Value = AttestKind> {
    prop_oneof![
        Just(AttestKind::Unplugged),
        Just(AttestKind::SwitchedOff),
        Just(AttestKind::StorageDisconnected)
    ]
}

fn request() -> BoxedStrategy<Request> {
    let attested = prop::collection::vec((name(), how()), 0..2);
    (
        prop::sample::select(&KINDS[..]),
        placement(),
        attested,
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(
            |(kind, goal, attested, may_fence, accepts_old_data)| Request {
                accepts_old_data,
                kind,
                goal,
                attested: attested
                    .into_iter()
                    .map(|(node, how)| AttestationGiven {
                        node,
                        how,
                        by: "budi".into(),
                        at: UtcMicros(1),
                    })
                    .collect(),
                may_fence,
            },
        )
        .boxed()
}

fn proofs() -> impl Strategy<Value = Vec<ProofRecord>> {
    let ground = prop_oneof![
        Just(Ground::Released),
        how().prop_map(|how| Ground::Attested {
            by: "budi".into(),
            how
        }),
        Just(Ground::Fenced {
            device: "san".into(),
            fence: siaga_model::config::FenceKind::Fabric
        }),
    ];
    prop::collection::vec((name(), ground), 0..2).prop_map(|proofs| {
        let record = |(node, ground)| ProofRecord {
            service: "simrs".into(),
            epoch: epoch(3, "backup".into()),
            node,
            boot: None,
            at: UtcMicros(1),
            ground,
        };
        proofs.into_iter().map(record).collect()
    })
}

type World = (Config, Observation, Request, Vec<ProofRecord>);

fn world() -> BoxedStrategy<World> {
    prop::sample::select(&["pair", "no-fence", "hospital", "two-services"][..])
        .prop_flat_map(|which| {
            let config = config(which);
            (
                Just(config.clone()),
                observation(config),
                request(),
                proofs(),
            )
        })
        .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn every_plan_keeps_the_invariants((config, seen, request, proofs) in world()) {
        match siaga_planner::plan(&config, &seen, &request, &proofs) {
            Ok(plan) => prop_assert_eq!(invariants::check(&config, &seen, &plan), Ok(())),
            // Whatever is refused says what to do next.
            Err(refusal) => prop_assert!(!refusal.next.is_empty(), "{:?}", refusal),
        }
    }

    #[test]
    fn the_same_world_gives_the_same_plan((config, seen, request, proofs) in world()) {
        let first = siaga_planner::plan(&config, &seen, &request, &proofs);
        prop_assert_eq!(first, siaga_planner::plan(&config, &seen, &request, &proofs));
        prop_assert_eq!(siaga_planner::verdict(&config, &seen), siaga_planner::verdict(&config, &seen));
    }

    /// A node that serves a client is never passed over, and a person's word never stands against its kind's witnesses.
    #[test]
    fn nobody_who_serves_is_forced((config, seen, request, proofs) in world()) {
        let Ok(plan) = siaga_planner::plan(&config, &seen, &request, &proofs) else { return Ok(()) };
        for step in &plan.steps {
            let (victim, how) = match &step.action {
                Action::Fence { victim, .. } => (victim, None),
                Action::Attest { victim, how } => (victim, Some(*how)),
                _ => continue,
            };
            let fresh = |p: &&ProbeSighting| u128::from(p.age_ms) <= config.policy.witness_fresh.as_millis();
            let served = seen.probes.iter().filter(fresh).any(|p| p.serving && p.node.as_ref() == Some(victim));
            let facts = seen.nodes[victim].agent.facts();
            let stopped = facts.is_some_and(|f| f.database == DatabaseState::Stopped);
            prop_assert!(!served || stopped, "{victim} serves");
            prop_assert!(request.may_fence, "nobody allowed it");
            prop_assert!(victim != &step.node, "{victim} acts on itself");
            match how {
                Some(AttestKind::Unplugged | AttestKind::SwitchedOff) => {
                    prop_assert!(facts.is_none());
                    prop_assert!(seen.nodes[victim].power != Power::On);
                }
                Some(AttestKind::StorageDisconnected) => {
                    let held = facts.is_some_and(|f| matches!(f.disk, Holding::Held { .. }));
                    prop_assert!(!held);
                }
                None => {
                    // Only with a device that answers.
                    let answers = |f: &FenceView| !matches!(f.state, FenceState::Failed { .. });
                    prop_assert!(seen.nodes[victim].fences.iter().any(answers));
                }
            }
        }
    }

    /// A verdict recommends something, and recommends a takeover only where the table allows it.
    #[test]
    fn a_verdict_recommends_what_can_be_done((config, seen, _, _) in world()) {
        let verdict = siaga_planner::verdict(&config, &seen);
        prop_assert!(!verdict.advice.is_empty());
        let start = Advice::Start { service: "simrs".into() };
        let runs = verdict.state == VerdictState::Running;
        // What runs whole is not to be started: only where an application is known to be down, or an address is missing.
        let active = verdict.active.as_ref().and_then(|n| seen.nodes[n].agent.facts());
        let whole = active.is_none_or(|f| {
            let apps = f.applications.iter().all(|a| a.running != Known::Known(false));
            // What runs as it did before Siaga came is started to bring its address.
            apps && f.virtual_ips.iter().all(|v| v.present)
        });
        prop_assert!(!(runs && whole) || verdict.advice[0] != start);
        if verdict.advice.first() != Some(&(Advice::Takeover { service: "simrs".into() })) {
            return Ok(());
        }
        let kind = MoveKind::Takeover;
        match siaga_planner::goal(&config, &seen, kind, None) {
            Ok((goal, _)) => {
                let request = Request { kind, goal, attested: Vec::new(), may_fence: true, accepts_old_data: false };
                let plan = siaga_planner::plan(&config, &seen, &request, &[]);
                prop_assert!(plan.is_ok(), "{:?}", plan);
            }
            // No node that answers could: then it says to try from another one.
            Err(refusal) => prop_assert_eq!(refusal.code, RefusalCode::PeerSilent),
        }
    }

    /// "It is stopped already" is said only of a world where every agent says that it holds nothing.
    #[test]
    fn stopped_is_never_guessed((config, seen, mut request, _) in world()) {
        request.goal = Placement::Stopped;
        let asked = siaga_planner::plan(&config, &seen, &request, &[]);
        let said = match &asked {
            Ok(plan) => plan.steps.is_empty(),
            Err(refusal) => refusal.code == RefusalCode::AlreadyThere,
        };
        if said {
            for view in seen.nodes.values() {
                let facts = view.agent.facts();
                let free = facts.is_some_and(|f| f.disk == Holding::Free && f.database == DatabaseState::Stopped);
                let cut = view.fences.iter().any(|f| {
                    f.kind == siaga_model::config::FenceKind::Fabric && f.state == FenceState::Fenced
                });
                prop_assert!(free || cut, "{:?}", view);
            }
        }
    }

    /// A coordinator answers, and is the node where the service is to run.
    #[test]
    fn a_coordinator_answers((config, seen, request, _) in world()) {
        let asked = siaga_planner::goal(&config, &seen, request.kind, None);
        if let Ok((placement, coordinator)) = asked
            && (placement != Placement::Stopped || coordinator != seen.observer)
        {
            prop_assert!(seen.nodes[&coordinator].agent.facts().is_some());
            if let Placement::ActiveOn(node) = placement {
                prop_assert_eq!(node, coordinator);
            }
        }
    }
}
