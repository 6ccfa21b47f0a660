//! What the units are told.

use crate::agent::FakeAgent;
use crate::{Said, run};

const FULL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/full.toml");

#[test]
fn a_notice_is_shown_without_an_agent_and_says_that_it_is_made_up() {
    let said = run(&["notice", "preview", "all-clear", "--lang", "id"]);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    assert!(said.out.contains("rekaan") && said.out.contains("DT-0000-000"));
    assert!(said.out.contains("Lama henti: 31 menit."), "{}", said.out);
    let drill = run(&["notice", "preview", "action", "--lang", "en", "--drill"]);
    assert_eq!(drill.out.matches("[DRILL - NOT A REAL EVENT]").count(), 3);
    let twice = run(&["notice", "preview", "announcement", "--lang", "id"]);
    assert_eq!(twice.out.matches("Perhatian").count(), 2);
    assert_eq!(run(&["notice", "preview", "nothing"]).code, 2);
}

#[test]
fn a_text_of_the_sites_own_with_a_fault_is_told_with_its_place() {
    let dir = tempfile::tempdir().expect("a directory");
    let own = dir.path().join("suspected.id.txt");
    std::fs::write(&own, "S\n{next_update} {jam}\n").expect("written");
    let config = std::fs::read_to_string(FULL)
        .expect("the example")
        .replace("/etc/siaga/templates", &dir.path().display().to_string());
    let file = dir.path().join("siaga.toml");
    std::fs::write(&file, config).expect("written");
    let file = file.to_str().expect("text");
    let said = run(&["notice", "preview", "suspected", "--config", file]);
    assert_eq!(said.code, 2);
    assert!(
        said.err
            .contains("suspected.id.txt:2:15: TEMPLATE_UNKNOWN_FIELD"),
        "{}",
        said.err
    );
    assert!(said.err.contains("{next_update}") && said.err.contains("{jam}"));
}

fn notice(state: &str) -> String {
    let text = serde_json::json!({
        "language": "id", "subject": "[SIMRS][HENTI] Henti", "body": "Mohon maaf & sabar."
    });
    let delivery = |channel: &str, state: &str| {
        serde_json::json!({
            "delivery": format!("n1.igd.{channel}.0"), "contact": "kepala", "channel": channel,
            "address": "ext. 101", "state": state, "attempts": 1, "at": null, "detail": ""
        })
    };
    let igd = serde_json::json!({
        "to": { "unit": "igd" }, "title": "IGD", "acknowledged": null,
        "deliveries": [delivery("mail", "given_up"), delivery("group", "by_hand")]
    });
    let lab = serde_json::json!({
        "to": { "unit": "lab" }, "title": "Laboratorium", "deliveries": [],
        "acknowledged": { "at": 1_754_031_909_000_000_i64, "how": "by_hand", "by": "Ns. Rina" }
    });
    serde_json::json!({
        "notices": [{
            "notice": "n1", "moment": "confirmed", "incident": null, "texts": [text], "state": state,
            "written_at": 1, "written_by": "budi", "released_at": 2, "released_by": "budi", "bypass": true,
            "dropped": null, "recipients": [igd, lab]
        }],
        "pause": null, "sender": "serverdb"
    })
    .to_string()
}

/// An agent with one notice, whose answer to an act is the test's.
fn agent(answer: &'static str) -> FakeAgent {
    FakeAgent::start("id", move |asked| match asked.method.as_str() {
        "POST" if asked.path == "/v1/notices" => Some((200, answer.to_owned())),
        _ if asked.path.starts_with("/v1/notices?notice=other") => {
            let none = serde_json::json!({ "notices": [], "pause": null, "sender": null });
            Some((200, none.to_string()))
        }
        _ if asked.path.starts_with("/v1/notices") => Some((200, notice("some_failed"))),
        _ => None,
    })
}

fn of(agent: &FakeAgent, args: &[&str]) -> Said {
    agent.run(args)
}

const DONE: &str = "{\"answer\":\"done\",\"notice\":\"n1\"}";

#[test]
fn a_notice_shows_what_went_wrong_and_who_has_not_read_it() {
    let agent = agent(DONE);
    let said = of(&agent, &["notice", "show", "n1"]);
    for part in [
        "TIDAK SEMUA TERKIRIM",
        "Dikirim tanpa persetujuan",
        "IGD: belum dikonfirmasi",
        "Laboratorium: diterima: Ns. Rina",
        "GAGAL",
        "HARUS DIKIRIM PETUGAS",
        "tanpa alamat",
    ] {
        assert!(said.out.contains(part), "{part}: {}", said.out);
    }
    let list = of(&agent, &["notice", "list", "--lang", "en"]);
    assert!(list.out.contains("NOT ALL SENT") && list.out.contains("1 of 2 have read it"));
    let none = of(&agent, &["notice", "show", "other"]);
    assert_eq!(none.code, 3);
    assert!(none.err.contains("siaga notice list"), "{}", none.err);
}

