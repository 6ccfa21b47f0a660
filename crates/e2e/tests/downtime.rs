//! The other half of a downtime, as the paper begins and ends it: somebody is told, an estimate is given, the service is
//! taken over, it is watched, declared over, and its record is signed. With a real mail server and real mailboxes.
// A test that fails by `unwrap` says where, like one that fails by `assert`.
#![allow(clippy::unwrap_used)]

use serde_json::Value;
use siaga_e2e::{Lab, mailroom, wait_until};

/// Every mail that the node's server was given, as text.
fn mails(lab: &Lab, node: &str) -> String {
    let text = |m: mailroom::Mail| format!("TO {} | {}\n{}\n", m.to, m.subject, m.body);
    mailroom::mails(lab, node).into_iter().map(text).collect()
}

fn incident(lab: &Lab, node: &str) -> Value {
    lab.siaga(node, &["incident", "show", "--json"])
        .expect(0)
        .json()
}

fn time<'a>(record: &'a Value, kind: &str) -> &'a Value {
    let times = record["times"].as_array().unwrap();
    &times.iter().find(|t| t["time"] == kind).unwrap()["at"]
}

#[test]
fn a_night_from_the_first_sign_to_the_signature() {
    let lab = mailroom::lab("id");
    let say = |node: &str, args: &[&str]| lab.siaga(node, args);
    wait_until("a probe sees the service", || {
        let status = say("backup", &["status", "--json"]).out;
        status.contains("\"serving\": true")
    });
    lab.lab(&["cut-power", "serverdb"]).expect(0);

    // Nobody ordered anything: the agents propose an incident, and the person on call gets a mail.
    wait_until("an incident is proposed", || {
        let open = say("backup", &["incident", "list", "--open", "--json"])
            .expect(0)
            .json();
        open.as_array()
            .is_some_and(|all| all.iter().any(|i| i["state"] == "suspected"))
    });
    wait_until("the person on call has a mail", || {
        let got = mails(&lab, "backup");
        got.contains("budi@rs.example") && got.contains("PERINGATAN")
    });
    let record = incident(&lab, "backup");
    assert_eq!(record["kind"], "unplanned");
    assert!(time(&record, "detected").is_i64() && time(&record, "confirmed").is_null());
    let id = record["id"].as_str().unwrap().to_owned();
    assert!(id.starts_with("DT-"), "{id}");

    // The operator takes care of it, gives the computed estimate, and tells the units.
    for act in [
        vec!["incident", "acknowledge"],
        vec!["incident", "confirm", "--level", "g2"],
        vec!["incident", "estimate"],
        vec!["notice", "draft", "confirmed", "--release"],
    ] {
        let mut args = vec!["--as", "budi"];
        args.extend(act);
        say("backup", &args).expect(0);
    }
    wait_until("both units have a mail, each in its language", || {
        let got = mails(&lab, "backup");
        got.contains("igd@rs.example") && got.contains("kasir@rs.example")
    });
    let got = mails(&lab, "backup");
    assert!(got.contains(&id) && got.contains("WIB"), "{got}");
    assert!(
        !got.to_lowercase().contains("siaga"),
        "the product's name: {got}"
    );
    let estimate = say("backup", &["estimate", "--json"]).expect(0).json();
    assert!(
        estimate["low_s"].as_u64() <= estimate["high_s"].as_u64(),
        "{estimate}"
    );

    // The takeover joins the incident by itself, and the service is watched afterwards.
    say(
        "backup",
        &["takeover", "--yes", "--json", "--reason", "serverdb mati"],
    )
    .expect(0);
    wait_until("the service is under watch", || {
        incident(&lab, "backup")["state"] == "under_watch"
    });
    let record = incident(&lab, "backup");
    assert_eq!(record["runs"].as_array().unwrap().len(), 1);
    for kind in [
        "offline",
        "detected",
        "confirmed",
        "first_notice",
        "decided",
        "fenced",
        "client_ok",
    ] {
        assert!(time(&record, kind).is_i64(), "{kind}: {record}");
    }
    assert!(record["figures"]["down_ms"].as_u64() > Some(0), "{record}");
    assert_eq!(record["acknowledged_by"], "budi");

    // Over, entered again, closed, reviewed, signed.
    say("backup", &["incident", "all-clear"]).expect(0);
    say(
        "backup",
        &[
            "incident",
            "impact",
            "igd",
            "--affected",
            "yes",
            "--paper",
            "yes",
        ],
    )
    .expect(0);
    say(
        "backup",
        &["incident", "impact", "kasir", "--affected", "no"],
    )
    .expect(0);
    let refused = say("backup", &["incident", "close"]).expect(3);
    assert!(refused.err.contains("igd"), "{}", refused.err);
    say(
        "backup",
        &[
            "incident",
            "back-entry",
            "igd",
            "--forms",
            "7",
            "--entered",
            "7",
        ],
    )
    .expect(0);
    say("backup", &["incident", "close"]).expect(0);
    say(
        "backup",
        &[
            "incident",
            "review",
            "--root-cause",
            "catu daya putus",
            "--incident",
            &id,
        ],
    )
    .expect(0);
    say(
        "backup",
        &[
            "--as",
            "budi",
            "incident",
            "sign",
            "performer",
            "--incident",
            &id,
        ],
    )
    .expect(0);

    // The node that was dead comes back and has the same record.
    lab.lab(&["power-on", "serverdb"]).expect(0);
    lab.wait_for_agent("serverdb");
    wait_until("both nodes have the same record", || {
        let here = say("serverdb", &["incident", "show", &id, "--json"]);
        here.code == 0 && here.json() == incident(&lab, "backup")
    });
    let pdf = "/tmp/incident.pdf";
    say(
        "serverdb",
        &["report", "incident", &id, "--format", "pdf", "-o", pdf],
    )
    .expect(0);
    let verified = say("serverdb", &["report", "verify", pdf, "--json"])
        .expect(0)
        .json();
    assert_eq!(verified["agrees"], true, "{verified}");
    // The month at the site, which is seven hours ahead.
    let month = lab
        .exec("backup", &["env", "TZ=WIB-7", "date", "+%Y-%m"])
        .expect(0)
        .out;
    let figures = say(
        "backup",
        &[
            "report",
            "availability",
            "--month",
            month.trim(),
            "--format",
            "json",
        ],
    );
    let figures = figures.expect(0).json();
    assert_eq!(figures["times"]["records"], 1, "{figures}");
    assert!(figures["times"]["mttr_s"].as_f64() > Some(0.0), "{figures}");
    let score = say("backup", &["estimate", "score", "--json"])
        .expect(0)
        .json();
    assert_eq!(score["given"], 1, "{score}");
}

