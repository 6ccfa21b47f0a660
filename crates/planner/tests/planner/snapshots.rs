//! Walks `snapshots/`: for each observed world, this plan or refusal, this sentence to the operator.

use crate::common;
use crate::common::invariants;
use crate::common::short::{self, Keys};
use serde_json::{Value, json};
use siaga_model::config::Config;
use siaga_model::observation::Observation;
use siaga_model::plan::{Action, Plan, Step};
use siaga_model::refusal::Refusal;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../snapshots")
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|e| e == "json") {
            found.push(path);
        }
    }
}

fn all() -> Vec<PathBuf> {
    let mut found = Vec::new();
    files(&folder(), &mut found);
    found.sort();
    found
}

fn read(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

#[test]
fn every_world_gives_what_its_file_expects() {
    let all = all();
    assert!(
        all.len() > 100,
        "only {} files: is the folder whole?",
        all.len()
    );
    let mut wrong = Vec::new();
    for path in &all {
        let checked = std::panic::catch_unwind(|| check(&read(path)));
        let complaints = checked.unwrap_or_else(|_| vec!["it can't be read".into()]);
        let name = path.strip_prefix(folder()).unwrap().display();
        wrong.extend(complaints.into_iter().map(|c| format!("{name}\n{c}")));
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n\n{}",
        wrong.len(),
        wrong.join("\n\n")
    );
}

fn check(file: &Value) -> Vec<String> {
    let mut keys = Keys::of("file", file);
    assert!(
        keys.take("why")
            .is_some_and(|w| w.as_str().is_some_and(|w| w.len() > 10))
    );
    let name = keys.take("config").unwrap_or_else(|| json!("pair"));
    let config = common::config(name.as_str().unwrap());
    let observation = short::observation(&config, &keys.take("observation").unwrap());
    let request = keys.take("request");
    let proofs = keys.take("proofs").unwrap_or_else(|| json!([]));
    let mut expect = Keys::of("expect", &keys.take("expect").unwrap());
    keys.end();
    let mut wrong = Vec::new();
    if let Some(expected) = expect.take("verdict") {
        wrong.extend(check_verdict(&config, &observation, &expected));
    }
    if let Some(expected) = expect.take("goal") {
        wrong.extend(check_goal(
            &config,
            &observation,
            &request.clone().unwrap(),
            &expected,
        ));
    } else if let Some(request) = request {
        let request = short::request(&request);
        let proofs: Vec<_> = proofs
            .as_array()
            .unwrap()
            .iter()
            .map(|p| short::proof(&config, p))
            .collect();
        let given = siaga_planner::plan(&config, &observation, &request, &proofs);
        if let Ok(plan) = &given
            && let Err(broken) = invariants::check(&config, &observation, plan)
        {
            wrong.push(format!("  breaks an invariant: {broken}"));
        }
        wrong.extend(check_answer(&given, &mut expect));
    }
    expect.end();
    wrong
}

fn differs(what: &str, expected: &Value, given: &Value) -> Option<String> {
    (expected != given)
        .then(|| format!("  {what} expected: {expected:#}\n  {what} given:    {given:#}"))
}

fn to_json(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap()
}

fn check_answer(given: &Result<Plan, Refusal>, expect: &mut Keys) -> Vec<String> {
    let mut wrong = Vec::new();
    let (lines, code, sentence, next, evidence) = match given {
        Ok(plan) => {
            let lines: Vec<String> = plan.steps.iter().map(line).collect();
            (
                to_json(&lines),
                Value::Null,
                &plan.sentence,
                &[][..],
                &plan.unproved,
            )
        }
        Err(refusal) => {
            let code = to_json(&refusal.code);
            (
                Value::Null,
                code,
                &refusal.sentence,
                &refusal.next[..],
                &refusal.evidence,
            )
        }
    };
    wrong.extend(differs(
        "plan",
        &expect.take("plan").unwrap_or_default(),
        &lines,
    ));
    wrong.extend(differs(
        "refusal",
        &expect.take("refusal").unwrap_or_default(),
        &code,
    ));
    wrong.extend(differs(
        "sentence",
        &expect.take("sentence").unwrap_or_default(),
        &to_json(sentence),
    ));
    if let Some(expected) = expect.take("next") {
        wrong.extend(differs("next", &expected, &to_json(&next)));
    }
    if let Some(expected) = expect.take("hits") {
        let hits = given.as_ref().map(|p| p.hits.clone()).unwrap_or_default();
        let hits: Vec<Value> = hits
            .iter()
            .map(|h| json!(format!("{} on {}", h.service, h.victim)))
            .collect();
        wrong.extend(differs("hits", &expected, &Value::Array(hits)));
    }
    if let Some(expected) = expect.take("from") {
        let from = given.as_ref().ok().and_then(|p| p.from.clone());
        wrong.extend(differs("from", &expected, &to_json(&from)));
    }
    let said: Vec<Value> = evidence.iter().map(to_json).collect();
    for key in ["evidence_has", "unproved_has"] {
        let Some(expected) = expect.take(key) else {
            continue;
        };
        for sentence in expected.as_array().unwrap() {
            if !said.contains(sentence) {
                wrong.push(format!(
                    "  {key}: {sentence} is not among {}",
                    to_json(&said)
                ));
            }
        }
    }
    for sentence in expect
        .take("unproved_has_not")
        .iter()
        .flat_map(|v| v.as_array().unwrap())
    {
        if said.contains(sentence) {
            wrong.push(format!("  unproved_has_not: {sentence} is there"));
        }
    }
    wrong
}

fn check_goal(
    config: &Config,
    seen: &Observation,
    request: &Value,
    expected: &Value,
) -> Vec<String> {
    let mut keys = Keys::of("request", request);
    let kind = short::kind(&keys.take("kind").unwrap());
    let to = keys.take("to").map(|v| v.as_str().unwrap().into());
    keys.end();
    let given = match siaga_planner::goal(config, seen, kind, to.as_ref()) {
        Ok((placement, coordinator)) => {
            json!({ "placement": to_json(&placement), "coordinator": to_json(&coordinator) })
        }
        Err(refusal) => json!({ "refusal": to_json(&refusal.code) }),
    };
    differs("goal", expected, &given).into_iter().collect()
}

fn check_verdict(config: &Config, seen: &Observation, expected: &Value) -> Vec<String> {
    let given = siaga_planner::verdict(config, seen);
    let mut keys = Keys::of("verdict", expected);
    let mut wrong = Vec::new();
    let pairs = [
        ("state", to_json(&given.state)),
        ("sentence", to_json(&given.sentence)),
        ("advice", to_json(&given.advice)),
        ("active", to_json(&given.active)),
    ];
    for (key, value) in pairs {
        wrong.extend(differs(key, &keys.take(key).unwrap_or_default(), &value));
    }
    let said: Vec<Value> = given.evidence.iter().map(to_json).collect();
    let has = keys.take("evidence_has").unwrap_or_else(|| json!([]));
    for sentence in has.as_array().unwrap() {
        if !said.contains(sentence) {
            wrong.push(format!(
                "  evidence: {sentence} is not among {}",
                to_json(&said)
            ));
        }
    }
    keys.end();
    wrong
}

/// `3 backup take after 0,2`
fn line(step: &Step) -> String {
    let mut line = format!("{} {} {}", step.id, step.node, step.action.name());
    match &step.action {
        Action::Fence { victim, device, .. } => line.push_str(&format!(" {victim} by {device}")),
        Action::Attest { victim, how } => {
            line.push_str(&format!(" {victim} {}", to_json(how).as_str().unwrap()));
        }
        _ => {}
    }
    if !step.after.is_empty() {
        let ids: Vec<String> = step.after.iter().map(ToString::to_string).collect();
        line.push_str(&format!(" after {}", ids.join(",")));
    }
    line
}

/// The takeover table is whole, and each file of it shows the world that its name says.
#[test]
fn the_takeover_table_is_whole() {
    for sign in ["serving", "alive", "silent"] {
        for power in ["on", "off", "unknown"] {
            for fence in ["ok", "failed", "none"] {
                let name = format!("{sign}-{power}-{fence}.json");
                let file = read(&folder().join("takeover-table").join(&name));
                let serverdb = &file["observation"]["serverdb"];
                assert_eq!(serverdb["is"], "silent", "{name}");
                assert_eq!(serverdb["power"], power, "{name}");
                let serves = file["observation"]["probes"][0]["serving"] == true;
                assert_eq!(serves, sign == "serving", "{name}");
                let answers = serverdb["address"] == "answers";
                assert_eq!(answers, sign != "silent", "{name}");
                assert_eq!(file["config"] == "no-fence", fence == "none", "{name}");
                let failed = serverdb["fences"]["ipmi"] == "failed";
                assert_eq!(failed, fence == "failed", "{name}");
            }
        }
    }
}
