//! Copies both ways: what is taken in, what is refused, and that both sides read one order.

use crate::common::*;
use proptest::prelude::*;
use siaga_journal::row::kind_name;
use siaga_journal::{
    Durability, Filter, Heads, History, ImportError, Journal, MAX_IMPORT_ROWS, RawRow, verify_dir,
};
use siaga_model::NodeName;
use std::fs;

fn rows(journal: &mut Journal, after: u64) -> Vec<RawRow> {
    let (node, inc) = (journal.node().clone(), journal.incarnation());
    journal.rows_after(&node, inc, after, usize::MAX).unwrap()
}

fn pair() -> (tempfile::TempDir, tempfile::TempDir, Journal, Journal) {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (ja, jb) = (open(a.path(), "serverdb").0, open(b.path(), "backup").0);
    (a, b, ja, jb)
}

#[test]
fn copies_are_byte_for_byte_and_survive_a_restart() {
    let (a, b, mut ja, mut jb) = pair();
    append(&mut ja, 1..=5);
    let imported = jb.import(&rows(&mut ja, 0)).unwrap();
    assert_eq!(
        imported.events.iter().map(number).collect::<Vec<_>>(),
        [1, 2, 3, 4, 5]
    );
    assert_eq!(
        imported.learned,
        [(NodeName::from("serverdb"), ja.public_key())]
    );
    let again = jb.import(&rows(&mut ja, 3)).unwrap();
    assert_eq!((again.already, again.events.len()), (2, 0));
    let copy = b
        .path()
        .join("events")
        .join(log_path(a.path(), &ja).file_name().unwrap());
    assert_eq!(lines(&copy), lines(&log_path(a.path(), &ja)));
    drop(jb);
    let (mut jb, report) = open(b.path(), "backup");
    assert_eq!(report.problems, []);
    append(&mut ja, 6..=6);
    jb.import(&rows(&mut ja, 5)).unwrap();
    assert_eq!(numbers(&jb), [1, 2, 3, 4, 5, 6]);
    assert_eq!(verify_dir(b.path(), jb.trusted()).problems, []);
}

