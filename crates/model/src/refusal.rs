//! What people are told: closed sentences with typed arguments. `siaga-words` says each of them in every language;
//! nothing here is prose.

use crate::config::FenceKind;
use crate::ids::{NodeName, PersonName, RunId, ServiceName};
use crate::mandate::Epoch;
use crate::plan::MoveKind;
use crate::proof::AttestKind;
use crate::time::UtcMicros;
use crate::why::{Holder, Why};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::path::PathBuf;

/// A request that is not carried out: what is wrong, the evidence, what is safe now and what to do next.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Refusal {
    pub code: RefusalCode,
    pub sentence: Sentence,
    pub evidence: Vec<Sentence>,
    pub next: Vec<Advice>,
}

/// Stable codes, one per reason. They never change their meaning.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RefusalCode {
    /// The service answers its clients: a takeover would cut it.
    StillServing,
    /// The source's agent answers: a switchover is the act.
    SourceAlive,
    /// The other node is silent and nothing here can fence it: a person has to attest.
    NeedsAttestation,
    /// A fresh witness contradicts the attestation.
    AttestationContradicted,
    /// The service is already where it is wanted.
    AlreadyThere,
    /// A planned move needs both nodes' agents.
    PeerSilent,
    /// What the other node holds can't be told.
    HoldingUnknown,
    /// The service is not running, so there is nothing to move.
    NotRunning,
    /// Both nodes seem to hold the disk set.
    TwoHolders,
    /// Another run is in progress.
    RunInProgress,
    /// An interrupted run has to be resumed or aborted first.
    RunInterrupted,
    /// There is nothing to resume or abort.
    NothingInterrupted,
    /// This node lost its journal and can't know which promises it made.
    JournalLost,
    /// The service is not on its preferred node: failback first.
    NotOnPreferred,
    /// The repaired node has not passed `check` since its last failure.
    CheckNotPassed,
    /// The target is not able to run the service.
    TargetNotReady,
    /// The named node or service does not exist.
    NoSuchThing,
    /// A mount, address or database that Siaga did not start is in the way.
    Stranger,
    /// Another machine answers at the virtual address.
    AddressConflict,
    /// The log has no room for a planned move.
    LogFull,
    /// An older mandate: a newer one is in force.
    Superseded,
    /// The release proof no longer holds.
    ProofVoid,
    /// The node to be switched off holds a running service.
    HolderOfRunningService,
    /// The person may not do this, or is not on the list.
    NotAllowed,
    /// Something needed is missing in the request.
    BadRequest,
    /// Equal mandates from two issuers: both are void.
    MandateConflict,
    /// The copy of a rehearsal has no room on the standby.
    NoRoom,
    /// Another rehearsal is in progress.
    RehearsalInProgress,
    /// The node to be replaced answers, or this node does not hold every service.
    NodeInUse,
    /// Another machine has this one's name now.
    NodeReplaced,
    /// No refusal: the order was sent to its coordinator and not answered. It may have begun there.
    OrderUnknown,
}

