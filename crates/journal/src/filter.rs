//! Which events are wanted of the rows that go by.

use crate::heads::Heads;
use crate::names::LogId;
use crate::row;
use memchr::memmem;
use serde::Deserialize;
use siaga_model::api::EventView;
use siaga_model::event::Hlc;
use siaga_model::{NodeName, NoticeId, RunId, ServiceName, UtcMicros};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// Which events. The default: all.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Filter {
    /// Written by this node.
    pub node: Option<NodeName>,
    pub service: Option<ServiceName>,
    pub run: Option<RunId>,
    /// Names of kinds, as in the rows (`run_ended`). Empty: every kind.
    pub kinds: Vec<String>,
    /// Of the rows of notices only those of these.
    pub notices: Option<BTreeSet<NoticeId>>,
    pub deliveries: Deliveries,
    /// Also, of every node, the row before each of its boots and its newest row: its last signs of life.
    pub last_signs: bool,
    /// Not before, by the writer's wall clock.
    pub since: Option<UtcMicros>,
    /// Not at or after.
    pub until: Option<UtcMicros>,
    /// Only rows after these heads: for following.
    pub after: Option<Heads>,
    /// Only rows up to these heads: as it was then. A log that is not named has none.
    pub up_to: Option<Heads>,
    /// Only the newest so many.
    pub last: Option<usize>,
}

/// How the rows of single deliveries come: a notice to many units by many channels has thousands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Deliveries {
    /// Every row.
    #[default]
    Every,
    /// Only those that were sent.
    Sent,
    /// None, and of those that were sent a sum: see [`SentSums`].
    Summed,
}

/// How many deliveries of each notice were sent, and the first of them in the merged order.
pub type SentSums = BTreeMap<NoticeId, SentSum>;

/// Of one notice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SentSum {
    pub first: (Hlc, UtcMicros),
    pub sent: u32,
}

/// What a row is filtered by where more than its kind is asked for.
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
    #[serde(borrow, default)]
    notice: Option<Cow<'a, str>>,
}

/// A row of a delivery that was sent, as far as its sum needs it.
#[derive(Deserialize)]
struct SentRow {
    hlc: Hlc,
    at: UtcMicros,
    event: SentEvent,
}

#[derive(Deserialize)]
struct SentEvent {
    body: SentBody,
}

#[derive(Deserialize)]
struct SentBody {
    notice: NoticeId,
}

/// The beginnings of values. In the rows a quotation mark in a text is escaped, so no text can hold them.
const KIND: &[u8] = br#""body":{"kind":""#;
const WHAT: &[u8] = br#""entry":{"what":""#;

/// The text from there on to the next quotation mark. `None` where it is not there, or holds an escape.
fn text_after<'a>(line: &'a [u8], mark: &[u8]) -> Option<&'a str> {
    let from = memmem::find(line, mark)? + mark.len();
    let rest = line.get(from..)?;
    let text = rest.get(..memchr::memchr(b'"', rest)?)?;
    let text = std::str::from_utf8(text).ok()?;
    (!text.contains('\\')).then_some(text)
}

/// Place, time and kind of a row, without reading the rest of it where it is written as this version writes it.
fn glance(line: &[u8]) -> Option<(u64, UtcMicros, Cow<'_, str>)> {
    if let (Some((seq, at)), Some(kind)) = (row::place(line), text_after(line, KIND)) {
        return Some((seq, at, Cow::Borrowed(kind)));
    }
    let peek: Peek = serde_json::from_slice(line).ok()?;
    Some((peek.seq, peek.at, peek.event.body.kind))
}

impl Filter {
    /// All events of these kinds.
    pub fn of_kinds(kinds: &[&str]) -> Self {
        Self {
            kinds: kinds.iter().map(|k| (*k).to_owned()).collect(),
            ..Self::default()
        }
    }

    pub(crate) fn wants(&self, id: &LogId, line: &[u8]) -> bool {
        glance(line).is_some_and(|(seq, at, kind)| {
            self.in_time(id, seq, at) && self.of_kind(&kind, line) && self.names(line)
        })
    }

