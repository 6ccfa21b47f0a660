//! `siaga notice`: what the units are told.

mod preview;

use crate::args::Global;
use crate::exit::Exit;
use crate::fault::Fault;

/// Show what the units are told of a downtime, and tell them
#[derive(clap::Args, Debug, Clone)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    pub verb: NoticeVerb,
}

const EXAMPLES: &str = "Examples:
  siaga notice preview confirmed --lang id";

#[derive(clap::Subcommand, Debug, Clone)]
pub enum NoticeVerb {
    Preview(preview::Args),
}

/// Carries the verb out.
pub fn run(global: &Global, args: &Args) -> Result<Exit, Fault> {
    match &args.verb {
        NoticeVerb::Preview(args) => preview::run(global, args),
    }
}
