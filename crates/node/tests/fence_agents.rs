//! The fence-agents protocol, spoken with stand-ins and with the real `fence_dummy` and `fence_redfish`. (The real
//! `fence_ipmilan` switches the virtual machines.)

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "../src/tests/executable.rs"]
mod executable;

use executable::executable;
use siaga_model::config::{Fence, FenceKind};
use siaga_model::observation::FenceState;
use siaga_model::run::{FailureKind, StepFailure};
use siaga_node::act::fence::{act_off, act_on, state};
use siaga_runner::hands::{Acted, Did, Trouble};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const SECRET: &str = "kunci rahasia-9f2c";

/// A device of which the state is a file. It keeps what it was told: arguments, environment and standard input.
/// Each case is Python for what `off` does.
struct Device {
    dir: TempDir,
}

impl Device {
    fn new(off: &str, status: &str) -> Self {
        let dir = TempDir::new().unwrap();
        let script = format!(
            r#"#!/usr/bin/python3
import os, sys, time
here = {here:?}
text = sys.stdin.read()
opt = dict(line.split("=", 1) for line in text.splitlines())
state = here + "/state" + opt.get("plug", "")
action = opt.get("action", "reboot")
with open(here + "/told", "a") as f:
    f.write(repr((action, sys.argv[1:], text)) + "\n")
    f.write(open("/proc/self/cmdline").read() + open("/proc/self/environ").read() + "\n")
def put(s):
    open(state, "w").write(s)
def get():
    return open(state).read()
if action == "off":
    {off}
elif action == "on":
    put("on"); print("Success: Powered ON")
elif action == "status":
    {status}
else:
    put("rebooted"); sys.exit(1)
"#,
            here = dir.path().to_str().unwrap()
        );
        let device = Self { dir };
        executable(&device.path("agent"), &script);
        std::fs::write(device.path("secret"), format!("{SECRET}\n")).unwrap();
        std::fs::set_permissions(device.path("secret"), PermissionsExt::from_mode(0o600)).unwrap();
        std::fs::write(device.path("state"), "on").unwrap();
        device
    }

