//! A Debian cluster on a local disk, with a client that writes, moves to the shared disk; the command is killed on the way and
//! begun again; no acknowledged row is lost, and `siaga init` adopts it there without a restart.

use siaga_e2e::{Lab, binary, wait_until};

/// The cluster as `pg_createcluster` makes it, on the node's own disk; and a shared disk with nothing on it.
const CLUSTER: &str = "set -e
    for dir in /etc/postgresql /var/log/postgresql /var/lib/postgresql; do mount -t tmpfs tmpfs $dir; done
    chown postgres:postgres /etc/postgresql /var/log/postgresql /var/lib/postgresql
    mkdir -p /run/postgresql && chown postgres:postgres /run/postgresql
    blkdiscard -f DEVICE
    pg_createcluster 15 main -p 5432 --locale C.UTF-8 -- --no-sync >&2
    pg_ctlcluster 15 main start >&2
    cd / && su postgres -c 'psql -qXc \"create table acked(n int)\"'";

/// One row after the other; the last one that the database confirmed stands in a file.
const WRITER: &str = "cd / && n=0; while :; do
    if su postgres -c \"psql -qXc 'insert into acked values ($((n + 1)))'\" 2>/dev/null
    then n=$((n + 1)); echo $n > /run/acked.new; mv /run/acked.new /run/acked; fi; done";

fn said(lab: &Lab, script: &str) -> String {
    lab.exec("serverdb", &["sh", "-c", script])
        .expect(0)
        .out
        .trim()
        .to_owned()
}

fn configured(text: &str, key: &str, nth: usize) -> String {
    let begin = format!("{key} = ");
    let mut lines = text.lines().filter_map(|l| l.strip_prefix(&begin));
    let value = lines.nth(nth).expect("a value");
    value.trim_matches(['"', '[', ']']).replace('"', "")
}

const POSTMASTER: &str = "pid=$(head -n 1 /srv/simrs/15/main/postmaster.pid)
    echo $pid $(cut -d ' ' -f 22 /proc/$pid/stat)";

#[test]
fn a_local_cluster_moves_to_the_shared_disk_killed_on_the_way_and_is_adopted() {
    let lab = Lab::bare(&["--no-agents"]);
    let siaga_toml = said(
        &lab,
        "cat /etc/siaga/siaga.toml && rm /etc/siaga/siaga.toml",
    );
    let device = |node: usize| {
        let status = lab.status();
        let path = status["nodes"][node]["device"].as_str().map(str::to_owned);
        path.expect("a device")
    };
    let (here, there) = (device(0), device(1));
    said(&lab, &CLUSTER.replace("DEVICE", &here));
    let migrate = |more: &[&str]| {
        let args = [&["migrate", "--to", &here, "--at", "/srv/simrs"], more].concat();
        lab.siaga("serverdb", &args)
    };
    // Without consent nothing is made on the device, and without `--yes` it only plans.
    let refused = migrate(&["--lang", "id"]).expect(3);
    assert!(
        refused.err.contains("MIGRATE_DEVICE_BLANK"),
        "{}",
        refused.err
    );
    let planned = migrate(&["--format", "ext4", "--json"]).expect(0).json();
    assert_eq!(planned["outcome"], "planned");
    assert_eq!(planned["plan"]["steps"][0], "format");
    said(&lab, "test ! -e /var/lib/siaga/migrate/job.json");

    let writer = lab.beside("serverdb", &["sh", "-c", WRITER]);
    wait_until("rows are written", || {
        lab.exec("serverdb", &["test", "-s", "/run/acked"]).code == 0
    });
    let siaga = binary();
    let killed = format!(
        "{} migrate --to {here} --at /srv/simrs --format ext4 --yes >/dev/null 2>&1 & p=$!
        until grep -q '\"step\": \"stop\"' /var/lib/siaga/migrate/job.json 2>/dev/null; do :; done; kill -9 $p; wait $p || true",
        siaga.display()
    );
    said(&lab, &killed);
    let done = lab.siaga("serverdb", &["migrate", "--yes", "--json"]);
    let done = done.expect(0).json();
    assert_eq!(done["outcome"], "done", "{done}");
    wait_until("rows are written in the new place", || {
        let before = said(&lab, "cat /run/acked");
        said(&lab, "sleep 0.1; cat /run/acked") != before
    });
    drop(writer);
    let acked: u64 = said(&lab, "cat /run/acked").parse().expect("a number");
    let count = "cd / && su postgres -c \"psql -qXAtc 'select count(distinct n) from acked where n <= ACKED'\"";
    let count = said(&lab, &count.replace("ACKED", &acked.to_string()));
    assert_eq!(count, acked.to_string(), "an acknowledged row is lost");
    said(
        &lab,
        "set -e; test ! -e /var/lib/postgresql/15/main
        test -e /var/lib/postgresql/15/main.before-migrate-*/SIAGA-MIGRATE.txt
        test ! -e /var/lib/postgresql/15/main.before-migrate-*/global/pg_control
        grep -q \"^data_directory = '/srv/simrs/15/main'\" /etc/postgresql/15/main/postgresql.conf",
    );

    // What `siaga init` needs beside what it finds.
    let answers = format!(
        "site_name = \"RSUD Contoh\"\ntime_zone = \"Asia/Jakarta\"\nother_node = \"backup\"\nother_addresses = \"{}\"\n\
         other_hardware = \"{}\"\nother_device = \"{there}\"\nvirtual_ip = \"{}\"\ninterface = \"eth0\"\n",
        configured(&siaga_toml, "addresses", 1),
        configured(&siaga_toml, "hardware_addresses", 1),
        configured(&siaga_toml, "address", 0),
    );
    said(&lab, &format!("printf %s '{answers}' > /run/answers.toml"));
    let before = said(&lab, POSTMASTER);
    let made = lab.siaga("serverdb", &["init", "--answers", "/run/answers.toml"]);
    let made = made.expect(0);
    assert!(made.out.contains("nothing was restarted"), "{}", made.out);
    assert_eq!(said(&lab, POSTMASTER), before, "it was restarted");
    // From now on an agent starts and stops it there.
    let refused = lab
        .siaga("serverdb", &["migrate", "back", "--yes"])
        .expect(3);
    assert!(
        refused.err.contains("MIGRATE_CONFIGURED"),
        "{}",
        refused.err
    );
}
