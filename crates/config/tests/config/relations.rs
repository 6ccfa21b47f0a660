//! Values against each other: each check with a configuration that must fail it at the right place.

use crate::common::{FULL, MINIMAL, edited, expect, expect_with};
use siaga_config::{Cause, HostChecks, parse};
use siaga_model::NodeName;
use siaga_model::config::Language;

#[test]
fn the_papers_own_mistake() {
    // One address for the main server, the backup and the application.
    let errors = expect(&[
        (
            "addresses = [\"198.51.100.12\",",
            "addresses = [⟦EQUAL_ADDRESSES⟧\"198.51.100.11\",",
        ),
        (
            "address = \"192.0.2.50\"\nnetwork = \"192.0.2.0/24\" ",
            "address = ⟦VIRTUAL_IP_REACHES_NODE⟧\"198.51.100.11\"\n# ",
        ),
    ]);
    let Cause::VirtualIpReachesNode { node, line, .. } = &errors.errors[1].cause else {
        panic!("{errors}")
    };
    let first = FULL
        .lines()
        .position(|l| l.contains("198.51.100.11\","))
        .unwrap()
        + 1;
    assert_eq!((node.as_str(), *line), ("serverdb", first));
}

#[test]
fn equal_addresses() {
    expect(&[(
        "address = \"2001:db8:20::50\"\nnetwork = \"2001:db8:20::/64\"",
        "address = ⟦EQUAL_ADDRESSES⟧\"192.0.2.50\"",
    )]);
    // The same address with another port is the same address.
    expect(&[("\"203.0.113.12\"", "⟦EQUAL_ADDRESSES⟧\"203.0.113.11:7444\"")]);
    // A node's management board under the node's own address.
    expect(&[(
        "ip = \"198.51.100.22\"",
        "ip = ⟦EQUAL_ADDRESSES⟧\"198.51.100.12\"",
    )]);
    expect(&[
        ("ip = \"198.51.100.21\"", "ip = \"198.51.100.12\""),
        (
            "addresses = [\"198.51.100.12\"",
            "addresses = [⟦EQUAL_ADDRESSES⟧\"198.51.100.12\"",
        ),
    ]);
    // One device may fence both nodes.
    assert!(
        parse(
            &edited(FULL, &[("198.51.100.22", "198.51.100.31")]),
            &HostChecks::none()
        )
        .is_ok()
    );
}

#[test]
fn networks() {
    expect(&[(
        "address = \"192.0.2.50\"",
        "address = ⟦OUTSIDE_NETWORK⟧\"192.0.3.50\"",
    )]);
    expect(&[(
        "address = \"2001:db8:20::50\"",
        "address = ⟦OUTSIDE_NETWORK⟧\"2001:db8:21::50\"",
    )]);
    expect(&[(
        "address = \"192.0.2.50\"",
        "address = ⟦UNUSABLE_ADDRESS⟧\"192.0.2.255\"",
    )]);
    expect(&[(
        "address = \"192.0.2.50\"",
        "address = ⟦UNUSABLE_ADDRESS⟧\"192.0.2.0\"",
    )]);
    expect(&[(
        "address = \"192.0.2.50\"\nnetwork = \"192.0.2.0/24\" ",
        "address = ⟦UNUSABLE_ADDRESS⟧\"127.0.0.1\"\n# ",
    )]);
}

#[test]
fn nodes() {
    expect_with(
        &HostChecks::none(),
        MINIMAL,
        &[(
            "[[service]]",
            "⟦NODE_COUNT⟧[[node]]\nname = \"third\"\naddresses = [\"198.51.100.13\"]\nhardware_addresses = [\"02:00:5e:00:53:31\"]\n[[service]]",
        )],
    );
    expect_with(
        &HostChecks::none(),
        MINIMAL,
        &[
            (
                "[[node]]\nname = \"backup\"\naddresses = [\"198.51.100.12\"]\nhardware_addresses = [\"02:00:5e:00:53:21\"]\n",
                "",
            ),
            ("[[node]]", "⟦NODE_COUNT⟧[[node]]"),
        ],
    );
    expect(&[(
        "preferred_node = \"serverdb\"",
        "preferred_node = ⟦NO_SUCH_NODE⟧\"server\"",
    )]);
    expect(&[(
        "interface = { serverdb = \"eno1\", backup = \"eno1\" }",
        "interface = ⟦MISSING_FOR_NODE⟧{ serverdb = \"eno1\" }",
    )]);
    expect(&[(
        "device = { serverdb = ",
        "device = ⟦MISSING_FOR_NODE⟧{ ⟦NO_SUCH_NODE⟧serverdb2 = ",
    )]);
}

