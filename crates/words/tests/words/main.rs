//! What operators read, in both languages.

mod clauses;
mod common;
mod snapshots;

use common::{snake, tagged, variants};
use serde::de::DeserializeOwned;
use serde_json::json;
use siaga_model::config::Language::{English, Indonesian};
use siaga_model::event::{Finding, Severity};
use siaga_model::refusal::{Advice, Refusal, RefusalCode, Sentence};
use siaga_model::run::{FailureKind, RunOutcome, StepAt, StepFailure};
use siaga_words::{Ui, Voice};

const REFUSAL: &str = include_str!("../../../model/src/refusal.rs");
const EVENT: &str = include_str!("../../../model/src/event.rs");
const RUN: &str = include_str!("../../../model/src/run.rs");
const PLAN: &str = include_str!("../../../model/src/plan.rs");
const API: &str = include_str!("../../../model/src/api.rs");

fn all<T: DeserializeOwned>(source: &str, name: &str, tag: &str) -> Vec<T> {
    let values = tagged(source, name, tag);
    values
        .into_iter()
        .map(|v| serde_json::from_value(v.clone()).unwrap_or_else(|e| panic!("{v}: {e}")))
        .collect()
}

/// Every variant of an enum without fields.
fn plain<T: DeserializeOwned>(source: &str, name: &str, screaming: bool) -> Vec<T> {
    let word = |n: &str| {
        if screaming {
            snake(n).to_uppercase()
        } else {
            snake(n)
        }
    };
    let names = variants(source, name)
        .into_iter()
        .map(|(n, _)| json!(word(&n)));
    names
        .map(|n| serde_json::from_value(n).expect("a variant's name is its JSON"))
        .collect()
}

/// A text for people: there, finished, and without a program's inside.
#[track_caller]
fn good(text: &str) {
    assert!(text.trim().len() > 3, "empty: {text:?}");
    assert!(
        text.ends_with(['.', ':', '?', '!', ']']),
        "not finished: {text:?}"
    );
    clean(text);
}

#[track_caller]
fn clean(text: &str) {
    for inside in [
        "Some(",
        "None",
        "{",
        "}",
        "\\",
        "UtcMicros",
        "Epoch",
        "\"",
        "..",
        " :",
        ". .",
        "  ",
        "()",
    ] {
        assert!(!text.contains(inside), "{inside:?} in {text:?}");
    }
}

#[test]
fn every_sentence_in_both_languages() {
    let sentences: Vec<Sentence> = all(REFUSAL, "Sentence", "say");
    assert!(sentences.len() > 70);
    for s in &sentences {
        let (en, id) = (
            siaga_words::sentence(English, s),
            siaga_words::sentence(Indonesian, s),
        );
        good(&en);
        good(&id);
        assert_ne!(en, id, "the same in both languages");
    }
}

#[test]
fn every_argument_is_said() {
    for value in tagged(REFUSAL, "Sentence", "say") {
        let sentence: Sentence =
            serde_json::from_value(value.clone()).expect("made from the source");
        for name in [
            "service",
            "node",
            "by",
            "probe",
            "device",
            "mount_point",
            "address",
            "hardware",
            "from",
            "to",
        ] {
            let Some(text) = value
                .get(name)
                .and_then(|v| v.as_str())
                .filter(|t| !t.is_empty())
            else {
                continue;
            };
            for language in [English, Indonesian] {
                let said = siaga_words::sentence(language, &sentence);
                assert!(
                    said.contains(text.trim_end_matches('.')),
                    "{name} is missing in {said:?}"
                );
            }
        }
    }
}

#[test]
fn every_advice_names_a_command() {
    for advice in all::<Advice>(REFUSAL, "Advice", "do") {
        let (en, id) = (
            siaga_words::advice(English, &advice),
            siaga_words::advice(Indonesian, &advice),
        );
        good(&en.purpose);
        good(&id.purpose);
        assert_ne!(en.purpose, id.purpose);
        let first = en.command.split(' ').next().unwrap_or_default();
        assert!(
            ["siaga", "umount", "ip", "df"].contains(&first),
            "{}",
            en.command
        );
        clean(&en.command);
        // The verbs of the two languages differ in four words only.
        let aliased = [
            ("ambil-alih", "takeover"),
            ("kembalikan", "failback"),
            ("periksa", "check"),
        ];
        let back = aliased
            .iter()
            .fold(id.command, |c, (alias, verb)| c.replace(alias, verb));
        assert_eq!(back, en.command);
    }
}

#[test]
fn every_code_has_its_name_and_what_is_safe() {
    let codes: Vec<RefusalCode> = plain(REFUSAL, "RefusalCode", true);
    assert!(codes.len() >= 26);
    for code in codes {
        let name = serde_json::to_value(code).expect("a code is a text");
        assert_eq!(name.as_str(), Some(siaga_words::refusal_code(code)));
        good(&siaga_words::safe_now(English, code));
        good(&siaga_words::safe_now(Indonesian, code));
        assert_ne!(
            siaga_words::safe_now(English, code),
            siaga_words::safe_now(Indonesian, code)
        );
    }
}

