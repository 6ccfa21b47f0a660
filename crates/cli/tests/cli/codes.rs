//! Exit codes, and what is said with them.

use crate::agent::FakeAgent;
use crate::samples::*;
use crate::{run, siaga};
use siaga_model::UtcMicros;
use siaga_model::api::{CanTakeOver, CheckReport, Diagnosis, Layer, LayerFinding, Status};
use siaga_model::duty::Duty;
use siaga_model::observation::{
    AddressAnswer, AgentView, DatabaseState, Holding, LedgerFacts, NodeFacts, NodeView, Power,
};
use siaga_model::plan::MoveKind;
use siaga_model::refusal::{Advice, Sentence};
use siaga_model::run::RunOutcome;

#[test]
fn unknown_flags_and_verbs_are_usage_errors() {
    for args in [
        &["--nonsense"][..],
        &["status", "--nonsense"],
        &["nonsense"],
        &["power", "explode", "serverdb"],
    ] {
        let said = run(args);
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{args:?}");
        assert!(said.err.contains("error:"), "{}", said.err);
    }
}

#[test]
fn help_and_version_are_no_errors() {
    for args in [
        &["--help"][..],
        &["help", "takeover"],
        &["--version"],
        &["version"],
        &["completions", "bash"],
    ] {
        let said = run(args);
        assert_eq!((said.code, said.err.as_str()), (0, ""), "{args:?}");
        assert!(said.out.contains("siaga"));
    }
    assert!(run(&["--help"]).out.contains("Exit codes:"));
    assert!(run(&["takeover", "--help"]).out.contains("ambil-alih"));
}

#[test]
fn man_pages_are_written_for_every_verb() {
    let dir = tempfile::tempdir().expect("a directory");
    let made = siaga()
        .arg("man")
        .arg(dir.path())
        .output()
        .expect("it starts");
    assert!(made.status.success());
    for page in [
        "siaga.1",
        "siaga-takeover.1",
        "siaga-events-verify.1",
        "siaga-token-create.1",
    ] {
        let text = std::fs::read_to_string(dir.path().join("man1").join(page)).expect(page);
        assert!(text.contains("Examples:"), "{page}");
    }
}

/// Each language has its own readers of values: a verb that one of them can't read must not break.
#[test]
fn a_node_is_replaced_in_either_language() {
    let dir = tempfile::tempdir().expect("a directory");
    let socket = dir.path().join("none.sock");
    for language in ["en", "id"] {
        let mut replace = siaga();
        replace.args(["--lang", language, "--socket"]).arg(&socket);
        replace.args(["node", "replace", "serverdb", "--yes"]);
        replace.args(["--how", "unplugged", "--reason", "its mainboard is dead"]);
        let said = crate::Said::from(replace.output().expect("it starts"));
        assert_eq!(said.code, 6, "{language}: {}", said.err);
    }
}

#[test]
fn without_an_agent_both_languages_say_how_to_start_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let socket = dir.path().join("none.sock");
    for verb in ["status", "check", "diagnose", "log", "events"] {
        let said = crate::Said::from(
            siaga()
                .arg("--socket")
                .arg(&socket)
                .arg(verb)
                .output()
                .expect("it starts"),
        );
        assert_eq!((said.code, said.out.as_str()), (6, ""), "{verb}");
        assert!(
            said.err.contains("Start it with: systemctl start siaga"),
            "{}",
            said.err
        );
        assert!(
            said.err.contains("Nyalakan dengan: systemctl start siaga"),
            "{}",
            said.err
        );
    }
}

#[test]
fn an_agent_that_speaks_nonsense_is_a_failure_and_no_panic() {
    let agent = FakeAgent::start("en", |_| Some((200, "[]".into())));
    let said = agent.run(&["status"]);
    assert_eq!(said.code, 1);
    assert!(said.err.contains("not understood"), "{}", said.err);
}

#[test]
fn an_error_of_the_api_shows_its_code() {
    let agent = FakeAgent::start("en", |_| None);
    let said = agent.run(&["check"]);
    assert_eq!(said.code, 3);
    assert!(said.err.contains("[NO_SUCH_THING]"), "{}", said.err);
}

/// A run that ends like this, ordered with `--yes`.
fn ends_with(kind: MoveKind, verb: &str, end: String) -> i32 {
    let agent = FakeAgent::start("en", move |asked| match asked.path.as_str() {
        "/v1/moves" => Some((200, accepted(kind))),
        path if path.starts_with("/v1/runs/") => Some((200, end.clone())),
        _ => None,
    });
    agent.run(&[verb, "--yes"]).code
}

