//! Reads ahead, while the server starts, what its first clients will wait for: the tables of its catalogues. On a disk set that was
//! mounted a moment ago nothing is cached, and a first connection reads some hundred small places one after the other.
//!
//! Only a help: it reads, it is bounded, it ends with the start, and nothing hangs on it.

use crate::small_file;
use rustix::fs::{Advice, fadvise};
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// Of each file. The catalogue's larger tables hold what no connection reads whole.
const OF_EACH: u64 = 128 * 1024;
/// Of all, in bytes: some six databases. Recovery wants the disk too.
const OF_ALL: u64 = 32 * 1024 * 1024;
/// Numbers below are the server's own objects (`FirstNormalObjectId` in `access/transam.h`).
const FIRST_USER_OBJECT: u32 = 16384;
/// `template1` and `template0` (from version 15 on, `catalog/pg_database.dat`): nobody connects there.
const TEMPLATES: [&str; 2] = ["1", "4"];
/// How long the end of a start waits for a file that is just being opened: an open file would keep an unmount off.
const LAST_FILE_WITHIN: Duration = Duration::from_secs(1);

/// Reads ahead until it is dropped.
pub struct Ahead {
    stop: Arc<AtomicBool>,
    ended: Receiver<()>,
}

impl Ahead {
    /// Begins. Where no thread can be had, nothing is read.
    pub fn begin(data_dir: &Path) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (end, ended) = channel();
        let (data_dir, told) = (data_dir.to_owned(), Arc::clone(&stop));
        let _ = std::thread::Builder::new()
            .name("read-ahead".into())
            .spawn(move || {
                read_ahead(&data_dir, &told);
                drop(end);
            });
        Self { stop, ended }
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.ended.recv_timeout(LAST_FILE_WITHIN);
    }
}

fn read_ahead(data_dir: &Path, stop: &AtomicBool) {
    let mut left = OF_ALL;
    for folder in folders(data_dir) {
        for file in catalogue(&folder) {
            if stop.load(Ordering::Relaxed) || left == 0 {
                return;
            }
            left = left.saturating_sub(ask_for(&file));
        }
    }
}

/// Asks the kernel for the file's beginning, without waiting for it. Says how much that is.
fn ask_for(path: &Path) -> u64 {
    let Ok(file) = small_file::open(path) else {
        return 0;
    };
    let length = file.metadata().map_or(0, |m| m.len()).min(OF_EACH);
    let _ = fadvise(&file, 0, NonZeroU64::new(length), Advice::WillNeed);
    length
}

/// The shared catalogue first, then each database's.
fn folders(data_dir: &Path) -> Vec<PathBuf> {
    let databases = names(&data_dir.join("base"));
    let used = databases
        .into_iter()
        .filter(|name| number(name).is_some() && !TEMPLATES.contains(&name.as_str()))
        .map(|name| data_dir.join("base").join(name));
    std::iter::once(data_dir.join("global"))
        .chain(used)
        .collect()
}

/// The main files of the server's own tables and indexes.
fn catalogue(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let own = |name: &String| number(name).is_some_and(|n| n < FIRST_USER_OBJECT);
    let folder = folder.to_owned();
    names(&folder)
        .into_iter()
        .filter(own)
        .map(move |name| folder.join(name))
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect()
}

fn number(name: &str) -> Option<u32> {
    name.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cluster() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for name in [
            "global/1262",
            "global/pg_control",
            "base/1/1259",
            "base/4/1259",
            "base/5/1259",
            "base/5/1259_fsm",
            "base/5/16390",
            "base/16388/1249",
            "base/pgsql_tmp/1",
        ] {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, [0; 8192]).unwrap();
        }
        dir
    }

    #[test]
    fn the_catalogues_of_databases_that_clients_use_are_read_and_nothing_else() {
        let dir = cluster();
        let mut read: Vec<String> = folders(dir.path())
            .iter()
            .flat_map(|f| catalogue(f))
            .map(|p| p.strip_prefix(dir.path()).unwrap().display().to_string())
            .collect();
        assert_eq!(read[0], "global/1262", "the shared one first");
        read.sort();
        assert_eq!(read, ["base/16388/1249", "base/5/1259", "global/1262"]);
    }

    #[test]
    fn it_holds_no_file_when_it_has_ended_and_a_missing_directory_is_nothing() {
        let dir = cluster();
        drop(Ahead::begin(dir.path()));
        let open = || {
            let links = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
            links
                .filter_map(|l| std::fs::read_link(l.path()).ok())
                .filter(|to| to.starts_with(dir.path()))
                .count()
        };
        assert_eq!(open(), 0);
        drop(Ahead::begin(Path::new("/nonexistent")));
    }

    #[test]
    fn a_huge_cluster_is_read_in_part() {
        let dir = cluster();
        let big = dir.path().join("base/5/1255");
        let file = std::fs::File::create(&big).unwrap();
        file.set_len(1 << 30).unwrap();
        assert_eq!(ask_for(&big), OF_EACH);
        let stopped = AtomicBool::new(true);
        read_ahead(dir.path(), &stopped);
    }
}
