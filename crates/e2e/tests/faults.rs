//! What goes wrong on the night: each ends in a named state, with one holder at the most and no row lost.

use siaga_e2e::{Beside, Lab, Ran, wait_until};

const MOUNT: &str = "/srv/simrs";

fn nothing_lost(load: Beside) {
    let load = load.end().expect(0).json();
    assert_eq!(load["rows_lost"], 0, "{load}");
}

fn switchover(lab: &Lab) -> Ran {
    lab.siaga("backup", &["switchover", "--yes", "--json"])
}

#[test]
fn a_busy_mount_is_restored_and_its_holder_named() {
    let lab = Lab::up(&[]);
    let load = lab.load(15);
    let shell = lab.beside("serverdb", &["sh", "-c", "cd /srv/simrs && exec sleep 600"]);
    wait_until("the shell sits in the mount", || {
        lab.exec(
            "serverdb",
            &[
                "sh",
                "-c",
                "ls -l /proc/*/cwd 2>/dev/null | grep -q '/srv/simrs$'",
            ],
        )
        .code
            == 0
    });
    let ended = switchover(&lab).expect(4).json();
    assert_eq!(ended["outcome"], "restored", "{ended}");
    assert!(
        ended["message"]
            .as_str()
            .is_some_and(|m| m.contains("sleep")),
        "{ended}"
    );
    assert_eq!(lab.holder().as_deref(), Some("serverdb"));
    drop(shell);
    nothing_lost(load);
}

#[test]
fn a_mount_in_another_namespace_is_not_released_and_restored() {
    let lab = Lab::up(&[]);
    let load = lab.load(15);
    // A service with private mounts keeps a copy of the mount: umount succeeds, and the copy goes on.
    let keeper = lab.beside(
        "serverdb",
        &[
            "unshare",
            "--mount",
            "--propagation",
            "private",
            "sh",
            "-c",
            "touch /tmp/kept && exec sleep 600",
        ],
    );
    wait_until("the copy is there", || {
        lab.exec("serverdb", &["test", "-e", "/tmp/kept"]).code == 0
    });
    let ended = switchover(&lab).expect(4).json();
    assert_eq!(ended["outcome"], "restored", "{ended}");
    assert_eq!(lab.holder().as_deref(), Some("serverdb"));
    drop(keeper);
    nothing_lost(load);
}

#[test]
fn a_hung_archive_command_does_not_count_as_stopped() {
    let lab = Lab::up(&[]);
    let load = lab.load(40);
    let sql = |q: &str| {
        lab.exec(
            "serverdb",
            &["psql", "-h", "/run/postgresql", "-U", "postgres", "-tAc", q],
        )
    };
    sql("alter system set archive_mode = on").expect(0);
    sql("alter system set archive_command = 'sleep 600'").expect(0);
    lab.siaga("serverdb", &["restart", "--yes", "--json"])
        .expect(0);
    sql("select pg_switch_wal()").expect(0);
    let moved = switchover(&lab);
    assert!([0, 4].contains(&moved.code), "{moved:?}");
    // Whatever the budget allowed: never two holders, and no process of the database left where it was released.
    let holder = lab.holder().expect("somebody holds it");
    let other = if holder == "backup" {
        "serverdb"
    } else {
        "backup"
    };
    let left = lab.exec(
        other,
        &[
            "sh",
            "-c",
            "cat /proc/[0-9]*/comm | grep -c '^postgres$' || true",
        ],
    );
    assert_eq!(left.out.trim(), "0", "{left:?}");
    nothing_lost(load);
}

#[test]
fn a_broken_database_on_the_target_is_restored() {
    let lab = Lab::up(&[]);
    let load = lab.load(20);
    // The standby's own private directory for sockets is gone: PostgreSQL can't start there.
    lab.exec(
        "backup",
        &[
            "sh",
            "-c",
            "rm -rf /run/postgresql && touch /run/postgresql",
        ],
    )
    .expect(0);
    let ended = switchover(&lab).expect(4).json();
    assert_eq!(ended["outcome"], "restored", "{ended}");
    assert_eq!(lab.holder().as_deref(), Some("serverdb"));
    nothing_lost(load);
}