/// One thing that can be said.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "say")]
pub enum Sentence {
    // --- where the service is
    ServiceRuns {
        service: ServiceName,
        node: NodeName,
    },
    ServiceStopped {
        service: ServiceName,
    },
    ServiceDown {
        service: ServiceName,
        last_on: Option<NodeName>,
    },
    ServiceUnknown {
        service: ServiceName,
    },
    ServiceInTransition {
        service: ServiceName,
        run: RunId,
    },
    AlreadyActive {
        service: ServiceName,
        node: NodeName,
    },
    // --- a node
    NodeSilent {
        node: NodeName,
        paths_tried: Vec<String>,
        #[serde(default)]
        late: bool,
    },
    NodeAnswers {
        node: NodeName,
    },
    NodePowerOn {
        node: NodeName,
    },
    NodePowerOff {
        node: NodeName,
    },
    NodePowerUnknown {
        node: NodeName,
    },
    NodeAddressAnswers {
        node: NodeName,
        hardware: String,
    },
    NodeHolds {
        node: NodeName,
        by: Vec<Holder>,
    },
    /// An application of the service, on the node where the database runs.
    ApplicationStopped {
        node: NodeName,
        name: String,
    },
    NodeFree {
        node: NodeName,
    },
    NodeHoldingUnknown {
        node: NodeName,
        why: Why,
    },
    BothHold {
        nodes: Vec<NodeName>,
    },
    NodePromised {
        node: NodeName,
        epoch: Epoch,
    },
    NodeJournalLost {
        node: NodeName,
    },
    /// None of them can tell the other what was promised.
    JournalsLost {
        nodes: Vec<NodeName>,
    },
    /// There is nothing to accept: this node's journal is whole.
    JournalWhole {
        node: NodeName,
    },
    /// It let go in another boot than the one it is in now.
    NodeRebooted {
        node: NodeName,
    },
    /// Its promise to have let go no longer stands, or is for another mandate.
    PromiseGone {
        node: NodeName,
    },
    /// It does not answer, and its promise was heard too long ago, or by a process that is gone.
    PromiseUnheard {
        node: NodeName,
        age_ms: Option<u64>,
    },
    MountStranger {
        node: NodeName,
        mount_point: PathBuf,
    },
    VirtualIpLeftOver {
        node: NodeName,
        address: IpAddr,
    },
    /// The service was adopted as it ran, and clients still use the server's own address: a start adds the virtual one.
    VirtualIpNotYet {
        node: NodeName,
        address: IpAddr,
    },
    // --- fences
    FenceAnswers {
        node: NodeName,
        device: String,
        fence: FenceKind,
    },
    FenceFailed {
        node: NodeName,
        device: String,
        why: Why,
    },
    FenceNone {
        node: NodeName,
    },
    FenceConfirms {
        node: NodeName,
        device: String,
        fence: FenceKind,
    },
    /// What a site without any fence pays, said on every screen.
    NoFenceCost,
    // --- witnesses
    ProbeSeesService {
        probe: String,
        node: Option<NodeName>,
        age_ms: u64,
    },
    ProbeSeesNothing {
        probe: String,
        age_ms: u64,
    },
    NoProbe,
    ProbeStale {
        probe: String,
        age_ms: u64,
    },
    AddressAnsweredBy {
        address: IpAddr,
        node: NodeName,
    },
    AddressConflict {
        address: IpAddr,
        hardware: String,
    },
    AddressSilent {
        address: IpAddr,
    },
    DiskChanging,
    DiskNoChange,
    // --- attestations
    Attested {
        node: NodeName,
        how: AttestKind,
        by: PersonName,
    },
    AttestationContradictedBy {
        node: NodeName,
        how: AttestKind,
        witness: Box<Sentence>,
    },
    // --- runs
    RunBy {
        run: RunId,
        actor: String,
        since: UtcMicros,
        coordinator: NodeName,
    },
    RunLeftOver {
        run: RunId,
        since: UtcMicros,
        coordinator: NodeName,
    },
    NothingToResume,
    // --- plans
    WillMove {
        service: ServiceName,
        from: NodeName,
        to: NodeName,
    },
    WillTakeOver {
        service: ServiceName,
        from: NodeName,
        to: NodeName,
    },
    WillStart {
        service: ServiceName,
        node: NodeName,
    },
    WillStop {
        service: ServiceName,
        node: NodeName,
    },
    WillRestart {
        service: ServiceName,
        node: NodeName,
    },
    // --- what a preview can't prove
    FenceNotTried {
        node: NodeName,
        device: String,
    },
    DatabaseStartNotTried {
        node: NodeName,
    },
    MountNotTried {
        node: NodeName,
    },
    ClientNotTried,
    /// Fencing that node also hits another service of the site.
    FenceHitsService {
        node: NodeName,
        service: ServiceName,
    },
    /// The order was sent to that node, and no answer came.
    OrderUnanswered {
        node: NodeName,
    },
    /// What was written after the copies were cut apart is lost with this plan: a person decided so.
    OldDataLost {
        node: NodeName,
        resource: String,
        state: String,
    },
    /// That node is attested off or cut, and another service is, or may be, on it too: this plan does nothing to it.
    AttestedMayCarry {
        node: NodeName,
        service: ServiceName,
    },
    // --- refusals in one sentence
    RefusedServing {
        service: ServiceName,
        node: Option<NodeName>,
    },
    RefusedSourceAlive {
        node: NodeName,
    },
    /// It is to be replaced, and its agent answers.
    RefusedReplaceAnswers {
        node: NodeName,
    },
    /// It is to be replaced, and may hold this service: the asked node does not.
    RefusedReplaceMayHold {
        node: NodeName,
        service: ServiceName,
    },
    /// The other node refuses this machine's key for it.
    RefusedNodeReplaced {
        node: NodeName,
    },
    RefusedNeedsAttestation {
        node: NodeName,
    },
    RefusedPeerSilent {
        node: NodeName,
    },
    RefusedNotRunning {
        service: ServiceName,
    },
    RefusedNotOnPreferred {
        service: ServiceName,
        active: NodeName,
        preferred: NodeName,
    },
    RefusedCheckNotPassed {
        node: NodeName,
    },
    RefusedTargetNotReady {
        node: NodeName,
        why: Why,
    },
    /// The target's own way to the disk set is cut: that device says so.
    RefusedTargetFenced {
        node: NodeName,
        device: String,
    },
    RefusedNoSuchNode {
        node: NodeName,
    },
    RefusedNoSuchService {
        service: ServiceName,
    },
    RefusedLogFull {
        node: NodeName,
    },
    RefusedSuperseded {
        offered: Epoch,
        in_force: Epoch,
    },
    RefusedMandateConflict {
        epoch: Epoch,
        other: Epoch,
    },
    RefusedProofVoid {
        node: NodeName,
        why: Why,
    },
    RefusedHolderOfRunning {
        node: NodeName,
        service: ServiceName,
    },
    /// Another service is served from the node that would be fenced.
    RefusedFenceHitsRunning {
        node: NodeName,
        service: ServiceName,
    },
    RefusedNotAllowed {
        actor: String,
        why: Why,
    },
    RefusedBadRequest {
        why: Why,
    },
    RefusedNoRoom {
        node: NodeName,
        folder: PathBuf,
        needs_mebibytes: u64,
        free_mebibytes: u64,
    },
    RefusedRehearsalGoesOn {
        service: ServiceName,
        node: NodeName,
    },
    /// There is no other node, or nothing is known of it.
    RefusedNoStandby {
        service: ServiceName,
    },
}

