//! `siaga abort`: back to where the service was.

use crate::args::Global;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::order::{self, Extra, MoveArgs};
use siaga_model::plan::MoveKind;

/// Bring the service back to where it was before the run
///
/// Of a run that goes on: nothing new is begun, and the service is brought home. Of an interrupted or stuck one: the
/// way back is planned from what is seen now.
#[derive(clap::Args, Debug, Clone)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    pub options: MoveArgs,
}

const EXAMPLES: &str = "Examples:
  siaga abort --reason \"wrong server\"
  siaga abort --dry-run";

/// Carries the verb out.
pub fn run(global: &Global, args: &Args) -> Result<Exit, Fault> {
    order::run(global, MoveKind::Abort, &args.options, Extra::default())
}
