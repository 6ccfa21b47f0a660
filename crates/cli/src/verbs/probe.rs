//! `siaga probe`: the client's side, on a client machine.

use crate::args::Global;
use crate::exit::Exit;
use crate::language;
use crate::place::{PROBE_CONFIG, STATE};
use crate::show;
use siaga_agent::pki::PkiError;
use siaga_agent::probe_link::PeerReporter;
use siaga_model::NodeName;
use siaga_probe::{AgentEntry, ConfigError, ProbeConfig};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

/// Run the client probe: does the service answer where its users reach it?
///
/// It stays in the foreground, and reports to the agents what it saw, measured on this machine's own clock. It joins
/// the site once with `siaga join --probe`.
#[derive(clap::Args, Debug, Clone)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The probe's configuration.
    #[arg(long, value_name = "FILE", default_value = PROBE_CONFIG)]
    pub config: PathBuf,
    /// Where its keys are.
    #[arg(long, value_name = "DIR", default_value = STATE)]
    pub state_dir: PathBuf,
}

const EXAMPLES: &str = "Examples:
  siaga join --probe
  systemctl start siaga-probe
  siaga probe --config /etc/siaga/probe.toml";

#[derive(Debug, thiserror::Error)]
enum ProbeError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Keys(#[from] PkiError),
    #[error(transparent)]
    Runtime(#[from] std::io::Error),
}

/// Runs until it is killed: it has nothing to lose.
pub fn run(global: &Global, args: &Args) -> ExitCode {
    crate::trace::start();
    let Err(error) = probe(args);
    let language = language::first(global);
    let text = match &error {
        ProbeError::Config(error) => show::keys::probe_config(language, error),
        ProbeError::Keys(error) => show::keys::pki(language, error),
        ProbeError::Runtime(error) => error.to_string(),
    };
    eprintln!("siaga probe: {text}");
    match error {
        ProbeError::Config(_) => Exit::Usage.into(),
        ProbeError::Keys(_) | ProbeError::Runtime(_) => Exit::Failed.into(),
    }
}

fn probe(args: &Args) -> Result<std::convert::Infallible, ProbeError> {
    let config = ProbeConfig::load(&args.config)?;
    let entry = |a: &AgentEntry| (a.node.clone(), a.addresses.clone());
    let agents: Vec<(NodeName, Vec<SocketAddr>)> = config.agents.iter().map(entry).collect();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let reporter = PeerReporter::start(&args.state_dir, &agents)?;
        Ok(siaga_probe::run(config, move |report| reporter.report(report)).await)
    })
}
