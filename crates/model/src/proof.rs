//! Records of why another node can't touch the disk set. These are data: what is written in the journal and sent
//! between agents. A record permits nothing by itself; the runner turns one into a `TakePermit` after verifying it
//! again, and only that type opens the way to the disk set.

use crate::ids::{BootId, NodeName, PersonName, ServiceName};
use crate::mandate::Epoch;
use crate::time::UtcMicros;
use serde::{Deserialize, Serialize};

/// The evidence that one node has let go, bound to service, mandate, node and boot.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ProofRecord {
    pub service: ServiceName,
    /// The mandate it may be used under, once.
    pub epoch: Epoch,
    /// The node that the proof is about.
    pub node: NodeName,
    /// The boot of that node that the proof is about, where it was known.
    pub boot: Option<BootId>,
    pub at: UtcMicros,
    pub ground: Ground,
}

/// What makes the proof.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Ground {
    /// The node's own durable promise.
    Released,
    /// The fence device confirmed it.
    Fenced {
        device: String,
        fence: crate::config::FenceKind,
    },
    /// A named person says what was done.
    Attested { by: PersonName, how: AttestKind },
}

/// What a person did to the node.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttestKind {
    /// All power cords are out.
    Unplugged,
    /// Switched off at its button or at the rack.
    SwitchedOff,
    /// Its way to the storage is cut; the machine may still run and answer.
    StorageDisconnected,
}
