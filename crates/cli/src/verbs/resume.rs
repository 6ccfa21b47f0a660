//! `siaga resume`: an interrupted run goes on, from what is seen now.

use crate::args::Global;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::order::{self, Extra, MoveArgs};
use siaga_model::plan::MoveKind;

/// Bring an interrupted or stuck run to its goal
///
/// It is planned again from what is seen now, and every proof is verified again.
#[derive(clap::Args, Debug, Clone)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    pub options: MoveArgs,
    /// You decide, under your name and with --reason, that old data (DRBD: Outdated, Consistent) is taken: what only the other copy has is lost.
    #[arg(long)]
    pub accept_old_data: bool,
}

const EXAMPLES: &str = "Examples:
  siaga resume --dry-run
  siaga resume";

/// Carries the verb out.
pub fn run(global: &Global, args: &Args) -> Result<Exit, Fault> {
    let extra = Extra {
        accept_old_data: args.accept_old_data,
        ..Extra::default()
    };
    order::run(global, MoveKind::Resume, &args.options, extra)
}
