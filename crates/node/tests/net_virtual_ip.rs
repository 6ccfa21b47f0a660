//! The virtual address on real interfaces, in network namespaces. Needs root.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod net_support;

use net_support::vip::*;
use net_support::{Capture, Net, runtime, soon};
use siaga_model::Why;
use siaga_node::act::virtual_ip;
use siaga_node::observe::packet::{ARP, IPV6};
use siaga_runner::hands::Did;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, Instant};

#[test]
fn adding_and_removing_are_idempotent_and_leave_other_addresses() {
    let (net, rt) = (Net::new(1), runtime());
    let host = &net.hosts[0];
    for address in [IpAddr::from(V4), IpAddr::from(V6)] {
        assert!(!present(host, rt.handle(), address));
        assert!(add(host, rt.handle(), address, PROVEN).unwrap().changed);
        assert!(present(host, rt.handle(), address));
        assert_eq!(add(host, rt.handle(), address, PROVEN), Ok(Did::nothing()));
        assert_eq!(
            add(host, rt.handle(), address, CONTESTED),
            Ok(Did::nothing()),
            "ours: not a conflict with itself"
        );
        assert!(remove(host, rt.handle(), address).unwrap().changed);
        assert!(!present(host, rt.handle(), address));
        assert_eq!(remove(host, rt.handle(), address), Ok(Did::nothing()));
    }
    assert!(
        present(host, rt.handle(), Ipv4Addr::new(192, 0, 2, 11)),
        "the node's own address stays"
    );
    assert!(present(
        host,
        rt.handle(),
        "2001:db8:20::11".parse::<Ipv6Addr>().unwrap()
    ));
}

#[test]
fn it_is_added_as_a_host_address() {
    let (net, rt) = (Net::new(1), runtime());
    let host = &net.hosts[0];
    add(host, rt.handle(), V4, PROVEN).unwrap();
    add(host, rt.handle(), V6, PROVEN).unwrap();
    let interface = host.interface.clone();
    let addresses = host.space.run(move || {
        siaga_node::observe::interfaces::named(&interface)
            .unwrap()
            .addresses
    });
    assert!(addresses.contains(&(V4.into(), 32)), "{addresses:?}");
    assert!(addresses.contains(&(V6.into(), 128)), "{addresses:?}");
}

#[test]
fn the_segment_is_told_at_once_and_again() {
    let (net, rt) = (Net::new(2), runtime());
    let (host, peer) = (&net.hosts[0], &net.hosts[1]);
    let capture = Capture::begin(peer, ARP);
    add(host, rt.handle(), V4, PROVEN).unwrap();
    let returned = Instant::now();
    let requests = |frame: &[u8]| is_gratuitous(frame, 1, &host.hardware);
    let replies = |frame: &[u8]| is_gratuitous(frame, 2, &host.hardware);
    let seen = soon("announcements at 0, 10, 50 and 200 ms", || {
        Some(capture.times(replies)).filter(|seen| seen.len() >= 4)
    });
    assert_eq!(seen.len(), 4);
    assert!(
        seen[3] < returned + Duration::from_millis(900),
        "the fifth is due at 1 s"
    );
    assert!(remove(host, rt.handle(), V4).unwrap().changed);
    // Two announcements would be due by then.
    std::thread::sleep(Duration::from_millis(1200));
    assert_eq!(capture.times(requests).len(), 4);
    assert_eq!(capture.end(replies), seen, "none after the removal");
}

#[test]
fn neighbours_are_told_of_an_ipv6_address() {
    let (net, rt) = (Net::new(2), runtime());
    let (host, peer) = (&net.hosts[0], &net.hosts[1]);
    let capture = Capture::begin(peer, IPV6);
    add(host, rt.handle(), V6, PROVEN).unwrap();
    let returned = Instant::now();
    let advertised = |frame: &[u8]| {
        // To all nodes, hop limit 255, neighbour advertisement with the override flag, of V6.
        frame.len() >= 86
            && frame[..6] == [0x33, 0x33, 0, 0, 0, 1]
            && frame[21] == 255
            && frame[54] == 136
            && frame[58] & 0x20 != 0
            && frame[62..78] == V6.octets()
    };
    let seen = soon("advertisements at 0, 10, 50 and 200 ms", || {
        Some(capture.times(advertised)).filter(|seen| seen.len() >= 4)
    });
    assert!(
        seen[3] < returned + Duration::from_millis(900),
        "the fifth is due at 1 s"
    );
    // The kernel drops an advertisement with a wrong checksum, so that the peer learns the address only from a right one.
    peer.space.ip(&format!(
        "neigh add {V6} lladdr 02:00:5e:00:53:77 dev {} nud stale",
        peer.interface
    ));
    assert_eq!(
        on(
            host,
            rt.handle(),
            |_, interface| virtual_ip::announce_again(interface, V6.into())
        ),
        Ok(())
    );
    soon("the peer's neighbour entry changed", || {
        let learned = peer.space.run(|| {
            let out = std::process::Command::new("/usr/sbin/ip")
                .args(["-6", "neigh"])
                .output()
                .unwrap();
            String::from_utf8(out.stdout).unwrap()
        });
        learned
            .lines()
            .any(|l| l.starts_with(&V6.to_string()) && l.contains(&host.hardware))
            .then_some(())
    });
}

