//! A lab for a test: up by `TestLab::up`, down when it goes out of scope, also when the test fails.
#![allow(clippy::unwrap_used)]
#![allow(dead_code)] // Not every test file uses all of it.

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use serde_json::Value;
use std::fs::File;
use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The program under test: the lab alone, which `cargo test` builds as an example.
pub fn program() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let target = own.parent().unwrap().parent().unwrap();
    let lab = target.join("examples/lab");
    assert!(
        lab.exists(),
        "{} is not built: cargo build -p siaga-lab --examples",
        lab.display()
    );
    lab
}

pub fn run(args: &[&str]) -> Output {
    Command::new(program())
        .args(args)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}

/// What the command printed; panics unless it ended well.
pub fn good(output: Output) -> String {
    assert!(
        output.status.success(),
        "{}: {} {}",
        output.status,
        text(&output.stdout),
        text(&output.stderr)
    );
    text(&output.stdout)
}

pub struct TestLab {
    pub name: String,
}

impl TestLab {
    /// A name of its own, and nothing yet.
    pub fn named(name: &str) -> Self {
        Self {
            name: format!("t{}-{name}", std::process::id()),
        }
    }

    pub fn up(name: &str, options: &[&str]) -> Self {
        let lab = Self::named(name);
        good(lab.try_up(options));
        lab
    }

    pub fn try_up(&self, options: &[&str]) -> Output {
        let mut args = vec!["up", "--name", &self.name];
        args.extend(options);
        run(&args)
    }

    pub fn dir(&self) -> PathBuf {
        PathBuf::from(format!("/var/tmp/siaga-lab-{}", self.name))
    }

    /// A verb that only needs the lab's name, or a machine too.
    pub fn try_do(&self, verb: &str, args: &[&str]) -> Output {
        let mut all = vec![verb, "--name", &self.name];
        all.extend(args);
        run(&all)
    }

    pub fn act(&self, verb: &str, args: &[&str]) -> String {
        good(self.try_do(verb, args))
    }

    pub fn down(&self) {
        self.act("down", &[]);
    }

    pub fn try_exec(&self, machine: &str, command: &[&str]) -> Output {
        let mut all = vec!["exec", "--name", &self.name, machine, "--"];
        all.extend(command);
        run(&all)
    }

    pub fn exec(&self, machine: &str, command: &[&str]) -> String {
        good(self.try_exec(machine, command))
    }

    /// The same with standard input.
    pub fn exec_with(&self, machine: &str, command: &[&str], input: &str) -> Output {
        let mut all = vec!["exec", "--name", &self.name, machine, "--"];
        all.extend(command);
        let mut child = Command::new(program())
            .args(all)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .unwrap();
        child.wait_with_output().unwrap()
    }

    pub fn status(&self) -> Value {
        serde_json::from_str(&self.act("status", &["--json"])).unwrap()
    }

    pub fn node(&self, name: &str) -> Value {
        let status = self.status();
        let nodes = status["nodes"].as_array().unwrap();
        nodes
            .iter()
            .find(|node| node["name"] == name)
            .unwrap()
            .clone()
    }

    pub fn device(&self, node: &str) -> String {
        self.node(node)["device"].as_str().unwrap().to_owned()
    }

    pub fn address(&self, machine: &str) -> String {
        let machine = if machine == "client" {
            self.status()["client"].clone()
        } else {
            self.node(machine)
        };
        machine["address"].as_str().unwrap().to_owned()
    }

    pub fn init_pid(&self, node: &str) -> i32 {
        i32::try_from(self.node(node)["init_pid"].as_i64().unwrap()).unwrap()
    }

    /// Mounts the shared disk in a node, at the service's place.
    pub fn mount(&self, node: &str) -> Output {
        self.try_exec(node, &["mount", &self.device(node), "/srv/simrs"])
    }

    /// Does something in a machine's network namespace.
    pub fn in_netns<T: Send + 'static>(
        &self,
        machine: &str,
        act: impl FnOnce() -> T + Send + 'static,
    ) -> T {
        let path = format!("/run/netns/siaga-{}-{machine}", self.name);
        std::thread::spawn(move || {
            let file = File::open(&path).unwrap();
            move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
            act()
        })
        .join()
        .unwrap()
    }

    pub fn listen(&self, machine: &str, port: u16) -> TcpListener {
        self.in_netns(machine, move || {
            TcpListener::bind(("0.0.0.0", port)).unwrap()
        })
    }

    /// Whether a machine reaches an address by TCP within half a second.
    pub fn reaches(&self, from: &str, address: &str, port: u16) -> bool {
        let address: SocketAddr = format!("{address}:{port}").parse().unwrap();
        self.in_netns(from, move || {
            TcpStream::connect_timeout(&address, Duration::from_millis(500)).is_ok()
        })
    }

    /// The same, as soon as the asking kernel looks for the address again: one that just found it silent asks once a
    /// second.
    pub fn comes_to_reach(&self, from: &str, address: &str, port: u16) -> bool {
        let deadline = Instant::now() + Duration::from_secs(10);
        while Instant::now() < deadline {
            if self.reaches(from, address, port) {
                return true;
            }
        }
        false
    }

    /// What is still there of this lab, by looking rather than by asking it.
    pub fn traces(&self) -> Vec<String> {
        let mut found = Vec::new();
        let dir = self.dir();
        if dir.exists() {
            found.push(format!("directory {}", dir.display()));
        }
        for entry in std::fs::read_dir("/sys/block").unwrap().flatten() {
            let file =
                std::fs::read_to_string(entry.path().join("loop/backing_file")).unwrap_or_default();
            if Path::new(file.trim_end()).starts_with(&dir) {
                found.push(format!("loop device {}", entry.path().display()));
            }
        }
        for entry in std::fs::read_dir("/run/netns")
            .into_iter()
            .flatten()
            .flatten()
        {
            let name = entry.file_name().into_string().unwrap();
            if name.starts_with(&format!("siaga-{}-", self.name)) {
                found.push(format!("namespace {name}"));
            }
        }
        let mounts = std::fs::read_to_string("/proc/mounts").unwrap();
        found.extend(
            mounts
                .lines()
                .filter(|line| line.contains(&self.name))
                .map(|line| format!("mount {line}")),
        );
        found.extend(self.processes().iter().map(|pid| format!("process {pid}")));
        let registry = std::fs::read_to_string("/run/siaga-lab/registry.json").unwrap_or_default();
        if registry.contains(&format!("\"{}\"", self.name)) {
            found.push("an entry in the registry".into());
        }
        found
    }

    /// The lab's helper processes, by their command lines.
    pub fn processes(&self) -> Vec<i32> {
        let dir = self.dir().to_string_lossy().into_owned();
        let belongs = |pid: &i32| {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let words: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
            words.contains(&dir.as_bytes())
        };
        let own = i32::try_from(std::process::id()).unwrap();
        all_pids()
            .into_iter()
            .filter(|pid| *pid != own)
            .filter(belongs)
            .collect()
    }
}

pub fn all_pids() -> Vec<i32> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

impl Drop for TestLab {
    fn drop(&mut self) {
        let output = self.try_do("down", &[]);
        if !output.status.success() {
            eprintln!("down of {}: {}", self.name, text(&output.stderr));
        }
    }
}
