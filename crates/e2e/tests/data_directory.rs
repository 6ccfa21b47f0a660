//! A data directory that is not what it should be: the start says so in words, destroys nothing, and goes through once
//! it is mended. And one whose WAL lies on a volume of its own.

use siaga_e2e::Lab;
use std::path::PathBuf;
use std::process::Command;

const DATA: &str = "/srv/simrs/pg";

/// Changes something on the disk set by hand while nobody holds it.
fn by_hand(lab: &Lab, script: &str) {
    let device = lab.status()["nodes"][0]["device"]
        .as_str()
        .expect("a device")
        .to_owned();
    let whole = format!("mount {device} /srv/simrs && {{ {script}; }}; umount /srv/simrs");
    lab.exec("serverdb", &["sh", "-c", &whole]).expect(0);
}

/// Spoils, starts, mends, and goes on with what is recommended.
fn spoiled(lab: &Lab, spoil: &str, mend: &str, named: &str) {
    lab.siaga("serverdb", &["stop", "--yes", "--json"])
        .expect(0);
    by_hand(lab, spoil);
    let ended = lab
        .siaga("serverdb", &["start", "--yes", "--json"])
        .expect(5)
        .json();
    let said = ended["message"].as_str().unwrap_or_default();
    assert!(said.contains(named), "{ended}");
    assert_eq!(ended["outcome"], "stuck", "{ended}");
    // It rests on one node at the most, and no server was started on the wrong data.
    lab.holder();
    let left = "cat /proc/[0-9]*/comm | grep -c '^postgres$' || true";
    let left = lab.exec("serverdb", &["sh", "-c", left]);
    assert_eq!(left.out.trim(), "0", "{left:?}");
    lab.exec("serverdb", &["sh", "-c", mend]).expect(0);
    lab.siaga("serverdb", &["resume", "--yes", "--json"])
        .expect(0);
    assert_eq!(lab.active("serverdb").as_deref(), Some("serverdb"));
}

const CONTROL: &str = "/srv/simrs/pg/global/pg_control";

#[test]
fn a_data_directory_that_is_missing_foreign_or_newer_is_named_and_left_alone() {
    let lab = Lab::up(&[]);
    spoiled(
        &lab,
        &format!("mv {DATA} {DATA}.away"),
        &format!("mv {DATA}.away {DATA}"),
        "No such file",
    );
    spoiled(
        &lab,
        &format!("chown daemon {DATA}"),
        &format!("chown postgres {DATA}"),
        "belongs to user id",
    );
    spoiled(
        &lab,
        &format!("cp -p {DATA}/PG_VERSION {DATA}/kept && echo 99 > {DATA}/PG_VERSION"),
        &format!("mv {DATA}/kept {DATA}/PG_VERSION"),
        "99",
    );
    // Data of an earlier day: it would start, and lose what came after.
    lab.siaga("serverdb", &["stop", "--yes", "--json"])
        .expect(0);
    by_hand(&lab, &format!("cp -p {CONTROL} {CONTROL}.old"));
    lab.siaga("serverdb", &["start", "--yes", "--json"])
        .expect(0);
    spoiled(
        &lab,
        &format!("mv {CONTROL} {CONTROL}.new && mv {CONTROL}.old {CONTROL}"),
        &format!("mv {CONTROL}.new {CONTROL}"),
        "older than what was last seen",
    );
    let accept = ["events", "accept-data", "--service", "simrs"];
    let words = ["--reason", "restored", "--as", "budi", "--yes", "--json"];
    let said = lab.siaga("serverdb", &[&accept[..], &words[..]].concat());
    assert_eq!(said.expect(0).json()["answer"], "accepted");
}

/// A cluster of the other server's own, as Debian's package makes one: clients would have found it at the virtual IP.
#[test]
fn another_database_at_the_port_of_the_target_is_named_before_anything_is_stopped() {
    let lab = Lab::up(&[]);
    let own = |script: &str| {
        let script =
            format!("cd /run && B=$(echo /usr/lib/postgresql/*/bin) && D=/run/own && {script}");
        lab.exec("backup", &["sh", "-c", &script]).expect(0);
    };
    own(
        "install -d -o postgres $D && runuser -u postgres -- $B/initdb -D $D --no-sync >/dev/null && \
         runuser -u postgres -- $B/pg_ctl -D $D -w -l $D/log -o '-k /run/postgresql' start >/dev/null",
    );
    let refused = lab.siaga("serverdb", &["switchover", "--yes", "--json"]);
    let refused = refused.expect(3).json();
    assert_eq!(refused["code"], "TARGET_NOT_READY", "{refused}");
    assert!(refused.to_string().contains("(/run/own)"), "{refused}");
    assert_eq!(lab.active("serverdb").as_deref(), Some("serverdb"));
    let check = lab.siaga("serverdb", &["check", "--json"]).json();
    assert_eq!(check["ready"], "no", "{check}");
    own("runuser -u postgres -- $B/pg_ctl -D $D -w -m fast stop >/dev/null");
    lab.siaga("serverdb", &["switchover", "--yes", "--json"])
        .expect(0);
    assert_eq!(lab.active("serverdb").as_deref(), Some("backup"));
}

