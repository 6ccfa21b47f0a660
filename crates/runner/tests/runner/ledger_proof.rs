//! What opens the way to the disk set: one verified, unused proof about every other node, under this very mandate.

use crate::common;
use crate::common::hands::{ScriptedHands, standing};
use crate::common::{
    Book, ME, OTHER, admitted, assert_conflict, assert_superseded, assert_void, attested, epoch,
    fenced, ledger, promise, released,
};
use siaga_model::config::FenceKind;
use siaga_model::event::EventBody;
use siaga_model::observation::FenceState;
use siaga_model::proof::{AttestKind, ProofRecord};
use siaga_model::refusal::Sentence;
use siaga_model::{Epoch, NodeName, UtcMicros};
use siaga_runner::hands::LifeQuestion;
use siaga_runner::ledger::{Ledger, LedgerError};
use siaga_runner::permit::TakePermit;
use siaga_runner::verify::Heard;

/// One node's ledger, log and hands, and a take under `epoch`.
struct Taker {
    ledger: Ledger,
    book: Book,
    hands: ScriptedHands,
    others: Vec<NodeName>,
    heard: Vec<Heard>,
}

impl Taker {
    fn new(events: &[EventBody]) -> Self {
        Self {
            ledger: ledger(events),
            book: Book::default(),
            hands: ScriptedHands::default(),
            others: vec![OTHER.into()],
            heard: Vec::new(),
        }
    }
    /// A node that obeys mandate 5.
    fn under_5() -> Self {
        Self::new(&[admitted(&epoch(5, ME))])
    }
    fn take(&mut self, epoch: &Epoch, proofs: &[ProofRecord]) -> Result<TakePermit, LedgerError> {
        let before = self.ledger.clone();
        let taken = self.ledger.authorise_take(
            &mut self.book,
            &self.hands,
            &self.others,
            epoch,
            proofs,
            &self.heard,
        );
        if taken.is_err() {
            assert_eq!(self.ledger, before, "a refused take changes nothing");
        }
        taken
    }
}

fn five() -> Epoch {
    epoch(5, ME)
}

#[test]
fn a_take_needs_a_proof_about_the_other_node() {
    let mut taker = Taker::under_5();
    assert_void(taker.take(&five(), &[]), OTHER, "NoProofUnderMandate");
    // One about somebody else, and one about the taker itself, are none.
    let wrong = [released("serverdb2", &five()), released(ME, &five())];
    assert_void(taker.take(&five(), &wrong), OTHER, "NoProofUnderMandate");
    assert!(taker.book.writes().is_empty());
}

#[test]
fn a_take_needs_a_proof_about_every_other_node() {
    let mut taker = Taker::under_5();
    taker.others.push("third".into());
    assert_void(
        taker.take(&five(), &[released(OTHER, &five())]),
        "third",
        "NoProofUnderMandate",
    );
    assert_void(
        taker.take(&five(), &[released("third", &five())]),
        OTHER,
        "NoProofUnderMandate",
    );
    let both = [released("third", &five()), released(OTHER, &five())];
    assert_eq!(taker.take(&five(), &both).unwrap().proofs().len(), 2);
}

#[test]
fn the_permit_says_what_it_is_for() {
    let mut taker = Taker::under_5();
    let permit = taker.take(&five(), &[released(OTHER, &five())]).unwrap();
    assert_eq!(
        (permit.service(), permit.epoch()),
        (&common::service(), &five())
    );
    assert_eq!(permit.proofs(), [released(OTHER, &five())]);
}

#[test]
fn the_use_of_a_proof_is_durable_before_there_is_a_permit() {
    let mut taker = Taker::under_5();
    taker.book.fail();
    let refused = taker.take(&five(), &[released(OTHER, &five())]);
    assert!(matches!(refused, Err(LedgerError::Log(_))), "{refused:?}");

    let mut taker = Taker::under_5();
    taker.take(&five(), &[released(OTHER, &five())]).unwrap();
    let used = EventBody::ProofUsed {
        proof: released(OTHER, &five()),
    };
    assert_eq!(taker.book.writes(), [vec![used]]);
}

