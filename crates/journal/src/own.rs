//! The file that this node writes: appends over zero bytes, made durable by `fdatasync`.

use crate::error::JournalError;
use crate::index::Index;
use crate::keys::{SigningKey, sync_dir};
use crate::names;
use crate::row::{self, Digest, MAX_ROW, Place, sha256};
use crate::scan::{MARK_EVERY, Scan};
use crate::space::{CHUNK, Reserve, SMALL_CHUNK, lay_zeros};
use siaga_model::event::{Event, Hlc};
use siaga_model::{NodeName, UtcMicros};
use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The own log of the current incarnation.
pub(crate) struct OwnLog {
    file: File,
    pub path: PathBuf,
    pub inc: u32,
    /// The last row written.
    pub seq: u64,
    /// The last row on stable storage.
    pub synced: u64,
    /// Where the next row goes.
    pub end: u64,
    /// How far the file is filled with zero bytes.
    capacity: u64,
    last: Digest,
    pub marks: Vec<u64>,
    pub index: Index,
    /// A write failed, and what is on the disk is not known.
    failed: bool,
}

/// Rows ready to be written, and the log's state after them.
pub(crate) struct Batch {
    bytes: Vec<u8>,
    seq: u64,
    last: Digest,
    marks: Vec<u64>,
}

