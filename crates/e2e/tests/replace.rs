//! New hardware under an old node's name, and the CA's key that both nodes have.
// A test that fails by `unwrap` says where, like one that fails by `assert`.
#![allow(clippy::unwrap_used)]

use serde_json::Value;
use siaga_e2e::{Lab, binary, wait_until};
use std::collections::BTreeSet;

fn token(lab: &Lab, node: &str, probe: &str) -> Option<String> {
    let made = lab.siaga(node, &["token", "create", "--probe", probe, "--json"]);
    (made.code == 0).then(|| made.json()["token"].as_str().unwrap().to_owned())
}

/// The fingerprint of the site's CA that tokens of this node name.
fn ca_of(lab: &Lab, node: &str) -> String {
    let pem = lab.exec(node, &["cat", "/var/lib/siaga/keys/ca.pem"]);
    pem.expect(0).out
}

fn findings(lab: &Lab, node: &str) -> Vec<String> {
    let status = lab.siaga(node, &["status", "--json"]).expect(0).json();
    let findings = status["findings"].as_array().unwrap().clone();
    let code = |f: &Value| f["code"].as_str().unwrap().to_owned();
    findings.iter().map(code).collect()
}

/// The logs that a node has, whole.
fn logs(lab: &Lab, node: &str) -> BTreeSet<String> {
    let list = lab
        .exec(
            node,
            &["sh", "-c", "ls /var/lib/siaga/events | grep '\\.log$'"],
        )
        .expect(0);
    list.out.lines().map(str::to_owned).collect()
}

fn replace(lab: &Lab, how: &str) -> siaga_e2e::Ran {
    let reason = ["--reason", "its mainboard is dead", "--as", "budi"];
    let mut args = vec![
        "node", "replace", "serverdb", "--how", how, "--yes", "--json",
    ];
    args.extend(reason);
    lab.siaga("backup", &args)
}

#[test]
fn a_dead_server_is_replaced_and_the_old_machine_is_refused() {
    let lab = Lab::up(&[]);
    // The second node got its own copy of the CA's key after it joined, and keeps it encrypted.
    wait_until("backup can make tokens", || {
        token(&lab, "backup", "poli1").is_some()
    });
    let clear = lab.exec(
        "backup",
        &["sh", "-c", "grep -rl 'PRIVATE KEY' /var/lib/siaga/keys"],
    );
    assert_eq!(clear.out.trim(), "/var/lib/siaga/keys/node.key");
    // A new CA, made on either, is taken by the other, and nothing restarts.
    let before = ca_of(&lab, "serverdb");
    let args = ["ca", "replace", "--reason", "a disk was stolen", "--json"];
    let new = lab.siaga("backup", &args).expect(0).json();
    assert_eq!(
        (&new["answer"], &new["generation"]),
        (&"replaced".into(), &2.into())
    );
    wait_until("serverdb has it too", || {
        ca_of(&lab, "serverdb") == ca_of(&lab, "backup") && ca_of(&lab, "backup") != before
    });

    // While the old machine lives it can't be replaced.
    let refused = replace(&lab, "unplugged").expect(3).json();
    assert_eq!(refused["refusal"]["code"], "NODE_IN_USE", "{refused}");
    lab.lab(&["cut-power", "serverdb"]).expect(0);
    // Nor while it may hold the disk set: a replacement is no proof of a release.
    let refused = replace(&lab, "unplugged").expect(3).json();
    assert_eq!(refused["refusal"]["code"], "NODE_IN_USE", "{refused}");
    lab.siaga("backup", &["takeover", "--yes", "--json"])
        .expect(0);
    let made = replace(&lab, "unplugged").expect(0).json();
    let token = made["token"].as_str().unwrap().to_owned();

    // The old machine comes back: refused, it learns why, and takes nothing. Nor does it fence.
    lab.lab(&["power-on", "serverdb"]).expect(0);
    lab.wait_for_agent("serverdb");
    wait_until("the old machine knows that it was replaced", || {
        findings(&lab, "serverdb").contains(&"NODE_REPLACED".to_owned())
    });
    for order in [
        &["takeover", "--yes", "--json"][..],
        &["start", "--yes", "--json"],
        &["power", "off", "backup", "--yes", "--json"],
    ] {
        let refused = lab.siaga("serverdb", order).expect(3).json();
        let code = match refused.get("refusal") {
            Some(refusal) => &refusal["code"],
            None => &refused["code"],
        };
        assert_eq!(code, "NODE_REPLACED", "{refused}");
    }
    assert_eq!(lab.holder().as_deref(), Some("backup"));

    // The new machine: nothing of the old one's state, the same name.
    lab.lab(&["stop-agent", "serverdb"]).expect(0);
    let siaga = binary();
    let join = format!(
        "rm -rf /var/lib/siaga/* && printf '%s' '{token}' | {} join --name serverdb",
        siaga.display()
    );
    lab.exec("serverdb", &["sh", "-c", &join]).expect(0);
    lab.lab(&["start-agent", "serverdb"]).expect(0);
    lab.wait_for_agent("serverdb");
    wait_until("it has both logs", || {
        let (here, there) = (logs(&lab, "serverdb"), logs(&lab, "backup"));
        there.is_subset(&here) && here.is_subset(&there)
    });
    for node in ["serverdb", "backup"] {
        lab.siaga(node, &["events", "verify", "--json"]).expect(0);
    }
    // In a new incarnation, beside the rows of the old machine.
    let own = logs(&lab, "serverdb");
    assert_eq!(
        own.iter().filter(|l| l.starts_with("serverdb.")).count(),
        2,
        "{own:?}"
    );
    let told = ["events", "--json", "--kind", "node_replaced"];
    let told = lab.siaga("serverdb", &told).expect(0).out;
    assert!(
        told.contains("budi") && told.contains("its mainboard is dead"),
        "{told}"
    );
    wait_until("backup hears it", || {
        let check = lab.siaga("backup", &["check", "--json"]);
        check.json()["ready"] == "yes"
    });
    lab.siaga("backup", &["switchover", "--yes", "--json"])
        .expect(0);
    assert_eq!(lab.holder().as_deref(), Some("serverdb"));
}
