//! `siaga estimate`: when clients work again, as of now.

use crate::args::{self, Global};
use crate::client::encoded;
use crate::context::{Context, LOOK};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::show;
use crate::term::out;
use siaga_model::ServiceName;
use siaga_model::incident_api::{EstimateAnswer, EstimateScore};

/// Estimate when clients work again, from this site's own runs and what is going on now
///
/// A range with the time of the next news. It is computed, and nobody is told by it: `siaga incident estimate` gives
/// it to people, and keeps it in the record, so that it can be scored afterwards.
#[derive(clap::Args, Debug, Clone)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    pub verb: Option<EstimateVerb>,
    /// Which service; may be left out where there is one.
    #[arg(long, value_name = "SERVICE", value_parser = args::service)]
    pub service: Option<ServiceName>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

const EXAMPLES: &str = "Examples:
  siaga estimate
  siaga estimate --json
  siaga estimate score";

#[derive(clap::Subcommand, Debug, Clone)]
pub enum EstimateVerb {
    /// How good the estimates were that people were given
    #[command(after_help = "Examples:\n  siaga estimate score\n  siaga estimate score --json")]
    Score {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Carries the verb out.
pub fn run(global: &Global, args: &Args) -> Result<Exit, Fault> {
    let ctx = Context::connect(global)?;
    if let Some(EstimateVerb::Score { json }) = &args.verb {
        let score: EstimateScore = ctx.client.get("/v1/estimate/score", LOOK)?;
        match json {
            true => show::json(&score)?,
            false => out(&show::incident::score(&ctx, &score)),
        }
        return Ok(Exit::Done);
    }
    let path = match &args.service {
        Some(service) => format!("/v1/estimate?service={}", encoded(service.as_str())),
        None => "/v1/estimate".to_owned(),
    };
    let answer: EstimateAnswer = ctx.client.get(&path, LOOK)?;
    match args.json {
        true => show::json(&answer)?,
        false => out(&show::incident::estimate(&ctx, &answer)),
    }
    Ok(Exit::Done)
}
