//! Reads one file from its start: which rows hold, where the tail is, and whether what follows is torn or damaged.

use crate::index::Index;
use crate::keys::PublicKey;
use crate::row::{self, Checked, Digest, MAX_ROW, sha256};
use siaga_model::NodeName;
use siaga_model::event::Hlc;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};
use std::path::Path;

/// Every so many rows the place in the file is kept, so that a row is found without reading the file from its start.
pub(crate) const MARK_EVERY: u64 = 64;

/// A piece of a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Ended by a newline, which is not part of it.
    Line(Vec<u8>),
    /// Ended by a zero byte, by the end of the file, or by being too long.
    Broken(Vec<u8>),
    /// So many zero bytes.
    Zeros,
}

/// Cuts a file into pieces, with their offsets. Holds one row in memory at the most.
pub(crate) struct Pieces {
    reader: BufReader<File>,
    /// Where the next piece begins.
    pub offset: u64,
}

impl Pieces {
    pub fn open(path: &Path, offset: u64) -> io::Result<Self> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(offset))?;
        Ok(Self {
            reader: BufReader::with_capacity(64 * 1024, file),
            offset,
        })
    }

    /// `None` at the end of the file.
    pub fn next(&mut self) -> io::Result<Option<Piece>> {
        match self.reader.fill_buf()?.first() {
            None => Ok(None),
            Some(0) => self.zeros().map(Some),
            Some(_) => self.line().map(Some),
        }
    }

    fn zeros(&mut self) -> io::Result<Piece> {
        loop {
            let buffer = self.reader.fill_buf()?;
            let zeros = leading_zeros(buffer);
            let ended = buffer.is_empty() || zeros < buffer.len();
            self.skip(zeros);
            if ended {
                return Ok(Piece::Zeros);
            }
        }
    }

    fn line(&mut self) -> io::Result<Piece> {
        let mut line = Vec::new();
        loop {
            let buffer = self.reader.fill_buf()?;
            let stop = memchr::memchr2(b'\n', 0, buffer);
            let part = &buffer[..stop.unwrap_or(buffer.len())];
            // What is too long is no row, whatever it is: its end is not kept.
            let kept = part.len().min((MAX_ROW + 1).saturating_sub(line.len()));
            line.extend_from_slice(&part[..kept]);
            let newline = stop.is_some_and(|at| buffer[at] == b'\n');
            let ended = stop.is_some() || buffer.is_empty();
            let used = part.len() + usize::from(newline);
            self.skip(used);
            if ended {
                return Ok(if newline {
                    Piece::Line(line)
                } else {
                    Piece::Broken(line)
                });
            }
        }
    }

    fn skip(&mut self, bytes: usize) {
        self.reader.consume(bytes);
        self.offset += bytes as u64;
    }
}

/// By blocks first: the zero bytes ahead of the rows are many.
fn leading_zeros(buffer: &[u8]) -> usize {
    const BLOCK: [u8; 4096] = [0; 4096];
    let whole = buffer
        .chunks_exact(BLOCK.len())
        .take_while(|block| *block == BLOCK)
        .count();
    let start = whole * BLOCK.len();
    start + buffer[start..].iter().take_while(|b| **b == 0).count()
}

/// What comes after the last good row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Tail {
    /// Nothing, or zero bytes.
    Clean,
    /// What a crash leaves: so many bytes up to the end of what is not zero.
    Torn { bytes: u64 },
    /// Not what a crash leaves.
    Damaged { line: u64, seq: u64, why: String },
}

/// A file as far as its rows hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Scan {
    /// The last good row; 0 where there is none.
    pub seq: u64,
    /// Where the row after it goes.
    pub end: u64,
    /// SHA-256 of the last good line; of the genesis text is not known before the key is.
    pub last: Option<Digest>,
    pub hlc: Hlc,
    pub key: Option<PublicKey>,
    /// Offset of row 1, 1 + MARK_EVERY, ...
    pub marks: Vec<u64>,
    /// The rows that a start needs.
    pub index: Index,
    pub tail: Tail,
}

impl Scan {
    /// Before the first row.
    pub fn begin() -> Self {
        Self {
            seq: 0,
            end: 0,
            last: None,
            hlc: Hlc::default(),
            key: None,
            marks: Vec::new(),
            index: Index::default(),
            tail: Tail::Clean,
        }
    }
}

/// Scans a file. Signatures: the last good row's is checked, and vouches for all before it.
pub(crate) fn scan(path: &Path, node: &NodeName, inc: u32) -> io::Result<Scan> {
    scan_on(path, node, inc, Scan::begin())
}

