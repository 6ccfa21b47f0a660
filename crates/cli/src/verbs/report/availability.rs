//! `siaga report availability`.

use crate::args::{self, Global};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::paper_args::{ListFormat, Output};
use crate::records::{Files, Records};
use crate::{show, when};
use siaga_journal::availability::Period;
use siaga_journal::csv::availability_csv;
use siaga_model::ServiceName;
use siaga_model::seal::LogRows;
use siaga_report::figures::Figures;
use siaga_report::report::{Content, Form, Report};
use siaga_words::{PaperSay, Voice, paper_say};

/// Print how long each service was there in a month or a year, with and without planned downtime
///
/// A drill's minutes are planned downtime. A downtime that is not over counts to now; one of unknown duration is
/// counted, and is in no minute. Of a period that is not over, only what is past counts.
#[derive(clap::Args, Debug, Clone)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The month, in the site's zone: 2026-11.
    #[arg(long, value_name = "MONTH", required_unless_present = "year")]
    pub month: Option<String>,
    /// The year: 2026.
    #[arg(long, value_name = "YEAR", conflicts_with = "month")]
    pub year: Option<String>,
    /// Only this service.
    #[arg(long, value_name = "SERVICE", value_parser = args::service)]
    pub service: Option<ServiceName>,
    /// The form.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = ListFormat::Table)]
    pub format: ListFormat,
    #[command(flatten)]
    pub output: Output,
    #[command(flatten)]
    pub files: Files,
}

const EXAMPLES: &str = "Examples:
  siaga report availability --month 2026-11
  siaga report availability --month 2026-11 --format json
  siaga report availability --year 2026 --format pdf -o availability-2026.pdf";

/// Carries the verb out.
pub fn run(global: &Global, args: &Args) -> Result<Exit, Fault> {
    let records = Records::open(global, &args.files)?;
    let voice = records.voice();
    let site = records.site();
    let period = period(&voice, args, &site.time_zone)?;
    let now = when::now();
    let seal = records.seal(None)?;
    let rows = records.sealed_log(&seal, SERVICES)?;
    let incidents = records.incidents(&seal)?;
    let source = Figures {
        site: &site,
        rows: &rows,
        incidents: &incidents,
        now,
        begins: seal.begins_at,
    };
    let services = services(&voice, &source, args)?;
    let figures = source.of(&services, &period);
    match args.format {
        ListFormat::Table => {
            let text = show::availability::text(&voice, &figures);
            return args.output.text(&text).map(|()| Exit::Done);
        }
        ListFormat::Csv => {
            return args
                .output
                .text(&availability_csv(&figures))
                .map(|()| Exit::Done);
        }
        ListFormat::Json | ListFormat::Html | ListFormat::Pdf => {}
    }
    let content = Content::Availability {
        period: period.name.clone(),
        trend: source.trend(&services, &period),
        figures,
    };
    let report = Report::new(site.clone(), voice.language, now, seal.clone(), content);
    match args.format {
        ListFormat::Pdf => args.output.bytes(&voice, &report.print(Form::Pdf))?,
        ListFormat::Html => args.output.bytes(&voice, &report.print(Form::Html))?,
        ListFormat::Table | ListFormat::Csv | ListFormat::Json => {
            let text = String::from_utf8_lossy(&report.print(Form::Json)).into_owned();
            args.output.text(&text)?;
        }
    }
    Ok(Exit::Done)
}

/// The downtimes of services, of all time: an old service is still named.
pub const SERVICES: LogRows = LogRows {
    since: None,
    until: None,
    services_only: true,
};

fn period(voice: &Voice, args: &Args, zone: &str) -> Result<Period, Fault> {
    let (period, say) = match (&args.month, &args.year) {
        (Some(text), _) => (Period::month(text, zone), PaperSay::NotAMonth { text }),
        (None, Some(text)) => (Period::year(text, zone), PaperSay::NotAYear { text }),
        (None, None) => (None, PaperSay::NotAMonth { text: "" }),
    };
    period.ok_or_else(|| Fault::Usage(paper_say(voice, &say)))
}

fn services(voice: &Voice, source: &Figures, args: &Args) -> Result<Vec<ServiceName>, Fault> {
    let all = source.services();
    match &args.service {
        None => Ok(all),
        Some(only) if all.contains(only) => Ok(vec![only.clone()]),
        Some(only) => {
            let sentence = siaga_model::refusal::Sentence::RefusedNoSuchService {
                service: only.clone(),
            };
            Err(Fault::Usage(siaga_words::sentence(voice, &sentence)))
        }
    }
}
