//! Judges the world alone. It knows the rules of the design and nothing of how plans are made.

use crate::world::{NODES, SERVICES, World};
use siaga_model::Epoch;
use siaga_model::event::EventBody;
use siaga_model::plan::Placement;
use siaga_model::run::RunOutcome;

/// What is wrong, if anything.
pub fn look(world: &World) -> Result<(), String> {
    for (service, name) in SERVICES.iter().enumerate() {
        let of = |why: String| format!("{name}: {why}");
        one_holder(world, service).map_err(of)?;
        nothing_stale(world, service).map_err(of)?;
        order_of_things(world, service).map_err(of)?;
        single_use(world, service).map_err(of)?;
        no_mint_twice(world, service).map_err(of)?;
        let_go_with_the_address(world, service).map_err(of)?;
    }
    fenced_by_mandate(world)
}

/// Rule 1: never two machines that can write to a disk set.
fn one_holder(world: &World, service: usize) -> Result<(), String> {
    let writers = world.machines.iter().filter(|m| m.can_write(service));
    if writers.count() > 1 {
        return Err("both nodes can write to the disk set".into());
    }
    Ok(())
}

/// A database that writes from what its kernel remembered, over what another machine wrote since, destroys it.
fn nothing_stale(world: &World, service: usize) -> Result<(), String> {
    let disk = &world.disks[service];
    for (i, m) in world.machines.iter().enumerate() {
        let part = &m.parts[service];
        let others = disk.last_writer.is_some_and(|w| w != i);
        if part.database && part.mounted && !m.cut && others && part.mounted_at < disk.writes {
            return Err(format!("{}: writes on a stale mount", NODES[i]));
        }
    }
    Ok(())
}

/// A database runs only on a mounted disk set, on a machine that is on.
fn order_of_things(world: &World, service: usize) -> Result<(), String> {
    for (i, m) in world.machines.iter().enumerate() {
        let part = &m.parts[service];
        if part.database && !part.mounted {
            return Err(format!("{}: the database runs without its disk", NODES[i]));
        }
        if !m.powered && (part.mounted || part.database || part.address) {
            return Err(format!(
                "{}: something runs on a machine that is off",
                NODES[i]
            ));
        }
    }
    Ok(())
}

/// A proof is used once, on the node that used it and anywhere.
fn single_use(world: &World, service: usize) -> Result<(), String> {
    let mut used = Vec::new();
    for m in &world.machines {
        for body in &m.parts[service].journal {
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
fn no_mint_twice(world: &World, service: usize) -> Result<(), String> {
    for (i, m) in world.machines.iter().enumerate() {
        let mut last = 0;
        for body in &m.parts[service].journal {
            if let EventBody::MandateMinted { epoch }
            | EventBody::FenceMandateMinted { epoch, .. } = body
            {
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

/// A node that promised under the newest mandate that it knows has no address left: clients would be sent to it.
fn let_go_with_the_address(world: &World, service: usize) -> Result<(), String> {
    for (i, m) in world.machines.iter().enumerate() {
        let part = &m.parts[service];
        let newest = part.journal.iter().rev().find_map(|body| match body {
            EventBody::Promised { .. } => Some(true),
            EventBody::MandateMinted { .. }
            | EventBody::FenceMandateMinted { .. }
            | EventBody::MandateAdmitted { .. }
            | EventBody::EpochSeen { .. } => Some(false),
            _ => None,
        });
        if part.address && newest == Some(true) {
            return Err(format!("{}: let go and kept the address", NODES[i]));
        }
    }
    Ok(())
}

/// Rule 4: whoever fences a node has, for every service that was really there, minted the newest mandate that it knows,
/// and obeyed no other since.
fn fenced_by_mandate(world: &World) -> Result<(), String> {
    let Some(fenced) = &world.fenced else {
        return Ok(());
    };
    for service in fenced.hit.iter().copied() {
        let journal = &world.machines[fenced.by].parts[service].journal;
        let known = journal[..fenced.journals[service]].iter();
        let epochs: Vec<(&Epoch, bool)> = known
            .filter_map(|body| match body {
                EventBody::MandateMinted { epoch }
                | EventBody::FenceMandateMinted { epoch, .. } => Some((epoch, true)),
                EventBody::MandateAdmitted { epoch } | EventBody::EpochSeen { epoch } => {
                    Some((epoch, false))
                }
                _ => None,
            })
            .collect();
        let newest = epochs.iter().max_by_key(|(epoch, _)| epoch.counter);
        if newest.is_none_or(|(epoch, own)| !own || epoch.issuer.as_str() != NODES[fenced.by]) {
            return Err(format!(
                "{} fenced {} without a mandate of {}, which was there",
                NODES[fenced.by], NODES[fenced.victim], SERVICES[service]
            ));
        }
    }
    Ok(())
}

/// Is what a run says of its end true?
pub fn judge_end(
    world: &World,
    service: usize,
    goal: &Placement,
    home: Option<usize>,
    outcome: &RunOutcome,
) -> Result<(), String> {
    match outcome {
        RunOutcome::Done => match goal {
            Placement::ActiveOn(node) => {
                let index = NODES.iter().position(|n| *n == node.as_str());
                if world.serving(service) == index {
                    Ok(())
                } else {
                    Err(format!("done, but {node} does not serve"))
                }
            }
            Placement::Stopped => {
                let parts = world.machines.iter().map(|m| &m.parts[service]);
                if parts.into_iter().any(|p| p.mounted || p.database) {
                    return Err("stopped, but something runs".into());
                }
                Ok(())
            }
        },
        RunOutcome::Restored { .. } => {
            if world.serving(service).is_none() || world.serving(service) != home {
                return Err("restored, but the service does not run where it started".into());
            }
            Ok(())
        }
        // A refused or stuck run promises nothing but to say so.
        RunOutcome::Refused { .. } | RunOutcome::Stuck { .. } => Ok(()),
    }
}
