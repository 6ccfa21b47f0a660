//! `siaga report availability`.

use crate::args::{self, Global};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::paper_args::{ListFormat, Output};
use crate::records::{Files, Records};
use crate::{show, when};
use siaga_journal::availability::{self as figures, Availability, Basis, Period, PeriodUnit};
use siaga_journal::csv::availability_csv;
use siaga_journal::log_book::LogBookRow;
use siaga_model::seal::Seal;
use siaga_model::{ServiceName, UtcMicros};
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

/// How many months a month's trend shows.
const TREND: usize = 12;

/// Carries the verb out.
pub fn run(global: &Global, args: &Args) -> Result<Exit, Fault> {
    let records = Records::open(global, &args.files)?;
    let voice = records.voice();
    let site = records.site();
    let period = period(&voice, args, &site.time_zone)?;
    let (rows, seal) = (records.log_book()?, records.seal(None)?);
    let now = when::now();
    let services = services(&voice, &site.services, &rows, args)?;
    let of = |period: &Period| -> Vec<Availability> {
        let basis = basis(now, &rows, &seal, site.availability_target_milli_pct);
        services
            .iter()
            .map(|service| figures::availability(service, period, &basis))
            .collect()
    };
    let figures = of(&period);
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
    let months = match period.unit {
        PeriodUnit::Month => period.months_up_to(&site.time_zone, TREND),
        PeriodUnit::Year => period.months(&site.time_zone),
    };
    let content = Content::Availability {
        period: period.name.clone(),
        trend: months.iter().flat_map(of).collect(),
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

fn basis<'a>(
    now: UtcMicros,
    rows: &'a [LogBookRow],
    seal: &Seal,
    target_milli_pct: Option<u32>,
) -> Basis<'a> {
    Basis {
        rows,
        now,
        target_milli_pct,
        log_begins: seal.begins_at,
        // The incidents' records bring these.
        records: &[],
    }
}

fn period(voice: &Voice, args: &Args, zone: &str) -> Result<Period, Fault> {
    let (period, say) = match (&args.month, &args.year) {
        (Some(text), _) => (Period::month(text, zone), PaperSay::NotAMonth { text }),
        (None, Some(text)) => (Period::year(text, zone), PaperSay::NotAYear { text }),
        (None, None) => (None, PaperSay::NotAMonth { text: "" }),
    };
    period.ok_or_else(|| Fault::Usage(paper_say(voice, &say)))
}

/// Those of the site, and those that the log still knows.
fn services(
    voice: &Voice,
    of_site: &[ServiceName],
    rows: &[LogBookRow],
    args: &Args,
) -> Result<Vec<ServiceName>, Fault> {
    let mut all = of_site.to_vec();
    for service in figures::services(rows) {
        if !all.contains(&service) {
            all.push(service);
        }
    }
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
