//! The configuration of a site as checked values. `siaga-config` is the only maker: it parses `siaga.toml`,
//! reports every error with its place, and returns this.

mod fence;

use crate::ids::{NodeName, PersonName, ServiceName};
pub use fence::{Fence, FenceKind};
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// A whole site.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Config {
    pub site: Site,
    pub document: Document,
    pub people: Vec<Person>,
    pub nodes: Vec<Node>,
    pub services: Vec<Service>,
    pub policy: Policy,
    /// Units, notices, incidents.
    #[serde(default)]
    pub downtime: crate::downtime::Downtime,
}

impl Config {
    /// The node of that name.
    pub fn node(&self, name: &NodeName) -> Option<&Node> {
        self.nodes.iter().find(|n| &n.name == name)
    }
    /// The service of that name.
    pub fn service(&self, name: &ServiceName) -> Option<&Service> {
        self.services.iter().find(|s| &s.name == name)
    }
    /// May anybody attest that a silent node is off? Only who stands in the list of people, and may do more than look.
    pub fn somebody_may_attest(&self) -> bool {
        self.people.iter().any(|p| p.role != Role::Viewer)
    }
    /// Every node but `name`.
    pub fn others<'a>(&'a self, name: &'a NodeName) -> impl Iterator<Item = &'a Node> {
        self.nodes.iter().filter(move |n| &n.name != name)
    }
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Site {
    pub name: String,
    pub language: Language,
    /// An IANA zone name, for display only: `Asia/Jakarta`.
    pub time_zone: String,
}

/// The language of what people read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum Language {
    /// English, the source.
    #[serde(rename = "en")]
    #[default]
    English,
    /// Indonesian.
    #[serde(rename = "id")]
    Indonesian,
}

/// The header box of the site's written procedure.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Document {
    pub title: String,
    pub number: String,
    pub revision: String,
    /// As printed on the paper: `2022-08-01`.
    pub issued_on: String,
    pub approved_by: String,
    pub policy: Vec<String>,
    pub related_units: Vec<String>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Person {
    pub name: PersonName,
    pub role: Role,
    /// The account on the nodes that is this person's, where there is one.
    pub login: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// May run every command.
    Operator,
    /// Decides on a takeover, asks for a failback.
    Decider,
    /// Approves planned work.
    Approver,
    /// Writes and sends notices, and keeps the record of an incident. May not touch servers.
    Communicator,
    /// May look.
    Viewer,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Node {
    pub name: NodeName,
    /// Addresses of the peer's agent, one per network path, in the order they are tried.
    pub addresses: Vec<SocketAddr>,
    /// The node's registered hardware addresses, lower case: an ARP answer counts as the node only from these.
    pub hardware_addresses: Vec<String>,
    /// Fence devices, in the order they are tried.
    pub fences: Vec<Fence>,
    /// Where this node's agent serves its numbers and its health to a monitoring system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics: Option<SocketAddr>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Service {
    pub name: ServiceName,
    pub preferred_node: NodeName,
    pub disk_set: DiskSet,
    pub file_systems: Vec<FileSystem>,
    pub virtual_ips: Vec<VirtualIp>,
    pub database: Database,
    pub applications: Vec<Application>,
    pub client_tests: Vec<ClientTest>,
    /// Run on other hosts after a move (a pool to reset). Failure is reported and undoes nothing.
    pub after_move: Vec<NamedCommand>,
    /// What tells how old the newest backup is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<BackupAge>,
    #[serde(default)]
    pub rehearsal: Rehearsal,
}

impl Service {
    /// The block device that carries `file_system` on `node`.
    pub fn device_of<'a>(
        &'a self,
        file_system: &'a FileSystem,
        node: &NodeName,
    ) -> Option<&'a PathBuf> {
        let own = &file_system.devices;
        match own.is_empty() {
            true => self.disk_set.device(node),
            false => own.iter().find(|(n, _)| n == node).map(|(_, p)| p),
        }
    }

    /// Every block device of the disk set on `node`, in the order of the file systems. The first carries the data directory.
    pub fn devices(&self, node: &NodeName) -> Vec<&PathBuf> {
        let of = |f| self.device_of(f, node);
        self.file_systems.iter().filter_map(of).collect()
    }
}

