//! The own log: what survives, what is cut off, what is set aside.

use crate::common::*;
use siaga_journal::{Durability, Filter, History, Journal, JournalError, Start};
use siaga_model::NodeName;
use siaga_model::event::EventBody;
use std::fs;
use std::os::unix::fs::PermissionsExt;

#[test]
fn rows_are_there_after_a_restart_and_the_log_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let (mut journal, report) = open(dir.path(), "serverdb");
    assert_eq!(report.start, Start::First);
    append(&mut journal, 1..=3);
    let inc = journal.incarnation();
    drop(journal);
    let (mut journal, report) = open(dir.path(), "serverdb");
    assert_eq!((report.start, report.torn_bytes), (Start::Continued, 0));
    assert_eq!(report.problems, []);
    assert_eq!(journal.incarnation(), inc);
    append(&mut journal, 4..=4);
    assert_eq!(numbers(&journal), [1, 2, 3, 4]);
    assert_eq!(journal.heads()[&(NodeName::from("serverdb"), inc)], 4);
}

#[test]
fn one_batch_is_all_there_and_in_order_also_with_a_clock_that_jumps_back() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(START);
    let (mut journal, _) = open_at(dir.path(), "serverdb", &clock);
    let first = journal
        .append_all((1..=5).map(event).collect(), Durability::Sync)
        .unwrap();
    clock.set(START - 3_600_000_000);
    let second = journal.append(event(6), Durability::Lazy).unwrap();
    assert!(second.hlc > first[4].hlc);
    drop(journal);
    let (mut journal, _) = open_at(dir.path(), "serverdb", &clock);
    append(&mut journal, 7..=7);
    assert_eq!(numbers(&journal), [1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn a_tail_torn_at_any_byte_is_cut_off_and_is_not_tampering() {
    let dir = memory_dir();
    let (mut journal, _) = open(dir.path(), "serverdb");
    append(&mut journal, 1..=3);
    let (path, inc) = (log_path(dir.path(), &journal), journal.incarnation());
    drop(journal);
    let whole = fs::read(&path).unwrap();
    let rows = lines(&path);
    let start = rows[0].len() + rows[1].len() + 2;
    for padded in [true, false] {
        for torn in 0..=rows[2].len() {
            let mut bytes = whole[..start + torn].to_vec();
            if padded {
                bytes.resize(whole.len(), 0);
            }
            fs::write(&path, &bytes).unwrap();
            let verified = siaga_journal::verify_dir(dir.path(), &Default::default());
            assert_eq!(verified.problems, [], "torn after {torn} bytes");
            let (mut journal, report) = open(dir.path(), "serverdb");
            assert_eq!(report.problems, [], "torn after {torn} bytes");
            assert_eq!(
                (report.start, report.torn_bytes),
                (Start::Continued, torn as u64)
            );
            append(&mut journal, 9..=9);
            assert_eq!(numbers(&journal), [1, 2, 9], "torn after {torn} bytes");
            assert_eq!(journal.incarnation(), inc);
            drop(journal);
            let verified = siaga_journal::verify_dir(dir.path(), &Default::default());
            assert_eq!((verified.problems, verified.rows), (vec![], 3));
        }
    }
}

#[test]
fn nothing_of_long_torn_rows_stays_behind_a_short_one() {
    let dir = tempfile::tempdir().unwrap();
    let (mut journal, _) = open(dir.path(), "serverdb");
    append(&mut journal, 1..=1);
    let path = log_path(dir.path(), &journal);
    let start = lines(&path)[0].len() + 1;
    // More than is laid ahead with zero bytes at a time.
    for _ in 0..2 {
        let long = EventBody::RunInterrupted {
            why: "x".repeat(200_000).into(),
        };
        journal.append(of_service(long), Durability::Lazy).unwrap();
    }
    drop(journal);
    let mut bytes = fs::read(&path).unwrap();
    bytes[start..start + 10].fill(0);
    fs::write(&path, bytes).unwrap();
    let (mut journal, report) = open(dir.path(), "serverdb");
    assert!(report.torn_bytes > 400_000);
    append(&mut journal, 2..=2);
    drop(journal);
    let (journal, report) = open(dir.path(), "serverdb");
    assert_eq!((report.torn_bytes, report.problems), (0, vec![]));
    assert_eq!(numbers(&journal), [1, 2]);
}

/// Blocks reach the disk in any order: a crash may leave a hole with rows behind it. Rows that were never synced may
/// be cut off; a hole in front of a row that calls the missing one synced is no crash.
#[test]
fn a_hole_is_a_torn_tail_only_where_nothing_behind_it_was_synced() {
    for (durability, torn) in [(Durability::Lazy, true), (Durability::Sync, false)] {
        let dir = tempfile::tempdir().unwrap();
        let (mut journal, _) = open(dir.path(), "serverdb");
        append(&mut journal, 1..=2);
        for n in 3..=5 {
            journal.append(event(n), durability).unwrap();
        }
        let path = log_path(dir.path(), &journal);
        drop(journal);
        let rows = lines(&path);
        let start: usize = rows[..2].iter().map(|r| r.len() + 1).sum();
        let mut bytes = fs::read(&path).unwrap();
        bytes[start..start + rows[2].len() + 1].fill(0);
        fs::write(&path, &bytes).unwrap();
        let verified = siaga_journal::verify_dir(dir.path(), &Default::default());
        assert_eq!(verified.problems.is_empty(), torn);
        let (journal, report) = open(dir.path(), "serverdb");
        if torn {
            assert_eq!((report.start, report.problems.len()), (Start::Continued, 0));
            assert!(report.torn_bytes > 0);
            assert_eq!(numbers(&journal), [1, 2]);
        } else {
            assert_eq!(
                (report.start, report.problems[0].seq),
                (Start::NewIncarnation, Some(3))
            );
            assert_eq!(numbers(&journal), [1, 2, 4, 5]);
        }
    }
}

#[test]
fn damage_in_the_middle_sets_the_file_aside_and_the_node_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let (mut journal, _) = open(dir.path(), "serverdb");
    journal.confirm_history().unwrap();
    append(&mut journal, 1..=4);
    let (path, inc) = (log_path(dir.path(), &journal), journal.incarnation());
    drop(journal);
    let mut rows = lines(&path);
    let at = rows[1]
        .windows(9)
        .position(|w| w == b"\"counter\"")
        .unwrap();
    rows[1][at + 10] = b'7';
    write_lines(&path, &rows);
    let damaged = fs::read(&path).unwrap();

    let (mut journal, report) = open(dir.path(), "serverdb");
    assert_eq!(
        (report.start, report.incarnation),
        (Start::NewIncarnation, inc + 1)
    );
    assert_eq!(
        (report.problems[0].line, report.problems[0].seq),
        (Some(2), Some(2))
    );
    assert!(matches!(report.history, History::Unconfirmed { .. }));
    let aside = path.with_extension("damaged");
    assert_eq!(fs::read(&aside).unwrap(), damaged, "kept as it is");
    // Every row that is signed by itself still counts: a promise must not be forgotten.
    assert_eq!(numbers(&journal), [1, 3, 4]);
    append(&mut journal, 5..=5);
    drop(journal);

    let (mut journal, report) = open(dir.path(), "serverdb");
    assert_eq!(
        (report.start, report.incarnation),
        (Start::Continued, inc + 1)
    );
    assert!(
        matches!(report.history, History::Unconfirmed { .. }),
        "until it is confirmed"
    );
    journal.confirm_history().unwrap();
    assert_eq!(journal.history(), History::Whole);
    assert_eq!(numbers(&journal), [1, 3, 4, 5]);
}

#[test]
fn a_last_row_that_was_changed_is_not_a_torn_tail() {
    let dir = tempfile::tempdir().unwrap();
    let (mut journal, _) = open(dir.path(), "serverdb");
    append(&mut journal, 1..=2);
    let path = log_path(dir.path(), &journal);
    drop(journal);
    let mut rows = lines(&path);
    rows[1][30] ^= 1;
    write_lines(&path, &rows);
    let (_journal, report) = open(dir.path(), "serverdb");
    assert_eq!((report.torn_bytes, report.problems.len()), (0, 1));
}

#[test]
fn a_last_row_whose_signature_was_changed_is_not_a_row() {
    let dir = tempfile::tempdir().unwrap();
    let (mut journal, _) = open(dir.path(), "serverdb");
    append(&mut journal, 1..=2);
    let path = log_path(dir.path(), &journal);
    drop(journal);
    let mut rows = lines(&path);
    let at = rows[1].len() - 10;
    rows[1][at] = if rows[1][at] == b'0' { b'1' } else { b'0' };
    write_lines(&path, &rows);
    let (journal, report) = open(dir.path(), "serverdb");
    assert_eq!(report.problems[0].seq, Some(2));
    assert_eq!(numbers(&journal), [1], "not by a known key, so not a row");
}

/// Whoever has the key can write another history, but not under the rows that followed.
#[test]
fn a_row_signed_anew_with_the_true_key_breaks_the_chain() {
    let dir = tempfile::tempdir().unwrap();
    let (mut journal, _) = open(dir.path(), "serverdb");
    append(&mut journal, 1..=4);
    let (path, trusted) = (log_path(dir.path(), &journal), journal.trusted().clone());
    drop(journal);
    let mut rows = lines(&path);
    let text = String::from_utf8(rows[1].clone()).unwrap();
    let body = text
        .split(",\"hash\"")
        .next()
        .unwrap()
        .replace("\"counter\":2", "\"counter\":8");
    rows[1] = seal(
        &body,
        &fs::read(dir.path().join("keys/events.pk8")).unwrap(),
    )
    .into_bytes();
    write_lines(&path, &rows);
    let verified = siaga_journal::verify_dir(dir.path(), &trusted);
    let [problem] = &verified.problems[..] else {
        panic!("{:?}", verified.problems)
    };
    assert_eq!(
        (problem.kind, problem.seq),
        (siaga_journal::ProblemKind::ChainBroken, Some(3))
    );
    let (_journal, report) = open(dir.path(), "serverdb");
    assert_eq!(report.problems[0].seq, Some(3));
}

#[test]
fn a_chain_forged_without_the_key_is_found_at_the_open() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let clock = TestClock::at(START);
    let (mut journal, _) = open_at(dir.path(), "serverdb", &clock);
    append(&mut journal, 1..=2);
    let path = log_path(dir.path(), &journal);
    drop(journal);
    clock.set(START);
    let (mut forger, _) = open_at(other.path(), "serverdb", &clock);
    append(&mut forger, 5..=6);
    fs::copy(log_path(other.path(), &forger), &path).unwrap();
    let (_journal, report) = open(dir.path(), "serverdb");
    assert_eq!(report.start, Start::NewIncarnation);
    assert_eq!(
        report.problems[0].kind,
        siaga_journal::ProblemKind::ForeignKey
    );
}

