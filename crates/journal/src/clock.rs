//! The wall clock as the caller gives it, and the hybrid logical clock that orders events.

use siaga_model::UtcMicros;
use siaga_model::event::Hlc;
use std::time::{SystemTime, UNIX_EPOCH};

/// The latest wall clock that a row may carry: the end of the year 9999. A later one could only be a mistake, and
/// would leave this node's clock no room to grow.
pub(crate) const LATEST: UtcMicros = UtcMicros(253_402_300_799_999_999);

/// Where the journal reads the wall clock.
pub trait Clock: Send {
    /// Now, in microseconds UTC. May jump; the hybrid clock never goes back.
    fn wall(&self) -> UtcMicros;
}

/// The machine's clock.
pub struct SystemClock;

impl Clock for SystemClock {
    fn wall(&self) -> UtcMicros {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        UtcMicros(i64::try_from(since.as_micros()).unwrap_or(LATEST.0))
    }
}

/// The next instant after `last` when the wall clock says `wall`: always greater than `last`.
pub(crate) fn tick(last: Hlc, wall: UtcMicros) -> Hlc {
    if wall > last.wall {
        return Hlc { wall, count: 0 };
    }
    match last.count.checked_add(1) {
        Some(count) => Hlc {
            wall: last.wall,
            count,
        },
        None => Hlc {
            wall: UtcMicros(last.wall.0 + 1),
            count: 0,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hybrid_clock_never_goes_back() {
        let start = Hlc {
            wall: UtcMicros(100),
            count: 4,
        };
        assert_eq!(
            tick(start, UtcMicros(101)),
            Hlc {
                wall: UtcMicros(101),
                count: 0
            }
        );
        assert_eq!(
            tick(start, UtcMicros(100)),
            Hlc {
                wall: UtcMicros(100),
                count: 5
            }
        );
        assert_eq!(
            tick(start, UtcMicros(3)),
            Hlc {
                wall: UtcMicros(100),
                count: 5
            }
        );
        let full = Hlc {
            wall: UtcMicros(100),
            count: u32::MAX,
        };
        assert!(tick(full, UtcMicros(3)) > full);
    }
}
