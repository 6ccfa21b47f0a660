//! Availability against a slow model that counts minute by minute, and the cases that are easy to get wrong.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use siaga_journal::availability::{Availability, Basis, Period, availability, rows_in, times};
use siaga_journal::log_book::{DowntimeKind, LogBookRow, Subject};
use siaga_model::api::SeenBy;
use siaga_model::incident::TimeKind;
use siaga_model::{NodeName, ServiceName, UtcMicros};
use std::collections::BTreeMap;

const MINUTE: i64 = 60_000_000;

fn at(text: &str) -> UtcMicros {
    UtcMicros(text.parse::<Timestamp>().unwrap().as_microsecond())
}

fn row(kind: DowntimeKind, off: Option<UtcMicros>, on: Option<UtcMicros>) -> LogBookRow {
    LogBookRow {
        subject: Subject::Service(ServiceName::from("simrs")),
        kind,
        offline_at: off,
        online_at: on,
        duration_ms: off.zip(on).map(|(off, on)| on.millis_since(off)),
        error_ms: None,
        cause: None,
        who: None,
        seen_by: SeenBy::Probe,
        run: None,
        covered_by: None,
        entered_by: None,
    }
}

fn figures(month: &str, zone: &str, rows: &[LogBookRow], now: UtcMicros) -> Availability {
    let basis = Basis {
        rows,
        now,
        target_milli_pct: None,
        log_begins: None,
        records: &[],
    };
    let period = match month.len() {
        4 => Period::year(month, zone).unwrap(),
        _ => Period::month(month, zone).unwrap(),
    };
    availability(&ServiceName::from("simrs"), &period, &basis)
}

const LATER: &str = "2027-06-01T00:00:00Z";

#[test]
fn a_month_without_downtime() {
    let f = figures("2026-11", "Asia/Jakarta", &[], at(LATER));
    assert_eq!(f.minutes_in_month, Some(30 * 24 * 60));
    assert_eq!(f.minutes_counted, 43_200.0);
    assert_eq!(
        (f.downtime_planned_min, f.downtime_unplanned_min),
        (0.0, 0.0)
    );
    assert_eq!(f.availability_pct, Some(100.0));
    assert_eq!(
        (f.incidents, f.open_incidents, f.unknown_duration),
        (0, 0, 0)
    );
    assert!(f.complete);
}

#[test]
fn a_drill_is_planned_and_the_two_percentages_differ() {
    let rows = [
        row(
            DowntimeKind::Drill,
            Some(at("2026-11-10T01:00:00Z")),
            Some(at("2026-11-10T01:10:00Z")),
        ),
        row(
            DowntimeKind::Unplanned,
            Some(at("2026-11-11T01:00:00Z")),
            Some(at("2026-11-11T01:20:00Z")),
        ),
    ];
    let f = figures("2026-11", "Asia/Jakarta", &rows, at(LATER));
    assert_eq!(
        (f.downtime_planned_min, f.downtime_unplanned_min),
        (10.0, 20.0)
    );
    // 30 and 20 of 43 200 minutes, rounded down.
    assert_eq!(f.availability_pct, Some(99.9305));
    assert_eq!(f.availability_excluding_planned_pct, Some(99.9537));
    assert_eq!(f.incidents, 2);
}

#[test]
fn where_planned_and_unplanned_overlap_it_is_unplanned() {
    let rows = [
        row(
            DowntimeKind::Planned,
            Some(at("2026-11-10T01:00:00Z")),
            Some(at("2026-11-10T02:00:00Z")),
        ),
        row(
            DowntimeKind::Unplanned,
            Some(at("2026-11-10T01:30:00Z")),
            Some(at("2026-11-10T02:30:00Z")),
        ),
    ];
    let f = figures("2026-11", "Asia/Jakarta", &rows, at(LATER));
    assert_eq!(
        (f.downtime_planned_min, f.downtime_unplanned_min),
        (30.0, 60.0)
    );
}

