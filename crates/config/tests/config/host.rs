//! The checks against this host.

use crate::common::{FULL, MINIMAL, edited, expect_with};
use siaga_config::{HostChecks, HostInterface, Net, load, parse};
use siaga_model::NodeName;
use std::os::unix::fs::PermissionsExt;

#[test]
fn a_user_that_does_not_exist() {
    let checks = HostChecks {
        users: true,
        ..HostChecks::none()
    };
    expect_with(
        &checks,
        FULL,
        &[(
            "os_user = \"postgres\"",
            "os_user = ⟦NO_SUCH_USER⟧\"siaga-no-such-user\"",
        )],
    );
    assert!(
        parse(
            &edited(FULL, &[("os_user = \"postgres\"", "os_user = \"root\"")]),
            &checks
        )
        .is_ok()
    );
    // A bad configuration for another host is not judged by this one's accounts.
    assert!(
        parse(
            &edited(FULL, &[("os_user = \"postgres\"", "os_user = \"x\"")]),
            &HostChecks::none()
        )
        .is_ok()
    );
}

#[test]
fn secret_files() {
    let dir = tempfile::tempdir().unwrap();
    let secret = dir.path().join("switch.secret");
    let here = secret.display().to_string();
    let place = (
        "\"/etc/siaga/san-switch.secret\"",
        format!("⟦SECRET_MISSING⟧\"{here}\""),
    );
    let missing = HostChecks {
        secrets_missing: true,
        ..HostChecks::start()
    };
    let templates = dir.path().display().to_string();
    let all = [
        ("/etc/siaga/ipmi-serverdb.secret", here.as_str()),
        ("/etc/siaga/ipmi-backup.secret", here.as_str()),
        ("/etc/siaga/san-switch.secret", here.as_str()),
        ("/etc/siaga/mail.secret", here.as_str()),
        ("/etc/siaga/board.secret", here.as_str()),
        ("/etc/siaga/telegram.secret", here.as_str()),
        ("/etc/siaga/ack.secret", here.as_str()),
        ("/etc/siaga/rehearsal.secret", here.as_str()),
        ("/etc/siaga/templates", templates.as_str()),
    ];

    // All of them name the same file, which is not there yet.
    let errors = parse(&edited(FULL, &all), &missing).unwrap_err().errors;
    let codes: Vec<&str> = errors.iter().map(|e| e.code).collect();
    assert_eq!(codes, ["SECRET_MISSING"; 8]);

    std::fs::write(&secret, "x").unwrap();
    let mode = |m| std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(m)).unwrap();
    mode(0o600);
    assert!(parse(&edited(FULL, &all), &missing).is_ok());
    for bad in [0o640, 0o604, 0o660, 0o611] {
        mode(bad);
        expect_with(
            &HostChecks::start(),
            FULL,
            &[(place.0, &format!("⟦SECRET_READABLE⟧\"{here}\""))],
        );
    }
    // An agent that starts refuses such a file too.
    let file = dir.path().join("siaga.toml");
    std::fs::write(
        &file,
        edited(FULL, &[("/etc/siaga/san-switch.secret", &here)]),
    )
    .unwrap();
    assert_eq!(load(&file).unwrap_err().errors[0].code, "SECRET_READABLE");
    mode(0o600);
    assert!(load(&file).is_ok());
}

fn interface(name: &str, addresses: &[(&str, u8)]) -> HostInterface {
    let addresses = addresses
        .iter()
        .map(|(a, prefix)| Net {
            address: a.parse().expect("an address"),
            prefix: *prefix,
        })
        .collect();
    HostInterface {
        name: name.to_owned(),
        addresses,
    }
}

#[test]
fn the_interface_of_a_virtual_ip() {
    let on = |name, addresses: &[(&str, u8)], node: Option<&str>| HostChecks {
        interfaces: Some(vec![
            interface("lo", &[("127.0.0.1", 8)]),
            interface(name, addresses),
        ]),
        node: node.map(NodeName::from),
        ..HostChecks::none()
    };
    let outside = (
        "address = \"192.0.2.50\"",
        "address = ⟦OUTSIDE_INTERFACE⟧\"192.0.2.50\"",
    );
    // This host is serverdb, since it has serverdb's address.
    expect_with(
        &on("eno1", &[("198.51.100.11", 24)], None),
        MINIMAL,
        &[outside],
    );
    expect_with(
        &on("eno1", &[("10.0.0.1", 8)], Some("backup")),
        MINIMAL,
        &[outside],
    );
    // The virtual IP itself, which may be up already, proves nothing.
    let up = [("198.51.100.11", 24), ("192.0.2.50", 24)];
    expect_with(&on("eno1", &up, None), MINIMAL, &[outside]);
    expect_with(
        &on("eno1", &[("198.51.100.11", 24), ("192.0.2.50", 32)], None),
        MINIMAL,
        &[outside],
    );
    expect_with(
        &on("eth0", &[("198.51.100.11", 24)], None),
        MINIMAL,
        &[(
            "interface = \"eno1\"",
            "interface = ⟦NO_SUCH_INTERFACE⟧\"eno1\"",
        )],
    );
    let fine = |checks: HostChecks| parse(MINIMAL, &checks).is_ok();
    assert!(fine(on(
        "eno1",
        &[("198.51.100.11", 24), ("192.0.2.11", 24)],
        None
    )));
    // Without an address the interface says nothing; on another host nothing can be said at all.
    assert!(fine(on("eno1", &[], Some("backup"))));
    assert!(fine(on("eth9", &[("10.9.9.9", 8)], None)));
}

#[test]
fn this_host_can_be_looked_at() {
    let checks = HostChecks::this_host(None);
    let all = checks.interfaces.expect("the kernel lists its interfaces");
    let lo = all
        .iter()
        .find(|i| i.name == "lo")
        .expect("lo is always there");
    assert!(
        lo.addresses.is_empty() || lo.addresses.iter().any(|n| n.to_string() == "127.0.0.1/8"),
        "{lo:?}"
    );
}