#[test]
fn an_agent_killed_at_every_step_of_a_switchover() {
    let lab = Lab::up(&[]);
    let load = lab.load(150);
    let at_source = [
        "enlist",
        "stop_database",
        "remove_virtual_ip",
        "unmount",
        "release",
    ];
    let at_target = ["take", "mount", "add_virtual_ip", "start_database"];
    let mut from = "serverdb".to_owned();
    for when in ["before", "in", "after"] {
        for action in at_source.iter().chain(&at_target) {
            let to = if from == "serverdb" {
                "backup"
            } else {
                "serverdb"
            };
            let victim = if at_source.contains(action) {
                from.as_str()
            } else {
                to
            };
            lab.lab(&["crash-agent", victim, "--at", &format!("{when}:{action}")])
                .expect(0);
            let moved = lab.siaga(to, &["switchover", "--to", to, "--yes", "--json"]);
            let case = format!("{when}:{action} at {victim}: {moved:?}");
            lab.wait_for_agents();
            // Either it went through, or it was restored, or one command finishes it.
            wait_until(&case, || {
                if lab.state(to) == "running" {
                    return true;
                }
                lab.siaga(to, &["resume", "--yes", "--json"]);
                false
            });
            from = lab
                .holder()
                .unwrap_or_else(|| panic!("nobody holds it: {case}"));
            // What rests is finished, so that the next round begins clean.
            lab.siaga(to, &["resume", "--yes", "--json"]);
            from = lab.holder().unwrap_or(from);
        }
    }
    nothing_lost(load);
}

#[test]
fn a_coordinator_cut_off_after_the_source_let_go_is_covered() {
    let lab = Lab::up(&[]);
    let load = lab.load(60);
    // Its agent stops right before the take, and then the whole node is gone.
    lab.exec(
        "backup",
        &["sh", "-c", "echo pause:take > /run/siaga/lab-crash"],
    )
    .expect(0);
    // Ordered and watched at the source.
    let moving = lab.siaga_beside("serverdb", &["switchover", "--yes", "--json"]);
    wait_until("the source let go, and the coordinator is asleep", || {
        lab.exec("backup", &["test", "-e", "/run/siaga/lab-crash"])
            .code
            != 0
    });
    assert_eq!(lab.holder(), None);
    lab.lab(&["freeze", "backup"]).expect(0);
    wait_until("the source covers", || lab.state("serverdb") == "running");
    assert_eq!(lab.active("serverdb").as_deref(), Some("serverdb"));
    assert_eq!(lab.holder().as_deref(), Some("serverdb"));
    // The order was not carried out, and that is what its person is told: it ended where it started.
    let ended = moving.end().expect(4).json();
    assert_eq!(ended["outcome"], "restored", "{ended}");
    let run = ended["run_id"].as_str().unwrap_or_default().to_owned();
    covered_on(&lab, "serverdb", &run);
    nothing_lost(load);
    // The node that was fenced for it comes back, and says the same.
    lab.lab(&["power-on", "backup"]).expect(0);
    lab.wait_for_agent("backup");
    wait_until("the end was copied", || {
        let events = lab.siaga("backup", &["events", "--run", &run, "--json"]);
        events.out.contains("coordinator_silent")
    });
    covered_on(&lab, "backup", &run);
}

