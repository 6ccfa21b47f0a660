//! `siaga report drill` and `siaga report incident`.

use crate::args::Global;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::paper_args::Output;
use crate::records::{Files, Records};
use crate::when;
use clap::ValueEnum;
use siaga_model::RunId;
use siaga_model::event::EventBody;
use siaga_model::plan::MoveKind;
use siaga_model::seal::{Seal, SealedIncident};
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
    /// The drill: its run, or its incident's number. Left out: the last one.
    #[arg(value_name = "ID")]
    pub id: Option<String>,
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
  siaga report drill
  siaga report drill DT-2026-007 --format pdf -o drill.pdf";

const INCIDENT_EXAMPLES: &str = "Examples:
  siaga report incident DT-2026-007
  siaga report incident DT-2026-007 --format pdf -o incident.pdf";

/// Carries `report drill` out.
pub fn drill(global: &Global, args: &DrillArgs) -> Result<Exit, Fault> {
    let records = Records::open(global, &args.paper.files)?;
    let missing = |say: &PaperSay| Fault::Refused(paper_say(records.voice(), say));
    let run = match &args.id {
        Some(id) => drill_of(&records, id)?,
        None => last_drill(&records)?.ok_or_else(|| missing(&PaperSay::NoDrill))?,
    };
    let seal = records.seal(Some(&run))?;
    let Some((moved, events)) = records.run(&seal, &run)? else {
        return Err(missing(&PaperSay::NoRun { run: &run }));
    };
    if moved.kind != MoveKind::Drill {
        let say = PaperSay::NotADrill { run: &run };
        return Err(Fault::Usage(paper_say(records.voice(), &say)));
    }
    let drill = DrillDocument::of_run(moved, &events);
    print(&records, seal, Content::Drill(Box::new(drill)), &args.paper)
}

/// The newest drill that has ended.
fn last_drill(records: &Records) -> Result<Option<RunId>, Fault> {
    let seal = records.seal(None)?;
    let accepted = records.newest_runs(None)?;
    let drills = accepted.iter().rev().filter(|view| {
        matches!(
            view.event.body,
            EventBody::RunAccepted {
                move_kind: MoveKind::Drill,
                ..
            }
        )
    });
    for run in drills.filter_map(|view| view.event.run.as_ref()) {
        if records.run(&seal, run)?.is_some() {
            return Ok(Some(run.clone()));
        }
    }
    Ok(None)
}

/// The drill of an incident that is called so, else the run.
fn drill_of(records: &Records, id: &str) -> Result<RunId, Fault> {
    let seal = records.seal(None)?;
    let found = records.incident(&seal, id, &[])?;
    let runs = found.map(|sealed| sealed.record.runs).unwrap_or_default();
    let drill = runs.iter().rev().find(|line| line.kind == MoveKind::Drill);
    Ok(drill
        .or(runs.last())
        .map_or_else(|| RunId::new(id), |line| line.run.clone()))
}

/// Carries `report incident` out.
pub fn incident(global: &Global, args: &IncidentArgs) -> Result<Exit, Fault> {
    let records = Records::open(global, &args.paper.files)?;
    let units = records.units();
    let names: Vec<_> = units.iter().map(|(name, _)| name.clone()).collect();
    let seal = records.seal(None)?;
    let (seal, incident) = match records.incident(&seal, &args.id, &names)? {
        Some(sealed) => (seal, of_record(&sealed)),
        None => {
            let run = RunId::new(args.id.as_str());
            let seal = records.seal(Some(&run))?;
            let Some((moved, events)) = records.run(&seal, &run)? else {
                let say = PaperSay::NoIncident { asked: &args.id };
                return Err(Fault::Refused(paper_say(records.voice(), &say)));
            };
            (seal, IncidentDocument::of_run(moved, &events))
        }
    };
    let content = Content::Incident(Box::new(IncidentDocument { units, ..incident }));
    print(&records, seal, content, &args.paper)
}

fn of_record(sealed: &SealedIncident) -> IncidentDocument {
    IncidentDocument::of_record(&sealed.record, sealed.runs.clone(), &sealed.sent)
}

fn print(records: &Records, seal: Seal, content: Content, paper: &Paper) -> Result<Exit, Fault> {
    let voice = records.voice();
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
