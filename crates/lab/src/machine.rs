//! The three machines of a lab, and the addresses that a lab's slot gives them.

use crate::error::{LabError, Result};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A machine of the lab.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, ValueEnum, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Machine {
    /// The node that is preferred.
    Serverdb,
    /// Its partner.
    Backup,
    /// The client machine, where the probe and the load run.
    Client,
}

/// The two nodes.
pub const NODES: [Machine; 2] = [Machine::Serverdb, Machine::Backup];
/// All machines.
pub const MACHINES: [Machine; 3] = [Machine::Serverdb, Machine::Backup, Machine::Client];

impl Machine {
    /// Its name, which is its host name too.
    pub fn name(self) -> &'static str {
        match self {
            Self::Serverdb => "serverdb",
            Self::Backup => "backup",
            Self::Client => "client",
        }
    }

    /// The machine of that name.
    pub fn named(name: &str) -> Result<Self> {
        MACHINES
            .into_iter()
            .find(|m| m.name() == name)
            .ok_or_else(|| LabError::UnknownMachine(name.to_owned()))
    }

    /// Whether it can carry the service.
    pub fn is_node(self) -> bool {
        match self {
            Self::Serverdb | Self::Backup => true,
            Self::Client => false,
        }
    }

    /// Itself, or an error that says that it is no node.
    pub fn node(self) -> Result<Self> {
        if self.is_node() {
            Ok(self)
        } else {
            Err(LabError::NotANode(self.name()))
        }
    }

    /// The last byte of its addresses.
    fn host(self) -> u8 {
        match self {
            Self::Serverdb => 11,
            Self::Backup => 12,
            Self::Client => 100,
        }
    }

    /// Its port on the switch's public bridge.
    pub(crate) fn public_port(self) -> String {
        format!("p-{}", self.name())
    }

    /// Its port on the bridge between the nodes; the client has none.
    pub(crate) fn cross_port(self) -> Option<String> {
        self.is_node().then(|| format!("x-{}", self.name()))
    }

    /// All its ports on the switch.
    pub(crate) fn ports(self) -> Vec<String> {
        std::iter::once(self.public_port())
            .chain(self.cross_port())
            .collect()
    }
}

/// The networks of one lab: 198.18.SLOT.0/24 and 2001:db8:SLOT::/64 for clients, 198.19.SLOT.0/24 between the nodes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Net {
    /// Which of the 256 lab networks.
    pub slot: u8,
}

impl Net {
    /// A machine's address on the public network.
    pub fn public(self, machine: Machine) -> Ipv4Addr {
        Ipv4Addr::new(198, 18, self.slot, machine.host())
    }

    /// A machine's IPv6 address on the public network.
    pub fn public6(self, machine: Machine) -> Ipv6Addr {
        self.v6(u16::from(machine.host()))
    }

    /// A node's address on the network between the nodes.
    pub fn cross(self, node: Machine) -> Ipv4Addr {
        Ipv4Addr::new(198, 19, self.slot, node.host())
    }

    /// The service's virtual addresses.
    pub fn vips(self) -> [IpAddr; 2] {
        [self.vip().into(), self.vip6().into()]
    }

    /// The service's virtual address.
    pub fn vip(self) -> Ipv4Addr {
        Ipv4Addr::new(198, 18, self.slot, 50)
    }

    /// The service's virtual IPv6 address.
    pub fn vip6(self) -> Ipv6Addr {
        self.v6(50)
    }

    /// The public network, as a prefix.
    pub fn network(self) -> String {
        format!("198.18.{}.0/24", self.slot)
    }

    /// The public IPv6 network, as a prefix.
    pub fn network6(self) -> String {
        format!("{}/64", self.v6(0))
    }

    /// The hardware address of a machine's interface; the same after every power cut.
    pub fn hardware_address(self, machine: Machine, interface: Interface) -> String {
        let card = match interface {
            Interface::Public => 0,
            Interface::Cross => 1,
        };
        format!(
            "02:53:47:{:02x}:{:02x}:{card:02x}",
            self.slot,
            machine.host()
        )
    }

    /// 2001:db8:SLOT::HOST, both as people write them: decimal digits read as hexadecimal ones.
    fn v6(self, host: u16) -> Ipv6Addr {
        let digits = |n: u16| u16::from_str_radix(&n.to_string(), 16).unwrap_or(n);
        Ipv6Addr::new(
            0x2001,
            0xdb8,
            digits(u16::from(self.slot)),
            0,
            0,
            0,
            0,
            digits(host),
        )
    }
}

/// A machine's network cards.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Interface {
    /// `eth0`: clients and the virtual address.
    Public,
    /// `eth1`: to the other node only.
    Cross,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_slots_share_no_address() {
        let all = |slot| {
            let net = Net { slot };
            let mut all: Vec<String> = MACHINES
                .iter()
                .map(|m| net.public(*m).to_string())
                .collect();
            all.extend(MACHINES.iter().map(|m| net.public6(*m).to_string()));
            all.extend(NODES.iter().map(|m| net.cross(*m).to_string()));
            all.extend(net.vips().iter().map(IpAddr::to_string));
            all.extend(
                MACHINES
                    .iter()
                    .map(|m| net.hardware_address(*m, Interface::Public)),
            );
            all.extend(
                NODES
                    .iter()
                    .map(|m| net.hardware_address(*m, Interface::Cross)),
            );
            all
        };
        let mut together = all(10);
        together.extend(all(16));
        let count = together.len();
        together.sort();
        together.dedup();
        assert_eq!(together.len(), count);
    }

    #[test]
    fn addresses_are_those_that_people_read() {
        let net = Net { slot: 20 };
        assert_eq!(net.vip6().to_string(), "2001:db8:20::50");
        assert_eq!(net.network6(), "2001:db8:20::/64");
        assert_eq!(net.public(Machine::Backup).to_string(), "198.18.20.12");
    }
}
