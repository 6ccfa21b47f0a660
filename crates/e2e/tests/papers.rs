//! The papers of a real drill: measured, sealed, verified, and read from the files when the agent is dead.
// A test that fails by `unwrap` says where, like one that fails by `assert`.
#![allow(clippy::unwrap_used)]

use siaga_e2e::{Lab, wait_until};

#[test]
fn a_drills_papers_agree_with_the_log_and_survive_the_agent() {
    let lab = Lab::up(&[]);
    let load = lab.load(12);
    let drill = lab
        .siaga("serverdb", &["drill", "--yes", "--json"])
        .expect(0)
        .json();
    drop(load);
    let run = drill["run_id"].as_str().unwrap();
    // The coordinator measures; the other node has the rows as soon as they are copied.
    let drills = |rows: &serde_json::Value| {
        let rows = rows.as_array().unwrap().iter();
        rows.filter(|r| r["kind"] == "drill")
            .cloned()
            .collect::<Vec<_>>()
    };
    wait_until("both outages are in both log books", || {
        ["serverdb", "backup"].iter().all(|node| {
            let rows = lab.siaga(node, &["log", "--json"]).expect(0).json();
            drills(&rows).len() == 2
        })
    });
    let pdf = "/tmp/drill.pdf";
    lab.siaga(
        "backup",
        &["report", "drill", run, "--format", "pdf", "-o", pdf],
    )
    .expect(0);
    let verified = lab
        .siaga("backup", &["report", "verify", pdf, "--json"])
        .expect(0)
        .json();
    assert_eq!(verified["agrees"], true, "{verified}");

    // By the number of its incident, and without any: the newest drill.
    let incidents = lab.siaga("backup", &["incident", "list", "--json"]);
    let number = incidents.expect(0).json()[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    for asked in [&[number.as_str()][..], &[]] {
        let json = [&["report", "drill"], asked, &["--format", "json"]].concat();
        let report = lab.siaga("backup", &json).expect(0).json();
        let of_run = report.pointer("/report/content/run/run_id");
        assert_eq!(of_run.and_then(|v| v.as_str()), Some(run), "{report}");
    }
    let unknown = ["report", "drill", "DT-1999-001"];
    lab.siaga("backup", &unknown).expect(3);

    // The month at the site, which is seven hours ahead.
    let today = lab.exec("backup", &["env", "TZ=WIB-7", "date", "+%Y-%m"]);
    let month = today.expect(0).out;
    let month = month.trim();
    let figures = lab
        .siaga(
            "serverdb",
            &[
                "report",
                "availability",
                "--month",
                month,
                "--format",
                "json",
            ],
        )
        .expect(0)
        .json();
    assert!(
        figures["downtime_planned_min"].as_f64().unwrap() > 0.0,
        "{figures}"
    );
    assert_eq!(figures["open_incidents"], 0, "{figures}");
    let rows = lab
        .siaga("serverdb", &["log", "--month", month, "--json"])
        .expect(0)
        .json();
    assert!(
        rows.as_array()
            .unwrap()
            .iter()
            .any(|r| r["kind"] == "drill"),
        "{rows}"
    );

    // What the agent told, the files tell without it.
    lab.lab(&["stop-agent", "backup"]).expect(0);
    let sheet = lab.siaga("backup", &["sheet", "--lang", "en"]).expect(0);
    assert!(sheet.out.contains(run), "{}", sheet.out);
    assert!(
        sheet.out.contains("Nothing of the plan is left"),
        "{}",
        sheet.out
    );
    let alone = lab
        .siaga("backup", &["log", "--month", month, "--json"])
        .expect(0)
        .json();
    assert_eq!(drills(&alone), drills(&rows));
    let sop = lab.siaga("backup", &["sop", "--lang", "id"]).expect(0);
    assert!(sop.out.contains("pg_ctl start"), "{}", sop.out);
    // Nothing was said about a report without the agent, but that it can't be asked.
    lab.siaga("backup", &["report", "verify", pdf]).expect(6);
}
