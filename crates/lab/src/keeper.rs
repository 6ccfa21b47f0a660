//! Keeps a machine's agent (on the client: the probe) running, as a service manager would.

use crate::error::{Doing, Result, on};
use crate::layout::{CONFIG_FILE, Layout, PROBE_FILE};
use crate::machine::Machine;
use crate::state::LabState;
use crate::tools;
use rustix::process::{Pid, Signal, WaitOptions, kill_process, wait};
use std::fs::File;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// An agent that lived shorter than this is not started again at once.
const LIVED: Duration = Duration::from_secs(1);
const FIRST_DELAY: Duration = Duration::from_millis(250);
const LONGEST_DELAY: Duration = Duration::from_secs(4);
/// How long an agent may take to end when it is asked to.
const TO_END: Duration = Duration::from_secs(10);

/// The agent, and what is to be done about it.
pub(crate) struct Keeper {
    siaga: Option<PathBuf>,
    machine: Machine,
    lab: String,
    log: PathBuf,
    running: Option<Running>,
    /// It is to run.
    wanted: bool,
    start_at: Option<Instant>,
    kill_at: Option<Instant>,
    delay: Duration,
    /// Those who wait for its end.
    waiting: Vec<UnixStream>,
}

struct Running {
    pid: Pid,
    since: Instant,
}

impl Keeper {
    pub fn new(layout: &Layout, state: &LabState, machine: Machine) -> Result<Self> {
        let log = layout.agent_log(machine);
        File::options()
            .create(true)
            .append(true)
            .open(&log)
            .doing(|| on("open", &log))?;
        Ok(Self {
            siaga: state.siaga.clone(),
            machine,
            lab: state.name.clone(),
            log,
            running: None,
            wanted: false,
            start_at: None,
            kill_at: None,
            delay: FIRST_DELAY,
            waiting: Vec::new(),
        })
    }

    /// Starts the agent, if there is one and it has a configuration.
    pub fn start(&mut self) {
        if self.siaga.is_some() && self.config().exists() && self.running.is_none() {
            self.wanted = true;
            self.start_at = Some(Instant::now());
            self.act();
        }
    }

    /// The same on a person's word; an error says why not.
    pub fn start_on_demand(&mut self) -> std::result::Result<(), String> {
        if self.siaga.is_none() {
            return Err("the lab was started without agents".into());
        }
        if !self.config().exists() {
            return Err(format!("{} is not there", self.config().display()));
        }
        self.delay = FIRST_DELAY;
        self.start();
        Ok(())
    }

    /// Asks the agent to end, for good. The stream comes back when there is none; else it is answered at the end.
    pub fn stop(&mut self, caller: UnixStream) -> Option<UnixStream> {
        self.wanted = false;
        self.start_at = None;
        let Some(running) = &self.running else {
            return Some(caller);
        };
        let _ = kill_process(running.pid, Signal::TERM);
        self.kill_at = Some(Instant::now() + TO_END);
        self.waiting.push(caller);
        None
    }

    /// Kills the agent; it is started again.
    pub fn kill(&mut self) -> std::result::Result<(), String> {
        let running = self.running.as_ref().ok_or("no agent runs")?;
        kill_process(running.pid, Signal::KILL).map_err(|errno| errno.to_string())
    }

    /// How long until there is something to do.
    pub fn next_act(&self) -> Option<Duration> {
        let at = [self.start_at, self.kill_at].into_iter().flatten().min()?;
        Some(at.saturating_duration_since(Instant::now()))
    }

    /// Does what is due.
    pub fn act(&mut self) {
        let due = |at: Option<Instant>| at.is_some_and(|at| at <= Instant::now());
        if due(self.kill_at) {
            self.kill_at = None;
            let _ = self.kill();
        }
        if due(self.start_at) {
            self.start_at = None;
            match self.spawn() {
                Ok(pid) => {
                    self.running = Some(Running {
                        pid,
                        since: Instant::now(),
                    })
                }
                Err(error) => {
                    self.note(&format!("did not start: {error}"));
                    self.later();
                }
            }
        }
    }

    /// Collects every child that has ended: the agent, and orphans of anybody.
    pub fn bury(&mut self) {
        while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
            let Some(running) = self.running.take_if(|running| running.pid == pid) else {
                continue;
            };
            let how = match (status.exit_status(), status.terminating_signal()) {
                (Some(code), _) => format!("exit code {code}"),
                (None, Some(signal)) => format!("signal {signal}"),
                (None, None) => "an unknown end".into(),
            };
            self.note(&format!("pid {pid} ended with {how}"));
            self.kill_at = None;
            for mut caller in self.waiting.drain(..) {
                let _ = writeln!(caller, "ok");
            }
            if !self.wanted {
                continue;
            }
            if running.since.elapsed() >= LIVED {
                self.delay = FIRST_DELAY;
                self.start_at = Some(Instant::now());
            } else {
                self.later();
            }
        }
    }

    fn later(&mut self) {
        self.start_at = Some(Instant::now() + self.delay);
        self.delay = (self.delay * 2).min(LONGEST_DELAY);
    }

    fn verb(&self) -> &'static str {
        if self.machine.is_node() {
            "agent"
        } else {
            "probe"
        }
    }

    fn config(&self) -> &'static Path {
        Path::new(if self.machine.is_node() {
            CONFIG_FILE
        } else {
            PROBE_FILE
        })
    }

    fn spawn(&self) -> std::io::Result<Pid> {
        let Some(siaga) = &self.siaga else {
            return Err(std::io::ErrorKind::NotFound.into());
        };
        let log = File::options().create(true).append(true).open(&self.log)?;
        let mut command = Command::new(siaga);
        command.arg(self.verb()).env_clear().envs(environment(
            &self.lab,
            self.machine,
            Some(siaga),
        ));
        command
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        // SAFETY: both calls may be made between fork and exec.
        unsafe {
            command.pre_exec(|| {
                let mut none: libc::sigset_t = std::mem::zeroed();
                libc::sigemptyset(&raw mut none);
                libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
                libc::setsid();
                Ok(())
            });
        }
        let child = command.spawn()?;
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        pid.ok_or_else(|| std::io::Error::other("a child without a number"))
    }

    /// A line of the keeper's own in the agent's log.
    fn note(&self, text: &str) {
        if let Ok(mut log) = File::options().create(true).append(true).open(&self.log) {
            let _ = writeln!(log, "lab: {} {text}", self.verb());
        }
    }
}

/// What every program inside a machine finds in its environment.
pub(crate) fn environment(
    lab: &str,
    machine: Machine,
    siaga: Option<&Path>,
) -> Vec<(&'static str, String)> {
    // So that `siaga` is found by its name inside the machine.
    let own = siaga
        .and_then(Path::parent)
        .map(|dir| format!("{}:", dir.display()))
        .unwrap_or_default();
    vec![
        ("PATH", format!("{own}{}", tools::PATH)),
        ("HOME", "/root".into()),
        ("LANG", "C.UTF-8".into()),
        ("SIAGA_LAB", lab.to_owned()),
        ("SIAGA_LAB_NODE", machine.name().to_owned()),
    ]
}
