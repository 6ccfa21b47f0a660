//! What is to be done, as data: a graph of steps that the runner carries out and nobody has to interpret.

use crate::config::FenceKind;
use crate::ids::{NodeName, PlanId, ServiceName, StepId};
use crate::proof::AttestKind;
use crate::refusal::Sentence;
use serde::{Deserialize, Serialize};

/// Where a service is to be.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Placement {
    ActiveOn(NodeName),
    Stopped,
}

/// The verb that a person used.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MoveKind {
    Takeover,
    Switchover,
    Failback,
    Drill,
    Restart,
    Stop,
    Start,
    /// Bring an interrupted run to its goal.
    Resume,
    /// Bring an interrupted run back to where the service was.
    Abort,
    /// The runner's own: a planned move failed, bring the service back.
    Restore,
    /// The runner's own: the coordinator fell silent, the other participant covers.
    Cover,
}

/// What is asked of the planner.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Request {
    pub kind: MoveKind,
    pub goal: Placement,
    /// Attestations that came with the request.
    pub attested: Vec<crate::observation::AttestationGiven>,
    /// Nodes that a person's plan may fence. Empty for planned moves: they never fence.
    pub may_fence: bool,
    /// A named person decided that the target's copy may be promoted although it is old.
    pub accepts_old_data: bool,
}

/// The steps from an observation to a goal.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Plan {
    pub service: ServiceName,
    pub kind: MoveKind,
    pub goal: Placement,
    /// The node where the service was active, where that is known.
    pub from: Option<NodeName>,
    /// How each other node is made to let go.
    pub proofs: Vec<PlannedProof>,
    /// The other services whose mandates a fence of this plan needs: all of the site, since what is not there yet may
    /// get there before the fence.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hits: Vec<Hit>,
    /// In an order in which every step comes after those it waits for.
    pub steps: Vec<Step>,
    /// What the operator is told of this world: evidence first.
    pub sentence: Sentence,
    /// What this plan can't prove before it runs.
    pub unproved: Vec<Sentence>,
}

impl Plan {
    /// Has `node` anything to do under this plan? A node that is fenced or attested off has not: it is acted against.
    pub fn acts_on(&self, node: &NodeName) -> bool {
        self.steps.iter().any(|s| &s.node == node)
    }
    /// Every node that has something to do, once.
    pub fn nodes(&self) -> Vec<NodeName> {
        let mut nodes: Vec<NodeName> = self.steps.iter().map(|s| s.node.clone()).collect();
        nodes.sort();
        nodes.dedup();
        nodes
    }
}

/// A service that would be hit by a fence of a node, if it were there at that moment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Hit {
    pub victim: NodeName,
    pub service: ServiceName,
}

/// The mandate of a service that a fence hits: in that service's own epochs, held by the coordinator of the fence.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct HitMandate {
    pub victim: NodeName,
    pub service: ServiceName,
    pub epoch: crate::mandate::Epoch,
}

/// How a node is to be made to let go.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlannedProof {
    Release {
        node: NodeName,
    },
    Fence {
        node: NodeName,
        device: String,
        fence: FenceKind,
    },
    Attested {
        node: NodeName,
        how: AttestKind,
    },
}

/// One act on one node.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Step {
    pub id: StepId,
    /// Where it is carried out. A fence is carried out by the coordinator; `Action::Fence` names its victim.
    pub node: NodeName,
    pub action: Action,
    /// Steps that must be done first.
    pub after: Vec<StepId>,
}

/// Every act there is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The node durably admits the mandate and keeps the plan, so that it can cover a silent coordinator.
    Enlist,
    /// Writes back what is dirty while the service still runs, so that the stop is short.
    Checkpoint,
    StopApplications,
    StopDatabase,
    RemoveVirtualIp,
    Unmount,
    /// Proves that nothing on this node touches the disk set, and promises so durably.
    Release,
    /// Switches `victim` off or cuts it from the storage, and has it confirmed by the device.
    Fence {
        victim: NodeName,
        device: String,
        fence: FenceKind,
        /// So long it waits first: two nodes that fence each other at the same time must not both go.
        #[serde(default, skip_serializing_if = "is_zero")]
        wait_ms: u64,
    },
    /// Records and checks the person's word about `victim`.
    Attest {
        victim: NodeName,
        how: AttestKind,
    },
    /// Keeps a named person's decision for the take that follows: the copy here is old, in that state, and is the
    /// database from now on. What only the other copy has is lost.
    AcceptOldData {
        resource: String,
        state: String,
    },
    /// Verifies every proof once more, uses it up, and takes the disk set.
    Take,
    Mount,
    AddVirtualIp,
    StartDatabase,
    StartApplications,
    ClientTest,
    /// Commands on other hosts. Failure is reported and undoes nothing.
    AfterMove,
}

impl Action {
    /// A stable name for logs, JSON and messages.
    pub fn name(&self) -> &'static str {
        match self {
            Action::Enlist => "enlist",
            Action::Checkpoint => "checkpoint",
            Action::StopApplications => "stop_applications",
            Action::StopDatabase => "stop_database",
            Action::RemoveVirtualIp => "remove_virtual_ip",
            Action::Unmount => "unmount",
            Action::Release => "release",
            Action::Fence { .. } => "fence",
            Action::Attest { .. } => "attest",
            Action::AcceptOldData { .. } => "accept_old_data",
            Action::Take => "take",
            Action::Mount => "mount",
            Action::AddVirtualIp => "add_virtual_ip",
            Action::StartDatabase => "start_database",
            Action::StartApplications => "start_applications",
            Action::ClientTest => "client_test",
            Action::AfterMove => "after_move",
        }
    }

    /// A step whose failure is reported and does not fail the move.
    pub fn is_advisory(&self) -> bool {
        matches!(
            self,
            Action::Checkpoint | Action::ClientTest | Action::AfterMove
        )
    }
}

/// A plan under its mandate: what is fsynced before the first step.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MandatedPlan {
    pub id: PlanId,
    pub parent: Option<PlanId>,
    pub epoch: crate::mandate::Epoch,
    pub coordinator: NodeName,
    /// One for each of the plan's hits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hit_mandates: Vec<HitMandate>,
    pub plan: Plan,
}

// The signature is what serde asks for.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(number: &u64) -> bool {
    *number == 0
}
