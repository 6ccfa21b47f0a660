//! Passes over small directories.

use super::*;
use crate::act::migrate::At;
use std::os::unix::fs::{FileExt, PermissionsExt, chown, symlink};
use std::sync::atomic::{AtomicBool, Ordering};

struct Quiet;
impl Watch for Quiet {
    fn progress(&self, _: &Progress) {}
    fn go_on(&self) -> bool {
        true
    }
    fn goes_on_at(&self, _: At) -> bool {
        true
    }
}

/// The disk gives other bytes than were written.
struct Damage {
    file: PathBuf,
    done: AtomicBool,
}
impl Watch for Damage {
    fn progress(&self, at: &Progress) {
        if matches!(at, Progress::Copying { .. }) && self.file.exists() {
            self.done.store(true, Ordering::SeqCst);
        }
    }
    fn go_on(&self) -> bool {
        if self.done.load(Ordering::SeqCst) {
            let file = std::fs::OpenOptions::new().write(true).open(&self.file);
            file.unwrap().write_at(b"X", 10).unwrap();
        }
        true
    }
    fn goes_on_at(&self, _: At) -> bool {
        true
    }
}

fn two() -> (tempfile::TempDir, PathBuf, PathBuf) {
    // A file system that has reads past the page cache, where there is one.
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("from"), dir.path().join("to"));
    std::fs::create_dir_all(from.join("base/empty")).unwrap();
    std::fs::create_dir(from.join("global")).unwrap();
    std::fs::write(from.join("base/1"), vec![7u8; 20_000]).unwrap();
    (dir, from, to)
}

fn go(from: &Path, to: &Path, watch: &dyn Watch, same: &mut Same) -> Result<Pass, Fail> {
    let mut way = Way {
        from,
        to,
        live: false,
        pace: Pace::new(None),
        watch,
    };
    pass(&mut way, same)
}

#[test]
fn everything_that_a_data_directory_is_made_of_is_kept() {
    let (_dir, from, to) = two();
    let sparse = std::fs::File::create(from.join("base/sparse")).unwrap();
    sparse.set_len(8 << 20).unwrap();
    sparse.write_at(b"end", (8 << 20) - 3).unwrap();
    std::fs::write(from.join("global/pg_control"), "state").unwrap();
    std::fs::write(from.join("postmaster.pid"), "1").unwrap();
    symlink("/etc/hostname", from.join("server.crt")).unwrap();
    let mode = |path: &Path| std::fs::symlink_metadata(path).unwrap().mode() & 0o7777;
    let set = |name: &str, mode| {
        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(from.join(name), mode).unwrap();
    };
    set("base/1", 0o640);
    set("base/empty", 0o750);
    std::fs::create_dir_all(to.join("stale/below")).unwrap();
    let mut same = Same::default();
    let done = go(&from, &to, &Quiet, &mut same).unwrap();
    assert_eq!(
        (done.files, done.copied_files, done.compared_files),
        (2, 2, 2)
    );
    assert_eq!(std::fs::read(to.join("base/1")).unwrap(), vec![7u8; 20_000]);
    assert_eq!(mode(&to.join("base/1")), 0o640);
    assert_eq!(mode(&to.join("base/empty")), 0o750);
    let copy = std::fs::metadata(to.join("base/sparse")).unwrap();
    assert_eq!(copy.len(), 8 << 20);
    assert!(copy.blocks() * 512 < 1 << 20, "holes stay holes");
    let leads = std::fs::read_link(to.join("server.crt")).unwrap();
    assert_eq!(leads, Path::new("/etc/hostname"));
    for left_out in ["global/pg_control", "postmaster.pid", "stale"] {
        assert!(!to.join(left_out).exists(), "{left_out}");
    }
    // What is the same already is compared again, and not written again.
    let again = go(&from, &to, &Quiet, &mut Same::default()).unwrap();
    assert_eq!((again.copied_files, again.compared_files), (0, 2));
}

#[test]
fn a_change_of_the_same_length_is_copied_whatever_its_mtime_says() {
    let (_dir, from, to) = two();
    let mut same = Same::default();
    go(&from, &to, &Quiet, &mut same).unwrap();
    let file = from.join("base/1");
    let was = std::fs::metadata(&file).unwrap().modified().unwrap();
    std::fs::write(&file, vec![8u8; 20_000]).unwrap();
    let open = std::fs::OpenOptions::new().write(true).open(&file).unwrap();
    open.set_modified(was).unwrap();
    go(&from, &to, &Quiet, &mut same).unwrap();
    assert_eq!(std::fs::read(to.join("base/1")).unwrap(), vec![8u8; 20_000]);
}