/// The events and the log book of that node say that another run covered this one.
fn covered_on(lab: &Lab, node: &str, run: &str) {
    let events = lab.siaga(node, &["events", "--run", run]).expect(0).out;
    let end = events.lines().find(|l| l.contains("run ended"));
    let end = end.unwrap_or_else(|| panic!("{node}: {events}"));
    assert!(
        end.contains("Not done") && end.contains("fell silent"),
        "{end}"
    );
    let book = lab.siaga(node, &["log", "--json"]).expect(0).json();
    let row = book
        .as_array()
        .into_iter()
        .flatten()
        .find(|r| r["run"] == run);
    let row = row.unwrap_or_else(|| panic!("{node}: {book}"));
    assert!(
        row["covered_by"].is_string() && row["covered_by"] != run,
        "{row}"
    );
}

#[test]
fn a_frozen_node_fenced_by_fabric_thaws_and_reaches_nothing() {
    let lab = Lab::up(&["--fence", "fabric"]);
    let load = lab.load(40);
    lab.lab(&["freeze", "serverdb"]).expect(0);
    let taken = lab
        .siaga("backup", &["takeover", "--yes", "--json"])
        .expect(0)
        .json();
    assert_eq!(taken["outcome"], "done", "{taken}");
    lab.lab(&["thaw", "serverdb"]).expect(0);
    // Its agent finds that it was declared gone: address, database and mount go, and it is reported.
    wait_until(
        "the thawed node dropped the address and the database",
        || {
            let vip = lab.status()["service"]["vip"]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            let address = lab.exec("serverdb", &["ip", "-o", "addr"]);
            let processes = lab.exec(
                "serverdb",
                &[
                    "sh",
                    "-c",
                    "cat /proc/[0-9]*/comm | grep -c '^postgres$' || true",
                ],
            );
            !address.out.contains(&format!(" {vip}/")) && processes.out.trim() == "0"
        },
    );
    wait_until("it is reported", || {
        lab.siaga("serverdb", &["status", "--json"])
            .out
            .contains("NODE_UNFENCED_AND_BACK")
    });
    assert_eq!(lab.active("backup").as_deref(), Some("backup"));
    nothing_lost(load);
    // The fence still cuts it off, so that it goes on looking; it says so once.
    let said = lab
        .siaga("serverdb", &["events", "--json", "--kind", "letting_go"])
        .expect(0);
    assert_eq!(said.out.lines().count(), 1, "{}", said.out);
}

#[test]
fn a_partition_is_refused_with_the_probes_evidence() {
    let lab = Lab::up(&[]);
    let load = lab.load(15);
    lab.lab(&["partition"]).expect(0);
    let refused = lab
        .siaga("backup", &["takeover", "--yes", "--json"])
        .expect(3)
        .json();
    assert_eq!(refused["code"], "STILL_SERVING", "{refused}");
    lab.lab(&["heal"]).expect(0);
    assert_eq!(lab.holder().as_deref(), Some("serverdb"));
    nothing_lost(load);
}

#[test]
fn both_sides_ordered_at_once_one_wins() {
    let lab = Lab::up(&[]);
    let load = lab.load(20);
    for order in ["start", "takeover"] {
        lab.siaga("serverdb", &["stop", "--yes", "--json"])
            .expect(0);
        let [one, other] = ["serverdb", "backup"]
            .map(|node| lab.siaga_beside(node, &[order, "--to", node, "--yes", "--json"]));
        let (one, other) = (one.end(), other.end());
        wait_until("one of them holds it", || {
            if lab.holder().is_some() && lab.state("serverdb") == "running" {
                return true;
            }
            // Both may have given way to each other: then the next command goes through, or says which one does.
            let started = lab.siaga("serverdb", &["start", "--yes", "--json"]);
            if started.code == 3 && started.json()["code"] == "RUN_INTERRUPTED" {
                lab.siaga("serverdb", &["resume", "--yes", "--json"]);
            }
            false
        });
        let won = [&one, &other].iter().filter(|r| r.code == 0).count();
        assert!(won <= 1, "{one:?} {other:?}");
    }
    nothing_lost(load);
}

