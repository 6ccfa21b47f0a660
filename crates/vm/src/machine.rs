//! One virtual machine: a QEMU process, or none while its power is off.

use crate::files::{Folders, images};
use crate::guest::{Ran, Way};
use crate::net::Network;
use crate::{qmp, wait_until};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// On a busy machine the guest measures its processor's clock wrongly, and then lives several times too fast. The HPET needs
/// no measuring.
const CLOCK: &str = "clocksource=hpet tsc=unstable nolapic_timer";

/// Who a machine is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    Serverdb,
    Backup,
    /// The SAN; it is the client machine too.
    San,
}

impl Role {
    pub const ALL: [Role; 3] = [Role::Serverdb, Role::Backup, Role::San];

    pub fn name(self) -> &'static str {
        match self {
            Role::Serverdb => "serverdb",
            Role::Backup => "backup",
            Role::San => "san",
        }
    }

    /// The last part of its addresses.
    pub fn number(self) -> u8 {
        match self {
            Role::Serverdb => 11,
            Role::Backup => 12,
            Role::San => 13,
        }
    }
}

/// One machine. Its power can be switched from any thread.
pub struct Machine {
    pub role: Role,
    disks: PathBuf,
    /// Its second disk, where it has one: a file of that folder.
    second: Option<&'static str>,
    qmp: PathBuf,
    console: PathBuf,
    way: Way,
    process: Mutex<Option<Child>>,
    connection: Mutex<Option<Child>>,
}

impl Machine {
    pub(crate) fn new(role: Role, second: Option<&'static str>, folders: &Folders) -> Self {
        let socket = |what: &str| folders.sockets.join(format!("{}.{what}", role.name()));
        Self {
            role,
            disks: folders.disks.clone(),
            second,
            qmp: socket("qmp"),
            console: folders.disks.join(format!("{}.console", role.name())),
            way: Way::new(Network::Management.address(role.number()), socket("ssh")),
            process: Mutex::default(),
            connection: Mutex::default(),
        }
    }

