//! What people still have to do, and when they are reminded of it.

use siaga_model::UtcMicros;
use siaga_model::downtime::Rules;
use siaga_model::duty::{Duty, Told};
use siaga_model::incident::{CorrectiveAction, Estimate, Range, TimeKind};
use siaga_model::notice::{Moment, Window};
use siaga_model::record::{Figures, IncidentRecord, NoticeLine};
use siaga_planner::duties::{Desk, Planned, duties, late, of_incident, over, reminders};

const S: i64 = 1_000_000;
const HOUR: i64 = 3600 * S;
const DAY: i64 = 24 * HOUR;
/// 2026-11-25T00:00:00Z.
const TODAY: i64 = 20_782 * DAY;

fn at(seconds: i64) -> UtcMicros {
    UtcMicros(seconds * S)
}

fn record(state: &str, origin: &str) -> IncidentRecord {
    let time =
        |kind| serde_json::json!({"time": kind, "at": null, "source": null, "corrections": []});
    let times: Vec<_> = TimeKind::ALL.into_iter().map(time).collect();
    serde_json::from_value(serde_json::json!({
        "id": "DT-2026-007", "key": "k", "kind": "unplanned", "state": state,
        "scope": null, "level": null, "origin": {"by": origin}, "services": ["simrs"],
        "symptom": null, "reported_by": null, "reported_unit": null, "medium": null,
        "opened_at": 0, "opened_by": null, "times": times, "figures": Figures::default(),
        "cause": null, "decision": null, "decider": null, "proofs": [], "runs": [],
        "estimates": [], "acknowledged_by": null, "updates": [], "notes": [], "notices": [],
        "impact": [], "back_entry": [], "papers_left": [], "watch_until": null, "review": null,
        "actions": [], "signatures": [], "closed_at": null, "closed_reason": null,
        "merged_into": null, "history": []
    }))
    .unwrap()
}

fn estimate(given: i64, high_s: u64, next: i64) -> Estimate {
    Estimate {
        range: Some(Range {
            low_s: 1,
            likely_s: 2,
            high_s,
        }),
        given_at: at(given),
        next_update_at: at(next),
        based_on: Vec::new(),
    }
}

fn notice(moment: Moment, released: Option<i64>, next: Option<i64>) -> NoticeLine {
    NoticeLine {
        notice: "n1".into(),
        moment,
        drafted_at: at(0),
        released_at: released.map(at),
        first_sent_at: None,
        next_update_at: next.map(at),
        sent: 0,
        acknowledged: Vec::new(),
    }
}

#[test]
fn the_newest_promise_counts_and_is_late_when_its_time_has_passed() {
    let mut r = record("confirmed", "person");
    assert_eq!(late(&r, at(9999)), None, "nothing was promised");
    r.estimates.push(estimate(10, 600, 100));
    assert_eq!(late(&r, at(100)), None);
    assert_eq!(late(&r, at(101)), Some(at(100)));
    // A draft promises nothing; a notice that went out does.
    r.notices.push(notice(Moment::Update, None, Some(500)));
    assert_eq!(late(&r, at(101)), Some(at(100)));
    r.notices.push(notice(Moment::Update, Some(90), Some(200)));
    assert_eq!(late(&r, at(101)), None);
    assert_eq!(late(&r, at(201)), Some(at(200)));
    // A new estimate is news, also where it promises less.
    r.estimates.push(estimate(150, 600, 180));
    assert_eq!(late(&r, at(201)), Some(at(180)));
}

#[test]
fn who_was_promised_news_waits_until_told_that_it_works_again() {
    let mut r = record("under_watch", "person");
    r.estimates.push(estimate(10, 600, 100));
    assert_eq!(late(&r, at(101)), None, "no unit was promised anything");
    r.notices
        .push(notice(Moment::Confirmed, Some(20), Some(100)));
    assert_eq!(late(&r, at(101)), Some(at(100)));
    r.notices.push(notice(Moment::Restored, Some(90), None));
    assert_eq!(late(&r, at(101)), None);
    for state in ["all_clear", "closed", "withdrawn", "merged"] {
        let mut gone = record(state, "person");
        gone.notices
            .push(notice(Moment::Confirmed, Some(20), Some(100)));
        assert_eq!(late(&gone, at(101)), None, "{state}");
    }
}

#[test]
fn an_estimate_is_over_when_its_latest_end_has_passed_and_the_service_is_not_back() {
    let mut r = record("confirmed", "person");
    r.estimates.push(estimate(10, 60, 10_000));
    assert_eq!(over(&r, at(70)), None);
    assert_eq!(over(&r, at(71)), Some((at(10), at(70))));
    // "Not yet known" is an answer.
    r.estimates.push(Estimate {
        range: None,
        ..estimate(50, 0, 10_000)
    });
    assert_eq!(over(&r, at(71)), None);
    let mut back = record("under_watch", "person");
    back.estimates.push(estimate(10, 60, 10_000));
    assert_eq!(over(&back, at(71)), None);
}

