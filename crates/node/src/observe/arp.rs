//! Who answers for an IPv4 address on a segment.

use super::interfaces::{self, Hardware, Interface, hardware_text};
use super::packet::{ARP, Filter, PacketSocket};
use etherparse::{ArpEthIpv4Packet, ArpOperation, ArpPacketSlice, EtherType, Ethernet2Header};
use siaga_model::Why;
use std::net::Ipv4Addr;
use std::time::Duration;

/// Who answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ArpAnswer {
    /// Nobody, within the time.
    Nobody,
    /// `hardware` was the first; `others` are further machines that claim the same address. Lower case, with colons.
    Answer {
        hardware: String,
        others: Vec<String>,
    },
    /// It could not be asked. Never to be read as silence.
    Error(Why),
}

impl ArpAnswer {
    /// From the hardware addresses in the order of their answers.
    pub(crate) fn of(answers: Result<Vec<Hardware>, Why>) -> Self {
        let texts: Vec<String> = match answers {
            Ok(answers) => answers.into_iter().map(hardware_text).collect(),
            Err(why) => return ArpAnswer::Error(why),
        };
        match texts.split_first() {
            None => ArpAnswer::Nobody,
            Some((first, others)) => ArpAnswer::Answer {
                hardware: first.clone(),
                others: others.to_vec(),
            },
        }
    }

    /// Every hardware address that answered.
    pub fn hardware(&self) -> Vec<&str> {
        match self {
            ArpAnswer::Nobody | ArpAnswer::Error(_) => Vec::new(),
            ArpAnswer::Answer { hardware, others } => std::iter::once(hardware.as_str())
                .chain(others.iter().map(String::as_str))
                .collect(),
        }
    }
}

/// Asks who has `address`, on the segment of `interface`, for at most `timeout`; an answer ends it 5 ms later. It is
/// asked from the interface's own address where it has one, since some hosts answer only their own network.
pub fn ask(interface: &str, address: Ipv4Addr, timeout: Duration) -> ArpAnswer {
    ArpAnswer::of(interfaces::named(interface).and_then(|i| {
        let sender = i.own_v4(address).unwrap_or(Ipv4Addr::UNSPECIFIED);
        ask_from(&i, sender, address, timeout)
    }))
}

/// As [`ask`], as a probe (RFC 5227): without telling anybody an address of ours.
pub fn probe(interface: &str, address: Ipv4Addr, timeout: Duration) -> ArpAnswer {
    ArpAnswer::of(
        interfaces::named(interface)
            .and_then(|i| ask_from(&i, Ipv4Addr::UNSPECIFIED, address, timeout)),
    )
}

fn ask_from(
    interface: &Interface,
    sender: Ipv4Addr,
    address: Ipv4Addr,
    timeout: Duration,
) -> Result<Vec<Hardware>, Why> {
    let own = interface.ethernet()?;
    let failed = |e: std::io::Error| Why::system(e).of(format!("ARP, {}", interface.name));
    let socket = PacketSocket::open(interface.index, ARP, Some(&Filter::arp_claims(address)))
        .map_err(failed)?;
    let question = request(own, sender, address);
    socket
        .ask(&question, timeout, |frame| {
            claimant(frame, address).filter(|h| *h != own)
        })
        .map_err(failed)
}

/// The hardware address that claims `address` in this frame.
pub(crate) fn claimant(frame: &[u8], address: Ipv4Addr) -> Option<Hardware> {
    let (ethernet, rest) = Ethernet2Header::from_slice(frame).ok()?;
    if ethernet.ether_type != EtherType::ARP {
        return None;
    }
    let arp = ArpPacketSlice::from_slice(rest)
        .ok()?
        .to_packet()
        .try_eth_ipv4()
        .ok()?;
    (arp.sender_ipv4_addr() == address).then_some(arp.sender_mac)
}

/// `who has address`, sent to everybody. With sender 0.0.0.0 it is a probe.
pub(crate) fn request(own: Hardware, sender: Ipv4Addr, address: Ipv4Addr) -> Vec<u8> {
    frame(own, ArpOperation::REQUEST, sender, [0; 6], address)
}

/// A gratuitous request and a gratuitous reply: some hosts learn only from the one, some only from the other.
pub(crate) fn announcements(own: Hardware, address: Ipv4Addr) -> Vec<Vec<u8>> {
    vec![
        frame(own, ArpOperation::REQUEST, address, [0; 6], address),
        frame(own, ArpOperation::REPLY, address, own, address),
    ]
}

fn frame(
    own: Hardware,
    operation: ArpOperation,
    sender: Ipv4Addr,
    target: Hardware,
    address: Ipv4Addr,
) -> Vec<u8> {
    let ethernet = Ethernet2Header {
        source: own,
        destination: [0xff; 6],
        ether_type: EtherType::ARP,
    };
    let arp = ArpEthIpv4Packet {
        operation,
        sender_mac: own,
        sender_ipv4: sender.octets(),
        target_mac: target,
        target_ipv4: address.octets(),
    };
    [ethernet.to_bytes().as_slice(), arp.to_bytes().as_slice()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: Hardware = [2, 0, 0x5e, 0, 0x53, 0x11];
    const ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 50);

    #[test]
    fn an_announcement_claims_and_a_probe_does_not() {
        for frame in announcements(OWN, ADDRESS) {
            assert_eq!(claimant(&frame, ADDRESS), Some(OWN));
            assert_eq!(claimant(&frame, Ipv4Addr::new(192, 0, 2, 51)), None);
        }
        assert_eq!(
            claimant(&request(OWN, Ipv4Addr::UNSPECIFIED, ADDRESS), ADDRESS),
            None
        );
    }

    #[test]
    fn broken_frames_are_nothing() {
        let whole = announcements(OWN, ADDRESS).remove(0);
        for length in 0..whole.len() {
            assert_eq!(claimant(&whole[..length], ADDRESS), None, "{length}");
        }
    }

    #[test]
    fn an_interface_that_is_not_there_is_an_error_and_not_silence() {
        assert!(
            matches!(ask("eno99", ADDRESS, Duration::from_millis(1)), ArpAnswer::Error(Why::NoSuchInterface { interface, .. }) if interface == "eno99")
        );
    }
}
