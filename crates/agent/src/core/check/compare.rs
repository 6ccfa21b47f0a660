//! What the asked node makes of both.

use super::SelfCheck;
use crate::core::state::Core;
use siaga_model::config::FenceKind;
use siaga_model::event::{Finding, FindingCode, Severity};
use siaga_model::observation::{FenceState, FenceView, Observation};
use siaga_model::readiness::{CheckId, CheckStatus, Examined};
use siaga_model::{Evidence, NodeName, Why};
use siaga_planner::drift::{self, Compared, Side};
use std::time::Duration;

/// A difference between the nodes' clocks that is worth saying.
const CLOCK_DIFFERS: Duration = Duration::from_secs(2);

/// What there is of that node's fences.
pub fn fences(core: &Core, observation: &Observation, node: &NodeName) -> Vec<Finding> {
    let Some(view) = observation.nodes.get(node) else {
        return Vec::new();
    };
    if view.fences.is_empty() {
        return vec![Finding {
            code: FindingCode::FenceMissing,
            node: node.clone(),
            severity: Severity::Warning,
            evidence: Evidence::Nothing,
        }];
    }
    failed(&core.me, node, &view.fences).collect()
}

/// How the fences of the asked node itself answer to the others. Those of one other are enough for what the planner makes
/// of it: the first that tells.
pub fn own_fences(
    core: &Core,
    selves: &[SelfCheck],
    observation: &mut Observation,
    findings: &mut Vec<Finding>,
) {
    for one in selves.iter().filter(|s| s.node != core.me) {
        let Some(sight) = one.fences.iter().find(|f| f.node == core.me) else {
            // An agent of an older version.
            continue;
        };
        let views = alive(&core.me, &sight.views);
        findings.extend(failed(&one.node, &core.me, &views));
        if let Some(view) = observation.nodes.get_mut(&core.me)
            && view.fences.is_empty()
        {
            view.fences = views;
        }
    }
}

/// What is said of the power of a node that is here, and so on: who says "off" speaks of another machine.
fn alive(me: &NodeName, views: &[FenceView]) -> Vec<FenceView> {
    let belied = |view: &FenceView| {
        let off = view.kind == FenceKind::Power && view.state == FenceState::Fenced;
        let why = Why::FenceBelied { node: me.clone() };
        match off {
            true => FenceState::Failed { why },
            false => view.state.clone(),
        }
    };
    let each = views.iter().map(|view| FenceView {
        state: belied(view),
        ..view.clone()
    });
    each.collect()
}

/// The fences of `node` that do not answer as they should, asked from `from`.
fn failed<'a>(
    from: &'a NodeName,
    node: &'a NodeName,
    views: &'a [FenceView],
) -> impl Iterator<Item = Finding> + 'a {
    views.iter().filter_map(move |fence| match &fence.state {
        FenceState::Failed { why } => {
            let (code, severity) = siaga_planner::of_fence(why);
            Some(Finding {
                code,
                node: node.clone(),
                severity,
                evidence: Evidence::AskedFrom {
                    device: fence.name.clone(),
                    node: from.clone(),
                    why: why.clone(),
                },
            })
        }
        FenceState::Open | FenceState::Fenced => None,
    })
}

