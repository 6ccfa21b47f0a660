//! Where things lie: what the machines boot from, and the folders of this run.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// `target/vm` of this work tree.
pub(crate) fn images() -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/vm");
    path.canonicalize()
        .unwrap_or_else(|_| panic!("{} is missing: run scripts/vm/image.sh", path.display()))
}

/// The folders of one run. Removed when dropped.
pub(crate) struct Folders {
    /// Disks.
    pub disks: PathBuf,
    /// Sockets: a short path, since theirs are limited.
    pub sockets: PathBuf,
}

impl Folders {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        sweep(&images());
        sweep(&std::env::temp_dir());
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{PREFIX}{}-{number}", std::process::id());
        let folders = Self {
            disks: images().join(&name),
            sockets: std::env::temp_dir().join(&name),
        };
        for folder in [&folders.disks, &folders.sockets] {
            std::fs::create_dir_all(folder).expect("a folder of this run");
        }
        folders
    }
}

impl Drop for Folders {
    fn drop(&mut self) {
        for folder in [&self.disks, &self.sockets] {
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

const PREFIX: &str = "siaga-vm-run-";

/// Removes what runs left whose process was killed.
fn sweep(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(process) = name
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.split('-').next())
        else {
            continue;
        };
        if !Path::new("/proc").join(process).exists() {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}
