//! Disks by the names that stay, volume groups and DRBD resources.

use super::{BlockText, Disk, Gathered, VolumeGroup};
use crate::observe::mounts;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// Names under `/dev/disk/by-id`, the best first: a multipath map (by the other names it is one of its paths before the map is
/// there), by the disk's own number, by what it calls itself, by its maker.
const BY_ID: [&str; 7] = [
    "dm-uuid-mpath-",
    "wwn-",
    "nvme-eui.",
    "scsi-3",
    "md-uuid-",
    "nvme-",
    "scsi-",
];

/// Block devices that may carry a file system: those with a name that stays, and whatever is mounted.
pub(super) fn disks(gathered: &Gathered) -> Vec<Disk> {
    let mounts = mounts_of(&gathered.mountinfo);
    gathered
        .block
        .iter()
        .filter_map(|block| disk(block, gathered, &mounts))
        .collect()
}

/// One mount, as far as it matters here.
pub(super) struct Mounted {
    pub number: String,
    pub mount_point: PathBuf,
    file_system: String,
    options: Vec<String>,
}

pub(super) fn mounts_of(mountinfo: &str) -> Vec<Mounted> {
    let one = |line: &str| {
        let entry = mounts::parse(line.as_bytes()).pop()?;
        let mut fields = line.split(' ');
        let number = fields.nth(2)?.to_owned();
        let options = fields.nth(2)?;
        // A part of a file system that is mounted somewhere else, as in a container, is no place of its own.
        (entry.root == Path::new("/")).then(|| Mounted {
            number,
            mount_point: entry.mount_point,
            file_system: entry.file_system,
            options: kept(options),
        })
    };
    mountinfo.lines().filter_map(one).collect()
}

/// Options that say what the site wants, and not what every mount has.
fn kept(options: &str) -> Vec<String> {
    let plain = ["rw", "ro", "relatime"];
    options
        .split(',')
        .filter(|o| !plain.contains(o))
        .map(str::to_owned)
        .collect()
}

fn disk(block: &BlockText, gathered: &Gathered, mounts: &[Mounted]) -> Option<Disk> {
    let mounted = mounts.iter().rev().find(|m| m.number == block.number);
    let lvm = lvm_names(block);
    let told = || {
        let resource = block.drbd.clone()?;
        Some((Path::new("/dev").join(&block.name), resource))
    };
    let drbd = resource_of(&block.name, &gathered.links).or_else(told);
    let by_id = by_id(&block.name, &gathered.links);
    let named = match (&lvm, &drbd) {
        (Some((group, volume)), _) => Some(PathBuf::from(format!("/dev/{group}/{volume}"))),
        (None, Some((link, _))) => Some(link.clone()),
        (None, None) => by_id,
    };
    // Without a name that stays, only what is in use.
    let kernel_path = || mounted.map(|_| Path::new("/dev").join(&block.name));
    Some(Disk {
        device: named.or_else(kernel_path)?,
        kernel_name: block.name.clone(),
        bytes: block.bytes,
        mount_point: mounted.map(|m| m.mount_point.clone()),
        file_system: mounted.map(|m| m.file_system.clone()),
        mount_options: mounted.map(|m| m.options.clone()).unwrap_or_default(),
        volume_group: lvm.map(|(group, _)| group),
        drbd: drbd.map(|(_, resource)| resource),
        reserved: reserved(block, gathered),
        replica_below: replica_below(block, gathered),
        waits_at: None,
    })
}

/// The disk itself, or the only one below a logical volume.
fn reserved(block: &BlockText, gathered: &Gathered) -> Option<PathBuf> {
    if block.reserves || lvm_names(block).is_none() {
        return as_reserved(block, gathered);
    }
    as_reserved(only_below(block, gathered)?, gathered)
}

/// Its name, where it knows reservations.
pub(super) fn as_reserved(block: &BlockText, gathered: &Gathered) -> Option<PathBuf> {
    by_id(&block.name, &gathered.links).filter(|_| block.reserves)
}

fn replica_below(block: &BlockText, gathered: &Gathered) -> Option<String> {
    lvm_names(block)?;
    as_replica(only_below(block, gathered)?, gathered)
}

/// The resource that it is.
pub(super) fn as_replica(block: &BlockText, gathered: &Gathered) -> Option<String> {
    let told = || block.drbd.clone();
    resource_of(&block.name, &gathered.links)
        .map(|(_, resource)| resource)
        .or_else(told)
}

/// What a logical volume lies on, where that is one thing.
fn only_below<'a>(block: &BlockText, gathered: &'a Gathered) -> Option<&'a BlockText> {
    match &block.below[..] {
        [only] => gathered.block.iter().find(|b| b.name == *only),
        _ => None,
    }
}

