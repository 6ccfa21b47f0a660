//! The traits between the runner and the world. The real hands are in `siaga-node`, the pretend ones in `siaga-sim`.

use crate::permit::TakePermit;
use siaga_model::api::ClientTestResult;
use siaga_model::event::EventBody;
use siaga_model::note::{self, Note};
use siaga_model::observation::{
    ApplicationFact, DatabaseState, FenceState, Holding, MountFact, PromiseFacts, VirtualIpFact,
};
use siaga_model::plan::Plan;
use siaga_model::proof::AttestKind;
use siaga_model::refusal::Sentence;
use siaga_model::run::{FailureKind, StepFailure};
use siaga_model::why::Why;
use siaga_model::{BootId, Epoch, NodeName, ServiceName, UtcMicros};
use std::time::Duration;

/// What an act did, after looking again.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Did {
    /// False where it was true already.
    pub changed: bool,
    /// Facts for people and for the log.
    pub notes: Vec<Note>,
}

impl Did {
    /// It was true already.
    pub fn nothing() -> Self {
        Self::default()
    }
    /// It is true now.
    pub fn changed(notes: Vec<Note>) -> Self {
        Self {
            changed: true,
            notes,
        }
    }
}

/// Why an act can't be called done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Trouble {
    /// Looked at again: it is not true.
    Failed(StepFailure),
    /// It can't be told whether it took effect.
    Unknown(Why),
}

impl Trouble {
    /// A failure of that kind.
    pub fn failed(kind: FailureKind, detail: impl Into<Why>) -> Self {
        Trouble::Failed(StepFailure::new(kind, detail))
    }
}

/// What came of an act.
pub type Acted = Result<Did, Trouble>;

/// Told while a long act runs: how far it has come.
pub type Progress<'a> = &'a dyn Fn(note::Progress);

/// What this node sees of itself, for one service. The ledger's part is added by the agent.
#[derive(Clone, PartialEq, Debug)]
pub struct OwnFacts {
    pub disk: Holding,
    pub mounts: Vec<MountFact>,
    pub virtual_ips: Vec<VirtualIpFact>,
    pub database: DatabaseState,
    pub applications: Vec<ApplicationFact>,
}

/// How sure we are that nobody else has the virtual address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AddressCertainty {
    /// The other node's power is off, or its removal was seen: no probing before the address is added.
    Proven,
    /// Somebody may still answer: the address is added and defended, and a conflict is reported.
    Contested,
}

/// The host. Every act first checks whether it is true already, then acts, then looks again. Acts block; they are
/// called from threads that may block. Every act has its own bounded wait.
pub trait Hands: Send + Sync {
    /// This node's name.
    fn node(&self) -> NodeName;
    /// The kernel's boot id.
    fn boot(&self) -> BootId;
    /// Looks, and changes nothing: never mounts, never opens the disk set for writing.
    fn look(&self, service: &ServiceName) -> OwnFacts;

    /// Writes dirty data back while the service runs.
    fn checkpoint(&self, service: &ServiceName) -> Acted;
    fn stop_applications(&self, service: &ServiceName) -> Acted;
    /// Fast, then immediate, then kill. Done means that the postmaster and every process it left are gone.
    fn stop_database(&self, service: &ServiceName, progress: Progress) -> Acted;
    fn remove_virtual_ips(&self, service: &ServiceName) -> Acted;
    /// Never lazily, never killing what is not the service's own. `Busy` names the holders.
    fn unmount(&self, service: &ServiceName) -> Acted;
    /// Proves that nothing here touches the disk set: no process, no mount in any namespace, `open(O_EXCL)` succeeds.
    fn prove_released(&self, service: &ServiceName) -> Acted;

    /// Another node took the disk set, or may have: what is left of it here must never be taken for ours again.
    fn disown(&self, service: &ServiceName);

