//! `lab down`: removes all that a lab made, whatever is left of it. It trusts no state: what belongs to the lab is found
//! by its name and its directory.

use crate::args::Which;
use crate::error::{Doing, LabError, Result, on};
use crate::layout::Layout;
use crate::loopdev::devices_under;
use crate::machine::MACHINES;
use crate::net::{netns_path, remove_netns};
use crate::process;
use crate::registry::Registry;
use crate::state::{self, LabState, netns_names};
use crate::tools::IP;
use std::path::Path;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(30);

/// Removes a lab. Whether there was anything to remove.
pub(crate) fn down(which: &Which) -> Result<bool> {
    let layout = state::locate(which)?;
    // An `up` or a power cut that is going on ends first.
    let lock = state::lock(&layout.lock())?;
    let known = known(which, &layout)?;
    let there = remove(&which.name, &layout, known.as_ref(), lock.is_some());
    drop(lock);
    there
}

/// The state, where it can be read; a broken file is no reason to leave the rest behind.
fn known(which: &Which, layout: &Layout) -> Result<Option<LabState>> {
    let known = state::load(&layout.state()).ok().flatten();
    match known {
        Some(state) if state.name != which.name => {
            let dir = layout.dir().display();
            Err(LabError::Broken(format!(
                "{dir} is the lab {:?}, not {:?}",
                state.name, which.name
            )))
        }
        other => Ok(other),
    }
}

/// The removal itself; the caller holds the lab's lock, if there is one.
pub(crate) fn remove(
    name: &str,
    layout: &Layout,
    known: Option<&LabState>,
    is_lab: bool,
) -> Result<bool> {
    let mut there = kill_all(layout, known)?;
    there |= remove_networks(name)?;
    let devices = devices_under(layout.dir());
    for device in &devices {
        there = true;
        device.detach(PATIENCE)?;
    }
    // Only what `up` made: it begins with the lock.
    if is_lab {
        there = true;
        std::fs::remove_dir_all(layout.dir()).doing(|| on("remove", layout.dir()))?;
    }
    Registry::leave(name)?;
    Ok(there)
}

/// Kills the fence devices and every machine's first process, and with it the machine.
fn kill_all(layout: &Layout, known: Option<&LabState>) -> Result<bool> {
    let mut any = false;
    if let Some(state) = known {
        let inits = state.machines.values().filter_map(|machine| machine.init);
        for process in state
            .controller
            .into_iter()
            .chain(inits)
            .filter(|process| process.is_alive())
        {
            any = true;
            process.kill_and_wait(PATIENCE)?;
        }
    }
    // What a killed `up` started and could not write down. One that dies may just have started another.
    loop {
        let helpers = process::helpers_of(layout.dir());
        if helpers.is_empty() {
            return Ok(any);
        }
        for process in helpers {
            any = true;
            process.kill_and_wait(PATIENCE)?;
        }
    }
}

fn remove_networks(name: &str) -> Result<bool> {
    let names: Vec<String> = netns_names(name)
        .into_iter()
        .filter(|name| netns_path(name).exists())
        .collect();
    if let Some(switch) = names.iter().find(|name| name.ends_with("-switch")) {
        for port in MACHINES.iter().flat_map(|machine| machine.ports()) {
            // Gone with its machine, mostly.
            let _ = IP.run(["-n", switch, "link", "delete", &port]);
        }
    }
    for name in &names {
        remove_netns(name)?;
    }
    Ok(!names.is_empty())
}

/// Whether a directory may become a lab's: not there, or empty.
pub(crate) fn is_free(dir: &Path) -> bool {
    match std::fs::read_dir(dir) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    }
}
