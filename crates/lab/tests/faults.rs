//! The faults are real: what was synced survives a power cut and nothing else does.
#![allow(clippy::unwrap_used)]

mod common;

use common::{TestLab, good, text};
use std::time::{Duration, Instant};

const PG: &str = "/srv/simrs/pg";

/// Writes a file below `dir` that is synced and one that is not.
const WRITE_TWO: &str =
    "cd $0 && echo kept >synced && sync -f synced && echo lost >unsynced && cat unsynced";

#[test]
fn a_power_cut_keeps_what_was_synced_and_loses_the_rest() {
    let lab = TestLab::up("power", &[]);
    good(lab.mount("serverdb"));
    for dir in ["/srv/simrs", "/var/lib/siaga"] {
        assert_eq!(lab.exec("serverdb", &["sh", "-c", WRITE_TWO, dir]), "lost");
    }
    let boot = lab.exec("serverdb", &["cat", "/proc/sys/kernel/random/boot_id"]);
    let card = lab.exec("serverdb", &["cat", "/sys/class/net/eth0/address"]);
    lab.exec(
        "serverdb",
        &["ip", "address", "add", "198.18.0.50/32", "dev", "eth0"],
    );
    lab.act("cut-power", &["serverdb"]);
    let off = lab.node("serverdb");
    assert_eq!(
        (off["powered"].as_bool(), off["init_pid"].as_i64()),
        (Some(false), None)
    );
    assert!(text(&lab.try_exec("serverdb", &["true"]).stderr).contains("lab-node-off"));
    // Twice is once.
    lab.act("cut-power", &["serverdb"]);

    // The partner's mount replays the journal.
    good(lab.mount("backup"));
    assert_eq!(lab.exec("backup", &["cat", "/srv/simrs/synced"]), "kept");
    assert!(
        !lab.try_exec("backup", &["test", "-e", "/srv/simrs/unsynced"])
            .status
            .success()
    );
    lab.exec("backup", &["umount", "/srv/simrs"]);

    lab.act("power-on", &["serverdb"]);
    lab.act("power-on", &["serverdb"]);
    assert_eq!(
        lab.exec("serverdb", &["cat", "/var/lib/siaga/synced"]),
        "kept"
    );
    assert!(
        !lab.try_exec("serverdb", &["test", "-e", "/var/lib/siaga/unsynced"])
            .status
            .success()
    );
    assert_ne!(
        lab.exec("serverdb", &["cat", "/proc/sys/kernel/random/boot_id"]),
        boot
    );
    assert_eq!(
        lab.exec("serverdb", &["cat", "/sys/class/net/eth0/address"]),
        card
    );
    let addresses = lab.exec("serverdb", &["ip", "address"]);
    assert!(
        !addresses.contains("198.18.0.50"),
        "the virtual address came back by itself: {addresses}"
    );
    good(lab.mount("serverdb"));
    assert_eq!(lab.exec("serverdb", &["cat", "/srv/simrs/synced"]), "kept");
}

#[test]
fn a_power_cut_reaches_a_mount_in_another_namespace() {
    let lab = TestLab::up("hidden", &[]);
    let device = lab.device("serverdb");
    // Mounted only where the first process does not see it.
    let hide = "mount $0 /srv/simrs && cd /srv/simrs && echo kept >synced && sync -f . && echo lost >unsynced && \
                touch /run/ready && exec sleep 1000";
    let mut child = std::process::Command::new(common::program())
        .args([
            "exec", "--name", &lab.name, "serverdb", "--", "unshare", "-m", "sh", "-c", hide,
            &device,
        ])
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while !lab
        .try_exec("serverdb", &["test", "-e", "/run/ready"])
        .status
        .success()
    {
        assert!(Instant::now() < deadline);
    }
    lab.act("cut-power", &["serverdb"]);
    child.wait().unwrap();
    good(lab.mount("backup"));
    assert_eq!(
        lab.exec("backup", &["ls", "/srv/simrs"]),
        "lost+found\npg\nsynced"
    );
}

#[test]
fn a_node_whose_first_process_was_killed_boots_again() {
    let lab = TestLab::up("init", &[]);
    let pid = rustix::process::Pid::from_raw(lab.init_pid("backup")).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while lab.node("backup")["init_pid"].is_i64() {
        assert!(Instant::now() < deadline);
    }
    // It has power all the same: only a power cut takes that.
    assert_eq!(lab.node("backup")["powered"], true);
    lab.act("power-on", &["backup"]);
    lab.exec("backup", &["true"]);
}

