//! Persistent reservations on a shared disk: only who is registered writes, and preempting a registration is a fence.
//!
//! A fenced node can still read, and could write again by merely registering. So nothing here registers but a take or
//! a fence under a mandate, and a node that finds its key gone lets go at once.

pub mod kernel;

use super::layered::Layer;
use super::{Problem, TakeOrder};
use crate::act::bounded;
use kernel::{PrError, Seen};
use siaga_model::observation::{FenceState, Holding};
use siaga_model::reservation::ReservationKey;
use siaga_model::run::FailureKind;
use siaga_model::why::Holder;
use siaga_model::{Epoch, NodeName, Why};
use siaga_runner::hands::{Acted, Did, Trouble};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How long a question may take. A path that is just failing over needs a while.
const ASK_WITHIN: Duration = Duration::from_secs(10);
/// How long a change may take: the kernel's own limit for one command, and some.
const CHANGE_WITHIN: Duration = Duration::from_secs(40);

/// The reservation of one disk, as one node has it.
#[derive(Clone)]
pub struct Reservation {
    device: PathBuf,
    me: NodeName,
    others: Vec<NodeName>,
}

impl Reservation {
    /// Of the disk `device` as `me` sees it, which it shares with `others`.
    pub fn new(device: PathBuf, me: NodeName, others: Vec<NodeName>) -> Self {
        Self { device, me, others }
    }

    /// Is no path of this node registered? Then it can't write, whatever it has mounted. An error is no answer.
    pub fn is_gone(&self) -> Result<bool, Why> {
        let seen = self.ask(|disk| kernel::read(&disk))?;
        Ok(!seen.keys.iter().any(|k| k.is_of(&self.me)))
    }

    /// Why a node whose key is gone lets go.
    pub fn why_gone(&self) -> Why {
        Why::KeyGone {
            device: self.device.clone(),
        }
    }

    /// Is `victim` kept from writing now, by a reservation that another configured node holds?
    pub fn state_of(&self, victim: &NodeName) -> FenceState {
        match self.ask(|disk| kernel::read(&disk)) {
            Err(why) => FenceState::Failed { why },
            Ok(seen) if self.keeps_out(&seen, victim) => FenceState::Fenced,
            Ok(_) => FenceState::Open,
        }
    }

    fn keeps_out(&self, seen: &Seen, victim: &NodeName) -> bool {
        let mut nodes = self.others.iter().chain([&self.me]);
        let held = |h: &kernel::Holder| {
            h.registrants_write && nodes.any(|n| n != victim && h.key.is_of(n))
        };
        seen.holder.as_ref().is_some_and(held) && !seen.keys.iter().any(|k| k.is_of(victim))
    }

    /// Is the disk reserved for this node alone, under that very mandate?
    pub fn state_under(&self, epoch: &Epoch) -> FenceState {
        match self.ask(|disk| kernel::read(&disk)) {
            Err(why) => FenceState::Failed { why },
            Ok(seen) if self.is_ours(&seen, self.key(epoch)) => FenceState::Fenced,
            Ok(_) => FenceState::Open,
        }
    }

    fn key(&self, epoch: &Epoch) -> ReservationKey {
        ReservationKey::new(&self.me, epoch.counter)
    }

    fn is_ours(&self, seen: &Seen, own: ReservationKey) -> bool {
        let holder = seen.holder;
        let held = holder.is_some_and(|h| h.key == own && h.registrants_write);
        held && !seen.keys.is_empty() && seen.keys.iter().all(|k| *k == own)
    }

