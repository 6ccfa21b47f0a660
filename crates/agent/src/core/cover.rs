//! A run that another node covered: the cover is a run of its own, and the covered run is shown as what became of it.

use super::live::LiveRun;
use super::runs::KnownRun;
use siaga_model::event::{Event, EventBody};
use siaga_model::run::{FailureKind, RunOutcome, StepAt, StepFailure};
use siaga_model::{NodeName, PlanId, RunId};

/// What the coordinator of a covered run was doing when it fell silent.
const COORDINATE: &str = "coordinate";

/// The run that a cover covers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Covered {
    pub run: RunId,
    /// Its newest plan: the parent of the cover's own.
    pub plan: PlanId,
    pub coordinator: NodeName,
}

impl From<&KnownRun> for Covered {
    fn from(known: &KnownRun) -> Self {
        Self {
            run: known.run.clone(),
            plan: known.plan.id.clone(),
            coordinator: known.plan.coordinator.clone(),
        }
    }
}

/// The end of the covered run, to be written with the end of the cover. `None` where this is no cover, or it never
/// had a mandate: then the covered run rests as it was.
pub fn end_of_covered(live: &LiveRun, body: &EventBody) -> Option<Event> {
    let covered = live.covers.as_ref()?;
    let EventBody::RunEnded {
        outcome,
        plan: Some(_),
    } = body
    else {
        return None;
    };
    let cause = StepFailure::new(FailureKind::CoordinatorSilent, live.run.to_string());
    let at = StepAt {
        node: covered.coordinator.clone(),
        action: COORDINATE.into(),
    };
    let outcome = match outcome {
        RunOutcome::Done | RunOutcome::Restored { .. } => RunOutcome::Restored { cause, at },
        RunOutcome::Stuck { refusal, .. } => RunOutcome::Stuck {
            cause: Some(cause),
            at: Some(at),
            refusal: refusal.clone(),
        },
        RunOutcome::Refused { .. } => return None,
    };
    Some(Event {
        service: Some(live.service.clone()),
        run: Some(covered.run.clone()),
        actor: Some(live.actor.clone()),
        body: EventBody::RunEnded {
            outcome,
            plan: Some(covered.plan.clone()),
        },
    })
}

/// Is this the end of a run that another one covered?
pub fn is_cover(outcome: &RunOutcome) -> bool {
    match outcome {
        RunOutcome::Restored { cause, .. }
        | RunOutcome::Stuck {
            cause: Some(cause), ..
        } => cause.kind == FailureKind::CoordinatorSilent,
        RunOutcome::Done | RunOutcome::Refused { .. } | RunOutcome::Stuck { cause: None, .. } => {
            false
        }
    }
}
