//! Effects in flight: a newer mandate waits until those of an older one are over, whatever their end.

use crate::common;
use crate::common::{BOOT, Book, Desk, ME, OTHER, admitted, epoch, failure};
use siaga_model::Epoch;
use siaga_model::config::FenceKind;
use siaga_model::plan::Action;
use siaga_model::run::FailureKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// A bound on waits for something that must come.
const SURELY: Duration = Duration::from_secs(10);
/// How long something that must not come is given to come.
const A_MOMENT: Duration = Duration::from_millis(300);

fn five() -> Epoch {
    epoch(5, ME)
}

fn fence() -> Action {
    let victim = OTHER.into();
    Action::Fence {
        victim,
        device: "ipmi".into(),
        fence: FenceKind::Power,
        wait_ms: 0,
    }
}

#[test]
fn a_newer_mandate_waits_for_the_effects_of_the_older() {
    let mut desk = Desk::new(&[admitted(&five())]);
    let (admits, admitted_6) = channel();
    desk.book.on_write(move || admits.send(()).unwrap());
    // The newer mandate knocks while the older step is under way; the step waits a moment for it to come in.
    let (begun, inside) = channel();
    let admitted_6 = Mutex::new(admitted_6);
    let too_early = Arc::new(Mutex::new(None));
    let seen = Arc::clone(&too_early);
    desk.hands.hook = Some(Box::new(move |_| {
        begun.send(()).unwrap();
        let came = admitted_6.lock().unwrap().recv_timeout(A_MOMENT).is_ok();
        seen.lock().unwrap().get_or_insert(came);
    }));
    thread::scope(|scope| {
        let older = scope.spawn(|| desk.carry(&five(), Action::Unmount));
        inside.recv_timeout(SURELY).unwrap();
        assert!(desk.bench.busy());
        let newer = desk.enlist(&epoch(6, OTHER));
        assert!(newer.outcome.is_done(), "{newer:?}");
        assert!(older.join().unwrap().outcome.is_done());
    });
    assert_eq!(
        *too_early.lock().unwrap(),
        Some(false),
        "admitted while the step was under way"
    );
    assert!(!desk.bench.busy());
    let late = desk.carry(&five(), Action::Unmount);
    assert_eq!(failure(&late).kind, FailureKind::Superseded);
    assert_eq!(desk.hands.calls(), ["unmount"]);
}

#[test]
fn an_effect_without_an_order_is_in_flight_too() {
    let desk = Desk::patient(&[admitted(&five())], A_MOMENT);
    let denied = desk.bench.occupy(&five(), |_| false);
    assert!(denied.is_none() && !desk.bench.busy());
    let letting_go = desk
        .bench
        .occupy(&epoch(6, OTHER), |ledger| ledger.obey(&five()).is_ok());
    assert!(letting_go.is_some() && desk.bench.busy());
    let early = desk.enlist(&epoch(7, OTHER));
    assert_eq!(failure(&early).kind, FailureKind::Precondition);
    drop(letting_go);
    assert!(desk.enlist(&epoch(7, OTHER)).outcome.is_done());
}

#[test]
fn an_own_mandate_waits_too_for_the_effects_of_the_older() {
    // The coordinator mints under its own journal and enlists itself: admitting is a no-op, waiting is not.
    let mut desk = Desk::patient(&[admitted(&five())], A_MOMENT);
    let (begun, inside) = channel();
    let (go, gone) = channel::<()>();
    let gone = Mutex::new(gone);
    desk.hands.hook = Some(Box::new(move |_| {
        begun.send(()).unwrap();
        gone.lock().unwrap().recv_timeout(SURELY).unwrap();
    }));
    thread::scope(|scope| {
        let older = scope.spawn(|| desk.carry(&five(), Action::Unmount));
        inside.recv_timeout(SURELY).unwrap();
        let six = epoch(6, ME);
        desk.bench
            .lock()
            .ledger
            .begin(&mut Book::default(), common::plan(&six), vec![])
            .unwrap();
        let early = desk.enlist(&six);
        assert_eq!(failure(&early).kind, FailureKind::Precondition);
        go.send(()).unwrap();
        older.join().unwrap();
        assert!(desk.enlist(&six).outcome.is_done());
    });
}

