//! Papers without an agent: from the configuration and the event log's files alone.

use crate::{Said, run};
use siaga_journal::{Durability, Journal, SystemClock};
use siaga_model::api::{Outage, SeenBy};
use siaga_model::event::{Event, EventBody};
use siaga_model::plan::{MoveKind, Placement};
use siaga_model::run::RunOutcome;
use std::path::{Path, PathBuf};

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../examples")
        .join(name)
}

fn event(body: EventBody) -> Event {
    Event {
        service: Some("simrs".into()),
        run: Some("00063b5f-backup".into()),
        actor: None,
        body,
    }
}

/// A state directory with one drill in it, without a plan.
fn state() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    let (mut journal, _) =
        Journal::open(dir.path(), "serverdb".into(), Box::new(SystemClock)).expect("a journal");
    let outage = Outage {
        offline_at: Some("2026-10-10T03:00:00Z".into()),
        online_at: Some("2026-10-10T03:12:00Z".into()),
        downtime_ms: Some(720_000),
        error_ms: None,
        seen_by: SeenBy::Probe,
        probe: Some("igd".into()),
    };
    let accepted = EventBody::RunAccepted {
        move_kind: MoveKind::Drill,
        goal: Placement::ActiveOn("backup".into()),
        reason: "drill".into(),
        requested_by: None,
        approved_by: None,
        idempotency_key: "k".into(),
        covers: None,
    };
    for body in [
        accepted,
        EventBody::OutageMeasured { outage },
        EventBody::RunEnded {
            outcome: RunOutcome::Done,
            plan: None,
        },
    ] {
        journal.append(event(body), Durability::Sync).expect("room");
    }
    dir
}

fn files(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let events = dir.join("events");
    let mut files: Vec<_> = std::fs::read_dir(events)
        .expect("the log")
        .map(|e| e.expect("an entry").path())
        .map(|p| (p.clone(), std::fs::read(p).expect("readable")))
        .collect();
    files.sort();
    files
}

fn offline(state: &Path, args: &[&str]) -> Said {
    let config = example("full.toml");
    let mut all = args.to_vec();
    all.extend(["--state", state.to_str().expect("text")]);
    all.extend(["--config", config.to_str().expect("text")]);
    run(&all)
}

#[test]
fn the_log_book_and_the_figures_come_from_the_files_and_change_nothing() {
    let dir = state();
    let before = files(dir.path());
    let log = offline(dir.path(), &["log", "--month", "2026-10", "--json"]);
    assert_eq!(log.code, 0, "{}", log.err);
    assert_eq!(log.out.matches("\"offline_at\"").count(), 1, "{}", log.out);
    let said = offline(
        dir.path(),
        &[
            "report",
            "availability",
            "--month",
            "2026-10",
            "--format",
            "json",
        ],
    );
    assert_eq!(said.code, 0, "{}", said.err);
    let value: serde_json::Value = serde_json::from_str(&said.out).expect("JSON");
    // The run of the log was accepted long after: nobody had ordered this downtime.
    assert_eq!(value["downtime_unplanned_min"], 12.0, "{}", said.out);
    let sheet = offline(dir.path(), &["sheet", "--lang", "id"]);
    assert_eq!(sheet.code, 0, "{}", sheet.err);
    assert!(sheet.out.contains("00063b5f-backup"), "{}", sheet.out);
    assert_eq!(files(dir.path()), before, "nothing was written");
}

#[test]
fn a_run_that_is_not_there_is_said() {
    let dir = state();
    for verb in ["drill", "incident"] {
        let said = offline(dir.path(), &["report", verb, "no-such-run"]);
        assert_eq!(said.code, 3, "{}", said.out);
        assert!(said.err.contains("no-such-run"), "{}", said.err);
    }
}

#[test]
fn the_procedure_needs_the_configuration_alone() {
    let config = example("minimal.toml");
    let path = config.to_str().expect("text");
    for (format, begin) in [("text", "====="), ("html", "<!DOCTYPE html>")] {
        let said = run(&["sop", "--config", path, "--format", format]);
        assert_eq!(said.code, 0, "{}", said.err);
        assert!(said.out.starts_with(begin), "{}", said.out);
        assert!(said.out.contains("mount -t ext4"), "{}", said.out);
    }
    let said = run(&["sop", "--config", "/nonexistent/siaga.toml"]);
    assert_eq!(said.code, 2, "{}", said.out);
    assert!(said.err.contains("/nonexistent/siaga.toml"), "{}", said.err);
}

#[test]
fn a_paper_appears_whole_or_not_at_all() {
    let dir = tempfile::tempdir().expect("a directory");
    let config = example("full.toml");
    let file = dir.path().join("sop.pdf");
    let args = |file: &Path| {
        let path = file.to_str().expect("text").to_owned();
        let config = config.to_str().expect("text").to_owned();
        run(&["sop", "--format", "pdf", "--config", &config, "-o", &path])
    };
    assert_eq!(args(&file).code, 0);
    let first = std::fs::read(&file).expect("the paper");
    assert!(first.starts_with(b"%PDF-"));
    assert_eq!(args(&file).code, 0);
    assert_eq!(
        std::fs::read(&file).expect("the paper"),
        first,
        "the same bytes"
    );
    let nowhere = args(&dir.path().join("no/such/sop.pdf"));
    assert_eq!(nowhere.code, 1, "{}", nowhere.err);
    assert_eq!(std::fs::read_dir(dir.path()).expect("it").count(), 1);
}
