//! Moves: streams, JSON, confirmation, refusals in both languages, Ctrl-C.

use crate::agent::{Asked, FakeAgent};
use crate::pty::Pty;
use crate::samples::*;
use siaga_model::api::MoveReport;
use siaga_model::plan::MoveKind;
use siaga_model::proof::AttestKind;
use siaga_model::run::{RunOutcome, StepOutcome};

/// An agent that previews, accepts and ends a run well.
fn good(kind: MoveKind) -> impl Fn(&Asked) -> Option<(u16, String)> + Send {
    move |asked| match asked.path.as_str() {
        "/v1/moves" if asked.order().dry_run => Some((200, preview(kind))),
        "/v1/moves" => Some((200, accepted(kind))),
        path if path.starts_with("/v1/runs/") => Some((200, ended(report(kind), RunOutcome::Done))),
        path if path.starts_with("/v1/status") => Some((200, json(&running()))),
        _ => None,
    }
}

#[test]
fn json_is_the_report_and_nothing_else() {
    let agent = FakeAgent::start("id", good(MoveKind::Switchover));
    let said = agent.run(&["switchover", "--yes", "--json"]);
    assert_eq!(said.code, 0);
    let parsed: MoveReport = serde_json::from_str(&said.out).expect("only the report");
    assert_eq!(parsed, report(MoveKind::Switchover));
    assert!(
        said.err.contains("serverdb") && said.err.contains("ok"),
        "progress is on stderr: {}",
        said.err
    );
}

#[test]
fn the_result_says_what_clients_lost_and_the_next_act() {
    let agent = FakeAgent::start("en", good(MoveKind::Switchover));
    let said = agent.run(&["switchover", "--yes", "--reason", "new memory"]);
    assert!(
        said.out
            .contains("Clients lost 103 ms, measured by the probe client1 (± 5 ms)."),
        "{}",
        said.out
    );
    assert!(
        said.out.contains("14:05:09 WIB"),
        "in the site's zone: {}",
        said.out
    );
    assert!(said.out.contains("siaga check"), "{}", said.out);
    assert!(
        !said.out.contains('\x1b') && !said.err.contains('\x1b'),
        "no colour without a terminal"
    );
    assert_eq!(agent.orders()[0].reason, "new memory");
}

#[test]
fn what_no_client_saw_is_said_so() {
    let agent = FakeAgent::start("en", |asked| match asked.path.as_str() {
        "/v1/moves" => Some((200, accepted(MoveKind::Switchover))),
        path if path.starts_with("/v1/runs/") => {
            let mut report = report(MoveKind::Switchover);
            report.outages = vec![outage(siaga_model::api::SeenBy::Node)];
            Some((200, ended(report, RunOutcome::Done)))
        }
        _ => None,
    });
    let said = agent.run(&["switchover", "--yes"]);
    assert!(
        said.out.contains("not confirmed from a client"),
        "{}",
        said.out
    );
    assert!(!said.out.contains("Clients lost"), "{}", said.out);
}

#[test]
fn a_move_that_lost_rows_says_so_and_is_no_success() {
    let agent = FakeAgent::start("en", |asked| match asked.path.as_str() {
        "/v1/moves" => Some((200, accepted(MoveKind::Takeover))),
        path if path.starts_with("/v1/runs/") => {
            let mut report = report(MoveKind::Takeover);
            let probe = "loket-1".to_owned();
            report.lost_rows = vec![siaga_model::api::LostRows { probe, rows: 3 }];
            Some((200, ended(report, RunOutcome::Done)))
        }
        _ => None,
    });
    let said = agent.run(&["takeover", "--yes", "--reason", "it is dead"]);
    let told = "probe loket-1: 3 rows that the database had confirmed are gone";
    assert!(said.out.contains(told), "{}", said.out);
    assert_eq!(said.code, 7, "{}", said.err);
}

