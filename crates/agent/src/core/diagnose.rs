//! `siaga diagnose`: the paper's "check the cause at once", layer by layer. Gathers evidence; the planner judges it.

use super::observe::observe;
use super::state::Core;
use siaga_model::api::{Diagnosis, Layer, LayerFinding};
use siaga_model::config::Service;
use siaga_model::observation::{
    AgentView, ApplicationFact, DatabaseState, Holding, Known, NodeFacts, Observation, Power,
};
use siaga_model::{Evidence, NodeName, Why};
use siaga_runner::hands::Hands;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Less free space than this is a likely cause.
const LITTLE_SPACE_BYTES: u64 = 64 * 1024 * 1024;
/// How much of the end of the database's log is read.
const LOG_TAIL_BYTES: u64 = 16 * 1024;
/// Older kernel messages are no cause of what is wrong now.
const KERNEL_RECENT: Duration = Duration::from_secs(15 * 60);
/// How many kernel messages are kept as evidence.
const KERNEL_LINES: usize = 5;

/// The layers that only the node itself can see.
pub fn own_layers(core: &Core, service: &Service) -> Vec<LayerFinding> {
    let mut layers = vec![
        free_space(core, service),
        kernel_log(core),
        last_shutdown(core, service),
    ];
    layers.extend(file_system(core, service));
    layers
}

fn layer(
    core: &Core,
    layer: Layer,
    ok: Option<bool>,
    evidence: impl Into<Evidence>,
) -> LayerFinding {
    LayerFinding {
        layer,
        node: core.me.clone(),
        ok,
        evidence: evidence.into(),
    }
}

fn free_space(core: &Core, service: &Service) -> LayerFinding {
    let mut paths = vec![core.state_dir.clone()];
    let facts = core.hands.look(&service.name);
    paths.extend(
        facts
            .mounts
            .iter()
            .filter(|m| m.mounted)
            .map(|m| m.mount_point.clone()),
    );
    let mut said = Vec::new();
    let mut ok = true;
    for path in paths {
        match rustix::fs::statvfs(&path) {
            Ok(fs) => {
                let free = fs.f_bavail.saturating_mul(fs.f_frsize);
                ok &= free >= LITTLE_SPACE_BYTES;
                said.push(Evidence::SpaceFree {
                    mebibytes: free / (1024 * 1024),
                    path,
                });
            }
            Err(error) => said.push(Why::system(error).of(path.display()).into()),
        }
    }
    layer(
        core,
        Layer::FreeSpace,
        Some(ok),
        Evidence::Several { each: said },
    )
}

fn file_system(core: &Core, service: &Service) -> Option<LayerFinding> {
    let facts = core.hands.look(&service.name);
    let mounted: Vec<_> = facts.mounts.iter().filter(|m| m.mounted).collect();
    if mounted.is_empty() {
        return None;
    }
    let broken: Vec<Evidence> = mounted
        .iter()
        .filter_map(|m| {
            let error = std::fs::read_dir(&m.mount_point).err()?;
            Some(Why::system(error).of(m.mount_point.display()).into())
        })
        .collect();
    let evidence = if broken.is_empty() {
        Evidence::MountedAndReadable
    } else {
        Evidence::Several {
            each: broken.clone(),
        }
    };
    Some(layer(
        core,
        Layer::FileSystem,
        Some(broken.is_empty()),
        evidence,
    ))
}

/// I/O errors and out-of-memory kills among the kernel's messages.
fn kernel_log(core: &Core) -> LayerFinding {
    match kernel_messages() {
        Err(why) => layer(core, Layer::KernelLog, None, why),
        Ok(text) => {
            let bad: Vec<&str> = text.lines().filter(|l| is_bad_kernel_line(l)).collect();
            let newest = bad
                .iter()
                .rev()
                .take(KERNEL_LINES)
                .copied()
                .collect::<Vec<_>>();
            if newest.is_empty() {
                layer(
                    core,
                    Layer::KernelLog,
                    Some(true),
                    Evidence::NoKernelTrouble,
                )
            } else {
                layer(core, Layer::KernelLog, Some(false), newest.join(" | "))
            }
        }
    }
}

