//! The traps of a shared disk: what still holds it, and what can't be told.

use super::{Guard, Wish, World, in_own_namespace, run, until};
use crate::act::disk_set::BlockDevice;
use crate::act::disk_set::reservation::kernel;
use crate::act::taken::Taken;
use crate::act::{mmp, mount};
use crate::observe::holders;
use siaga_model::Note;
use siaga_model::config::{FileSystem, FileSystemKind};
use siaga_model::observation::{DiskSighting, Holding};
use siaga_model::run::FailureKind;
use siaga_model::why::{HeldThing, Holder, Why};
use siaga_runner::hands::{Did, Hands, Trouble};
use std::fs::File;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::process::Command;
use std::time::{Duration, Instant};

/// A process with a copy of every mount in a namespace of its own.
fn namespace_copy(world: &World) -> Guard {
    let ready = world.directory.path().join("copied");
    let script = format!("touch {}; exec sleep 1000", ready.display());
    let argv = [
        "--mount",
        "--propagation",
        "private",
        "/bin/sh",
        "-c",
        &script,
    ];
    let guard = Guard::spawn(Command::new("/usr/bin/unshare").args(argv));
    until("the copy", || ready.exists());
    guard
}

fn uses(why: &Why) -> Vec<HeldThing> {
    let Why::HeldBy { by } = why else {
        panic!("{why:?}")
    };
    by.iter()
        .filter_map(|h| match h {
            Holder::Process { uses, .. } => Some(*uses),
            _ => None,
        })
        .collect()
}

