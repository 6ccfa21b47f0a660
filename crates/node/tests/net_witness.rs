//! Who answers where, on a real segment. Needs root.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod net_support;

use net_support::site::{config, me, victim};
use net_support::vip::{V4, V6};
use net_support::{Net, Space};
use siaga_model::Why;
use siaga_model::config::Config;
use siaga_model::observation::AddressAnswer;
use siaga_node::observe::arp::{self, ArpAnswer};
use siaga_node::observe::packet::{ARP, PacketSocket};
use siaga_node::observe::{interfaces, ndp, witness};
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

const WITHIN: Duration = Duration::from_millis(400);

fn answered(hardware: &str) -> ArpAnswer {
    ArpAnswer::Answer {
        hardware: hardware.to_owned(),
        others: Vec::new(),
    }
}

#[test]
fn the_machine_that_has_an_address_is_named() {
    let net = Net::new(2);
    let (own, peer) = (&net.hosts[0], &net.hosts[1]);
    let interface = own.interface.clone();
    let begun = Instant::now();
    let answers = own.space.run(move || {
        let v6 = "2001:db8:20::12".parse().unwrap();
        (
            arp::ask(&interface, Ipv4Addr::new(192, 0, 2, 12), WITHIN),
            ndp::ask(&interface, v6, WITHIN),
        )
    });
    assert_eq!(
        answers,
        (answered(&peer.hardware), answered(&peer.hardware))
    );
    assert!(begun.elapsed() < WITHIN, "an answer ends the question");
}

#[test]
fn nobody_is_told_after_the_time_and_a_dead_link_is_an_error() {
    let net = Net::new(2);
    let interface = net.hosts[0].interface.clone();
    let ask = move |within| {
        let interface = interface.clone();
        net.hosts[0].space.run(move || {
            (
                arp::ask(&interface, V4, within),
                ndp::ask(&interface, V6, within),
            )
        })
    };
    let begun = Instant::now();
    assert_eq!(
        ask(Duration::from_millis(60)),
        (ArpAnswer::Nobody, ArpAnswer::Nobody)
    );
    assert!(
        begun.elapsed() >= Duration::from_millis(120)
            && begun.elapsed() < Duration::from_millis(600)
    );
}

#[test]
fn a_link_that_is_down_is_an_error_and_not_silence() {
    let net = Net::new(1);
    let host = &net.hosts[0];
    host.space.ip(&format!("link set {} down", host.interface));
    let interface = host.interface.clone();
    let answers = host.space.run(move || {
        (
            arp::ask(&interface, V4, WITHIN),
            ndp::ask(&interface, V6, WITHIN),
        )
    });
    assert!(
        matches!(answers, (ArpAnswer::Error(_), ArpAnswer::Error(_))),
        "{answers:?}"
    );
}

#[test]
fn two_machines_with_one_address_are_both_named() {
    let net = Net::new(3);
    for rival in &net.hosts[1..] {
        rival
            .space
            .ip(&format!("address add {V4}/32 dev {}", rival.interface));
        rival.space.ip(&format!(
            "address add {V6}/128 dev {} nodad",
            rival.interface
        ));
    }
    let interface = net.hosts[0].interface.clone();
    let answers = net.hosts[0].space.run(move || {
        [
            arp::ask(&interface, V4, WITHIN),
            ndp::ask(&interface, V6, WITHIN),
        ]
    });
    for answer in answers {
        let mut seen = answer.hardware();
        seen.sort_unstable();
        assert_eq!(seen, [&net.hosts[1].hardware, &net.hosts[2].hardware]);
    }
}

/// Answers one question for `V4` on this interface, `late` after it came in.
fn answer_late(interface: &str, own: [u8; 6], late: Duration) {
    let index = interfaces::named(interface).unwrap().index;
    let socket = PacketSocket::open(index, ARP, None).unwrap();
    let until = Instant::now() + Duration::from_secs(5);
    let mut buffer = [0; 2048];
    while Instant::now() < until {
        let question = socket.receive(&mut buffer).unwrap().map(<[u8]>::to_vec);
        let Some(question) = question.filter(|f| f[20..22] == [0, 1] && f[38..42] == V4.octets())
        else {
            std::thread::yield_now();
            continue;
        };
        std::thread::sleep(late);
        let asker = &question[22..32];
        let head = [&question[6..12], &own, &[8, 6, 0, 1, 8, 0, 6, 4, 0, 2]].concat();
        return socket
            .send(&[&head[..], &own, &V4.octets(), asker].concat())
            .unwrap();
    }
}

#[test]
fn a_second_machine_that_answers_a_little_later_is_still_seen() {
    let net = Net::new(3);
    let (quick, late) = (&net.hosts[1], &net.hosts[2]);
    quick
        .space
        .ip(&format!("address add {V4}/32 dev {}", quick.interface));
    let interface = late.interface.clone();
    let answering = late.space.start(move || {
        answer_late(
            &interface,
            [2, 0, 0x5e, 0, 0x53, 0x99],
            Duration::from_micros(1500),
        )
    });
    // Twice at most: the machine may have been too busy for the late one.
    let seen = (0..2).any(|_| {
        let interface = net.hosts[0].interface.clone();
        let answer = net.hosts[0]
            .space
            .run(move || arp::ask(&interface, V4, WITHIN));
        answer.hardware() == [quick.hardware.as_str(), "02:00:5e:00:53:99"]
    });
    answering.recv().unwrap();
    assert!(seen);
}

