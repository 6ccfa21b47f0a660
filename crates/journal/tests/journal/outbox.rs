//! The outbox: rows in, what is due out.

use crate::notices::*;
use proptest::prelude::*;
use siaga_journal::outbox::{DueState, Outbox};
use siaga_model::NoticeId;
use siaga_model::UtcMicros;
use siaga_model::api::EventView;
use siaga_model::config::Language;
use siaga_model::downtime::Unit;
use siaga_model::event::EventBody;
use siaga_model::notice::{AckHow, AlertCause, Moment, NoticeEntry};

#[test]
fn nothing_goes_out_before_its_release_and_each_unit_reads_its_language() {
    let mut rows = vec![notice("n1", 0, drafted())];
    let resting = states(&outbox(&rows), S);
    assert!(resting.iter().all(|(_, s)| *s == DueState::Rests) && resting.len() == 3);
    rows.push(notice("n1", S, released()));
    // Of what was released a day ago nothing is under way any more.
    assert!(states(&outbox(&rows), 26 * 60 * MINUTE).is_empty());
    let due = outbox(&rows).deliveries(&site(), UtcMicros(2 * S));
    let bodies: Vec<(&str, &str)> = due
        .iter()
        .map(|d| (d.address.as_str(), d.text.body.as_str()))
        .collect();
    assert_eq!(bodies, [("1", "henti"), ("101", "henti"), ("2", "down")]);
    let kinds: Vec<DueState> = due.iter().map(|d| d.state).collect();
    assert_eq!(kinds, [DueState::Now, DueState::ByHand, DueState::Now]);
    rows.push(notice(
        "n1",
        2 * S,
        NoticeEntry::Dropped { reason: "x".into() },
    ));
    assert!(
        states(&outbox(&rows), 3 * S)
            .iter()
            .all(|(_, s)| *s == DueState::Rests)
    );
}

#[test]
fn an_attempt_without_an_outcome_is_made_again_when_its_agent_must_be_dead() {
    let rows = [
        notice("n1", 0, drafted()),
        notice("n1", S, released()),
        notice("n1", 2 * S, trying("n1", "igd", "1", 1)),
    ];
    let outbox = outbox(&rows);
    let free = DueState::InFlight(UtcMicros(42 * S));
    assert_eq!(of(&states(&outbox, 3 * S), "n1/1"), free);
    assert_eq!(of(&states(&outbox, 42 * S), "n1/1"), DueState::Now);
    assert_eq!(outbox.deliveries(&site(), UtcMicros(42 * S))[0].attempts, 1);
}

#[test]
fn a_failure_waits_is_made_again_and_may_be_given_up() {
    let mut rows = vec![
        notice("n1", 0, drafted()),
        notice("n1", S, released()),
        notice("n1", 2 * S, trying("n1", "igd", "1", 1)),
        notice("n1", 3 * S, failed("n1", "igd", "1", Some(8 * S))),
    ];
    let then = DueState::At(UtcMicros(8 * S));
    assert_eq!(of(&states(&outbox(&rows), 4 * S), "n1/1"), then);
    assert_eq!(of(&states(&outbox(&rows), 8 * S), "n1/1"), DueState::Now);
    rows.push(notice("n1", 9 * S, trying("n1", "igd", "1", 2)));
    let again = of(&states(&outbox(&rows), 9 * S), "n1/1");
    assert!(matches!(again, DueState::InFlight(_)));
    rows.push(notice("n1", 10 * S, failed("n1", "igd", "1", None)));
    assert_eq!(
        of(&states(&outbox(&rows), 10 * S), "n1/1"),
        DueState::GivenUp
    );
    rows.push(notice("n1", 11 * S, sent("n1", "igd", "1")));
    assert_eq!(of(&states(&outbox(&rows), 12 * S), "n1/1"), DueState::Sent);
}

