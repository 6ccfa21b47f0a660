//! Reading: rows by their number, and events of all logs in one order. The files are read anew each time, so that the
//! journal keeps next to nothing in memory.

use crate::error::JournalError;
use crate::filter::{Filter, SentSums, Sieve};
use crate::heads::Heads;
use crate::import::{MAX_IMPORT_BYTES, MAX_IMPORT_ROWS};
use crate::index::Index;
use crate::journal::Journal;
use crate::keys::TrustedKeys;
use crate::names::LogId;
use crate::row::{self, RawRow};
use crate::scan::{MARK_EVERY, Piece, Pieces};
use siaga_model::NodeName;
use siaga_model::api::EventView;
use std::io;
use std::path::{Path, PathBuf};

/// One log file as it is read.
struct Source<'a> {
    id: LogId,
    path: &'a Path,
    marks: &'a [u64],
    /// `None`: every row is looked at.
    index: Option<&'a Index>,
    end: u64,
}

/// The logs as they were at one moment, to be read without holding the journal: ten years of rows take a while, and
/// a move writes meanwhile.
pub struct Reader {
    parts: Vec<Part>,
    damaged: Vec<(LogId, PathBuf)>,
    trusted: TrustedKeys,
    heads: Heads,
    version: u64,
}

struct Part {
    id: LogId,
    path: PathBuf,
    marks: Vec<u64>,
    end: u64,
}

impl Reader {
    /// The events that `filter` lets through: see [`Journal::events`].
    ///
    /// # Errors
    /// Where a file can't be read.
    pub fn events(&self, filter: &Filter) -> Result<Vec<EventView>, JournalError> {
        Ok(self.summed(filter)?.0)
    }

    /// The same, with the sums of what was sent: see [`crate::Deliveries::Summed`].
    ///
    /// # Errors
    /// Where a file can't be read.
    pub fn summed(&self, filter: &Filter) -> Result<(Vec<EventView>, SentSums), JournalError> {
        let (mut views, mut sums) = (Newest::new(filter.last), SentSums::new());
        self.each(filter, &mut |view| views.push(view), &mut sums)?;
        Ok((views.in_order(), sums))
    }

    /// Gives on each event that comes through, log by log: for what does not hang on the order, and would be much at
    /// once.
    ///
    /// # Errors
    /// Where a file can't be read.
    pub fn each(
        &self,
        filter: &Filter,
        give: &mut dyn FnMut(EventView),
        sums: &mut SentSums,
    ) -> Result<(), JournalError> {
        let sources = self.parts.iter().map(|part| Source {
            id: part.id.clone(),
            path: &part.path,
            marks: &part.marks,
            index: None,
            end: part.end,
        });
        let set_aside = SetAside {
            files: &self.damaged,
            trusted: &self.trusted,
            heads: &self.heads,
        };
        collect(sources, &set_aside, filter, give, sums)
    }

    /// How far each log reached.
    pub fn heads(&self) -> &Heads {
        &self.heads
    }

    /// The journal's version.
    pub fn version(&self) -> u64 {
        self.version
    }
}

/// Files that were set aside: they give the rows that are nowhere else.
struct SetAside<'a> {
    files: &'a [(LogId, PathBuf)],
    trusted: &'a TrustedKeys,
    heads: &'a Heads,
}

fn collect<'a>(
    sources: impl Iterator<Item = Source<'a>>,
    set_aside: &SetAside,
    filter: &Filter,
    give: &mut dyn FnMut(EventView),
    sums: &mut SentSums,
) -> Result<(), JournalError> {
    let of_node = |id: &LogId| filter.node.as_ref().is_none_or(|n| n == &id.0);
    for source in sources.filter(|s| of_node(&s.id)) {
        let mut sieve = Sieve::new(filter, source.id.clone(), give, sums);
        read_source(&source, filter, &mut sieve)?;
    }
    for (id, path) in set_aside.files.iter().filter(|(id, _)| of_node(id)) {
        let have = set_aside.heads.get(id).copied().unwrap_or(0);
        let views = read_damaged(set_aside.trusted, id, path, have, filter)?;
        views.into_iter().for_each(&mut *give);
    }
    Ok(())
}

/// Events that come log by log, of which the newest so many are wanted.
pub(crate) struct Newest {
    views: Vec<EventView>,
    last: Option<usize>,
}

impl Newest {
    pub fn new(last: Option<usize>) -> Self {
        Self {
            views: Vec::new(),
            last,
        }
    }

    pub fn push(&mut self, view: EventView) {
        self.views.push(view);
        // Now and then, so that not more than twice as many are kept.
        let most = self.last.map(|l| l.saturating_mul(2).max(1000));
        if most.is_some_and(|most| self.views.len() > most) {
            self.sort();
        }
    }

    fn sort(&mut self) {
        self.views.sort_by(|a, b| order(a).cmp(&order(b)));
        self.views.dedup_by(|a, b| order(a) == order(b));
        if let Some(last) = self.last {
            self.views.drain(..self.views.len().saturating_sub(last));
        }
    }

    /// The newest of them in the one order.
    pub fn in_order(mut self) -> Vec<EventView> {
        self.sort();
        self.views
    }
}

impl Journal {
    /// The events that `filter` lets through, in the one order that is the same on every node: by hybrid clock, then
    /// node, incarnation and number. A row that was changed under the running agent is left out (and found by
    /// `verify`); files that were set aside give the rows that are nowhere else.
    pub fn events(&self, filter: &Filter) -> Result<Vec<EventView>, JournalError> {
        let set_aside = SetAside {
            files: &self.damaged,
            trusted: &self.trusted,
            heads: &self.heads(),
        };
        let mut views = Newest::new(filter.last);
        let mut give = |view| views.push(view);
        collect(
            self.sources(),
            &set_aside,
            filter,
            &mut give,
            &mut SentSums::new(),
        )?;
        Ok(views.in_order())
    }