#[test]
fn a_failed_step_names_its_cause() {
    let agent = FakeAgent::start("en", |asked| match asked.path.as_str() {
        "/v1/moves" => Some((200, accepted(MoveKind::Switchover))),
        path if path.starts_with("/v1/runs/") => {
            let mut report = report(MoveKind::Switchover);
            let RunOutcome::Restored { cause, .. } = restored() else {
                unreachable!("a sample")
            };
            report.steps = vec![step("unmount", StepOutcome::Failed(cause))];
            Some((200, ended(report, restored())))
        }
        _ => None,
    });
    let said = agent.run(&["switchover", "--yes"]);
    assert_eq!(said.code, 4);
    assert!(
        said.err.contains("failed") && said.err.contains("vi (pid 4711)"),
        "{}",
        said.err
    );
    assert!(said.out.contains("vi (pid 4711)"), "{}", said.out);
}

#[test]
fn a_refusal_is_said_in_the_sites_language_with_code_evidence_and_next_act() {
    for (language, next, evidence) in [
        (
            "en",
            "siaga takeover --attest-off serverdb",
            "192.0.2.11:7443",
        ),
        (
            "id",
            "siaga ambil-alih --attest-off serverdb",
            "Yang terlihat:",
        ),
    ] {
        let agent = FakeAgent::start(language, |_| Some((200, refused())));
        let said = agent.run(&["takeover", "--yes"]);
        assert_eq!((said.code, said.out.as_str()), (3, ""));
        for part in ["[NEEDS_ATTESTATION]", next, evidence] {
            assert!(said.err.contains(part), "{part}: {}", said.err);
        }
    }
}

#[test]
fn a_refusal_as_json_is_the_json_of_a_move() {
    let agent = FakeAgent::start("en", |_| Some((409, refused())));
    let said = agent.run(&["takeover", "--yes", "--json"]);
    assert_eq!(said.code, 3);
    let parsed: serde_json::Value = serde_json::from_str(&said.out).expect("only JSON");
    assert_eq!(parsed["outcome"], "refused");
    assert_eq!(parsed["code"], "NEEDS_ATTESTATION");
    assert_eq!(parsed["service"], "simrs");
    assert!(parsed["run_id"].is_null());
    assert!(
        parsed["message"]
            .as_str()
            .is_some_and(|m| m.contains("serverdb"))
    );
}

#[test]
fn without_a_terminal_and_without_yes_nothing_is_asked_of_the_agent() {
    let agent = FakeAgent::start("en", good(MoveKind::Switchover));
    for verb in [
        "takeover",
        "switchover",
        "failback",
        "drill",
        "restart",
        "stop",
    ] {
        let said = agent.run(&[verb]);
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{verb}");
        assert!(
            said.err.contains("--yes") && said.err.contains("--dry-run"),
            "{}",
            said.err
        );
    }
    assert_eq!(agent.run(&["power", "off", "serverdb"]).code, 2);
    assert_eq!(agent.paths(), Vec::<String>::new());
    assert!(
        agent
            .run(&["--lang", "id", "stop"])
            .err
            .contains("kesalahan:")
    );
}

#[test]
fn a_start_that_cuts_nothing_needs_no_confirmation_and_one_that_does_needs_it() {
    let agent = FakeAgent::start("en", good(MoveKind::Start));
    assert_eq!(agent.run(&["start"]).code, 0);
    assert_eq!(agent.orders().len(), 1);
    // Its plan fences a silent node.
    let agent = FakeAgent::start("en", good(MoveKind::Takeover));
    assert_eq!(agent.run(&["start"]).code, 2);
    assert_eq!(agent.orders().len(), 0);
}

#[test]
fn a_dry_run_orders_nothing_and_says_what_it_cannot_prove() {
    let agent = FakeAgent::start("en", good(MoveKind::Switchover));
    let said = agent.run(&["switchover", "--dry-run"]);
    assert_eq!(said.code, 0);
    assert!(
        said.out.contains("stop the database") && said.out.contains("not a promise"),
        "{}",
        said.out
    );
    let said = agent.run(&["switchover", "--dry-run", "--json"]);
    let parsed: serde_json::Value = serde_json::from_str(&said.out).expect("only JSON");
    assert_eq!(parsed["answer"], "dry_run");
    assert_eq!(agent.orders().len(), 0);
}