#[test]
fn an_ipv6_address_is_usable_at_once() {
    let (net, rt) = (Net::new(1), runtime());
    let host = &net.hosts[0];
    // With the kernel's own duplicate detection, it would be tentative for more than a second: bind would fail.
    host.space
        .sysctl(&format!("ipv6/conf/{}/accept_dad", host.interface), "1");
    host.space
        .sysctl(&format!("ipv6/conf/{}/dad_transmits", host.interface), "3");
    host.space.ip(&format!(
        "address add 2001:db8:20::99/128 dev {}",
        host.interface
    ));
    let bind = |address: &str| std::net::UdpSocket::bind((address, 0)).map(drop);
    assert!(
        host.space.run(move || bind("2001:db8:20::99")).is_err(),
        "the control is tentative"
    );
    add(host, rt.handle(), V6, PROVEN).unwrap();
    host.space.run(move || bind("2001:db8:20::50")).unwrap();
}

#[test]
fn an_interface_that_can_not_carry_it_is_refused_with_a_remedy() {
    let (net, rt) = (Net::new(2), runtime());
    let host = &net.hosts[0];
    net.unplug(0);
    let interface = host.interface.clone();
    soon("the loss of the carrier", || {
        let name = interface.clone();
        let seen = host
            .space
            .run(move || siaga_node::observe::interfaces::named(&name).unwrap());
        (!seen.running).then_some(())
    });
    let why = refused(add(host, rt.handle(), V4, PROVEN));
    assert!(matches!(why, Why::NoCarrier { .. }), "{why:?}");
    host.space.ip(&format!("link set {} down", host.interface));
    let why = refused(add(host, rt.handle(), V4, PROVEN));
    assert!(matches!(why, Why::InterfaceDown { .. }), "{why:?}");
    assert!(!present(host, rt.handle(), V4));
    let why = refused(host.space.run({
        let rt = rt.handle().clone();
        move || virtual_ip::add(&rt, "eno99", V4.into(), PROVEN)
    }));
    assert!(
        matches!(&why, Why::NoSuchInterface { interface, .. } if interface == "eno99"),
        "{why:?}"
    );
    assert_eq!(
        remove(host, rt.handle(), V4),
        Ok(Did::nothing()),
        "removing works while the link is down"
    );
}

#[test]
fn ipv6_that_is_off_is_refused_with_a_remedy() {
    let (net, rt) = (Net::new(1), runtime());
    let host = &net.hosts[0];
    host.space
        .sysctl(&format!("ipv6/conf/{}/disable_ipv6", host.interface), "1");
    let why = refused(add(host, rt.handle(), V6, PROVEN));
    assert!(matches!(why, Why::Ipv6Off { .. }), "{why:?}");
}

#[test]
fn the_address_on_another_interface_is_refused() {
    let (net, rt) = (Net::new(1), runtime());
    let host = &net.hosts[0];
    host.space.ip("link set lo up");
    host.space.ip(&format!("address add {V4}/32 dev lo"));
    assert!(
        matches!(refused(add(host, rt.handle(), V4, PROVEN)), Why::AddressElsewhere { interface, .. } if interface == "lo")
    );
    assert!(
        matches!(refused(remove(host, rt.handle(), V4)), Why::AddressStillThere { interface, .. } if interface == "lo"),
        "removed means removed from this node"
    );
}

#[test]
fn an_address_with_a_whole_network_does_not_take_others_along() {
    let (net, rt) = (Net::new(1), runtime());
    let host = &net.hosts[0];
    let interface = host.interface.clone();
    host.space
        .sysctl(&format!("ipv4/conf/{interface}/promote_secondaries"), "0");
    host.space.sysctl("ipv4/conf/all/promote_secondaries", "0");
    host.space
        .ip(&format!("address add 203.0.113.50/24 dev {interface}"));
    host.space
        .ip(&format!("address add 203.0.113.51/24 dev {interface}"));
    let (by_hand, beside) = (
        Ipv4Addr::new(203, 0, 113, 50),
        Ipv4Addr::new(203, 0, 113, 51),
    );
    let why = refused(remove(host, rt.handle(), by_hand));
    assert!(
        matches!(&why, Why::AddressTakesOthers { others, .. } if others.iter().any(|o| o.to_string() == "203.0.113.51")),
        "{why:?}"
    );
    assert!(present(host, rt.handle(), by_hand) && present(host, rt.handle(), beside));
    host.space
        .sysctl(&format!("ipv4/conf/{interface}/promote_secondaries"), "1");
    assert!(remove(host, rt.handle(), by_hand).unwrap().changed);
    assert!(present(host, rt.handle(), beside));
}

#[test]
fn an_address_removed_by_hand_is_not_announced_any_more() {
    let (net, rt) = (Net::new(2), runtime());
    let (host, peer) = (&net.hosts[0], &net.hosts[1]);
    add(host, rt.handle(), V4, PROVEN).unwrap();
    host.space
        .ip(&format!("address del {V4}/32 dev {}", host.interface));
    std::thread::sleep(Duration::from_millis(20));
    let capture = Capture::begin(peer, ARP);
    std::thread::sleep(Duration::from_millis(1100));
    assert!(
        capture
            .end(|f| is_gratuitous(f, 1, &host.hardware))
            .is_empty()
    );
}

#[test]
fn own_hardware_and_the_interface_of_an_address() {
    let net = Net::new(1);
    let interface = net.hosts[0].interface.clone();
    let (hardware, by_ip, nowhere) = net.hosts[0].space.run(move || {
        let hardware = virtual_ip::own_hardware(&interface).unwrap();
        let of = |ip: &str| virtual_ip::interface_of_ip(ip.parse().unwrap()).unwrap();
        (hardware, of("192.0.2.11"), of("192.0.2.12"))
    });
    assert_eq!(
        (hardware, by_ip, nowhere),
        (
            net.hosts[0].hardware.clone(),
            Some(net.hosts[0].interface.clone()),
            None
        )
    );
}
