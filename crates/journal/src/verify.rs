//! `siaga events verify`: finds a changed, removed or reordered row and says which. Needs no agent, only the files.
//!
//! What it can't find, since a chain has no end of its own: rows removed from the end, and whole files removed. Those
//! show when the heads are compared with the peer's copy ([`crate::compare_heads`]).

use crate::heads::Heads;
use crate::keys::{PublicKey, TrustedKeys};
use crate::names::{self, Kind, LogId};
use crate::opening::{files, genesis_digest};
use crate::row::{self, Checked, Digest, sha256};
use crate::scan::{Piece, Pieces};
use serde::Serialize;
use siaga_model::NodeName;
use siaga_model::evidence::LogProblem;
pub use siaga_model::evidence::ProblemKind;
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

/// Something that does not hold, with its place.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Problem {
    pub file: PathBuf,
    /// From 1, as an editor counts.
    pub line: Option<u64>,
    pub node: NodeName,
    pub incarnation: u32,
    pub seq: Option<u64>,
    pub kind: ProblemKind,
    pub detail: String,
}

impl Problem {
    /// As the API and the findings tell it.
    pub fn told(&self) -> LogProblem {
        LogProblem {
            file: self.file.clone(),
            line: self.line,
            node: self.node.clone(),
            incarnation: self.incarnation,
            row: self.seq,
            kind: self.kind,
            detail: self.detail.clone(),
        }
    }
}

/// What was verified.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Verified {
    pub files: usize,
    pub rows: u64,
    pub problems: Vec<Problem>,
    /// How far each log reaches, for [`crate::compare_heads`]. Files that were set aside don't count.
    #[serde(skip)]
    pub heads: Heads,
}

/// A line of the file.
enum Entry {
    Row {
        line: u64,
        seq: u64,
        prev: String,
        digest: Digest,
        synced: u64,
    },
    Bad {
        line: u64,
        kind: ProblemKind,
        why: String,
        torn: bool,
    },
}

struct Check<'a> {
    path: &'a Path,
    id: &'a LogId,
    problems: &'a mut Vec<Problem>,
}

/// Verifies every log below the state directory. `trusted`: the keys known of each node; a node without one is taken
/// at its first row's word.
pub fn verify_dir(state: &Path, trusted: &TrustedKeys) -> Verified {
    let events = names::events_dir(state);
    let mut verified = Verified::default();
    let found = match files(&events) {
        Ok(found) => found,
        Err(error) => {
            let id = (NodeName::new(""), 0);
            let mut check = Check {
                path: &events,
                id: &id,
                problems: &mut verified.problems,
            };
            check.report(None, None, ProblemKind::Unreadable, error.to_string());
            return verified;
        }
    };
    for (kind, path) in found {
        let (id, current) = match kind {
            Kind::Log(id) => (id, true),
            Kind::Damaged(id) => (id, false),
        };
        let mut check = Check {
            path: &path,
            id: &id,
            problems: &mut verified.problems,
        };
        let (rows, highest) = check.file(trusted);
        verified.files += 1;
        verified.rows += rows;
        if current && highest > 0 {
            verified.heads.insert(id, highest);
        }
    }
    verified
}

