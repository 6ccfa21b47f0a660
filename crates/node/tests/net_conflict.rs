//! Two machines and one address, in network namespaces. Needs root.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod net_support;

use net_support::vip::*;
use net_support::{Capture, Net, runtime, soon};
use siaga_model::{Note, Why};
use siaga_node::act::virtual_ip;
use siaga_node::observe::packet::ARP;
use std::net::IpAddr;
use std::time::{Duration, Instant};

#[test]
fn a_contested_address_is_refused_where_a_neighbour_answers() {
    let (net, rt) = (Net::new(2), runtime());
    let (host, peer) = (&net.hosts[0], &net.hosts[1]);
    peer.space
        .ip(&format!("address add {V4}/32 dev {}", peer.interface));
    peer.space.ip(&format!(
        "address add {V6}/128 dev {} nodad",
        peer.interface
    ));
    for address in [IpAddr::from(V4), IpAddr::from(V6)] {
        let why = refused(add(host, rt.handle(), address, CONTESTED));
        assert!(
            matches!(&why, Why::AddressAnswered { address: a, hardware, .. } if *a == address && *hardware == peer.hardware),
            "{why:?}"
        );
        assert!(!present(host, rt.handle(), address));
    }
    assert!(
        add(host, rt.handle(), V4, PROVEN).unwrap().changed,
        "what is proven is not asked for"
    );
}

#[test]
fn a_contested_address_that_nobody_has_is_added_within_its_time() {
    let (net, rt) = (Net::new(2), runtime());
    for address in [IpAddr::from(V4), IpAddr::from(V6)] {
        let begun = Instant::now();
        assert!(
            add(&net.hosts[0], rt.handle(), address, CONTESTED)
                .unwrap()
                .changed
        );
        let took = begun.elapsed();
        assert!(
            took >= virtual_ip::PROBED_FOR && took < Duration::from_millis(900),
            "{took:?}"
        );
    }
}

#[test]
fn a_known_node_that_still_answers_is_named_and_does_not_block() {
    let (net, rt) = (Net::new(2), runtime());
    let (host, peer) = (&net.hosts[0], &net.hosts[1]);
    peer.space
        .ip(&format!("address add {V4}/32 dev {}", peer.interface));
    let tolerated = vec![peer.hardware.clone()];
    let did = on(host, rt.handle(), move |rt, interface| {
        virtual_ip::add_beside(rt, interface, V4.into(), CONTESTED, &tolerated)
    })
    .unwrap();
    assert!(
        did.changed
            && matches!(&did.notes[0], Note::AnsweredAndDefended { hardware, .. } if *hardware == peer.hardware),
        "{did:?}"
    );
    assert_eq!(conflicts_on(host)[0].hardware, peer.hardware);
}

#[test]
fn a_conflict_is_seen_named_and_defended() {
    let (net, rt) = (Net::new(3), runtime());
    let (host, rival, witness) = (&net.hosts[0], &net.hosts[1], &net.hosts[2]);
    add(host, rt.handle(), V4, PROVEN).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    assert!(conflicts_on(host).is_empty());
    let capture = Capture::begin(witness, ARP);
    add(rival, rt.handle(), V4, PROVEN).unwrap();
    let conflict = soon("the conflict", || conflicts_on(host).into_iter().next());
    assert_eq!(
        (conflict.address, &conflict.hardware),
        (IpAddr::from(V4), &rival.hardware)
    );
    soon("the other side's conflict", || {
        conflicts_on(rival)
            .into_iter()
            .find(|c| c.hardware == host.hardware)
    });
    std::thread::sleep(Duration::from_millis(250));
    let own = capture.end(|f| is_gratuitous(f, 1, &host.hardware)).len();
    assert!(
        own >= 1,
        "the next announcement was due at 1 s: this one is the defence"
    );
    assert!(
        own <= 6,
        "{own} announcements: two defenders must not flood the segment"
    );
    remove(host, rt.handle(), V4).unwrap();
    assert!(
        conflicts_on(host).is_empty(),
        "no longer ours: no conflict of ours"
    );
    on(rival, rt.handle(), |_, interface| {
        virtual_ip::announce_again(interface, V4.into())
    })
    .unwrap();
    std::thread::sleep(Duration::from_millis(100));
    assert!(
        conflicts_on(host).is_empty(),
        "nobody listens for it any more"
    );
}

#[test]
fn a_silent_second_holder_is_found_by_asking() {
    let (net, rt) = (Net::new(2), runtime());
    let (host, rival) = (&net.hosts[0], &net.hosts[1]);
    rival
        .space
        .ip(&format!("address add {V4}/32 dev {}", rival.interface));
    rival.space.ip(&format!(
        "address add {V6}/128 dev {} nodad",
        rival.interface
    ));
    for address in [IpAddr::from(V4), IpAddr::from(V6)] {
        add(host, rt.handle(), address, PROVEN).unwrap();
        let conflict = soon("the silent holder", || {
            conflicts_on(host)
                .into_iter()
                .find(|c| c.address == address)
        });
        assert_eq!(conflict.hardware, rival.hardware);
    }
}

#[test]
fn an_adopted_address_is_watched_and_not_announced() {
    let (net, rt) = (Net::new(3), runtime());
    let (host, rival, witness) = (&net.hosts[0], &net.hosts[1], &net.hosts[2]);
    host.space
        .ip(&format!("address add {V4}/32 dev {}", host.interface));
    let capture = Capture::begin(witness, ARP);
    assert_eq!(
        on(host, rt.handle(), |_, interface| virtual_ip::adopt(
            interface,
            V4.into()
        )),
        Ok(())
    );
    rival
        .space
        .ip(&format!("address add {V4}/32 dev {}", rival.interface));
    on(rival, rt.handle(), |_, interface| {
        virtual_ip::announce_again(interface, V4.into())
    })
    .unwrap();
    assert_eq!(
        soon("the conflict", || conflicts_on(host).into_iter().next()).hardware,
        rival.hardware
    );
    std::thread::sleep(Duration::from_millis(100));
    assert!(
        capture
            .end(|f| is_gratuitous(f, 1, &host.hardware))
            .is_empty(),
        "it must not fight by itself"
    );
}

#[test]
fn a_duplicate_that_the_kernel_found_is_not_taken_for_there() {
    let (net, rt) = (Net::new(2), runtime());
    let (host, peer) = (&net.hosts[0], &net.hosts[1]);
    peer.space.ip(&format!(
        "address add {V6}/128 dev {} nodad",
        peer.interface
    ));
    host.space
        .sysctl(&format!("ipv6/conf/{}/accept_dad", host.interface), "1");
    host.space
        .ip(&format!("address add {V6}/128 dev {}", host.interface));
    soon("the kernel's verdict", || {
        let out = host.space.run(|| {
            std::process::Command::new("/usr/sbin/ip")
                .args(["-6", "addr"])
                .output()
                .unwrap()
        });
        String::from_utf8(out.stdout)
            .unwrap()
            .contains("dadfailed")
            .then_some(())
    });
    let why = refused(add(host, rt.handle(), V6, CONTESTED));
    assert!(
        matches!(&why, Why::AddressAnswered { hardware, .. } if *hardware == peer.hardware),
        "{why:?}"
    );
    let did = add(host, rt.handle(), V6, PROVEN).unwrap();
    assert!(
        did.changed && matches!(did.notes[0], Note::DuplicateCleared { .. }),
        "{did:?}"
    );
    host.space
        .run(|| std::net::UdpSocket::bind((V6, 0)).map(drop))
        .unwrap();
}
