//! Which mandate is in force on a node: minting, admitting, remembering, obeying.

use crate::common::{
    BOOT, Book, ME, OTHER, admitted, assert_conflict, assert_superseded, assert_void, epoch,
    ledger, plan, promise, run_id, service,
};
use siaga_model::event::EventBody;
use siaga_runner::ledger::{Ledger, LedgerError};

fn seen(counter: u64, issuer: &str) -> EventBody {
    EventBody::EpochSeen {
        epoch: epoch(counter, issuer),
    }
}

#[test]
fn the_first_mandate_is_number_one() {
    let minted = ledger(&[]).next_epoch(&run_id(), &[], true).unwrap();
    assert_eq!(minted, epoch(1, ME));
}

#[test]
fn a_mandate_is_minted_above_every_epoch_of_the_own_journal() {
    for own in [
        admitted(&epoch(7, OTHER)),
        seen(7, OTHER),
        EventBody::MandateMinted {
            epoch: epoch(7, ME),
        },
    ] {
        let minted = ledger(&[own, seen(3, OTHER)]).next_epoch(&run_id(), &[epoch(2, OTHER)], true);
        assert_eq!(minted.unwrap().counter, 8);
    }
}

#[test]
fn a_mandate_is_minted_above_every_epoch_of_the_peer_and_the_disk_set() {
    let ledger = ledger(&[admitted(&epoch(2, ME))]);
    for elsewhere in [
        [epoch(9, OTHER), epoch(4, OTHER)],
        [epoch(4, OTHER), epoch(9, ME)],
    ] {
        assert_eq!(
            ledger
                .next_epoch(&run_id(), &elsewhere, true)
                .unwrap()
                .counter,
            10
        );
    }
}

#[test]
fn a_node_that_lost_its_journal_mints_only_when_somebody_answers_for_the_peer() {
    let lost = Ledger::replay(ME.into(), BOOT.into(), service(), true, [].iter());
    assert!(lost.facts().journal_lost);
    let refused = lost.next_epoch(&run_id(), &[epoch(4, OTHER)], false);
    assert_eq!(refused, Err(LedgerError::JournalLost));
    assert_eq!(
        lost.next_epoch(&run_id(), &[epoch(4, OTHER)], true)
            .unwrap()
            .counter,
        5
    );
    // A whole journal needs nobody.
    assert_eq!(
        ledger(&[])
            .next_epoch(&run_id(), &[], false)
            .unwrap()
            .counter,
        1
    );
}

#[test]
fn a_lost_journal_is_whole_again_once_a_mandate_above_all_is_durable() {
    let mut lost = Ledger::replay(ME.into(), BOOT.into(), service(), true, [].iter());
    let mut book = Book::default();
    book.fail();
    assert!(matches!(
        lost.begin(&mut book, plan(&epoch(5, ME)), vec![]),
        Err(LedgerError::Log(_))
    ));
    assert!(lost.facts().journal_lost);
    lost.begin(&mut Book::default(), plan(&epoch(5, ME)), vec![])
        .unwrap();
    assert!(!lost.facts().journal_lost);
    assert_eq!(lost.next_epoch(&run_id(), &[], false).unwrap().counter, 6);
}

#[test]
fn a_plan_its_mandate_and_its_run_are_written_at_once_before_they_count() {
    let (mut own, mut book) = (ledger(&[admitted(&epoch(1, OTHER))]), Book::default());
    let extra = EventBody::RunInterrupted {
        why: "stands for the accepted run".into(),
    };
    own.begin(&mut book, plan(&epoch(2, ME)), vec![extra.clone()])
        .unwrap();
    let minted = EventBody::MandateMinted {
        epoch: epoch(2, ME),
    };
    let recorded = EventBody::PlanRecorded {
        plan: Box::new(plan(&epoch(2, ME))),
    };
    assert_eq!(book.writes(), [vec![extra, minted, recorded]]);
    assert_eq!(own.obey(&epoch(2, ME)), Ok(()));
    assert_eq!(own.plan(), Some(&plan(&epoch(2, ME))));
}

