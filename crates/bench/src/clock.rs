//! One clock for all namespaces: CLOCK_MONOTONIC in nanoseconds.

use rustix::time::{ClockId, clock_gettime};

/// A moment of CLOCK_MONOTONIC, in nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Moment(pub i64);

fn nanoseconds(clock: ClockId) -> i64 {
    let time = clock_gettime(clock);
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}

impl Moment {
    /// Now.
    pub fn now() -> Self {
        Self(nanoseconds(ClockId::Monotonic))
    }

    /// The moment of a wall-clock time, in microseconds since 1970. Right as long as nobody sets the clock between that
    /// time and this call.
    pub fn of_wall(micros: i64) -> Self {
        // Read around each other, so that a pause between the two calls can't shift the result unseen.
        let mut best = (i64::MAX, 0);
        for _ in 0..5 {
            let before = nanoseconds(ClockId::Monotonic);
            let wall = nanoseconds(ClockId::Realtime);
            let after = nanoseconds(ClockId::Monotonic);
            best = best.min((after - before, wall - (before + after) / 2));
        }
        Self(micros * 1000 - best.1)
    }

    /// Milliseconds from `earlier` to this moment.
    pub fn since(self, earlier: Moment) -> f64 {
        (self.0 - earlier.0) as f64 / 1e6
    }
}
