//! The verbs that set a site up: each refuses what is wrong, with a code, and changes nothing.

use crate::{Said, run, siaga};
use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use tempfile::TempDir;

const CONFIG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/full.toml");

fn init(state: &Path, node: &str) -> Said {
    let mut command = siaga();
    command
        .args(["init", "--config", CONFIG, "--node", node, "--state-dir"])
        .arg(state);
    command.output().expect("it starts").into()
}

fn token(state: &Path, args: &[&str]) -> Said {
    let mut command = siaga();
    command
        .args(["token", "create", "--config", CONFIG, "--state-dir"])
        .arg(state)
        .args(args);
    command.output().expect("it starts").into()
}

/// Joins with a token on standard input.
fn join(state: &Path, token: &str) -> Said {
    let mut command = siaga();
    command
        .args(["join", "--name", "backup", "--state-dir"])
        .arg(state)
        .arg("--config")
        .arg(state.join("siaga.toml"));
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    child
        .stdin
        .take()
        .expect("piped")
        .write_all(token.as_bytes())
        .expect("written");
    child.wait_with_output().expect("it ends").into()
}

fn nothing_in(dir: &TempDir) -> bool {
    dir.path().join("state").read_dir().is_err()
}

#[test]
fn init_makes_the_site_once() {
    let dir = tempfile::tempdir().expect("a directory");
    let state = dir.path().join("state");
    let unknown = init(&state, "nobody");
    assert_eq!(unknown.code, 2);
    assert!(unknown.err.contains("serverdb, backup"), "{}", unknown.err);
    assert!(nothing_in(&dir));
    let made = init(&state, "serverdb");
    assert_eq!((made.code, made.err.as_str()), (0, ""));
    let again = init(&state, "serverdb");
    assert_eq!(again.code, 1);
    assert!(again.err.contains("[KEYS_EXIST]"), "{}", again.err);
}

#[test]
fn a_token_is_for_one_name_and_is_json_where_asked() {
    let dir = tempfile::tempdir().expect("a directory");
    let state = dir.path().join("state");
    assert_eq!(token(&state, &["--for", "backup"]).code, 1, "no keys yet");
    assert_eq!(init(&state, "serverdb").code, 0);
    for bad in [
        &[][..],
        &["--for", "nobody"],
        &["--for", "backup", "--probe", "client1"],
    ] {
        assert_eq!(token(&state, bad).code, 2, "{bad:?}");
    }
    let said = token(&state, &["--for", "backup", "--json"]);
    assert_eq!(said.code, 0);
    let parsed: serde_json::Value = serde_json::from_str(&said.out).expect("only JSON");
    assert_eq!(parsed["name"], "backup");
    let plain = token(&state, &["--probe", "client1"]);
    assert_eq!(
        (plain.code, plain.out.lines().count()),
        (0, 1),
        "the token alone, to be copied"
    );
    assert!(plain.err.contains("siaga join --probe"), "{}", plain.err);
}

#[test]
fn a_token_that_is_none_joins_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    let state = dir.path().join("state");
    for bad in ["", "nonsense\n", "siaga-join-AAAA\n"] {
        let said = join(&state, bad);
        assert_eq!(said.code, 2, "{bad:?}: {}", said.err);
        assert!(said.err.contains("no join token"), "{}", said.err);
    }
    assert!(nothing_in(&dir));
    assert_eq!(run(&["join", "--token-file", "/nonexistent/token"]).code, 2);
}

#[test]
fn an_agent_refuses_to_start_without_configuration_or_keys() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = |name: &str| dir.path().join(name).to_str().expect("text").to_owned();
    let agent = |config: &str| {
        run(&[
            "agent",
            "--config",
            config,
            "--state-dir",
            &path("state"),
            "--socket",
            &path("siaga.sock"),
        ])
    };
    let said = agent("/nonexistent/siaga.toml");
    assert_eq!(said.code, 2);
    assert!(
        said.err.contains("siaga agent:") || said.err.contains("siaga.toml"),
        "{}",
        said.err
    );
    if rustix::process::getuid().is_root() {
        let said = agent(CONFIG);
        assert_eq!(said.code, 1);
        assert!(said.err.contains("siaga init"), "{}", said.err);
    }
    assert!(!dir.path().join("siaga.sock").exists());
}

#[test]
fn a_probe_without_its_file_is_a_configuration_error() {
    let said = run(&["probe", "--config", "/nonexistent/probe.toml"]);
    assert_eq!(said.code, 2);
    assert!(
        said.err.contains("[PROBE_CONFIG_UNREADABLE]"),
        "{}",
        said.err
    );
}