#[test]
fn after_a_move_by_hand_the_times_of_the_log_book_are_asked_for() {
    let missing = |r: &IncidentRecord| match of_incident(r, at(0)).as_slice() {
        [Duty::TimesMissing { times, .. }] => times.clone(),
        [] => Vec::new(),
        other => panic!("{other:?}"),
    };
    let mut r = record("under_watch", "by_hand");
    assert_eq!(missing(&r), [TimeKind::Offline, TimeKind::ClientOk]);
    assert_eq!(missing(&record("under_watch", "person")), []);
    assert_eq!(missing(&record("withdrawn", "by_hand")), []);
    let entered = Some(siaga_model::record::TimeSource::Entered { by: "budi".into() });
    let time = |r: &mut IncidentRecord, kind, value| {
        let time = r.times.iter_mut().find(|t| t.time == kind).unwrap();
        (time.at, time.source) = (value, entered.clone());
    };
    time(&mut r, TimeKind::Offline, Some(at(5)));
    assert_eq!(missing(&r), [TimeKind::ClientOk]);
    // Whoever says that it is not known has answered.
    time(&mut r, TimeKind::ClientOk, None);
    assert_eq!(missing(&r), []);
}

fn desk<'a>(
    now: i64,
    today: &'a str,
    rules: &'a Rules,
    records: &'a [IncidentRecord],
    planned: &'a [Planned],
) -> Desk<'a> {
    Desk {
        now: UtcMicros(now),
        today,
        rules,
        records,
        planned,
        last_drill: None,
        began: None,
    }
}

#[test]
fn a_drill_is_overdue_after_its_interval_and_reminded_of_once_a_week() {
    let rules = Rules::default();
    assert_eq!(rules.drill_every_days, 90);
    let last = UtcMicros(TODAY);
    let ask = |now: i64| {
        let mut desk = desk(now, "2026-11-25", &rules, &[], &[]);
        desk.last_drill = Some(last);
        (duties(&desk), reminders(&desk))
    };
    assert_eq!(ask(TODAY + 90 * DAY), (Vec::new(), Vec::new()));
    let (due, told) = ask(TODAY + 90 * DAY + 1);
    assert!(matches!(due[..], [Duty::DrillOverdue { last: Some(l), .. }] if l == last));
    let name = |reminders: &[siaga_planner::duties::Reminder]| {
        (reminders[0].tag.clone(), reminders[0].period)
    };
    // The same name for a week, so that it goes out once.
    assert_eq!(name(&told), name(&ask(TODAY + 97 * DAY - 1).1));
    assert_ne!(name(&told), name(&ask(TODAY + 97 * DAY + 1).1));
    // A site without a drill counts from its first row.
    let mut fresh = desk(TODAY + 91 * DAY, "2026-11-25", &rules, &[], &[]);
    assert_eq!(duties(&fresh), []);
    fresh.began = Some(UtcMicros(TODAY));
    assert!(matches!(
        duties(&fresh)[..],
        [Duty::DrillOverdue { last: None, .. }]
    ));
}

#[test]
fn a_review_and_an_action_are_overdue_the_day_after_their_day() {
    let rules = Rules {
        procedure_review_due: Some("2026-11-24".into()),
        ..Rules::default()
    };
    let mut r = record("closed", "person");
    let action = |number, due: &str, done| CorrectiveAction {
        number,
        text: "monitor the fans".into(),
        owner: "budi".into(),
        due: due.into(),
        done,
    };
    r.actions = vec![
        action(1, "2026-11-24", false),
        action(2, "2026-11-25", false),
        action(3, "2026-11-01", true),
    ];
    let records = [r];
    let ask = |today| {
        let desk = desk(TODAY, today, &rules, &records, &[]);
        (duties(&desk), reminders(&desk))
    };
    assert_eq!(ask("2026-11-24").0, []);
    let (due, told) = ask("2026-11-25");
    assert!(matches!(
        &due[..],
        [Duty::ReviewOverdue { .. }, Duty::ActionOverdue { number: 1, owner, .. }] if owner == "budi"
    ));
    assert_eq!(told.len(), 2);
    let periods = |today| -> Vec<_> { ask(today).1.into_iter().map(|r| r.period).collect() };
    assert_eq!(periods("2026-11-25")[0], periods("2026-12-01")[0]);
    assert_ne!(periods("2026-11-25")[0], periods("2026-12-02")[0]);
}

#[test]
fn planned_work_is_announced_a_day_and_an_hour_before_to_whom_did_not_just_hear_of_it() {
    let rules = Rules::default();
    let start = TODAY + 10 * DAY;
    let planned = |since: i64| {
        [Planned {
            notice: "n1".into(),
            window: Window {
                from: UtcMicros(start),
                to: UtcMicros(start + HOUR),
            },
            since: UtcMicros(since),
            told: Told::Released,
        }]
    };
    let tags = |since: i64, now: i64| -> Vec<String> {
        let planned = planned(since);
        let desk = desk(now, "2026-12-05", &rules, &[], &planned);
        reminders(&desk).into_iter().map(|r| r.tag).collect()
    };
    assert_eq!(tags(TODAY, start - 25 * HOUR), [""; 0]);
    assert_eq!(tags(TODAY, start - 24 * HOUR), ["planned-24h-n1"]);
    assert_eq!(tags(TODAY, start - 2 * HOUR), ["planned-24h-n1"]);
    assert_eq!(tags(TODAY, start - HOUR), ["planned-1h-n1"]);
    assert_eq!(tags(TODAY, start), [""; 0]);
    // Told two hours before: a day's reminder would only say it again.
    assert_eq!(tags(start - 2 * HOUR, start - 2 * HOUR + 1), [""; 0]);
    assert_eq!(tags(start - 2 * HOUR, start - HOUR), ["planned-1h-n1"]);
}
