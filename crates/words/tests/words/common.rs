//! Makes a value of every variant of the model's enums from the model's own source, so that a new variant is tested
//! here without anyone remembering it.

use serde_json::{Value, json};

/// What is in the values: nothing of it may look like a program's inside.
fn samples(kind: &str) -> Vec<Value> {
    match kind {
        "ServiceName" => vec![json!("simrs")],
        "NodeName" => vec![json!("serverdb")],
        "PersonName" => vec![json!("budi")],
        "RunId" => vec![json!("r-17")],
        "String" => vec![json!("system-text")],
        "u64" => vec![json!(3200)],
        "UtcMicros" => vec![json!(1_754_031_909_123_456_i64)],
        "IpAddr" => vec![json!("192.0.2.50")],
        "PathBuf" => vec![json!("/srv/simrs")],
        "FenceKind" => vec![json!("power"), json!("fabric"), json!("reservation")],
        "AttestKind" => vec![
            json!("unplugged"),
            json!("switched-off"),
            json!("storage-disconnected"),
        ],
        "MoveKind" => vec![json!("takeover"), json!("failback"), json!("cover")],
        "Epoch" => vec![json!({"counter": 7, "issuer": "backup", "run": "r-17"})],
        "u8" | "u16" | "u32" | "i32" | "i64" => vec![json!(40)],
        "bool" => vec![json!(true), json!(false)],
        "Why" => vec![
            json!({"say": "database_not_running"}),
            json!("device or resource busy.\n"),
        ],
        "Evidence" => vec![json!({"see": "no_process"})],
        "Holder" => vec![json!({"holder": "in_flight"}), json!("vim (pid 4711)")],
        "OnlyAPerson" => vec![
            json!("no_fence"),
            json!("no_fence_answers"),
            json!("journal_lost"),
        ],
        "HeldThing" => vec![json!("working_directory"), json!("mapped_file")],
        "DiskSetCall" => vec![json!("take"), json!("status")],
        "FenceCall" => vec![json!("off"), json!("status")],
        "Progress" => vec![json!({"at": "redo", "percent": 40})],
        "StopKind" => vec![json!("fast"), json!("left_overs_ended")],
        "ControlState" => vec![
            json!({"says": "shut down"}),
            json!({"unreadable": {"said": "no such file"}}),
        ],
        "FileLine" => vec![json!({"name": "pg_hba.conf", "line": 17})],
        "BootStart" => vec![
            json!({"start": "unit", "name": "postgresql@15-main.service"}),
            json!({"start": "cluster", "file": "/etc/postgresql/15/main/start.conf"}),
            json!({"start": "fstab", "mount_point": "/srv/simrs", "line": 7}),
            json!({"start": "address", "file": "/etc/network/interfaces"}),
        ],
        "Cleaned" => vec![json!({"cleaned": "unmounted", "trouble": null})],
        "LogProblem" => vec![json!({
            "file": "/var/lib/siaga/events/serverdb.1.log", "line": 17, "node": "serverdb", "incarnation": 1,
            "row": 17, "kind": "changed", "detail": "the hash does not fit",
        })],
        "ControlSeen" | "crate::integrity::ControlSeen" => vec![json!({
            "system_identifier": "7411", "timeline": 3, "checkpoint": 50_331_688, "checksum": 17,
        })],
        "Sentence" => vec![json!({"say": "node_power_on", "node": "serverdb"})],
        other => panic!("teach this test what a {other} looks like"),
    }
}

fn alternatives(name: &str, kind: &str) -> Vec<Value> {
    if name == "why" {
        // The system may give no reason.
        let own = json!({"say": "database_not_running"});
        return vec![json!("device or resource busy.\n"), own, json!("")];
    }
    let inside = |wrapper: &str| {
        kind.strip_prefix(wrapper)
            .and_then(|k| k.strip_suffix('>'))
            .map(str::to_owned)
    };
    if let Some(kind) = inside("Option<") {
        return [vec![Value::Null], samples(&kind)].concat();
    }
    if let Some(kind) = inside("Vec<") {
        return vec![json!(samples(&kind)), json!([])];
    }
    samples(&inside("Box<").unwrap_or(kind.rsplit("::").next().unwrap_or(kind).to_owned()))
}

/// The variants of an enum in a source: name, and its fields with their types.
pub fn variants(source: &str, name: &str) -> Vec<(String, Vec<(String, String)>)> {
    let body = source
        .split(&format!("pub enum {name} {{"))
        .nth(1)
        .expect("the enum is in the source");
    let body = body.split("\n}").next().expect("the enum ends");
    let plain: String = body
        .lines()
        .map(|l| l.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join(" ");
    let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    split_top(&plain)
        .into_iter()
        // What is not tagged carries words of others.
        .filter(|v| !v.is_empty() && !v.contains("untagged"))
        .map(|v| variant(&v))
        .collect()
}

/// Splits at the commas that are outside braces and brackets.
fn split_top(text: &str) -> Vec<String> {
    let (mut depth, mut parts) = (0, vec![String::new()]);
    for c in text.chars() {
        match c {
            '{' | '<' | '(' => depth += 1,
            '}' | '>' | ')' => depth -= 1,
            _ => {}
        }
        match (c, depth) {
            (',', 0) => parts.push(String::new()),
            _ => parts.last_mut().expect("never empty").push(c),
        }
    }
    parts.into_iter().map(|p| p.trim().to_owned()).collect()
}

fn variant(text: &str) -> (String, Vec<(String, String)>) {
    let Some((name, rest)) = text.split_once('{') else {
        return (text.trim().to_owned(), Vec::new());
    };
    let fields = split_top(rest.trim_end_matches('}'))
        .into_iter()
        .filter_map(|f| {
            f.split_once(':')
                .map(|(n, t)| (n.trim().to_owned(), t.trim().to_owned()))
        })
        .collect();
    (name.trim().to_owned(), fields)
}

/// `ServiceRuns` becomes `service_runs`.
pub fn snake(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}

/// JSON of every variant of a tagged enum; where a field has several interesting values, once with each.
pub fn tagged(source: &str, name: &str, tag: &str) -> Vec<Value> {
    let mut all = Vec::new();
    for (variant, fields) in variants(source, name) {
        let fields: Vec<_> = fields
            .into_iter()
            .map(|(n, t)| {
                let values = alternatives(&n, &t);
                (n, values)
            })
            .collect();
        let rounds = fields.iter().map(|(_, a)| a.len()).max().unwrap_or(1);
        for round in 0..rounds {
            let mut object = serde_json::Map::from_iter([(tag.to_owned(), json!(snake(&variant)))]);
            object.extend(
                fields
                    .iter()
                    .map(|(n, a)| (n.clone(), a[round % a.len()].clone())),
            );
            all.push(Value::Object(object));
        }
    }
    all
}
