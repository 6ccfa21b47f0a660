//! What the witnesses say, as sentences. Nothing is weighed here.

use crate::world::{Grip, World};
use siaga_model::observation::{
    AddressAnswer, DiskSighting, FenceState, FenceView, Holding, MountFact, Power, ProbeSighting,
};
use siaga_model::refusal::Sentence;
use siaga_model::{Holder, NodeName, Why};

/// Everything known of one node, the agent first.
pub(crate) fn of_node(world: &World, node: &NodeName) -> Vec<Sentence> {
    let mut said = agent(world, node);
    said.extend(power(world, node));
    said.extend(own_address(world, node));
    said
}

/// What the node's agent says, or that it says nothing.
fn agent(world: &World, node: &NodeName) -> Vec<Sentence> {
    let node = node.clone();
    let Some(facts) = world.facts(&node) else {
        return vec![world.silence(&node)];
    };
    let mut said = vec![Sentence::NodeAnswers { node: node.clone() }];
    said.push(match world.grip(&node) {
        Grip::Free => Sentence::NodeFree { node: node.clone() },
        Grip::Unknown { why } => Sentence::NodeHoldingUnknown {
            node: node.clone(),
            why,
        },
        Grip::Holds | Grip::CutOff { .. } | Grip::Silent => holds(world, &node),
    });
    said.extend(strangers(world, &node).map(|m| stranger(&node, m)));
    if facts.ledger.journal_lost {
        said.push(Sentence::NodeJournalLost { node: node.clone() });
    }
    if let Some(promise) = &facts.ledger.promise {
        said.push(Sentence::NodePromised {
            node,
            epoch: promise.epoch.clone(),
        });
    }
    said
}

/// What the node holds, named.
pub(crate) fn holds(world: &World, node: &NodeName) -> Sentence {
    let mut by: Vec<Holder> = Vec::new();
    if let Some(facts) = world.facts(node) {
        if let Holding::Held { by: holders } = &facts.disk {
            by.extend(holders.iter().cloned());
        }
        let mounts = facts.mounts.iter().filter(|m| m.mounted);
        let mounts = mounts.map(|m| m.mount_point.display().to_string());
        let present = facts.virtual_ips.iter().filter(|v| v.present);
        let present = present.map(|v| v.address.to_string());
        by.extend(mounts.chain(present).map(Holder::Told));
    }
    let mut seen = Vec::new();
    by.retain(|b| {
        let new = !seen.contains(b);
        seen.push(b.clone());
        new
    });
    Sentence::NodeHolds {
        node: node.clone(),
        by,
    }
}

/// The applications that are known not to run there.
pub(crate) fn stopped_applications(world: &World, node: &NodeName) -> Vec<Sentence> {
    let down = world.applications_down(node);
    let said = |name: &str| Sentence::ApplicationStopped {
        node: node.clone(),
        name: name.to_owned(),
    };
    down.map(said).collect()
}

/// File systems of the service that were not mounted under a mandate.
pub(crate) fn strangers<'a>(
    world: &World<'a>,
    node: &NodeName,
) -> impl Iterator<Item = &'a MountFact> + use<'a> {
    let facts = world.facts(node);
    facts
        .into_iter()
        .flat_map(|f| &f.mounts)
        .filter(|m| m.mounted && m.stranger)
}

pub(crate) fn stranger(node: &NodeName, mount: &MountFact) -> Sentence {
    Sentence::MountStranger {
        node: node.clone(),
        mount_point: mount.mount_point.clone(),
    }
}

fn power(world: &World, node: &NodeName) -> Option<Sentence> {
    // The observer knows that it runs.
    if node == &world.seen.observer {
        return None;
    }
    let node = node.clone();
    Some(
        match world.view(&node).map_or(Power::Unknown, |v| v.power) {
            Power::On => Sentence::NodePowerOn { node },
            Power::Off => Sentence::NodePowerOff { node },
            Power::Unknown => Sentence::NodePowerUnknown { node },
        },
    )
}

/// The node's own address answers from one of its registered hardware addresses: its kernel lives.
pub(crate) fn own_address(world: &World, node: &NodeName) -> Option<Sentence> {
    match &world.view(node)?.address {
        AddressAnswer::Node {
            node: answered,
            hardware,
        } if answered == node => Some(Sentence::NodeAddressAnswers {
            node: node.clone(),
            hardware: hardware.clone(),
        }),
        AddressAnswer::Node { .. }
        | AddressAnswer::Mine
        | AddressAnswer::Nobody
        | AddressAnswer::Stranger { .. }
        | AddressAnswer::NotAsked { .. } => None,
    }
}

