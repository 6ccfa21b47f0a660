//! Wall-clock instants as data. Reading a clock belongs to the crates at the edge.

use serde::{Deserialize, Serialize};

/// Microseconds since 1970-01-01T00:00:00Z (UTC). For records and display only: waits and ages that decide
/// anything use the monotonic clock, since a wall clock can jump.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct UtcMicros(pub i64);

impl UtcMicros {
    /// Milliseconds from `earlier` to `self`; 0 where the clock went backwards.
    pub fn millis_since(self, earlier: UtcMicros) -> u64 {
        u64::try_from(self.0.saturating_sub(earlier.0) / 1000).unwrap_or(0)
    }
}
