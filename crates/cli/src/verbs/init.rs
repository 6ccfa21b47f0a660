//! `siaga init`: the site's CA and the first node's keys.

use crate::args::{self, Global};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::language;
use crate::place::{self, CONFIG, STATE};
use crate::show;
use crate::term::out;
use siaga_config::HostChecks;
use siaga_model::NodeName;
use siaga_model::config::Config;
use siaga_words::{Setup, setup};
use std::path::{Path, PathBuf};

/// Make the site's certificate authority and this first node's keys
///
/// Once per site, on one node, after the configuration is in place. The other node joins with a token.
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
}

const EXAMPLES: &str = "Examples:
  siaga config check
  siaga init --node serverdb
  systemctl enable --now siaga
  siaga token create --for backup";

/// Carries the verb out.
pub fn run(global: &Global, args: &Args) -> Result<Exit, Fault> {
    let config = match load(global, &args.config) {
        Ok(config) => config,
        Err(text) => return Err(Fault::Usage(text)),
    };
    let node = args
        .node
        .clone()
        .unwrap_or_else(|| NodeName::new(place::host_name()));
    if config.node(&node).is_none() {
        return Err(no_such_node(global, &config, &node));
    }
    let language = language::asked(global).unwrap_or(config.site.language);
    let report = siaga_agent::pki::init(&args.state_dir, &config.site.name, &node)
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
    Ok(Exit::Done)
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
