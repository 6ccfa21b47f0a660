//! `siaga takeover`: the other server is dead or silent; the service is started here.

use crate::args::{self, Global};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::order::{self, Extra, MoveArgs};
use siaga_model::NodeName;
use siaga_model::plan::MoveKind;

/// The other server is dead or silent: start the service on its partner
///
/// Nothing is taken before the silent server provably can't touch the disk set: its fence confirms it, or you went
/// there, made sure, and say so under your name with --attest-off and --how. No option skips that.
#[derive(clap::Args, Debug, Clone)]
#[command(visible_alias = "ambil-alih", after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    pub options: MoveArgs,
    /// The node to start it on; may be left out where there are two.
    #[arg(long, value_name = "NODE", value_parser = args::node)]
    pub to: Option<NodeName>,
    /// You decide, under your name and with --reason, that old data (DRBD: Outdated, Consistent) is taken: what only the other copy has is lost.
    #[arg(long)]
    pub accept_old_data: bool,
}

const EXAMPLES: &str = "Examples:
  siaga takeover --dry-run
  siaga takeover --reason \"serverdb does not answer\"
  siaga takeover --attest-off serverdb --how unplugged --as budi
  siaga ambil-alih --yes --json";

/// Carries the verb out.
pub fn run(global: &Global, args: &Args) -> Result<Exit, Fault> {
    let extra = Extra {
        to: args.to.clone(),
        accept_old_data: args.accept_old_data,
        ..Extra::default()
    };
    order::run(global, MoveKind::Takeover, &args.options, extra)
}