/// Does this message of the kernel tell of a disk or memory that failed?
pub fn is_bad_kernel_line(line: &str) -> bool {
    [
        "I/O error",
        "Out of memory",
        "oom-kill",
        "EXT4-fs error",
        "XFS",
        "Buffer I/O",
        "Medium Error",
    ]
    .iter()
    .any(|sign| match *sign {
        "XFS" => line.contains("XFS") && (line.contains("error") || line.contains("shutdown")),
        sign => line.contains(sign),
    })
}

fn kernel_messages() -> Result<String, String> {
    use std::os::unix::fs::OpenOptionsExt;
    let nonblock = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or(0);
    let mut file = std::fs::OpenOptions::new()
        .read(true)
        .custom_flags(nonblock)
        .open("/dev/kmsg")
        .map_err(|e| format!("/dev/kmsg: {e}"))?;
    let mut text = String::new();
    let mut record = [0_u8; 8192];
    // One record a read; ends with EAGAIN when the newest was read.
    let since = uptime_micros()
        .unwrap_or(0)
        .saturating_sub(KERNEL_RECENT.as_micros());
    while let Ok(n) = file.read(&mut record) {
        if n == 0 {
            break;
        }
        let line = String::from_utf8_lossy(&record[..n]);
        // `priority,sequence,microseconds since boot,flags;message`
        let at = line.split(',').nth(2).and_then(|t| t.parse::<u128>().ok());
        if at.is_none_or(|at| at >= since) {
            text.push_str(&line);
        }
    }
    Ok(text)
}

fn uptime_micros() -> Option<u128> {
    let text = std::fs::read_to_string("/proc/uptime").ok()?;
    let seconds: f64 = text.split(' ').next()?.parse().ok()?;
    Some(Duration::try_from_secs_f64(seconds).ok()?.as_micros())
}

/// The end of the database's own log.
fn last_shutdown(core: &Core, service: &Service) -> LayerFinding {
    let path = core
        .state_dir
        .join("log")
        .join(format!("{}-postgres.log", service.name));
    match tail(&path) {
        Err(why) => layer(core, Layer::LastShutdown, None, why),
        Ok(text) => {
            let (ok, line) = judge_shutdown(&text);
            layer(core, Layer::LastShutdown, ok, line)
        }
    }
}

/// What the end of the log says of how the database last went down: the newest telling line wins.
pub fn judge_shutdown(text: &str) -> (Option<bool>, Evidence) {
    let telling = |line: &&str| {
        ["PANIC", "FATAL", "was terminated by signal", "database system is shut down", "aborting startup"]
            .iter()
            .any(|sign| line.contains(sign))
            // Clients that come too early, too late, or go without a word are no cause.
            && !line.contains("the database system is")
            && !line.contains("connection to client")
            && !line.contains("terminating connection")
    };
    match text.lines().rev().find(telling) {
        Some(line) if line.contains("database system is shut down") => {
            (Some(true), line.trim().into())
        }
        Some(line) => (Some(false), line.trim().into()),
        None => (None, Evidence::NoShutdownInLog),
    }
}

fn tail(path: &Path) -> Result<String, String> {
    let mut file = std::fs::File::open(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let length = file.metadata().map_err(|e| e.to_string())?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(LOG_TAIL_BYTES)))
        .map_err(|e| e.to_string())?;
    let mut bytes = Vec::new();
    file.take(LOG_TAIL_BYTES)
        .read_to_end(&mut bytes)
        .map_err(|e| e.to_string())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The whole diagnosis.
pub async fn diagnose(core: &Arc<Core>, service: &Service) -> Diagnosis {
    let observation = observe(core, service).await;
    let (c, s) = (core.clone(), service.clone());
    let mut layers = tokio::task::spawn_blocking(move || own_layers(&c, &s))
        .await
        .unwrap_or_default();
    for node in core.others() {
        let Some(peer) = core.peers.get(&node) else {
            continue;
        };
        let path = format!("/v1/layers?service={}", service.name);
        if let Ok(theirs) = peer
            .get::<Vec<LayerFinding>>(&path, Duration::from_secs(10))
            .await
        {
            layers.extend(theirs);
        }
    }
    layers.extend(seen_from_here(&observation));
    layers.sort_by(|a, b| a.layer.cmp(&b.layer).then_with(|| a.node.cmp(&b.node)));
    siaga_planner::diagnose(&core.config, &service.name, layers, &observation)
}