#[test]
fn the_edge_of_a_month_is_midnight_at_the_site() {
    // 23.50 WIB on the last of October to 00.20 WIB on the first of November.
    let rows = [row(
        DowntimeKind::Unplanned,
        Some(at("2026-10-31T16:50:00Z")),
        Some(at("2026-10-31T17:20:00Z")),
    )];
    let in_jakarta = |m| figures(m, "Asia/Jakarta", &rows, at(LATER));
    assert_eq!(in_jakarta("2026-10").downtime_unplanned_min, 10.0);
    assert_eq!(in_jakarta("2026-11").downtime_unplanned_min, 20.0);
    assert_eq!(in_jakarta("2026-10").incidents, 1);
    assert_eq!(in_jakarta("2026-11").incidents, 1);
    assert_eq!(in_jakarta("2026").incidents, 1, "one of the year");
    let utc = figures("2026-11", "Etc/UTC", &rows, at(LATER));
    assert_eq!((utc.downtime_unplanned_min, utc.incidents), (0.0, 0));
}

#[test]
fn a_month_with_a_change_of_the_clocks_is_shorter_or_longer() {
    let minutes = |m| figures(m, "Europe/Berlin", &[], at(LATER)).minutes_in_month;
    assert_eq!(minutes("2026-03"), Some(31 * 1440 - 60));
    assert_eq!(minutes("2026-10"), Some(31 * 1440 + 60));
    let year = figures("2026", "Europe/Berlin", &[], at(LATER));
    assert_eq!(year.minutes_in_year, Some(365 * 1440));
    assert_eq!(year.minutes_in_month, None);
}

#[test]
fn an_open_downtime_lasts_until_now_and_is_flagged() {
    let now = at("2026-11-25T12:00:00Z");
    let rows = [row(
        DowntimeKind::Unplanned,
        Some(at("2026-11-25T11:15:00Z")),
        None,
    )];
    let f = figures("2026-11", "Asia/Jakarta", &rows, now);
    assert_eq!(f.downtime_unplanned_min, 45.0);
    assert_eq!((f.incidents, f.open_incidents), (1, 1));
    assert!(!f.complete);
    // Only what is past: the 1st 00.00 WIB to the 25th 19.00 WIB.
    assert_eq!(f.minutes_counted, f64::from(24 * 1440 + 19 * 60));
    assert_eq!(f.minutes_in_month, Some(43_200));
}

#[test]
fn an_unknown_length_is_counted_and_is_no_minute() {
    let rows = [
        row(
            DowntimeKind::Unplanned,
            None,
            Some(at("2026-11-05T00:00:00Z")),
        ),
        // A clock that stepped back in between.
        row(
            DowntimeKind::Unplanned,
            Some(at("2026-11-06T00:10:00Z")),
            Some(at("2026-11-06T00:00:00Z")),
        ),
    ];
    let f = figures("2026-11", "Asia/Jakarta", &rows, at(LATER));
    assert_eq!(
        (f.incidents, f.unknown_duration, f.open_incidents),
        (2, 2, 0)
    );
    assert_eq!(f.downtime_unplanned_min, 0.0);
    let before = figures("2026-10", "Asia/Jakarta", &rows, at(LATER));
    assert_eq!((before.incidents, before.unknown_duration), (0, 0));
}

#[test]
fn a_length_that_is_known_without_its_beginning_counts() {
    let mut known = row(
        DowntimeKind::Unplanned,
        None,
        Some(at("2026-11-05T00:10:00Z")),
    );
    known.duration_ms = Some(600_000);
    let f = figures("2026-11", "Asia/Jakarta", &[known], at(LATER));
    assert_eq!((f.downtime_unplanned_min, f.unknown_duration), (10.0, 0));
}

#[test]
fn a_month_to_come_has_no_percentage() {
    let f = figures("2026-12", "Asia/Jakarta", &[], at("2026-11-25T00:00:00Z"));
    assert_eq!(f.availability_pct, None);
    assert_eq!(f.minutes_counted, 0.0);
}

