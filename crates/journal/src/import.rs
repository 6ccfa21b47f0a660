//! Rows of other nodes, and own rows that came back: checked as a whole, then appended to their copies.

use crate::error::{ImportError, JournalError};
use crate::journal::{Journal, Stored};
use crate::keys::PublicKey;
use crate::names::{self, LogId};
use crate::opening::genesis_digest;
use crate::row::{self, Checked, Digest, RawRow, sha256};
use crate::scan::MARK_EVERY;
use siaga_model::NodeName;
use siaga_model::api::EventView;
use siaga_model::event::Hlc;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::PathBuf;

/// The most rows that one import carries.
pub const MAX_IMPORT_ROWS: usize = 2000;
/// The most bytes that one import carries.
pub const MAX_IMPORT_BYTES: usize = 4 * 1024 * 1024;

/// What an import took in.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Imported {
    /// The new rows, in the order they came.
    pub events: Vec<EventView>,
    /// How many rows were here before, byte for byte the same.
    pub already: usize,
    /// Keys seen for the first time, of nodes without a known key, or of own rows that had been lost.
    pub learned: Vec<(NodeName, PublicKey)>,
}

/// New rows of one log, checked but not written.
struct Stage {
    path: PathBuf,
    /// Where the file ends before and after.
    from: u64,
    seq: u64,
    last: Option<Digest>,
    key: Option<PublicKey>,
    bytes: Vec<u8>,
    marks: Vec<u64>,
    hlc: Hlc,
}

impl Journal {
    /// Takes rows in: each is checked for shape, hash, signature and its place in the chain, all before the first
    /// is written.
    ///
    /// A node's key is learned from its first row where none is known; afterwards only known keys are taken.
    /// The copies become durable with the next [`Journal::maintain`].
    pub fn import(&mut self, rows: &[RawRow]) -> Result<Imported, ImportError> {
        let bytes = rows.iter().map(|r| r.as_bytes().len()).sum();
        if rows.len() > MAX_IMPORT_ROWS || bytes > MAX_IMPORT_BYTES {
            return Err(ImportError::TooMuch {
                rows: rows.len(),
                bytes,
            });
        }
        let mut imported = Imported::default();
        let mut stages: BTreeMap<LogId, Stage> = BTreeMap::new();
        for (index, raw) in rows.iter().enumerate() {
            let checked =
                row::check(raw.as_bytes()).map_err(|fault| ImportError::BadRow { index, fault })?;
            let id = self.log_of(index, &checked)?;
            let stage = stages.entry(id.clone()).or_insert_with(|| self.stage(&id));
            if self.is_here(&id, &checked, raw)? {
                imported.already += 1;
                continue;
            }
            self.accept(&id, stage, &checked, raw, &mut imported.learned)?;
            imported.events.extend(row::view(raw.as_bytes()));
        }
        stages.retain(|_, stage| !stage.bytes.is_empty());
        self.commit(stages, &imported)?;
        Ok(imported)
    }

    fn log_of(&self, index: usize, checked: &Checked) -> Result<LogId, ImportError> {
        let id = (checked.head.node.clone(), checked.head.inc);
        if !names::is_safe(&id.0) {
            return Err(ImportError::BadName { index, node: id.0 });
        }
        if id == self.own_id() {
            return Err(ImportError::OwnLog {
                index,
                node: id.0,
                incarnation: id.1,
            });
        }
        Ok(id)
    }

    fn stage(&self, id: &LogId) -> Stage {
        let stored = self.others.get(id);
        Stage {
            path: self.events.join(names::log_name(&id.0, id.1)),
            from: stored.map_or(0, |s| s.end),
            seq: stored.map_or(0, |s| s.seq),
            last: stored.map(|s| s.last),
            key: stored.map(|s| s.key),
            bytes: Vec::new(),
            marks: Vec::new(),
            hlc: Hlc::default(),
        }
    }

    /// Is this very row here? A different one in its place is a fork, where it is signed, too.
    fn is_here(&self, id: &LogId, checked: &Checked, raw: &RawRow) -> Result<bool, ImportError> {
        let Some(stored) = self.others.get(id).filter(|s| checked.head.seq <= s.seq) else {
            return Ok(false);
        };
        let seq = checked.head.seq;
        let here = self.raw_rows(id, seq - 1, 1)?;
        if here.first() == Some(raw) {
            return Ok(true);
        }
        Err(
            match stored.key.verifies(&checked.hash, &checked.signature) {
                true => ImportError::Fork {
                    node: id.0.clone(),
                    incarnation: id.1,
                    seq,
                },
                false => ImportError::BadSignature {
                    node: id.0.clone(),
                    incarnation: id.1,
                    seq,
                },
            },
        )
    }

