//! `siaga check`: can we take over now? Read-only. Each node looks at itself; the asked one puts both together.

mod compare;
pub mod mend;
mod own;
mod paths;
pub mod record;

pub use own::self_check;

use super::observe::{fences_of, observe};
use super::state::Core;
use serde::{Deserialize, Serialize};
use siaga_journal::projections::{self, Repaired};
use siaga_model::api::CheckReport;
use siaga_model::config::{Fence, Service};
use siaga_model::event::{EventBody, Finding, FindingCode, Severity};
use siaga_model::observation::{FenceState, FenceView};
use siaga_model::readiness::{CheckId, CheckStatus, DatabaseNeeds, Examined, HostFacts};
use siaga_model::rehearsal::RehearsalReport;
use siaga_model::{Evidence, NodeName, UtcMicros, Why};
use siaga_planner::drift;
use siaga_runner::hands::Hands;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinError;

/// How long a node waits for its fences while another one waits for its part of a check.
const FENCES_WITHIN: Duration = Duration::from_secs(30);

/// What one node says of itself for a check.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SelfCheck {
    pub node: NodeName,
    pub findings: Vec<Finding>,
    /// What was looked at and is in order, or can't be told.
    #[serde(default)]
    pub examined: Vec<Examined>,
    pub config_hash: String,
    pub postgres_version: Option<String>,
    pub postgres_uid: Option<u32>,
    pub device_size: Option<u64>,
    #[serde(default)]
    pub host: HostFacts,
    /// What the database asks, where it runs here.
    #[serde(default)]
    pub needs: Option<DatabaseNeeds>,
    /// How the database's port of each other node looks from here.
    #[serde(default)]
    pub ports: Vec<PortSight>,
    /// How the fences of each other node answer to this one. A node that is asked adds it: none asks its own.
    #[serde(default)]
    pub fences: Vec<FenceSight>,
    /// Which addresses of each other node's agent answer to this one. A node that is asked adds it.
    #[serde(default)]
    pub paths: Vec<PathSight>,
    pub now: UtcMicros,
}

/// The fences of another node, as one node sees them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FenceSight {
    pub node: NodeName,
    pub views: Vec<FenceView>,
}

/// The addresses of another node's agent, as one node reaches them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PathSight {
    pub node: NodeName,
    pub answered: Vec<SocketAddr>,
    pub silent: Vec<SocketAddr>,
}

/// The database's port of another node, as one node sees it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PortSight {
    pub node: NodeName,
    pub address: IpAddr,
    pub port: u16,
    /// `None`: it answered, with a connection or a refusal.
    pub trouble: Option<Why>,
}

/// What a node tells another one that asks: its own part, and how the fences and the agents of the others answer from here.
///
/// # Errors
/// Where the look broke off.
pub async fn for_another(core: &Arc<Core>, service: &Service) -> Result<SelfCheck, JoinError> {
    let (c, s) = (core.clone(), service.clone());
    let own = tokio::task::spawn_blocking(move || self_check(&c, &s));
    let sights = core.others().into_iter().map(|node| async {
        let asked = fences_of(core, service, &node);
        let views = tokio::time::timeout(FENCES_WITHIN, asked).await;
        let views = views.unwrap_or_else(|_| silent_fences(core, &node));
        FenceSight { node, views }
    });
    let fences = futures_util::future::join_all(sights);
    let (own, fences, paths) = tokio::join!(own, fences, paths::look(core));
    Ok(SelfCheck {
        fences,
        paths,
        ..own?
    })
}

/// Of a fence that has not answered while another node waits for it.
fn silent_fences(core: &Core, node: &NodeName) -> Vec<FenceView> {
    let ms = u64::try_from(FENCES_WITHIN.as_millis()).unwrap_or(u64::MAX);
    let fences = core.config.node(node).map_or(&[][..], |n| &n.fences);
    let silent = |fence: &Fence| FenceView {
        name: fence.name.clone(),
        kind: fence.kind,
        state: FenceState::Failed {
            why: Why::NoAnswerWithin { ms },
        },
    };
    fences.iter().map(silent).collect()
}

/// The whole check, and its record.
pub async fn check(core: &Arc<Core>, service: &Service) -> CheckReport {
    let (report, asked) = gather(core, service).await;
    note_results(core, service, &asked, &report);
    core.readiness.keep(&service.name, &report);
    report
}

