//! What is dangerous now, whatever was asked for: two holders, two machines under one address, a stranger's mount.

use crate::evidence;
use crate::guards;
use crate::verdict::{Found, ready};
use crate::world::{Grip, World};
use siaga_model::NodeName;
use siaga_model::api::VerdictState;
use siaga_model::config::FenceKind;
use siaga_model::refusal::{Advice, Sentence};

/// The danger that comes first, if any.
pub(crate) fn danger(world: &World) -> Option<Found> {
    let found = |sentence, advice| Some(Found::new(VerdictState::Danger, sentence, advice));
    let holders = guards::disk_holders(world);
    if holders.len() > 1 {
        let said = holders.iter().map(|n| evidence::holds(world, n)).collect();
        let sentence = Sentence::BothHold { nodes: holders };
        return found(sentence, guards::two_holders_advice(world)).map(|f| f.because(said));
    }
    if let Some((sentence, hardware)) = evidence::address_conflict(world) {
        return found(sentence, vec![Advice::FindStranger { hardware }]);
    }
    for node in world.nodes().filter(|n| !world.is_ready(&n.name)) {
        if let Some(mount) = evidence::strangers(world, &node.name).next() {
            let by_hand = Advice::UnmountByHand {
                node: node.name.clone(),
                mount_point: mount.mount_point.clone(),
            };
            return found(evidence::stranger(&node.name, mount), vec![by_hand]);
        }
    }
    let active = ready(world)?;
    world
        .others(&active)
        .into_iter()
        .find_map(|node| left_address(world, node))
}

/// A node other than the one that serves still has the virtual address, or answers for it.
fn left_address(world: &World, node: &NodeName) -> Option<Found> {
    let present = world
        .facts(node)
        .and_then(|f| f.virtual_ips.iter().find(|v| v.present));
    let sentence = match present {
        Some(vip) => Sentence::VirtualIpLeftOver {
            node: node.clone(),
            address: vip.address,
        },
        None => evidence::virtual_address(world, node)?,
    };
    let fences = world.config.node(node).map_or(&[][..], |n| &n.fences);
    let service = world.name();
    let advice = match present {
        Some(_) if world.grip(node) == Grip::Holds => {
            vec![Advice::Start { service }, Advice::Diagnose]
        }
        _ if fences.iter().any(|f| f.kind == FenceKind::Power) => {
            vec![Advice::PowerOff { node: node.clone() }, Advice::Diagnose]
        }
        _ => vec![Advice::Diagnose],
    };
    Some(Found::new(VerdictState::Danger, sentence, advice))
}
