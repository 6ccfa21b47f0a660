//! A lab of the real binary. Taken down when dropped, also after a failure.

use crate::clock::Moment;
use crate::error::{Doing, Result, failed, unexpected};
use serde_json::Value;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

/// The two nodes.
pub const NODES: [&str; 2] = ["serverdb", "backup"];

/// The node that is not `node`.
pub fn other(node: &str) -> &'static str {
    if node == NODES[0] { NODES[1] } else { NODES[0] }
}

/// One lab.
pub struct Lab {
    siaga: PathBuf,
    /// This program, where the lab's machines see it.
    bench: PathBuf,
    name: String,
    pub status: Value,
}

impl Lab {
    /// Builds a lab. `agents`: with Siaga's agents and its probe, else with nothing but the machines.
    pub fn up(siaga: &Path, name: &str, agents: bool) -> Result<Self> {
        let mut options = vec!["--size", "2G"];
        options.extend((!agents).then_some("--no-agents"));
        Self::with(siaga, name, &options)
    }

    /// Builds a lab with these options.
    pub fn with(siaga: &Path, name: &str, options: &[&str]) -> Result<Self> {
        let mut lab = Self {
            siaga: siaga.to_owned(),
            bench: PathBuf::new(),
            name: name.to_owned(),
            status: Value::Null,
        };
        lab.lab(&[&["up"], options].concat())?;
        lab.status = json(&lab.lab(&["status", "--json"])?)?;
        // The machines hide /tmp and the like, and show their lab's directory.
        let own = std::env::current_exe().doing("find this program")?;
        lab.bench = lab.dir().join("siaga-bench");
        std::fs::copy(own, &lab.bench).doing("copy this program into the lab")?;
        Ok(lab)
    }

    /// `siaga lab VERB …`.
    pub fn lab(&self, args: &[&str]) -> Result<Output> {
        let mut command = Command::new(&self.siaga);
        command
            .arg("lab")
            .arg(args[0])
            .args(["--name", &self.name])
            .args(&args[1..]);
        run(command, &format!("siaga lab {}", args[0]))
    }

    /// A command inside a machine.
    pub fn command<S: AsRef<OsStr>>(&self, machine: &str, argv: &[S]) -> Command {
        let mut command = Command::new(&self.siaga);
        command
            .args(["lab", "exec", "--name", &self.name, machine, "--"])
            .args(argv);
        command
    }

    /// This program inside a machine.
    pub fn bench(&self, machine: &str, args: &[&str]) -> Command {
        let mut command = self.command(machine, &[&self.bench]);
        command.args(args);
        command
    }

    /// `siaga …` inside a node, with JSON as its answer; `Err` where it ended with another code than 0.
    pub fn siaga(&self, node: &str, args: &[&str]) -> Result<Vec<Value>> {
        let mut command = self.command(node, &[&self.siaga]);
        command.args(args);
        let output = run(command, &format!("siaga {}", args.join(" ")))?;
        let values = serde_json::Deserializer::from_slice(&output.stdout).into_iter::<Value>();
        values
            .collect::<std::result::Result<_, _>>()
            .map_err(|e| unexpected(format!("siaga {}: {e}", args[0])))
    }

    /// The binary that is measured.
    pub fn binary(&self) -> &Path {
        &self.siaga
    }

    /// The lab's directory.
    pub fn dir(&self) -> PathBuf {
        PathBuf::from(self.status["dir"].as_str().unwrap_or_default())
    }

    /// A text of the service in `lab status`.
    pub fn service(&self, key: &str) -> &str {
        self.status["service"][key].as_str().unwrap_or_default()
    }

    /// The process of a node's agent, as this machine numbers it.
    pub fn agent_pid(&self, node: &str) -> Result<i32> {
        let status = json(&self.lab(&["status", "--json"])?)?;
        let nodes = status["nodes"].as_array().cloned().unwrap_or_default();
        let init = nodes
            .iter()
            .find(|n| n["name"] == node)
            .and_then(|n| n["init_pid"].as_i64());
        let init = init.ok_or_else(|| unexpected(format!("{node} does not run")))?;
        let children = std::fs::read_to_string(format!("/proc/{init}/task/{init}/children"))
            .doing("list the node's processes")?;
        let is_agent = |pid: &i32| {
            std::fs::read(format!("/proc/{pid}/cmdline"))
                .is_ok_and(|line| line.split(|b| *b == 0).nth(1) == Some(b"agent"))
        };
        let found = children
            .split_ascii_whitespace()
            .filter_map(|p| p.parse().ok())
            .find(is_agent);
        found.ok_or_else(|| unexpected(format!("{node} has no agent")))
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if let Err(error) = self.lab(&["down"]) {
            eprintln!("{error}");
        }
    }
}

/// Standard output as JSON.
pub fn json(output: &Output) -> Result<Value> {
    serde_json::from_slice(&output.stdout).map_err(|e| unexpected(format!("no JSON: {e}")))
}

/// Runs to its end; a code other than 0 is an error.
pub fn run(mut command: Command, called: &str) -> Result<Output> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .doing(format!("run {called}"))?;
    if output.status.success() {
        Ok(output)
    } else {
        Err(failed(called, &output))
    }
}

/// The measuring client while it runs. Ended when dropped.
pub struct Client {
    child: Child,
    lines: BufReader<ChildStdout>,
}

/// What the client saw of one move.
#[derive(Clone, Copy, Debug)]
pub struct Sighting {
    /// The first commit that the new server confirmed.
    pub first: Moment,
    /// The last one of the old server.
    pub last: Moment,
}

impl Client {
    /// Starts it, and waits until it is served.
    pub fn steady(lab: &Lab) -> Result<Self> {
        let mut command = lab.bench("client", &["__client", "--dsn", lab.service("dsn")]);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .doing("start the client")?;
        let out = child
            .stdout
            .take()
            .ok_or_else(|| unexpected("the client has no output"))?;
        let mut client = Self {
            child,
            lines: BufReader::new(out),
        };
        match client.line()?.as_str() {
            "steady" => Ok(client),
            line => Err(unexpected(format!("the client said {line:?}"))),
        }
    }

    /// Waits for the first commit of another server.
    pub fn first_commit(mut self) -> Result<Sighting> {
        let line = self.line()?;
        let mut words = line.split(' ');
        let moment = |word: Option<&str>| word.and_then(|w| w.parse().ok()).map(Moment);
        match (words.next(), moment(words.next()), moment(words.next())) {
            (Some("new"), Some(first), Some(last)) => Ok(Sighting { first, last }),
            _ => Err(unexpected(format!("the client said {line:?}"))),
        }
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.lines.read_line(&mut line).doing("hear the client")?;
        Ok(line.trim_end().to_owned())
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // `lab exec` passes its death on to the client itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
