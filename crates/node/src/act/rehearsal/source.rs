//! What of a running service must be the same before and after a rehearsal, and how large it is.

use crate::act::postgres::Postgres;
use crate::act::postgres::process;
use crate::observe::pg_control;
use siaga_model::config::Service;
use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What this node sees of the service on itself.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Running {
    pub system_identifier: Option<String>,
    pub timeline: Option<u32>,
    pub postmaster: Option<(i32, u64)>,
    pub mount: Option<String>,
}

/// Looks.
pub fn look(service: &Service, server: &Postgres) -> Running {
    let found = process::find(&server.signature()).unwrap_or_default();
    let postmaster = process::postmaster(&found, server.said_pid()).map(|p| p.pid);
    let control = pg_control::read(&service.database.data_dir).ok();
    let mounts = service.file_systems.iter();
    let mounts: Option<Vec<_>> = mounts.map(|f| mount_of(&f.mount_point)).collect();
    Running {
        system_identifier: control.map(|c| c.system_identifier.to_string()),
        timeline: control.map(|c| c.timeline),
        postmaster: postmaster.and_then(|pid| Some((pid, started_at(pid)?))),
        mount: mounts.map(|m| m.join(", ")),
    }
}

/// When the kernel started a process, in ticks since the boot.
fn started_at(pid: i32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields = &stat[stat.rfind(')')? + 1..];
    fields.split_ascii_whitespace().nth(19)?.parse().ok()
}

/// The kernel's number of the mount on top of that place, and of its device.
fn mount_of(place: &Path) -> Option<String> {
    let table = std::fs::read_to_string("/proc/thread-self/mountinfo").ok()?;
    let fields = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let mut lines = table.lines().map(fields);
    let here = |f: &Vec<String>| f.get(4).is_some_and(|p| Path::new(p) == place);
    let line = lines.rfind(here)?;
    Some(format!("{} {}", line.first()?, line.get(2)?))
}

/// Bytes of the data directory and of its table spaces.
pub fn size(data_dir: &Path) -> u64 {
    let mut seen = BTreeSet::new();
    let mut waiting: Vec<PathBuf> = vec![data_dir.to_owned()];
    let spaces = std::fs::read_dir(data_dir.join("pg_tblspc"))
        .into_iter()
        .flatten();
    waiting.extend(
        spaces
            .flatten()
            .filter_map(|e| e.path().canonicalize().ok()),
    );
    waiting.extend(data_dir.join("pg_wal").canonicalize().ok());
    let mut bytes: u64 = 0;
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            // A file may be gone again by now.
            let Ok(meta) = entry.metadata() else { continue };
            if !seen.insert((meta.dev(), meta.ino())) {
                continue;
            }
            if meta.is_dir() {
                waiting.push(entry.path());
            } else if meta.is_file() {
                bytes = bytes.saturating_add(meta.blocks().saturating_mul(512));
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_counts_every_file_once_and_table_spaces_too() {
        let dir = tempfile::tempdir().unwrap();
        let (data, space) = (dir.path().join("data"), dir.path().join("space"));
        for path in [&data.join("base"), &data.join("pg_tblspc"), &space] {
            std::fs::create_dir_all(path).unwrap();
        }
        let large = |path: &Path| std::fs::write(path, vec![7; 1 << 20]).unwrap();
        large(&data.join("base/1"));
        std::fs::hard_link(data.join("base/1"), data.join("base/2")).unwrap();
        large(&space.join("3"));
        std::os::unix::fs::symlink(&space, data.join("pg_tblspc/16384")).unwrap();
        assert_eq!(size(&data) >> 20, 2);
    }

    #[test]
    fn this_process_was_started_at_some_time() {
        let pid = i32::try_from(std::process::id()).unwrap();
        assert!(started_at(pid).is_some_and(|t| t > 0));
        assert!(mount_of(Path::new("/")).is_some());
    }
}
