//! The one value that opens the way to the disk set.

use siaga_model::proof::ProofRecord;
use siaga_model::{Epoch, ServiceName};

/// Permission to take one service's disk set once, under one mandate. It has no public constructor, is neither
/// `Clone` nor deserializable, and is consumed by [`crate::hands::Hands::take`]. The only maker is
/// [`crate::ledger::Ledger::authorise_take`], which verifies every proof and has its use recorded durably first.
///
/// Outside of this crate one can be looked at and handed on:
///
/// ```
/// use siaga_model::{Epoch, ServiceName};
/// use siaga_runner::permit::TakePermit;
/// fn look(permit: &TakePermit) -> (&ServiceName, &Epoch) { (permit.service(), permit.epoch()) }
/// fn hand_on(permit: TakePermit) -> TakePermit { permit }
/// ```
///
/// It can't be written as a value,
///
/// ```compile_fail
/// use siaga_model::{Epoch, ServiceName};
/// use siaga_runner::permit::TakePermit;
/// fn forge(service: ServiceName, epoch: Epoch) -> TakePermit {
///     TakePermit { service, epoch, proofs: Vec::new(), may_adopt: false }
/// }
/// ```
///
/// nor made by its constructor,
///
/// ```compile_fail
/// use siaga_model::{Epoch, ServiceName};
/// use siaga_runner::permit::TakePermit;
/// fn forge(service: ServiceName, epoch: Epoch) -> TakePermit {
///     TakePermit::new(service, epoch, Vec::new(), false)
/// }
/// ```
///
/// nor come out of nothing, of a copy or of data. A proof record is data and can do the last two:
///
/// ```
/// fn copied<T: Clone>() {}
/// fn read<T: serde::de::DeserializeOwned>() {}
/// copied::<siaga_model::proof::ProofRecord>();
/// read::<siaga_model::proof::ProofRecord>();
/// ```
///
/// ```compile_fail
/// fn copied<T: Clone>() {}
/// copied::<siaga_runner::permit::TakePermit>();
/// ```
///
/// ```compile_fail
/// fn read<T: serde::de::DeserializeOwned>() {}
/// read::<siaga_runner::permit::TakePermit>();
/// ```
///
/// ```compile_fail
/// fn nothing<T: Default>() {}
/// nothing::<siaga_runner::permit::TakePermit>();
/// ```
///
/// One permit takes once:
///
/// ```
/// use siaga_runner::{hands::Hands, permit::TakePermit};
/// fn take(hands: &dyn Hands, permit: TakePermit) { let _ = hands.take(permit); }
/// ```
///
/// ```compile_fail
/// use siaga_runner::{hands::Hands, permit::TakePermit};
/// fn twice(hands: &dyn Hands, permit: TakePermit) { let _ = (hands.take(permit), hands.take(permit)); }
/// ```
#[derive(Debug)]
pub struct TakePermit {
    service: ServiceName,
    epoch: Epoch,
    proofs: Vec<ProofRecord>,
    may_adopt: bool,
    accepted: Option<OldData>,
}

/// A person's decision for one take: the copy here is old, and is the database from now on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OldData {
    pub resource: String,
    /// As it was when the person decided. In another state it is not promoted.
    pub state: String,
}

impl TakePermit {
    pub(crate) fn new(
        service: ServiceName,
        epoch: Epoch,
        proofs: Vec<ProofRecord>,
        may_adopt: bool,
    ) -> Self {
        Self {
            service,
            epoch,
            proofs,
            may_adopt,
            accepted: None,
        }
    }
    pub(crate) fn accepting(self, accepted: Option<OldData>) -> Self {
        Self { accepted, ..self }
    }
    /// The old data that this take may promote. `None`: only what is up to date.
    pub fn accepted(&self) -> Option<&OldData> {
        self.accepted.as_ref()
    }
    /// True where every other node answered that its last take is older than this node's: nobody else wrote since, and
    /// a mount that is still here is the newest there is. Otherwise the take begins from nothing.
    pub fn may_adopt(&self) -> bool {
        self.may_adopt
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
