//! The lowest broken layer, and what it calls for.

use crate::common::{config, short};
use serde_json::{Value, json};
use siaga_model::api::{Diagnosis, Layer, LayerFinding};
use siaga_model::refusal::Advice;

fn layer(node: &str, layer: Layer, ok: Option<bool>, evidence: &str) -> LayerFinding {
    LayerFinding {
        layer,
        node: node.into(),
        ok,
        evidence: evidence.into(),
    }
}

fn diagnose(seen: Value, layers: Vec<LayerFinding>) -> Diagnosis {
    let config = config("pair");
    siaga_planner::diagnose(
        &config,
        &"simrs".into(),
        layers,
        &short::observation(&config, &seen),
    )
}

fn crashed() -> Value {
    json!({ "observer": "backup", "serverdb": "crashed", "backup": "free" })
}

fn simrs(of: fn(siaga_model::ServiceName) -> Advice) -> Advice {
    of("simrs".into())
}

fn restart() -> Advice {
    simrs(|service| Advice::Restart { service })
}

fn takeover() -> Advice {
    simrs(|service| Advice::Takeover { service })
}

#[test]
fn a_dead_process_on_sound_layers_is_restarted_in_place() {
    let diagnosis = diagnose(
        crashed(),
        vec![
            layer(
                "serverdb",
                Layer::AcceptingConnections,
                Some(false),
                "connection refused",
            ),
            layer("serverdb", Layer::Process, Some(false), "no postmaster"),
            layer("serverdb", Layer::DiskSet, Some(true), "read"),
        ],
    );
    assert_eq!(
        diagnosis.cause,
        Some(layer(
            "serverdb",
            Layer::Process,
            Some(false),
            "no postmaster"
        ))
    );
    assert_eq!(diagnosis.advice, [restart(), takeover()]);
    assert_eq!(diagnosis.layers[0].layer, Layer::DiskSet);
}

#[test]
fn a_broken_disk_is_taken_over() {
    let diagnosis = diagnose(
        crashed(),
        vec![
            layer("serverdb", Layer::Process, Some(false), "no postmaster"),
            layer(
                "serverdb",
                Layer::DiskSet,
                Some(false),
                "I/O error at sector 8",
            ),
        ],
    );
    assert_eq!(
        diagnosis.cause,
        Some(layer(
            "serverdb",
            Layer::DiskSet,
            Some(false),
            "I/O error at sector 8"
        ))
    );
    assert_eq!(diagnosis.advice[0], takeover());
}

#[test]
fn a_full_disk_wants_space() {
    let diagnosis = diagnose(
        crashed(),
        vec![layer(
            "serverdb",
            Layer::FreeSpace,
            Some(false),
            "0 bytes free",
        )],
    );
    assert_eq!(
        diagnosis.advice,
        [Advice::FreeSpace {
            node: "serverdb".into()
        }]
    );
}

#[test]
fn a_broken_standby_explains_no_outage() {
    let diagnosis = diagnose(
        crashed(),
        vec![
            layer("backup", Layer::FreeSpace, Some(false), "0 bytes free"),
            layer("serverdb", Layer::Process, Some(false), "no postmaster"),
        ],
    );
    assert_eq!(
        diagnosis.cause,
        Some(layer(
            "serverdb",
            Layer::Process,
            Some(false),
            "no postmaster"
        ))
    );
}

#[test]
fn a_broken_standby_alone_is_no_cause() {
    let diagnosis = diagnose(
        crashed(),
        vec![layer(
            "backup",
            Layer::FreeSpace,
            Some(false),
            "0 bytes free",
        )],
    );
    assert_eq!(diagnosis.cause, None);
    assert_eq!(diagnosis.advice, [restart()]);
}

#[test]
fn a_silent_machine_is_taken_over_by_the_table() {
    let layers = || vec![layer("serverdb", Layer::Power, Some(false), "off")];
    let seen = json!({ "observer": "backup", "serverdb": "silent" });
    assert_eq!(diagnose(seen, layers()).advice[0], takeover());
    let seen = json!({
        "observer": "backup",
        "serverdb": { "is": "silent", "fences": { "ipmi": "failed", "san": "failed" } },
    });
    assert!(matches!(
        diagnose(seen, layers()).advice[0],
        Advice::AttestAfter { .. }
    ));
}

#[test]
fn what_is_not_known_is_no_cause() {
    let diagnosis = diagnose(
        crashed(),
        vec![layer("serverdb", Layer::KernelLog, None, "not readable")],
    );
    assert_eq!(diagnosis.cause, None);
    // Not "diagnose": the person is there already.
    assert_eq!(diagnosis.advice, [restart()]);
}

/// The database serves on serverdb and its application does not run there.
fn application_down() -> (
    siaga_model::config::Config,
    siaga_model::observation::Observation,
) {
    let config = config("hospital");
    let seen = json!({ "observer": "serverdb", "backup": "free", "serverdb": {
        "is": "active",
        "says": { "applications": [{ "name": "web", "running": { "known": false } }] },
    }});
    let observation = short::observation(&config, &seen);
    (config, observation)
}

#[test]
fn a_stopped_application_is_on_the_screen_and_start_brings_it_back() {
    let (config, seen) = application_down();
    let verdict = siaga_planner::verdict(&config, &seen);
    let said = siaga_model::refusal::Sentence::ApplicationStopped {
        node: "serverdb".into(),
        name: "web".into(),
    };
    assert_eq!(verdict.evidence.first(), Some(&said), "{verdict:?}");
    let start = simrs(|service| Advice::Start { service });
    assert_eq!(verdict.advice.first(), Some(&start));
    let broken = vec![layer("serverdb", Layer::Applications, Some(false), "web")];
    let diagnosis = siaga_planner::diagnose(&config, &"simrs".into(), broken, &seen);
    assert_eq!(diagnosis.advice, [start]);
}
