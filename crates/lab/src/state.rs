//! What a lab remembers: `lab.json`, changed only under the lab's lock.

use crate::args::{FenceSet, FsKind, SiteLanguage, Which};
use crate::error::{Doing, LabError, Result, on};
use crate::layout::Layout;
use crate::loopdev::LoopDevice;
use crate::machine::{MACHINES, Machine, Net};
use crate::process::ProcessId;
use crate::registry::Registry;
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The lab as `lab.json` holds it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct LabState {
    pub name: String,
    pub net: Net,
    pub options: Options,
    /// Directory with the PostgreSQL programs.
    pub pg_bin: PathBuf,
    /// The `siaga` program that the machines run; `None` in a lab without agents.
    pub siaga: Option<PathBuf>,
    pub controller: Option<ProcessId>,
    pub machines: BTreeMap<Machine, MachineState>,
    /// Node is cut from node.
    pub partitioned: bool,
    /// `up` came to its end.
    pub complete: bool,
}

/// What `lab up` was asked for.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Options {
    pub size: u64,
    pub sector_size: u32,
    pub fs: FsKind,
    pub mmp: bool,
    pub scale: u32,
    pub fence: FenceSet,
    pub language: SiteLanguage,
}

/// What is known of one machine.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct MachineState {
    /// Set before its first process starts, cleared when a power cut is complete.
    pub powered: bool,
    /// The first process of its PID namespace.
    pub init: Option<ProcessId>,
    pub frozen: bool,
    /// Its device for the shared disk.
    pub lun: Option<LoopDevice>,
    /// Its own disk.
    pub disk: Option<LoopDevice>,
    /// By `cut-disk`.
    pub disk_cut: bool,
    /// By the fabric fence.
    pub fabric_cut: bool,
    /// Its fence devices lost their power with it.
    pub fence_dead: bool,
}

impl MachineState {
    /// Its first process, if that is alive.
    pub fn live_init(&self) -> Option<ProcessId> {
        self.init.filter(|init| init.is_alive())
    }

    /// Whether the way to the shared disk must be cut now.
    pub fn lun_is_cut(&self) -> bool {
        self.disk_cut || self.fabric_cut || !self.powered
    }
}

impl LabState {
    /// A machine's state; machines that were never booted have the default one.
    pub fn machine(&self, machine: Machine) -> MachineState {
        self.machines.get(&machine).copied().unwrap_or_default()
    }

    /// A machine's state, to change.
    pub fn machine_mut(&mut self, machine: Machine) -> &mut MachineState {
        self.machines.entry(machine).or_default()
    }

    /// The name of a machine's network namespace.
    pub fn netns(&self, machine: Machine) -> String {
        netns_name(&self.name, machine.name())
    }

    /// The name of the network namespace with the bridges.
    pub fn switch(&self) -> String {
        netns_name(&self.name, "switch")
    }

    /// How a client reaches the database.
    pub fn dsn(&self) -> String {
        let user = crate::layout::DATABASE;
        format!("postgresql://{user}@{}:5432/{user}", self.net.vip())
    }
}

/// Every network namespace that a lab of that name can have.
pub(crate) fn netns_names(lab: &str) -> Vec<String> {
    MACHINES
        .iter()
        .map(|m| m.name())
        .chain(["switch"])
        .map(|part| netns_name(lab, part))
        .collect()
}

fn netns_name(lab: &str, part: &str) -> String {
    format!("siaga-{lab}-{part}")
}

/// A lab that is held: nobody else changes it meanwhile.
pub(crate) struct Lab {
    pub layout: Layout,
    pub state: LabState,
    _lock: File,
}

impl Lab {
    /// Takes the lock of a lab that is up, and reads its state.
    pub fn open(which: &Which) -> Result<Self> {
        let layout = locate(which)?;
        Self::open_at(layout, &which.name)
    }

