//! Opening: what is on the disk, what of it holds, and which incarnation this node goes on in.

use crate::clock::Clock;
use crate::error::JournalError;
use crate::incarnation::{History, mark_unconfirmed};
use crate::journal::{Journal, Stored};
use crate::keys::{KeyFound, SigningKey, TrustedKeys, sync_dir};
use crate::names::{self, Kind, LogId};
use crate::own::OwnLog;
use crate::row::sha256;
use crate::scan::{Scan, Tail, scan, scan_on};
use crate::space::{Reserve, Room};
use crate::summary;
use crate::verify::{Problem, ProblemKind};
use rustix::fs::{FlockOperation, flock};
use serde::Serialize;
use siaga_model::NodeName;
use siaga_model::event::Hlc;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// How the log goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// Neither key nor rows: a new node, or one that lost its disk. From here the two look the same.
    First,
    /// The key is there, the rows are not.
    RowsLost,
    /// In the same incarnation.
    Continued,
    /// In a new incarnation: the newest own file is damaged, or was signed with another key.
    NewIncarnation,
}

/// What was found at the open.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct OpenReport {
    pub incarnation: u32,
    pub start: Start,
    pub history: History,
    /// Bytes cut off torn tails, in all files. Not tampering.
    pub torn_bytes: u64,
    /// What is: damaged files, which were set aside, and keys that are not known.
    pub problems: Vec<Problem>,
    /// The signing key could be read by others. It is closed now.
    pub key_was_exposed: bool,
    pub room: Room,
}

#[derive(Default)]
struct Found {
    own_empty_or_good: BTreeMap<u32, (PathBuf, Scan)>,
    others: BTreeMap<LogId, Stored>,
    damaged: Vec<(LogId, PathBuf)>,
    problems: Vec<Problem>,
    torn_bytes: u64,
    hlc: Hlc,
}

impl Journal {
    /// Opens the journal below the state directory `state`, and makes it where there is none.
    ///
    /// Damaged files are set aside and reported, and never stand in the way.
    pub fn open(
        state: &Path,
        node: NodeName,
        clock: Box<dyn Clock>,
    ) -> Result<(Journal, OpenReport), JournalError> {
        if !names::is_safe(&node) {
            return Err(JournalError::BadName { node });
        }
        let events = names::events_dir(state);
        let made = DirBuilder::new()
            .recursive(true)
            .mode(0o750)
            .create(&events);
        made.map_err(|e| JournalError::io(&events, "create the directory", e))?;
        let lock = lock(&events)?;
        let (key, key_found) = SigningKey::load_or_create(state)?;
        let mut trusted = TrustedKeys::load(state)?;
        let retired = TrustedKeys::load_retired(state)?;
        let known = trusted.clone();
        trusted.add(&node, *key.public());
        let reserve = Reserve::new(&events);
        reserve.lay_in()?;
        let mut found = look(&events, &node, &reserve, &mut trusted, &key)?;
        if trusted != known {
            trusted.save(state)?;
        }
        let (own, start) = choose_own(
            &events,
            &node,
            &key,
            key_found,
            clock.as_ref(),
            &reserve,
            &mut found,
        )?;
        let mut journal = Journal {
            state: state.to_owned(),
            events,
            node,
            clock,
            key,
            trusted,
            retired,
            own,
            others: found.others,
            damaged: found.damaged,
            lost: BTreeSet::new(),
            reserve,
            hlc: found.hlc,
            version: 1,
            out_of_room: false,
            step_times: RefCell::new(None),
            _lock: lock,
        };
        journal.catch_up_with_damaged()?;
        journal.sum_up()?;
        let report = OpenReport {
            incarnation: journal.own.inc,
            start,
            history: journal.history(),
            torn_bytes: found.torn_bytes,
            problems: found.problems,
            key_was_exposed: key_found.was_exposed,
            room: journal.room(),
        };
        Ok((journal, report))
    }
}

fn lock(events: &Path) -> Result<File, JournalError> {
    let path = events.join("lock");
    let opened = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o640)
        .open(&path);
    let file = opened.map_err(|e| JournalError::io(&path, "open the lock", e))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(JournalError::InUse { path }),
        Err(errno) => Err(JournalError::io(&path, "lock the journal", errno.into())),
    }
}

/// All files with rows below the events directory.
pub(crate) fn files(events: &Path) -> Result<Vec<(Kind, PathBuf)>, JournalError> {
    let failed = |e| JournalError::io(events, "list the directory", e);
    let mut files = Vec::new();
    for entry in fs::read_dir(events).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if let Some(kind) = entry.file_name().to_str().and_then(names::parse) {
            files.push((kind, entry.path()));
        }
    }
    files.sort_by(|a, b| a.1.cmp(&b.1));
    Ok(files)
}