    fn accept(
        &self,
        id: &LogId,
        stage: &mut Stage,
        checked: &Checked,
        raw: &RawRow,
        learned: &mut Vec<(NodeName, PublicKey)>,
    ) -> Result<(), ImportError> {
        let head = &checked.head;
        let (node, incarnation) = id.clone();
        if head.seq != stage.seq + 1 {
            return Err(ImportError::Gap {
                node,
                incarnation,
                wanted: stage.seq + 1,
                got: head.seq,
            });
        }
        let key = match (stage.key, head.key) {
            (Some(key), _) => key,
            (None, Some(key)) => self.first_key(id, key, learned)?,
            (None, None) => {
                return Err(ImportError::BadSignature {
                    node,
                    incarnation,
                    seq: head.seq,
                });
            }
        };
        if node != self.node && self.is_retired(&node, &key) {
            let key = key.to_string();
            return Err(ImportError::UntrustedKey {
                node,
                incarnation,
                key,
            });
        }
        if !key.verifies(&checked.hash, &checked.signature) {
            return Err(ImportError::BadSignature {
                node,
                incarnation,
                seq: head.seq,
            });
        }
        let before = stage.last.unwrap_or_else(|| genesis_digest(id, &key));
        if head.prev != row::hex(&before) {
            // Signed, and after another row than the one here.
            return Err(ImportError::Fork {
                node,
                incarnation,
                seq: stage.seq.max(1),
            });
        }
        if stage.seq.is_multiple_of(MARK_EVERY) {
            stage.marks.push(stage.from + stage.bytes.len() as u64);
        }
        stage.bytes.extend_from_slice(raw.as_bytes());
        stage.bytes.push(b'\n');
        stage.key = Some(key);
        stage.seq = head.seq;
        stage.last = Some(sha256(raw.as_bytes()));
        stage.hlc = stage.hlc.max(head.hlc);
        Ok(())
    }

    /// The key that a log's first row names: known, or allowed to be learned.
    fn first_key(
        &self,
        id: &LogId,
        key: PublicKey,
        learned: &mut Vec<(NodeName, PublicKey)>,
    ) -> Result<PublicKey, ImportError> {
        let (node, incarnation) = id;
        let known_now = learned.iter().any(|(n, k)| n == node && k == &key);
        if self.trusted.allows(node, &key) || known_now {
            return Ok(key);
        }
        let first_of_node = !self.trusted.knows(node) && learned.iter().all(|(n, _)| n != node);
        let coming_back = node == &self.node && self.lost.contains(incarnation);
        if !first_of_node && !coming_back {
            let (node, incarnation) = id.clone();
            return Err(ImportError::UntrustedKey {
                node,
                incarnation,
                key: key.to_string(),
            });
        }
        learned.push((node.clone(), key));
        Ok(key)
    }

    fn commit(
        &mut self,
        stages: BTreeMap<LogId, Stage>,
        imported: &Imported,
    ) -> Result<(), ImportError> {
        if !imported.learned.is_empty() {
            let mut trusted = self.trusted.clone();
            for (node, key) in &imported.learned {
                trusted.add(node, *key);
            }
            trusted.save(&self.state)?;
            self.trusted = trusted;
        }
        for (id, stage) in stages {
            self.write_stage(id, stage)?;
            self.version += 1;
        }
        self.learn_times(&imported.events);
        Ok(())
    }

    fn write_stage(&mut self, id: LogId, stage: Stage) -> Result<(), ImportError> {
        let opened = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o640)
            .open(&stage.path);
        let file = opened.map_err(|e| JournalError::io(&stage.path, "open the copy", e))?;
        if let Err(error) = put(&file, &stage) {
            // Best effort: what is left behind the tail is cut off at the next import.
            let _ = file.set_len(stage.from);
            return Err(JournalError::io(&stage.path, "write the copy", error).into());
        }
        let (Some(last), Some(key)) = (stage.last, stage.key) else {
            return Ok(());
        };
        let before = self.others.remove(&id).map(|s| (s.marks, s.index));
        let (mut marks, index) = before.unwrap_or_default();
        marks.extend(stage.marks);
        let end = stage.from + stage.bytes.len() as u64;
        let stored = Stored {
            path: stage.path,
            seq: stage.seq,
            end,
            last,
            key,
            marks,
            index,
            dirty: true,
        };
        self.others.insert(id, stored);
        self.hlc = self.hlc.max(stage.hlc);
        Ok(())
    }
}

/// Cuts what is behind the tail (zero bytes of an own file, or half a row), then appends.
fn put(file: &File, stage: &Stage) -> io::Result<()> {
    file.set_len(stage.from)?;
    file.write_all_at(&stage.bytes, stage.from)
}
