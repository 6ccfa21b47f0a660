//! What contradicts that a node is off, or cut from the storage. Needs root.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod net_support;

use net_support::Net;
use net_support::site::{config, me, victim};
use net_support::vip::{V4, V6};
use siaga_model::observation::{DatabaseState, Holding, LedgerFacts, NodeFacts, ProbeSighting};
use siaga_model::proof::AttestKind;
use siaga_model::refusal::Sentence;
use siaga_model::{BootId, NodeName, ServiceName, UtcMicros};
use siaga_node::observe::witness::{self, LifeSigns};
use siaga_runner::hands::LifeQuestion;
use std::net::IpAddr;
use std::time::{Duration, Instant};

const SINCE: UtcMicros = UtcMicros(1_000_000_000);

/// What the agent would say.
#[derive(Clone, Default)]
struct Signs {
    lives: bool,
    facts: Option<NodeFacts>,
    probes: Vec<ProbeSighting>,
    slow: Duration,
}

impl LifeSigns for Signs {
    fn peer_lives(&self, node: &NodeName, within: Duration) -> bool {
        assert_eq!(node, &victim());
        std::thread::sleep(self.slow.min(within));
        self.lives
    }
    fn peer_facts(&self, _: &ServiceName, node: &NodeName, within: Duration) -> Option<NodeFacts> {
        assert_eq!(node, &victim());
        std::thread::sleep(self.slow.min(within));
        self.facts.clone()
    }
    fn promise_facts(
        &self,
        _: &ServiceName,
        _: &NodeName,
        _: Duration,
    ) -> Option<siaga_model::observation::PromiseFacts> {
        None
    }
    fn probes(&self, _: &ServiceName) -> Vec<ProbeSighting> {
        self.probes.clone()
    }
    fn now(&self) -> UtcMicros {
        UtcMicros(SINCE.0 + 2_000_000)
    }
}

fn sign(net: &Net, ground: LifeQuestion, signs: &Signs) -> Option<Sentence> {
    let (config, signs) = (config(net), signs.clone());
    net.hosts[0].space.run(move || {
        witness::sign_of_life(
            &config,
            &me(),
            &"simrs".into(),
            &victim(),
            ground,
            SINCE,
            &signs,
        )
    })
}

const OFF: [LifeQuestion; 3] = [
    LifeQuestion::PoweredOff,
    LifeQuestion::Attested(AttestKind::Unplugged),
    LifeQuestion::Attested(AttestKind::SwitchedOff),
];
const CUT: [LifeQuestion; 2] = [
    LifeQuestion::StorageCut,
    LifeQuestion::Attested(AttestKind::StorageDisconnected),
];

fn facts(disk: Holding, database: DatabaseState) -> NodeFacts {
    NodeFacts {
        boot: BootId::new("b"),
        disk,
        mounts: Vec::new(),
        virtual_ips: Vec::new(),
        database,
        applications: Vec::new(),
        ledger: LedgerFacts::default(),
        unable: None,
        astray: Vec::new(),
    }
}

fn probe(age_ms: u64, serving: bool, node: &str) -> ProbeSighting {
    ProbeSighting {
        probe: "kasir".into(),
        age_ms,
        serving,
        answered_by: None,
        node: Some(node.into()),
    }
}

#[test]
fn a_node_that_is_off_gives_no_sign() {
    let net = Net::new(2);
    net.unplug(1);
    for ground in OFF.into_iter().chain(CUT) {
        assert_eq!(sign(&net, ground, &Signs::default()), None, "{ground:?}");
    }
}

#[test]
fn after_a_power_fence_the_take_hardly_waits() {
    let net = Net::new(2);
    net.unplug(1);
    let slow = Signs {
        slow: Duration::from_secs(5),
        ..Signs::default()
    };
    let once = || {
        let begun = Instant::now();
        assert_eq!(sign(&net, LifeQuestion::PoweredOff, &slow), None);
        begun.elapsed()
    };
    // The best of five, since the machine may be busy.
    let best = (0..5).map(|_| once()).min().unwrap();
    assert!(best < Duration::from_millis(60), "{best:?}");
}

