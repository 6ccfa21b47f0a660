//! One order on one node: the mandate is asked first, the right act is done, and what is reported is what was seen.

use crate::common;
use crate::common::{
    BOOT, Desk, ME, OTHER, admitted, attested, epoch, failure, fenced, order, promise, released,
    service,
};
use siaga_model::api::ClientTestResult;
use siaga_model::config::FenceKind;
use siaga_model::event::EventBody;
use siaga_model::observation::{AttestationGiven, FenceState};
use siaga_model::plan::Action;
use siaga_model::proof::{AttestKind, Ground, ProofRecord};
use siaga_model::refusal::Sentence;
use siaga_model::run::{FailureKind, Order, StepOutcome, StepReport};
use siaga_model::{Epoch, Evidence, NodeName, UtcMicros, Why};
use siaga_runner::hands::{AddressCertainty, LifeQuestion, Trouble};
use std::sync::Arc;

fn five() -> Epoch {
    epoch(5, ME)
}

/// A node that obeys mandate 5.
fn desk() -> Desk {
    Desk::new(&[admitted(&five())])
}

fn fence_action(fence: FenceKind) -> Action {
    Action::Fence {
        victim: OTHER.into(),
        device: "ipmi".into(),
        fence,
        wait_ms: 0,
    }
}

fn attest_action() -> Action {
    Action::Attest {
        victim: OTHER.into(),
        how: AttestKind::Unplugged,
    }
}

/// Every action but `Enlist`, with the acts it is made of.
fn acts() -> Vec<(Action, Vec<&'static str>)> {
    vec![
        (Action::Checkpoint, vec!["checkpoint"]),
        (Action::StopApplications, vec!["stop_applications"]),
        (Action::StopDatabase, vec!["stop_database"]),
        (Action::RemoveVirtualIp, vec!["remove_virtual_ips"]),
        (Action::Unmount, vec!["unmount"]),
        (
            Action::Release,
            vec!["remove_virtual_ips", "prove_released"],
        ),
        (
            fence_action(FenceKind::Power),
            vec!["fence", "fenced serverdb by ipmi"],
        ),
        (attest_action(), vec![]),
        (Action::Take, vec!["take"]),
        (
            Action::Mount,
            vec!["mount", "read_disk_epoch", "write_disk_epoch"],
        ),
        (Action::AddVirtualIp, vec!["add_virtual_ips"]),
        (Action::StartDatabase, vec!["start_database"]),
        (Action::StartApplications, vec!["start_applications"]),
        (Action::ClientTest, vec!["client_test"]),
        (Action::AfterMove, vec!["after_move"]),
    ]
}

/// An order with everything that its action may need.
fn full(epoch: &Epoch, action: Action) -> Order {
    let given = AttestationGiven {
        node: OTHER.into(),
        how: AttestKind::Unplugged,
        by: "siti".into(),
        at: UtcMicros(333),
    };
    Order {
        proofs: vec![released(OTHER, epoch)],
        attested: vec![given],
        ..order(epoch, action)
    }
}

fn take(desk: &Desk, proofs: Vec<ProofRecord>) -> StepReport {
    desk.execute(&Order {
        proofs,
        ..order(&five(), Action::Take)
    })
}

#[test]
fn every_action_is_its_own_acts_and_no_other() {
    for (action, acts) in acts() {
        let desk = desk();
        let report = desk.execute(&full(&five(), action.clone()));
        assert!(report.outcome.is_done(), "{action:?}: {report:?}");
        assert_eq!(desk.hands.calls(), acts, "{action:?}");
    }
}

#[test]
fn nothing_is_done_under_a_mandate_that_is_not_in_force_here() {
    let nobody: &[EventBody] = &[];
    let older = [admitted(&five()), admitted(&epoch(6, OTHER))];
    let newer = [admitted(&epoch(4, ME))];
    let void = [
        admitted(&five()),
        EventBody::EpochSeen {
            epoch: epoch(5, OTHER),
        },
    ];
    let cases = [
        (nobody, FailureKind::ProofVoid),
        (&older, FailureKind::Superseded),
        (&newer, FailureKind::Superseded),
        (&void, FailureKind::Superseded),
    ];
    for (journal, kind) in cases {
        for (action, _) in acts() {
            let desk = Desk::new(journal);
            let report = desk.execute(&full(&five(), action.clone()));
            assert_eq!(failure(&report).kind, kind, "{action:?}");
            assert_eq!(report.proof, None);
            assert!(desk.hands.calls().is_empty(), "{action:?}");
            assert!(desk.book.writes().is_empty(), "{action:?}");
            assert!(!desk.bench.busy());
        }
    }
}

