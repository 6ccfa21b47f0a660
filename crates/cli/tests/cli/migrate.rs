//! `siaga migrate` where another server may have the disk by now: refused, and nothing is mounted and nothing started. With a
//! real file system on a loop device, in a mount namespace of its own.

use crate::Said;
use siaga_model::config::{Database, FileSystemKind};
use siaga_model::migrate::{Direction, Facts, JOB_FORM, Job, Pointing, Record, Step, StepDone};
use siaga_model::time::UtcMicros;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

const CONFIG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/full.toml");
/// Of its first service.
const DATA_DIR: &str = "/srv/simrs/postgresql/15/main";

fn run(argv: &[&str]) -> String {
    let output = Command::new(argv[0]).args(&argv[1..]).output();
    let output = output.expect("it starts");
    assert!(output.status.success(), "{argv:?}: {output:?}");
    String::from_utf8(output.stdout)
        .expect("text")
        .trim()
        .to_owned()
}

/// A host whose data directory was moved to a device, or is being moved.
struct Host {
    dir: TempDir,
    device: String,
}

impl Drop for Host {
    fn drop(&mut self) {
        run(&["/sbin/losetup", "-d", &self.device]);
    }
}

impl Host {
    fn new(direction: Direction, left: &[Step]) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let image = dir.path().join("image").display().to_string();
        let file = std::fs::File::create(&image).expect("made");
        file.set_len(16 << 20).expect("long");
        run(&["/sbin/mkfs.ext4", "-q", "-F", &image]);
        let device = run(&["/sbin/losetup", "-f", "--show", &image]);
        let host = Self { dir, device };
        host.write(&host.job(direction, left));
        host
    }

    fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, job: &Job) {
        // The old directory, as it was kept.
        std::fs::create_dir_all(job.facts.kept.join("global")).expect("made");
        let held = job.facts.kept.join("global/pg_control.siaga-migrate");
        std::fs::write(held, "state").expect("written");
        std::fs::create_dir_all(self.at("state/migrate")).expect("made");
        let text = serde_json::to_string(job).expect("JSON");
        std::fs::write(self.at("state/migrate/job.json"), text).expect("written");
    }

    fn job(&self, direction: Direction, left: &[Step]) -> Job {
        // What would be started leaves a mark.
        let bin_dir = self.at("bin");
        std::fs::create_dir_all(&bin_dir).expect("made");
        let program = bin_dir.join("postgres");
        let script = format!("#!/bin/sh\ntouch {}\n", self.at("started").display());
        std::fs::write(&program, script).expect("written");
        run(&["/bin/chmod", "755", program.to_str().expect("text")]);
        let seconds = Duration::from_secs;
        let begun = StepDone {
            step: Step::Mount,
            at: UtcMicros::default(),
            ms: 1,
        };
        Job {
            form: JOB_FORM,
            facts: Facts {
                server: Database {
                    bin_dir,
                    data_dir: self.at("old"),
                    config_file: None,
                    unit: None,
                    port: 5432,
                    os_user: "root".into(),
                    socket_dir: self.dir.path().to_owned(),
                    check_user: "root".into(),
                    check_database: "postgres".into(),
                    stop_fast: seconds(2),
                    stop_immediate: seconds(2),
                    start_stalled: seconds(2),
                },
                version: "15".into(),
                kept: self.at("old.before-migrate-20250801"),
                to: DATA_DIR.into(),
                part: self.at("part"),
                device: self.device.clone().into(),
                mount_point: self.at("mnt"),
                kind: FileSystemKind::Ext4,
                uuid: None,
                pointing: Pointing::Link,
            },
            direction,
            left: left.to_vec(),
            record: Record {
                steps: vec![begun],
                ..Record::default()
            },
        }
    }

    fn of_a_site(self) -> Self {
        std::fs::create_dir_all(self.at("state/keys")).expect("made");
        std::fs::write(self.at("state/keys/node.pem"), "key").expect("written");
        self
    }

    fn with_a_log(self) -> Self {
        std::fs::create_dir_all(self.at("state/events")).expect("made");
        let log = self.at("state/events/serverdb.1.log");
        std::fs::write(log, "{}\n").expect("written");
        self
    }

    /// Also gives whether the device is mounted afterwards.
    fn siaga(&self, config: &Path, args: &[&str]) -> (Said, bool) {
        let mounts = self.at("mounts");
        let script = format!(
            "\"$@\"; code=$?; cat /proc/self/mounts > {}; exit $code",
            mounts.display()
        );
        let mut command = Command::new("unshare");
        command.args(["-m", "--propagation", "private", "sh", "-c", &script, "sh"]);
        command.arg(env!("CARGO_BIN_EXE_siaga")).args(args);
        command.arg("--config").arg(config);
        command.arg("--state-dir").arg(self.at("state"));
        let said = command.env("LANG", "C.UTF-8").output();
        let mounts = std::fs::read_to_string(mounts).expect("read");
        let mounted = mounts.contains(&self.device)
            || mounts.contains(self.at("mnt").to_str().expect("text"));
        (said.expect("it starts").into(), mounted)
    }

    fn assert_refused(&self, config: &Path, args: &[&str], code: &str) {
        let (said, mounted) = self.siaga(config, args);
        assert!(!mounted, "{args:?}: it was mounted");
        assert_eq!(said.code, 3, "{args:?}: {} {}", said.out, said.err);
        assert!(said.err.contains(code), "{args:?}: {}", said.err);
        assert!(!self.at("started").exists(), "{args:?}: it was started");
        assert!(!self.at("mnt").exists(), "{args:?}: a mount point was made");
    }
}

