//! Starting a machine: namespaces, then its first process.

use crate::args::BootArgs;
use crate::error::{Doing, LabError, Result, on};
use crate::layout::Layout;
use crate::machine::Machine;
use crate::net;
use crate::process::{ProcessId, readable};
use crate::program::Program;
use crate::state::{LabState, load};
use crate::wait::Deadline;
use rustix::process::{Signal, set_parent_process_death_signal};
use rustix::thread::{UnshareFlags, unshare_unsafe};
use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Stdio};
use std::time::Duration;

const BOOT_PATIENCE: Duration = Duration::from_secs(30);

/// Starts a machine whose network and devices are there; returns its first process once it is ready.
pub(crate) fn start(
    layout: &Layout,
    program: &Program,
    machine: Machine,
    hold_agent: bool,
) -> Result<ProcessId> {
    let console = layout.console_log(machine);
    let log = File::options()
        .create(true)
        .append(true)
        .open(&console)
        .doing(|| on("open", &console))?;
    let mut command = program.apart("__boot");
    command.arg(machine.name()).arg("--dir").arg(layout.dir());
    if hold_agent {
        command.arg("--hold-agent");
    }
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .doing(|| "start a machine".into())?;
    let said = listen(&mut child, BOOT_PATIENCE);
    let init = said
        .as_ref()
        .ok()
        .and_then(|said| said.pid)
        .and_then(ProcessId::of);
    let failed = match said {
        Ok(Said { ready: true, .. }) => None,
        Ok(Said {
            error: Some(error), ..
        }) => Some(LabError::Broken(format!("{}: {error}", machine.name()))),
        Ok(_) => Some(LabError::Broken(format!(
            "{} did not boot: see {}",
            machine.name(),
            console.display()
        ))),
        Err(error) => Some(error),
    };
    if let Some(error) = failed {
        let _ = child.kill();
        let _ = child.wait();
        if let Some(init) = init {
            init.kill_and_wait(BOOT_PATIENCE)?;
        }
        return Err(error);
    }
    child.wait().doing(|| "wait for a machine's start".into())?;
    init.ok_or_else(|| LabError::Broken(format!("{} died right after its boot", machine.name())))
}

/// What a starting machine writes: `pid N`, then `ready` or `error TEXT`.
#[derive(Default)]
struct Said {
    pid: Option<i32>,
    ready: bool,
    error: Option<String>,
}

/// Reads until the machine is ready or its start has ended.
fn listen(child: &mut Child, patience: Duration) -> Result<Said> {
    let mut out = child
        .stdout
        .take()
        .ok_or_else(|| LabError::Broken("a child without its pipe".into()))?;
    let deadline = Deadline::new(patience);
    let mut text = Vec::new();
    loop {
        let said = understand(&String::from_utf8_lossy(&text));
        if (said.ready && said.pid.is_some()) || said.error.is_some() {
            return Ok(said);
        }
        if !readable(&out, deadline.left())? {
            return Err(LabError::Timeout {
                what: "the start of a machine".into(),
                after: patience,
            });
        }
        let mut part = [0; 512];
        match out
            .read(&mut part)
            .doing(|| "read from a starting machine".into())?
        {
            0 => return Ok(said),
            read => text.extend_from_slice(&part[..read]),
        }
    }
}

fn understand(text: &str) -> Said {
    let mut said = Said::default();
    // Only whole lines count.
    for line in text
        .split_inclusive('\n')
        .filter_map(|line| line.strip_suffix('\n'))
    {
        match line.split_once(' ') {
            Some(("pid", number)) => said.pid = number.parse().ok(),
            Some(("error", error)) => said.error = Some(error.to_owned()),
            _ if line == "ready" => said.ready = true,
            _ => {}
        }
    }
    said
}

/// `lab __boot`: makes the namespaces and starts the first process in them.
pub(crate) fn boot(args: &BootArgs, program: &Program) -> Result<()> {
    // Whoever starts the machine died: then nobody would know of it.
    set_parent_process_death_signal(Some(Signal::KILL))
        .doing(|| "tie the start to its parent".into())?;
    let state = state_in(args)?;
    net::enter_netns(&state.netns(args.machine))?;
    let flags =
        UnshareFlags::NEWNS | UnshareFlags::NEWPID | UnshareFlags::NEWUTS | UnshareFlags::NEWIPC;
    // SAFETY: of what can be unshared, only the descriptor table would be unsafe.
    unsafe { unshare_unsafe(flags) }.doing(|| "make namespaces".into())?;
    let mut command = program.again("__init");
    command.arg(args.machine.name()).arg("--dir").arg(&args.dir);
    if args.hold_agent {
        command.arg("--hold-agent");
    }
    let child = command.spawn().doing(|| "start the first process".into())?;
    let mut out = std::io::stdout();
    writeln!(out, "pid {}", child.id())
        .and_then(|()| out.flush())
        .doing(|| "report the first process".into())
}

/// The state of the lab that a hidden verb belongs to.
pub(crate) fn state_in(args: &BootArgs) -> Result<LabState> {
    let layout = Layout::new(args.dir.clone())?;
    let nothing = || LabError::Broken(format!("no lab in {}", args.dir.display()));
    load(&layout.state())?.ok_or_else(nothing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_line_is_not_understood_yet() {
        let said = understand("pid 12");
        assert_eq!(said.pid, None);
        let said = understand("ready\npid 123\n");
        assert_eq!((said.pid, said.ready), (Some(123), true));
        assert_eq!(
            understand("pid 1\nerror mount: no\n").error.as_deref(),
            Some("mount: no")
        );
    }
}