#[test]
fn what_was_released_first_goes_first_to_each_address() {
    let mut rows = vec![
        notice("n1", 0, drafted()),
        notice("n2", S, drafted()),
        // In the order of the release, not of the writing.
        notice("n2", 2 * S, released()),
        notice("n1", 3 * S, released()),
    ];
    let now = states(&outbox(&rows), 4 * S);
    assert_eq!(of(&now, "n2/1"), DueState::Now);
    assert_eq!(of(&now, "n1/1"), DueState::Behind);
    rows.push(notice("n2", 5 * S, failed("n2", "igd", "1", Some(60 * S))));
    assert_eq!(of(&states(&outbox(&rows), 6 * S), "n1/1"), DueState::Behind);
    rows.push(notice("n2", 7 * S, sent("n2", "igd", "1")));
    let now = states(&outbox(&rows), 8 * S);
    assert_eq!(of(&now, "n1/1"), DueState::Now);
    // Another unit's address is not held up.
    assert_eq!(of(&now, "n2/2"), DueState::Now);
    assert_eq!(of(&now, "n1/2"), DueState::Behind);
}

#[test]
fn a_text_that_says_what_is_no_longer_so_is_not_sent() {
    let rows = [notice("n1", 0, drafted()), notice("n1", 0, released())];
    let outbox = outbox(&rows);
    assert_eq!(of(&states(&outbox, 119 * MINUTE), "n1/1"), DueState::Now);
    assert_eq!(of(&states(&outbox, 120 * MINUTE), "n1/1"), DueState::Stale);
}

#[test]
fn nobody_released_it_in_time() {
    let mut rows = vec![notice("n1", 0, drafted())];
    let late = |rows: &[EventView], now: i64| outbox(rows).unreleased(&site(), UtcMicros(now));
    assert!(late(&rows, 599 * S).is_empty());
    assert_eq!(late(&rows, 600 * S), [NoticeId::from("n1")]);
    let mut never = site();
    never.rules.bypass_after = None;
    assert!(
        outbox(&rows)
            .unreleased(&never, UtcMicros(i64::MAX))
            .is_empty()
    );
    rows.push(notice("n1", S, released()));
    assert!(late(&rows, 600 * S).is_empty());
}

#[test]
fn an_alert_goes_along_the_list_and_round_again_until_somebody_answers() {
    let mut rows = vec![notice("a1", 0, alert(1, "budi"))];
    // Both addresses of the first person.
    let now = states(&outbox(&rows), S);
    assert_eq!(of(&now, "a1/b"), DueState::Now);
    assert_eq!(of(&now, "a1/b2"), DueState::Now);
    let next = |rows: &[EventView], now: i64| {
        let next = outbox(rows).next_rounds(&site(), UtcMicros(now));
        next.first().map(|n| (n.round, n.to.to_string()))
    };
    assert_eq!(next(&rows, 299 * S), None);
    assert_eq!(next(&rows, 300 * S), Some((2, "sari".into())));
    rows.push(notice("a1", 300 * S, alert(2, "sari")));
    assert_eq!(next(&rows, 599 * S), None);
    assert_eq!(next(&rows, 600 * S), Some((3, "budi".into())));
    // A delivery of a round that is over is not begun any more.
    assert_eq!(
        of(&states(&outbox(&rows), 301 * S), "a1/b"),
        DueState::Stale
    );
    rows.push(notice(
        "a1",
        601 * S,
        NoticeEntry::AlertAcknowledged {
            person: "sari".into(),
        },
    ));
    assert_eq!(next(&rows, i64::MAX / 2), None);
    assert_eq!(
        of(&states(&outbox(&rows), 602 * S), "a1/s"),
        DueState::Rests
    );
}

