//! The event log's rows. A row is immutable; `siaga-journal` chains and signs it.

use crate::ids::{BootId, IncidentKey, NodeName, NoticeId, PersonName, PlanId, RunId, ServiceName};
use crate::incident::IncidentEntry;
use crate::mandate::Epoch;
use crate::notice::NoticeEntry;
use crate::observation::Promise;
use crate::plan::{MandatedPlan, MoveKind, Step};
use crate::proof::ProofRecord;
use crate::run::{RunOutcome, StepReport};
use crate::time::UtcMicros;
use serde::{Deserialize, Serialize};

/// A position in the merged order of all nodes' events: a hybrid logical clock.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
pub struct Hlc {
    /// The highest wall clock seen, microseconds UTC.
    pub wall: UtcMicros,
    /// Orders events within one `wall`.
    pub count: u32,
}

/// Who did it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Actor {
    /// The name shown: a person, an account, or `agent@node`.
    pub name: String,
    pub how: ActorProof,
}

/// How the name is known.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActorProof {
    /// The kernel named the process at the socket (`SO_PEERCRED`), by uid.
    PeerCredentials { uid: u32 },
    /// Root, with the login uid of the audit system.
    RootLogin { login_uid: u32 },
    /// Root said so with `--as`: stated, not proved.
    Stated,
    /// The agent itself, by policy.
    Agent,
    /// Another node's agent, known by its key, sent the order on: `node` is where the name was established, by `how`.
    Forwarded {
        node: NodeName,
        how: Box<ActorProof>,
    },
    /// The person who made the join token, as the account that made it says.
    JoinToken,
}

/// One event, without its place in the chain.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Event {
    pub service: Option<ServiceName>,
    pub run: Option<RunId>,
    pub actor: Option<Actor>,
    pub body: EventBody,
}

/// What happened.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum EventBody {
    // --- the ledger: these bind the node and are fsynced before they are answered
    /// This node minted a mandate.
    MandateMinted {
        epoch: Epoch,
    },
    /// This node minted a mandate of this service to fence a node that it is, or may be, on: the fence is another
    /// service's, or a person's. No plan of this service stands behind it.
    FenceMandateMinted {
        epoch: Epoch,
        victim: NodeName,
    },
    /// This node obeys that mandate and none older.
    MandateAdmitted {
        epoch: Epoch,
    },
    /// A higher epoch was found on the disk set or in the peer's journal.
    EpochSeen {
        epoch: Epoch,
    },
    /// This node has let go.
    Promised {
        promise: Promise,
    },
    /// A proof was verified and used up, right before the take.
    ProofUsed {
        proof: ProofRecord,
    },
    /// A proof came into being.
    ProofMade {
        proof: ProofRecord,
    },
    /// A proof is void: its node was seen alive, or rebooted.
    ProofVoided {
        proof: ProofRecord,
        why: crate::why::Why,
    },
    /// Another node took the disk set with a proof about this one: what is left of the service here is dropped.
    LettingGo {
        epoch: Epoch,
    },
    /// The service ran on this node before Siaga came to the site, and goes on under this mandate, the first of all. Nothing
    /// was taken, started or stopped.
    Adopted {
        epoch: Epoch,
    },
    // --- runs
    RunAccepted {
        move_kind: MoveKind,
        goal: crate::plan::Placement,
        reason: String,
        requested_by: Option<PersonName>,
        approved_by: Option<PersonName>,
        idempotency_key: String,
        /// The run that this one covers: its coordinator fell silent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        covers: Option<RunId>,
    },
    PlanRecorded {
        plan: Box<MandatedPlan>,
    },
    StepFinished {
        plan: PlanId,
        step: Step,
        report: StepReport,
    },
    RunEnded {
        outcome: RunOutcome,
        /// The plan in force when it ended. `None`: it ended before it had one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        plan: Option<PlanId>,
    },
    RunInterrupted {
        why: crate::why::Why,
    },
    Refused {
        move_kind: MoveKind,
        refusal: crate::refusal::Refusal,
    },
    // --- measured
    /// An outage as measured: by a probe, or by the node where no probe saw it.
    OutageMeasured {
        outage: crate::api::Outage,
    },
    /// A client probe did not find rows again that the database had acknowledged: after the move of this row's run.
    RowsLost {
        lost: crate::api::LostRows,
    },
    ServiceOnline {
        node: NodeName,
        at: UtcMicros,
    },
    ServiceOffline {
        node: NodeName,
        at: UtcMicros,
        cause: String,
    },
    // --- the machines
    AgentStarted {
        boot: BootId,
        version: String,
    },
    /// The first agent start of a boot: the machine came on line.
    NodeBooted {
        boot: BootId,
    },
    PeerSilent {
        node: NodeName,
    },
    PeerAnswers {
        node: NodeName,
        boot: BootId,
    },
    /// A person's order to switch a node's power: durable before the device is asked.
    PowerOrdered {
        node: NodeName,
        on: bool,
        device: String,
        reason: String,
        /// The services that are, or may be, on that node.
        hits: Vec<ServiceName>,
    },
    /// The device confirms it.
    PowerChanged {
        node: NodeName,
        on: bool,
    },
    /// The device did not do it, or does not confirm it.
    PowerNotChanged {
        node: NodeName,
        on: bool,
        why: crate::why::Why,
    },
    /// `siaga check --fix` did this, or could not.
    CheckFixed {
        fixed: Box<crate::readiness::Fixed>,
    },
    // --- the downtime's other half
    /// One row of an incident's record.
    Incident {
        incident: IncidentKey,
        entry: Box<IncidentEntry>,
    },
    /// One row of a notice.
    Notice {
        notice: NoticeId,
        entry: Box<NoticeEntry>,
    },
    /// Alerts and automatic acts rest until then, unless it is ended before.
    Paused {
        until: UtcMicros,
        reason: String,
    },
    PauseEnded,
    // --- the log itself
    /// No node of the site has the lost rows any more: a person attests that nothing in them binds.
    LossAccepted {
        by: PersonName,
        reason: String,
    },
    /// What was last seen of the service's database counts no more: a person says that what is on the disk set is meant.
    DataAccepted {
        by: PersonName,
        reason: String,
    },
    /// The key of a node's event log was vouched for by a join token: rows signed with it are taken, in a new
    /// incarnation.
    EventKeyTrusted {
        node: NodeName,
        key: String,
        reason: String,
    },
    /// A new CA of the site took the place of the one before. No machine is trusted more or less for it.
    CaReplaced {
        /// Counts the site's CAs, from 1.
        generation: u64,
        fingerprint: String,
        reason: String,
    },
    /// The machine of that name is another one from now on: what the old one's keys say counts no more. Its release is
    /// proved by none of this.
    NodeReplaced {
        node: NodeName,
        /// Who says that the old machine is off and stays off.
        by: PersonName,
        how: crate::keys_api::OffForGood,
        /// The fingerprint of the old machine's key.
        key: Option<String>,
        reason: String,
    },
    // --- findings
    Found {
        finding: Finding,
    },
    CheckPassed {
        node: NodeName,
    },
    CheckFailed {
        node: NodeName,
        findings: Vec<Finding>,
    },
    /// The service was started on the standby from a copy, and thrown away again.
    Rehearsed {
        report: Box<crate::rehearsal::RehearsalReport>,
    },
    /// What the database itself says of its files, looked at in the background.
    IntegrityChecked {
        report: Box<crate::integrity::IntegrityReport>,
    },
    /// A kind that a newer version writes and this one does not know. Kept, copied and verified all the same.
    #[serde(untagged)]
    Other(OtherBody),
}

