//! The outbox where something is odd: two addresses of one unit, a channel that is gone, a clock that was set.

use crate::notices::*;
use siaga_journal::outbox::{DueState, delivery_id};
use siaga_model::UtcMicros;
use siaga_model::notice::NoticeEntry;

const HOUR: i64 = 60 * MINUTE;

fn dropped() -> NoticeEntry {
    NoticeEntry::Dropped { reason: "x".into() }
}

#[test]
fn what_was_dropped_goes_nowhere_by_itself() {
    let mut rows = vec![
        notice("n1", 0, drafted()),
        notice("a1", 0, alert(1, "budi")),
    ];
    let now = UtcMicros(HOUR);
    assert_eq!(outbox(&rows).unreleased(&site(), now).len(), 1);
    assert_eq!(outbox(&rows).next_rounds(&site(), now).len(), 1);
    rows.push(notice("n1", S, dropped()));
    rows.push(notice("a1", S, dropped()));
    assert!(outbox(&rows).unreleased(&site(), now).is_empty());
    assert!(outbox(&rows).next_rounds(&site(), now).is_empty());
}

#[test]
fn what_follows_waits_also_for_an_attempt_under_way() {
    let rows = [
        notice("n1", 0, drafted()),
        notice("n2", 0, drafted()),
        notice("n1", S, released()),
        notice("n2", 2 * S, released()),
        notice("n1", 3 * S, trying("n1", "igd", "1", 1)),
    ];
    let now = states(&outbox(&rows), 4 * S);
    assert!(matches!(of(&now, "n1/1"), DueState::InFlight(_)));
    assert_eq!(of(&now, "n2/1"), DueState::Behind);
    // Both stay what they are: an attempt under way is not behind anything.
    let rows = [
        rows.as_slice(),
        &[notice("n2", 4 * S, trying("n2", "igd", "1", 1))],
    ]
    .concat();
    assert!(matches!(
        of(&states(&outbox(&rows), 5 * S), "n2/1"),
        DueState::InFlight(_)
    ));
}

#[test]
fn a_channel_that_the_site_has_no_more_sends_nothing() {
    let rows = [notice("n1", 0, drafted()), notice("n1", S, released())];
    let mut site = site();
    site.channels.retain(|c| c.name.as_str() != "hook");
    let dues = outbox(&rows).deliveries(&site, UtcMicros(2 * S));
    let of_hook = dues.iter().filter(|d| d.channel.as_str() == "hook");
    assert!(of_hook.clone().count() == 2 && of_hook.clone().all(|d| d.state == DueState::Rests));
}

#[test]
fn a_later_attempt_is_not_waited_for_when_the_text_is_too_old() {
    let rows = [
        notice("n1", 0, drafted()),
        notice("n1", 0, released()),
        notice(
            "n1",
            119 * MINUTE,
            failed("n1", "igd", "1", Some(125 * MINUTE)),
        ),
    ];
    let at = |now: i64| of(&states(&outbox(&rows), now), "n1/1");
    assert!(matches!(at(119 * MINUTE + S), DueState::At(_)));
    assert_eq!(at(120 * MINUTE), DueState::Stale);
}

#[test]
fn a_delivery_is_told_by_unit_channel_and_address() {
    let of = |unit: &str, channel: &str, address: &str| {
        delivery_id(&"n1".into(), unit, &channel.into(), address)
    };
    let all = [
        of("igd", "hook", "1"),
        of("igd", "hook", "2"),
        of("igd", "mail", "1"),
        of("lab", "hook", "1"),
        // Letters that change places, and nothing at all.
        of("igd", "hook", "12"),
        of("igd", "hook", "21"),
        of("igd", "hook", ""),
    ];
    let different: std::collections::BTreeSet<_> = all.iter().collect();
    assert_eq!(different.len(), all.len());
    assert_eq!(all[0], of("igd", "hook", "1"));
}

#[test]
fn an_alert_of_yesterday_that_goes_on_today_is_not_over() {
    let rows = [
        notice("a1", 0, alert(1, "budi")),
        notice("a1", 30 * HOUR, alert(2, "sari")),
    ];
    let now = states(&outbox(&rows), 30 * HOUR + S);
    assert_eq!(of(&now, "a1/s"), DueState::Now);
    assert!(states(&outbox(&rows), 55 * HOUR).is_empty());
}

/// The rows were written at ten, then the clock was set back to nine.
#[test]
fn nobody_waits_an_hour_for_a_clock_that_was_set_back() {
    let (ten, nine) = (10 * HOUR, 9 * HOUR);
    let mut rows = vec![
        notice("a1", ten, alert(1, "budi")),
        notice("n1", ten, drafted()),
        notice("n1", ten, released()),
        notice("n1", ten + S, trying("n1", "igd", "1", 1)),
        notice("n1", ten + S, failed("n1", "lab", "2", Some(ten + 6 * S))),
    ];
    let now = states(&outbox(&rows), nine);
    // An attempt whose agent may have died, a failure that waits, an alert that nobody answers.
    assert_eq!(of(&now, "n1/1"), DueState::Now);
    assert_eq!(of(&now, "n1/2"), DueState::Now);
    let rounds = outbox(&rows).next_rounds(&site(), UtcMicros(nine));
    assert_eq!(rounds.len(), 1);
    // It goes on once, by the new clock.
    let mut next = notice("a1", nine, alert(2, "sari"));
    next.hlc.wall = UtcMicros(ten + 2 * S);
    rows.push(next);
    assert!(
        outbox(&rows)
            .next_rounds(&site(), UtcMicros(nine + S))
            .is_empty()
    );
}

/// The other node's clock is a little ahead: that is no step.
#[test]
fn a_row_that_is_a_few_seconds_ahead_is_waited_for() {
    let rows = [
        notice("a1", 30 * S, alert(1, "budi")),
        notice("n1", 0, drafted()),
        notice("n1", 0, released()),
        notice("n1", 30 * S, trying("n1", "igd", "1", 1)),
    ];
    let now = states(&outbox(&rows), S);
    assert!(matches!(of(&now, "n1/1"), DueState::InFlight(_)));
    assert!(outbox(&rows).next_rounds(&site(), UtcMicros(S)).is_empty());
}
