//! The whole procedure under load.

use serde_json::{Value, json};
use siaga_e2e::{Lab, wait_until};

/// Every acknowledged row was found again.
fn nothing_lost(load: siaga_e2e::Beside) {
    let load = load.end().expect(0).json();
    assert_eq!(load["rows_lost"], 0, "{load}");
    assert!(load["rows_acknowledged"].as_u64() > Some(20), "{load}");
}

#[test]
fn switchover_and_failback_lose_no_row() {
    let lab = Lab::up(&[]);
    let load = lab.load(12);
    let moved = lab
        .siaga("backup", &["switchover", "--yes", "--json"])
        .expect(0)
        .json();
    assert_eq!(moved["outcome"], "done");
    assert_eq!(
        (&moved["from"], &moved["to"]),
        (&"serverdb".into(), &"backup".into())
    );
    assert_eq!(moved["outages"][0]["seen_by"], "probe", "{moved}");
    assert!(
        moved["outages"][0]["downtime_ms"].as_u64() > Some(0),
        "{moved}"
    );
    assert_eq!(moved["client_tests"][0]["passed"], true, "{moved}");
    assert_eq!(lab.holder().as_deref(), Some("backup"));
    assert_eq!(lab.active("serverdb").as_deref(), Some("backup"));

    let back = lab
        .siaga(
            "serverdb",
            &["failback", "--yes", "--json", "--reason", "repaired"],
        )
        .expect(0)
        .json();
    assert_eq!(back["outcome"], "done");
    assert_eq!(lab.holder().as_deref(), Some("serverdb"));
    nothing_lost(load);
}

#[test]
fn the_drill_comes_home_and_measures_both_outages() {
    let lab = Lab::up(&[]);
    let load = lab.load(15);
    let drill = lab
        .siaga("serverdb", &["drill", "--yes", "--json"])
        .expect(0)
        .json();
    assert_eq!(drill["outcome"], "done", "{drill}");
    let outages = drill["outages"].as_array().expect("outages");
    assert_eq!(outages.len(), 2, "{drill}");
    assert!(outages.iter().all(|o| o["seen_by"] == "probe"), "{drill}");
    let tests = drill["client_tests"].as_array().expect("tests");
    assert_eq!(
        tests.iter().filter(|t| t["passed"] == true).count(),
        tests.len(),
        "{drill}"
    );
    assert_eq!(lab.holder().as_deref(), Some("serverdb"));
    nothing_lost(load);
}

#[test]
fn a_drill_away_from_home_is_refused_and_names_failback() {
    let lab = Lab::up(&[]);
    lab.siaga("backup", &["switchover", "--yes", "--json"])
        .expect(0);
    let refused = lab.siaga("backup", &["drill", "--yes", "--json"]).expect(3);
    assert_eq!(refused.json()["code"], "NOT_ON_PREFERRED");
    assert!(
        refused.err.contains("failback") || refused.out.contains("failback"),
        "{refused:?}"
    );
}

