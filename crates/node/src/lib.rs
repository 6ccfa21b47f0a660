//! The real hands: the only crate that touches the host's disks, mounts, addresses, databases and fence devices.
//!
//! | part | what it is |
//! |---|---|
//! | [`act`] | what changes the host, one file per thing; each checks, acts, and looks again |
//! | [`observe`] | what only looks |
//! | [`hands`] | [`hands::NodeHands`], which puts them together behind the runner's trait |
//! | [`command`] | a program with its arguments, bounded in time and output |

pub mod act;
pub mod command;
pub mod hands;
mod memory;
pub mod observe;
pub(crate) mod small_file;

pub use memory::{give_memory_back, keep_memory_small, let_go_of_code};

use siaga_model::{BootId, UtcMicros};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The wall clock, for records.
pub fn wall_clock() -> UtcMicros {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    UtcMicros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// Time since the boot of this machine, its sleep included.
pub fn since_boot() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let seconds = u64::try_from(now.tv_sec).unwrap_or_default();
    let nanos = u32::try_from(now.tv_nsec).unwrap_or_default();
    Duration::new(seconds, nanos)
}

/// How much of the WAL in that data directory a start after a crash would redo, bytes. Reads the control file and a page of
/// a few segments. `None`: nothing, or it can't be told.
pub fn wal_to_redo(data_dir: &std::path::Path) -> Option<u64> {
    act::postgres::recovery::RedoRange::measure(data_dir).map(|range| range.bytes())
}

/// The kernel's boot id. An error says why it can't be read.
pub fn boot_id() -> Result<BootId, String> {
    let path = "/proc/sys/kernel/random/boot_id";
    let text = std::fs::read_to_string(path).map_err(|e| format!("{path}: {e}"))?;
    Ok(BootId::new(text.trim()))
}

#[cfg(test)]
mod tests;
