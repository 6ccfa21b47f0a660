//! `siaga lab`: two nodes, a client and a shared disk on this machine.

use crate::exit::Exit;
use siaga_lab::{LabArgs, LoadInsideArgs, Program};
use siaga_probe::load::{self, LoadError, LoadOptions};
use std::process::ExitCode;

/// Build and break two nodes, a client and a shared disk on this one machine
///
/// As real as namespaces allow: real PostgreSQL, real ARP, power cuts that lose what was not synced. Needs root.
#[derive(clap::Args, Debug, Clone)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    pub lab: LabArgs,
}

const EXAMPLES: &str = "Examples:
  siaga lab up
  siaga lab exec backup -- siaga status
  siaga lab cut-power serverdb
  siaga lab exec backup -- siaga takeover --yes
  siaga lab load --seconds 20 --json
  siaga lab down";

/// Writers of a load, side by side.
const WRITERS: u16 = 4;

/// Carries the verb out. Its exit codes are the lab's own.
pub fn run(args: Args) -> ExitCode {
    match Program::siaga(load) {
        Ok(program) => siaga_lab::run(args.lab, &program),
        Err(error) => {
            eprintln!("siaga lab: {error} [{}]", error.code());
            ExitCode::from(error.exit_code())
        }
    }
}

/// The load client, inside the client machine: 0, or 1 where a row is lost or the service did not come back.
fn load(args: &LoadInsideArgs) -> u8 {
    let dsn = match args.dsn.parse() {
        Ok(dsn) => dsn,
        Err(error) => {
            eprintln!("siaga lab load: {error}");
            return Exit::Usage.number();
        }
    };
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("siaga lab load: {error}");
            return Exit::Failed.number();
        }
    };
    let ended = runtime.block_on(load::run(LoadOptions::new(dsn, WRITERS, args.seconds)));
    let (result, error) = match ended {
        Ok(result) => (result, None),
        Err(LoadError::NotBack {
            seconds,
            why,
            so_far,
        }) => (
            *so_far,
            Some(format!(
                "the service did not answer within {seconds} s: {why}"
            )),
        ),
        Err(error @ LoadError::Nothing) => {
            eprintln!("siaga lab load: {error} [{}]", error.code());
            return Exit::Usage.number();
        }
    };
    if args.json {
        crate::show::json(&result).unwrap_or_else(|e| eprintln!("siaga lab load: {e}"));
    } else {
        let (acknowledged, found, lost) = (
            result.rows_acknowledged,
            result.rows_found,
            result.rows_lost,
        );
        crate::term::out(&format!(
            "rows acknowledged: {acknowledged}, found: {found}, lost: {lost}"
        ));
        let gaps = result
            .gaps
            .iter()
            .map(|g| format!("gap: {} ms (± {} ms)", g.ms, g.error_ms));
        gaps.for_each(|line| crate::term::out(&line));
    }
    if let Some(error) = &error {
        eprintln!("siaga lab load: {error}");
    }
    if result.rows_lost > 0 || error.is_some() {
        Exit::Failed.number()
    } else {
        Exit::Done.number()
    }
}