    /// The same, where the directory is known.
    pub fn open_at(layout: Layout, name: &str) -> Result<Self> {
        let not_up = || LabError::NotUp {
            name: name.to_owned(),
            dir: layout.dir().to_owned(),
        };
        let lock = lock(&layout.lock())?.ok_or_else(not_up)?;
        match load(&layout.state())? {
            Some(state) if state.complete => Ok(Self {
                layout,
                state,
                _lock: lock,
            }),
            _ => Err(LabError::HalfUp {
                name: name.to_owned(),
                dir: layout.dir().to_owned(),
            }),
        }
    }

    /// A new lab, whose directory is there and whose lock is held.
    pub fn new(layout: Layout, state: LabState, lock: File) -> Self {
        Self {
            layout,
            state,
            _lock: lock,
        }
    }

    /// Writes the state, whole or not at all.
    pub fn save(&self) -> Result<()> {
        let path = self.layout.state();
        let text =
            serde_json::to_vec_pretty(&self.state).doing(|| "write the lab's state".into())?;
        let new = path.with_extension("new");
        std::fs::write(&new, text).doing(|| on("write", &new))?;
        std::fs::rename(&new, &path).doing(|| on("replace", &path))
    }
}

/// Reads a lab without holding it, for those who only look.
pub(crate) fn look(which: &Which) -> Result<(Layout, LabState)> {
    let layout = locate(which)?;
    match load(&layout.state())? {
        Some(state) if state.complete => Ok((layout, state)),
        Some(_) => Err(LabError::HalfUp {
            name: which.name.clone(),
            dir: layout.dir().to_owned(),
        }),
        None => Err(LabError::NotUp {
            name: which.name.clone(),
            dir: layout.dir().to_owned(),
        }),
    }
}

/// The state in that file; `None` when there is none.
pub(crate) fn load(path: &Path) -> Result<Option<LabState>> {
    match std::fs::read(path) {
        Ok(text) => serde_json::from_slice(&text)
            .doing(|| on("read", path))
            .map(Some),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).doing(|| on("read", path)),
    }
}

/// Where the lab is: as told, or where `up` put it.
pub(crate) fn locate(which: &Which) -> Result<Layout> {
    check_name(&which.name)?;
    let dir = match &which.dir {
        Some(dir) => Some(dir.clone()),
        None => Registry::dir_of(&which.name)?,
    };
    Layout::new(dir.unwrap_or_else(|| Layout::default_dir(&which.name)))
}

/// Lab names go into file and namespace names.
pub(crate) fn check_name(name: &str) -> Result<()> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let good =
        (1..=32).contains(&name.len()) && name.chars().all(allowed) && !name.starts_with('-');
    if good {
        Ok(())
    } else {
        Err(LabError::BadName(name.to_owned()))
    }
}

/// Takes the lock file, waiting for whoever has it; `None` when there is no such file.
pub(crate) fn lock(path: &Path) -> Result<Option<File>> {
    loop {
        let file = match File::options().read(true).write(true).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).doing(|| on("open", path)),
        };
        flock(&file, FlockOperation::LockExclusive).doing(|| on("lock", path))?;
        // While this waited, `down` may have removed the file, and another `up` made a new one.
        let held = file.metadata().doing(|| on("look at", path))?;
        if std::fs::metadata(path)
            .is_ok_and(|now| (now.dev(), now.ino()) == (held.dev(), held.ino()))
        {
            return Ok(Some(file));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_would_leave_their_place_are_refused() {
        for good in ["lab", "a", "x-1", "0"] {
            check_name(good).unwrap();
        }
        for bad in ["", "-a", "A", "a/b", "..", "a b", &"a".repeat(33)] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_lock_that_was_removed_while_waiting_is_not_taken() {
        let dir = std::env::temp_dir().join(format!("siaga-lab-lock-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let path = dir.join("lock");
        File::create(&path).unwrap();
        let held = lock(&path).unwrap().unwrap();
        let waiting = {
            let path = path.clone();
            std::thread::spawn(move || lock(&path).unwrap().is_some())
        };
        std::thread::sleep(std::time::Duration::from_millis(50));
        std::fs::remove_file(&path).unwrap();
        drop(held);
        let taken = waiting.join().unwrap();
        std::fs::remove_dir_all(&dir).unwrap();
        assert!(!taken, "took the lock of a lab that has gone");
    }
}
