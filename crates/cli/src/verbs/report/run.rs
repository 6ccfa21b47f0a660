//! `siaga report drill` and `siaga report incident`.

use crate::args::Global;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::paper_args::Output;
use crate::records::{Files, Records};
use crate::when;
use clap::ValueEnum;
use siaga_model::RunId;
use siaga_model::api::{EventView, MoveReport};
use siaga_model::plan::MoveKind;
use siaga_model::record::IncidentRecord;
use siaga_report::drill::DrillDocument;
use siaga_report::incident::IncidentDocument;
use siaga_report::report::{Content, Form, Report};
use siaga_report::text;
use siaga_words::{PaperSay, paper_say};

/// The form of a report.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum ReportFormat {
    Text,
    Html,
    Pdf,
    Json,
}

/// Print the report of a drill: what was measured, and lines for what people add
#[derive(clap::Args, Debug, Clone)]
#[command(after_help = DRILL_EXAMPLES)]
pub struct DrillArgs {
    /// The drill's run.
    #[arg(value_name = "RUN")]
    pub run: String,
    #[command(flatten)]
    pub paper: Paper,
}

/// Print the report of an incident (berita acara): what was measured, and lines for what people add
#[derive(clap::Args, Debug, Clone)]
#[command(after_help = INCIDENT_EXAMPLES)]
pub struct IncidentArgs {
    /// The incident's number, or the run that mended it.
    #[arg(value_name = "ID")]
    pub id: String,
    #[command(flatten)]
    pub paper: Paper,
}

/// How a report is printed.
#[derive(clap::Args, Debug, Clone)]
pub struct Paper {
    /// The form.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = ReportFormat::Text)]
    pub format: ReportFormat,
    #[command(flatten)]
    pub output: Output,
    #[command(flatten)]
    pub files: Files,
}

const DRILL_EXAMPLES: &str = "Examples:
  siaga report drill RUN
  siaga report drill RUN --format pdf -o drill.pdf";

const INCIDENT_EXAMPLES: &str = "Examples:
  siaga report incident DT-2026-007
  siaga report incident DT-2026-007 --format pdf -o incident.pdf";

/// Carries `report drill` out.
pub fn drill(global: &Global, args: &DrillArgs) -> Result<Exit, Fault> {
    let run = RunId::new(args.run.as_str());
    let records = Records::open(global, &args.paper.files)?;
    let (moved, events) = records.run(&run)?;
    if moved.kind != MoveKind::Drill {
        let say = PaperSay::NotADrill { run: &run };
        return Err(Fault::Usage(paper_say(records.voice(), &say)));
    }
    let drill = DrillDocument::of_run(moved, &events);
    print(
        &records,
        Some(&run),
        Content::Drill(Box::new(drill)),
        &args.paper,
    )
}

/// Carries `report incident` out.
pub fn incident(global: &Global, args: &IncidentArgs) -> Result<Exit, Fault> {
    let records = Records::open(global, &args.paper.files)?;
    let events = records.incident_events(None)?;
    let units = records.units();
    let names: Vec<_> = units.iter().map(|(name, _)| name.clone()).collect();
    let all = siaga_journal::incidents::incidents(&events, &names);
    let (run, incident) = match siaga_journal::incidents::find(&all, &args.id) {
        Some(record) => (None, of_record(record, &events)),
        None => {
            let run = RunId::new(args.id.as_str());
            let (moved, events) = records.run(&run)?;
            (Some(run), IncidentDocument::of_run(moved, &events))
        }
    };
    let content = Content::Incident(Box::new(IncidentDocument { units, ..incident }));
    print(&records, run.as_ref(), content, &args.paper)
}

/// The document of a record, with the reports of those of its runs that are over.
pub fn of_record(record: &IncidentRecord, events: &[EventView]) -> IncidentDocument {
    IncidentDocument::of_record(record, runs_of(record, events), events)
}

/// The reports of a record's runs, as far as they are over.
pub fn runs_of(record: &IncidentRecord, events: &[EventView]) -> Vec<MoveReport> {
    let of_run = |run: &RunId| -> Option<MoveReport> {
        let of = |view: &&EventView| view.event.run.as_ref() == Some(run);
        let mine: Vec<EventView> = events.iter().filter(of).cloned().collect();
        Some(siaga_agent::core::ended::of_events(run, &mine)?.report)
    };
    record
        .runs
        .iter()
        .filter_map(|line| of_run(&line.run))
        .collect()
}

fn print(
    records: &Records,
    run: Option<&RunId>,
    content: Content,
    paper: &Paper,
) -> Result<Exit, Fault> {
    let voice = records.voice();
    // Asked for after the records: its heads are not older than they are.
    let seal = records.seal(run)?;
    let report = Report::new(records.site(), voice.language, when::now(), seal, content);
    let as_text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let out = &paper.output;
    match paper.format {
        ReportFormat::Text => out.text(&text::render(&report.document()))?,
        ReportFormat::Json => out.text(&as_text(report.print(Form::Json)))?,
        ReportFormat::Html => out.text(&as_text(report.print(Form::Html)))?,
        ReportFormat::Pdf => out.bytes(&voice, &report.print(Form::Pdf))?,
    }
    Ok(Exit::Done)
}
