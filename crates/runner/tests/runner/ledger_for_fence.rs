//! The mandate of a service for a fence that hits it: minted above all, or shared with a run that leaves the victim
//! alone.

use crate::common;
use crate::common::{
    Book, ME, OTHER, admitted, assert_conflict, assert_superseded, epoch, ledger, step,
};
use siaga_model::event::EventBody;
use siaga_model::plan::{Action, MandatedPlan, MoveKind, Placement};
use siaga_model::{Epoch, NodeName, RunId};
use siaga_runner::ledger::{ForFence, Ledger, LedgerError};

/// The run of this service, whose number is its plan's mandate's.
const OWN_RUN: &str = "run1";
/// The run of the other service, which fences.
const FENCING: &str = "run9";

fn mint(ledger: &mut Ledger, elsewhere: &[Epoch], live: &[&str]) -> Result<Epoch, LedgerError> {
    let (victim, run) = (NodeName::from(OTHER), RunId::from(FENCING));
    let asked = ForFence {
        victim: &victim,
        run: &run,
        elsewhere,
        answers_for: true,
        is_live: &|run| live.contains(&run.as_str()),
    };
    ledger.mandate_for_fence(&mut Book::default(), &asked)
}

fn minted(counter: u64) -> Epoch {
    Epoch {
        run: FENCING.into(),
        ..epoch(counter, ME)
    }
}

/// A plan of this service under that mandate: `node` has something to do.
fn plan_on(node: &str, epoch: &Epoch) -> MandatedPlan {
    let steps = vec![
        step(0, ME, Action::Enlist, &[]),
        step(1, node, Action::Enlist, &[]),
    ];
    let goal = Placement::ActiveOn(ME.into());
    common::plan_of(epoch, MoveKind::Takeover, goal, steps)
}

fn begun(plan: MandatedPlan) -> Ledger {
    let mut ledger = ledger(&[]);
    ledger
        .begin(&mut Book::default(), plan, Vec::new())
        .unwrap();
    ledger
}

#[test]
fn it_is_minted_above_every_epoch_and_durable() {
    let mut ledger = ledger(&[admitted(&epoch(4, OTHER))]);
    let mut book = Book::default();
    let (victim, run) = (NodeName::from(OTHER), RunId::from(FENCING));
    let asked = ForFence {
        victim: &victim,
        run: &run,
        elsewhere: &[epoch(7, OTHER)],
        answers_for: true,
        is_live: &|_| false,
    };
    let epoch = ledger.mandate_for_fence(&mut book, &asked).unwrap();
    assert_eq!(epoch, minted(8));
    let row = EventBody::FenceMandateMinted {
        epoch: epoch.clone(),
        victim,
    };
    assert_eq!(book.rows(), [row]);
    // Nothing older is obeyed here any more, also after a restart.
    for ledger in [ledger, common::ledger(&book.rows())] {
        assert_superseded(ledger.obey(&common::epoch(7, OTHER)));
        assert_eq!(ledger.obey_fence(&epoch, &OTHER.into()), Ok(()));
    }
}

#[test]
fn what_could_not_be_written_is_not_minted() {
    let mut ledger = ledger(&[admitted(&epoch(4, OTHER))]);
    let mut book = Book::default();
    book.fail();
    let (victim, run) = (NodeName::from(OTHER), RunId::from(FENCING));
    let asked = ForFence {
        victim: &victim,
        run: &run,
        elsewhere: &[],
        answers_for: true,
        is_live: &|_| false,
    };
    let failed = ledger.mandate_for_fence(&mut book, &asked);
    assert!(matches!(failed, Err(LedgerError::Log(_))));
    assert_eq!(ledger.obey(&epoch(4, OTHER)), Ok(()));
}

