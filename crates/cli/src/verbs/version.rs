//! `siaga version`.

use crate::exit::Exit;
use crate::fault::Fault;
use crate::term::out;

/// Print the version
#[derive(clap::Args, Debug, Clone)]
#[command(after_help = EXAMPLES)]
pub struct Args {}

const EXAMPLES: &str = "Examples:
  siaga version";

/// Carries the verb out.
pub fn run() -> Result<Exit, Fault> {
    out(&format!("siaga {}", env!("CARGO_PKG_VERSION")));
    Ok(Exit::Done)
}
