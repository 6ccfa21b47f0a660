//! Fail, lose, crash and cut the power at every act of every kind of run, then let an operator go on as the screen
//! tells them. The auditor watches after every act.

use siaga_model::observation::AttestationGiven;
use siaga_model::plan::{MoveKind, Placement};
use siaga_model::proof::AttestKind;
use siaga_model::run::RunOutcome;
use siaga_sim::cluster::{Ask, Cluster};
use siaga_sim::hands::lock;
use siaga_sim::setup::{Fences, config};
use siaga_sim::world::{EVERYTHING, Fault, NODES, What};

#[derive(Clone, Copy, Debug)]
struct Scenario {
    name: &'static str,
    fences: Fences,
    kind: MoveKind,
    at: usize,
    goal: usize,
    /// Cut this machine's power first.
    dead: Option<usize>,
    attest: bool,
    /// Move the service to the backup first.
    from_backup: bool,
}

const fn scenario(name: &'static str, kind: MoveKind, at: usize, goal: usize) -> Scenario {
    Scenario {
        name,
        fences: Fences::Power,
        kind,
        at,
        goal,
        dead: None,
        attest: false,
        from_backup: false,
    }
}

const SCENARIOS: [Scenario; 9] = [
    scenario("switchover", MoveKind::Switchover, 1, 1),
    Scenario {
        from_backup: true,
        ..scenario("failback", MoveKind::Failback, 0, 0)
    },
    scenario("drill", MoveKind::Drill, 1, 1),
    scenario("restart", MoveKind::Restart, 0, 0),
    Scenario {
        dead: Some(0),
        ..scenario("takeover, power fence", MoveKind::Takeover, 1, 1)
    },
    Scenario {
        dead: Some(0),
        fences: Fences::Fabric,
        ..scenario("takeover, fabric fence", MoveKind::Takeover, 1, 1)
    },
    Scenario {
        dead: Some(0),
        fences: Fences::None,
        attest: true,
        ..scenario("takeover, attested", MoveKind::Takeover, 1, 1)
    },
    Scenario {
        dead: Some(0),
        ..scenario("start, peer dead", MoveKind::Start, 1, 1)
    },
    Scenario {
        dead: Some(0),
        fences: Fences::None,
        attest: true,
        ..scenario("start, attested", MoveKind::Start, 1, 1)
    },
];

fn active_on(node: usize) -> Placement {
    Placement::ActiveOn(NODES[node].into())
}

fn ask(at: usize, kind: MoveKind, goal: usize) -> Ask {
    Ask {
        at,
        service: 0,
        kind,
        goal: active_on(goal),
        attested: Vec::new(),
    }
}

/// The scenario's world just before its own request.
fn prepare(s: Scenario) -> Cluster {
    let mut cluster = Cluster::new(config(s.fences));
    cluster
        .ask(&ask(0, MoveKind::Start, 0))
        .expect("the first start");
    cluster.settle();
    assert_eq!(
        lock(&cluster.world).serving(0),
        Some(0),
        "{:#?}",
        cluster.story
    );
    if s.from_backup {
        cluster
            .ask(&ask(1, MoveKind::Switchover, 1))
            .expect("the way there");
        cluster.settle();
        assert_eq!(
            lock(&cluster.world).serving(0),
            Some(1),
            "{:#?}",
            cluster.story
        );
    }
    if let Some(dead) = s.dead {
        lock(&cluster.world).cut_power(dead);
    }
    cluster
}

fn request(cluster: &Cluster, s: Scenario) -> Ask {
    let mut ask = ask(s.at, s.kind, s.goal);
    if s.attest {
        ask.attested = vec![AttestationGiven {
            node: NODES[1 - s.at].into(),
            how: AttestKind::Unplugged,
            by: "siti".into(),
            at: siaga_model::UtcMicros(lock(&cluster.world).clock),
        }];
    }
    ask
}

/// How many acts the scenario takes when nothing goes wrong.
fn acts(s: Scenario) -> u32 {
    let mut cluster = prepare(s);
    let before = lock(&cluster.world).acts;
    let ask = request(&cluster, s);
    cluster
        .ask(&ask)
        .unwrap_or_else(|r| panic!("{}: {r:?}", s.name));
    cluster.settle();
    assert_eq!(cluster.violation, None, "{}: {:#?}", s.name, cluster.story);
    assert_eq!(
        cluster.ends.last().map(|e| &e.1),
        Some(&RunOutcome::Done),
        "{}",
        s.name
    );
    let after = lock(&cluster.world).acts;
    after - before
}

