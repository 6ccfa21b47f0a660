//! The block devices of a disk set: one for each of its file systems. It is one thing to those who take it: held where
//! one of them is held, free where all are.

use super::reservation::of_paths;
use super::{BlockDevice, DiskSet, Problem, TakeOrder};
use crate::observe::disk_watch::{self, RawRead, Sample};
use siaga_model::observation::Holding;
use siaga_runner::hands::{Acted, Did};
use std::path::PathBuf;
use std::sync::Arc;

/// The devices, in the order of the file systems. There is always a first.
pub struct Volumes {
    first: BlockDevice,
    further: Vec<BlockDevice>,
}

impl Volumes {
    /// `first` carries the data directory.
    pub fn new(first: PathBuf, further: impl IntoIterator<Item = PathBuf>) -> Self {
        Self {
            first: BlockDevice::new(first),
            further: further.into_iter().map(BlockDevice::new).collect(),
        }
    }

    /// All of them.
    pub fn each(&self) -> impl DoubleEndedIterator<Item = &BlockDevice> {
        std::iter::once(&self.first).chain(&self.further)
    }

    /// The one that carries the data directory.
    pub fn first(&self) -> &BlockDevice {
        &self.first
    }

    /// Are all of them there?
    pub fn are_there(&self) -> bool {
        self.missing().is_none()
    }

    /// Is one of them there?
    pub fn is_any_there(&self) -> bool {
        self.each().any(|v| v.device().exists())
    }

    /// The first that is not there.
    pub fn missing(&self) -> Option<&BlockDevice> {
        self.each().find(|v| !v.device().exists())
    }

    /// After a release: other devices may get their numbers.
    pub fn forget_numbers(&self) {
        self.each().for_each(BlockDevice::forget_number);
    }

    /// As [`DiskSet::release`], of those that are there.
    pub fn release_those_there(&self) -> Acted {
        let there = self.each().filter(|v| v.device().exists());
        summed(there.map(BlockDevice::release))
    }
}

/// Held by all that hold one of them; unknown where one can't be told and none is held.
pub(super) fn together(each: impl Iterator<Item = Holding>) -> Holding {
    let mut holders = Vec::new();
    let mut unknown = None;
    for holding in each {
        match holding {
            Holding::Held { by } => holders.extend(by),
            Holding::Unknown { why } => unknown = unknown.or(Some(why)),
            Holding::Free => {}
        }
    }
    match unknown {
        _ if !holders.is_empty() => Holding::Held { by: holders },
        Some(why) => Holding::Unknown { why },
        None => Holding::Free,
    }
}

/// Up to the first failure.
fn summed(each: impl Iterator<Item = Acted>) -> Acted {
    let mut sum = Did::nothing();
    for acted in each {
        let did = acted?;
        sum.changed |= did.changed;
        sum.notes.extend(did.notes);
    }
    Ok(sum)
}

impl DiskSet for Volumes {
    fn look(&self) -> Holding {
        together(self.each().map(BlockDevice::look))
    }

    fn claimed(&self) -> Holding {
        together(self.each().map(BlockDevice::claimed))
    }

    fn take(&self, _order: &TakeOrder) -> Acted {
        summed(self.each().map(BlockDevice::take))
    }

    fn retake(&self, _order: &TakeOrder) -> Acted {
        Ok(Did::nothing())
    }

    fn release(&self) -> Acted {
        summed(self.each().map(BlockDevice::release))
    }

    fn volumes(&self) -> &Volumes {
        self
    }

    fn problems(&self) -> Vec<Problem> {
        self.each().flat_map(|v| of_paths(v.device())).collect()
    }
}

impl Volumes {
    /// Reads some of all of them. Only while this node does not hold them. It may hang, and nothing waits for it then: no
    /// look at who holds them, and no take.
    pub fn raw(&self) -> RawRead {
        let devices: Vec<PathBuf> = self.each().map(|v| v.device().to_owned()).collect();
        Arc::new(move || Sample::of_all(devices.iter().map(|d| disk_watch::sample(d))))
    }
}
