//! The guided screen: a whole night without another command.

use crate::agent::{Asked, FakeAgent};
use crate::pty::Pty;
use crate::samples::*;
use siaga_model::api::{MoveAnswer, VerdictState};
use siaga_model::plan::MoveKind;
use siaga_model::proof::AttestKind;
use siaga_model::refusal::{Advice, Refusal, RefusalCode, Sentence};
use siaga_model::run::RunOutcome;
use std::sync::atomic::{AtomicBool, Ordering};

fn status_of(asked: &Asked, status: &siaga_model::api::Status) -> Option<(u16, String)> {
    asked
        .path
        .starts_with("/v1/status")
        .then(|| (200, json(status)))
}

#[test]
fn it_needs_a_terminal() {
    let agent = FakeAgent::start("en", |_| None);
    let said = agent.run(&[]);
    assert_eq!((said.code, said.out.as_str()), (2, ""));
    assert!(said.err.contains("siaga help"), "{}", said.err);
}

#[test]
fn truth_first_then_the_recommended_act_then_the_rest() {
    let agent = FakeAgent::start("en", |asked| status_of(asked, &down()));
    let mut screen = Pty::start(&agent, &[]);
    screen.expect("RSUD Contoh");
    screen.expect("2025-08-01 14:05:09 WIB");
    screen.expect("simrs");
    screen.expect("client1");
    screen.expect("1. Start the service simrs on this server in place of the dead one.");
    screen.expect("2. Find the cause");
    screen.expect("q. Leave");
    screen.line("99");
    screen.expect("not understood");
    screen.line("q");
    assert_eq!(screen.ended(), 0);
}

#[test]
fn it_speaks_the_sites_language() {
    let agent = FakeAgent::start("id", |asked| status_of(asked, &down()));
    let mut screen = Pty::start(&agent, &[]);
    screen.expect("1 Agustus 2025 pukul 14.05.09 WIB");
    screen.expect("Disarankan sekarang:");
    screen.expect("Pilihan lain:");
    screen.expect("Ketik nomornya:");
    screen.line("q");
    assert_eq!(screen.ended(), 0);
}

/// A takeover that no fence can make safe: the person goes there and says so; then it runs, and the truth is another.
#[test]
fn a_night_with_an_attested_takeover() {
    let done = AtomicBool::new(false);
    let agent = FakeAgent::start("en", move |asked| match asked.path.as_str() {
        "/v1/moves" => {
            let order = asked.order();
            let attested = order
                .attest
                .first()
                .is_some_and(|a| a.how == AttestKind::SwitchedOff);
            Some((
                200,
                match (attested, order.dry_run) {
                    (false, _) => refused(),
                    (true, true) => preview(MoveKind::Takeover),
                    (true, false) => accepted(MoveKind::Takeover),
                },
            ))
        }
        path if path.starts_with("/v1/runs/") => {
            done.store(true, Ordering::SeqCst);
            Some((200, ended(report(MoveKind::Takeover), RunOutcome::Done)))
        }
        _ => status_of(
            asked,
            &if done.load(Ordering::SeqCst) {
                running()
            } else {
                down()
            },
        ),
    });
    let mut screen = Pty::start(&agent, &[]);
    screen.expect("Type a number:");
    screen.line("1");
    let root = rustix::process::getuid().is_root();
    if root {
        screen.expect("Who are you?");
        screen.line("1");
        screen.expect("budi (stated, not proved)");
    }
    screen.expect("[NEEDS_ATTESTATION]");
    screen.expect("serverdb is silent");
    screen.expect("2. ");
    screen.expect("the data may be destroyed");
    screen.line("2");
    screen.expect("switch serverdb off by ipmi");
    screen.expect("cannot prove");
    screen.expect("reason for the log:");
    screen.line("serverdb is dead");
    screen.expect("Type simrs to go on");
    screen.line("simrs");
    screen.expect("Clients lost 103 ms");
    screen.expect("Press Enter");
    screen.line("");
    screen.expect("simrs is running on backup");
    screen.line("q");
    assert_eq!(screen.ended(), 0);
    let order = &agent.orders()[0];
    assert_eq!(order.reason, "serverdb is dead");
    assert_eq!(
        order.stated_actor.as_ref().map(|p| p.as_str()),
        root.then_some("budi")
    );
}

