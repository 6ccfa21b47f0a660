//! How far each log reaches, here and at the peer: what finds a removed tail, and a node that went back in time.

use serde::Serialize;
use siaga_model::NodeName;
use std::collections::BTreeMap;

/// The last row of every log, by node and incarnation.
pub type Heads = BTreeMap<(NodeName, u32), u64>;

/// What [`crate::Journal::ensure_not_behind`] found.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Behind {
    /// The incarnation that this node writes from now on, where it had to begin a new one.
    pub new_incarnation: Option<u32>,
    /// Own rows that the peer has and this node has not: copy them back (`rows_after` there, `import` here).
    pub missing: Vec<Missing>,
}

impl Behind {
    /// True where nothing is missing.
    pub fn is_fine(&self) -> bool {
        self.new_incarnation.is_none() && self.missing.is_empty()
    }
}

/// One log that reaches further at the peer than here.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Missing {
    pub node: NodeName,
    pub incarnation: u32,
    /// The last row here; 0: none.
    pub here: u64,
    /// The last row at the peer.
    pub there: u64,
}

/// Every log that reaches further at the peer than here. For another node's log that means "not copied yet"; for the
/// own node's it means that rows were removed here, or lost: a chain can't show that by itself.
pub fn compare_heads(here: &Heads, there: &Heads) -> Vec<Missing> {
    let reach = |id: &(NodeName, u32)| here.get(id).copied().unwrap_or(0);
    there
        .iter()
        .filter(|(id, seq)| **seq > reach(id))
        .map(|(id, seq)| Missing {
            node: id.0.clone(),
            incarnation: id.1,
            here: reach(id),
            there: *seq,
        })
        .collect()
}