#[test]
fn a_proof_made_under_another_mandate_opens_nothing() {
    let mut other_run = five();
    other_run.run = "run2".into();
    for strange in [epoch(4, ME), epoch(6, ME), epoch(5, OTHER), other_run] {
        let mut taker = Taker::under_5();
        assert_void(
            taker.take(&five(), &[released(OTHER, &strange)]),
            OTHER,
            "NoProofUnderMandate",
        );
    }
}

#[test]
fn a_proof_about_another_service_opens_nothing() {
    let mut taker = Taker::under_5();
    let strange = ProofRecord {
        service: "radiology".into(),
        ..released(OTHER, &five())
    };
    assert_void(
        taker.take(&five(), &[strange]),
        OTHER,
        "NoProofUnderMandate",
    );
}

#[test]
fn a_take_under_a_mandate_that_is_not_in_force_is_refused() {
    for (counter, in_force) in [(4, five()), (6, five())] {
        let mut taker = Taker::new(&[admitted(&in_force)]);
        let offered = epoch(counter, ME);
        assert_superseded(taker.take(&offered, &[released(OTHER, &offered)]));
    }
    let mut taker = Taker::new(&[]);
    assert_void(
        taker.take(&five(), &[released(OTHER, &five())]),
        ME,
        "MandateNeverAdmitted",
    );
    let mut taker = Taker::under_5();
    taker
        .ledger
        .remember(&mut taker.book, &epoch(5, OTHER))
        .unwrap();
    assert_conflict(taker.take(&five(), &[released(OTHER, &five())]));
}

#[test]
fn a_proof_is_used_once() {
    let mut taker = Taker::under_5();
    let proof = [released(OTHER, &five())];
    taker.take(&five(), &proof).unwrap();
    assert_void(taker.take(&five(), &proof), OTHER, "ProofUsedAlready");
    // Another ground, and another moment, are no second proof.
    let fresh = ProofRecord {
        at: UtcMicros(99),
        ..fenced(OTHER, &five(), FenceKind::Power)
    };
    assert_void(taker.take(&five(), &[fresh]), OTHER, "ProofUsedAlready");
    assert_eq!(taker.book.writes().len(), 1);
}

#[test]
fn a_used_proof_stays_used_after_a_restart() {
    let mut taker = Taker::under_5();
    let proof = [released(OTHER, &five())];
    taker.take(&five(), &proof).unwrap();
    let mut journal = vec![admitted(&five())];
    journal.extend(taker.book.rows());
    let mut taker = Taker::new(&journal);
    assert_void(taker.take(&five(), &proof), OTHER, "ProofUsedAlready");
    assert!(taker.book.writes().is_empty());
}

#[test]
fn who_let_go_to_a_mandate_does_not_take_under_it() {
    let mut taker = Taker::new(&[admitted(&five()), promise(ME, &five())]);
    assert_superseded(taker.take(&five(), &[released(OTHER, &five())]));
    assert_eq!(taker.ledger.facts().promise.map(|p| p.epoch), Some(five()));
}

#[test]
fn a_take_under_a_later_mandate_ends_the_promise() {
    let six = epoch(6, ME);
    let mut taker = Taker::new(&[admitted(&five()), promise(ME, &five()), admitted(&six)]);
    assert!(
        taker.ledger.facts().promise.is_some(),
        "a later mandate alone ends no promise"
    );
    taker.hands.script().promise = Some(standing(&six));
    taker.take(&six, &[released(OTHER, &six)]).unwrap();
    assert_eq!(taker.ledger.facts().promise, None);
}

