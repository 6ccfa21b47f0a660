//! `verify_dir` finds what was done to a file, and says where.

use crate::common::*;
use siaga_journal::{Journal, ProblemKind, TrustedKeys, compare_heads, verify_dir};
use siaga_model::NodeName;
use std::path::PathBuf;

struct Site {
    dir: tempfile::TempDir,
    path: PathBuf,
    trusted: TrustedKeys,
    rows: Vec<Vec<u8>>,
    _journal: Journal,
}

fn site() -> Site {
    let dir = tempfile::tempdir().unwrap();
    let (mut journal, _) = open(dir.path(), "serverdb");
    append(&mut journal, 1..=6);
    let path = log_path(dir.path(), &journal);
    let (trusted, rows) = (journal.trusted().clone(), lines(&path));
    Site {
        dir,
        path,
        trusted,
        rows,
        _journal: journal,
    }
}

/// The kind, line and seq of each problem after the lines were edited.
fn found(site: &Site, rows: &[Vec<u8>]) -> Vec<(ProblemKind, u64, Option<u64>)> {
    write_lines(&site.path, rows);
    let verified = verify_dir(site.dir.path(), &site.trusted);
    let place = |p: &siaga_journal::Problem| {
        assert_eq!((&p.file, p.node.as_str()), (&site.path, "serverdb"));
        (p.kind, p.line.unwrap(), p.seq)
    };
    verified.problems.iter().map(place).collect()
}

#[test]
fn an_untouched_log_holds() {
    let site = site();
    let verified = verify_dir(site.dir.path(), &site.trusted);
    assert_eq!(
        (verified.files, verified.rows, verified.problems),
        (1, 6, vec![])
    );
}

#[test]
fn every_changed_byte_of_a_row_is_found_and_the_row_named() {
    let site = site();
    for at in 0..site.rows[2].len() {
        let mut rows = site.rows.clone();
        rows[2][at] ^= 1;
        let problems = found(&site, &rows);
        let [(kind, 3, Some(3))] = problems[..] else {
            panic!("byte {at}: {problems:?}")
        };
        assert!(
            matches!(kind, ProblemKind::Changed | ProblemKind::BadSignature),
            "byte {at}"
        );
    }
}

#[test]
fn every_removed_row_but_the_last_is_found() {
    let site = site();
    for at in 0..5 {
        let mut rows = site.rows.clone();
        rows.remove(at);
        let (line, seq) = (at as u64 + 1, Some(at as u64 + 1));
        assert_eq!(found(&site, &rows), [(ProblemKind::Removed, line, seq)]);
    }
}

#[test]
fn two_removed_rows_are_named_both() {
    let site = site();
    let mut rows = site.rows.clone();
    rows.drain(1..3);
    assert_eq!(found(&site, &rows), [(ProblemKind::Removed, 2, Some(2))]);
    let verified = verify_dir(site.dir.path(), &site.trusted);
    assert!(verified.problems[0].detail.contains("rows 2 to 3"));
}

#[test]
fn swapped_rows_are_found() {
    let site = site();
    let mut rows = site.rows.clone();
    rows.swap(2, 3);
    let expected = [
        (ProblemKind::Reordered, 3, Some(4)),
        (ProblemKind::Reordered, 4, Some(3)),
    ];
    assert_eq!(found(&site, &rows), expected);
}

#[test]
fn a_repeated_row_and_a_foreign_line_are_found() {
    let site = site();
    let mut rows = site.rows.clone();
    rows.insert(4, rows[1].clone());
    assert_eq!(found(&site, &rows), [(ProblemKind::Reordered, 5, Some(2))]);
    let mut rows = site.rows.clone();
    rows.insert(4, b"{}".to_vec());
    assert_eq!(found(&site, &rows), [(ProblemKind::Inserted, 5, None)]);
}

#[test]
fn a_removed_tail_shows_only_against_the_peers_copy() {
    let site = site();
    assert_eq!(found(&site, &site.rows[..4]), []);
    let here = verify_dir(site.dir.path(), &site.trusted).heads;
    let mut there = here.clone();
    there.values_mut().for_each(|seq| *seq = 6);
    let missing = compare_heads(&here, &there);
    assert_eq!((missing[0].here, missing[0].there), (4, 6));
    assert_eq!(missing[0].node, NodeName::from("serverdb"));
    assert_eq!(compare_heads(&there, &here), []);
}

#[test]
fn a_whole_log_signed_with_another_key_is_found() {
    let (site, other) = (site(), tempfile::tempdir().unwrap());
    let (mut forger, _) = open(other.path(), "serverdb");
    append(&mut forger, 1..=6);
    let forged = lines(&log_path(other.path(), &forger));
    assert_eq!(
        found(&site, &forged),
        [(ProblemKind::ForeignKey, 1, Some(1))]
    );
    // One forged row among true ones, with a true hash.
    let mut rows = site.rows.clone();
    rows[3] = forged[3].clone();
    assert_eq!(
        found(&site, &rows),
        [(ProblemKind::BadSignature, 4, Some(4))]
    );
}

#[test]
fn a_directory_that_is_not_there_is_a_problem_not_a_pass() {
    let dir = tempfile::tempdir().unwrap();
    let verified = verify_dir(dir.path(), &TrustedKeys::default());
    assert_eq!(verified.problems[0].kind, ProblemKind::Unreadable);
}