#[test]
fn no_service() {
    let text = format!(
        "⟦NO_SERVICE⟧{}",
        MINIMAL.split("[[service]]").next().unwrap()
    );
    expect_with(&HostChecks::none(), &text, &[]);
}

#[test]
fn duplicates() {
    expect(&[
        ("name = \"backup\"", "name = ⟦DUPLICATE⟧\"serverdb\""),
        (
            "{ serverdb = \"/dev/disk/by-id/wwn-0x5000000000000001\", backup = ",
            "{ serverdb = ",
        ),
        (
            "interface = { serverdb = \"eno1\", backup = \"eno1\" }",
            "interface = \"eno1\"",
        ),
    ]);
    expect(&[("name = \"sari\"", "name = ⟦DUPLICATE⟧\"budi\"")]);
    expect(&[(
        "name = \"sari\"",
        "name = \"sari\"\nlogin = ⟦DUPLICATE⟧\"budi\"",
    )]);
    expect(&[("name = \"san-switch\"", "name = ⟦DUPLICATE⟧\"ipmi\"")]);
    expect(&[("name = \"bridging\"", "name = ⟦DUPLICATE⟧\"web\"")]);
    expect(&[("name = \"page\"", "name = ⟦DUPLICATE⟧\"port\"")]);
    expect(&[("\"02:00:5e:00:53:21\"", "⟦DUPLICATE⟧\"02:00:5E:00:53:11\"")]);
}

/// A second service on the minimal site, with its own marks.
fn second(name: &str, device: &str, mount: &str, database: &str) -> String {
    format!(
        "{MINIMAL}\n[[service]]\nname = {name}\npreferred_node = \"backup\"\ndisk_set = {{ device = {device} }}\n\
         [[service.file_system]]\nkind = \"xfs\"\nmount_point = {mount}\n\
         [service.database]\nbin_dir = \"/usr/lib/postgresql/15/bin\"\n{database}\n"
    )
}

#[test]
fn two_services() {
    let other = "data_dir = \"/srv/lab/main\"\nport = 5433";
    let fine = second("\"lab\"", "\"/dev/vdc\"", "\"/srv/lab\"", other);
    assert!(parse(&fine, &HostChecks::none()).is_ok());
    let check = |text: &str| expect_with(&HostChecks::none(), text, &[]);
    check(&second(
        "⟦DUPLICATE⟧\"simrs\"",
        "\"/dev/vdc\"",
        "\"/srv/lab\"",
        other,
    ));
    check(&second(
        "\"lab\"",
        "⟦DUPLICATE⟧\"/dev/disk/by-id/wwn-0x5000000000000001\"",
        "\"/srv/lab\"",
        other,
    ));
    check(&second(
        "\"lab\"",
        "\"/dev/vdc\"",
        "⟦OVERLAPPING_MOUNTS⟧\"/srv/simrs/lab\"",
        "data_dir = \"/srv/simrs/lab/main\"\nport = 5433",
    ));
    check(&second(
        "\"lab\"",
        "\"/dev/vdc\"",
        "⟦OVERLAPPING_MOUNTS⟧\"/srv\"",
        other,
    ));
    check(&second(
        "\"lab\"",
        "\"/dev/vdc\"",
        "⟦OVERLAPPING_MOUNTS⟧\"/srv/simrs/\"",
        "data_dir = \"/srv/simrs/main\"\nport = 5433",
    ));
    check(&second(
        "\"lab\"",
        "\"/dev/vdc\"",
        "\"/srv/lab\"",
        "data_dir = \"/srv/lab/main\"\nport = ⟦DUPLICATE⟧5432",
    ));
}

#[test]
fn one_systemd_unit_is_one_thing() {
    expect(&[(
        "unit = \"tomcat10.service\"",
        "unit = ⟦DUPLICATE⟧\"postgresql@15-main.service\"",
    )]);
}

