//! A service with two file systems, each on a volume of its own: its WAL lies apart from its data.

use super::{Loop, NodeHands, World, in_own_namespace, run};
use siaga_model::config::FileSystem;
use siaga_model::observation::{DatabaseState, DiskSighting, Holding};
use siaga_model::run::FailureKind;
use siaga_model::why::{Holder, Why};
use siaga_runner::hands::{Did, Hands, Trouble};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// A world, and beside it its second file system.
struct Pair {
    world: World,
    place: PathBuf,
    image: PathBuf,
    second: Loop,
}

impl Pair {
    /// Nothing is taken. The first file system has the cluster of `world`.
    fn beside(mut world: World) -> Self {
        let at = |name: &str| world.directory.path().join(name);
        let (image, place) = (at("second"), at("wal"));
        let file = std::fs::File::create(&image).unwrap();
        file.set_len(128 << 20).unwrap();
        let second = Loop::new(&image, 512);
        run(&[
            "/sbin/mkfs.ext4",
            "-q",
            "-F",
            second.device.to_str().unwrap(),
        ]);
        std::fs::create_dir(&place).unwrap();
        let kind = super::Wish::EXT4.kind;
        let mut config = super::config(
            &world.loop_device.device,
            &world.mount_point,
            kind,
            &world.database,
        );
        config.services[0].file_systems.push(FileSystem {
            kind,
            mount_point: place.clone(),
            options: Vec::new(),
            devices: vec![(world.hands.node(), second.device.clone())],
        });
        let hands = NodeHands::with_run_dir(
            Arc::new(config),
            world.hands.node(),
            world.runtime.handle().clone(),
            at("state"),
            at("run"),
            Arc::new(super::NoSigns),
        );
        world.hands = hands.unwrap();
        Self {
            world,
            place,
            image,
            second,
        }
    }

    fn new() -> Self {
        Self::beside(World::new(&super::Wish::EXT4))
    }

    fn disk(&self) -> Holding {
        self.world.hands.look(&self.world.service).disk
    }

    fn mount(&self) {
        self.world.take().unwrap();
        assert!(self.hands().mount(&self.world.service).unwrap().changed);
    }

    fn hands(&self) -> &NodeHands {
        &self.world.hands
    }

    fn mounted(&self) -> [bool; 2] {
        let facts = self.hands().look(&self.world.service);
        [facts.mounts[0].mounted, facts.mounts[1].mounted]
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        use rustix::mount::{UnmountFlags, unmount};
        for process in self.world.processes() {
            super::signal(process.pid, super::Signal::KILL);
        }
        super::until("its processes are gone", || {
            self.world.processes().is_empty()
        });
        while unmount(&self.place, UnmountFlags::empty()).is_ok() {}
    }
}

fn by_mount(holding: Holding) -> Vec<PathBuf> {
    let Holding::Held { by } = holding else {
        panic!("{holding:?}")
    };
    let place = |h: Holder| match h {
        Holder::Mount { mount_point } => mount_point,
        other => panic!("{other:?}"),
    };
    by.into_iter().map(place).collect()
}

#[test]
fn both_from_take_to_release() {
    in_own_namespace(|| {
        let pair = Pair::new();
        let (hands, service) = (pair.hands(), &pair.world.service);
        assert_eq!(pair.disk(), Holding::Free);
        pair.mount();
        let facts = hands.look(service);
        assert!(facts.mounts.iter().all(|m| m.mounted && !m.stranger));
        assert_eq!(
            by_mount(facts.disk),
            [pair.world.mount_point.clone(), pair.place.clone()]
        );
        assert_eq!(hands.mount(service), Ok(Did::nothing()));
        assert!(hands.unmount(service).unwrap().changed);
        assert_eq!(pair.mounted(), [false, false]);
        hands.prove_released(service).unwrap();
        assert_eq!(pair.disk(), Holding::Free);
    });
}