#[test]
fn a_month_before_the_log_has_no_percentage() {
    let of = |month| {
        let basis = Basis {
            rows: &[],
            now: at(LATER),
            target_milli_pct: None,
            log_begins: Some(at("2026-11-05T00:00:00Z")),
            records: &[],
        };
        let period = Period::month(month, "Asia/Jakarta").unwrap();
        availability(&ServiceName::from("simrs"), &period, &basis)
    };
    assert_eq!(of("2026-10").availability_pct, None);
    assert_eq!(of("2026-11").availability_pct, Some(100.0));
    let begins = of("2026-11").log_begins_at;
    assert_eq!(begins.as_deref(), Some("2026-11-05T00:00:00Z"));
    assert_eq!(of("2026-12").log_begins_at, None);
}

#[test]
fn downtime_is_never_rounded_away() {
    let rows = [row(
        DowntimeKind::Unplanned,
        Some(at("2026-11-05T00:00:00Z")),
        Some(at("2026-11-05T00:00:00.05Z")),
    )];
    let f = figures("2026-11", "Asia/Jakarta", &rows, at(LATER));
    assert_eq!(f.availability_pct, Some(99.9999));
}

#[test]
fn machines_and_other_services_do_not_count() {
    let span = (at("2026-11-05T00:00:00Z"), at("2026-11-05T01:00:00Z"));
    let mut machine = row(DowntimeKind::PoweredOff, Some(span.0), Some(span.1));
    machine.subject = Subject::Machine(NodeName::from("serverdb"));
    let mut other = row(DowntimeKind::Unplanned, Some(span.0), Some(span.1));
    other.subject = Subject::Service(ServiceName::from("pacs"));
    let f = figures("2026-11", "Asia/Jakarta", &[machine, other], at(LATER));
    assert_eq!((f.incidents, f.downtime_unplanned_min), (0, 0.0));
}

#[test]
fn only_real_months_and_years_are_periods() {
    for bad in [
        "2026-13", "2026-00", "2026-1", "26-11", "2026", "november", "",
    ] {
        assert_eq!(Period::month(bad, "Asia/Jakarta"), None, "{bad:?}");
    }
    for bad in ["26", "2026-11", "", "abcd"] {
        assert_eq!(Period::year(bad, "Asia/Jakarta"), None, "{bad:?}");
    }
    let november = Period::month("2026-02", "Asia/Jakarta").unwrap();
    let names: Vec<String> = november
        .months_up_to("Asia/Jakarta", 4)
        .into_iter()
        .map(|p| p.name)
        .collect();
    assert_eq!(names, ["2025-11", "2025-12", "2026-01", "2026-02"]);
}

#[test]
fn mean_times_are_over_the_records_that_have_both_ends() {
    let record = |pairs: &[(TimeKind, i64)]| {
        let pairs = pairs.iter().map(|(k, s)| (*k, UtcMicros(s * 1_000_000)));
        pairs.collect::<BTreeMap<_, _>>()
    };
    let t = times(&[
        record(&[(TimeKind::Offline, 0), (TimeKind::ClientOk, 60)]),
        record(&[(TimeKind::Offline, 0), (TimeKind::ClientOk, 120)]),
        record(&[(TimeKind::Offline, 0)]),
        record(&[(TimeKind::Detected, 0), (TimeKind::FirstNotice, 30)]),
    ]);
    assert_eq!(t.mttr_s, Some(90.0));
    assert_eq!(t.time_to_notice_s, Some(30.0));
    assert_eq!((t.decision_s, t.technical_s, t.records), (None, None, 4));
}

