//! When this node's history may have a hole, and when it goes on in a new incarnation.

use crate::error::JournalError;
use crate::journal::Journal;
use crate::keys::{replace_file, sync_dir};
use crate::names::LogId;
use crate::opening::{set_aside, stored};
use crate::own::OwnLog;
use crate::scan::scan;
use crate::space::Reserve;
use serde::Serialize;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// May rows of this node be missing here?
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum History {
    Whole,
    /// They may: promises and mandates among them. Until the peer's copy was read or a person attests, this node
    /// must mint nothing.
    Unconfirmed {
        why: String,
    },
}

impl Journal {
    /// May own rows be missing here? Kept over restarts.
    pub fn history(&self) -> History {
        match fs::read_to_string(self.marker()) {
            Ok(why) => History::Unconfirmed {
                why: why.trim_end().to_owned(),
            },
            Err(e) if e.kind() == io::ErrorKind::NotFound => History::Whole,
            Err(e) => History::Unconfirmed { why: e.to_string() },
        }
    }

    /// The peer's copy was read, or a person attests: what is missing is known now.
    pub fn confirm_history(&mut self) -> Result<(), JournalError> {
        match fs::remove_file(self.marker()) {
            Ok(()) => sync_dir(&self.events),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(e) => Err(JournalError::io(&self.marker(), "remove the mark", e)),
        }
    }

    fn marker(&self) -> PathBuf {
        marker(&self.events)
    }

    /// New rows come after those behind a damage, whatever the wall clock says.
    pub(crate) fn catch_up_with_damaged(&mut self) -> Result<(), JournalError> {
        for (id, path) in &self.damaged {
            let views =
                crate::read::read_damaged(&self.trusted, id, path, 0, &crate::Filter::default())?;
            let newest = views.iter().map(|v| v.hlc).max().unwrap_or_default();
            self.hlc = self.hlc.max(newest);
        }
        Ok(())
    }

    /// Goes on in a new incarnation. What was written so far stays readable.
    pub(crate) fn begin_incarnation(&mut self, inc: u32) -> Result<(), JournalError> {
        if self.own.is_linked() {
            self.own.sync()?;
        }
        let new = OwnLog::create(&self.events, &self.node, inc, &self.key, &self.reserve)?;
        let old = std::mem::replace(&mut self.own, new);
        self.version += 1;
        self.put_away((self.node.clone(), old.inc), &old.path)
    }

    /// The own file is no longer under its name: removed, or replaced by an editor. Goes on in a new one.
    pub(crate) fn leave_lost_file(&mut self) -> Result<(), JournalError> {
        let why = "the own log was removed or replaced while the agent was running";
        mark_unconfirmed(&self.events, &self.reserve, why)?;
        let taken = self
            .others
            .keys()
            .chain(self.damaged.iter().map(|(id, _)| id));
        let highest = taken
            .filter(|id| id.0 == self.node)
            .map(|id| id.1)
            .max()
            .unwrap_or(0);
        let old = self.own.inc;
        self.begin_incarnation(highest.max(old).saturating_add(1))?;
        if !self.others.contains_key(&(self.node.clone(), old)) {
            self.lost.insert(old);
        }
        Ok(())
    }

    /// Reads a file that this node no longer writes.
    fn put_away(&mut self, id: LogId, path: &Path) -> Result<(), JournalError> {
        let scanned = match scan(path, &id.0, id.1) {
            Ok(scanned) => scanned,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(e) => return Err(JournalError::io(path, "read the log", e)),
        };
        match stored(path, scanned) {
            Ok(Some(stored)) => {
                self.others.insert(id, stored);
            }
            Ok(None) => {}
            Err(_) => self.damaged.push((id, set_aside(path)?)),
        }
        self.catch_up_with_damaged()
    }
}

pub(crate) fn marker(events: &Path) -> PathBuf {
    events.join("history-unconfirmed")
}

/// Durable before anything is done that would hide the loss at the next start.
pub(crate) fn mark_unconfirmed(
    events: &Path,
    reserve: &Reserve,
    why: &str,
) -> Result<(), JournalError> {
    let marker = marker(events);
    if marker.exists() {
        return Ok(());
    }
    let write = || replace_file(&marker, format!("{why}\n").as_bytes(), 0o644);
    match write() {
        // The mark is worth the reserve: without it the node might mint below its own promises.
        Err(e) if e.is_no_space() && reserve.release()? => write(),
        other => other,
    }
}
