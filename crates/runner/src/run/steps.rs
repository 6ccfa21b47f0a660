//! What a step means for its run: does it touch the service, is the address free after it, is another plan worth it?

use siaga_model::config::FenceKind;
use siaga_model::plan::{Action, MandatedPlan, PlannedProof, Step};
use siaga_model::run::{FailureKind, StepFailure};
use siaga_model::why::Why;

/// May the step change where the service is? A fence and an attestation do not move it.
pub(super) fn touches(action: &Action) -> bool {
    !matches!(
        action,
        Action::Enlist
            | Action::Checkpoint
            | Action::Fence { .. }
            | Action::Attest { .. }
            | Action::AcceptOldData { .. }
            | Action::ClientTest
            | Action::AfterMove
    )
}

/// The step comes after the others' address was removed, or after their power went: nobody is left to answer for it.
/// A node that was only cut from the storage, or that a person says is off, may still answer.
pub(super) fn address_free(plan: &MandatedPlan) -> bool {
    plan.plan.proofs.iter().all(|proof| match proof {
        PlannedProof::Release { .. } => true,
        PlannedProof::Fence { fence, .. } => *fence == FenceKind::Power,
        PlannedProof::Attested { .. } => false,
    })
}

/// Worth another plan towards the same goal: a fence device that failed (the planner takes the next, or asks for an
/// attestation), a mandate that met another (a higher one is minted), and a node that was to promise only, since it
/// held nothing, and holds something now (the world moved on: another plan makes it let go); a take that took so long
/// that its proofs are too old for a mount (they are made again); and where a fence is allowed, a node of which it can't be
/// told.
pub(super) fn worth_another_plan(
    plan: Option<&MandatedPlan>,
    step: &Step,
    failure: &StepFailure,
    may_fence: bool,
) -> bool {
    let kind = failure.kind;
    match step.action {
        Action::Fence { .. } => true,
        Action::Mount if failure.detail == Why::ProofsTooOld => true,
        Action::Enlist | Action::Mount => kind == FailureKind::Superseded,
        // It can't be told whether the node let go (it lost its storage): the fence is the next way.
        Action::Release if kind == FailureKind::Unreachable => may_fence,
        Action::Release => {
            let unmounts = |s: &Step| s.node == step.node && s.action == Action::Unmount;
            // Where this plan did unmount there, another one would meet the same holder.
            kind == FailureKind::NotReleased
                && plan.is_some_and(|p| !p.plan.steps.iter().any(unmounts))
        }
        Action::Attest { .. }
        | Action::AcceptOldData { .. }
        | Action::Checkpoint
        | Action::StopApplications
        | Action::StopDatabase
        | Action::RemoveVirtualIp
        | Action::Unmount
        | Action::Take
        | Action::AddVirtualIp
        | Action::StartDatabase
        | Action::StartApplications
        | Action::ClientTest
        | Action::AfterMove => false,
    }
}
