//! The shape that ARCHITECTURE.md promises: which crate may use which, and how long a file may be.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Every crate, and the crates of ours that it may use. Dependencies point one way.
const ARROWS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("planner", &["model"]),
    ("runner", &["model", "planner"]),
    ("journal", &["model"]),
    ("words", &["model"]),
    ("config", &["model"]),
    // TLS towards servers of others; the agents' own is by their keys.
    ("trust", &[]),
    ("comms", &["model", "words", "trust"]),
    ("node", &["model", "runner", "trust"]),
    ("probe", &["model", "trust"]),
    ("sim", &["model", "planner", "runner"]),
    (
        "agent",
        &[
            "model", "planner", "runner", "journal", "words", "config", "node", "probe", "comms",
        ],
    ),
    ("lab", &["model", "config", "probe"]),
    ("report", &["model", "journal", "words"]),
    (
        "cli",
        &[
            "model", "config", "journal", "words", "agent", "probe", "lab", "report", "comms",
        ],
    ),
    ("e2e", &[]),
    // It drives machines from outside; the load that counts acknowledged rows is the probe's.
    ("vm", &["probe"]),
    // It drives the binary from outside; the planner is timed, and a journal made long, in place.
    ("bench", &["model", "planner", "journal"]),
];

/// Crates from outside that would break a ban: the planner and the runner have no effects.
const PURE: &[(&str, &[&str])] = &[
    ("model", &["serde"]),
    ("planner", &[]),
    ("runner", &["serde", "thiserror"]),
];

/// The longest that a source file may be.
const LONGEST: usize = 500;

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The names in `[dependencies]` of a manifest.
fn dependencies(name: &str) -> BTreeSet<String> {
    let manifest = fs::read_to_string(crates().join(name).join("Cargo.toml")).expect("a manifest");
    manifest
        .lines()
        .skip_while(|l| l.trim() != "[dependencies]")
        .skip(1)
        .take_while(|l| !l.starts_with('['))
        .filter(|l| !l.trim_start().starts_with('#'))
        .filter_map(|l| l.split(['.', '=', ' ']).next())
        .filter(|n| !n.is_empty())
        .map(str::to_owned)
        .collect()
}

#[test]
fn dependencies_point_one_way() {
    let known: BTreeSet<String> = ARROWS.iter().map(|(n, _)| (*n).to_owned()).collect();
    let found: BTreeSet<String> = fs::read_dir(crates())
        .expect("the crates")
        .filter_map(|e| e.ok()?.file_name().into_string().ok())
        .collect();
    assert_eq!(
        found, known,
        "a crate without its line in ARROWS, or the other way round"
    );
    for (name, allowed) in ARROWS {
        for dependency in dependencies(name) {
            if let Some(ours) = dependency.strip_prefix("siaga-") {
                assert!(allowed.contains(&ours), "{name} must not use {ours}");
            }
        }
    }
}

#[test]
fn the_core_has_no_effects() {
    for (name, allowed) in PURE {
        for dependency in dependencies(name) {
            let ours = dependency.starts_with("siaga-");
            assert!(
                ours || allowed.contains(&dependency.as_str()),
                "{name} uses {dependency}"
            );
        }
    }
}

#[test]
fn files_stay_short() {
    let mut folders = vec![crates()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)
            .expect("a folder")
            .filter_map(Result::ok)
        {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let lines = fs::read_to_string(&path).expect("a file").lines().count();
                assert!(lines <= LONGEST, "{} has {lines} lines", path.display());
            }
        }
    }
}
