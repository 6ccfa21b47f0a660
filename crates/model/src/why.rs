//! Why an act failed, a thing is not known, or a request is not carried out: closed, with typed fields.
//! `siaga-words` says each in every language. What the operating system, PostgreSQL or a device said stays as it is:
//! as [`Why::System`], or in a field named `said`.

use crate::ids::{NodeName, RunId, ServiceName};
use crate::mandate::Epoch;
use crate::note::Progress;
use crate::refusal::Sentence;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::path::PathBuf;

/// A reason.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "say")]
#[rustfmt::skip] // a table: one reason a line
pub enum Why {
    // --- how reasons are put together
    /// Of one thing by its name: an application, a fence device, a test, a path.
    Named { name: String, why: Box<Why> },
    /// Several at once.
    Several { each: Vec<Why> },
    // --- mounts and the disk set
    MountPointMissing { mount_point: PathBuf },
    MountInTheWay { mount_point: PathBuf, file_system: String, device: String },
    MountInKernel { mount_point: PathBuf },
    UnmountInKernel { mount_point: PathBuf },
    MountVanished { mount_point: PathBuf },
    MountTable { said: String },
    NotMounted { mount_point: PathBuf },
    NotABlockDevice { device: PathBuf },
    StorageCut { device: PathBuf, bytes: u64 },
    /// That fence device keeps the node from the storage.
    CutOffBy { device: String },
    FlushFailed { said: String },
    HeldBy { by: Vec<Holder> },
    HolderScanSlow { ms: u64 },
    HolderScanHidden { processes: u64, said: String },
    NotTakenInThisBoot,
    ProofsTooOld,
    DataDirElsewhere { mount_point: PathBuf },
    NoFileSystem,
    ClearMmpFailed { why: Box<Why> },
    ReadingDiskSet { said: String },
    ThisNodeHolds,
    ThisNodeHoldsOrUnknown,
    // --- what makes the disk set exclusive
    /// Of a program of the site.
    DiskSetProgram { call: DiskSetCall, why: Box<Why> },
    /// It was asked to take it, and its status says that it is not held here.
    NotHeldAfterTake,
    /// It was asked to give it up, and its status says that it is still held here.
    HeldAfterRelease,
    /// The disk set was taken, and its block device does not appear.
    DeviceMissing { device: PathBuf },
    /// LVM on this host has no system ID.
    NoLvmSystemId,
    /// Another host's ID stands on the volume group, right after it was taken.
    VolumeGroupOf { name: String, owner: String },
    /// Any host may activate it.
    VolumeGroupOfNobody { name: String },
    /// Some of its disks are missing.
    VolumeGroupPartial { name: String },
    /// It lies on disks that nothing keeps from the other nodes.
    VolumeGroupElsewhere { name: String, disks: Vec<String> },
    VolumeGroupActivatesItself { name: String },
    /// LVM here is older than the setting that keeps a group from being activated at boot.
    VolumeGroupActivationUntold { name: String },
    /// The disk set is in use here, and what keeps other nodes away from it does not know of it: it was taken before that was
    /// set up.
    HeldUnreserved,
    /// A call for persistent reservations failed.
    ReservationCall { device: PathBuf, said: String },
    /// A key that no configured node has.
    ReservationStranger { device: PathBuf, key: String },
    /// Fewer or more of this node's paths are registered than it has.
    ReservationPaths { device: PathBuf, registered: u64, paths: u64 },
    /// Read back, the disk is not reserved for this node alone.
    ReservationNotOurs { device: PathBuf },
    /// This node's registration is still there after it was taken back.
    ReservationLeft { device: PathBuf },
    /// The disk does not know reservations for registrants that write.
    ReservationUnsupported { device: PathBuf },
    /// The disk forgets registrations when it loses its power.
    ReservationForgotten { device: PathBuf },
    /// The kernel knows reservations for whole disks only.
    ReservationPartition { device: PathBuf },
    /// No path of the multipath map works.
    MultipathAllDead { device: PathBuf },
    /// These paths of the map do not work now.
    MultipathDeadPaths { device: PathBuf, paths: Vec<String> },
    /// The map has one path only.
    MultipathOnePath { device: PathBuf },
    /// `multipathd` keeps no key for the map: a path that comes back would not be registered, and writes by it fail.
    MultipathForgets { device: PathBuf },
    /// Without any path, the map keeps what is written for ever and returns no error.
    MultipathQueues { device: PathBuf },
    /// `multipathd` does not tell the state of the map.
    MultipathUntold { device: PathBuf, why: Box<Why> },
    /// DRBD did not say what is known of the resource.
    DrbdUntold { resource: String },
    /// The data here is not up to date: `Outdated`, `Inconsistent`, `Diskless`.
    DrbdData { resource: String, state: String },
    /// The other node is primary.
    DrbdPeerPrimary { resource: String },
    /// The other node is connected, and not primary.
    DrbdPeerSecondary { resource: String },
    /// The other node is not connected: what is written is not replicated.
    DrbdAlone { resource: String },
    /// The other node's copy is not seen, and may be the newer one. Once that node is fenced, it is no longer written to.
    DrbdOtherUnseen { resource: String },
    /// The other node has the service, and this copy lacks what it writes.
    DrbdBehind { resource: String },
    /// Neither fencing nor quorum: cut apart, both believe that their data is up to date.
    DrbdUnfenced { resource: String },
    /// It is used here, and the data is the other node's alone: `Diskless`, `Inconsistent` here.
    DrbdOneCopy { resource: String, state: String },
    /// Fencing stops all writing when the other node is not connected, and the handler has no answer then.
    DrbdFreezes { resource: String },
    /// Fencing without a program that DRBD may ask: it promotes nothing while the other node is gone.
    DrbdNoHandler { resource: String },
    /// A decision for old data without a name or without a reason.
    OldDataNeedsNameAndReason,
    /// The other node wrote while this one was cut off.
    DrbdMarkedOld { resource: String },
    DrbdTwoPrimaries { resource: String },
    DrbdPromotesItself { resource: String },
    /// The disk set has no persistent reservation.
    NoReservation,
    /// This node's registration at the disk is gone.
    KeyGone { device: PathBuf },
    // --- what this node does not have
    NoSuchServiceHere { service: ServiceName },
    NoInterface { address: IpAddr, node: NodeName },
    NoInterfaceHere,
    NoSuchFence { node: NodeName, device: String },
    NoSuchNode { node: NodeName },
    NoSharedNetwork { node: NodeName },
    FencesItself,
    ThreadFailed { said: String },
    /// What asked ended before it had an answer.
    AskingBroke,
    // --- the database
    LeftFromEarlierStart { processes: Vec<String> },
    PostmasterGone { processes: Vec<String> },
    KilledAndStillThere { processes: Vec<String> },
    EndedWhileLookedAt,
    NotADataDir { path: PathBuf },
    DataDirOwner { path: PathBuf, owner: u32, user: String, uid: u32 },
    StandbyDataDir { path: PathBuf },
    /// What is on the disk set is older than what was last seen of this database.
    DataOlder { found: Box<crate::integrity::ControlSeen>, last: Box<crate::integrity::ControlSeen> },
    /// It is another database.
    DataOther { found: Box<crate::integrity::ControlSeen>, last: Box<crate::integrity::ControlSeen> },
    // --- rehearsals
    /// The holder lets nobody copy it: this line is missing in its pg_hba.conf.
    ReplicationRefused { node: NodeName, line: String, said: String },
    BackupFailed { said: String },
    /// A move began.
    BrokenOffByMove,
    /// A person asked for it.
    BrokenOff,
    AgentEnded,
    TookTooLong { seconds: u64 },
    RoomRanOut { folder: PathBuf },
    /// These are not as they were before the rehearsal.
    ProductionChanged { what: Vec<String> },
    CopyNotRemoved { folder: PathBuf, said: String },
    /// The extension is not among those that PostgreSQL has here.
    ExtensionNotThere { name: String },
    /// It is not made in this database.
    ExtensionNotMade { name: String },
    WorksInDataDir { process: String },
    // --- systemd
    /// D-Bus, or systemd behind it, does not answer.
    SystemdSilent { said: String },
    /// The connection ended before systemd said what came of it.
    SystemdLost,
    /// systemd does not know a unit of that name.
    UnitNotFound { unit: String },
    UnitMasked { unit: String },
    /// systemd's word for how its work on the unit ended, and for the unit's own end.
    UnitJobFailed { unit: String, result: String, ended: String },
    UnitJobUnended { unit: String, seconds: u64 },
    /// Of what ran in the unit: its own words are in the journal.
    InUnit { unit: String, why: Box<Why> },
    /// The unit was started, and no server works in the data directory.
    UnitWithoutServer { unit: String, data_dir: PathBuf },
    /// The configuration of the unit's server is of other data.
    ConfigNamesOtherData { file: PathBuf, named: PathBuf, data_dir: PathBuf },
    /// `Restart=` of the unit.
    UnitRestarts { unit: String, restart: String },
    /// `TimeoutStartSec=` of the unit.
    UnitStartLimited { unit: String, seconds: u64 },
    /// A part of the database leads to nothing.
    DataLeadsNowhere { link: PathBuf },
    /// A part of the database leads out of the service's mounts.
    DataLeadsOutside { link: PathBuf, to: PathBuf },
    ServerEnded { log: String },
    ServerIsStandby,
    ServerShutsDown,
    ReadinessUnchecked { why: Box<Why> },
    ServerUnreachable { why: Box<Why> },
    NoProgress { seconds: u64, stage: Progress, log: String },
    LogUnreadable { said: String },
    DatabaseNotRunning,
    ReadOnlyStandby,
    ReadOnlyRecovery,
    NoAnswerWithin { ms: u64 },
    AnotherListens { pid: i32 },
    /// Another program is at the database's port, where its clients would find it.
    PortTaken { port: u16, by: Option<String> },
    NoSuchUser { user: String },
    ProgramGone { program: String },
    // --- programs that Siaga runs
    ProgramNotStarted { said: String },
    ProgramTooSlow { said: String },
    ProgramExit { code: i32, said: String },
    ProgramSignal { signal: i32, said: String },
    ProgramEnded { said: String },
    StartedNotRunning,
    StoppedStillRuns,
    TestFailed { why: Box<Why> },
    NoStatusProgram,
    // --- addresses
    AddressElsewhere { address: IpAddr, interface: String },
    InterfaceDown { interface: String },
    NoCarrier { interface: String },
    NoSuchInterface { interface: String, there: Vec<String> },
    NotEthernet { interface: String },
    ListingInterfaces { said: String },
    AddressUntellable { address: IpAddr, why: Box<Why> },
    AddressAnswered { address: IpAddr, hardware: String, interface: String },
    AddressDuplicate { address: IpAddr, interface: String },
    AddressGoneAgain { address: IpAddr, interface: String },
    AddressStillThere { address: IpAddr, interface: String },
    AddressNotHere { address: IpAddr, interface: String },
    AddressTakesOthers { address: IpAddr, prefix: u8, interface: String, others: Vec<IpAddr> },
    Ipv6Off { interface: String, why: Box<Why> },
    ListingAddresses { why: Box<Why> },
    AddingAddress { address: IpAddr, interface: String, why: Box<Why> },
    RemovingAddress { why: Box<Why> },
    AnnouncingAddress { interface: String, said: String },
    KernelSilent,
    NetlinkClosed,
    // --- fences
    FenceSaid { device: String, call: FenceCall, why: Box<Why> },
    FenceUnconfirmed { why: Box<Why> },
    /// Its agent ended with the exit code for *off* and did not write the word.
    FenceOffUnsaid,
    FenceStillOn,
    FenceStillOff,
    /// It says that a machine is off which answers: it belongs to another one.
    FenceBelied { node: NodeName },
    FenceOption { option: String },
    FenceOptionReserved { option: String },
    SecretFile { path: PathBuf, said: String },
    SecretNotAFile { path: PathBuf },
    SecretReadable { path: PathBuf },
    SecretNotOneLine { path: PathBuf },
    FailedInThisRun,
    NotAsked,
    // --- mandates, proofs, orders
    OlderStepUnderWay,
    EnlistWithoutPlan,
    NobodyAttested,
    /// An order came from a node that did not issue its mandate.
    NotItsMandate { coordinator: NodeName, issuer: NodeName },
    TestsFailed { tests: Vec<String> },
    NewerMandate { offered: Box<Epoch>, in_force: Box<Epoch> },
    MandatesVoid { epoch: Box<Epoch>, other: Box<Epoch> },
    JournalLost,
    /// It is mounted here, and what makes it exclusive says that it is not held here.
    NotHeldHere,
    /// What runs here can be adopted only before the first mandate.
    MandatesBefore,
    LogUnwritten { said: String },
    ProofFails { node: NodeName, why: Box<Why> },
    MandateNeverAdmitted,
    NoProofUnderMandate,
    ProofUsedAlready,
    FenceSaysOpen { device: String },
    SignOfLife,
    PromiseBroken,
    PromiseUnconfirmed,
    BudgetSpent,
    AbortAsked,
    AgentStopping,
    StepCutOff,
    NoWayToNode { node: NodeName },
    NodeSilent { node: NodeName, said: String },
    AnswerLost,
    AgentSilent,
    /// It lives, and did not say in time what the node holds.
    AgentLate,
    PlanUnheard,
    RunActsOn { run: RunId, node: NodeName },
    JournalUnconfirmed,
    CoordinatorSilent { still_here: bool },
    CoverBegins,
    AnotherRunGoesOn,
    /// The planner said no.
    Refused { sentence: Box<Sentence> },
    // --- requests
    NameTheService,
    AttestationNeedsName,
    PeerNamedNobody,
    ProbesGiveNoOrders,
    OnlyAgentsSendOn,
    SentOnOnce,
    NotOnThisServersList,
    NodesDisagree,
    PersonNeeded,
    SwitchesItselfOff { node: NodeName },
    ReplacesItself { node: NodeName },
    /// Another machine has this one's name now.
    Replaced { node: NodeName },
    NoCertificate,
    ViewersOnlyLook,
    CommunicatorsOnlyWrite,
    OnlyRootMayState,
    NotOnThePeopleList,
    PreviewNotAsked,
    /// Of a kind that a newer version says and this one does not know.
    #[serde(untagged)]
    Newer(NewerWhy),
    /// In the words of the operating system, PostgreSQL or a device.
    #[serde(untagged)]
    System(String),
}

