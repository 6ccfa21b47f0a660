//! Gaps between successes, on the monotonic clock. No clock is read here.

use serde::{Deserialize, Serialize};
use siaga_model::UtcMicros;
use std::collections::VecDeque;
use std::time::Instant;

/// So many ended gaps are remembered.
const KEEP: usize = 64;

/// A time without success. The true outage is within `error_ms` of `ms`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Gap {
    /// Wall times, for the record only.
    pub last_success: UtcMicros,
    /// `None` while it is open.
    pub first_success: Option<UtcMicros>,
    pub ms: u64,
    /// From the last success to the first failed attempt, and from the last failed attempt to the first success.
    pub error_ms: u64,
    pub answered_by: Option<String>,
}

#[derive(Clone, Copy, Debug)]
struct Failures {
    first: Instant,
    last: Instant,
}

/// Turns attempts into gaps.
#[derive(Debug, Default)]
pub struct GapTracker {
    last_success: Option<(Instant, UtcMicros)>,
    failures: Option<Failures>,
    ended: VecDeque<Gap>,
}

impl GapTracker {
    /// An attempt ended well at `at`. Returns true where this ends a gap.
    pub fn success(
        &mut self,
        at: Instant,
        wall: UtcMicros,
        answered_by: impl FnOnce() -> Option<String>,
    ) -> bool {
        let gap = self.gap(at).map(|gap| Gap {
            first_success: Some(wall),
            answered_by: answered_by(),
            ..gap
        });
        self.failures = None;
        self.last_success = Some((at, wall));
        let ended = gap.is_some();
        if let Some(gap) = gap {
            self.ended.push_back(gap);
            if self.ended.len() > KEEP {
                self.ended.pop_front();
            }
        }
        ended
    }

    /// An attempt that began at `began` failed. Returns true where this opens a gap (or is the first failure of
    /// a service that was never seen working).
    pub fn failure(&mut self, began: Instant) -> bool {
        // An attempt that was overtaken: it began before the last success and says nothing about now.
        if self.last_success.is_some_and(|(at, _)| began < at) {
            return false;
        }
        match &mut self.failures {
            Some(f) => {
                f.first = f.first.min(began);
                f.last = f.last.max(began);
                false
            }
            None => {
                self.failures = Some(Failures {
                    first: began,
                    last: began,
                });
                true
            }
        }
    }

    /// The open gap as of `now`.
    pub fn open(&self, now: Instant) -> Option<Gap> {
        self.gap(now)
    }
    /// True while attempts fail.
    pub fn failing(&self) -> bool {
        self.failures.is_some()
    }
    pub fn last_success(&self) -> Option<Instant> {
        self.last_success.map(|(at, _)| at)
    }
    /// The gaps that ended, oldest first.
    pub fn ended(&self) -> impl Iterator<Item = &Gap> {
        self.ended.iter()
    }

    fn gap(&self, end: Instant) -> Option<Gap> {
        let (failures, (start, wall)) = (self.failures?, self.last_success?);
        let error = failures.first.saturating_duration_since(start)
            + end.saturating_duration_since(failures.last);
        Some(Gap {
            last_success: wall,
            first_success: None,
            ms: millis(end.saturating_duration_since(start)),
            error_ms: millis(error),
            answered_by: None,
        })
    }
}

/// Rounded up, so that nothing looks shorter than it was.
fn millis(d: std::time::Duration) -> u64 {
    u64::try_from(d.as_micros().div_ceil(1000)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_gap_runs_from_the_last_success_to_the_first_one_after() {
        let zero = Instant::now();
        let at = |ms: u64| zero + Duration::from_millis(ms);
        let mut gaps = GapTracker::default();
        assert!(
            gaps.failure(at(0)),
            "never seen working: failing, but no gap"
        );
        assert!(!gaps.success(at(10), UtcMicros(10), || None));
        assert!(!gaps.success(at(110), UtcMicros(110), || None));
        assert!(gaps.failure(at(210)));
        assert!(!gaps.failure(at(215)));
        assert_eq!(gaps.open(at(300)).map(|g| g.ms), Some(190));
        assert!(!gaps.failure(at(400)));
        assert!(gaps.success(at(406), UtcMicros(406), || Some("mac".into())));
        let gap = Gap {
            last_success: UtcMicros(110),
            first_success: Some(UtcMicros(406)),
            ms: 296,
            error_ms: 100 + 6,
            answered_by: Some("mac".into()),
        };
        assert_eq!(gaps.ended().collect::<Vec<_>>(), [&gap]);
        assert!(!gaps.failing() && gaps.open(at(500)).is_none());
    }

    #[test]
    fn an_attempt_that_was_overtaken_opens_no_gap() {
        let zero = Instant::now();
        let mut gaps = GapTracker::default();
        gaps.success(zero + Duration::from_millis(10), UtcMicros(0), || None);
        assert!(!gaps.failure(zero + Duration::from_millis(5)));
        assert!(!gaps.failing());
    }
}
