//! The pages that list codes list every code there is, and say what the program says.

use siaga_model::config::Language;
use siaga_model::refusal::RefusalCode;
use std::path::Path;

const REFUSAL: &str = include_str!("../../model/src/refusal.rs");
const EVENT: &str = include_str!("../../model/src/event.rs");

fn page(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs")
        .join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The variants of an enum without fields, as serde writes them.
fn codes(source: &str, name: &str) -> Vec<String> {
    let body = source
        .split_once(&format!("pub enum {name} {{"))
        .and_then(|(_, rest)| rest.split_once("\n}"))
        .unwrap_or_else(|| panic!("there is no {name}"))
        .0;
    let lines = body.lines().map(str::trim);
    let names = lines.filter(|l| !l.is_empty() && !l.starts_with("//"));
    names.map(|n| screaming(n.trim_end_matches(','))).collect()
}

/// The variants of an enum, also of those with fields, as serde writes them.
fn variants(source: &str, name: &str) -> Vec<String> {
    let body = source
        .split_once(&format!("pub enum {name} {{"))
        .and_then(|(_, rest)| rest.split_once("\n}"))
        .unwrap_or_else(|| panic!("there is no {name}"))
        .0;
    let names = body.lines().filter_map(|line| line.strip_prefix("    "));
    let names = names.filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()));
    let name = |line: &str| screaming(line.split([' ', ',']).next().unwrap_or_default());
    names.map(name).collect()
}

fn screaming(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(c.to_ascii_uppercase());
    }
    out
}

/// The headings of a page that are codes, each with the text below it.
fn headings(page: &str) -> Vec<(&str, &str)> {
    page.split("\n### ")
        .skip(1)
        .filter_map(|part| part.split_once('\n'))
        .collect()
}

#[test]
fn every_refusal_is_a_heading_with_what_is_safe() {
    let codes = codes(REFUSAL, "RefusalCode");
    assert!(codes.len() > 20, "{codes:?}");
    for (name, language, safe_is, then) in [
        ("refusals.md", Language::English, "Safe", "Do"),
        ("refusals.id.md", Language::Indonesian, "Aman", "Lakukan"),
    ] {
        let page = page(name);
        let headings = headings(&page);
        let listed: Vec<&str> = headings.iter().map(|(code, _)| *code).collect();
        assert_eq!(listed, codes, "each once, in the order of the code: {name}");
        for (code, text) in headings {
            let value: RefusalCode = serde_json::from_value(code.into()).expect("it is a code");
            let safe = siaga_words::safe_now(language, value);
            assert!(
                text.contains(&format!("**{safe_is}:** {safe} **{then}:** ")),
                "{name}: {code} does not say: {safe}"
            );
        }
    }
}

#[test]
fn every_finding_is_a_heading() {
    for name in ["findings.md", "findings.id.md"] {
        let page = page(name);
        let listed: Vec<&str> = headings(&page).iter().map(|(code, _)| *code).collect();
        assert_eq!(listed, codes(EVENT, "FindingCode"), "{name}");
    }
}

/// The codes that stand in a source text as such: `"EQUAL_ADDRESSES"`.
fn literals(source: &str) -> impl Iterator<Item = &str> {
    let parts = source.split('"');
    parts.filter(|p| {
        let fits = |c: char| c.is_ascii_uppercase() || c == '_';
        p.len() > 1 && p.starts_with(|c: char| c.is_ascii_uppercase()) && p.chars().all(fits)
    })
}

/// What the functions that tell an error's code can answer.
fn told_by_functions(source: &str) -> Vec<&str> {
    let bodies = source.split("fn code(&self)").skip(1);
    let bodies = bodies.map(|b| b.split_once("\n    }\n").map_or(b, |(body, _)| body));
    bodies.flat_map(literals).collect()
}

fn source(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let product = text.split_once("#[cfg(test)]\nmod").map(|(code, _)| code);
    product.unwrap_or(&text).to_owned()
}

