//! The networks: three bridges in a network namespace that only this test has.

use crate::machine::Role;
use rustix::thread::{UnshareFlags, unshare_unsafe};
use std::process::Command;

/// What a machine's network cards are plugged into.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Network {
    /// Clients, the virtual IP, the first path between the servers.
    Lan,
    /// iSCSI.
    Storage,
    /// The fence devices, the second path between the servers, the test's own way in.
    Management,
}

impl Network {
    pub const ALL: [Network; 3] = [Network::Lan, Network::Storage, Network::Management];

    /// Its place: the guests' `eth0`, `eth1`, `eth2`.
    pub fn index(self) -> usize {
        match self {
            Network::Lan => 0,
            Network::Storage => 1,
            Network::Management => 2,
        }
    }

    /// The address of a machine, or of this side (number 1), on it.
    pub fn address(self, number: u8) -> String {
        let prefix = match self {
            Network::Lan => "192.0.2",
            Network::Storage => "198.51.100",
            Network::Management => "203.0.113",
        };
        format!("{prefix}.{number}")
    }

    /// A machine's hardware address on it.
    pub fn hardware(self, role: Role) -> String {
        format!("52:54:00:00:{:02x}:{:02x}", self.index(), role.number())
    }

    /// The name of a machine's tap device on it.
    pub fn tap(self, role: Role) -> String {
        format!("vm{}-{}", self.index(), role.name())
    }
}

/// Moves this thread, and all that it starts from now on, into a new namespace with the bridges and the machines' taps.
/// The namespace goes with its last process.
///
/// # Panics
/// Where that can't be done.
pub(crate) fn enter(bmcs: &[u8]) {
    // SAFETY: only the network namespace is unshared, no file descriptors.
    unsafe { unshare_unsafe(UnshareFlags::NEWNET) }.expect("a network namespace: run as root");
    ip("link set lo up");
    for network in Network::ALL {
        let bridge = format!("br{}", network.index());
        ip(&format!("link add {bridge} type bridge"));
        ip(&format!("link set {bridge} up"));
        ip(&format!(
            "address add {}/24 dev {bridge}",
            network.address(1)
        ));
        for role in Role::ALL {
            let tap = network.tap(role);
            ip(&format!("tuntap add {tap} mode tap"));
            ip(&format!("link set {tap} master {bridge} up"));
        }
    }
    for number in bmcs {
        let address = Network::Management.address(*number);
        ip(&format!("address add {address}/24 dev br2"));
    }
}

fn ip(words: &str) {
    let done = Command::new("ip").args(words.split(' ')).output();
    let done = done.expect("the program ip");
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "ip {words}: {said}");
}
