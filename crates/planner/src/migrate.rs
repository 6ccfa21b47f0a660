//! May a data directory move to the storage that moves, in which steps, and which are the way back?
//!
//! At no moment can a server start from two directories: the old one's control file is out of the way
//! ([`Step::DisableOld`]) before the new one has any ([`Step::EnableNew`]), and the other way round. Every step looks first and
//! may be begun again; so what is left of a job after a kill is simply the rest of its list.

mod back;

pub use back::{back, may_go_on};

use siaga_model::config::FileSystemKind;
use siaga_model::migrate::{
    Answers, Carries, Cluster, Configured, Device, Direction, Drbd, Facts, JOB_FORM, Job, Place,
    Plan, Pointing, Record, Refusal, Seen, Step, Wish,
};
use std::path::{Path, PathBuf};

/// What has to be free beyond the data: a fifth of it for its growth while it is copied, and room to start.
const MARGIN_BYTES: u64 = 64 << 20;

/// What a new ext4 takes for itself, at most: a tenth.
const FORMAT_TAKES: u64 = 10;

/// How long a stop and a start take beside the copying, in seconds: the assumption behind the estimate.
const STOP_AND_START_S: u64 = 5;

/// Opening and looking at one file in both places, files in a second: the assumption behind the estimate.
const FILES_PER_S: u64 = 5_000;

/// A server's own folder for the renamed directory.
pub fn kept(from: &Path, date: &str) -> PathBuf {
    with_suffix(from, &format!(".before-migrate-{date}"))
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// The plan, or everything that stands against it.
///
/// # Errors
/// The refusals, all of them.
pub fn plan(seen: &Seen, wish: &Wish) -> Result<Plan, Vec<Refusal>> {
    let mut against = Vec::new();
    if !seen.is_root {
        against.push(Refusal::NotRoot);
    }
    let cluster = match chosen(seen, wish) {
        Ok(cluster) => Some(cluster),
        Err(refusal) => {
            against.push(refusal);
            let not_roots = |program: &PathBuf| Refusal::NotRoots {
                program: program.clone(),
            };
            against.extend(seen.not_roots.iter().map(not_roots));
            None
        }
    };
    against.extend(configured(&seen.configured));
    against.extend(against_site(seen, wish));
    against.extend(cluster.map(against_cluster).unwrap_or_default());
    against.extend(against_device(seen, wish, cluster));
    against.extend(against_place(seen, wish));
    let (Some(cluster), Some(target)) = (cluster, target(&seen.device)) else {
        return Err(against);
    };
    let needed = needed(cluster);
    if target.free < needed {
        let free = target.free;
        against.push(Refusal::TooSmall { needed, free });
    }
    if !against.is_empty() {
        return Err(against);
    }
    Ok(made(seen, wish, cluster, &target))
}

/// What is left to do of a plan that was just made.
pub fn job(plan: &Plan) -> Job {
    Job {
        form: JOB_FORM,
        facts: plan.facts.clone(),
        direction: Direction::Forward,
        left: plan.steps.clone(),
        record: Record::default(),
    }
}

fn chosen<'a>(seen: &'a Seen, wish: &Wish) -> Result<&'a Cluster, Refusal> {
    if let Some(from) = &wish.from {
        let named = |c: &&Cluster| &c.server.data_dir == from;
        let from = from.clone();
        return seen
            .clusters
            .iter()
            .find(named)
            .ok_or(Refusal::NotThatServer { from });
    }
    match seen.clusters.as_slice() {
        [] => Err(Refusal::NoServer),
        [one] => Ok(one),
        several => Err(Refusal::SeveralServers {
            data_dirs: several.iter().map(|c| c.server.data_dir.clone()).collect(),
        }),
    }
}

fn configured(seen: &Configured) -> Option<Refusal> {
    Some(match seen.clone() {
        Configured::No => return None,
        Configured::Carries { service, data_dir } => Refusal::Configured { service, data_dir },
        Configured::Unreadable { file, said } => Refusal::ConfigUnreadable { file, said },
    })
}

/// From the first run of a site on, a mount needs a proof that nobody else has the disk, and this has none.
fn against_site(seen: &Seen, wish: &Wish) -> Option<Refusal> {
    let mounted = match (&seen.device, &seen.place) {
        (Device::There { number, .. }, Place::Mounted { device }) => number == device,
        _ => false,
    };
    (seen.of_a_site && !mounted).then(|| Refusal::SiteNode {
        device: wish.device.clone(),
        mount_point: wish.mount_point.clone(),
    })
}

