//! Two services on one pair of nodes, and a machine that dies with both of them.

use siaga_model::event::EventBody;
use siaga_model::plan::{MoveKind, Placement};
use siaga_model::run::RunOutcome;
use siaga_sim::cluster::{Ask, Cluster};
use siaga_sim::hands::lock;
use siaga_sim::setup::{Fences, two_services};
use siaga_sim::world::{EVERYTHING, Fault, NODES, SERVICES};

fn ask(at: usize, service: usize, kind: MoveKind) -> Ask {
    Ask {
        at,
        service,
        kind,
        goal: Placement::ActiveOn(NODES[at].into()),
        attested: Vec::new(),
    }
}

/// Both services run on the first node.
fn both_run(fences: Fences) -> Cluster {
    let mut cluster = Cluster::new(two_services(fences));
    for service in 0..2 {
        let started = cluster.ask(&ask(0, service, MoveKind::Start));
        started.expect("the first start");
        cluster.settle();
        assert_eq!(lock(&cluster.world).serving(service), Some(0));
    }
    cluster
}

/// The first node is gone, and both takeovers were ordered on the second one.
fn both_ordered(fences: Fences) -> Cluster {
    let mut cluster = both_run(fences);
    lock(&cluster.world).cut_power(0);
    for service in 0..2 {
        let asked = cluster.ask(&ask(1, service, MoveKind::Takeover));
        asked.expect("a takeover");
    }
    cluster
}

/// Carries out one effect after the other, of either run as the dice say.
fn interleave(cluster: &mut Cluster, dice: &mut fastrand::Rng) {
    loop {
        let busy = cluster.busy();
        if busy.is_empty() {
            return;
        }
        cluster.step(busy[dice.usize(0..busy.len())]);
    }
}

#[test]
fn two_takeovers_at_once_share_mandates_and_fence() {
    let mut shared = 0;
    for seed in 0..300 {
        for fences in [Fences::Power, Fences::Fabric] {
            let mut cluster = both_ordered(fences);
            let before = lock(&cluster.world).fences.0;
            interleave(&mut cluster, &mut fastrand::Rng::with_seed(seed));
            let case = format!("seed {seed}, {fences:?}: {:#?}", cluster.story);
            assert_eq!(cluster.violation, None, "{case}");
            let world = lock(&cluster.world);
            for service in 0..2 {
                assert_eq!(world.serving(service), Some(1), "{case}");
                // Neither voided the other: one plan each was enough.
                let plans = world.machines[1].parts[service].journal.iter();
                let plans = plans.filter(|b| matches!(b, EventBody::PlanRecorded { plan } if plan.plan.kind == MoveKind::Takeover));
                assert_eq!(plans.count(), 1, "{case}");
            }
            let fences = world.fences.0 - before;
            assert!((1..=2).contains(&fences), "{case}");
            shared += u32::from(fences == 1);
        }
    }
    assert!(shared > 100, "only {shared} of 600 pairs shared one fence");
}

#[test]
fn a_takeover_of_one_spares_the_other_that_works() {
    let mut cluster = both_run(Fences::Power);
    // The first service is gone for its clients, and the agent does not answer: the second goes on all the same.
    {
        let mut world = lock(&cluster.world);
        world.machines[0].agent = false;
        world.machines[0].parts[0].database = false;
    }
    let refused = cluster.ask(&ask(1, 0, MoveKind::Takeover));
    let refusal = refused.expect_err("the fence would kill a service that works");
    assert_eq!(
        refusal.code,
        siaga_model::refusal::RefusalCode::HolderOfRunningService
    );
    assert_eq!(lock(&cluster.world).serving(1), Some(0));
    assert_eq!(lock(&cluster.world).fences.0, 0);
}

#[test]
fn a_run_that_acts_on_the_node_is_not_cut_off() {
    let mut cluster = both_run(Fences::Power);
    // The second service is under way to the other node, when somebody wants the first one there by force.
    let moved = cluster.ask(&ask(1, 1, MoveKind::Switchover));
    moved.expect("a switchover");
    cluster.step((1, 1));
    // The way to the storage is cut, so that the agent that answers can't tell what it holds.
    {
        let mut world = lock(&cluster.world);
        world.machines[0].cut = true;
        world.machines[0].parts[0].database = false;
        world.machines[0].parts[1].database = false;
    }
    let refused = cluster.ask(&ask(1, 0, MoveKind::Takeover));
    let refusal = refused.expect_err("a run acts on the node");
    assert_eq!(
        refusal.code,
        siaga_model::refusal::RefusalCode::RunInProgress,
        "{refusal:?}"
    );
}

#[test]
fn a_fault_at_every_act_of_two_takeovers_breaks_no_rule_and_both_serve_in_the_end() {
    for at in 0..24 {
        for what in EVERYTHING {
            for seed in 0..3 {
                let mut cluster = both_ordered(Fences::Power);
                {
                    let mut world = lock(&cluster.world);
                    let at_act = world.acts + at;
                    world.fault = Some(Fault { at_act, what });
                }
                interleave(&mut cluster, &mut fastrand::Rng::with_seed(seed));
                let case = format!("{what:?} at act {at}, seed {seed}");
                go_on(&mut cluster, &case);
            }
        }
    }
}

/// What broke is mended but for the dead machine, and the operator types what the screen says.
fn go_on(cluster: &mut Cluster, case: &str) {
    {
        let mut world = lock(&cluster.world);
        world.fault = None;
        world.link = true;
        world.power_on(1);
    }
    if !lock(&cluster.world).machines[1].agent {
        cluster.restart_agent(1);
    }
    let mut said = Vec::new();
    for service in 0..2 {
        for kind in [MoveKind::Resume, MoveKind::Start, MoveKind::Resume] {
            if lock(&cluster.world).serving(service).is_some() {
                break;
            }
            if let Err(refusal) = cluster.ask(&ask(1, service, kind)) {
                said.push(format!("{kind:?}: {:?}", refusal.code));
            }
            cluster.settle();
        }
    }
    assert_eq!(cluster.violation, None, "{case}: {:#?}", cluster.story);
    for (service, name) in SERVICES.iter().enumerate() {
        let serving = lock(&cluster.world).serving(service);
        let story = &cluster.story;
        assert_eq!(serving, Some(1), "{case}: {name}; {said:?} {story:#?}");
    }
    let done = |end: &&(Placement, RunOutcome)| end.1 == RunOutcome::Done;
    assert!(cluster.ends.iter().filter(done).count() >= 2, "{case}");
}
