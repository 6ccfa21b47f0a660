//! One act of the menu, carried out.

use super::menu::Act;
use super::{Session, ask, order};
use crate::client::encoded;
use crate::context::{Context, LOOK};
use crate::fault::Fault;
use crate::term::out;
use crate::{follow, show, verbs};
use siaga_journal::log_book::LogBookRow;
use siaga_model::api::{CheckReport, Diagnosis};
use siaga_model::plan::MoveKind;
use siaga_model::{NodeName, ServiceName};
use siaga_words::{Screen, Ui, ui};

/// Carries it out and says what came of it.
pub fn carry_out(
    ctx: &Context,
    session: &mut Session,
    act: &Act,
    service: &ServiceName,
) -> Result<(), Fault> {
    let of_service = encoded(service.as_str());
    match act {
        Act::Move(kind) => order::order(ctx, session, *kind, service),
        Act::AttestedTakeover(_) => order::order(ctx, session, MoveKind::Takeover, service),
        Act::Check => {
            let report: CheckReport = ctx
                .client
                .get(&format!("/v1/check?service={of_service}"), LOOK)?;
            out(&verbs::check::text(ctx, &report));
            Ok(())
        }
        Act::Diagnose => {
            let diagnosis: Diagnosis = ctx
                .client
                .get(&format!("/v1/diagnose?service={of_service}"), LOOK)?;
            out(&verbs::diagnose::text(ctx, &diagnosis));
            Ok(())
        }
        Act::Log => {
            let rows: Vec<LogBookRow> = ctx.client.get("/v1/log", LOOK)?;
            out(&show::log_book::text(&ctx.voice, &rows));
            Ok(())
        }
        Act::Power { node, on } => power(ctx, session, node, *on),
        Act::Watch(run) => {
            let view = follow::follow(ctx, run)?;
            show::result::print(ctx, &view);
            Ok(())
        }
    }
}

fn power(ctx: &Context, session: &mut Session, node: &NodeName, on: bool) -> Result<(), Fault> {
    order::name_person(ctx, session)?;
    let act = if on {
        verbs::power::Act::On
    } else {
        verbs::power::Act::Off
    };
    if !on {
        eprintln!("{}", ctx.say(Screen::PowerOffAsked { node: node.clone() }));
        if !crate::order::typed(ctx, node.as_str())? {
            out(&ui(&ctx.voice, Ui::Aborted));
            return Ok(());
        }
    }
    let reason = ask(ctx, &ui(&ctx.voice, Ui::AskReason))?.unwrap_or_default();
    verbs::power::order(ctx, act, node, &reason, session.person.clone(), false)?;
    Ok(())
}
