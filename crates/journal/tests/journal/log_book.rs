//! The log book and its CSV.

use crate::common::*;
use siaga_journal::csv::{events_csv, log_book_csv};
use siaga_journal::log_book::{DowntimeKind, LogBookRow, Subject, log_book};
use siaga_model::api::{EventView, SeenBy};
use siaga_model::event::EventBody;
use siaga_model::plan::MoveKind;
use siaga_model::seal::LogRows;
use siaga_model::{NodeName, RunId, UtcMicros};

fn services(events: &[EventView]) -> Vec<LogBookRow> {
    let rows = log_book(events).into_iter();
    rows.filter(|r| matches!(r.subject, Subject::Service(_)))
        .collect()
}

fn machines(events: &[EventView]) -> Vec<(&'static str, DowntimeKind, Option<i64>, Option<i64>)> {
    let seconds = |t: Option<UtcMicros>| t.map(|t| (t.0 - START) / 1_000_000);
    let row = |r: LogBookRow| match &r.subject {
        Subject::Machine(name) => {
            let name = if name.as_str() == "serverdb" {
                "serverdb"
            } else {
                "backup"
            };
            Some((name, r.kind, seconds(r.offline_at), seconds(r.online_at)))
        }
        Subject::Service(_) => None,
    };
    log_book(events).into_iter().filter_map(row).collect()
}

#[test]
fn a_takeover_is_one_unplanned_downtime_however_many_saw_it() {
    let node = NodeName::from("serverdb");
    let events = [
        view(
            "serverdb",
            0,
            None,
            EventBody::ServiceOnline {
                node,
                at: UtcMicros(START),
            },
        ),
        view(
            "backup",
            60,
            Some("r1"),
            accepted(MoveKind::Takeover, "serverdb is dead"),
        ),
        view("backup", 90, Some("r1"), outage(9, 84, SeenBy::Node)),
        view("backup", 91, Some("r1"), outage(10, 82, SeenBy::Probe)),
        view("backup", 91, None, outage(11, 81, SeenBy::Probe)),
        view("backup", 92, Some("r1"), ended()),
    ];
    let rows = services(&events);
    let [row] = &rows[..] else { panic!("{rows:?}") };
    assert_eq!(
        (row.kind, row.seen_by),
        (DowntimeKind::Unplanned, SeenBy::Probe)
    );
    assert_eq!((row.duration_ms, row.error_ms), (Some(72_000), Some(10)));
    assert_eq!(row.cause.as_deref(), Some("serverdb is dead"));
    assert_eq!(row.who.as_deref(), Some("Sari"));
    assert_eq!(row.run, Some(RunId::from("r1")));
}

#[test]
fn planned_moves_drills_and_crashes_are_told_apart() {
    let events = [
        view(
            "backup",
            100,
            Some("r1"),
            accepted(MoveKind::Switchover, "kernel"),
        ),
        view("backup", 110, Some("r1"), outage(102, 105, SeenBy::Probe)),
        view("backup", 110, Some("r1"), ended()),
        view(
            "backup",
            200,
            Some("r2"),
            accepted(MoveKind::Drill, "monthly"),
        ),
        view("backup", 240, Some("r2"), outage(202, 205, SeenBy::Probe)),
        view("backup", 240, Some("r2"), outage(222, 225, SeenBy::Probe)),
        view("backup", 241, Some("r2"), ended()),
        // The database died by itself, and was restarted a minute later.
        view(
            "backup",
            360,
            Some("r3"),
            accepted(MoveKind::Restart, "it crashed"),
        ),
        view("backup", 370, Some("r3"), outage(300, 365, SeenBy::Probe)),
        view("backup", 370, Some("r3"), ended()),
        // Nobody did anything.
        view("backup", 500, None, outage(480, 490, SeenBy::Probe)),
    ];
    let kinds: Vec<_> = services(&events).iter().map(|r| r.kind).collect();
    use DowntimeKind::*;
    assert_eq!(kinds, [Planned, Drill, Drill, Unplanned, Unplanned]);
    assert_eq!(services(&events)[4].who, None);
}

