//! A Debian cluster that ran before Siaga came: found, configured, adopted, given its address and moved, with one and the
//! same postmaster until the move.

use siaga_e2e::{Lab, wait_until};

/// The cluster as `pg_createcluster` makes it, on the shared disk. What it writes outside of that is the node's own.
const CLUSTER: &str = "set -e
    for dir in /etc/postgresql /var/log/postgresql; do mount -t tmpfs tmpfs $dir; done
    chown postgres:postgres /etc/postgresql /var/log/postgresql
    mkdir -p /srv/simrs /run/postgresql && chown postgres:postgres /run/postgresql
    mount DEVICE /srv/simrs
    install -d -o postgres -g postgres /srv/simrs/15
    pg_createcluster 15 main -d /srv/simrs/15/main -p 5432 --locale C.UTF-8 -- --no-sync >&2
    pg_ctlcluster 15 main start >&2
    cd / && su postgres -c 'psql -qXc \"create table kept as select 42 as answer\"'";

/// On the other node: its own places, and no configuration yet.
const OTHER: &str = "set -e
    for dir in /etc/postgresql /var/log/postgresql; do mount -t tmpfs tmpfs $dir; done
    mkdir -p /srv/simrs /run/postgresql && chown postgres:postgres /run/postgresql";

/// The postmaster and when it was started, in the kernel's ticks.
const POSTMASTER: &str = "pid=$(head -n 1 /srv/simrs/15/main/postmaster.pid)
    echo $pid $(cut -d ' ' -f 22 /proc/$pid/stat)";

const CONFIGURATION: [&str; 4] = [
    "postgresql.conf",
    "pg_hba.conf",
    "pg_ident.conf",
    "pg_ctl.conf",
];

fn said(lab: &Lab, node: &str, script: &str) -> String {
    lab.exec(node, &["sh", "-c", script])
        .expect(0)
        .out
        .trim()
        .to_owned()
}

/// A value of the lab's own `siaga.toml`.
fn configured(text: &str, key: &str, nth: usize) -> String {
    let begin = format!("{key} = ");
    let mut lines = text.lines().filter_map(|l| l.strip_prefix(&begin));
    lines
        .nth(nth)
        .expect("a value")
        .trim_matches('"')
        .to_owned()
}

fn evidence(lab: &Lab, node: &str) -> String {
    lab.siaga(node, &["status", "--json"]).expect(0).json()["services"][0]["verdict"].to_string()
}

/// The other node's configuration, until it is the same. Also the folder that is empty and that it includes.
fn copy_configuration(lab: &Lab) {
    said(
        lab,
        "backup",
        "install -d -o postgres /etc/postgresql/15/main/conf.d",
    );
    for name in CONFIGURATION {
        let path = format!("/etc/postgresql/15/main/{name}");
        let text = lab.exec("serverdb", &["cat", &path]).expect(0).out;
        let write = format!("printf %s \"$0\" > {path} && chown postgres {path}");
        lab.exec("backup", &["sh", "-c", &write, &text]).expect(0);
    }
}