/// The layers that an observation tells.
fn seen_from_here(observation: &Observation) -> Vec<LayerFinding> {
    let mut layers = Vec::new();
    for (node, view) in &observation.nodes {
        let add = |layers: &mut Vec<LayerFinding>, layer, ok, evidence: Evidence| {
            layers.push(LayerFinding {
                layer,
                node: node.clone(),
                ok,
                evidence,
            });
        };
        let power = match view.power {
            Power::On => (Some(true), Evidence::PowerOn),
            Power::Off => (Some(false), Evidence::PowerOff),
            Power::Unknown => (None, Evidence::NotKnown),
        };
        add(&mut layers, Layer::Power, power.0, power.1);
        match &view.agent {
            AgentView::Answered { paths, facts } => {
                add(
                    &mut layers,
                    Layer::NetworkPaths,
                    Some(true),
                    Evidence::thing(paths.join(", ")),
                );
                add(&mut layers, Layer::Agent, Some(true), Evidence::Answers);
                facts_layers(&mut layers, node, facts);
            }
            AgentView::Silent { paths_tried, late } => {
                // One that lives was heard over one of them.
                let paths = (!late).then_some(false);
                let tried = Evidence::thing(paths_tried.join(", "));
                add(&mut layers, Layer::NetworkPaths, paths, tried);
                let agent = match late {
                    true => Why::AgentLate.into(),
                    false => Evidence::Silent,
                };
                add(&mut layers, Layer::Agent, Some(false), agent);
            }
        }
    }
    for probe in &observation.probes {
        layers.push(LayerFinding {
            layer: Layer::ClientTest,
            node: probe
                .node
                .clone()
                .unwrap_or_else(|| observation.observer.clone()),
            ok: Some(probe.serving),
            evidence: Evidence::ProbeReport {
                probe: probe.probe.clone(),
                age_ms: probe.age_ms,
            },
        });
    }
    layers
}

/// Where the database serves, its applications are to run as well.
fn applications(facts: &[ApplicationFact], add: &mut impl FnMut(Layer, Option<bool>, Evidence)) {
    for ApplicationFact { name, running } in facts {
        let name = name.clone();
        let (ok, evidence) = match running {
            Known::Known(true) => (Some(true), Evidence::ApplicationRuns { name }),
            Known::Known(false) => (Some(false), Evidence::ApplicationStopped { name }),
            Known::Unknown { why } => (None, why.clone().of(&name).into()),
        };
        add(Layer::Applications, ok, evidence);
    }
}

fn facts_layers(layers: &mut Vec<LayerFinding>, node: &NodeName, facts: &NodeFacts) {
    let mut add = |layer, ok, evidence: Evidence| {
        layers.push(LayerFinding {
            layer,
            node: node.clone(),
            ok,
            evidence,
        });
    };
    match &facts.disk {
        Holding::Free => add(Layer::DiskSet, Some(true), Evidence::Free),
        Holding::Held { by } => add(
            Layer::DiskSet,
            Some(true),
            Evidence::Held { by: by.clone() },
        ),
        Holding::Unknown { why } => add(Layer::DiskSet, Some(false), why.clone().into()),
    }
    let held = matches!(facts.disk, Holding::Held { .. });
    match &facts.database {
        DatabaseState::Ready => {
            add(Layer::Process, Some(true), Evidence::ProcessRuns);
            add(
                Layer::AcceptingConnections,
                Some(true),
                Evidence::WriteCommitted,
            );
            applications(&facts.applications, &mut add);
        }
        DatabaseState::Starting { percent } => {
            add(Layer::Process, Some(true), Evidence::ProcessStarts);
            let progress =
                percent.map_or(Evidence::Nothing, |percent| Evidence::Percent { percent });
            add(Layer::AcceptingConnections, Some(false), progress);
        }
        DatabaseState::NotServing { why } => {
            add(Layer::Process, Some(true), Evidence::ProcessesThere);
            add(Layer::AcceptingConnections, Some(false), why.clone().into());
        }
        DatabaseState::Stopped => add(Layer::Process, held.then_some(false), Evidence::NoProcess),
        DatabaseState::Unknown { why } => add(Layer::Process, None, why.clone().into()),
    }
}
