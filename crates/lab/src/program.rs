//! How the lab starts itself again, and what runs inside its machines.

use crate::args::LoadInsideArgs;
use crate::error::{Doing, Result};
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The program that carries the lab.
#[derive(Clone, Debug)]
pub struct Program {
    /// What comes before a lab verb: `["/usr/bin/siaga", "lab"]`.
    pub lab: Vec<OsString>,
    /// The program whose `agent`, `probe`, `init` and `join` the machines run; `None`: a lab without agents.
    pub siaga: Option<PathBuf>,
    /// The load client, called inside the client machine; returns its exit code.
    pub load: Option<fn(&LoadInsideArgs) -> u8>,
}

impl Program {
    /// The `siaga` binary that is running: its lab verbs come after `lab`.
    pub fn siaga(load: fn(&LoadInsideArgs) -> u8) -> Result<Self> {
        let exe = own_file()?;
        Ok(Self {
            lab: vec![exe.clone().into(), "lab".into()],
            siaga: Some(exe),
            load: Some(load),
        })
    }

    /// A program that is nothing but the lab, for tests: no agents.
    pub fn lab_only() -> Result<Self> {
        Ok(Self {
            lab: vec![own_file()?.into()],
            siaga: None,
            load: None,
        })
    }

    /// This program once more, with a hidden verb.
    pub(crate) fn again(&self, verb: &str) -> Command {
        let mut words = self.lab.iter();
        let mut command =
            Command::new(words.next().map_or_else(|| "siaga".into(), OsString::clone));
        command
            .args(words)
            .arg(verb)
            .stdin(Stdio::null())
            .current_dir("/");
        command
    }

    /// The same as a process group of its own, so that Ctrl-C at the terminal does not reach it.
    pub(crate) fn apart(&self, verb: &str) -> Command {
        let mut command = self.again(verb);
        command.process_group(0);
        command
    }
}

/// The running program's file: absolute, without links.
fn own_file() -> Result<PathBuf> {
    std::env::current_exe()
        .and_then(std::fs::canonicalize)
        .doing(|| "find the running program's file".into())
}
