//! A clock that is set in the middle of an incident: durations across it are wrong, so the log says that it was.

use super::state::Core;
use siaga_model::event::{EventBody, Finding, FindingCode, Severity};
use siaga_model::evidence::Evidence;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How often it looks.
const TICK: Duration = Duration::from_secs(1);
/// What a time service corrects slowly, or a look that was held up makes, is less.
const STEP_MS: i64 = 2000;

/// Compares the wall clock with one that nobody sets, and that goes on while the machine sleeps.
#[derive(Default)]
pub struct Steps {
    last: Option<(i64, i64)>,
}

impl Steps {
    /// One look at both, in milliseconds: by how much the wall clock was set since the one before.
    pub fn look(&mut self, wall_ms: i64, steady_ms: i64) -> Option<i64> {
        let (wall, steady) = self.last.replace((wall_ms, steady_ms))?;
        let by = (wall_ms.saturating_sub(wall)).saturating_sub(steady_ms.saturating_sub(steady));
        (by.abs() >= STEP_MS).then_some(by)
    }
}

/// Never ends.
pub async fn watch(core: Arc<Core>) {
    let mut steps = Steps::default();
    loop {
        if let Some(by_ms) = steps.look(wall_ms(), steady_ms()) {
            tracing::warn!(by_ms, "the clock was set");
            core.note(None, stepped(&core, by_ms));
        }
        tokio::time::sleep(TICK).await;
    }
}

fn stepped(core: &Core, by_ms: i64) -> EventBody {
    EventBody::Found {
        finding: Finding {
            code: FindingCode::ClockDiffers,
            node: core.me.clone(),
            severity: Severity::Warning,
            evidence: Evidence::ClockStepped { by_ms },
        },
    }
}

fn wall_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let since = since.unwrap_or_default().as_millis();
    i64::try_from(since).unwrap_or(i64::MAX)
}

fn steady_ms() -> i64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    now.tv_sec
        .saturating_mul(1000)
        .saturating_add(now.tv_nsec / 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_clock_is_told_from_one_that_goes() {
        let mut steps = Steps::default();
        let hour = 3_600_000;
        // Wall, steady, and what is said.
        for (wall, steady, said) in [
            (1_000_000, 5_000, None),
            (1_001_000, 6_000, None),
            // A look that was held up: both went on.
            (1_091_000, 96_000, None),
            // Corrected slowly.
            (1_092_900, 97_000, None),
            (1_093_900 + hour, 98_000, Some(hour)),
            (1_094_900 + hour, 99_000, None),
            (1_095_900, 100_000, Some(-hour)),
            (1_096_900, 101_000, None),
        ] {
            assert_eq!(steps.look(wall, steady), said, "{wall}");
        }
    }
}