impl OwnLog {
    /// Begins a new incarnation with an empty file.
    pub fn create(
        events: &Path,
        node: &NodeName,
        inc: u32,
        key: &SigningKey,
        reserve: &Reserve,
    ) -> Result<Self, JournalError> {
        let path = events.join(names::log_name(node, inc));
        let made = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o640)
            .open(&path);
        let file = made.map_err(|e| JournalError::io(&path, "create the log", e))?;
        let last = sha256(row::genesis(node, inc, key.public()).as_bytes());
        let mut log = Self {
            file,
            path,
            inc,
            seq: 0,
            synced: 0,
            end: 0,
            capacity: 0,
            last,
            marks: Vec::new(),
            index: Index::default(),
            failed: false,
        };
        let made = log
            .make_room(SMALL_CHUNK, reserve)
            .and_then(|()| sync_dir(events));
        if let Err(error) = made {
            // Best effort: an empty file left behind does no harm.
            let _ = std::fs::remove_file(&log.path);
            return Err(error);
        }
        Ok(log)
    }

    /// Goes on with a file that was scanned: what is torn is cut off.
    pub fn reopen(
        path: &Path,
        node: &NodeName,
        inc: u32,
        key: &SigningKey,
        scan: &Scan,
        reserve: &Reserve,
    ) -> Result<Self, JournalError> {
        let failed = |e| JournalError::io(path, "cut the torn tail off", e);
        let file = OpenOptions::new().read(true).write(true).open(path);
        let file = file.map_err(|e| JournalError::io(path, "open the log", e))?;
        let mut capacity = file.metadata().map_err(failed)?.len();
        if scan.tail != crate::scan::Tail::Clean {
            file.set_len(scan.end).map_err(failed)?;
            capacity = scan.end;
        }
        // What the scan read may be in memory only, if the process before was killed between write and sync.
        file.sync_all().map_err(failed)?;
        let genesis = || sha256(row::genesis(node, inc, key.public()).as_bytes());
        let mut log = Self {
            file,
            path: path.to_owned(),
            inc,
            seq: scan.seq,
            synced: scan.seq,
            end: scan.end,
            capacity,
            last: scan.last.unwrap_or_else(genesis),
            marks: scan.marks.clone(),
            index: scan.index.clone(),
            failed: false,
        };
        match log.make_room(SMALL_CHUNK, reserve) {
            // A full disk does not keep the agent from starting; appending says so.
            Err(e) if !e.is_no_space() => Err(e),
            _ => Ok(log),
        }
    }

    /// Encodes events as the next rows. Writes nothing.
    pub fn encode(
        &self,
        node: &NodeName,
        key: &SigningKey,
        events: &[(Hlc, UtcMicros, &Event)],
    ) -> Result<Batch, JournalError> {
        let mut batch = Batch {
            bytes: Vec::new(),
            seq: self.seq,
            last: self.last,
            marks: Vec::new(),
        };
        for (hlc, at, event) in events {
            let place = Place {
                node,
                inc: self.inc,
                seq: batch.seq + 1,
                hlc: *hlc,
                at: *at,
                synced: self.synced,
                prev: &batch.last,
            };
            let line =
                row::encode(&place, event, key).map_err(|cause| JournalError::Encode { cause })?;
            if line.len() > MAX_ROW {
                return Err(JournalError::RowTooLarge { bytes: line.len() });
            }
            if batch.seq.is_multiple_of(MARK_EVERY) {
                batch.marks.push(self.end + batch.bytes.len() as u64);
            }
            batch.seq += 1;
            batch.last = sha256(&line);
            batch.bytes.extend_from_slice(&line);
            batch.bytes.push(b'\n');
        }
        Ok(batch)
    }

    /// Writes a batch in one go. On an error nothing of it counts.
    pub fn write(&mut self, batch: Batch, reserve: &Reserve) -> Result<(), JournalError> {
        self.usable()?;
        self.make_room(batch.bytes.len() as u64, reserve)?;
        if let Err(error) = self.file.write_all_at(&batch.bytes, self.end) {
            self.wipe(batch.bytes.len());
            return Err(JournalError::io(&self.path, "write the row", error));
        }
        self.end += batch.bytes.len() as u64;
        self.seq = batch.seq;
        self.last = batch.last;
        self.marks.extend(batch.marks);
        Ok(())
    }

    /// Waits until all rows are on stable storage.
    pub fn sync(&mut self) -> Result<(), JournalError> {
        if self.synced == self.seq {
            return Ok(());
        }
        self.usable()?;
        if let Err(error) = self.file.sync_data() {
            // The kernel forgets what it could not write: asking again would get a false yes.
            self.failed = true;
            return Err(JournalError::io(&self.path, "make the row durable", error));
        }
        self.synced = self.seq;
        Ok(())
    }

    /// Lays zero bytes ahead, where less than half of a chunk is left, so that the next append need not.
    pub fn lay_ahead(&mut self, reserve: &Reserve) -> Result<(), JournalError> {
        let left = self.capacity.saturating_sub(self.end);
        if self.failed || left >= CHUNK / 2 || !reserve.is_whole() {
            return Ok(());
        }
        match self.extend(self.end + CHUNK) {
            // Not needed yet: the reserve is not given up for it.
            Err(e) if e.is_no_space() => Ok(()),
            other => other,
        }
    }

    /// Is the file still the one under its name? An editor or a clean-up may have put another one there.
    pub fn is_linked(&self) -> bool {
        let (Ok(open), Ok(named)) = (self.file.metadata(), std::fs::metadata(&self.path)) else {
            return false;
        };
        (open.dev(), open.ino()) == (named.dev(), named.ino())
    }

    fn usable(&self) -> Result<(), JournalError> {
        if self.failed {
            return Err(JournalError::Failed {
                path: self.path.clone(),
            });
        }
        Ok(())
    }

    /// Half a row behind the tail would stand in the way of the next one.
    fn wipe(&mut self, bytes: usize) {
        let zeros = vec![0; bytes];
        self.failed = self.file.write_all_at(&zeros, self.end).is_err();
    }

    fn make_room(&mut self, bytes: u64, reserve: &Reserve) -> Result<(), JournalError> {
        let wanted = self.end + bytes;
        if wanted <= self.capacity {
            return Ok(());
        }
        if reserve.is_whole() {
            match self.extend(wanted.next_multiple_of(CHUNK)) {
                Err(e) if e.is_no_space() => {}
                other => return other,
            }
            reserve.release()?;
        }
        self.extend(wanted.next_multiple_of(SMALL_CHUNK))
    }

    fn extend(&mut self, to: u64) -> Result<(), JournalError> {
        lay_zeros(&self.file, &self.path, self.capacity, to)?;
        self.capacity = to;
        Ok(())
    }
}
