//! `siaga start`: a stopped service is started.

use crate::args::{self, Global};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::order::{self, Extra, MoveArgs};
use siaga_model::NodeName;
use siaga_model::plan::MoveKind;

/// Start a stopped service
///
/// On its preferred node, or on the one named by --to. The other node has to let go, as for every take.
#[derive(clap::Args, Debug, Clone)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    pub options: MoveArgs,
    /// The node to start it on; default: the preferred one.
    #[arg(long, value_name = "NODE", value_parser = args::node)]
    pub to: Option<NodeName>,
}

const EXAMPLES: &str = "Examples:
  siaga start
  siaga start --to backup --reason \"serverdb is still in repair\"";

/// Carries the verb out.
pub fn run(global: &Global, args: &Args) -> Result<Exit, Fault> {
    let extra = Extra {
        to: args.to.clone(),
        ..Extra::default()
    };
    order::run(global, MoveKind::Start, &args.options, extra)
}