impl Check<'_> {
    fn report(&mut self, line: Option<u64>, seq: Option<u64>, kind: ProblemKind, detail: String) {
        self.problems.push(Problem {
            file: self.path.to_owned(),
            line,
            node: self.id.0.clone(),
            incarnation: self.id.1,
            seq,
            kind,
            detail,
        });
    }

    /// Returns how many rows hold by themselves, and the highest of them.
    fn file(&mut self, trusted: &TrustedKeys) -> (u64, u64) {
        let key = match self.first_key() {
            Ok(key) => key,
            Err(error) => {
                self.report(None, None, ProblemKind::Unreadable, error.to_string());
                return (0, 0);
            }
        };
        let keys = self.keys(key, trusted);
        let mut entries = match self.entries(&keys) {
            Ok(entries) => entries,
            Err(error) => {
                self.report(None, None, ProblemKind::Unreadable, error.to_string());
                return (0, 0);
            }
        };
        cut_torn_tail(&mut entries);
        let seqs: BTreeSet<u64> = entries.iter().filter_map(Entry::seq).collect();
        let genesis = key.map(|key| genesis_digest(self.id, &key));
        self.sequence(&entries, &seqs, genesis);
        (
            entries.iter().filter_map(Entry::seq).count() as u64,
            seqs.last().copied().unwrap_or(0),
        )
    }

    fn first_key(&self) -> io::Result<Option<PublicKey>> {
        let mut pieces = Pieces::open(self.path, 0)?;
        let Some(Piece::Line(line)) = pieces.next()? else {
            return Ok(None);
        };
        Ok(row::check(&line)
            .ok()
            .filter(|c| c.head.seq == 1)
            .and_then(|c| c.head.key))
    }

    fn keys(&mut self, first: Option<PublicKey>, trusted: &TrustedKeys) -> Vec<PublicKey> {
        let node = &self.id.0;
        let known: Vec<_> = trusted.of(node).copied().collect();
        let Some(key) = first else { return known };
        if trusted.knows(node) && !trusted.allows(node, &key) {
            let detail = format!("signed with the key {key}, which is not known of this node");
            self.report(Some(1), Some(1), ProblemKind::ForeignKey, detail);
        }
        vec![key]
    }

    fn entries(&mut self, keys: &[PublicKey]) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        let mut pieces = Pieces::open(self.path, 0)?;
        let mut number = 1;
        while let Some(piece) = pieces.next()? {
            let entry = match piece {
                Piece::Line(line) => {
                    number += 1;
                    self.entry(number - 1, &line, keys)
                }
                Piece::Broken(_) | Piece::Zeros => {
                    let why = "the row is torn or overwritten with zero bytes".to_owned();
                    Entry::Bad {
                        line: number,
                        kind: ProblemKind::Changed,
                        why,
                        torn: true,
                    }
                }
            };
            // One torn row falls into several pieces: it is named once.
            let goes_on = matches!(entry, Entry::Bad { .. })
                && matches!(entries.last(), Some(Entry::Bad { torn: true, .. }));
            if !goes_on {
                entries.push(entry);
            }
        }
        if keys.is_empty() && !entries.is_empty() {
            let detail = "the first row is not here, and no key is known of this node".to_owned();
            self.report(Some(1), None, ProblemKind::ForeignKey, detail);
        }
        Ok(entries)
    }

    fn entry(&self, line_number: u64, line: &[u8], keys: &[PublicKey]) -> Entry {
        let bad = |kind, why| Entry::Bad {
            line: line_number,
            kind,
            why,
            torn: false,
        };
        let Checked {
            head,
            hash,
            signature,
        } = match row::check(line) {
            Ok(checked) => checked,
            Err(fault) => return bad(ProblemKind::Changed, claim(line, &fault.to_string())),
        };
        if head.node != self.id.0 || head.inc != self.id.1 {
            let why = format!("the row is of {}, incarnation {}", head.node, head.inc);
            return bad(ProblemKind::Changed, why);
        }
        if !keys.is_empty() && !keys.iter().any(|key| key.verifies(&hash, &signature)) {
            let why = "the row was changed and sealed anew by someone without the node's key";
            return bad(ProblemKind::BadSignature, claim(line, why));
        }
        let digest = sha256(line);
        Entry::Row {
            line: line_number,
            seq: head.seq,
            prev: head.prev,
            digest,
            synced: head.synced,
        }
    }

    /// Walks the rows in the file's order and names each that is not where it belongs.
    fn sequence(&mut self, entries: &[Entry], seqs: &BTreeSet<u64>, genesis: Option<Digest>) {
        let mut expected = 1;
        // `None`: the row before is not known as it was, so nothing follows from this row's `prev`.
        let mut before = genesis;
        for (index, entry) in entries.iter().enumerate() {
            match entry {
                Entry::Bad {
                    line, kind, why, ..
                } => {
                    let next = entries[index..].iter().find_map(Entry::seq);
                    if next.is_some_and(|next| next <= expected) {
                        self.report(Some(*line), None, ProblemKind::Inserted, why.clone());
                    } else {
                        self.report(Some(*line), Some(expected), *kind, why.clone());
                        expected += 1;
                    }
                    before = None;
                }
                Entry::Row { line, seq, .. } if *seq < expected => {
                    let detail = format!("row {seq} stands after row {}", expected - 1);
                    self.report(Some(*line), Some(*seq), ProblemKind::Reordered, detail);
                    before = None;
                }
                Entry::Row {
                    line,
                    seq,
                    prev,
                    digest,
                    ..
                } => {
                    if *seq > expected {
                        self.gap(*line, expected, *seq, seqs);
                    } else if before.is_some_and(|b| row::hex(&b) != *prev) {
                        let detail = "the row does not follow the one before it".to_owned();
                        self.report(Some(*line), Some(*seq), ProblemKind::ChainBroken, detail);
                    }
                    expected = *seq + 1;
                    before = Some(*digest);
                }
            }
        }
    }

    fn gap(&mut self, line: u64, expected: u64, seq: u64, seqs: &BTreeSet<u64>) {
        if seqs.range(expected..seq).next().is_some() {
            let detail = format!("row {seq} stands where row {expected} belongs");
            self.report(Some(line), Some(seq), ProblemKind::Reordered, detail);
            return;
        }
        let detail = match seq - expected {
            1 => format!("row {expected} is missing before this line"),
            _ => format!(
                "rows {expected} to {} are missing before this line",
                seq - 1
            ),
        };
        self.report(Some(line), Some(expected), ProblemKind::Removed, detail);
    }
}

impl Entry {
    fn seq(&self) -> Option<u64> {
        match self {
            Entry::Row { seq, .. } => Some(*seq),
            Entry::Bad { .. } => None,
        }
    }
}

/// What a crash leaves is not a problem: from the first torn line on, where no later row calls it synced.
fn cut_torn_tail(entries: &mut Vec<Entry>) {
    let Some(at) = entries
        .iter()
        .position(|e| matches!(e, Entry::Bad { torn: true, .. }))
    else {
        return;
    };
    let last_good = entries[..at].iter().rev().find_map(Entry::seq).unwrap_or(0);
    let called_synced = entries[at..]
        .iter()
        .any(|e| matches!(e, Entry::Row { synced, .. } if *synced > last_good));
    if !called_synced {
        entries.truncate(at);
    }
}

/// The fault, and which row the line says it is.
fn claim(line: &[u8], fault: &str) -> String {
    match row::claimed(line) {
        Some(head) => format!(
            "{fault} (it calls itself row {} of {})",
            head.seq, head.node
        ),
        None => fault.to_owned(),
    }
}
