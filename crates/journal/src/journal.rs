//! The journal of one node: its own log, and the copies of the others'. The caller keeps it behind a mutex.

use crate::clock::{Clock, tick};
use crate::error::JournalError;
use crate::heads::{Behind, Heads, compare_heads};
use crate::index::Index;
use crate::keys::{PublicKey, SigningKey, TrustedKeys, sync_dir};
use crate::names::LogId;
use crate::own::OwnLog;
use crate::row::{Digest, RawRow};
use crate::space::{Reserve, Room};
use siaga_model::NodeName;
use siaga_model::api::EventView;
use siaga_model::event::{Event, Hlc};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::PathBuf;

/// When an append returns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Durability {
    /// After the rows, and all before them, are on stable storage.
    Sync,
    /// At once. A later `Sync` covers them; a crash before may lose them.
    Lazy,
}

/// A log that this node does not write: another node's, or an earlier incarnation of its own.
pub(crate) struct Stored {
    pub path: PathBuf,
    pub seq: u64,
    pub end: u64,
    pub last: Digest,
    pub key: PublicKey,
    pub marks: Vec<u64>,
    pub index: Index,
    /// Rows came in since the last sync.
    pub dirty: bool,
}

/// How long each action took, in the order of the rows.
pub(crate) type StepTimes = BTreeMap<String, Vec<u64>>;

/// The event log of one node.
pub struct Journal {
    pub(crate) state: PathBuf,
    pub(crate) events: PathBuf,
    pub(crate) node: NodeName,
    pub(crate) clock: Box<dyn Clock>,
    pub(crate) key: SigningKey,
    pub(crate) trusted: TrustedKeys,
    /// Of machines that were replaced.
    pub(crate) retired: TrustedKeys,
    pub(crate) own: OwnLog,
    pub(crate) others: BTreeMap<LogId, Stored>,
    /// Files set aside: their rows are read where the log itself has no such row.
    pub(crate) damaged: Vec<(LogId, PathBuf)>,
    /// Own incarnations that only the peer has: their keys may be unknown here.
    pub(crate) lost: BTreeSet<u32>,
    pub(crate) reserve: Reserve,
    pub(crate) hlc: Hlc,
    pub(crate) version: u64,
    pub(crate) out_of_room: bool,
    pub(crate) step_times: RefCell<Option<StepTimes>>,
    /// Held as long as the journal is open.
    pub(crate) _lock: File,
}

impl Journal {
    /// The node whose journal this is.
    pub fn node(&self) -> &NodeName {
        &self.node
    }

    /// The incarnation that this node writes now.
    pub fn incarnation(&self) -> u32 {
        self.own.inc
    }

    /// The key that this node's rows are signed with.
    pub fn public_key(&self) -> PublicKey {
        *self.key.public()
    }

    /// The keys known of every node.
    pub fn trusted(&self) -> &TrustedKeys {
        &self.trusted
    }

    /// Grows with every change: appended or imported rows.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Pins a node's key, durably. A node that was set up anew has a new one; its old rows keep their old key.
    pub fn trust(&mut self, node: &NodeName, key: PublicKey) -> Result<(), JournalError> {
        if self.trusted.add(node, key) {
            self.trusted.save(&self.state)?;
        }
        Ok(())
    }

    /// The machine of that name is replaced, durably: its rows that are here stay verified, and none that its keys sign
    /// is taken any more.
    pub fn retire(&mut self, node: &NodeName) -> Result<(), JournalError> {
        let mut retired = self.retired.clone();
        for key in self.trusted.of(node) {
            retired.add(node, *key);
        }
        retired.save_retired(&self.state)?;
        self.retired = retired;
        Ok(())
    }

    /// Was the machine that signs with this key replaced?
    pub fn is_retired(&self, node: &NodeName, key: &PublicKey) -> bool {
        self.retired.allows(node, key)
    }

    /// Appends one event. See [`Journal::append_all`].
    pub fn append(
        &mut self,
        event: Event,
        durability: Durability,
    ) -> Result<EventView, JournalError> {
        let mut views = self.append_all(vec![event], durability)?;
        Ok(views.pop().expect("one event makes one row"))
    }

    /// Appends events with one write and at most one `fdatasync`.
    ///
    /// After an error nothing counts as appended, with one exception: where the write was done and the disk failed to
    /// confirm it, the log refuses everything until the agent is started again and has read what is really there.
    pub fn append_all(
        &mut self,
        events: Vec<Event>,
        durability: Durability,
    ) -> Result<Vec<EventView>, JournalError> {
        if !self.own.is_linked() {
            self.leave_lost_file()?;
        }
        let views = self.place(events);
        let rows: Vec<_> = views.iter().map(|v| (v.hlc, v.at, &v.event)).collect();
        let batch = self.own.encode(&self.node, &self.key, &rows)?;
        let written = self.own.write(batch, &self.reserve);
        self.out_of_room = matches!(&written, Err(e) if e.is_no_space());
        written?;
        if let Some(last) = views.last() {
            self.hlc = last.hlc;
            self.version += 1;
        }
        self.learn_times(&views);
        if durability == Durability::Sync {
            self.own.sync()?;
        }
        Ok(views)
    }

