//! Where in a log the rows are that a start needs, so that it need not read the others.

use crate::projections::LEDGER_KINDS;
use crate::row::{Digest, sha256};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

/// What a start asks for besides [`LEDGER_KINDS`].
const OTHER_KINDS: [&str; 1] = ["agent_started"];

/// The index of a log's first rows. What was appended after them is not in it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Index {
    /// The last row that was looked at, and where the row after it begins.
    pub seq: u64,
    pub end: u64,
    /// Where that last row begins, and its digest.
    pub last_at: u64,
    pub last: Option<Digest>,
    pub rows: Vec<Span>,
    /// Over the digests of `rows`, in their order.
    pub digest: Digest,
    /// So many rows are in the summary beside the log.
    pub summed: u64,
}

/// A line without its newline.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Span(pub u64, pub u32);

fn is_indexed(kind: &str) -> bool {
    LEDGER_KINDS.contains(&kind) || OTHER_KINDS.contains(&kind)
}

impl Index {
    /// Are rows of these kinds all in the index? "Every kind" is not.
    pub fn covers(kinds: &[String]) -> bool {
        !kinds.is_empty() && kinds.iter().all(|k| is_indexed(k))
    }

    /// Takes in the next row of the log.
    pub fn row(&mut self, kind: &str, start: u64, line: &[u8], end: u64, digest: &Digest) {
        if is_indexed(kind) {
            // A row is at most a quarter of a megabyte long.
            let length = u32::try_from(line.len()).unwrap_or(u32::MAX);
            self.rows.push(Span(start, length));
            self.digest = folded(&self.digest, digest);
        }
        self.seq += 1;
        self.end = end;
        self.last_at = start;
        self.last = Some(*digest);
    }

    /// Calls `each` with every indexed row, until it says false.
    pub fn each(&self, path: &Path, each: impl FnMut(&[u8]) -> bool) -> io::Result<()> {
        match each_span(path, &self.rows, each) {
            // The file became shorter under the running agent: the next append notices.
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(()),
            result => result,
        }
    }

    /// Do the log's bytes fit: the last row, and all that are indexed?
    pub fn fits(&self, path: &Path) -> io::Result<bool> {
        let length = self.end.checked_sub(self.last_at + 1);
        let Some(length) = length.and_then(|l| u32::try_from(l).ok()) else {
            return Ok(false);
        };
        let mut last = None;
        each_span(path, &[Span(self.last_at, length + 1)], |line| {
            let whole = line.strip_suffix(b"\n");
            last = whole.map(sha256);
            true
        })?;
        let mut digest = Digest::default();
        each_span(path, &self.rows, |line| {
            digest = folded(&digest, &sha256(line));
            true
        })?;
        Ok(last.is_some() && last == self.last && digest == self.digest)
    }
}

fn folded(so_far: &Digest, next: &Digest) -> Digest {
    sha256(&[so_far.as_slice(), next.as_slice()].concat())
}

fn each_span(path: &Path, spans: &[Span], mut each: impl FnMut(&[u8]) -> bool) -> io::Result<()> {
    let mut reader = BufReader::with_capacity(64 * 1024, File::open(path)?);
    let mut at = 0i64;
    let mut line = Vec::new();
    for Span(start, length) in spans {
        let start = i64::try_from(*start).map_err(io::Error::other)?;
        reader.seek_relative(start - at)?;
        line.resize(usize::try_from(*length).map_err(io::Error::other)?, 0);
        reader.read_exact(&mut line)?;
        at = start + i64::from(*length);
        if !each(&line) {
            break;
        }
    }
    Ok(())
}