#[test]
fn power_cut_then_takeover_by_fence_loses_no_row() {
    let lab = Lab::up(&[]);
    let load = lab.load(25);
    lab.lab(&["cut-power", "serverdb"]).expect(0);
    // What is asked in that night is whether the one that is left can take over.
    wait_until("the check says yes with a dead holder", || {
        let check = lab.siaga("backup", &["check", "--json"]).json();
        let silent = one_finding(&check, "PEER_UNREACHABLE");
        assert_eq!(
            (&silent["node"], &silent["severity"]),
            (&json!("serverdb"), &json!("warning"))
        );
        check["ready"] == "yes"
    });
    let taken = lab
        .siaga("backup", &["takeover", "--yes", "--json"])
        .expect(0)
        .json();
    assert_eq!(taken["outcome"], "done", "{taken}");
    assert!(
        taken["proof"][0]
            .as_str()
            .is_some_and(|p| p.starts_with("fenced serverdb")),
        "{taken}"
    );
    assert_eq!(taken["outages"][0]["seen_by"], "probe", "{taken}");
    assert_eq!(lab.holder().as_deref(), Some("backup"));

    // It comes back and takes nothing; it goes home only after a check.
    lab.lab(&["power-on", "serverdb"]).expect(0);
    lab.wait_for_agent("serverdb");
    assert_eq!(lab.holder().as_deref(), Some("backup"));
    let refused = lab
        .siaga("serverdb", &["failback", "--yes", "--json"])
        .expect(3)
        .json();
    assert_eq!(refused["code"], "CHECK_NOT_PASSED", "{refused}");
    let mount = lab.status()["service"]["mount"]
        .as_str()
        .unwrap()
        .to_owned();
    lab.exec("serverdb", &["rmdir", &mount]).expect(0);
    let check = lab.siaga("backup", &["check", "--json"]).expect(1).json();
    let missing = one_finding(&check, "MOUNT_POINT_MISSING");
    assert_eq!(
        (&missing["node"], &missing["fixable"]),
        (&json!("serverdb"), &json!(true))
    );
    let check = lab
        .siaga("backup", &["check", "--fix", "--json"])
        .expect(0)
        .json();
    assert_eq!(check["fixed"][0]["node"], "serverdb", "{check}");
    assert_eq!(check["ready"], "yes", "{check}");
    let health = told(&lab, "backup", "/health");
    assert!(
        health.starts_with("HTTP/1.0 200") && health.contains("\"ready\":\"yes\""),
        "{health}"
    );
    assert!(
        told(&lab, "backup", "/metrics")
            .contains("siaga_database{service=\"simrs\",state=\"ready\"} 1")
    );
    lab.siaga("serverdb", &["failback", "--yes", "--json"])
        .expect(0);
    assert_eq!(lab.holder().as_deref(), Some("serverdb"));
    nothing_lost(load);
}

#[test]
fn without_a_fence_a_person_attests_and_is_not_believed_against_a_witness() {
    let lab = Lab::up(&["--fence", "none"]);
    let load = lab.load(15);
    let attest = [
        "takeover",
        "--yes",
        "--json",
        "--as",
        "budi",
        "--attest-off",
        "serverdb",
        "--how",
        "unplugged",
    ];
    // It lives and serves.
    let refused = lab
        .siaga("backup", &["takeover", "--yes", "--json"])
        .expect(3)
        .json();
    assert_eq!(refused["code"], "SOURCE_ALIVE", "{refused}");
    let refused = lab.siaga("backup", &attest).expect(3).json();
    assert!(
        ["SOURCE_ALIVE", "STILL_SERVING", "ATTESTATION_CONTRADICTED"]
            .contains(&refused["code"].as_str().unwrap_or_default()),
        "{refused}"
    );
    // Its agent is silent, and its kernel answers: a lie is found out.
    lab.lab(&["freeze", "serverdb"]).expect(0);
    lab.lab(&["thaw", "serverdb"]).expect(0);
    lab.lab(&["cut-power", "serverdb"]).expect(0);
    wait_until("the probe has seen the outage", || {
        let refused = lab.siaga("backup", &["takeover", "--yes", "--json"]);
        refused.code == 3 && refused.json()["code"] == "NEEDS_ATTESTATION"
    });
    let taken = lab.siaga("backup", &attest).expect(0).json();
    assert_eq!(taken["proof"][0], "attested serverdb", "{taken}");
    assert_eq!(lab.holder().as_deref(), Some("backup"));
    nothing_lost(load);
}

#[test]
fn power_lost_together_with_its_fence_device() {
    let lab = Lab::up(&[]);
    let load = lab.load(8);
    lab.lab(&["cut-power", "serverdb", "--with-fence"])
        .expect(0);
    wait_until("the takeover asks for a person", || {
        let refused = lab.siaga("backup", &["takeover", "--yes", "--json"]);
        refused.code == 3 && refused.json()["code"] == "NEEDS_ATTESTATION"
    });
    let attest = [
        "takeover",
        "--yes",
        "--json",
        "--as",
        "budi",
        "--attest-off",
        "serverdb",
        "--how",
        "switched-off",
    ];
    lab.siaga("backup", &attest).expect(0);
    assert_eq!(lab.holder().as_deref(), Some("backup"));
    let load = load.end().expect(0).json();
    assert_eq!(load["rows_lost"], 0, "{load}");
}

const COPY: &str = "/srv/rehearsal/simrs.rehearsal";