    /// Registers this node, takes every other registration of the site's nodes away, reserves, and reads it back. A
    /// registration of somebody else is never touched.
    pub fn reserve(&self, epoch: &Epoch) -> Acted {
        let own = self.key(epoch);
        let before = self.seen()?;
        if self.is_ours(&before, own) && self.registered(&before, own)? {
            return Ok(Did::nothing());
        }
        self.refuse_strangers(&before)?;
        self.change(move |disk| kernel::register(&disk, own))?;
        let seen = self.seen()?;
        // Once more: what came between the two looks is seen in the second.
        self.refuse_strangers(&seen)?;
        let mut victims: Vec<ReservationKey> =
            seen.keys.iter().copied().filter(|k| *k != own).collect();
        victims.sort_unstable();
        victims.dedup();
        for victim in victims {
            self.change(move |disk| kernel::preempt_and_abort(&disk, own, victim))?;
        }
        if self.seen()?.holder.is_none() {
            self.change(move |disk| kernel::reserve(&disk, own))?;
        }
        let after = self.seen()?;
        match (self.is_ours(&after, own), self.registered(&after, own)?) {
            (true, true) => Ok(Did::changed(Vec::new())),
            (false, _) => Err(self.failed(Why::ReservationNotOurs {
                device: self.device.clone(),
            })),
            (true, false) => Err(self.failed(Why::ReservationPaths {
                device: self.device.clone(),
                registered: count(&after, own),
                paths: self.paths().map_err(|why| self.failed(why))?,
            })),
        }
    }

    /// Clears registrations of this node by paths that it has no more (another session since a boot). Only a registrant
    /// may do so: this node registers for that moment, under the counter of no mandate, and takes it back.
    fn clear_left(&self) -> Result<(), Trouble> {
        let own = ReservationKey::new(&self.me, 0);
        let mut left = self.seen()?.keys;
        left.retain(|k| k.is_of(&self.me) && *k != own);
        left.sort_unstable();
        left.dedup();
        self.change(move |disk| kernel::register(&disk, own))?;
        for victim in left {
            self.change(move |disk| kernel::preempt_and_abort(&disk, own, victim))?;
        }
        self.change(|disk| kernel::unregister(&disk))
    }

    /// One registration for each path: a write must not fail by the way that it takes.
    fn registered(&self, seen: &Seen, own: ReservationKey) -> Result<bool, Trouble> {
        let paths = self.paths().map_err(|why| self.failed(why))?;
        Ok(count(seen, own) == paths)
    }

    fn refuse_strangers(&self, seen: &Seen) -> Result<(), Trouble> {
        let holder = seen.holder.iter().map(|h| &h.key);
        let ours = |k: &&ReservationKey| !self.others.iter().chain([&self.me]).any(|n| k.is_of(n));
        match seen.keys.iter().chain(holder).find(ours) {
            None => Ok(()),
            Some(key) => Err(self.failed(Why::ReservationStranger {
                device: self.device.clone(),
                key: key.to_string(),
            })),
        }
    }

    /// The paths below a multipath map; one for a plain disk.
    fn paths(&self) -> Result<u64, Why> {
        let failed = |e: std::io::Error| Why::system(format!("{}: {e}", self.device.display()));
        let number = std::fs::metadata(&self.device).map_err(failed)?.rdev();
        let (major, minor) = (rustix::fs::major(number), rustix::fs::minor(number));
        let place = PathBuf::from(format!("/sys/dev/block/{major}:{minor}"));
        let map = std::fs::read_to_string(place.join("dm/uuid"));
        if !map.is_ok_and(|uuid| uuid.starts_with("mpath-")) {
            return Ok(1);
        }
        let slaves = std::fs::read_dir(place.join("slaves")).map_err(failed)?;
        Ok(u64::try_from(slaves.count()).unwrap_or(u64::MAX))
    }

    fn is_partition(&self) -> bool {
        let number = std::fs::metadata(&self.device).map_or(0, |m| m.rdev());
        let (major, minor) = (rustix::fs::major(number), rustix::fs::minor(number));
        PathBuf::from(format!("/sys/dev/block/{major}:{minor}/partition")).exists()
    }

    fn seen(&self) -> Result<Seen, Trouble> {
        self.ask(|disk| kernel::read(&disk))
            .map_err(|why| self.failed(why))
    }

    fn failed(&self, why: Why) -> Trouble {
        Trouble::failed(FailureKind::Fence, why)
    }

    fn said(&self, error: impl ToString) -> Why {
        Why::ReservationCall {
            device: self.device.clone(),
            said: error.to_string(),
        }
    }

