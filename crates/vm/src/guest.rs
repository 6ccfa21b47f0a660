//! Commands inside a machine, over its management network.

use crate::files::images;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// What came of a command.
#[derive(Debug)]
pub struct Ran {
    /// `None`: it did not end by itself, or the machine was not reached.
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// It ended with this code.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.out, self.err);
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out)
            .unwrap_or_else(|e| panic!("no JSON ({e}): {}\n{}", self.out, self.err))
    }
}

/// The way into one machine. Each boot has a connection of its own, over which all commands go.
pub(crate) struct Way {
    address: String,
    control: PathBuf,
}

impl Way {
    pub fn new(address: String, control: PathBuf) -> Self {
        Self { address, control }
    }

    /// The options of every call. `setpriv` ends it with this process, should that be killed.
    fn ssh(&self) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "ssh", "-F", "none", "-i"]);
        command.arg(images().join("key"));
        for option in [
            "BatchMode=yes",
            "StrictHostKeyChecking=no",
            "UserKnownHostsFile=/dev/null",
            "LogLevel=ERROR",
            "ConnectTimeout=5",
        ] {
            command.args(["-o", option]);
        }
        command.arg("-S").arg(&self.control);
        command
    }

    /// Opens the connection that the commands share. Ended by whoever holds it.
    pub fn open(&self) -> std::process::Child {
        let _ = std::fs::remove_file(&self.control);
        let mut command = self.ssh();
        command
            .args(["-M", "-N"])
            .arg(format!("root@{}", self.address));
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command.spawn().expect("ssh starts")
    }

    pub fn is_open(&self) -> bool {
        self.control.exists()
    }

    /// `script` by a shell of root; `input` on its standard input. Given up after `limit`.
    pub fn run(&self, script: &str, input: Option<&Path>, limit: Duration) -> Ran {
        let mut command = Command::new("timeout");
        command.args(["-k", "5", &limit.as_secs().to_string()]);
        let ssh = self.ssh();
        command.arg(ssh.get_program()).args(ssh.get_args());
        command.arg(format!("root@{}", self.address)).arg(script);
        command.stdin(match input {
            Some(file) => Stdio::from(File::open(file).expect("a file to send")),
            None => Stdio::null(),
        });
        // Files and no pipes: the shared connection keeps a pipe open for as long as the other side hangs.
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let [out, err] =
            ["out", "err"].map(|what| self.control.with_extension(format!("{number}.{what}")));
        let file = |path: &Path| File::create(path).expect("a file for what it says");
        command.stdout(file(&out)).stderr(file(&err));
        let status = command.status().expect("timeout starts");
        let said = |path: &Path| {
            let text = std::fs::read(path).unwrap_or_default();
            let _ = std::fs::remove_file(path);
            String::from_utf8_lossy(&text).into_owned()
        };
        Ran {
            code: status.code(),
            out: said(&out),
            err: said(&err),
        }
    }

    /// Writes a file inside.
    pub fn write(&self, path: &str, mode: &str, text: &str) {
        let local = self.control.with_extension("file");
        let mut file = File::create(&local).expect("a file");
        file.write_all(text.as_bytes()).expect("it can be written");
        drop(file);
        let script =
            format!("install -d \"$(dirname {path})\" && install -m {mode} /dev/stdin {path}");
        self.run(&script, Some(&local), Duration::from_secs(60))
            .expect(0);
        let _ = std::fs::remove_file(&local);
    }
}
