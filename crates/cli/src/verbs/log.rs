//! `siaga log`: the paper's log book, a view of the events.

use crate::args::{self, Global};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::paper_args::{ListFormat, Output};
use crate::records::{Files, Records};
use crate::{show, when};
use siaga_journal::availability::Period;
use siaga_journal::log_book::LogBookRow;
use siaga_model::seal::LogRows;
use siaga_model::{ServiceName, UtcMicros};
use siaga_report::figures::log_book;
use siaga_report::report::{Content, Form, Report};
use siaga_words::{PaperSay, Voice, paper_say};

/// Print the log book: each downtime, off line, on line, how long, why and who
///
/// Below it, each machine's own times. Times are in the site's zone.
#[derive(clap::Args, Debug, Clone)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Only this service (and the machines).
    #[arg(long, value_name = "SERVICE", value_parser = args::service)]
    pub service: Option<ServiceName>,
    /// Only what touches this month, in the site's zone: 2026-11.
    #[arg(long, value_name = "MONTH")]
    pub month: Option<String>,
    /// The form: a table for the screen, JSON or CSV with every field, a paper to print.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = ListFormat::Table)]
    pub format: ListFormat,
    /// The same as --format json.
    #[arg(long, conflicts_with_all = ["csv", "format"])]
    pub json: bool,
    /// The same as --format csv, for a spreadsheet.
    #[arg(long, conflicts_with = "format")]
    pub csv: bool,
    #[command(flatten)]
    pub output: Output,
    #[command(flatten)]
    pub files: Files,
}

const EXAMPLES: &str = "Examples:
  siaga log
  siaga log --month 2026-11
  siaga log --month 2026-11 --format pdf -o log-2026-11.pdf
  siaga log --csv > downtime.csv
  siaga log --json";

/// Carries the verb out.
pub fn run(global: &Global, args: &Args) -> Result<Exit, Fault> {
    let records = Records::open(global, &args.files)?;
    let (voice, site) = (records.voice(), records.site());
    let now = when::now();
    let zone = site.time_zone.clone();
    let wanted = wanted(&voice, args, &zone)?;
    let format = match (args.json, args.csv) {
        (true, _) => ListFormat::Json,
        (_, true) => ListFormat::Csv,
        _ => args.format,
    };
    match format {
        ListFormat::Table | ListFormat::Csv | ListFormat::Json => {
            let rows = of(records.log_book(wanted)?, args, &zone, now);
            args.output.text(&listed(&voice, format, &rows)?)?;
        }
        ListFormat::Html | ListFormat::Pdf => {
            let seal = records.seal(None)?;
            let content = Content::LogBook {
                period: args.month.clone().unwrap_or_default(),
                service: args.service.clone(),
                rows: of(records.sealed_log(&seal, wanted)?, args, &zone, now),
            };
            let report = Report::new(site, voice.language, now, seal, content);
            let form = match format {
                ListFormat::Html => Form::Html,
                _ => Form::Pdf,
            };
            args.output.bytes(&voice, &report.print(form))?;
        }
    }
    Ok(Exit::Done)
}

fn listed(voice: &Voice, format: ListFormat, rows: &[LogBookRow]) -> Result<String, Fault> {
    match format {
        ListFormat::Csv => Ok(siaga_journal::csv::log_book_csv(rows)),
        ListFormat::Json => {
            serde_json::to_string_pretty(rows).map_err(|e| Fault::Local(e.to_string()))
        }
        ListFormat::Table | ListFormat::Html | ListFormat::Pdf => {
            Ok(show::log_book::text(voice, rows))
        }
    }
}

/// What is asked for: of a month only what may touch it.
fn wanted(voice: &Voice, args: &Args, zone: &str) -> Result<LogRows, Fault> {
    let Some(text) = &args.month else {
        return Ok(LogRows::default());
    };
    let period = Period::month(text, zone)
        .ok_or_else(|| Fault::Usage(paper_say(voice, &PaperSay::NotAMonth { text })))?;
    Ok(of_period(&period))
}

/// The rows of the log book that may touch a period.
pub fn of_period(period: &Period) -> LogRows {
    LogRows {
        since: Some(period.from),
        until: Some(period.until),
        services_only: false,
    }
}

fn of(rows: Vec<LogBookRow>, args: &Args, zone: &str, now: UtcMicros) -> Vec<LogBookRow> {
    let month = args.month.as_deref().unwrap_or_default();
    // The month was read before.
    log_book(&rows, month, zone, args.service.as_ref(), now).unwrap_or_default()
}
