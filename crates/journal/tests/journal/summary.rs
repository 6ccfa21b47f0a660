//! A long log is opened by its summary, and nothing of what binds the node is believed because of it.

use crate::common::*;
use siaga_journal::{Durability, History, Journal, ProblemKind, Start, verify_dir};
use siaga_model::event::EventBody;
use siaga_model::{NodeName, ServiceName};
use std::fs;
use std::path::{Path, PathBuf};

/// Rows of the log that every test begins with; each tenth binds the node.
const ROWS: u64 = 1200;

fn long_log(state: &Path) -> PathBuf {
    let (mut journal, _) = open(state, "serverdb");
    let other = || {
        of_service(EventBody::PeerSilent {
            node: NodeName::from("backup"),
        })
    };
    let events = (1..=ROWS).map(|n| if n % 10 == 0 { event(n) } else { other() });
    journal
        .append_all(events.collect(), Durability::Sync)
        .unwrap();
    journal.confirm_history().unwrap();
    let log = log_path(state, &journal);
    drop(journal);
    // This open finds it long.
    drop(open(state, "serverdb"));
    assert!(summary(&log).exists());
    log
}

fn summary(log: &Path) -> PathBuf {
    log.with_extension("summary")
}

/// Changes one letter of a row without changing its length.
fn spoil(log: &Path, row: usize) {
    let mut text = lines(log);
    let line = String::from_utf8(text[row - 1].clone()).unwrap();
    text[row - 1] = line.replacen("\"simrs\"", "\"simrx\"", 1).into_bytes();
    write_lines(log, &text);
}

fn ledger(journal: &Journal) -> Vec<u64> {
    let events = journal.ledger_events(&ServiceName::from("simrs")).unwrap();
    events.iter().map(number).collect()
}

#[test]
fn the_summary_gives_the_same_log_and_appending_goes_on() {
    let state = memory_dir();
    let log = long_log(state.path());
    let (mut journal, report) = open(state.path(), "serverdb");
    assert_eq!(report.start, Start::Continued);
    let tens: Vec<u64> = (1..=ROWS / 10).map(|n| n * 10).collect();
    assert_eq!(ledger(&journal), tens);
    append(&mut journal, ROWS + 1..=ROWS + 3);
    let all: Vec<u64> = tens.into_iter().chain(ROWS + 1..=ROWS + 3).collect();
    assert_eq!(ledger(&journal), all);
    drop(journal);
    // Without the summary, the same.
    let (journal, _) = open(state.path(), "serverdb");
    let with = (journal.heads(), ledger(&journal));
    drop(journal);
    fs::remove_file(summary(&log)).unwrap();
    let (journal, _) = open(state.path(), "serverdb");
    assert_eq!((journal.heads(), ledger(&journal)), with);
    assert_eq!(with.1, all);
    assert!(
        verify_dir(state.path(), journal.trusted())
            .problems
            .is_empty()
    );
}

#[test]
fn a_copy_is_opened_by_its_summary_too() {
    let (one, two) = (memory_dir(), memory_dir());
    long_log(one.path());
    let (mut from, _) = open(one.path(), "serverdb");
    let (mut to, _) = open(two.path(), "backup");
    copy(&mut from, &mut to, 500);
    to.maintain().unwrap();
    let heads = to.heads();
    drop(to);
    let copied = two
        .path()
        .join("events")
        .join(format!("serverdb.{}.summary", from.incarnation()));
    assert!(copied.exists());
    let (mut to, report) = open(two.path(), "backup");
    assert_eq!((to.heads(), report.problems), (heads, Vec::new()));
    append(&mut from, ROWS + 1..=ROWS + 1);
    copy(&mut from, &mut to, 500);
    assert!(verify_dir(two.path(), to.trusted()).problems.is_empty());
}

#[test]
fn a_changed_row_that_binds_is_found_in_spite_of_the_summary() {
    let state = memory_dir();
    let log = long_log(state.path());
    spoil(&log, 20);
    let (_, report) = open(state.path(), "serverdb");
    assert_eq!(report.start, Start::NewIncarnation);
    assert!(matches!(report.history, History::Unconfirmed { .. }));
    assert_eq!(report.problems[0].seq, Some(20));
}

#[test]
fn a_changed_row_that_binds_nobody_is_found_by_verify_and_by_the_next_open_then() {
    let state = memory_dir();
    let log = long_log(state.path());
    spoil(&log, 21);
    let (journal, report) = open(state.path(), "serverdb");
    assert_eq!(report.start, Start::Continued);
    let problems = verify_dir(state.path(), journal.trusted()).problems;
    assert_eq!(problems[0].kind, ProblemKind::Changed);
    assert_eq!(problems[0].seq, Some(21));
    journal.forget_summaries().unwrap();
    drop(journal);
    let (_, report) = open(state.path(), "serverdb");
    assert_eq!(report.start, Start::NewIncarnation);
    assert_eq!(report.problems[0].seq, Some(21));
}

#[test]
fn a_summary_that_was_changed_or_signed_by_another_is_none() {
    for foreign in [false, true] {
        let state = memory_dir();
        let log = long_log(state.path());
        // Only a whole scan finds this row.
        spoil(&log, 21);
        let text = fs::read_to_string(summary(&log)).unwrap();
        let changed = if foreign {
            let other = memory_dir();
            drop(open(other.path(), "serverdb"));
            let key = fs::read(other.path().join("keys/events.pk8")).unwrap();
            let body = text.lines().next().unwrap();
            let pair = aws_lc_rs::signature::Ed25519KeyPair::from_pkcs8(&key).unwrap();
            let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, body.as_bytes());
            format!("{body}\n{}\n", hex(pair.sign(digest.as_ref()).as_ref()))
        } else {
            text.replacen("\"seq\":1200", "\"seq\":1201", 1)
        };
        assert_ne!(text, changed);
        fs::write(summary(&log), changed).unwrap();
        let (_, report) = open(state.path(), "serverdb");
        assert_eq!(report.start, Start::NewIncarnation, "foreign: {foreign}");
    }
}

#[test]
fn a_log_that_lost_rows_under_its_summary_is_scanned() {
    let state = memory_dir();
    let log = long_log(state.path());
    let kept = lines(&log);
    write_lines(&log, &kept[..1100]);
    let (journal, _) = open(state.path(), "serverdb");
    assert_eq!(
        journal.heads().values().copied().collect::<Vec<_>>(),
        [1100]
    );
}

#[test]
fn a_log_whose_last_rows_were_exchanged_is_scanned() {
    let state = memory_dir();
    let log = long_log(state.path());
    spoil(&log, ROWS as usize - 1);
    drop(open(state.path(), "serverdb"));
    assert!(log.exists(), "only verify sees what binds nobody");
    spoil(&log, ROWS as usize);
    let (_, report) = open(state.path(), "serverdb");
    assert_eq!(report.start, Start::NewIncarnation);
}
