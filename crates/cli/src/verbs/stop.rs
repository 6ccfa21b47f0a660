//! `siaga stop`: the service rests, and nobody holds the disk set.

use crate::args::Global;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::order::{self, Extra, MoveArgs};
use siaga_model::plan::MoveKind;

/// Stop the service on all nodes, and release the disk set
///
/// Clients can't work until `siaga start`.
#[derive(clap::Args, Debug, Clone)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    pub options: MoveArgs,
}

const EXAMPLES: &str = "Examples:
  siaga stop --reason \"maintenance of the disk array\"
  siaga start";

/// Carries the verb out.
pub fn run(global: &Global, args: &Args) -> Result<Exit, Fault> {
    order::run(global, MoveKind::Stop, &args.options, Extra::default())
}
