//! The file, its keys and single values: each check with a configuration that must fail it at the right place.

use crate::common::{FULL, edited, expect, marks};
use siaga_config::{HostChecks, LARGEST, load, parse};
use siaga_model::config::Language;

#[test]
fn a_syntax_error_has_its_place() {
    expect(&[("language = \"id\" ", "language = ⟦SYNTAX⟧id ")]);
    expect(&[("rto = \"5m\"  ", "rto = \"5m\"\n⟦SYNTAX⟧rto = \"6m\"  ")]);
}

#[test]
fn keys() {
    let errors = expect(&[(
        "mount_point =",
        "⟦UNKNOWN_KEY⟧mountpoint =\"/srv/x\"\nmount_point =",
    )]);
    assert!(
        errors.errors[0]
            .remedy_text(Language::English)
            .contains("Did you mean \"mount_point\"?")
    );
    expect(&[("[policy]", "[⟦UNKNOWN_KEY⟧services]\n[policy]")]);
    expect(&[("[[service]]\nname = \"simrs\"", "⟦MISSING_KEY⟧[[service]]")]);
    expect(&[
        ("time_zone = \"Asia/Jakarta\"", ""),
        ("[site]", "⟦MISSING_KEY⟧[site]"),
    ]);
    expect(&[("port = 5432", "port = ⟦WRONG_TYPE⟧\"5432\"")]);
    expect(&[("timeout = \"15s\"", "timeout = ⟦WRONG_TYPE⟧15")]);
    expect(&[("[policy]", "[policy]\n⟦UNKNOWN_KEY⟧colour = 1")]);
    expect(&[(
        "building_power_loss = false",
        "building_power_loss = ⟦WRONG_TYPE⟧\"no\"",
    )]);
    expect(&[(
        "options = [\"noatime\"]",
        "options = ⟦WRONG_TYPE⟧\"noatime\"",
    )]);
}

#[test]
fn words_out_of_a_few() {
    let errors = expect(&[("role = \"operator\"", "role = ⟦BAD_CHOICE⟧\"operater\"")]);
    assert!(
        errors.errors[0]
            .remedy_text(Language::Indonesian)
            .contains("\"operator\"")
    );
    expect(&[("kind = \"ext4\"", "kind = ⟦BAD_CHOICE⟧\"btrfs\"")]);
    expect(&[("driver = \"block\"", "driver = ⟦BAD_CHOICE⟧\"zfs\"")]);
    expect(&[("language = \"id\"", "language = ⟦BAD_CHOICE⟧\"fr\"")]);
    expect(&[("kind = \"fabric\"", "kind = ⟦BAD_CHOICE⟧\"san\"")]);
}

#[test]
fn names() {
    expect(&[("name = \"budi\"", "name = ⟦BAD_NAME⟧\"Budi Santoso\"")]);
    expect(&[("name = \"web\"", "name = ⟦BAD_NAME⟧\"-web\"")]);
    expect(&[(
        "name = \"port\"",
        "name = ⟦BAD_NAME⟧\"a2345678901234567890123456789012x\"",
    )]);
    expect(&[("name = \"RSUD Contoh\"", "name = ⟦EMPTY_TEXT⟧\" \"")]);
}

#[test]
fn durations() {
    expect(&[("timeout = \"20s\"", "timeout = ⟦ZERO_DURATION⟧\"0s\"")]);
    expect(&[("stop_fast = \"30s\"", "stop_fast = ⟦ZERO_DURATION⟧\"0ms\"")]);
    expect(&[("rto = \"5m\"", "rto = ⟦BAD_DURATION⟧\"five minutes\"")]);
    expect(&[("rto = \"5m\"", "rto = ⟦BAD_DURATION⟧\"-5m\"")]);
    expect(&[("rto = \"5m\"", "rto = ⟦LONG_DURATION⟧\"25h\"")]);
    expect(&[(
        "coordinator_silence = \"10s\"",
        "coordinator_silence = ⟦POLICY_ORDER⟧\"2s\"",
    )]);
}

#[test]
fn single_values() {
    expect(&[(
        "address = \"192.0.2.50\"",
        "address = ⟦BAD_ADDRESS⟧\"192.0.2.350\"",
    )]);
    expect(&[(
        "address = \"192.0.2.50\"",
        "address = ⟦UNUSABLE_ADDRESS⟧\"0.0.0.0\"",
    )]);
    expect(&[("\"192.0.2.50:5432\"", "⟦BAD_ENDPOINT⟧\"192.0.2.50\"")]);
    expect(&[("\"203.0.113.11:7443\"", "⟦BAD_PORT⟧\"203.0.113.11:0\"")]);
    expect(&[("port = 5432", "port = ⟦BAD_PORT⟧70000")]);
    expect(&[("port = 5432", "port = ⟦BAD_PORT⟧0")]);
    expect(&[("\"192.0.2.0/24\"", "⟦BAD_NETWORK⟧\"192.0.2.0/33\"")]);
    expect(&[(
        "interface = \"eno1\"\n\n[service.database]",
        "interface = ⟦BAD_INTERFACE⟧\"en/o1\"\n\n[service.database]",
    )]);
    expect(&[("\"Asia/Jakarta\"", "⟦BAD_TIME_ZONE⟧\"Asia/Jakrata\"")]);
    expect(&[(
        "\"http://192.0.2.50/simrs/\"",
        "⟦BAD_URL⟧\"192.0.2.50/simrs\"",
    )]);
    expect(&[(
        "\"http://192.0.2.50/simrs/\"",
        "⟦INLINE_SECRET⟧\"http://a:b@192.0.2.50/\"",
    )]);
    expect(&[("\"tomcat10.service\"", "⟦BAD_UNIT⟧\"tomcat10\"")]);
    // An application may be a target; a database is a service.
    expect(&[(
        "unit = \"postgresql@15-main.service\"",
        "unit = ⟦BAD_UNIT⟧\"postgresql.target\"",
    )]);
    expect(&[("[\"noatime\"]", "[⟦BAD_MOUNT_OPTION⟧\"noatime,ro\"]")]);
    expect(&[(
        "addresses = [\"198.51.100.12\", \"203.0.113.12\"]",
        "addresses = ⟦EMPTY_LIST⟧[]",
    )]);
    expect(&[(
        "hardware_addresses = [\"02:00:5e:00:53:21\", \"02:00:5e:00:53:22\"]",
        "hardware_addresses = ⟦EMPTY_LIST⟧[]",
    )]);
}