#[test]
fn without_mmp_both_nodes_mount_at_once_and_that_destroys_data() {
    let lab = TestLab::up("split", &[]);
    good(lab.mount("serverdb"));
    // This is the danger that Siaga is about: nothing stops the second node.
    good(lab.mount("backup"));
    lab.exec(
        "serverdb",
        &[
            "sh",
            "-c",
            "echo a >/srv/simrs/from-serverdb && sync -f /srv/simrs",
        ],
    );
    lab.exec(
        "backup",
        &[
            "sh",
            "-c",
            "echo b >/srv/simrs/from-backup && sync -f /srv/simrs",
        ],
    );
    assert!(
        !lab.try_exec("backup", &["test", "-e", "/srv/simrs/from-serverdb"])
            .status
            .success()
    );
    lab.exec("serverdb", &["umount", "/srv/simrs"]);
    lab.exec("backup", &["umount", "/srv/simrs"]);
    // Two views of one directory: one of the files is gone, or the check finds worse.
    let check = lab.try_exec("backup", &["e2fsck", "-fn", &lab.device("backup")]);
    good(lab.mount("backup"));
    let files = lab.exec("backup", &["ls", "/srv/simrs"]);
    let both = files.contains("from-serverdb") && files.contains("from-backup");
    assert!(!both || !check.status.success(), "{files}");
}

#[test]
fn with_mmp_the_second_mount_is_refused() {
    let lab = TestLab::up("mmp", &["--mmp"]);
    good(lab.mount("serverdb"));
    // Some twenty seconds: the other node is watched before it is believed alive.
    assert!(!lab.mount("backup").status.success());
    // Unmounted in order, the block says so; after a power cut it never does.
    let sequence = |node: &str| {
        let dump = lab.exec(node, &["debugfs", "-R", "dump_mmp", &lab.device(node)]);
        dump.lines()
            .find_map(|line| line.strip_prefix("sequence: ").map(str::to_owned))
            .unwrap()
    };
    let clean = "ff4d4d50";
    lab.exec("serverdb", &["umount", "/srv/simrs"]);
    assert_eq!(sequence("backup"), clean);
    good(lab.mount("backup"));
    lab.act("cut-power", &["backup"]);
    assert_ne!(sequence("serverdb"), clean);
}

#[test]
fn a_frozen_node_neither_runs_nor_answers_until_it_thaws() {
    let lab = TestLab::up("freeze", &[]);
    lab.exec(
        "serverdb",
        &["sh", "-c", "(while :; do date +%s%N >/run/tick.new; mv /run/tick.new /run/tick; done) >/dev/null 2>&1 &"],
    );
    let _listener = lab.listen("serverdb", 7000);
    let address = lab.address("serverdb");
    let ticks = || {
        std::fs::read(format!("/proc/{}/root/run/tick", lab.init_pid("serverdb")))
            .unwrap_or_default()
    };
    let moves = |patience| {
        let (first, deadline) = (ticks(), Instant::now() + patience);
        while Instant::now() < deadline {
            if ticks() != first {
                return true;
            }
        }
        false
    };
    assert!(moves(Duration::from_secs(5)));
    assert!(lab.reaches("client", &address, 7000));
    lab.act("freeze", &["serverdb"]);
    assert_eq!(lab.node("serverdb")["frozen"], true);
    assert!(
        !moves(Duration::from_millis(500)),
        "a process of a frozen node runs"
    );
    assert!(
        !lab.reaches("client", &address, 7000),
        "the kernel of a frozen node answers"
    );
    assert!(text(&lab.try_exec("serverdb", &["true"]).stderr).contains("lab-node-frozen"));
    lab.act("thaw", &["serverdb"]);
    assert_eq!(lab.node("serverdb")["frozen"], false);
    assert!(moves(Duration::from_secs(5)));
    assert!(lab.comes_to_reach("client", &address, 7000));
    // A frozen node can be cut off, and boots thawed.
    lab.act("freeze", &["serverdb"]);
    lab.act("cut-power", &["serverdb"]);
    lab.act("power-on", &["serverdb"]);
    assert_eq!(lab.node("serverdb")["frozen"], false);
    lab.exec("serverdb", &["true"]);
}

#[test]
fn a_partition_cuts_node_from_node_only() {
    let lab = TestLab::up("partition", &[]);
    let (_a, _b) = (lab.listen("serverdb", 7000), lab.listen("backup", 7000));
    let addresses = |node: &str| {
        ["address", "cross_address"].map(|key| lab.node(node)[key].as_str().unwrap().to_owned())
    };
    let node_to_node = || {
        let there = addresses("backup")
            .iter()
            .map(|to| lab.reaches("serverdb", to, 7000))
            .collect::<Vec<_>>();
        let back = addresses("serverdb")
            .iter()
            .map(|to| lab.reaches("backup", to, 7000))
            .collect::<Vec<_>>();
        [there, back].concat()
    };
    let clients =
        || ["serverdb", "backup"].map(|node| lab.reaches("client", &lab.address(node), 7000));
    assert_eq!(node_to_node(), [true; 4]);
    lab.act("partition", &[]);
    assert_eq!(lab.status()["partitioned"], true);
    assert_eq!(node_to_node(), [false; 4]);
    assert_eq!(clients(), [true; 2]);
    // A node that reboots does not heal it, nor can a node undo it by itself.
    lab.exec("backup", &["ip", "link", "set", "eth1", "down"]);
    lab.exec("backup", &["ip", "link", "set", "eth1", "up"]);
    lab.act("cut-power", &["serverdb"]);
    lab.act("power-on", &["serverdb"]);
    let _a = lab.listen("serverdb", 7000);
    assert_eq!(node_to_node(), [false; 4]);
    assert_eq!(clients(), [true; 2]);
    lab.act("heal", &[]);
    // The kernel asks a neighbour that was silent again only after a second.
    let deadline = Instant::now() + Duration::from_secs(10);
    while node_to_node() != [true; 4] {
        assert!(Instant::now() < deadline, "not healed");
    }
}