#[test]
fn each_end_of_a_run_has_its_code() {
    let kind = MoveKind::Switchover;
    let ends = |end| ends_with(kind, "switchover", end);
    assert_eq!(ends(ended(report(kind), RunOutcome::Done)), 0);
    assert_eq!(
        ends(ended(
            report(kind),
            RunOutcome::Refused { refusal: refusal() }
        )),
        3
    );
    assert_eq!(ends(ended(report(kind), restored())), 4);
    assert_eq!(ends(ended(report(kind), stuck())), 5);
    let mut failed = report(kind);
    failed.client_tests = vec![client_test(Some(false))];
    assert_eq!(ends(ended(failed, RunOutcome::Done)), 7);
}

#[test]
fn only_a_drill_needs_a_clients_word() {
    let unseen = |kind| {
        let mut report = report(kind);
        report.client_tests = vec![client_test(None)];
        report.outages = vec![outage(siaga_model::api::SeenBy::Node)];
        ended(report, RunOutcome::Done)
    };
    assert_eq!(
        ends_with(
            MoveKind::Switchover,
            "switchover",
            unseen(MoveKind::Switchover)
        ),
        0
    );
    assert_eq!(
        ends_with(MoveKind::Drill, "drill", unseen(MoveKind::Drill)),
        7
    );
    assert_eq!(
        ends_with(
            MoveKind::Drill,
            "simulasi",
            ended(report(MoveKind::Drill), RunOutcome::Done)
        ),
        0
    );
}

#[test]
fn check_says_yes_only_with_0() {
    for (answer, code, line) in [
        (CanTakeOver::Yes, 0, "Can we take over now? Yes."),
        (CanTakeOver::No, 1, "Can we take over now? No."),
        (CanTakeOver::Unknown, 1, "Can we take over now? Unknown."),
    ] {
        let agent = FakeAgent::start("en", move |_| {
            let report = CheckReport {
                duties: Vec::new(),
                service: service(),
                can_take_over: answer,
                findings: Vec::new(),
                examined: Vec::new(),
                checked_at: UtcMicros(0),
                age_ms: 0,
                takeover: None,
                not_exercised: Vec::new(),
            };
            Some((200, json(&report)))
        });
        let said = agent.run(&["periksa"]);
        assert_eq!((said.code, said.out.lines().next()), (code, Some(line)));
    }
}

#[test]
fn an_incident_that_is_not_there_is_refused_also_where_it_is_only_shown() {
    let agent = FakeAgent::start("id", |_| None);
    let said = agent.run(&["incident", "show", "DT-2026-999"]);
    assert_eq!(said.code, 3, "{}", said.err);
    assert!(said.err.contains("DT-2026-999"), "{}", said.err);
}

#[test]
fn what_is_still_to_be_done_is_shown_with_what_does_it() {
    let agent = FakeAgent::start("en", |asked| {
        let duties = vec![
            Duty::UpdateLate {
                incident: "DT-2026-007".into(),
                key: "k".into(),
                services: vec![service()],
                promised: UtcMicros(1_754_031_000_000_000),
            },
            Duty::DrillOverdue {
                last: None,
                every_days: 90,
                overdue_since: UtcMicros(1),
            },
        ];
        let status = Status { duties, ..down() };
        (asked.path == "/v1/status").then(|| (200, json(&status)))
    });
    for (language, parts) in [
        (
            "en",
            [
                "What to do:",
                "news was promised for",
                "siaga incident estimate --incident DT-2026-007",
                "A drill is overdue",
            ],
        ),
        (
            "id",
            [
                "Yang perlu dilakukan:",
                "informasi berikutnya dijanjikan",
                "siaga drill",
                "belum ada simulasi",
            ],
        ),
    ] {
        let said = agent.run(&["--lang", language, "status"]);
        for part in parts {
            assert!(said.out.contains(part), "{part}: {}", said.out);
        }
    }
}

#[test]
fn power_that_nobody_knows_is_not_done() {
    for (known, code) in [(Power::On, 0), (Power::Off, 0), (Power::Unknown, 1)] {
        let agent = FakeAgent::start("en", move |_| Some((200, power(known))));
        assert_eq!(
            agent.run(&["power", "status", "serverdb"]).code,
            code,
            "{known:?}"
        );
    }
}

#[test]
fn status_speaks_the_sites_language_and_lang_overrides_it() {
    let agent = FakeAgent::start("id", |asked| {
        (asked.path == "/v1/status").then(|| (200, json(&down())))
    });
    let said = agent.run(&["status"]);
    assert_eq!(said.code, 0);
    assert!(said.out.contains("siaga ambil-alih"), "{}", said.out);
    assert!(
        !agent
            .run(&["--lang", "en", "status"])
            .out
            .contains("ambil-alih")
    );
    let parsed: Status =
        serde_json::from_str(&agent.run(&["status", "--json"]).out).expect("only JSON");
    assert_eq!(parsed, down());
}

#[test]
fn names_are_encoded_on_their_way() {
    let agent = FakeAgent::start("en", |_| Some((200, json(&running()))));
    assert_eq!(agent.run(&["status", "--service", "a b&c"]).code, 0);
    assert!(
        agent
            .paths()
            .contains(&"/v1/status?service=a%20b%26c".to_owned())
    );
    assert_eq!(run(&["status", "--service", "a\nb"]).code, 2);
}

