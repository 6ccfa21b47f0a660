//! The rehearsals of this agent: the one of each service that goes on, and the newest that ended.

use siaga_model::rehearsal::{RehearsalReport, RehearsalStage, RehearsalView};
use siaga_model::{ServiceName, Why};
use siaga_node::act::rehearsal::Break;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// One that goes on.
pub struct Going {
    pub broken: Break,
    stage: Mutex<RehearsalStage>,
}

#[derive(Default)]
struct Slot {
    going: Option<Arc<Going>>,
    report: Option<Box<RehearsalReport>>,
}

/// All of them.
pub struct RehearsalDesk {
    slots: Mutex<BTreeMap<ServiceName, Slot>>,
    version: watch::Sender<u64>,
}

impl Default for RehearsalDesk {
    fn default() -> Self {
        Self {
            slots: Mutex::default(),
            version: watch::channel(0).0,
        }
    }
}

impl RehearsalDesk {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<ServiceName, Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self) {
        self.version.send_modify(|v| *v += 1);
    }

    /// Begins one. `None`: one goes on, of whichever service: they would share this node's disk and memory.
    pub fn begin(&self, service: &ServiceName) -> Option<Arc<Going>> {
        let mut slots = self.lock();
        if slots.values().any(|s| s.going.is_some()) {
            return None;
        }
        let going = Arc::new(Going {
            broken: Break::default(),
            stage: Mutex::new(RehearsalStage::Looking),
        });
        let slot = slots.entry(service.clone()).or_default();
        slot.going = Some(going.clone());
        slot.report = None;
        drop(slots);
        self.tell();
        Some(going)
    }

    /// How far it is.
    pub fn stage(&self, going: &Going, stage: RehearsalStage) {
        *going.stage.lock().unwrap_or_else(PoisonError::into_inner) = stage;
        self.tell();
    }

    /// It ended.
    pub fn end(&self, service: &ServiceName, report: RehearsalReport) {
        let mut slots = self.lock();
        let slot = slots.entry(service.clone()).or_default();
        slot.going = None;
        slot.report = Some(Box::new(report));
        drop(slots);
        self.tell();
    }

    /// What there is to see.
    pub fn view(&self, service: &ServiceName) -> RehearsalView {
        let slots = self.lock();
        let Some(slot) = slots.get(service) else {
            return RehearsalView::default();
        };
        let stage = |g: &Arc<Going>| {
            let stage = g.stage.lock().unwrap_or_else(PoisonError::into_inner);
            stage.clone()
        };
        RehearsalView {
            stage: slot.going.as_ref().map(stage),
            report: slot.report.clone(),
        }
    }

    /// The same at the next change, or after `wait`.
    pub async fn view_after(&self, service: &ServiceName, wait: Duration) -> RehearsalView {
        let mut version = self.version.subscribe();
        if self.view(service).stage.is_some() {
            let _ = tokio::time::timeout(wait, version.changed()).await;
        }
        self.view(service)
    }

    /// Breaks the one of that service off.
    pub fn break_off(&self, service: &ServiceName, why: &Why) {
        let going = self.lock().get(service).and_then(|s| s.going.clone());
        if let Some(going) = going {
            going.broken.off(why.clone());
        }
    }

    /// Breaks all of them off, at once; nothing is waited for.
    pub fn break_off_all(&self, why: &Why) {
        let going: Vec<_> = self
            .lock()
            .values()
            .filter_map(|s| s.going.clone())
            .collect();
        for one in going {
            one.broken.off(why.clone());
        }
    }

    /// Waits until none goes on, at most so long.
    pub async fn none_within(&self, wait: Duration) {
        let mut version = self.version.subscribe();
        let none = || self.lock().values().all(|s| s.going.is_none());
        let waiting = version.wait_for(|_| none());
        let _ = tokio::time::timeout(wait, waiting).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_and_broken_off_with_its_first_reason() {
        let desk = RehearsalDesk::default();
        let going = desk.begin(&"simrs".into()).unwrap();
        assert!(desk.begin(&"lis".into()).is_none());
        assert_eq!(going.broken.why(), None);
        desk.break_off_all(&Why::BrokenOffByMove);
        desk.break_off(&"simrs".into(), &Why::BrokenOff);
        assert_eq!(going.broken.why(), Some(Why::BrokenOffByMove));
    }
}