#[test]
fn rows_written_and_not_synced_may_be_lost_and_the_log_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let (mut journal, _) = open(dir.path(), "serverdb");
    append(&mut journal, 1..=2);
    let path = log_path(dir.path(), &journal);
    let synced: usize = lines(&path).iter().map(|l| l.len() + 1).sum();
    for n in 3..=6 {
        journal.append(event(n), Durability::Lazy).unwrap();
    }
    drop(journal);
    let size = fs::metadata(&path).unwrap().len() as usize;
    let mut bytes = fs::read(&path).unwrap()[..synced].to_vec();
    bytes.resize(size, 0);
    fs::write(&path, bytes).unwrap();
    let (mut journal, report) = open(dir.path(), "serverdb");
    assert_eq!((report.torn_bytes, report.problems.len()), (0, 0));
    append(&mut journal, 7..=7);
    assert_eq!(numbers(&journal), [1, 2, 7]);
}

#[test]
fn a_log_removed_or_replaced_under_the_agent_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let (mut journal, _) = open(dir.path(), "serverdb");
    journal.confirm_history().unwrap();
    append(&mut journal, 1..=2);
    let (path, inc) = (log_path(dir.path(), &journal), journal.incarnation());
    let mut rows = lines(&path);
    rows.remove(0);
    fs::remove_file(&path).unwrap();
    write_lines(&path, &rows);
    append(&mut journal, 3..=3);
    assert!(journal.incarnation() > inc);
    assert!(matches!(journal.history(), History::Unconfirmed { .. }));
    assert_eq!(numbers(&journal), [2, 3]);
    fs::remove_file(log_path(dir.path(), &journal)).unwrap();
    append(&mut journal, 4..=4);
    drop(journal);
    assert_eq!(numbers(&open(dir.path(), "serverdb").0), [2, 4]);
}