#[test]
fn a_service_that_is_not_there_is_named() {
    let agent = FakeAgent::start("en", |_| {
        Some((
            200,
            json(&Status {
                services: Vec::new(),
                ..running()
            }),
        ))
    });
    let said = agent.run(&["status", "--service", "nope"]);
    assert_eq!((said.code, said.out.as_str()), (2, ""));
    assert!(said.err.contains("nope"), "{}", said.err);
}

#[test]
fn watching_says_only_what_is_new() {
    let agent = FakeAgent::start("en", |_| Some((200, json(&running()))));
    let mut screen = crate::pty::Pty::start(&agent, &["status", "--watch"]);
    screen.expect("simrs is running on backup");
    while agent
        .paths()
        .iter()
        .filter(|p| p.as_str() == "/v1/status")
        .count()
        < 2
    {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    screen.key(3);
    assert_eq!(screen.ended(), 130);
    assert_eq!(
        screen.text().matches("is running on backup").count(),
        1,
        "{}",
        screen.text()
    );
}

#[test]
fn a_broken_configuration_is_2_and_names_line_and_code() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("siaga.toml");
    std::fs::write(&file, "[site]\nname = 7\n").expect("written");
    let path = file.to_str().expect("text");
    let said = run(&["config", "check", "--config", path]);
    assert_eq!((said.code, said.out.as_str()), (2, ""));
    assert!(said.err.contains("siaga.toml:2:"), "{}", said.err);
    let said = run(&["config", "check", "--config", path, "--json"]);
    assert_eq!(said.code, 2);
    let parsed: serde_json::Value = serde_json::from_str(&said.out).expect("only JSON");
    let lines = parsed["errors"]
        .as_array()
        .expect("errors")
        .iter()
        .map(|e| e["line"].as_u64());
    assert!(lines.into_iter().any(|line| line == Some(2)), "{parsed}");
    assert_eq!(
        run(&["config", "check", "--config", "/nonexistent/siaga.toml"]).code,
        2
    );
    let schema: serde_json::Value =
        serde_json::from_str(&run(&["config", "schema"]).out).expect("JSON");
    assert_eq!(schema["title"], "siaga.toml");
}

#[test]
fn a_diagnosis_names_the_layer_in_the_sites_language() {
    let found = |layer, ok, evidence: &str| LayerFinding {
        layer,
        node: backup(),
        ok,
        evidence: evidence.into(),
    };
    let diagnosis = Diagnosis {
        service: service(),
        layers: vec![
            found(Layer::ClientTest, None, "no probe"),
            found(Layer::FreeSpace, Some(false), "/srv/simrs: 0 MiB free"),
            found(Layer::Power, Some(true), "on"),
        ],
        cause: Some(found(
            Layer::FreeSpace,
            Some(false),
            "/srv/simrs: 0 MiB free",
        )),
        advice: vec![Advice::Restart { service: service() }],
    };
    let agent = FakeAgent::start("id", move |_| Some((200, json(&diagnosis))));
    let said = agent.run(&["diagnose"]);
    assert_eq!(said.code, 0);
    let cause = said
        .out
        .lines()
        .find(|l| l.starts_with("Kemungkinan penyebab:"))
        .expect("a cause");
    assert_eq!(
        cause,
        "Kemungkinan penyebab: ruang kosong (backup): /srv/simrs: 0 MiB free"
    );
    let first = said.out.lines().next().expect("a layer");
    assert!(
        first.contains("baik") && first.contains("daya"),
        "from the bottom up: {first}"
    );
    assert!(said.out.contains("siaga restart"), "{}", said.out);
}

#[test]
fn a_nodes_facts_are_not_said_twice() {
    let mut status = running();
    let holds = |by: &str| Sentence::NodeHolds {
        node: backup(),
        by: vec![by.into()],
    };
    status.services[0].verdict.evidence = vec![holds("192.0.2.50")];
    let facts = NodeFacts {
        boot: "b".into(),
        disk: Holding::Held {
            by: vec!["/srv/simrs".into()],
        },
        mounts: Vec::new(),
        virtual_ips: Vec::new(),
        database: DatabaseState::Ready,
        applications: Vec::new(),
        ledger: LedgerFacts::default(),
        unable: None,
        astray: Vec::new(),
    };
    let view = NodeView {
        agent: AgentView::Answered {
            paths: Vec::new(),
            facts: Box::new(facts),
        },
        power: Power::Unknown,
        fences: Vec::new(),
        address: AddressAnswer::Mine,
    };
    status.services[0].observation.nodes.insert(backup(), view);
    let agent = FakeAgent::start("en", move |_| Some((200, json(&status))));
    let said = agent.run(&["status"]);
    assert_eq!(said.out.matches("backup holds").count(), 1, "{}", said.out);
    assert!(said.out.contains("Database: ready."), "{}", said.out);
}