#[test]
fn a_running_debian_cluster_is_adopted_given_its_address_and_moved() {
    let lab = Lab::bare(&["--no-agents"]);
    let siaga_toml = said(
        &lab,
        "serverdb",
        "cat /etc/siaga/siaga.toml && rm /etc/siaga/siaga.toml",
    );
    said(&lab, "backup", "rm -f /etc/siaga/siaga.toml");
    let device = |node: usize| {
        let path = lab.status()["nodes"][node]["device"]
            .as_str()
            .map(str::to_owned);
        path.expect("a device")
    };
    let vip = configured(&siaga_toml, "address", 0);
    said(&lab, "serverdb", &CLUSTER.replace("DEVICE", &device(0)));
    said(&lab, "backup", OTHER);
    let before = said(&lab, "serverdb", POSTMASTER);

    // What can't be answered from here is missing, and nothing is written.
    let answers = "site_name = \"RSUD Contoh\"\ntime_zone = \"Asia/Jakarta\"\n";
    said(
        &lab,
        "serverdb",
        &format!("printf %s '{answers}' > /run/answers.toml"),
    );
    let init = ["init", "--answers", "/run/answers.toml"];
    let refused = lab.siaga("serverdb", &init).expect(2);
    assert!(refused.err.contains("other_node"), "{}", refused.err);
    assert!(
        !refused.err.contains("data_dir"),
        "found here: {}",
        refused.err
    );
    said(&lab, "serverdb", "test ! -e /etc/siaga/siaga.toml");

    let more = format!(
        "{answers}other_node = \"backup\"\nother_addresses = \"{}\"\nother_hardware = \"{}\"\n\
         other_device = \"{}\"\nvirtual_ip = \"{vip}\"\ninterface = \"eth0\"\n",
        configured(&siaga_toml, "addresses", 1)
            .trim_matches(['[', ']'])
            .replace('"', ""),
        configured(&siaga_toml, "hardware_addresses", 1)
            .trim_matches(['[', ']'])
            .replace('"', ""),
        device(1),
    );
    said(
        &lab,
        "serverdb",
        &format!("printf %s '{more}' > /run/answers.toml"),
    );
    let made = lab.siaga("serverdb", &init).expect(0);
    assert!(
        made.out.contains("nothing was restarted"),
        "{}\n{}",
        made.out,
        made.err
    );
    assert!(
        made.out.contains(&vip),
        "the address is not here yet: {}",
        made.out
    );
    lab.siaga("serverdb", &["config", "check"]).expect(0);
    let written = said(&lab, "serverdb", "cat /etc/siaga/siaga.toml");
    assert!(
        written.contains("config_file = \"/etc/postgresql/15/main/postgresql.conf\""),
        "{written}"
    );
    // Not a second time.
    lab.siaga("serverdb", &init).expect(3);

    let siaga = siaga_e2e::binary();
    let agent = [siaga.to_str().expect("a path"), "agent"];
    let _serverdb = lab.beside("serverdb", &agent);
    lab.wait_for_agent("serverdb");
    assert_eq!(lab.active("serverdb").as_deref(), Some("serverdb"));
    assert_eq!(lab.state("serverdb"), "running");
    let verdict = evidence(&lab, "serverdb");
    assert!(verdict.contains("virtual_ip_not_yet"), "{verdict}");
    assert!(!verdict.contains("mount_stranger"), "{verdict}");

    let token = lab
        .siaga(
            "serverdb",
            &["token", "create", "--for", "backup", "--json"],
        )
        .expect(0)
        .json()["token"]
        .as_str()
        .expect("a token")
        .to_owned();
    said(
        &lab,
        "backup",
        &format!("umask 077; echo {token} > /run/token"),
    );
    lab.siaga(
        "backup",
        &["join", "--name", "backup", "--token-file", "/run/token"],
    )
    .expect(0);
    let _backup = lab.beside("backup", &agent);
    lab.wait_for_agents();
    wait_until("the agents hear each other", || {
        let check = lab.siaga("serverdb", &["check", "--json"]).out;
        check.contains("DATABASE_CONFIG_DIFFERS") && !check.contains("PEER_UNREACHABLE")
    });
    copy_configuration(&lab);
    let check = lab.siaga("serverdb", &["check", "--json"]).out;
    assert!(!check.contains("DATABASE_CONFIG_DIFFERS"), "{check}");

    // Its address, and the database as it was.
    lab.siaga(
        "serverdb",
        &[
            "start",
            "--yes",
            "--json",
            "--reason",
            "the virtual address",
        ],
    )
    .expect(0);
    assert!(said(&lab, "serverdb", "ip -o addr show dev eth0").contains(&vip));
    assert_eq!(
        said(&lab, "serverdb", POSTMASTER),
        before,
        "it was restarted"
    );
    assert!(!evidence(&lab, "serverdb").contains("virtual_ip_not_yet"));

    // From here on it is a service as any other.
    lab.siaga(
        "backup",
        &["switchover", "--yes", "--json", "--reason", "adopted"],
    )
    .expect(0);
    assert_eq!(lab.active("backup").as_deref(), Some("backup"));
    let rows = "cd / && su postgres -c 'psql -qXAtc \"select answer from kept\"'";
    assert_eq!(said(&lab, "backup", rows), "42");
}
