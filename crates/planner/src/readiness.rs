//! "Can we take over now?", asked of the node that would have to: `observation.observer`.

mod answer;

use crate::evidence;
use crate::world::World;
use siaga_model::api::{CanTakeOver, CheckReport};
use siaga_model::config::Config;
use siaga_model::event::{Finding, FindingCode, Severity};
use siaga_model::observation::{FenceState, Observation};
use siaga_model::readiness::{CheckId, CheckStatus, Examined};
use siaga_model::refusal::Sentence;
use siaga_model::{Evidence, NodeName, UtcMicros, Why};

/// Adds what the observation itself shows to the findings that the agents gathered, and answers. `gathered`: what the
/// agents looked at and found in order, or could not tell.
///
/// *No*: something blocks, or the node that would take over is known to be unable to. *Unknown*: this node can't tell
/// whether it reaches the disk set, the other one can't tell what it holds, or the other one is silent, or may fall silent
/// at any moment, and a person would have to go and look first. A green answer says only what was looked at:
/// `not_exercised` names the rest.
pub fn readiness(
    config: &Config,
    observation: &Observation,
    findings: &[Finding],
    gathered: &[Examined],
) -> CheckReport {
    let mut report = CheckReport {
        service: observation.service.clone(),
        can_take_over: CanTakeOver::Unknown,
        findings: findings.to_vec(),
        examined: Vec::new(),
        checked_at: UtcMicros::default(),
        age_ms: 0,
        takeover: None,
        not_exercised: Vec::new(),
        duties: Vec::new(),
    };
    let Ok(world) = World::new(config, observation) else {
        return report;
    };
    for finding in seen(&world) {
        // What makes a disk set exclusive may have several things wrong with it at once.
        let several = finding.code == FindingCode::DiskSetDriver;
        let known = |f: &&mut Finding| {
            let same = f.code == finding.code && f.node == finding.node;
            same && (!several || f.evidence == finding.evidence)
        };
        match report.findings.iter_mut().find(known) {
            // What an agent only reports may stand in the way.
            Some(known) => known.severity = known.severity.max(finding.severity),
            None => report.findings.push(finding),
        }
    }
    for finding in &mut report.findings {
        weigh(&world, finding);
    }
    report
        .findings
        .sort_by_key(|f| std::cmp::Reverse(f.severity));
    report.not_exercised = not_exercised(&world);
    let answer = answer::answer(&world);
    let gathered = gathered.iter().chain(&answer.ways);
    report.examined = examined(&world, &report.findings, gathered);
    let blocked = report
        .findings
        .iter()
        .any(|f| f.severity == Severity::Blocking);
    report.can_take_over = if blocked { CanTakeOver::No } else { answer.can };
    report
}

/// What a node's silence makes of a finding. Where the holder is dead, the world itself says whether it can be taken over from; only
/// a silent node that would have to take over stands in the way.
fn weigh(world: &World, finding: &mut Finding) {
    let target = answer::targets(world).contains(&&finding.node);
    match finding.code {
        FindingCode::PeerUnreachable if target => finding.severity = Severity::Blocking,
        // The fence is not used for it: a takeover has another one, or needs a person, and the answer knows which.
        FindingCode::FenceBelied if !target && world.is_silent(&finding.node) => {
            finding.severity = Severity::Warning;
        }
        _ => {}
    }
}

/// Findings that the observation shows by itself.
fn seen(world: &World) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut add = |code, node: &NodeName, severity, evidence: Evidence| {
        found.push(Finding {
            code,
            node: node.clone(),
            severity,
            evidence,
        });
    };
    let me = &world.seen.observer;
    for node in world.nodes() {
        let name = &node.name;
        if world.is_silent(name) {
            let evidence = match world.is_late(name) {
                true => Why::AgentLate.into(),
                false => Evidence::thing(world.paths_tried(name).join(", ")),
            };
            let code = FindingCode::PeerUnreachable;
            add(code, name, Severity::Warning, evidence);
        }
        let down = world.paths_down(name);
        if !down.is_empty() {
            let paths = Evidence::thing(down.join(", "));
            add(FindingCode::PathDown, me, Severity::Warning, paths);
        }
        for mount in evidence::strangers(world, name) {
            let what = Evidence::thing(mount.mount_point.display());
            add(FindingCode::MountByHand, name, Severity::Blocking, what);
        }
        if let Some(device) = world.cut_off_by(name) {
            add(
                FindingCode::NodeUnfencedAndBack,
                name,
                Severity::Warning,
                Evidence::thing(device),
            );
        }
        let ways = world.fences(name);
        if ways.is_empty() {
            add(
                FindingCode::FenceMissing,
                name,
                Severity::Warning,
                Evidence::Nothing,
            );
        }
        for (device, _) in ways.into_iter().filter(|_| fences_are_told(world, name)) {
            match world.fence_view(name, device).map(|v| &v.state) {
                Some(FenceState::Open | FenceState::Fenced) => {}
                Some(FenceState::Failed { why }) => {
                    let (code, severity) = of_fence(why);
                    add(code, name, severity, why.clone().of(device).into());
                }
                None => add(
                    FindingCode::FenceSilent,
                    name,
                    Severity::Warning,
                    Evidence::thing(device),
                ),
            }
        }
    }
    if let Some((Sentence::AddressConflict { address, hardware }, _)) =
        evidence::address_conflict(world)
    {
        let evidence = Evidence::AnswersAt {
            address,
            hardware,
            interface: None,
        };
        add(
            FindingCode::AddressConflict,
            me,
            Severity::Blocking,
            evidence,
        );
    }
    for (node, why) in answer::unable(world) {
        let severity = Severity::Blocking;
        add(FindingCode::DiskSetDriver, node, severity, why.into());
    }
    if !world.seen.probes.iter().any(|p| world.is_fresh(p)) {
        add(
            FindingCode::ProbeMissing,
            me,
            Severity::Warning,
            Evidence::Nothing,
        );
    }
    found
}