#[test]
fn what_an_act_says_is_reported() {
    let desk = desk();
    let report = desk.carry(&five(), Action::Unmount);
    assert_eq!(report.outcome, StepOutcome::Done { changed: true });
    assert_eq!(
        report.notes,
        [siaga_model::Note::System("did unmount".into())]
    );
    desk.hands.script().already.push("unmount");
    let report = desk.carry(&five(), Action::Unmount);
    assert_eq!(report.outcome, StepOutcome::Done { changed: false });
    desk.hands.fail("unmount", FailureKind::Busy);
    assert_eq!(
        failure(&desk.carry(&five(), Action::Unmount)).kind,
        FailureKind::Busy
    );
    desk.hands
        .script()
        .troubles
        .insert("unmount", Trouble::Unknown("cut off".into()));
    let report = desk.carry(&five(), Action::Unmount);
    assert_eq!(
        report.outcome,
        StepOutcome::Unknown {
            why: "cut off".into()
        }
    );
}

#[test]
fn an_enlist_without_its_plan_admits_nothing() {
    let desk = Desk::new(&[]);
    let report = desk.carry(&five(), Action::Enlist);
    assert_eq!(failure(&report).kind, FailureKind::Precondition);
    assert!(desk.book.writes().is_empty());
}

// --- letting go

#[test]
fn a_release_is_proved_then_promised_and_gives_the_proof() {
    let desk = desk();
    let report = desk.carry(&five(), Action::Release);
    let at = UtcMicros(1_000);
    let expected = ProofRecord {
        boot: Some(BOOT.into()),
        at,
        ..released(ME, &five())
    };
    assert_eq!(report.proof, Some(expected));
    let promised = desk.bench.lock().ledger.facts().promise.unwrap();
    assert_eq!(
        (promised.node.as_str(), promised.epoch.clone(), promised.at),
        (ME, five(), at)
    );
    assert_eq!(
        desk.book.rows(),
        [EventBody::Promised { promise: promised }]
    );
}

#[test]
fn what_is_not_proved_released_is_not_promised() {
    let unknown = Trouble::Unknown("the kernel may hold it".into());
    for trouble in [
        Trouble::failed(FailureKind::NotReleased, "a second mount"),
        unknown,
    ] {
        let desk = desk();
        desk.hands
            .script()
            .troubles
            .insert("prove_released", trouble);
        let report = desk.carry(&five(), Action::Release);
        assert!(!report.outcome.is_done(), "{report:?}");
        assert_eq!(report.proof, None);
        assert!(desk.book.writes().is_empty());
        assert_eq!(desk.bench.lock().ledger.facts().promise, None);
    }
}

#[test]
fn a_promise_that_could_not_be_written_gives_no_proof() {
    let desk = desk();
    desk.book.fail();
    let report = desk.carry(&five(), Action::Release);
    assert_eq!(failure(&report).kind, FailureKind::Log);
    assert_eq!(report.proof, None);
    assert_eq!(desk.bench.lock().ledger.facts().promise, None);
}

#[test]
fn a_newer_mandate_that_came_during_the_proof_of_release_gets_no_old_promise() {
    let mut desk = desk();
    let (bench, book) = (Arc::clone(&desk.bench), desk.book.clone());
    desk.hands.hook = Some(Box::new(move |_| {
        bench
            .lock()
            .ledger
            .remember(&mut book.clone(), &epoch(6, OTHER))
            .unwrap();
    }));
    let report = desk.carry(&five(), Action::Release);
    assert_eq!(failure(&report).kind, FailureKind::Superseded);
    assert_eq!(report.proof, None);
    assert_eq!(
        desk.book.rows(),
        [EventBody::EpochSeen {
            epoch: epoch(6, OTHER)
        }]
    );
}

// --- the other node

