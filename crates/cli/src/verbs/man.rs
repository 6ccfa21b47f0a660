//! `siaga man` (hidden, for packaging): writes the man pages.

use crate::exit::Exit;
use crate::fault::Fault;
use crate::help;
use siaga_model::config::Language;
use std::path::{Path, PathBuf};

/// Write the man pages into a directory
///
/// The English ones into man1 below it, the Indonesian ones into id/man1.
#[derive(clap::Args, Debug, Clone)]
#[command(hide = true, after_help = EXAMPLES)]
pub struct Args {
    /// The directory; it is made if need be.
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
}

const EXAMPLES: &str = "Examples:
  siaga man /usr/share/man";

/// Where the pages of each language are, as `man` looks for them.
const BELOW: [(Language, &str); 2] = [
    (Language::English, "man1"),
    (Language::Indonesian, "id/man1"),
];

/// Carries the verb out.
pub fn run(args: &Args) -> Result<Exit, Fault> {
    let write = |language, dir: &Path| -> std::io::Result<()> {
        std::fs::create_dir_all(dir)?;
        for (name, text) in help::pages(language)? {
            std::fs::write(dir.join(name), text)?;
        }
        Ok(())
    };
    for (language, below) in BELOW {
        let dir = args.dir.join(below);
        write(language, &dir).map_err(|e| Fault::Local(format!("{}: {e}", dir.display())))?;
    }
    Ok(Exit::Done)
}
