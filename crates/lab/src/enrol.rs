//! Makes the lab's site: keys for serverdb, a token for backup and for the client's probe, and the agents started.

use crate::error::{Doing, LabError, Result, on};
use crate::init::tell;
use crate::layout::Layout;
use crate::machine::Machine;
use crate::program::Program;
use crate::state::LabState;
use crate::tools::checked;
use crate::wait::Deadline;
use serde::Deserialize;
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The probe's name in the site.
pub const PROBE_NAME: &str = "client1";
/// How long serverdb's agent may take until it listens.
const JOIN_PATIENCE: Duration = Duration::from_secs(15);
/// Where a machine finds the token that it joins with.
const TOKEN_FILE: &str = "/run/siaga-join.token";

/// Enrols all machines of a lab whose machines run, and starts their agents and the probe.
pub(crate) fn enrol(layout: &Layout, state: &LabState, program: &Program) -> Result<()> {
    let inside = Inside {
        layout,
        state,
        program,
    };
    inside.siaga(
        Machine::Serverdb,
        &["init", "--node", Machine::Serverdb.name()],
    )?;
    tell(layout, Machine::Serverdb, "start-agent")?;
    let token = inside.token(&["token", "create", "--for", Machine::Backup.name(), "--json"])?;
    inside.join(
        Machine::Backup,
        &token,
        &["join", "--token-file", TOKEN_FILE],
    )?;
    tell(layout, Machine::Backup, "start-agent")?;
    let token = inside.token(&["token", "create", "--probe", PROBE_NAME, "--json"])?;
    inside.join(
        Machine::Client,
        &token,
        &[
            "join",
            "--probe",
            "--name",
            PROBE_NAME,
            "--token-file",
            TOKEN_FILE,
        ],
    )?;
    tell(layout, Machine::Client, "start-agent")
}

struct Inside<'a> {
    layout: &'a Layout,
    state: &'a LabState,
    program: &'a Program,
}

#[derive(Deserialize)]
struct TokenCreated {
    token: String,
}

impl Inside<'_> {
    /// Runs a verb of `siaga` inside a machine; its standard output.
    fn siaga(&self, machine: Machine, args: &[&str]) -> Result<Vec<u8>> {
        let siaga = self.state.siaga.as_ref().ok_or(LabError::NoAgent)?;
        let mut command = self.program.again("exec");
        command
            .args([machine.name(), "--name", &self.state.name])
            .arg("--dir")
            .arg(self.layout.dir());
        command.arg("--").arg(siaga).args(args);
        let ran = checked(&mut command, None);
        match ran {
            Ok(output) => Ok(output.stdout),
            Err(LabError::Command { status, stderr, .. }) => Err(LabError::Command {
                program: format!("siaga {} in {}", args.join(" "), machine.name()),
                status,
                stderr: format!(
                    "{stderr} (see {})",
                    self.layout.agent_log(machine).display()
                ),
            }),
            Err(other) => Err(other),
        }
    }

    fn token(&self, args: &[&str]) -> Result<String> {
        let said = self.siaga(Machine::Serverdb, args)?;
        let created: TokenCreated = serde_json::from_slice(&said)
            .doing(|| format!("understand `siaga {}`", args.join(" ")))?;
        Ok(created.token)
    }

    /// Joins with the token in a file that only root can read, gone afterwards: not in any argument.
    fn join(&self, machine: Machine, token: &str, args: &[&str]) -> Result<()> {
        let path = self.seen_from_outside(machine, TOKEN_FILE)?;
        // Never readable by others, not even for a moment.
        let _ = std::fs::remove_file(&path);
        let opened = File::options()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path);
        let mut file = opened.doing(|| on("make", &path))?;
        file.write_all(token.as_bytes())
            .doing(|| on("write", &path))?;
        let mut deadline = Deadline::new(JOIN_PATIENCE);
        let joined = loop {
            match self.siaga(machine, args) {
                // The agent on serverdb was started a moment ago. This error leaves the token unspent.
                Err(LabError::Command { stderr, .. }) if stderr.contains("JOIN_UNREACHABLE") => {
                    if let Err(error) =
                        deadline.pause(&|| format!("serverdb's agent, which said: {stderr}"))
                    {
                        break Err(error);
                    }
                }
                ended => break ended,
            }
        };
        let _ = std::fs::remove_file(&path);
        joined.map(|_| ())
    }

    fn seen_from_outside(&self, machine: Machine, inside: &str) -> Result<PathBuf> {
        in_machine(self.state, machine, inside)
    }
}

/// A file of a machine that runs, as this process can open it.
pub(crate) fn in_machine(state: &LabState, machine: Machine, inside: &str) -> Result<PathBuf> {
    let init = state
        .machine(machine)
        .live_init()
        .ok_or(LabError::NodeOff(machine.name()))?;
    Ok(Path::new("/proc")
        .join(init.pid.to_string())
        .join("root")
        .join(inside.trim_start_matches('/')))
}
