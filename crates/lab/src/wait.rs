//! Bounded waits.

use crate::error::{LabError, Result};
use std::time::{Duration, Instant};

/// A wait that ends: where the kernel offers no event, look again every few milliseconds.
pub(crate) struct Deadline {
    began: Instant,
    patience: Duration,
}

impl Deadline {
    pub fn new(patience: Duration) -> Self {
        Self {
            began: Instant::now(),
            patience,
        }
    }

    /// The time that is left.
    pub fn left(&self) -> Duration {
        self.patience.saturating_sub(self.began.elapsed())
    }

    /// Waits a moment before the next look; an error that names `what` once the time is up.
    pub fn pause(&mut self, what: &dyn Fn() -> String) -> Result<()> {
        if self.left().is_zero() {
            return Err(LabError::Timeout {
                what: what(),
                after: self.patience,
            });
        }
        std::thread::sleep(Duration::from_millis(2));
        Ok(())
    }
}