/// A reason that this version does not know.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NewerWhy {
    pub say: String,
}

/// Which of a site's programs for its disk set.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DiskSetCall {
    Take,
    TakeForced,
    Release,
    Status,
}

/// What was asked of a fence device.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FenceCall {
    Off,
    On,
    Status,
}

/// One thing that touches the disk set on a node.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "holder")]
pub enum Holder {
    Mount {
        mount_point: PathBuf,
    },
    /// In another mount namespace, seen through that process.
    MountElsewhere {
        mount_point: PathBuf,
        pid: i32,
        command: String,
    },
    Process {
        pid: i32,
        command: String,
        uses: HeldThing,
        path: PathBuf,
    },
    /// A mount or unmount of this node's agent is in flight.
    InFlight,
    /// A step of a plan is under way on that node.
    StepUnderWay,
    /// A program that takes the disk set or gives it up still runs, or left that process behind.
    ProgramRuns {
        pid: i32,
        command: String,
    },
    /// A volume that is active in the kernel.
    ActiveVolume {
        volume: String,
    },
    /// A replicated device that is primary.
    Primary {
        resource: String,
    },
    /// This node is registered at the disk: it can write.
    Registered {
        device: PathBuf,
    },
    /// The site's own status program says so.
    StatusProgram,
    /// The kernel, through nothing that can be seen.
    Invisible,
    /// As it was told by another version, or by hand.
    #[serde(untagged)]
    Told(String),
}

/// What a process uses of the disk set.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeldThing {
    WorkingDirectory,
    RootDirectory,
    Program,
    File,
    MappedFile,
}

impl Why {
    /// The words of the operating system, PostgreSQL or a device. Siaga's own words are variants.
    pub fn system(said: impl ToString) -> Self {
        Why::System(said.to_string())
    }
    /// The reason, of a thing with a name.
    pub fn of(self, name: impl ToString) -> Self {
        Why::Named {
            name: name.to_string(),
            why: Box::new(self),
        }
    }
    /// One reason as it is, several as a list.
    pub fn all(mut each: Vec<Why>) -> Self {
        match (each.len(), each.pop()) {
            (1, Some(only)) => only,
            (_, last) => {
                each.extend(last);
                Why::Several { each }
            }
        }
    }
}

/// Words that came from outside of Siaga.
impl From<String> for Why {
    fn from(said: String) -> Self {
        Why::System(said)
    }
}

/// Words that came from outside of Siaga.
impl From<&str> for Why {
    fn from(said: &str) -> Self {
        Why::System(said.to_owned())
    }
}

/// Words that came from outside of Siaga.
impl From<&str> for Holder {
    fn from(said: &str) -> Self {
        Holder::Told(said.to_owned())
    }
}
