//! `siaga restart`: in place, under the same proofs.

use crate::args::Global;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::order::{self, Extra, MoveArgs};
use siaga_model::plan::MoveKind;

/// Restart the service in place, on the node that holds the disk set
///
/// The same steps and proofs as a move, from the node to itself.
#[derive(clap::Args, Debug, Clone)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    pub options: MoveArgs,
}

const EXAMPLES: &str = "Examples:
  siaga restart --reason \"hung after the network repair\"
  siaga restart --dry-run";

/// Carries the verb out.
pub fn run(global: &Global, args: &Args) -> Result<Exit, Fault> {
    order::run(global, MoveKind::Restart, &args.options, Extra::default())
}