/// What differs between the two.
pub fn differences(selves: &[SelfCheck], goal: drift::Goal) -> Compared {
    let [one, other] = selves else {
        return Compared::default();
    };
    let mut compared = drift::compare(side(one), side(other), goal);
    let mut findings = Vec::new();
    let mut add = |code, severity, evidence: Evidence| {
        findings.push(Finding {
            code,
            node: other.node.clone(),
            severity,
            evidence,
        });
    };
    if one.config_hash != other.config_hash {
        add(
            FindingCode::ConfigDiffers,
            Severity::Blocking,
            Evidence::ConfigFilesDiffer,
        );
    }
    if one.postgres_version != other.postgres_version {
        add(
            FindingCode::PostgresVersionDiffers,
            Severity::Blocking,
            Evidence::Versions {
                one: one.node.clone(),
                one_has: one.postgres_version.clone(),
                other: other.node.clone(),
                other_has: other.postgres_version.clone(),
            },
        );
    }
    if one.postgres_uid != other.postgres_uid {
        add(
            FindingCode::PostgresUserDiffers,
            Severity::Blocking,
            Evidence::UserIdsDiffer,
        );
    }
    let sizes = (one.device_size, other.device_size);
    match sizes {
        (Some(a), Some(b)) if a != b => add(
            FindingCode::DiskSetSizeDiffers,
            Severity::Blocking,
            Evidence::Sizes {
                one: one.node.clone(),
                one_bytes: a,
                other: other.node.clone(),
                other_bytes: b,
            },
        ),
        _ => {}
    }
    let apart = Duration::from_micros(one.now.0.abs_diff(other.now.0));
    if apart > CLOCK_DIFFERS {
        add(
            FindingCode::ClockDiffers,
            Severity::Warning,
            Evidence::ClocksApart {
                ms: u64::try_from(apart.as_millis()).unwrap_or(u64::MAX),
            },
        );
    }
    let ids = [
        (CheckId::Configuration, true),
        (CheckId::PostgresVersion, one.postgres_version.is_some()),
        // Two numbers that nobody knows are not the same number.
        (CheckId::PostgresUser, one.postgres_uid.is_some()),
        // Where a driver brings the device only to the node that holds the disk set, the other one has nothing to measure.
        (CheckId::DiskSetSize, sizes.0.is_some() && sizes.1.is_some()),
        (CheckId::Clock, true),
    ];
    let alike = ids.map(|(id, known)| match known {
        true => Examined::pass(id, &other.node, Evidence::Nothing),
        false => Examined::open(id, &other.node, CheckStatus::Unknown, Evidence::NotKnown),
    });
    compared.findings.extend(findings);
    compared.examined.extend(alike);
    compared
}

/// Each node that a probe reports to says what that probe misses: said once, by the first.
pub fn rows_lost_once(findings: &mut Vec<Finding>) {
    let mut said: Vec<Evidence> = Vec::new();
    findings.retain(|finding| {
        let again = finding.code == FindingCode::RowsLost && said.contains(&finding.evidence);
        if finding.code == FindingCode::RowsLost {
            said.push(finding.evidence.clone());
        }
        !again
    });
}

/// The database's port of each node that answers itself: where the whole node is silent, its firewall is not to blame.
pub fn ports(selves: &[SelfCheck], findings: &mut Vec<Finding>, examined: &mut Vec<Examined>) {
    for sight in selves
        .iter()
        .flat_map(|from| from.ports.iter().map(move |p| (from, p)))
    {
        let (from, port) = sight;
        if !selves.iter().any(|s| s.node == port.node) {
            continue;
        }
        match &port.trouble {
            None => {
                let seen = Evidence::thing(std::net::SocketAddr::new(port.address, port.port));
                examined.push(Examined::pass(CheckId::DatabasePort, &port.node, seen));
            }
            Some(why) => findings.push(Finding {
                code: FindingCode::DatabasePortSilent,
                node: port.node.clone(),
                severity: Severity::Warning,
                evidence: Evidence::PortSilent {
                    from: from.node.clone(),
                    address: port.address,
                    port: port.port,
                    why: why.clone(),
                },
            }),
        }
    }
}