#[test]
fn without_faults_every_scenario_is_done() {
    for s in SCENARIOS {
        assert!(acts(s) > 2, "{}", s.name);
    }
}

#[test]
fn every_order_bears_being_carried_out_twice() {
    for s in SCENARIOS {
        let mut cluster = prepare(s);
        cluster.twice = true;
        let ask = request(&cluster, s);
        cluster.ask(&ask).expect("accepted");
        cluster.settle();
        let what = format!("{}: {:#?}", s.name, cluster.story);
        assert_eq!(cluster.violation, None, "{what}");
        // A proof opens the disk set once: the second take is refused, and a planned move then goes home.
        let end = cluster.ends.last().map(|e| e.1.clone());
        assert!(end.is_some(), "{what}");
    }
}

#[test]
fn a_fault_at_every_act_breaks_no_rule_and_the_next_command_finishes() {
    let mut cases = 0;
    for s in SCENARIOS {
        let acts = acts(s);
        for at in 0..acts {
            for what in EVERYTHING {
                strike(s, at, what);
                cases += 1;
            }
        }
    }
    assert!(cases > 300, "only {cases} cases");
}

fn strike(s: Scenario, at: u32, what: What) {
    let mut cluster = prepare(s);
    let begun = lock(&cluster.world).acts;
    lock(&cluster.world).fault = Some(Fault {
        at_act: begun + at,
        what,
    });
    let ask = request(&cluster, s);
    cluster.ask(&ask).expect("accepted");
    cluster.settle();
    let case = format!("{}, {what:?} at act {at}", s.name);
    assert_eq!(cluster.violation, None, "{case}: {:#?}", cluster.story);

    // The operator: what is broken is mended, dead machines stay off or come back, and one command is typed.
    {
        let mut world = lock(&cluster.world);
        world.fault = None;
        world.link = true;
    }
    for node in 0..2 {
        if s.dead != Some(node) {
            lock(&cluster.world).power_on(node);
            if !lock(&cluster.world).machines[node].agent {
                cluster.restart_agent(node);
            }
        }
    }
    go_on(&mut cluster, s, &case);
}

/// Types what the screen says: resume where a run rests, else start. The service must run afterwards.
fn go_on(cluster: &mut Cluster, s: Scenario, case: &str) {
    let mut said = Vec::new();
    for kind in [MoveKind::Resume, MoveKind::Start, MoveKind::Resume] {
        if lock(&cluster.world).serving(0).is_some() {
            break;
        }
        let mut again = ask(s.goal, kind, s.goal);
        again.attested = request(cluster, s).attested;
        if let Err(refusal) = cluster.ask(&again) {
            said.push(format!("{kind:?}: {:?}", refusal.code));
        }
        cluster.settle();
        assert_eq!(cluster.violation, None, "{case}: {:#?}", cluster.story);
    }
    let serving = lock(&cluster.world).serving(0);
    assert!(
        serving.is_some(),
        "{case}: nobody serves; {said:?} {:#?}",
        cluster.story
    );
}

#[test]
fn a_busy_mount_ends_where_it_started() {
    let mut cluster = prepare(SCENARIOS[0]);
    lock(&cluster.world).machines[0].parts[0].busy_mount = true;
    cluster
        .ask(&ask(1, MoveKind::Switchover, 1))
        .expect("accepted");
    cluster.settle();
    assert!(matches!(
        cluster.ends.last(),
        Some((_, RunOutcome::Restored { .. }))
    ));
    assert_eq!(lock(&cluster.world).serving(0), Some(0));
}

#[test]
fn a_target_that_can_not_start_ends_where_it_started() {
    let mut cluster = prepare(SCENARIOS[0]);
    lock(&cluster.world).machines[1].parts[0].database_broken = true;
    cluster
        .ask(&ask(1, MoveKind::Switchover, 1))
        .expect("accepted");
    cluster.settle();
    assert!(matches!(
        cluster.ends.last(),
        Some((_, RunOutcome::Restored { .. }))
    ));
    assert_eq!(lock(&cluster.world).serving(0), Some(0));
    assert_eq!(cluster.violation, None);
}
