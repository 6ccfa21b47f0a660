//! Reasons, notes, progress and evidence: a clause each, in both languages.

use crate::common::tagged;
use crate::{all, clean};
use serde_json::{Value, json};
use siaga_model::config::Language::{self, English, Indonesian};
use siaga_model::evidence::{Cleaned, Evidence, LogProblem, ProblemKind};
use siaga_model::note::{Note, Progress};
use siaga_model::why::{Holder, Why};

const WHY: &str = include_str!("../../../model/src/why.rs");
const NOTE: &str = include_str!("../../../model/src/note.rs");
const EVIDENCE: &str = include_str!("../../../model/src/evidence.rs");

/// These stand for themselves: a name, or a list of names.
const SAME_IN_BOTH: [&str; 4] = ["tests_failed", "thing", "program", "versions"];

#[track_caller]
fn both(value: &Value, tag: &str, say: impl Fn(Language) -> String) {
    let empty = |list: &str| value[list] == json!([]);
    if value["why"] == "" || ["each", "by", "tests"].iter().any(|l| empty(l)) {
        // Nothing was said: nothing can be translated.
        return;
    }
    let (en, id) = (say(English), say(Indonesian));
    for text in [&en, &id] {
        assert!(text.trim().len() > 1, "{value} says {text:?}");
        assert!(!text.ends_with(['.', ':']), "a clause has no end: {text:?}");
        clean(text);
    }
    let name = value[tag].as_str().unwrap_or_default();
    let foreign = value["why"].is_string() && ["named", "because"].contains(&name);
    if !SAME_IN_BOTH.contains(&name) && !foreign {
        assert_ne!(en, id, "{name} is the same in both languages");
    }
}

#[test]
fn every_reason_in_both_languages() {
    let values = tagged(WHY, "Why", "say");
    assert!(values.len() > 130);
    for value in values {
        let why: Why = serde_json::from_value(value.clone()).expect("made from the source");
        assert!(!matches!(why, Why::Newer(_) | Why::System(_)), "{value}");
        both(&value, "say", |l| siaga_words::why(l, &why));
    }
}

#[test]
fn every_holder_in_both_languages() {
    for value in tagged(WHY, "Holder", "holder") {
        let holder: Holder = serde_json::from_value(value.clone()).expect("made from the source");
        let program = value["uses"] == "program";
        both(&value, if program { "uses" } else { "holder" }, |l| {
            siaga_words::holder(l, &holder)
        });
    }
}

#[test]
fn every_note_and_all_progress_in_both_languages() {
    for value in tagged(NOTE, "Note", "note") {
        let note: Note = serde_json::from_value(value.clone()).expect("made from the source");
        assert!(!matches!(note, Note::System(_)), "{value}");
        both(&value, "note", |l| siaga_words::note(l, &note));
    }
    for value in tagged(NOTE, "Progress", "at") {
        let at: Progress = serde_json::from_value(value.clone()).expect("made from the source");
        assert!(!matches!(at, Progress::Told(_)), "{value}");
        both(&value, "at", |l| siaga_words::progress(l, &at));
    }
}

#[test]
fn every_evidence_in_both_languages() {
    for value in tagged(EVIDENCE, "Evidence", "see") {
        let seen: Evidence = serde_json::from_value(value.clone()).expect("made from the source");
        assert!(!matches!(seen, Evidence::System(_)), "{value}");
        if seen.is_nothing() {
            assert_eq!(siaga_words::evidence(Indonesian, &seen), "");
            continue;
        }
        both(&value, "see", |l| siaga_words::evidence(l, &seen));
    }
    for cleaned in all::<Cleaned>(EVIDENCE, "Cleaned", "cleaned") {
        let seen = Evidence::DeclaredGone {
            mandate: 7,
            cleaned: vec![cleaned],
        };
        let value = json!({"see": "declared_gone"});
        both(&value, "see", |l| siaga_words::evidence(l, &seen));
    }
}

#[test]
fn every_problem_of_a_log_in_both_languages() {
    for kind in crate::plain::<ProblemKind>(EVIDENCE, "ProblemKind", false) {
        let problem = LogProblem {
            file: "/var/lib/siaga/events/serverdb.1.log".into(),
            line: Some(18),
            node: "serverdb".into(),
            incarnation: 1,
            row: Some(17),
            kind,
            detail: "no such file".into(),
        };
        let [en, id] = [English, Indonesian].map(|l| siaga_words::log_problem(l, &problem));
        assert_ne!(en, id);
        for text in [&en, &id] {
            assert!(
                text.contains("serverdb.1") && text.contains("17") && text.contains("18"),
                "{text}"
            );
        }
        // The detail of what Siaga found itself is English.
        let system = kind == ProblemKind::Unreadable;
        assert_eq!(id.contains("no such file"), system, "{id}");
    }
}

/// What the system said is kept as it is, also where an older version kept nothing but words.
#[test]
fn the_words_of_others_are_kept() {
    let old: Why = serde_json::from_value(json!("Device or resource busy")).expect("a text");
    assert_eq!(old, Why::System("Device or resource busy".into()));
    assert_eq!(
        siaga_words::why(Indonesian, &old),
        "Device or resource busy"
    );
    assert_eq!(json!(old), json!("Device or resource busy"));
    let note: Note = serde_json::from_value(json!("web started")).expect("a text");
    assert_eq!(siaga_words::note(Indonesian, &note), "web started");
    let newer: Why = serde_json::from_value(json!({"say": "of_tomorrow", "n": 1})).expect("kept");
    assert_eq!(siaga_words::why(English, &newer), "of_tomorrow");
}
