//! The records of incidents, from rows of runs, probes and people.

use crate::common::*;
use siaga_journal::incidents::{find, incidents, next_number};
use siaga_model::api::{EventView, SeenBy};
use siaga_model::event::{Actor, ActorProof, EventBody};
use siaga_model::incident::{
    BackEntry, FirstSign, IncidentEntry as E, IncidentKind, Origin, TimeKind, UnitImpact,
};
use siaga_model::notice::{Moment, NoticeEntry, Recipient};
use siaga_model::plan::MoveKind;
use siaga_model::record::{IncidentRecord, IncidentState, TimeSource};
use siaga_model::{IncidentKey, RunId, UnitName, UtcMicros};

fn at(seconds: i64) -> UtcMicros {
    UtcMicros(START + seconds * 1_000_000)
}

fn row(node: &str, seconds: i64, key: &str, entry: E) -> EventView {
    let body = EventBody::Incident {
        incident: IncidentKey::from(key),
        entry: Box::new(entry),
    };
    let mut view = view(node, seconds, None, body);
    view.event.actor = Some(Actor {
        name: format!("orang@{node}"),
        how: ActorProof::Stated,
    });
    view
}

fn opened(number: &str, origin: Origin) -> E {
    E::Opened {
        number: number.into(),
        kind: IncidentKind::Unplanned,
        origin,
        services: vec!["simrs".into()],
        first: FirstSign::default(),
    }
}

fn one(events: &[EventView]) -> IncidentRecord {
    let mut records = incidents(events, &[UnitName::from("igd"), UnitName::from("farmasi")]);
    assert_eq!(records.len(), 1);
    records.remove(0)
}

fn seconds(record: &IncidentRecord, kind: TimeKind) -> Option<i64> {
    Some((record.time(kind)?.0 - START) / 1_000_000)
}

/// A takeover that the client tests announced.
fn night() -> Vec<EventView> {
    let run = Some("r1");
    vec![
        row(
            "backup",
            40,
            "k1",
            opened("DT-2026-001", Origin::ClientTests),
        ),
        row("backup", 50, "k1", E::Confirmed),
        view("backup", 60, run, accepted(MoveKind::Takeover, "mati")),
        row(
            "backup",
            61,
            "k1",
            E::RunJoined {
                run: RunId::from("r1"),
            },
        ),
        view("backup", 90, run, outage(30, 85, SeenBy::Probe)),
        view("backup", 92, run, ended()),
        row(
            "backup",
            93,
            "k1",
            E::Restored {
                watch_until: at(993),
            },
        ),
    ]
}

#[test]
fn measured_times_come_from_probes_and_runs_and_what_nobody_knows_is_blank() {
    let record = one(&night());
    assert_eq!(record.state, IncidentState::UnderWatch);
    let times = [
        (TimeKind::Offline, Some(30)),
        (TimeKind::Detected, Some(40)),
        (TimeKind::Confirmed, Some(50)),
        (TimeKind::Decided, Some(60)),
        (TimeKind::ClientOk, Some(85)),
        (TimeKind::Reported, None),
        (TimeKind::Fenced, None),
        (TimeKind::AllClear, None),
    ];
    for (kind, expected) in times {
        assert_eq!(seconds(&record, kind), expected, "{kind:?}");
    }
    assert_eq!(record.times.len(), TimeKind::ALL.len());
    let figures = record.figures;
    assert_eq!(figures.down_ms, Some(55_000));
    assert_eq!(figures.detect_ms, Some(10_000));
    assert_eq!((figures.notice_ms, figures.technical_ms), (None, None));
    let json = serde_json::to_value(&record).unwrap();
    assert!(json["figures"]["notice_ms"].is_null() && json["cause"].is_null());
    // Every unit is there, also those of which nobody said anything.
    assert_eq!(record.impact.len(), 2);
    assert!(record.impact.iter().all(|i| i.affected.is_none()));
}

