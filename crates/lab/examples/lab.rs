//! The lab alone, without the rest of `siaga`: `lab up`, `lab down` and so on. For the lab's own tests.

use clap::Parser;
use siaga_lab::{LabArgs, Program};
use std::process::ExitCode;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    lab: LabArgs,
}

fn main() -> ExitCode {
    if let Some(code) = siaga_lab::fence_main() {
        return code;
    }
    let cli = Cli::parse();
    match Program::lab_only() {
        Ok(mut program) => {
            // A stand-in for `siaga`, so that the keeping of agents is tried without real ones.
            program.siaga = std::env::var_os("LAB_STAND_IN").map(Into::into);
            siaga_lab::run(cli.lab, &program)
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
