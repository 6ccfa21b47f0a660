//! `siaga node replace`: new hardware under an old node's name.

use super::token::{self, Create};
use crate::args::{self, Global};
use crate::context::Context;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::order::{no_terminal, typed};
use crate::place::{CONFIG, STATE};
use crate::show;
use clap::ValueEnum;
use siaga_agent::pki::Identity;
use siaga_model::NodeName;
use siaga_model::keys_api::{NodeReplaceAnswer, NodeReplaceRequest, OffForGood};
use siaga_words::{SiteKeys, Ui, site_keys, ui};
use std::path::PathBuf;
use std::time::Duration;

/// Put new hardware in a node's place
#[derive(clap::Args, Debug, Clone)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    pub verb: NodeVerb,
}

const EXAMPLES: &str = "Examples:
  siaga node replace serverdb --how unplugged --reason \"its mainboard is dead\"";

#[derive(clap::Subcommand, Debug, Clone)]
pub enum NodeVerb {
    /// Shut the old machine of that name out, and make the token for the new one
    ///
    /// As root, on the node that stays and holds every service. You say, under your name, that the old machine is off and
    /// stays off: from then on its keys count for nothing, and where it comes back it is refused, and lets go of what it
    /// has. It is no proof that the old machine let the disk set go: that was a takeover's, before.
    #[command(after_help = REPLACE_EXAMPLES)]
    Replace(Replace),
}

#[derive(clap::Args, Debug, Clone)]
pub struct Replace {
    /// Which node gets new hardware.
    #[arg(value_name = "NODE", value_parser = args::node)]
    pub node: NodeName,
    /// What was done to the old machine, which stays off.
    // Under a name of its own: `how` is an order's, with other values.
    #[arg(id = "off_how", long = "how", value_name = "HOW", value_enum)]
    pub how: Off,
    /// Why; it goes into the log under your name.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// How long the token is good, in minutes.
    #[arg(long, value_name = "MINUTES", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=10_080))]
    pub minutes: u32,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// Do not ask for the typed confirmation; for scripts.
    #[arg(long)]
    pub yes: bool,
    /// The site's configuration.
    #[arg(long, value_name = "FILE", default_value = CONFIG)]
    pub config: PathBuf,
    /// Where the keys are.
    #[arg(long, value_name = "DIR", default_value = STATE)]
    pub state_dir: PathBuf,
}

const REPLACE_EXAMPLES: &str = "Examples:
  siaga node replace serverdb --how unplugged --reason \"its mainboard is dead\"
  siaga node replace serverdb --how switched-off --reason \"replaced by a newer one\" --as budi --yes --json";

/// What a person did to the old machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Off {
    /// All power cords are out.
    Unplugged,
    /// Switched off at its button or at the rack.
    SwitchedOff,
}

impl From<Off> for OffForGood {
    fn from(how: Off) -> Self {
        match how {
            Off::Unplugged => OffForGood::Unplugged,
            Off::SwitchedOff => OffForGood::SwitchedOff,
        }
    }
}

/// Every service is looked at, and keys are made.
const PATIENCE: Duration = Duration::from_secs(60);

/// Carries the verb out.
pub fn run(global: &Global, args: &Args) -> Result<Exit, Fault> {
    let NodeVerb::Replace(replace) = &args.verb;
    if !replace.yes && !crate::term::Term::look().interactive {
        return Err(no_terminal(global));
    }
    let ctx = Context::connect(global)?;
    let language = ctx.voice.language;
    // The token is made from this machine's keys: who can't read them is told before anything is changed.
    Identity::load(&replace.state_dir)
        .map_err(|e| Fault::Local(format!("siaga node: {}", show::keys::pki(language, &e))))?;
    if !replace.yes {
        let node = replace.node.clone();
        eprintln!("{}", site_keys(language, &SiteKeys::ReplaceAsked { node }));
        if !typed(&ctx, replace.node.as_str())? {
            eprintln!("{}", ui(&ctx.voice, Ui::Aborted));
            return Ok(Exit::Restored);
        }
    }
    let request = NodeReplaceRequest {
        node: replace.node.clone(),
        how: replace.how.into(),
        reason: replace.reason.clone(),
        stated_actor: ctx.stated.clone(),
    };
    let answer: NodeReplaceAnswer = ctx.client.post("/v1/nodes/replace", &request, PATIENCE)?;
    let (exit, text) = match &answer {
        NodeReplaceAnswer::Replaced => return replaced(global, &ctx, replace),
        NodeReplaceAnswer::Refused { refusal } => {
            (Exit::Refused, siaga_words::refusal(&ctx.voice, refusal))
        }
        NodeReplaceAnswer::Failed { why } => (Exit::Failed, siaga_words::why(&ctx.voice, why)),
    };
    match replace.json {
        true => show::json(&answer)?,
        false => eprintln!("{text}"),
    }
    Ok(exit)
}

/// The old machine is out; the token for the new one, as `token create` prints it.
fn replaced(global: &Global, ctx: &Context, replace: &Replace) -> Result<Exit, Fault> {
    if !replace.json {
        let node = replace.node.clone();
        eprintln!(
            "{}",
            site_keys(ctx.voice.language, &SiteKeys::Replaced { node })
        );
    }
    let create = Create {
        node: Some(replace.node.clone()),
        probe: None,
        minutes: replace.minutes,
        reason: replace.reason.clone(),
        json: replace.json,
        config: replace.config.clone(),
        state_dir: replace.state_dir.clone(),
    };
    token::create(global, &create)
}