#[test]
fn a_lost_log_and_a_lost_disk_are_told_apart_from_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let (mut journal, report) = open(dir.path(), "serverdb");
    assert!(matches!(report.history, History::Unconfirmed { .. }));
    journal.confirm_history().unwrap();
    append(&mut journal, 1..=1);
    let path = log_path(dir.path(), &journal);
    drop(journal);
    let (journal, report) = open(dir.path(), "serverdb");
    assert_eq!(report.history, History::Whole);
    drop(journal);
    fs::remove_file(&path).unwrap();
    let (_, report) = open(dir.path(), "serverdb");
    assert_eq!(report.start, Start::RowsLost);
    assert!(matches!(report.history, History::Unconfirmed { .. }));
}

#[test]
fn the_key_is_private_and_is_closed_where_it_was_not() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, report) = open(dir.path(), "serverdb");
    assert!(!report.key_was_exposed);
    let public = journal.public_key();
    drop(journal);
    let key = dir.path().join("keys/events.pk8");
    assert_eq!(
        fs::metadata(&key).unwrap().permissions().mode() & 0o777,
        0o600
    );
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let (journal, report) = open(dir.path(), "serverdb");
    assert!(report.key_was_exposed);
    assert_eq!(journal.public_key(), public);
    drop(journal);
    assert_eq!(
        fs::metadata(&key).unwrap().permissions().mode() & 0o777,
        0o600
    );
    fs::write(&key, b"broken").unwrap();
    let node = NodeName::from("serverdb");
    let error = Journal::open(dir.path(), node, Box::new(TestClock::at(START)))
        .err()
        .unwrap();
    assert_eq!(error.code(), "JOURNAL_KEY");
    fs::remove_file(&key).unwrap();
    let (journal, _) = open(dir.path(), "serverdb");
    assert_ne!(journal.public_key(), public);
}

