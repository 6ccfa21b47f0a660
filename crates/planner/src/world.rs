//! An observation read through the configuration: the questions that every decision asks of it.

use siaga_model::config::{Config, FenceKind, Node, Service};
use siaga_model::observation::{
    AgentView, DatabaseState, FenceState, FenceView, Holding, Known, NodeFacts, NodeView,
    Observation, ProbeSighting, RunInProgress,
};
use siaga_model::refusal::{Refusal, RefusalCode, Sentence};
use siaga_model::reservation::RESERVATION;
use siaga_model::{NodeName, ServiceName};

/// What a node may have in its hands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Grip {
    /// Its agent answers, and nothing of the service is there.
    Free,
    /// Its agent answers, and something of the service is there, or may be.
    Holds,
    /// Its agent answers and can't tell whether it holds the disk set.
    Unknown { why: siaga_model::Why },
    /// Its agent answers, but a device has cut its way to the disk set: whatever it believes, it can't write.
    CutOff { device: String },
    /// Its agent does not answer: it may hold everything.
    Silent,
}

/// One service's world.
#[derive(Clone, Copy)]
pub(crate) struct World<'a> {
    pub config: &'a Config,
    pub service: &'a Service,
    pub seen: &'a Observation,
}

impl<'a> World<'a> {
    /// Refuses a service that the configuration does not know.
    pub fn new(config: &'a Config, seen: &'a Observation) -> Result<Self, Refusal> {
        match config.service(&seen.service) {
            Some(service) => Ok(Self {
                config,
                service,
                seen,
            }),
            None => Err(Refusal {
                code: RefusalCode::NoSuchThing,
                sentence: Sentence::RefusedNoSuchService {
                    service: seen.service.clone(),
                },
                evidence: Vec::new(),
                next: Vec::new(),
            }),
        }
    }

    pub fn name(&self) -> ServiceName {
        self.service.name.clone()
    }

    /// Every configured node, in the configuration's order.
    pub fn nodes(&self) -> impl Iterator<Item = &'a Node> + use<'a> {
        self.config.nodes.iter()
    }

