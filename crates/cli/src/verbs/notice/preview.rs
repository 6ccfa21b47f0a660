//! `siaga notice preview`: a text with made-up values, without an agent.

use crate::args::Global;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::language;
use crate::place::CONFIG;
use crate::term::out;
use clap::builder::PossibleValuesParser;
use siaga_comms::{AlertFacts, Sign, Templates, alert, announcement, moment_by_name, sample};
use siaga_config::HostChecks;
use siaga_model::UtcMicros;
use siaga_model::config::{Config, Language, Site};
use siaga_model::downtime::Rules;
use siaga_words::{NoticeScreen, notice_screen};
use std::path::{Path, PathBuf};

/// Print a notice with made-up values, without an agent
///
/// The site's own texts are used where the configuration names their directory.
#[derive(clap::Args, Debug, Clone)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Which text: a moment of a downtime, the alert to the people on call, or the announcement over loudspeakers.
    #[arg(value_name = "KIND", value_parser = PossibleValuesParser::new(kinds()))]
    pub kind: String,
    /// As in a drill.
    #[arg(long)]
    pub drill: bool,
    /// The site's configuration; default: the installed one, and a made-up site where there is none.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

const EXAMPLES: &str = "Examples:
  siaga notice preview confirmed --lang id
  siaga notice preview all-clear --lang en --drill
  siaga notice preview announcement";

const ALERT: &str = "alert";
const ANNOUNCEMENT: &str = "announcement";

/// The names of all texts.
fn kinds() -> Vec<&'static str> {
    let mut kinds = super::moments().to_vec();
    kinds.extend([ALERT, ANNOUNCEMENT]);
    kinds
}

/// Carries the verb out.
pub fn run(global: &Global, args: &Args) -> Result<Exit, Fault> {
    let file = args.config.as_deref().unwrap_or(Path::new(CONFIG));
    let config = match siaga_config::load_checked(file, &HostChecks::none()) {
        Ok((config, _)) => Some(config),
        Err(_) if args.config.is_none() => None,
        Err(errors) => {
            let language = language::asked(global).unwrap_or(errors.language);
            return Err(Fault::Usage(errors.render(language)));
        }
    };
    let language = match (&config, language::asked(global)) {
        (_, Some(asked)) => asked,
        (Some(config), None) => config.site.language,
        (None, None) => language::first(global),
    };
    let (templates, faults) = site(config);
    out(&notice_screen(language, &NoticeScreen::MadeUp));
    out("");
    out(&text(&templates, language, args));
    if faults.is_empty() {
        return Ok(Exit::Done);
    }
    let faults: Vec<String> = faults.iter().map(|f| f.render(language)).collect();
    Err(Fault::Usage(faults.join("\n\n")))
}

fn site(config: Option<Config>) -> (Templates, Vec<siaga_comms::TemplateError>) {
    match config {
        Some(config) => Templates::load(&config),
        None => {
            let site = Site {
                name: "RS CONTOH".to_owned(),
                language: Language::Indonesian,
                time_zone: "Asia/Jakarta".to_owned(),
            };
            let rules = Rules {
                contact: "ext. 000".to_owned(),
                ..Rules::default()
            };
            Templates::of(&site, &rules)
        }
    }
}

fn text(templates: &Templates, language: Language, args: &Args) -> String {
    let now = UtcMicros(jiff::Timestamp::now().as_microsecond());
    let facts = sample(language, now, args.drill);
    let text = match moment_by_name(&args.kind) {
        Some(moment) => templates.text(moment, language, &facts),
        None if args.kind == ANNOUNCEMENT => {
            return announcement(language, args.drill);
        }
        None => {
            let facts = AlertFacts {
                sign: Sign::ClientTestsFail,
                service: facts.services.join(", "),
                since: facts.start.unwrap_or(now),
                now,
                number: facts.number,
                notice: "000".to_owned(),
                drill: args.drill,
            };
            alert(templates, language, &facts)
        }
    };
    format!("{}\n\n{}", text.subject, text.body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use siaga_model::notice::Moment;

    #[test]
    fn every_moment_can_be_shown() {
        let named: Vec<Moment> = kinds().into_iter().filter_map(moment_by_name).collect();
        assert_eq!(named, Moment::ALL);
    }
}
