//! "Can we take over now?": yes, no, or not known, and what was not tried.

#![allow(clippy::unwrap_used, reason = "a test that can't read its world fails")]

mod common;

use common::{config, short};
use serde_json::{Value, json};
use siaga_model::api::{CanTakeOver, CheckReport};
use siaga_model::event::{Finding, FindingCode, Severity};
use siaga_model::refusal::Sentence;

fn check(name: &str, seen: Value, findings: &[Finding]) -> CheckReport {
    let config = config(name);
    siaga_planner::readiness(&config, &short::observation(&config, &seen), findings)
}

fn healthy() -> Value {
    json!({ "observer": "backup", "serverdb": "active", "backup": "free", "probes": [{ "serving": true, "node": "serverdb" }] })
}

fn finding(code: FindingCode, severity: Severity) -> Finding {
    Finding {
        code,
        node: "backup".into(),
        severity,
        evidence: "15.18 and 15.17".into(),
    }
}

fn codes(report: &CheckReport) -> Vec<FindingCode> {
    report.findings.iter().map(|f| f.code).collect()
}

#[test]
fn a_healthy_pair_can_take_over_and_says_what_was_not_tried() {
    let report = check("pair", healthy(), &[]);
    assert_eq!(report.can_take_over, CanTakeOver::Yes);
    assert_eq!(report.findings, []);
    let not_tried = [
        Sentence::FenceNotTried {
            node: "serverdb".into(),
            device: "san".into(),
        },
        Sentence::FenceNotTried {
            node: "serverdb".into(),
            device: "ipmi".into(),
        },
        Sentence::MountNotTried {
            node: "backup".into(),
        },
        Sentence::DatabaseStartNotTried {
            node: "backup".into(),
        },
        Sentence::ClientNotTried,
    ];
    assert_eq!(report.not_exercised, not_tried);
}

#[test]
fn only_a_blocking_finding_says_no() {
    let warning = finding(FindingCode::CertificateExpires, Severity::Warning);
    assert_eq!(
        check("pair", healthy(), std::slice::from_ref(&warning)).can_take_over,
        CanTakeOver::Yes
    );
    let blocking = finding(FindingCode::PostgresVersionDiffers, Severity::Blocking);
    let report = check("pair", healthy(), &[warning, blocking]);
    assert_eq!(report.can_take_over, CanTakeOver::No);
    // What blocks stands first.
    assert_eq!(report.findings[0].code, FindingCode::PostgresVersionDiffers);
}

#[test]
fn a_target_that_can_not_tell_is_not_a_yes() {
    let mut seen = healthy();
    seen["backup"] =
        json!({ "says": { "disk": { "unknown": { "why": "the device is missing" } } } });
    assert_eq!(check("pair", seen, &[]).can_take_over, CanTakeOver::Unknown);
}

#[test]
fn a_source_that_can_not_tell_is_not_a_yes() {
    let mut seen = healthy();
    seen["serverdb"] =
        json!({ "is": "active", "says": { "disk": { "unknown": { "why": "I/O error" } } } });
    assert_eq!(check("pair", seen, &[]).can_take_over, CanTakeOver::Unknown);
}

#[test]
fn a_target_cut_from_the_storage_is_a_no() {
    let mut seen = healthy();
    seen["backup"] = json!({ "is": "free", "fences": { "san": "fenced" } });
    assert_eq!(check("pair", seen, &[]).can_take_over, CanTakeOver::No);
}

#[test]
fn with_a_silent_node_the_table_answers() {
    let silent = |serving| json!({ "observer": "backup", "serverdb": "silent", "probes": [{ "serving": serving, "node": "serverdb" }] });
    assert_eq!(
        check("pair", silent(false), &[]).can_take_over,
        CanTakeOver::Yes
    );
    assert_eq!(
        check("pair", silent(true), &[]).can_take_over,
        CanTakeOver::No
    );
    let no_fence = check("no-fence", silent(false), &[]);
    assert_eq!(no_fence.can_take_over, CanTakeOver::Unknown);
    assert_eq!(
        codes(&no_fence),
        [
            FindingCode::PeerUnreachable,
            FindingCode::FenceMissing,
            FindingCode::FenceMissing
        ]
    );
}

#[test]
fn what_the_observation_shows_is_found_once() {
    let mut seen = healthy();
    seen["serverdb"] = json!({ "is": "active", "fences": { "ipmi": "failed" } });
    seen["backup"] = json!({ "says": { "stranger_mount": "/srv/simrs" } });
    seen["probes"] = json!([]);
    seen["addresses"] = json!({ "192.0.2.50": "stranger" });
    let known = finding(FindingCode::ProbeMissing, Severity::Info);
    let report = check("pair", seen, &[known]);
    assert_eq!(report.can_take_over, CanTakeOver::No);
    assert_eq!(
        codes(&report),
        [
            FindingCode::MountByHand,
            FindingCode::AddressConflict,
            FindingCode::FenceSilent,
            FindingCode::ProbeMissing
        ]
    );
}
