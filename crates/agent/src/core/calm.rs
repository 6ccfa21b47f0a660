//! Who follows the log without any haste gives way to a move. A move writes many rows in a moment, and each reading of the logs
//! takes the processor from what starts the database.

use super::state::Core;
use std::time::Duration;

/// Rows that come within so long are read together.
const SETTLE: Duration = Duration::from_millis(50);

/// Waits until no run of this node is at work.
pub async fn give_way(core: &Core) {
    tokio::time::sleep(SETTLE).await;
    while at_work(core) {
        tokio::time::sleep(SETTLE).await;
    }
}

/// Is a run of this node at work?
pub fn at_work(core: &Core) -> bool {
    core.config
        .services
        .iter()
        .any(|s| core.runs.going_on(&s.name).is_some())
}