#[test]
fn hardware_addresses() {
    for bad in [
        "02:00:5e:00:53",
        "02:00:5e:00:53:1",
        "zz:00:5e:00:53:11",
        "01:00:5e:00:53:11",
        "00:00:00:00:00:00",
    ] {
        expect(&[(
            "\"02:00:5e:00:53:11\"",
            &format!("⟦BAD_HARDWARE_ADDRESS⟧\"{bad}\""),
        )]);
    }
    let text = edited(FULL, &[("02:00:5e:00:53:11", "02-00-5E-00-53-1F")]);
    let (config, _) = parse(&text, &HostChecks::none()).unwrap();
    assert_eq!(config.nodes[0].hardware_addresses[0], "02:00:5e:00:53:1f");
}

#[test]
fn paths() {
    expect(&[(
        "mount_point = \"/srv/simrs\"",
        "mount_point = ⟦NOT_ABSOLUTE⟧\"srv/simrs\"",
    )]);
    expect(&[(
        "mount_point = \"/srv/simrs\"",
        "mount_point = ⟦NOT_ABSOLUTE⟧\"/srv/../srv/simrs\"",
    )]);
    expect(&[(
        "agent = \"/usr/sbin/fence_brocade\"",
        "agent = ⟦NOT_ABSOLUTE⟧\"fence_brocade\"",
    )]);
    expect(&[("run = [\"/usr/bin/ssh\"", "run = [⟦NOT_ABSOLUTE⟧\"ssh\"")]);
    expect(&[(
        "mount_point = \"/srv/simrs\"",
        "mount_point = ⟦BAD_MOUNT_POINT⟧\"/\"",
    )]);
    expect(&[
        (
            "mount_point = \"/srv/simrs\"",
            "mount_point = ⟦BAD_MOUNT_POINT⟧\"/var\"",
        ),
        ("data_dir = \"/srv/simrs", "data_dir = \"/var/simrs"),
        (
            "folder = \"/var/lib/siaga/rehearsal\"",
            "folder = \"/opt/rehearsal\"",
        ),
    ]);
    // A data directory that only begins with the same letters is not inside.
    expect(&[(
        "data_dir = \"/srv/simrs/",
        "data_dir = ⟦DATA_DIR_OUTSIDE⟧\"/srv/simrs2/",
    )]);
}

#[test]
fn columns_count_characters() {
    let (text, expected) = marks("[site]\nname = \"é\"\ntime_zone = { \"é\" = 1, ⟦X⟧b = 2 }\n");
    let errors = parse(&text, &HostChecks::none()).unwrap_err();
    assert_eq!(expected[0].2, 24);
    assert!(
        errors
            .errors
            .iter()
            .any(|e| e.code == "WRONG_TYPE" && (e.line, e.column) == (3, 13)),
        "{errors}"
    );
}

#[test]
fn the_file_itself() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("siaga.toml");
    let code = || load(&path).unwrap_err().errors[0].code;
    assert_eq!(code(), "UNREADABLE");
    std::fs::write(&path, vec![b'#'; LARGEST + 1]).unwrap();
    assert_eq!(code(), "TOO_LARGE");
    std::fs::write(&path, b"[site]\nname = \"\xff\"").unwrap();
    assert_eq!(code(), "NOT_TEXT");
    std::fs::write(&path, "").unwrap();
    assert_eq!(load(&path).unwrap_err().errors.len(), 3);
    std::fs::write(&path, FULL).unwrap();
    assert!(load(&path).is_ok());
    let name = path.display().to_string();
    std::fs::write(&path, FULL.replacen("5432", "0", 1)).unwrap();
    assert!(load(&path).unwrap_err().to_string().contains(&name));
}

/// Also of a file with errors: they have to be said in that language.
#[test]
fn the_language_is_read_whatever_else_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("siaga.toml");
    let language = |text: &str| {
        std::fs::write(&path, text).unwrap();
        siaga_config::language_in(&path)
    };
    let broken = "port = 1\n[site]\nname = 7\nlanguage = \"id\"\n";
    assert_eq!(language(broken), Some(Language::Indonesian));
    assert_eq!(
        language("[site]\nlanguage = \"en\"\n"),
        Some(Language::English)
    );
    // Then it is the site's language by default.
    assert_eq!(language("[site]\nname = \"A\"\n"), Some(Language::English));
    assert_eq!(language("[site\n"), None);
    assert_eq!(siaga_config::language_in(&dir.path().join("none")), None);
}
