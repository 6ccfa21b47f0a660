//! A person's decision for old data opens one take under its own mandate, and no other.

use crate::common;
use crate::common::{Desk, OTHER, admitted, epoch, order, released};
use siaga_model::Epoch;
use siaga_model::plan::Action;
use siaga_model::run::Order;
use siaga_runner::permit::OldData;

fn decide(desk: &Desk, epoch: &Epoch) {
    let action = Action::AcceptOldData {
        resource: "simrs".into(),
        state: "Outdated".into(),
    };
    assert!(desk.execute(&order(epoch, action)).outcome.is_done());
}

/// Takes, and gives the decision that came with it.
fn take(desk: &Desk, epoch: &Epoch) -> Option<OldData> {
    let report = desk.execute(&Order {
        proofs: vec![released(OTHER, epoch)],
        ..order(epoch, Action::Take)
    });
    assert!(report.outcome.is_done(), "{report:?}");
    let permit = desk.hands.script().permit.take().unwrap();
    permit.accepted().cloned()
}

#[test]
fn the_decision_goes_with_the_take_of_its_own_mandate() {
    let five = epoch(5, common::ME);
    let desk = Desk::new(&[admitted(&five)]);
    assert_eq!(take(&desk, &five), None, "nobody decided anything");
    let desk = Desk::new(&[admitted(&five)]);
    decide(&desk, &five);
    let old = OldData {
        resource: "simrs".into(),
        state: "Outdated".into(),
    };
    assert_eq!(take(&desk, &five), Some(old));
    // A later run needs a decision of its own.
    let desk = Desk::new(&[admitted(&five)]);
    decide(&desk, &five);
    let six = epoch(6, common::ME);
    assert!(desk.enlist(&six).outcome.is_done());
    desk.hands.script().promise = Some(common::hands::standing(&six));
    assert_eq!(take(&desk, &six), None);
}
