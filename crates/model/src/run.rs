//! Orders to a node, what came of them, and how a run ends.

use crate::ids::{NodeName, RunId, ServiceName};
use crate::note::Note;
use crate::plan::{MandatedPlan, Step};
use crate::proof::ProofRecord;
use crate::refusal::Refusal;
use crate::time::UtcMicros;
use crate::why::Why;
use serde::{Deserialize, Serialize};

/// One step sent to the node that carries it out.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Order {
    pub service: ServiceName,
    pub run: RunId,
    pub plan: crate::ids::PlanId,
    pub epoch: crate::mandate::Epoch,
    pub coordinator: NodeName,
    pub step: Step,
    /// For `Take`: the records to verify and use up.
    pub proofs: Vec<ProofRecord>,
    /// For `Fence`: the mandates of the other services that it hits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hit_mandates: Vec<crate::plan::HitMandate>,
    /// For `Enlist`: the whole plan.
    pub enlist: Option<Box<MandatedPlan>>,
    /// For `AddVirtualIp`: every other node is off, or was seen without the address, so that nobody can answer for it.
    #[serde(default)]
    pub address_free: bool,
    /// For `Attest`: what people said.
    pub attested: Vec<crate::observation::AttestationGiven>,
}

/// What a node says of a step.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StepReport {
    pub outcome: StepOutcome,
    /// A proof that the step produced (`Release`, `Fence`, `Attest`).
    pub proof: Option<ProofRecord>,
    /// For `ClientTest`: each test's result.
    pub tests: Vec<crate::api::ClientTestResult>,
    /// Facts for people and for the log: short, no secrets.
    pub notes: Vec<Note>,
    pub started_at: UtcMicros,
    pub duration_ms: u64,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "result")]
pub enum StepOutcome {
    /// Looked at again, and true. `changed` is false where it was true already.
    Done { changed: bool },
    /// Looked at again, and not true.
    Failed(StepFailure),
    /// It can't be told whether the act took effect.
    Unknown { why: Why },
}

impl StepOutcome {
    /// True where the step was seen to hold.
    pub fn is_done(&self) -> bool {
        matches!(self, StepOutcome::Done { .. })
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StepFailure {
    pub kind: FailureKind,
    /// The cause.
    pub detail: Why,
    /// The witness that contradicts, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub witness: Option<Box<crate::refusal::Sentence>>,
}

impl StepFailure {
    /// A failure without a witness.
    pub fn new(kind: FailureKind, detail: impl Into<Why>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            witness: None,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// Busy: `detail` names the holders.
    Busy,
    /// Unmounted here, yet something still holds the device.
    NotReleased,
    /// The database did not stop within its budget, or left processes.
    DatabaseStop,
    /// The database did not start, or its start no longer advances.
    DatabaseStart,
    Mount,
    Address,
    Application,
    Fence,
    /// A proof did not hold when it was verified again.
    ProofVoid,
    /// A witness contradicts the attestation.
    AttestationContradicted,
    /// A newer mandate is in force, here or on the disk set.
    Superseded,
    ClientTest,
    /// The order contradicts what this node sees or is configured for.
    Precondition,
    /// The log could not be written.
    Log,
    /// The peer can't be reached; what it did is not known from here.
    Unreachable,
    /// The run's coordinator fell silent, and the other node covered. `detail` names the run that did.
    CoordinatorSilent,
    Io,
}

/// How a run ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum RunOutcome {
    Done,
    /// Nothing was begun.
    Refused {
        refusal: Refusal,
    },
    /// It failed, and the service runs where it started.
    Restored {
        cause: StepFailure,
        at: StepAt,
    },
    /// It rests in a named state. `refusal` says which, and the next safe act.
    Stuck {
        cause: Option<StepFailure>,
        at: Option<StepAt>,
        refusal: Refusal,
    },
}

/// Which step, for people.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StepAt {
    pub node: NodeName,
    pub action: String,
}

/// Identifies a run to those who watch it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RunRef {
    pub run: RunId,
    pub service: ServiceName,
    pub coordinator: NodeName,
}
