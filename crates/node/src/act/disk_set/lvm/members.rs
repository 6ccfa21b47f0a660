//! The disks that a volume group lies on, beside the ones that are kept from the other nodes. A disk more, that is not
//! reserved or not replicated, is open to a node that was fenced from the first; and a group that LVM finds on the disk
//! below DRBD would be written past it.

use siaga_model::Why;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

const SYSFS: &str = "/sys";
/// Devices lie on one another only so deep: a partition of a multipath map is two.
const DEEPEST: usize = 8;

/// Those of a group's `disks`, as LVM names them, that lie on anything but `kept`.
pub(super) fn elsewhere(disks: &[String], kept: &[PathBuf]) -> Result<Vec<String>, Why> {
    let kept: Vec<String> = kept.iter().map(|d| number(d)).collect::<Result<_, _>>()?;
    let mut found = Vec::new();
    for disk in disks {
        let of = number(Path::new(disk))?;
        if !lies_on(Path::new(SYSFS), &of, &kept, DEEPEST) {
            found.push(disk.clone());
        }
    }
    Ok(found)
}

/// `8:16`
fn number(device: &Path) -> Result<String, Why> {
    let stat = std::fs::metadata(device).map_err(|e| Why::system(e).of(device.display()))?;
    let (major, minor) = (
        rustix::fs::major(stat.rdev()),
        rustix::fs::minor(stat.rdev()),
    );
    Ok(format!("{major}:{minor}"))
}

/// Is it one of `kept`, a part of one, or does everything below it lie on them?
fn lies_on(sysfs: &Path, of: &str, kept: &[String], deep: usize) -> bool {
    if kept.iter().any(|k| k == of) {
        return true;
    }
    let Some(deep) = deep.checked_sub(1) else {
        return false;
    };
    let below = below(sysfs, of);
    !below.is_empty() && below.iter().all(|b| lies_on(sysfs, b, kept, deep))
}

/// What the device lies on, by the kernel's word: the whole disk of a partition, the devices below a map.
fn below(sysfs: &Path, of: &str) -> Vec<String> {
    let Ok(place) = std::fs::canonicalize(sysfs.join("dev/block").join(of)) else {
        return Vec::new();
    };
    let told = |dir: &Path| std::fs::read_to_string(dir.join("dev")).ok();
    let number = |dir: &Path| told(dir).map_or_else(String::new, |text| text.trim().to_owned());
    if place.join("partition").exists() {
        return place.parent().map(number).into_iter().collect();
    }
    let Ok(slaves) = std::fs::read_dir(place.join("slaves")) else {
        return Vec::new();
    };
    // One that can't be read has no number, and lies on nothing.
    slaves
        .map(|slave| slave.map_or_else(|_| String::new(), |s| number(&s.path())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Disks sdb (8:16, with a partition 8:17) and sdc (8:32), a map of both (253:0) and a map of sdb (253:1) with a part of
    /// it (253:2).
    fn sysfs() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let add = |place: &str, number: &str| {
            let dir = root.path().join("devices").join(place);
            std::fs::create_dir_all(&dir).unwrap();
            std::fs::write(dir.join("dev"), format!("{number}\n")).unwrap();
            let link = root.path().join("dev/block").join(number);
            std::fs::create_dir_all(link.parent().unwrap()).unwrap();
            std::os::unix::fs::symlink(&dir, link).unwrap();
            dir
        };
        let sdb = add("sdb", "8:16");
        let part = add("sdb/sdb1", "8:17");
        std::fs::write(part.join("partition"), "1\n").unwrap();
        let sdc = add("sdc", "8:32");
        let on = |map: &Path, below: &[&PathBuf]| {
            std::fs::create_dir(map.join("slaves")).unwrap();
            for (at, dir) in below.iter().enumerate() {
                std::os::unix::fs::symlink(dir, map.join(format!("slaves/{at}"))).unwrap();
            }
        };
        on(&add("dm-0", "253:0"), &[&sdb, &sdc]);
        let map = add("dm-1", "253:1");
        on(&map, &[&sdb]);
        on(&add("dm-2", "253:2"), &[&map]);
        // A disk has an empty folder.
        on(&sdc, &[]);
        root
    }

    #[test]
    fn a_disk_more_than_the_one_that_is_kept_is_seen() {
        let root = sysfs();
        let lies = |of: &str, kept: &[&str]| {
            let kept: Vec<String> = kept.iter().map(|k| (*k).to_owned()).collect();
            lies_on(root.path(), of, &kept, DEEPEST)
        };
        // The disk itself, a part of it, a map of it, a part of that map.
        for of in ["8:16", "8:17", "253:1", "253:2"] {
            assert!(lies(of, &["8:16"]), "{of}");
        }
        // By the map that is reserved as a whole.
        assert!(lies("253:2", &["253:1"]));
        // Another disk, and a map that lies on another one as well.
        for of in ["8:32", "253:0"] {
            assert!(!lies(of, &["8:16"]), "{of}");
        }
        assert!(lies("253:0", &["8:16", "8:32"]));
        // A path of the map is not the map: what is written by it passes by the kept one.
        assert!(!lies("8:16", &["253:1"]));
        // What the kernel does not tell lies on nothing that is known.
        assert!(!lies("8:99", &["8:16"]));
    }

    #[test]
    fn a_disk_that_lvm_does_not_find_is_no_disk_that_is_kept() {
        let why = elsewhere(&["[unknown]".to_owned()], &[]).unwrap_err();
        assert!(matches!(why, Why::Named { .. }), "{why:?}");
    }
}
