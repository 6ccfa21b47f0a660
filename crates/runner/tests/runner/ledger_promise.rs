//! A promise is asked for once more right before the take: a node that booted again, took back or holds something voids
//! it, and silence is believed only for a moment. What the taker may go on with depends on who took last.

use crate::common;
use crate::common::hands::{ScriptedHands, standing};
use crate::common::{
    Book, ME, OTHER, admitted, assert_void, epoch, fenced, ledger, promise, released,
};
use siaga_model::config::FenceKind;
use siaga_model::event::EventBody;
use siaga_model::observation::{Holding, LastTake, PromiseFacts};
use siaga_model::proof::ProofRecord;
use siaga_model::refusal::Sentence;
use siaga_model::{Epoch, NodeName};
use siaga_runner::ledger::{Ledger, LedgerError};
use siaga_runner::permit::TakePermit;
use siaga_runner::verify::Heard;
use std::time::Duration;

fn five() -> Epoch {
    epoch(5, ME)
}

/// A take under mandate 5, of a node whose journal holds `events`.
fn take(
    events: &[EventBody],
    hands: &ScriptedHands,
    proof: ProofRecord,
    heard: &[Heard],
) -> Result<TakePermit, LedgerError> {
    let mut all = events.to_vec();
    all.push(admitted(&five()));
    take_with(&mut ledger(&all), hands, proof, heard)
}

fn take_with(
    ledger: &mut Ledger,
    hands: &ScriptedHands,
    proof: ProofRecord,
    heard: &[Heard],
) -> Result<TakePermit, LedgerError> {
    let others = [NodeName::from(OTHER)];
    ledger.authorise_take(
        &mut Book::default(),
        hands,
        &others,
        &five(),
        &[proof],
        heard,
    )
}

fn answering(change: impl FnOnce(&mut PromiseFacts)) -> ScriptedHands {
    let hands = ScriptedHands::default();
    let mut facts = standing(&five());
    change(&mut facts);
    hands.script().promise = Some(facts);
    hands
}

fn silent() -> ScriptedHands {
    let hands = ScriptedHands::default();
    hands.script().promise = None;
    hands
}

#[track_caller]
fn sign(result: Result<TakePermit, LedgerError>) -> Sentence {
    match result {
        Err(LedgerError::ProofVoid {
            witness: Some(sign),
            ..
        }) => *sign,
        other => panic!("not contradicted: {other:?}"),
    }
}

#[test]
fn the_node_that_let_go_is_asked_before_the_take() {
    let hands = ScriptedHands::default();
    take(&[], &hands, released(OTHER, &five()), &[]).unwrap();
    assert_eq!(hands.script().asked_promise, [NodeName::from(OTHER)]);
}

#[test]
fn a_node_that_booted_again_did_not_promise_for_that_boot() {
    let hands = answering(|f| f.boot = "boot-2".into());
    let said = sign(take(&[], &hands, released(OTHER, &five()), &[]));
    assert_eq!(said, Sentence::NodeRebooted { node: OTHER.into() });
    // Nor is a promise of no known boot one, nor another node's.
    let of_no_boot = ProofRecord {
        boot: None,
        ..released(OTHER, &five())
    };
    let hands = ScriptedHands::default();
    assert_void(take(&[], &hands, of_no_boot, &[]), OTHER, "PromiseBroken");
    let hands = answering(|f| f.node = "third".into());
    let taken = take(&[], &hands, released(OTHER, &five()), &[]);
    assert_void(taken, OTHER, "PromiseBroken");
}

#[test]
fn a_node_that_obeys_another_mandate_or_took_back_voids_its_promise() {
    let six = epoch(6, OTHER);
    let hands = answering(|f| f.highest = Some(six.clone()));
    assert_eq!(
        sign(take(&[], &hands, released(OTHER, &five()), &[])),
        Sentence::RefusedSuperseded {
            offered: five(),
            in_force: six
        }
    );
    let gone = Sentence::PromiseGone { node: OTHER.into() };
    let hands = answering(|f| f.promise = None);
    assert_eq!(sign(take(&[], &hands, released(OTHER, &five()), &[])), gone);
    let hands = answering(|f| {
        if let Some(promise) = &mut f.promise {
            promise.epoch = epoch(4, ME);
        }
    });
    assert_eq!(sign(take(&[], &hands, released(OTHER, &five()), &[])), gone);
}

