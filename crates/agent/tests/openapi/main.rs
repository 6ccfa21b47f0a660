//! `docs/openapi.json` says what the agent's API is, and nothing else.
//!
//! `SIAGA_BLESS=1 cargo test -p siaga-agent --test openapi` writes it anew.
#![allow(clippy::unwrap_used)]

mod document;
mod samples;
mod schema;
mod source;
mod table;
mod validate;

use document::document;
use table::{ROUTES, Who};

#[test]
fn the_document_is_the_one_in_docs() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let mut now = serde_json::to_string_pretty(&document()).unwrap();
    now.push('\n');
    if std::env::var_os("SIAGA_BLESS").is_some() {
        std::fs::write(&file, &now).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        kept == now,
        "docs/openapi.json is not what the sources say: look at the change, and write it anew with \
         SIAGA_BLESS=1 cargo test -p siaga-agent --test openapi"
    );
}

#[test]
fn the_table_is_what_the_routers_serve() {
    let found = source::routes();
    for route in &found {
        let known = ROUTES
            .iter()
            .find(|r| r.method == route.method && r.path == route.path)
            .unwrap_or_else(|| panic!("{} {} is in no description", route.method, route.path));
        assert_eq!(known.query, route.query.as_deref(), "{}", route.path);
        assert_eq!(known.body, route.body.as_deref(), "{}", route.path);
        if route.answer.is_some() {
            assert_eq!(known.answer, route.answer.as_deref(), "{}", route.path);
        } else {
            assert!(
                known.answer.is_none() == route.source.contains("StatusCode::NO_CONTENT"),
                "{}",
                route.path
            );
        }
        for (_, code) in known.errors {
            let elsewhere = code.starts_with("JOIN_");
            let said = route.source.contains(&format!("\"{code}\""))
                || (*code == "COORDINATOR_SILENT" && route.source.contains("::CoordinatorSilent"))
                || (*code == "NO_SUCH_THING" && route.source.contains("service(&core"))
                || (*code == "NO_SUCH_THING" && route.source.contains("::NoSuchRun"))
                || (*code == "CHECK_FAILED" && route.source.contains("not_told("))
                || (*code == "LOG_UNREADABLE" && route.source.contains("log_unreadable"))
                || (*code == "LOG_UNREADABLE" && route.source.contains("log_error"));
            assert!(
                elsewhere || said,
                "{}: {code} is never answered",
                route.path
            );
        }
    }
    for route in ROUTES {
        let served = found
            .iter()
            .filter(|f| f.method == route.method && f.path == route.path)
            .count();
        assert_eq!(served, 1, "{} {} is served", route.method, route.path);
    }
}

#[test]
fn who_may_call_is_what_the_handlers_ask() {
    let gate = source::text("agent/src/transport/gate.rs");
    let (anonymous, probe) = gate.split_once("const PROBE").unwrap();
    for found in source::routes() {
        let route = ROUTES.iter().find(|r| r.path == found.path).unwrap();
        let open_to = |part: &str| part.contains(&format!("\"{}\"", route.path));
        assert_eq!(
            open_to(anonymous),
            route.who == Who::Anybody,
            "{}",
            route.path
        );
        let for_probes = matches!(route.who, Who::Site | Who::PersonOrProbe | Who::Machine);
        assert_eq!(open_to(probe), for_probes, "{}", route.path);
        let asked = |what: &str| found.source.contains(what);
        assert_eq!(
            asked("known(&caller)"),
            route.who == Who::PersonOrNode,
            "{}",
            route.path
        );
        assert_eq!(
            asked("node_only(&caller)"),
            route.who == Who::Node,
            "{}",
            route.path
        );
    }
}

#[test]
fn what_serde_writes_fits_the_schemas() {
    let document = document();
    for (name, value) in samples::good() {
        let at = format!("#/components/schemas/{name}");
        if let Err(why) = validate::check(&document, &serde_json::json!({"$ref": at}), &value) {
            panic!("{name}: {why}\n{value:#}");
        }
    }
}

#[test]
fn what_serde_would_not_read_does_not_fit() {
    let document = document();
    for (name, value) in samples::bad() {
        let at = format!("#/components/schemas/{name}");
        let fits = validate::check(&document, &serde_json::json!({"$ref": at}), &value);
        assert!(fits.is_err(), "{name} takes {value:#}");
    }
}
