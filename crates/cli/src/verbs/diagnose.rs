//! `siaga diagnose`: the paper's "check the cause at once", layer by layer.

use crate::args::{self, Global};
use crate::client::encoded;
use crate::context::{Context, LOOK};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::show::{self, padded};
use crate::term::{Tone, out};
use siaga_model::ServiceName;
use siaga_model::api::{Diagnosis, LayerFinding};
use siaga_words::{Ui, evidence, layer, ui};

/// Find the cause, layer by layer, and recommend restart in place or takeover
#[derive(clap::Args, Debug, Clone)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The service; may be left out where the site has one.
    #[arg(long, value_name = "SERVICE", value_parser = args::service)]
    pub service: Option<ServiceName>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

const EXAMPLES: &str = "Examples:
  siaga diagnose
  siaga diagnose --service simrs --json";

/// Carries the verb out.
pub fn run(global: &Global, args: &Args) -> Result<Exit, Fault> {
    let ctx = Context::connect(global)?;
    let path = match &args.service {
        Some(service) => format!("/v1/diagnose?service={}", encoded(service.as_str())),
        None => "/v1/diagnose".to_owned(),
    };
    let diagnosis: Diagnosis = ctx.client.get(&path, LOOK)?;
    if args.json {
        show::json(&diagnosis)?;
    } else {
        out(&text(&ctx, &diagnosis));
    }
    Ok(Exit::Done)
}

/// Every layer, then the likely cause, then what to do.
pub fn text(ctx: &Context, diagnosis: &Diagnosis) -> String {
    let mut layers: Vec<&LayerFinding> = diagnosis.layers.iter().collect();
    layers.sort_by_key(|l| (l.layer, l.node.clone()));
    let mut lines: Vec<String> = layers.iter().map(|l| line(ctx, l)).collect();
    lines.push(String::new());
    match &diagnosis.cause {
        Some(cause) => {
            let heading = ui(&ctx.voice, Ui::LikelyCause);
            lines.push(
                ctx.term
                    .out(Tone::Bad, &format!("{heading} {}", named(ctx, cause))),
            );
        }
        None => lines.push(ui(&ctx.voice, Ui::NoCauseFound)),
    }
    if !diagnosis.advice.is_empty() {
        lines.push(ui(&ctx.voice, Ui::Recommended));
        lines.extend(show::status::advice_lines(ctx, &diagnosis.advice));
    }
    lines.join("\n")
}

/// The cause with its layer.
fn named(ctx: &Context, cause: &LayerFinding) -> String {
    format!(
        "{} ({}): {}",
        layer(&ctx.voice, cause.layer),
        cause.node,
        evidence(&ctx.voice, &cause.evidence)
    )
}

fn line(ctx: &Context, found: &LayerFinding) -> String {
    let (text, tone) = match found.ok {
        Some(true) => (ui(&ctx.voice, Ui::Good), Tone::Good),
        Some(false) => (ui(&ctx.voice, Ui::Broken), Tone::Bad),
        None => (ui(&ctx.voice, Ui::NotKnown), Tone::Attention),
    };
    let mark = ctx.term.out(tone, &padded(&text, 16));
    let layer = padded(layer(&ctx.voice, found.layer), 28);
    let seen = evidence(&ctx.voice, &found.evidence);
    format!("  {mark} {layer} {}: {seen}", found.node)
}