#[test]
fn each_file_system_is_on_a_device() {
    let second = |device: &str| {
        format!(
            "[[service.file_system]]\nkind = \"xfs\"\nmount_point = \"/srv/wal\"\n{device}\n[[service.virtual_ip]]"
        )
    };
    let vip = "[[service.virtual_ip]]";
    let with = |text: &str| {
        let text = edited(MINIMAL, &[(vip, text)]);
        parse(&text, &HostChecks::none()).map(|(c, _)| c.services[0].clone())
    };
    let service = with(&second("device = \"/dev/vdc\"")).unwrap();
    let here = NodeName::from("serverdb");
    let devices = service.devices(&here);
    assert_eq!(devices[0], service.disk_set.device(&here).unwrap());
    assert_eq!(devices[1], std::path::Path::new("/dev/vdc"));
    // Not said where; the same place twice; the first with a device of its own.
    expect_with(
        &HostChecks::none(),
        MINIMAL,
        &[(vip, &format!("⟦FILE_SYSTEM_DEVICE⟧{}", second("")))],
    );
    let shared = format!("device = ⟦DUPLICATE⟧\"{}\"", devices[0].display());
    expect_with(&HostChecks::none(), MINIMAL, &[(vip, &second(&shared))]);
    expect_with(
        &HostChecks::none(),
        MINIMAL,
        &[(
            "mount_point = \"/srv/simrs\"",
            "mount_point = \"/srv/simrs\"\ndevice = ⟦FIRST_FILE_SYSTEM_DEVICE⟧\"/dev/vdd\"",
        )],
    );
    // A volume of the same group, and a disk that no group keeps from the other node.
    let disk = devices[0].display();
    let table = format!("disk_set = {{ device = \"{disk}\"");
    let table = table.as_str();
    let group = "disk_set = { driver = \"lvm\", volume_group = \"vg-simrs\", device = \"/dev/vg-simrs/data\"";
    for good in ["/dev/vg-simrs/wal", "/dev/mapper/vg--simrs-wal"] {
        let wal = second(&format!("device = \"{good}\""));
        let text = edited(MINIMAL, &[(table, group), (vip, &wal)]);
        assert!(parse(&text, &HostChecks::none()).is_ok(), "{text}");
    }
    let wal = second("device = ⟦FILE_SYSTEM_ELSEWHERE⟧\"/dev/sdc\"");
    expect_with(&HostChecks::none(), MINIMAL, &[(table, group), (vip, &wal)]);
    // So is the first one.
    let other = group.replace(
        "\"/dev/vg-simrs/data",
        "⟦FILE_SYSTEM_ELSEWHERE⟧\"/dev/vg-other/data",
    );
    expect_with(&HostChecks::none(), MINIMAL, &[(table, &other)]);
    let resource = "disk_set = { driver = \"drbd\", resource = \"simrs\", device = \"/dev/drbd0\"";
    expect_with(
        &HostChecks::none(),
        MINIMAL,
        &[(table, resource), (vip, &wal)],
    );
    // The data directory is on the first.
    expect_with(
        &HostChecks::none(),
        MINIMAL,
        &[
            (vip, &second("device = \"/dev/vdc\"")),
            (
                "data_dir = \"/srv/simrs",
                "data_dir = ⟦DATA_DIR_OUTSIDE⟧\"/srv/wal",
            ),
        ],
    );
    expect_with(
        &HostChecks::none(),
        MINIMAL,
        &[
            ("name = \"simrs\"", "name = ⟦NO_FILE_SYSTEM⟧\"simrs\""),
            (
                "[[service.file_system]]\nkind = \"ext4\"\nmount_point = \"/srv/simrs\"\n",
                "",
            ),
        ],
    );
}

#[test]
fn fences() {
    let secret = "secret_files = { password = \"/etc/siaga/san-switch.secret\" }";
    let name = (
        "name = \"san-switch\"",
        "name = ⟦FENCE_WITHOUT_CREDENTIALS⟧\"san-switch\"",
    );
    expect(&[name, (secret, "")]);
    expect(&[name, (secret, "secret_files = {}")]);
    assert!(
        parse(
            &edited(FULL, &[(secret, "credentials = \"none\"")]),
            &HostChecks::none()
        )
        .is_ok()
    );
    expect(&[(
        secret,
        &format!("{secret}\ncredentials = ⟦NOT_TOGETHER⟧\"none\""),
    )]);
    for key in [
        "password",
        "passwd",
        "snmp_community",
        "Api-Token",
        "client_secret",
    ] {
        expect(&[("lanplus = \"1\"", &format!("⟦INLINE_SECRET⟧{key} = \"x\""))]);
    }
    // Outlets: each differs from the others.
    let outlets = |text: &str| format!("{secret}\noutlets = {text}");
    let good = outlets("[{ plug = \"3\" }, { plug = \"7\" }]");
    let site = parse(&edited(FULL, &[(secret, &good)]), &HostChecks::none()).unwrap();
    let fences = site.0.nodes.iter().flat_map(|n| &n.fences);
    let of_both = fences.map(siaga_model::config::Fence::each_outlet);
    let each = of_both.max_by_key(Vec::len).unwrap();
    let plugs: Vec<&str> = each
        .iter()
        .map(|f| {
            f.options
                .iter()
                .find(|(k, _)| k == "plug")
                .unwrap()
                .1
                .as_str()
        })
        .collect();
    assert_eq!(plugs, ["3", "7"]);
    for bad in [
        "[{ plug = \"3\" }, ⟦OUTLET_LIKE_ANOTHER⟧{ plug = \"3\" }]",
        "⟦EMPTY_LIST⟧[]",
        "[{ plug = \"3\" }, { ⟦BAD_OPTION⟧action = \"on\" }]",
        "[{ plug = \"3\" }, { ⟦INLINE_SECRET⟧password = \"x\" }]",
    ] {
        expect(&[(secret, &outlets(bad))]);
    }
    // What names a program or a file is no secret.
    assert!(
        parse(
            &edited(FULL, &[("lanplus = ", "password_script = ")]),
            &HostChecks::none()
        )
        .is_ok()
    );
    expect(&[("lanplus = \"1\"", "⟦BAD_OPTION⟧action = \"reboot\"")]);
    expect(&[("lanplus = \"1\"", "⟦BAD_OPTION⟧\"a b\" = \"1\"")]);
    expect(&[(
        "lanplus = \"1\"",
        "lanplus = ⟦EMPTY_TEXT⟧\"1\\naction=reboot\"",
    )]);
    expect(&[(
        "secret_files = { password",
        "secret_files = { ⟦NOT_TOGETHER⟧username",
    )]);
}

