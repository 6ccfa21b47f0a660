//! Log book, availability and reports.

use crate::agent::FakeAgent;
use crate::run;
use crate::samples::json;
use siaga_journal::log_book::{DowntimeKind, LogBookRow, Subject};
use siaga_model::UtcMicros;
use siaga_model::api::SeenBy;
use siaga_model::seal::{LogHead, Seal, SealAnswer, SealProblem};

/// 2026-10-10T03:00:00Z
const OCTOBER: i64 = 1_791_601_200_000_000;

fn row(kind: DowntimeKind, from: i64, minutes: i64) -> LogBookRow {
    LogBookRow {
        subject: Subject::Service("simrs".into()),
        kind,
        offline_at: Some(UtcMicros(from)),
        online_at: Some(UtcMicros(from + minutes * 60_000_000)),
        duration_ms: Some(minutes.unsigned_abs() * 60_000),
        error_ms: None,
        cause: Some("serverdb is dead".into()),
        who: Some("budi".into()),
        seen_by: SeenBy::Probe,
        run: None,
        covered_by: None,
        entered_by: None,
    }
}

fn head() -> LogHead {
    LogHead {
        node: "serverdb".into(),
        incarnation: 1,
        seq: 12,
        hash: "ab".repeat(32),
    }
}

/// An agent with two downtimes; `problems` is what it says of a seal.
fn agent(language: &str, problems: Vec<SealProblem>) -> FakeAgent {
    FakeAgent::start(language, move |asked| {
        let rows = vec![
            row(DowntimeKind::Drill, OCTOBER, 6),
            row(DowntimeKind::Unplanned, OCTOBER + 3_600_000_000, 30),
            row(DowntimeKind::Unplanned, OCTOBER - 40 * 86_400_000_000, 60),
        ];
        match (asked.method.as_str(), asked.path.as_str()) {
            ("GET", path) if path.starts_with("/v1/log") => Some((200, json(&rows))),
            ("POST", "/v1/sealed/log") => Some((200, json(&rows))),
            // No incident has a record.
            ("POST", "/v1/sealed/incidents") => Some((200, "[]".to_owned())),
            ("GET", "/v1/seal") => {
                let seal = Seal {
                    heads: vec![head()],
                    begins_at: Some(UtcMicros(OCTOBER - 100 * 86_400_000_000)),
                    run: None,
                    rows: 0,
                    digest: "cd".repeat(32),
                };
                Some((200, json(&seal)))
            }
            ("POST", "/v1/seal") => {
                let problems = problems.clone();
                Some((200, json(&SealAnswer { problems })))
            }
            _ => None,
        }
    })
}

#[test]
fn the_figures_of_a_month_are_json_with_stable_names() {
    let agent = agent("en", Vec::new());
    let said = agent.run(&[
        "report",
        "availability",
        "--month",
        "2026-10",
        "--format",
        "json",
    ]);
    assert_eq!(said.code, 0, "{}", said.err);
    let value: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!(value["minutes_in_month"], 31 * 1440);
    assert_eq!(value["downtime_planned_min"], 6.0);
    assert_eq!(value["downtime_unplanned_min"], 30.0);
    assert_eq!(value["incidents"], 2);
    assert_eq!(value["open_incidents"], 0);
    assert_eq!(value["unknown_duration"], 0);
    assert!(
        value["availability_pct"].as_f64() < value["availability_excluding_planned_pct"].as_f64()
    );
}

#[test]
fn the_figures_are_a_table_in_the_sites_language() {
    let agent = agent("id", Vec::new());
    let said = agent.run(&["report", "availability", "--year", "2026"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(
        said.out.contains("Henti tidak terencana, menit"),
        "{}",
        said.out
    );
    assert!(said.out.contains(" 90\n"), "{}", said.out);
    let csv = agent.run(&[
        "report",
        "availability",
        "--year",
        "2026",
        "--format",
        "csv",
    ]);
    assert!(csv.out.starts_with("service,period,"), "{}", csv.out);
    assert_eq!(csv.out.lines().count(), 2, "{}", csv.out);
}

#[test]
fn the_log_book_of_a_month_holds_that_month() {
    let agent = agent("en", Vec::new());
    let many = |month: &str| {
        let said = agent.run(&["log", "--month", month, "--format", "json"]);
        assert_eq!(said.code, 0, "{}", said.err);
        let rows: Vec<LogBookRow> = serde_json::from_str(&said.out).expect("JSON");
        rows.len()
    };
    assert_eq!(
        (many("2026-10"), many("2026-08"), many("2026-09")),
        (2, 1, 0)
    );
}

#[test]
fn what_is_no_month_is_a_usage_error() {
    let agent = agent("id", Vec::new());
    for args in [
        &["log", "--month", "2026-13"][..],
        &["report", "availability", "--month", "november"],
        &["report", "availability", "--year", "26"],
        &["report", "availability"],
        &[
            "report",
            "availability",
            "--month",
            "2026-10",
            "--service",
            "pacs",
        ],
    ] {
        let said = agent.run(args);
        assert_eq!(said.code, 2, "{args:?}: {}", said.out);
        assert!(!said.err.is_empty());
    }
    let said = agent.run(&["log", "--month", "2026-13"]);
    assert!(said.err.contains("bukan bulan"), "{}", said.err);
}

#[test]
fn a_report_is_verified_against_the_log() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("october.pdf");
    let path = file.to_str().expect("text");
    let good = agent("en", Vec::new());
    let made = good.run(&[
        "report",
        "availability",
        "--month",
        "2026-10",
        "--format",
        "pdf",
        "-o",
        path,
    ]);
    assert_eq!(made.code, 0, "{}", made.err);
    let bytes = std::fs::read(&file).expect("the report");
    assert!(bytes.starts_with(b"%PDF-"));
    assert_eq!(
        std::fs::read_dir(dir.path()).expect("it").count(),
        1,
        "nothing half written"
    );

    let said = good.run(&["report", "verify", path]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let bad = agent("id", vec![SealProblem::RowDiffers { head: head() }]);
    let said = bad.run(&["report", "verify", path]);
    assert_eq!(said.code, 1, "{}", said.out);
    assert!(said.out.contains("Baris serverdb.1/12"), "{}", said.out);

    // Somebody changed what is read, and left the seal alone.
    let mut changed = bytes.clone();
    let at = bytes
        .windows(4)
        .rposition(|w| w == b"2026")
        .expect("a year");
    changed[at + 3] = b'5';
    std::fs::write(&file, &changed).expect("written");
    let said = good.run(&["report", "verify", path, "--json"]);
    assert_eq!(said.code, 1, "{}", said.out);
    assert!(said.out.contains("\"as_printed\": false"), "{}", said.out);

    std::fs::write(&file, "a letter").expect("written");
    assert_eq!(good.run(&["report", "verify", path]).code, 2);
    assert_eq!(
        good.run(&["report", "verify", "/nonexistent/x.pdf"]).code,
        2
    );
}

#[test]
fn without_an_agent_and_its_files_it_is_said() {
    let said = run(&[
        "--socket",
        "/nonexistent/siaga.sock",
        "log",
        "--month",
        "2026-10",
        "--config",
        "/nonexistent/siaga.toml",
    ]);
    assert_eq!(said.code, 6, "{}", said.out);
    let said = run(&[
        "log",
        "--state",
        "/nonexistent",
        "--config",
        "/nonexistent/siaga.toml",
    ]);
    assert_eq!(said.code, 2, "the configuration is named: {}", said.err);
}
