//! The check goes on by itself: what it said last, and how old that is. It writes no event: only a check that a person
//! asked for counts as one (a repaired node is not passed by a machine).

use super::gather;
use crate::core::state::Core;
use siaga_model::ServiceName;
use siaga_model::api::{CHECK_STALE, CanTakeOver, CheckReport, ReadinessView};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The first look comes when a starting pair has found each other.
const FIRST: Duration = Duration::from_secs(60);
const EVERY: Duration = Duration::from_secs(600);

type Records = BTreeMap<ServiceName, (Instant, CheckReport)>;

/// The newest check of each service.
#[derive(Default)]
pub struct ReadinessDesk(Mutex<Records>);

impl ReadinessDesk {
    fn lock(&self) -> MutexGuard<'_, Records> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A check was just made.
    pub fn keep(&self, service: &ServiceName, report: &CheckReport) {
        self.lock()
            .insert(service.clone(), (Instant::now(), report.clone()));
    }

    /// The newest one, with its age. What it found is shown however old it is; an answer it is no more after a while.
    pub fn last(&self, service: &ServiceName) -> Option<CheckReport> {
        let records = self.lock();
        let (at, report) = records.get(service)?;
        Some(aged(report, at.elapsed()))
    }

    /// What a screen shows of it.
    pub fn view(&self, service: &ServiceName) -> Option<ReadinessView> {
        let records = self.lock();
        let (at, report) = records.get(service)?;
        Some(view(report, at.elapsed()))
    }
}

fn aged(report: &CheckReport, age: Duration) -> CheckReport {
    let mut report = CheckReport {
        age_ms: millis(age),
        ..report.clone()
    };
    if report.is_stale() {
        report.can_take_over = CanTakeOver::Unknown;
    }
    report
}

fn view(report: &CheckReport, age: Duration) -> ReadinessView {
    ReadinessView {
        can_take_over: report.can_take_over,
        checked_at: report.checked_at,
        age_ms: millis(age),
        stale: age > CHECK_STALE,
    }
}

fn millis(age: Duration) -> u64 {
    u64::try_from(age.as_millis()).unwrap_or(u64::MAX)
}

/// Looks again and again, never while a run is at work.
pub async fn keep_looking(core: Arc<Core>) {
    tokio::time::sleep(FIRST).await;
    loop {
        for service in &core.config.services {
            if core.runs.going_on(&service.name).is_none() {
                let (report, _) = gather(&core, service).await;
                core.readiness.keep(&service.name, &report);
            }
        }
        tokio::time::sleep(EVERY).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use siaga_model::UtcMicros;

    #[test]
    fn an_answer_ages_and_is_none_any_more_after_half_an_hour() {
        let report = CheckReport {
            service: "simrs".into(),
            can_take_over: CanTakeOver::Yes,
            findings: Vec::new(),
            examined: Vec::new(),
            checked_at: UtcMicros(7),
            age_ms: 0,
            takeover: None,
            not_exercised: Vec::new(),
            duties: Vec::new(),
        };
        let of = |age| view(&report, age);
        assert_eq!(
            (of(CHECK_STALE).age_ms, of(CHECK_STALE).stale),
            (1_800_000, false)
        );
        let later = CHECK_STALE + Duration::from_secs(1);
        assert!(of(later).stale);
        // Nor does it say yes to who asks for the last one.
        let last = |age| aged(&report, age).can_take_over;
        assert_eq!(last(CHECK_STALE), CanTakeOver::Yes);
        assert_eq!(last(later), CanTakeOver::Unknown);
    }
}
