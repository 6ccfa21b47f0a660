//! `siaga log`: the paper's log book, a view of the events.

use crate::args::{self, Global};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::paper_args::{ListFormat, Output};
use crate::records::{Files, Records};
use crate::{show, when};
use siaga_journal::availability::{Period, rows_in};
use siaga_journal::log_book::{LogBookRow, Subject};
use siaga_model::ServiceName;
use siaga_report::report::{Content, Form, Report};
use siaga_words::{PaperSay, paper_say};

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
    let rows = rows(&records, args)?;
    let format = match (args.json, args.csv) {
        (true, _) => ListFormat::Json,
        (_, true) => ListFormat::Csv,
        _ => args.format,
    };
    match format {
        ListFormat::Table => args.output.text(&show::log_book::text(&voice, &rows))?,
        ListFormat::Csv => args.output.text(&siaga_journal::csv::log_book_csv(&rows))?,
        ListFormat::Json => {
            let text = serde_json::to_string_pretty(&rows);
            args.output
                .text(&text.map_err(|e| Fault::Local(e.to_string()))?)?;
        }
        ListFormat::Html | ListFormat::Pdf => {
            let content = Content::LogBook {
                period: args.month.clone().unwrap_or_default(),
                rows,
            };
            let seal = records.seal(None)?;
            let report = Report::new(site, voice.language, when::now(), seal, content);
            let form = match format {
                ListFormat::Html => Form::Html,
                _ => Form::Pdf,
            };
            args.output.bytes(&voice, &report.print(form))?;
        }
    }
    Ok(Exit::Done)
}

fn rows(records: &Records, args: &Args) -> Result<Vec<LogBookRow>, Fault> {
    let mut rows = records.log_book()?;
    if let Some(text) = &args.month {
        let period = Period::month(text, &records.site().time_zone).ok_or_else(|| {
            Fault::Usage(paper_say(records.voice(), &PaperSay::NotAMonth { text }))
        })?;
        rows = rows_in(&period, &rows, when::now());
    }
    if let Some(only) = &args.service {
        rows.retain(|row| !matches!(&row.subject, Subject::Service(name) if name != only));
    }
    Ok(rows)
}
