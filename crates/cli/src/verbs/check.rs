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
use siaga_words::{Ui, can_take_over, sentence, ui};

/// Can we take over now? Yes, no or unknown, and what stands in the way
///
/// Exit code 0 says yes; 1 says no or unknown.
#[derive(clap::Args, Debug, Clone)]
#[command(visible_alias = "periksa", after_help = EXAMPLES)]
pub struct Args {
    /// The service; may be left out where the site has one.
    #[arg(long, value_name = "SERVICE", value_parser = args::service)]
    pub service: Option<ServiceName>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

const EXAMPLES: &str = "Examples:
  siaga check
  siaga periksa --lang id
  siaga check --json";

/// Carries the verb out.
pub fn run(global: &Global, args: &Args) -> Result<Exit, Fault> {
    let ctx = Context::connect(global)?;
    let path = match &args.service {
        Some(service) => format!("/v1/check?service={}", encoded(service.as_str())),
        None => "/v1/check".to_owned(),
    };
    let report: CheckReport = ctx.client.get(&path, LOOK)?;
    if args.json {
        show::json(&report)?;
    } else {
        out(&text(&ctx, &report));
    }
    Ok(match report.can_take_over {
        CanTakeOver::Yes => Exit::Done,
        CanTakeOver::No | CanTakeOver::Unknown => Exit::Failed,
    })
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
    if report.findings.is_empty() {
        lines.push(ui(&ctx.voice, Ui::NothingFound));
    } else {
        lines.push(ui(&ctx.voice, Ui::Findings));
        lines.extend(show::findings(&ctx.voice, &report.findings));
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