/// An event of a kind that this version does not know.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OtherBody {
    pub kind: String,
}

/// Something that `check`, the watch or a driver found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Finding {
    pub code: FindingCode,
    pub node: NodeName,
    pub severity: Severity,
    /// What was seen.
    pub evidence: crate::evidence::Evidence,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Info,
    Warning,
    /// Stands in the way of a takeover.
    Blocking,
}

/// Stable codes of findings.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FindingCode {
    PeerUnreachable,
    PathDown,
    DiskSetMissing,
    DiskSetSizeDiffers,
    /// What makes the disk set exclusive is not set up as it must be.
    DiskSetDriver,
    FenceSilent,
    FenceMissing,
    /// A power fence says that a machine is off which answers.
    FenceBelied,
    PostgresMissing,
    PostgresVersionDiffers,
    PostgresUserDiffers,
    ConfigDiffers,
    MountByHand,
    MountPointMissing,
    AddressConflict,
    AddressLeftOver,
    InterfaceDown,
    DatabaseStranger,
    AutoStart,
    CertificateExpires,
    /// This node has no copy of the CA's key: it can bring nobody in.
    CaKeyMissing,
    /// The nodes have copies of different CAs.
    CaDiffers,
    ClockDiffers,
    LogNearlyFull,
    JournalTorn,
    /// Rows were changed, removed or reordered: the file was set aside, and the node goes on in a new incarnation.
    JournalDamaged,
    /// Another node signs its rows with a key that is not known here: they are not copied.
    EventKeyUnknown,
    NodeUnfencedAndBack,
    /// This machine was replaced by another one under its name: it carries nothing any more.
    NodeReplaced,
    /// This node held the disk set, and its registration at it is gone: it let go at once.
    ReservationLost,
    ProbeMissing,
    /// Rows that the database had acknowledged to a client probe are gone.
    RowsLost,
    SecretReadable,
    /// The C library or ICU is another version: indexes over text may be ordered in another way.
    LibraryVersionDiffers,
    LocaleMissing,
    ExtensionMissing,
    /// `pg_hba.conf` and the rest, where they lie outside the disk set.
    DatabaseConfigDiffers,
    MemoryShort,
    DiskSpaceLow,
    /// A table space or the WAL lies outside the service's mounts.
    DataOutside,
    /// The database was built under other collation versions than this system has.
    CollationChanged,
    /// So much WAL may be written between checkpoints that its recovery takes longer than the goal.
    RecoveryTooLong,
    DrillOverdue,
    DatabasePortSilent,
    BackupOld,
    /// The newest rehearsal did not pass.
    RehearsalFailed,
    /// A rehearsal left something of its copy behind.
    RehearsalLeftOver,
    /// Somebody wrote the database's control file after Siaga had stopped the database.
    ControlFileRewritten,
    /// The database counted pages whose checksum does not fit.
    ChecksumFailures,
    /// amcheck found a damaged index.
    IndexDamaged,
    /// The database's systemd unit can't be used, or acts behind Siaga's back.
    DatabaseUnit,
}
