//! A report's seal: it agrees as long as nothing before its heads changes, and the log may go on.

use crate::common::*;
use siaga_journal::seal::{disagreements, seal};
use siaga_journal::{Durability, Filter, Journal, offline};
use siaga_model::RunId;
use siaga_model::event::Event;
use siaga_model::seal::{Seal, SealProblem};
use std::path::Path;

fn of_run(run: &str, number: u64) -> Event {
    Event {
        run: Some(RunId::from(run)),
        ..event(number)
    }
}

fn add(journal: &mut Journal, run: &str, numbers: std::ops::RangeInclusive<u64>) {
    for n in numbers {
        journal.append(of_run(run, n), Durability::Sync).unwrap();
    }
}

fn problems(state: &Path, journal: &Journal, seal: &Seal) -> Vec<SealProblem> {
    disagreements(state, journal.trusted(), seal).unwrap()
}

#[test]
fn it_agrees_while_the_log_goes_on() {
    let dir = memory_dir();
    let (mut journal, _) = open(dir.path(), "serverdb");
    add(&mut journal, "r1", 1..=5);
    add(&mut journal, "r2", 6..=7);
    let whole = seal(dir.path(), None).unwrap();
    let run = seal(dir.path(), Some(&RunId::from("r1"))).unwrap();
    assert_eq!((whole.heads.len(), whole.heads[0].seq), (1, 7));
    assert_eq!((run.rows, &run.heads), (5, &whole.heads));
    assert_ne!(run.digest, whole.digest);
    // Also rows of the same run that come later: a probe that measured its end, another node's copy.
    add(&mut journal, "r1", 8..=9);
    for made in [&whole, &run] {
        assert_eq!(problems(dir.path(), &journal, made), []);
    }
}

#[test]
fn a_changed_row_a_cut_tail_and_a_missing_log_show() {
    let dir = memory_dir();
    let (mut journal, _) = open(dir.path(), "serverdb");
    add(&mut journal, "r1", 1..=6);
    let made = seal(dir.path(), Some(&RunId::from("r1"))).unwrap();
    let path = log_path(dir.path(), &journal);
    let good = lines(&path);

    let mut changed = good.clone();
    let text = String::from_utf8(changed[2].clone()).unwrap();
    changed[2] = text
        .replacen("\"counter\":3", "\"counter\":9", 1)
        .into_bytes();
    assert_ne!(changed, good);
    write_lines(&path, &changed);
    let found = problems(dir.path(), &journal, &made);
    assert!(
        found
            .iter()
            .any(|p| matches!(p, SealProblem::Damaged { .. })),
        "{found:?}"
    );
    assert!(
        found
            .iter()
            .any(|p| matches!(p, SealProblem::RunDiffers { .. })),
        "{found:?}"
    );

    write_lines(&path, &good[..4]);
    let found = problems(dir.path(), &journal, &made);
    assert!(
        found
            .iter()
            .any(|p| matches!(p, SealProblem::RowMissing { .. })),
        "{found:?}"
    );

    std::fs::remove_file(&path).unwrap();
    let found = problems(dir.path(), &journal, &made);
    assert!(
        found
            .iter()
            .any(|p| matches!(p, SealProblem::RowMissing { .. })),
        "{found:?}"
    );
}

/// Both nodes are root's: whoever writes the log anew, with the right key, has other hashes.
#[test]
fn a_log_that_was_written_anew_shows() {
    let dir = memory_dir();
    let (mut journal, _) = open(dir.path(), "serverdb");
    add(&mut journal, "r1", 1..=3);
    let made = seal(dir.path(), None).unwrap();
    let path = log_path(dir.path(), &journal);
    drop(journal);
    std::fs::remove_file(&path).unwrap();
    let (mut journal, _) = open(dir.path(), "serverdb");
    add(&mut journal, "r1", 7..=9);
    let found = problems(dir.path(), &journal, &made);
    assert!(!found.is_empty());
}

#[test]
fn a_seal_that_does_not_fit_itself_proves_nothing() {
    let dir = memory_dir();
    let (mut journal, _) = open(dir.path(), "serverdb");
    add(&mut journal, "r1", 1..=3);
    let empty = Seal::default();
    assert_eq!(
        problems(dir.path(), &journal, &empty),
        [SealProblem::Broken]
    );
    let mut other = seal(dir.path(), None).unwrap();
    other.digest = "00".repeat(32);
    assert_eq!(
        problems(dir.path(), &journal, &other),
        [SealProblem::Broken]
    );
}

#[test]
fn the_files_alone_tell_what_the_journal_tells() {
    let dir = memory_dir();
    let (mut journal, _) = open(dir.path(), "serverdb");
    add(&mut journal, "r1", 1..=3);
    add(&mut journal, "r2", 4..=4);
    for filter in [
        Filter::default(),
        Filter {
            run: Some(RunId::from("r1")),
            ..Filter::default()
        },
        Filter {
            last: Some(2),
            ..Filter::default()
        },
    ] {
        let read = offline::events(dir.path(), &filter).unwrap();
        assert_eq!(read, journal.events(&filter).unwrap());
    }
}
