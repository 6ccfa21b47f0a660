//! Drives the real `siaga` binary (`SIAGA_BIN`) in labs of its own. Every lab is taken down, also after a failure.

pub mod advice;
pub mod dice;
pub mod mailroom;

use serde_json::Value;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// How long one command may take at the most, before the test gives it up.
const AT_MOST: Duration = Duration::from_secs(180);

/// The binary under test.
pub fn binary() -> PathBuf {
    match std::env::var_os("SIAGA_BIN") {
        Some(path) => path.into(),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/ci/siaga"),
    }
}

/// What came of a command.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    fn of(output: &Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Standard output as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out)
            .unwrap_or_else(|e| panic!("no JSON ({e}): {}\n{}", self.out, self.err))
    }

    /// It ended with this code.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(
            self.code, code,
            "standard output:\n{}\nstandard error:\n{}",
            self.out, self.err
        );
        self
    }
}

/// A lab with two nodes and a client. Taken down when dropped.
pub struct Lab {
    name: String,
}

static COUNT: AtomicU32 = AtomicU32::new(0);

impl Lab {
    /// `lab up` with these options, and the service started on `serverdb`.
    pub fn up(options: &[&str]) -> Self {
        let lab = Self::bare(options);
        lab.wait_for_agents();
        lab.siaga(
            "serverdb",
            &["start", "--yes", "--json", "--reason", "first start"],
        )
        .expect(0);
        lab
    }

    /// `lab up` with these options, and nothing started.
    pub fn bare(options: &[&str]) -> Self {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let lab = Self {
            name: format!("e{}x{number}", std::process::id() % 100_000),
        };
        let mut args = vec!["up"];
        args.extend(options);
        lab.lab(&args).expect(0);
        lab
    }

    /// `siaga lab VERB …` on this lab.
    pub fn lab(&self, args: &[&str]) -> Ran {
        let mut command = Command::new(binary());
        command
            .arg("lab")
            .arg(args[0])
            .args(["--name", &self.name])
            .args(&args[1..]);
        run(command)
    }

    /// A command inside a node, or the client.
    pub fn exec(&self, node: &str, argv: &[&str]) -> Ran {
        run(self.exec_command(node, argv))
    }

    fn exec_command(&self, node: &str, argv: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command
            .args(["lab", "exec", "--name", &self.name, node, "--"])
            .args(argv);
        command
    }

    /// `siaga …` inside a node.
    pub fn siaga(&self, node: &str, args: &[&str]) -> Ran {
        let binary = binary();
        let mut argv = vec![binary.to_str().expect("a readable path")];
        argv.extend(args);
        self.exec(node, &argv)
    }

    /// A command inside a node, not waited for; ended when dropped.
    pub fn beside(&self, node: &str, argv: &[&str]) -> Beside {
        Beside::spawn(self.exec_command(node, argv))
    }

    /// `siaga …` inside a node, not waited for.
    pub fn siaga_beside(&self, node: &str, args: &[&str]) -> Beside {
        let binary = binary();
        let mut argv = vec![binary.to_str().expect("a readable path")];
        argv.extend(args);
        Beside::spawn(self.exec_command(node, &argv))
    }

    /// `siaga lab load` for so many seconds, not waited for.
    pub fn load(&self, seconds: u32) -> Beside {
        let mut command = Command::new(binary());
        let seconds = seconds.to_string();
        command.args([
            "lab",
            "load",
            "--name",
            &self.name,
            "--seconds",
            &seconds,
            "--json",
        ]);
        Beside::spawn(command)
    }

    /// `lab status --json`.
    pub fn status(&self) -> Value {
        self.lab(&["status", "--json"]).expect(0).json()
    }

    /// Waits until both agents answer, each to its own people.
    pub fn wait_for_agents(&self) {
        for node in ["serverdb", "backup"] {
            self.wait_for_agent(node);
        }
    }

    /// Waits until the agent of `node` answers.
    pub fn wait_for_agent(&self, node: &str) {
        wait_until("the agent answers", || {
            self.siaga(node, &["status", "--json"]).code == 0
        });
    }

    /// Where `siaga status` on `node` says the service is active.
    pub fn active(&self, node: &str) -> Option<String> {
        let status = self.siaga(node, &["status", "--json"]);
        if status.code != 0 {
            return None;
        }
        status.json()["services"][0]["verdict"]["active"]
            .as_str()
            .map(str::to_owned)
    }

