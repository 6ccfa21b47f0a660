//! What was seen where something was found or looked at.

use crate::ids::NodeName;
use crate::why::{Holder, Why};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::path::PathBuf;

/// What was seen: of a finding, a layer of the diagnosis, a client test.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "see")]
#[rustfmt::skip] // a table: one a line
pub enum Evidence {
    /// Nothing more than the finding itself says.
    Nothing,
    Because { why: Why },
    Several { each: Vec<Evidence> },
    /// A name that stands for itself: a path, a device, an address.
    Thing { name: String },
    ApplicationRuns { name: String },
    ApplicationStopped { name: String },
    // --- findings
    DeviceMissing { device: PathBuf },
    NoDeviceConfigured,
    PathMissing { path: PathBuf },
    InterfaceDown { interface: String },
    ProgramDoesNotRun { program: PathBuf },
    AskedFrom { device: String, node: NodeName, why: Why },
    ConfigFilesDiffer,
    Versions { one: NodeName, one_has: Option<String>, other: NodeName, other_has: Option<String> },
    UserIdsDiffer,
    Sizes { one: NodeName, one_bytes: u64, other: NodeName, other_bytes: u64 },
    ClocksApart { ms: u64 },
    /// The wall clock was set, by so much: forward, or back where it is negative.
    ClockStepped { by_ms: i64 },
    /// Of a certificate: a clock is wrong.
    NotYetValid,
    DaysLeft { days: i64 },
    AnswersAt { address: IpAddr, hardware: String, interface: Option<String> },
    TornRow { bytes: u64 },
    DamagedLog { problem: Box<LogProblem> },
    /// Another node took the disk set with a proof about this one; what was done here then.
    DeclaredGone { mandate: u64, cleaned: Vec<Cleaned> },
    /// This node can't write to the disk set any more; what was done here then.
    KeyGone { why: Why, cleaned: Vec<Cleaned> },
    /// Names that one node has and the other has not. At most twenty.
    OnlyOn { node: NodeName, names: Vec<String> },
    /// The first line in which each of these files differs.
    FilesDiffer { files: Vec<FileLine> },
    Memory { needs_mebibytes: u64, has_mebibytes: u64 },
    HugePages { needs_mebibytes: u64, has_mebibytes: u64 },
    /// At most so much WAL is to be redone after a power cut, which takes about so long.
    Recovery { mebibytes: u64, seconds: u64, goal_s: u64 },
    StartsAtBoot { what: BootStart },
    LeadsTo { path: PathBuf, to: PathBuf },
    Objects { count: u64 },
    /// Databases whose collations could not be compared.
    DatabasesNotAsked { count: u64 },
    /// The server keeps no version of a database's default collation.
    NoDefaultCollationVersion,
    /// `None`: there was no graded drill yet.
    LastDrill {
        days: Option<u64>,
        /// Who took part, as far as the log knows.
        #[serde(default)]
        people: Vec<String>,
    },
    PortSilent { from: NodeName, address: IpAddr, port: u16, why: Why },
    /// The newest backup is so old.
    BackupAge { hours: u64, at_most_hours: u64 },
    /// What the program prints as its last line is no time.
    BackupNoTime { program: String, said: String },
    NoBackupProgram,
    /// `None`: there was none yet.
    LastRehearsal { days: Option<u64>, node: Option<NodeName> },
    /// Names of things that are not as they should be.
    Damaged { names: Vec<String> },
    /// If the other node fell silent, only a person's word would let this one take the disk set.
    NeedsAPerson { because: OnlyAPerson },
    /// What a probe wrote, was told is kept, and did not find again.
    RowsLost { probe: String, rows: u64 },
    /// The database has no checksums.
    NoChecksums,
    /// Indexes that were looked at.
    IndexesChecked { checked: u64, indexes: u64 },
    // --- layers
    PowerOn,
    PowerOff,
    NotKnown,
    Answers,
    Silent,
    Free,
    Held { by: Vec<Holder> },
    SpaceFree { path: PathBuf, mebibytes: u64 },
    MountedAndReadable,
    NoKernelTrouble,
    NoShutdownInLog,
    ProcessRuns,
    ProcessStarts,
    ProcessesThere,
    NoProcess,
    WriteCommitted,
    Percent { percent: u8 },
    ProbeReport { probe: String, age_ms: u64 },
    // --- client tests
    Connected,
    ProbeServed { probe: String, age_ms: u64 },
    ProbeNotServed { probe: String, age_ms: u64 },
    NoProbeReports,
    /// Probes report, and none of them writes rows.
    NoProbeWrites,
    NewestReportOld { probe: String, age_ms: u64 },
    /// Of a rehearsal: so many databases were opened, and a write was committed.
    DatabasesOpened { count: u64 },
    /// Of a rehearsal: there is only the database, without the applications.
    NeedsApplication,
    /// Of a rehearsal: nobody outside can reach the copy.
    NeedsClient,
    NoAddress { host: String },
    NotHttp { host: String },
    /// In the words of the system: a line of a log, an answer, or what another version wrote.
    #[serde(untagged)]
    System(String),
}

