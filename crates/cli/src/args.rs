//! The command line's shape. What a verb does is in `verbs/`.

use crate::exit;
use crate::verbs;
use clap::{Parser, Subcommand, ValueEnum};
use siaga_model::config::Language;
use siaga_model::{NodeName, PersonName, ServiceName};
use std::path::PathBuf;

/// Takes a hospital's PostgreSQL over from a dead server to its partner on a shared disk.
///
/// Without a verb it opens the guided screen: what is true now, the one recommended act, and everything else that can
/// be done. A whole night needs no other command.
#[derive(Parser, Debug)]
#[command(name = "siaga", version, propagate_version = true, infer_subcommands = false, after_help = TOP_EXAMPLES, after_long_help = top_long())]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub verb: Option<Verb>,
}

const TOP_EXAMPLES: &str = "Examples:
  siaga                      the guided screen
  siaga status               where the service is, with the evidence
  siaga check                can we take over now?
  siaga takeover             the other server is dead: start the service here
  siaga help takeover        everything about one verb";

fn top_long() -> String {
    format!("{TOP_EXAMPLES}\n\n{}", exit::TABLE)
}

/// Options of every verb.
#[derive(clap::Args, Debug, Clone)]
pub struct Global {
    /// The local agent's socket.
    #[arg(
        long,
        global = true,
        value_name = "PATH",
        default_value = "/run/siaga/siaga.sock"
    )]
    pub socket: PathBuf,
    /// The language of what is printed; default: the site's.
    #[arg(long, global = true, value_name = "LANG", value_enum)]
    pub lang: Option<Lang>,
    /// For root only: who you are, from the site's list of people. It is logged as stated, not as proved.
    #[arg(long = "as", global = true, value_name = "NAME", value_parser = person)]
    pub stated: Option<PersonName>,
}

/// A language, by its code.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Lang {
    En,
    Id,
}

impl From<Lang> for Language {
    fn from(lang: Lang) -> Self {
        match lang {
            Lang::En => Language::English,
            Lang::Id => Language::Indonesian,
        }
    }
}

#[derive(Subcommand, Debug)]
pub enum Verb {
    Status(verbs::status::Args),
    Diagnose(verbs::diagnose::Args),
    Check(verbs::check::Args),
    Witness(verbs::witness::Args),
    Explain(verbs::explain::Args),
    Takeover(verbs::takeover::Args),
    Switchover(verbs::switchover::Args),
    Failback(verbs::failback::Args),
    Drill(verbs::drill::Args),
    Rehearse(verbs::rehearse::Args),
    Restart(verbs::restart::Args),
    Stop(verbs::stop::Args),
    Start(verbs::start::Args),
    Power(verbs::power::Args),
    Resume(verbs::resume::Args),
    Abort(verbs::abort::Args),
    #[command(visible_alias = "insiden")]
    Incident(verbs::incident::Args),
    #[command(visible_alias = "perkiraan")]
    Estimate(verbs::estimate::Args),
    Log(verbs::log::Args),
    Report(verbs::report::Args),
    Sop(verbs::sop::Args),
    Notice(verbs::notice::Args),
    Pause(verbs::pause::PauseArgs),
    ResumeAlerts(verbs::pause::ResumeArgs),
    Sheet(verbs::sheet::Args),
    Events(verbs::events::Args),
    Support(verbs::support::Args),
    State(verbs::state::Args),
    Config(verbs::config::Args),
    Agent(verbs::agent::Args),
    Init(verbs::init::Args),
    Token(verbs::token::Args),
    Ca(verbs::ca::Args),
    Node(verbs::node::Args),
    Join(verbs::join::Args),
    Probe(verbs::probe::Args),
    Lab(verbs::lab::Args),
    Completions(verbs::completions::Args),
    Man(verbs::man::Args),
    Version(verbs::version::Args),
}

/// A service's name from the command line.
pub fn service(text: &str) -> Result<ServiceName, String> {
    name(text).map(ServiceName::new)
}

/// A node's name from the command line.
pub fn node(text: &str) -> Result<NodeName, String> {
    name(text).map(NodeName::new)
}

/// A person's name from the command line.
pub fn person(text: &str) -> Result<PersonName, String> {
    name(text).map(PersonName::new)
}

/// A name from the command line, whatever it names.
pub fn plain(text: &str) -> Result<String, String> {
    name(text)
}

/// Why a text is no name: none, and one with control characters.
pub const NAME_ERRORS: [&str; 2] = ["a name is needed", "a name has no control characters"];

/// Whether the name exists is the agent's to say; here it only has to be one.
fn name(text: &str) -> Result<String, String> {
    let text = text.trim();
    let [needed, no_control] = NAME_ERRORS;
    if text.is_empty() {
        return Err(needed.to_owned());
    }
    if text.chars().any(char::is_control) {
        return Err(no_control.to_owned());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Command, CommandFactory};

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    /// The lab's own verbs are shown by the examples of `siaga lab`.
    fn walk(command: &Command, path: &str, missing: &mut Vec<String>) {
        for verb in command.get_subcommands().filter(|v| v.get_name() != "help") {
            let path = format!("{path} {}", verb.get_name());
            let help = verb.clone().render_help().to_string();
            if !help.contains("Examples:\n  ")
                || !help.contains("  siaga ") && !help.contains("  systemctl ")
            {
                missing.push(path.clone());
            }
            if verb.get_name() != "lab" {
                walk(verb, &path, missing);
            }
        }
    }

    #[test]
    fn every_verb_has_examples() {
        let mut command = Cli::command();
        command.build();
        let mut missing = Vec::new();
        walk(&command, "siaga", &mut missing);
        assert_eq!(missing, Vec::<String>::new());
    }

    #[test]
    fn every_example_is_a_command_that_parses() {
        let mut command = Cli::command();
        command.build();
        let mut wrong = Vec::new();
        examples(&command, &mut wrong);
        assert_eq!(wrong, Vec::<String>::new());
    }

    fn examples(command: &Command, wrong: &mut Vec<String>) {
        let help = command
            .get_after_help()
            .map(ToString::to_string)
            .unwrap_or_default();
        for line in help.lines().filter_map(|l| l.trim().strip_prefix("siaga")) {
            let typed = line.split(" > ").next().unwrap_or_default();
            let shown_only = command.get_name() == "siaga";
            if let Err(error) = Cli::try_parse_from(words(&format!("siaga {typed}")))
                && !shown_only
            {
                wrong.push(format!(
                    "{line}: {}",
                    error.to_string().lines().next().unwrap_or_default()
                ));
            }
        }
        command
            .get_subcommands()
            .filter(|v| v.get_name() != "help")
            .for_each(|v| examples(v, wrong));
    }

    /// Words as a shell makes them, with double quotes.
    fn words(line: &str) -> Vec<String> {
        let parts = line.split('"').enumerate();
        let words = parts.flat_map(|(i, part)| match i % 2 {
            0 => part.split_whitespace().map(str::to_owned).collect(),
            _ => vec![part.to_owned()],
        });
        words.collect()
    }

    #[test]
    fn the_indonesian_aliases_are_the_same_verbs() {
        for (alias, verb) in [
            ("ambil-alih", "takeover"),
            ("kembalikan", "failback"),
            ("simulasi", "drill"),
            ("periksa", "check"),
            ("latihan", "rehearse"),
        ] {
            let by = |name: &str| {
                format!(
                    "{:?}",
                    Cli::try_parse_from(["siaga", name]).expect("parses").verb
                )
            };
            assert_eq!(by(alias), by(verb));
        }
    }
}