#[test]
fn a_plan_that_could_not_be_written_does_not_count() {
    let mut own = ledger(&[admitted(&epoch(1, OTHER))]);
    let (before, mut book) = (own.clone(), Book::default());
    book.fail();
    assert!(matches!(
        own.begin(&mut book, plan(&epoch(2, ME)), vec![]),
        Err(LedgerError::Log(_))
    ));
    assert_eq!(own, before);
}

#[test]
fn a_plan_under_a_mandate_that_is_not_the_newest_is_not_begun() {
    let (mut own, mut book) = (ledger(&[admitted(&epoch(5, OTHER))]), Book::default());
    assert_superseded(own.begin(&mut book, plan(&epoch(4, ME)), vec![]));
    assert_superseded(own.begin(&mut book, plan(&epoch(5, OTHER)), vec![]));
    assert_conflict(own.begin(&mut book, plan(&epoch(5, ME)), vec![]));
    assert!(book.writes().is_empty());
}

#[test]
fn a_newer_mandate_is_written_and_then_obeyed_and_the_older_no_more() {
    let (mut own, mut book) = (ledger(&[admitted(&epoch(1, OTHER))]), Book::default());
    own.admit(&mut book, &plan(&epoch(2, OTHER))).unwrap();
    let recorded = EventBody::PlanRecorded {
        plan: Box::new(plan(&epoch(2, OTHER))),
    };
    assert_eq!(book.writes(), [vec![admitted(&epoch(2, OTHER)), recorded]]);
    assert_eq!(own.obey(&epoch(2, OTHER)), Ok(()));
    assert_superseded(own.obey(&epoch(1, OTHER)));
    assert_eq!(own.plan(), Some(&plan(&epoch(2, OTHER))));
    // The same after a restart.
    assert_eq!(ledger(&book.rows()), own);
}

#[test]
fn a_mandate_that_could_not_be_written_is_not_obeyed() {
    let mut own = ledger(&[admitted(&epoch(1, OTHER))]);
    let (before, mut book) = (own.clone(), Book::default());
    book.fail();
    let refused = own.admit(&mut book, &plan(&epoch(2, OTHER)));
    assert!(matches!(refused, Err(LedgerError::Log(_))), "{refused:?}");
    assert_superseded(own.obey(&epoch(2, OTHER)));
    assert_eq!(own.obey(&epoch(1, OTHER)), Ok(()));
    assert_eq!(own, before);
}

#[test]
fn an_older_mandate_is_refused_and_leaves_no_trace() {
    let mut own = ledger(&[admitted(&epoch(3, OTHER))]);
    let (before, mut book) = (own.clone(), Book::default());
    assert_superseded(own.admit(&mut book, &plan(&epoch(2, OTHER))));
    assert_eq!((own, book.writes().len()), (before, 0));
}

#[test]
fn the_same_mandate_again_writes_nothing() {
    let (mut own, mut book) = (ledger(&[]), Book::default());
    own.admit(&mut book, &plan(&epoch(3, OTHER))).unwrap();
    let before = own.clone();
    // Not even a full log stands in the way.
    book.fail();
    own.admit(&mut book, &plan(&epoch(3, OTHER))).unwrap();
    assert_eq!((own, book.writes().len()), (before, 1));
}

#[test]
fn a_mandate_that_was_never_admitted_is_not_obeyed() {
    assert_void(
        ledger(&[]).obey(&epoch(1, OTHER)),
        OTHER,
        "MandateNeverAdmitted",
    );
    let own = ledger(&[admitted(&epoch(1, OTHER))]);
    assert_superseded(own.obey(&epoch(2, OTHER)));
}