#[test]
fn a_correction_stands_beside_the_measured_time_and_both_are_shown() {
    let mut events = night();
    let entered = |time, at, reason: &str| E::TimeEntered {
        time,
        at,
        reason: reason.into(),
    };
    events.push(row(
        "serverdb",
        100,
        "k1",
        entered(TimeKind::Offline, Some(at(10)), "perawat"),
    ));
    let record = one(&events);
    let offline = &record.times[1];
    assert_eq!(
        (offline.at, &offline.source),
        (Some(at(30)), &Some(TimeSource::Probe))
    );
    assert_eq!(offline.corrections[0].at, Some(at(10)));
    assert_eq!(record.figures.down_ms, Some(75_000));
    // A correction taken back: not known.
    events.push(row(
        "serverdb",
        101,
        "k1",
        entered(TimeKind::Offline, None, "salah"),
    ));
    let record = one(&events);
    assert_eq!(record.time(TimeKind::Offline), None);
    assert_eq!(record.figures.down_ms, None);
    assert_eq!(record.times[1].corrections.len(), 2);
    // What was never measured is the person's word.
    events.push(row(
        "serverdb",
        102,
        "k1",
        entered(TimeKind::Reported, Some(at(35)), ""),
    ));
    let reported = one(&events).times[3].clone();
    assert_eq!(
        (reported.at, reported.source),
        (
            Some(at(35)),
            Some(TimeSource::Entered {
                by: "orang@serverdb".into()
            })
        )
    );
}

#[test]
fn an_open_downtime_has_no_end() {
    let mut events = night();
    events.truncate(3);
    let offline = EventBody::ServiceOffline {
        node: "backup".into(),
        at: at(30),
        cause: String::new(),
    };
    events.push(view("backup", 41, None, offline));
    let record = one(&events);
    assert_eq!(seconds(&record, TimeKind::Offline), Some(30));
    assert_eq!(record.time(TimeKind::ClientOk), None);
    assert_eq!(record.figures.down_ms, None);
}

#[test]
fn two_nodes_that_wrote_apart_give_one_record_and_lose_nothing() {
    let mut here = night();
    here.push(row(
        "backup",
        100,
        "k1",
        E::CauseGiven {
            category: siaga_model::incident::CauseCategory::Power,
            text: "PLN".into(),
        },
    ));
    let there = [
        row(
            "serverdb",
            99,
            "k1",
            E::CauseGiven {
                category: siaga_model::incident::CauseCategory::Hardware,
                text: "catu daya".into(),
            },
        ),
        row(
            "serverdb",
            101,
            "k1",
            E::Noted {
                text: "dari sisi lain".into(),
            },
        ),
    ];
    here.extend(there);
    here.sort_by_key(|v| v.hlc);
    let record = one(&here);
    assert_eq!(record.cause.as_ref().unwrap().text, "PLN");
    let causes = record
        .history
        .iter()
        .filter(|h| matches!(h.entry, E::CauseGiven { .. }));
    assert_eq!(causes.count(), 2, "both are in the history");
    assert_eq!(record.notes.len(), 1);
}

#[test]
fn a_number_given_twice_apart_is_told_apart_and_the_next_is_free() {
    let events = [
        row("serverdb", 10, "k1", opened("DT-2026-001", Origin::Person)),
        row("backup", 11, "k2", opened("DT-2026-001", Origin::Person)),
        row("backup", 12, "k2", E::Withdrawn { reason: "x".into() }),
    ];
    let records = incidents(&events, &[]);
    let ids: Vec<&str> = records.iter().map(|r| r.id.as_str()).collect();
    assert_eq!(ids, ["DT-2026-001", "DT-2026-001b"]);
    assert_eq!(
        find(&records, "dt-2026-001B").unwrap().state,
        IncidentState::Withdrawn
    );
    assert_eq!(find(&records, "k1").unwrap().id, "DT-2026-001");
    assert_eq!(next_number(&records, 2026), "DT-2026-002");
    assert_eq!(next_number(&records, 2027), "DT-2027-001");
    assert_eq!(next_number(&[], 2026), "DT-2026-001");
}

