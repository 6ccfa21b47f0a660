//! What is read out of the events.

use crate::common::*;
use siaga_journal::projections::*;
use siaga_journal::{Durability, Filter};
use siaga_model::api::EventView;
use siaga_model::config::FenceKind;
use siaga_model::event::{Actor, ActorProof, EventBody, OtherBody};
use siaga_model::plan::{Action, MoveKind, Step};
use siaga_model::proof::{Ground, ProofRecord};
use siaga_model::run::{StepOutcome, StepReport};
use siaga_model::{Epoch, NodeName, PlanId, RunId, ServiceName, StepId, UtcMicros};

fn step(action: Action, outcome: StepOutcome, ms: u64) -> EventBody {
    let node = NodeName::from("serverdb");
    let step = Step {
        id: StepId(0),
        node,
        action,
        after: vec![],
    };
    let started_at = UtcMicros(START);
    let report = StepReport {
        outcome,
        proof: None,
        tests: vec![],
        notes: vec![],
        started_at,
        duration_ms: ms,
    };
    EventBody::StepFinished {
        plan: PlanId::from("p"),
        step,
        report,
    }
}

#[test]
fn the_history_of_a_step_counts_what_really_did_something() {
    let done = |changed| StepOutcome::Done { changed };
    let unknown = StepOutcome::Unknown { why: "x".into() };
    let bodies = [
        step(Action::Mount, done(true), 7),
        step(Action::Mount, done(false), 1),
        step(Action::Mount, unknown, 2),
        step(Action::Take, done(true), 3),
        step(Action::Mount, done(true), 9),
    ];
    let events: Vec<_> = bodies
        .iter()
        .map(|b| view("a", 1, None, b.clone()))
        .collect();
    assert_eq!(step_history(&events, "mount"), [7, 9]);
    let dir = tempfile::tempdir().unwrap();
    let (mut journal, _) = open(dir.path(), "serverdb");
    let mut bodies = bodies.into_iter();
    for body in bodies.by_ref().take(2) {
        journal.append(of_service(body), Durability::Lazy).unwrap();
    }
    assert_eq!(journal.step_history("mount"), [7]);
    for body in bodies {
        journal.append(of_service(body), Durability::Lazy).unwrap();
    }
    assert_eq!(journal.step_history("mount"), [7, 9]);
    assert_eq!(journal.step_history("unmount"), [0u64; 0]);
}

fn proof(about: &str, ground: Ground) -> EventBody {
    let epoch = Epoch {
        counter: 1,
        issuer: NodeName::from("backup"),
        run: RunId::from("r1"),
    };
    let service = ServiceName::from("simrs");
    let (node, at) = (NodeName::from(about), UtcMicros(START));
    EventBody::ProofMade {
        proof: ProofRecord {
            service,
            epoch,
            node,
            boot: None,
            at,
            ground,
        },
    }
}

fn check(second: i64, passed: bool) -> EventView {
    let node = NodeName::from("serverdb");
    let body = match passed {
        true => EventBody::CheckPassed { node },
        false => EventBody::CheckFailed {
            node,
            findings: vec![],
        },
    };
    view("backup", second, None, body)
}

#[test]
fn a_failed_node_has_to_pass_a_check_later_than_its_failure() {
    let node = NodeName::from("serverdb");
    let fenced = Ground::Fenced {
        device: "ipmi".to_owned(),
        fence: FenceKind::Power,
    };
    let failed = view("backup", 50, None, proof("serverdb", fenced));
    let is_passed =
        |events: &[EventView]| matches!(repaired(events, &node), Repaired::Passed { .. });
    let is_not =
        |events: &[EventView]| matches!(repaired(events, &node), Repaired::NotChecked { .. });
    assert_eq!(repaired(&[check(10, false)], &node), Repaired::NeverFailed);
    assert!(is_not(&[check(10, true), failed.clone()]));
    assert!(is_not(&[failed.clone(), check(60, false)]));
    assert!(is_passed(&[failed.clone(), check(60, true)]));
    assert!(is_not(&[failed.clone(), check(60, true), check(70, false)]));
    assert!(is_passed(&[
        failed.clone(),
        check(60, false),
        check(70, true)
    ]));
    // About another node, or let go by itself: no failure.
    let other = [view("backup", 50, None, proof("backup", Ground::Released))];
    assert_eq!(
        repaired(&other, &NodeName::from("backup")),
        Repaired::NeverFailed
    );
    assert_eq!(
        repaired(&[failed], &NodeName::from("backup")),
        Repaired::NeverFailed
    );
}

