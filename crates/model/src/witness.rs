//! The witnesses of an observation, one a row: who says what of whom, and how old it is.

use crate::ids::NodeName;
use crate::observation::{
    AddressAnswer, AgentView, DiskSighting, FenceState, Holding, NodeView, Observation, Power,
};
use crate::why::Why;
use serde::Serialize;

/// In place of a path, of the node that observes.
const OWN: &str = "here";

/// Who says it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A node's agent, over at least one path.
    Agent,
    /// A node's agent, of its own hold on the disk set.
    Holding,
    /// A fence device, of the power.
    Power,
    Fence,
    /// Whoever answers for a node's own address, by its registered hardware address.
    Address,
    VirtualAddress,
    Probe,
    /// The shared disk, read raw from here.
    Disk,
    /// In place of a shared disk: the kernel's connection to the other node's copy (DRBD).
    Replica,
}

/// What it says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Says {
    Answers,
    Silent,
    Holds,
    Free,
    On,
    Off,
    Open,
    Fenced,
    Failed,
    Nobody,
    Stranger,
    Serving,
    NotServing,
    Changing,
    NoChangeSeen,
    Unknown,
}

/// One row.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Witness {
    pub witness: Kind,
    /// Which one, where there are several: a fence, an address, a probe.
    pub name: Option<String>,
    /// The node it speaks of. `None`: of whoever it is.
    pub of: Option<NodeName>,
    pub says: Says,
    /// The hardware address that answered.
    pub hardware: Option<String>,
    /// Why it can't tell.
    pub why: Option<Why>,
    /// How old its word is, milliseconds. 0: it was asked just now.
    pub age_ms: u64,
}

impl Witness {
    fn new(witness: Kind, of: Option<&NodeName>, says: Says) -> Self {
        Self {
            witness,
            name: None,
            of: of.cloned(),
            says,
            hardware: None,
            why: None,
            age_ms: 0,
        }
    }

    fn named(self, name: impl ToString) -> Self {
        Self {
            name: Some(name.to_string()),
            ..self
        }
    }

    fn because(self, why: &Why) -> Self {
        Self {
            why: Some(why.clone()),
            ..self
        }
    }
}

/// All of an observation.
pub fn witnesses(seen: &Observation) -> Vec<Witness> {
    let mut all: Vec<Witness> = seen
        .nodes
        .iter()
        .flat_map(|(node, view)| of_node(node, view))
        .collect();
    for sighting in &seen.addresses {
        let row = address(Kind::VirtualAddress, &sighting.answer, &seen.observer);
        all.push(row.named(sighting.address));
    }
    for probe in &seen.probes {
        let says = if probe.serving {
            Says::Serving
        } else {
            Says::NotServing
        };
        all.push(Witness {
            hardware: probe.answered_by.clone(),
            age_ms: probe.age_ms,
            ..Witness::new(Kind::Probe, probe.node.as_ref(), says).named(&probe.probe)
        });
    }
    let others: Vec<&NodeName> = seen.nodes.keys().filter(|n| **n != seen.observer).collect();
    all.push(disk(&seen.disk, others.first().copied()));
    all
}

/// The raw look at the shared disk. A replica has none: its connection tells of the `other` node.
fn disk(seen: &DiskSighting, other: Option<&NodeName>) -> Witness {
    let disk = |says| Witness::new(Kind::Disk, None, says);
    let replica = |says, resource: &str| Witness::new(Kind::Replica, other, says).named(resource);
    match seen {
        DiskSighting::Changing => disk(Says::Changing),
        DiskSighting::NoChangeSeen => disk(Says::NoChangeSeen),
        DiskSighting::NotLooked { why } => match why {
            Why::DrbdPeerPrimary { resource } => replica(Says::Holds, resource),
            Why::DrbdPeerSecondary { resource } => replica(Says::Free, resource),
            Why::DrbdAlone { resource } => replica(Says::Silent, resource),
            why => disk(Says::Unknown).because(why),
        },
    }
}

fn of_node(node: &NodeName, view: &NodeView) -> Vec<Witness> {
    let row = |kind, says| Witness::new(kind, Some(node), says);
    let mut all = Vec::new();
    match &view.agent {
        AgentView::Answered { paths, facts } => {
            // The asked agent itself is reached over no path.
            let answers = row(Kind::Agent, Says::Answers);
            all.push(match paths.join(", ") {
                own if own == OWN => answers,
                paths => answers.named(paths),
            });
            all.push(match &facts.disk {
                Holding::Free => row(Kind::Holding, Says::Free),
                Holding::Held { .. } => row(Kind::Holding, Says::Holds),
                Holding::Unknown { why } => row(Kind::Holding, Says::Unknown).because(why),
            });
        }
        AgentView::Silent { paths_tried, late } => {
            let silent = row(Kind::Agent, Says::Silent).named(paths_tried.join(", "));
            all.push(match late {
                true => silent.because(&Why::AgentLate),
                false => silent,
            });
        }
    }
    let power = match view.power {
        Power::On => Says::On,
        Power::Off => Says::Off,
        Power::Unknown => Says::Unknown,
    };
    all.push(row(Kind::Power, power));
    for fence in &view.fences {
        let said = match &fence.state {
            FenceState::Open => row(Kind::Fence, Says::Open),
            FenceState::Fenced => row(Kind::Fence, Says::Fenced),
            FenceState::Failed { why } => row(Kind::Fence, Says::Failed).because(why),
        };
        all.push(said.named(&fence.name));
    }
    all.push(Witness {
        of: Some(node.clone()),
        ..address(Kind::Address, &view.address, node)
    });
    all
}

/// Who answers for an address; `me` where this machine has it itself.
fn address(kind: Kind, answer: &AddressAnswer, me: &NodeName) -> Witness {
    match answer {
        AddressAnswer::Mine => Witness::new(kind, Some(me), Says::Answers),
        AddressAnswer::Nobody => Witness::new(kind, None, Says::Nobody),
        AddressAnswer::Node { node, hardware } => Witness {
            hardware: Some(hardware.clone()),
            ..Witness::new(kind, Some(node), Says::Answers)
        },
        AddressAnswer::Stranger { hardware } => Witness {
            hardware: Some(hardware.clone()),
            ..Witness::new(kind, None, Says::Stranger)
        },
        AddressAnswer::NotAsked { why } => Witness::new(kind, None, Says::Unknown).because(why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replica_tells_of_the_other_node_by_its_connection() {
        let other: NodeName = "serverdb".into();
        let resource = || "simrs".to_owned();
        for (why, says) in [
            (
                Why::DrbdPeerPrimary {
                    resource: resource(),
                },
                Says::Holds,
            ),
            (
                Why::DrbdPeerSecondary {
                    resource: resource(),
                },
                Says::Free,
            ),
            (
                Why::DrbdAlone {
                    resource: resource(),
                },
                Says::Silent,
            ),
        ] {
            let row = disk(&DiskSighting::NotLooked { why }, Some(&other));
            assert_eq!((row.witness, row.says), (Kind::Replica, says));
            assert_eq!(row.of.as_ref(), Some(&other));
            assert_eq!((row.name, row.why), (Some(resource()), None));
        }
        let untold = Why::DrbdUntold {
            resource: resource(),
        };
        let row = disk(
            &DiskSighting::NotLooked {
                why: untold.clone(),
            },
            Some(&other),
        );
        assert_eq!((row.witness, row.says), (Kind::Disk, Says::Unknown));
        assert_eq!((row.of, row.why), (None, Some(untold)));
    }
}