#[test]
fn a_cut_disk_takes_no_more_writes_until_it_is_restored() {
    let lab = TestLab::up("disk", &[]);
    let write = |node: &str, text: &str| {
        let script = "echo $1 | dd of=$0 bs=4096 seek=200000 count=1 conv=sync oflag=direct";
        lab.try_exec(node, &["sh", "-c", script, &lab.device(node), text])
            .status
            .success()
    };
    let read = |node: &str| {
        let script = "dd if=$0 bs=4096 skip=200000 count=1 iflag=direct 2>/dev/null | tr -d '\\0'";
        lab.exec(node, &["sh", "-c", script, &lab.device(node)])
    };
    assert!(write("serverdb", "first"));
    lab.act("cut-disk", &["serverdb"]);
    assert_eq!(lab.node("serverdb")["disk_cut"], true);
    assert!(!write("serverdb", "second"));
    assert_eq!(read("backup"), "first");
    assert!(
        write("backup", "third"),
        "the cut of one node's way reached the other's"
    );
    // A reboot does not mend the cable.
    lab.act("cut-power", &["serverdb"]);
    lab.act("power-on", &["serverdb"]);
    assert!(!write("serverdb", "fourth"));
    lab.act("restore-disk", &["serverdb"]);
    assert_eq!(read("serverdb"), "third");
    assert!(write("serverdb", "fifth"));
}

/// Starts PostgreSQL in a node by hand, as Siaga will, and returns the number of pgbench's rows.
fn rows_in(lab: &TestLab, node: &str, options: &str) -> String {
    lab.exec(
        node,
        &["mount", "-o", options, &lab.device(node), "/srv/simrs"],
    );
    let bin = lab.exec(
        node,
        &["sh", "-c", "ls -d /usr/lib/postgresql/*/bin | tail -1"],
    );
    let ctl = format!("{bin}/pg_ctl");
    lab.exec(
        node,
        &[
            "setpriv",
            "--reuid=postgres",
            "--regid=postgres",
            "--clear-groups",
            &ctl,
            "-w",
            "-s",
            "-D",
            PG,
            "-l",
            "/tmp/log",
            "start",
        ],
    );
    let count = "select count(*) from pgbench_accounts";
    lab.exec(
        node,
        &[
            "psql",
            "-h",
            "/run/postgresql",
            "-U",
            "simrs",
            "-d",
            "simrs",
            "-Atc",
            count,
        ],
    )
}

#[test]
fn the_database_runs_on_xfs_with_large_sectors_and_moves_over_a_power_cut() {
    let lab = TestLab::up(
        "xfs",
        &["--fs", "xfs", "--sector-size", "4096", "--scale", "2"],
    );
    assert_eq!(
        lab.exec(
            "serverdb",
            &["blockdev", "--getss", &lab.device("serverdb")]
        ),
        "4096"
    );
    assert!(
        lab.exec("serverdb", &["cat", "/etc/siaga/siaga.toml"])
            .contains("nouuid")
    );
    assert_eq!(rows_in(&lab, "serverdb", "nouuid"), "200000");
    assert!(
        lab.exec("serverdb", &["cat", "/proc/mounts"])
            .contains(" /srv/simrs xfs ")
    );
    // The client is let in through the public address.
    let dsn = format!("postgresql://simrs@{}/simrs", lab.address("serverdb"));
    lab.exec(
        "client",
        &["psql", &dsn, "-c", "create table mine as select 7 as n"],
    );
    lab.act("cut-power", &["serverdb"]);
    assert_eq!(rows_in(&lab, "backup", "nouuid"), "200000");
    let dsn = format!("postgresql://simrs@{}/simrs", lab.address("backup"));
    assert_eq!(
        lab.exec("client", &["psql", &dsn, "-Atc", "select n from mine"]),
        "7"
    );
}

#[test]
fn the_database_runs_on_ext4_with_large_sectors() {
    let lab = TestLab::up("ext4", &["--sector-size", "4096", "--size", "512M"]);
    assert_eq!(
        lab.exec("backup", &["blockdev", "--getss", &lab.device("backup")]),
        "4096"
    );
    assert_eq!(rows_in(&lab, "backup", "noatime"), "100000");
}
