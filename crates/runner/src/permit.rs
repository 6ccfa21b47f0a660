//! The one value that opens the way to the disk set.

use siaga_model::proof::ProofRecord;
use siaga_model::{Epoch, ServiceName};

/// Permission to take one service's disk set once, under one mandate. It has no public constructor, is neither
/// `Clone` nor deserializable, and is consumed by [`crate::hands::Hands::take`]. The only maker is
/// [`crate::ledger::Ledger::authorise_take`], which verifies every proof and has its use recorded durably first.
#[derive(Debug)]
pub struct TakePermit {
    service: ServiceName,
    epoch: Epoch,
    proofs: Vec<ProofRecord>,
}

impl TakePermit {
    pub(crate) fn new(service: ServiceName, epoch: Epoch, proofs: Vec<ProofRecord>) -> Self {
        Self { service, epoch, proofs }
    }
    /// The service whose disk set may be taken.
    pub fn service(&self) -> &ServiceName {
        &self.service
    }
    /// The mandate it is for.
    pub fn epoch(&self) -> &Epoch {
        &self.epoch
    }
    /// Why each other node can't touch the disk set.
    pub fn proofs(&self) -> &[ProofRecord] {
        &self.proofs
    }
}
