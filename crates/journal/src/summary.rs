//! Beside a long log: how far this node has checked it, under its own signature. An open then takes the rows so far for
//! checked where the last of them and every row that a start needs are there unchanged, and scans only what follows.
//! Anything else, also the smallest doubt about the summary itself, means that the log is scanned from its beginning.
//!
//! It is a shortcut and no evidence: `events verify` reads every row, and so does the agent soon after its start.

use crate::error::JournalError;
use crate::index::{Index, Span};
use crate::journal::Journal;
use crate::keys::{PublicKey, SigningKey, replace_file};
use crate::names::{self, LogId};
use crate::row::{hex, sha256, unhex};
use crate::scan::{MARK_EVERY, Scan, Tail, scan_on};
use serde::{Deserialize, Serialize};
use siaga_model::NodeName;
use siaga_model::event::Hlc;
use std::path::Path;

/// A log with fewer rows after its summary is scanned quickly enough.
pub(crate) const SUM_UP_AFTER: u64 = 1000;

const VERSION: u32 = 1;

/// The first line of the file; the second one is the signature over its SHA-256.
#[derive(Serialize, Deserialize)]
struct Body {
    v: u32,
    node: NodeName,
    inc: u32,
    key: PublicKey,
    hlc: Hlc,
    marks: Vec<u64>,
    seq: u64,
    end: u64,
    last_at: u64,
    last: String,
    rows: Vec<Span>,
    digest: String,
}

/// The scan up to where the summary reaches; `None` where there is none that holds.
pub(crate) fn load(log: &Path, id: &LogId, own: &SigningKey) -> Option<Scan> {
    let text = std::fs::read_to_string(names::summary_path(log)).ok()?;
    let (body, signature) = text.trim_end().split_once('\n')?;
    let signature = unhex(signature.as_bytes())?;
    if !own.public().verifies(&sha256(body.as_bytes()), &signature) {
        return None;
    }
    let body: Body = serde_json::from_str(body).ok()?;
    if body.v != VERSION || body.node != id.0 || body.inc != id.1 {
        return None;
    }
    let index = Index {
        seq: body.seq,
        end: body.end,
        last_at: body.last_at,
        last: Some(unhex(body.last.as_bytes())?),
        rows: body.rows,
        digest: unhex(body.digest.as_bytes())?,
        summed: body.seq,
    };
    if !index.fits(log).unwrap_or(false) {
        return None;
    }
    Some(Scan {
        seq: body.seq,
        end: body.end,
        last: index.last,
        hlc: body.hlc,
        key: Some(body.key),
        marks: body.marks,
        index,
        tail: Tail::Clean,
    })
}

/// A log as far as its index reaches.
struct Known<'a> {
    path: &'a Path,
    id: LogId,
    key: PublicKey,
    marks: &'a [u64],
    index: &'a Index,
    hlc: Hlc,
}

impl Known<'_> {
    /// Scans what came since, writes the summary, gives the new index. `None`: the log does not hold, which the next
    /// open will see.
    fn sum_up(&self, own: &SigningKey) -> Result<Option<Index>, JournalError> {
        let rows_marked = self.index.seq.div_ceil(MARK_EVERY);
        let begin = Scan {
            seq: self.index.seq,
            end: self.index.end,
            last: self.index.last,
            hlc: self.hlc,
            key: (self.index.seq > 0).then_some(self.key),
            marks: self
                .marks
                .iter()
                .copied()
                .take(usize::try_from(rows_marked).unwrap_or(0))
                .collect(),
            index: self.index.clone(),
            tail: Tail::Clean,
        };
        let scanned = scan_on(self.path, &self.id.0, self.id.1, begin)
            .map_err(|e| JournalError::io(self.path, "read the log", e))?;
        let (
            Scan {
                tail: Tail::Clean, ..
            },
            Some(last),
        ) = (&scanned, scanned.last)
        else {
            return Ok(None);
        };
        let index = Index {
            summed: scanned.seq,
            ..scanned.index
        };
        let body = Body {
            v: VERSION,
            node: self.id.0.clone(),
            inc: self.id.1,
            key: self.key,
            hlc: scanned.hlc,
            marks: scanned.marks,
            seq: index.seq,
            end: index.end,
            last_at: index.last_at,
            last: hex(&last),
            rows: index.rows.clone(),
            digest: hex(&index.digest),
        };
        let failed = |cause| JournalError::Encode { cause };
        let body = serde_json::to_string(&body).map_err(|e| failed(e.to_string()))?;
        let signature = own.sign(&sha256(body.as_bytes())).map_err(failed)?;
        let text = format!("{body}\n{}\n", hex(&signature));
        replace_file(&names::summary_path(self.path), text.as_bytes(), 0o640)?;
        Ok(Some(index))
    }
}

impl Journal {
    /// Writes the summaries of logs that have grown long since. A disk that is full does without.
    pub(crate) fn sum_up(&mut self) -> Result<(), JournalError> {
        if !self.reserve.is_whole() {
            return Ok(());
        }
        let grown = |seq: u64, index: &Index| seq.saturating_sub(index.summed) >= SUM_UP_AFTER;
        for (id, log) in &mut self.others {
            if grown(log.seq, &log.index) {
                let known = Known {
                    path: &log.path,
                    id: id.clone(),
                    key: log.key,
                    marks: &log.marks,
                    index: &log.index,
                    hlc: self.hlc,
                };
                log.index = known
                    .sum_up(&self.key)?
                    .unwrap_or_else(|| log.index.clone());
            }
        }
        if grown(self.own.seq, &self.own.index) {
            let known = Known {
                path: &self.own.path,
                id: (self.node.clone(), self.own.inc),
                key: *self.key.public(),
                marks: &self.own.marks,
                index: &self.own.index,
                hlc: self.hlc,
            };
            if let Some(index) = known.sum_up(&self.key)? {
                self.own.index = index;
            }
        }
        Ok(())
    }

    /// Distrusts every summary: the next open reads every row. For when a row was found that does not hold.
    pub fn forget_summaries(&self) -> Result<(), JournalError> {
        for (_, log) in crate::opening::files(&self.events)? {
            let path = names::summary_path(&log);
            match std::fs::remove_file(&path) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                    return Err(JournalError::io(&path, "remove the summary", e));
                }
                _ => {}
            }
        }
        Ok(())
    }
}