    /// Takes the disk set. The permit says that every other node has provably let go, and whether what this kernel
    /// still has of it (a mount, buffers) may be gone on with.
    fn take(&self, permit: TakePermit) -> Acted;
    /// Mounts what [`Hands::take`] took in this process and boot.
    fn mount(&self, service: &ServiceName) -> Acted;
    /// The epoch recorded on the mounted disk set, if any.
    fn read_disk_epoch(&self, service: &ServiceName) -> Result<Option<Epoch>, Trouble>;
    /// Records the epoch on the mounted disk set, durably.
    fn write_disk_epoch(&self, service: &ServiceName, epoch: &Epoch) -> Acted;
    fn add_virtual_ips(&self, service: &ServiceName, certainty: AddressCertainty) -> Acted;
    /// Done means ready: out of recovery, and a write committed.
    fn start_database(&self, service: &ServiceName, progress: Progress) -> Acted;
    fn start_applications(&self, service: &ServiceName) -> Acted;
    /// `since`: when the service was started here; a probe's success counts only if it is newer.
    fn client_test(&self, service: &ServiceName, since: UtcMicros) -> Vec<ClientTestResult>;
    fn after_move(&self, service: &ServiceName) -> Acted;

    /// Waits before a fence: the other node may be about to fence this one.
    fn hold_back(&self, wait: Duration);
    /// Switches `victim` off, or cuts it from the storage, and has the device confirm it. Never a reboot.
    fn fence(&self, victim: &NodeName, device: &str) -> Acted;
    /// Takes the registration of `victim` at the disk set of `service` away, registers and reserves for this node under
    /// `epoch`, and reads it back. Done means that the disk refuses the victim's writes.
    fn reserve(&self, _service: &ServiceName, _victim: &NodeName, _epoch: &Epoch) -> Acted {
        Err(Trouble::failed(FailureKind::Fence, Why::NoReservation))
    }
    /// Is the disk set reserved for this node alone, under that very mandate?
    fn reservation(&self, _service: &ServiceName, _epoch: &Epoch) -> FenceState {
        FenceState::Failed {
            why: Why::NoReservation,
        }
    }
    /// Asks the device.
    fn fence_state(&self, victim: &NodeName, device: &str) -> FenceState;
    /// A sign of life of `victim` that contradicts that it is off or cut, seen after `since`.
    /// `how` is `None` for a power fence.
    fn sign_of_life(
        &self,
        service: &ServiceName,
        victim: &NodeName,
        ground: LifeQuestion,
        since: UtcMicros,
    ) -> Option<Sentence>;
    /// Both of the above, for a node that was fenced by `device`. Hands that can ask both at the same time do so: a take
    /// waits for the answers. A sign need not be asked for where the device does not say "fenced".
    fn still_fenced(
        &self,
        service: &ServiceName,
        victim: &NodeName,
        device: &str,
        ground: LifeQuestion,
        since: UtcMicros,
    ) -> (FenceState, Option<Sentence>) {
        let state = self.fence_state(victim, device);
        let sign = match state {
            FenceState::Fenced => self.sign_of_life(service, victim, ground, since),
            FenceState::Open | FenceState::Failed { .. } => None,
        };
        (state, sign)
    }
    /// What `node` says of its promise now; `None` where it does not answer within a bounded time.
    fn promise_facts(&self, service: &ServiceName, node: &NodeName) -> Option<PromiseFacts>;
    /// The wall clock, for records.
    fn now(&self) -> UtcMicros;
    /// Time since the boot of this machine, its sleep included: no step of the wall clock and no pause of the process
    /// makes an age look smaller.
    fn since_boot(&self) -> Duration;
}

/// What would contradict the ground of a proof.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LifeQuestion {
    /// The node is said to be off: any answer contradicts.
    PoweredOff,
    /// Its storage is said to be cut: only signs that it still reaches the disk set or serves contradict.
    StorageCut,
    /// A person says so.
    Attested(AttestKind),
}

/// Where ledger events go. The agent's journal implements it; so does the simulation's.
pub trait Store: Send {
    /// Appends and waits until all of it is on the disk. Either all is durable, or an error.
    fn append_durably(
        &mut self,
        service: &ServiceName,
        bodies: Vec<EventBody>,
    ) -> Result<(), String>;
}

/// What a node keeps of a run that it is enlisted in or coordinates.
#[derive(Clone, PartialEq, Debug)]
pub struct KnownPlan {
    pub plan: Plan,
    pub epoch: Epoch,
    pub coordinator: NodeName,
}