    fn place(&self, events: Vec<Event>) -> Vec<EventView> {
        let mut hlc = self.hlc;
        let mut seq = self.own.seq;
        let place = |event| {
            let at = self.clock.wall();
            hlc = tick(hlc, at);
            seq += 1;
            let node = self.node.clone();
            EventView {
                node,
                incarnation: self.own.inc,
                seq,
                hlc,
                at,
                event,
            }
        };
        events.into_iter().map(place).collect()
    }

    /// Makes everything durable, the copies too; then lays in what was used of the room ahead and of the reserve.
    /// To be called now and then when nothing is urgent.
    pub fn maintain(&mut self) -> Result<(), JournalError> {
        self.own.sync()?;
        let mut any = false;
        for stored in self.others.values_mut().filter(|s| s.dirty) {
            File::open(&stored.path)
                .and_then(|file| file.sync_data())
                .map_err(|e| JournalError::io(&stored.path, "make the copy durable", e))?;
            stored.dirty = false;
            any = true;
        }
        if any {
            sync_dir(&self.events)?;
        }
        if self.reserve.lay_in()? {
            self.out_of_room = false;
        }
        self.own.lay_ahead(&self.reserve)?;
        self.sum_up()
    }

    /// How much room there is. Where it is not `Plenty`, planned moves are to be refused.
    pub fn room(&self) -> Room {
        match (self.reserve.is_whole(), self.out_of_room) {
            (true, _) => Room::Plenty,
            (false, false) => Room::ReserveOnly,
            (false, true) => Room::None,
        }
    }

    /// How far each log reaches here.
    pub fn heads(&self) -> Heads {
        let mut heads: Heads = self
            .others
            .iter()
            .map(|(id, s)| (id.clone(), s.seq))
            .collect();
        if self.own.seq > 0 {
            heads.insert(self.own_id(), self.own.seq);
        }
        heads
    }

    /// The rows of one log after row `after`, at most `max` of them and at most what one import may carry; at least
    /// one where there is one. Own rows are made durable first: a copy must never know more than the disk here, or
    /// this node would write other rows in their place after a crash.
    pub fn rows_after(
        &mut self,
        node: &NodeName,
        incarnation: u32,
        after: u64,
        max: usize,
    ) -> Result<Vec<RawRow>, JournalError> {
        let id = (node.clone(), incarnation);
        if id == self.own_id() && after < self.own.seq {
            self.own.sync()?;
        }
        self.raw_rows(&id, after, max)
    }

    /// Compares the own logs with the peer's copies of them. Where the peer has more, this node lost rows (a restored
    /// or emptied state directory): it then begins a new incarnation, so that no place is given to two rows, and the
    /// history is unconfirmed until [`Journal::confirm_history`].
    pub fn ensure_not_behind(&mut self, peer: &Heads) -> Result<Behind, JournalError> {
        let mut missing = compare_heads(&self.heads(), peer);
        missing.retain(|m| m.node == self.node);
        let Some(highest) = missing.iter().map(|m| m.incarnation).max() else {
            return Ok(Behind::default());
        };
        let why = "the peer has rows of this node that are not here";
        crate::incarnation::mark_unconfirmed(&self.events, &self.reserve, why)?;
        self.lost.extend(
            missing
                .iter()
                .filter(|m| m.here == 0)
                .map(|m| m.incarnation),
        );
        let new_incarnation = if highest >= self.own.inc {
            self.begin_incarnation(highest.saturating_add(1))?;
            Some(self.own.inc)
        } else {
            None
        };
        Ok(Behind {
            new_incarnation,
            missing,
        })
    }

    /// How long `action` took each time that it was carried out and changed something, oldest first, in
    /// milliseconds; of all nodes and services.
    pub fn step_history(&self, action: &str) -> Vec<u64> {
        let mut times = self.step_times.borrow_mut();
        let times = times.get_or_insert_with(|| self.read_times());
        times.get(action).cloned().unwrap_or_default()
    }

    /// The own node's events that the ledger of `service` is rebuilt from, oldest first, over all incarnations.
    pub fn ledger_events(
        &self,
        service: &siaga_model::ServiceName,
    ) -> Result<Vec<EventView>, JournalError> {
        let filter = crate::Filter {
            node: Some(self.node.clone()),
            service: Some(service.clone()),
            kinds: crate::projections::LEDGER_KINDS
                .iter()
                .map(|k| (*k).to_owned())
                .collect(),
            ..crate::Filter::default()
        };
        self.events(&filter)
    }

    pub(crate) fn own_id(&self) -> LogId {
        (self.node.clone(), self.own.inc)
    }

    pub(crate) fn learn_times(&mut self, views: &[EventView]) {
        if let Some(times) = self.step_times.get_mut() {
            crate::projections::add_step_times(times, views);
        }
    }

    fn read_times(&self) -> StepTimes {
        let filter = crate::Filter {
            kinds: vec!["step_finished".to_owned()],
            ..crate::Filter::default()
        };
        let mut times = StepTimes::new();
        // Expected times are a courtesy: a log that can't be read now is said elsewhere.
        crate::projections::add_step_times(&mut times, &self.events(&filter).unwrap_or_default());
        times
    }
}