#[test]
fn an_older_effect_that_does_not_end_keeps_the_newer_mandate_out() {
    let mut desk = Desk::patient(&[admitted(&five())], A_MOMENT);
    let (begun, inside) = channel();
    let (go, gone) = channel::<()>();
    let gone = Mutex::new(gone);
    desk.hands.hook = Some(Box::new(move |_| {
        begun.send(()).unwrap();
        gone.lock().unwrap().recv_timeout(SURELY).unwrap();
    }));
    thread::scope(|scope| {
        let older = scope.spawn(|| desk.carry(&five(), Action::StopDatabase));
        inside.recv_timeout(SURELY).unwrap();
        let newer = desk.enlist(&epoch(6, OTHER));
        assert_eq!(failure(&newer).kind, FailureKind::Precondition);
        assert!(desk.book.writes().is_empty());
        assert_eq!(desk.bench.lock().ledger.obey(&five()), Ok(()));
        go.send(()).unwrap();
        assert!(older.join().unwrap().outcome.is_done());
    });
}

#[test]
fn a_mandate_does_not_wait_for_its_own_effects() {
    // A takeover's fence runs beside the enlist of its coordinator, and may take a minute.
    let mut desk = Desk::patient(&[admitted(&five())], SURELY);
    let (begun, inside) = channel();
    let (go, gone) = channel::<()>();
    let gone = Mutex::new(gone);
    desk.hands.hook = Some(Box::new(move |_| {
        begun.send(()).unwrap();
        gone.lock().unwrap().recv_timeout(SURELY).unwrap();
    }));
    thread::scope(|scope| {
        let fenced = scope.spawn(|| desk.carry(&five(), fence()));
        inside.recv_timeout(SURELY).unwrap();
        let enlisted = desk.enlist(&five());
        let still_fencing = desk.bench.busy();
        let _ = go.send(());
        assert!(enlisted.outcome.is_done(), "{enlisted:?}");
        assert!(still_fencing);
        assert!(fenced.join().unwrap().outcome.is_done());
    });
    assert!(!desk.bench.busy());
}

#[test]
fn two_effects_of_one_mandate_are_two() {
    let mut desk = Desk::patient(&[admitted(&five())], A_MOMENT);
    let (begun, inside) = channel();
    let (go, gone) = channel::<()>();
    let gone = Mutex::new(gone);
    desk.hands.hook = Some(Box::new(move |act| {
        begun.send(()).unwrap();
        if act == "unmount" {
            gone.lock().unwrap().recv_timeout(SURELY).unwrap();
        }
    }));
    thread::scope(|scope| {
        let long = scope.spawn(|| desk.carry(&five(), Action::Unmount));
        inside.recv_timeout(SURELY).unwrap();
        assert!(
            desk.carry(&five(), Action::RemoveVirtualIp)
                .outcome
                .is_done()
        );
        assert!(desk.bench.busy(), "the other one is still under way");
        assert!(!desk.enlist(&epoch(6, OTHER)).outcome.is_done());
        go.send(()).unwrap();
        long.join().unwrap();
    });
    assert!(!desk.bench.busy());
}

#[test]
fn a_hand_that_panics_is_not_in_flight_for_ever() {
    let mut desk = Desk::patient(&[admitted(&five())], A_MOMENT);
    desk.hands.hook = Some(Box::new(|_| panic!("scripted: {BOOT}")));
    let ended = catch_unwind(AssertUnwindSafe(|| desk.carry(&five(), Action::Unmount)));
    assert!(ended.is_err());
    assert!(!desk.bench.busy());
    assert!(desk.enlist(&epoch(6, OTHER)).outcome.is_done());
}
