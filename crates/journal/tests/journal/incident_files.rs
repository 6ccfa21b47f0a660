//! What the files looked like some minutes after a move belongs to the record of what went before it, until that is closed.

use crate::common::{accepted, ended, view};
use siaga_journal::incidents::{filter, incidents};
use siaga_model::api::{EventView, LostRows};
use siaga_model::event::EventBody;
use siaga_model::incident::{FirstSign, IncidentEntry as E, IncidentKind, Origin};
use siaga_model::integrity::IntegrityReport;
use siaga_model::plan::MoveKind;
use siaga_model::rehearsal::{IndexCheck, Tried};

fn looked(seconds: i64, service: &str, damaged: &str) -> EventView {
    let report = Box::new(IntegrityReport {
        service: service.into(),
        node: "backup".into(),
        checksums: Some(true),
        checksum_failures: Some(0),
        new_failures: None,
        indexes: IndexCheck {
            status: Tried::Failed,
            checked: 7,
            indexes: 7,
            damaged: vec![damaged.to_owned()],
            why: None,
            duration_ms: 40,
        },
    });
    view(
        "backup",
        seconds,
        None,
        EventBody::IntegrityChecked { report },
    )
}

fn row(seconds: i64, entry: E) -> EventView {
    let body = EventBody::Incident {
        incident: "k1".into(),
        entry: Box::new(entry),
    };
    view("backup", seconds, None, body)
}

#[test]
fn a_look_is_in_the_record_until_it_is_closed() {
    let opened = E::Opened {
        number: "DT-2026-001".into(),
        kind: IncidentKind::Unplanned,
        origin: Origin::Person,
        services: vec!["simrs".into()],
        first: FirstSign::default(),
    };
    let rows = [
        looked(0, "simrs", "before it"),
        row(1, opened),
        looked(2, "simrs", "first"),
        looked(3, "other", "of another service"),
        row(4, E::AllClear),
        looked(5, "simrs", "second"),
        looked(4 + 3600, "simrs", "an hour after the all-clear"),
        row(6 + 3600, E::Closed { reason: None }),
        looked(7 + 3600, "simrs", "too late"),
    ];
    let record = &incidents(&rows, &[])[0];
    let seen: Vec<&str> = record
        .integrity
        .iter()
        .flat_map(|seen| &seen.report.indexes.damaged)
        .map(String::as_str)
        .collect();
    assert_eq!(seen, ["first", "second"]);
    assert!(filter().kinds.iter().any(|k| k == "integrity_checked"));
}

#[test]
fn rows_that_a_run_lost_are_in_the_record_of_its_incident() {
    let opened = E::Opened {
        number: "DT-2026-001".into(),
        kind: IncidentKind::Unplanned,
        origin: Origin::Run { run: "r1".into() },
        services: vec!["simrs".into()],
        first: FirstSign::default(),
    };
    let lost = LostRows {
        probe: "loket-1".into(),
        rows: 3,
    };
    let body = EventBody::RowsLost { lost: lost.clone() };
    let rows = [
        view(
            "backup",
            0,
            Some("r1"),
            accepted(MoveKind::Takeover, "dead"),
        ),
        row(1, opened),
        view("backup", 2, Some("r1"), body.clone()),
        view("backup", 3, Some("r1"), ended()),
        view(
            "backup",
            4,
            Some("r2"),
            accepted(MoveKind::Failback, "home"),
        ),
        view("backup", 5, Some("r2"), body),
    ];
    let record = &incidents(&rows, &[])[0];
    let of_runs: Vec<_> = record.runs.iter().map(|r| &r.lost_rows).collect();
    assert_eq!(of_runs, [&vec![lost]]);
    assert!(filter().kinds.iter().any(|k| k == "rows_lost"));
}