#[test]
fn a_person_copies_the_text_or_opens_the_link_and_ticks_it_off() {
    let agent = agent(DONE);
    let said = of(&agent, &["notice", "send-by-hand", "n1"]);
    assert!(said.out.contains("IGD: kepala ext. 101"), "{}", said.out);
    assert!(
        said.out
            .contains("[SIMRS][HENTI] Henti\nMohon maaf & sabar.")
    );
    assert!(
        said.out
            .contains("?text=%5BSIMRS%5D%5BHENTI%5D%20Henti%0AMohon%20maaf%20%26%20sabar.")
    );
    assert!(said.out.contains("siaga notice send-by-hand n1 --done igd"));
    let done = of(&agent, &["notice", "send-by-hand", "n1", "--done", "igd"]);
    assert_eq!(done.code, 0);
    let asked = agent.asked();
    let act: serde_json::Value =
        serde_json::from_str(&asked.last().expect("an act").body).expect("JSON");
    assert_eq!(act["act"]["act"], "tick");
    assert_eq!(act["act"]["delivery"], "n1.igd.group.0");
    // The laboratory has nothing to be sent by hand.
    assert_eq!(
        of(&agent, &["notice", "send-by-hand", "n1", "--done", "lab"]).code,
        3
    );
}

#[test]
fn the_call_list_is_a_table_with_boxes() {
    let agent = agent(DONE);
    let said = of(&agent, &["notice", "call-list", "n1"]);
    let lines: Vec<&str> = said.out.lines().collect();
    assert!(
        lines[0].starts_with("Unit") && lines[2].ends_with("[ ]"),
        "{}",
        said.out
    );
    assert!(
        lines
            .last()
            .is_some_and(|l| l.starts_with("Laboratorium") && l.ends_with("[x]"))
    );
}

#[test]
fn a_draft_carries_what_is_known_and_leaves_out_the_rest() {
    let agent = agent(DONE);
    let args = [
        "notice",
        "draft",
        "confirmed",
        "--start",
        "14:05",
        "--estimate",
        "+10m..+25m",
        "--paper",
        "yes",
        "--unit",
        "igd",
    ];
    let said = of(&agent, &args);
    assert_eq!(said.code, 0);
    assert!(said.out.contains("siaga notice release n1"), "{}", said.out);
    let asked = agent.asked();
    let body: serde_json::Value =
        serde_json::from_str(&asked.last().expect("an act").body).expect("JSON");
    let facts = &body["act"]["facts"];
    assert_eq!(body["act"]["units"], serde_json::json!(["igd"]));
    let range = facts["estimate_to"]
        .as_i64()
        .zip(facts["estimate_from"].as_i64());
    assert_eq!(range.map(|(to, from)| to - from), Some(15 * 60 * 1_000_000));
    assert!(facts["restored"].is_null() && facts["paper"] == true);
    let bad = of(
        &agent,
        &["notice", "draft", "confirmed", "--start", "nanti"],
    );
    assert!(
        bad.code == 2 && bad.err.contains("bukan waktu"),
        "{}",
        bad.err
    );
}

#[test]
fn what_is_refused_says_why_and_what_to_do_in_both_languages() {
    let agent = agent(
        "{\"answer\":\"refused\",\"why\":{\"code\":\"may_not_release\",\"name\":\"budi\",\"decider_only\":true}}",
    );
    let id = of(&agent, &["notice", "release", "n1"]);
    assert_eq!((id.code, id.out.as_str()), (3, ""));
    assert!(id.err.contains("tidak boleh melepas"), "{}", id.err);
    let en = of(&agent, &["notice", "release", "n1", "--lang", "en"]);
    assert!(en.err.contains("may not release") && en.err.contains("A decider may"));
    let json = of(&agent, &["notice", "release", "n1", "--json"]);
    assert!(json.code == 3 && json.out.contains("may_not_release"));
}

#[test]
fn alerts_rest_and_go_on() {
    let agent = agent("{\"answer\":\"done\",\"notice\":null}");
    let said = of(&agent, &["pause", "--for", "2h", "--reason", "kerja"]);
    assert!(
        said.code == 0 && said.out.contains("siaga resume-alerts"),
        "{}",
        said.out
    );
    let asked = agent.asked();
    let body = &asked.last().expect("an act").body;
    assert!(
        body.contains("\"for_s\":7200") && body.contains("kerja"),
        "{body}"
    );
    assert_eq!(of(&agent, &["resume-alerts"]).code, 0);
    assert_eq!(
        of(&agent, &["pause", "--for", "soon", "--reason", "x"]).code,
        2
    );
}
