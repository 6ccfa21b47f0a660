//! What the services of one node share about fences: the mandates of every service that a fence hits, and one fence
//! for all who ask for it at once.

use crate::executor::{SharedBench, ledger_trouble};
use crate::hands::{Acted, Did, Hands, Trouble};
use siaga_model::observation::FenceState;
use siaga_model::plan::{HitMandate, MandatedPlan};
use siaga_model::run::FailureKind;
use siaga_model::{NodeName, PlanId, ServiceName};
use siaga_model::{Note, Why};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// How many plans are remembered by the moment when they were bound. An older one simply does not share.
const BOUND_KEPT: usize = 64;

/// One node's fencing, shared by the executors of all its services.
#[derive(Default)]
pub struct Fencing {
    benches: BTreeMap<ServiceName, Arc<SharedBench>>,
    gates: Mutex<Gates>,
    ended: Condvar,
}

/// A device of a victim: one act at a time.
type Device = (NodeName, String);

#[derive(Default)]
struct Gates {
    /// Grows with everything that happens here: what came first, without a clock.
    moment: u64,
    /// When each plan was bound, the newest last.
    bound: VecDeque<(PlanId, u64)>,
    busy: Vec<Device>,
    /// When each device last confirmed a fence. Gone once its node was switched on again.
    confirmed: BTreeMap<Device, u64>,
}

impl Gates {
    fn next(&mut self) -> u64 {
        self.moment += 1;
        self.moment
    }
}

/// Who asks for a fence, which decides whose result may do.
#[derive(Clone, Copy, Debug)]
pub enum Asker<'a> {
    /// A plan: what was confirmed after it was bound may be shared with it.
    Plan(&'a PlanId),
    /// A person's order of its own, as of now.
    Person,
}

impl Fencing {
    /// The fencing of a node with these services.
    pub fn new(benches: BTreeMap<ServiceName, Arc<SharedBench>>) -> Self {
        Self {
            benches,
            ..Self::default()
        }
    }

    /// A plan is under its mandate from now on. A fence that is confirmed later may be shared with it.
    pub fn bound(&self, plan: &MandatedPlan) {
        let mut gates = self.lock();
        let now = gates.next();
        gates.bound.push_back((plan.id.clone(), now));
        if gates.bound.len() > BOUND_KEPT {
            gates.bound.pop_front();
        }
    }

    /// Is every mandate of `hits` about `victim` in force? While the guard lives, no plan that acts on the victim is
    /// admitted here for any of those services.
    pub fn stand<'a>(
        &'a self,
        victim: &NodeName,
        hits: &[HitMandate],
    ) -> Result<Vec<Standing<'a>>, Trouble> {
        let mut guards = Vec::new();
        for hit in hits.iter().filter(|h| &h.victim == victim) {
            let Some(bench) = self.benches.get(&hit.service) else {
                let why = Why::NoSuchServiceHere {
                    service: hit.service.clone(),
                };
                return Err(Trouble::failed(FailureKind::Precondition, why));
            };
            bench
                .begin_hit(&hit.epoch, victim)
                .map_err(ledger_trouble)?;
            guards.push(Standing {
                bench,
                victim: victim.clone(),
            });
        }
        Ok(guards)
    }

    /// Fences, or waits for the one who does and shares what the device then confirms. `check` is asked right before
    /// the act, and before a result is shared; what it gives is kept until the act is over.
    pub fn fence<T>(
        &self,
        asker: Asker,
        victim: &NodeName,
        device: &str,
        hands: &dyn Hands,
        check: impl Fn() -> Result<T, Trouble>,
    ) -> Acted {
        let key: Device = (victim.clone(), device.to_owned());
        let asked = self.asked(asker);
        let _turn = self.enter(&key);
        let _standing = check()?;
        let shared = self.lock().confirmed.get(&key).is_some_and(|c| *c > asked);
        // What another was told is not enough: the device says so again, now.
        if shared && hands.fence_state(victim, device) == FenceState::Fenced {
            return Ok(Did {
                changed: false,
                notes: vec![Note::FenceShared],
            });
        }
        let did = hands.fence(victim, device)?;
        let mut gates = self.lock();
        let now = gates.next();
        gates.confirmed.insert(key, now);
        Ok(did)
    }

    /// Any other act with a device (switching a node on): alone at the device, and what was confirmed before counts
    /// no more.
    pub fn alone<T>(&self, victim: &NodeName, device: &str, act: impl FnOnce() -> T) -> T {
        let key: Device = (victim.clone(), device.to_owned());
        let _turn = self.enter(&key);
        self.lock().confirmed.remove(&key);
        act()
    }

    /// From when on a confirmed fence may be shared with this asker. A plan that is not known any more is as young as
    /// its order, and so is what a person asks.
    fn asked(&self, asker: Asker) -> u64 {
        let gates = self.lock();
        let bound = |plan: &PlanId| gates.bound.iter().rev().find(|(p, _)| p == plan);
        match asker {
            Asker::Plan(plan) => bound(plan).map_or(gates.moment, |(_, at)| *at),
            Asker::Person => gates.moment,
        }
    }

    /// Waits for the device's turn.
    fn enter(&self, key: &Device) -> Turn<'_> {
        let mut gates = self
            .ended
            .wait_while(self.lock(), |g| g.busy.contains(key))
            .unwrap_or_else(PoisonError::into_inner);
        gates.busy.push(key.clone());
        Turn {
            fencing: self,
            key: key.clone(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Gates> {
        self.gates.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One device's turn, until it is dropped, also by a panic.
struct Turn<'a> {
    fencing: &'a Fencing,
    key: Device,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.fencing.lock().busy.retain(|k| k != &self.key);
        self.fencing.ended.notify_all();
    }
}

/// One service that a fence under way hits.
pub struct Standing<'a> {
    bench: &'a SharedBench,
    victim: NodeName,
}

impl Drop for Standing<'_> {
    fn drop(&mut self) {
        self.bench.end_hit(&self.victim);
    }
}