#[test]
fn a_node_that_holds_something_or_can_not_tell_voids_its_promise() {
    let by = vec![siaga_model::Holder::from("a mount")];
    let hands = answering(|f| f.disk = Holding::Held { by: by.clone() });
    assert_eq!(
        sign(take(&[], &hands, released(OTHER, &five()), &[])),
        Sentence::NodeHolds {
            node: OTHER.into(),
            by
        }
    );
    let hands = answering(|f| f.disk = Holding::Unknown { why: "cut".into() });
    assert!(matches!(
        sign(take(&[], &hands, released(OTHER, &five()), &[])),
        Sentence::NodeHoldingUnknown { .. }
    ));
}

#[test]
fn silence_is_believed_only_while_the_promise_is_fresh() {
    let heard = |ago: Duration| Heard {
        epoch: five(),
        node: OTHER.into(),
        at: Duration::from_secs(1_000) - ago,
    };
    let proof = || released(OTHER, &five());
    let fresh = [heard(Duration::from_secs(5))];
    assert!(take(&[], &silent(), proof(), &fresh).is_ok());
    let old = [heard(Duration::from_millis(5_001))];
    assert_eq!(
        sign(take(&[], &silent(), proof(), &old)),
        Sentence::PromiseUnheard {
            node: OTHER.into(),
            age_ms: Some(5_001)
        }
    );
    // Heard by a process that is gone, of another node, or for another mandate: not heard.
    let another = Heard {
        node: "third".into(),
        ..heard(Duration::ZERO)
    };
    let older = Heard {
        epoch: epoch(4, ME),
        ..heard(Duration::ZERO)
    };
    for heard in [vec![], vec![another], vec![older]] {
        assert_eq!(
            sign(take(&[], &silent(), proof(), &heard)),
            Sentence::PromiseUnheard {
                node: OTHER.into(),
                age_ms: None
            }
        );
    }
}

fn took(counter: u64) -> EventBody {
    EventBody::ProofUsed {
        proof: released(OTHER, &epoch(counter, ME)),
    }
}

fn under(counter: u64) -> LastTake {
    LastTake::Under {
        epoch: epoch(counter, OTHER),
    }
}

#[test]
fn what_is_still_here_is_gone_on_with_only_where_nobody_else_took_since() {
    let cases = [
        (vec![took(3)], LastTake::Never, true),
        (vec![took(3)], under(2), true),
        (vec![took(3)], under(4), false),
        (vec![took(3)], LastTake::Unknown, false),
        (vec![], LastTake::Never, false),
    ];
    for (events, theirs, may_adopt) in cases {
        let hands = answering(|f| f.last_take = theirs.clone());
        let permit = take(&events, &hands, released(OTHER, &five()), &[]).unwrap();
        assert_eq!(permit.may_adopt(), may_adopt, "{events:?} {theirs:?}");
    }
    // A fenced node may have taken at any time before, and a silent one too.
    let proof = fenced(OTHER, &five(), FenceKind::Fabric);
    let permit = take(&[took(3)], &ScriptedHands::default(), proof, &[]).unwrap();
    assert!(!permit.may_adopt());
    let heard = Heard {
        epoch: five(),
        node: OTHER.into(),
        at: Duration::from_secs(1_000),
    };
    let permit = take(&[took(3)], &silent(), released(OTHER, &five()), &[heard]).unwrap();
    assert!(!permit.may_adopt());
}

#[test]
fn a_node_that_lost_its_journal_does_not_know_what_it_took() {
    let lost = [admitted(&five())];
    let mut ledger = Ledger::replay(
        ME.into(),
        common::BOOT.into(),
        common::service(),
        true,
        lost.iter(),
    );
    ledger.journal_found();
    assert_eq!(ledger.facts().last_take, LastTake::Unknown);
    let mut new = ledger.clone();
    new.is_new_here();
    assert_eq!(new.facts().last_take, LastTake::Never);
    let hands = answering(|f| f.last_take = LastTake::Never);
    let permit = take_with(&mut ledger, &hands, released(OTHER, &five()), &[]).unwrap();
    assert!(!permit.may_adopt());
    // Its own takes are known again from here on.
    assert!(matches!(ledger.facts().last_take, LastTake::Under { .. }));
}

