//! What is on the disk after a power cut: a file system of its own that is shut down without a flush. Needs root.
// A test that fails by `unwrap` says where, like one that fails by `assert`.
#![allow(clippy::unwrap_used)]

#[path = "journal/common/mod.rs"]
mod common;

use common::*;
use rustix::mount::{UnmountFlags, unmount};
use siaga_journal::{Durability, Start};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// One test at a time: a program that another test starts holds all open files between its fork and its exec, and an
/// unmount then finds the file system busy.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// An ext4 in an image file, mounted over a loop device that goes away with the mount.
struct Disk {
    dir: tempfile::TempDir,
    _alone: MutexGuard<'static, ()>,
}

impl Disk {
    fn new() -> Self {
        own_mounts();
        let alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let disk = Self {
            dir: tempfile::tempdir().unwrap(),
            _alone: alone,
        };
        File::create(disk.image())
            .unwrap()
            .set_len(32 * 1024 * 1024)
            .unwrap();
        fs::create_dir(disk.path()).unwrap();
        run(Command::new("mkfs.ext4")
            .args(["-q", "-F"])
            .arg(disk.image()));
        disk.mount();
        disk
    }
    fn image(&self) -> PathBuf {
        self.dir.path().join("image")
    }
    fn path(&self) -> PathBuf {
        self.dir.path().join("mnt")
    }
    fn mount(&self) {
        // No commits by timer: only what is asked for reaches the disk.
        let options = "loop,noatime,commit=1000";
        run(Command::new("mount")
            .args(["-o", options])
            .arg(self.image())
            .arg(self.path()));
    }
    /// Nothing more reaches the disk, not even the file system's own journal; then the power comes back.
    fn cut_and_return(&self) {
        shut_down(&self.path());
        unmount(self.path(), UnmountFlags::empty()).unwrap();
        self.mount();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if unmount(self.path(), UnmountFlags::empty()).is_err() {
            let _ = unmount(self.path(), UnmountFlags::DETACH);
        }
    }
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// `EXT4_IOC_SHUTDOWN` with `EXT4_GOING_FLAGS_NOLOGFLUSH`.
fn shut_down(path: &Path) {
    const OPCODE: rustix::ioctl::Opcode = rustix::ioctl::opcode::read::<u32>(b'X', 125);
    let dir = File::open(path).unwrap();
    // SAFETY: the call reads one u32, which the setter owns for its duration.
    unsafe {
        let call = rustix::ioctl::Setter::<OPCODE, u32>::new(2);
        rustix::ioctl::ioctl(&dir, call).unwrap();
    }
}

#[test]
fn what_was_synced_survives_a_power_cut_and_the_log_goes_on() {
    let disk = Disk::new();
    let (mut journal, _) = open(&disk.path(), "serverdb");
    let inc = journal.incarnation();
    append(&mut journal, 1..=3);
    journal.append(event(4), Durability::Lazy).unwrap();
    append(&mut journal, 5..=5);
    journal.append(event(6), Durability::Lazy).unwrap();
    drop(journal);
    disk.cut_and_return();
    let (mut journal, report) = open(&disk.path(), "serverdb");
    assert_eq!((report.start, report.incarnation), (Start::Continued, inc));
    assert_eq!(report.problems, []);
    assert_eq!(
        numbers(&journal),
        [1, 2, 3, 4, 5],
        "the lazy row after the last sync is gone"
    );
    append(&mut journal, 7..=7);
    assert_eq!(numbers(&journal), [1, 2, 3, 4, 5, 7]);
}

#[test]
fn a_row_that_was_given_to_the_peer_survives_a_power_cut() {
    let disk = Disk::new();
    let (mut journal, _) = open(&disk.path(), "serverdb");
    append(&mut journal, 1..=1);
    journal.append(event(2), Durability::Lazy).unwrap();
    let (node, inc) = (journal.node().clone(), journal.incarnation());
    assert_eq!(journal.rows_after(&node, inc, 0, 10).unwrap().len(), 2);
    drop(journal);
    disk.cut_and_return();
    assert_eq!(numbers(&open(&disk.path(), "serverdb").0), [1, 2]);
}

#[test]
fn key_log_and_mark_survive_a_power_cut_right_after_the_first_start() {
    let disk = Disk::new();
    let (mut journal, report) = open(&disk.path(), "serverdb");
    assert_eq!(report.start, Start::First);
    let key = journal.public_key();
    append(&mut journal, 1..=1);
    drop(journal);
    disk.cut_and_return();
    let (journal, report) = open(&disk.path(), "serverdb");
    assert_eq!(report.start, Start::Continued);
    assert!(matches!(
        report.history,
        siaga_journal::History::Unconfirmed { .. }
    ));
    assert_eq!((journal.public_key(), numbers(&journal)), (key, vec![1]));
}

#[test]
fn a_key_that_was_trusted_survives_a_power_cut_at_once() {
    let (disk, peer) = (Disk::new(), siaga_model::NodeName::from("backup"));
    let (mut journal, _) = open(&disk.path(), "serverdb");
    let key = journal.public_key();
    journal.trust(&peer, key).unwrap();
    drop(journal);
    disk.cut_and_return();
    assert!(
        open(&disk.path(), "serverdb")
            .0
            .trusted()
            .allows(&peer, &key)
    );
}

#[test]
fn copies_are_durable_after_maintain() {
    let (disk, other) = (Disk::new(), memory_dir());
    let (mut ja, _) = open(other.path(), "serverdb");
    append(&mut ja, 1..=3);
    let (mut jb, _) = open(&disk.path(), "backup");
    copy(&mut ja, &mut jb, 10);
    jb.maintain().unwrap();
    drop(jb);
    disk.cut_and_return();
    let (jb, report) = open(&disk.path(), "backup");
    assert_eq!(report.problems, []);
    assert_eq!(numbers(&jb), [1, 2, 3]);
}