#[test]
fn silence_is_a_failure_only_during_a_takeover() {
    let node = NodeName::from("serverdb");
    let begin = |s, kind| view("backup", s, Some("r1"), accepted(kind, ""));
    let end = |s| view("backup", s, Some("r1"), ended());
    assert_eq!(
        last_failure(&[silent(10), answers(20, "b"), silent(30)], &node),
        None
    );
    let switchover = [begin(5, MoveKind::Switchover), silent(10), end(20)];
    assert_eq!(last_failure(&switchover, &node), None);
    let at =
        |events: &[EventView]| last_failure(events, &node).map(|m| (m.at.0 - START) / 1_000_000);
    assert_eq!(
        at(&[silent(10), begin(20, MoveKind::Takeover), end(30)]),
        Some(20)
    );
    assert_eq!(
        at(&[begin(20, MoveKind::Takeover), silent(25), end(30)]),
        Some(25)
    );
    let back = [
        silent(10),
        answers(15, "b"),
        begin(20, MoveKind::Takeover),
        end(30),
        silent(40),
    ];
    assert_eq!(at(&back), None);
}

#[test]
fn the_ledger_gets_its_own_nodes_binding_events_over_all_incarnations() {
    let service = ServiceName::from("simrs");
    let dir = tempfile::tempdir().unwrap();
    let (mut journal, _) = open(dir.path(), "serverdb");
    append(&mut journal, 1..=2);
    journal
        .append(of_service(ended()), Durability::Sync)
        .unwrap();
    journal
        .append(check(1, true).event, Durability::Sync)
        .unwrap();
    let key = dir.path().join("keys/events.pk8");
    drop(journal);
    std::fs::remove_file(key).unwrap();
    let (mut journal, _) = open(dir.path(), "serverdb");
    append(&mut journal, 3..=3);
    let mut other = event(9);
    other.service = Some(ServiceName::from("lab"));
    journal.append(other, Durability::Sync).unwrap();
    let all = journal.events(&Filter::default()).unwrap();
    let pure = ledger_events(&all, &NodeName::from("serverdb"), &service);
    let read = journal.ledger_events(&service).unwrap();
    assert_eq!(pure.into_iter().cloned().collect::<Vec<_>>(), read);
    assert_eq!(read.len(), 4);
    assert!(ledger_events(&all, &NodeName::from("backup"), &service).is_empty());
}

#[test]
fn a_binding_event_that_can_not_be_read_is_named() {
    let other = |kind: &str| {
        view(
            "a",
            1,
            None,
            EventBody::Other(OtherBody {
                kind: kind.to_owned(),
            }),
        )
    };
    let events = [other("promised"), other("moon_landed")];
    assert_eq!(unread_ledger_events(&events).len(), 1);
}

/// A kind's name in the list of binding kinds is the name in the rows.
#[test]
fn the_list_of_binding_kinds_is_spelled_as_the_rows_are() {
    let kinds: Vec<_> = [event(1).body, ended(), accepted(MoveKind::Stop, "")]
        .iter()
        .map(siaga_journal::row::kind_name)
        .collect();
    assert!(
        kinds.iter().all(|k| LEDGER_KINDS.contains(&k.as_str())),
        "{kinds:?}"
    );
    for kind in LEDGER_KINDS {
        let unread = EventBody::Other(OtherBody {
            kind: kind.to_owned(),
        });
        let json = serde_json::to_string(&unread).unwrap();
        let parsed: Result<EventBody, _> = serde_json::from_str(&json);
        assert!(parsed.is_ok());
    }
}

