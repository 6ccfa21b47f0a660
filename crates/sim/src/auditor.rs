//! Judges the world alone. It knows the rules of the design and nothing of how plans are made.

use crate::world::{NODES, World};
use siaga_model::event::EventBody;
use siaga_model::plan::Placement;
use siaga_model::run::RunOutcome;

/// What is wrong, if anything.
pub fn look(world: &World) -> Result<(), String> {
    one_holder(world)?;
    nothing_stale(world)?;
    order_of_things(world)?;
    single_use(world)?;
    no_mint_twice(world)
}

/// Rule 1: never two machines that can write to the disk set.
fn one_holder(world: &World) -> Result<(), String> {
    if world.machines.iter().filter(|m| m.can_write()).count() > 1 {
        return Err("both nodes can write to the disk set".into());
    }
    Ok(())
}

/// A database that writes from what its kernel remembered, over what another machine wrote since, destroys it.
fn nothing_stale(world: &World) -> Result<(), String> {
    for (i, m) in world.machines.iter().enumerate() {
        let others = world.last_writer.is_some_and(|w| w != i);
        if m.database && m.mounted && !m.cut && others && m.mounted_at < world.writes {
            return Err(format!("{}: writes on a stale mount", NODES[i]));
        }
    }
    Ok(())
}

/// A database runs only on a mounted disk set, on a machine that is on.
fn order_of_things(world: &World) -> Result<(), String> {
    for (i, m) in world.machines.iter().enumerate() {
        if m.database && !m.mounted {
            return Err(format!("{}: the database runs without its disk", NODES[i]));
        }
        if !m.powered && (m.mounted || m.database || m.address) {
            return Err(format!(
                "{}: something runs on a machine that is off",
                NODES[i]
            ));
        }
    }
    Ok(())
}

/// A proof is used once, on the node that used it and anywhere.
fn single_use(world: &World) -> Result<(), String> {
    let mut used = Vec::new();
    for m in &world.machines {
        for body in &m.journal {
            if let EventBody::ProofUsed { proof } = body {
                let key = (proof.epoch.clone(), proof.node.clone());
                if used.contains(&key) {
                    return Err(format!("a proof about {} was used twice", proof.node));
                }
                used.push(key);
            }
        }
    }
    Ok(())
}

/// A node never mints the same or a lower counter again.
fn no_mint_twice(world: &World) -> Result<(), String> {
    for (i, m) in world.machines.iter().enumerate() {
        let mut last = 0;
        for body in &m.journal {
            if let EventBody::MandateMinted { epoch } = body {
                if epoch.counter <= last {
                    return Err(format!(
                        "{} minted {} after {last}",
                        NODES[i], epoch.counter
                    ));
                }
                last = epoch.counter;
            }
        }
    }
    Ok(())
}

/// Is what a run says of its end true?
pub fn judge_end(
    world: &World,
    goal: &Placement,
    home: Option<usize>,
    outcome: &RunOutcome,
) -> Result<(), String> {
    match outcome {
        RunOutcome::Done => match goal {
            Placement::ActiveOn(node) => {
                let index = NODES.iter().position(|n| *n == node.as_str());
                if world.serving() == index {
                    Ok(())
                } else {
                    Err(format!("done, but {node} does not serve"))
                }
            }
            Placement::Stopped => {
                if world.machines.iter().any(|m| m.mounted || m.database) {
                    return Err("stopped, but something runs".into());
                }
                Ok(())
            }
        },
        RunOutcome::Restored { .. } => {
            if world.serving().is_none() || world.serving() != home {
                return Err("restored, but the service does not run where it started".into());
            }
            Ok(())
        }
        // A refused or stuck run promises nothing but to say so.
        RunOutcome::Refused { .. } | RunOutcome::Stuck { .. } => Ok(()),
    }
}
