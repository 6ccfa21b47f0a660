//! `siaga init`: the site's configuration where there is none, its CA, and the first node's keys; what runs here already
//! goes on.

mod ask;
mod say;
mod suggest;

use crate::args::{self, Global};
use crate::client::{CallError, Client};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::language;
use crate::place::{self, CONFIG, STATE};
use crate::show;
use crate::term::{Term, out};
use say::{print, said, say_adopted, say_found_troubles, say_open};
use siaga_agent::adopting;
use siaga_agent::survey;
use siaga_config::HostChecks;
use siaga_config::draft::{Answers, AnswersError, Draft};
use siaga_model::NodeName;
use siaga_model::config::{Config, Language};
use siaga_model::question::Question;
use siaga_words::{Setup, Wizard, setup, wizard};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use suggest::Ground;

/// Make the site's certificate authority and this first node's keys
///
/// Once per site, on one node. Where there is no configuration yet, it asks for what one needs, with what is found on this
/// server as the default, and writes it. A database that runs here as configured goes on and is not restarted. The other
/// node joins with a token.
#[derive(clap::Args, Debug, Clone)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Which of the configuration's nodes this machine is; default: the one named like this host.
    #[arg(long, value_name = "NODE", value_parser = args::node)]
    pub node: Option<NodeName>,
    /// The site's configuration.
    #[arg(long, value_name = "FILE", default_value = CONFIG)]
    pub config: PathBuf,
    /// Where the event log and the keys are kept.
    #[arg(long, value_name = "DIR", default_value = STATE)]
    pub state_dir: PathBuf,
    /// Answers as TOML or JSON, in place of questions; what is not in it is taken from what is found here.
    #[arg(long, value_name = "FILE")]
    pub answers: Option<PathBuf>,
    /// Print what is found here, and the configuration that it makes; write nothing.
    #[arg(long)]
    pub print: bool,
    /// The same as JSON.
    #[arg(long)]
    pub json: bool,
}

const EXAMPLES: &str = "Examples:
  siaga init
  siaga init --print
  siaga init --answers /root/answers.toml
  siaga init --node serverdb
  systemctl enable --now siaga
  siaga token create --for backup";

/// What must not outlive the boot.
const RUN: &str = "/run/siaga";

/// Carries the verb out.
pub fn run(global: &Global, args: &Args) -> Result<Exit, Fault> {
    let language = language::first(global);
    if args.print || args.json {
        let ground = ground(language);
        let answers = from_file(language, args)?.unwrap_or_default();
        return print(args, &ground, &filled(&ground, answers));
    }
    let exists = args.config.exists();
    let usage = |text: Wizard| Fault::Usage(wizard(language, &text));
    let file = args.config.clone();
    match (&args.answers, exists) {
        (Some(_), true) => Err(Fault::Refused(wizard(language, &Wizard::Exists { file }))),
        (None, true) => from_config(global, args),
        (Some(_), false) => {
            let ground = ground(language);
            let answers = from_file(language, args)?.unwrap_or_default();
            let answers = filled(&ground, answers);
            write(args, &answers)?;
            make(args, &ground, &answers)
        }
        (None, false) if Term::look().interactive => interactively(global, args, language),
        (None, false) => Err(usage(Wizard::NoTerminal { file })),
    }
}