fn against_cluster(cluster: &Cluster) -> Vec<Refusal> {
    let mut against = Vec::new();
    let server = &cluster.server;
    if let Some(unit) = &cluster.stranger_unit {
        let unit = unit.clone();
        against.push(Refusal::StrangerUnit { unit });
    }
    // A unit goes on giving them.
    if server.unit.is_none() && !cluster.options.is_empty() {
        let options = cluster.options.clone();
        against.push(Refusal::Options { options });
    }
    if let (Some(file), Some(why)) = (&server.config_file, &cluster.config_unreadable) {
        let (file, why) = (file.clone(), why.clone());
        against.push(Refusal::ConfigFile { file, why });
    }
    let programs = cluster.programs.clone().unwrap_or_default();
    if programs != cluster.version {
        let data = cluster.version.clone();
        against.push(Refusal::ProgramsDiffer { data, programs });
    }
    against.extend(against_layout(cluster));
    let in_recovery = match &cluster.answers {
        Answers::Silent { why } => {
            against.push(Refusal::NoAnswer { why: why.clone() });
            false
        }
        Answers::Says {
            in_recovery,
            set_in,
            naming,
        } => {
            against.extend(against_settings(cluster, set_in, naming));
            *in_recovery
        }
    };
    if in_recovery || cluster.follows {
        against.push(Refusal::Standby);
    }
    against
}

/// Where its files are.
fn against_layout(cluster: &Cluster) -> Vec<Refusal> {
    let mut against = Vec::new();
    let path = || cluster.server.data_dir.clone();
    // A mount point can't be renamed.
    if cluster.is_mount_point {
        against.push(Refusal::IsMountPoint { path: path() });
    }
    if cluster.kept_there {
        against.push(Refusal::KeptThere { path: path() });
    }
    let away = |(link, to): &(PathBuf, PathBuf)| Refusal::LeadsAway {
        link: link.clone(),
        to: to.clone(),
    };
    against.extend(cluster.astray.iter().map(away));
    let inside = |path: &PathBuf| Refusal::MountInside { path: path.clone() };
    against.extend(cluster.mounts_inside.iter().map(inside));
    against
}

/// Only the one place that is going to be changed may say where the data directory is.
fn against_settings(cluster: &Cluster, set_in: &[PathBuf], naming: &[String]) -> Vec<Refusal> {
    let mut against = Vec::new();
    let as_meant = match &cluster.server.config_file {
        Some(file) => matches!(set_in, [one] if one == file),
        None => set_in.is_empty(),
    };
    if !as_meant {
        let files = set_in.to_vec();
        against.push(Refusal::SetElsewhere { files });
    }
    // With a link in its place, the old name goes on leading to the data.
    if cluster.server.config_file.is_some() && !naming.is_empty() {
        let settings = naming.to_vec();
        against.push(Refusal::Named { settings });
    }
    against
}

fn against_device(seen: &Seen, wish: &Wish, cluster: Option<&Cluster>) -> Vec<Refusal> {
    let mut against = Vec::new();
    let (number, mounted_at, held_by, drbd, carries) = match &seen.device {
        Device::Unusable { why } => {
            let (device, why) = (wish.device.clone(), why.clone());
            return vec![Refusal::DeviceUnusable { device, why }];
        }
        Device::There {
            number,
            mounted_at,
            held_by,
            drbd,
            carries,
            ..
        } => (*number, mounted_at, held_by, drbd, carries),
    };
    if cluster.is_some_and(|c| c.file_system == number) {
        return vec![Refusal::SameFileSystem];
    }
    if mounted_at.iter().any(|at| at != &wish.mount_point) {
        let at = mounted_at.clone();
        against.push(Refusal::MountedElsewhere { at });
    }
    if !held_by.is_empty() {
        let by = held_by.clone();
        against.push(Refusal::DeviceHeld { by });
    }
    match drbd.clone() {
        Drbd::No | Drbd::Ready => {}
        Drbd::NotReady { resource, state } => {
            against.push(Refusal::DrbdNotReady { resource, state });
        }
        Drbd::Unknown { why } => against.push(Refusal::DeviceUnreadable { why }),
    }
    against.extend(against_content(seen, wish, carries));
    against
}