/// The agent was restarted since: whether rows are missing is asked of nobody any more.
#[test]
fn takes_before_a_gap_in_the_log_are_not_the_last_ones_after_a_restart_either() {
    let before = || ledger(&[took(3), admitted(&five())]).after_a_gap(1);
    assert_eq!(before().facts().last_take, LastTake::Unknown);
    let hands = answering(|f| f.last_take = LastTake::Never);
    let permit = take_with(&mut before(), &hands, released(OTHER, &five()), &[]).unwrap();
    assert!(!permit.may_adopt());
    // One that came after it is.
    let since = ledger(&[took(3), took(4)]).after_a_gap(1);
    assert!(matches!(since.facts().last_take, LastTake::Under { epoch: e } if e.counter == 4));
}

/// A journal that was restored from a backup holds old takes, promises and mandates: none of them says what holds now.
#[test]
fn an_old_journal_that_was_restored_counts_for_nothing() {
    let old = [took(3), promise(ME, &epoch(4, OTHER))];
    let mut ledger = Ledger::replay(
        ME.into(),
        common::BOOT.into(),
        common::service(),
        true,
        old.iter(),
    );
    // It mints nothing above its old epochs by itself.
    assert_eq!(
        ledger.next_epoch(&"run".into(), &[], false),
        Err(LedgerError::JournalLost)
    );
    // It does not say that its old take was the last one, also when the peer's rows were read.
    assert_eq!(ledger.facts().last_take, LastTake::Unknown);
    ledger.journal_found();
    assert_eq!(ledger.facts().last_take, LastTake::Unknown);
    // The peer's take with the old promise as its proof is refused: another mandate is in force, and it is of another boot.
    let facts = ledger.facts();
    let hands = answering(|f| {
        f.promise = facts.promise.clone();
        f.highest = facts.highest.clone();
        f.last_take = facts.last_take.clone();
    });
    let refused = take(&[took(3)], &hands, released(OTHER, &five()), &[]);
    assert!(matches!(refused, Err(LedgerError::ProofVoid { .. })));
}

#[test]
fn a_promise_says_nothing_of_takes() {
    let facts = ledger(&[took(3), promise(ME, &epoch(4, OTHER))]).facts();
    assert_eq!(
        facts.last_take,
        LastTake::Under {
            epoch: epoch(3, ME)
        }
    );
}

#[test]
fn what_ran_before_the_first_mandate_is_adopted_and_nothing_later() {
    let run = "adopt-1".into();
    let mut book = Book::default();
    let mut first = ledger(&[]);
    assert!(!first.facts().adopted);
    let adopted = first.adopt(&mut book, &run).unwrap();
    assert_eq!((adopted.counter, adopted.issuer.as_str()), (1, ME));
    let facts = first.facts();
    assert!(facts.adopted);
    assert_eq!(
        facts.last_take,
        LastTake::Under {
            epoch: adopted.clone()
        }
    );
    // Once: what was adopted is under a mandate.
    assert_eq!(first.adopt(&mut book, &run), Err(LedgerError::NotTheFirst));
    // Any mandate of anybody's means that somebody may have taken it since.
    for event in [
        admitted(&epoch(1, OTHER)),
        EventBody::EpochSeen {
            epoch: epoch(1, OTHER),
        },
    ] {
        let mut later = ledger(&[event]);
        assert_eq!(later.adopt(&mut book, &run), Err(LedgerError::NotTheFirst));
    }
    // A node that lost its journal may have forgotten one.
    let mut lost = Ledger::replay(
        ME.into(),
        "boot-1".into(),
        common::service(),
        true,
        std::iter::empty(),
    );
    assert_eq!(lost.adopt(&mut book, &run), Err(LedgerError::NotTheFirst));
}

#[test]
fn a_take_goes_on_with_what_was_adopted_and_ends_it() {
    let adopted = EventBody::Adopted {
        epoch: epoch(1, ME),
    };
    let never = answering(|f| f.last_take = LastTake::Never);
    let mut all = vec![adopted];
    all.push(admitted(&five()));
    let mut here = ledger(&all);
    let permit = take_with(&mut here, &never, released(OTHER, &five()), &[]).unwrap();
    assert!(
        permit.may_adopt(),
        "the other never took: this is the newest there is"
    );
    assert!(
        !here.facts().adopted,
        "from the first run on it is placed by Siaga"
    );
    // Where the other can't say, nothing stale is gone on with.
    let unknown = answering(|f| f.last_take = LastTake::Unknown);
    let permit = take_with(&mut ledger(&all), &unknown, released(OTHER, &five()), &[]).unwrap();
    assert!(!permit.may_adopt());
}