fn not_released(world: &World) -> Vec<Holder> {
    match world.hands.prove_released(&world.service) {
        Err(Trouble::Failed(failure)) => {
            assert_eq!(failure.kind, FailureKind::NotReleased);
            let Why::HeldBy { by } = failure.detail else {
                panic!("{:?}", failure.detail)
            };
            by
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_copy_in_another_mount_namespace_is_no_release() {
    in_own_namespace(|| {
        let world = World::mounted(&Wish::EXT4);
        let copy = namespace_copy(&world);
        assert!(world.hands.unmount(&world.service).unwrap().changed);
        let expected = Holder::MountElsewhere {
            mount_point: world.mount_point.clone(),
            pid: copy.pid(),
            command: "sleep".into(),
        };
        assert_eq!(not_released(&world), [expected]);
        assert!(matches!(
            world.hands.look(&world.service).disk,
            Holding::Held { .. }
        ));
        // A failed move comes back: what holds the disk set here is this boot's own.
        assert_eq!(world.take(), Ok(Did::nothing()));
        assert!(world.hands.mount(&world.service).unwrap().changed);
        assert!(world.hands.unmount(&world.service).unwrap().changed);
        // Another node took it meanwhile: then it is a stranger's.
        world.hands.disown(&world.service);
        assert!(matches!(world.take(), Err(Trouble::Failed(f)) if f.kind == FailureKind::Busy));
        drop(copy);
        until("release", || {
            world.hands.prove_released(&world.service).is_ok()
        });
    });
}

/// Its way to the storage was cut, another node took the disk set, and the way came back without a boot between.
#[test]
fn a_mount_that_may_be_stale_is_not_gone_on_with() {
    in_own_namespace(|| {
        let world = World::mounted(&Wish::EXT4);
        let busy = |acted| matches!(acted, Err(Trouble::Failed(f)) if f.kind == FailureKind::Busy);
        assert!(busy(world.take_anew()));
        // It is nobody's from here on, also for a permit that would let it be adopted.
        assert!(busy(world.take()));
        assert!(world.hands.mount(&world.service).is_err());
        assert!(world.hands.look(&world.service).mounts[0].stranger);
        world.hands.unmount(&world.service).unwrap();
        assert!(world.take_anew().unwrap().changed);
        assert!(world.hands.mount(&world.service).unwrap().changed);
    });
}

#[test]
fn a_mount_long_after_the_take_needs_a_new_one() {
    in_own_namespace(|| {
        let world = World::new(&Wish::EXT4);
        let old = Taken {
            since_boot: Duration::ZERO,
            ..world.taken()
        };
        world.hands.take_for(&old, true, None).unwrap();
        let too_late = world.hands.mount(&world.service);
        assert!(
            matches!(&too_late, Err(Trouble::Failed(f)) if f.kind == FailureKind::Precondition),
            "{too_late:?}"
        );
        world.take().unwrap();
        world.hands.mount(&world.service).unwrap();
        // What is mounted already was mounted in time.
        world.hands.take_for(&old, true, None).unwrap();
        assert!(!world.hands.mount(&world.service).unwrap().changed);
    });
}

/// Between the take and the mount the disk hung, or the process did.
#[test]
fn what_was_proved_is_looked_at_again_right_before_the_kernel_is_asked() {
    in_own_namespace(|| {
        let world = World::new(&Wish::EXT4);
        world.take().unwrap();
        let disk = BlockDevice::new(world.loop_device.device.clone());
        let file_system = &FileSystem {
            kind: FileSystemKind::Ext4,
            mount_point: world.mount_point.clone(),
            options: Vec::new(),
            devices: Vec::new(),
        };
        let too_old = || {
            Err(Trouble::failed(
                FailureKind::Precondition,
                Why::ProofsTooOld,
            ))
        };
        let by = |still| mount::Leave {
            all_powered_off: false,
            still,
        };
        let again = |leave| mount::mount(&disk, file_system, leave);
        let is_mounted = || mount::device_at(&world.mount_point).unwrap().is_some();
        assert!(again(by(&too_old)).is_err());
        assert!(!is_mounted());
        again(by(&|| Ok(()))).unwrap();
        // One that gave up is not taken away either, where it may not be mounted anew.
        gives_up(&world);
        assert!(again(by(&too_old)).is_err());
        assert!(is_mounted());
    });
}

#[test]
fn the_kernels_word_alone_tells_who_claims_the_disk_set() {
    in_own_namespace(|| {
        let world = World::mounted(&Wish::EXT4);
        let claimed = || world.hands.claimed(&world.service);
        assert!(matches!(claimed(), Holding::Held { .. }));
        world.hands.unmount(&world.service).unwrap();
        assert_eq!(claimed(), Holding::Free);
    });
}

/// Two looks of our own at once: the one that asks who is registered is no holder for the other one.
#[test]
fn a_question_of_our_own_is_no_holder_and_a_change_is() {
    in_own_namespace(|| {
        let world = World::mounted(&Wish::EXT4);
        world.hands.unmount(&world.service).unwrap();
        let device = &world.loop_device.device;
        let question = kernel::open_to_ask(device).unwrap();
        assert_eq!(world.hands.look(&world.service).disk, Holding::Free);
        drop(question);
        let change = kernel::open(device).unwrap();
        let held = world.hands.look(&world.service).disk;
        assert!(matches!(held, Holding::Held { .. }), "{held:?}");
        drop(change);
    });
}

/// As after an agent that was killed inside `mount(2)`: no table and no process shows it.
#[test]
fn what_only_the_kernel_knows_is_found_by_the_exclusive_open() {
    in_own_namespace(|| {
        let world = World::mounted(&Wish::EXT4);
        let copy = namespace_copy(&world);
        let kept = File::open(format!("/proc/{}/ns/mnt", copy.pid())).unwrap();
        drop(copy);
        world.hands.unmount(&world.service).unwrap();
        let number = std::fs::metadata(&world.loop_device.device).unwrap().rdev();
        assert_eq!(holders::scan(number), Ok(Vec::new()));
        assert_eq!(not_released(&world), [Holder::Invisible]);
        drop(kept);
        until("release", || {
            world.hands.prove_released(&world.service).is_ok()
        });
    });
}

/// Its disk went away and came back: the kernel lets nothing be written any more. A shutdown without a flush.
fn gives_up(world: &World) {
    const SHUTDOWN: rustix::ioctl::Opcode = rustix::ioctl::opcode::read::<u32>(b'X', 125);
    let place = File::open(&world.mount_point).unwrap();
    let without_flush: u32 = 2;
    // SAFETY: the call reads one u32 that lives until it returns.
    unsafe {
        let setter = rustix::ioctl::Setter::<SHUTDOWN, _>::new(without_flush);
        rustix::ioctl::ioctl(&place, setter).unwrap();
    }
}

fn is_mounted_anew(wish: &Wish) {
    let world = World::mounted(wish);
    assert_eq!(world.hands.mount(&world.service), Ok(Did::nothing()));
    gives_up(&world);
    assert!(
        world
            .hands
            .write_disk_epoch(&world.service, &World::epoch(9))
            .is_err()
    );
    let did = world.hands.mount(&world.service).unwrap();
    assert!(
        did.changed && matches!(did.notes[..], [Note::TookNoWrites { .. }, ..]),
        "{did:?}"
    );
    world
        .hands
        .write_disk_epoch(&world.service, &World::epoch(9))
        .unwrap();
}

#[test]
fn a_file_system_that_gave_up_is_mounted_anew() {
    in_own_namespace(|| {
        is_mounted_anew(&Wish::EXT4);
        is_mounted_anew(&Wish::XFS);
    });
}

#[test]
fn one_that_gave_up_and_is_in_use_is_left_and_its_holders_are_named() {
    in_own_namespace(|| {
        let world = World::mounted(&Wish::EXT4);
        let _user = Guard::spawn(
            Command::new("/bin/sleep")
                .arg("1000")
                .current_dir(&world.mount_point),
        );
        gives_up(&world);
        let Err(Trouble::Failed(failure)) = world.hands.mount(&world.service) else {
            panic!("mounted what is in use")
        };
        assert_eq!(failure.kind, FailureKind::Busy);
        assert_eq!(uses(&failure.detail), [HeldThing::WorkingDirectory]);
        assert!(format!("{:?}", failure.detail).contains("sleep"));
    });
}

#[test]
fn a_reader_of_the_device_is_no_release() {
    in_own_namespace(|| {
        let world = World::new(&Wish::EXT4);
        let device = world.loop_device.device.to_str().unwrap();
        let reader = Guard::spawn(Command::new("/bin/sh").args([
            "-c",
            "exec 3<$0; exec sleep 1000",
            device,
        ]));
        let expected = Holder::Process {
            pid: reader.pid(),
            command: "sleep".into(),
            uses: HeldThing::File,
            path: device.into(),
        };
        let held = Holding::Held {
            by: vec![expected.clone()],
        };
        until("the reader", || {
            world.hands.look(&world.service).disk == held
        });
        let by = vec![expected];
        assert_eq!(not_released(&world), by);
        let busy = Why::HeldBy { by };
        assert!(matches!(world.take(), Err(Trouble::Failed(f)) if f.detail == busy));
        drop(reader);
        world.take().unwrap();
    });
}

#[test]
fn a_mapped_file_and_a_deleted_one_hold() {
    in_own_namespace(|| {
        let world = World::mounted(&Wish::EXT4);
        let program = world.mount_point.join("sleep");
        std::fs::copy("/bin/sleep", &program).unwrap();
        let _running = Guard::spawn(Command::new(&program).arg("1000"));
        std::fs::remove_file(&program).unwrap();
        let Err(Trouble::Failed(failure)) = world.hands.unmount(&world.service) else {
            panic!("unmounted")
        };
        assert!(
            [HeldThing::Program, HeldThing::MappedFile]
                .iter()
                .all(|u| uses(&failure.detail).contains(u)),
            "{:?}",
            failure.detail
        );
    });
}

#[test]
fn a_mount_that_is_still_in_the_kernel_counts_as_held() {
    in_own_namespace(|| {
        use crate::act::disk_set::BlockDevice;
        let world = World::new(&Wish::EXT4);
        let disk = BlockDevice::new(world.loop_device.device.clone());
        let in_flight = disk.enter();
        assert!(matches!(disk.look(), Holding::Held { by } if by == [Holder::InFlight]));
        drop(in_flight);
        assert_eq!(disk.look(), Holding::Free);
    });
}

#[test]
fn looks_side_by_side_do_not_see_each_other() {
    in_own_namespace(|| {
        let world = World::new(&Wish::EXT4);
        let look = || (0..20).all(|_| world.hands.look(&world.service).disk == Holding::Free);
        std::thread::scope(|scope| {
            let lookers: Vec<_> = (0..4).map(|_| scope.spawn(look)).collect();
            let raw = || world.hands.watch_disk(&world.service, Duration::ZERO);
            while !lookers.iter().all(|l| l.is_finished()) {
                assert_eq!(raw(), DiskSighting::NoChangeSeen);
            }
            assert!(lookers.into_iter().all(|l| l.join().unwrap()));
        });
    });
}

#[test]
fn a_device_that_is_cut_or_missing_is_unknown_and_not_free() {
    in_own_namespace(|| {
        let world = World::new(&Wish::EXT4);
        assert_eq!(world.hands.look(&world.service).disk, Holding::Free);
        let device = world.loop_device.device.to_str().unwrap();
        for size in [512, 8 << 20] {
            File::options()
                .write(true)
                .open(&world.image)
                .unwrap()
                .set_len(size)
                .unwrap();
            run(&["/sbin/losetup", "-c", device]);
            assert!(
                matches!(
                    world.hands.look(&world.service).disk,
                    Holding::Unknown { .. }
                ),
                "{size}"
            );
            assert!(matches!(
                world.hands.prove_released(&world.service),
                Err(Trouble::Unknown(_))
            ));
            assert!(world.take().is_err());
        }
        let missing = crate::act::disk_set::BlockDevice::new("/dev/siaga-no-such-device".into());
        assert!(matches!(missing.look(), Holding::Unknown { .. }));
        assert!(matches!(missing.release(), Err(Trouble::Unknown(_))));
    });
}

/// Marks the file system as in use by another node, as a power cut leaves it.
fn set_mmp(world: &World) {
    let image = File::options()
        .read(true)
        .write(true)
        .open(&world.image)
        .unwrap();
    let mut superblock = [0; 1024];
    image.read_exact_at(&mut superblock, 1024).unwrap();
    let block_size = 1024u64 << superblock[0x18];
    let block = u64::from(u32::from_le_bytes(
        superblock[0x168..0x16c].try_into().unwrap(),
    ));
    let mut mmp = [0; 8];
    image.read_exact_at(&mut mmp, block * block_size).unwrap();
    assert_eq!(mmp[..4], 0x004d_4d50u32.to_le_bytes());
    // A sequence number of a node that was alive. Without metadata checksums nothing else guards the block.
    image
        .write_all_at(&0x1234u32.to_le_bytes(), block * block_size + 4)
        .unwrap();
    image.sync_all().unwrap();
}

#[test]
fn multiple_mount_protection_is_cleared_only_with_the_power_seen_off() {
    in_own_namespace(|| {
        let wish = Wish {
            mkfs: &["-O", "mmp,^metadata_csum", "-E", "mmp_update_interval=1"],
            ..Wish::EXT4
        };
        let world = World::new(&wish);
        let device = &world.loop_device.device;
        assert!(!mmp::is_set(device).unwrap());
        set_mmp(&world);
        assert!(mmp::is_set(device).unwrap());
        let kept = mmp::clear_if_allowed(device, false).unwrap();
        assert_eq!(kept, Note::MmpWaits);
        assert!(mmp::is_set(device).unwrap());
        let cleared = mmp::clear_if_allowed(device, true).unwrap();
        assert_eq!(cleared, Note::MmpCleared);
        assert!(!mmp::is_set(device).unwrap());
        let begun = Instant::now();
        world.take().unwrap();
        world.hands.mount(&world.service).unwrap();
        assert!(begun.elapsed() < Duration::from_secs(3));
        assert!(mmp::is_set(device).unwrap());
        world.hands.unmount(&world.service).unwrap();
        assert!(!mmp::is_set(device).unwrap());
    });
}

#[test]
fn without_that_the_wait_of_the_protection_is_kept() {
    in_own_namespace(|| {
        let wish = Wish {
            mkfs: &["-O", "mmp,^metadata_csum", "-E", "mmp_update_interval=1"],
            ..Wish::EXT4
        };
        let world = World::new(&wish);
        set_mmp(&world);
        world.take().unwrap();
        let begun = Instant::now();
        let did = world.hands.mount(&world.service).unwrap();
        assert!(
            begun.elapsed() > Duration::from_secs(3),
            "{:?}",
            begun.elapsed()
        );
        assert_eq!(did.notes[0], Note::MmpWaits);
        assert!(mount::device_at(&world.mount_point).unwrap().is_some());
    });
}
