//! Cards and addresses.

use super::{Card, Gathered};
use crate::observe::interfaces::{Interface, hardware_text};
use std::net::IpAddr;

/// The cards that a service's address may be on, the one with the default route first.
pub(super) fn cards(gathered: &Gathered) -> Vec<Card> {
    let default = default_route(&gathered.routes);
    let mut cards: Vec<Card> = gathered
        .interfaces
        .iter()
        .filter_map(|i| card(i, default.as_deref()))
        .collect();
    cards.sort_by_key(|c| (!c.default_route, !c.running));
    cards
}

fn card(interface: &Interface, default: Option<&str>) -> Option<Card> {
    let hardware = interface.ethernet().ok()?;
    let global = |address: &IpAddr| match address {
        IpAddr::V4(_) => true,
        IpAddr::V6(v6) => !v6.is_unicast_link_local(),
    };
    Some(Card {
        name: interface.name.clone(),
        hardware: hardware_text(hardware),
        addresses: interface
            .addresses
            .iter()
            .filter(|(address, _)| global(address))
            .map(|(address, prefix)| format!("{address}/{prefix}"))
            .collect(),
        running: interface.running,
        default_route: default == Some(&interface.name),
    })
}

/// The interface of the line with destination and mask 0.
fn default_route(routes: &str) -> Option<String> {
    routes.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let all = fields.get(1) == Some(&"00000000") && fields.get(7) == Some(&"00000000");
        all.then(|| fields[0].to_owned())
    })
}

/// The hardware address of a neighbour in `/proc/net/arp`.
pub(super) fn in_arp(arp: &str, address: IpAddr) -> Option<String> {
    arp.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (ip, hardware) = (fields.first()?, fields.get(3)?);
        let known = *hardware != "00:00:00:00:00:00";
        (ip.parse() == Ok(address) && known).then(|| hardware.to_ascii_lowercase())
    })
}