#[test]
fn the_log_book_of_a_month_holds_what_touches_it() {
    let rows = [
        row(
            DowntimeKind::Unplanned,
            Some(at("2026-10-31T16:50:00Z")),
            Some(at("2026-10-31T17:20:00Z")),
        ),
        row(
            DowntimeKind::Unplanned,
            Some(at("2026-11-20T00:00:00Z")),
            None,
        ),
        row(DowntimeKind::Unplanned, None, None),
    ];
    let now = at("2026-11-25T00:00:00Z");
    let of = |m| rows_in(&Period::month(m, "Asia/Jakarta").unwrap(), &rows, now).len();
    assert_eq!((of("2026-09"), of("2026-10"), of("2026-11")), (0, 1, 3));
    assert_eq!(of("2026-12"), 0);
}

/// The model: every minute by itself, its month read off a calendar, and every row asked whether it covers the minute.
fn model(month: &str, zone: &str, rows: &[LogBookRow], now: UtcMicros) -> (i64, i64, i64) {
    let tz = TimeZone::get(zone).unwrap();
    let middle = at(&format!("{month}-15T00:00:00Z")).0;
    let (mut counted, mut planned, mut unplanned) = (0, 0, 0);
    for minute in -18 * 1440..=19 * 1440 {
        let begin = middle + minute * MINUTE;
        let local = Timestamp::from_microsecond(begin)
            .unwrap()
            .to_zoned_datetime(tz.clone());
        if local.strftime("%Y-%m").to_string() != month || begin + MINUTE > now.0 {
            continue;
        }
        counted += 1;
        let down = |wanted: bool| {
            rows.iter().any(|row| {
                let is_planned = matches!(row.kind, DowntimeKind::Planned | DowntimeKind::Drill);
                let Some(off) = row.offline_at else {
                    return false;
                };
                let on = row.online_at.unwrap_or(now);
                is_planned == wanted && off.0 <= begin && begin + MINUTE <= on.0
            })
        };
        match (down(false), down(true)) {
            (true, _) => unplanned += 1,
            (false, true) => planned += 1,
            (false, false) => {}
        }
    }
    (counted, planned, unplanned)
}

fn kind() -> impl Strategy<Value = DowntimeKind> {
    prop_oneof![
        Just(DowntimeKind::Unplanned),
        Just(DowntimeKind::Planned),
        Just(DowntimeKind::Drill),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_arithmetic_is_what_counting_minutes_gives(
        zone in prop_oneof![
            Just("Asia/Jakarta"), Just("Asia/Jayapura"), Just("Europe/Berlin"), Just("America/St_Johns"),
            Just("Australia/Lord_Howe"), Just("Etc/UTC"),
        ],
        month in prop_oneof![Just("2026-02"), Just("2026-03"), Just("2026-04"), Just("2026-10"), Just("2026-11")],
        now in -20i64 * 1440..30 * 1440,
        spans in prop::collection::vec((kind(), -19i64 * 1440..19 * 1440, 0i64..3000, 0u8..10), 0..8),
    ) {
        let middle = at(&format!("{month}-15T00:00:00Z")).0;
        let minute = |m: i64| UtcMicros(middle + m * MINUTE);
        let now = minute(now);
        let rows: Vec<LogBookRow> = spans
            .iter()
            .map(|(kind, begin, length, open)| {
                let end = (*open > 0).then(|| minute(begin + length));
                row(*kind, Some(minute(*begin)), end)
            })
            .collect();
        let f = figures(month, zone, &rows, now);
        let (counted, planned, unplanned) = model(month, zone, &rows, now);
        prop_assert_eq!(f.minutes_counted, counted as f64);
        prop_assert_eq!(f.downtime_planned_min, planned as f64);
        prop_assert_eq!(f.downtime_unplanned_min, unplanned as f64);
        if counted > 0 {
            let pct = (counted - planned - unplanned) as f64 * 100.0 / counted as f64;
            prop_assert!((f.availability_pct.unwrap() - pct).abs() <= 0.0001);
        }
        let open = rows.iter().filter(|r| r.online_at.is_none()).count();
        prop_assert!(f.open_incidents as usize <= open);
        prop_assert!(f.incidents as usize <= rows.len());
    }
}
