//! `lab exec`: a command inside a machine, with all of its namespaces.

use crate::args::{ExecArgs, LoadArgs, OnMachine};
use crate::error::{Doing, LabError, Result};
use crate::keeper::environment;
use crate::machine::Machine;
use crate::program::Program;
use crate::state::{LabState, look};
use rustix::process::{Signal, set_parent_process_death_signal};
use rustix::thread::{ThreadNameSpaceType, move_into_thread_name_spaces};
use std::ffi::OsString;
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::Command;

/// Runs a command inside a machine; its exit code. As a shell has it: 127 for a program that is not there, 126 for one
/// that can't be run, 128 and the signal's number for one that was killed.
pub(crate) fn exec(args: &ExecArgs) -> Result<u8> {
    let (_, state) = look(&args.on.which)?;
    run_in(&state, args.on.machine, &args.command)
}

/// `lab load`: this program once more, inside the client.
pub(crate) fn load(args: &LoadArgs, program: &Program) -> Result<u8> {
    if program.load.is_none() {
        return Err(LabError::NoLoad);
    }
    let which = args.which.clone();
    let (_, state) = look(
        &OnMachine {
            machine: Machine::Client,
            which,
        }
        .which,
    )?;
    let mut command = program.lab.clone();
    command.extend(
        [
            "__load",
            "--dsn",
            &state.dsn(),
            "--seconds",
            &args.seconds.to_string(),
        ]
        .map(OsString::from),
    );
    if args.json {
        command.push("--json".into());
    }
    run_in(&state, Machine::Client, &command)
}

fn run_in(state: &LabState, machine: Machine, words: &[OsString]) -> Result<u8> {
    let (program, args) = words
        .split_first()
        .ok_or_else(|| LabError::Broken("no command given".into()))?;
    enter(state, machine)?;
    let mut command = Command::new(program);
    command.args(args).current_dir("/").envs(environment(
        &state.name,
        machine,
        state.siaga.as_deref(),
    ));
    // SAFETY: one system call, which may be made between fork and exec. What runs in the machine ends with this.
    unsafe { command.pre_exec(|| Ok(set_parent_process_death_signal(Some(Signal::KILL))?)) };
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            eprintln!("siaga lab exec: {}: {error}", program.display());
            return Ok(if error.kind() == std::io::ErrorKind::NotFound {
                127
            } else {
                126
            });
        }
    };
    // Ctrl-C is for the command, which decides what to make of it.
    // SAFETY: ignoring a signal installs no handler.
    unsafe {
        libc::signal(libc::SIGINT, libc::SIG_IGN);
        libc::signal(libc::SIGQUIT, libc::SIG_IGN);
    }
    let status = child.wait().doing(|| "wait for the command".into())?;
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal));
    Ok(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}

/// Moves this process into a machine's namespaces; its next children are in the PID namespace too.
fn enter(state: &LabState, machine: Machine) -> Result<()> {
    let known = state.machine(machine);
    let init = known.live_init().ok_or(LabError::NodeOff(machine.name()))?;
    if known.frozen {
        return Err(LabError::NodeFrozen(machine.name()));
    }
    let handle = init.open()?.ok_or(LabError::NodeOff(machine.name()))?;
    let all = ThreadNameSpaceType::MOUNT
        | ThreadNameSpaceType::HOST_NAME_AND_NIS_DOMAIN_NAME
        | ThreadNameSpaceType::INTER_PROCESS_COMMUNICATION
        | ThreadNameSpaceType::PROCESS_ID
        | ThreadNameSpaceType::NETWORK;
    move_into_thread_name_spaces(handle.as_fd(), all).doing(|| format!("enter {}", machine.name()))
}