#[test]
fn every_failure_and_finding() {
    for kind in plain::<FailureKind>(RUN, "FailureKind", false) {
        for detail in ["", "held by vim (pid 4711).\n"] {
            let failure = StepFailure::new(kind, detail);
            let (en, id) = (
                siaga_words::failure(English, &failure),
                siaga_words::failure(Indonesian, &failure),
            );
            good(&en);
            good(&id);
            assert_ne!(en, id);
            assert_eq!(en.contains("vim (pid 4711)"), !detail.is_empty());
        }
    }
    for code in plain(EVENT, "FindingCode", true) {
        for evidence in ["", "as seen on eno1"] {
            let finding = Finding {
                code,
                node: "backup".into(),
                severity: Severity::Warning,
                evidence: evidence.into(),
            };
            let (en, id) = (
                siaga_words::finding(English, &finding),
                siaga_words::finding(Indonesian, &finding),
            );
            for text in [&en.0, &en.1, &id.0, &id.1] {
                good(text);
            }
            assert!(en.0 != id.0 && en.1 != id.1 && id.0.contains(evidence));
        }
    }
}

#[test]
fn every_short_word() {
    for action in variants(PLAN, "Action").into_iter().map(|(n, _)| snake(&n)) {
        let (en, id) = (
            siaga_words::action_by_name(English, &action),
            siaga_words::action_by_name(Indonesian, &action),
        );
        assert!(
            en != action && id != action && en != id,
            "{action} has no words"
        );
        clean(&en);
        clean(&id);
    }
    let differ = |pair: (&str, &str)| {
        assert!(
            !pair.0.is_empty() && !pair.1.is_empty() && pair.0 != pair.1,
            "{pair:?}"
        );
    };
    for layer in plain(API, "Layer", false) {
        differ((
            siaga_words::layer(English, layer),
            siaga_words::layer(Indonesian, layer),
        ));
    }
    for state in plain(API, "VerdictState", false) {
        differ((
            siaga_words::verdict_state(English, state),
            siaga_words::verdict_state(Indonesian, state),
        ));
    }
    for kind in plain(PLAN, "MoveKind", false) {
        differ((
            siaga_words::move_kind(English, kind),
            siaga_words::move_kind(Indonesian, kind),
        ));
    }
    for answer in plain(API, "CanTakeOver", false) {
        differ((
            siaga_words::can_take_over(English, answer),
            siaga_words::can_take_over(Indonesian, answer),
        ));
    }
}

#[test]
fn every_screen_text() {
    for text in Ui::ALL {
        let (en, id) = (
            siaga_words::ui(English, *text),
            siaga_words::ui(Indonesian, *text),
        );
        assert!(!en.is_empty() && !id.is_empty());
        clean(&en);
        clean(&id);
        // "Server" is the same word in both.
        assert!(en != id || *text == Ui::Node, "{en:?} is not translated");
    }
}

#[test]
fn a_refusal_has_its_four_parts() {
    for language in [English, Indonesian] {
        let text = siaga_words::refusal(language, &snapshots::needs_attestation());
        let at = |part: &str| {
            text.find(part)
                .unwrap_or_else(|| panic!("{part:?} is missing in:\n{text}"))
        };
        let parts = [
            at("[NEEDS_ATTESTATION]"),
            at(&siaga_words::ui(language, Ui::Evidence)),
            at(&siaga_words::ui(language, Ui::SafeNow)),
            at(&siaga_words::ui(language, Ui::NextStep)),
            at("--attest-off serverdb --how unplugged"),
        ];
        assert!(parts.is_sorted(), "{text}");
    }
}

#[test]
fn a_stuck_run_does_not_claim_that_nothing_changed() {
    let refusal = snapshots::needs_attestation();
    let at = StepAt {
        node: "backup".into(),
        action: "start_database".into(),
    };
    let cause = StepFailure::new(FailureKind::DatabaseStart, "no progress for 2 min");
    let stuck = RunOutcome::Stuck {
        cause: Some(cause),
        at: Some(at),
        refusal: refusal.clone(),
    };
    let nothing = siaga_words::ui(English, Ui::NothingChanged);
    let text = siaga_words::outcome(English, &stuck);
    assert!(
        !text.contains(&nothing) && text.contains("start the database, on backup"),
        "{text}"
    );
    assert!(siaga_words::outcome(English, &RunOutcome::Refused { refusal }).contains(&nothing));
}

#[test]
fn a_site_with_several_services_names_the_service() {
    let mut voice = Voice::from(English);
    let advice = Advice::Takeover {
        service: "simrs".into(),
    };
    assert_eq!(
        siaga_words::advice(&voice, &advice).command,
        "siaga takeover"
    );
    voice.several_services = true;
    assert_eq!(
        siaga_words::advice(&voice, &advice).command,
        "siaga takeover --service simrs"
    );
}

/// The texts of one refusal in both languages, for eyes.
fn both(refusal: &Refusal) -> String {
    let text = |language| siaga_words::refusal(Voice::new(language, "Asia/Jakarta"), refusal);
    format!("{}\n\n{}\n", text(English), text(Indonesian))
}