    /// Every configured node but one.
    pub fn others(&self, but: &NodeName) -> Vec<&'a NodeName> {
        self.nodes()
            .map(|n| &n.name)
            .filter(|n| *n != but)
            .collect()
    }

    pub fn view(&self, node: &NodeName) -> Option<&'a NodeView> {
        self.seen.nodes.get(node)
    }

    /// What the node's agent says, where it answers.
    pub fn facts(&self, node: &NodeName) -> Option<&'a NodeFacts> {
        self.view(node).and_then(|v| v.agent.facts())
    }

    /// A node that was not observed is as silent as one that did not answer.
    pub fn is_silent(&self, node: &NodeName) -> bool {
        self.facts(node).is_none()
    }

    pub fn silent(&self) -> impl Iterator<Item = &'a NodeName> + use<'a> {
        let world = *self;
        self.nodes()
            .map(|n| &n.name)
            .filter(move |n| world.is_silent(n))
    }

    pub fn paths_tried(&self, node: &NodeName) -> Vec<String> {
        match self.view(node).map(|v| &v.agent) {
            Some(AgentView::Silent { paths_tried, .. }) => paths_tried.clone(),
            Some(AgentView::Answered { .. }) | None => Vec::new(),
        }
    }

    /// The node did not say what it holds.
    pub fn silence(&self, node: &NodeName) -> Sentence {
        Sentence::NodeSilent {
            node: node.clone(),
            paths_tried: self.paths_tried(node),
            late: self.is_late(node),
        }
    }

    /// A silent node whose agent answered another question meanwhile.
    pub fn is_late(&self, node: &NodeName) -> bool {
        let agent = self.view(node).map(|v| &v.agent);
        agent.is_some_and(|agent| agent.lives() && agent.facts().is_none())
    }

    /// The configured paths to a node that answers by others, and not by these.
    pub fn paths_down(&self, node: &NodeName) -> Vec<String> {
        let Some(AgentView::Answered { paths, .. }) = self.view(node).map(|v| &v.agent) else {
            return Vec::new();
        };
        // This node asks itself by none.
        let other = self
            .config
            .node(node)
            .filter(|n| n.name != self.seen.observer);
        let all = other.map_or(&[][..], |n| &n.addresses).iter();
        let down = all.map(ToString::to_string).filter(|p| !paths.contains(p));
        down.collect()
    }

    /// Every way to fence the node for this service: its devices in their order, and the reservation on the disk set.
    pub fn fences(&self, node: &NodeName) -> Vec<(&'a str, FenceKind)> {
        let devices = self.config.node(node).map_or(&[][..], |n| &n.fences);
        let mut ways: Vec<_> = devices.iter().map(|f| (f.name.as_str(), f.kind)).collect();
        if self.service.disk_set.reserves() {
            ways.push((RESERVATION, FenceKind::Reservation));
        }
        ways
    }

    /// The fence device as it was seen.
    pub fn fence_view(&self, node: &NodeName, device: &str) -> Option<&'a FenceView> {
        self.view(node)?.fences.iter().find(|f| f.name == device)
    }

    /// The device that keeps the node from the storage now. A node that is off does not answer. A reservation that
    /// another node holds is how things are wherever the node holds nothing: it cuts off only one that still does.
    pub fn cut_off_by(&self, node: &NodeName) -> Option<&'a str> {
        let still_there = || {
            self.facts(node)
                .is_some_and(|f| matches!(f.disk, Holding::Held { .. }))
        };
        let cuts = |f: &FenceView| match f.kind {
            FenceKind::Power => false,
            FenceKind::Fabric => true,
            FenceKind::Reservation => still_there(),
        };
        let fenced = |f: &&FenceView| f.state == FenceState::Fenced && cuts(f);
        self.view(node)?
            .fences
            .iter()
            .find(fenced)
            .map(|f| f.name.as_str())
    }

    pub fn grip(&self, node: &NodeName) -> Grip {
        let Some(facts) = self.facts(node) else {
            return Grip::Silent;
        };
        if let Some(device) = self.cut_off_by(node) {
            return Grip::CutOff {
                device: device.to_owned(),
            };
        }
        match &facts.disk {
            Holding::Unknown { why } => Grip::Unknown { why: why.clone() },
            Holding::Held { .. } => Grip::Holds,
            Holding::Free if has_something(facts) => Grip::Holds,
            Holding::Free => Grip::Free,
        }
    }

    /// The node's database commits writes.
    pub fn is_ready(&self, node: &NodeName) -> bool {
        self.facts(node)
            .is_some_and(|f| f.database == DatabaseState::Ready)
    }

    /// Every file system of the service is mounted there.
    pub fn is_mounted(&self, node: &NodeName) -> bool {
        let Some(facts) = self.facts(node) else {
            return false;
        };
        self.service.file_systems.iter().all(|fs| {
            facts
                .mounts
                .iter()
                .any(|m| m.mounted && m.mount_point == fs.mount_point)
        })
    }

    /// Every virtual address of the service is there.
    pub fn has_addresses(&self, node: &NodeName) -> bool {
        let Some(facts) = self.facts(node) else {
            return false;
        };
        self.service.virtual_ips.iter().all(|vip| {
            facts
                .virtual_ips
                .iter()
                .any(|v| v.present && v.address == vip.address)
        })
    }

    /// Nobody else took the disk set since that node did: what its kernel has of it is the newest there is. False where
    /// another node can't say.
    pub fn is_newest_taker(&self, node: &NodeName) -> bool {
        let Some(facts) = self.facts(node) else {
            return false;
        };
        self.others(node).into_iter().all(|other| {
            self.facts(other)
                .is_some_and(|f| f.ledger.last_take.is_older_than(&facts.ledger.last_take))
        })
    }

    /// Another node is known to have taken the disk set after that node did: a mount that is still there is stale.
    pub fn is_overtaken(&self, node: &NodeName) -> bool {
        let Some(facts) = self.facts(node) else {
            return false;
        };
        self.others(node).into_iter().any(|other| {
            self.facts(other)
                .is_some_and(|f| facts.ledger.last_take.is_older_than(&f.ledger.last_take))
        })
    }

    /// Any file system of the service is mounted there.
    pub fn has_mount(&self, node: &NodeName) -> bool {
        self.facts(node)
            .is_some_and(|f| f.mounts.iter().any(|m| m.mounted))
    }

    /// The service runs there as it did before Siaga came: its clients may use the server's own address until a first run
    /// brings the virtual one.
    pub fn is_adopted(&self, node: &NodeName) -> bool {
        self.is_ready(node)
            && self.is_mounted(node)
            && !self.is_overtaken(node)
            && self.facts(node).is_some_and(|f| {
                // After a boot it is nobody's again, whoever mounted it.
                f.ledger.adopted && f.mounts.iter().all(|m| !m.stranger)
            })
    }

    /// The service runs there: mounted, addresses up, database ready.
    pub fn is_complete(&self, node: &NodeName) -> bool {
        self.is_ready(node)
            && self.is_mounted(node)
            && self.has_addresses(node)
            && !self.is_overtaken(node)
    }

    /// The applications that are known not to run there.
    pub fn applications_down(&self, node: &NodeName) -> impl Iterator<Item = &'a str> + use<'a> {
        let facts = self.facts(node).map(|f| f.applications.as_slice());
        let down = facts.unwrap_or_default().iter();
        down.filter(|a| a.running.is(&false))
            .map(|a| a.name.as_str())
    }

    /// Every application is known to run there.
    pub fn applications_run(&self, node: &NodeName) -> bool {
        let Some(facts) = self.facts(node) else {
            return false;
        };
        self.service.applications.iter().all(|app| {
            facts
                .applications
                .iter()
                .any(|a| a.name == app.name && a.running.is(&true))
        })
    }

    /// The answering nodes that hold the disk set, or have the database's processes or file systems.
    pub fn holders(&self) -> Vec<&'a NodeName> {
        let holds = |n: &&NodeName| {
            !matches!(self.grip(n), Grip::CutOff { .. })
                && self.facts(n).is_some_and(|f| {
                    matches!(f.disk, Holding::Held { .. })
                        || f.mounts.iter().any(|m| m.mounted)
                        || f.database != DatabaseState::Stopped
                })
        };
        self.nodes().map(|n| &n.name).filter(holds).collect()
    }

    /// The node where the service is, as far as agents tell: a ready database before a starting one, before a mere
    /// holder.
    pub fn active(&self) -> Option<&'a NodeName> {
        let holders = self.holders();
        let starting = |n: &NodeName| {
            self.facts(n)
                .is_some_and(|f| matches!(f.database, DatabaseState::Starting { .. }))
        };
        let ready = holders.iter().find(|n| self.is_ready(n));
        let starting = holders.iter().find(|n| starting(n));
        ready.or(starting).or(holders.first()).copied()
    }

    /// Where the service was last: the active node; else a silent node, which may still have it; else the node with
    /// the newest mandate that has not promised to let go; else the one that promised last.
    pub fn last_on(&self) -> Option<&'a NodeName> {
        if let Some(active) = self.active().or_else(|| self.silent().next()) {
            return Some(active);
        }
        let mut newest: Option<((u64, bool), &NodeName)> = None;
        for node in self.nodes() {
            let Some(ledger) = self.facts(&node.name).map(|f| &f.ledger) else {
                continue;
            };
            let promised = ledger.promise.as_ref().map(|p| p.epoch.counter);
            let highest = ledger.highest.as_ref().map(|e| e.counter);
            let Some(counter) = highest.max(promised) else {
                continue;
            };
            let key = (counter, promised.is_none());
            if newest.as_ref().is_none_or(|(best, _)| key > *best) {
                newest = Some((key, &node.name));
            }
        }
        newest.map(|(_, node)| node)
    }

    /// A report young enough to decide anything.
    pub fn is_fresh(&self, probe: &ProbeSighting) -> bool {
        u128::from(probe.age_ms) <= self.config.policy.witness_fresh.as_millis()
    }

    /// The run under the newest mandate that has not ended.
    pub fn unfinished(&self) -> Option<&'a RunInProgress> {
        let runs = self
            .nodes()
            .filter_map(|n| self.facts(&n.name)?.ledger.unfinished.as_ref());
        runs.max_by_key(|r| (r.live, r.epoch.counter))
    }
}

/// Anything of the service beside the disk set itself. What can't be told counts as there.
fn has_something(facts: &NodeFacts) -> bool {
    facts.mounts.iter().any(|m| m.mounted)
        || facts.database != DatabaseState::Stopped
        || facts.virtual_ips.iter().any(|v| v.present)
        || facts
            .applications
            .iter()
            .any(|a| a.running != Known::Known(false))
}
