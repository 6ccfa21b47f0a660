//! The machines keep their agents running, and the site is enrolled through the same commands that people type.
#![allow(clippy::unwrap_used)]

mod common;

use common::{TestLab, text};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

/// Takes the place of `siaga`: writes down what it is called with, and stays when it is the agent or the probe.
const STAND_IN: &str = r#"#!/bin/sh
say() { echo "$(hostname) $*" >>"$(dirname "$0")/calls"; }
case "$1" in
  agent|probe) say "$1"; echo "$1 $$ runs"; trap 'exit 0' TERM; while :; do sleep 0.05; done ;;
  token) say "$*"; echo '{"token":"secret-of-'"$4"'"}' ;;
  join)
    say "$*" "$(cat /run/siaga-join.token)"
    # The first time the other agent does not listen yet.
    [ -e /run/tried ] || { touch /run/tried; echo 'no answer [JOIN_UNREACHABLE]' >&2; exit 1; } ;;
  *) say "$*" ;;
esac
"#;

struct StandIn {
    dir: PathBuf,
}

impl StandIn {
    fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("siaga-lab-{name}-{}", std::process::id()));
        std::fs::create_dir(&dir).unwrap();
        let own = Self { dir };
        std::fs::write(own.program(), STAND_IN).unwrap();
        std::fs::set_permissions(own.program(), PermissionsExt::from_mode(0o755)).unwrap();
        own
    }

    fn program(&self) -> PathBuf {
        self.dir.join("siaga")
    }

    /// The stand-in lies below /tmp, which machines have of their own: shown to them is only the file itself, so what
    /// it writes beside itself stays in the machine.
    fn calls(lab: &TestLab, machine: &str) -> String {
        lab.exec(machine, &["sh", "-c", "cat /tmp/*/calls 2>/dev/null; true"])
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

fn up(name: &str, stand_in: &StandIn) -> TestLab {
    let lab = TestLab::named(name);
    let mut command = Command::new(common::program());
    command
        .env("LAB_STAND_IN", stand_in.program())
        .args(["up", "--name", &lab.name]);
    common::good(command.output().unwrap());
    lab
}

fn wait_for(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(15);
    while !condition() {
        assert!(Instant::now() < deadline, "{what} did not come");
    }
}

fn count(text: &str, word: &str) -> usize {
    text.matches(word).count()
}

#[test]
fn a_site_is_enrolled_and_its_agents_are_kept_running() {
    let stand_in = StandIn::new("keep");
    let lab = up("agents", &stand_in);
    wait_for("the probe", || {
        StandIn::calls(&lab, "client").contains("probe")
    });
    let first = StandIn::calls(&lab, "serverdb");
    let order: Vec<usize> = [
        "init --node serverdb",
        "token create --for backup",
        "token create --probe client1",
    ]
    .iter()
    .map(|word| first.find(word).unwrap())
    .collect();
    assert!(
        order.is_sorted() && first.contains("serverdb agent"),
        "{first}"
    );
    // The token came by a file, and the file has gone.
    let joined = StandIn::calls(&lab, "backup");
    assert!(
        joined.contains("join --token-file /run/siaga-join.token secret-of-backup"),
        "{joined}"
    );
    assert!(StandIn::calls(&lab, "client").contains("secret-of-client1"));
    assert!(
        !lab.try_exec("backup", &["test", "-e", "/run/siaga-join.token"])
            .status
            .success()
    );

    // It dies, and is there again; why it died is in its log.
    let log =
        || std::fs::read_to_string(lab.node("backup")["agent_log"].as_str().unwrap()).unwrap();
    let before = count(&log(), " runs");
    lab.act("crash-agent", &["backup"]);
    wait_for("another agent", || count(&log(), " runs") == before + 1);
    assert!(log().contains("ended with signal 9"), "{}", log());
    // Stopped means stopped, until it is started or the node boots.
    lab.act("stop-agent", &["backup"]);
    assert!(
        !lab.exec(
            "backup",
            &["sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"]
        )
        .contains("siaga agent")
    );
    assert!(text(&lab.try_do("crash-agent", &["backup"]).stderr).contains("no agent runs"));
    lab.act("stop-agent", &["backup"]);
    let stopped = count(&log(), " runs");
    lab.act("start-agent", &["backup"]);
    lab.act("start-agent", &["backup"]);
    wait_for("the agent that was asked for", || {
        count(&log(), " runs") > stopped
    });
    lab.act("stop-agent", &["backup"]);
    assert_eq!(count(&log(), " runs"), stopped + 1, "two agents at once");
    lab.act("cut-power", &["backup"]);
    lab.act("power-on", &["backup"]);
    wait_for("the agent after a boot", || {
        count(&log(), " runs") == stopped + 2
    });
}

#[test]
fn orphans_are_buried() {
    let lab = TestLab::up("orphans", &[]);
    lab.exec(
        "backup",
        &[
            "sh",
            "-c",
            "for i in 1 2 3 4 5; do (sh -c 'sleep 0.1' >/dev/null 2>&1 &) ; done",
        ],
    );
    wait_for("the burial", || {
        let states = lab.exec(
            "backup",
            &["sh", "-c", "cat /proc/[0-9]*/stat 2>/dev/null; true"],
        );
        !states.contains("(sleep)")
    });
}

#[test]
fn a_crash_point_is_laid_out_for_the_agent_of_that_node_only() {
    let lab = TestLab::up("crash", &[]);
    lab.act("crash-agent", &["serverdb", "--at", "before:stop_database"]);
    assert_eq!(
        lab.exec("serverdb", &["cat", "/run/siaga/lab-crash"]),
        "before:stop_database"
    );
    assert!(
        !lab.try_exec("backup", &["test", "-e", "/run/siaga/lab-crash"])
            .status
            .success()
    );
    for bad in ["stop_database", "during:take", "before:", "before:Rm -rf"] {
        assert_eq!(
            lab.try_do("crash-agent", &["serverdb", "--at", bad])
                .status
                .code(),
            Some(2),
            "{bad}"
        );
    }
    assert!(text(&lab.try_do("start-agent", &["serverdb"]).stderr).contains("without agents"));
}
