//! `siaga man` (hidden, for packaging): writes the man pages.

use crate::args::Cli;
use crate::exit::Exit;
use crate::fault::Fault;
use clap::CommandFactory;
use std::path::{Path, PathBuf};

/// Write the man pages into a directory
#[derive(clap::Args, Debug, Clone)]
#[command(hide = true, after_help = EXAMPLES)]
pub struct Args {
    /// The directory; it is made if need be.
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
}

const EXAMPLES: &str = "Examples:
  siaga man /usr/share/man/man1";

/// Carries the verb out.
pub fn run(args: &Args) -> Result<Exit, Fault> {
    let write = |dir: &Path| -> std::io::Result<()> {
        std::fs::create_dir_all(dir)?;
        clap_mangen::generate_to(Cli::command(), dir)
    };
    write(&args.dir).map_err(|e| Fault::Local(format!("{}: {e}", args.dir.display())))?;
    Ok(Exit::Done)
}
