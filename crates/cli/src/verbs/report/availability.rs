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
use siaga_model::incident::{IncidentKind, TimeKind};
use siaga_model::record::{IncidentRecord, IncidentState};
use siaga_model::{ServiceName, UtcMicros};
use siaga_report::report::{Content, Form, Report};
use siaga_words::{PaperSay, Voice, paper_say};
use std::collections::BTreeMap;

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
    let incidents = siaga_journal::incidents::incidents(&records.incident_events(None)?, &[]);
    let of = |period: &Period| -> Vec<Availability> {
        let one = |service: &ServiceName| {
            let basis = Basis {
                rows: &rows,
                now,
                target_milli_pct: site.availability_target_milli_pct,
                log_begins: seal.begins_at,
                records: &times_in(&incidents, service, period),
            };
            figures::availability(service, period, &basis)
        };
        services.iter().map(one).collect()
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

/// The times of the unplanned incidents of a service that began in the period: what was planned needed no repair.
fn times_in(
    incidents: &[IncidentRecord],
    service: &ServiceName,
    period: &Period,
) -> Vec<BTreeMap<TimeKind, UtcMicros>> {
    let began = |r: &&IncidentRecord| {
        let at = r.time(TimeKind::Offline).unwrap_or(r.opened_at);
        (period.from..period.until).contains(&at)
    };
    let repaired = |r: &&IncidentRecord| {
        let none = matches!(r.state, IncidentState::Withdrawn | IncidentState::Merged);
        r.kind == IncidentKind::Unplanned && !none && r.services.contains(service)
    };
    let times = |r: &IncidentRecord| {
        let known = TimeKind::ALL.into_iter();
        known
            .filter_map(|kind| Some((kind, r.time(kind)?)))
            .collect()
    };
    incidents
        .iter()
        .filter(repaired)
        .filter(began)
        .map(times)
        .collect()
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
