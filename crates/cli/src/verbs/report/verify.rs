//! `siaga report verify`: do the events still agree with a report?

use crate::args::Global;
use crate::context::{Context, LOOK};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::show;
use crate::term::{Tone, out};
use siaga_model::seal::{SealAnswer, SealProblem};
use siaga_report::report::{Found, find};
use siaga_words::{PaperSay, paper_say};
use std::path::PathBuf;

/// Say whether the events still agree with a report, and whether its text is as it was printed
///
/// Exit codes: 0 they agree, 1 they don't, 2 the file carries no report.
#[derive(clap::Args, Debug, Clone)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// A report as PDF, HTML or JSON.
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
    let found = find(&bytes).ok_or_else(|| no_report(String::new()))?;
    let ctx = Context::connect(global)?;
    let answer: SealAnswer = ctx.client.post("/v1/seal", &found.report.seal, LOOK)?;
    let agrees = answer.problems.is_empty() && found.as_printed != Some(false);
    if args.json {
        show::json(&serde_json::json!({
            "agrees": agrees,
            "as_printed": found.as_printed,
            "made_by": found.report.made_by,
            "problems": answer.problems,
        }))?;
    } else {
        say(&ctx, &found, &answer.problems, agrees);
    }
    Ok(if agrees { Exit::Done } else { Exit::Failed })
}

fn say(ctx: &Context, found: &Found, problems: &[SealProblem], agrees: bool) {
    let words = |say: &PaperSay| paper_say(&ctx.voice, say);
    let (tone, head) = match agrees {
        true => (Tone::Good, PaperSay::Agrees),
        false => (Tone::Bad, PaperSay::DoesNotAgree),
    };
    out(&ctx.term.out(tone, &words(&head)));
    for problem in problems {
        out(&format!("  - {}", words(&PaperSay::Problem { problem })));
    }
    let printed = match found.as_printed {
        Some(true) => PaperSay::AsPrinted,
        Some(false) => PaperSay::NotAsPrinted,
        None => PaperSay::OtherVersion {
            version: &found.report.made_by,
        },
    };
    out(&format!("  - {}", words(&printed)));
}
