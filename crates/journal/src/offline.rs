//! The event log read from its files alone: no lock, no change, no agent. For the night when the agent is dead too.

use crate::error::JournalError;
use crate::filter::{Filter, SentSums, Sieve};
use crate::names::{self, Kind};
use crate::opening::files;
use crate::read::{Newest, each_line};
use siaga_model::api::EventView;
use std::path::Path;

/// The events that `filter` lets through, in the one order. Rows whose hash does not fit are left out. Files that were
/// set aside as damaged are not read.
///
/// # Errors
/// Where the directory or a file can't be read.
pub fn events(state: &Path, filter: &Filter) -> Result<Vec<EventView>, JournalError> {
    Ok(summed(state, filter)?.0)
}

/// The same, with the sums of what was sent: see [`crate::Deliveries::Summed`].
///
/// # Errors
/// Where the directory or a file can't be read.
pub fn summed(state: &Path, filter: &Filter) -> Result<(Vec<EventView>, SentSums), JournalError> {
    let (mut views, mut sums) = (Newest::new(filter.last), SentSums::new());
    let mut give = |view| views.push(view);
    for (kind, path) in files(&names::events_dir(state))? {
        let Kind::Log(id) = kind else { continue };
        let mut sieve = Sieve::new(filter, id, &mut give, &mut sums);
        let read = each_line(&path, 0, u64::MAX, |line| {
            sieve.row(line);
            true
        });
        sieve.end();
        read.map_err(|e| JournalError::io(&path, "read the log", e))?;
    }
    Ok((views.in_order(), sums))
}
