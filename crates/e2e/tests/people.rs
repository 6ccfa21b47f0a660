//! What people did while the program was dead, and what it asks of them afterwards.
// A test that fails by `unwrap` says where, like one that fails by `assert`.
#![allow(clippy::unwrap_used)]

use serde_json::Value;
use siaga_e2e::{Lab, wait_until};

/// The commands of the written procedure's part about the takeover, in order.
fn takeover_by_hand(lab: &Lab, node: &str) -> Vec<String> {
    let text = lab.siaga(node, &["sop", "--lang", "en"]).expect(0).out;
    let is_part = |line: &&str| {
        let mut chars = line.chars();
        chars.next().is_some_and(|c| c.is_ascii_uppercase()) && chars.next() == Some('.')
    };
    let mut commands: Vec<String> = Vec::new();
    let part = text
        .lines()
        .skip_while(|l| !(is_part(l) && l.contains("Takeover of")))
        .skip(1)
        .take_while(|l| !(is_part(l) && l.chars().nth(2) == Some(' ')));
    for line in part {
        let Some(command) = line.strip_prefix("        ") else {
            continue;
        };
        match commands.last_mut() {
            // A long command goes on in the next line, as a shell reads it.
            Some(last) if last.ends_with('\\') => *last = format!("{last}\n{command}"),
            _ => commands.push(command.to_owned()),
        }
    }
    let needed = |c: &String| {
        ["blockdev", "mount ", "ip addr add", "arping -U"]
            .iter()
            .any(|start| c.starts_with(start))
            || c.contains("pg_ctl start")
    };
    commands.retain(needed);
    assert!(commands.len() >= 4, "{text}");
    commands
}

fn now(lab: &Lab) -> String {
    let date = lab.exec("backup", &["date", "-u", "+%Y-%m-%dT%H:%M:%S.%3NZ"]);
    date.expect(0).out.trim().to_owned()
}

fn duties(lab: &Lab, node: &str) -> Vec<Value> {
    let status = lab.siaga(node, &["status", "--json"]).expect(0).json();
    status["duties"].as_array().unwrap().clone()
}

fn missing(lab: &Lab, node: &str) -> Vec<Value> {
    let mut all = duties(lab, node);
    all.retain(|d| d["duty"] == "times_missing");
    all
}

/// Where the written procedure lets the server log; a node of the lab shares that folder with this machine.
struct ByHandLog;

impl Drop for ByHandLog {
    fn drop(&mut self) {
        let _ = std::fs::remove_file("/var/tmp/simrs-postgres-by-hand.log");
    }
}

#[test]
fn a_takeover_made_by_hand_is_adopted_and_its_times_are_asked_for() {
    let _log = ByHandLog;
    let lab = Lab::up(&[]);
    wait_until("the other node knows the end of the start", || {
        let kinds = ["events", "--json", "--kind", "run_ended"];
        lab.siaga("backup", &kinds)
            .expect(0)
            .out
            .contains("run_ended")
    });
    // Nobody measures anything: the agents are dead, and so is the probe on the client.
    for machine in ["serverdb", "backup", "client"] {
        lab.lab(&["stop-agent", machine]).expect(0);
    }
    let offline = now(&lab);
    lab.lab(&["cut-power", "serverdb"]).expect(0);
    for command in takeover_by_hand(&lab, "backup") {
        let ran = lab.exec("backup", &["bash", "-c", &command]);
        // The announcement needs a program that a lab may lack; everything else has to work.
        assert!(
            ran.code == 0 || command.starts_with("arping"),
            "{command}: {ran:?}"
        );
    }
    let online = now(&lab);
    lab.lab(&["start-agent", "backup"]).expect(0);
    lab.wait_for_agent("backup");

    wait_until("its times are asked for", || {
        !missing(&lab, "backup").is_empty()
    });
    assert_eq!(lab.state("backup"), "running");
    let record = lab
        .siaga("backup", &["incident", "show", "--json"])
        .expect(0)
        .json();
    assert_eq!(record["origin"]["by"], "by_hand", "{record}");
    assert_eq!(record["state"], "under_watch", "{record}");
    let id = record["id"].as_str().unwrap();
    let text = lab
        .siaga("backup", &["status", "--lang", "en"])
        .expect(0)
        .out;
    let asked = format!("siaga incident time offline TIME --incident {id}");
    assert!(text.contains(&asked), "{text}");
    let shown = lab.siaga("backup", &["incident", "show", "--lang", "en"]);
    assert!(shown.expect(0).out.contains(&asked));

    // It is said once, also after another start of the agent, and on the other node.
    lab.lab(&["stop-agent", "backup"]).expect(0);
    lab.lab(&["start-agent", "backup"]).expect(0);
    lab.lab(&["power-on", "serverdb"]).expect(0);
    lab.wait_for_agents();
    wait_until("the other node knows it too", || {
        !missing(&lab, "serverdb").is_empty()
    });

    for (which, at) in [("offline", &offline), ("client-ok", &online)] {
        let entered = [
            "--as",
            "budi",
            "incident",
            "time",
            which,
            at,
            "--incident",
            id,
        ];
        lab.siaga("backup", &entered).expect(0);
    }
    assert!(missing(&lab, "backup").is_empty());
    let rows = lab.siaga("backup", &["log", "--json"]).expect(0).json();
    let mut entered: Vec<Value> = rows.as_array().unwrap().clone();
    entered.retain(|r| r["entered_by"] == "budi");
    assert_eq!(entered.len(), 1, "{rows}");
    assert!(entered[0]["duration_ms"].as_u64().unwrap() > 0, "{rows}");
    let text = lab.siaga("backup", &["log", "--lang", "en"]).expect(0).out;
    assert!(text.contains("entered by a person, not measured"), "{text}");
    let all = lab
        .siaga("backup", &["incident", "list", "--json"])
        .expect(0)
        .json();
    let by_hand = all
        .as_array()
        .unwrap()
        .iter()
        .filter(|i| i["kind"] == "unplanned");
    assert_eq!(by_hand.count(), 1, "{all}");
}
