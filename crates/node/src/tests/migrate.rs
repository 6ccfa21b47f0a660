//! A real cluster moves from a local directory to an ext4 on a loop device, killed at every step, and comes back.

use super::{Loop, as_postgres, database, in_own_namespace, run, signal};
use crate::act::migrate::kept::Kept;
use crate::act::migrate::work::{Work, carry_out};
use crate::act::migrate::{At, CONTROL, Fail, HELD, Watch, device};
use crate::act::postgres::process::{self, Signature};
use crate::observe::migrate as look;
use rustix::mount::{UnmountFlags, unmount};
use rustix::process::Signal;
use siaga_model::config::{Database, FileSystemKind};
use siaga_model::migrate::*;
use siaga_planner::migrate as planner;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Mutex;
use tempfile::TempDir;

/// Ends the work at each of these moments, once: as a kill would.
#[derive(Default)]
struct Killer {
    at: Mutex<BTreeSet<(Step, bool)>>,
}

impl Watch for Killer {
    fn progress(&self, _: &Progress) {}
    fn go_on(&self) -> bool {
        true
    }
    fn goes_on_at(&self, at: At) -> bool {
        let at = match at {
            At::Before(step) => (step, false),
            At::Done(step) => (step, true),
        };
        !self.at.lock().unwrap().remove(&at)
    }
}

struct World {
    directory: TempDir,
    device: Loop,
    server: Database,
    runtime: tokio::runtime::Runtime,
    kept: Kept,
    rows: u64,
}

impl World {
    fn new() -> Self {
        let directory = tempfile::Builder::new()
            .prefix("siaga-migrate-")
            .tempdir()
            .unwrap();
        let at = |name: &str| directory.path().join(name);
        run(&["/bin/chmod", "755", directory.path().to_str().unwrap()]);
        let image = at("image");
        let file = std::fs::File::create(&image).unwrap();
        file.set_len(300 << 20).unwrap();
        let server = database(&at("local"), &at("socket"));
        for path in [at("local"), at("socket"), server.data_dir.clone()] {
            std::fs::create_dir(&path).unwrap();
            run(&["/bin/chown", "postgres:postgres", path.to_str().unwrap()]);
        }
        let mut initdb = as_postgres(server.bin_dir.join("initdb"));
        initdb.args(["--no-sync", "--no-locale", "-A", "peer", "-D"]);
        initdb.arg(&server.data_dir).stdout(Stdio::null());
        assert!(initdb.status().unwrap().success());
        let text = format!(
            "listen_addresses = ''\nunix_socket_directories = '{}'\nshared_buffers = 16MB\nmax_wal_size = 64MB\n",
            at("socket").display()
        );
        std::fs::write(server.data_dir.join("postgresql.auto.conf"), text).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let world = Self {
            device: Loop::new(&image, 512),
            kept: Kept::new(&at("state")),
            server,
            runtime,
            rows: 0,
            directory,
        };
        world.start();
        world.psql("create table rows(n bigint)");
        world
    }

    fn start(&self) {
        let server = crate::act::postgres::Postgres::new(
            &"simrs".into(),
            self.server.clone(),
            &self.directory.path().join("state"),
            std::time::Duration::from_secs(2),
            self.runtime.handle().clone(),
        );
        let judge = |_: &_| siaga_model::integrity::Judged::Fine;
        crate::act::postgres::start::start(&server, &judge, &|_| {}).unwrap();
    }

    fn mount_point(&self) -> PathBuf {
        self.directory.path().join("mnt")
    }

    fn psql(&self, statement: &str) -> String {
        let mut psql = as_postgres(self.server.bin_dir.join("psql"));
        psql.args(["-XAtq", "-d", "postgres", "-c", statement, "-h"]);
        let said = psql.arg(&self.server.socket_dir).output().unwrap();
        let error = String::from_utf8_lossy(&said.stderr).into_owned();
        assert!(said.status.success(), "{statement}: {error}");
        String::from_utf8(said.stdout).unwrap().trim().to_owned()
    }