#[test]
fn the_state_follows_the_rows_and_what_is_over_stays_over() {
    let mut events = vec![row(
        "backup",
        1,
        "k1",
        opened("DT-2026-001", Origin::Person),
    )];
    let mut then = |seconds, entry| {
        events.push(row("backup", seconds, "k1", entry));
        one(&events).state
    };
    assert_eq!(
        then(2, E::Noted { text: "x".into() }),
        IncidentState::Suspected
    );
    assert_eq!(then(3, E::Confirmed), IncidentState::Confirmed);
    assert_eq!(
        then(4, E::Restored { watch_until: at(9) }),
        IncidentState::UnderWatch
    );
    // It breaks again.
    assert_eq!(
        then(5, E::RunJoined { run: "r2".into() }),
        IncidentState::Confirmed
    );
    assert_eq!(
        then(6, E::Restored { watch_until: at(9) }),
        IncidentState::UnderWatch
    );
    assert_eq!(then(7, E::AllClear), IncidentState::AllClear);
    assert_eq!(then(8, E::Confirmed), IncidentState::AllClear);
    assert_eq!(then(9, E::Closed { reason: None }), IncidentState::Closed);
    assert_eq!(then(10, E::AllClear), IncidentState::Closed);
    let merged = E::MergedInto {
        incident: "k0".into(),
    };
    assert_eq!(then(11, merged), IncidentState::Merged);
    assert_eq!(then(12, E::Confirmed), IncidentState::Merged);
}

#[test]
fn another_downtime_of_the_service_is_not_the_incidents() {
    let mut events = night();
    events.push(row("backup", 200, "k1", E::AllClear));
    events.push(view(
        "backup",
        5000,
        None,
        outage(4000, 4100, SeenBy::Probe),
    ));
    events.insert(0, view("backup", 20, None, outage(1, 9, SeenBy::Probe)));
    let record = one(&events);
    assert_eq!(record.figures.down_ms, Some(55_000));
}

#[test]
fn a_takeover_in_the_watch_after_a_drill_is_not_the_drills() {
    let drill = Origin::Run { run: "r0".into() };
    let mut events = vec![
        view(
            "backup",
            5,
            Some("r0"),
            accepted(MoveKind::Drill, "bulanan"),
        ),
        row("backup", 6, "k0", opened("DT-2026-001", drill)),
        view("backup", 8, Some("r0"), outage(5, 7, SeenBy::Probe)),
        view("backup", 9, Some("r0"), ended()),
        row(
            "backup",
            9,
            "k0",
            E::Restored {
                watch_until: at(900),
            },
        ),
    ];
    events.extend(night());
    let records = incidents(&events, &[]);
    let down: Vec<_> = records.iter().map(|r| r.figures.down_ms).collect();
    assert_eq!(down, [Some(2_000), Some(55_000)]);
}

#[test]
fn papers_are_left_until_every_form_is_entered() {
    let impact = |paper| E::Impact {
        impact: UnitImpact {
            unit: "igd".into(),
            affected: Some(true),
            went_to_paper: paper,
            count: None,
            note: String::new(),
        },
    };
    let entry = |forms, entered| E::BackEntry {
        entry: BackEntry {
            unit: "igd".into(),
            forms,
            entered,
            verified_by: None,
        },
    };
    let mut events = night();
    let mut left = |entry| {
        events.push(row("backup", 300, "k1", entry));
        one(&events).papers_left.len()
    };
    assert_eq!(left(impact(Some(false))), 0);
    assert_eq!(left(impact(Some(true))), 1);
    assert_eq!(left(entry(Some(3), Some(2))), 1);
    assert_eq!(left(entry(None, None)), 1);
    assert_eq!(left(entry(Some(3), Some(3))), 0);
}