#[test]
fn a_recovery_says_how_fast_it_redid_the_wal() {
    let with = |bytes: Option<u64>, ms| {
        let mut body = step(
            Action::StartDatabase,
            StepOutcome::Done { changed: true },
            ms,
        );
        if let (EventBody::StepFinished { report, .. }, Some(bytes)) = (&mut body, bytes) {
            report.notes = vec![siaga_model::Note::WalToRedo { bytes }];
        }
        body
    };
    let dir = tempfile::tempdir().unwrap();
    let (mut journal, _) = open(dir.path(), "serverdb");
    for body in [
        with(None, 300),
        with(Some(1 << 30), 10_000),
        // Next to nothing says nothing of the rate.
        with(Some(1 << 20), 300),
    ] {
        journal.append(of_service(body), Durability::Sync).unwrap();
    }
    assert_eq!(journal.step_history(REDO_RATE), [(1 << 20) / 10]);
    assert_eq!(journal.step_history("start_database").len(), 3);
    // What a checkpoint before a stop wrote back is another rate.
    let mut body = step(
        Action::Checkpoint,
        StepOutcome::Done { changed: true },
        20_000,
    );
    if let EventBody::StepFinished { report, .. } = &mut body {
        report.notes = vec![siaga_model::Note::WalToWriteBack { bytes: 1 << 30 }];
    }
    journal.append(of_service(body), Durability::Sync).unwrap();
    assert_eq!(journal.step_history(WRITE_BACK_RATE), [(1 << 20) / 20]);
    // What is written after the first question counts too.
    let body = with(Some(1 << 30), 5_000);
    journal.append(of_service(body), Durability::Sync).unwrap();
    assert_eq!(journal.step_history(REDO_RATE).len(), 2);
}

#[test]
fn a_drill_counts_where_it_was_carried_through_and_a_client_measured_it() {
    use siaga_model::api::SeenBy;
    let drill = |run: &'static str, at, seen_by| {
        [
            view("serverdb", at, Some(run), accepted(MoveKind::Drill, "")),
            view(
                "serverdb",
                at + 5,
                Some(run),
                outage(at + 1, at + 3, seen_by),
            ),
            view("serverdb", at + 6, Some(run), ended()),
        ]
    };
    let mut events = drill("r1", 10, SeenBy::Probe).to_vec();
    let first = last_graded_drill(&events);
    assert_eq!(first.as_ref().map(|d| d.at), Some(events[2].at));
    let people = |first: &Option<GradedDrill>| first.as_ref().map(|d| d.people.clone());
    let actor = |name: &str, how| Actor {
        name: name.to_owned(),
        how,
    };
    let (sari, budi) = ("Sari".to_owned(), "budi".to_owned());
    events[0].event.actor = Some(actor("budi", ActorProof::Stated));
    let took_part = people(&last_graded_drill(&events));
    assert_eq!(took_part, Some([sari.clone(), budi].into()));
    // An agent is nobody.
    events[0].event.actor = Some(actor("agent@serverdb", ActorProof::Agent));
    assert_eq!(people(&last_graded_drill(&events)), Some([sari].into()));
    // Nobody confirmed this one from a client, that one was no drill, and the last is not over.
    events.extend(drill("r2", 20, SeenBy::Node));
    events.extend(drill("r3", 30, SeenBy::Probe));
    events[6] = view(
        "serverdb",
        30,
        Some("r3"),
        accepted(MoveKind::Switchover, ""),
    );
    events.extend(drill("r4", 40, SeenBy::Probe).into_iter().take(2));
    assert_eq!(last_graded_drill(&events), first);
    events.extend(drill("r5", 50, SeenBy::Probe));
    let newest = last_graded_drill(&events).map(|d| (d.at, d.run));
    assert!(newest > first.map(|d| (d.at, d.run)));
    assert_eq!(last_graded_drill(&[]), None);
}