/// A virtual address answers from a registered hardware address of the node. It shows a kernel, not a service: a
/// hung machine answers ARP too.
pub(crate) fn virtual_address(world: &World, node: &NodeName) -> Option<Sentence> {
    world
        .seen
        .addresses
        .iter()
        .find_map(|sighting| match &sighting.answer {
            AddressAnswer::Node { node: answered, .. } if answered == node => {
                Some(Sentence::AddressAnsweredBy {
                    address: sighting.address,
                    node: node.clone(),
                })
            }
            _ => None,
        })
}

/// A virtual address of the service answers from a hardware address of no node.
pub(crate) fn address_conflict(world: &World) -> Option<(Sentence, String)> {
    world
        .seen
        .addresses
        .iter()
        .find_map(|sighting| match &sighting.answer {
            AddressAnswer::Stranger { hardware }
                if world
                    .service
                    .virtual_ips
                    .iter()
                    .any(|v| v.address == sighting.address) =>
            {
                let (address, hardware) = (sighting.address, hardware.clone());
                Some((
                    Sentence::AddressConflict {
                        address,
                        hardware: hardware.clone(),
                    },
                    hardware,
                ))
            }
            _ => None,
        })
}

/// Who answers for the virtual addresses.
pub(crate) fn addresses(world: &World) -> Vec<Sentence> {
    let said = world.seen.addresses.iter().filter_map(|sighting| {
        let address = sighting.address;
        match &sighting.answer {
            AddressAnswer::Node { node, .. } => Some(Sentence::AddressAnsweredBy {
                address,
                node: node.clone(),
            }),
            AddressAnswer::Nobody => Some(Sentence::AddressSilent { address }),
            AddressAnswer::Stranger { hardware } => Some(Sentence::AddressConflict {
                address,
                hardware: hardware.clone(),
            }),
            AddressAnswer::Mine | AddressAnswer::NotAsked { .. } => None,
        }
    });
    said.collect()
}

/// What the client probes saw.
pub(crate) fn probes(world: &World) -> Vec<Sentence> {
    if world.seen.probes.is_empty() {
        return vec![Sentence::NoProbe];
    }
    world.seen.probes.iter().map(|p| probe(world, p)).collect()
}

pub(crate) fn probe(world: &World, sighting: &ProbeSighting) -> Sentence {
    let (probe, age_ms) = (sighting.probe.clone(), sighting.age_ms);
    match (world.is_fresh(sighting), sighting.serving) {
        (false, _) => Sentence::ProbeStale { probe, age_ms },
        (true, true) => Sentence::ProbeSeesService {
            probe,
            node: sighting.node.clone(),
            age_ms,
        },
        (true, false) => Sentence::ProbeSeesNothing { probe, age_ms },
    }
}

/// What the look at the shared disk showed.
pub(crate) fn disk(world: &World) -> Option<Sentence> {
    match world.seen.disk {
        DiskSighting::Changing => Some(Sentence::DiskChanging),
        DiskSighting::NoChangeSeen => Some(Sentence::DiskNoChange),
        DiskSighting::NotLooked { .. } => None,
    }
}

/// Each fence of the node, or that there is none and what that costs.
pub(crate) fn fences(world: &World, node: &NodeName) -> Vec<Sentence> {
    let ways = world.fences(node);
    if ways.is_empty() {
        return vec![
            Sentence::FenceNone { node: node.clone() },
            Sentence::NoFenceCost,
        ];
    }
    let said = ways.into_iter().map(|(name, fence)| {
        let (node, device) = (node.clone(), name.to_owned());
        match world
            .fence_view(&node, &device)
            .map(|f: &FenceView| &f.state)
        {
            Some(FenceState::Open) => Sentence::FenceAnswers {
                node,
                device,
                fence,
            },
            Some(FenceState::Fenced) => Sentence::FenceConfirms {
                node,
                device,
                fence,
            },
            Some(FenceState::Failed { why }) => Sentence::FenceFailed {
                node,
                device,
                why: why.clone(),
            },
            None => Sentence::FenceFailed {
                node,
                device,
                why: Why::NotAsked,
            },
        }
    });
    said.collect()
}
