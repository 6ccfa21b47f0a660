//! Persistent reservations on a shared disk: only who is registered writes, and preempting a registration is a fence.
//!
//! A fenced node can still read, and could write again by merely registering. So nothing here registers but a take or
//! a fence under a mandate (and for a moment a release, to clear what this node itself has left), and a node that finds its
//! key gone lets go at once.

mod calls;
pub mod kernel;
mod multipath;
mod problems;
#[cfg(test)]
mod tests;

pub use problems::of_paths;

use super::layered::Layer;
use super::watch::Watch;
use super::{Problem, TakeOrder};
use crate::act::bounded::{self, in_flight::Busy};
use calls::{Calls, Change, Kernel};
use kernel::{PrError, Seen};
use multipath::Map;
use siaga_model::observation::{FenceState, Holding};
use siaga_model::reservation::ReservationKey;
use siaga_model::run::FailureKind;
use siaga_model::why::Holder;
use siaga_model::{Epoch, NodeName, Why};
use siaga_runner::hands::{Acted, Did, Trouble};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

/// How long a question may take. A path that is just failing over needs a while.
const ASK_WITHIN: Duration = Duration::from_secs(10);
/// How long a change may take: the kernel's own limit for one command, and some.
const CHANGE_WITHIN: Duration = Duration::from_secs(40);

/// How often it is looked at whether a take would fail.
const UNABLE_EVERY: Duration = Duration::from_secs(10);

/// The reservation of one disk, as one node has it.
#[derive(Clone)]
pub struct Reservation {
    device: PathBuf,
    me: NodeName,
    others: Vec<NodeName>,
    calls: Arc<dyn Calls>,
    /// What would keep a take from succeeding. Known from a look beside: it asks the disk by every path.
    unable: Arc<Watch<Option<Why>>>,
    /// Registrations that are in the kernel. One that hangs may still come, long after it was given up.
    registering: Arc<Busy>,
}

impl Reservation {
    /// Of the disk `device` as `me` sees it, which it shares with `others`.
    pub fn new(device: PathBuf, me: NodeName, others: Vec<NodeName>) -> Self {
        Self {
            device,
            me,
            others,
            calls: Arc::new(Kernel),
            unable: Arc::new(Watch::new(UNABLE_EVERY)),
            registering: Arc::default(),
        }
    }