/// A node does not ask its own fence. What the others say of it may be known.
fn fences_are_told(world: &World, node: &NodeName) -> bool {
    node != &world.seen.observer || world.view(node).is_some_and(|v| !v.fences.is_empty())
}

/// A fence that is silent protects nobody; one of another machine would pass for a proof.
pub fn of_fence(why: &Why) -> (FindingCode, Severity) {
    match why {
        Why::FenceBelied { .. } => (FindingCode::FenceBelied, Severity::Blocking),
        _ => (FindingCode::FenceSilent, Severity::Warning),
    }
}

fn not_exercised(world: &World) -> Vec<Sentence> {
    let me = &world.seen.observer;
    let mut said = Vec::new();
    for node in world.config.others(me) {
        let ways = world.fences(&node.name).into_iter();
        said.extend(ways.map(|(device, _)| Sentence::FenceNotTried {
            node: node.name.clone(),
            device: device.to_owned(),
        }));
    }
    said.push(Sentence::MountNotTried { node: me.clone() });
    said.push(Sentence::DatabaseStartNotTried { node: me.clone() });
    said.push(Sentence::ClientNotTried);
    said
}

/// Everything that was looked at: what was found, what is in order, what can't be told, what nobody tried.
fn examined<'a>(
    world: &World,
    findings: &[Finding],
    gathered: impl Iterator<Item = &'a Examined>,
) -> Vec<Examined> {
    let mut all: Vec<Examined> = findings
        .iter()
        .map(|f| Examined {
            id: CheckId::of(f.code),
            node: f.node.clone(),
            severity: f.severity,
            status: CheckStatus::of(f.severity),
            evidence: f.evidence.clone(),
            code: Some(f.code),
        })
        .collect();
    for one in gathered.cloned().chain(in_order(world)) {
        if !all.iter().any(|e| e.id == one.id && e.node == one.node) {
            all.push(one);
        }
    }
    all.extend(untried(world));
    let order = |e: &Examined| match e.status {
        CheckStatus::Fail => 0,
        CheckStatus::Warn => 1,
        CheckStatus::Unknown => 2,
        CheckStatus::NotExercised => 3,
        CheckStatus::Pass => 4,
    };
    all.sort_by_key(|e| (order(e), e.id));
    all
}

/// What the observation shows to be in order, where nothing was found.
fn in_order(world: &World) -> Vec<Examined> {
    let me = &world.seen.observer;
    let mut all = Vec::new();
    for node in world.nodes().map(|n| &n.name) {
        if world.is_silent(node) {
            continue;
        }
        let ids = [CheckId::Peer, CheckId::MountByHand, CheckId::Fence];
        all.extend(
            ids.into_iter()
                .filter(|id| *id != CheckId::Fence || fences_are_told(world, node))
                .map(|id| Examined::pass(id, node, Evidence::Nothing)),
        );
    }
    // Where nobody answers, no path is known to work.
    let heard = !world.config.others(me).any(|n| world.is_silent(&n.name));
    let ids = [CheckId::AddressConflict, CheckId::Probe];
    all.extend(heard.then(|| Examined::pass(CheckId::Path, me, Evidence::Nothing)));
    all.extend(ids.map(|id| Examined::pass(id, me, Evidence::Nothing)));
    all
}

fn untried(world: &World) -> Vec<Examined> {
    let me = &world.seen.observer;
    let not = |id, node: &NodeName, evidence| {
        Examined::open(id, node, CheckStatus::NotExercised, evidence)
    };
    let mut all: Vec<Examined> = world
        .config
        .others(me)
        .flat_map(|node| node.fences.iter().map(move |f| (node, f)))
        .map(|(node, fence)| not(CheckId::FenceOff, &node.name, Evidence::thing(&fence.name)))
        .collect();
    let ids = [CheckId::Mount, CheckId::DatabaseStart, CheckId::Client];
    all.extend(ids.map(|id| not(id, me, Evidence::Nothing)));
    all
}
