//! Seals a report with the heads of the event chains, and says later whether the events still agree.

use crate::error::JournalError;
use crate::filter::Filter;
use crate::keys::TrustedKeys;
use crate::names::{self, Kind, LogId};
use crate::opening::files;
use crate::read::each_line;
use crate::row::{self, hex};
use crate::verify::verify_dir;
use aws_lc_rs::digest::{Context, SHA256};
use serde::Deserialize;
use siaga_model::seal::{LogHead, Seal, SealProblem};
use siaga_model::{RunId, UtcMicros};
use std::collections::BTreeMap;
use std::path::Path;

/// The seal of a report that is made now, from the files alone.
///
/// # Errors
/// Where the directory or a file can't be read.
pub fn seal(state: &Path, run: Option<&RunId>) -> Result<Seal, JournalError> {
    read(state, run, None)
}

/// What no longer agrees with a seal. Reads and verifies every row.
///
/// # Errors
/// Where the directory or a file can't be read.
pub fn disagreements(
    state: &Path,
    trusted: &TrustedKeys,
    seal: &Seal,
) -> Result<Vec<SealProblem>, JournalError> {
    if seal.heads.is_empty() {
        return Ok(vec![SealProblem::Broken]);
    }
    let now = read(state, seal.run.as_ref(), Some(seal))?;
    let mut problems = Vec::new();
    for head in &seal.heads {
        let same_log = |h: &&LogHead| h.node == head.node && h.incarnation == head.incarnation;
        match now.heads.iter().find(same_log) {
            Some(found) if found == head => {}
            Some(found) if found.seq == head.seq => {
                problems.push(SealProblem::RowDiffers { head: head.clone() });
            }
            _ => problems.push(SealProblem::RowMissing { head: head.clone() }),
        }
    }
    if (now.rows, &now.digest) != (seal.rows, &seal.digest) {
        match &seal.run {
            Some(run) => problems.push(SealProblem::RunDiffers { run: run.clone() }),
            None if problems.is_empty() => problems.push(SealProblem::Broken),
            None => {}
        }
    }
    // What a report says of the time before the log began hangs on it.
    if now.begins_at != seal.begins_at && problems.is_empty() {
        problems.push(SealProblem::Broken);
    }
    let sealed: BTreeMap<_, _> = seal
        .heads
        .iter()
        .map(|h| ((&h.node, h.incarnation), h.seq))
        .collect();
    for found in verify_dir(state, trusted).problems {
        let reach = sealed.get(&(&found.node, found.incarnation));
        if reach.is_some_and(|reach| found.seq.is_none_or(|seq| seq <= *reach)) {
            let detail = format!("{}.{}: {}", found.node, found.incarnation, found.detail);
            problems.push(SealProblem::Damaged { detail });
        }
    }
    Ok(problems)
}

/// The seal in a message that was mailed: a line for each head (`node.incarnation number hash`), its digest, and when the
/// log begins. A mail program may have broken long lines with a `=` at their end. `None`: there is none in it.
pub fn of_text(text: &str) -> Option<Seal> {
    let whole = text.replace("=\r\n", "").replace("=\n", "");
    let is_hash = |word: &str| word.len() == 64 && word.bytes().all(|b| b.is_ascii_hexdigit());
    let mut seal = Seal::default();
    for line in whole.lines() {
        match line.split_whitespace().collect::<Vec<_>>().as_slice() {
            ["digest", digest] if is_hash(digest) => seal.digest = (*digest).to_owned(),
            ["begins", at] => seal.begins_at = at.parse().ok().map(UtcMicros),
            [log, seq, hash] if is_hash(hash) => {
                let (node, incarnation) = log.rsplit_once('.')?;
                seal.heads.push(LogHead {
                    node: node.into(),
                    incarnation: incarnation.parse().ok()?,
                    seq: seq.parse().ok()?,
                    hash: (*hash).to_owned(),
                });
            }
            _ => {}
        }
    }
    (!seal.heads.is_empty() && !seal.digest.is_empty()).then_some(seal)
}

#[derive(Deserialize)]
struct Peek {
    seq: u64,
    at: UtcMicros,
}

/// Reads every log, or, for an older seal, as far as that one reached.
fn read(state: &Path, run: Option<&RunId>, as_of: Option<&Seal>) -> Result<Seal, JournalError> {
    let filter = Filter {
        run: run.cloned(),
        ..Filter::default()
    };
    let mut logs: Vec<(LogId, std::path::PathBuf)> = files(&names::events_dir(state))?
        .into_iter()
        .filter_map(|(kind, path)| match kind {
            Kind::Log(id) => Some((id, path)),
            Kind::Damaged(_) => None,
        })
        .collect();
    logs.sort();
    let mut seal = Seal {
        run: run.cloned(),
        ..Seal::default()
    };
    let mut digest = Context::new(&SHA256);
    for (id, path) in &logs {
        let reach = match as_of {
            None => Some(u64::MAX),
            Some(old) => {
                let of_log = |h: &&LogHead| (&h.node, h.incarnation) == (&id.0, id.1);
                old.heads.iter().find(of_log).map(|h| h.seq)
            }
        };
        let Some(reach) = reach else { continue };
        let (mut last, mut last_seq) = (Vec::new(), 0);
        let read = each_line(path, 0, u64::MAX, |line| {
            let peek = || serde_json::from_slice::<Peek>(line).ok();
            let place = row::place(line).or_else(|| peek().map(|p| (p.seq, p.at)));
            let Some((seq, at)) = place.filter(|(seq, _)| *seq <= reach) else {
                return true;
            };
            seal.begins_at = Some(seal.begins_at.map_or(at, |begins| begins.min(at)));
            if run.is_some()
                && filter.wants(id, line)
                && let Ok(checked) = row::check(line)
            {
                seal.rows += 1;
                digest.update(&checked.hash);
            }
            if seq >= last_seq {
                last_seq = seq;
                last.clear();
                last.extend_from_slice(line);
            }
            true
        });
        read.map_err(|e| JournalError::io(path, "read the log", e))?;
        let checked = row::check(&last).ok();
        seal.heads.extend(checked.map(|c| LogHead {
            node: id.0.clone(),
            incarnation: id.1,
            seq: c.head.seq,
            hash: hex(&c.hash),
        }));
    }
    if run.is_none() {
        for head in &seal.heads {
            digest.update(head.hash.as_bytes());
        }
    }
    seal.digest = hex(digest.finish().as_ref());
    Ok(seal)
}
