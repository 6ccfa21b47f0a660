//! `siaga check`: can we take over now? Read-only. Each node looks at itself; the asked one puts both together.

use super::observe::observe;
use super::state::Core;
use serde::{Deserialize, Serialize};
use siaga_journal::Room;
use siaga_journal::projections::{self, Repaired};
use siaga_model::api::CheckReport;
use siaga_model::config::Service;
use siaga_model::event::{EventBody, Finding, FindingCode, Severity};
use siaga_model::observation::{FenceState, Observation};
use siaga_model::{Evidence, NodeName, UtcMicros, Why};
use siaga_runner::hands::Hands;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// A difference between the nodes' clocks that is worth saying.
const CLOCK_DIFFERS: Duration = Duration::from_secs(2);

/// What one node says of itself for a check.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SelfCheck {
    pub node: NodeName,
    pub findings: Vec<Finding>,
    pub config_hash: String,
    pub postgres_version: Option<String>,
    pub postgres_uid: Option<u32>,
    pub device_size: Option<u64>,
    pub now: UtcMicros,
}

/// This node's own part.
pub fn self_check(core: &Core, service: &Service) -> SelfCheck {
    let mut findings = core.findings();
    let mut add = |code, severity, evidence: Evidence| {
        findings.push(Finding {
            code,
            node: core.me.clone(),
            severity,
            evidence,
        });
    };
    let device = service.disk_set.device(&core.me);
    let device_size = device.and_then(|d| size_of(d));
    // Where a driver brings the device only to the node that holds the disk set, it may be away.
    let may_be_away = core.hands.device_may_be_away(&service.name);
    match device {
        Some(_) if may_be_away => {}
        Some(device) if !is_block_device(device) => add(
            FindingCode::DiskSetMissing,
            Severity::Blocking,
            Evidence::DeviceMissing {
                device: device.clone(),
            },
        ),
        None => add(
            FindingCode::DiskSetMissing,
            Severity::Blocking,
            Evidence::NoDeviceConfigured,
        ),
        Some(_) => {}
    }
    for problem in core.hands.disk_set_problems(&service.name) {
        let severity = match problem.blocking {
            true => Severity::Blocking,
            false => Severity::Warning,
        };
        add(FindingCode::DiskSetDriver, severity, problem.why.into());
    }
    for fs in &service.file_systems {
        if !fs.mount_point.is_dir() {
            add(
                FindingCode::MountPointMissing,
                Severity::Blocking,
                Evidence::PathMissing {
                    path: fs.mount_point.clone(),
                },
            );
        }
    }
    for vip in &service.virtual_ips {
        let interface = vip.interface(&core.me).unwrap_or_default();
        let state = std::fs::read_to_string(format!("/sys/class/net/{interface}/operstate"));
        match state {
            Ok(state) if state.trim() == "down" => {
                add(
                    FindingCode::InterfaceDown,
                    Severity::Blocking,
                    Evidence::InterfaceDown {
                        interface: interface.to_owned(),
                    },
                );
            }
            Ok(_) => {}
            // A private network namespace without its own sysfs can't be asked this way.
            Err(_) => {}
        }
    }
    let postgres_version = postgres_version(service);
    if postgres_version.is_none() {
        add(
            FindingCode::PostgresMissing,
            Severity::Blocking,
            Evidence::ProgramDoesNotRun {
                program: service.database.bin_dir.join("postgres"),
            },
        );
    }
    match core.log.journal().room() {
        Room::Plenty => {}
        Room::ReserveOnly | Room::None => {
            add(
                FindingCode::LogNearlyFull,
                Severity::Warning,
                Evidence::thing(core.state_dir.display()),
            );
        }
    }
    SelfCheck {
        node: core.me.clone(),
        findings,
        config_hash: core.config_hash.clone(),
        postgres_version,
        postgres_uid: uid_of(&service.database.os_user),
        device_size,
        now: core.hands.now(),
    }
}