const ALL: [(Direction, &[Step]); 3] = [
    (Direction::Forward, &[]),
    (Direction::Forward, &[Step::StartNew, Step::Verify]),
    (Direction::Forward, &[Step::Verify]),
];

#[test]
fn what_an_agent_has_is_neither_mounted_nor_started() {
    for (direction, left) in ALL {
        let host = Host::new(direction, left);
        host.assert_refused(
            Path::new(CONFIG),
            &["migrate", "back", "--yes"],
            "MIGRATE_CONFIGURED",
        );
        let as_it_was = ["migrate", "back", "--as-it-was", "--yes"];
        host.assert_refused(Path::new(CONFIG), &as_it_was, "MIGRATE_CONFIGURED");
        if !left.is_empty() {
            host.assert_refused(
                Path::new(CONFIG),
                &["migrate", "--yes"],
                "MIGRATE_CONFIGURED",
            );
        }
    }
}

#[test]
fn a_node_of_a_site_mounts_nothing_also_where_no_service_is_configured() {
    let none = Path::new("/nonexistent/siaga.toml");
    for (direction, left) in ALL {
        for make in [Host::of_a_site, Host::with_a_log] {
            let host = make(Host::new(direction, left));
            host.assert_refused(none, &["migrate", "back", "--yes"], "MIGRATE_SITE_NODE");
            if !left.is_empty() {
                host.assert_refused(none, &["migrate", "--yes"], "MIGRATE_SITE_NODE");
            }
        }
    }
    let left = [Step::CopyBack, Step::StopNew];
    let host = Host::new(Direction::Back, &left).of_a_site();
    host.assert_refused(none, &["migrate", "--yes"], "MIGRATE_SITE_NODE");
    host.assert_refused(none, &["migrate", "back", "--yes"], "MIGRATE_SITE_NODE");
}

#[test]
fn before_there_is_a_site_the_way_back_mounts_only_with_consent() {
    let none = Path::new("/nonexistent/siaga.toml");
    let host = Host::new(Direction::Forward, &[]);
    let (said, mounted) = host.siaga(none, &["migrate", "back"]);
    assert!(!mounted, "{}", said.err);
    assert!(said.out.contains("is mounted at"), "{}", said.out);
    let (said, mounted) = host.siaga(none, &["migrate", "back", "--yes"]);
    assert!(mounted, "{}", said.err);
    // What was moved there is not in this file system.
    assert!(said.err.contains("MIGRATE_NEW_UNKNOWN"), "{}", said.err);
}
