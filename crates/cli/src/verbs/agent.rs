//! `siaga agent`: the daemon on each node.

use crate::args::{self, Global};
use crate::exit::Exit;
use crate::place::{CONFIG, STATE};
use siaga_agent::daemon::{self, AgentError, AgentOptions};
use siaga_model::NodeName;
use std::path::PathBuf;
use std::process::ExitCode;

/// Run the agent of this node; it stays in the foreground
///
/// Started by the system at boot. It takes nothing by itself, and its end or restart never touches a running database.
#[derive(clap::Args, Debug, Clone)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The site's configuration.
    #[arg(long, value_name = "FILE", default_value = CONFIG)]
    pub config: PathBuf,
    /// Where the event log and the keys are.
    #[arg(long, value_name = "DIR", default_value = STATE)]
    pub state_dir: PathBuf,
    /// This node's name; default: the one it was enrolled under by init or join.
    #[arg(long, value_name = "NODE", value_parser = args::node)]
    pub node: Option<NodeName>,
}

const EXAMPLES: &str = "Examples:
  systemctl start siaga
  siaga agent
  siaga agent --config /etc/siaga/siaga.toml --node serverdb";

/// Runs until it is told to stop.
pub fn run(global: &Global, args: Args) -> ExitCode {
    crate::trace::start();
    let options = AgentOptions {
        config: args.config,
        state_dir: args.state_dir,
        socket: global.socket.clone(),
        node: args.node,
    };
    match daemon::run(&options) {
        Ok(()) => Exit::Done.into(),
        Err(error) => {
            eprintln!("siaga agent: {error} [{}]", error.code());
            let exit = match error {
                AgentError::Config(_)
                | AgentError::NotConfigured(..)
                | AgentError::NotRoot
                | AgentError::Host(_) => Exit::Usage,
                AgentError::Journal(_)
                | AgentError::Identity(_)
                | AgentError::Server(_)
                | AgentError::Io(..) => Exit::Failed,
            };
            exit.into()
        }
    }
}