#[test]
fn a_pause_silences_alerts_expires_by_itself_and_leaves_notices_alone() {
    let pause = EventBody::Paused {
        until: UtcMicros(1000 * S),
        reason: "work".into(),
    };
    let mut rows = vec![
        notice("a1", 0, alert(1, "budi")),
        notice("n1", 0, drafted()),
        notice("n1", S, released()),
        view(2 * S, pause),
    ];
    let paused = outbox(&rows);
    assert_eq!(paused.pause(UtcMicros(3 * S)).unwrap().reason, "work");
    assert_eq!(of(&states(&paused, 3 * S), "a1/b"), DueState::Rests);
    assert_eq!(of(&states(&paused, 3 * S), "n1/1"), DueState::Now);
    assert!(paused.next_rounds(&site(), UtcMicros(999 * S)).is_empty());
    assert_eq!(paused.next_rounds(&site(), UtcMicros(1000 * S)).len(), 1);
    rows.push(view(4 * S, EventBody::PauseEnded));
    assert!(outbox(&rows).pause(UtcMicros(5 * S)).is_none());
}

#[test]
fn the_first_acknowledgement_of_a_unit_counts() {
    let ack = |by: &str| NoticeEntry::Acknowledged {
        unit: "igd".into(),
        how: AckHow::ByHand,
        by: by.into(),
    };
    let rows = [
        notice("n1", 0, drafted()),
        notice("n1", 9 * S, ack("second")),
        notice("n1", 5 * S, ack("first")),
    ];
    let outbox = outbox(&rows);
    let record = outbox.notice(&"n1".into()).unwrap();
    assert_eq!(record.acknowledged[&"igd".into()].2, "first");
    assert_eq!(outbox.alert_of(&"i".into(), &AlertCause::Trouble), None);
}

#[test]
fn what_is_over_is_not_looked_through_again() {
    let mut site = site();
    let unit = site.units[0].clone();
    site.units = (0..100)
        .map(|n| Unit {
            name: format!("u{n}").as_str().into(),
            ..unit.clone()
        })
        .collect();
    let units: Vec<_> = site.units.iter().map(|u| u.name.clone()).collect();
    let mut rows = Vec::new();
    for n in 0..200 {
        let draft = NoticeEntry::Drafted {
            moment: Moment::Update,
            incident: None,
            texts: vec![text(Language::Indonesian, "x")],
            units: units.clone(),
            next_update: None,
            window: None,
            reminds_of: None,
        };
        let name = format!("n{n:04}");
        rows.push(notice(&name, n * S, draft));
        rows.push(notice(&name, n * S, released()));
    }
    let outbox = outbox(&rows);
    assert_eq!(outbox.deliveries(&site, UtcMicros(S)).len(), 200 * 200);
    assert_eq!(outbox.deliveries(&site, UtcMicros(i64::MAX)).len(), 0);
}

proptest! {
    /// Rows of two nodes come in any order, and some of them twice.
    #[test]
    fn the_order_in_which_rows_come_does_not_matter(order in Just((0..14usize).collect::<Vec<_>>()).prop_shuffle(), twice in 0..14usize) {
        let rows = [
            notice("n1", 0, drafted()),
            notice("n1", S, released()),
            notice("n1", 2 * S, NoticeEntry::Released { bypass: true }),
            notice("n1", 3 * S, trying("n1", "igd", "1", 1)),
            notice("n1", 4 * S, failed("n1", "igd", "1", Some(9 * S))),
            notice("n1", 9 * S, trying("n1", "igd", "1", 2)),
            notice("n1", 10 * S, failed("n1", "igd", "1", None)),
            notice("a1", S, alert(1, "budi")),
            notice("a1", 301 * S, alert(2, "sari")),
            view_of("backup", 302 * S, EventBody::Notice { notice: "a1".into(), entry: Box::new(alert(2, "sari")) }),
            view(5 * S, EventBody::Paused { until: UtcMicros(90 * S), reason: "x".into() }),
            view(6 * S, EventBody::PauseEnded),
            notice("n2", 7 * S, sent("n2", "igd", "1")),
            view_of("backup", 8 * S, EventBody::Notice { notice: "n2".into(), entry: Box::new(sent("n2", "igd", "1")) }),
        ];
        let mut shuffled = Outbox::default();
        order.iter().for_each(|i| shuffled.apply(&rows[*i]));
        shuffled.apply(&rows[twice]);
        prop_assert_eq!(shuffled, outbox(&rows));
    }
}
