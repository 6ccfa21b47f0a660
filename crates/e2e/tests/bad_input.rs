//! Bad input and bad luck, as a user of the real binary meets them: a clear refusal with its code, and nothing changed.

use siaga_e2e::{Lab, Ran, wait_until};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

#[track_caller]
fn refused(ran: Ran, code: &str) {
    let said = ran.expect(3).json();
    assert_eq!(said["code"], code, "{said}");
    let evidence_and_next = ["message", "next"].map(|key| said[key].to_string());
    assert!(
        evidence_and_next.iter().all(|text| text.len() > 4),
        "{said}"
    );
}

/// Sends these bytes to the agent of `node` as they are, and returns what it answers.
fn raw(lab: &Lab, node: &str, bytes: &[u8]) -> String {
    let status = lab.status();
    let nodes = status["nodes"].as_array().expect("nodes");
    let init = nodes.iter().find(|n| n["name"] == node).expect("the node")["init_pid"].clone();
    let socket = format!("/proc/{init}/root/run/siaga/siaga.sock");
    let mut stream = UnixStream::connect(socket).expect("the agent's socket");
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .expect("a limit");
    // The agent may close before it has read all of it.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn post(path: &str, length: usize, body: &str) -> Vec<u8> {
    format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}").into_bytes()
}

fn finding(lab: &Lab, node: &str, code: &str) -> bool {
    let status = lab.siaga(node, &["status", "--json"]);
    status.code == 0 && status.out.contains(code)
}

#[test]
fn orders_that_cannot_be_are_refused_and_change_nothing() {
    let lab = Lab::up(&[]);
    let load = lab.load(8);
    for usage in [
        vec!["switchover", "--nonsense"],
        vec!["takover"],
        vec!["takeover", "--attest-off", "serverdb", "--yes"],
        vec!["switchover"],
    ] {
        lab.siaga("backup", &usage).expect(2);
    }
    let on = |node: &str, words: &[&str]| {
        let mut args = words.to_vec();
        args.extend(["--yes", "--json"]);
        lab.siaga(node, &args)
    };
    refused(
        on("backup", &["switchover", "--service", "radiologi"]),
        "NO_SUCH_THING",
    );
    refused(
        on("backup", &["switchover", "--to", "mars"]),
        "NO_SUCH_THING",
    );
    let attest = [
        "takeover",
        "--as",
        "budi",
        "--attest-off",
        "mars",
        "--how",
        "unplugged",
    ];
    refused(on("backup", &attest), "NO_SUCH_THING");
    refused(
        on("backup", &["switchover", "--as", "nobody-here"]),
        "NOT_ALLOWED",
    );
    refused(on("backup", &["resume"]), "NOTHING_INTERRUPTED");
    refused(on("serverdb", &["failback"]), "ALREADY_THERE");
    for (bytes, code) in [
        (post("/v1/moves", 3, "{}}"), "MALFORMED_BODY"),
        (post("/v1/moves", 2, "[]"), "MALFORMED_BODY"),
        (post("/v1/moves", 64 << 20, "{"), "TOO_LARGE"),
        (post("/v1/orders", 2, "{}"), "MALFORMED_BODY"),
    ] {
        let answer = raw(&lab, "backup", &bytes);
        assert!(
            answer.starts_with("HTTP/1.1 4") && answer.contains(code),
            "{code}: {answer}"
        );
    }
    raw(
        &lab,
        "backup",
        b"\x16\x03\x01\x00\xff not HTTP at all\r\n\r\n",
    );
    // Nothing was begun, and the agents are as well as before.
    assert_eq!(lab.active("backup").as_deref(), Some("serverdb"));
    let accepted = lab
        .siaga("backup", &["events", "--json", "--kind", "run_accepted"])
        .expect(0);
    assert_eq!(accepted.out.lines().count(), 1, "{}", accepted.out);
    let load = load.end().expect(0).json();
    assert_eq!(load["rows_lost"], 0, "{load}");
    assert_eq!(load["gaps"].as_array().map(Vec::len), Some(0), "{load}");
}

