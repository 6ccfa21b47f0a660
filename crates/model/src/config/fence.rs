//! Fence devices.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;

/// One way to make sure that a silent node can't touch the disk set any more.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Fence {
    /// A name, unique on its node: `ipmi`, `san-switch`.
    pub name: String,
    pub kind: FenceKind,
    /// The fence agent's program: absolute path.
    pub agent: PathBuf,
    /// `key=value` lines for the agent's standard input.
    pub options: Vec<(String, String)>,
    /// Options whose value is the content of a file: `password` from `/etc/siaga/ipmi.secret`.
    pub secret_options: Vec<(String, PathBuf)>,
    /// Of switches that count only together (one for each power supply of the server): what differs for each. Empty: one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outlets: Vec<Vec<(String, String)>>,
    pub timeout: Duration,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FenceKind {
    /// Switches the node's power off.
    Power,
    /// Cuts the node's way to the storage.
    Fabric,
    /// Takes the node's registration at the disk set of one service away, by the node that is to take it. Not a
    /// configured device: it comes with the disk set (see [`super::DiskSet::reserves`]).
    Reservation,
}

impl Fence {
    /// The device once for each of its outlets, with that outlet's options over the common ones.
    pub fn each_outlet(&self) -> Vec<Fence> {
        if self.outlets.is_empty() {
            return vec![self.clone()];
        }
        let one = |outlet: &Vec<(String, String)>| {
            let common = self.options.iter();
            let kept = common.filter(|(key, _)| outlet.iter().all(|(o, _)| o != key));
            Fence {
                options: kept.chain(outlet).cloned().collect(),
                outlets: Vec::new(),
                ..self.clone()
            }
        };
        self.outlets.iter().map(one).collect()
    }
}
