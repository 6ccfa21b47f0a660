//! What is known of every node at one moment. What is not known is `Unknown`, never guessed.

use crate::ids::{BootId, NodeName, PersonName, RunId, ServiceName};
use crate::mandate::Epoch;
use crate::proof::AttestKind;
use crate::time::UtcMicros;
use crate::why::{Holder, Why};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;

/// A fact, or the reason why it is not known. There is deliberately no `unwrap_or`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Known<T> {
    Known(T),
    Unknown { why: Why },
}

impl<T> Known<T> {
    /// The fact where it is known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Known::Known(t) => Some(t),
            Known::Unknown { .. } => None,
        }
    }
    /// True only where the fact is known and equals `value`.
    pub fn is(&self, value: &T) -> bool
    where
        T: PartialEq,
    {
        self.known() == Some(value)
    }
}

/// One service as seen from one node at one moment.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Observation {
    pub service: ServiceName,
    pub observer: NodeName,
    pub at: UtcMicros,
    /// Every configured node, the observer among them.
    pub nodes: BTreeMap<NodeName, NodeView>,
    /// The newest report of each client probe.
    pub probes: Vec<ProbeSighting>,
    /// Who answers for each virtual address.
    pub addresses: Vec<AddressSighting>,
    /// What a raw look at the shared disk showed.
    pub disk: DiskSighting,
    /// The site's other services, each as far as a fence would hit it.
    #[serde(default)]
    pub neighbours: Vec<Neighbour>,
}

/// Another service of the site. A fence hits a node, and with it every service that is there.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Neighbour {
    pub service: ServiceName,
    /// What is there of it, for every node but the observer.
    pub on: BTreeMap<NodeName, Known<Presence>>,
    /// A run of it that is going on now.
    pub run: Option<NeighbourRun>,
    /// The newest report of each of its client probes.
    pub probes: Vec<ProbeSighting>,
    /// The highest mandates of it that are known of the other nodes.
    pub mandates: Vec<Epoch>,
}

/// What a node has of a service.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// Nothing at all.
    Absent,
    /// Something: the disk set, a mount, an address, processes.
    Held,
    /// Its database is ready there.
    Running,
}

/// A run of another service, and what it has to do with the nodes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NeighbourRun {
    pub run: RunInProgress,
    /// The nodes that its plan acts on. Unknown while no plan of it has been heard of.
    pub acts_on: Known<Vec<NodeName>>,
}

/// One node.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct NodeView {
    pub agent: AgentView,
    /// What the node's power fence says.
    pub power: Power,
    /// Each configured fence device, and whether it answers now.
    pub fences: Vec<FenceView>,
    /// Does the node's own address answer ARP, and from which hardware address?
    pub address: AddressAnswer,
}

/// The node's agent, asked over every path.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentView {
    Answered {
        paths: Vec<String>,
        facts: Box<NodeFacts>,
    },
    /// It did not say what the node holds.
    Silent {
        paths_tried: Vec<String>,
        /// It answered another question meanwhile: it lives.
        #[serde(default)]
        late: bool,
    },
}

impl AgentView {
    /// The agent answered, if perhaps not with its facts.
    pub fn lives(&self) -> bool {
        match self {
            AgentView::Answered { .. } => true,
            AgentView::Silent { late, .. } => *late,
        }
    }