    /// An acknowledged row.
    fn write(&mut self) {
        self.rows += 1;
        self.psql(&format!("insert into rows values ({})", self.rows));
    }

    fn assert_rows(&self) {
        let there = self.psql("select count(*), max(n) from rows");
        assert_eq!(there, format!("{0}|{0}", self.rows));
    }

    fn plan(&self, format: bool) -> Plan {
        let mut steps = vec![
            Step::Mount,
            Step::Copy,
            Step::Stop,
            Step::DisableOld,
            Step::CopyRest,
            Step::KeepOld,
            Step::Point,
            Step::EnableNew,
            Step::StartNew,
            Step::Verify,
        ];
        if format {
            steps.insert(0, Step::Format);
        }
        let to = self.mount_point().join("15/data");
        Plan {
            facts: Facts {
                server: self.server.clone(),
                version: "15".into(),
                kept: planner::kept(&self.server.data_dir, "20250801"),
                part: self.mount_point().join("15/data.siaga-part"),
                to,
                device: self.device.device.clone(),
                mount_point: self.mount_point(),
                kind: FileSystemKind::Ext4,
                uuid: Some("0f8fad5b-d9cb-469f-a165-70867728950e".into()),
                pointing: Pointing::Link,
            },
            steps,
            bytes: 0,
            files: 0,
            free_bytes: 0,
            needed_bytes: 0,
            reads_per_s: None,
            copy_s: None,
            away_s: None,
        }
    }

    fn how<'a>(&'a self, killer: &'a Killer, state_dir: &'a Path) -> Work<'a> {
        Work {
            kept: &self.kept,
            state_dir,
            rt: self.runtime.handle(),
            watch: killer,
            bytes_per_s: None,
            note: "kept",
            may_mount: &|| true,
        }
    }

    fn work(&self, killer: &Killer) -> Result<(), StepFailed> {
        let state_dir = self.directory.path().join("state");
        let work = self.how(killer, &state_dir);
        let mut job = self.kept.read().unwrap().unwrap();
        let ended = carry_out(&work, &mut job);
        self.assert_one_startable();
        ended
    }

    /// Begun again until it is whole. Gives how often it was killed.
    fn work_through(&self, killer: &Killer) -> usize {
        let mut kills = 0;
        loop {
            match self.work(killer) {
                Ok(()) => return kills,
                Err(StepFailed {
                    fail: Fail::Interrupted,
                    ..
                }) => kills += 1,
                Err(other) => panic!("{other:?}"),
            }
        }
    }

    fn directories(&self) -> [PathBuf; 4] {
        let facts = self.plan(false).facts;
        [facts.server.data_dir, facts.kept, facts.to, facts.part]
    }

    fn assert_one_startable(&self) {
        let real: BTreeSet<PathBuf> = self
            .directories()
            .iter()
            .filter(|dir| dir.join(CONTROL).exists())
            .filter_map(|dir| dir.canonicalize().ok())
            .collect();
        assert!(real.len() <= 1, "a server starts from any of {real:?}");
    }

    fn turn_back(&self, as_it_was: bool) -> Result<Direction, Refusal> {
        let job = self.kept.read().unwrap().unwrap();
        let sides = Sides {
            new: look::new_side(&job),
            mounted: device::is_mounted(&job.facts),
            configured: Configured::No,
            of_a_site: false,
            is_root: true,
            old_there: look::old_there(&job.facts),
            ahead: None,
        };
        let (direction, left) = planner::back(&job, &sides, as_it_was)?;
        let turned = Job {
            direction,
            left,
            ..job
        };
        self.kept.write(&turned).unwrap();
        Ok(direction)
    }

    /// Nothing of an earlier way is in the new place.
    fn clear(&self) {
        let _ = std::fs::remove_dir_all(self.mount_point().join("15"));
    }
}

