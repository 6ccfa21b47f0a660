//! Disks that nothing uses: what the shared one may be, where no database runs yet.

use super::storage::{as_replica, as_reserved, lvm_names, mounts_of, volumes};
use super::{BlockText, Disk, Gathered, VolumeGroup};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Who carries one of these is the system's, and so is every other part of that disk.
const SYSTEM: [&str; 9] = [
    "/",
    "/boot",
    "/boot/efi",
    "/efi",
    "/home",
    "/opt",
    "/tmp",
    "/usr",
    "/var",
];
/// What Siaga mounts.
const MOUNTABLE: [&str; 2] = ["ext4", "xfs"];
/// Kinds of devices that are no storage of a server.
const NO_STORAGE: [&str; 6] = ["fd", "loop", "nbd", "ram", "sr", "zram"];

/// Disks with a name that stays, and volumes of groups, that could be the service's.
pub(super) fn free(gathered: &Gathered, disks: &[Disk], groups: &[VolumeGroup]) -> Vec<Disk> {
    let system = system(gathered);
    let unused = disks
        .iter()
        .filter(|d| d.mount_point.is_none())
        .filter_map(|disk| {
            let block = gathered.block.iter().find(|b| b.name == disk.kernel_name)?;
            is_unused(block, gathered, &system).then(|| {
                let file_system = block.content.clone();
                Disk {
                    file_system,
                    waits_at: waits_at(&disk.device, block.uuid.as_deref(), gathered),
                    ..disk.clone()
                }
            })
        });
    let mut found: Vec<Disk> = unused.collect();
    found.extend(inactive(gathered, groups, &system));
    found
}

fn is_unused(block: &BlockText, gathered: &Gathered, system: &BTreeSet<&str>) -> bool {
    let carries = |other: &BlockText| {
        other.below.contains(&block.name) || other.part_of.as_ref() == Some(&block.name)
    };
    let storage = !NO_STORAGE.iter().any(|kind| {
        let number = block.name.strip_prefix(kind);
        number.is_some_and(|n| n.starts_with(|c: char| c.is_ascii_digit()))
    });
    let content = block.content.as_deref();
    storage
        && content.is_none_or(|c| MOUNTABLE.contains(&c))
        && !gathered.block.iter().any(carries)
        && down_from(&block.name, gathered).is_disjoint(system)
}

/// Does it share a disk with the system?
pub(super) fn is_systems(disk: &Disk, gathered: &Gathered) -> bool {
    !down_from(&disk.kernel_name, gathered).is_disjoint(&system(gathered))
}

/// Every device that the system lies on.
fn system(gathered: &Gathered) -> BTreeSet<&str> {
    let mounts = mounts_of(&gathered.mountinfo);
    let is_system = |block: &&BlockText| {
        let own = mounts.iter().filter(|m| m.number == block.number);
        let mounted = own
            .into_iter()
            .any(|m| SYSTEM.iter().any(|s| m.mount_point == Path::new(s)));
        mounted || block.content.as_deref() == Some("swap")
    };
    let blocks = gathered.block.iter().filter(is_system);
    blocks.flat_map(|b| down_from(&b.name, gathered)).collect()
}

/// The device, and everything that it lies on, down to the whole disks.
fn down_from<'a>(name: &str, gathered: &'a Gathered) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut open = vec![name.to_owned()];
    while let Some(name) = open.pop() {
        let Some(block) = gathered.block.iter().find(|b| b.name == name) else {
            continue;
        };
        if found.insert(block.name.as_str()) {
            open.extend(block.below.iter().cloned());
            open.extend(block.part_of.clone());
        }
    }
    found
}

/// Volumes that are not active: a group that was given up, or that no boot activates.
fn inactive(gathered: &Gathered, groups: &[VolumeGroup], system: &BTreeSet<&str>) -> Vec<Disk> {
    let active = |group: &str, volume: &str| {
        let mut names = gathered.block.iter().filter_map(lvm_names);
        names.any(|(g, v)| g == group && v == volume)
    };
    let mut found = Vec::new();
    for volume in volumes(gathered.lvs.as_deref().unwrap_or_default()) {
        let Some(group) = groups.iter().find(|g| g.name == volume.vg_name) else {
            continue;
        };
        let below: Vec<&BlockText> = group
            .disks
            .iter()
            .filter_map(|d| block_of(d, gathered))
            .collect();
        let of_system = |b: &&BlockText| !down_from(&b.name, gathered).is_disjoint(system);
        if active(&group.name, &volume.lv_name) || below.iter().any(of_system) {
            continue;
        }
        let only = below.first().filter(|_| group.disks.len() == 1);
        let device = PathBuf::from(format!("/dev/{}/{}", group.name, volume.lv_name));
        found.push(Disk {
            kernel_name: String::new(),
            bytes: volume.lv_size.parse().unwrap_or_default(),
            mount_point: None,
            // Nothing of it can be read while it is not active.
            file_system: None,
            mount_options: Vec::new(),
            volume_group: Some(group.name.clone()),
            drbd: None,
            reserved: only.and_then(|b| as_reserved(b, gathered)),
            replica_below: only.and_then(|b| as_replica(b, gathered)),
            waits_at: waits_at(&device, None, gathered),
            device,
        });
    }
    found
}

/// By the kernel's name, the device mapper's, or a link.
fn block_of<'a>(path: &Path, gathered: &'a Gathered) -> Option<&'a BlockText> {
    let link = gathered.links.iter().find(|(link, _)| link == path);
    let real = link.map_or(path, |(_, to)| to.as_path());
    let name = real.file_name()?.to_str()?;
    let mapped = real.starts_with("/dev/mapper");
    let is = |b: &&BlockText| match mapped {
        true => b.dm_name.as_deref() == Some(name),
        false => b.name == name,
    };
    gathered.block.iter().find(is)
}

/// A line of `fstab` with `noauto`, by one of the names that the disk has.
fn waits_at(device: &Path, uuid: Option<&str>, gathered: &Gathered) -> Option<PathBuf> {
    let real = |path: &Path| {
        let link = gathered.links.iter().find(|(link, _)| link == path);
        link.map_or_else(|| path.to_owned(), |(_, to)| to.clone())
    };
    let names = |what: &str| match what.strip_prefix("UUID=") {
        Some(named) => uuid == Some(named.trim_matches('"')),
        None => real(Path::new(what)) == real(device),
    };
    gathered.fstab.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        let (what, at) = (words.next()?, words.next()?);
        let options = words.nth(1)?;
        let waits = options.split(',').any(|o| o == "noauto");
        (waits && !what.starts_with('#') && names(what)).then(|| PathBuf::from(at))
    })
}

#[cfg(test)]
mod tests;