    /// A device that does what it should.
    fn good() -> Self {
        Self::new(
            "print('Success: Already OFF' if get() == 'off' else 'Success: Powered OFF'); put('off')",
            STATUS,
        )
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    fn fence(&self) -> Fence {
        Fence {
            name: "ipmi".into(),
            kind: FenceKind::Power,
            agent: self.path("agent"),
            options: vec![
                ("ip".into(), "198.51.100.21".into()),
                ("username".into(), "siaga".into()),
            ],
            secret_options: vec![("password".into(), self.path("secret"))],
            outlets: Vec::new(),
            timeout: Duration::from_secs(20),
        }
    }

    fn told(&self) -> String {
        std::fs::read_to_string(self.path("told")).unwrap_or_default()
    }

    fn is(&self) -> String {
        std::fs::read_to_string(self.path("state")).unwrap()
    }
}

/// As the log has it.
fn failed(acted: Acted) -> String {
    match acted {
        Err(Trouble::Failed(StepFailure {
            kind: FailureKind::Fence,
            detail,
            ..
        })) => {
            let detail = serde_json::to_string(&detail).unwrap();
            assert!(
                !detail.contains(SECRET) && !detail.contains("rahasia"),
                "{detail}"
            );
            detail
        }
        other => panic!("not failed: {other:?}"),
    }
}

const STATUS: &str = "print('Status: ' + get().upper()); sys.exit(0 if get() == 'on' else 2)";

/// A server with two power supplies, on two outlets: the agent keeps a state for each.
#[test]
fn outlets_count_only_together() {
    let device = Device::new("os.path.exists(state + '-stuck') or put('off')", STATUS);
    let plug = |n: &str| vec![("plug".to_owned(), n.to_owned())];
    let fence = Fence {
        outlets: vec![plug("3"), plug("7")],
        ..device.fence()
    };
    let set = |plug: &str, to: &str| std::fs::write(device.path(&format!("state{plug}")), to);
    set("3", "off").unwrap();
    set("7", "on").unwrap();
    assert_eq!(
        state(&fence),
        FenceState::Open,
        "it has power by the other one"
    );
    assert!(act_off(&fence).unwrap().changed);
    assert_eq!(state(&fence), FenceState::Fenced);
    // One of them can't be switched: no proof.
    set("3", "on").unwrap();
    set("7", "on").unwrap();
    std::fs::write(device.path("state7-stuck"), "").unwrap();
    failed(act_off(&fence));
    assert_eq!(state(&fence), FenceState::Open);
    // One does not answer: not known.
    set("3", "off").unwrap();
    std::fs::remove_file(device.path("state7")).unwrap();
    assert!(matches!(state(&fence), FenceState::Failed { .. }));
}

#[test]
fn off_is_done_when_the_device_confirms_it() {
    let device = Device::good();
    for kind in [FenceKind::Power, FenceKind::Fabric] {
        std::fs::write(device.path("state"), "on").unwrap();
        let fence = Fence {
            kind,
            ..device.fence()
        };
        assert_eq!(state(&fence), FenceState::Open);
        assert!(act_off(&fence).unwrap().changed);
        assert_eq!(state(&fence), FenceState::Fenced);
        assert_eq!(act_off(&fence), Ok(Did::nothing()), "off already");
        assert!(act_on(&fence).unwrap().changed);
        assert_eq!(
            (state(&fence), device.is().as_str()),
            (FenceState::Open, "on")
        );
    }
    assert!(!device.told().contains("reboot"));
}

#[test]
fn options_and_secrets_go_by_standard_input_only() {
    let device = Device::good();
    act_off(&device.fence()).unwrap();
    let told = device.told();
    let input = format!(
        "('off', [], 'action=off\\nip=198.51.100.21\\nusername=siaga\\npassword={SECRET}\\n')"
    );
    assert!(told.contains(&input), "{told}");
    let rest: Vec<&str> = told.lines().filter(|l| !l.starts_with('(')).collect();
    assert!(
        !rest.is_empty() && rest.iter().all(|l| !l.contains("rahasia")),
        "in arguments or environment: {rest:?}"
    );
}

#[test]
fn off_costs_two_calls() {
    let device = Device::good();
    act_off(&device.fence()).unwrap();
    assert_eq!(
        device.told().lines().filter(|l| l.starts_with('(')).count(),
        2
    );
}

#[test]
fn success_without_confirmation_is_a_failure() {
    let device = Device::new("print('Success: Powered OFF')", STATUS);
    assert!(failed(act_off(&device.fence())).contains("fence_still_on"));
    let device = Device::new("print('Success: Already OFF')", STATUS);
    assert!(
        failed(act_off(&device.fence())).contains("fence_still_on"),
        "its word alone counts for nothing"
    );
}

#[test]
fn a_confirmation_that_means_nothing_is_a_failure() {
    for status in [
        "sys.exit(1)",
        "sys.exit(3)",
        "os.kill(os.getpid(), 9)",
        "print('Status: OFF'); sys.exit(7)",
        // As many a program that broke off.
        "sys.exit(2)",
        "sys.stderr.write('usage: agent [on|off]'); sys.exit(2)",
        "print('Status: offline?'); sys.exit(2)",
    ] {
        let device = Device::new("put('off')", status);
        assert!(
            failed(act_off(&device.fence())).contains("fence_unconfirmed"),
            "{status}"
        );
        assert!(
            matches!(state(&device.fence()), FenceState::Failed { .. }),
            "{status}"
        );
    }
}

#[test]
fn a_failing_agent_is_quoted_without_its_secrets() {
    let off = "sys.stderr.write('x' * 3000 + ' cannot log in with ' + opt['password'] + ' at ' + opt['ip']); sys.exit(1)";
    let device = Device::new(off, STATUS);
    let why = failed(act_off(&device.fence()));
    assert!(
        why.contains("\"code\":1") && why.contains("cannot log in with *** at 198.51.100.21"),
        "{why}"
    );
    assert!(why.len() < 1000, "{}", why.len());
    let device = Device::new("pass", "print(opt['password']); sys.exit(1)");
    let FenceState::Failed { why } = state(&device.fence()) else {
        panic!("it did not fail")
    };
    let why = serde_json::to_string(&why).unwrap();
    assert!(why.contains("***") && !why.contains("rahasia"), "{why}");
}

#[test]
fn a_complaint_that_the_device_contradicts_is_done_with_a_note() {
    let device = Device::new(
        "put('off'); sys.stderr.write('lost the session'); sys.exit(1)",
        STATUS,
    );
    let did = act_off(&device.fence()).unwrap();
    assert!(
        did.changed && format!("{:?}", did.notes[0]).contains("lost the session"),
        "{did:?}"
    );
}

#[test]
fn a_device_that_hangs_is_given_up_in_time() {
    let device = Device::new("time.sleep(60)", "time.sleep(60)");
    let fence = Fence {
        timeout: Duration::from_millis(500),
        ..device.fence()
    };
    let begun = Instant::now();
    let why = failed(act_off(&fence));
    assert!(begun.elapsed() < Duration::from_secs(4));
    assert!(
        why.contains("no_answer_within") && why.contains("500"),
        "{why}"
    );
    assert!(
        matches!(state(&fence), FenceState::Failed { why } if format!("{why:?}").contains("500"))
    );
}

#[test]
fn a_secret_that_others_can_read_is_refused_and_nothing_is_run() {
    let device = Device::good();
    let refuses = |what: &str| {
        let why = failed(act_off(&device.fence()));
        assert!(why.contains("secret"), "{what}: {why}");
        assert!(
            matches!(state(&device.fence()), FenceState::Failed { .. }),
            "{what}"
        );
        assert_eq!(
            (device.is().as_str(), device.told().as_str()),
            ("on", ""),
            "{what}"
        );
    };
    for mode in [0o640, 0o604, 0o620, 0o666] {
        std::fs::set_permissions(device.path("secret"), PermissionsExt::from_mode(mode)).unwrap();
        refuses(&format!("{mode:o}"));
    }
    std::fs::set_permissions(device.path("secret"), PermissionsExt::from_mode(0o600)).unwrap();
    std::os::unix::fs::chown(device.path("secret"), Some(65534), None).unwrap();
    refuses("owned by somebody else");
    std::os::unix::fs::chown(device.path("secret"), Some(0), None).unwrap();
    for content in ["", "\n", "a\naction=on\n"] {
        std::fs::write(device.path("secret"), content).unwrap();
        refuses(content);
    }
    std::fs::remove_file(device.path("secret")).unwrap();
    refuses("missing");
    std::fs::create_dir(device.path("secret")).unwrap();
    refuses("a directory");
}

/// Of Debian's package.
fn installed(agent: &str) -> PathBuf {
    let path = Path::new("/usr/sbin").join(agent);
    assert!(path.exists(), "{agent} is missing: make setup installs it");
    path
}

/// The agent of Debian's package, with its state in a file.
#[test]
fn the_real_dummy_agent_understands_us() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("state");
    std::fs::write(&file, "on").unwrap();
    let fence = Fence {
        name: "dummy".into(),
        kind: FenceKind::Power,
        agent: installed("fence_dummy"),
        options: vec![
            ("type".into(), "file".into()),
            ("status_file".into(), file.to_str().unwrap().into()),
            ("plug".into(), "1".into()),
        ],
        secret_options: Vec::new(),
        outlets: Vec::new(),
        timeout: Duration::from_secs(30),
    };
    assert_eq!(state(&fence), FenceState::Open);
    assert!(act_off(&fence).unwrap().changed);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "off");
    assert_eq!(state(&fence), FenceState::Fenced);
    assert_eq!(act_off(&fence), Ok(Did::nothing()));
    assert!(act_on(&fence).unwrap().changed);
    assert_eq!(state(&fence), FenceState::Open);
}