#[test]
fn attestations_come_in_pairs() {
    let agent = FakeAgent::start("en", good(MoveKind::Takeover));
    let said = agent.run(&[
        "takeover",
        "--yes",
        "--as",
        "budi",
        "--attest-off",
        "serverdb",
        "--how",
        "switched-off",
    ]);
    assert_eq!(said.code, 0);
    let order = &agent.orders()[0];
    assert_eq!(
        (order.attest[0].node.as_str(), order.attest[0].how),
        ("serverdb", AttestKind::SwitchedOff)
    );
    assert_eq!(
        order.stated_actor.as_ref().map(|p| p.as_str()),
        Some("budi")
    );
    for bad in [
        &["--attest-off", "serverdb"][..],
        &["--how", "unplugged"],
        &["--attest-off", "serverdb", "--how", "maybe"],
        &[
            "--attest-off",
            "a",
            "--attest-off",
            "b",
            "--how",
            "unplugged",
        ],
    ] {
        let args = [&["takeover", "--yes"], bad].concat();
        assert_eq!(agent.run(&args).code, 2, "{bad:?}");
    }
    assert_eq!(agent.orders().len(), 1);
}

#[test]
fn the_typed_name_confirms_and_anything_else_does_not() {
    for (typed, code, orders) in [("simrs", 0, 1), ("yes", 4, 0), ("", 4, 0)] {
        let agent = FakeAgent::start("en", good(MoveKind::Switchover));
        let mut screen = Pty::start(&agent, &["switchover"]);
        screen.expect("Type simrs to go on");
        assert!(
            screen.text().contains("stop the database"),
            "the plan comes first"
        );
        screen.line(typed);
        assert_eq!(screen.ended(), code, "{typed:?}: {}", screen.text());
        assert_eq!(agent.orders().len(), orders);
    }
}

#[test]
fn power_off_asks_for_the_nodes_name() {
    let answer = || Some((200, power(siaga_model::observation::Power::Off)));
    let agent = FakeAgent::start("en", move |_| answer());
    let mut screen = Pty::start(&agent, &["power", "off", "serverdb"]);
    screen.expect("Type serverdb to go on");
    screen.line("simrs");
    assert_eq!(screen.ended(), 4);
    assert!(!agent.paths().contains(&"/v1/power".to_owned()));
}

#[test]
fn ctrl_c_stops_watching_and_says_that_the_run_goes_on() {
    let agent = FakeAgent::start("en", |asked| match asked.path.as_str() {
        "/v1/moves" => Some((200, accepted(MoveKind::Switchover))),
        path if path.starts_with("/v1/runs/") => Some((200, goes_on(MoveKind::Switchover))),
        _ => None,
    });
    let mut screen = Pty::start(&agent, &["switchover", "--yes"]);
    screen.expect("redo 40 %");
    screen.expect("expected 3 s");
    screen.key(3);
    assert_eq!(screen.ended(), 130, "{}", screen.text());
    assert!(
        screen.text().contains("goes on all the same"),
        "{}",
        screen.text()
    );
    assert!(
        screen.text().contains("siaga status --watch"),
        "{}",
        screen.text()
    );
}

#[test]
fn a_run_that_its_agent_forgot_names_resume() {
    let agent = FakeAgent::start("en", |asked| {
        (asked.path == "/v1/moves").then(|| (200, accepted(MoveKind::Switchover)))
    });
    let said = agent.run(&["switchover", "--yes"]);
    assert_eq!(said.code, 5);
    assert!(said.err.contains("siaga resume"), "{}", said.err);
}

#[test]
fn two_orders_have_two_keys() {
    let agent = FakeAgent::start("en", good(MoveKind::Stop));
    agent.run(&["stop", "--yes"]);
    agent.run(&["stop", "--yes"]);
    let orders = agent.orders();
    assert_ne!(orders[0].idempotency_key, orders[1].idempotency_key);
    assert!(orders[0].idempotency_key.len() >= 32);
}

