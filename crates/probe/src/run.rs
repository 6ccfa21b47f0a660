//! The probe of a client machine.

use crate::attempt::{Attempts, Failure, Pace, until_success};
use crate::config::{Check, ProbeConfig};
use crate::gaps::{Gap, GapTracker};
use crate::rows::Rows;
use crate::sql::Session;
use crate::{arp, target};
use siaga_model::UtcMicros;
use siaga_model::api::{ProbeGap, ProbeReport};
use std::convert::Infallible;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::Notify;

const REPORT_EVERY: Duration = Duration::from_secs(1);
/// Ended gaps in each report, so that one that gets lost loses nothing.
const REPORTED: usize = 16;

/// Takes the reports. Must not wait: reports come while the service is down, too.
pub trait Reporter: Send + Sync {
    fn report(&self, report: ProbeReport);
}

impl<F: Fn(ProbeReport) + Send + Sync> Reporter for F {
    fn report(&self, report: ProbeReport) {
        self(report);
    }
}

/// Probes for ever; drop it to stop. Reports at once where the state changes, and every second.
pub async fn run(config: ProbeConfig, reporter: impl Reporter) -> Infallible {
    let probe = Probe {
        config,
        rows: Mutex::default(),
        state: Mutex::default(),
        changed: Notify::new(),
    };
    tokio::select! {
        never = probe.measure() => never,
        never = probe.report(&reporter) => never,
    }
}

struct Probe {
    config: ProbeConfig,
    rows: Mutex<Rows>,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    gaps: GapTracker,
    error: Option<String>,
    sequence: u64,
    lost: u64,
}

impl Probe {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn measure(&self) -> Infallible {
        let mut session = None;
        let mut next = tokio::time::Instant::now();
        loop {
            session = Some(until_success(self, session.take()).await);
            self.succeeded();
            // From the plan, not from the end: the interval is what it says; after a gap there is no rush.
            next = (next + self.config.interval).max(tokio::time::Instant::now());
            tokio::time::sleep_until(next).await;
        }
    }

    fn succeeded(&self) {
        let lost = self
            .rows
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .lost;
        let mut state = self.state();
        let first = state.gaps.last_success().is_none();
        let ended = state
            .gaps
            .success(Instant::now(), now(), || self.answered_by());
        let news = first || ended || state.error.is_some() || state.lost != lost;
        state.error = None;
        state.lost = lost;
        drop(state);
        if news {
            self.changed.notify_one();
        }
    }

    fn answered_by(&self) -> Option<String> {
        target::address(&self.config.check).and_then(arp::hardware_address)
    }

    async fn report(&self, reporter: &impl Reporter) -> Infallible {
        loop {
            let _ = tokio::time::timeout(REPORT_EVERY, self.changed.notified()).await;
            let report = self.compose();
            reporter.report(report);
        }
    }

    fn compose(&self) -> ProbeReport {
        let at = Instant::now();
        let mut state = self.state();
        state.sequence += 1;
        let last = state.gaps.last_success();
        let serving = last.is_some() && !state.gaps.failing();
        let skip = state.gaps.ended().count().saturating_sub(REPORTED);
        let open = state.gaps.open(at);
        ProbeReport {
            probe: self.config.name.clone(),
            service: self.config.service.clone(),
            sequence: state.sequence,
            interval_ms: u64::try_from(self.config.interval.as_millis()).unwrap_or(u64::MAX),
            serving,
            last_success_age_ms: last.map(|l| {
                u64::try_from(at.saturating_duration_since(l).as_millis()).unwrap_or(u64::MAX)
            }),
            answered_by: if serving { self.answered_by() } else { None },
            gaps: state
                .gaps
                .ended()
                .skip(skip)
                .cloned()
                .chain(open)
                .map(as_reported)
                .collect(),
            error: state.error.clone(),
            lost_rows: state.lost,
            writes_rows: matches!(self.config.check, Check::Sql(_)),
        }
    }
}

impl Attempts for Probe {
    type Session = Option<Session>;

    fn pace(&self) -> Pace {
        Pace::of(self.config.interval)
    }

    async fn attempt(&self, old: Option<Self::Session>) -> Result<Self::Session, Failure> {
        target::attempt(
            &self.config.check,
            &self.config.name,
            &self.rows,
            old.flatten(),
        )
        .await
    }

    fn failed(&self, began: Instant, why: &Failure) {
        let mut state = self.state();
        let opened = state.gaps.failure(began);
        if state.gaps.failing() {
            state.error = Some(why.to_string());
        }
        drop(state);
        if opened {
            tracing::info!("the service does not answer: {why}");
            self.changed.notify_one();
        }
    }
}

fn as_reported(gap: Gap) -> ProbeGap {
    ProbeGap {
        // Its beginning names it: the same in every report, and another one after a restart of the probe.
        id: u64::try_from(gap.last_success.0).unwrap_or(0),
        last_success: gap.last_success,
        first_success: gap.first_success,
        gap_ms: gap.ms,
        error_ms: gap.error_ms,
        answered_by: gap.answered_by,
    }
}

/// The wall clock, for the record.
pub(crate) fn now() -> UtcMicros {
    let micros = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |d| d.as_micros());
    UtcMicros(i64::try_from(micros).unwrap_or(i64::MAX))
}