/// A line of a file, from 1.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FileLine {
    pub name: String,
    pub line: u32,
}

/// What would start the service, or a part of it, without Siaga.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "start")]
pub enum BootStart {
    /// A unit that is enabled.
    Unit { name: String },
    /// Debian's `start.conf` of the cluster says `auto`.
    Cluster { file: PathBuf },
    /// A line of `fstab` without `noauto`.
    Fstab { mount_point: PathBuf, line: u32 },
    /// The virtual address stands in the network's configuration.
    Address { file: PathBuf },
}

/// What a node did to let go where it had been declared gone.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "cleaned")]
pub enum Cleaned {
    AddressRemoved { trouble: Option<Why> },
    ApplicationsStopped { trouble: Option<Why> },
    DatabaseStopped { trouble: Option<Why> },
    Unmounted { trouble: Option<Why> },
    LogUnwritten { why: Why },
}

/// Something that does not hold in an event log, with its place.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LogProblem {
    pub file: PathBuf,
    /// From 1, as an editor counts.
    pub line: Option<u64>,
    pub node: NodeName,
    pub incarnation: u32,
    pub row: Option<u64>,
    pub kind: ProblemKind,
    /// More of it, for who looks into the file: in English, or in the words of the system.
    pub detail: String,
}

/// What does not hold.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemKind {
    /// A row's content does not fit its hash.
    Changed,
    /// A row's hash fits, and it is not the node's signature.
    BadSignature,
    /// Rows are not here that later ones follow.
    Removed,
    /// A row stands in another's place.
    Reordered,
    /// A line that is no row of this log stands between two that follow each other.
    Inserted,
    /// A row is signed and numbered rightly, and follows another row than the one before it here.
    ChainBroken,
    /// The log is signed with a key that is not known of its node, or no key is known to check it with.
    ForeignKey,
    /// The file can't be read.
    Unreadable,
}

impl Evidence {
    /// True where nothing is to be shown.
    pub fn is_nothing(&self) -> bool {
        match self {
            Evidence::Nothing => true,
            Evidence::System(said) => said.trim().is_empty(),
            Evidence::Several { each } => each.iter().all(Evidence::is_nothing),
            Evidence::FilesDiffer { files } => files.is_empty(),
            _ => false,
        }
    }
    /// The name of a thing.
    pub fn thing(name: impl ToString) -> Self {
        Evidence::Thing {
            name: name.to_string(),
        }
    }
}

impl From<Why> for Evidence {
    fn from(why: Why) -> Self {
        Evidence::Because { why }
    }
}

/// Words that came from outside of Siaga.
impl From<String> for Evidence {
    fn from(said: String) -> Self {
        Evidence::System(said)
    }
}

/// Words that came from outside of Siaga.
impl From<&str> for Evidence {
    fn from(said: &str) -> Self {
        Evidence::System(said.to_owned())
    }
}

/// Why nothing but a person's word would make a node let go that is silent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnlyAPerson {
    /// It has no fence, and the disk set no reservation.
    NoFence,
    /// None of its fences answers.
    NoFenceAnswers,
    /// And nobody stands in the list of people, so that nobody may attest.
    NobodyListed,
    /// The node that would take over lost its journal.
    JournalLost,
}
