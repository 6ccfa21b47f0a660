//! The way back, from wherever a job stands.

use super::configured;
use siaga_model::migrate::{Direction, Facts, Job, NewSide, Refusal, Sides, Step};

/// The way back from where a job stands: its steps in place of those that were left.
///
/// # Errors
/// The refusal.
pub fn back(job: &Job, sides: &Sides, as_it_was: bool) -> Result<(Direction, Vec<Step>), Refusal> {
    anyone(sides)?;
    if job.direction != Direction::Forward {
        return match (as_it_was, job.left.is_empty()) {
            (_, true) => Err(Refusal::NothingToGoBack),
            // Half of what was written in the new place may lie in it.
            (true, false) if job.direction == Direction::Back => Err(Refusal::NotAsItWas),
            _ => may_mount(job, sides).map(|()| (job.direction, job.left.clone())),
        };
    }
    if !sides.old_there {
        let path = job.facts.kept.clone();
        return Err(Refusal::OldGone { path });
    }
    let (direction, steps) = match (sides.new, as_it_was) {
        (NewSide::Untouched, _) => (Direction::Back, [&UNDO[..], &[Step::Tidy]].concat()),
        (NewSide::Written, false) => (Direction::Back, RETURN.to_vec()),
        (NewSide::Written | NewSide::NotMounted | NewSide::Unknown, true) => {
            (Direction::BackAsItWas, UNDO.to_vec())
        }
        (NewSide::NotMounted, false) => return Err(not_mounted(&job.facts, sides)),
        (NewSide::Unknown, false) => return Err(Refusal::NewUnknown),
    };
    Ok((direction, steps))
}

/// May what is left of a job be done?
///
/// # Errors
/// The refusal.
pub fn may_go_on(job: &Job, sides: &Sides) -> Result<(), Refusal> {
    anyone(sides)?;
    may_mount(job, sides)
}

/// Before anything else, whatever is to be done.
fn anyone(sides: &Sides) -> Result<(), Refusal> {
    if !sides.is_root {
        return Err(Refusal::NotRoot);
    }
    configured(&sides.configured).map_or(Ok(()), Err)
}

/// Where another node may have the device, a step finds it mounted, or does not mount it.
fn may_mount(job: &Job, sides: &Sides) -> Result<(), Refusal> {
    let mounts = !sides.mounted && job.left.iter().any(|step| step.needs_mount());
    match mounts && sides.of_a_site {
        true => Err(not_mounted(&job.facts, sides)),
        false => Ok(()),
    }
}

fn not_mounted(facts: &Facts, sides: &Sides) -> Refusal {
    let (device, mount_point) = (facts.device.clone(), facts.mount_point.clone());
    match sides.of_a_site {
        true => Refusal::SiteNode {
            device,
            mount_point,
        },
        false => Refusal::NotMounted {
            device,
            mount_point,
        },
    }
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