#[test]
fn an_address_left_on_the_other_node_goes_by_a_start_and_the_service_stays() {
    let lab = Lab::up(&[]);
    let load = lab.load(20);
    let vip = lab.status()["service"]["vip"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let left = format!("{vip}/32");
    lab.exec("backup", &["ip", "address", "add", &left, "dev", "eth0"])
        .expect(0);
    wait_until("the screen says so", || lab.state("serverdb") == "danger");
    let done = lab
        .siaga("serverdb", &["start", "--yes", "--json"])
        .expect(0)
        .json();
    assert_eq!(done["outcome"], "done", "{done}");
    assert!(
        !lab.exec("backup", &["ip", "-o", "address"])
            .out
            .contains(&format!(" {vip}/"))
    );
    wait_until("all is well", || lab.state("serverdb") == "running");
    assert_eq!(lab.holder().as_deref(), Some("serverdb"));
    nothing_lost(load);
}

#[test]
fn a_mount_made_by_hand_is_noticed_and_reported() {
    let lab = Lab::up(&[]);
    lab.siaga("serverdb", &["stop", "--yes", "--json"])
        .expect(0);
    let device = lab.status()["nodes"][1]["device"]
        .as_str()
        .expect("a device")
        .to_owned();
    lab.exec("backup", &["mount", &device, MOUNT]).expect(0);
    wait_until("it is reported", || {
        lab.siaga("backup", &["status", "--json"])
            .out
            .contains("MOUNT_BY_HAND")
    });
    let refused = lab
        .siaga("serverdb", &["start", "--yes", "--json"])
        .expect(3)
        .json();
    assert_eq!(refused["code"], "STRANGER", "{refused}");
    lab.exec("backup", &["umount", MOUNT]).expect(0);
    lab.siaga("serverdb", &["start", "--yes", "--json"])
        .expect(0);
}

/// After a machine was replaced, a fence may still name the old one, which is off for ever.
#[test]
fn a_fence_of_another_machine_proves_nothing() {
    let lab = Lab::bare(&["--fence", "power"]);
    let program = "/etc/siaga/fence_old";
    let edit = format!(
        "printf '#!/bin/sh\\ngrep -q action=status && echo Status: OFF && exit 2; exit 0\\n' > {program} && chmod 755 {program} && \
         sed -i '/^name = \"serverdb\"/,/^name = \"backup\"/ s|^agent = .*|agent = \"{program}\"|' /etc/siaga/siaga.toml"
    );
    for node in ["serverdb", "backup"] {
        lab.exec(node, &["sh", "-c", &edit]).expect(0);
        lab.lab(&["stop-agent", node]).expect(0);
        lab.lab(&["start-agent", node]).expect(0);
    }
    lab.wait_for_agents();
    lab.siaga("serverdb", &["start", "--yes", "--json"])
        .expect(0);
    let found = |check: &serde_json::Value| {
        let findings = check["findings"].as_array().expect("findings").clone();
        findings.into_iter().find(|f| f["code"] == "FENCE_BELIED")
    };
    for node in ["backup", "serverdb"] {
        let check = lab.siaga(node, &["check", "--json"]).json();
        let belied = found(&check).expect("it is found");
        assert_eq!(
            (&belied["node"], &belied["status"]),
            (&"serverdb".into(), &"fail".into()),
            "asked at {node}"
        );
    }

    // The server falls silent. Whether it is off, this fence can't say; also not to an agent that was restarted since.
    lab.lab(&["cut-power", "serverdb"]).expect(0);
    for _ in 0..2 {
        lab.lab(&["stop-agent", "backup"]).expect(0);
        lab.lab(&["start-agent", "backup"]).expect(0);
        wait_until("the takeover asks for a person", || {
            let refused = lab.siaga("backup", &["takeover", "--yes", "--json"]);
            assert_ne!(refused.code, 0, "{refused:?}");
            refused.code == 3
                && refused.json()["code"] == "NEEDS_ATTESTATION"
                && refused.out.contains("another machine")
        });
    }
}