/// An order that was sent on and not answered.
fn unanswered() -> String {
    json(&siaga_model::api::MoveAnswer::Unknown {
        coordinator: backup(),
        refusal: siaga_model::refusal::Refusal {
            code: siaga_model::refusal::RefusalCode::OrderUnknown,
            sentence: siaga_model::refusal::Sentence::OrderUnanswered { node: backup() },
            evidence: Vec::new(),
            next: vec![siaga_model::refusal::Advice::Status],
        },
    })
}

#[test]
fn an_order_without_an_answer_is_unknown_and_given_again_under_its_key() {
    for (language, said_so) in [
        ("en", "It may have begun there"),
        ("id", "Mungkin sudah dimulai"),
    ] {
        let agent = FakeAgent::start(language, |asked| {
            (asked.path == "/v1/moves").then(|| (200, unanswered()))
        });
        let said = agent.run(&["switchover", "--yes"]);
        assert_eq!(said.code, 6, "{}", said.err);
        let orders = agent.orders();
        let key = &orders[0].idempotency_key;
        assert_eq!(orders.len(), 2, "asked once more");
        assert_eq!(&orders[1].idempotency_key, key);
        for part in [
            said_so,
            "ORDER_UNKNOWN",
            "siaga status",
            &format!("--key {key}"),
        ] {
            assert!(said.err.contains(part), "{part}: {}", said.err);
        }
        for changed in ["Nothing was changed", "Tidak ada yang diubah"] {
            assert!(!said.err.contains(changed), "{}", said.err);
        }
        let said = agent.run(&["switchover", "--yes", "--json"]);
        assert_eq!(
            (said.code, said.out.contains(r#""unknown""#)),
            (6, true),
            "{}",
            said.out
        );
    }
}

#[test]
fn a_refusal_after_an_unanswered_order_leaves_it_unknown_and_a_run_settles_it() {
    for (second, code) in [(refused(), 6), (accepted(MoveKind::Switchover), 0)] {
        let asked_before = std::sync::atomic::AtomicBool::new(false);
        let agent = FakeAgent::start("en", move |asked| match asked.path.as_str() {
            "/v1/moves" if asked_before.swap(true, std::sync::atomic::Ordering::SeqCst) => {
                Some((200, second.clone()))
            }
            "/v1/moves" => Some((200, unanswered())),
            path if path.starts_with("/v1/runs/") => {
                Some((200, ended(report(MoveKind::Switchover), RunOutcome::Done)))
            }
            _ => None,
        });
        let said = agent.run(&["switchover", "--yes"]);
        assert_eq!(said.code, code, "{}", said.err);
    }
}

#[test]
fn a_key_that_is_given_is_the_orders() {
    let agent = FakeAgent::start("en", good(MoveKind::Stop));
    agent.run(&["stop", "--yes", "--key", "k-1"]);
    assert_eq!(agent.orders()[0].idempotency_key, "k-1");
}

#[test]
fn a_covered_run_is_said_in_both_languages() {
    use siaga_model::run::{FailureKind, StepAt, StepFailure};
    for (language, first, cause) in [
        ("en", "Not done", "fell silent"),
        ("id", "Tidak berhasil", "tidak menjawab lagi"),
    ] {
        let covered = RunOutcome::Restored {
            cause: StepFailure::new(FailureKind::CoordinatorSilent, "0001-serverdb"),
            at: StepAt {
                node: backup(),
                action: "coordinate".into(),
            },
        };
        let agent = FakeAgent::start(language, move |asked| match asked.path.as_str() {
            "/v1/moves" => Some((200, accepted(MoveKind::Switchover))),
            path if path.starts_with("/v1/runs/") => {
                Some((200, ended(report(MoveKind::Switchover), covered.clone())))
            }
            _ => None,
        });
        let said = agent.run(&["switchover", "--yes"]);
        assert_eq!(said.code, 4);
        for part in [first, cause, "0001-serverdb"] {
            assert!(said.out.contains(part), "{part}: {}", said.out);
        }
    }
}