fn stop_all(world: &World) {
    for dir in world.directories() {
        let server = Database {
            data_dir: dir,
            ..world.server.clone()
        };
        for process in process::find(&Signature::of(&server)).unwrap_or_default() {
            signal(process.pid, Signal::KILL);
        }
    }
    super::until("the servers' end", || {
        let gone = |dir: &PathBuf| {
            let server = Database {
                data_dir: dir.clone(),
                ..world.server.clone()
            };
            process::find(&Signature::of(&server)).is_ok_and(|found| found.is_empty())
        };
        world.directories().iter().all(gone)
    });
}

impl Drop for World {
    fn drop(&mut self) {
        stop_all(self);
        while unmount(self.mount_point(), UnmountFlags::empty()).is_ok() {}
    }
}

fn every(steps: &[Step]) -> Killer {
    let at = steps.iter().flat_map(|s| [(*s, false), (*s, true)]);
    Killer {
        at: Mutex::new(at.collect()),
    }
}

fn begin(world: &World, format: bool) -> Job {
    let job = planner::job(&world.plan(format));
    world.kept.write(&job).unwrap();
    job
}

#[test]
fn killed_before_and_after_every_step_it_goes_on_and_comes_back_the_same() {
    in_own_namespace(|| {
        let mut world = World::new();
        world.write();
        let job = begin(&world, true);
        let kills = world.work_through(&every(&job.left));
        assert_eq!(kills, job.left.len() * 2);
        world.assert_rows();
        let facts = &job.facts;
        assert_eq!(
            std::fs::read_link(&facts.server.data_dir).unwrap(),
            facts.to
        );
        assert!(facts.kept.join(HELD).exists() && facts.kept.join("SIAGA-MIGRATE.txt").exists());
        let record = world.kept.read().unwrap().unwrap().record;
        assert!(
            record
                .passes
                .iter()
                .all(|p| p.compared_files >= p.copied_files)
        );
        assert!(record.ended.is_some() && record.started_at_lsn >= record.stopped_at_lsn);

        // What was written there counts.
        world.write();
        assert_eq!(world.turn_back(false), Ok(Direction::Back));
        let left = world.kept.read().unwrap().unwrap().left;
        assert!(left.contains(&Step::CopyBack), "{left:?}");
        let kills = world.work_through(&every(&left));
        assert_eq!(kills, left.len() * 2);
        world.assert_rows();
        assert!(!facts.kept.exists() && facts.server.data_dir.join(CONTROL).exists());
        assert!(!facts.server.data_dir.join("SIAGA-MIGRATE.txt").exists());
        assert_eq!(world.turn_back(false), Err(Refusal::NothingToGoBack));
    });
}

#[test]
fn killed_after_any_step_it_goes_back_without_losing_a_row() {
    in_own_namespace(|| {
        let mut world = World::new();
        begin(&world, true);
        // Until the stop it is all the same as after the first one.
        let early = [Step::Mount, Step::Copy];
        let steps = begin(&world, true).left.into_iter();
        for step in steps.filter(|step| !early.contains(step)) {
            let job = begin(&world, step == Step::Format);
            world.write();
            let killer = Killer {
                at: Mutex::new(BTreeSet::from([(step, true)])),
            };
            let kills = world.work(&killer).unwrap_err();
            assert_eq!(kills.step, step);
            let written = matches!(step, Step::StartNew | Step::Verify);
            if written {
                world.write();
            }
            assert_eq!(world.turn_back(false), Ok(Direction::Back), "{step:?}");
            world.work_through(&Killer::default());
            world.assert_rows();
            assert!(job.facts.server.data_dir.join(CONTROL).exists(), "{step:?}");
            if step == Step::Format {
                // Nothing was mounted yet.
                assert_eq!(look::place(&job.facts.mount_point), Place::Missing);
            }
            if written {
                world.clear();
            }
        }
    });
}

