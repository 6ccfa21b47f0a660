//! The event log in a backup of Siaga's own state, and back on a machine that has none. No key goes along: a restored log is
//! an old log, and its node goes on as one that lost its journal.

use crate::error::JournalError;
use crate::keys::{replace_file, sync_dir};
use crate::names::{self, Kind, parse};
use serde::{Deserialize, Serialize};
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// The known public keys of each node, and those of machines that were replaced.
const KEY_FILES: [&str; 2] = ["trusted-keys", "retired-keys"];

/// One file of the log, by its name below `events`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedFile {
    pub file: String,
    pub text: String,
}

/// The names of all that is to be saved. An agent may be writing: a log only grows.
pub fn names_of(state: &Path) -> Result<Vec<String>, JournalError> {
    let events = names::events_dir(state);
    let failed = |e| JournalError::io(&events, "list the directory", e);
    let mut found = Vec::new();
    for entry in fs::read_dir(&events).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        if let Some(name) = name.to_str().filter(|n| is_saved(n)) {
            found.push(name.to_owned());
        }
    }
    found.sort();
    Ok(found)
}

/// One of them, without the room ahead and without half a row.
pub fn read(state: &Path, name: &str) -> Result<SavedFile, JournalError> {
    let path = names::events_dir(state).join(name);
    let bytes = fs::read(&path).map_err(|e| JournalError::io(&path, "read the log", e))?;
    let zeros = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    let whole = bytes[..zeros].iter().rposition(|b| *b == b'\n');
    let end = whole.map_or(0, |at| at + 1);
    let text = String::from_utf8(bytes[..end].to_vec()).map_err(|e| {
        let said = io::Error::new(io::ErrorKind::InvalidData, e);
        JournalError::io(&path, "read the log as text", said)
    })?;
    Ok(SavedFile {
        file: name.to_owned(),
        text,
    })
}

/// Is there nothing here that a restored log could be mixed with?
pub fn is_empty(state: &Path) -> Result<bool, JournalError> {
    match names_of(state) {
        Ok(names) => Ok(names.is_empty()),
        Err(JournalError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            Ok(true)
        }
        Err(e) => Err(e),
    }
}

/// Begins a restored log: from here on it counts as one that lost rows, whatever comes after.
pub fn begin_restored(state: &Path, why: &str) -> Result<(), JournalError> {
    let events = names::events_dir(state);
    DirBuilder::new()
        .recursive(true)
        .mode(0o750)
        .create(&events)
        .map_err(|e| JournalError::io(&events, "create the directory", e))?;
    replace_file(
        &crate::incarnation::marker(&events),
        format!("{why}\n").as_bytes(),
        0o644,
    )
}

/// Puts one file back. `false`: it is none of a log.
pub fn put_back(state: &Path, saved: &SavedFile) -> Result<bool, JournalError> {
    if !is_saved(&saved.file) {
        return Ok(false);
    }
    let path: PathBuf = names::events_dir(state).join(&saved.file);
    replace_file(&path, saved.text.as_bytes(), 0o640)?;
    sync_dir(path.parent().unwrap_or(Path::new("/")))?;
    Ok(true)
}

/// Logs. A file that was set aside as damaged is no log any more: it may hold anything.
fn is_saved(name: &str) -> bool {
    matches!(parse(name), Some(Kind::Log(_))) || KEY_FILES.contains(&name)
}
