//! What the simulated agents say where the real ones have words of their own, and what a run leaves out of its own
//! observation.

use siaga_model::observation::{AgentView, Observation};
use siaga_model::refusal::{Advice, Refusal, RefusalCode, Sentence};
use siaga_model::run::{StepOutcome, StepReport};
use siaga_model::{RunId, UtcMicros};

pub(crate) fn report(outcome: StepOutcome) -> StepReport {
    StepReport {
        outcome,
        proof: None,
        tests: Vec::new(),
        notes: Vec::new(),
        started_at: UtcMicros(0),
        duration_ms: 0,
    }
}

pub(crate) fn log_refusal(why: &str) -> Refusal {
    Refusal {
        code: RefusalCode::Superseded,
        sentence: Sentence::RefusedBadRequest { why: why.into() },
        evidence: Vec::new(),
        next: vec![Advice::Status],
    }
}

pub(crate) fn forget(observation: &mut Observation, run: &RunId) {
    for view in observation.nodes.values_mut() {
        if let AgentView::Answered { facts, .. } = &mut view.agent
            && facts
                .ledger
                .unfinished
                .as_ref()
                .is_some_and(|u| &u.run == run)
        {
            facts.ledger.unfinished = None;
        }
    }
}
