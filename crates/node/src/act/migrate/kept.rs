//! The job on the disk, and the lock of whoever carries it out.

use crate::act::durable_file;
use rustix::fs::{FlockOperation, flock};
use siaga_model::migrate::{JOB_FORM, Job};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Where jobs are kept: `<state_dir>/migrate`.
pub struct Kept {
    directory: PathBuf,
}

/// While it lives, nobody else carries a job out. The kernel takes it back when the process ends.
pub struct Lock(#[expect(dead_code, reason = "held, never read")] File);

impl Kept {
    /// Below Siaga's state directory.
    pub fn new(state_dir: &Path) -> Self {
        Self {
            directory: state_dir.join("migrate"),
        }
    }

    fn file(&self) -> PathBuf {
        self.directory.join("job.json")
    }

    /// `None`: somebody has it.
    pub fn lock(&self) -> io::Result<Option<Lock>> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.directory)?;
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(self.directory.join("lock"))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Lock(file))),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    /// The last job, ended or not.
    pub fn read(&self) -> io::Result<Option<Job>> {
        let Some(text) = durable_file::read(&self.file())? else {
            return Ok(None);
        };
        let bad = |said: String| io::Error::new(io::ErrorKind::InvalidData, said);
        let job: Job = serde_json::from_slice(&text)
            .map_err(|e| bad(format!("{}: {e}", self.file().display())))?;
        match job.form {
            JOB_FORM => Ok(Some(job)),
            form => Err(bad(format!("{}: form {form}", self.file().display()))),
        }
    }

    /// Whole, and on the disk.
    pub fn write(&self, job: &Job) -> io::Result<()> {
        let text = serde_json::to_vec_pretty(job).map_err(io::Error::other)?;
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.directory)?;
        durable_file::replace(&self.file(), &text)
    }
}
