//! The epoch of a plan: who may order what, per service.

use crate::ids::{NodeName, RunId};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A per-service epoch. Epochs are compared by `counter` alone; equal counters from two issuers void both
/// (see [`Epoch::relation`]). Minting, admitting and using one is the runner's `Ledger`'s business.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Epoch {
    /// Grows by at least one with every plan of the service.
    pub counter: u64,
    /// The node that minted it.
    pub issuer: NodeName,
    /// The run it was minted for.
    pub run: RunId,
}

/// How one epoch stands to another of the same service.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EpochRelation {
    /// `self` is older: nothing that it orders is obeyed any more.
    Older,
    /// The very same mandate.
    Same,
    /// `self` is newer.
    Newer,
    /// Equal counters from two issuers or runs: both are void, and a higher one must be minted.
    Conflict,
}

impl Epoch {
    /// Compares `self` with `other`.
    pub fn relation(&self, other: &Epoch) -> EpochRelation {
        match self.counter.cmp(&other.counter) {
            std::cmp::Ordering::Less => EpochRelation::Older,
            std::cmp::Ordering::Greater => EpochRelation::Newer,
            std::cmp::Ordering::Equal if self == other => EpochRelation::Same,
            std::cmp::Ordering::Equal => EpochRelation::Conflict,
        }
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} by {} ({})", self.counter, self.issuer, self.run)
    }
}