/// How the service is rehearsed on the standby.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Rehearsal {
    /// The database role that may copy the database. `None`: that of the local check.
    pub user: Option<String>,
    /// A file that holds the role's password.
    pub password_file: Option<PathBuf>,
    /// What the copy may take of the holder's disk and network, MiB per second.
    pub max_rate_mebibytes: u32,
    /// Where the copy lies for the time being. `None`: `rehearsal` in the agent's state directory.
    pub folder: Option<PathBuf>,
    /// What the whole rehearsal may take.
    pub within: Duration,
    /// What the look at the indexes may take of it.
    pub amcheck: Duration,
}

impl Default for Rehearsal {
    fn default() -> Self {
        Self {
            user: None,
            password_file: None,
            max_rate_mebibytes: 32,
            folder: None,
            within: Duration::from_secs(4 * 3600),
            amcheck: Duration::from_secs(60),
        }
    }
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct DiskSet {
    pub driver: DiskSetDriver,
    /// The block device on each node.
    pub devices: Vec<(NodeName, PathBuf)>,
}

impl DiskSet {
    /// The device of the disk set as `node` sees it.
    pub fn device(&self, node: &NodeName) -> Option<&PathBuf> {
        self.devices.iter().find(|(n, _)| n == node).map(|(_, p)| p)
    }

    /// The disk with persistent reservations as `node` sees it, where the disk set has one.
    pub fn reserved_device(&self, node: &NodeName) -> Option<&PathBuf> {
        let devices = match &self.driver {
            DiskSetDriver::Scsi => &self.devices,
            DiskSetDriver::Lvm {
                on: Some(Below::Scsi(devices)),
                ..
            } => devices,
            DiskSetDriver::Block
            | DiskSetDriver::Command(_)
            | DiskSetDriver::Lvm { .. }
            | DiskSetDriver::Drbd { .. } => return None,
        };
        devices.iter().find(|(n, _)| n == node).map(|(_, p)| p)
    }

    /// The DRBD resource that the disk set is, or lies on.
    pub fn resource(&self) -> Option<&str> {
        match &self.driver {
            DiskSetDriver::Drbd { resource }
            | DiskSetDriver::Lvm {
                on: Some(Below::Drbd(resource)),
                ..
            } => Some(resource),
            DiskSetDriver::Block
            | DiskSetDriver::Command(_)
            | DiskSetDriver::Scsi
            | DiskSetDriver::Lvm { .. } => None,
        }
    }

    /// Can a node be kept from writing by a persistent reservation?
    pub fn reserves(&self) -> bool {
        match &self.driver {
            DiskSetDriver::Scsi
            | DiskSetDriver::Lvm {
                on: Some(Below::Scsi(_)),
                ..
            } => true,
            DiskSetDriver::Block
            | DiskSetDriver::Command(_)
            | DiskSetDriver::Lvm { .. }
            | DiskSetDriver::Drbd { .. } => false,
        }
    }
}

/// What makes the disk set exclusive.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DiskSetDriver {
    /// A plain block device: exclusive only by the proofs.
    Block,
    /// Programs of the site.
    Command(DiskSetPrograms),
    /// A volume group with a system ID; the device is one of its volumes.
    Lvm {
        volume_group: String,
        /// What the group's disk is exclusive by, beside.
        on: Option<Below>,
    },
    /// Persistent reservations on the device itself: a SCSI disk, or a multipath map.
    Scsi,
    /// A replicated device (DRBD): primary on the node that holds it.
    Drbd { resource: String },
}

/// What a volume group lies on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Below {
    /// A disk, or a multipath map, with persistent reservations: its device on each node.
    Scsi(Vec<(NodeName, PathBuf)>),
    /// A replicated device: its resource.
    Drbd(String),
}

/// The programs of a site that take its disk set and give it up. An argument that is a [`Placeholder`] as a whole
/// stands for its value.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DiskSetPrograms {
    /// Makes the disk set usable here.
    pub take: Argv,
    /// The same where another node did not let go by itself (it was fenced, or a person answers for it).
    pub take_forced: Option<Argv>,
    /// Gives it up.
    pub release: Argv,
    /// Exit code 0: held here; 3: not held here; anything else: it can't be told.
    pub status: Argv,
    /// How long any of them may take.
    pub timeout: Duration,
}

/// What an argument of a disk set's program may stand for. Only a whole argument does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Placeholder {
    /// The service's name.
    Service,
    /// The name of the node where the program runs.
    Node,
    /// The block device on that node.
    Device,
}