fn copy_is_there(lab: &Lab) -> bool {
    lab.exec("backup", &["test", "-e", COPY]).code == 0
}

/// Does any process of a copy run on the standby?
fn copy_is_made(lab: &Lab) -> bool {
    let look = "grep -qas label=[s]iaga-rehearsal /proc/[0-9]*/cmdline";
    lab.exec("backup", &["sh", "-c", look]).code == 0
}

/// Tried on the standby from a copy, and production is as it was.
fn rehearsed(lab: &Lab) {
    let report = lab.siaga("serverdb", &["rehearse", "--json"]);
    let report = report.expect(0).json();
    assert_eq!(report["outcome"], "passed", "{report}");
    assert_eq!(report["production_untouched"], true, "{report}");
    assert_eq!(report["node"], "backup", "{report}");
    let status = |name: &str| {
        let tests = report["client_tests"].as_array().expect("tests");
        let test = tests.iter().find(|t| t["name"] == name);
        test.unwrap_or_else(|| panic!("no {name}: {report}"))["status"].clone()
    };
    assert_eq!(status("databases"), "passed", "{report}");
    assert_eq!(status("port"), "passed", "{report}");
    assert_eq!(status("rows"), "not_exercised", "{report}");
    assert!(report["amcheck"]["checked"].as_u64() > Some(0), "{report}");
    assert!(!copy_is_there(lab));
    assert_eq!(lab.holder().as_deref(), Some("serverdb"));
}

/// A move goes first, an agent's death leaves nothing, and neither waits for anything.
fn rehearsal_gives_way(lab: &Lab) {
    let rehearsal = lab.siaga_beside("backup", &["rehearse", "--json"]);
    wait_until("the copy is being made", || copy_is_made(lab));
    lab.siaga("backup", &["switchover", "--yes", "--json"])
        .expect(0);
    let report = rehearsal.end().expect(1).json();
    assert_eq!(report["why"]["say"], "broken_off_by_move", "{report}");
    assert_eq!(report["removed"], true, "{report}");
    assert!(!copy_is_there(lab) && !copy_is_made(lab));
    lab.siaga("serverdb", &["check", "--json"]);
    lab.siaga("serverdb", &["switchover", "--yes", "--json"])
        .expect(0);
    let _rehearsal = lab.siaga_beside("serverdb", &["rehearse", "--json"]);
    wait_until("the copy is being made", || copy_is_made(lab));
    lab.lab(&["crash-agent", "backup"]).expect(0);
    wait_until("the copy is removed", || {
        !copy_is_there(lab) && !copy_is_made(lab)
    });
    lab.wait_for_agents();
}

#[test]
fn restart_stop_and_start() {
    let lab = Lab::up(&[]);
    rehearsed(&lab);
    rehearsal_gives_way(&lab);
    lab.siaga("backup", &["restart", "--yes", "--json"])
        .expect(0);
    assert_eq!(lab.active("backup").as_deref(), Some("serverdb"));
    lab.siaga("backup", &["stop", "--yes", "--json"]).expect(0);
    assert_eq!(lab.holder(), None);
    assert_eq!(lab.state("backup"), "stopped");
    lab.siaga("backup", &["start", "--yes", "--json"]).expect(0);
    assert_eq!(lab.holder().as_deref(), Some("serverdb"));
}

fn one_finding<'a>(check: &'a Value, code: &str) -> &'a Value {
    let all = check["findings"].as_array().unwrap();
    all.iter()
        .find(|f| f["code"] == code)
        .unwrap_or_else(|| panic!("{code} in {check}"))
}

/// What a node tells a monitoring system on the client's network.
fn told(lab: &Lab, node: &str, path: &str) -> String {
    let address = lab.status()["nodes"]
        .as_array()
        .and_then(|all| {
            all.iter().find(|n| n["name"] == node)?["address"]
                .as_str()
                .map(str::to_owned)
        })
        .expect("the node's address");
    let ask = "exec 3<>/dev/tcp/$1/9187; printf 'GET %s HTTP/1.0\\r\\n\\r\\n' \"$2\" >&3; cat <&3";
    lab.exec("client", &["bash", "-c", ask, "bash", &address, path])
        .expect(0)
        .out
}