#[test]
fn a_planned_move_alerts_nobody_and_a_service_that_comes_back_by_itself_is_watched() {
    let lab = mailroom::lab("en");
    let list = |node: &str| {
        let all = lab
            .siaga(node, &["incident", "list", "--json"])
            .expect(0)
            .json();
        all.as_array().cloned().unwrap_or_default()
    };
    lab.siaga("backup", &["switchover", "--yes", "--json"])
        .expect(0);
    wait_until("the planned move is recorded", || {
        list("backup")
            .iter()
            .any(|i| i["kind"] == "planned" && i["state"] == "under_watch")
    });
    lab.siaga("backup", &["incident", "all-clear"]).expect(0);
    lab.siaga("backup", &["incident", "close"]).expect(0);
    assert!(
        !mails(&lab, "serverdb").contains("budi@"),
        "a planned move alerted somebody"
    );

    // A downtime that begins within two seconds of a run's end counts as that run's: clocks differ by so much.
    std::thread::sleep(std::time::Duration::from_secs(3));
    // The database hangs under the agent, and goes on: nobody ordered a run.
    let pids = "pgrep -o -u postgres postgres";
    let stop = format!(
        "kill -STOP $({pids}); for p in $(pgrep -u postgres postgres); do kill -STOP $p; done"
    );
    let go_on = "for p in $(pgrep -u postgres postgres); do kill -CONT $p; done";
    lab.exec("backup", &["sh", "-c", &stop]).expect(0);
    wait_until("an incident is proposed, once", || {
        list("backup")
            .iter()
            .filter(|i| i["kind"] == "unplanned")
            .count()
            == 1
    });
    lab.exec("backup", &["sh", "-c", go_on]).expect(0);
    wait_until("it is under watch again", || {
        list("backup")
            .iter()
            .any(|i| i["kind"] == "unplanned" && i["state"] == "under_watch")
    });
    wait_until("the log book has the downtime", || {
        let rows = lab.siaga("backup", &["log", "--json"]).expect(0).json();
        let rows = rows.as_array().cloned().unwrap_or_default();
        rows.iter()
            .any(|r| r["kind"] == "unplanned" && r["online_at"].is_i64())
    });
    let unplanned = list("backup")
        .iter()
        .filter(|i| i["kind"] == "unplanned")
        .count();
    assert_eq!(unplanned, 1, "one cause, one incident");
}
