//! `siaga join`: this machine becomes the site's second node, or a client probe.

use crate::args::Global;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::language;
use crate::place::{self, CONFIG, PROBE_CONFIG, STATE};
use crate::show;
use crate::term::out;
use siaga_agent::pki::join::{self, ConfigOutcome, RunJoinError};
use siaga_agent::pki::{JoinReport, Token};
use siaga_model::config::Language;
use siaga_words::{Setup, setup};
use std::io::{BufRead, IsTerminal, Read};
use std::path::{Path, PathBuf};

/// Bring this machine into the site with a token from `siaga token create`
///
/// The token is read from a file or from standard input, never from the command line, where others could see it. The
/// site's agent has to prove that it has the CA that the token names before anything is sent to it.
#[derive(clap::Args, Debug, Clone)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// A file with the token; default: it is asked for.
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// The name that the token was made for; default: this host's name, for a probe the one in its probe.toml.
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Join as a client probe.
    #[arg(long)]
    pub probe: bool,
    /// Where the site's configuration is written, unless there is one; for a probe, where its own is read.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where the event log and the keys are kept.
    #[arg(long, value_name = "DIR", default_value = STATE)]
    pub state_dir: PathBuf,
}

const EXAMPLES: &str = "Examples:
  siaga join
  siaga join --name backup --token-file /root/token
  siaga join --probe --name client1";

/// A token is one line; more is something else.
const LONGEST_TOKEN: u64 = 16 * 1024;

/// Carries the verb out.
pub fn run(global: &Global, args: &Args) -> Result<Exit, Fault> {
    let language = language::first(global);
    let text = match &args.token_file {
        Some(file) => from_file(file),
        None => from_stdin(language),
    };
    let usage = |text: Setup| Fault::Usage(setup(language, &text));
    let text = text.map_err(|e| {
        usage(Setup::TokenUnreadable {
            said: e.to_string(),
        })
    })?;
    let token: Token = text.parse().map_err(|_| usage(Setup::NotAToken))?;
    let name = name(args)?;
    let default = if args.probe { PROBE_CONFIG } else { CONFIG };
    let config = args
        .config
        .clone()
        .unwrap_or_else(|| PathBuf::from(default));
    // A probe gets no configuration: it has its own.
    let written = (!args.probe).then_some(config.as_path());
    let report = joined(&token, &name, &args.state_dir, written, language)?;
    said(&report, &config, language);
    Ok(Exit::Done)
}

fn joined(
    token: &Token,
    name: &str,
    state: &Path,
    config: Option<&Path>,
    language: Language,
) -> Result<JoinReport, Fault> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Fault::Local(format!("siaga join: {e}")))?;
    let failed = |e: RunJoinError| {
        Fault::Local(format!("siaga join: {}", show::keys::joining(language, &e)))
    };
    runtime
        .block_on(join::run(token, name, state, config))
        .map_err(failed)
}

fn name(args: &Args) -> Result<String, Fault> {
    if let Some(name) = &args.name {
        return Ok(name.clone());
    }
    let file = args
        .config
        .clone()
        .unwrap_or_else(|| PathBuf::from(PROBE_CONFIG));
    if args.probe && file.exists() {
        let config = siaga_probe::ProbeConfig::load(&file);
        return config
            .map(|c| c.name)
            .map_err(|e| Fault::Usage(format!("error: {e} [{}]", e.code())));
    }
    Ok(place::host_name())
}

fn from_file(file: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    std::fs::File::open(file)?
        .take(LONGEST_TOKEN)
        .read_to_string(&mut text)?;
    Ok(text)
}

fn from_stdin(language: Language) -> std::io::Result<String> {
    if std::io::stdin().is_terminal() {
        eprint!("{} ", setup(language, &Setup::TokenAsked));
    }
    let mut text = String::new();
    std::io::stdin()
        .lock()
        .take(LONGEST_TOKEN)
        .read_line(&mut text)?;
    Ok(text)
}

fn said(report: &JoinReport, config: &Path, language: Language) {
    let say = |text: Setup| out(&setup(language, &text));
    let file = config.to_owned();
    say(Setup::Joined {
        name: report.name.to_string(),
    });
    say(Setup::CaFingerprint {
        fingerprint: report.ca.to_string(),
    });
    say(Setup::KeyFingerprint {
        fingerprint: report.key.to_string(),
    });
    match report.config {
        ConfigOutcome::Written => say(Setup::ConfigWritten { file }),
        ConfigOutcome::Same => say(Setup::ConfigSame { file }),
        ConfigOutcome::Kept => eprintln!("{}", setup(language, &Setup::ConfigKept { file })),
        ConfigOutcome::None => {
            for agent in &report.agents {
                say(Setup::Agent {
                    node: agent.node.to_string(),
                    addresses: agent.addresses.iter().map(ToString::to_string).collect(),
                });
            }
        }
    }
}