fn look(
    events: &Path,
    me: &NodeName,
    reserve: &Reserve,
    trusted: &mut TrustedKeys,
    key: &SigningKey,
) -> Result<Found, JournalError> {
    let mut found = Found::default();
    for (kind, path) in files(events)? {
        let id = match kind {
            Kind::Damaged(id) => {
                found.damaged.push((id, path));
                continue;
            }
            Kind::Log(id) => id,
        };
        let scanned = match summary::load(&path, &id, key) {
            Some(known) => scan_on(&path, &id.0, id.1, known),
            None => scan(&path, &id.0, id.1),
        };
        let scanned = scanned.map_err(|e| JournalError::io(&path, "read the log", e))?;
        found.hlc = found.hlc.max(scanned.hlc);
        if let Tail::Damaged { line, seq, why } = &scanned.tail {
            if &id.0 == me {
                mark_unconfirmed(events, reserve, "own rows were damaged")?;
            }
            let aside = set_aside(&path)?;
            found.problems.push(Problem {
                file: aside.clone(),
                line: Some(*line),
                node: id.0.clone(),
                incarnation: id.1,
                seq: Some(*seq),
                kind: ProblemKind::Changed,
                detail: why.clone(),
            });
            found.damaged.push((id, aside));
            continue;
        }
        if let Tail::Torn { bytes } = scanned.tail {
            found.torn_bytes += bytes;
        }
        if let Some(key) = scanned.key {
            note_key(&mut found, trusted, &id, &path, key);
        }
        if &id.0 == me {
            found.own_empty_or_good.insert(id.1, (path, scanned));
        } else if let Ok(Some(stored)) = stored(&path, scanned) {
            found.others.insert(id, stored);
        }
    }
    Ok(found)
}

/// A node of which no key is known yet is taken at its word; a strange key of a known node is reported.
fn note_key(
    found: &mut Found,
    trusted: &mut TrustedKeys,
    id: &LogId,
    path: &Path,
    key: crate::PublicKey,
) {
    if !trusted.knows(&id.0) {
        trusted.add(&id.0, key);
    }
    if !trusted.allows(&id.0, &key) {
        found.problems.push(Problem {
            file: path.to_owned(),
            line: Some(1),
            node: id.0.clone(),
            incarnation: id.1,
            seq: Some(1),
            kind: ProblemKind::ForeignKey,
            detail: format!("signed with the key {key}, which is not known of this node"),
        });
    }
}

fn choose_own(
    events: &Path,
    node: &NodeName,
    key: &SigningKey,
    key_found: KeyFound,
    clock: &dyn Clock,
    reserve: &Reserve,
    found: &mut Found,
) -> Result<(OwnLog, Start), JournalError> {
    let damaged = found
        .damaged
        .iter()
        .filter(|(id, _)| &id.0 == node)
        .map(|(id, _)| id.1)
        .max();
    let highest = found
        .own_empty_or_good
        .last_key_value()
        .map(|(inc, _)| *inc);
    let newest = damaged.max(highest);
    let usable = found.own_empty_or_good.last_entry().filter(|entry| {
        let theirs = entry.get().1.key;
        newest == Some(*entry.key()) && theirs.is_none_or(|k| &k == key.public())
    });
    let current = match usable {
        // The newest file goes on, unless a damaged file has the same number: then it is a copy coming back.
        Some(entry) if damaged != Some(*entry.key()) => Some(entry.remove_entry()),
        _ => None,
    };
    for (inc, (path, scanned)) in std::mem::take(&mut found.own_empty_or_good) {
        if let Ok(Some(stored)) = stored(&path, scanned) {
            found.others.insert((node.clone(), inc), stored);
        }
    }
    if let Some((inc, (path, scanned))) = current {
        let own = OwnLog::reopen(&path, node, inc, key, &scanned, reserve)?;
        return Ok((own, Start::Continued));
    }
    let (inc, start) = match newest {
        Some(newest) => (newest.saturating_add(1), Start::NewIncarnation),
        // By the clock: a node that lost its disk does not take a number that it used before.
        None => {
            let seconds = u32::try_from(clock.wall().0 / 1_000_000)
                .unwrap_or(1)
                .max(1);
            let (start, why) = if key_found.created {
                (Start::First, "this is the journal's first start here")
            } else {
                (Start::RowsLost, "the key is there, the rows are not")
            };
            mark_unconfirmed(events, reserve, why)?;
            (seconds, start)
        }
    };
    Ok((OwnLog::create(events, node, inc, key, reserve)?, start))
}

/// A scanned file as one that is only read and copied into. `Ok(None)`: no rows. A torn tail is cut off.
pub(crate) fn stored(path: &Path, scanned: Scan) -> Result<Option<Stored>, Tail> {
    if let Tail::Damaged { .. } = scanned.tail {
        return Err(scanned.tail);
    }
    if let Tail::Torn { .. } = scanned.tail {
        // Best effort: an import writes over what is left here, and cuts what is behind it.
        let _ = OpenOptions::new()
            .write(true)
            .open(path)
            .and_then(|f| f.set_len(scanned.end));
    }
    let (Some(last), Some(key)) = (scanned.last, scanned.key) else {
        return Ok(None);
    };
    let Scan {
        seq,
        end,
        marks,
        index,
        ..
    } = scanned;
    Ok(Some(Stored {
        path: path.to_owned(),
        seq,
        end,
        last,
        key,
        marks,
        index,
        dirty: false,
    }))
}

pub(crate) fn set_aside(path: &Path) -> Result<PathBuf, JournalError> {
    let aside = names::damaged_path(path);
    fs::rename(path, &aside)
        .map_err(|e| JournalError::io(path, "set the damaged file aside", e))?;
    sync_dir(path.parent().unwrap_or(Path::new("/")))?;
    Ok(aside)
}

/// The genesis digest of another node's log.
pub(crate) fn genesis_digest(id: &LogId, key: &crate::PublicKey) -> crate::row::Digest {
    sha256(crate::row::genesis(&id.0, id.1, key).as_bytes())
}