#[test]
fn a_fence_that_is_confirmed_gives_a_proof() {
    for fence in [FenceKind::Power, FenceKind::Fabric, FenceKind::Reservation] {
        let desk = desk();
        let report = desk.carry(&five(), fence_action(fence));
        let expected = ProofRecord {
            at: UtcMicros(1_000),
            ..fenced(OTHER, &five(), fence)
        };
        assert_eq!(report.proof, Some(expected));
    }
}

#[test]
fn a_fence_that_is_not_confirmed_gives_none() {
    let unknown = Trouble::Unknown("the device fell silent".into());
    for trouble in [Trouble::failed(FailureKind::Fence, "refused"), unknown] {
        let desk = desk();
        desk.hands.script().troubles.insert("fence", trouble);
        let report = desk.carry(&five(), fence_action(FenceKind::Power));
        assert!(!report.outcome.is_done());
        assert_eq!(report.proof, None);
    }
}

#[test]
fn what_nobody_attested_is_no_proof() {
    let good = full(&five(), attest_action());
    let other_node = AttestationGiven {
        node: ME.into(),
        ..good.attested[0].clone()
    };
    let other_way = AttestationGiven {
        how: AttestKind::SwitchedOff,
        ..good.attested[0].clone()
    };
    for attested in [vec![], vec![other_node], vec![other_way]] {
        let desk = desk();
        let report = desk.execute(&Order {
            attested,
            ..good.clone()
        });
        assert_eq!(failure(&report).kind, FailureKind::Precondition);
        assert_eq!(report.proof, None);
    }
}

#[test]
fn an_attestation_that_a_witness_contradicts_is_no_proof_and_the_witness_is_named() {
    let desk = desk();
    let sign = Sentence::NodeAnswers { node: OTHER.into() };
    desk.hands.script().life = Some(sign.clone());
    let report = desk.execute(&full(&five(), attest_action()));
    assert_eq!(failure(&report).kind, FailureKind::AttestationContradicted);
    assert_eq!(failure(&report).witness.as_deref(), Some(&sign));
    assert_eq!(report.proof, None);
}

#[test]
fn an_attestation_counts_from_the_moment_when_it_was_given() {
    let desk = desk();
    let report = desk.execute(&full(&five(), attest_action()));
    let expected = ProofRecord {
        at: UtcMicros(333),
        ..attested(OTHER, &five(), AttestKind::Unplugged)
    };
    assert_eq!(report.proof, Some(expected));
    let question = LifeQuestion::Attested(AttestKind::Unplugged);
    let asked = desk.hands.script().questions.clone();
    assert_eq!(asked, [(NodeName::from(OTHER), question, UtcMicros(333))]);
}

// --- taking

#[test]
fn the_disk_set_is_taken_with_a_permit_once_per_proof() {
    let desk = desk();
    let report = take(&desk, vec![released(OTHER, &five())]);
    assert!(report.outcome.is_done(), "{report:?}");
    let permit = desk.hands.script().permit.take().unwrap();
    assert_eq!((permit.service(), permit.epoch()), (&service(), &five()));
    let again = take(&desk, vec![released(OTHER, &five())]);
    assert_eq!(failure(&again).kind, FailureKind::ProofVoid);
    assert_eq!(desk.hands.calls(), ["take"]);
}

#[test]
fn a_promise_heard_here_just_now_outlives_its_node() {
    let desk = desk();
    desk.hands.script().promise = None;
    let proof = released(OTHER, &five());
    let unheard = take(&desk, vec![proof.clone()]);
    assert_eq!(failure(&unheard).kind, FailureKind::ProofVoid);
    desk.bench.heard(&proof, desk.hands.script().since_boot);
    assert!(take(&desk, vec![proof]).outcome.is_done());
}

#[test]
fn a_promise_heard_for_an_older_mandate_is_forgotten() {
    let desk = desk();
    desk.hands.script().promise = None;
    let (proof, at) = (released(OTHER, &five()), desk.hands.script().since_boot);
    desk.bench.heard(&proof, at);
    desk.bench.heard(&released("third", &epoch(6, ME)), at);
    let taken = take(&desk, vec![proof]);
    assert_eq!(failure(&taken).kind, FailureKind::ProofVoid);
}

