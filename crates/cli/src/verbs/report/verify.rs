//! `siaga report verify`: do the events still agree with a report?

use crate::args::Global;
use crate::context::Context;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::records::Records;
use crate::show;
use crate::term::{Term, Tone, out};
use crate::verbs::log::of_period;
use crate::verbs::report::availability::SERVICES;
use siaga_journal::availability::Period;
use siaga_model::IncidentKey;
use siaga_model::seal::{Seal, SealProblem};
use siaga_report::incident::IncidentDocument;
use siaga_report::report::{Content, Found, Report, find};
use siaga_report::truth::{Truth, agrees};
use siaga_words::{PaperSay, Voice, paper_say};
use std::path::PathBuf;

/// Say whether the events still agree with a report, and whether its text is as it was printed
///
/// Exit codes: 0 they agree, 1 they don't, 2 the file carries no report.
#[derive(clap::Args, Debug, Clone)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// A report as PDF, HTML or JSON, or the monthly message with the heads of the log.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

const EXAMPLES: &str = "Examples:
  siaga report verify drill.pdf
  siaga report verify drill.pdf --json";

/// The largest report that is read, in bytes.
const LARGEST: u64 = 64 * 1024 * 1024;

/// Carries the verb out.
pub fn run(global: &Global, args: &Args) -> Result<Exit, Fault> {
    let language = crate::language::first(global);
    let no_report = |why: String| {
        let file = args.file.display().to_string();
        Fault::Usage(paper_say(
            language,
            &PaperSay::NoReport {
                file: &file,
                why: &why,
            },
        ))
    };
    let size = args.file.metadata().map_err(|e| no_report(e.to_string()))?;
    if size.len() > LARGEST {
        return Err(no_report(format!("> {LARGEST} bytes")));
    }
    let bytes = std::fs::read(&args.file).map_err(|e| no_report(e.to_string()))?;
    let found = find(&bytes);
    if found.is_none()
        && let Some(seal) = siaga_journal::seal::of_text(&String::from_utf8_lossy(&bytes))
    {
        return heads(global, args, &seal);
    }
    let found = found.ok_or_else(|| no_report(String::new()))?;
    let records = Records::Agent(Box::new(Context::connect(global)?));
    let answer = records.compare(&found.report.seal)?;
    let content = content_agrees(&records, &found.report)?;
    let agrees = answer.problems.is_empty() && found.as_printed != Some(false) && content;
    if args.json {
        show::json(&serde_json::json!({
            "agrees": agrees,
            "as_printed": found.as_printed,
            "content_agrees": content,
            "made_by": found.report.made_by,
            "problems": answer.problems,
        }))?;
    } else {
        say(
            &records.voice(),
            &found,
            &answer.problems,
            (agrees, content),
        );
    }
    Ok(if agrees { Exit::Done } else { Exit::Failed })
}

/// A message with the heads of the log: are they still in it?
fn heads(global: &Global, args: &Args, seal: &Seal) -> Result<Exit, Fault> {
    let records = Records::Agent(Box::new(Context::connect(global)?));
    let problems = records.compare(seal)?.problems;
    let agrees = problems.is_empty();
    if args.json {
        show::json(&serde_json::json!({ "agrees": agrees, "problems": problems }))?;
    } else {
        head_line(&records.voice(), &problems, agrees);
    }
    Ok(if agrees { Exit::Done } else { Exit::Failed })
}

/// Whether it agrees, and what does not.
fn head_line(voice: &Voice, problems: &[SealProblem], agrees: bool) {
    let (tone, head) = match agrees {
        true => (Tone::Good, PaperSay::Agrees),
        false => (Tone::Bad, PaperSay::DoesNotAgree),
    };
    out(&Term::look().out(tone, &paper_say(voice, &head)));
    for problem in problems {
        let said = paper_say(voice, &PaperSay::Problem { problem });
        out(&format!("  - {said}"));
    }
}

/// Makes the content once more from the log, as it was at the report's seal.
fn content_agrees(records: &Records, report: &Report) -> Result<bool, Fault> {
    let seal = &report.seal;
    match &report.content {
        Content::Availability { .. } => {
            let rows = records.sealed_log(seal, SERVICES)?;
            let incidents = &records.incidents(seal)?;
            let truth = Truth::Log {
                rows: &rows,
                incidents,
            };
            Ok(agrees(report, &truth))
        }
        Content::LogBook { period, .. } => {
            let period = Period::month(period, &report.site.time_zone);
            let wanted = period.as_ref().map(of_period).unwrap_or_default();
            let truth = Truth::Log {
                rows: &records.sealed_log(seal, wanted)?,
                incidents: &[],
            };
            Ok(agrees(report, &truth))
        }
        Content::Incident(given) => match &given.incident {
            Some(key) => incident_agrees(records, report, given, key),
            None => run_agrees(records, report),
        },
        Content::Drill(_) => run_agrees(records, report),
    }
}

fn run_agrees(records: &Records, report: &Report) -> Result<bool, Fault> {
    let Some(run) = &report.seal.run else {
        return Ok(false);
    };
    let Some((moved, events)) = records.run(&report.seal, run)? else {
        return Ok(false);
    };
    let truth = Truth::Run {
        run: &moved,
        events: &events,
    };
    Ok(agrees(report, &truth))
}

/// The units are those of the report: the site may have others now.
fn incident_agrees(
    records: &Records,
    report: &Report,
    given: &IncidentDocument,
    key: &IncidentKey,
) -> Result<bool, Fault> {
    let units: Vec<_> = given.units.iter().map(|(name, _)| name.clone()).collect();
    let found = records.incident(&report.seal, key.as_str(), &units)?;
    Ok(found.is_some_and(|sealed| agrees(report, &Truth::Incident(&sealed))))
}

fn say(voice: &Voice, found: &Found, problems: &[SealProblem], (agrees, content): (bool, bool)) {
    let words = |say: &PaperSay| paper_say(voice, say);
    head_line(voice, problems, agrees);
    let content = match content {
        true => PaperSay::ContentAgrees,
        false => PaperSay::ContentDiffers,
    };
    let printed = match found.as_printed {
        Some(true) => PaperSay::AsPrinted,
        Some(false) => PaperSay::NotAsPrinted,
        None => PaperSay::OtherVersion {
            version: &found.report.made_by,
        },
    };
    for line in [content, printed] {
        out(&format!("  - {}", words(&line)));
    }
}
