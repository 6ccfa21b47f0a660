//! The mandate recorded on the disk set itself: read again after every mount.

use super::durable_file;
use siaga_model::run::FailureKind;
use siaga_model::{Epoch, Why};
use siaga_runner::hands::{Acted, Did, Trouble};
use std::path::Path;

/// The only directory that Siaga makes on the disk set.
const DIRECTORY: &str = ".siaga";
const FILE: &str = "epoch.json";

/// The recorded epoch of the file system mounted at `mount_point`; `None` where none was ever recorded.
pub fn read(mount_point: &Path) -> Result<Option<Epoch>, Trouble> {
    let path = mount_point.join(DIRECTORY).join(FILE);
    let failed = |why: String| Trouble::Unknown(Why::system(format!("{}: {why}", path.display())));
    match durable_file::read(&path).map_err(|e| failed(e.to_string()))? {
        None => Ok(None),
        Some(content) => serde_json::from_slice(&content)
            .map(Some)
            .map_err(|e| failed(e.to_string())),
    }
}

/// Records the epoch, durably.
pub fn write(mount_point: &Path, epoch: &Epoch) -> Acted {
    if read(mount_point)?.as_ref() == Some(epoch) {
        return Ok(Did::nothing());
    }
    let directory = mount_point.join(DIRECTORY);
    let failed = |e: std::io::Error| {
        Trouble::failed(
            FailureKind::Io,
            Why::system(format!("{}: {e}", directory.display())),
        )
    };
    let content =
        serde_json::to_vec(epoch).map_err(|e| Trouble::failed(FailureKind::Io, Why::system(e)))?;
    if !directory.is_dir() {
        std::fs::create_dir(&directory).map_err(failed)?;
        std::fs::File::open(mount_point)
            .and_then(|d| d.sync_all())
            .map_err(failed)?;
    }
    durable_file::replace(&directory.join(FILE), &content).map_err(failed)?;
    Ok(Did::changed(Vec::new()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use siaga_model::{NodeName, RunId};

    #[test]
    fn what_is_written_is_read_and_damage_is_no_absence() {
        let mount = tempfile::tempdir().unwrap();
        let epoch = Epoch {
            counter: 9,
            issuer: NodeName::from("backup"),
            run: RunId::from("r9"),
        };
        assert_eq!(read(mount.path()), Ok(None));
        assert!(write(mount.path(), &epoch).unwrap().changed);
        assert!(!write(mount.path(), &epoch).unwrap().changed);
        assert_eq!(read(mount.path()), Ok(Some(epoch)));
        let names: Vec<_> = std::fs::read_dir(mount.path())
            .unwrap()
            .map(|e| e.unwrap().file_name())
            .collect();
        assert_eq!(names, [".siaga"]);
        std::fs::write(mount.path().join(".siaga/epoch.json"), b"{").unwrap();
        assert!(matches!(read(mount.path()), Err(Trouble::Unknown(_))));
    }
}
