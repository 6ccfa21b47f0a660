//! `siaga incident`: the record of a downtime, from the first sign to the signatures.

mod acts;
mod words;

use crate::args::Global;
use crate::client::{CallError, encoded};
use crate::context::{Context, LOOK};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::show;
use crate::term::out;
use acts::act;
use siaga_model::incident_api::{IncidentAct, IncidentAnswer, IncidentRefusal, IncidentRequest};
use siaga_model::record::{IncidentLine, IncidentRecord};
pub use words::IncidentVerb;

/// Keep the record of a downtime: from the first sign to the all-clear, the review and the signatures
///
/// A takeover, a planned move and a drill open their incident by themselves, and failing client tests propose one.
/// Nothing is ever changed or lost: what is said later stands beside what was said before, under your name. Where
/// one incident is open, --incident may be left out.
#[derive(clap::Args, Debug, Clone)]
#[command(after_help = EXAMPLES, subcommand_required = true, arg_required_else_help = true)]
pub struct Args {
    #[command(subcommand)]
    pub verb: IncidentVerb,
    /// Its number; may be left out where one is open.
    #[arg(long, global = true, value_name = "ID")]
    pub incident: Option<String>,
    /// Print JSON.
    #[arg(long, global = true)]
    pub json: bool,
}

const EXAMPLES: &str = "Examples:
  siaga incident list
  siaga incident show DT-2026-007
  siaga incident open --symptom \"pharmacy cannot log in\" --unit farmasi
  siaga incident confirm --level g2
  siaga incident update --text \"the second server is being started\"
  siaga incident all-clear
  siaga incident close";

/// Carries the verb out.
pub fn run(global: &Global, args: &Args) -> Result<Exit, Fault> {
    let ctx = Context::connect(global)?;
    match &args.verb {
        IncidentVerb::List { open } => list(&ctx, *open, args.json),
        IncidentVerb::Show { id } => shown(&ctx, id.as_ref().or(args.incident.as_ref()), args.json),
        verb => write(&ctx, args, act(&ctx, verb)?),
    }
}

fn list(ctx: &Context, open: bool, json: bool) -> Result<Exit, Fault> {
    let mut lines: Vec<IncidentLine> = ctx.client.get("/v1/incidents", LOOK)?;
    if open {
        lines.retain(|l| l.state.is_open());
    }
    match json {
        true => show::json(&lines)?,
        false => out(&show::incident::list(ctx, &lines)),
    }
    Ok(Exit::Done)
}

/// The one named, else the newest.
fn shown(ctx: &Context, id: Option<&String>, json: bool) -> Result<Exit, Fault> {
    let id = match id {
        Some(id) => id.clone(),
        None => {
            let lines: Vec<IncidentLine> = ctx.client.get("/v1/incidents", LOOK)?;
            match lines.last() {
                Some(newest) => newest.key.to_string(),
                None => {
                    out(show::incident::none(ctx));
                    return Ok(Exit::Done);
                }
            }
        }
    };
    let path = format!("/v1/incidents/{}", encoded(&id));
    let record: IncidentRecord = match ctx.client.get(&path, LOOK) {
        Err(CallError::Api { status: 404, .. }) => {
            let refusal = IncidentRefusal::IncidentUnknown { asked: id };
            eprintln!("{}", siaga_words::incident_refusal(&ctx.voice, &refusal));
            return Ok(Exit::Refused);
        }
        answer => answer?,
    };
    match json {
        true => show::json(&record)?,
        false => out(&show::incident::record(ctx, &record)),
    }
    Ok(Exit::Done)
}

fn write(ctx: &Context, args: &Args, act: IncidentAct) -> Result<Exit, Fault> {
    let request = IncidentRequest {
        incident: args.incident.clone(),
        act,
        stated_actor: ctx.stated.clone(),
    };
    let answer: IncidentAnswer = ctx.client.post("/v1/incidents", &request, LOOK)?;
    if args.json {
        show::json(&answer)?;
    }
    Ok(match answer {
        IncidentAnswer::Written { record } => {
            if !args.json {
                out(&show::incident::written(ctx, &record));
            }
            Exit::Done
        }
        IncidentAnswer::Refused { refusal } => {
            if !args.json {
                eprintln!("{}", siaga_words::incident_refusal(&ctx.voice, &refusal));
            }
            Exit::Refused
        }
        IncidentAnswer::Failed { why } => {
            if !args.json {
                eprintln!("{}: {why}", show::incident::not_written(ctx));
            }
            Exit::Failed
        }
    })
}
