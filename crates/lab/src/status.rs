//! `lab status`.

use crate::layout::{Layout, SERVICE, SERVICE_MOUNT};
use crate::machine::{Interface, Machine, NODES};
use crate::net::netns_path;
use crate::state::LabState;
use serde::Serialize;
use std::fmt::Write as _;
use std::path::PathBuf;

/// What `lab status --json` prints.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct LabStatus {
    pub name: String,
    pub dir: PathBuf,
    pub nodes: Vec<NodeStatus>,
    pub client: ClientStatus,
    pub service: ServiceStatus,
    /// The console's address on this machine's loopback.
    pub console: Option<String>,
    pub partitioned: bool,
}

#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct NodeStatus {
    pub name: &'static str,
    /// For `nsenter --net=`; there only while the node has power.
    pub netns: PathBuf,
    pub init_pid: Option<i32>,
    /// The shared disk as this node sees it now.
    pub device: Option<PathBuf>,
    /// A link to it that stays the same over power cuts.
    pub device_link: PathBuf,
    pub address: String,
    pub address6: String,
    /// On the path between the nodes.
    pub cross_address: String,
    pub hardware_addresses: [String; 2],
    pub powered: bool,
    pub frozen: bool,
    /// The way to the shared disk is cut, by `cut-disk` or by the fabric fence.
    pub disk_cut: bool,
    /// Its fence devices do not answer.
    pub fence_dead: bool,
    pub agent_log: PathBuf,
}

#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ClientStatus {
    pub name: &'static str,
    pub netns: PathBuf,
    pub init_pid: Option<i32>,
    pub address: String,
    pub address6: String,
}

#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ServiceStatus {
    pub name: &'static str,
    pub vip: String,
    pub vip6: String,
    pub port: u16,
    pub dsn: String,
    pub mount: &'static str,
}

/// The state of a lab as people and programs are shown it.
pub fn status(layout: &Layout, state: &LabState) -> LabStatus {
    let client = state.machine(Machine::Client);
    LabStatus {
        name: state.name.clone(),
        dir: layout.dir().to_owned(),
        nodes: NODES
            .into_iter()
            .map(|node| node_status(layout, state, node))
            .collect(),
        client: ClientStatus {
            name: Machine::Client.name(),
            netns: netns_path(&state.netns(Machine::Client)),
            init_pid: client.live_init().map(|init| init.pid),
            address: state.net.public(Machine::Client).to_string(),
            address6: state.net.public6(Machine::Client).to_string(),
        },
        service: ServiceStatus {
            name: SERVICE,
            vip: state.net.vip().to_string(),
            vip6: state.net.vip6().to_string(),
            port: 5432,
            dsn: state.dsn(),
            mount: SERVICE_MOUNT,
        },
        console: None,
        partitioned: state.partitioned,
    }
}

fn node_status(layout: &Layout, state: &LabState, node: Machine) -> NodeStatus {
    let machine = state.machine(node);
    let net = state.net;
    NodeStatus {
        name: node.name(),
        netns: netns_path(&state.netns(node)),
        init_pid: machine.live_init().map(|init| init.pid),
        device: machine.lun.map(crate::loopdev::LoopDevice::path),
        device_link: layout.lun_link(node),
        address: net.public(node).to_string(),
        address6: net.public6(node).to_string(),
        cross_address: net.cross(node).to_string(),
        hardware_addresses: [Interface::Public, Interface::Cross]
            .map(|card| net.hardware_address(node, card)),
        powered: machine.powered,
        frozen: machine.frozen,
        disk_cut: machine.disk_cut || machine.fabric_cut,
        fence_dead: machine.fence_dead,
        agent_log: layout.agent_log(node),
    }
}

impl LabStatus {
    /// For people.
    pub fn text(&self) -> String {
        let mut text = format!("lab {} in {}\n", self.name, self.dir.display());
        for node in &self.nodes {
            let _ = writeln!(
                text,
                "  {:<9} {:<15} {}",
                node.name,
                node.address,
                node.words()
            );
        }
        let _ = writeln!(text, "  {:<9} {}", self.client.name, self.client.address);
        let _ = writeln!(
            text,
            "  service {}: {} port {}, {}",
            self.service.name, self.service.vip, self.service.port, self.service.dsn
        );
        if self.partitioned {
            text.push_str("  the nodes are cut from each other: siaga lab heal\n");
        }
        text
    }
}

impl NodeStatus {
    fn words(&self) -> String {
        let mut words = vec![match (self.powered, self.init_pid) {
            (false, _) => "no power".to_owned(),
            (true, Some(pid)) => format!("running (pid {pid})"),
            (true, None) => "power, but dead".to_owned(),
        }];
        words.extend(self.frozen.then(|| "frozen".to_owned()));
        words.extend(self.disk_cut.then(|| "disk cut".to_owned()));
        words.extend(self.fence_dead.then(|| "fence devices silent".to_owned()));
        words.join(", ")
    }
}