/// A management processor by Redfish, whose power is a file.
struct Redfish {
    dir: TempDir,
    program: Child,
    port: String,
}

impl Redfish {
    fn start() -> Self {
        let dir = TempDir::new().unwrap();
        let [certificate, power] = ["bmc.pem", "power"].map(|n| dir.path().join(n));
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let both = made.cert.pem() + &made.signing_key.serialize_pem();
        std::fs::write(&certificate, both).unwrap();
        let script = format!(
            "#!/bin/sh\ncd {}\n[ \"$1\" = get ] && echo power:$(cat is) || printf %s \"$3\" >is\n",
            dir.path().display()
        );
        executable(&power, &script);
        std::fs::write(dir.path().join("is"), "1").unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/redfish/bmc.py");
        let mut program = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "/usr/bin/python3"])
            .arg(script)
            .args(["127.0.0.1", "0"])
            .arg(&certificate)
            .arg("siaga")
            .arg(&power)
            .env("PASSWORD", SECRET)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut port = String::new();
        let told = program.stdout.take().unwrap();
        BufReader::new(told).read_line(&mut port).unwrap();
        let port = port.trim().to_owned();
        Self { dir, program, port }
    }

    fn fence(&self, secret: &str, insecure: bool) -> Fence {
        let file = self.dir.path().join("secret");
        std::fs::write(&file, secret).unwrap();
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
        let mut options = vec![
            ("ip".into(), "127.0.0.1".into()),
            ("ipport".into(), self.port.clone()),
            ("username".into(), "siaga".into()),
        ];
        options.extend(insecure.then(|| ("ssl_insecure".into(), "1".into())));
        Fence {
            name: "redfish".into(),
            kind: FenceKind::Power,
            agent: installed("fence_redfish"),
            options,
            secret_options: vec![("password".into(), file)],
            outlets: Vec::new(),
            timeout: Duration::from_secs(60),
        }
    }

    fn is_on(&self) -> bool {
        std::fs::read_to_string(self.dir.path().join("is")).unwrap() == "1"
    }
}

impl Drop for Redfish {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

#[test]
fn a_management_processor_by_redfish() {
    let bmc = Redfish::start();
    // One that lets nobody in, or is not who it says it is, says nothing and is not switched.
    for (secret, insecure) in [("another", true), (SECRET, false)] {
        let fence = bmc.fence(secret, insecure);
        assert!(matches!(state(&fence), FenceState::Failed { .. }));
        failed(act_off(&fence));
        assert!(bmc.is_on());
    }
    let fence = bmc.fence(SECRET, true);
    assert_eq!(state(&fence), FenceState::Open);
    assert!(act_off(&fence).unwrap().changed);
    assert!(!bmc.is_on());
    assert_eq!(state(&fence), FenceState::Fenced);
    assert_eq!(act_off(&fence), Ok(Did::nothing()));
    assert!(act_on(&fence).unwrap().changed);
    assert_eq!(state(&fence), FenceState::Open);
}
