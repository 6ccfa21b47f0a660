//! Persistent reservations: the key under which a node is registered at a shared disk.

use crate::ids::NodeName;
use std::fmt;

/// The name by which a reservation stands among the fence devices of a node. It hits the disk set of one service only.
pub const RESERVATION: &str = "reservation";

/// A key: 16 bits that say that it is Siaga's, 16 bits of the node's name, 32 bits of the mandate's counter.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ReservationKey(u64);

/// `SI`.
const MARK: u64 = 0x5349;

impl ReservationKey {
    /// The key of `node` under the mandate with that counter.
    pub fn new(node: &NodeName, counter: u64) -> Self {
        Self(MARK << 48 | u64::from(node_mark(node)) << 32 | counter & 0xffff_ffff)
    }

    /// A key as it was read from a disk.
    pub fn read(raw: u64) -> Self {
        Self(raw)
    }

    /// As it is written to the disk. Never zero.
    pub fn raw(self) -> u64 {
        self.0
    }

    /// Is it a key of `node`, under whatever mandate?
    pub fn is_of(self, node: &NodeName) -> bool {
        self.0 >> 32 == MARK << 16 | u64::from(node_mark(node))
    }
}

impl fmt::Display for ReservationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:016x}", self.0)
    }
}

/// 16 bits of a node's name (FNV-1a, folded). The configuration refuses two nodes with the same.
pub fn node_mark(node: &NodeName) -> u16 {
    let mut hash: u32 = 0x811c_9dc5;
    for byte in node.as_str().bytes() {
        hash = (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    }
    u16::try_from((hash >> 16 ^ hash) & 0xffff).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_names_its_node_and_nobody_else() {
        let (a, b) = (NodeName::from("serverdb"), NodeName::from("backup"));
        let key = ReservationKey::new(&a, 7);
        assert!(key.is_of(&a) && !key.is_of(&b));
        assert_eq!(ReservationKey::read(key.raw()), key);
        assert_ne!(key, ReservationKey::new(&a, 8));
        // Kept as it is: keys on disks outlive a version of this program.
        assert_eq!(key.to_string(), "0x5349e6da00000007");
        // A key of another program is nobody's.
        let strange = ReservationKey::read(0xa1);
        assert!(!strange.is_of(&a) && !strange.is_of(&b));
        // Whatever the counter is, the node stays.
        assert!(ReservationKey::new(&a, u64::MAX).is_of(&a));
    }
}