#[test]
fn what_a_node_noted_counts_where_no_probe_measured_and_an_open_downtime_stays_open() {
    let node = NodeName::from("serverdb");
    let at = |s: i64| UtcMicros(START + s * 1_000_000);
    let off = |s, cause: &str| EventBody::ServiceOffline {
        node: node.clone(),
        at: at(s),
        cause: cause.to_owned(),
    };
    let events = [
        view("serverdb", 10, None, off(10, "postmaster gone")),
        view("serverdb", 11, None, off(11, "again")),
        view(
            "serverdb",
            30,
            None,
            EventBody::ServiceOnline {
                node: node.clone(),
                at: at(29),
            },
        ),
        view("serverdb", 50, None, off(50, "disk")),
    ];
    let rows = services(&events);
    assert_eq!(
        (rows[0].duration_ms, rows[0].seen_by),
        (Some(19_000), SeenBy::Node)
    );
    assert_eq!(rows[0].cause.as_deref(), Some("postmaster gone"));
    assert_eq!(
        (rows[1].offline_at, rows[1].online_at),
        (Some(at(50)), None)
    );
    assert_eq!(rows.len(), 2);
}

#[test]
fn a_machine_that_was_switched_off_and_booted_is_one_row() {
    let node = NodeName::from("serverdb");
    let events = [
        silent(10),
        view(
            "backup",
            20,
            Some("r1"),
            EventBody::PowerChanged { node, on: false },
        ),
        view(
            "serverdb",
            100,
            None,
            EventBody::AgentStarted {
                boot: boot("b2"),
                version: "1".into(),
            },
        ),
        view(
            "serverdb",
            100,
            None,
            EventBody::NodeBooted { boot: boot("b2") },
        ),
        answers(101, "b2"),
    ];
    assert_eq!(
        machines(&events),
        [("serverdb", DowntimeKind::PoweredOff, Some(10), Some(100))]
    );
}

#[test]
fn a_boot_nobody_saw_coming_counts_from_the_last_sign_of_life() {
    let events = [
        view("serverdb", 5, None, ended()),
        view(
            "serverdb",
            80,
            None,
            EventBody::AgentStarted {
                boot: boot("b2"),
                version: "1".into(),
            },
        ),
        view(
            "serverdb",
            80,
            None,
            EventBody::NodeBooted { boot: boot("b2") },
        ),
    ];
    assert_eq!(
        machines(&events),
        [("serverdb", DowntimeKind::Restarted, Some(5), Some(80))]
    );
}

#[test]
fn a_network_that_was_away_is_not_a_boot() {
    let events = [answers(1, "b1"), silent(10), answers(20, "b1"), silent(30)];
    let expected = [
        ("serverdb", DowntimeKind::Silent, Some(10), Some(20)),
        ("serverdb", DowntimeKind::Silent, Some(30), None),
    ];
    assert_eq!(machines(&events), expected);
    let events = [answers(1, "b1"), silent(10), answers(20, "b2")];
    assert_eq!(machines(&events)[0].1, DowntimeKind::Restarted);
}

#[test]
fn a_return_heard_by_the_peer_first_is_one_return() {
    let booted = view(
        "serverdb",
        21,
        None,
        EventBody::NodeBooted { boot: boot("b2") },
    );
    let events = [silent(10), answers(20, "b2"), booted];
    assert_eq!(
        machines(&events),
        [("serverdb", DowntimeKind::Restarted, Some(10), Some(20))]
    );
}

#[test]
fn csv_quotes_what_needs_it() {
    let events = [
        view(
            "backup",
            60,
            Some("r1"),
            accepted(MoveKind::Stop, "say \"hi\", then\r\nstop"),
        ),
        view("backup", 91, Some("r1"), outage(61, 62, SeenBy::Probe)),
    ];
    let text = log_book_csv(&log_book(&events));
    let expected = "service,simrs,planned,2026-01-01T00:01:01Z,2026-01-01T00:01:02Z,1000,10,\
                    \"say \"\"hi\"\", then\r\nstop\",Sari,probe,r1\r\n";
    assert_eq!(text.split_once("\r\n").unwrap().1, expected);
    let text = events_csv(&events);
    assert!(text.starts_with("at,node,incarnation,seq,service,run,actor,kind,event\r\n"));
    assert!(
        text.contains("2026-01-01T00:01:00Z,backup,1,1,simrs,r1,,run_accepted,\"{\"\"kind\"\"")
    );
}

