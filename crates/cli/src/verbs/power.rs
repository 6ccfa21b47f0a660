//! `siaga power`: a node's power, through its fence.

use crate::args::{self, Global};
use crate::context::Context;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::order::{no_terminal, typed};
use crate::show;
use crate::term::out;
use clap::ValueEnum;
use siaga_model::api::{PowerAction, PowerAnswer, PowerRequest};
use siaga_model::observation::Power;
use siaga_model::refusal::Sentence;
use siaga_model::{NodeName, PersonName};
use siaga_words::{Screen, Ui, sentence, ui};
use std::time::Duration;

/// Show or switch a node's power, through its fence
///
/// `off` is refused for the node that holds a running service.
#[derive(clap::Args, Debug, Clone)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// What to do.
    #[arg(value_enum, value_name = "status|off|on")]
    pub action: Act,
    /// Which node.
    #[arg(value_name = "NODE", value_parser = args::node)]
    pub node: NodeName,
    /// Why; it goes into the log.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub reason: String,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// Do not ask for the typed confirmation; for scripts.
    #[arg(long)]
    pub yes: bool,
}

const EXAMPLES: &str = "Examples:
  siaga power status serverdb
  siaga power off serverdb --reason \"smoke from the power supply\"
  siaga power on serverdb";

/// The fence may take its time: its own timeout is the site's setting.
const FENCE: Duration = Duration::from_secs(300);

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Act {
    Status,
    Off,
    On,
}

impl From<Act> for PowerAction {
    fn from(act: Act) -> Self {
        match act {
            Act::Status => PowerAction::Status,
            Act::Off => PowerAction::Off,
            Act::On => PowerAction::On,
        }
    }
}

/// Carries the verb out.
pub fn run(global: &Global, args: &Args) -> Result<Exit, Fault> {
    let asks = args.action == Act::Off && !args.yes;
    if asks && !crate::term::Term::look().interactive {
        return Err(no_terminal(global));
    }
    let ctx = Context::connect(global)?;
    if asks {
        eprintln!(
            "{}",
            ctx.say(Screen::PowerOffAsked {
                node: args.node.clone()
            })
        );
        if !typed(&ctx, args.node.as_str())? {
            eprintln!("{}", ui(&ctx.voice, Ui::Aborted));
            return Ok(Exit::Restored);
        }
    }
    let stated = ctx.stated.clone();
    order(
        &ctx,
        args.action,
        &args.node,
        &args.reason,
        stated,
        args.json,
    )
}

/// Sends the order and says what came of it.
///
/// # Errors
/// Where the agent can't be asked.
pub fn order(
    ctx: &Context,
    act: Act,
    node: &NodeName,
    reason: &str,
    stated_actor: Option<PersonName>,
    json: bool,
) -> Result<Exit, Fault> {
    let request = PowerRequest {
        node: node.clone(),
        action: act.into(),
        reason: reason.to_owned(),
        stated_actor,
    };
    let answer: PowerAnswer = ctx.client.post("/v1/power", &request, FENCE)?;
    if json {
        show::json(&answer)?;
    }
    Ok(said(ctx, node, &answer, json))
}

fn said(ctx: &Context, node: &NodeName, answer: &PowerAnswer, json: bool) -> Exit {
    match answer {
        PowerAnswer::Done { power } => {
            if !json {
                let node = node.clone();
                let said = match power {
                    Power::On => Sentence::NodePowerOn { node },
                    Power::Off => Sentence::NodePowerOff { node },
                    Power::Unknown => Sentence::NodePowerUnknown { node },
                };
                out(&sentence(&ctx.voice, &said));
            }
            // What nobody knows is not done.
            if *power == Power::Unknown {
                Exit::Failed
            } else {
                Exit::Done
            }
        }
        PowerAnswer::Refused { refusal } => {
            if !json {
                eprintln!("{}", siaga_words::refusal(&ctx.voice, refusal));
            }
            Exit::Refused
        }
        PowerAnswer::Failed { why } => {
            if !json {
                eprintln!(
                    "{}",
                    ctx.say(Screen::PowerFailed {
                        node: node.clone(),
                        why: why.clone()
                    })
                );
            }
            Exit::Failed
        }
    }
}