#[test]
fn applications_and_tests() {
    expect(&[
        ("unit = \"tomcat10.service\"", ""),
        ("name = \"web\"", "name = ⟦APPLICATION_RUN⟧\"web\""),
    ]);
    expect(&[
        ("stop = [\"/usr/local/lib/simrs/bridging\", \"stop\"]", ""),
        (
            "name = \"bridging\"",
            "name = ⟦APPLICATION_RUN⟧\"bridging\"",
        ),
    ]);
    expect(&[(
        "unit = \"tomcat10.service\"",
        "unit = ⟦NOT_TOGETHER⟧\"tomcat10.service\"\nstart = [\"/bin/true\"]",
    )]);
    expect(&[(
        "start = [\"/usr/local/lib/simrs/bridging\", \"start\"]",
        "start = ⟦EMPTY_LIST⟧[]",
    )]);
    expect(&[("\"--as\", \"test\"", "⟦INLINE_SECRET⟧\"--password=x\"")]);
    expect(&[
        ("kind = \"tcp\"", "kind = ⟦MISSING_KEY⟧\"http\""),
        (
            "address = \"192.0.2.50:5432\"",
            "address = ⟦NOT_TOGETHER⟧\"192.0.2.50:5432\"",
        ),
    ]);
    expect(&[("kind = \"probe\" ", "kind = ⟦MISSING_KEY⟧\"program\" ")]);
}

#[test]
fn a_rehearsals_copy_is_never_hidden_by_a_mount() {
    let folder = "folder = \"/var/lib/siaga/rehearsal\"";
    for bad in ["/srv/simrs/copy", "/srv", "/srv/simrs", "/run/copy", "/"] {
        expect(&[(folder, &format!("folder = ⟦FOLDER_NOT_APART⟧\"{bad}\""))]);
    }
    // One that only begins with the same letters is apart.
    let apart = edited(FULL, &[(folder, "folder = \"/srv/simrs-copy\"")]);
    assert!(parse(&apart, &HostChecks::none()).is_ok());
}

#[test]
fn every_error_at_once() {
    let errors = expect(&[
        (
            "time_zone = \"Asia/Jakarta\"",
            "time_zone = ⟦BAD_TIME_ZONE⟧\"WIB\"",
        ),
        (
            "role = \"operator\"",
            "⟦UNKNOWN_KEY⟧rolle = \"operator\"\nrole = \"operator\"",
        ),
        ("timeout = \"20s\"", "timeout = ⟦ZERO_DURATION⟧\"0s\""),
        (
            "password = \"/etc/siaga/ipmi-serverdb.secret\"",
            "password = ⟦WRONG_TYPE⟧1",
        ),
        (
            "preferred_node = \"serverdb\"",
            "preferred_node = ⟦NO_SUCH_NODE⟧\"other\"",
        ),
        (
            "address = \"192.0.2.50\"\nnetwork = \"192.0.2.0/24\" ",
            "address = ⟦VIRTUAL_IP_REACHES_NODE⟧\"198.51.100.11\"\n# ",
        ),
        (
            "data_dir = \"/srv/simrs/",
            "data_dir = ⟦DATA_DIR_OUTSIDE⟧\"/var/lib/",
        ),
        ("url = \"http", "url = ⟦BAD_URL⟧\"ftp"),
        ("rto = \"5m\"", "rto = ⟦BAD_DURATION⟧\"soon\""),
    ]);
    let text = errors.render(Language::Indonesian);
    assert!(
        text.contains("9 kesalahan")
            && text.contains("siaga.toml:11:13: site.time_zone: BAD_TIME_ZONE"),
        "{text}"
    );
    // The site's own language is used where it could be read.
    assert!(errors.to_string().contains("9 kesalahan"));
    assert_eq!(
        errors.to_json(Language::English)["errors"]
            .as_array()
            .map(Vec::len),
        Some(9)
    );
}