#[test]
fn any_answer_contradicts_off_and_not_a_cut_storage() {
    let net = Net::new(2);
    let hardware = net.hosts[1].hardware.clone();
    for ground in OFF {
        let answers = Sentence::NodeAddressAnswers {
            node: victim(),
            hardware: hardware.clone(),
        };
        assert_eq!(
            sign(&net, ground, &Signs::default()),
            Some(answers),
            "{ground:?}"
        );
    }
    for ground in CUT {
        assert_eq!(sign(&net, ground, &Signs::default()), None, "{ground:?}");
    }
    // Only the virtual addresses still answer.
    net.hosts[1]
        .space
        .ip(&format!("address flush dev {}", net.hosts[1].interface));
    for address in [IpAddr::from(V4), IpAddr::from(V6)] {
        net.hosts[1]
            .space
            .ip(&format!("address flush dev {}", net.hosts[1].interface));
        net.hosts[1].space.ip(&format!(
            "address add {address} dev {}",
            net.hosts[1].interface
        ));
        for ground in OFF {
            let answers = Sentence::AddressAnsweredBy {
                address,
                node: victim(),
            };
            assert_eq!(
                sign(&net, ground, &Signs::default()),
                Some(answers),
                "{ground:?}"
            );
        }
    }
}

#[test]
fn a_stranger_at_its_address_is_no_sign_of_its_life() {
    let net = Net::new(3);
    net.unplug(1);
    net.hosts[2].space.ip(&format!(
        "address add 192.0.2.12/24 dev {}",
        net.hosts[2].interface
    ));
    for ground in OFF {
        assert_eq!(sign(&net, ground, &Signs::default()), None);
    }
}

#[test]
fn what_its_agent_says_is_weighed_by_the_ground() {
    let net = Net::new(2);
    net.unplug(1);
    let with = |disk, database| Signs {
        facts: Some(facts(disk, database)),
        ..Signs::default()
    };
    // It lives. What it could say of itself may come too late.
    let late = Signs {
        lives: true,
        ..Signs::default()
    };
    for ground in OFF {
        assert_eq!(
            sign(&net, ground, &late),
            Some(Sentence::NodeAnswers { node: victim() }),
            "{ground:?}"
        );
    }
    let free = with(Holding::Free, DatabaseState::Stopped);
    let held = with(
        Holding::Held {
            by: vec!["mount".into()],
        },
        DatabaseState::Stopped,
    );
    let cut_off = with(
        Holding::Unknown {
            why: "cut off".into(),
        },
        DatabaseState::NotServing { why: "hung".into() },
    );
    let works = with(Holding::Unknown { why: "?".into() }, DatabaseState::Ready);
    for ground in CUT {
        assert_eq!(sign(&net, ground, &free), None);
        assert_eq!(sign(&net, ground, &cut_off), None);
        let holds = Sentence::NodeHolds {
            node: victim(),
            by: vec!["mount".into()],
        };
        assert_eq!(sign(&net, ground, &held), Some(holds));
        let runs = Sentence::ServiceRuns {
            service: "simrs".into(),
            node: victim(),
        };
        assert_eq!(
            sign(&net, ground, &works),
            Some(runs),
            "a write was committed there"
        );
    }
}

#[test]
fn a_probe_served_by_it_since_then_contradicts_everything() {
    let net = Net::new(2);
    net.unplug(1);
    let with = |probe| Signs {
        probes: vec![probe],
        ..Signs::default()
    };
    for ground in OFF.into_iter().chain(CUT) {
        let served = sign(&net, ground, &with(probe(1500, true, "serverdb")));
        assert!(
            matches!(
                served,
                Some(Sentence::ProbeSeesService { age_ms: 1500, .. })
            ),
            "{ground:?} {served:?}"
        );
        assert_eq!(
            sign(&net, ground, &with(probe(2500, true, "serverdb"))),
            None,
            "older than the fence"
        );
        assert_eq!(
            sign(&net, ground, &with(probe(100, false, "serverdb"))),
            None
        );
        assert_eq!(sign(&net, ground, &with(probe(100, true, "backup"))), None);
    }
}
