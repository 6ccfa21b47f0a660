//! Acts on the virtual address of a host.

use super::Host;
use siaga_model::Why;
use siaga_model::run::{FailureKind, StepFailure};
use siaga_node::act::virtual_ip::{self, Conflict};
use siaga_runner::hands::{Acted, AddressCertainty, Trouble};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use tokio::runtime::Handle;

pub const V4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 50);
pub const V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0x20, 0, 0, 0, 0, 0x50);
pub const PROVEN: AddressCertainty = AddressCertainty::Proven;
pub const CONTESTED: AddressCertainty = AddressCertainty::Contested;

pub fn on<T: Send + 'static>(
    host: &Host,
    rt: &Handle,
    work: impl FnOnce(&Handle, &str) -> T + Send + 'static,
) -> T {
    let (rt, interface) = (rt.clone(), host.interface.clone());
    host.space.run(move || work(&rt, &interface))
}

pub fn add(
    host: &Host,
    rt: &Handle,
    address: impl Into<IpAddr>,
    certainty: AddressCertainty,
) -> Acted {
    let address = address.into();
    on(host, rt, move |rt, interface| {
        virtual_ip::add(rt, interface, address, certainty)
    })
}

pub fn remove(host: &Host, rt: &Handle, address: impl Into<IpAddr>) -> Acted {
    let address = address.into();
    on(host, rt, move |rt, interface| {
        virtual_ip::remove(rt, interface, address)
    })
}

pub fn present(host: &Host, rt: &Handle, address: impl Into<IpAddr>) -> bool {
    let address = address.into();
    on(host, rt, move |rt, interface| {
        virtual_ip::present(rt, interface, address)
    })
    .unwrap()
}

pub fn refused(acted: Acted) -> Why {
    match acted {
        Err(Trouble::Failed(StepFailure {
            kind: FailureKind::Address,
            detail,
            ..
        })) => detail,
        other => panic!("not refused: {other:?}"),
    }
}

pub fn conflicts_on(host: &Host) -> Vec<Conflict> {
    virtual_ip::conflicts()
        .into_iter()
        .filter(|c| c.interface == host.interface)
        .collect()
}

/// The frame is an ARP packet of `operation` that says sender and target are both `V4`.
pub fn is_gratuitous(frame: &[u8], operation: u8, hardware: &str) -> bool {
    let mac: Vec<String> = frame[22..28].iter().map(|b| format!("{b:02x}")).collect();
    frame[..6] == [0xff; 6]
        && frame[12..14] == [8, 6]
        && frame[21] == operation
        && frame[28..32] == V4.octets()
        && frame[38..42] == V4.octets()
        && mac.join(":") == hardware
}