/// The device's size in bytes, without opening it.
fn size_of(device: &Path) -> Option<u64> {
    let number = std::fs::metadata(device).ok()?.rdev();
    let (major, minor) = (rustix::fs::major(number), rustix::fs::minor(number));
    let sectors = std::fs::read_to_string(format!("/sys/dev/block/{major}:{minor}/size")).ok()?;
    // The kernel counts in units of 512 bytes here, whatever the device's own sectors are.
    sectors.trim().parse::<u64>().ok()?.checked_mul(512)
}

fn is_block_device(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|m| m.file_type().is_block_device())
}

fn postgres_version(service: &Service) -> Option<String> {
    let program = service.database.bin_dir.join("postgres");
    let argv = [
        program.to_string_lossy().into_owned(),
        "--version".to_owned(),
    ];
    let result = siaga_node::command::run(&argv, None, Duration::from_secs(5));
    (result.exit == Some(0)).then(|| result.stdout.trim().to_owned())
}

fn uid_of(user: &str) -> Option<u32> {
    let passwd = std::fs::read_to_string("/etc/passwd").ok()?;
    let line = passwd.lines().find(|l| l.split(':').next() == Some(user))?;
    line.split(':').nth(2)?.parse().ok()
}

/// The whole check, and its record.
pub async fn check(core: &Arc<Core>, service: &Service) -> CheckReport {
    let (c, s) = (core.clone(), service.clone());
    let own = tokio::task::spawn_blocking(move || self_check(&c, &s)).await;
    let observation = observe(core, service).await;
    let mut findings = Vec::new();
    let mut selves = Vec::new();
    if let Ok(own) = own {
        selves.push(own);
    }
    for node in core.others() {
        let Some(peer) = core.peers.get(&node) else {
            continue;
        };
        let path = format!("/v1/self-check?service={}", service.name);
        match peer.get::<SelfCheck>(&path, Duration::from_secs(10)).await {
            Ok(other) => selves.push(other),
            Err(error) => findings.push(Finding {
                code: FindingCode::PeerUnreachable,
                node: node.clone(),
                severity: Severity::Blocking,
                evidence: Why::system(error).into(),
            }),
        }
        findings.extend(fence_findings(core, &observation, &node));
    }
    findings.extend(selves.iter().flat_map(|s| s.findings.clone()));
    findings.extend(differences(&selves));
    if observation.probes.is_empty() {
        findings.push(Finding {
            code: FindingCode::ProbeMissing,
            node: core.me.clone(),
            severity: Severity::Warning,
            evidence: Evidence::NoProbeReports,
        });
    }
    let mut report = siaga_planner::readiness(&core.config, &observation, &findings);
    report.duties = super::duties::shown(core);
    note_results(core, service, &selves, &report);
    report
}

fn fence_findings(core: &Core, observation: &Observation, node: &NodeName) -> Vec<Finding> {
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
    view.fences
        .iter()
        .filter_map(|fence| match &fence.state {
            FenceState::Failed { why } => Some(Finding {
                code: FindingCode::FenceSilent,
                node: node.clone(),
                severity: Severity::Warning,
                evidence: Evidence::AskedFrom {
                    device: fence.name.clone(),
                    node: core.me.clone(),
                    why: why.clone(),
                },
            }),
            FenceState::Open | FenceState::Fenced => None,
        })
        .collect()
}

fn differences(selves: &[SelfCheck]) -> Vec<Finding> {
    let [one, other] = selves else {
        return Vec::new();
    };
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
    if let (Some(a), Some(b)) = (one.device_size, other.device_size)
        && a != b
    {
        add(
            FindingCode::DiskSetSizeDiffers,
            Severity::Blocking,
            Evidence::Sizes {
                one: one.node.clone(),
                one_bytes: a,
                other: other.node.clone(),
                other_bytes: b,
            },
        );
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
    findings
}

/// A node has passed when it was asked and nothing blocking was found on it.
fn note_results(core: &Core, service: &Service, selves: &[SelfCheck], report: &CheckReport) {
    for node in selves.iter().map(|s| &s.node) {
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
