//! Reading: rows by their number, and events of all logs in one order. The files are read anew each time, so that the
//! journal keeps next to nothing in memory.

use crate::error::JournalError;
use crate::heads::Heads;
use crate::import::{MAX_IMPORT_BYTES, MAX_IMPORT_ROWS};
use crate::index::Index;
use crate::journal::Journal;
use crate::names::LogId;
use crate::row::{self, RawRow};
use crate::scan::{MARK_EVERY, Piece, Pieces};
use serde::Deserialize;
use siaga_model::api::EventView;
use siaga_model::{NodeName, RunId, ServiceName, UtcMicros};
use std::borrow::Cow;
use std::collections::VecDeque;
use std::io;
use std::path::Path;

/// Which events. The default: all.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Filter {
    /// Written by this node.
    pub node: Option<NodeName>,
    pub service: Option<ServiceName>,
    pub run: Option<RunId>,
    /// Names of kinds, as in the rows (`run_ended`). Empty: every kind.
    pub kinds: Vec<String>,
    /// Not before, by the writer's wall clock.
    pub since: Option<UtcMicros>,
    /// Not at or after.
    pub until: Option<UtcMicros>,
    /// Only rows after these heads: for following.
    pub after: Option<Heads>,
    /// Only the newest so many.
    pub last: Option<usize>,
}

/// One log file as it is read.
struct Source<'a> {
    id: LogId,
    path: &'a Path,
    marks: &'a [u64],
    index: &'a Index,
    end: u64,
}

/// What a row is filtered by, read without the rest of the event.
#[derive(Deserialize)]
struct Peek<'a> {
    seq: u64,
    at: UtcMicros,
    #[serde(borrow)]
    event: PeekEvent<'a>,
}

#[derive(Deserialize)]
struct PeekEvent<'a> {
    #[serde(borrow, default)]
    service: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    run: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    body: PeekBody<'a>,
}

#[derive(Deserialize, Default)]
struct PeekBody<'a> {
    #[serde(borrow, default)]
    kind: Cow<'a, str>,
}

impl Filter {
    pub(crate) fn wants(&self, id: &LogId, line: &[u8]) -> bool {
        let Ok(peek) = serde_json::from_slice::<Peek>(line) else {
            return false;
        };
        let after = self
            .after
            .as_ref()
            .and_then(|heads| heads.get(id))
            .copied()
            .unwrap_or(0);
        let is = |wanted: Option<&str>, got: &Option<Cow<str>>| {
            wanted.is_none_or(|w| got.as_deref() == Some(w))
        };
        peek.seq > after
            && self.since.is_none_or(|t| peek.at >= t)
            && self.until.is_none_or(|t| peek.at < t)
            && is(
                self.service.as_ref().map(|s| s.as_str()),
                &peek.event.service,
            )
            && is(self.run.as_ref().map(|r| r.as_str()), &peek.event.run)
            && (self.kinds.is_empty() || self.kinds.iter().any(|k| *k == peek.event.body.kind))
    }
}

impl Journal {
    /// The events that `filter` lets through, in the one order that is the same on every node: by hybrid clock, then
    /// node, incarnation and number. A row that was changed under the running agent is left out (and found by
    /// `verify`); files that were set aside give the rows that are nowhere else.
    pub fn events(&self, filter: &Filter) -> Result<Vec<EventView>, JournalError> {
        let mut views = Vec::new();
        for source in self.sources() {
            if filter.node.as_ref().is_some_and(|n| n != &source.id.0) {
                continue;
            }
            views.extend(read_source(&source, filter)?);
        }
        for (id, path) in &self.damaged {
            if filter.node.as_ref().is_none_or(|n| n == &id.0) {
                let have = self.others.get(id).map_or(0, |s| s.seq);
                views.extend(self.read_damaged(id, path, have, filter)?);
            }
        }
        views.sort_by(|a, b| order(a).cmp(&order(b)));
        views.dedup_by(|a, b| order(a) == order(b));
        if let Some(last) = filter.last {
            views.drain(..views.len().saturating_sub(last));
        }
        Ok(views)
    }

    fn sources(&self) -> impl Iterator<Item = Source<'_>> {
        let own = Source {
            id: self.own_id(),
            path: &self.own.path,
            marks: &self.own.marks,
            index: &self.own.index,
            end: self.own.end,
        };
        let others = self.others.iter().map(|(id, s)| Source {
            id: id.clone(),
            path: &s.path,
            marks: &s.marks,
            index: &s.index,
            end: s.end,
        });
        others.chain(std::iter::once(own))
    }

    /// The rows of a file that was set aside, as far as each is signed by a known key by itself.
    pub(crate) fn read_damaged(
        &self,
        id: &LogId,
        path: &Path,
        have: u64,
        filter: &Filter,
    ) -> Result<Vec<EventView>, JournalError> {
        let keys: Vec<_> = self.trusted.of(&id.0).collect();
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

fn read_source(source: &Source, filter: &Filter) -> Result<Vec<EventView>, JournalError> {
    let mut views = VecDeque::new();
    let after = filter
        .after
        .as_ref()
        .and_then(|h| h.get(&source.id))
        .copied()
        .unwrap_or(0);
    let mut take = |line: &[u8]| {
        if filter.wants(&source.id, line) && row::check(line).is_ok() {
            views.extend(row::view(line));
            if filter.last.is_some_and(|last| views.len() > last) {
                views.pop_front();
            }
        }
        true
    };
    let (mut start, _) = mark_before(source.marks, after.saturating_add(1));
    let mut read = Ok(());
    if Index::covers(&filter.kinds) {
        read = source.index.each(source.path, &mut take);
        start = start.max(source.index.end);
    }
    let read = read.and_then(|()| each_line(source.path, start, source.end, take));
    match read {
        Ok(()) => Ok(views.into()),
        // Removed under the running agent: the next append notices.
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(e) => Err(JournalError::io(source.path, "read the log", e)),
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
