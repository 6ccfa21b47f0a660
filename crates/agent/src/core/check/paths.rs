//! The agents' paths from the other side: a cable or a firewall may let through one direction alone.

use super::{PathSight, SelfCheck};
use crate::core::link::Heads;
use crate::core::state::Core;
use crate::transport::client::PathAnswer;
use siaga_model::event::{Finding, FindingCode, Severity};
use siaga_model::readiness::{CheckId, Examined};
use siaga_model::{Evidence, NodeName};

/// Asked of the other agent: short to answer, so that a machine at work does not look like a dead path.
const QUESTION: &str = "/v1/heads?after=0&wait_ms=0";

/// Each other node's, from here.
pub async fn look(core: &Core) -> Vec<PathSight> {
    let sights = core.peers.iter().map(|(node, peer)| async move {
        let within = core.config.policy.peer_timeout;
        let answers: Vec<PathAnswer<Heads>> = peer.ask_all_paths(QUESTION, within).await;
        let is_it = |a: &PathAnswer<Heads>| a.answer.as_ref().is_ok_and(|h| &h.node == node);
        let (answered, silent): (Vec<_>, Vec<_>) = answers.into_iter().partition(is_it);
        let addresses = |all: Vec<PathAnswer<Heads>>| all.iter().map(|a| a.path).collect();
        PathSight {
            node: node.clone(),
            answered: addresses(answered),
            silent: addresses(silent),
        }
    });
    futures_util::future::join_all(sights).await
}

/// What the other nodes say of it; what the asked one reaches is in the observation. An agent that tells nothing of its paths is of
/// an older version: of that direction nothing is known.
pub fn of_the_others(
    me: &NodeName,
    selves: &[SelfCheck],
    findings: &mut Vec<Finding>,
    examined: &mut Vec<Examined>,
) {
    let told = |s: &&SelfCheck| &s.node != me && !s.paths.is_empty();
    for one in selves.iter().filter(told) {
        let silent = one.paths.iter().flat_map(|sight| &sight.silent);
        let silent: Vec<String> = silent.map(ToString::to_string).collect();
        if silent.is_empty() {
            examined.push(Examined::pass(CheckId::Path, &one.node, Evidence::Nothing));
            continue;
        }
        findings.push(Finding {
            code: FindingCode::PathDown,
            node: one.node.clone(),
            severity: Severity::Warning,
            evidence: Evidence::thing(silent.join(", ")),
        });
    }
}