    /// Power on. Nothing where it is on.
    pub fn power_on(&self) {
        let mut process = lock(&self.process);
        if running(&mut process) {
            return;
        }
        let _ = std::fs::remove_file(&self.qmp);
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL", "qemu-system-x86_64"])
            .args(self.arguments());
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit());
        *process = Some(command.spawn().expect("QEMU starts"));
    }

    /// Power off, at once: what the machine had not written to its disks is lost.
    pub fn power_off(&self) {
        self.forget_connection();
        let mut process = lock(&self.process);
        if running(&mut process) {
            let _ = qmp::send(&self.qmp, "quit", json!({}));
        }
        if let Some(mut child) = process.take() {
            for _ in 0..100 {
                if matches!(child.try_wait(), Ok(Some(_))) {
                    return;
                }
                std::thread::sleep(Duration::from_millis(50));
            }
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    pub fn is_on(&self) -> bool {
        running(&mut lock(&self.process))
    }

    /// It shuts itself down, in order.
    pub fn shut_down(&self) {
        self.run("systemctl poweroff");
        wait_until("it is off", || !self.is_on());
        self.power_off();
    }

    /// It stops between two instructions, and knows nothing of it.
    pub fn freeze(&self) {
        self.qmp("stop", json!({}));
    }

    pub fn thaw(&self) {
        self.qmp("cont", json!({}));
    }

    /// Thaws it where it is frozen, whatever comes of that: for the last look after a failure.
    pub(crate) fn wake(&self) {
        let _ = qmp::send(&self.qmp, "cont", json!({}));
    }

    /// Plugs a network cable in or out.
    pub fn cable(&self, network: Network, plugged: bool) {
        let name = format!("nic{}", network.index());
        self.qmp("set_link", json!({ "name": name, "up": plugged }));
    }

    fn qmp(&self, command: &str, arguments: Value) {
        let answer = qmp::send(&self.qmp, command, arguments)
            .unwrap_or_else(|e| panic!("{} {command}: {e}", self.role.name()));
        assert!(answer.get("return").is_some(), "{command}: {answer}");
    }

    /// Waits until a command can be run inside.
    pub fn wait_up(&self) {
        self.forget_connection();
        let what = format!("{} is up", self.role.name());
        wait_until(&what, || {
            assert!(self.is_on(), "{} went off", self.role.name());
            self.try_run("true", 15).code == Some(0)
        });
        wait_until("the connection", || {
            let mut connection = lock(&self.connection);
            // Begun again where it ended: a machine that has just come up may refuse one.
            let lives = |child: &mut Child| matches!(child.try_wait(), Ok(None));
            if !connection.as_mut().is_some_and(lives) {
                *connection = Some(self.way.open());
            }
            self.way.is_open()
        });
    }

    /// `script` by a shell of root inside it. Ten minutes at the most.
    pub fn run(&self, script: &str) -> Ran {
        self.try_run(script, 600)
    }

    /// The same, given up after so many seconds.
    pub fn try_run(&self, script: &str, seconds: u64) -> Ran {
        self.way.run(script, None, Duration::from_secs(seconds))
    }

    /// Writes a file inside.
    pub fn write(&self, path: &str, mode: &str, text: &str) {
        self.way.write(path, mode, text);
    }

    /// Copies a file into it.
    pub fn send(&self, file: &Path, path: &str) {
        let script = format!("cat > {path}");
        self.way
            .run(&script, Some(file), Duration::from_secs(600))
            .expect(0);
    }

    /// `siaga` with these words inside it.
    pub fn siaga(&self, words: &str) -> Ran {
        self.run(&format!("siaga --lang en {words}"))
    }

    /// What its agent says of a raw look at the disk set.
    #[track_caller]
    pub fn witness_of_the_disk(&self) -> String {
        let told = self.siaga("witness --json").expect(0).json();
        let rows = told[0]["witnesses"].as_array().cloned();
        let disk = |w: &serde_json::Value| w["witness"] == "disk";
        let row = rows.and_then(|rows| rows.into_iter().find(disk));
        let says = row.and_then(|row| row["says"].as_str().map(str::to_owned));
        says.expect("the disk is among the witnesses")
    }

    /// The end of its console.
    pub fn console_tail(&self) -> String {
        let text = std::fs::read(&self.console).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().rev().take(15).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    fn forget_connection(&self) {
        if let Some(mut child) = lock(&self.connection).take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    fn arguments(&self) -> Vec<String> {
        let (name, number) = (self.role.name(), self.role.number());
        let images = images();
        let image = |file: &str| images.join(file).display().to_string();
        let append = format!(
            "console=ttyS0 net.ifnames=0 mitigations=off {CLOCK} quiet systemd.show_status=0 vm.name={name} vm.number={number}"
        );
        let mut words: Vec<String> = [
            "-name",
            name,
            "-M",
            "q35",
            "-accel",
            "tcg,thread=multi,tb-size=256",
            "-cpu",
            "max",
            "-smp",
            "1",
            "-m",
            "640",
            "-nodefaults",
            "-display",
            "none",
            "-kernel",
            &image("vmlinux"),
            "-initrd",
            &image("initrd"),
            "-append",
            &append,
            "-device",
            "virtio-rng-pci",
        ]
        .map(str::to_owned)
        .to_vec();
        let mut add = |option: &str, value: String| words.extend([option.to_owned(), value]);
        // What the guest flushed is in this machine's page cache, and stays there when QEMU ends: that is all it takes.
        let disk = |file: &str| {
            let path = self.disks.join(file);
            format!(
                "file={},if=virtio,format=qcow2,cache=unsafe",
                path.display()
            )
        };
        add("-drive", disk(&format!("{name}.qcow2")));
        if let Some(second) = self.second {
            add("-drive", disk(second));
        }
        for network in Network::ALL {
            let (i, tap, mac) = (
                network.index(),
                network.tap(self.role),
                network.hardware(self.role),
            );
            add(
                "-netdev",
                format!("tap,id=net{i},ifname={tap},script=no,downscript=no"),
            );
            add(
                "-device",
                format!("virtio-net-pci,netdev=net{i},id=nic{i},mac={mac},romfile="),
            );
        }
        add("-serial", format!("file:{}", self.console.display()));
        add(
            "-qmp",
            format!("unix:{},server=on,wait=off", self.qmp.display()),
        );
        words
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.power_off();
    }
}

fn running(process: &mut Option<Child>) -> bool {
    match process {
        Some(child) => matches!(child.try_wait(), Ok(None)),
        None => false,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