#[test]
fn a_fence_is_asked_again_right_before_the_take() {
    let failed = FenceState::Failed {
        why: "no answer".into(),
    };
    for (state, why) in [(FenceState::Open, "FenceSaysOpen"), (failed, "no answer")] {
        for kind in [FenceKind::Power, FenceKind::Fabric] {
            let mut taker = Taker::under_5();
            taker.hands.script().fence_state = state.clone();
            assert_void(
                taker.take(&five(), &[fenced(OTHER, &five(), kind)]),
                OTHER,
                why,
            );
            assert_eq!(taker.hands.calls(), ["fence_state serverdb ipmi"]);
            assert!(taker.book.writes().is_empty());
        }
    }
}

/// The reservation must be the taker's own, under the very mandate: who reserved since may write now.
#[test]
fn a_reservation_is_read_again_under_the_mandate_of_the_proof() {
    let failed = FenceState::Failed {
        why: "no answer".into(),
    };
    let proof = fenced(OTHER, &five(), FenceKind::Reservation);
    for (state, why) in [(FenceState::Open, "FenceSaysOpen"), (failed, "no answer")] {
        let mut taker = Taker::under_5();
        taker.hands.script().fence_state = state;
        assert_void(
            taker.take(&five(), std::slice::from_ref(&proof)),
            OTHER,
            why,
        );
        assert_eq!(taker.hands.calls(), ["reservation 5"]);
        assert!(taker.book.writes().is_empty());
    }
    let mut taker = Taker::under_5();
    taker.take(&five(), &[proof]).unwrap();
}

/// Each ground with the question that is asked of the witnesses.
fn questions() -> Vec<(ProofRecord, LifeQuestion)> {
    let mut all = vec![
        (
            fenced(OTHER, &five(), FenceKind::Power),
            LifeQuestion::PoweredOff,
        ),
        (
            fenced(OTHER, &five(), FenceKind::Fabric),
            LifeQuestion::StorageCut,
        ),
        (
            fenced(OTHER, &five(), FenceKind::Reservation),
            LifeQuestion::StorageCut,
        ),
    ];
    for how in [
        AttestKind::Unplugged,
        AttestKind::SwitchedOff,
        AttestKind::StorageDisconnected,
    ] {
        all.push((attested(OTHER, &five(), how), LifeQuestion::Attested(how)));
    }
    all
}

#[test]
fn a_sign_of_life_voids_the_proof_and_is_named() {
    for (proof, question) in questions() {
        let mut taker = Taker::under_5();
        let sign = Sentence::NodeAnswers { node: OTHER.into() };
        taker.hands.script().life = Some(sign.clone());
        match taker.take(&five(), std::slice::from_ref(&proof)) {
            Err(error @ LedgerError::ProofVoid { .. }) => {
                assert_eq!(error.failure().witness.as_deref(), Some(&sign));
            }
            other => panic!("{question:?}: {other:?}"),
        }
        assert!(taker.book.writes().is_empty());
    }
}

#[test]
fn the_witnesses_are_asked_what_the_ground_says_since_it_was_said() {
    for (proof, question) in questions() {
        let mut taker = Taker::under_5();
        taker.take(&five(), std::slice::from_ref(&proof)).unwrap();
        let asked = taker.hands.script().questions.clone();
        assert_eq!(asked, [(NodeName::from(OTHER), question, proof.at)]);
    }
}

#[test]
fn a_promise_holds_while_its_node_lives() {
    let mut taker = Taker::under_5();
    taker.hands.script().life = Some(Sentence::NodeAnswers { node: OTHER.into() });
    taker.hands.script().fence_state = FenceState::Open;
    taker.take(&five(), &[released(OTHER, &five())]).unwrap();
    assert!(taker.hands.script().questions.is_empty());
}

#[test]
fn every_proof_is_verified_not_only_the_first() {
    let mut taker = Taker::under_5();
    taker.others.push("third".into());
    taker.hands.script().fence_state = FenceState::Open;
    let proofs = [
        released(OTHER, &five()),
        fenced("third", &five(), FenceKind::Power),
    ];
    assert_void(taker.take(&five(), &proofs), "third", "FenceSaysOpen");
}
