//! Who answers for an IPv6 address on a segment.

use super::arp::ArpAnswer;
use super::interfaces::{self, Hardware, Interface};
use super::packet::{Filter, IPV6, PacketSocket};
use etherparse::icmpv6::NeighborAdvertisementHeader;
use etherparse::{EtherType, Ethernet2Header, Icmpv6Type, PacketBuilder};
use siaga_model::Why;
use std::net::Ipv6Addr;
use std::time::Duration;

/// Neighbour discovery is believed only with this hop limit: it can't come from beyond a router.
const HOP_LIMIT: u8 = 255;
const IPV6_HEADER: usize = 40;
const ICMP_ADVERTISEMENT: u8 = 136;
const OPTION_SOURCE: u8 = 1;
const OPTION_TARGET: u8 = 2;

/// Asks who has `address`, on the segment of `interface`, for at most `timeout`; an answer ends it 5 ms later.
pub fn ask(interface: &str, address: Ipv6Addr, timeout: Duration) -> ArpAnswer {
    ArpAnswer::of(interfaces::named(interface).and_then(|i| ask_on(&i, address, timeout)))
}

fn ask_on(
    interface: &Interface,
    address: Ipv6Addr,
    timeout: Duration,
) -> Result<Vec<Hardware>, Why> {
    let own = interface.ethernet()?;
    let failed = |e: std::io::Error| Why::system(e).of(format!("NDP, {}", interface.name));
    let socket = PacketSocket::open(interface.index, IPV6, Some(&Filter::ndp_claims(address)))
        .map_err(failed)?;
    let question = solicitation(own, interface.own_v6(address), address);
    socket
        .ask(&question, timeout, |frame| {
            claimant(frame, address).filter(|h| *h != own)
        })
        .map_err(failed)
}

/// The hardware address that claims `address` in this frame: the one that neighbours would learn.
pub(crate) fn claimant(frame: &[u8], address: Ipv6Addr) -> Option<Hardware> {
    let (ethernet, rest) = Ethernet2Header::from_slice(frame).ok()?;
    if ethernet.ether_type != EtherType::IPV6 {
        return None;
    }
    let (ip, icmp) = rest.split_at_checked(IPV6_HEADER)?;
    let target: [u8; 16] = icmp.get(8..24)?.try_into().ok()?;
    let advertises =
        ip[6] == 58 && ip[7] == HOP_LIMIT && icmp[0] == ICMP_ADVERTISEMENT && icmp[1] == 0;
    if !advertises || Ipv6Addr::from(target) != address {
        return None;
    }
    Some(link_layer_option(&icmp[24..], OPTION_TARGET).unwrap_or(ethernet.source))
}

fn link_layer_option(mut options: &[u8], wanted: u8) -> Option<Hardware> {
    while let [kind, units, ..] = *options {
        let (option, rest) = options.split_at_checked(usize::from(units) * 8)?;
        if kind == wanted && units == 1 {
            return option[2..].try_into().ok();
        }
        if units == 0 {
            return None;
        }
        options = rest;
    }
    None
}

/// `who has address`. Without a source address of ours the answer goes to everybody on the segment.
pub(crate) fn solicitation(own: Hardware, source: Option<Ipv6Addr>, address: Ipv6Addr) -> Vec<u8> {
    let [.., a, b, c] = address.octets();
    let group = Ipv6Addr::from([0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, a, b, c]);
    let mut payload = address.octets().to_vec();
    // A source address that is not given must not be explained by an option (RFC 4861, 4.3).
    if source.is_some() {
        payload.extend(option(OPTION_SOURCE, own));
    }
    frame(
        own,
        source.unwrap_or(Ipv6Addr::UNSPECIFIED),
        group,
        Icmpv6Type::NeighborSolicitation,
        &payload,
    )
}

/// An unsolicited advertisement to all nodes, which overrides what they know.
pub(crate) fn announcement(own: Hardware, address: Ipv6Addr) -> Vec<u8> {
    let everybody = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
    let header = NeighborAdvertisementHeader {
        router: false,
        solicited: false,
        r#override: true,
    };
    let payload = [address.octets().as_slice(), &option(OPTION_TARGET, own)].concat();
    frame(
        own,
        address,
        everybody,
        Icmpv6Type::NeighborAdvertisement(header),
        &payload,
    )
}

fn option(kind: u8, hardware: Hardware) -> [u8; 8] {
    let [a, b, c, d, e, f] = hardware;
    [kind, 1, a, b, c, d, e, f]
}

fn frame(
    own: Hardware,
    source: Ipv6Addr,
    group: Ipv6Addr,
    kind: Icmpv6Type,
    payload: &[u8],
) -> Vec<u8> {
    let [.., a, b, c, d] = group.octets();
    let builder = PacketBuilder::ethernet2(own, [0x33, 0x33, a, b, c, d])
        .ipv6(source.octets(), group.octets(), HOP_LIMIT)
        .icmpv6(kind);
    let mut frame = Vec::with_capacity(builder.size(payload.len()));
    builder
        .write(&mut frame, payload)
        .expect("a short packet written to memory");
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: Hardware = [2, 0, 0x5e, 0, 0x53, 0x11];

    fn address() -> Ipv6Addr {
        "2001:db8:20::50".parse().unwrap()
    }

    #[test]
    fn an_announcement_claims_and_a_question_does_not() {
        let frame = announcement(OWN, address());
        assert_eq!(claimant(&frame, address()), Some(OWN));
        assert_eq!(claimant(&frame, "2001:db8:20::51".parse().unwrap()), None);
        assert_eq!(
            claimant(&solicitation(OWN, None, address()), address()),
            None
        );
    }

    #[test]
    fn the_claimed_hardware_is_the_one_that_neighbours_learn() {
        let mut frame = announcement(OWN, address());
        frame[6..12].copy_from_slice(&[2, 0, 0x5e, 0, 0x53, 0x99]);
        assert_eq!(claimant(&frame, address()), Some(OWN));
    }

    #[test]
    fn a_frame_from_beyond_a_router_is_not_believed() {
        let mut frame = announcement(OWN, address());
        frame[21] = 64;
        assert_eq!(claimant(&frame, address()), None);
    }

    #[test]
    fn broken_frames_are_nothing_worse() {
        let whole = announcement(OWN, address());
        for length in 0..whole.len() {
            let _ = claimant(&whole[..length], address());
        }
        let mut endless = whole;
        endless[79] = 0;
        assert_eq!(claimant(&endless, address()), Some(OWN));
    }
}