#[test]
fn a_host_that_answers_only_its_own_network_is_asked_from_there() {
    let net = Net::new(2);
    let (own, peer) = (&net.hosts[0], &net.hosts[1]);
    peer.space
        .sysctl(&format!("ipv4/conf/{}/arp_ignore", peer.interface), "2");
    // Another network comes first on our side.
    own.space
        .ip(&format!("address flush dev {}", own.interface));
    own.space.ip(&format!(
        "address add 198.51.100.1/24 dev {}",
        own.interface
    ));
    own.space
        .ip(&format!("address add 192.0.2.11/24 dev {}", own.interface));
    let interface = own.interface.clone();
    let answer = own
        .space
        .run(move || arp::ask(&interface, Ipv4Addr::new(192, 0, 2, 12), WITHIN));
    assert_eq!(answer, answered(&peer.hardware));
}

#[test]
fn without_an_address_of_its_own_a_node_can_still_ask() {
    let net = Net::new(2);
    let (own, peer) = (&net.hosts[0], &net.hosts[1]);
    own.space
        .ip(&format!("address flush dev {}", own.interface));
    let interface = own.interface.clone();
    let answers = own.space.run(move || {
        let v6 = "2001:db8:20::12".parse().unwrap();
        (
            arp::ask(&interface, Ipv4Addr::new(192, 0, 2, 12), WITHIN),
            ndp::ask(&interface, v6, WITHIN),
        )
    });
    assert_eq!(
        answers,
        (answered(&peer.hardware), answered(&peer.hardware))
    );
}

#[test]
fn an_answer_is_a_node_a_stranger_mine_or_nobody() {
    let net = Net::new(3);
    let answer = |address: IpAddr| {
        let (config, interface) = (config(&net), net.hosts[0].interface.clone());
        net.hosts[0]
            .space
            .run(move || witness::address_answer(&config, &me(), &interface, address, WITHIN))
    };
    assert_eq!(answer(V4.into()), AddressAnswer::Nobody);
    assert_eq!(answer(V6.into()), AddressAnswer::Nobody);
    let stranger = &net.hosts[2];
    stranger
        .space
        .ip(&format!("address add {V4}/32 dev {}", stranger.interface));
    assert_eq!(
        answer(V4.into()),
        AddressAnswer::Stranger {
            hardware: stranger.hardware.clone()
        }
    );
    let peer = &net.hosts[1];
    peer.space
        .ip(&format!("address add {V4}/32 dev {}", peer.interface));
    let node = AddressAnswer::Node {
        node: victim(),
        hardware: peer.hardware.clone(),
    };
    assert_eq!(
        answer(V4.into()),
        node,
        "a node that lives is not hidden by a stranger"
    );
    net.hosts[0].space.ip(&format!(
        "address add {V4}/32 dev {}",
        net.hosts[0].interface
    ));
    assert_eq!(answer(V4.into()), AddressAnswer::Mine);
    let config = config(&net);
    let missing = net.hosts[0]
        .space
        .run(move || witness::address_answer(&config, &me(), "eno99", V6.into(), WITHIN));
    assert!(
        matches!(missing, AddressAnswer::NotAsked { why: Why::NoSuchInterface { interface, .. } } if interface == "eno99")
    );
}

#[test]
fn a_nodes_own_address_is_asked_where_it_is_near() {
    let net = Net::new(3);
    let ask = |config: Config, node: &str| {
        let node = node.into();
        net.hosts[0]
            .space
            .run(move || witness::node_address(&config, &me(), &node, WITHIN))
    };
    assert_eq!(ask(config(&net), "backup"), AddressAnswer::Mine);
    let node = AddressAnswer::Node {
        node: victim(),
        hardware: net.hosts[1].hardware.clone(),
    };
    assert_eq!(ask(config(&net), "serverdb"), node);
    let mut two_paths = config(&net);
    two_paths.nodes[1]
        .addresses
        .insert(0, "192.0.2.99:7443".parse().unwrap());
    assert_eq!(
        ask(two_paths, "serverdb"),
        node,
        "any path that answers counts"
    );
    let mut far = config(&net);
    far.nodes[1].addresses = vec!["203.0.113.12:7443".parse().unwrap()];
    assert!(matches!(
        ask(far, "serverdb"),
        AddressAnswer::NotAsked { .. }
    ));
    let mut replaced = config(&net);
    replaced.nodes[1].hardware_addresses = vec!["02:00:5e:00:53:99".into()];
    let stranger = AddressAnswer::Stranger {
        hardware: net.hosts[1].hardware.clone(),
    };
    assert_eq!(
        ask(replaced, "serverdb"),
        stranger,
        "only a registered hardware address is the node"
    );
}

#[test]
fn spaces_are_private() {
    let other = Space::new();
    let net = Net::new(1);
    let interface = net.hosts[0].interface.clone();
    assert!(
        other
            .run(move || siaga_node::observe::interfaces::named(&interface))
            .is_err()
    );
}