#[test]
fn a_new_key_begins_a_new_incarnation() {
    let dir = tempfile::tempdir().unwrap();
    let (mut journal, _) = open(dir.path(), "serverdb");
    append(&mut journal, 1..=2);
    let inc = journal.incarnation();
    drop(journal);
    fs::remove_file(dir.path().join("keys/events.pk8")).unwrap();
    let (mut journal, report) = open(dir.path(), "serverdb");
    assert_eq!(
        (report.start, report.incarnation),
        (Start::NewIncarnation, inc + 1)
    );
    append(&mut journal, 3..=3);
    assert_eq!(numbers(&journal), [1, 2, 3]);
    let verified = siaga_journal::verify_dir(dir.path(), journal.trusted());
    assert_eq!((verified.problems, verified.rows), (vec![], 3));
}

#[test]
fn two_agents_can_not_write_one_journal() {
    let dir = tempfile::tempdir().unwrap();
    let (_journal, _) = open(dir.path(), "serverdb");
    let clock = Box::new(TestClock::at(START));
    let second = Journal::open(dir.path(), NodeName::from("serverdb"), clock);
    assert!(matches!(second.err(), Some(JournalError::InUse { .. })));
}

#[test]
fn a_row_that_is_too_large_is_refused_and_nothing_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let (mut journal, _) = open(dir.path(), "serverdb");
    append(&mut journal, 1..=1);
    let large = of_service(EventBody::RunInterrupted {
        why: "x".repeat(siaga_journal::MAX_ROW).into(),
    });
    let error = journal
        .append_all(vec![event(2), large], Durability::Sync)
        .unwrap_err();
    assert_eq!(error.code(), "JOURNAL_ROW_TOO_LARGE");
    append(&mut journal, 3..=3);
    assert_eq!(numbers(&journal), [1, 3]);
}

#[test]
fn many_lazy_rows_verify_and_are_filtered() {
    let dir = memory_dir();
    let (mut journal, _) = open(dir.path(), "serverdb");
    for n in 1..=10_000 {
        journal.append(event(n), Durability::Lazy).unwrap();
    }
    journal.maintain().unwrap();
    let verified = siaga_journal::verify_dir(dir.path(), journal.trusted());
    assert_eq!((verified.problems, verified.rows), (vec![], 10_000));
    let last = journal
        .events(&Filter {
            last: Some(3),
            ..Filter::default()
        })
        .unwrap();
    assert_eq!(
        last.iter().map(number).collect::<Vec<_>>(),
        [9_998, 9_999, 10_000]
    );
    let mut heads = journal.heads();
    heads.values_mut().for_each(|seq| *seq = 9_990);
    let news = journal
        .events(&Filter {
            after: Some(heads),
            ..Filter::default()
        })
        .unwrap();
    assert_eq!(news.len(), 10);
    let none = Filter {
        kinds: vec!["run_ended".to_owned()],
        ..Filter::default()
    };
    assert_eq!(journal.events(&none).unwrap(), []);
    let mut middle = news[0].clone();
    middle.at.0 -= 20;
    let since = Filter {
        since: Some(middle.at),
        until: Some(news[0].at),
        ..Filter::default()
    };
    assert_eq!(journal.events(&since).unwrap().len(), 2);
    let inc = journal.incarnation();
    let rows = journal
        .rows_after(&NodeName::from("serverdb"), inc, 5_000, 7)
        .unwrap();
    assert_eq!(rows.len(), 7);
    drop(journal);
    assert_eq!(numbers(&open(dir.path(), "serverdb").0).len(), 10_000);
}
