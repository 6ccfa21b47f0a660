//! `siaga status`: where the service is, with the evidence.

use crate::args::{self, Global};
use crate::client::encoded;
use crate::context::{Context, LOOK};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::term::out;
use crate::{follow, show};
use siaga_model::ServiceName;
use siaga_model::api::Status;
use siaga_model::refusal::Sentence;
use std::time::Duration;

/// Show where the service is, the evidence, and the one recommended act
///
/// With --watch it looks again and again, and follows a run that goes on. Ctrl-C ends watching, never a run.
#[derive(clap::Args, Debug, Clone)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Only this service.
    #[arg(long, value_name = "SERVICE", value_parser = args::service)]
    pub service: Option<ServiceName>,
    /// Look again every two seconds, until Ctrl-C; follow a run that goes on.
    #[arg(long)]
    pub watch: bool,
    /// Print JSON; with --watch one document per look.
    #[arg(long)]
    pub json: bool,
}

const EXAMPLES: &str = "Examples:
  siaga status
  siaga status --watch
  siaga status --json";

/// Between two looks.
const EVERY: Duration = Duration::from_secs(2);

/// Carries the verb out.
pub fn run(global: &Global, args: &Args) -> Result<Exit, Fault> {
    let ctx = Context::connect(global)?;
    let path = path(args.service.as_ref());
    if !args.watch {
        let status: Status = ctx.client.get(&path, LOOK)?;
        known(&ctx, args, &status)?;
        return show(&ctx, &status, args.json).map(|()| Exit::Done);
    }
    let mut before = None;
    loop {
        let status: Status = ctx.client.get_ticking(&path, LOOK, || {})?;
        known(&ctx, args, &status)?;
        // The time of the look is no news.
        let news = Status {
            at: siaga_model::UtcMicros(0),
            ..status.clone()
        };
        let text = (!args.json).then(|| show::status::text(&ctx, &news));
        if args.json || text != before {
            show(&ctx, &status, args.json)?;
        }
        before = text;
        if !args.json
            && let Some(run) = live_run(&status)
        {
            let view = follow::follow(&ctx, &run)?;
            show::result::print(&ctx, &view);
        }
        ctx.client.pause(EVERY)?;
    }
}

/// Where the status of one or all services is asked for.
pub fn path(service: Option<&ServiceName>) -> String {
    match service {
        Some(service) => format!("/v1/status?service={}", encoded(service.as_str())),
        None => "/v1/status".to_owned(),
    }
}

/// A service that the site does not have is a typing error.
fn known(ctx: &Context, args: &Args, status: &Status) -> Result<(), Fault> {
    match &args.service {
        Some(service) if status.services.is_empty() => {
            let sentence = Sentence::RefusedNoSuchService {
                service: service.clone(),
            };
            Err(Fault::Usage(siaga_words::sentence(&ctx.voice, &sentence)))
        }
        _ => Ok(()),
    }
}

fn live_run(status: &Status) -> Option<siaga_model::RunId> {
    status
        .services
        .iter()
        .filter_map(|s| s.run.as_ref())
        .find(|r| r.live)
        .map(|r| r.run.clone())
}

fn show(ctx: &Context, status: &Status, json: bool) -> Result<(), Fault> {
    if json {
        return show::json(status);
    }
    out(&show::status::text(ctx, status));
    Ok(())
}