    fn in_time(&self, id: &LogId, seq: u64, at: UtcMicros) -> bool {
        let head = |heads: &Heads| heads.get(id).copied().unwrap_or(0);
        self.after.as_ref().is_none_or(|h| seq > head(h))
            && self.up_to.as_ref().is_none_or(|h| seq <= head(h))
            && self.since.is_none_or(|t| at >= t)
            && self.until.is_none_or(|t| at < t)
    }

    fn of_kind(&self, kind: &str, line: &[u8]) -> bool {
        let wanted = self.kinds.is_empty() || self.kinds.iter().any(|k| k == kind);
        wanted
            && match self.deliveries {
                Deliveries::Every => true,
                Deliveries::Sent => !matches!(what(kind, line), Some("trying" | "failed")),
                Deliveries::Summed => {
                    !matches!(what(kind, line), Some("trying" | "failed" | "sent"))
                }
            }
    }

    /// What stands in the row besides its kind.
    fn names(&self, line: &[u8]) -> bool {
        if self.service.is_none() && self.run.is_none() && self.notices.is_none() {
            return true;
        }
        let Ok(peek) = serde_json::from_slice::<Peek>(line) else {
            return false;
        };
        let is = |wanted: Option<&str>, got: &Option<Cow<str>>| {
            wanted.is_none_or(|w| got.as_deref() == Some(w))
        };
        let of_notices = |notices: &BTreeSet<NoticeId>| {
            let name = peek.event.body.notice.as_deref();
            name.is_none_or(|name| notices.contains(&NoticeId::new(name)))
        };
        is(
            self.service.as_ref().map(|s| s.as_str()),
            &peek.event.service,
        ) && is(self.run.as_ref().map(|r| r.as_str()), &peek.event.run)
            && self.notices.as_ref().is_none_or(of_notices)
    }
}

/// What a row of a notice says.
fn what<'a>(kind: &str, line: &'a [u8]) -> Option<&'a str> {
    (kind == "notice").then(|| text_after(line, WHAT)).flatten()
}

/// Takes the rows of one log in, one after the other, and gives on what comes through.
pub(crate) struct Sieve<'a> {
    filter: &'a Filter,
    id: LogId,
    give: &'a mut dyn FnMut(EventView),
    sums: &'a mut SentSums,
    /// The row before, where it was not taken itself. Empty: there is none.
    before: Vec<u8>,
}

impl<'a> Sieve<'a> {
    pub fn new(
        filter: &'a Filter,
        id: LogId,
        give: &'a mut dyn FnMut(EventView),
        sums: &'a mut SentSums,
    ) -> Self {
        Self {
            filter,
            id,
            give,
            sums,
            before: Vec::new(),
        }
    }

    /// The next row. One whose hash does not fit is left out.
    pub fn row(&mut self, line: &[u8]) {
        let Some((seq, at, kind)) = glance(line) else {
            return;
        };
        if !self.filter.in_time(&self.id, seq, at) {
            return;
        }
        if self.filter.of_kind(&kind, line) && self.filter.names(line) {
            if kind == "node_booted" {
                self.end();
            }
            self.before.clear();
            self.take(line);
            return;
        }
        if self.filter.deliveries == Deliveries::Summed && what(&kind, line) == Some("sent") {
            self.sum(line);
        }
        // An agent's start comes right before the boot's row: it is no sign from before.
        if self.filter.last_signs && kind != "agent_started" {
            self.before.clear();
            self.before.extend_from_slice(line);
        }
    }

    fn take(&mut self, line: &[u8]) {
        if let Some(view) = row::checked_view(line) {
            (self.give)(view);
        }
    }

    fn sum(&mut self, line: &[u8]) {
        let read = row::holds(line).then(|| serde_json::from_slice::<SentRow>(line));
        let Some(Ok(row)) = read else { return };
        let first = (row.hlc, row.at);
        let sum = self
            .sums
            .entry(row.event.body.notice)
            .or_insert(SentSum { first, sent: 0 });
        sum.first = sum.first.min(first);
        sum.sent = sum.sent.saturating_add(1);
    }

    /// After the last row: the last sign.
    pub fn end(&mut self) {
        let before = std::mem::take(&mut self.before);
        if !before.is_empty() {
            self.take(&before);
        }
    }
}
