//! `siaga failback`: back to the preferred node, on request and with approval.

use crate::args::{self, Global};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::order::{self, Extra, MoveArgs};
use siaga_model::PersonName;
use siaga_model::plan::MoveKind;

/// Bring the service back to its preferred node, once that is repaired
///
/// Refused until the repaired node has passed `siaga check` since its last failure.
#[derive(clap::Args, Debug, Clone)]
#[command(visible_alias = "kembalikan", after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    pub options: MoveArgs,
    /// Who asked for it; goes into the log.
    #[arg(long, value_name = "NAME", value_parser = args::person)]
    pub requested_by: Option<PersonName>,
    /// Who approved it; goes into the log.
    #[arg(long, value_name = "NAME", value_parser = args::person)]
    pub approved_by: Option<PersonName>,
}

const EXAMPLES: &str = "Examples:
  siaga check
  siaga failback --requested-by budi --approved-by sari --reason \"serverdb is repaired\"
  siaga kembalikan --yes --json";

/// Carries the verb out.
pub fn run(global: &Global, args: &Args) -> Result<Exit, Fault> {
    let extra = Extra {
        requested_by: args.requested_by.clone(),
        approved_by: args.approved_by.clone(),
        ..Extra::default()
    };
    order::run(global, MoveKind::Failback, &args.options, extra)
}
