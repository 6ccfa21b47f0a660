//! The witnesses that only the agent has, for the node's hands: the peer's agent, and the client probes.

use super::integrity::IntegrityDesk;
use super::link::Heads;
use super::probes::ProbeDesk;
use crate::transport::{CallError, PeerClient};
use serde::de::DeserializeOwned;
use siaga_model::api::FactsAnswer;
use siaga_model::integrity::{ControlSeen, Judged};
use siaga_model::observation::{NodeFacts, ProbeSighting, PromiseFacts};
use siaga_model::{NodeName, ServiceName, UtcMicros};
use siaga_node::observe::witness::LifeSigns;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;

/// Asks through the agent's own links. Called on threads that may block.
pub struct AgentWitnesses {
    handle: Handle,
    peers: BTreeMap<NodeName, Arc<PeerClient>>,
    probes: Arc<ProbeDesk>,
    integrity: Arc<IntegrityDesk>,
}

impl AgentWitnesses {
    /// Over these links and probes.
    pub fn new(
        handle: Handle,
        peers: BTreeMap<NodeName, Arc<PeerClient>>,
        probes: Arc<ProbeDesk>,
        integrity: Arc<IntegrityDesk>,
    ) -> Self {
        Self {
            handle,
            peers,
            probes,
            integrity,
        }
    }
}

impl AgentWitnesses {
    /// `None`: within that time nothing came back at all.
    fn ask<T: DeserializeOwned>(
        &self,
        node: &NodeName,
        path: &str,
        within: Duration,
    ) -> Option<Result<T, CallError>> {
        let peer = self.peers.get(node)?;
        let answer = self.handle.block_on(async {
            tokio::time::timeout(within, peer.get_over_all::<T>(path, within)).await
        });
        answer.ok()
    }
}

impl LifeSigns for AgentWitnesses {
    fn peer_lives(&self, victim: &NodeName, within: Duration) -> bool {
        match self.ask::<Heads>(victim, "/v1/heads", within) {
            Some(Ok(_)) => true,
            Some(Err(error)) => error.answered(),
            None => false,
        }
    }

    fn peer_facts(
        &self,
        service: &ServiceName,
        victim: &NodeName,
        within: Duration,
    ) -> Option<NodeFacts> {
        let path = format!("/v1/facts?service={service}");
        let answer = self.ask::<FactsAnswer>(victim, &path, within)?;
        answer.ok().map(|a| a.facts)
    }

    fn promise_facts(
        &self,
        service: &ServiceName,
        node: &NodeName,
        within: Duration,
    ) -> Option<PromiseFacts> {
        let path = format!("/v1/promise?service={service}");
        self.ask(node, &path, within)?.ok()
    }

    fn probes(&self, service: &ServiceName) -> Vec<ProbeSighting> {
        self.probes.sightings(service)
    }

    fn now(&self) -> UtcMicros {
        siaga_node::wall_clock()
    }

    fn judge(&self, service: &ServiceName, found: &ControlSeen) -> Judged {
        self.integrity.judge(service, found)
    }
}
