//! `siaga completions`: what a shell needs to complete the command line.

use crate::args::Global;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::term::out;
use crate::{help, language};
use clap_complete::Shell;

/// Print the completions for a shell
#[derive(clap::Args, Debug, Clone)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The shell.
    #[arg(value_enum, value_name = "SHELL")]
    pub shell: Shell,
}

const EXAMPLES: &str = "Examples:
  siaga completions bash > /usr/share/bash-completion/completions/siaga
  siaga completions zsh > /usr/share/zsh/vendor-completions/_siaga";

/// Carries the verb out.
pub fn run(global: &Global, args: &Args) -> Result<Exit, Fault> {
    let mut text = Vec::new();
    let mut command = help::completed(language::first(global));
    clap_complete::generate(args.shell, &mut command, "siaga", &mut text);
    out(String::from_utf8_lossy(&text).trim_end());
    Ok(Exit::Done)
}