fn against_content(seen: &Seen, wish: &Wish, carries: &Carries) -> Option<Refusal> {
    let device = || wish.device.clone();
    match carries {
        Carries::Nothing if !wish.format => Some(Refusal::Blank { device: device() }),
        Carries::Nothing if !seen.can_format => Some(Refusal::NoMkfs),
        Carries::Nothing => None,
        // Consent to format is consent to format nothing else.
        Carries::Ext4 { .. } | Carries::Mounted { .. } if wish.format => Some(Refusal::Carries {
            what: "ext4/XFS".to_owned(),
        }),
        Carries::Ext4 { clean: false, .. } => Some(Refusal::NotClean),
        Carries::Ext4 {
            is_empty: false, ..
        } => Some(Refusal::NotEmpty {
            entries: Vec::new(),
        }),
        Carries::Ext4 { .. } => None,
        Carries::Mounted { kind: None, .. } => Some(Refusal::OtherFileSystem),
        Carries::Mounted { entries, .. } if !entries.is_empty() => Some(Refusal::NotEmpty {
            entries: entries.clone(),
        }),
        Carries::Mounted { .. } => None,
        Carries::Something { what } => Some(Refusal::Carries { what: what.clone() }),
        Carries::Unreadable { why } => Some(Refusal::DeviceUnreadable { why: why.clone() }),
    }
}

fn against_place(seen: &Seen, wish: &Wish) -> Option<Refusal> {
    let mount_point = wish.mount_point.clone();
    let ours = match &seen.device {
        Device::There { number, .. } => Some(*number),
        Device::Unusable { .. } => None,
    };
    match seen.place {
        Place::Missing | Place::Empty => None,
        Place::Mounted { device } if ours == Some(device) => None,
        Place::Mounted { .. } | Place::NotADirectory => Some(Refusal::PlaceTaken { mount_point }),
        Place::NotEmpty => Some(Refusal::PlaceNotEmpty { mount_point }),
    }
}

fn needed(cluster: &Cluster) -> u64 {
    cluster
        .bytes
        .saturating_add(cluster.bytes / 5)
        .saturating_add(MARGIN_BYTES)
}

/// What will be written to.
struct Target {
    free: u64,
    kind: FileSystemKind,
    uuid: Option<String>,
    format: bool,
}

fn target(device: &Device) -> Option<Target> {
    let Device::There { bytes, carries, .. } = device else {
        return None;
    };
    let ext4 = |free: u64, uuid: Option<String>, format: bool| Target {
        free,
        kind: FileSystemKind::Ext4,
        uuid,
        format,
    };
    Some(match carries {
        Carries::Nothing => ext4(bytes - bytes / FORMAT_TAKES, None, true),
        Carries::Ext4 {
            free_bytes, uuid, ..
        } => ext4(*free_bytes, Some(uuid.clone()), false),
        Carries::Mounted {
            kind: Some(kind),
            free_bytes,
            uuid,
            ..
        } => Target {
            free: *free_bytes,
            kind: *kind,
            uuid: uuid.clone(),
            format: false,
        },
        Carries::Mounted { kind: None, .. }
        | Carries::Something { .. }
        | Carries::Unreadable { .. } => return None,
    })
}

fn made(seen: &Seen, wish: &Wish, cluster: &Cluster, target: &Target) -> Plan {
    let from = &cluster.server.data_dir;
    let name = from.file_name().unwrap_or_default();
    let to = wish.mount_point.join(&cluster.version).join(name);
    let pointing = match &cluster.server.config_file {
        Some(file) => Pointing::ConfigFile { file: file.clone() },
        None => Pointing::Link,
    };
    let mut steps = Vec::new();
    if target.format {
        steps.push(Step::Format);
    }
    steps.extend(FORWARD);
    // Twice: what is written is read again from the disk.
    let seconds = |bytes: u64| {
        seen.reads_per_s
            .map(|rate| bytes.saturating_mul(2) / rate.max(1))
    };
    let look = cluster.files / FILES_PER_S;
    Plan {
        facts: Facts {
            kept: kept(from, &seen.date),
            part: with_suffix(&to, ".siaga-part"),
            server: cluster.server.clone(),
            version: cluster.version.clone(),
            to,
            device: wish.device.clone(),
            mount_point: wish.mount_point.clone(),
            kind: target.kind,
            uuid: target.uuid.clone(),
            pointing,
        },
        steps,
        bytes: cluster.bytes,
        files: cluster.files,
        free_bytes: target.free,
        needed_bytes: needed(cluster),
        reads_per_s: seen.reads_per_s,
        copy_s: seconds(cluster.bytes).map(|s| s + look + 1),
        away_s: seconds(cluster.recent_bytes).map(|s| s + look + STOP_AND_START_S),
    }
}

/// From a mounted file system on.
const FORWARD: [Step; 10] = [
    Step::Mount,
    Step::Copy,
    Step::Stop,
    Step::DisableOld,
    Step::CopyRest,
    Step::KeepOld,
    Step::Point,
    Step::EnableNew,
    Step::StartNew,
    Step::Verify,
];
