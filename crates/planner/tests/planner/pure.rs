//! The planner is pure: its sources name no clock, file, socket, randomness or async.

use std::path::Path;

#[test]
fn the_sources_name_nothing_impure() {
    let banned = [
        "std::fs",
        "std::net::Tcp",
        "std::net::Udp",
        "std::io",
        "std::env",
        "std::process",
        "std::thread",
        "SystemTime",
        "Instant",
        "rand::",
        "RandomState",
        "HashMap",
        "HashSet",
        "async ",
        "tokio",
        "unsafe",
    ];
    let sources = below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let mut seen = 0;
    for path in sources {
        let text = std::fs::read_to_string(&path).unwrap();
        seen += 1;
        assert!(text.lines().count() < 400, "{} is too long", path.display());
        for word in banned {
            assert!(!text.contains(word), "{} names {word}", path.display());
        }
    }
    assert!(seen > 8, "only {seen} sources were read");
}

/// Every file, also of the folders.
fn below(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let paths = entries.map(|e| e.unwrap().path());
    paths
        .flat_map(|path| match path.is_dir() {
            true => below(&path),
            false => vec![path],
        })
        .collect()
}

/// `siaga-model` and nothing else at run time.
#[test]
fn the_planner_depends_on_the_model_alone() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let text = std::fs::read_to_string(manifest).unwrap();
    let (_, after) = text.split_once("\n[dependencies]\n").unwrap();
    let section = after.split("\n[").next().unwrap();
    let names: Vec<&str> = section.lines().filter(|l| !l.trim().is_empty()).collect();
    assert_eq!(names, ["siaga-model.workspace = true"]);
}
