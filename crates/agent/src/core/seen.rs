//! Do clients get an answer from the service now? The probes' word first; without one, what the nodes see of
//! themselves; and where neither says, that is said.

use super::observe::own_facts;
use super::state::Core;
use siaga_model::api::{FactsAnswer, SeenBy};
use siaga_model::config::Service;
use siaga_model::observation::{DatabaseState, NodeFacts};
use siaga_model::{NodeName, ServiceName, UtcMicros};
use siaga_runner::hands::Hands;
use std::sync::Arc;

/// What is seen of a service.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Seen {
    Serving,
    /// Clients get no answer since then.
    Failing {
        since: UtcMicros,
        by: SeenBy,
    },
    /// No probe reports, and not every node answers.
    CannotTell,
}

/// Looks once.
pub async fn seen(core: &Arc<Core>, service: &Service) -> Seen {
    let now = core.hands.now();
    let fresh = core.config.policy.witness_fresh;
    let sightings = core.probes.fresh(&service.name, fresh);
    if let Some(of_probes) = of_probes(now, &sightings) {
        return of_probes;
    }
    let own = own_facts(core, &service.name).await;
    if works(&own) {
        return Seen::Serving;
    }
    let path = format!("/v1/facts?service={}", service.name);
    let mut everybody = true;
    for client in core.peers.values() {
        match client
            .get::<FactsAnswer>(&path, core.config.policy.peer_timeout)
            .await
        {
            Ok(answer) if works(&answer.facts) => return Seen::Serving,
            Ok(_) => {}
            Err(_) => everybody = false,
        }
    }
    match everybody {
        true => Seen::Failing {
            since: now,
            by: SeenBy::Node,
        },
        false => Seen::CannotTell,
    }
}

/// The word of probes that report: one success is enough.
fn of_probes(now: UtcMicros, probes: &[super::probes::FreshProbe]) -> Option<Seen> {
    let newest = probes.iter().min_by_key(|p| p.last_success_age_ms)?;
    if probes.iter().any(|p| p.serving) {
        return Some(Seen::Serving);
    }
    // A probe that never had a success knows no beginning.
    let age_ms = newest.last_success_age_ms.unwrap_or(0);
    let age = i64::try_from(age_ms).unwrap_or(0).saturating_mul(1000);
    Some(Seen::Failing {
        since: UtcMicros(now.0.saturating_sub(age)),
        by: SeenBy::Probe,
    })
}

pub(super) fn works(facts: &NodeFacts) -> bool {
    // Before the first run of a service that was adopted, its clients use the server's own address.
    let adopted = facts.ledger.adopted && facts.mounts.iter().all(|m| !m.stranger);
    let reached = adopted || facts.virtual_ips.iter().all(|v| v.present);
    facts.database == DatabaseState::Ready && reached
}

/// True where all are seen to work, false where one is seen not to; nothing where nobody can tell.
pub async fn all_serve(core: &Arc<Core>, services: &[ServiceName]) -> Option<bool> {
    let mut all = Some(true);
    for service in services.iter().filter_map(|s| core.config.service(s)) {
        match seen(core, service).await {
            Seen::Serving => {}
            Seen::Failing { .. } => return Some(false),
            Seen::CannotTell => all = None,
        }
    }
    all
}

/// Is it this node's turn to write what both see? The first of the configuration that answers does.
pub fn leads(core: &Arc<Core>) -> bool {
    let silent = |node: &NodeName| {
        let age = core.pulses.get(node).and_then(|p| p.age());
        let at_most = core.config.policy.peer_timeout.saturating_mul(3);
        age.is_none_or(|age| age > at_most)
    };
    core.config
        .nodes
        .iter()
        .take_while(|n| n.name != core.me)
        .all(|n| silent(&n.name))
}

#[cfg(test)]
mod tests {
    use super::super::probes::FreshProbe;
    use super::*;

    #[test]
    fn one_probe_that_is_served_is_enough_and_the_last_success_of_any_counts() {
        let probe = |serving, age| FreshProbe {
            serving,
            last_success_age_ms: age,
        };
        let now = UtcMicros(10_000_000);
        assert_eq!(of_probes(now, &[]), None);
        let one = [probe(false, Some(4000)), probe(true, Some(1))];
        assert_eq!(of_probes(now, &one), Some(Seen::Serving));
        let none = [probe(false, Some(4000)), probe(false, Some(2500))];
        let failing = |since| Seen::Failing {
            since: UtcMicros(since),
            by: SeenBy::Probe,
        };
        assert_eq!(of_probes(now, &none), Some(failing(7_500_000)));
        assert_eq!(
            of_probes(now, &[probe(false, None)]),
            Some(failing(10_000_000))
        );
    }
}
