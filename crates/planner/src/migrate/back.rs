//! The way back, from wherever a job stands.

use super::configured;
use siaga_model::migrate::{Direction, Job, NewSide, Refusal, Sides, Step};

/// The way back from where a job stands: its steps in place of those that were left.
///
/// # Errors
/// The refusal.
pub fn back(job: &Job, sides: &Sides, as_it_was: bool) -> Result<(Direction, Vec<Step>), Refusal> {
    if !sides.is_root {
        return Err(Refusal::NotRoot);
    }
    if let Some(refusal) = configured(&sides.configured) {
        return Err(refusal);
    }
    if job.direction != Direction::Forward {
        return match (as_it_was, job.left.is_empty()) {
            (_, true) => Err(Refusal::NothingToGoBack),
            // Half of what was written in the new place may lie in it.
            (true, false) if job.direction == Direction::Back => Err(Refusal::NotAsItWas),
            _ => Ok((job.direction, job.left.clone())),
        };
    }
    if !sides.old_there {
        let path = job.facts.kept.clone();
        return Err(Refusal::OldGone { path });
    }
    let (direction, steps) = match (sides.new, as_it_was) {
        (NewSide::Untouched, _) => (Direction::Back, [&UNDO[..], &[Step::Tidy]].concat()),
        (NewSide::Written, false) => (Direction::Back, RETURN.to_vec()),
        (NewSide::Written | NewSide::Unknown, true) => (Direction::BackAsItWas, UNDO.to_vec()),
        (NewSide::Unknown, false) => return Err(Refusal::NewUnknown),
    };
    Ok((direction, steps))
}

/// Nothing of the new place counts.
const UNDO: [Step; 7] = [
    Step::StopNew,
    Step::DisableNew,
    Step::PointBack,
    Step::RestoreOld,
    Step::EnableOldAsItWas,
    Step::StartOld,
    Step::VerifyOld,
];

/// What was written in the new place counts.
const RETURN: [Step; 9] = [
    Step::CopyBack,
    Step::StopNew,
    Step::DisableNew,
    Step::CopyBackRest,
    Step::PointBack,
    Step::RestoreOld,
    Step::EnableOld,
    Step::StartOld,
    Step::VerifyOld,
];
