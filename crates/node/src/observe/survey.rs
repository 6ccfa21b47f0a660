//! What this host has that a site's configuration is made of: a database that runs, or one that is stopped, the disk below
//! it, the disks that nothing uses, its cards and addresses.
//!
//! [`gather`] only collects texts and names, [`detect`] makes sense of them and touches nothing, so that every layout met
//! so far is a test.

mod cluster;
mod free;
mod gather;
mod network;
mod server;
mod storage;
#[cfg(test)]
mod tests;

pub(crate) use cluster::data_directory;
pub use gather::{gather, login_roles, neighbour};

use crate::observe::interfaces::Interface;
use serde::Serialize;
use std::path::PathBuf;

/// What was collected, as it was found.
#[derive(Clone, Debug, Default)]
pub struct Gathered {
    pub host: String,
    /// The processes whose program is called `postgres`.
    pub processes: Vec<ProcessText>,
    /// `/proc/self/mountinfo`.
    pub mountinfo: String,
    pub passwd: String,
    pub block: Vec<BlockText>,
    /// Links with names that stay, and the kernel's names that they lead to.
    pub links: Vec<(PathBuf, PathBuf)>,
    /// `vgs --reportformat json`, where there is LVM.
    pub vgs: Option<String>,
    /// `lvs --reportformat json`: also volumes that are not active.
    pub lvs: Option<String>,
    pub fstab: String,
    /// Debian's clusters, also those that do not run.
    pub clusters: Vec<ClusterText>,
    /// `/proc/net/route`.
    pub routes: String,
    pub interfaces: Vec<Interface>,
    /// Units of databases that are started at boot.
    pub boot_units: Vec<String>,
}

/// One process of a database server.
#[derive(Clone, Debug, Default)]
pub struct ProcessText {
    pub pid: i32,
    pub parent: i32,
    pub uid: u32,
    pub exe: PathBuf,
    /// Others than root could have changed it: root does not run it, and no server is made of it.
    pub not_roots: bool,
    /// The data directory: a server works in it.
    pub cwd: PathBuf,
    pub arguments: Vec<String>,
    /// `PGDATA` of its environment.
    pub pgdata: Option<String>,
    /// Where the directory that it was told leads.
    pub told_real: Option<PathBuf>,
    pub cgroup: String,
    pub pid_file: Option<String>,
    pub pg_version: Option<String>,
    /// Where the WAL and the table spaces really are.
    pub parts: Vec<(PathBuf, PathBuf)>,
}

/// One block device as sysfs has it.
#[derive(Clone, Debug, Default)]
pub struct BlockText {
    /// `8:1`
    pub number: String,
    /// `sda1`
    pub name: String,
    pub bytes: u64,
    pub dm_name: Option<String>,
    pub dm_uuid: Option<String>,
    /// The DRBD resource that it is, as `drbdadm` says.
    pub drbd: Option<String>,
    /// Names of the devices below it.
    pub below: Vec<String>,
    /// The name of the disk that it is a partition of.
    pub part_of: Option<String>,
    /// What udev saw on it, without a look of our own: `ext4`, `LVM2_member`.
    pub content: Option<String>,
    /// The UUID of that, as `fstab` may name it.
    pub uuid: Option<String>,
    /// Where it is a whole disk: it says that it knows persistent reservations and keeps them.
    pub reserves: bool,
}

/// One cluster below `/etc/postgresql`.
#[derive(Clone, Debug, Default)]
pub struct ClusterText {
    /// `15`
    pub version: String,
    /// `main`
    pub name: String,
    pub config_file: PathBuf,
    /// The configuration, and what it includes.
    pub text: String,
    /// Where its programs are, if they are there and root's.
    pub bin_dir: Option<PathBuf>,
    /// Is its data there now? It is not where its disk is mounted nowhere.
    pub has_data: bool,
}