    /// A question. One that hangs is left to its thread; it changes nothing.
    fn ask<T: Send + 'static>(
        &self,
        call: impl FnOnce(OwnedFd) -> Result<T, PrError> + Send + 'static,
    ) -> Result<T, Why> {
        let device = self.device.clone();
        let ms = u64::try_from(ASK_WITHIN.as_millis()).unwrap_or(u64::MAX);
        match bounded::run(ASK_WITHIN, move || {
            kernel::open_to_ask(&device).and_then(call)
        }) {
            None => Err(Why::NoAnswerWithin { ms }.of(self.device.display())),
            Some(answer) => answer.map_err(|e| self.said(e)),
        }
    }

    /// A change. One that hangs may still come: its outcome is not known.
    fn change(
        &self,
        call: impl FnOnce(OwnedFd) -> Result<(), PrError> + Send + 'static,
    ) -> Result<(), Trouble> {
        let device = self.device.clone();
        let ms = u64::try_from(CHANGE_WITHIN.as_millis()).unwrap_or(u64::MAX);
        match bounded::run(CHANGE_WITHIN, move || kernel::open(&device).and_then(call)) {
            None => Err(Trouble::Unknown(
                Why::NoAnswerWithin { ms }.of(self.device.display()),
            )),
            Some(answer) => answer.map_err(|e| self.failed(self.said(e))),
        }
    }
}

fn count(seen: &Seen, own: ReservationKey) -> u64 {
    let registered = seen.keys.iter().filter(|k| **k == own).count();
    u64::try_from(registered).unwrap_or(u64::MAX)
}

impl Layer for Arc<Reservation> {
    fn state(&self) -> Holding {
        match self.is_gone() {
            Ok(true) => Holding::Free,
            Ok(false) => Holding::Held {
                by: vec![Holder::Registered {
                    device: self.device.clone(),
                }],
            },
            Err(why) => Holding::Unknown { why },
        }
    }

    fn take(&self, order: &TakeOrder) -> Acted {
        self.reserve(order.epoch)
    }

    /// Taking the registration back ends the reservation as well.
    fn release(&self) -> Acted {
        let not_released = |trouble| match trouble {
            Trouble::Failed(failure) => Trouble::failed(FailureKind::NotReleased, failure.detail),
            unknown => unknown,
        };
        let gone = |why| Trouble::failed(FailureKind::NotReleased, why);
        if self.is_gone().map_err(gone)? {
            return Ok(Did::nothing());
        }
        self.change(|disk| kernel::unregister(&disk))
            .map_err(not_released)?;
        if !self.is_gone().map_err(gone)? {
            self.clear_left().map_err(not_released)?;
        }
        match self.is_gone().map_err(gone)? {
            true => Ok(Did::changed(Vec::new())),
            false => Err(gone(Why::ReservationLeft {
                device: self.device.clone(),
            })),
        }
    }

    /// Everybody may read a disk that is reserved in this way.
    fn device_stays(&self) -> bool {
        true
    }

    fn problems(&self) -> Vec<Problem> {
        let device = self.device.clone();
        let mut problems = Vec::new();
        let mut add = |blocking, why| problems.push(Problem { blocking, why });
        if self.is_partition() {
            add(true, Why::ReservationPartition { device });
            return problems;
        }
        match self.ask(|disk| kernel::abilities(&disk)) {
            Err(why) => add(true, why),
            Ok(can) => {
                if can.registrants == Some(false) {
                    let device = device.clone();
                    add(true, Why::ReservationUnsupported { device });
                }
                if !can.persists {
                    add(false, Why::ReservationForgotten { device });
                }
            }
        }
        match self.seen() {
            Ok(seen) => {
                if let Err(Trouble::Failed(failure)) = self.refuse_strangers(&seen) {
                    add(true, failure.detail);
                }
                let registered = seen.keys.iter().filter(|k| k.is_of(&self.me)).count();
                let registered = u64::try_from(registered).unwrap_or(u64::MAX);
                let held = |h: kernel::Holder| h.registrants_write && h.key.is_of(&self.me);
                if registered > 0 && !seen.holder.is_some_and(held) {
                    let device = self.device.clone();
                    add(true, Why::ReservationNotOurs { device });
                }
                if let Ok(paths) = self.paths()
                    && registered > 0
                    && registered != paths
                {
                    let device = self.device.clone();
                    add(
                        true,
                        Why::ReservationPaths {
                            device,
                            registered,
                            paths,
                        },
                    );
                }
            }
            Err(Trouble::Failed(failure)) => add(true, failure.detail),
            Err(Trouble::Unknown(why)) => add(true, why),
        }
        problems
    }
}
