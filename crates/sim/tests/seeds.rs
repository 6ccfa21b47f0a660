//! Some thousands of nights: both agents with runs of their own, crashes, reboots, partitions, dead fences and
//! impatient operators, in an order that a seed decides. `SIAGA_SEEDS=FROM-TO` runs a range of one's own.

use siaga_model::observation::AttestationGiven;
use siaga_model::plan::{MoveKind, Placement};
use siaga_model::proof::AttestKind;
use siaga_sim::cluster::{Ask, Cluster};
use siaga_sim::hands::lock;
use siaga_sim::setup::{Fences, config, two_services};
use siaga_sim::world::{EVERYTHING, Fault, NODES};

const SEEDS: std::ops::Range<u64> = 0..4000;
const MOMENTS: u32 = 120;

fn seeds() -> std::ops::Range<u64> {
    let Ok(text) = std::env::var("SIAGA_SEEDS") else {
        return SEEDS;
    };
    let (from, to) = text.split_once('-').expect("SIAGA_SEEDS=FROM-TO");
    from.parse().expect("a number")..to.parse().expect("a number")
}

#[test]
fn no_seed_breaks_a_rule() {
    let mut served = 0;
    let mut ended = 0;
    let mut hit_both = 0;
    for seed in seeds() {
        let cluster = night(seed);
        if let Some(why) = &cluster.violation {
            panic!("seed {seed}: {why}\n{:#?}", cluster.story);
        }
        ended += cluster.ends.len();
        let world = lock(&cluster.world);
        served += u32::from(world.serving(0).is_some());
        hit_both += world.fences.1;
    }
    // The nights must be eventful, or they prove nothing.
    let nights = u32::try_from(seeds().end - seeds().start).expect("a small number");
    assert!(
        ended > nights as usize,
        "only {ended} runs ended in {nights} nights"
    );
    assert!(
        served > nights / 4,
        "the service runs at the end of {served} of {nights} nights"
    );
    assert!(
        hit_both > nights / 100,
        "only {hit_both} fences hit two services in {nights} nights"
    );
}

fn night(seed: u64) -> Cluster {
    let mut rng = fastrand::Rng::with_seed(seed);
    let fences = [Fences::Power, Fences::Fabric, Fences::None][rng.usize(0..3)];
    let site = [config, config, two_services][rng.usize(0..3)];
    let mut cluster = Cluster::new(site(fences));
    let together = cluster.services() > 1 && rng.bool();
    for service in 0..cluster.services() {
        let start = wish(&mut rng, &cluster, MoveKind::Start).of(service);
        let _ = cluster.ask(&if together { start.at(0) } else { start });
    }
    if together {
        cluster.settle();
    }
    for _ in 0..MOMENTS {
        moment(&mut rng, &mut cluster);
        if cluster.violation.is_some() {
            return cluster;
        }
    }
    // Morning: everything is mended, and the operator types what the screen says.
    {
        let mut world = lock(&cluster.world);
        world.fault = None;
        world.link = true;
        for machine in &mut world.machines {
            machine.frozen = false;
            machine.fence_works = true;
            for part in &mut machine.parts {
                part.busy_mount = false;
                part.database_broken = false;
                part.mounts_at_boot = false;
            }
        }
    }
    for node in 0..2 {
        lock(&cluster.world).power_on(node);
        if !lock(&cluster.world).machines[node].agent {
            cluster.restart_agent(node);
        }
    }
    cluster.settle();
    for kind in [MoveKind::Resume, MoveKind::Start] {
        let at = rng.usize(0..2);
        let _ = cluster.ask(&wish(&mut rng, &cluster, kind).at(at));
        cluster.settle();
    }
    cluster
}

trait At {
    fn at(self, node: usize) -> Ask;
    fn of(self, service: usize) -> Ask;
}

impl At for Ask {
    fn of(mut self, service: usize) -> Ask {
        self.service = service;
        self
    }
    fn at(mut self, node: usize) -> Ask {
        self.at = node;
        self.goal = Placement::ActiveOn(NODES[node].into());
        self
    }
}

