//! This host's network interfaces and their addresses, as the kernel says.

use nix::ifaddrs::{InterfaceAddress, getifaddrs};
use nix::net::if_::InterfaceFlags;
use siaga_model::Why;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A hardware (Ethernet) address.
pub type Hardware = [u8; 6];

/// The text of a hardware address as the configuration has it: lower case, with colons.
pub fn hardware_text(hardware: Hardware) -> String {
    let [a, b, c, d, e, f] = hardware;
    format!("{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}")
}

/// One interface.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Interface {
    pub name: String,
    /// The kernel's number; 0 where the kernel names none.
    pub index: u32,
    /// Switched on by the administrator.
    pub up: bool,
    /// On, and its cable or its bridge carries frames.
    pub running: bool,
    pub hardware: Option<Hardware>,
    /// Its addresses with their prefix lengths.
    pub addresses: Vec<(IpAddr, u8)>,
}

impl Interface {
    /// The hardware address, or why there is none to use.
    pub fn ethernet(&self) -> Result<Hardware, Why> {
        match self.hardware {
            Some(hardware) if hardware != [0; 6] => Ok(hardware),
            _ => Err(Why::NotEthernet {
                interface: self.name.clone(),
            }),
        }
    }

    /// An address of its own to ask `other` from, one in the same network first. Never a service's address (those are
    /// /32).
    pub fn own_v4(&self, other: Ipv4Addr) -> Option<Ipv4Addr> {
        let own = |near: bool| {
            self.addresses
                .iter()
                .find_map(|(address, prefix)| match address {
                    IpAddr::V4(v4) if *prefix < 32 && *v4 != other => {
                        (!near || same_network(*address, other.into(), *prefix)).then_some(*v4)
                    }
                    _ => None,
                })
        };
        own(true).or_else(|| own(false))
    }

    /// As [`Interface::own_v4`]: a global address before the link-local one, never a /128.
    pub fn own_v6(&self, other: Ipv6Addr) -> Option<Ipv6Addr> {
        let own = |link_local: bool| {
            self.addresses
                .iter()
                .find_map(|(address, prefix)| match address {
                    IpAddr::V6(v6) if *prefix < 128 && *v6 != other => {
                        (v6.is_unicast_link_local() == link_local).then_some(*v6)
                    }
                    _ => None,
                })
        };
        own(false).or_else(|| own(true))
    }

    /// Is `address` in one of the networks of this interface?
    pub fn reaches(&self, address: IpAddr) -> bool {
        self.addresses
            .iter()
            .any(|(own, prefix)| same_network(*own, address, *prefix))
    }
}

fn same_network(own: IpAddr, other: IpAddr, prefix: u8) -> bool {
    match (own, other) {
        (IpAddr::V4(a), IpAddr::V4(b)) if prefix < 32 => {
            (a.to_bits() ^ b.to_bits()).leading_zeros() >= u32::from(prefix)
        }
        (IpAddr::V6(a), IpAddr::V6(b)) if prefix < 128 => {
            (a.to_bits() ^ b.to_bits()).leading_zeros() >= u32::from(prefix)
        }
        _ => false,
    }
}

/// All interfaces of this network namespace.
pub fn all() -> Result<Vec<Interface>, Why> {
    let mut found: Vec<Interface> = Vec::new();
    for entry in getifaddrs().map_err(|e| Why::ListingInterfaces {
        said: e.to_string(),
    })? {
        let at = found
            .iter()
            .position(|i| i.name == entry.interface_name)
            .unwrap_or_else(|| {
                found.push(Interface {
                    name: entry.interface_name.clone(),
                    index: 0,
                    up: entry.flags.contains(InterfaceFlags::IFF_UP),
                    running: entry
                        .flags
                        .contains(InterfaceFlags::IFF_UP | InterfaceFlags::IFF_RUNNING),
                    hardware: None,
                    addresses: Vec::new(),
                });
                found.len() - 1
            });
        add_entry(&mut found[at], &entry);
    }
    Ok(found)
}