#[test]
fn to_the_old_copy_as_it_was_only_by_its_name_and_before_anything_was_copied_back() {
    in_own_namespace(|| {
        let mut world = World::new();
        world.write();
        begin(&world, true);
        assert_eq!(world.work_through(&Killer::default()), 0);
        let away = world.kept.read().unwrap().unwrap().record.away_ms;
        assert!(away.is_some(), "a client measured it");
        world.psql("insert into rows values (99)");
        assert_eq!(world.turn_back(true), Ok(Direction::BackAsItWas));
        world.work_through(&Killer::default());
        world.assert_rows();
        world.clear();

        begin(&world, false);
        world.work_through(&Killer::default());
        world.turn_back(false).unwrap();
        let killer = Killer {
            at: Mutex::new(BTreeSet::from([(Step::CopyBack, true)])),
        };
        world.work(&killer).unwrap_err();
        assert_eq!(world.turn_back(true), Err(Refusal::NotAsItWas));
        world.work_through(&Killer::default());
        world.assert_rows();
    });
}

#[test]
fn a_server_that_is_started_before_the_switch_stops_it() {
    in_own_namespace(|| {
        let mut world = World::new();
        world.write();
        begin(&world, true);
        let killer = Killer {
            at: Mutex::new(BTreeSet::from([(Step::DisableOld, false)])),
        };
        world.work(&killer).unwrap_err();
        world.start();
        world.write();
        let failed = world.work(&Killer::default()).unwrap_err();
        assert_eq!(failed.step, Step::DisableOld, "{failed:?}");
        assert!(matches!(
            failed.fail,
            Fail::NotShutDown { .. } | Fail::StartedMeanwhile
        ));
        world.turn_back(false).unwrap();
        world.work_through(&Killer::default());
        world.assert_rows();
    });
}

#[test]
fn a_device_with_anything_on_it_is_not_formatted() {
    in_own_namespace(|| {
        let world = World::new();
        let plan = world.plan(true);
        let device = plan.facts.device.to_str().unwrap();
        run(&["/sbin/mkfs.ext4", "-q", "-F", device]);
        begin(&world, true);
        let failed = world.work(&Killer::default()).unwrap_err();
        assert_eq!(failed.step, Step::Format);
        assert!(
            matches!(failed.fail, Fail::DeviceCarries { .. }),
            "{failed:?}"
        );
        let content = look::device::content(&plan.facts.device).unwrap();
        let look::device::Content::Ext4(found) = content else {
            panic!("{content:?}")
        };
        assert!(found.clean && found.is_empty && found.free_bytes > 200 << 20);
        // A single byte in the middle of nothing.
        run(&[
            "/bin/dd",
            "if=/dev/zero",
            &format!("of={device}"),
            "bs=1M",
            "count=300",
            "status=none",
        ]);
        assert_eq!(
            look::device::content(&plan.facts.device),
            Ok(look::device::Content::Nothing)
        );
        run(&[
            "/bin/sh",
            "-c",
            &format!("printf x | dd of={device} bs=1 seek=12345 conv=notrunc status=none"),
        ]);
        let something = look::device::content(&plan.facts.device).unwrap();
        assert!(matches!(something, look::device::Content::Something { .. }));
    });
}

#[test]
fn a_look_mounts_nothing_and_no_step_does_where_another_node_may_have_it() {
    in_own_namespace(|| {
        let mut world = World::new();
        world.write();
        let job = begin(&world, true);
        world.work_through(&Killer::default());
        world.psql("checkpoint");
        let killer = Killer::default();
        for step in [Step::StartNew, Step::Verify, Step::CopyBack] {
            stop_all(&world);
            // What they had open is closed a moment after their end.
            super::until("the unmount", || {
                unmount(world.mount_point(), UnmountFlags::empty()).is_ok()
            });
            let left = vec![step];
            let mut job = Job {
                left,
                ..job.clone()
            };
            assert_eq!(look::new_side(&job), NewSide::NotMounted);
            let before = look::place(&job.facts.mount_point);
            let work = Work {
                may_mount: &|| false,
                ..world.how(&killer, Path::new("/nonexistent"))
            };
            let failed = carry_out(&work, &mut job).unwrap_err();
            assert!(matches!(failed.fail, Fail::Refused { .. }), "{failed:?}");
            assert_eq!(look::place(&job.facts.mount_point), before);
            assert_eq!(before, Place::Empty);
            device::mount(&job.facts, &|| true).unwrap();
            assert!(device::is_ours(&job.facts));
        }
    });
}