    /// The logs as they are now, to be read without the journal.
    pub fn reader(&self) -> Reader {
        let part = |source: Source| Part {
            id: source.id,
            path: source.path.to_owned(),
            marks: source.marks.to_vec(),
            end: source.end,
        };
        Reader {
            parts: self.sources().map(part).collect(),
            damaged: self.damaged.clone(),
            trusted: self.trusted.clone(),
            heads: self.heads(),
            version: self.version,
        }
    }

    fn sources(&self) -> impl Iterator<Item = Source<'_>> {
        let own = Source {
            id: self.own_id(),
            path: &self.own.path,
            marks: &self.own.marks,
            index: Some(&self.own.index),
            end: self.own.end,
        };
        let others = self.others.iter().map(|(id, s)| Source {
            id: id.clone(),
            path: &s.path,
            marks: &s.marks,
            index: Some(&s.index),
            end: s.end,
        });
        others.chain(std::iter::once(own))
    }

    /// Rows byte for byte, within the limits of one import.
    pub(crate) fn raw_rows(
        &self,
        id: &LogId,
        after: u64,
        max: usize,
    ) -> Result<Vec<RawRow>, JournalError> {
        let Some(source) = self.sources().find(|s| s.id == *id) else {
            return Ok(Vec::new());
        };
        let max = max.min(MAX_IMPORT_ROWS);
        let (mut rows, mut bytes, mut wrong) = (Vec::new(), 0, None);
        let (start, mut seq) = mark_before(source.marks, after.saturating_add(1));
        let read = each_line(source.path, start, source.end, |line| {
            seq += 1;
            if seq <= after {
                return true;
            }
            bytes += line.len();
            if rows.len() == max || (bytes > MAX_IMPORT_BYTES && !rows.is_empty()) {
                return false;
            }
            let text = row::check(line).ok().filter(|c| c.head.seq == seq);
            match (text, std::str::from_utf8(line)) {
                (Some(_), Ok(text)) => rows.push(RawRow::new(text)),
                _ => wrong = Some(seq),
            }
            wrong.is_none()
        });
        read.map_err(|e| JournalError::io(source.path, "read the log", e))?;
        match wrong {
            Some(seq) => Err(JournalError::Changed {
                path: source.path.to_owned(),
                seq,
            }),
            None => Ok(rows),
        }
    }
}

fn read_source(source: &Source, filter: &Filter, sieve: &mut Sieve) -> Result<(), JournalError> {
    let after = filter.after.as_ref().and_then(|h| h.get(&source.id));
    let after = after.copied().unwrap_or(0);
    let mut take = |line: &[u8]| {
        sieve.row(line);
        true
    };
    let (mut start, _) = mark_before(source.marks, after.saturating_add(1));
    let mut read = Ok(());
    if let Some(index) = source.index.filter(|_| Index::covers(&filter.kinds)) {
        read = index.each(source.path, &mut take);
        start = start.max(index.end);
    }
    let read = read.and_then(|()| each_line(source.path, start, source.end, take));
    sieve.end();
    match read {
        // Removed under the running agent: the next append notices.
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other.map_err(|e| JournalError::io(source.path, "read the log", e)),
    }
}

/// The rows of a file that was set aside, as far as each is signed by a known key by itself.
pub(crate) fn read_damaged(
    trusted: &TrustedKeys,
    id: &LogId,
    path: &Path,
    have: u64,
    filter: &Filter,
) -> Result<Vec<EventView>, JournalError> {
    let keys: Vec<_> = trusted.of(&id.0).collect();
    let mut views = Vec::new();
    let read = each_line(path, 0, u64::MAX, |line| {
        let Ok(checked) = row::check(line) else {
            return true;
        };
        let head = &checked.head;
        let of_log = head.node == id.0 && head.inc == id.1 && head.seq > have;
        let signed = || {
            keys.iter()
                .any(|k| k.verifies(&checked.hash, &checked.signature))
        };
        if of_log && filter.wants(id, line) && signed() {
            views.extend(row::view(line));
        }
        true
    });
    match read {
        Ok(()) => Ok(views),
        // Taken away for examination: nothing to read here.
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(e) => Err(JournalError::io(path, "read the log", e)),
    }
}

/// Where to begin reading to get to row `seq`, and the number of the row before that place.
fn mark_before(marks: &[u64], seq: u64) -> (u64, u64) {
    let wanted = usize::try_from((seq - 1) / MARK_EVERY).unwrap_or(usize::MAX);
    let index = wanted.min(marks.len().saturating_sub(1));
    (
        marks.get(index).copied().unwrap_or(0),
        index as u64 * MARK_EVERY,
    )
}

/// Calls `each` with every whole line from `start` up to `end`, until it says false.
pub(crate) fn each_line(
    path: &Path,
    start: u64,
    end: u64,
    mut each: impl FnMut(&[u8]) -> bool,
) -> io::Result<()> {
    let mut pieces = Pieces::open(path, start)?;
    while pieces.offset < end {
        match pieces.next()? {
            None => break,
            Some(Piece::Line(line)) => {
                if !each(&line) {
                    break;
                }
            }
            Some(Piece::Broken(_) | Piece::Zeros) => {}
        }
    }
    Ok(())
}

type Order<'a> = (siaga_model::event::Hlc, &'a NodeName, u32, u64);

/// The one order.
pub(crate) fn order(view: &EventView) -> Order<'_> {
    (view.hlc, &view.node, view.incarnation, view.seq)
}