/// A second volume of the disk set: one image, and a device on it for each node, as with the lab's own.
struct Volume {
    image: PathBuf,
    devices: Vec<String>,
}

const APART: &str = "/srv/wal";

fn told(program: &str, argv: &[&str]) -> String {
    let done = Command::new(program)
        .args(argv)
        .output()
        .expect("it starts");
    assert!(done.status.success(), "{program} {argv:?}: {done:?}");
    String::from_utf8_lossy(&done.stdout).trim().to_owned()
}

impl Volume {
    fn new() -> Self {
        let name = format!("siaga-e2e-wal-{}.img", std::process::id());
        let image = std::env::temp_dir().join(name);
        let mut volume = Self {
            image: image.clone(),
            devices: Vec::new(),
        };
        let image = image.to_str().expect("a readable path");
        told("truncate", &["-s", "256M", image]);
        for _ in 0..2 {
            let attach = ["-f", "--show", "--direct-io=on", image];
            volume.devices.push(told("/sbin/losetup", &attach));
        }
        told("/sbin/mkfs.ext4", &["-q", "-F", &volume.devices[0]]);
        volume
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        for device in &self.devices {
            let _ = Command::new("/sbin/losetup").args(["-d", device]).status();
        }
        let _ = std::fs::remove_file(&self.image);
    }
}

/// Both nodes know the volume; the WAL lies on it.
fn with_wal_on(lab: &Lab, volume: &Volume) {
    let [on_serverdb, on_backup] = &volume.devices[..] else {
        panic!("two devices")
    };
    let table = format!(
        "\n[[service.file_system]]\nkind = \"ext4\"\nmount_point = \"{APART}\"\n\
         device = {{ serverdb = \"{on_serverdb}\", backup = \"{on_backup}\" }}\n"
    );
    let add = format!("mkdir -p {APART} && printf %s \"$1\" >> /etc/siaga/siaga.toml");
    for node in ["serverdb", "backup"] {
        lab.exec(node, &["sh", "-c", &add, "sh", &table]).expect(0);
        lab.lab(&["stop-agent", node]).expect(0);
        lab.lab(&["start-agent", node]).expect(0);
    }
    lab.wait_for_agents();
    let moved = format!(
        "mount {on_serverdb} {APART} && mv {DATA}/pg_wal {APART}/ && ln -s {APART}/pg_wal {DATA}/pg_wal; \
         chown -h postgres {DATA}/pg_wal; umount {APART}"
    );
    by_hand(lab, &moved);
}

#[test]
fn wal_on_a_volume_of_its_own_moves_along() {
    let volume = Volume::new();
    let lab = Lab::bare(&[]);
    lab.wait_for_agents();
    with_wal_on(&lab, &volume);
    lab.siaga("serverdb", &["start", "--yes", "--json"])
        .expect(0);
    let load = lab.load(8);
    let mounted = |node: &str| {
        let there = ["sh", "-c", "grep -c ' /srv/wal ' /proc/mounts || true"];
        lab.exec(node, &there).expect(0).out.trim() == "1"
    };
    assert!(mounted("serverdb") && !mounted("backup"));
    for node in ["backup", "serverdb"] {
        lab.siaga(node, &["switchover", "--yes", "--json"])
            .expect(0);
        assert_eq!(lab.holder().as_deref(), Some(node));
        assert_eq!(
            (mounted("serverdb"), mounted("backup")),
            (node == "serverdb", node == "backup")
        );
    }
    let check = lab.siaga("backup", &["check", "--json"]).json();
    assert!(!check.to_string().contains("DISK_SET_"), "{check}");
    let load = load.end().expect(0).json();
    assert_eq!(load["rows_lost"], 0, "{load}");
    lab.siaga("serverdb", &["stop", "--yes", "--json"])
        .expect(0);
    assert!(!mounted("serverdb"));
}
