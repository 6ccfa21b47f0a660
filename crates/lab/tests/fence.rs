//! The fence devices speak the protocol of the fence-agents family, from inside a node.
#![allow(clippy::unwrap_used)]

mod common;

use common::{TestLab, text};
use std::process::Output;
use std::time::{Duration, Instant};

struct Fence<'a> {
    lab: &'a TestLab,
    device: &'a str,
    from: &'a str,
}

impl Fence<'_> {
    fn ask(&self, action: &str, node: &str, more: &str) -> Output {
        let secret = self
            .lab
            .exec(self.from, &["cat", "/etc/siaga/fence.secret"]);
        self.ask_with(action, node, &format!("password={secret}\n{more}"))
    }

    fn ask_with(&self, action: &str, node: &str, more: &str) -> Output {
        let program = self
            .lab
            .dir()
            .join("fence")
            .join(format!("fence_siaga_{}", self.device));
        let input = format!("action={action}\nplug={node}\n{more}\n");
        self.lab
            .exec_with(self.from, &[program.to_str().unwrap()], &input)
    }

    fn code(&self, action: &str, node: &str) -> Option<i32> {
        self.ask(action, node, "").status.code()
    }
}

#[test]
fn power_is_switched_off_confirmed_and_switched_on() {
    let lab = TestLab::up("fpower", &[]);
    let fence = Fence {
        lab: &lab,
        device: "power",
        from: "backup",
    };
    assert_eq!(fence.code("monitor", "serverdb"), Some(0));
    assert_eq!(fence.code("status", "serverdb"), Some(0));
    let off = fence.ask("off", "serverdb", "");
    assert_eq!(
        (off.status.code(), text(&off.stdout)),
        (Some(0), "Success: Powered OFF".into())
    );
    assert_eq!(fence.code("status", "serverdb"), Some(2));
    assert_eq!(lab.node("serverdb")["powered"], false);
    assert_eq!(fence.code("off", "serverdb"), Some(0));
    assert_eq!(fence.code("on", "serverdb"), Some(0));
    assert_eq!(fence.code("status", "serverdb"), Some(0));
    lab.exec("serverdb", &["true"]);
    // Without an action the family switches off; what is not understood does nothing.
    assert_eq!(fence.code("reboot", "serverdb"), Some(1));
    assert_eq!(fence.code("status", "client"), Some(1));
    assert_eq!(fence.code("status", "nobody"), Some(1));
    assert_eq!(lab.node("serverdb")["powered"], true);
}

#[test]
fn a_wrong_password_switches_nothing() {
    let lab = TestLab::up("fsecret", &["--fence", "both"]);
    for device in ["power", "fabric"] {
        let fence = Fence {
            lab: &lab,
            device,
            from: "backup",
        };
        for given in ["password=wrong", "password=", ""] {
            for action in ["off", "status", "monitor"] {
                let output = fence.ask_with(action, "serverdb", given);
                assert_eq!(output.status.code(), Some(1), "{device} {action} {given:?}");
                assert!(text(&output.stderr).contains("wrong password"));
            }
        }
    }
    let node = lab.node("serverdb");
    assert_eq!(
        (node["powered"].as_bool(), node["disk_cut"].as_bool()),
        (Some(true), Some(false))
    );
}

#[test]
fn fabric_cuts_a_frozen_node_from_the_disk_for_good() {
    let lab = TestLab::up("ffabric", &["--fence", "both"]);
    let fence = Fence {
        lab: &lab,
        device: "fabric",
        from: "backup",
    };
    assert_eq!(fence.code("status", "serverdb"), Some(0));
    assert!(lab.mount("serverdb").status.success());
    lab.act("freeze", &["serverdb"]);
    assert_eq!(fence.code("off", "serverdb"), Some(0));
    assert_eq!(fence.code("status", "serverdb"), Some(2));
    // Two separate devices: the node has its power.
    assert_eq!(
        Fence {
            device: "power",
            ..fence
        }
        .code("status", "serverdb"),
        Some(0)
    );
    lab.act("thaw", &["serverdb"]);
    let write = [
        "sh",
        "-c",
        "echo late >/srv/simrs/late && sync -f /srv/simrs/late",
    ];
    assert!(
        !lab.try_exec("serverdb", &write).status.success(),
        "a fenced node wrote"
    );
    assert!(lab.mount("backup").status.success());
    assert!(
        !lab.try_exec("backup", &["test", "-e", "/srv/simrs/late"])
            .status
            .success()
    );
    lab.exec("backup", &["umount", "/srv/simrs"]);
    // What `restore-disk` gives back is only what `cut-disk` took.
    lab.act("restore-disk", &["serverdb"]);
    assert_eq!(fence.code("status", "serverdb"), Some(2));
    assert_eq!(lab.node("serverdb")["disk_cut"], true);
    lab.act("cut-power", &["serverdb"]);
    assert_eq!(fence.code("on", "serverdb"), Some(0));
    lab.act("power-on", &["serverdb"]);
    assert!(lab.mount("serverdb").status.success());
}

#[test]
fn a_fence_that_lost_its_power_with_the_node_is_silent() {
    let lab = TestLab::up("fdead", &[]);
    lab.act("cut-power", &["serverdb", "--with-fence"]);
    assert_eq!(lab.node("serverdb")["fence_dead"], true);
    let fence = Fence {
        lab: &lab,
        device: "power",
        from: "backup",
    };
    let began = Instant::now();
    for action in ["status", "off"] {
        let output = fence.ask(action, "serverdb", "login_timeout=1\npower_timeout=1");
        assert_eq!(output.status.code(), Some(1), "{action}");
        assert!(
            text(&output.stderr).contains("took longer"),
            "{}",
            text(&output.stderr)
        );
    }
    assert!(began.elapsed() >= Duration::from_secs(2));
    // The other node's device is another one.
    assert_eq!(fence.code("status", "backup"), Some(0));
    lab.act("power-on", &["serverdb"]);
    assert_eq!(fence.code("status", "serverdb"), Some(0));
}

#[test]
fn a_lab_has_only_the_devices_that_it_was_given() {
    let lab = TestLab::up("fnone", &["--fence", "none"]);
    assert!(
        !lab.exec("backup", &["cat", "/etc/siaga/siaga.toml"])
            .contains("node.fence")
    );
    let fence = Fence {
        lab: &lab,
        device: "power",
        from: "backup",
    };
    assert_eq!(fence.code("off", "serverdb"), Some(1));
    assert_eq!(lab.node("serverdb")["powered"], true);
    let metadata = fence.ask_with("metadata", "", "");
    assert_eq!(metadata.status.code(), Some(0));
    assert!(text(&metadata.stdout).contains("<resource-agent name=\"fence_siaga_power\""));
}