#[test]
fn turning_back_in_the_dialogue_orders_nothing() {
    let agent = FakeAgent::start("en", |asked| match asked.path.as_str() {
        "/v1/moves" => Some((200, refused())),
        _ => status_of(asked, &down()),
    });
    let mut screen = Pty::start(&agent, &["--as", "budi"]);
    screen.expect("Type a number:");
    screen.line("1");
    screen.expect("(Enter: back)");
    screen.line("");
    screen.expect("Press Enter");
    screen.line("");
    screen.expect("Type a number:");
    screen.line("q");
    assert_eq!(screen.ended(), 0);
    assert_eq!(agent.orders().len(), 0);
}

#[test]
fn a_wrong_word_confirms_nothing_and_the_screen_goes_on() {
    let agent = FakeAgent::start("en", |asked| match asked.path.as_str() {
        "/v1/moves" => Some((200, preview(MoveKind::Takeover))),
        _ => status_of(asked, &down()),
    });
    let mut screen = Pty::start(&agent, &["--as", "budi"]);
    screen.expect("Type a number:");
    screen.line("1");
    screen.expect("reason for the log:");
    screen.line("");
    screen.expect("Type simrs to go on");
    screen.line("y");
    screen.expect("Nothing was changed.");
    screen.line("");
    screen.expect("Type a number:");
    screen.key(4); // end of input
    assert_eq!(screen.ended(), 0);
    assert_eq!(agent.orders().len(), 0);
}

#[test]
fn a_run_that_goes_on_can_be_aborted_without_a_preview() {
    let status = || {
        let sentence = Sentence::ServiceInTransition {
            service: service(),
            run: siaga_model::RunId::new(RUN),
        };
        status(VerdictState::InTransition, sentence, vec![Advice::Abort])
    };
    let agent = FakeAgent::start("en", move |asked| match asked.path.as_str() {
        "/v1/moves" if asked.order().dry_run => {
            let refusal = Refusal {
                code: RefusalCode::RunInProgress,
                next: Vec::new(),
                ..refusal()
            };
            Some((200, json(&MoveAnswer::Refused { refusal })))
        }
        "/v1/moves" => Some((200, accepted(MoveKind::Switchover))),
        path if path.starts_with("/v1/runs/") => {
            Some((200, ended(report(MoveKind::Switchover), restored())))
        }
        _ => status_of(asked, &status()),
    });
    let mut screen = Pty::start(&agent, &["--as", "budi"]);
    screen.expect("1. Bring the service back");
    screen.line("1");
    screen.expect("reason for the log:");
    screen.line("");
    screen.expect("Type simrs to go on");
    screen.line("simrs");
    screen.expect("runs again where it was before");
    screen.line("");
    screen.expect("Type a number:");
    screen.key(3);
    assert_eq!(screen.ended(), 130);
    assert_eq!(agent.orders()[0].kind, MoveKind::Abort);
}

#[test]
fn an_agent_that_fails_is_said_and_the_screen_goes_on() {
    let failed = AtomicBool::new(false);
    let agent = FakeAgent::start("en", move |asked| match asked.path.as_str() {
        "/v1/status" if !failed.swap(true, Ordering::SeqCst) => None,
        _ => status_of(asked, &running()),
    });
    let mut screen = Pty::start(&agent, &[]);
    screen.expect("[NO_SUCH_THING]");
    screen.expect("Press Enter");
    screen.line("");
    screen.expect("simrs is running on backup");
    screen.line("q");
    assert_eq!(screen.ended(), 0);
}
