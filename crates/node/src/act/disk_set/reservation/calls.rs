//! What a reservation asks of a disk and changes there, apart from who makes the calls: tests let each of them fail.

use super::kernel::{self, PrError, Seen};
use siaga_model::reservation::ReservationKey;
use std::path::Path;

/// What changes registrations or the reservation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Change {
    /// See [`kernel::register`].
    Register(ReservationKey),
    /// See [`kernel::unregister`].
    Unregister,
    /// See [`kernel::reserve`].
    Reserve(ReservationKey),
    /// See [`kernel::preempt_and_abort`].
    Preempt {
        own: ReservationKey,
        victim: ReservationKey,
    },
}

/// The calls, by one way to a disk. They may hang.
pub(super) trait Calls: Send + Sync {
    /// See [`kernel::read`].
    fn read(&self, way: &Path) -> Result<Seen, PrError>;
    /// Makes the change.
    fn change(&self, way: &Path, change: Change) -> Result<(), PrError>;
}

/// The kernel's own.
pub(super) struct Kernel;

impl Calls for Kernel {
    fn read(&self, way: &Path) -> Result<Seen, PrError> {
        kernel::read(&kernel::open_to_ask(way)?)
    }

    fn change(&self, way: &Path, change: Change) -> Result<(), PrError> {
        let disk = kernel::open(way)?;
        match change {
            Change::Register(key) => kernel::register(&disk, key),
            Change::Unregister => kernel::unregister(&disk),
            Change::Reserve(key) => kernel::reserve(&disk, key),
            Change::Preempt { own, victim } => kernel::preempt_and_abort(&disk, own, victim),
        }
    }
}
