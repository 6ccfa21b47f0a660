//! The event log read from its files alone: no lock, no change, no agent. For the night when the agent is dead too.

use crate::error::JournalError;
use crate::names::{self, Kind};
use crate::opening::files;
use crate::read::{Filter, each_line, order};
use crate::row;
use siaga_model::api::EventView;
use std::path::Path;

/// The events that `filter` lets through, in the one order. Rows whose hash does not fit are left out. Files that were
/// set aside as damaged are not read.
///
/// # Errors
/// Where the directory or a file can't be read.
pub fn events(state: &Path, filter: &Filter) -> Result<Vec<EventView>, JournalError> {
    let mut views = Vec::new();
    for (kind, path) in files(&names::events_dir(state))? {
        let Kind::Log(id) = kind else { continue };
        let read = each_line(&path, 0, u64::MAX, |line| {
            if filter.wants(&id, line) && row::check(line).is_ok() {
                views.extend(row::view(line));
            }
            true
        });
        read.map_err(|e| JournalError::io(&path, "read the log", e))?;
    }
    views.sort_by(|a, b| order(a).cmp(&order(b)));
    if let Some(last) = filter.last {
        views.drain(..views.len().saturating_sub(last));
    }
    Ok(views)
}