#[test]
fn only_what_was_old_before_it_was_read_is_passed_over() {
    let path = Path::new("base/1");
    let stamp = |mtime: i128, ctime: i128| Stamp {
        size: 1,
        inode: 2,
        device: 3,
        mtime,
        ctime,
    };
    let second = 1_000_000_000;
    let (before, old) = (100 * second, 90 * second);
    let same = |read: Stamp| {
        Same(BTreeMap::from([(
            path.to_owned(),
            Read {
                stamp: read,
                before,
            },
        )]))
    };
    assert!(same(stamp(old, old)).holds(path, stamp(old, old)));
    // Written in the tick of the read, or a little before: the stamp does not tell.
    for close in [before, before - second, before + second] {
        assert!(!same(stamp(close, old)).holds(path, stamp(close, old)));
        assert!(!same(stamp(old, close)).holds(path, stamp(old, close)));
    }
    assert!(!same(stamp(old, old)).holds(path, stamp(old, old + 1)));
    let longer = Stamp {
        size: 2,
        ..stamp(old, old)
    };
    assert!(!same(stamp(old, old)).holds(path, longer));
    assert!(!Same::default().holds(path, stamp(old, old)));
}

#[test]
fn what_the_disk_gives_back_otherwise_is_found() {
    let (_dir, from, to) = two();
    let watch = Damage {
        file: to.join("base/1"),
        done: AtomicBool::new(false),
    };
    let ended = go(&from, &to, &watch, &mut Same::default());
    let path = to.join("base/1");
    assert_eq!(ended, Err(Fail::CopyDiffers { path }));
}

/// The database's account puts a link into the way, in the middle of a copy.
struct Swap {
    at: PathBuf,
    leads: PathBuf,
    done: AtomicBool,
}
impl Watch for Swap {
    fn progress(&self, at: &Progress) {
        let copying = matches!(at, Progress::Copying { .. });
        if copying && !self.done.swap(true, Ordering::SeqCst) {
            std::fs::rename(&self.at, self.at.with_extension("aside")).unwrap();
            symlink(&self.leads, &self.at).unwrap();
        }
    }
    fn go_on(&self) -> bool {
        true
    }
    fn goes_on_at(&self, _: At) -> bool {
        true
    }
}

#[test]
fn a_link_that_is_put_into_the_way_gives_nothing_elsewhere_away() {
    // In place of the file that is being copied, of its folder, and of the whole directory.
    for swapped in ["base/1", "base", ""] {
        let (dir, from, to) = two();
        for name in ["base/1", "base/2"] {
            std::fs::write(from.join(name), "theirs").unwrap();
            chown(from.join(name), Some(65534), Some(65534)).unwrap();
        }
        let roots = dir.path().join("roots");
        std::fs::create_dir_all(roots.join("base")).unwrap();
        let all = ["1", "2", "base/1", "base/2"].map(|name| roots.join(name));
        for file in &all {
            std::fs::write(file, "roots").unwrap();
        }
        let watch = Swap {
            at: to.join(swapped).components().collect(),
            leads: match swapped {
                "base/1" => roots.join("1"),
                _ => roots.clone(),
            },
            done: AtomicBool::new(false),
        };
        let ended = go(&from, &to, &watch, &mut Same::default());
        assert!(watch.done.load(Ordering::SeqCst));
        for file in &all {
            assert_eq!(std::fs::read_to_string(file).unwrap(), "roots");
            assert_eq!(std::fs::metadata(file).unwrap().uid(), 0, "{swapped}");
        }
        // What was open all the time is whole, whatever it is called now; a part that is gone is missed.
        assert_eq!(ended.is_ok(), swapped.is_empty(), "{swapped}: {ended:?}");
    }
}

#[test]
fn a_file_that_has_another_name_elsewhere_is_neither_written_nor_given_away() {
    let (dir, from, to) = two();
    let elsewhere = dir.path().join("elsewhere");
    std::fs::write(&elsewhere, vec![7u8; 20_000]).unwrap();
    std::fs::create_dir_all(to.join("base")).unwrap();
    std::fs::hard_link(&elsewhere, to.join("base/1")).unwrap();
    chown(from.join("base/1"), Some(65534), Some(65534)).unwrap();
    go(&from, &to, &Quiet, &mut Same::default()).unwrap();
    assert_eq!(std::fs::metadata(&elsewhere).unwrap().uid(), 0);
    assert_eq!(std::fs::metadata(to.join("base/1")).unwrap().uid(), 65534);
}