fn interactively(global: &Global, args: &Args, language: Language) -> Result<Exit, Fault> {
    let client = Client::new(&global.socket)?;
    let ground = ground(language);
    let nothing = |error: CallError| {
        eprintln!("{}", wizard(language, &Wizard::NothingWritten));
        match error {
            CallError::Interrupted => Ok(Exit::Interrupted),
            other => Err(Fault::Call(other)),
        }
    };
    let asked = match ask::ask_all(&ground, &client, &checks(args)) {
        Ok(asked) => asked,
        Err(error) => return nothing(error),
    };
    let Some(answers) = asked else {
        eprintln!("{}", wizard(language, &Wizard::NothingWritten));
        return Ok(Exit::Restored);
    };
    let language = answers.language();
    out(&format!("\n{}", Draft::of(&answers).text()));
    say_open(&answers);
    let file = args.config.clone();
    let question = wizard(language, &Wizard::AskWrite { file });
    let said = match Term::look().ask(&client, &question) {
        Ok(said) => said.unwrap_or_default(),
        Err(error) => return nothing(error),
    };
    if !matches!(said.as_str(), "yes" | "y" | "ya") {
        eprintln!("{}", wizard(language, &Wizard::NothingWritten));
        return Ok(Exit::Restored);
    }
    write(args, &answers)?;
    make(args, &ground, &answers)
}

/// As `config check` looks at it.
fn checks(args: &Args) -> HostChecks {
    HostChecks {
        secrets_missing: args.config == Path::new(CONFIG),
        ..HostChecks::this_host(None)
    }
}

fn ground(language: Language) -> Ground {
    let zone = std::fs::read_link("/etc/localtime").ok();
    let zone = zone.and_then(|link| {
        let (_, zone) = link.to_str()?.split_once("zoneinfo/")?;
        Some(zone.to_owned())
    });
    Ground {
        found: survey::look(),
        // A server that was never told its zone says UTC.
        time_zone: zone.filter(|z| !matches!(z.as_str(), "Etc/UTC" | "UTC")),
        operators: suggest::operators(
            std::env::var("SUDO_USER").ok(),
            &std::fs::read_to_string("/etc/group").unwrap_or_default(),
        ),
        language: match language {
            Language::English => "en",
            Language::Indonesian => "id",
        },
    }
}

fn from_file(language: Language, args: &Args) -> Result<Option<Answers>, Fault> {
    let Some(file) = &args.answers else {
        return Ok(None);
    };
    let unreadable = |said: String| {
        let file = file.clone();
        Fault::Usage(wizard(language, &Wizard::AnswersUnreadable { file, said }))
    };
    let text = std::fs::read_to_string(file).map_err(|e| unreadable(e.to_string()))?;
    Answers::read(&text).map(Some).map_err(|error| {
        unreadable(match error {
            AnswersError::Syntax { said } => said,
            AnswersError::NoSuchQuestion { key, suggestion } => {
                wizard(language, &Wizard::NoSuchQuestion { key, suggestion })
            }
            AnswersError::NotText { key } => wizard(language, &Wizard::NotAText { key }),
        })
    })
}

/// What was not answered is taken from what is found, as Enter would.
fn filled(ground: &Ground, mut answers: Answers) -> Answers {
    for asked in Question::ALL.iter().copied() {
        if answers.is_settled(asked) || !answers.asks(asked) {
            continue;
        }
        if let Some(found) = ask::likely(ground, &answers, asked) {
            answers.set(asked, &found);
        }
    }
    answers
}

/// Writes it where it is whole and passes, and where there is none. Nothing is written otherwise.
fn write(args: &Args, answers: &Answers) -> Result<(), Fault> {
    let language = answers.language();
    let refuse = |text: Wizard| Fault::Usage(wizard(language, &text));
    let missing = answers.missing();
    if !missing.is_empty() {
        let keys = missing.iter().map(|q| q.key().to_owned()).collect();
        return Err(refuse(Wizard::Missing { keys }));
    }
    let draft = Draft::of(answers);
    draft.check(&checks(args)).map_err(|errors| {
        let said = said(language, &errors);
        refuse(Wizard::Wrong { said })
    })?;
    let file = args.config.clone();
    match put(&file, &draft.text()) {
        Ok(()) => {
            out(&setup(language, &Setup::ConfigWritten { file }));
            Ok(())
        }
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {
            Err(Fault::Refused(wizard(language, &Wizard::Exists { file })))
        }
        Err(e) => {
            let said = e.to_string();
            Err(Fault::Local(wizard(
                language,
                &Wizard::CanNotWrite { file, said },
            )))
        }
    }
}