#[test]
fn one_that_is_held_holds_the_disk_set() {
    in_own_namespace(|| {
        let pair = Pair::new();
        let elsewhere = pair.world.directory.path().join("elsewhere");
        std::fs::create_dir(&elsewhere).unwrap();
        let (device, elsewhere) = (pair.second.device.to_str(), elsewhere.to_str());
        run(&["/bin/mount", device.unwrap(), elsewhere.unwrap()]);
        let (hands, service) = (pair.hands(), &pair.world.service);
        assert!(matches!(pair.disk(), Holding::Held { .. }));
        assert!(matches!(hands.claimed(service), Holding::Held { .. }));
        let Err(Trouble::Failed(failure)) = pair.world.take() else {
            panic!("it was taken")
        };
        assert_eq!(failure.kind, FailureKind::Busy);
        let Err(Trouble::Failed(failure)) = hands.prove_released(service) else {
            panic!("it counts as released")
        };
        assert_eq!(failure.kind, FailureKind::NotReleased);
        run(&["/bin/umount", elsewhere.unwrap()]);
        assert_eq!(pair.disk(), Holding::Free);
    });
}

#[test]
fn a_device_that_is_away_is_not_free() {
    in_own_namespace(|| {
        let pair = Pair::new();
        run(&["/sbin/losetup", "-d", pair.second.device.to_str().unwrap()]);
        assert!(matches!(pair.disk(), Holding::Unknown { .. }));
        assert!(pair.world.take().is_err());
    });
}

#[test]
fn nothing_is_written_or_started_while_one_is_not_mounted() {
    in_own_namespace(|| {
        let pair = Pair::new();
        pair.mount();
        let (hands, service) = (pair.hands(), &pair.world.service);
        run(&["/bin/umount", pair.place.to_str().unwrap()]);
        assert_eq!(pair.mounted(), [true, false]);
        let not_mounted = Why::NotMounted {
            mount_point: pair.place.clone(),
        };
        let refused = Trouble::failed(FailureKind::Precondition, not_mounted);
        let epoch = World::epoch(3);
        assert_eq!(
            hands.write_disk_epoch(service, &epoch),
            Err(refused.clone())
        );
        assert_eq!(hands.start_database(service, &|_| {}), Err(refused));
        // The mount makes it whole again.
        assert!(hands.mount(service).unwrap().changed);
        assert_eq!(pair.mounted(), [true, true]);
        hands.write_disk_epoch(service, &epoch).unwrap();
    });
}

#[test]
fn a_raw_look_sees_writes_on_either() {
    in_own_namespace(|| {
        let pair = Pair::new();
        let look = || {
            let service = &pair.world.service;
            pair.hands().watch_disk(service, Duration::ZERO)
        };
        let write = |image: &PathBuf, byte: u8| {
            let image = std::fs::File::options().write(true).open(image).unwrap();
            // Before the superblock: nobody's.
            image.write_all_at(&[byte; 512], 0).unwrap();
            image.sync_all().unwrap();
        };
        look();
        assert_eq!(look(), DiskSighting::NoChangeSeen);
        write(&pair.image, 1);
        assert_eq!(look(), DiskSighting::Changing);
        write(&pair.world.image, 1);
        assert_eq!(look(), DiskSighting::Changing);
        assert_eq!(look(), DiskSighting::NoChangeSeen);
    });
}

#[test]
fn a_database_with_its_wal_apart() {
    in_own_namespace(|| {
        let world = World::with_cluster("", |_| {});
        world.hands.unmount(&world.service).unwrap();
        let pair = Pair::beside(world);
        pair.mount();
        let (hands, service) = (pair.hands(), &pair.world.service);
        let (wal, apart) = (
            pair.world.database.data_dir.join("pg_wal"),
            pair.place.join("pg_wal"),
        );
        run(&["/bin/mv", wal.to_str().unwrap(), apart.to_str().unwrap()]);
        std::os::unix::fs::symlink(&apart, &wal).unwrap();
        hands.start_database(service, &|_| {}).unwrap();
        pair.world
            .query("CREATE TABLE t (n int); INSERT INTO t SELECT generate_series(1, 1000)");
        assert_eq!(hands.running(service), Ok(Some(pair.world.postmaster())));
        hands.stop_database(service, &|_| {}).unwrap();
        assert!(hands.unmount(service).unwrap().changed);
        hands.prove_released(service).unwrap();
        assert_eq!(pair.mounted(), [false, false]);
        pair.mount();
        hands.start_database(service, &|_| {}).unwrap();
        assert_eq!(pair.world.query("SELECT count(*) FROM t"), "1000");
        assert_eq!(hands.look(service).database, DatabaseState::Ready);
        hands.stop_database(service, &|_| {}).unwrap();
        hands.unmount(service).unwrap();
    });
}
