//! A move from the guided screen: who, why, the plan and what it proves, the typed confirmation, the run, the result.

use super::{Session, ask, ask_number, attest};
use crate::context::Context;
use crate::fault::Fault;
use crate::order::{fresh_key, send, typed};
use crate::show;
use crate::term::out;
use siaga_model::api::{AttestRequest, MoveAnswer, MoveRequest};
use siaga_model::plan::{MoveKind, Plan};
use siaga_model::refusal::{Advice, Refusal, RefusalCode};
use siaga_model::{PersonName, ServiceName};
use siaga_words::{Screen, Ui, ui};

/// Orders a move and follows it to its end.
pub fn order(
    ctx: &Context,
    session: &mut Session,
    kind: MoveKind,
    service: &ServiceName,
) -> Result<(), Fault> {
    name_person(ctx, session)?;
    let mut request = MoveRequest {
        kind,
        service: Some(service.clone()),
        to: None,
        reason: String::new(),
        attest: Vec::new(),
        // Not by a menu at night: typed as a command, with its reason.
        accept_old_data: false,
        dry_run: true,
        idempotency_key: fresh_key()?,
        requested_by: None,
        approved_by: None,
        stated_actor: session.person.clone(),
        forwarded_actor: None,
        forwarded_person: None,
    };
    let Planned::GoOn(plan) = plan(ctx, session, &mut request)? else {
        return Ok(());
    };
    if let Some(plan) = &plan {
        out(&show::plan::text(ctx, plan));
    }
    request.reason = ask(ctx, &ui(&ctx.voice, Ui::AskReason))?.unwrap_or_default();
    if kind == MoveKind::Failback {
        request.requested_by = choose_person(ctx, Ui::AskRequestedBy)?;
        request.approved_by = choose_person(ctx, Ui::AskApprovedBy)?;
    }
    crate::order::warn(ctx, kind);
    if !typed(ctx, service.as_str())? {
        out(&ui(&ctx.voice, Ui::Aborted));
        return Ok(());
    }
    request.dry_run = false;
    request.idempotency_key = fresh_key()?;
    crate::order::order(ctx, &request, false)?;
    Ok(())
}

/// What a preview leads to.
enum Planned {
    /// With the plan; without one where a run that goes on is aborted: its own agent knows the way back.
    GoOn(Option<Box<Plan>>),
    /// The refusal was shown, or the person turned back.
    Leave,
}

/// Asks for the plan. A silent node that nothing can fence leads to the dialogue about what was done to it.
fn plan(ctx: &Context, session: &mut Session, request: &mut MoveRequest) -> Result<Planned, Fault> {
    loop {
        let refusal = match send(ctx, request)? {
            MoveAnswer::DryRun { plan, .. } | MoveAnswer::Accepted { plan, .. } => {
                return Ok(Planned::GoOn(Some(plan)));
            }
            MoveAnswer::Refused { refusal } | MoveAnswer::Unknown { refusal, .. } => refusal,
        };
        if request.kind == MoveKind::Abort && refusal.code == RefusalCode::RunInProgress {
            return Ok(Planned::GoOn(None));
        }
        eprintln!("{}", siaga_words::refusal(&ctx.voice, &refusal));
        let Some(given) = attestation(ctx, session, &refusal)? else {
            return Ok(Planned::Leave);
        };
        request.attest.retain(|a| a.node != given.node);
        request.attest.push(given);
        request.stated_actor.clone_from(&session.person);
    }
}

/// Where an attestation is what is missing, asks for it.
fn attestation(
    ctx: &Context,
    session: &mut Session,
    refusal: &Refusal,
) -> Result<Option<AttestRequest>, Fault> {
    let wanted = refusal.next.iter().find_map(|advice| match advice {
        Advice::AttestAfter { node, ways } => Some((node, ways)),
        _ => None,
    });
    match wanted {
        Some((node, ways)) => attest::ask_for(ctx, session, node, ways),
        None => Ok(None),
    }
}

/// Root has no name of its own: asks for one from the site's list, once.
///
/// # Errors
/// Where the terminal fails, or Ctrl-C.
pub fn name_person(ctx: &Context, session: &mut Session) -> Result<(), Fault> {
    let anonymous = rustix::process::getuid().is_root() && session.person.is_none();
    if anonymous && !ctx.site.people.is_empty() {
        session.person = choose(ctx, &ctx.say(Screen::AskPerson))?;
        if let Some(person) = &session.person {
            eprintln!(
                "{}",
                ctx.say(Screen::ActingAs {
                    name: person.to_string()
                })
            );
        }
    }
    Ok(())
}

fn choose_person(ctx: &Context, question: Ui) -> Result<Option<PersonName>, Fault> {
    choose(ctx, &ui(&ctx.voice, question))
}

fn choose(ctx: &Context, question: &str) -> Result<Option<PersonName>, Fault> {
    let people = &ctx.site.people;
    if people.is_empty() {
        return Ok(None);
    }
    for (number, person) in people.iter().enumerate() {
        eprintln!("  {}. {person}", number + 1);
    }
    let question = format!("{question} {}", ctx.say(Screen::EnterForNone));
    let chosen = ask_number(ctx, &question, people.len())?;
    Ok(chosen.and_then(|number| people.get(number).cloned()))
}
