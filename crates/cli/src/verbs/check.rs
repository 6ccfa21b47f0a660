//! `siaga check`: can we take over now?

use crate::args::{self, Global};
use crate::client::encoded;
use crate::context::{Context, LOOK};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::show;
use crate::term::{Tone, out};
use siaga_model::ServiceName;
use siaga_model::api::{CanTakeOver, CheckReport};
use siaga_model::readiness::{CheckStatus, Examined, FixAnswer, FixRequest};
use siaga_words::{Screen, Ui, can_take_over, sentence, ui};
use std::time::Duration;

/// Can we take over now? Yes, no or unknown, and what stands in the way
///
/// Exit code 0 says yes; 1 says no or unknown.
#[derive(clap::Args, Debug, Clone)]
#[command(visible_alias = "periksa", after_help = EXAMPLES)]
pub struct Args {
    /// The service; may be left out where the site has one.
    #[arg(long, value_name = "SERVICE", value_parser = args::service)]
    pub service: Option<ServiceName>,
    /// Show what the newest check said, and how old it is, in place of looking again.
    #[arg(long)]
    pub last: bool,
    /// List also what is in order.
    #[arg(long)]
    pub all: bool,
    /// First mend, on both servers, what can be mended without any harm: make a missing mount point, keep the database
    /// from starting by itself at boot. Nothing that runs is touched.
    #[arg(long, conflicts_with = "last")]
    pub fix: bool,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

const EXAMPLES: &str = "Examples:
  siaga check
  siaga periksa --lang id
  siaga check --all
  siaga check --fix
  siaga check --last --json";

/// Two servers, one after the other.
const MEND: Duration = Duration::from_secs(120);

/// Carries the verb out.
pub fn run(global: &Global, args: &Args) -> Result<Exit, Fault> {
    let ctx = Context::connect(global)?;
    let fixed = match args.fix {
        true => match fix(&ctx, args)? {
            FixAnswer::Done { fixed } => fixed,
            FixAnswer::Refused { refusal } => {
                return Err(Fault::Refused(siaga_words::refusal(&ctx.voice, &refusal)));
            }
        },
        false => Vec::new(),
    };
    let mut query = vec![format!("last={}", args.last)];
    if let Some(service) = &args.service {
        query.push(format!("service={}", encoded(service.as_str())));
    }
    let path = format!("/v1/check?{}", query.join("&"));
    let report: CheckReport = ctx.client.get(&path, LOOK)?;
    if args.json {
        show::json(&show::check::json(&ctx, &report, &fixed))?;
    } else {
        if args.fix && fixed.is_empty() {
            out(&ui(&ctx.voice, Ui::NothingToMend));
        }
        for one in &fixed {
            out(&format!(
                "  {}: {}",
                one.node,
                siaga_words::fixed(&ctx.voice, one)
            ));
        }
        out(&text(&ctx, &report));
        if args.all {
            out(&show::check::all(&ctx, &report));
        }
    }
    Ok(match report.can_take_over {
        CanTakeOver::Yes => Exit::Done,
        CanTakeOver::No | CanTakeOver::Unknown => Exit::Failed,
    })
}

/// Has what can be mended mended. What could not be is told, and found again by the check after it.
fn fix(ctx: &Context, args: &Args) -> Result<FixAnswer, Fault> {
    let request = FixRequest {
        service: args.service.clone(),
        stated_actor: ctx.stated.clone(),
        forwarded_actor: None,
        forwarded_person: None,
    };
    Ok(ctx.client.post("/v1/check/fix", &request, MEND)?)
}

/// The answer first, then what was found, then what was not tried.
pub fn text(ctx: &Context, report: &CheckReport) -> String {
    let tone = match report.can_take_over {
        CanTakeOver::Yes => Tone::Good,
        CanTakeOver::No => Tone::Bad,
        CanTakeOver::Unknown => Tone::Attention,
    };
    let mut lines = vec![
        ctx.term
            .out(tone, can_take_over(&ctx.voice, report.can_take_over)),
    ];
    if let Some(range) = report.takeover {
        let (low_s, high_s) = (range.low_s, range.high_s);
        lines.push(ctx.say(Screen::TakeoverTakes { low_s, high_s }));
    }
    if report.age_ms > 0 {
        let (ms, stale) = (report.age_ms, report.is_stale());
        lines.push(ctx.say(Screen::CheckedAgo { ms, stale }));
    }
    if report.findings.is_empty() {
        lines.push(ui(&ctx.voice, Ui::NothingFound));
    } else {
        lines.push(ui(&ctx.voice, Ui::Findings));
        lines.extend(show::findings(&ctx.voice, &report.findings));
    }
    lines.extend(show::check::unknown(ctx, report));
    let passed = |e: &&Examined| e.status == CheckStatus::Pass;
    let count = report.examined.iter().filter(passed).count();
    if count > 0 {
        lines.push(ctx.say(Screen::InOrder { count }));
    }
    if !report.duties.is_empty() {
        lines.push(ui(&ctx.voice, Ui::WhatToDo));
        lines.extend(show::duties(&ctx.voice, &report.duties));
    }
    if !report.not_exercised.is_empty() {
        lines.push(ui(&ctx.voice, Ui::NotProved));
        lines.extend(
            report
                .not_exercised
                .iter()
                .map(|s| format!("  - {}", sentence(&ctx.voice, s))),
        );
    }
    lines.join("\n")
}