fn add_entry(interface: &mut Interface, entry: &InterfaceAddress) {
    let Some(address) = &entry.address else {
        return;
    };
    if let Some(link) = address.as_link_addr() {
        interface.index = u32::try_from(link.ifindex()).unwrap_or(0);
        interface.hardware = if link.halen() == 6 { link.addr() } else { None };
    } else if let Some(v4) = address.as_sockaddr_in() {
        let mask = entry
            .netmask
            .as_ref()
            .and_then(|m| m.as_sockaddr_in())
            .map_or(u32::MAX, |m| m.ip().to_bits());
        interface
            .addresses
            .push((v4.ip().into(), prefix(mask.leading_ones())));
    } else if let Some(v6) = address.as_sockaddr_in6() {
        let mask = entry
            .netmask
            .as_ref()
            .and_then(|m| m.as_sockaddr_in6())
            .map_or(u128::MAX, |m| m.ip().to_bits());
        interface
            .addresses
            .push((v6.ip().into(), prefix(mask.leading_ones())));
    }
}

fn prefix(bits: u32) -> u8 {
    u8::try_from(bits).unwrap_or(u8::MAX)
}

/// The interface of that name, or that there is none.
pub fn named(name: &str) -> Result<Interface, Why> {
    let all = all()?;
    let missing = Why::NoSuchInterface {
        interface: name.to_owned(),
        there: all.iter().map(|i| i.name.clone()).collect(),
    };
    all.into_iter().find(|i| i.name == name).ok_or(missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(addresses: &[(&str, u8)]) -> Interface {
        Interface {
            name: "eno1".into(),
            index: 2,
            up: true,
            running: true,
            hardware: Some([2, 0, 0x5e, 0, 0x53, 0x11]),
            addresses: addresses
                .iter()
                .map(|(a, p)| (a.parse().unwrap(), *p))
                .collect(),
        }
    }

    #[test]
    fn the_loopback_is_there_and_is_no_ethernet() {
        let lo = named("lo").unwrap();
        assert!(lo.index > 0);
        assert!(lo.ethernet().is_err());
    }

    #[test]
    fn a_missing_interface_is_named_with_those_that_are_there() {
        let why = named("eno99").unwrap_err();
        let Why::NoSuchInterface { interface, there } = why else {
            panic!("{why:?}")
        };
        assert!(interface == "eno99" && there.iter().any(|t| t == "lo"));
    }

    #[test]
    fn a_network_reaches_its_own_and_nothing_else() {
        let eno1 = with(&[
            ("192.0.2.50", 32),
            ("192.0.2.11", 24),
            ("2001:db8:20::11", 64),
        ]);
        assert!(eno1.reaches("192.0.2.200".parse().unwrap()));
        assert!(!eno1.reaches("192.0.3.1".parse().unwrap()));
        assert!(eno1.reaches("2001:db8:20::50".parse().unwrap()));
        assert!(!eno1.reaches("2001:db8:21::50".parse().unwrap()));
    }

    #[test]
    fn a_service_address_is_never_asked_from() {
        let eno1 = with(&[
            ("192.0.2.50", 32),
            ("198.51.100.1", 24),
            ("192.0.2.11", 24),
            ("2001:db8:20::50", 128),
            ("fe80::11", 64),
        ]);
        let v4 = |other: &str| eno1.own_v4(other.parse().unwrap()).map(|a| a.to_string());
        assert_eq!(
            v4("192.0.2.12").unwrap(),
            "192.0.2.11",
            "the same network first"
        );
        assert_eq!(v4("203.0.113.1").unwrap(), "198.51.100.1");
        assert_eq!(
            eno1.own_v6("2001:db8:20::12".parse().unwrap())
                .unwrap()
                .to_string(),
            "fe80::11"
        );
        assert_eq!(
            with(&[("192.0.2.50", 32)]).own_v4("192.0.2.12".parse().unwrap()),
            None
        );
    }

    #[test]
    fn hardware_addresses_are_written_as_in_the_configuration() {
        assert_eq!(
            hardware_text([0x02, 0, 0x5E, 0, 0x53, 0x1F]),
            "02:00:5e:00:53:1f"
        );
    }
}
