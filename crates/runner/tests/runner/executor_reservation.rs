//! A fence as a step: a reservation is made under the mandate of its order, and gives no proof without its being read back; a
//! fence that is to be held back is.

use crate::common::{Desk, ME, OTHER, admitted, epoch};
use siaga_model::Epoch;
use siaga_model::config::FenceKind;
use siaga_model::plan::Action;
use siaga_model::run::FailureKind;

fn five() -> Epoch {
    epoch(5, ME)
}

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

/// The key on the disk carries the mandate of the very order, and a node registers under no other.
#[test]
fn a_reservation_is_made_under_the_mandate_of_its_order() {
    let desk = desk();
    desk.carry(&five(), fence_action(FenceKind::Reservation));
    let calls = desk.hands.calls();
    assert_eq!(calls, ["reserve", "reserved against serverdb under 5"]);
    let stale = desk.carry(&epoch(4, ME), fence_action(FenceKind::Reservation));
    assert!(!stale.outcome.is_done());
    assert_eq!(desk.hands.calls(), calls, "nothing was registered");
}

#[test]
fn a_reservation_that_is_not_confirmed_gives_no_proof() {
    let desk = desk();
    desk.hands.fail("reserve", FailureKind::Fence);
    let report = desk.carry(&five(), fence_action(FenceKind::Reservation));
    assert!(!report.outcome.is_done());
    assert_eq!(report.proof, None);
}

/// Another node may fence this one meanwhile: whether the mandate still stands is asked after the wait.
#[test]
fn a_fence_is_held_back_as_planned() {
    let desk = desk();
    let mut action = fence_action(FenceKind::Power);
    let Action::Fence { wait_ms, .. } = &mut action else {
        panic!()
    };
    *wait_ms = 3000;
    desk.carry(&five(), action);
    let calls = desk.hands.calls();
    assert_eq!(calls[0], "waits 3000 ms", "{calls:?}");
    assert!(calls.iter().any(|c| c.starts_with("fence")), "{calls:?}");
    desk.carry(&five(), fence_action(FenceKind::Power));
    let calls = desk.hands.calls();
    assert_eq!(calls.iter().filter(|c| c.starts_with("waits")).count(), 1);
}
