//! The examples parse, the schema that is checked in is the one that the code makes, and the two agree.

use crate::common::{FULL, MINIMAL};
use siaga_config::{HostChecks, json_schema, parse};
use siaga_model::config::{ApplicationRun, ClientTestKind, FenceKind, Language, Policy};
use siaga_model::downtime::Downtime;
use siaga_model::{NodeName, ServiceName};
use std::path::Path;
use std::time::Duration;

#[test]
fn the_minimal_example_gets_the_defaults() {
    let (config, _) = parse(MINIMAL, &HostChecks::none()).unwrap_or_else(|e| panic!("{e}"));
    let service = config.service(&ServiceName::from("simrs")).unwrap();
    let db = &service.database;
    assert_eq!(
        (db.port, db.os_user.as_str(), db.check_user.as_str()),
        (5432, "postgres", "postgres")
    );
    assert_eq!(db.check_database, "postgres");
    assert_eq!(db.socket_dir, Path::new("/run/postgresql"));
    assert_eq!(
        (db.stop_fast, db.stop_immediate),
        (Duration::from_secs(30), Duration::from_secs(10))
    );
    assert_eq!(db.start_stalled, Duration::from_secs(120));
    assert_eq!(config.policy, Policy::default());
    assert_eq!(config.downtime, Downtime::default());
    assert_eq!(
        config.nodes[0].addresses[0].port(),
        siaga_config::AGENT_PORT
    );
    // One device and one interface for both nodes.
    let backup = NodeName::from("backup");
    assert!(service.disk_set.device(&backup).is_some());
    assert_eq!(service.virtual_ips[0].interface(&backup), Some("eno1"));
    assert!(service.client_tests.is_empty() && config.somebody_may_attest());
}

#[test]
fn the_full_example_says_everything() {
    let (config, _) = parse(FULL, &HostChecks::none()).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(config.site.language, Language::Indonesian);
    assert_eq!(
        config.document.related_units,
        ["SIMRS", "IGD", "Farmasi", "Kasir"]
    );
    let serverdb = config.node(&NodeName::from("serverdb")).unwrap();
    assert_eq!(serverdb.addresses.len(), 2);
    let kinds: Vec<FenceKind> = serverdb.fences.iter().map(|f| f.kind).collect();
    assert_eq!(kinds, [FenceKind::Power, FenceKind::Fabric]);
    // Options stay in the order in which they are written.
    let options: Vec<&str> = serverdb.fences[0]
        .options
        .iter()
        .map(|(k, _)| k.as_str())
        .collect();
    assert_eq!(options, ["ip", "username", "lanplus"]);
    assert_eq!(serverdb.fences[0].secret_options[0].0, "password");
    assert_eq!(serverdb.fences[1].timeout, Duration::from_secs(60));
    let service = &config.services[0];
    assert_eq!(service.virtual_ips.len(), 2);
    assert!(matches!(
        service.applications[0].run,
        ApplicationRun::Unit(_)
    ));
    assert!(matches!(
        service.applications[1].run,
        ApplicationRun::Programs {
            status: Some(_),
            ..
        }
    ));
    assert!(matches!(
        service.client_tests[3].kind,
        ClientTestKind::Program(_)
    ));
    assert_eq!(service.after_move[0].timeout, Duration::from_secs(15));
    assert!(
        config
            .people
            .iter()
            .any(|p| p.login.as_deref() == Some("budi"))
    );
}

#[test]
fn the_values_of_the_full_example_that_say_default_are_the_defaults() {
    let kept: Vec<&str> = FULL
        .lines()
        .filter(|l| !(l.contains("default:") && l.contains(" = ")))
        .collect();
    let without = kept.join("\n");
    assert!(FULL.lines().count() - kept.len() >= 15);
    let (full, _) = parse(FULL, &HostChecks::none()).unwrap();
    let (less, _) = parse(&without, &HostChecks::none()).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(full.policy, less.policy);
    let rules = |c: &siaga_model::config::Config| siaga_model::downtime::Rules {
        template_dir: None,
        ..c.downtime.rules.clone()
    };
    assert_eq!(rules(&full), rules(&less));
    let paper = |c: &siaga_model::config::Config| c.downtime.units[0].goes_to_paper;
    assert_eq!(paper(&full), paper(&less));
    assert_eq!(full.downtime.channels, less.downtime.channels);
    assert_eq!(full.services[0].database, less.services[0].database);
    assert_eq!(
        full.services[0].disk_set.driver,
        less.services[0].disk_set.driver
    );
}

#[test]
fn the_hash_is_of_the_meaning() {
    let hash = |text: &str| parse(text, &HostChecks::none()).unwrap().1;
    assert_eq!(hash(MINIMAL), hash(&format!("# a comment\n\n{MINIMAL}")));
    assert_eq!(hash(MINIMAL).len(), 64);
    assert_ne!(
        hash(MINIMAL),
        hash(&MINIMAL.replace("192.0.2.50", "192.0.2.51"))
    );
}

#[test]
fn the_schema_that_is_checked_in_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/siaga.schema.json");
    let fresh = format!("{:#}\n", json_schema());
    if std::env::var_os("SIAGA_BLESS").is_some() {
        std::fs::write(&path, &fresh).unwrap();
    }
    let kept: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    assert!(
        kept == json_schema(),
        "run this test once with SIAGA_BLESS=1 and look at the difference"
    );
}

#[test]
fn the_schema_knows_what_must_be_there() {
    let schema = json_schema();
    let node = &schema["$defs"]["Node"];
    assert_eq!(
        node["required"],
        serde_json::json!(["name", "addresses", "hardware_addresses"])
    );
    assert_eq!(node["additionalProperties"], serde_json::json!(false));
    assert_eq!(schema["required"], serde_json::json!(["site"]));
    assert!(
        schema["$defs"]["Fence"]["properties"]["kind"]["enum"]
            .as_array()
            .is_some_and(|e| e.len() == 2)
    );
}