impl Placeholder {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Service, Self::Node, Self::Device];

    /// As it is written.
    pub fn text(self) -> &'static str {
        match self {
            Self::Service => "{service}",
            Self::Node => "{node}",
            Self::Device => "{device}",
        }
    }

    /// The placeholder that the argument is, as a whole.
    pub fn of(argument: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.text() == argument)
    }
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct FileSystem {
    pub kind: FileSystemKind,
    pub mount_point: PathBuf,
    pub options: Vec<String>,
    /// The block device on each node, where it is one of its own: another volume of the same disk set. Empty: the device
    /// of the disk set.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<(NodeName, PathBuf)>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileSystemKind {
    Ext4,
    Xfs,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct VirtualIp {
    /// Added as /32 or /128, so that removing one address never takes others along.
    pub address: IpAddr,
    /// The interface on each node.
    pub interfaces: Vec<(NodeName, String)>,
}

impl VirtualIp {
    /// The interface that carries the address on `node`.
    pub fn interface(&self, node: &NodeName) -> Option<&str> {
        self.interfaces
            .iter()
            .find(|(n, _)| n == node)
            .map(|(_, i)| i.as_str())
    }
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Database {
    /// Directory with `postgres` and `pg_controldata`: `/usr/lib/postgresql/15/bin`.
    pub bin_dir: PathBuf,
    pub data_dir: PathBuf,
    /// A configuration file outside the data directory, as Debian has it.
    pub config_file: Option<PathBuf>,
    /// The systemd unit that it is started and stopped by. Its options are then the unit's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    pub port: u16,
    /// The operating system's user that owns the data directory.
    pub os_user: String,
    /// Directory of the unix socket used for the local check.
    pub socket_dir: PathBuf,
    pub check_user: String,
    pub check_database: String,
    /// How long a fast stop may take before an immediate one.
    pub stop_fast: Duration,
    /// How long an immediate stop may take before the processes are killed.
    pub stop_immediate: Duration,
    /// A start that shows no progress for this long has failed. A recovery that advances is never killed.
    pub start_stalled: Duration,
}

/// An application that moves with the service.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Application {
    pub name: String,
    pub run: ApplicationRun,
    pub test: Option<Argv>,
    pub timeout: Duration,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ApplicationRun {
    /// A systemd unit.
    Unit(String),
    /// Programs to start and stop it, and one whose exit code 0 says that it runs.
    Programs {
        start: Argv,
        stop: Argv,
        status: Option<Argv>,
    },
}

/// A program and its arguments. Never a shell string.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Argv(pub Vec<String>);

/// A program of the site that prints when the newest good backup was made.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BackupAge {
    pub run: Argv,
    pub timeout: Duration,
    /// An older one is worth saying.
    pub at_most: Duration,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct NamedCommand {
    pub name: String,
    pub run: Argv,
    pub timeout: Duration,
}

/// A test of the service as a client sees it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ClientTest {
    pub name: String,
    pub kind: ClientTestKind,
    pub timeout: Duration,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientTestKind {
    /// A probe that reads and writes a row through the virtual address must report success newer than the start.
    Probe,
    /// A TCP connection.
    Tcp { address: SocketAddr },
    /// `GET` that must answer with a status below 400. Over https the certificate must be good as well: by an
    /// authority of the node's system, or of `ca_file` (PEM).
    Http {
        url: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ca_file: Option<PathBuf>,
    },
    /// A program of the site; exit code 0 passes.
    Program(Argv),
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Policy {
    /// The goal for one outage.
    pub rto: Duration,
    /// What one drill may take in all.
    pub drill_budget: Duration,
    /// How long a witness's word stays fresh.
    pub witness_fresh: Duration,
    /// How long a peer may take to answer before it counts as silent on that path.
    pub peer_timeout: Duration,
    /// How long the coordinator may be silent in a run before the other participant covers it.
    pub coordinator_silence: Duration,
    /// How long a node that does not hold the service waits before it fences one that may live; the second node twice as long.
    #[serde(default = "fence_delay")]
    pub fence_delay: Duration,
    /// After the whole building lost power and both nodes are back: may the preferred one start the service?
    pub start_after_building_power_loss: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            rto: Duration::from_secs(300),
            drill_budget: Duration::from_secs(600),
            witness_fresh: Duration::from_secs(5),
            peer_timeout: Duration::from_secs(2),
            coordinator_silence: Duration::from_secs(10),
            fence_delay: fence_delay(),
            start_after_building_power_loss: false,
        }
    }
}

/// An IPMI "off" was measured to take a second or two.
fn fence_delay() -> Duration {
    Duration::from_secs(3)
}