/// Looks, and writes nothing down. The nodes that were asked.
async fn gather(core: &Arc<Core>, service: &Service) -> (CheckReport, Vec<NodeName>) {
    let (c, s) = (core.clone(), service.clone());
    let own = tokio::task::spawn_blocking(move || self_check(&c, &s));
    let within = answer_within(service);
    let others = core.others().into_iter().filter_map(|node| {
        let peer = core.peers.get(&node)?;
        let path = format!("/v1/self-check?service={}", service.name);
        Some(async move { (node, peer.get::<SelfCheck>(&path, within).await) })
    });
    // At once: where fences are dead, each of these takes long.
    let (own, mut observation, others) = tokio::join!(
        own,
        observe(core, service),
        futures_util::future::join_all(others)
    );
    let mut findings = Vec::new();
    let mut examined = Vec::new();
    let mut selves = Vec::new();
    if let Ok(own) = own {
        selves.push(own);
    }
    for (node, answer) in others {
        match answer {
            Ok(other) => selves.push(other),
            Err(error) => {
                let why = Why::system(error);
                examined.extend(drift::silent(&node, &why));
                // Whether it stands in the way, the planner says: most often it is the very reason to take over.
                findings.push(Finding {
                    code: FindingCode::PeerUnreachable,
                    node: node.clone(),
                    severity: Severity::Warning,
                    evidence: why.into(),
                });
            }
        }
        findings.extend(compare::fences(core, &observation, &node));
    }
    compare::own_fences(core, &selves, &mut observation, &mut findings);
    for one in &selves {
        findings.extend(one.findings.clone());
        examined.extend(one.examined.clone());
    }
    compare::rows_lost_once(&mut findings);
    compare::ports(&selves, &mut findings, &mut examined);
    paths::of_the_others(&core.me, &selves, &mut findings, &mut examined);
    let redo_kib_per_s = super::estimate::redo_rates(core);
    let goal = drift::Goal {
        rto: core.config.policy.rto,
        redo_kib_per_s: &redo_kib_per_s,
    };
    let compared = compare::differences(&selves, goal);
    findings.extend(compared.findings);
    examined.extend(compared.examined);
    drill(core, &mut findings, &mut examined);
    match siaga_planner::rehearsal::examined(
        &core.me,
        last_rehearsal(core, service)
            .as_ref()
            .map(|(r, days)| (r, *days)),
    ) {
        Ok(one) => examined.push(one),
        Err(finding) => findings.push(finding),
    }
    if observation.probes.is_empty() {
        findings.push(Finding {
            code: FindingCode::ProbeMissing,
            node: core.me.clone(),
            severity: Severity::Warning,
            evidence: Evidence::NoProbeReports,
        });
    }
    if core.probes.lost(&service.name).is_empty() {
        examined.push(rows(core, service, !observation.probes.is_empty()));
    }
    let mut report = siaga_planner::readiness(&core.config, &observation, &findings, &examined);
    report.duties = super::duties::shown(core);
    report.checked_at = core.hands.now();
    report.takeover = super::estimate::of_takeover(core, service).await;
    (report, selves.into_iter().map(|s| s.node).collect())
}

/// Nothing is missed. Where no probe writes rows, nothing is looked for.
fn rows(core: &Core, service: &Service, heard: bool) -> Examined {
    let (id, not) = (CheckId::Rows, CheckStatus::NotExercised);
    match (heard, core.probes.write_rows(&service.name)) {
        (true, true) => Examined::pass(id, &core.me, Evidence::Nothing),
        (true, false) => Examined::open(id, &core.me, not, Evidence::NoProbeWrites),
        (false, _) => Examined::open(id, &core.me, not, Evidence::NoProbeReports),
    }
}

/// A slow program of the site, or a fence that does not answer, must not look like a silent node.
fn answer_within(service: &Service) -> Duration {
    let program = service.backup.as_ref().map(|b| b.timeout);
    Duration::from_secs(10) + program.unwrap_or_default().max(FENCES_WITHIN)
}

/// When it was last tried for real, all of it.
fn drill(core: &Core, findings: &mut Vec<Finding>, examined: &mut Vec<Examined>) {
    let Ok((last, every_days)) = super::duties::last_drill(core) else {
        return;
    };
    let now = core.hands.now();
    let days = last
        .as_ref()
        .map(|drill| now.millis_since(drill.at) / 86_400_000);
    let people = last.map(|drill| drill.people).unwrap_or_default();
    let evidence = Evidence::LastDrill {
        days,
        people: people.into_iter().collect(),
    };
    if days.is_some_and(|d| d <= u64::from(every_days)) {
        examined.push(Examined::pass(CheckId::Drill, &core.me, evidence));
    } else {
        findings.push(Finding {
            code: FindingCode::DrillOverdue,
            node: core.me.clone(),
            severity: Severity::Warning,
            evidence,
        });
    }
}

/// The newest rehearsal of any node, and how many days ago it was.
fn last_rehearsal(core: &Core, service: &Service) -> Option<(RehearsalReport, u64)> {
    let filter = siaga_journal::Filter {
        service: Some(service.name.clone()),
        last: Some(1),
        ..siaga_journal::Filter::of_kinds(&["rehearsed"])
    };
    let view = core.log.read(&filter).ok()?.pop()?;
    let days = core.hands.now().millis_since(view.at) / 86_400_000;
    match view.event.body {
        EventBody::Rehearsed { report } => Some((*report, days)),
        _ => None,
    }
}

/// A node has passed when it was asked and nothing blocking was found on it.
fn note_results(core: &Core, service: &Service, asked: &[NodeName], report: &CheckReport) {
    for node in asked {
        let blocking: Vec<Finding> = report
            .findings
            .iter()
            .filter(|f| &f.node == node && f.severity == Severity::Blocking)
            .cloned()
            .collect();
        let body = if blocking.is_empty() {
            EventBody::CheckPassed { node: node.clone() }
        } else {
            EventBody::CheckFailed {
                node: node.clone(),
                findings: blocking,
            }
        };
        core.note(Some(&service.name), body);
    }
}

/// Has `node` passed a check since it last failed? A node that never failed has.
pub async fn passed_since_failure(core: &Arc<Core>, node: &NodeName) -> bool {
    let (c, node) = (core.clone(), node.clone());
    let repaired = tokio::task::spawn_blocking(move || {
        let filter = siaga_journal::Filter {
            kinds: projections::REPAIR_KINDS.map(str::to_owned).to_vec(),
            ..siaga_journal::Filter::default()
        };
        let events = c.log.read(&filter).ok()?;
        Some(projections::repaired(&events, &node))
    });
    matches!(
        repaired.await,
        Ok(Some(Repaired::NeverFailed | Repaired::Passed { .. }))
    )
}