    /// The facts where the agent answered.
    pub fn facts(&self) -> Option<&NodeFacts> {
        match self {
            AgentView::Answered { facts, .. } => Some(facts),
            AgentView::Silent { .. } => None,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Power {
    On,
    Off,
    /// No power fence, or it does not answer.
    Unknown,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FenceView {
    pub name: String,
    pub kind: crate::config::FenceKind,
    pub state: FenceState,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FenceState {
    /// The device answers: the node is not fenced through it.
    Open,
    /// The device answers: the node is off, or cut off.
    Fenced,
    /// It does not answer, or an attempt with it failed in this run.
    Failed { why: Why },
}

/// What a node's agent says of its own machine, for one service.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct NodeFacts {
    pub boot: BootId,
    /// Anything at all between this node and the disk set.
    pub disk: Holding,
    pub mounts: Vec<MountFact>,
    pub virtual_ips: Vec<VirtualIpFact>,
    pub database: DatabaseState,
    pub applications: Vec<ApplicationFact>,
    pub ledger: LedgerFacts,
    /// Why this node could not take the disk set now, where that is known before: its copy of the data is old. With
    /// [`Why::DrbdOtherUnseen`] it could, were every other node fenced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unable: Option<Why>,
    /// What of the database that this node holds leads off the disk set, or to nothing: another node could not start it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub astray: Vec<Why>,
}

/// Does this node hold the disk set?
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holding {
    /// No process, no mount in any namespace, and `open(O_EXCL)` on the device succeeds.
    Free,
    /// Something here holds it. `by` names each holder.
    Held { by: Vec<Holder> },
    /// It could not be told: the device is missing, cut off, or an effect is in flight.
    Unknown { why: Why },
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MountFact {
    pub mount_point: PathBuf,
    pub mounted: bool,
    /// Mounted, but not by a mandate of Siaga's: by hand, or at boot.
    pub stranger: bool,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct VirtualIpFact {
    pub address: IpAddr,
    pub present: bool,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DatabaseState {
    /// The postmaster and every process it left are gone.
    Stopped,
    /// Processes are there, and it does not accept connections yet.
    Starting {
        percent: Option<u8>,
    },
    /// Out of recovery and a write was committed.
    Ready,
    /// Processes are there, and it does not serve: shutting down, hung, read-only.
    NotServing {
        why: Why,
    },
    Unknown {
        why: Why,
    },
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ApplicationFact {
    pub name: String,
    pub running: Known<bool>,
}

/// What the node's own journal says, for one service.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct LedgerFacts {
    /// The highest epoch ever seen here, and whether the journal is whole: a node that lost its journal mints nothing.
    pub highest: Option<Epoch>,
    pub journal_lost: bool,
    /// The standing promise: "let go, to this epoch", made in the named boot.
    pub promise: Option<Promise>,
    /// The newest take of this node. An older version does not tell.
    #[serde(default)]
    pub last_take: LastTake,
    /// That take was none: the service ran here before Siaga came, and no run has moved it since.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub adopted: bool,
    /// A run that was begun here and has not ended.
    pub unfinished: Option<RunInProgress>,
}

/// The newest mandate under which a node was permitted to take the disk set.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "last")]
pub enum LastTake {
    /// The node lost its journal, or does not tell.
    #[default]
    Unknown,
    Never,
    Under {
        epoch: Epoch,
    },
}

impl LastTake {
    /// True only where it is known that the other take is the newer one.
    pub fn is_older_than(&self, other: &LastTake) -> bool {
        match (self, other) {
            (LastTake::Never, LastTake::Under { .. }) => true,
            (LastTake::Under { epoch: a }, LastTake::Under { epoch: b }) => a.counter < b.counter,
            (LastTake::Unknown | LastTake::Never | LastTake::Under { .. }, _) => false,
        }
    }
}

/// What a node says of its promise when it is asked once more, right before another node takes the disk set.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PromiseFacts {
    pub node: NodeName,
    pub boot: BootId,
    pub promise: Option<Promise>,
    pub highest: Option<Epoch>,
    pub last_take: LastTake,
    /// The kernel's word on the device, without a look at every process. An effect in flight counts as held.
    pub disk: Holding,
}

/// A node's durable word that it has let go, and takes again only with a later proof about the other node.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Promise {
    pub node: NodeName,
    pub boot: BootId,
    /// The mandate it let go to.
    pub epoch: Epoch,
    pub at: UtcMicros,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RunInProgress {
    pub run: RunId,
    pub epoch: Epoch,
    pub coordinator: NodeName,
    pub since: UtcMicros,
    /// The run that this one covers, because its coordinator fell silent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub covers: Option<RunId>,
    /// Who asked for it, for people.
    pub actor: String,
    /// True while the coordinator's agent is really carrying it out (not merely left over in the journal).
    pub live: bool,
    /// Where it is bringing the service. `None`: no plan of it is known yet.
    #[serde(default)]
    pub goal: Option<crate::plan::Placement>,
    /// Where the service was when the run began: where `abort` brings it back to. `None`: it ran nowhere.
    #[serde(default)]
    pub home: Option<crate::plan::Placement>,
}

/// What a client probe last saw.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ProbeSighting {
    pub probe: String,
    /// Age of the report when the observation was made, on the observer's monotonic clock.
    pub age_ms: u64,
    /// True where the last attempt read and wrote a row.
    pub serving: bool,
    /// The hardware address that answered for the virtual address.
    pub answered_by: Option<String>,
    /// The node whose registered hardware address that is.
    pub node: Option<NodeName>,
}

/// Who answered ARP (or neighbour discovery) for a virtual address.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AddressSighting {
    pub address: IpAddr,
    pub answer: AddressAnswer,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AddressAnswer {
    /// The observer's own address: not asked.
    Mine,
    Nobody,
    /// A registered hardware address of that node answered.
    Node {
        node: NodeName,
        hardware: String,
    },
    /// A hardware address that belongs to no registered node: an address conflict.
    Stranger {
        hardware: String,
    },
    NotAsked {
        why: Why,
    },
}

/// A raw look (O_DIRECT) at the shared disk. Change means that somebody writes; no change means nothing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DiskSighting {
    Changing,
    NoChangeSeen,
    NotLooked { why: Why },
}

/// A person's word, as it came with the request.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AttestationGiven {
    pub node: NodeName,
    pub how: AttestKind,
    pub by: PersonName,
    /// When the person gave it. Witnesses newer than this can contradict it.
    pub at: UtcMicros,
}
