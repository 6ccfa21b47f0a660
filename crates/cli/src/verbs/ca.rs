//! `siaga ca`: the site's certificate authority.

use crate::args::Global;
use crate::context::Context;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::show;
use crate::term::out;
use siaga_model::keys_api::{CaReplaceAnswer, CaReplaceRequest};
use siaga_words::{SiteKeys, site_keys};
use std::time::Duration;

/// Replace the site's certificate authority
#[derive(clap::Args, Debug, Clone)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    pub verb: CaVerb,
}

const EXAMPLES: &str = "Examples:
  siaga ca replace --reason \"both system disks were replaced\"";

#[derive(clap::Subcommand, Debug, Clone)]
pub enum CaVerb {
    /// Make a new certificate authority in the place of a lost one
    ///
    /// Where no node has its key any more, or a stranger may have it. Nothing restarts, no move waits, and nobody joins
    /// again: machines are trusted by their own keys. The other node takes it over by itself. Tokens that were made before
    /// are worth nothing afterwards.
    #[command(after_help = REPLACE_EXAMPLES)]
    Replace(Replace),
}

#[derive(clap::Args, Debug, Clone)]
pub struct Replace {
    /// Why; it goes into the log under your name.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

const REPLACE_EXAMPLES: &str = "Examples:
  siaga ca replace --reason \"both system disks were replaced\"
  siaga ca replace --reason \"a disk with the keys was stolen\" --json";

/// Keys are made and written within it.
const PATIENCE: Duration = Duration::from_secs(30);

/// Carries the verb out.
pub fn run(global: &Global, args: &Args) -> Result<Exit, Fault> {
    let CaVerb::Replace(replace) = &args.verb;
    let ctx = Context::connect(global)?;
    let request = CaReplaceRequest {
        reason: replace.reason.clone(),
        stated_actor: ctx.stated.clone(),
    };
    let answer: CaReplaceAnswer = ctx.client.post("/v1/ca/replace", &request, PATIENCE)?;
    if replace.json {
        show::json(&answer)?;
    }
    let (exit, text) = match &answer {
        CaReplaceAnswer::Replaced {
            generation,
            fingerprint,
        } => {
            let text = SiteKeys::CaReplaced {
                generation: *generation,
                fingerprint: fingerprint.clone(),
            };
            (Exit::Done, site_keys(ctx.voice.language, &text))
        }
        CaReplaceAnswer::Refused { refusal } => {
            (Exit::Refused, siaga_words::refusal(&ctx.voice, refusal))
        }
        CaReplaceAnswer::Failed { why } => (Exit::Failed, siaga_words::why(&ctx.voice, why)),
    };
    match (replace.json, exit) {
        (true, _) => {}
        (false, Exit::Done) => out(&text),
        (false, _) => eprintln!("{text}"),
    }
    Ok(exit)
}
