//! A copy that leaves the disk to the database.

use std::time::{Duration, Instant};

/// So many bytes in a second, or as many as there are.
pub struct Pace {
    bytes_per_s: Option<u64>,
    begun: Instant,
    bytes: u64,
}

impl Pace {
    /// `None`: without a bound.
    pub fn new(bytes_per_s: Option<u64>) -> Self {
        Self {
            bytes_per_s: bytes_per_s.filter(|rate| *rate > 0),
            begun: Instant::now(),
            bytes: 0,
        }
    }

    /// Waits as long as these bytes were too early.
    pub fn wait(&mut self, bytes: u64) {
        let Some(rate) = self.bytes_per_s else {
            return;
        };
        self.bytes = self.bytes.saturating_add(bytes);
        let due = Duration::from_secs_f64(self.bytes as f64 / rate as f64);
        if let Some(early) = due.checked_sub(self.begun.elapsed()) {
            std::thread::sleep(early);
        }
    }
}
