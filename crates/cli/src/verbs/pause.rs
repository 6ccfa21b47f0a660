//! `siaga pause` and `siaga resume-alerts`: alerts rest for a time.

use crate::args::Global;
use crate::context::Context;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::verbs::notice::ask;
use crate::when;
use siaga_model::UtcMicros;
use siaga_model::notice_api::NoticeAct;
use siaga_words::NoticeScreen;
use std::time::Duration;

/// Let alerts to the people on call rest for a time; it ends by itself
#[derive(clap::Args, Debug, Clone)]
#[command(after_help = "Examples:\n  siaga pause --for 2h --reason \"the switch is replaced\"")]
pub struct PauseArgs {
    /// For how long: 30m, 2h; at most 24h.
    #[arg(long = "for", value_name = "TIME", value_parser = span)]
    pub time: Duration,
    /// Why; it goes into the log.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Let alerts go out again before their pause is over
#[derive(clap::Args, Debug, Clone)]
#[command(after_help = "Examples:\n  siaga resume-alerts")]
pub struct ResumeArgs {
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

fn span(text: &str) -> Result<Duration, String> {
    let span: jiff::SignedDuration = text
        .parse()
        .map_err(|_| format!("{text:?} is no length of time: write 30m or 2h"))?;
    Duration::try_from(span).map_err(|_| format!("{text:?} is no length of time"))
}

/// Pauses.
pub fn pause(global: &Global, args: &PauseArgs) -> Result<Exit, Fault> {
    let ctx = Context::connect(global)?;
    let micros = i64::try_from(args.time.as_micros()).unwrap_or(i64::MAX);
    let until = UtcMicros(when::now().0.saturating_add(micros));
    let act = NoticeAct::Pause {
        for_s: args.time.as_secs(),
        reason: args.reason.clone(),
    };
    ask(&ctx, act, args.json, |_| NoticeScreen::Paused { until })
}

/// Ends the pause.
pub fn resume(global: &Global, args: &ResumeArgs) -> Result<Exit, Fault> {
    let ctx = Context::connect(global)?;
    let act = NoticeAct::ResumeAlerts;
    ask(&ctx, act, args.json, |_| NoticeScreen::AlertsResumed)
}
