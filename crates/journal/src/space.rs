//! Room on the disk: zero bytes ahead of the rows, and the reserve for one emergency run.

use crate::error::JournalError;
use crate::keys::sync_dir;
use rustix::fs::{FallocateFlags, fallocate};
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// How many zero bytes are laid ahead of the rows at a time.
pub(crate) const CHUNK: u64 = 256 * 1024;
/// The same once the disk is full: the reserve has to last.
pub(crate) const SMALL_CHUNK: u64 = 16 * 1024;
/// One emergency run writes some tens of kilobytes; this holds it many times over.
pub(crate) const RESERVE: u64 = 1024 * 1024;

/// How much room there is for the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Room {
    /// The reserve is whole.
    Plenty,
    /// The disk is full: what is left is for an emergency. Planned moves are to be refused.
    ReserveOnly,
    /// The reserve is used up: rows are refused once the zero bytes ahead of them are.
    None,
}

/// The reserve's file.
pub(crate) struct Reserve {
    path: PathBuf,
}

impl Reserve {
    pub fn new(events: &Path) -> Self {
        Self {
            path: events.join("reserve"),
        }
    }

    /// Is it there, whole?
    pub fn is_whole(&self) -> bool {
        fs::metadata(&self.path).is_ok_and(|m| m.len() == RESERVE)
    }

    /// Lays it in where it is missing. False where there is no space for it.
    pub fn lay_in(&self) -> Result<bool, JournalError> {
        if self.is_whole() {
            return Ok(true);
        }
        let made = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o640)
            .open(&self.path);
        let laid = made
            .map_err(|e| JournalError::io(&self.path, "create the reserve", e))
            .and_then(|file| lay_zeros(&file, &self.path, 0, RESERVE));
        match laid {
            Ok(()) => Ok(true),
            Err(e) if e.is_no_space() => {
                // Half a reserve would only pretend.
                self.release()?;
                Ok(false)
            }
            Err(e) => Err(e),
        }
    }

    /// Gives it up. False where there was none.
    pub fn release(&self) -> Result<bool, JournalError> {
        match fs::remove_file(&self.path) {
            Ok(()) => {
                sync_dir(self.path.parent().unwrap_or(Path::new("/")))?;
                Ok(true)
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(e) => Err(JournalError::io(&self.path, "release the reserve", e)),
        }
    }
}

/// Makes `file` hold durable zero bytes from `from` (its end) to `to`. Written, not only allocated: writing over
/// allocated but unwritten blocks changes metadata, which `fdatasync` would then have to write.
pub(crate) fn lay_zeros(file: &File, path: &Path, from: u64, to: u64) -> Result<(), JournalError> {
    let laid = try_lay(file, from, to);
    if let Err(error) = laid {
        // Best effort: the error is what the caller needs to know.
        let _ = file.set_len(from);
        return Err(JournalError::io(path, "make room ahead of the rows", error));
    }
    Ok(())
}

fn try_lay(file: &File, from: u64, to: u64) -> io::Result<()> {
    const ZEROS: [u8; 16 * 1024] = [0; 16 * 1024];
    match fallocate(file, FallocateFlags::empty(), from, to - from) {
        Ok(()) | Err(rustix::io::Errno::OPNOTSUPP) => {}
        Err(errno) => return Err(errno.into()),
    }
    let mut at = from;
    while at < to {
        let part = usize::try_from((to - at).min(ZEROS.len() as u64)).unwrap_or(ZEROS.len());
        file.write_all_at(&ZEROS[..part], at)?;
        at += part as u64;
    }
    file.sync_all()
}
