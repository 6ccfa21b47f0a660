//! `siaga witness`: who says what of whom, and how old it is.

use crate::args::{self, Global};
use crate::client::encoded;
use crate::context::{Context, LOOK};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::show;
use crate::term::out;
use serde::Serialize;
use siaga_model::api::Status;
use siaga_model::witness::{Witness, witnesses};
use siaga_model::{NodeName, ServiceName, UtcMicros};
use siaga_words::{duration, sentence, why, witness_kind, witness_says};

/// Show each witness: who says what of which server, and how old it is
///
/// All of them are asked now. What they say together is the sentence of siaga status.
#[derive(clap::Args, Debug, Clone)]
#[command(visible_alias = "saksi", after_help = EXAMPLES)]
pub struct Args {
    /// The service; may be left out where the site has one.
    #[arg(long, value_name = "SERVICE", value_parser = args::service)]
    pub service: Option<ServiceName>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

const EXAMPLES: &str = "Examples:
  siaga witness
  siaga witness --json";

/// Of one service.
#[derive(Serialize)]
struct OfService {
    service: ServiceName,
    observer: NodeName,
    at: UtcMicros,
    witnesses: Vec<Witness>,
}

/// Carries the verb out.
pub fn run(global: &Global, args: &Args) -> Result<Exit, Fault> {
    let ctx = Context::connect(global)?;
    let path = match &args.service {
        Some(service) => format!("/v1/status?service={}", encoded(service.as_str())),
        None => "/v1/status".to_owned(),
    };
    let status: Status = ctx.client.get(&path, LOOK)?;
    let all: Vec<OfService> = status
        .services
        .iter()
        .map(|s| OfService {
            service: s.observation.service.clone(),
            observer: s.observation.observer.clone(),
            at: s.observation.at,
            witnesses: witnesses(&s.observation),
        })
        .collect();
    if args.json {
        show::json(&all)?;
        return Ok(Exit::Done);
    }
    for (of, service) in all.iter().zip(&status.services) {
        out(&sentence(&ctx.voice, &service.verdict.sentence));
        for witness in &of.witnesses {
            out(&line(&ctx, witness));
        }
    }
    Ok(Exit::Done)
}

fn line(ctx: &Context, witness: &Witness) -> String {
    let of = witness.of.as_ref().map_or("-", |n| n.as_str());
    let mut who = witness_kind(&ctx.voice, witness.witness).to_owned();
    if let Some(name) = &witness.name {
        who = format!("{who} ({name})");
    }
    let mut said = witness_says(&ctx.voice, witness.says).to_owned();
    if let Some(hardware) = &witness.hardware {
        said = format!("{said}, {hardware}");
    }
    if let Some(reason) = &witness.why {
        said = format!("{said}: {}", why(&ctx.voice, reason));
    }
    if witness.age_ms > 0 {
        said = format!("{said}, {}", duration(&ctx.voice, witness.age_ms));
    }
    format!(
        "  {} {} {said}",
        show::padded(of, 12),
        show::padded(&who, 40)
    )
}