fn by_id(kernel_name: &str, links: &[(PathBuf, PathBuf)]) -> Option<PathBuf> {
    let target = Path::new("/dev").join(kernel_name);
    let rank = |link: &Path| {
        let name = link.strip_prefix("/dev/disk/by-id").ok()?.to_str()?;
        BY_ID.iter().position(|prefix| name.starts_with(prefix))
    };
    links
        .iter()
        .filter(|(_, to)| to == &target)
        .filter_map(|(link, _)| Some((rank(link)?, link)))
        .min()
        .map(|(_, link)| link.clone())
}

/// Group and volume of a logical volume. The device mapper's name has them with a dash between, and their own doubled.
pub(super) fn lvm_names(block: &BlockText) -> Option<(String, String)> {
    let name = block.dm_name.as_deref()?;
    block.dm_uuid.as_deref().filter(|u| u.starts_with("LVM-"))?;
    let bytes = name.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'-' {
            if bytes.get(at + 1) != Some(&b'-') {
                let plain = |part: &str| part.replace("--", "-");
                return Some((plain(&name[..at]), plain(&name[at + 1..])));
            }
            at += 1;
        }
        at += 1;
    }
    None
}

/// `/dev/drbd/by-res/simrs/0`
fn resource_of(kernel_name: &str, links: &[(PathBuf, PathBuf)]) -> Option<(PathBuf, String)> {
    let target = Path::new("/dev").join(kernel_name);
    links
        .iter()
        .filter(|(_, to)| to == &target)
        .find_map(|(link, _)| Some((link.clone(), resource(link)?)))
}

fn resource(link: &Path) -> Option<String> {
    let below = link.strip_prefix("/dev/drbd/by-res").ok()?;
    let name = below.components().next()?.as_os_str().to_str()?;
    Some(name.to_owned())
}

/// `RESOURCE=simrs/0`, or without the volume, of `drbdadm sh-udev`.
pub(super) fn told_resource(told: &str) -> Option<String> {
    let resource = told.lines().find_map(|l| l.strip_prefix("RESOURCE="))?;
    let name = resource.split('/').next().unwrap_or_default();
    (!name.is_empty()).then(|| name.to_owned())
}

/// The name of the disk that a replica lies on: `DISK=vdb` of the same program.
pub(super) fn told_disk(told: &str) -> Option<String> {
    let disk = told.lines().find_map(|l| l.strip_prefix("DISK="))?;
    let name = disk.rsplit('/').next().unwrap_or_default();
    (!name.is_empty()).then(|| name.to_owned())
}

/// Every resource that has a link, or a device.
pub(super) fn resources(gathered: &Gathered) -> Vec<String> {
    let links = gathered.links.iter();
    let mut names: Vec<String> = links
        .filter_map(|(link, _)| resource(link))
        .chain(gathered.block.iter().filter_map(|b| b.drbd.clone()))
        .collect();
    names.sort();
    names.dedup();
    names
}

#[derive(Deserialize)]
struct Output {
    report: Vec<Report>,
}

#[derive(Deserialize)]
struct Report {
    vg: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    vg_name: String,
    #[serde(default)]
    vg_systemid: String,
    #[serde(default)]
    pv_name: String,
}

/// Of `vgs --reportformat json`, with a row for each disk of a group. A report that can't be read has none.
pub(super) fn volume_groups(vgs: &str) -> Vec<VolumeGroup> {
    let output: Option<Output> = serde_json::from_str(vgs).ok();
    let rows = output.into_iter().flat_map(|o| o.report);
    let mut groups: Vec<VolumeGroup> = Vec::new();
    for row in rows.flat_map(|r| r.vg) {
        let disk = Some(PathBuf::from(row.pv_name)).filter(|p| p.is_absolute());
        match groups.iter_mut().find(|g| g.name == row.vg_name) {
            Some(group) => group.disks.extend(disk),
            None => groups.push(VolumeGroup {
                name: row.vg_name,
                system_id: row.vg_systemid,
                disks: disk.into_iter().collect(),
            }),
        }
    }
    groups
}

#[derive(Deserialize)]
struct Volumes {
    report: Vec<VolumesReport>,
}

#[derive(Deserialize)]
struct VolumesReport {
    lv: Vec<Volume>,
}

/// A logical volume, active or not.
#[derive(Deserialize)]
pub(super) struct Volume {
    pub vg_name: String,
    pub lv_name: String,
    /// In bytes.
    #[serde(default)]
    pub lv_size: String,
}

/// Of `lvs --reportformat json`.
pub(super) fn volumes(lvs: &str) -> Vec<Volume> {
    let output: Option<Volumes> = serde_json::from_str(lvs).ok();
    let reports = output.into_iter().flat_map(|o| o.report);
    reports.flat_map(|r| r.lv).collect()
}