#[test]
fn a_broken_configuration_stops_the_agent_and_not_the_database() {
    let lab = Lab::up(&[]);
    let load = lab.load(10);
    lab.exec(
        "serverdb",
        &[
            "sh",
            "-c",
            "cp /etc/siaga/siaga.toml /run/good.toml && sed -i '/^\\[policy\\]/a rto = 7\\nsurprise = 1' /etc/siaga/siaga.toml",
        ],
    )
    .expect(0);
    let checked = lab.siaga("serverdb", &["config", "check"]).expect(2);
    let said = format!("{}{}", checked.out, checked.err);
    assert!(said.contains("rto") && said.contains("surprise"), "{said}");
    lab.lab(&["stop-agent", "serverdb"]).expect(0);
    let agent = lab.siaga("serverdb", &["agent"]).expect(2);
    assert!(agent.err.contains("surprise"), "{agent:?}");
    // No agent: a script learns that nothing is known, not that the service is down.
    lab.siaga("serverdb", &["status"]).expect(6);
    lab.exec(
        "serverdb",
        &["sh", "-c", "cp /run/good.toml /etc/siaga/siaga.toml"],
    )
    .expect(0);
    lab.lab(&["start-agent", "serverdb"]).expect(0);
    lab.wait_for_agent("serverdb");
    let load = load.end().expect(0).json();
    assert_eq!(load["gaps"].as_array().map(Vec::len), Some(0), "{load}");
}

#[test]
fn what_differs_between_the_nodes_and_what_others_can_read_is_found() {
    let lab = Lab::up(&[]);
    lab.siaga("backup", &["check", "--json"]).expect(0);
    let differ = "sed -i '/^\\[policy\\]/a rto = \"6m\"' /etc/siaga/siaga.toml";
    lab.exec("backup", &["sh", "-c", differ]).expect(0);
    lab.lab(&["crash-agent", "backup"]).expect(0);
    wait_until("it is found", || {
        let check = lab.siaga("serverdb", &["check", "--json"]);
        check.code == 1 && check.out.contains("CONFIG_DIFFERS")
    });
    // The same text on both again, with a secret that everybody can read.
    lab.exec("serverdb", &["sh", "-c", differ]).expect(0);
    lab.exec("backup", &["chmod", "644", "/etc/siaga/fence.secret"])
        .expect(0);
    lab.lab(&["crash-agent", "serverdb"]).expect(0);
    lab.wait_for_agents();
    // Whichever server is asked: the one that it is about hears it from the one that would use the fence.
    for node in ["backup", "serverdb"] {
        let check = lab.siaga(node, &["check", "--json"]);
        assert!(
            check.out.contains("FENCE_SILENT") && check.out.contains("fence.secret"),
            "{node}: {check:?}"
        );
    }
    // The fence that can't be used is said where it is needed, and nothing is fenced.
    lab.lab(&["stop-agent", "serverdb"]).expect(0);
    lab.lab(&["cut-power", "serverdb"]).expect(0);
    wait_until("it needs a person", || {
        let taken = lab.siaga("backup", &["takeover", "--yes", "--json"]);
        taken.code == 3 && taken.json()["code"] == "NEEDS_ATTESTATION"
    });
    lab.exec("backup", &["chmod", "600", "/etc/siaga/fence.secret"])
        .expect(0);
    lab.siaga("backup", &["takeover", "--yes", "--json"])
        .expect(0);
}

#[test]
fn a_full_disk_under_the_log_leaves_room_for_an_emergency() {
    let lab = Lab::up(&[]);
    let load = lab.load(20);
    let fill = "cat /dev/zero > /var/lib/siaga/filler; dd if=/dev/zero of=/var/lib/siaga/filler2 bs=512 2>/dev/null; sync; true";
    lab.exec("backup", &["sh", "-c", fill]).expect(0);
    // Until the reserve is opened there may still be room in the file itself.
    wait_until("planned moves are refused", || {
        let moved = lab.siaga("backup", &["switchover", "--yes", "--json"]);
        if moved.code == 0 {
            lab.siaga(
                "serverdb",
                &["switchover", "--to", "serverdb", "--yes", "--json"],
            );
        }
        moved.code == 3 && moved.json()["code"] == "LOG_FULL"
    });
    assert!(
        finding(&lab, "backup", "LOG_NEARLY_FULL") || {
            let check = lab.siaga("backup", &["check", "--json"]);
            check.out.contains("LOG_NEARLY_FULL")
        }
    );
    lab.lab(&["cut-power", "serverdb"]).expect(0);
    let taken = lab
        .siaga("backup", &["takeover", "--yes", "--json"])
        .expect(0)
        .json();
    assert_eq!(taken["outcome"], "done", "{taken}");
    lab.exec(
        "backup",
        &[
            "sh",
            "-c",
            "rm /var/lib/siaga/filler /var/lib/siaga/filler2",
        ],
    )
    .expect(0);
    lab.siaga("backup", &["events", "verify"]).expect(0);
    wait_until("planned work is possible again", || {
        lab.siaga("backup", &["restart", "--yes", "--json"]).code == 0
    });
    let load = load.end().expect(0).json();
    assert_eq!(load["rows_lost"], 0, "{load}");
}

