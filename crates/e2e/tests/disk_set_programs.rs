//! A disk set that programs of the site take and give up (`driver = "command"`).

use siaga_e2e::{Lab, wait_until};

const DEVICE: &str = "/run/simrs-disk";
/// Where the nodes have it: a node does not see every folder of this machine.
const PROGRAM: &str = "/etc/siaga/disk_set.sh";
const SCRIPT: &str = include_str!("site/disk_set.sh");
/// While it is there, the status program hangs.
const HANGS: &str = "/etc/siaga/site-hangs";

/// Both nodes are told to use the site's programs, with the lab's device behind them.
fn with_programs(lab: &Lab) {
    let mut driver = format!("driver = \"command\"\\ndevice = \"{DEVICE}\"");
    for (key, verb) in [
        ("take", "take"),
        ("take_forced", "force"),
        ("release", "release"),
        ("status", "status"),
    ] {
        driver.push_str(&format!(
            "\\n{key} = [\"{PROGRAM}\", \"{verb}\", \"{{service}}\", \"{{node}}\", \"{{device}}\"]"
        ));
    }
    for node in ["serverdb", "backup"] {
        let find = format!("s|^device = .*{node} = \"\\([^\"]*\\)\".*|\\1|p");
        let edit = format!(
            "cd /etc/siaga && sed -n '{find}' siaga.toml > site-lun && \
             sed -i -e '/^device = /d' -e 's|^driver = \"block\"|{driver}|' siaga.toml"
        );
        lab.exec(node, &["sh", "-c", &edit]).expect(0);
        let put = format!("printf %s \"$1\" > {PROGRAM} && chmod 755 {PROGRAM}");
        lab.exec(node, &["sh", "-c", &put, "sh", SCRIPT]).expect(0);
        lab.lab(&["stop-agent", node]).expect(0);
        lab.lab(&["start-agent", node]).expect(0);
    }
    lab.wait_for_agents();
}

fn log(lab: &Lab, node: &str) -> Vec<String> {
    let log = lab.exec(node, &["cat", "/etc/siaga/site-log"]).expect(0);
    log.out.lines().map(str::to_owned).collect()
}

#[test]
fn the_programs_of_a_site_take_release_and_are_forced_after_a_fence() {
    let lab = Lab::bare(&[]);
    lab.wait_for_agents();
    with_programs(&lab);
    let start = ["start", "--yes", "--json", "--reason", "first start"];
    lab.siaga("serverdb", &start).expect(0);
    let load = lab.load(20);
    let check = lab.siaga("backup", &["check", "--json"]).json();
    assert!(!check.to_string().contains("DISK_SET_"), "{check}");
    lab.siaga("backup", &["switchover", "--yes", "--json"])
        .expect(0);
    assert_eq!(lab.holder().as_deref(), Some("backup"));
    assert_eq!(
        log(&lab, "serverdb"),
        ["take simrs serverdb", "release simrs serverdb"]
    );
    assert_eq!(log(&lab, "backup"), ["take simrs backup"]);

    lab.lab(&["cut-power", "backup"]).expect(0);
    wait_until("the takeover is done", || {
        lab.siaga("serverdb", &["takeover", "--yes", "--json"]).code == 0
    });
    assert_eq!(lab.holder().as_deref(), Some("serverdb"));
    assert_eq!(log(&lab, "serverdb")[2..], ["force simrs serverdb"]);
    let load = load.end().expect(0).json();
    assert_eq!(load["rows_lost"], 0, "{load}");
}

#[test]
fn a_node_whose_status_program_fails_may_hold_everything() {
    let lab = Lab::bare(&["--fence", "none"]);
    lab.wait_for_agents();
    with_programs(&lab);
    // The node itself is fine; its status program is not.
    lab.exec("backup", &["rm", "/etc/siaga/site-lun"]).expect(0);
    let start = ["start", "--yes", "--json", "--reason", "first start"];
    let refused = lab.siaga("serverdb", &start).expect(3).json();
    assert_eq!(refused["code"], "NEEDS_ATTESTATION", "{refused}");
    assert_eq!(lab.holder(), None);
}

/// Its agent answers on the link, and not with what the node holds.
#[test]
fn a_node_whose_status_program_hangs_is_said_to_live() {
    let lab = Lab::bare(&["--fence", "none"]);
    lab.wait_for_agents();
    with_programs(&lab);
    lab.exec("backup", &["touch", HANGS]).expect(0);
    let status = lab.siaga("serverdb", &["status"]).out;
    let lives = "The agent on backup lives, and did not say in time what that server holds.";
    assert!(status.contains(lives), "{status}");
    let start = ["start", "--yes", "--json", "--reason", "first start"];
    let refused = lab.siaga("serverdb", &start).expect(3).json();
    assert_eq!(refused["code"], "NEEDS_ATTESTATION", "{refused}");
    // Nobody is believed who says that it is off.
    let off = [
        "--as",
        "budi",
        "--attest-off",
        "backup",
        "--how",
        "unplugged",
    ];
    let attested = [&start[..], &off].concat();
    let refused = lab.siaga("serverdb", &attested).expect(3).json();
    assert_eq!(refused["code"], "ATTESTATION_CONTRADICTED", "{refused}");
    let said = refused["message"].as_str().unwrap_or_default();
    assert!(said.contains(lives), "{refused}");
    assert_eq!(lab.holder(), None);
    lab.exec("backup", &["rm", HANGS]).expect(0);
    wait_until("it says that it holds nothing", || {
        lab.siaga("serverdb", &start).code == 0
    });
    assert_eq!(lab.holder().as_deref(), Some("serverdb"));
}

/// What the fence switches is another machine: that one is off, and this one lives.
#[test]
fn a_fence_that_calls_a_late_node_off_proves_nothing() {
    let lab = Lab::bare(&["--fence", "power"]);
    lab.wait_for_agents();
    let (program, lies) = ("/etc/siaga/fence_other", "/etc/siaga/fence-lies");
    let edit = format!(
        "printf '#!/bin/sh\\ngrep -q action=status || exit 0\\n[ -e {lies} ] && echo Status: OFF && exit 2\\necho Status: ON\\n' \
         > {program} && chmod 755 {program} && \
         sed -i '/^name = \"backup\"/,$ s|^agent = .*|agent = \"{program}\"|' /etc/siaga/siaga.toml"
    );
    for node in ["serverdb", "backup"] {
        lab.exec(node, &["sh", "-c", &edit]).expect(0);
    }
    with_programs(&lab);
    lab.exec("backup", &["touch", HANGS]).expect(0);
    lab.exec("serverdb", &["touch", lies]).expect(0);
    let start = ["start", "--yes", "--json", "--reason", "first start"];
    let refused = lab.siaga("serverdb", &start).expect(3).json();
    assert_eq!(refused["code"], "NEEDS_ATTESTATION", "{refused}");
    assert!(refused.to_string().contains("another machine"), "{refused}");
    assert_eq!(lab.holder(), None);
}
