//! `siaga report`: papers for the file, each tied to the event log.

mod availability;
mod run;
mod verify;

use crate::args::Global;
use crate::exit::Exit;
use crate::fault::Fault;

/// Print a report, or verify that the events still agree with one
///
/// Every report carries the heads of the event chains that it was made from.
#[derive(clap::Args, Debug, Clone)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    pub verb: ReportVerb,
}

const EXAMPLES: &str = "Examples:
  siaga report availability --month 2026-11 --format pdf -o availability.pdf
  siaga report drill --format pdf -o drill.pdf
  siaga report verify drill.pdf";

#[derive(clap::Subcommand, Debug, Clone)]
pub enum ReportVerb {
    Availability(availability::Args),
    Drill(run::DrillArgs),
    Incident(run::IncidentArgs),
    Verify(verify::Args),
}

/// Carries the verb out.
pub fn run(global: &Global, args: &Args) -> Result<Exit, Fault> {
    match &args.verb {
        ReportVerb::Availability(args) => availability::run(global, args),
        ReportVerb::Drill(args) => run::drill(global, args),
        ReportVerb::Incident(args) => run::incident(global, args),
        ReportVerb::Verify(args) => verify::run(global, args),
    }
}