fn side(check: &SelfCheck) -> Side<'_> {
    Side {
        node: &check.node,
        host: &check.host,
        needs: check.needs.as_ref(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use siaga_model::UtcMicros;
    use siaga_model::readiness::HostFacts;

    fn own(node: &str) -> SelfCheck {
        SelfCheck {
            node: node.into(),
            findings: Vec::new(),
            examined: Vec::new(),
            config_hash: "one".into(),
            postgres_version: Some("postgres (PostgreSQL) 15.18".into()),
            postgres_uid: Some(109),
            device_size: Some(1 << 30),
            host: HostFacts::default(),
            needs: None,
            ports: Vec::new(),
            fences: Vec::new(),
            paths: Vec::new(),
            now: UtcMicros(0),
        }
    }

    fn status(one: SelfCheck, other: SelfCheck, id: CheckId) -> Option<CheckStatus> {
        let goal = drift::Goal {
            rto: Duration::from_secs(300),
            redo_kib_per_s: &[],
        };
        let compared = differences(&[one, other], goal);
        let found = compared.examined.iter().find(|e| e.id == id);
        found.map(|e| e.status)
    }

    #[test]
    fn what_a_probe_misses_is_said_once() {
        let finding = |code, node: &str, rows| Finding {
            code,
            node: node.into(),
            severity: Severity::Blocking,
            evidence: Evidence::RowsLost {
                probe: "client1".into(),
                rows,
            },
        };
        let (lost, other) = (FindingCode::RowsLost, FindingCode::FenceSilent);
        let mut findings = vec![
            finding(lost, "serverdb", 3),
            finding(lost, "backup", 3),
            // Another number is another report, and another finding is each node's own.
            finding(lost, "backup", 4),
            finding(other, "serverdb", 3),
            finding(other, "backup", 3),
        ];
        let all = findings.clone();
        rows_lost_once(&mut findings);
        assert_eq!(findings, [&all[..1], &all[2..]].concat());
    }

    #[test]
    fn who_says_that_the_asked_node_is_off_speaks_of_another_machine() {
        let view = |kind, state| FenceView {
            name: "fence".into(),
            kind,
            state,
        };
        let me = NodeName::from("serverdb");
        let of = |kind, state| alive(&me, &[view(kind, state)]).remove(0).state;
        let why = Why::FenceBelied { node: me.clone() };
        assert_eq!(
            of(FenceKind::Power, FenceState::Fenced),
            FenceState::Failed { why }
        );
        // It may well be cut off from its disks.
        for kind in [FenceKind::Fabric, FenceKind::Reservation] {
            assert_eq!(of(kind, FenceState::Fenced), FenceState::Fenced);
        }
        assert_eq!(of(FenceKind::Power, FenceState::Open), FenceState::Open);
        let silent = FenceState::Failed {
            why: Why::system("timeout"),
        };
        let views = [view(FenceKind::Power, silent)];
        let found: Vec<Finding> = failed(&"backup".into(), &me, &views).collect();
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].code, &found[0].node),
            (FindingCode::FenceSilent, &me)
        );
    }

    #[test]
    fn what_one_node_can_not_tell_is_the_same_on_neither() {
        let compared = |id, change: fn(&mut SelfCheck)| {
            let (one, mut other) = (own("serverdb"), own("backup"));
            change(&mut other);
            let mut both = (one.clone(), other.clone());
            change(&mut both.0);
            (status(one, other, id), status(both.0, both.1, id))
        };
        let unknown = Some(CheckStatus::Unknown);
        let size = compared(CheckId::DiskSetSize, |s| s.device_size = None);
        assert_eq!(size, (unknown, unknown));
        // One number beside none is a difference.
        let user = compared(CheckId::PostgresUser, |s| s.postgres_uid = None);
        assert_eq!(user.1, unknown);
        let version = compared(CheckId::PostgresVersion, |s| s.postgres_version = None);
        assert_eq!(version.1, unknown);
        let ids = [
            CheckId::DiskSetSize,
            CheckId::PostgresUser,
            CheckId::PostgresVersion,
        ];
        for id in ids {
            let alike = status(own("serverdb"), own("backup"), id);
            assert_eq!(alike, Some(CheckStatus::Pass), "{id:?}");
        }
    }
}
