//! Which labs this machine has, which network each one uses, and which directories of this machine they made.
//!
//! One file under /run, gone with the last lab. The directories (/etc/siaga, /var/lib/siaga) are mount points that all
//! labs share, and removing one would take away the mounts of the others: only the last lab may.

use crate::error::{Doing, LabError, Result, on};
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

const DIR: &str = "/run/siaga-lab";
const FILE: &str = "/run/siaga-lab/registry.json";
/// What a lab needs to be there: two mount points, and the place where `ip netns` looks.
const NEEDED: [&str; 3] = ["/etc/siaga", "/var/lib/siaga", "/run/netns"];

#[derive(Default, Serialize, Deserialize)]
struct Content {
    labs: BTreeMap<String, Entry>,
    /// Directories that labs made, to be removed with the last one.
    made: Vec<PathBuf>,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    dir: PathBuf,
    slot: u8,
}

/// The registry, held.
pub(crate) struct Registry {
    content: Content,
    _lock: File,
}

impl Registry {
    /// Enters a lab, and makes the directories that it needs. Returns its slot.
    pub fn enter(name: &str, dir: &Path) -> Result<u8> {
        let mut registry = Self::hold()?;
        if let Some(entry) = registry.content.labs.get(name) {
            return Err(LabError::Exists {
                name: name.to_owned(),
                dir: entry.dir.clone(),
            });
        }
        let used: Vec<u8> = registry
            .content
            .labs
            .values()
            .map(|entry| entry.slot)
            .collect();
        let slot = (0..=u8::MAX)
            .find(|slot| !used.contains(slot))
            .ok_or(LabError::NoSlot)?;
        registry.content.labs.insert(
            name.to_owned(),
            Entry {
                dir: dir.to_owned(),
                slot,
            },
        );
        for path in NEEDED.map(PathBuf::from) {
            if !path.is_dir() && !registry.content.made.contains(&path) {
                registry.content.made.push(path);
            }
        }
        // Written before the directories are made, so that a crash in between leaves none behind.
        registry.save()?;
        for path in NEEDED.map(Path::new) {
            std::fs::create_dir_all(path).doing(|| on("make", path))?;
        }
        Ok(slot)
    }

    /// Takes a lab out; with the last one goes all that labs made. Nothing happens if it is not in.
    pub fn leave(name: &str) -> Result<()> {
        if !Path::new(DIR).is_dir() {
            return Ok(());
        }
        let mut registry = Self::hold()?;
        registry.content.labs.remove(name);
        if !registry.content.labs.is_empty() {
            return registry.save();
        }
        for path in &registry.content.made {
            // Somebody else may use it by now: then it is not empty, and stays.
            let _ = std::fs::remove_dir(path);
        }
        let _ = std::fs::remove_file(FILE);
        std::fs::remove_dir(DIR).doing(|| on("remove", Path::new(DIR)))
    }

    /// Where the lab of that name lies.
    pub fn dir_of(name: &str) -> Result<Option<PathBuf>> {
        Ok(load()?.labs.remove(name).map(|entry| entry.dir))
    }

    fn hold() -> Result<Self> {
        let dir = Path::new(DIR);
        loop {
            std::fs::create_dir_all(dir).doing(|| on("make", dir))?;
            let Ok(lock) = File::open(dir) else { continue };
            flock(&lock, FlockOperation::LockExclusive).doing(|| on("lock", dir))?;
            let held = lock.metadata().doing(|| on("look at", dir))?.ino();
            // The last lab may have removed it while this waited.
            if std::fs::metadata(dir).is_ok_and(|now| now.ino() == held) {
                return Ok(Self {
                    content: load()?,
                    _lock: lock,
                });
            }
        }
    }

    fn save(&self) -> Result<()> {
        let text =
            serde_json::to_vec(&self.content).doing(|| "write the registry of labs".into())?;
        let new = Path::new(DIR).join("registry.new");
        std::fs::write(&new, text).doing(|| on("write", &new))?;
        std::fs::rename(&new, FILE).doing(|| on("replace", Path::new(FILE)))
    }
}

fn load() -> Result<Content> {
    match std::fs::read(FILE) {
        Ok(text) => serde_json::from_slice(&text).doing(|| on("read", Path::new(FILE))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Content::default()),
        Err(error) => Err(error).doing(|| on("read", Path::new(FILE))),
    }
}