/// What this host has.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Found {
    pub host: String,
    pub servers: Vec<Server>,
    /// Programs of servers that others than root could change.
    pub not_roots: Vec<PathBuf>,
    /// Debian's clusters that do not run.
    pub stopped: Vec<Cluster>,
    pub disks: Vec<Disk>,
    /// Those that nothing uses: not mounted, nothing lies on them, and the system is on none of their disks. Also volumes that are
    /// not active.
    pub free: Vec<Disk>,
    pub volume_groups: Vec<VolumeGroup>,
    /// Resources of DRBD, by their name.
    pub drbd: Vec<String>,
    pub cards: Vec<Card>,
    /// What starts a database at boot.
    pub boot_units: Vec<String>,
}

/// Where a server's configuration is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// Below `/etc/postgresql`.
    Debian,
    /// The RPM distributions': below `/var/lib/pgsql`, the configuration with the data.
    Rpm,
    /// With the data.
    DataDirectory,
    /// Somewhere else.
    Elsewhere,
}

/// A database server that runs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Server {
    pub pid: i32,
    pub layout: Layout,
    /// `15`
    pub version: String,
    pub bin_dir: PathBuf,
    pub data_dir: PathBuf,
    pub config_file: Option<PathBuf>,
    pub port: u16,
    pub socket_dir: PathBuf,
    pub os_user: String,
    /// The unit that it runs in.
    pub unit: Option<String>,
    /// Options that it was started with and that Siaga will not give it.
    pub other_options: Vec<String>,
    /// What lies outside the file system of the data directory: the link, and where it leads.
    pub outside: Vec<(PathBuf, PathBuf)>,
    /// The file system with its data; `None` where that is not on a block device.
    pub disk: Option<Disk>,
    /// The other file systems that it has parts on, each once, and none on the system's disks.
    pub further: Vec<Disk>,
    /// Roles that may log in, where it says.
    pub roles: Vec<String>,
}

/// A cluster that does not run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Cluster {
    pub version: String,
    pub name: String,
    pub config_file: PathBuf,
    pub data_dir: PathBuf,
    pub bin_dir: Option<PathBuf>,
    pub port: u16,
    pub socket_dir: PathBuf,
    /// Its data is there now.
    pub has_data: bool,
    /// The file system with its data, where it is there.
    pub disk: Option<Disk>,
}

/// A block device with a name that stays.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Disk {
    /// `/dev/disk/by-id/wwn-0x5000000000000001`
    pub device: PathBuf,
    /// `sda1`
    pub kernel_name: String,
    pub bytes: u64,
    /// Where it is mounted.
    pub mount_point: Option<PathBuf>,
    /// `ext4`
    pub file_system: Option<String>,
    pub mount_options: Vec<String>,
    /// The volume group that it is of.
    pub volume_group: Option<String>,
    /// The DRBD resource that it is.
    pub drbd: Option<String>,
    /// The whole disk with persistent reservations that it is, or that its volume group lies on alone.
    pub reserved: Option<PathBuf>,
    /// The DRBD resource that its volume group lies on alone.
    pub replica_below: Option<String>,
    /// Where `fstab` would mount it when it is told to: `noauto`.
    pub waits_at: Option<PathBuf>,
}

/// A volume group.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct VolumeGroup {
    pub name: String,
    pub system_id: String,
    /// The devices that it lies on.
    pub disks: Vec<PathBuf>,
}

/// A network card.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Card {
    pub name: String,
    pub hardware: String,
    /// Addresses with their prefix: `198.51.100.11/24`.
    pub addresses: Vec<String>,
    pub running: bool,
    /// The way out of this network leads through it.
    pub default_route: bool,
}

/// Makes sense of what was collected.
pub fn detect(gathered: &Gathered) -> Found {
    let disks = storage::disks(gathered);
    let volume_groups = storage::volume_groups(gathered.vgs.as_deref().unwrap_or_default());
    let servers = server::servers(gathered, &disks);
    Found {
        host: gathered.host.clone(),
        stopped: cluster::stopped(gathered, &servers, &disks),
        servers,
        not_roots: server::not_roots(gathered),
        free: free::free(gathered, &disks, &volume_groups),
        volume_groups,
        drbd: storage::resources(gathered),
        disks,
        cards: network::cards(gathered),
        boot_units: gathered.boot_units.clone(),
    }
}
