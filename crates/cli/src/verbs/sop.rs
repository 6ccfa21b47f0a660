//! `siaga sop`: the site's own procedure, for the night when this program is dead too.

use crate::args::Global;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::paper_args::Output;
use crate::place;
use clap::ValueEnum;
use siaga_config::HostChecks;
use siaga_report::{html, pdf, sop, text};
use siaga_words::Voice;
use std::path::PathBuf;

/// Print the site's written procedure: every step of takeover, moving back and drill by hand
///
/// It is made from the configuration alone, with the exact commands of this site. Print it at the installation and
/// after each change of the configuration, and keep it beside the servers: it is what the staff holds when the program
/// itself is dead.
#[derive(clap::Args, Debug, Clone)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The form.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = PaperFormat::Text)]
    pub format: PaperFormat,
    /// The site's configuration.
    #[arg(long, value_name = "FILE", default_value = place::CONFIG)]
    pub config: PathBuf,
    #[command(flatten)]
    pub output: Output,
}

/// The form of a paper.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum PaperFormat {
    Text,
    Html,
    Pdf,
}

const EXAMPLES: &str = "Examples:
  siaga sop
  siaga sop --format pdf -o sop.pdf
  siaga sop --format html --lang en -o sop.html --config /root/siaga.toml.new";

/// Carries the verb out.
pub fn run(global: &Global, args: &Args) -> Result<Exit, Fault> {
    let asked = crate::language::asked(global);
    let (config, _) =
        siaga_config::load_checked(&args.config, &HostChecks::none()).map_err(|errors| {
            let language = asked.unwrap_or(errors.language);
            Fault::Usage(errors.render(language))
        })?;
    let language = asked.unwrap_or(config.site.language);
    let voice = Voice::new(language, &config.site.time_zone);
    let document = sop::document(&config, &voice);
    match args.format {
        PaperFormat::Text => args.output.text(&text::render(&document))?,
        PaperFormat::Html => args.output.text(&html::render(&document))?,
        PaperFormat::Pdf => args.output.bytes(&voice, &pdf::render(&document))?,
    }
    Ok(Exit::Done)
}
