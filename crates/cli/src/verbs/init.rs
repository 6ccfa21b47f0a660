//! `siaga init`: the site's CA and the first node's keys.

use crate::args::{self, Global};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::language;
use crate::place::{self, CONFIG, STATE};
use crate::term::out;
use siaga_config::HostChecks;
use siaga_model::NodeName;
use siaga_model::config::Config;
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
        let names: Vec<&str> = config.nodes.iter().map(|n| n.name.as_str()).collect();
        let names = names.join(", ");
        return Err(Fault::Usage(format!(
            "error: the configuration has no node {node}; say --node with one of: {names}"
        )));
    }
    let report = siaga_agent::pki::init(&args.state_dir, &config.site.name, &node)
        .map_err(|e| Fault::Local(format!("siaga init: {e} [{}]", e.code())))?;
    out(&format!(
        "{} is the first node of {}.",
        report.node, config.site.name
    ));
    out(&format!("fingerprint of the site's CA: {}", report.ca));
    out(&format!("fingerprint of this node's key: {}", report.key));
    Ok(Exit::Done)
}

/// The configuration, or all its errors as text in the site's language.
pub fn load(global: &Global, path: &Path) -> Result<Config, String> {
    match siaga_config::load_checked(path, &HostChecks::start()) {
        Ok((config, _)) => Ok(config),
        Err(errors) => Err(errors.render(language::asked(global).unwrap_or(errors.language))),
    }
}
