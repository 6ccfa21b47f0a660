//! The disk set and its mount when all goes well, and the acts that are refused.

use super::{Guard, Loop, Wish, World, in_own_namespace, run, until};
use crate::act::mount;
use crate::observe::{disk_watch, mounts};
use siaga_model::observation::{DiskSighting, Holding};
use siaga_model::run::FailureKind;
use siaga_model::why::{HeldThing, Holder, Why};
use siaga_runner::hands::{Did, Hands, Trouble};
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::process::Command;
use std::time::{Duration, Instant};

fn whole_cycle(wish: &Wish) {
    let world = World::new(wish);
    let (hands, service) = (&world.hands, &world.service);
    assert_eq!(hands.look(service).disk, Holding::Free);
    assert!(world.take().unwrap().changed);
    assert!(hands.mount(service).unwrap().changed);
    assert_eq!(hands.mount(service), Ok(Did::nothing()));
    // Taken again under a new mandate while it is mounted: a restart in place.
    assert_eq!(world.take(), Ok(Did::nothing()));
    let options = std::fs::read_to_string("/proc/thread-self/mounts").unwrap();
    let device = world.loop_device.device.to_str().unwrap();
    assert!(
        options
            .lines()
            .any(|l| l.starts_with(device) && l.contains("nosuid") && l.contains("noatime"))
    );

    let facts = hands.look(service);
    assert_eq!(
        facts.disk,
        Holding::Held {
            by: vec![Holder::Mount {
                mount_point: world.mount_point.clone()
            }]
        }
    );
    assert!(facts.mounts[0].mounted && !facts.mounts[0].stranger);
    assert_eq!(hands.read_disk_epoch(service), Ok(None));
    hands.write_disk_epoch(service, &World::epoch(7)).unwrap();
    assert_eq!(hands.read_disk_epoch(service), Ok(Some(World::epoch(7))));

    assert!(hands.unmount(service).unwrap().changed);
    assert_eq!(hands.unmount(service), Ok(Did::nothing()));
    assert_eq!(hands.prove_released(service), Ok(Did::nothing()));
    assert_eq!(hands.look(service).disk, Holding::Free);
    let refused = hands.mount(service).unwrap_err();
    assert_eq!(
        refused,
        Trouble::failed(FailureKind::Precondition, Why::NotTakenInThisBoot)
    );
    assert!(matches!(
        hands.read_disk_epoch(service),
        Err(Trouble::Failed(_))
    ));
    assert!(matches!(
        hands.write_disk_epoch(service, &World::epoch(8)),
        Err(Trouble::Failed(_))
    ));
    assert_eq!(std::fs::read_dir(&world.mount_point).unwrap().count(), 0);
}

#[test]
fn ext4_from_take_to_release() {
    in_own_namespace(|| whole_cycle(&Wish::EXT4));
}

#[test]
fn ext4_on_large_sectors() {
    in_own_namespace(|| {
        whole_cycle(&Wish {
            sector: 4096,
            ..Wish::EXT4
        })
    });
}

#[test]
fn xfs_from_take_to_release() {
    in_own_namespace(|| whole_cycle(&Wish::XFS));
}

#[test]
fn a_restarted_agent_remembers_what_this_boot_took() {
    in_own_namespace(|| {
        let world = World::new(&Wish::EXT4);
        world.take().unwrap();
        let again = super::NodeHands::with_run_dir(
            std::sync::Arc::new(super::config(
                &world.loop_device.device,
                &world.mount_point,
                Wish::EXT4.kind,
                &world.database,
            )),
            world.hands.node(),
            world.runtime.handle().clone(),
            world.directory.path().join("state"),
            world.directory.path().join("run"),
            std::sync::Arc::new(super::NoSigns),
        );
        assert!(again.unwrap().mount(&world.service).unwrap().changed);
    });
}

