//! Rows of the version before: reasons, notes and evidence were plain text. They are read as what they are, and written
//! again byte for byte, so that copies and hashes stay right.

use crate::common::*;
use serde_json::{Value, json};
use siaga_journal::Durability;
use siaga_model::event::EventBody;
use siaga_model::refusal::Sentence;
use siaga_model::run::StepOutcome;
use siaga_model::{Evidence, Holder, Note, Why};

const BUSY: &str = "serverdb: Device or resource busy";

fn report(outcome: Value) -> Value {
    json!({
        "kind": "step_finished",
        "plan": "p-1",
        "step": { "id": 3, "node": "serverdb", "action": "mount", "after": [2] },
        "report": {
            "outcome": outcome,
            "proof": null,
            "tests": [{ "name": "sql", "node": "backup", "passed": null, "detail": BUSY }],
            "notes": ["web started", "redo 40 %"],
            "started_at": START,
            "duration_ms": 12,
        },
    })
}

fn refused(sentence: Value) -> Value {
    json!({
        "kind": "refused",
        "move_kind": "takeover",
        "refusal": {
            "code": "HOLDING_UNKNOWN",
            "sentence": sentence,
            "evidence": [{ "say": "node_holds", "node": "serverdb", "by": ["pid 7 (sleep): file /x"] }],
            "next": [],
        },
    })
}

/// One of each kind of event that held text, as the version before wrote it.
fn older() -> Vec<Value> {
    let cause = json!({ "kind": "mount", "detail": BUSY });
    let finding = json!({
        "code": "DISK_SET_MISSING", "node": "serverdb", "severity": "blocking", "evidence": BUSY,
    });
    vec![
        report(json!({ "result": "failed", "kind": "mount", "detail": BUSY })),
        report(json!({ "result": "unknown", "why": BUSY })),
        refused(json!({ "say": "node_holding_unknown", "node": "serverdb", "why": BUSY })),
        json!({
            "kind": "run_ended",
            "outcome": { "outcome": "restored", "cause": cause, "at": { "node": "serverdb", "action": "mount" } },
        }),
        json!({ "kind": "run_interrupted", "why": BUSY }),
        json!({ "kind": "power_not_changed", "node": "serverdb", "on": false, "why": BUSY }),
        json!({
            "kind": "proof_voided",
            "proof": {
                "service": "simrs",
                "epoch": { "counter": 4, "issuer": "backup", "run": "r1" },
                "node": "serverdb",
                "boot": null,
                "at": START,
                "ground": { "kind": "fenced", "device": "ipmi", "fence": "power" },
            },
            "why": BUSY,
        }),
        json!({ "kind": "found", "finding": finding }),
        json!({ "kind": "check_failed", "node": "serverdb", "findings": [finding] }),
    ]
}

#[test]
fn each_is_what_it_was_and_is_written_again_as_it_was() {
    for row in older() {
        let body: EventBody = serde_json::from_value(row.clone()).unwrap();
        assert!(!matches!(body, EventBody::Other(_)), "not read: {row}");
        let again = serde_json::to_value(&body).unwrap();
        assert_eq!(again, row);
    }
}

#[test]
fn the_text_stays_the_words_of_the_system() {
    let read = |row: Value| serde_json::from_value::<EventBody>(row).unwrap();
    let EventBody::StepFinished { report: step, .. } =
        read(report(json!({ "result": "unknown", "why": BUSY })))
    else {
        panic!("another event")
    };
    assert_eq!(
        step.outcome,
        StepOutcome::Unknown {
            why: Why::System(BUSY.into())
        }
    );
    assert_eq!(
        step.notes,
        ["web started", "redo 40 %"].map(|n| Note::System(n.into()))
    );
    assert_eq!(step.tests[0].detail, Evidence::System(BUSY.into()));
    let EventBody::Refused { refusal, .. } = read(refused(json!({
        "say": "node_holding_unknown", "node": "serverdb", "why": BUSY,
    }))) else {
        panic!("another event")
    };
    assert_eq!(
        refusal.evidence,
        [Sentence::NodeHolds {
            node: "serverdb".into(),
            by: vec![Holder::Told("pid 7 (sleep): file /x".into())],
        }]
    );
}

#[test]
fn a_log_of_them_is_opened_and_is_whole() {
    let dir = tempfile::tempdir().unwrap();
    let (mut journal, _) = open(dir.path(), "serverdb");
    for row in older() {
        let body = serde_json::from_value(row).unwrap();
        journal.append(of_service(body), Durability::Sync).unwrap();
    }
    let path = log_path(dir.path(), &journal);
    for (line, row) in lines(&path).iter().zip(older()) {
        let line: Value = serde_json::from_slice(line).unwrap();
        assert_eq!(line["event"]["body"], row);
    }
    drop(journal);
    let (journal, opened) = open(dir.path(), "serverdb");
    assert!(opened.problems.is_empty(), "{opened:?}");
    let bodies: Vec<Value> = journal
        .events(&Default::default())
        .unwrap()
        .iter()
        .map(|v| serde_json::to_value(&v.event.body).unwrap())
        .collect();
    assert_eq!(bodies, older());
}
