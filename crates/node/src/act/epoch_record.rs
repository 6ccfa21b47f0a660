//! The mandate recorded on the disk set itself: read again after every mount.

use super::{bounded, durable_file};
use crate::small_file;
use siaga_model::run::FailureKind;
use siaga_model::{Epoch, Why};
use siaga_runner::hands::{Acted, Did, Trouble};
use std::fs::OpenOptions;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

/// How long the file system may take, whatever else is written to its disk.
const WITHIN: Duration = Duration::from_secs(30);

/// The only directory that Siaga makes on the disk set.
const DIRECTORY: &str = ".siaga";
const FILE: &str = "epoch.json";

/// The record fills one sector, which a disk writes whole or not at all (PostgreSQL builds on the same for
/// `pg_control`). Written in its place, it needs one flush of the disk and none of the file system's journal, and the
/// clients of a move wait for it.
const SECTOR: usize = 512;

/// The recorded epoch of the file system mounted at `mount_point`; `None` where none was ever recorded.
pub fn read(mount_point: &Path) -> Result<Option<Epoch>, Trouble> {
    let place = mount_point.to_owned();
    in_time(mount_point, move || read_now(&place))
}

/// Records the epoch, durably.
pub fn write(mount_point: &Path, epoch: &Epoch) -> Acted {
    let (place, epoch) = (mount_point.to_owned(), epoch.clone());
    in_time(mount_point, move || write_now(&place, &epoch))
}

/// A disk that hangs must not hold the run for good: nobody could end it. What is still to come of a write finds the file
/// system mounted, and is of this mandate.
fn in_time<T: Send + 'static>(
    mount_point: &Path,
    call: impl FnOnce() -> Result<T, Trouble> + Send + 'static,
) -> Result<T, Trouble> {
    let ms = u64::try_from(WITHIN.as_millis()).unwrap_or(u64::MAX);
    let late = || Trouble::Unknown(Why::NoAnswerWithin { ms }.of(mount_point.display()));
    bounded::run(WITHIN, call).unwrap_or_else(|| Err(late()))
}

fn read_now(mount_point: &Path) -> Result<Option<Epoch>, Trouble> {
    let path = mount_point.join(DIRECTORY).join(FILE);
    let failed = |why: String| Trouble::Unknown(Why::system(format!("{}: {why}", path.display())));
    // The root of the file system may belong to the database's account.
    match small_file::read(&path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(failed(e.to_string())),
        Ok(content) => serde_json::from_slice(&content)
            .map(Some)
            .map_err(|e| failed(e.to_string())),
    }
}

fn write_now(mount_point: &Path, epoch: &Epoch) -> Acted {
    if read_now(mount_point)?.as_ref() == Some(epoch) {
        return Ok(Did::nothing());
    }
    let directory = mount_point.join(DIRECTORY);
    let failed = |e: std::io::Error| {
        Trouble::failed(
            FailureKind::Io,
            Why::system(format!("{}: {e}", directory.display())),
        )
    };
    let mut content =
        serde_json::to_vec(epoch).map_err(|e| Trouble::failed(FailureKind::Io, Why::system(e)))?;
    if content.len() < SECTOR {
        content.resize(SECTOR - 1, b' ');
        content.push(b'\n');
    }
    let path = directory.join(FILE);
    if overwrite_sector(&path, &content).map_err(failed)? {
        return Ok(Did::changed(Vec::new()));
    }
    if !directory.is_dir() {
        std::fs::create_dir(&directory).map_err(failed)?;
        std::fs::File::open(mount_point)
            .and_then(|d| d.sync_all())
            .map_err(failed)?;
    }
    durable_file::replace(&path, &content).map_err(failed)?;
    Ok(Did::changed(Vec::new()))
}

/// Writes the record over the one that is there, durably. False where there is none of exactly one sector.
fn overwrite_sector(path: &Path, content: &[u8]) -> std::io::Result<bool> {
    if content.len() != SECTOR {
        return Ok(false);
    }
    let opened = OpenOptions::new()
        .write(true)
        .custom_flags(libc::O_NOFOLLOW)
        .open(path);
    let file = match opened {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(e) => return Err(e),
    };
    let meta = file.metadata()?;
    if !meta.is_file() || meta.len() != content.len() as u64 {
        return Ok(false);
    }
    file.write_all_at(content, 0)?;
    file.sync_data()?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use siaga_model::{NodeName, RunId};

    #[test]
    fn what_is_written_is_read_and_damage_is_no_absence() {
        let mount = tempfile::tempdir().unwrap();
        let epoch_of = |counter| Epoch {
            counter,
            issuer: NodeName::from("backup"),
            run: RunId::from("r9"),
        };
        let epoch = epoch_of(9);
        assert_eq!(read(mount.path()), Ok(None));
        assert!(write(mount.path(), &epoch).unwrap().changed);
        assert!(!write(mount.path(), &epoch).unwrap().changed);
        assert_eq!(read(mount.path()), Ok(Some(epoch)));
        let names: Vec<_> = std::fs::read_dir(mount.path())
            .unwrap()
            .map(|e| e.unwrap().file_name())
            .collect();
        assert_eq!(names, [".siaga"]);
        let file = mount.path().join(".siaga/epoch.json");
        let node = || std::os::unix::fs::MetadataExt::ino(&std::fs::metadata(&file).unwrap());
        // In its place, and not a byte longer than a sector.
        let (first, later) = (node(), epoch_of(10));
        assert!(write(mount.path(), &later).unwrap().changed);
        assert_eq!(read(mount.path()), Ok(Some(later)));
        assert_eq!(
            (node(), std::fs::metadata(&file).unwrap().len()),
            (first, 512)
        );
        // A record of an earlier version is shorter; one of a very long name is longer.
        std::fs::write(&file, serde_json::to_vec(&epoch_of(11)).unwrap()).unwrap();
        assert_eq!(read(mount.path()), Ok(Some(epoch_of(11))));
        for long in [
            epoch_of(12),
            Epoch {
                run: RunId::new("r".repeat(600)),
                ..epoch_of(13)
            },
            epoch_of(14),
        ] {
            assert!(write(mount.path(), &long).unwrap().changed);
            assert_eq!(read(mount.path()), Ok(Some(long)));
        }
        let good = serde_json::to_vec(&epoch_of(15)).unwrap();
        small_file::tests::each_trap(&file, &good, |what| {
            assert!(
                matches!(read(mount.path()), Err(Trouble::Unknown(_))),
                "{what}"
            );
        });
        std::fs::write(mount.path().join(".siaga/epoch.json"), b"{").unwrap();
        assert!(matches!(read(mount.path()), Err(Trouble::Unknown(_))));
    }
}
