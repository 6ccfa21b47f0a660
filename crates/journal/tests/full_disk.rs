//! A full disk: the reserve, and what is left to say. Needs root, for a small file system of its own.
// A test that fails by `unwrap` says where, like one that fails by `assert`.
#![allow(clippy::unwrap_used)]

#[path = "journal/common/mod.rs"]
mod common;

use common::*;
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use siaga_journal::{Durability, Room};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// A tmpfs of so many KiB, unmounted at the end whatever happens.
struct SmallDisk {
    dir: tempfile::TempDir,
}

impl SmallDisk {
    fn new(kib: u32) -> Self {
        own_mounts();
        let dir = tempfile::tempdir().unwrap();
        let options = std::ffi::CString::new(format!("size={kib}k")).unwrap();
        mount(
            "tmpfs",
            dir.path(),
            "tmpfs",
            MountFlags::empty(),
            options.as_c_str(),
        )
        .expect("this test mounts a tmpfs, so it runs as root");
        Self { dir }
    }
    fn path(&self) -> &Path {
        self.dir.path()
    }
    /// Fills what is left.
    fn fill(&self) -> PathBuf {
        let path = self.path().join("filler");
        let mut file = fs::File::create(&path).unwrap();
        while file.write(&[1; 4096]).is_ok_and(|n| n > 0) {}
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        if let Err(error) = unmount(self.dir.path(), UnmountFlags::empty()) {
            eprintln!("{}: {error}", self.dir.path().display());
            let _ = unmount(self.dir.path(), UnmountFlags::DETACH);
        }
    }
}

#[test]
fn a_full_disk_uses_the_reserve_then_refuses_and_recovers() {
    let disk = SmallDisk::new(4096);
    let (mut journal, report) = open(disk.path(), "serverdb");
    assert_eq!(report.room, Room::Plenty);
    append(&mut journal, 1..=1);
    let filler = disk.fill();
    let mut written = 1;
    while journal.room() == Room::Plenty {
        written += 1;
        append(&mut journal, written..=written);
    }
    assert_eq!(journal.room(), Room::ReserveOnly);
    // The reserve holds an emergency run many times over.
    let at_reserve = written;
    let error = loop {
        match journal.append(event(written + 1), Durability::Sync) {
            Ok(_) => written += 1,
            Err(error) => break error,
        }
    };
    assert!(
        written - at_reserve > 1000,
        "only {} rows",
        written - at_reserve
    );
    assert_eq!(
        (error.code(), journal.room()),
        ("JOURNAL_NO_SPACE", Room::None)
    );
    assert_eq!(
        numbers(&journal).len() as u64,
        written,
        "what was refused is not there"
    );
    drop(journal);
    // A restart on the full disk works, and says so.
    let (mut journal, report) = open(disk.path(), "serverdb");
    assert_eq!((report.room, report.torn_bytes), (Room::ReserveOnly, 0));
    assert_eq!(report.problems, []);
    fs::remove_file(filler).unwrap();
    append(&mut journal, written + 1..=written + 1);
    journal.maintain().unwrap();
    assert_eq!(journal.room(), Room::Plenty);
    assert_eq!(numbers(&journal).len() as u64, written + 1);
    let verified = siaga_journal::verify_dir(disk.path(), journal.trusted());
    assert_eq!(verified.problems, []);
}

#[test]
fn a_copy_never_uses_the_reserve() {
    let disk = SmallDisk::new(2048);
    let (mut backup, _) = open(disk.path(), "backup");
    let other = memory_dir();
    let (mut journal, _) = open(other.path(), "serverdb");
    for n in 1..=2000 {
        journal.append(event(n), Durability::Lazy).unwrap();
    }
    disk.fill();
    let (node, inc) = (journal.node().clone(), journal.incarnation());
    let rows = journal.rows_after(&node, inc, 0, 2000).unwrap();
    let error = backup.import(&rows).unwrap_err();
    assert_eq!(error.code(), "IMPORT_NO_SPACE", "{error}");
    assert_eq!(backup.room(), Room::Plenty);
    assert!(backup.heads().is_empty());
    append(&mut backup, 1..=1);
}

#[test]
fn a_new_incarnation_begins_on_a_full_disk() {
    let disk = SmallDisk::new(4096);
    let (mut journal, _) = open(disk.path(), "serverdb");
    append(&mut journal, 1..=3);
    let path = log_path(disk.path(), &journal);
    drop(journal);
    disk.fill();
    let first = lines(&path)[0].len();
    use std::os::unix::fs::FileExt;
    fs::OpenOptions::new()
        .write(true)
        .open(&path)
        .unwrap()
        .write_all_at(b"#", first as u64 + 9)
        .unwrap();
    let (mut journal, report) = open(disk.path(), "serverdb");
    assert_eq!(report.problems.len(), 1);
    append(&mut journal, 4..=4);
    assert_eq!(numbers(&journal), [1, 3, 4]);
    assert_eq!(journal.room(), Room::ReserveOnly);
}