#[test]
fn equal_counters_from_two_issuers_void_both() {
    let (mut own, mut book) = (ledger(&[admitted(&epoch(5, ME))]), Book::default());
    assert_conflict(own.admit(&mut book, &plan(&epoch(5, OTHER))));
    assert_eq!(book.rows(), [seen(5, OTHER)]);
    let again = ledger(&[admitted(&epoch(5, ME)), seen(5, OTHER)]);
    assert_eq!(own, again);
    for own in [&own, &again] {
        assert_conflict(own.obey(&epoch(5, ME)));
        assert_conflict(own.obey(&epoch(5, OTHER)));
        assert_eq!(own.next_epoch(&run_id(), &[], true).unwrap().counter, 6);
    }
    // Neither comes back by being offered again.
    assert!(own.admit(&mut book, &plan(&epoch(5, ME))).is_err());
    assert!(own.admit(&mut book, &plan(&epoch(5, OTHER))).is_err());
    assert_conflict(own.obey(&epoch(5, ME)));
    // A higher one ends it.
    own.admit(&mut book, &plan(&epoch(6, OTHER))).unwrap();
    assert_eq!(own.obey(&epoch(6, OTHER)), Ok(()));
}

#[test]
fn one_issuer_with_two_runs_is_two_issuers() {
    let mut other_run = epoch(5, ME);
    other_run.run = "run2".into();
    let (mut own, mut book) = (ledger(&[admitted(&epoch(5, ME))]), Book::default());
    assert_conflict(own.obey(&other_run));
    assert_conflict(own.admit(&mut book, &plan(&other_run)));
    assert_conflict(own.obey(&epoch(5, ME)));
}

#[test]
fn a_conflict_that_could_not_be_written_is_refused_all_the_same() {
    let mut own = ledger(&[admitted(&epoch(5, ME))]);
    let (before, mut book) = (own.clone(), Book::default());
    book.fail();
    let refused = own.admit(&mut book, &plan(&epoch(5, OTHER)));
    assert!(matches!(refused, Err(LedgerError::Log(_))), "{refused:?}");
    assert_eq!(own, before);
}

#[test]
fn a_newer_epoch_met_elsewhere_ends_the_own_mandate() {
    let (mut own, mut book) = (ledger(&[admitted(&epoch(5, ME))]), Book::default());
    own.remember(&mut book, &epoch(6, OTHER)).unwrap();
    assert_eq!(book.rows(), [seen(6, OTHER)]);
    assert_superseded(own.obey(&epoch(5, ME)));
    assert_eq!(own.facts().highest, Some(epoch(6, OTHER)));
    assert_eq!(own.next_epoch(&run_id(), &[], true).unwrap().counter, 7);
}

#[test]
fn an_equal_epoch_met_elsewhere_voids_the_own_mandate() {
    let (mut own, mut book) = (ledger(&[admitted(&epoch(5, ME))]), Book::default());
    own.remember(&mut book, &epoch(5, OTHER)).unwrap();
    assert_eq!(book.rows(), [seen(5, OTHER)]);
    assert_conflict(own.obey(&epoch(5, ME)));
}

#[test]
fn an_epoch_that_says_nothing_new_is_not_written() {
    let mut own = ledger(&[admitted(&epoch(5, ME))]);
    let (before, mut book) = (own.clone(), Book::default());
    own.remember(&mut book, &epoch(4, OTHER)).unwrap();
    own.remember(&mut book, &epoch(5, ME)).unwrap();
    assert_eq!((own, book.writes().len()), (before, 0));
}

#[test]
fn an_epoch_that_could_not_be_written_is_not_remembered() {
    let mut own = ledger(&[admitted(&epoch(5, ME))]);
    let (before, mut book) = (own.clone(), Book::default());
    book.fail();
    assert!(matches!(
        own.remember(&mut book, &epoch(6, OTHER)),
        Err(LedgerError::Log(_))
    ));
    assert_eq!(own, before);
}

#[test]
fn the_journal_of_a_node_holds_its_own_promises_only() {
    let own = ledger(&[admitted(&epoch(5, OTHER)), promise(OTHER, &epoch(5, OTHER))]);
    assert_eq!(own.facts().promise, None);
    let own = ledger(&[admitted(&epoch(5, OTHER)), promise(ME, &epoch(5, OTHER))]);
    assert_eq!(own.facts().promise.map(|p| p.epoch), Some(epoch(5, OTHER)));
}