#[test]
fn every_error_of_the_configuration_is_a_heading() {
    let sources = ["config/src/cause.rs", "comms/src/template_error.rs"].map(source);
    let codes: Vec<&str> = sources.iter().flat_map(|s| told_by_functions(s)).collect();
    assert!(codes.len() > 70, "{codes:?}");
    for name in ["config-errors.md", "config-errors.id.md"] {
        let page = page(name);
        let mut listed: Vec<&str> = headings(&page).iter().map(|(code, _)| *code).collect();
        let mut codes = codes.clone();
        listed.sort_unstable();
        codes.sort_unstable();
        assert_eq!(listed, codes, "each once: {name}");
    }
}

#[test]
fn every_other_error_is_a_heading() {
    let all = sources() + &source("model/src/api_problem.rs");
    let of_configuration = source("config/src/cause.rs") + &source("comms/src/template_error.rs");
    let shown: Vec<&str> = told_by_functions(&of_configuration);
    let routes = [
        "transport/gate.rs",
        "transport/pki_routes.rs",
        "transport/reply.rs",
        "transport/server.rs",
        "transport/wire.rs",
        "key_routes.rs",
    ];
    let routes = routes.map(|file| source(&format!("agent/src/{file}")));
    let incidents = source("model/src/incident_api.rs");
    let notices = source("model/src/notice_api.rs");
    let told = [
        variants(&incidents, "IncidentRefusal"),
        variants(&notices, "NoticeRefusal"),
    ]
    .concat();
    let refusals = codes(REFUSAL, "RefusalCode");
    let mut codes: Vec<String> = told_by_functions(&all)
        .into_iter()
        .filter(|code| !shown.contains(code))
        .chain(routes.iter().flat_map(|r| literals(r)))
        .chain([siaga_model::api::COORDINATOR_SILENT])
        .map(str::to_owned)
        .chain(told)
        .filter(|code| !refusals.contains(code))
        .collect();
    codes.sort_unstable();
    codes.dedup();
    assert!(codes.len() > 90, "{codes:?}");
    for name in ["errors.md", "errors.id.md"] {
        let page = page(name);
        let mut listed: Vec<&str> = headings(&page).iter().map(|(code, _)| *code).collect();
        listed.sort_unstable();
        assert_eq!(listed, codes, "each once: {name}");
    }
}

/// The text of every source file but the words, the nouns and the tests.
fn sources() -> String {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let entries = |dir: &Path| {
        let read = std::fs::read_dir(dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display()));
        read.map(|e| e.expect("an entry").path())
    };
    let mut open: Vec<_> = entries(&crates)
        .filter(|c| !["model", "words"].iter().any(|no| c.ends_with(no)))
        .map(|c| c.join("src"))
        .collect();
    let mut all = String::new();
    while let Some(path) = open.pop() {
        if path.ends_with("tests") || path.ends_with("tests.rs") {
            continue;
        } else if path.is_dir() {
            open.extend(entries(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            let text = std::fs::read_to_string(&path).expect("a source file");
            let (code, _) = text.split_once("#[cfg(test)]\nmod").unwrap_or((&text, ""));
            all.push_str(code);
        }
    }
    all
}

#[test]
fn a_finding_is_called_reserved_exactly_where_nothing_reports_it() {
    let sources = sources();
    let named = |code: &str| {
        let mut places = sources.match_indices("FindingCode::");
        places.any(|(at, found)| {
            let rest = &sources[at + found.len()..];
            let name = rest.split(|c: char| !c.is_alphanumeric()).next();
            screaming(name.unwrap_or_default()) == code
        })
    };
    for (name, reserved) in [
        ("findings.md", "Reserved;"),
        ("findings.id.md", "Dicadangkan;"),
    ] {
        for (code, text) in headings(&page(name)) {
            assert_eq!(
                text.trim_start().starts_with(reserved),
                !named(code),
                "{name}: {code}"
            );
        }
    }
}
