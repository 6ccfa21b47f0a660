//! `siaga log`: the paper's log book, a view of the events.

use crate::args::{self, Global};
use crate::context::{Context, LOOK};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::show;
use crate::term::out;
use siaga_journal::log_book::{LogBookRow, Subject};
use siaga_model::ServiceName;

/// Print the log book: each downtime, off line, on line, how long, why and who
///
/// Below it, each machine's own times. Times are in the site's zone.
#[derive(clap::Args, Debug, Clone)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Only this service (and the machines).
    #[arg(long, value_name = "SERVICE", value_parser = args::service)]
    pub service: Option<ServiceName>,
    /// Print JSON.
    #[arg(long, conflicts_with = "csv")]
    pub json: bool,
    /// Print CSV, for a spreadsheet.
    #[arg(long)]
    pub csv: bool,
}

const EXAMPLES: &str = "Examples:
  siaga log
  siaga log --csv > downtime.csv
  siaga log --json";

/// Carries the verb out.
pub fn run(global: &Global, args: &Args) -> Result<Exit, Fault> {
    let ctx = Context::connect(global)?;
    let mut rows: Vec<LogBookRow> = ctx.client.get("/v1/log", LOOK)?;
    if let Some(only) = &args.service {
        rows.retain(|row| !matches!(&row.subject, Subject::Service(name) if name != only));
    }
    if args.json {
        show::json(&rows)?;
    } else if args.csv {
        out(siaga_journal::csv::log_book_csv(&rows).trim_end());
    } else {
        out(&show::log_book::text(&ctx, &rows));
    }
    Ok(Exit::Done)
}