#[test]
fn a_mount_made_by_hand_is_a_stranger() {
    in_own_namespace(|| {
        let world = World::new(&Wish::EXT4);
        run(&[
            "/bin/mount",
            world.loop_device.device.to_str().unwrap(),
            world.mount_point.to_str().unwrap(),
        ]);
        let facts = world.hands.look(&world.service);
        assert!(facts.mounts[0].mounted && facts.mounts[0].stranger);
        let Err(Trouble::Failed(failure)) = world.take() else {
            panic!("it was taken")
        };
        assert_eq!(failure.kind, FailureKind::Busy);
    });
}

#[test]
fn a_mount_point_in_use_is_refused_and_left_alone() {
    in_own_namespace(|| {
        let world = World::new(&Wish::EXT4);
        let place = world.mount_point.to_str().unwrap();
        world.take().unwrap();
        run(&["/bin/mount", "-t", "tmpfs", "none", place]);
        let Err(Trouble::Failed(failure)) = world.hands.mount(&world.service) else {
            panic!("it was mounted")
        };
        assert_eq!(failure.kind, FailureKind::Mount);
        assert!(
            matches!(&failure.detail, Why::MountInTheWay { file_system, .. } if file_system == "tmpfs"),
            "{:?}",
            failure.detail
        );
        assert_eq!(world.hands.unmount(&world.service), Ok(Did::nothing()));
        let table = mounts::own().unwrap();
        let top = mounts::on_top(&table, &mount::resolved(&world.mount_point)).unwrap();
        assert_eq!(top.file_system, "tmpfs");
    });
}

#[test]
fn a_stranger_on_top_of_our_mount_is_not_unmounted() {
    in_own_namespace(|| {
        let world = World::mounted(&Wish::EXT4);
        run(&[
            "/bin/mount",
            "-t",
            "tmpfs",
            "none",
            world.mount_point.to_str().unwrap(),
        ]);
        let Err(Trouble::Failed(failure)) = world.hands.unmount(&world.service) else {
            panic!("unmounted")
        };
        assert_eq!(failure.kind, FailureKind::Busy);
    });
}

#[test]
fn a_missing_mount_point_and_a_wrong_file_system_are_named() {
    in_own_namespace(|| {
        let world = World::new(&Wish::EXT4);
        world.take().unwrap();
        std::fs::remove_dir(&world.mount_point).unwrap();
        let Err(Trouble::Failed(failure)) = world.hands.mount(&world.service) else {
            panic!()
        };
        assert!(
            matches!(failure.detail, Why::MountPointMissing { .. }),
            "{:?}",
            failure.detail
        );
        std::fs::create_dir(&world.mount_point).unwrap();
        run(&[
            "/sbin/wipefs",
            "-aq",
            world.loop_device.device.to_str().unwrap(),
        ]);
        let Err(Trouble::Failed(failure)) = world.hands.mount(&world.service) else {
            panic!()
        };
        assert!(
            matches!(&failure.detail, Why::System(said) if said.contains("as ext4: Invalid argument")),
            "{:?}",
            failure.detail
        );
    });
}

#[test]
fn a_busy_mount_names_its_holders_and_kills_nobody() {
    in_own_namespace(|| {
        let world = World::mounted(&Wish::EXT4);
        let mut reader = Guard::spawn(
            Command::new("/bin/sleep")
                .arg("1000")
                .current_dir(&world.mount_point),
        );
        let begun = Instant::now();
        let Err(Trouble::Failed(failure)) = world.hands.unmount(&world.service) else {
            panic!("unmounted")
        };
        assert_eq!(failure.kind, FailureKind::Busy);
        let expected = Holder::Process {
            pid: reader.pid(),
            command: "sleep".into(),
            uses: HeldThing::WorkingDirectory,
            path: world.mount_point.clone(),
        };
        assert_eq!(failure.detail, Why::HeldBy { by: vec![expected] });
        assert!(begun.elapsed() < Duration::from_secs(2));
        assert!(reader.is_alive());
    });
}

#[test]
fn a_dying_process_of_ours_is_waited_for() {
    in_own_namespace(|| {
        let world = World::mounted(&Wish::EXT4);
        let ours = Guard::spawn(
            Command::new("/bin/sleep")
                .arg("0.8")
                .current_dir(&world.mount_point),
        );
        let pid = ours.pid();
        let disk = crate::act::disk_set::BlockDevice::new(world.loop_device.device.clone());
        assert!(
            mount::unmount(&disk, &world.mount_point, &|p| p == pid)
                .unwrap()
                .changed
        );
    });
}