/// The order was a switchover, another run covered it, and the first start was over a second before.
#[test]
fn a_covered_run_is_in_the_log_book_with_the_run_that_covered_it() {
    let EventBody::RunAccepted {
        goal,
        reason,
        requested_by,
        approved_by,
        idempotency_key,
        ..
    } = accepted(MoveKind::Cover, "cover")
    else {
        unreachable!("it is one")
    };
    let cover = EventBody::RunAccepted {
        move_kind: MoveKind::Cover,
        goal,
        reason,
        requested_by,
        approved_by,
        idempotency_key,
        covers: Some("r1".into()),
    };
    let events = [
        view(
            "serverdb",
            0,
            Some("r0"),
            accepted(MoveKind::Start, "first"),
        ),
        view("serverdb", 9, Some("r0"), ended()),
        view(
            "backup",
            10,
            Some("r1"),
            accepted(MoveKind::Switchover, "new memory"),
        ),
        view("serverdb", 20, Some("r2"), cover),
        view("serverdb", 24, Some("r2"), ended()),
        view("serverdb", 24, Some("r1"), ended()),
        view("serverdb", 25, Some("r2"), outage(10, 23, SeenBy::Probe)),
    ];
    let rows = services(&events);
    let [row] = rows.as_slice() else {
        panic!("{rows:?}")
    };
    assert_eq!(row.cause.as_deref(), Some("new memory"));
    assert_eq!(row.run, Some(RunId::from("r1")));
    assert_eq!(row.covered_by, Some(RunId::from("r2")));
}

#[test]
fn a_covered_run_whose_order_was_not_copied_is_known_by_its_plan() {
    let plan = serde_json::json!({
        "id": "p1", "parent": null, "coordinator": "backup",
        "epoch": {"counter": 2, "issuer": "backup", "run": "r1"},
        "plan": {
            "service": "simrs", "kind": "switchover", "goal": {"active_on": "backup"}, "from": "serverdb",
            "proofs": [], "steps": [], "sentence": {"say": "no_probe"}, "unproved": []
        }
    });
    let plan = EventBody::PlanRecorded {
        plan: Box::new(serde_json::from_value(plan).unwrap()),
    };
    let mut cover = accepted(MoveKind::Cover, "silent");
    if let EventBody::RunAccepted { covers, .. } = &mut cover {
        *covers = Some(RunId::from("r1"));
    }
    let events = [
        view("serverdb", 10, Some("r1"), plan),
        view("serverdb", 20, Some("r2"), cover),
        view("serverdb", 22, Some("r2"), ended()),
        view("serverdb", 22, Some("r1"), ended()),
        view("serverdb", 23, Some("r2"), outage(10, 22, SeenBy::Probe)),
    ];
    let rows = services(&events);
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].run, Some(RunId::from("r1")));
    assert_eq!(rows[0].covered_by, Some(RunId::from("r2")));
}

fn said(at: i64, entry: siaga_model::incident::IncidentEntry) -> EventView {
    let body = EventBody::Incident {
        incident: "k1".into(),
        entry: Box::new(entry),
    };
    view("backup", at, None, body)
}

#[test]
fn a_move_made_by_hand_has_a_line_of_what_was_entered_and_says_so() {
    use siaga_model::incident::{FirstSign, IncidentEntry, IncidentKind, Origin, TimeKind};
    let time = |kind, at: i64| IncidentEntry::TimeEntered {
        time: kind,
        at: Some(UtcMicros(START + at * 1_000_000)),
        reason: String::new(),
    };
    let opened = |origin| IncidentEntry::Opened {
        number: "DT-2026-001".into(),
        kind: IncidentKind::Unplanned,
        origin,
        services: vec!["simrs".into()],
        first: FirstSign::default(),
    };
    let mut events = vec![
        said(100, opened(Origin::ByHand)),
        said(110, time(TimeKind::Offline, 10)),
    ];
    // It is known to be back: without that time it must not look as if it lasted.
    assert!(services(&events).is_empty());
    events.push(said(120, time(TimeKind::ClientOk, 70)));
    let rows = services(&events);
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].duration_ms, Some(60_000));
    assert!(rows[0].entered_by.is_some());
    assert!(log_book_csv(&rows).contains(",entered,"));
    // And they are among what is read for the log book.
    let read = siaga_journal::log_book::filter(&LogRows::default());
    assert!(read.kinds.iter().any(|kind| kind == "incident"));
    // What was measured of that time is not told twice.
    let mut measured = events.clone();
    measured.insert(0, view("backup", 90, None, outage(11, 69, SeenBy::Probe)));
    let rows = services(&measured);
    assert_eq!((rows.len(), rows[0].entered_by.is_none()), (1, true));
    // A person's own incident is no move by hand.
    events[0] = said(100, opened(Origin::Person));
    assert!(services(&events).is_empty());
}