#[test]
fn without_a_permit_nothing_is_taken() {
    let desk = desk();
    assert_eq!(failure(&take(&desk, vec![])).kind, FailureKind::ProofVoid);
    desk.hands.script().fence_state = FenceState::Open;
    let report = take(&desk, vec![fenced(OTHER, &five(), FenceKind::Power)]);
    assert_eq!(failure(&report).kind, FailureKind::ProofVoid);
    assert!(!desk.hands.calls().contains(&"take".to_owned()));

    let desk = Desk::new(&[admitted(&five()), promise(ME, &five())]);
    let report = take(&desk, vec![released(OTHER, &five())]);
    assert_eq!(failure(&report).kind, FailureKind::Superseded);
    assert!(desk.hands.calls().is_empty());
}

#[test]
fn a_use_that_could_not_be_written_takes_nothing() {
    let desk = desk();
    desk.book.fail();
    let report = take(&desk, vec![released(OTHER, &five())]);
    assert_eq!(failure(&report).kind, FailureKind::Log);
    assert!(desk.hands.calls().is_empty());
}

// --- the disk set's own record of the mandate

#[test]
fn the_address_is_added_as_surely_as_the_order_says() {
    let cases = [
        (true, AddressCertainty::Proven),
        (false, AddressCertainty::Contested),
    ];
    for (address_free, certainty) in cases {
        let desk = desk();
        desk.execute(&Order {
            address_free,
            ..full(&five(), Action::AddVirtualIp)
        });
        assert_eq!(desk.hands.script().certainty, Some(certainty));
    }
}

fn test_result(name: &str, passed: Option<bool>) -> ClientTestResult {
    ClientTestResult {
        name: name.into(),
        node: ME.into(),
        passed,
        detail: Evidence::Nothing,
    }
}

#[test]
fn a_client_test_that_failed_is_named_and_one_not_confirmed_is_no_failure() {
    let desk = desk();
    let tests = vec![test_result("sql", Some(true)), test_result("probe", None)];
    desk.hands.script().tests = tests.clone();
    let report = desk.carry(&five(), Action::ClientTest);
    assert_eq!(
        (report.outcome, report.tests),
        (StepOutcome::Done { changed: false }, tests)
    );
    desk.hands
        .script()
        .tests
        .push(test_result("web", Some(false)));
    let report = desk.carry(&five(), Action::ClientTest);
    assert_eq!(failure(&report).kind, FailureKind::ClientTest);
    assert_eq!(
        failure(&report).detail,
        Why::TestsFailed {
            tests: vec!["web".into()]
        }
    );
    assert_eq!(report.tests.len(), 3);
}

#[test]
fn a_client_counts_only_since_the_database_was_started_here() {
    let desk = desk();
    desk.carry(&five(), Action::StartDatabase);
    desk.carry(&five(), Action::ClientTest);
    // The start itself took until 1 500.
    assert_eq!(desk.hands.script().tested_since, Some(UtcMicros(1_000)));
}

#[test]
fn a_ground_in_a_record_says_what_was_done() {
    let desk = desk();
    let report = desk.execute(&full(&five(), attest_action()));
    let ground = report.proof.unwrap().ground;
    assert_eq!(
        ground,
        Ground::Attested {
            by: "siti".into(),
            how: AttestKind::Unplugged
        }
    );
}

/// The node that issued a mandate is the only one that is obeyed under it.
#[test]
fn an_order_comes_from_the_node_that_issued_its_mandate() {
    let desk = desk();
    let stranger = Order {
        coordinator: OTHER.into(),
        ..order(&five(), Action::Unmount)
    };
    assert_eq!(
        failure(&desk.execute(&stranger)).kind,
        FailureKind::Precondition
    );
    let six = epoch(6, OTHER);
    let enlist = order(&six, Action::Enlist);
    let mine = |coordinator: &str, of: &Epoch| {
        let mut plan = common::plan(of);
        plan.coordinator = coordinator.into();
        Some(Box::new(plan))
    };
    for forged in [
        // The plan of a mandate that another node issued, sent by its coordinator or under its name.
        mine(ME, &six),
        mine(OTHER, &five()),
    ] {
        let order = Order {
            enlist: forged,
            ..enlist.clone()
        };
        assert_eq!(
            failure(&desk.execute(&order)).kind,
            FailureKind::Precondition
        );
    }
    assert!(desk.enlist(&six).outcome.is_done());
}