#[test]
fn a_live_run_that_leaves_the_victim_alone_shares_its_mandate() {
    let own = epoch(5, ME);
    let mut ledger = begun(plan_on(ME, &own));
    assert_eq!(mint(&mut ledger, &[], &[OWN_RUN]), Ok(own.clone()));
    assert_eq!(ledger.obey(&own), Ok(()), "its own mandate still stands");
}

#[test]
fn a_run_that_is_over_shares_nothing() {
    let mut ledger = begun(plan_on(ME, &epoch(5, ME)));
    assert_eq!(mint(&mut ledger, &[], &[]), Ok(minted(6)));
}

#[test]
fn a_mandate_that_another_node_has_overtaken_is_not_shared() {
    for above in [epoch(6, OTHER), epoch(5, OTHER)] {
        let mut ledger = begun(plan_on(ME, &epoch(5, ME)));
        let next = above.counter + 1;
        assert_eq!(mint(&mut ledger, &[above], &[OWN_RUN]), Ok(minted(next)));
    }
}

#[test]
fn a_live_run_that_acts_on_the_victim_refuses() {
    let own = epoch(5, ME);
    let mut ledger = begun(plan_on(OTHER, &own));
    let refused = mint(&mut ledger, &[], &[OWN_RUN]);
    let there = LedgerError::RunThere {
        run: OWN_RUN.into(),
        node: OTHER.into(),
    };
    assert_eq!(refused, Err(there));
    assert_eq!(ledger.obey(&own), Ok(()), "nothing was minted over it");
}

#[test]
fn two_runs_that_fence_one_node_share_the_mandate_of_a_third_service() {
    let mut ledger = ledger(&[]);
    let first = mint(&mut ledger, &[], &[]).unwrap();
    assert_eq!(mint(&mut ledger, &[], &[FENCING]), Ok(first.clone()));
    // Once the first run is over, its mandate is an old one.
    assert_eq!(mint(&mut ledger, &[], &[]), Ok(minted(2)));
    assert_eq!(ledger.obey_fence(&first, &OTHER.into()), Ok(()));
}

#[test]
fn a_mandate_for_the_fence_of_one_node_stands_for_no_other() {
    let mut ledger = ledger(&[]);
    let first = mint(&mut ledger, &[], &[]).unwrap();
    mint(&mut ledger, &[], &[]).unwrap();
    assert_superseded(ledger.obey_fence(&first, &ME.into()));
}

#[test]
fn a_later_own_run_voids_the_fence_only_where_it_acts_on_the_victim() {
    for (node, stands) in [(ME, true), (OTHER, false)] {
        let mut ledger = ledger(&[]);
        let for_fence = mint(&mut ledger, &[], &[]).unwrap();
        let plan = plan_on(node, &epoch(2, ME));
        ledger
            .begin(&mut Book::default(), plan, Vec::new())
            .unwrap();
        let held = ledger.obey_fence(&for_fence, &OTHER.into());
        assert_eq!(held.is_ok(), stands, "{node}: {held:?}");
    }
}

#[test]
fn a_later_run_of_another_node_voids_the_fence() {
    let mut ledger = ledger(&[]);
    let for_fence = mint(&mut ledger, &[], &[]).unwrap();
    // Its plan does not act on the victim either; but it is another node's.
    let plan = plan_on(ME, &epoch(2, OTHER));
    ledger.admit(&mut Book::default(), &plan).unwrap();
    assert_superseded(ledger.obey_fence(&for_fence, &OTHER.into()));
}

#[test]
fn equal_mandates_of_two_issuers_fence_nothing() {
    let mut ledger = ledger(&[]);
    let for_fence = mint(&mut ledger, &[], &[]).unwrap();
    let plan = plan_on(ME, &epoch(1, OTHER));
    assert!(ledger.admit(&mut Book::default(), &plan).is_err());
    assert_conflict(ledger.obey_fence(&for_fence, &OTHER.into()));
    // And whoever mints next goes above both.
    assert_eq!(mint(&mut ledger, &[], &[FENCING]), Ok(minted(2)));
}