#[test]
fn the_first_notice_that_was_sent_is_a_time_of_the_record() {
    let mut events = night();
    let notice = |seconds, entry| {
        let body = EventBody::Notice {
            notice: "n1".into(),
            entry: Box::new(entry),
        };
        view("backup", seconds, None, body)
    };
    events.push(notice(
        55,
        NoticeEntry::Drafted {
            moment: Moment::Confirmed,
            incident: Some("k1".into()),
            texts: Vec::new(),
            units: vec!["igd".into()],
            next_update: Some(UtcMicros(1)),
            window: None,
            reminds_of: None,
        },
    ));
    assert_eq!(one(&events).time(TimeKind::FirstNotice), None);
    for seconds in [57, 58] {
        events.push(notice(
            seconds,
            NoticeEntry::Sent {
                delivery: "d".into(),
                to: Recipient::Unit("igd".into()),
                channel: "mail".into(),
                receipt: String::new(),
            },
        ));
    }
    let record = one(&events);
    assert_eq!(seconds(&record, TimeKind::FirstNotice), Some(57));
    assert_eq!(record.notices[0].sent, 2);
    assert_eq!(record.figures.notice_ms, Some(17_000));
}

#[test]
fn rows_of_an_incident_are_read_back_as_they_were_written() {
    let dir = tempfile::tempdir().unwrap();
    let (mut journal, _) = open(dir.path(), "serverdb");
    let events: Vec<_> = night().into_iter().map(|v| v.event).collect();
    journal
        .append_all(events, siaga_journal::Durability::Sync)
        .unwrap();
    let read = journal.events(&siaga_journal::incidents::filter()).unwrap();
    let record = &incidents(&read, &[])[0];
    assert_eq!(
        (record.id.as_str(), record.state),
        ("DT-2026-001", IncidentState::UnderWatch)
    );
}

/// The clock of a node was set back by an hour in the middle of it.
#[test]
fn a_clock_that_was_set_makes_no_negative_span_and_is_in_the_record() {
    let stepped = |seconds: i64, by_ms: i64| {
        let finding = siaga_model::event::Finding {
            code: siaga_model::event::FindingCode::ClockDiffers,
            node: "backup".into(),
            severity: siaga_model::event::Severity::Warning,
            evidence: siaga_model::evidence::Evidence::ClockStepped { by_ms },
        };
        view("backup", seconds, None, EventBody::Found { finding })
    };
    let mut off = view(
        "backup",
        3600,
        None,
        EventBody::ServiceOffline {
            node: "backup".into(),
            at: at(3600),
            cause: String::new(),
        },
    );
    // Before its beginning, by the clock that was set back; after it in the merged order.
    let mut on = view(
        "backup",
        300,
        None,
        EventBody::ServiceOnline {
            node: "backup".into(),
            at: at(300),
        },
    );
    let mut rows = vec![
        stepped(3000, 5000),
        row(
            "backup",
            3600,
            "k1",
            opened("DT-2026-001", Origin::ClientTests),
        ),
        row("backup", 3660, "k1", E::Confirmed),
        stepped(100, -3_600_000),
        row("backup", 400, "k1", E::AllClear),
        stepped(500, 3_600_000),
    ];
    for (place, view) in rows.iter_mut().enumerate() {
        view.hlc.wall = UtcMicros(at(4000).0 + place as i64);
    }
    (off.hlc.wall, on.hlc.wall) = (rows[1].hlc.wall, rows[4].hlc.wall);
    rows.extend([off, on]);
    rows.sort_by_key(|v| v.hlc);
    let record = one(&rows);
    let steps: Vec<i64> = record.clock_steps.iter().map(|s| s.by_ms).collect();
    // Only the one that was set while it was open.
    assert_eq!(steps, [-3_600_000]);
    let f = record.figures;
    for span in [
        f.down_ms,
        f.detect_ms,
        f.notice_ms,
        f.decision_ms,
        f.technical_ms,
    ] {
        assert_eq!(
            span.filter(|ms| *ms == 0 || *ms > 86_400_000),
            None,
            "{f:?}"
        );
    }
    // Nobody knows how long it was: that is not zero.
    assert_eq!(f.down_ms, None, "{f:?}");
}