fn watch_sees_writes(wish: &Wish) {
    let world = World::new(wish);
    let device = &world.loop_device.device;
    let quiet = world
        .hands
        .watch_disk(&world.service, Duration::from_millis(20));
    assert_eq!(quiet, DiskSighting::NoChangeSeen);
    assert_eq!(
        world.hands.watch_disk(&world.service, Duration::ZERO),
        DiskSighting::NoChangeSeen
    );
    // The other node writes.
    world.take().unwrap();
    world.hands.mount(&world.service).unwrap();
    std::fs::write(world.mount_point.join("row"), b"x").unwrap();
    let held = world.hands.watch_disk(&world.service, Duration::ZERO);
    assert!(matches!(held, DiskSighting::NotLooked { .. }));
    let sample = || disk_watch::sample(device);
    let (_, before) = disk_watch::watch(&sample, None, Duration::ZERO);
    std::fs::write(world.mount_point.join("row2"), b"x").unwrap();
    run(&["/bin/sync", "-f", world.mount_point.to_str().unwrap()]);
    let (sighting, _) = disk_watch::watch(&sample, before.as_ref(), Duration::ZERO);
    assert_eq!(sighting, DiskSighting::Changing);
    // It keeps nothing open.
    world.hands.unmount(&world.service).unwrap();
    until("release", || {
        world.hands.prove_released(&world.service).is_ok()
    });
}

#[test]
fn a_change_since_a_look_of_long_ago_is_no_sign_of_life() {
    in_own_namespace(|| {
        use std::os::unix::fs::FileExt;
        let world = World::new(&Wish::EXT4);
        let look = || world.hands.watch_disk(&world.service, Duration::ZERO);
        let write = |byte: u8| {
            let image = std::fs::File::options().write(true).open(&world.image);
            let image = image.unwrap();
            // Before the superblock: nobody's.
            image.write_all_at(&[byte; 512], 0).unwrap();
            image.sync_all().unwrap();
        };
        look();
        write(1);
        assert_eq!(look(), DiskSighting::Changing);
        write(2);
        std::thread::sleep(super::WITNESS_FRESH);
        assert_eq!(look(), DiskSighting::NoChangeSeen);
    });
}

#[test]
fn a_raw_look_sees_the_other_nodes_writes_on_ext4() {
    in_own_namespace(|| watch_sees_writes(&Wish::EXT4));
}

#[test]
fn a_raw_look_sees_the_other_nodes_writes_on_large_sectors() {
    in_own_namespace(|| {
        watch_sees_writes(&Wish {
            sector: 4096,
            ..Wish::EXT4
        })
    });
}

#[test]
fn a_raw_look_sees_the_other_nodes_writes_on_xfs() {
    in_own_namespace(|| watch_sees_writes(&Wish::XFS));
}

/// Two loop devices on one image are two nodes' views of one disk.
#[test]
fn a_raw_look_goes_past_the_page_cache() {
    in_own_namespace(|| {
        let world = World::new(&Wish::EXT4);
        let other = Loop::new(&world.image, 512);
        // Somebody keeps what this kernel once read of the disk in its cache.
        let mut kept = std::fs::File::open(&world.loop_device.device).unwrap();
        let mut old = vec![0; 1 << 20];
        kept.read_exact(&mut old).unwrap();
        let before = disk_watch::sample(&world.loop_device.device).unwrap();
        let theirs = std::fs::File::options()
            .write(true)
            .open(&other.device)
            .unwrap();
        theirs
            .write_all_at(b"the other node wrote this", 8192)
            .unwrap();
        theirs.sync_all().unwrap();
        let mut again = vec![0; 1 << 20];
        kept.read_exact_at(&mut again, 0).unwrap();
        assert!(
            again == old,
            "a buffered read sees the other node's write: the test proves nothing"
        );
        assert!(disk_watch::sample(&world.loop_device.device).unwrap() != before);
    });
}
