//! `siaga switchover`: a planned move while both nodes are healthy.

use crate::args::{self, Global};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::order::{self, Extra, MoveArgs};
use siaga_model::NodeName;
use siaga_model::plan::MoveKind;

/// Move the service to the partner while both servers are healthy
///
/// A switchover that fails ends with the service running where it started.
#[derive(clap::Args, Debug, Clone)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    pub options: MoveArgs,
    /// The node to move to; may be left out where there are two.
    #[arg(long, value_name = "NODE", value_parser = args::node)]
    pub to: Option<NodeName>,
}

const EXAMPLES: &str = "Examples:
  siaga switchover --dry-run
  siaga switchover --reason \"new memory for serverdb\"
  siaga switchover --to backup --yes --json";

/// Carries the verb out.
pub fn run(global: &Global, args: &Args) -> Result<Exit, Fault> {
    let extra = Extra {
        to: args.to.clone(),
        ..Extra::default()
    };
    order::run(global, MoveKind::Switchover, &args.options, extra)
}
