//! `siaga drill`: the paper's simulation, there and back.

use crate::args::Global;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::order::{self, Extra, MoveArgs};
use siaga_model::plan::MoveKind;

/// Rehearse it all: move to the partner and back, with client tests at every station
///
/// The service stops twice, for a short time. It has a budget and a guaranteed end: back on the preferred node, or
/// stuck and announced. Without a client probe it can't be graded as passed.
#[derive(clap::Args, Debug, Clone)]
#[command(visible_alias = "simulasi", after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    pub options: MoveArgs,
}

const EXAMPLES: &str = "Examples:
  siaga drill --dry-run
  siaga drill --reason \"monthly rehearsal\"
  siaga simulasi --yes --json";

/// Carries the verb out.
pub fn run(global: &Global, args: &Args) -> Result<Exit, Fault> {
    order::run(global, MoveKind::Drill, &args.options, Extra::default())
}
