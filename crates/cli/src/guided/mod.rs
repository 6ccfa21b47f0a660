//! `siaga` alone: the guided screen. In the site's language: one sentence of truth with its evidence, the one
//! recommended act, and everything else by number. Lines in, lines out, so that it works over a serial console too.

mod act;
mod attest;
mod menu;
mod order;

use crate::args::Global;
use crate::client::CallError;
use crate::context::{Context, LOOK};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::show;
use crate::term::{Term, out};
use menu::{Choice, Menu};
use siaga_model::api::{ServiceStatus, Status};
use siaga_model::{PersonName, ServiceName};
use siaga_words::{Screen, Ui, ui};

/// What is kept from one act to the next.
pub struct Session {
    /// The name that root gave, for the log.
    pub person: Option<PersonName>,
    /// The service that the screen is about.
    pub service: Option<ServiceName>,
}

/// Shows what is true, asks what to do, does it, until the person leaves.
///
/// # Errors
/// Where there is no terminal or no agent, and at Ctrl-C.
pub fn run(global: &Global) -> Result<Exit, Fault> {
    if !Term::look().interactive {
        let language = crate::language::first(global);
        return Err(Fault::Usage(siaga_words::screen(
            language,
            &Screen::GuidedNeedsTerminal,
        )));
    }
    let ctx = Context::connect(global)?;
    let mut session = Session {
        person: ctx.stated.clone(),
        service: None,
    };
    loop {
        let choice = match look_and_ask(&ctx, &mut session) {
            Ok(choice) => choice,
            Err(fault) => {
                pause_after(&ctx, &fault)?;
                continue;
            }
        };
        match choice {
            Choice::Quit => return Ok(Exit::Done),
            Choice::LookAgain => {}
            Choice::OtherService => session.service = None,
            Choice::Act { act, service } => {
                if let Err(fault) = act::carry_out(&ctx, &mut session, &act, &service) {
                    pause_after(&ctx, &fault).map_err(|_| fault)?;
                } else if ask(&ctx, &ui(&ctx.voice, Ui::PressEnter))?.is_none() {
                    return Ok(Exit::Done);
                }
            }
        }
    }
}

fn look_and_ask(ctx: &Context, session: &mut Session) -> Result<Choice, Fault> {
    let status: Status = ctx.client.get("/v1/status", LOOK)?;
    out("");
    out(&show::status::heading(ctx, &status));
    let Some(service) = chosen_service(ctx, session, &status)? else {
        return Ok(Choice::Quit);
    };
    let several = status.services.len() > 1;
    show_truth(ctx, service, &status);
    let menu = Menu::of(service, several);
    out(&menu.text(ctx, service));
    loop {
        let Some(answer) = ask(ctx, &ui(&ctx.voice, Ui::AskWhat))? else {
            return Ok(Choice::Quit);
        };
        if let Some(choice) = menu.choice(&answer) {
            return Ok(choice);
        }
        eprintln!("{}", ui(&ctx.voice, Ui::NotUnderstood));
    }
}

/// The one service, or the one that the person chose. `None`: the person leaves.
fn chosen_service<'a>(
    ctx: &Context,
    session: &mut Session,
    status: &'a Status,
) -> Result<Option<&'a ServiceStatus>, Fault> {
    if let [one] = status.services.as_slice() {
        return Ok(Some(one));
    }
    if let Some(kept) = &session.service
        && let Some(found) = status
            .services
            .iter()
            .find(|s| &s.observation.service == kept)
    {
        return Ok(Some(found));
    }
    for (number, service) in status.services.iter().enumerate() {
        let said = siaga_words::sentence(&ctx.voice, &service.verdict.sentence);
        out(&format!(
            "  {}. {}: {said}",
            number + 1,
            service.observation.service
        ));
    }
    let question = ctx.say(Screen::ChooseService);
    let Some(number) = ask_number(ctx, &question, status.services.len())? else {
        return Ok(None);
    };
    let service = status.services.get(number);
    session.service = service.map(|s| s.observation.service.clone());
    Ok(service)
}

fn show_truth(ctx: &Context, service: &ServiceStatus, status: &Status) {
    out(&show::status::truth(ctx, &service.verdict).join("\n"));
    if let Some(run) = show::status::run(ctx, service) {
        out(&run);
    }
    if service
        .observation
        .nodes
        .values()
        .all(|v| v.fences.is_empty())
    {
        out(&ui(&ctx.voice, Ui::NoFence));
    }
    if !status.findings.is_empty() {
        out(&ui(&ctx.voice, Ui::Findings));
        out(&show::findings(&ctx.voice, &status.findings).join("\n"));
    }
    if !status.duties.is_empty() {
        out(&ui(&ctx.voice, Ui::WhatToDo));
        out(&show::duties(&ctx.voice, &status.duties).join("\n"));
    }
}

/// Says what went wrong and waits for the person. Ctrl-C and a closed terminal end the screen.
fn pause_after(ctx: &Context, fault: &Fault) -> Result<(), Fault> {
    let ends = |e: &CallError| matches!(e, CallError::Interrupted | CallError::Local { .. });
    match fault {
        Fault::Call(error) if ends(error) => return Err(Fault::Call(CallError::Interrupted)),
        Fault::RunGoesOn { why, .. } if ends(why) => {
            return Err(Fault::Call(CallError::Interrupted));
        }
        _ => {}
    }
    eprintln!("{}", fault.render(ctx.voice.language));
    match ask(ctx, &ui(&ctx.voice, Ui::PressEnter))? {
        Some(_) => Ok(()),
        None => Err(Fault::Call(CallError::Interrupted)),
    }
}

/// A line from the person. `None` at the end of input.
fn ask(ctx: &Context, question: &str) -> Result<Option<String>, Fault> {
    Ok(ctx.term.ask(&ctx.client, question)?)
}

/// A number from 1 to `up_to`, as an index from 0. `None` where the person presses Enter or leaves.
fn ask_number(ctx: &Context, question: &str, up_to: usize) -> Result<Option<usize>, Fault> {
    loop {
        let Some(answer) = ask(ctx, question)?.filter(|a| !a.is_empty()) else {
            return Ok(None);
        };
        match answer.parse::<usize>() {
            Ok(number) if (1..=up_to).contains(&number) => return Ok(Some(number - 1)),
            _ => eprintln!("{}", ui(&ctx.voice, Ui::NotUnderstood)),
        }
    }
}