#[test]
fn the_order_continues_after_what_was_copied_in_whatever_the_own_clock_says() {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (mut ja, _) = open_at(a.path(), "serverdb", &TestClock::at(START + 60_000_000));
    let (mut jb, _) = open_at(b.path(), "backup", &TestClock::at(START));
    append(&mut ja, 1..=2);
    copy(&mut ja, &mut jb, 10);
    append(&mut jb, 3..=3);
    assert_eq!(numbers(&jb), [1, 2, 3]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    /// Whatever was appended where and copied when: in the end both sides read the same.
    #[test]
    fn both_sides_read_one_order(acts in prop::collection::vec((0u8..4, 1u64..4, -500i64..2000), 1..40)) {
        let (a, b) = (memory_dir(), memory_dir());
        let clocks = [TestClock::at(START), TestClock::at(START + 700)];
        let (mut ja, _) = open_at(a.path(), "serverdb", &clocks[0]);
        let (mut jb, _) = open_at(b.path(), "backup", &clocks[1]);
        let mut next = 1;
        for (act, count, jump) in acts {
            let own = match act {
                0 => Some((&mut ja, &clocks[0])),
                1 => Some((&mut jb, &clocks[1])),
                2 => { copy(&mut ja, &mut jb, count as usize); None }
                _ => { copy(&mut jb, &mut ja, count as usize); None }
            };
            if let Some((journal, clock)) = own {
                clock.set(clock.0.load(std::sync::atomic::Ordering::SeqCst) + jump);
                for _ in 0..count {
                    journal.append(event(next), Durability::Lazy).unwrap();
                    next += 1;
                }
            }
        }
        copy(&mut ja, &mut jb, 100);
        copy(&mut jb, &mut ja, 100);
        let all = ja.events(&Filter::default()).unwrap();
        prop_assert_eq!(all.len() as u64, next - 1);
        prop_assert_eq!(&all, &jb.events(&Filter::default()).unwrap());
        prop_assert_eq!(ja.heads(), jb.heads());
        // What a node wrote after what it knew comes after it.
        for node in ["serverdb", "backup"] {
            let own: Vec<_> = all.iter().filter(|v| v.node.as_str() == node).map(|v| v.seq).collect();
            prop_assert!(own.is_sorted());
        }
        drop(jb);
        let (jb, _) = open(b.path(), "backup");
        prop_assert_eq!(&all, &jb.events(&Filter::default()).unwrap());
    }
}

#[test]
fn a_kind_and_fields_of_a_newer_version_are_copied_verified_and_listed() {
    let (a, b, mut ja, mut jb) = pair();
    append(&mut ja, 1..=1);
    let (path, key) = (log_path(a.path(), &ja), a.path().join("keys/events.pk8"));
    drop(ja);
    // A newer version's row: another `v`, unknown fields, an unknown kind, an actor known in an unknown way.
    let first = lines(&path).remove(0);
    let inc: u32 = path
        .file_name()
        .unwrap()
        .to_str()
        .unwrap()
        .split('.')
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    let body = format!(
        r#"{{"v":2,"node":"serverdb","inc":{inc},"seq":2,"hlc":{{"wall":{at},"count":0}},"at":{at},"synced":1,"colour":"red","prev":"{prev}","event":{{"service":"simrs","run":null,"actor":{{"name":"x","how":"telepathy"}},"body":{{"kind":"moon_landed","on":[1]}}}}"#,
        at = START + 5_000_000,
        prev = sha256(&first),
    );
    let mut file = fs::read(&path).unwrap();
    let end = first.len() + 1;
    let row = seal(&body, &fs::read(key).unwrap());
    file.splice(end..end + row.len() + 1, row.bytes().chain([b'\n']));
    fs::write(&path, file).unwrap();

    let (mut ja, report) = open(a.path(), "serverdb");
    assert_eq!((report.torn_bytes, report.problems.len()), (0, 0));
    append(&mut ja, 3..=3);
    let imported = jb.import(&rows(&mut ja, 0)).unwrap();
    assert_eq!(kind_name(&imported.events[1].event.body), "moon_landed");
    assert_eq!(
        imported.events[1].event.service.as_ref().unwrap().as_str(),
        "simrs"
    );
    assert_eq!(rows(&mut ja, 1)[0].as_bytes(), row.as_bytes());
    assert_eq!(verify_dir(b.path(), jb.trusted()).rows, 3);
    assert_eq!(verify_dir(b.path(), jb.trusted()).problems, []);
    let kinds = Filter {
        kinds: vec!["moon_landed".to_owned()],
        ..Filter::default()
    };
    assert_eq!(jb.events(&kinds).unwrap().len(), 1);
}

#[test]
fn a_fork_is_reported_and_nothing_is_overwritten() {
    let (a, b, mut ja, mut jb) = pair();
    append(&mut ja, 1..=2);
    let (path, old) = (
        log_path(a.path(), &ja),
        fs::read(log_path(a.path(), &ja)).unwrap(),
    );
    append(&mut ja, 3..=3);
    copy(&mut ja, &mut jb, 10);
    drop(ja);
    // The state directory goes back in time, and the node writes on before it meets its peer.
    fs::write(&path, old).unwrap();
    let (mut ja, _) = open(a.path(), "serverdb");
    append(&mut ja, 7..=8);
    let before = numbers(&jb);
    let again = jb.import(&rows(&mut ja, 2)[..1]).unwrap_err();
    assert!(matches!(again, ImportError::Fork { seq: 3, .. }), "{again}");
    let after = jb.import(&rows(&mut ja, 3)).unwrap_err();
    assert!(matches!(after, ImportError::Fork { seq: 3, .. }), "{after}");
    assert_eq!(after.code(), "IMPORT_FORK");
    assert_eq!(numbers(&jb), before);
    assert_eq!(verify_dir(b.path(), jb.trusted()).problems, []);
}

#[test]
fn a_head_behind_the_peers_copy_begins_a_new_incarnation_and_gets_its_rows_back() {
    let (a, _b, mut ja, mut jb) = pair();
    append(&mut ja, 1..=2);
    ja.confirm_history().unwrap();
    assert!(ja.ensure_not_behind(&jb.heads()).unwrap().is_fine());
    assert_eq!(ja.history(), History::Whole);
    let (path, inc) = (log_path(a.path(), &ja), ja.incarnation());
    let old = fs::read(&path).unwrap();
    append(&mut ja, 3..=4);
    copy(&mut ja, &mut jb, 10);
    drop(ja);
    fs::write(&path, old).unwrap();
    let (mut ja, _) = open_at(a.path(), "serverdb", &TestClock::at(START + 60_000_000));
    let behind = ja.ensure_not_behind(&jb.heads()).unwrap();
    assert_eq!(behind.new_incarnation, Some(inc + 1));
    assert_eq!((behind.missing[0].here, behind.missing[0].there), (2, 4));
    assert!(matches!(ja.history(), History::Unconfirmed { .. }));
    append(&mut ja, 5..=5);
    copy(&mut jb, &mut ja, 10);
    assert!(ja.ensure_not_behind(&jb.heads()).unwrap().is_fine());
    copy(&mut ja, &mut jb, 10);
    assert_eq!(numbers(&ja), [1, 2, 3, 4, 5]);
    assert_eq!(numbers(&jb), [1, 2, 3, 4, 5]);
    drop(ja);
    let (ja, report) = open(a.path(), "serverdb");
    assert_eq!((report.incarnation, report.problems.len()), (inc + 1, 0));
    assert_eq!(numbers(&ja), [1, 2, 3, 4, 5]);
}

#[test]
fn a_lost_disk_gets_its_history_back_also_under_its_old_key() {
    let (_a, _b, mut ja, mut jb) = pair();
    append(&mut ja, 1..=3);
    copy(&mut ja, &mut jb, 10);
    let old_rows = rows(&mut ja, 0);
    let fresh = tempfile::tempdir().unwrap();
    let (mut ja, _) = open_at(fresh.path(), "serverdb", &TestClock::at(START + 9_000_000));
    // Not announced as its own, so an unknown key is not simply taken.
    let early = ja.import(&old_rows).unwrap_err();
    assert!(matches!(early, ImportError::UntrustedKey { .. }), "{early}");
    let behind = ja.ensure_not_behind(&jb.heads()).unwrap();
    assert_eq!((behind.new_incarnation, behind.missing[0].there), (None, 3));
    copy(&mut jb, &mut ja, 10);
    append(&mut ja, 4..=4);
    assert_eq!(numbers(&ja), [1, 2, 3, 4]);
    // The peer knows the old key only: the new one has to be trusted by whoever let the node join again.
    let refused = jb.import(&rows(&mut ja, 0)).unwrap_err();
    assert!(
        matches!(refused, ImportError::UntrustedKey { .. }),
        "{refused}"
    );
    jb.trust(&NodeName::from("serverdb"), ja.public_key())
        .unwrap();
    jb.import(&rows(&mut ja, 0)).unwrap();
    assert_eq!(numbers(&jb), [1, 2, 3, 4]);
    assert_eq!(verify_dir(fresh.path(), ja.trusted()).problems, []);
}

#[test]
fn a_damaged_copy_is_set_aside_and_copied_again() {
    let (a, b, mut ja, mut jb) = pair();
    append(&mut ja, 1..=4);
    copy(&mut ja, &mut jb, 10);
    drop(jb);
    let copied = b
        .path()
        .join("events")
        .join(log_path(a.path(), &ja).file_name().unwrap());
    let mut edited = lines(&copied);
    edited.remove(1);
    write_lines(&copied, &edited);
    let (mut jb, report) = open(b.path(), "backup");
    assert_eq!(report.problems[0].node, NodeName::from("serverdb"));
    assert_eq!(numbers(&jb), [1, 3, 4]);
    copy(&mut ja, &mut jb, 10);
    assert_eq!(numbers(&jb), [1, 2, 3, 4]);
    // The evidence stays.
    assert_eq!(verify_dir(b.path(), jb.trusted()).problems.len(), 1);
}

#[test]
fn what_is_not_a_row_of_its_node_is_refused_and_leaves_nothing() {
    let (a, b, mut ja, mut jb) = pair();
    append(&mut ja, 1..=3);
    append(&mut jb, 9..=9);
    let good = rows(&mut ja, 0);
    let edit = |from: &str, to: &str| {
        let text = String::from_utf8(good[1].as_bytes().to_vec()).unwrap();
        assert!(text.contains(from));
        RawRow::new(text.replace(from, to))
    };
    let refused = |jb: &mut Journal, batch: &[RawRow]| jb.import(batch).unwrap_err().code();
    let changed = edit("\"counter\":2", "\"counter\":3");
    assert_eq!(
        refused(&mut jb, &[good[0].clone(), changed]),
        "IMPORT_BAD_ROW"
    );
    // Sealed rightly, and yet two lines.
    let pkcs8 = fs::read(a.path().join("keys/events.pk8")).unwrap();
    let text = String::from_utf8(good[0].as_bytes().to_vec()).unwrap();
    let body = text.split(",\"hash\"").next().unwrap();
    let spaced = RawRow::new(seal(&body.replace("{\"v\":1,", "{\"v\":1,\n"), &pkcs8));
    assert_eq!(refused(&mut jb, &[spaced]), "IMPORT_BAD_ROW");
    assert_eq!(refused(&mut jb, &[RawRow::new("")]), "IMPORT_BAD_ROW");
    assert_eq!(
        refused(&mut jb, &[good[0].clone(), good[2].clone()]),
        "IMPORT_GAP"
    );
    assert_eq!(refused(&mut jb, &good[1..]), "IMPORT_GAP");
    let own = rows(&mut jb, 0);
    assert_eq!(refused(&mut jb, &own), "IMPORT_OWN_LOG");
    let many = vec![good[0].clone(); MAX_IMPORT_ROWS + 1];
    assert_eq!(refused(&mut jb, &many), "IMPORT_TOO_MUCH");
    let long = RawRow::new("x".repeat(siaga_journal::MAX_IMPORT_BYTES + 1));
    assert_eq!(refused(&mut jb, &[long]), "IMPORT_TOO_MUCH");
    let long = RawRow::new("x".repeat(siaga_journal::MAX_ROW + 1));
    assert_eq!(refused(&mut jb, &[long]), "IMPORT_BAD_ROW");
    // Nothing of all that was written: neither rows nor keys.
    assert_eq!(jb.heads().len(), 1);
    assert!(!jb.trusted().knows(&NodeName::from("serverdb")));
    jb.import(&good).unwrap();
    assert_eq!(verify_dir(b.path(), jb.trusted()).problems, []);
}

#[test]
fn rows_signed_by_another_key_are_refused() {
    let (_a, _b, mut ja, mut jb) = pair();
    append(&mut ja, 1..=1);
    jb.import(&rows(&mut ja, 0)).unwrap();
    let other = tempfile::tempdir().unwrap();
    let (mut forger, _) = open_at(other.path(), "serverdb", &TestClock::at(START));
    append(&mut forger, 1..=2);
    assert_eq!(forger.incarnation(), ja.incarnation());
    let refused = |jb: &mut Journal, rows: &[RawRow]| jb.import(rows).unwrap_err().code();
    assert_eq!(
        refused(&mut jb, &rows(&mut forger, 1)),
        "IMPORT_BAD_SIGNATURE"
    );
    let newer = memory_dir();
    let (mut newer, _) = open_at(newer.path(), "serverdb", &TestClock::at(START * 2));
    append(&mut newer, 1..=1);
    assert_eq!(
        refused(&mut jb, &rows(&mut newer, 0)),
        "IMPORT_UNTRUSTED_KEY"
    );
}

#[test]
fn a_peer_can_not_write_outside_the_directory() {
    let (dir, mut jb) = (tempfile::tempdir().unwrap(), pair().3);
    let (mut ja, _) = open(dir.path(), "serverdb");
    append(&mut ja, 1..=1);
    let pkcs8 = fs::read(dir.path().join("keys/events.pk8")).unwrap();
    let text = String::from_utf8(rows(&mut ja, 0)[0].as_bytes().to_vec()).unwrap();
    let body = text
        .split(",\"hash\"")
        .next()
        .unwrap()
        .replace("\"node\":\"serverdb\"", "\"node\":\"../x\"");
    let error = jb.import(&[RawRow::new(seal(&body, &pkcs8))]).unwrap_err();
    assert_eq!(error.code(), "IMPORT_BAD_NAME");
}

#[test]
fn a_copy_never_knows_more_than_the_disk() {
    let (a, _b, mut ja, mut jb) = pair();
    append(&mut ja, 1..=1);
    ja.append(event(2), Durability::Lazy).unwrap();
    jb.import(&rows(&mut ja, 0)).unwrap();
    // The next row says how far the disk was known to be: past what was copied.
    ja.append(event(3), Durability::Lazy).unwrap();
    let last = lines(&log_path(a.path(), &ja)).pop().unwrap();
    assert!(String::from_utf8(last).unwrap().contains("\"synced\":2"));
}

#[test]
fn a_copy_torn_by_a_crash_is_cut_and_copied_again() {
    let (a, b, mut ja, mut jb) = pair();
    append(&mut ja, 1..=3);
    copy(&mut ja, &mut jb, 10);
    drop(jb);
    let copied = b
        .path()
        .join("events")
        .join(log_path(a.path(), &ja).file_name().unwrap());
    let bytes = fs::read(&copied).unwrap();
    fs::write(&copied, &bytes[..bytes.len() - 20]).unwrap();
    let (mut jb, report) = open(b.path(), "backup");
    assert!(report.torn_bytes > 0 && report.problems.is_empty());
    assert_eq!(numbers(&jb), [1, 2]);
    copy(&mut ja, &mut jb, 10);
    assert_eq!(fs::read(&copied).unwrap(), bytes);
}

#[test]
fn a_row_changed_under_the_running_agent_is_not_passed_on() {
    let (a, _b, mut ja, _jb) = pair();
    append(&mut ja, 1..=3);
    let path = log_path(a.path(), &ja);
    let mut bytes = fs::read(&path).unwrap();
    bytes[40] ^= 1;
    // In place, as a disk error would.
    use std::os::unix::fs::FileExt;
    fs::OpenOptions::new()
        .write(true)
        .open(&path)
        .unwrap()
        .write_all_at(&bytes, 0)
        .unwrap();
    let (node, inc) = (ja.node().clone(), ja.incarnation());
    let error = ja.rows_after(&node, inc, 0, 10).unwrap_err();
    assert_eq!(error.code(), "JOURNAL_CHANGED");
    assert_eq!(numbers(&ja), [2, 3]);
}

#[test]
fn what_is_left_behind_the_tail_of_a_copy_is_cut_off_before_rows_are_written() {
    let (a, b, mut ja, mut jb) = pair();
    append(&mut ja, 1..=1);
    copy(&mut ja, &mut jb, 10);
    let copied = b
        .path()
        .join("events")
        .join(log_path(a.path(), &ja).file_name().unwrap());
    let mut half = fs::read(&copied).unwrap();
    half.extend(b"half a row ".repeat(500));
    use std::os::unix::fs::FileExt;
    fs::OpenOptions::new()
        .write(true)
        .open(&copied)
        .unwrap()
        .write_all_at(&half, 0)
        .unwrap();
    append(&mut ja, 2..=2);
    copy(&mut ja, &mut jb, 10);
    assert_eq!(lines(&copied), lines(&log_path(a.path(), &ja)));
}

#[test]
fn unknown_logs_have_no_rows() {
    let (_a, _b, mut ja, _jb) = pair();
    assert_eq!(
        ja.rows_after(&NodeName::from("nobody"), 1, 0, 10).unwrap(),
        []
    );
    assert_eq!(ja.heads(), Heads::new());
    append(&mut ja, 1..=2);
    let (node, inc) = (ja.node().clone(), ja.incarnation());
    assert_eq!(ja.rows_after(&node, inc, 2, 10).unwrap(), []);
    assert_eq!(ja.rows_after(&node, inc, u64::MAX, 10).unwrap(), []);
}

#[test]
fn nothing_new_is_taken_from_a_machine_that_was_replaced() {
    let (_a, b, mut ja, mut jb) = pair();
    append(&mut ja, 1..=3);
    jb.import(&rows(&mut ja, 0)).unwrap();
    let node = NodeName::from("serverdb");
    jb.retire(&node).unwrap();
    append(&mut ja, 4..=4);
    let refused = jb.import(&rows(&mut ja, 3)).unwrap_err();
    assert!(
        matches!(refused, ImportError::UntrustedKey { .. }),
        "{refused}"
    );
    // What it wrote before is still read and verified.
    assert_eq!(numbers(&jb), [1, 2, 3]);
    assert_eq!(verify_dir(b.path(), jb.trusted()).problems, []);
    // Also after a restart; and a new machine's key is another one.
    let key = ja.public_key();
    drop(jb);
    let (mut jb, _) = open(b.path(), "backup");
    assert!(jb.is_retired(&node, &key));
    assert!(jb.import(&rows(&mut ja, 3)).is_err());
    let c = tempfile::tempdir().unwrap();
    let later = TestClock::at(START + 60_000_000);
    let (mut jc, _) = open_at(c.path(), "serverdb", &later);
    append(&mut jc, 5..=5);
    jb.trust(&node, jc.public_key()).unwrap();
    jb.import(&rows(&mut jc, 0)).unwrap();
    assert!(numbers(&jb).contains(&5));
}