#[test]
fn a_damaged_log_is_set_aside_and_a_torn_one_goes_on() {
    let lab = Lab::up(&[]);
    let load = lab.load(12);
    // Its own current log: the last row half written, as after a power cut.
    lab.lab(&["stop-agent", "backup"]).expect(0);
    let torn = "cd /var/lib/siaga/events && log=$(ls backup.*.log | tail -1) \
        && printf '{\"v\":1,\"node\":\"backup\",\"inc\"' > /run/half \
        && end=$(tr -d '\\0' < $log | wc -c) && dd if=/run/half of=$log bs=1 seek=$end conv=notrunc 2>/dev/null";
    lab.exec("backup", &["sh", "-c", torn]).expect(0);
    lab.lab(&["start-agent", "backup"]).expect(0);
    wait_until("it is reported", || finding(&lab, "backup", "JOURNAL_TORN"));
    lab.siaga("backup", &["events", "verify"]).expect(0);
    // A row of the middle, changed.
    lab.lab(&["stop-agent", "backup"]).expect(0);
    let changed = "cd /var/lib/siaga/events && log=$(ls backup.*.log | tail -1) && sed -i '2s/\"seq\":2/\"seq\":3/' $log";
    lab.exec("backup", &["sh", "-c", changed]).expect(0);
    lab.lab(&["start-agent", "backup"]).expect(0);
    wait_until("it is reported", || {
        finding(&lab, "backup", "JOURNAL_DAMAGED")
    });
    lab.siaga("backup", &["events", "verify"]).expect(1);
    let kept = "ls /var/lib/siaga/events/*.damaged";
    lab.exec("backup", &["sh", "-c", kept]).expect(0);
    // The other node's log holds, the service never noticed, and the node can still take it.
    lab.siaga("serverdb", &["events", "verify"]).expect(0);
    wait_until("backup knows its promises again", || {
        lab.siaga("backup", &["switchover", "--yes", "--json"]).code == 0
    });
    assert_eq!(lab.holder().as_deref(), Some("backup"));
    let load = load.end().expect(0).json();
    assert_eq!(load["rows_lost"], 0, "{load}");
}

#[test]
fn a_node_that_lost_its_log_keeps_its_running_database() {
    let lab = Lab::up(&["--fence", "fabric"]);
    // Once it was declared gone, and the service went home in order since.
    lab.lab(&["freeze", "serverdb"]).expect(0);
    lab.siaga("backup", &["takeover", "--yes", "--json"])
        .expect(0);
    lab.lab(&["cut-power", "serverdb"]).expect(0);
    lab.lab(&["power-on", "serverdb"]).expect(0);
    // A person opens its port at the switch again.
    let open = format!(
        "printf 'action=on\nplug=serverdb\npassword=%s\n' \"$(cat /etc/siaga/fence.secret)\" | {}/fence/fence_siaga_fabric",
        lab.status()["dir"].as_str().expect("a directory")
    );
    lab.exec("backup", &["sh", "-c", &open]).expect(0);
    lab.wait_for_agents();
    wait_until("it goes home", || {
        lab.siaga("backup", &["check", "--json"]);
        lab.siaga("serverdb", &["failback", "--yes", "--json"]).code == 0
    });
    // The log survives but for its tail: here all of it has been copied.
    let ended = |node: &str| {
        let events = lab.siaga(node, &["events", "--json", "--kind", "run_ended"]);
        events.out.lines().count()
    };
    wait_until("the end of the run is copied", || {
        ended("serverdb") == ended("backup")
    });
    let load = lab.load(8);
    lab.lab(&["stop-agent", "serverdb"]).expect(0);
    lab.exec(
        "serverdb",
        &["sh", "-c", "rm /var/lib/siaga/events/serverdb.*.log"],
    )
    .expect(0);
    lab.lab(&["start-agent", "serverdb"]).expect(0);
    lab.wait_for_agent("serverdb");
    wait_until("it says where the service is", || {
        lab.state("serverdb") == "running"
    });
    assert_eq!(lab.holder().as_deref(), Some("serverdb"));
    let load = load.end().expect(0).json();
    assert_eq!(load["rows_lost"], 0, "{load}");
    assert_eq!(load["gaps"].as_array().map(Vec::len), Some(0), "{load}");
}
