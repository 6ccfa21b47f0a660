//! The `siaga` binary against an agent that answers from a script: exit codes, streams, confirmation, both languages,
//! and the guided screen on a real pseudo-terminal.

mod agent;
mod codes;
mod events;
mod guided;
mod help;
mod init;
mod migrate;
mod moves;
mod notices;
mod offline;
mod papers;
mod pty;
mod samples;
mod setup;

use std::process::{Command, Output, Stdio};

/// The binary with a clean environment: no colour, no locale.
fn siaga() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_siaga"));
    command
        .env_clear()
        .env("LANG", "C.UTF-8")
        .env("TERM", "xterm")
        .stdin(Stdio::null());
    command
}

/// What a finished command said.
struct Said {
    code: i32,
    out: String,
    err: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().expect("it ended by itself"),
            out: String::from_utf8(output.stdout).expect("text"),
            err: String::from_utf8(output.stderr).expect("text"),
        }
    }
}

/// Runs the binary to its end.
fn run(args: &[&str]) -> Said {
    siaga().args(args).output().expect("it starts").into()
}