/// Whole or not at all, and never over another file.
fn put(file: &Path, text: &str) -> std::io::Result<()> {
    if let Some(dir) = file.parent() {
        std::fs::create_dir_all(dir)?;
    }
    let mut part = file.as_os_str().to_owned();
    part.push(format!(".{}", std::process::id()));
    let mut open = std::fs::OpenOptions::new();
    let mut new = open.write(true).create_new(true).mode(0o644).open(&part)?;
    let linked = new
        .write_all(text.as_bytes())
        .and_then(|()| new.sync_all())
        .and_then(|()| std::fs::hard_link(&part, file));
    let _ = std::fs::remove_file(&part);
    linked
}

/// The keys for a configuration that was just written.
fn make(args: &Args, ground: &Ground, answers: &Answers) -> Result<Exit, Fault> {
    let language = answers.language();
    let config = siaga_config::load_checked(&args.config, &HostChecks::start());
    let (config, _) = config.map_err(|e| Fault::Usage(e.render(language)))?;
    let node = NodeName::new(answers.get(Question::ThisNode).unwrap_or_default());
    site(args, &config, &node, language)?;
    say_open(answers);
    say_found_troubles(language, ground, answers);
    for address in config.services.iter().flat_map(|s| &s.virtual_ips) {
        let address = address.address.to_string();
        let service = config.services[0].name.to_string();
        if ground.server().is_some() && !ground.is_here(&address) {
            out(&wizard(
                language,
                &Wizard::AddressNotYet { address, service },
            ));
        }
    }
    let other = answers.get(Question::OtherNode).unwrap_or_default();
    let other = other.to_owned();
    out(&wizard(language, &Wizard::Next { other }));
    Ok(Exit::Done)
}

fn from_config(global: &Global, args: &Args) -> Result<Exit, Fault> {
    let config = load(global, &args.config).map_err(Fault::Usage)?;
    let node = args
        .node
        .clone()
        .unwrap_or_else(|| NodeName::new(place::host_name()));
    if config.node(&node).is_none() {
        return Err(no_such_node(global, &config, &node));
    }
    let language = language::asked(global).unwrap_or(config.site.language);
    site(args, &config, &node, language)?;
    Ok(Exit::Done)
}

/// CA, keys, the first rows of the log; what runs here goes on.
fn site(args: &Args, config: &Config, node: &NodeName, language: Language) -> Result<(), Fault> {
    let place = adopting::Place {
        config,
        node,
        state_dir: &args.state_dir,
        run_dir: PathBuf::from(RUN),
        account: &place::account(),
    };
    let (report, adopted) = adopting::init(&place)
        .map_err(|e| Fault::Local(format!("siaga init: {}", show::keys::pki(language, &e))))?;
    for text in [
        Setup::FirstNode {
            node: report.node.to_string(),
            site: config.site.name.clone(),
        },
        Setup::CaFingerprint {
            fingerprint: report.ca.to_string(),
        },
        Setup::KeyFingerprint {
            fingerprint: report.key.to_string(),
        },
    ] {
        out(&setup(language, &text));
    }
    for one in &adopted {
        say_adopted(language, one);
    }
    Ok(())
}

/// The configuration is there, and that node is not in it.
pub fn no_such_node(global: &Global, config: &Config, node: &NodeName) -> Fault {
    let language = language::asked(global).unwrap_or(config.site.language);
    let text = Setup::NoSuchNode {
        node: node.clone(),
        names: config.nodes.iter().map(|n| n.name.to_string()).collect(),
    };
    Fault::Usage(setup(language, &text))
}

/// The configuration, or all its errors as text in the site's language.
pub fn load(global: &Global, path: &Path) -> Result<Config, String> {
    match siaga_config::load_checked(path, &HostChecks::start()) {
        Ok((config, _)) => Ok(config),
        Err(errors) => Err(errors.render(language::asked(global).unwrap_or(errors.language))),
    }
}
