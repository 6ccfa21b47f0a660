//! The log and the log book.

use crate::agent::FakeAgent;
use crate::samples::*;
use siaga_journal::log_book::{DowntimeKind, LogBookRow, Subject};
use siaga_model::api::{EventView, EventsAnswer, SeenBy, VerifyAnswer};
use siaga_model::event::EventBody;
use siaga_model::evidence::{LogProblem, ProblemKind};
use siaga_model::{RunId, UtcMicros};

fn log() -> EventsAnswer {
    let offline = EventBody::ServiceOffline {
        node: serverdb(),
        at: UtcMicros(0),
        cause: "a, \"b\"".into(),
    };
    EventsAnswer {
        events: vec![
            event(1, offline),
            event(2, EventBody::CheckPassed { node: backup() }),
        ],
        next: 2,
    }
}

#[test]
fn events_are_lines_json_lines_or_csv() {
    let agent = FakeAgent::start("en", |_| Some((200, json(&log()))));
    let said = agent.run(&[
        "events",
        "--since",
        "2h",
        "--kind",
        "check_passed",
        "--limit",
        "7",
    ]);
    assert_eq!((said.code, said.out.lines().count()), (0, 2));
    assert!(
        said.out.contains("14:05:09 WIB") && said.out.contains("budi (stated, not proved)"),
        "{}",
        said.out
    );
    let asked = agent.paths().pop().expect("asked");
    assert!(
        asked.contains("limit=7")
            && asked.contains("kind=check_passed")
            && asked.contains("since="),
        "{asked}"
    );
    let lines = agent.run(&["events", "--json"]).out;
    let parsed: Vec<EventView> = lines
        .lines()
        .map(|l| serde_json::from_str(l).expect("JSON"))
        .collect();
    assert_eq!(parsed, log().events);
    let csv = agent.run(&["events", "--csv"]).out;
    assert!(csv.starts_with("at,node,incarnation,seq,"), "{csv}");
    assert!(csv.contains("\"\""), "quotes are doubled: {csv}");
    assert_eq!(agent.run(&["events", "--since", "yesterday"]).code, 2);
    assert_eq!(agent.run(&["events", "--json", "--csv"]).code, 2);
}

#[test]
fn following_prints_each_event_once() {
    let agent = FakeAgent::start("en", |asked| {
        let mut answer = log();
        if asked.path.contains("follow_after") {
            answer.events.push(event(
                3,
                EventBody::PowerChanged {
                    node: serverdb(),
                    on: false,
                },
            ));
            answer.next = 3;
        }
        Some((200, json(&answer)))
    });
    let mut screen = crate::pty::Pty::start(&agent, &["events", "--follow"]);
    screen.expect("power off: serverdb");
    // By now the same three events have come at least twice.
    while agent
        .paths()
        .iter()
        .filter(|p| p.contains("follow_after=3"))
        .count()
        < 2
    {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    screen.key(3);
    assert_eq!(screen.ended(), 130);
    assert_eq!(
        screen.text().matches("check passed").count(),
        1,
        "{}",
        screen.text()
    );
    assert_eq!(
        screen.text().matches("power off").count(),
        1,
        "{}",
        screen.text()
    );
}

#[test]
fn verify_names_the_row_that_was_changed() {
    let whole = FakeAgent::start("en", |_| {
        Some((
            200,
            json(&VerifyAnswer {
                problems: Vec::new(),
            }),
        ))
    });
    let said = whole.run(&["events", "verify"]);
    assert_eq!(said.code, 0);
    assert!(said.out.contains("The event log is whole."), "{}", said.out);
    let bad = VerifyAnswer {
        problems: vec![LogProblem {
            file: "/var/lib/siaga/events/serverdb.1.log".into(),
            line: Some(18),
            node: "serverdb".into(),
            incarnation: 1,
            row: Some(17),
            kind: ProblemKind::Changed,
            detail: "its hash is another".into(),
        }],
    };
    let tampered = FakeAgent::start("id", move |_| Some((200, json(&bad))));
    let said = tampered.run(&["events", "verify"]);
    assert_eq!(said.code, 1);
    assert!(
        said.out
            .contains("serverdb.1.log, baris 18: entri 17 dari serverdb.1: isi entri ini diubah")
            && said.out.contains("telah diubah"),
        "{}",
        said.out
    );
}

fn row(subject: Subject, kind: DowntimeKind, seen_by: SeenBy) -> LogBookRow {
    LogBookRow {
        subject,
        kind,
        offline_at: Some(UtcMicros(1_754_031_909_000_000)),
        online_at: Some(UtcMicros(1_754_031_909_103_000)),
        duration_ms: Some(103),
        error_ms: Some(5),
        cause: Some("new memory".into()),
        who: Some("budi".into()),
        seen_by,
        run: Some(RunId::new(RUN)),
        covered_by: None,
        entered_by: None,
    }
}

#[test]
fn the_log_book_is_the_papers() {
    let rows = || {
        vec![
            row(
                Subject::Service(service()),
                DowntimeKind::Planned,
                SeenBy::Probe,
            ),
            LogBookRow {
                online_at: None,
                duration_ms: None,
                ..row(
                    Subject::Service(service()),
                    DowntimeKind::Unplanned,
                    SeenBy::Node,
                )
            },
            row(
                Subject::Machine(serverdb()),
                DowntimeKind::PoweredOff,
                SeenBy::Node,
            ),
        ]
    };
    let agent = FakeAgent::start("en", move |_| Some((200, json(&rows()))));
    let said = agent.run(&["log"]);
    assert_eq!(said.code, 0);
    let first = said
        .out
        .lines()
        .find(|l| l.starts_with("1 "))
        .expect("row 1");
    for part in [
        "simrs",
        "2025-08-01 14:05:09 WIB",
        "103 ms",
        "planned: new memory",
        "budi",
    ] {
        assert!(first.contains(part), "{part}: {first}");
    }
    assert!(said.out.contains("still offline"), "{}", said.out);
    assert!(
        said.out.contains("The machines' own times:"),
        "{}",
        said.out
    );
    assert!(
        agent
            .run(&["--lang", "id", "log"])
            .out
            .contains("1 Agustus 2025 pukul 14.05.09 WIB")
    );
    assert!(
        agent
            .run(&["log", "--csv"])
            .out
            .starts_with("subject,name,kind")
    );
    let other = agent.run(&["log", "--service", "lab", "--json"]).out;
    let kept: Vec<LogBookRow> = serde_json::from_str(&other).expect("only JSON");
    assert!(matches!(
        kept.as_slice(),
        [LogBookRow {
            subject: Subject::Machine(_),
            ..
        }]
    ));
}