fn wish(rng: &mut fastrand::Rng, cluster: &Cluster, kind: MoveKind) -> Ask {
    let at = rng.usize(0..2);
    let attested = if rng.u8(0..4) == 0 {
        let how = [AttestKind::Unplugged, AttestKind::SwitchedOff][rng.usize(0..2)];
        // People attest what they did: the machine is off. A lie is not the program's to find out.
        let off = !lock(&cluster.world).machines[1 - at].powered;
        off.then(|| AttestationGiven {
            node: NODES[1 - at].into(),
            how,
            by: "siti".into(),
            at: siaga_model::UtcMicros(lock(&cluster.world).clock),
        })
    } else {
        None
    };
    Ask {
        at,
        service: rng.usize(0..cluster.services()),
        kind,
        goal: Placement::ActiveOn(NODES[at].into()),
        attested: attested.into_iter().collect(),
    }
}

fn moment(rng: &mut fastrand::Rng, cluster: &mut Cluster) {
    let node = rng.usize(0..2);
    match rng.u8(0..40) {
        0 => lock(&cluster.world).cut_power(node),
        1 | 2 => lock(&cluster.world).power_on(node),
        3 => lock(&cluster.world).machines[node].agent = false,
        4 | 5 => {
            if !lock(&cluster.world).machines[node].agent {
                cluster.restart_agent(node);
            }
        }
        6 => lock(&cluster.world).link = false,
        7 | 8 => lock(&cluster.world).link = true,
        9 => {
            let works = rng.bool();
            lock(&cluster.world).machines[node].fence_works = works;
        }
        10 => {
            let frozen = rng.bool();
            let mut world = lock(&cluster.world);
            // A machine that is off does not freeze. One that was attested as off, then switched on, mounted by its boot
            // and froze at once: nobody could tell, so that no night has it.
            let machine = &mut world.machines[node];
            let mounts = machine.parts.iter().any(|p| p.mounts_at_boot);
            machine.frozen = frozen && machine.powered && !mounts;
            if !frozen && rng.bool() {
                world.clock += 600_000_000;
            }
        }
        18 => {
            // A machine hangs, and somebody takes everything over on the other one.
            {
                let mut world = lock(&cluster.world);
                let machine = &mut world.machines[node];
                let mounts = machine.parts.iter().any(|p| p.mounts_at_boot);
                machine.frozen = machine.powered && !mounts;
            }
            for service in 0..cluster.services() {
                let asked = wish(rng, cluster, MoveKind::Takeover).of(service);
                let _ = cluster.ask(&asked.at(1 - node));
            }
        }
        19 => lock(&cluster.world).give_path_back(node),
        20 => {
            let mounts = rng.bool();
            let service = rng.usize(0..cluster.services());
            lock(&cluster.world).machines[node].parts[service].mounts_at_boot = mounts;
        }
        11 => {
            let broken = rng.bool();
            let service = rng.usize(0..cluster.services());
            lock(&cluster.world).machines[node].parts[service].database_broken = broken;
        }
        12 => {
            let what = EVERYTHING[rng.usize(0..EVERYTHING.len())];
            let mut world = lock(&cluster.world);
            let at_act = world.acts + rng.u32(0..8);
            world.fault = Some(Fault { at_act, what });
        }
        13..=17 => {
            let kinds = [
                MoveKind::Takeover,
                MoveKind::Switchover,
                MoveKind::Start,
                MoveKind::Resume,
                MoveKind::Abort,
                MoveKind::Cover,
            ];
            let kind = kinds[rng.usize(0..kinds.len())];
            let asked = wish(rng, cluster, kind);
            let _ = cluster.ask(&asked);
        }
        _ => {
            let busy = cluster.busy();
            if !busy.is_empty() {
                cluster.step(busy[rng.usize(0..busy.len())]);
            }
        }
    }
}