/// Goes on with a scan whose rows so far are known to hold.
pub(crate) fn scan_on(path: &Path, node: &NodeName, inc: u32, mut scan: Scan) -> io::Result<Scan> {
    let mut pieces = Pieces::open(path, scan.end)?;
    let mut newest: Option<Checked> = None;
    let fault = loop {
        let start = pieces.offset;
        match pieces.next()? {
            None => break None,
            Some(Piece::Zeros) => break Some((start, None)),
            Some(Piece::Broken(_)) => break Some((start, None)),
            Some(Piece::Line(line)) => match scan.take(&line, node, inc, start, pieces.offset) {
                Ok(checked) => newest = Some(checked),
                Err(why) => break Some((start, Some(why))),
            },
        }
    };
    if let Some(why) = bad_signature(newest.as_ref(), scan.key.as_ref()) {
        scan.tail = Tail::Damaged {
            line: scan.seq,
            seq: scan.seq,
            why,
        };
    } else if let Some((start, why)) = fault {
        scan.tail = scan.judge(&mut pieces, node, inc, start, why)?;
    }
    Ok(scan)
}

fn bad_signature(newest: Option<&Checked>, key: Option<&PublicKey>) -> Option<String> {
    let (newest, key) = (newest?, key?);
    let holds = key.verifies(&newest.hash, &newest.signature);
    (!holds).then(|| "the last row's signature does not hold".to_owned())
}

impl Scan {
    /// Takes the next line in, or says why it is not the next row.
    fn take(
        &mut self,
        line: &[u8],
        node: &NodeName,
        inc: u32,
        start: u64,
        end: u64,
    ) -> Result<Checked, String> {
        let checked = row::check(line).map_err(|e| e.to_string())?;
        let head = &checked.head;
        if &head.node != node || head.inc != inc {
            return Err(format!(
                "the row is of {}, incarnation {}",
                head.node, head.inc
            ));
        }
        if head.seq != self.seq + 1 {
            return Err(format!(
                "row {} stands where row {} belongs",
                head.seq,
                self.seq + 1
            ));
        }
        if head.seq == 1 {
            self.key = Some(head.key.ok_or("the first row names no key")?);
        }
        let before = match (self.last, self.key) {
            (Some(last), _) => last,
            (None, Some(key)) => sha256(row::genesis(node, inc, &key).as_bytes()),
            (None, None) => return Err("the first row is not here".to_owned()),
        };
        if head.prev != row::hex(&before) {
            return Err("the row does not follow the one before it".to_owned());
        }
        if self.seq.is_multiple_of(MARK_EVERY) {
            self.marks.push(start);
        }
        let digest = sha256(line);
        self.index.row(head.kind(), start, line, end, &digest);
        self.seq = head.seq;
        self.end = end;
        self.last = Some(digest);
        self.hlc = self.hlc.max(head.hlc);
        Ok(checked)
    }

    /// Torn, or damaged? `why` is there where a whole line was found bad: a crash leaves no such thing.
    fn judge(
        &self,
        pieces: &mut Pieces,
        node: &NodeName,
        inc: u32,
        start: u64,
        why: Option<String>,
    ) -> io::Result<Tail> {
        let damaged = |why: String| Tail::Damaged {
            line: self.seq + 1,
            seq: self.seq + 1,
            why,
        };
        if let Some(why) = why {
            return Ok(damaged(why));
        }
        // The fault is a line without its end, or zero bytes. After zero bytes alone, all is well.
        let mut content = 0;
        pieces.rewind(start)?;
        while let Some(piece) = pieces.next()? {
            if piece == Piece::Zeros {
                continue;
            }
            content = pieces.offset - start;
            if let Piece::Line(line) = piece
                && self.calls_synced(&line, node, inc)
            {
                let why =
                    "the row is torn or gone, and a later row says that it was on stable storage";
                return Ok(damaged(why.to_owned()));
            }
        }
        Ok(if content == 0 {
            Tail::Clean
        } else {
            Tail::Torn { bytes: content }
        })
    }

    /// Is this a row of this very log that says that the first missing row was on stable storage?
    fn calls_synced(&self, line: &[u8], node: &NodeName, inc: u32) -> bool {
        let Ok(checked) = row::check(line) else {
            return false;
        };
        let head = &checked.head;
        // Without row 1 no key is known; any row after it then shows that row 1 was there.
        let signed = self
            .key
            .is_none_or(|key| key.verifies(&checked.hash, &checked.signature));
        &head.node == node && head.inc == inc && head.synced > self.seq && signed
    }
}

impl Pieces {
    fn rewind(&mut self, offset: u64) -> io::Result<()> {
        self.reader.seek(SeekFrom::Start(offset))?;
        self.offset = offset;
        Ok(())
    }
}