    /// Is no path of this node registered? Then it can't write, whatever it has mounted. An error is no answer.
    pub fn is_gone(&self) -> Result<bool, Why> {
        let seen = self.read()?;
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
        match self.read() {
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
        match self.read() {
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
        if self.is_ours(&before, own) && count(&before, own) == self.paths()? {
            return Ok(Did::nothing());
        }
        self.refuse_strangers(&before)?;
        let had_one = before.keys.iter().any(|k| k.is_of(&self.me));
        let done = self.reserve_as(own);
        if done.is_err() && !had_one {
            // What came of nothing must not stay: by its registration this node would look like a second holder.
            let _ = self.unregister();
        }
        done
    }

    fn reserve_as(&self, own: ReservationKey) -> Acted {
        let working = self.register(own)?;
        let seen = self.seen()?;
        // Once more: what came between the two looks is seen in the second.
        self.refuse_strangers(&seen)?;
        self.take_away(&seen.keys, own)?;
        if self.seen()?.holder.is_none() {
            self.by_one_path(Change::Reserve(own))?;
        }
        let after = self.seen()?;
        match (self.is_ours(&after, own), count(&after, own)) {
            (true, registered) if registered >= working => Ok(Did::changed(Vec::new())),
            (true, registered) => Err(self.failed(Why::ReservationPaths {
                device: self.device.clone(),
                registered,
                paths: working,
            })),
            (false, _) => Err(self.failed(Why::ReservationNotOurs {
                device: self.device.clone(),
            })),
        }
    }

    /// Takes every registration but those under `own` away, and ends what they have in flight.
    fn take_away(&self, keys: &[ReservationKey], own: ReservationKey) -> Result<(), Trouble> {
        let mut victims: Vec<ReservationKey> = keys.iter().copied().filter(|k| *k != own).collect();
        victims.sort_unstable();
        victims.dedup();
        victims
            .into_iter()
            .try_for_each(|victim| self.by_one_path(Change::Preempt { own, victim }))
    }

    /// Registers every path that works: a write must not fail by the way that it takes. Gives how many there are. A path
    /// that does not work is left to `multipathd`, which registers it before it is used again.
    fn register(&self, key: ReservationKey) -> Result<u64, Trouble> {
        let Some(map) = self.map()? else {
            self.change(&self.device, Change::Register(key))?;
            return Ok(1);
        };
        let kept = map.keep(key).is_ok();
        let forgets = || {
            self.failed(Why::MultipathForgets {
                device: self.device.clone(),
            })
        };
        // Where that is known before, nothing is registered.
        if !kept && map.told().is_ok_and(|told| !told.dead.is_empty()) {
            return Err(forgets());
        }
        let done = self.on_working_paths(&map, Change::Register(key))?;
        match done.left_out > 0 && !kept {
            true => Err(forgets()),
            false => Ok(done.paths),
        }
    }

    fn unregister(&self) -> Result<(), Trouble> {
        if let Some(map) = self.map()? {
            // Whatever it says: it registers no path whose key is gone.
            let _ = map.forget();
        }
        self.by_every_path(Change::Unregister)
    }

    /// By every path that works, whatever becomes of the others: nothing is written by them.
    fn by_every_path(&self, change: Change) -> Result<(), Trouble> {
        match self.map()? {
            None => self.change(&self.device, change),
            Some(map) => self.on_working_paths(&map, change).map(drop),
        }
    }

    /// Is this node registered, and another configured node holds the reservation? Such a registration is left where a fence
    /// failed and its own way back too; this node would look like a second holder for good.
    pub fn is_stray(&self) -> bool {
        let theirs = |h: &kernel::Holder| self.others.iter().any(|n| h.key.is_of(n));
        let stray = |seen: &Seen| {
            seen.holder.as_ref().is_some_and(theirs) && seen.keys.iter().any(|k| k.is_of(&self.me))
        };
        self.read().is_ok_and(|seen| stray(&seen))
    }

    /// Takes it back. The caller knows that nothing is under way here.
    pub fn drop_stray(&self) -> Acted {
        match self.is_stray() {
            true => self.unregister().map(|()| Did::changed(Vec::new())),
            false => Ok(Did::nothing()),
        }
    }

    /// Does it once, by the first path that works: older kernels take whichever path the map used last.
    fn by_one_path(&self, change: Change) -> Result<(), Trouble> {
        let Some(map) = self.map()? else {
            return self.change(&self.device, change);
        };
        for path in map.paths().map_err(|why| self.failed(why))? {
            if map.is_dead(&path) {
                continue;
            }
            match self.change(&path, change) {
                Err(_) if map.is_dead(&path) => {}
                result => return result,
            }
        }
        Err(self.all_dead())
    }

    fn all_dead(&self) -> Trouble {
        self.failed(Why::MultipathAllDead {
            device: self.device.clone(),
        })
    }

    /// Does it by every path that works, at least one. A path that fails is asked about once more: it may have just gone.
    fn on_working_paths(&self, map: &Map, change: Change) -> Result<Done, Trouble> {
        let failed = |why| self.failed(why);
        let mut done = Done::default();
        for path in map.paths().map_err(failed)? {
            let result = match map.is_dead(&path) {
                true => None,
                false => Some(self.change(&path, change)),
            };
            match result {
                Some(Ok(())) => done.paths += 1,
                Some(Err(trouble)) if !map.is_dead(&path) => return Err(trouble),
                Some(Err(_)) | None => done.left_out += 1,
            }
        }
        match done.paths {
            0 => Err(self.all_dead()),
            _ => Ok(done),
        }
    }

    /// Clears registrations of this node by paths that it has no more (another session since a boot). Only a registrant
    /// may do so: this node registers for that moment, under the counter of no mandate, and takes it back, whatever came of
    /// it. Never while another node has the disk.
    fn clear_left(&self) -> Result<(), Trouble> {
        let own = ReservationKey::new(&self.me, 0);
        let Seen { keys, holder } = self.seen()?;
        if holder.is_some_and(|h| !h.key.is_of(&self.me)) {
            let device = self.device.clone();
            return Err(self.failed(Why::ReservationNotOurs { device }));
        }
        let left: Vec<_> = keys.into_iter().filter(|k| k.is_of(&self.me)).collect();
        let cleared = self
            .by_every_path(Change::Register(own))
            .and_then(|()| self.take_away(&left, own));
        self.unregister()?;
        cleared
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

    /// How many paths the disk has; one where it is no multipath map.
    fn paths(&self) -> Result<u64, Trouble> {
        let paths = match self.map()? {
            None => return Ok(1),
            Some(map) => map.paths().map_err(|why| self.failed(why))?,
        };
        Ok(u64::try_from(paths.len()).unwrap_or(u64::MAX))
    }

    fn map(&self) -> Result<Option<Map>, Trouble> {
        Map::of(&self.device).map_err(|why| self.failed(why))
    }

    fn seen(&self) -> Result<Seen, Trouble> {
        self.read().map_err(|why| self.failed(why))
    }

    fn read(&self) -> Result<Seen, Why> {
        self.ask(|calls, way| calls.read(way))
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

    /// A question, by every path at once: the first answer counts, and one path that hangs hides nothing. What hangs is
    /// left to its thread; it changes nothing.
    fn ask<T: Send + 'static>(
        &self,
        question: fn(&dyn Calls, &Path) -> Result<T, PrError>,
    ) -> Result<T, Why> {
        let map = Map::of(&self.device)?;
        let ways = match map {
            None => vec![self.device.clone()],
            Some(map) => map.paths()?,
        };
        let (tell, told) = mpsc::channel();
        for way in ways {
            let (tell, calls) = (tell.clone(), Arc::clone(&self.calls));
            bounded::begin(move || drop(tell.send(question(calls.as_ref(), &way))));
        }
        drop(tell);
        self.first_answer(&told)
    }

    fn first_answer<T>(&self, told: &mpsc::Receiver<Result<T, PrError>>) -> Result<T, Why> {
        let deadline = Instant::now() + ASK_WITHIN;
        let ms = u64::try_from(ASK_WITHIN.as_millis()).unwrap_or(u64::MAX);
        let mut failed = Why::NoAnswerWithin { ms }.of(self.device.display());
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match told.recv_timeout(left) {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) => failed = self.said(error),
                Err(_) => return Err(failed),
            }
        }
    }

    /// A change. One that hangs may still come: its outcome is not known.
    fn change(&self, way: &Path, change: Change) -> Result<(), Trouble> {
        let (device, calls) = (way.to_owned(), Arc::clone(&self.calls));
        let ms = u64::try_from(CHANGE_WITHIN.as_millis()).unwrap_or(u64::MAX);
        // Whatever else comes late changes nothing for a node that is not registered.
        let registering = matches!(change, Change::Register(_)).then(|| self.registering.enter());
        let call = move || {
            let _registering = registering;
            calls.change(&device, change)
        };
        match bounded::run(CHANGE_WITHIN, call) {
            None => Err(Trouble::Unknown(
                Why::NoAnswerWithin { ms }.of(way.display()),
            )),
            Some(answer) => answer.map_err(|e| self.failed(self.said(e))),
        }
    }
}

/// What came of a change by the paths of a map.
#[derive(Default)]
struct Done {
    /// By so many it was done.
    paths: u64,
    /// So many do not work.
    left_out: u64,
}

fn count(seen: &Seen, own: ReservationKey) -> u64 {
    count_of(seen, |k| *k == own)
}

fn count_of(seen: &Seen, which: impl Fn(&ReservationKey) -> bool) -> u64 {
    let registered = seen.keys.iter().filter(|k| which(k)).count();
    u64::try_from(registered).unwrap_or(u64::MAX)
}

impl Layer for Arc<Reservation> {
    fn state(&self) -> Holding {
        if self.registering.is_busy() {
            let by = vec![Holder::StepUnderWay];
            return Holding::Held { by };
        }
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
        if self.registering.is_busy() {
            let ms = u64::try_from(CHANGE_WITHIN.as_millis()).unwrap_or(u64::MAX);
            return Err(gone(Why::NoAnswerWithin { ms }.of(self.device.display())));
        }
        if self.is_gone().map_err(gone)? {
            return Ok(Did::nothing());
        }
        self.unregister().map_err(not_released)?;
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

    fn unable(&self) -> Option<Why> {
        let looks = Arc::clone(self);
        self.unable.seen(move || looks.would_fail()).flatten()
    }

    fn problems(&self) -> Vec<Problem> {
        self.all_problems()
    }
}
