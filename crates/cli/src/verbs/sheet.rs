//! `siaga sheet`: one page at any moment, to go on with by hand.

use crate::args::{self, Global};
use crate::context::LOOK;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::paper_args::Output;
use crate::records::{Files, Records};
use crate::verbs::sop::PaperFormat;
use crate::when;
use siaga_config::HostChecks;
use siaga_model::ServiceName;
use siaga_model::api::Status;
use siaga_model::config::Config;
use siaga_report::sheet::{self, Moment};
use siaga_report::{html, pdf, text};
use siaga_words::{PaperSay, paper_say};

/// Print one page of this moment: what is done, what state each thing is in, the next command by hand
///
/// It changes nothing. Where the agent is dead it reads the event log's files.
#[derive(clap::Args, Debug, Clone)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The service; may be left out where the site has one.
    #[arg(long, value_name = "SERVICE", value_parser = args::service)]
    pub service: Option<ServiceName>,
    /// The form.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = PaperFormat::Text)]
    pub format: PaperFormat,
    #[command(flatten)]
    pub output: Output,
    #[command(flatten)]
    pub files: Files,
}

const EXAMPLES: &str = "Examples:
  siaga sheet
  siaga sheet --format pdf -o sheet.pdf
  siaga sheet --state /var/lib/siaga";

/// Carries the verb out.
pub fn run(global: &Global, args: &Args) -> Result<Exit, Fault> {
    let records = Records::open(global, &args.files)?;
    let voice = records.voice();
    let site = records.site();
    let service = match (&args.service, site.services.as_slice()) {
        (Some(service), known) if known.contains(service) => service.clone(),
        (None, [only]) => only.clone(),
        _ => {
            let say = PaperSay::NameAService {
                services: &site.services,
            };
            return Err(Fault::Usage(paper_say(&voice, &say)));
        }
    };
    let newest = records.newest_runs(Some(&service))?;
    let seal = records.seal(None)?;
    let events = match newest.iter().rev().find_map(|v| v.event.run.as_ref()) {
        Some(run) => records.events_of(&seal, run)?,
        None => Vec::new(),
    };
    let config = config(&records, args);
    let moment = Moment {
        site: &site,
        config: config.as_ref(),
        service: &service,
        events: &events,
        sentence: sentence(&records, &service)?,
        at: when::now(),
        seal: &seal,
    };
    let document = sheet::document(&voice, &moment);
    match args.format {
        PaperFormat::Text => args.output.text(&text::render(&document))?,
        PaperFormat::Html => args.output.text(&html::render(&document))?,
        PaperFormat::Pdf => args.output.bytes(&voice, &pdf::render(&document))?,
    }
    Ok(Exit::Done)
}

/// The commands come from the configuration's file, also where the agent answers.
fn config(records: &Records, args: &Args) -> Option<Config> {
    match records {
        Records::Files { config, .. } => Some((**config).clone()),
        Records::Agent(_) => siaga_config::load_checked(&args.files.config, &HostChecks::none())
            .ok()
            .map(|(config, _)| config),
    }
}

/// Where the agent says that the service is.
fn sentence(records: &Records, service: &ServiceName) -> Result<Option<String>, Fault> {
    let Records::Agent(ctx) = records else {
        return Ok(None);
    };
    let path = crate::verbs::status::path(Some(service));
    let status: Status = ctx.client.get(&path, LOOK)?;
    let said = status.services.first().map(|s| &s.verdict.sentence);
    Ok(said.map(|s| siaga_words::sentence(&ctx.voice, s)))
}
