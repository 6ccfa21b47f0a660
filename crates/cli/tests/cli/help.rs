//! Help, errors of the command line, man pages and completions in the language of the site.

use crate::{Said, siaga};

fn said_with(env: &[(&str, &str)], args: &[&str]) -> Said {
    let mut command = siaga();
    command.envs(env.iter().copied()).args(args);
    command.output().expect("it starts").into()
}

fn indonesian(args: &[&str]) -> Said {
    said_with(&[("SIAGA_LANG", "id")], args)
}

/// The page as it is meant to be read.
#[track_caller]
fn is_the_page(args: &[&str], name: &str) {
    let said = indonesian(args);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    let path = format!("{}/tests/cli/help/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("SIAGA_BLESS").is_some() {
        std::fs::write(&path, &said.out).expect("written");
    }
    let page = std::fs::read_to_string(&path).expect(name);
    assert_eq!(
        said.out, page,
        "look at it, and write it anew with SIAGA_BLESS=1"
    );
}

#[test]
fn whole_pages_in_indonesian() {
    is_the_page(&["--help"], "siaga");
    is_the_page(&["takeover", "--help"], "takeover");
    is_the_page(&["help", "drill"], "drill");
    is_the_page(&["power", "-h"], "power");
}

#[test]
fn the_language_is_the_flags_then_the_environments_then_the_locales() {
    let first = |env: &[(&str, &str)], args: &[&str]| {
        let said = said_with(env, args);
        said.out.contains("Pemakaian:")
    };
    assert!(first(&[], &["status", "--lang", "id", "--help"]));
    assert!(first(&[], &["--lang=id", "--help"]));
    assert!(!first(&[("SIAGA_LANG", "id")], &["--lang", "en", "--help"]));
    assert!(first(
        &[("SIAGA_LANG", "id"), ("LC_ALL", "en_US.UTF-8")],
        &["-h"]
    ));
    assert!(first(&[("LANG", "id_ID.UTF-8")], &["-h"]));
    assert!(!first(&[("LANG", "id_ID.UTF-8"), ("LC_ALL", "C")], &["-h"]));
    assert!(!first(&[], &["-h"]));
}

#[test]
fn errors_of_the_command_line_in_indonesian() {
    for (args, text) in [
        (
            &["--nonsense"][..],
            "kesalahan: tidak ada argumen '--nonsense'",
        ),
        (&["nonsense"], "kesalahan: tidak ada perintah 'nonsense'"),
        (&["takeovr"], "Mungkin maksud Anda: takeover"),
        (
            &["power", "explode", "serverdb"],
            "[pilihan: status, off, on]",
        ),
        (
            &["power", "off"],
            "argumen ini belum diberikan:\n  <SERVER>",
        ),
        (&["takeover", "--how"], "'--how <CARA>' memerlukan nilai"),
        (&["log", "--csv", "--json"], "tidak dapat dipakai bersama"),
        (&["status", "--service", ""], "nama tidak boleh kosong"),
    ] {
        let said = indonesian(args);
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{args:?}");
        assert!(said.err.contains(text), "{args:?}: {}", said.err);
        assert!(
            !said.err.contains("error:") && !said.err.contains("Usage:"),
            "{}",
            said.err
        );
    }
}

#[test]
fn man_pages_in_both_languages() {
    let dir = tempfile::tempdir().expect("a directory");
    let made = siaga().arg("man").arg(dir.path()).output().expect("starts");
    assert!(made.status.success());
    let page = |name: &str| std::fs::read_to_string(dir.path().join(name)).expect("a page");
    let (english, indonesian) = (
        page("man1/siaga-takeover.1"),
        page("id/man1/siaga-takeover.1"),
    );
    assert!(english.contains(".SH NAME") && english.contains("The other server is dead"));
    assert!(indonesian.contains(".SH NAMA") && indonesian.contains("Server lain mati"));
    for heading in [
        "NAME",
        "SYNOPSIS",
        "DESCRIPTION",
        "OPTIONS",
        "EXTRA",
        "VERSION",
    ] {
        assert!(
            !indonesian.contains(&format!(".SH {heading}\n")),
            "{heading} is left"
        );
    }
    let list = |below: &str| {
        let entries = std::fs::read_dir(dir.path().join(below)).expect("a directory");
        let mut names: Vec<_> = entries.map(|e| e.expect("an entry").file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(list("man1"), list("id/man1"));
}

#[test]
fn what_a_verb_was_given_wrongly_is_said_in_indonesian() {
    let config = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/full.toml");
    let dir = tempfile::tempdir().expect("a directory");
    let state = dir.path().join("state");
    let state = state.to_str().expect("text");
    let token = dir.path().join("token");
    std::fs::write(&token, "nothing").expect("written");
    let token = token.to_str().expect("text");
    for (args, text) in [
        (
            &[
                "init",
                "--config",
                config,
                "--node",
                "nobody",
                "--state-dir",
                state,
            ][..],
            "tidak ada server nobody dalam konfigurasi",
        ),
        (
            &[
                "token",
                "create",
                "--config",
                config,
                "--for",
                "nobody",
                "--state-dir",
                state,
            ],
            "tidak ada server nobody dalam konfigurasi",
        ),
        (
            &["join", "--token-file", token, "--state-dir", state],
            "ini bukan token, atau tidak disalin utuh",
        ),
        (
            &["join", "--token-file", "/nonexistent", "--state-dir", state],
            "token tidak dapat dibaca",
        ),
    ] {
        let said = indonesian(args);
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{args:?}");
        assert!(said.err.contains(text), "{args:?}: {}", said.err);
        assert!(!dir.path().join("state").exists(), "{args:?}");
    }
}

/// A sentence at night that names a command names one that is there.
#[test]
fn the_commands_in_the_sentences_are_commands() {
    let words = format!("{}/../words/src", env!("CARGO_MANIFEST_DIR"));
    let mut named = std::collections::BTreeSet::new();
    for file in std::fs::read_dir(words).expect("the crate of words") {
        let text = std::fs::read_to_string(file.expect("a file").path()).expect("text");
        let lines = text.lines().filter(|l| !l.trim_start().starts_with("//"));
        for rest in lines.flat_map(|l| l.split("siaga ").skip(1)) {
            let plain = |c: &char| c.is_ascii_lowercase() || *c == '-';
            named.insert(rest.chars().take_while(plain).collect::<String>());
        }
    }
    // "the version of siaga on NODE", and nothing at all.
    for no_command in ["on", "pada", "", "help"] {
        named.remove(no_command);
    }
    named.retain(|n| !n.starts_with('-'));
    assert!(named.len() > 20, "{named:?}");
    for name in named {
        let said = said_with(&[], &[&name, "--help"]);
        assert_eq!(said.code, 0, "siaga {name}: {}", said.err);
    }
}