    /// The state of the verdict that `node` tells.
    pub fn state(&self, node: &str) -> String {
        self.siaga(node, &["status", "--json"]).expect(0).json()["services"][0]["verdict"]["state"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// The node that really has the file system mounted, whatever anybody says. Panics where both do.
    pub fn holder(&self) -> Option<String> {
        let status = self.status();
        let mount = status["service"]["mount"]
            .as_str()
            .expect("a mount point")
            .to_owned();
        let mut holders = Vec::new();
        for node in ["serverdb", "backup"] {
            let powered = status["nodes"]
                .as_array()
                .and_then(|nodes| nodes.iter().find(|n| n["name"] == node))
                .is_some_and(|n| n["powered"] == true);
            if powered && self.exec(node, &["findmnt", "-n", &mount]).code == 0 {
                holders.push(node.to_owned());
            }
        }
        assert!(holders.len() < 2, "both nodes hold the disk set");
        holders.pop()
    }
}

impl Lab {
    /// Looks at the lab from outside, also from another thread.
    pub fn eye(&self) -> Eye {
        Eye(self.name.clone())
    }
}

/// Looks at a lab from outside, and does not take it down.
pub struct Eye(String);

impl Eye {
    /// `lab status --json`, where it can be told now.
    fn status(&self) -> Option<Value> {
        let mut command = Command::new(binary());
        command.args(["lab", "status", "--name", &self.0, "--json"]);
        serde_json::from_str(&run(command).out).ok()
    }

    /// Do both nodes have the disk set mounted, and reach it? `None`: at least one does not.
    pub fn both_hold(&self) -> Option<String> {
        let status = self.status()?;
        let mount = format!(" {} ", status["service"]["mount"].as_str()?);
        let holds = |node: &Value| {
            let Some(pid) = node["init_pid"].as_i64() else {
                return false;
            };
            let mounts = std::fs::read_to_string(format!("/proc/{pid}/mountinfo"));
            node["disk_cut"] == false && mounts.is_ok_and(|m| m.contains(&mount))
        };
        let nodes = status["nodes"].as_array()?;
        // The first is asked again at the end: it may have let go while the other was asked.
        let all = nodes.iter().all(holds) && nodes.iter().all(holds);
        all.then(|| status.to_string())
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for node in ["serverdb", "backup"] {
                let events = self.siaga(node, &["events", "--limit", "40"]);
                eprintln!("--- events on {node}\n{}{}", events.out, events.err);
                let log = format!("/var/tmp/siaga-lab-{}/nodes/{node}/agent.log", self.name);
                let log = std::fs::read_to_string(&log).unwrap_or_default();
                let tail: Vec<&str> = log.lines().rev().take(40).collect();
                for line in tail.iter().rev() {
                    eprintln!("--- agent on {node}: {line}");
                }
            }
        }
        let down = self.lab(&["down"]);
        if down.code != 0 {
            eprintln!("lab down: {} {}", down.out, down.err);
        }
    }
}

/// A command that runs beside the test.
pub struct Beside(Option<Child>);

impl Beside {
    fn spawn(mut command: Command) -> Self {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Self(Some(command.spawn().expect("the binary starts")))
    }

    /// Waits for its end.
    pub fn end(mut self) -> Ran {
        let child = self.0.take().expect("not ended yet");
        Ran::of(&child.wait_with_output().expect("it can be waited for"))
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn run(mut command: Command) -> Ran {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let said = format!("{command:?}");
    let child = command
        .spawn()
        .unwrap_or_else(|e| panic!("{said}: {e}; set SIAGA_BIN"));
    let id = child.id();
    let begun = Instant::now();
    let (done, waited) = std::sync::mpsc::channel::<()>();
    let guard = std::thread::spawn(move || {
        if waited.recv_timeout(AT_MOST).is_err() {
            // Only the very process that this test started.
            let _ = Command::new("kill")
                .args(["-KILL", &id.to_string()])
                .status();
        }
    });
    let output = child.wait_with_output().expect("it can be waited for");
    let _ = done.send(());
    let _ = guard.join();
    assert!(begun.elapsed() < AT_MOST, "{said} did not end");
    Ran::of(&output)
}

/// Asks again until it is true; fails after a time that no healthy machine needs.
#[track_caller]
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < Duration::from_secs(60), "never: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
