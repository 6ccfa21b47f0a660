//! What this node sees of itself between the moves: what Siaga did not put there, and what is over.

use super::observe::own_facts;
use super::state::Core;
use siaga_model::config::Service;
use siaga_model::event::{Finding, FindingCode, Severity};
use siaga_model::observation::{DatabaseState, Holding, LastTake, NodeFacts};
use siaga_model::{Evidence, Holder, UtcMicros};
use siaga_node::act::virtual_ip::{Conflict, conflicts};
use siaga_runner::hands::Hands;
use std::sync::Arc;

/// Looks at this node's own mounts, addresses and database.
pub async fn look(core: &Arc<Core>, service: &Service) -> NodeFacts {
    let facts = own_facts(core, &service.name).await;
    report(core, service, &facts, &conflicts(), core.hands.now());
    facts
}

/// What stands found of `service` after that look.
pub fn report(
    core: &Core,
    service: &Service,
    facts: &NodeFacts,
    conflicts: &[Conflict],
    now: UtcMicros,
) {
    let stands = |code, evidence: Option<Evidence>| match evidence {
        Some(evidence) => core.found(Some(&service.name), finding(core, code, evidence)),
        None => core.mended(Some(&service.name), code, &core.me),
    };
    let stranger = facts.mounts.iter().find(|m| m.stranger);
    let stranger = stranger.map(|m| Evidence::thing(m.mount_point.display()));
    stands(FindingCode::MountByHand, stranger);
    let left_over = left_over_address(facts).map(Evidence::thing);
    stands(FindingCode::AddressLeftOver, left_over);
    let conflict = address_conflict(service, conflicts, now);
    stands(FindingCode::AddressConflict, conflict);
    let (code, name) = (FindingCode::NodeUnfencedAndBack, Some(&service.name));
    let gone = core.standing(name, code, &core.me);
    if gone.is_some_and(|found| has_it_again(facts, &found.evidence)) {
        core.mended(name, code, &core.me);
    }
}

fn left_over_address(facts: &NodeFacts) -> Option<String> {
    let present = facts.virtual_ips.iter().find(|v| v.present)?;
    (facts.database == DatabaseState::Stopped && facts.disk == Holding::Free)
        .then(|| present.address.to_string())
}

/// Of the other machines that claim an address of this service, those that still do.
fn address_conflict(service: &Service, all: &[Conflict], now: UtcMicros) -> Option<Evidence> {
    let ours = |c: &&Conflict| service.virtual_ips.iter().any(|v| v.address == c.address);
    let seen = |c: &Conflict| Evidence::AnswersAt {
        address: c.address,
        hardware: c.hardware.clone(),
        interface: Some(c.interface.clone()),
    };
    let news = all.iter().filter(ours).filter(|c| c.is_news(now));
    let mut each: Vec<Evidence> = news.map(seen).collect();
    match each.len() {
        0 | 1 => each.pop(),
        _ => Some(Evidence::Several { each }),
    }
}

/// This node was declared gone, and has taken the disk set since, under a later mandate: by right.
fn has_it_again(facts: &NodeFacts, declared: &Evidence) -> bool {
    let held = match &facts.disk {
        Holding::Held { by } => by.iter().any(|h| *h != Holder::StepUnderWay),
        Holding::Free | Holding::Unknown { .. } => false,
    };
    match (declared, &facts.ledger.last_take) {
        (Evidence::DeclaredGone { mandate, .. }, LastTake::Under { epoch }) => {
            held && epoch.counter > *mandate
        }
        (_, LastTake::Unknown | LastTake::Never | LastTake::Under { .. }) => false,
    }
}

fn finding(core: &Core, code: FindingCode, evidence: Evidence) -> Finding {
    Finding {
        code,
        node: core.me.clone(),
        severity: Severity::Warning,
        evidence,
    }
}