/// The next thing to do: a command with its purpose.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "do")]
pub enum Advice {
    Takeover {
        service: ServiceName,
    },
    Switchover {
        service: ServiceName,
    },
    Failback {
        service: ServiceName,
    },
    Start {
        service: ServiceName,
    },
    /// In place, on the node that holds the disk set.
    Restart {
        service: ServiceName,
    },
    Resume,
    Abort,
    Status,
    Diagnose,
    Check,
    /// Go to the machine, do one of these things, and say so with `--attest-off`.
    AttestAfter {
        node: NodeName,
        ways: Vec<AttestKind>,
    },
    /// The newer copy is gone for good: take over with the old one, under your name and with the reason.
    AcceptOldData,
    /// The same, where a run waits that was to do so.
    ResumeWithOldData,
    /// Find out what answers at that hardware address and disconnect it.
    FindStranger {
        hardware: String,
    },
    UnmountByHand {
        node: NodeName,
        mount_point: PathBuf,
    },
    RepairFence {
        node: NodeName,
        device: String,
    },
    WaitForRun {
        run: RunId,
    },
    PowerOn {
        node: NodeName,
    },
    /// Through its fence: `siaga power off NODE`.
    PowerOff {
        node: NodeName,
    },
    FreeSpace {
        node: NodeName,
    },
    /// For the copy of a rehearsal.
    FreeFolder {
        node: NodeName,
        folder: PathBuf,
    },
    /// Attest that no promise of the lost journals is in force any more.
    AcceptLoss,
    /// Try the same command again.
    Again {
        kind: MoveKind,
    },
}
