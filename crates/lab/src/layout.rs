//! Where everything of a lab lies.

use crate::error::{LabError, Result};
use crate::machine::Machine;
use std::path::{Path, PathBuf};

/// A unix socket's path has room for 107 bytes; the longest one below the lab's directory needs this many.
const LONGEST_SOCKET: usize = "/nodes/serverdb/init.sock".len();
const DIR_AT_MOST: usize = 107 - LONGEST_SOCKET;

/// The mount point of the service's file system, in both nodes.
pub const SERVICE_MOUNT: &str = "/srv/simrs";
/// The database's data directory.
pub const DATA_DIR: &str = "/srv/simrs/pg";
/// The service's name.
pub const SERVICE: &str = "simrs";
/// Where the agents listen.
pub const AGENT_PORT: u16 = 7443;
/// Where each agent serves its numbers.
pub const METRICS_PORT: u16 = 9187;
/// The database that the service is about, and the role that owns it.
pub const DATABASE: &str = "simrs";
/// Where `siaga` looks for its configuration.
pub const CONFIG_FILE: &str = "/etc/siaga/siaga.toml";
/// Where the probe looks for its configuration.
pub const PROBE_FILE: &str = "/etc/siaga/probe.toml";
/// The fence devices' password inside a node.
pub const SECRET_FILE: &str = "/etc/siaga/fence.secret";
/// The agent's point to crash at, inside a node.
pub const CRASH_FILE: &str = "/run/siaga/lab-crash";

/// The files of one lab.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Layout {
    dir: PathBuf,
}

impl Layout {
    /// A lab in `dir`, which is absolute.
    pub fn new(dir: PathBuf) -> Result<Self> {
        if !dir.is_absolute()
            || dir.parent().is_none()
            || dir.components().any(|part| part.as_os_str() == "..")
        {
            return Err(LabError::BadDir(dir));
        }
        if dir.as_os_str().len() > DIR_AT_MOST {
            return Err(LabError::DirTooLong {
                dir,
                most: DIR_AT_MOST,
            });
        }
        Ok(Self { dir })
    }

    /// The directory that a lab of this name gets by itself.
    pub fn default_dir(name: &str) -> PathBuf {
        PathBuf::from(format!("/var/tmp/siaga-lab-{name}"))
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The lab's state, as JSON.
    pub fn state(&self) -> PathBuf {
        self.dir.join("lab.json")
    }

    /// Held by whoever changes the lab.
    pub fn lock(&self) -> PathBuf {
        self.dir.join("lock")
    }

    /// The image of the shared disk.
    pub fn lun_image(&self) -> PathBuf {
        self.dir.join("lun.img")
    }

    /// The socket of the fence devices.
    pub fn control_socket(&self) -> PathBuf {
        self.dir.join("control.sock")
    }

    /// The fence devices' log.
    pub fn controller_log(&self) -> PathBuf {
        self.dir.join("controller.log")
    }

    /// The directory of the fence programs.
    pub fn fence_dir(&self) -> PathBuf {
        self.dir.join("fence")
    }

    /// The fence devices' password.
    pub fn secret(&self) -> PathBuf {
        self.dir.join("fence.secret")
    }

    /// The directory of a machine.
    pub fn machine(&self, machine: Machine) -> PathBuf {
        self.dir.join("nodes").join(machine.name())
    }

    /// What a machine sees as /etc/siaga.
    pub fn etc(&self, machine: Machine) -> PathBuf {
        self.machine(machine).join("etc-siaga")
    }

    /// What the client sees as /var/lib/siaga; the nodes have a disk for it.
    pub fn client_state(&self) -> PathBuf {
        self.machine(Machine::Client).join("var-lib-siaga")
    }

    /// The image of a node's own disk.
    pub fn state_image(&self, node: Machine) -> PathBuf {
        self.machine(node).join("state.img")
    }

    /// A link to the device that is the shared disk on that node; the device changes with a power cut, the link stays.
    pub fn lun_link(&self, node: Machine) -> PathBuf {
        self.machine(node).join("lun")
    }

    /// What the agent (on the client: the probe) writes.
    pub fn agent_log(&self, machine: Machine) -> PathBuf {
        self.machine(machine).join("agent.log")
    }

    /// What the machine's first process writes.
    pub fn console_log(&self, machine: Machine) -> PathBuf {
        self.machine(machine).join("console.log")
    }

    /// The socket of the machine's first process.
    pub fn init_socket(&self, machine: Machine) -> PathBuf {
        self.machine(machine).join("init.sock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_is_too_long_for_sockets_or_relative_is_refused() {
        let longest = format!("/{}", "x".repeat(DIR_AT_MOST - 1));
        let layout = Layout::new(longest.clone().into()).unwrap();
        assert!(layout.init_socket(Machine::Serverdb).as_os_str().len() <= 107);
        assert!(Layout::new(format!("{longest}x").into()).is_err());
        for bad in ["", "lab", "/", "/var/../tmp"] {
            assert!(Layout::new(bad.into()).is_err(), "{bad}");
        }
    }
}
