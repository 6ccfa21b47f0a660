//! The record on the disk set, read after the mount: what it makes a node do.

use crate::common::{
    Desk, ME, OTHER, admitted, assert_conflict, assert_superseded, epoch, failure, run_id,
};
use siaga_model::Epoch;
use siaga_model::event::EventBody;
use siaga_model::plan::Action;
use siaga_model::run::FailureKind;

fn five() -> Epoch {
    epoch(5, ME)
}

/// A node that obeys mandate 5.
fn desk() -> Desk {
    Desk::new(&[admitted(&five())])
}

#[test]
fn an_older_record_on_the_disk_set_is_written_over() {
    for on_disk in [None, Some(epoch(4, OTHER)), Some(five())] {
        let desk = desk();
        desk.hands.script().disk_epoch = on_disk;
        assert!(desk.carry(&five(), Action::Mount).outcome.is_done());
        assert_eq!(desk.hands.script().disk_epoch, Some(five()));
        assert_eq!(
            desk.hands.calls(),
            ["mount", "read_disk_epoch", "write_disk_epoch"]
        );
        assert!(desk.book.writes().is_empty());
    }
}

/// What is left of a superseded mount is another node's: it must not be gone on with later.
const LETS_GO: [&str; 4] = ["mount", "read_disk_epoch", "unmount", "disown"];

#[test]
fn a_newer_record_on_the_disk_set_makes_the_node_let_go_and_remember() {
    let desk = desk();
    desk.hands.script().disk_epoch = Some(epoch(9, OTHER));
    let report = desk.carry(&five(), Action::Mount);
    assert_eq!(failure(&report).kind, FailureKind::Superseded);
    assert_eq!(desk.hands.calls(), LETS_GO);
    assert_eq!(desk.hands.script().disk_epoch, Some(epoch(9, OTHER)));
    assert_eq!(
        desk.book.rows(),
        [EventBody::EpochSeen {
            epoch: epoch(9, OTHER)
        }]
    );
    let bench = desk.bench.lock();
    assert_superseded(bench.ledger.obey(&five()));
    assert_eq!(
        bench
            .ledger
            .next_epoch(&run_id(), &[], true)
            .unwrap()
            .counter,
        10
    );
}

#[test]
fn an_equal_record_of_another_issuer_makes_the_node_let_go_and_voids_both() {
    let desk = desk();
    desk.hands.script().disk_epoch = Some(epoch(5, OTHER));
    let report = desk.carry(&five(), Action::Mount);
    assert_eq!(failure(&report).kind, FailureKind::Superseded);
    assert_eq!(desk.hands.calls(), LETS_GO);
    assert_eq!(
        desk.book.rows(),
        [EventBody::EpochSeen {
            epoch: epoch(5, OTHER)
        }]
    );
    let bench = desk.bench.lock();
    assert_conflict(bench.ledger.obey(&five()));
    assert_conflict(bench.ledger.obey(&epoch(5, OTHER)));
    assert_eq!(
        bench
            .ledger
            .next_epoch(&run_id(), &[], true)
            .unwrap()
            .counter,
        6
    );
}

#[test]
fn the_node_lets_go_also_where_the_newer_record_can_not_be_logged() {
    let desk = desk();
    desk.hands.script().disk_epoch = Some(epoch(9, OTHER));
    desk.book.fail();
    let report = desk.carry(&five(), Action::Mount);
    assert_eq!(failure(&report).kind, FailureKind::Log);
    assert_eq!(desk.hands.calls(), LETS_GO);
}

#[test]
fn letting_go_that_fails_is_reported_as_such() {
    let desk = desk();
    desk.hands.script().disk_epoch = Some(epoch(9, OTHER));
    desk.hands.fail("unmount", FailureKind::Busy);
    assert_eq!(
        failure(&desk.carry(&five(), Action::Mount)).kind,
        FailureKind::Busy
    );
    assert_eq!(desk.hands.calls(), LETS_GO);
    assert_superseded(desk.bench.lock().ledger.obey(&five()));
}

#[test]
fn a_mount_without_a_readable_and_writable_record_is_not_done() {
    for act in ["mount", "read_disk_epoch", "write_disk_epoch"] {
        let desk = desk();
        desk.hands.fail(act, FailureKind::Io);
        assert_eq!(
            failure(&desk.carry(&five(), Action::Mount)).kind,
            FailureKind::Io,
            "{act}"
        );
        assert_eq!(desk.hands.calls().last().map(String::as_str), Some(act));
        assert_eq!(desk.hands.script().disk_epoch, None);
    }
}

// --- the address and the client
