//! The file systems of a service: the first on the disk set's own device, any further one on a volume beside it.

use super::Context;
use crate::cause::Cause;
use crate::choices::DriverKind;
use crate::raw;
use crate::read::{Opt, Req, Spot};
use crate::scalars::Text;
use siaga_model::NodeName;
use siaga_model::config::FileSystem;
use std::path::{Path, PathBuf};

/// Mount options that would change what a mount is.
const NOT_MOUNT_OPTIONS: [&str; 7] = ["ro", "bind", "rbind", "remount", "move", "user", "users"];

pub(super) fn file_systems(
    service: &Spot<raw::Service>,
    context: &mut Context<'_>,
) -> Option<Vec<FileSystem>> {
    let list = &service.value.file_system.0;
    if list.is_empty() {
        let at = name_place(service);
        context
            .sink
            .push(&at, "service.file_system", Cause::NoFileSystem);
    }
    let (reserved, beside) = (is_reserved(&service.value), Beside::of(&service.value));
    let read = list.iter().enumerate().map(|(at, file_system)| {
        options(&file_system.value, context);
        let devices = match at {
            0 => first(&file_system.value, context),
            _ => further(file_system, reserved, &beside, context),
        };
        let raw = &file_system.value;
        Some(FileSystem {
            kind: raw.kind.value()?.0,
            mount_point: raw.mount_point.value()?.0.clone(),
            options: raw.options.0.iter().map(|o| o.value.0.clone()).collect(),
            devices: devices?,
        })
    });
    // Each is looked at, also after one that is not in order.
    let read: Vec<_> = read.collect();
    read.into_iter().collect()
}

/// A reservation is on one disk; another one would be open to the other node.
fn is_reserved(service: &raw::Service) -> bool {
    let disk_set = service.disk_set.value();
    disk_set
        .and_then(|d| d.driver.value())
        .is_some_and(|d| d.0 == DriverKind::Scsi)
}

fn first(raw: &raw::FileSystem, context: &mut Context<'_>) -> Option<Vec<(NodeName, PathBuf)>> {
    if let Some(device) = &raw.device.spot {
        context.sink.at(device, Cause::FirstFileSystemDevice);
    }
    Some(Vec::new())
}

fn further(
    file_system: &Spot<raw::FileSystem>,
    reserved: bool,
    beside: &Beside,
    context: &mut Context<'_>,
) -> Option<Vec<(NodeName, PathBuf)>> {
    let raw = &file_system.value;
    if reserved {
        let cause = Cause::FileSystemNotReserved;
        context
            .sink
            .push(&file_system.at, "service.file_system", cause);
    }
    if !raw.device.written {
        let (at, key) = (&file_system.at, "service.file_system.device");
        context.sink.push(at, key, Cause::FileSystemDevice);
    }
    let devices = context.per_node(&Req(raw.device.spot.clone()))?;
    let devices: Vec<_> = devices.into_iter().map(|(n, path)| (n, path.0)).collect();
    if let Some(spot) = &raw.device.spot
        && !devices.iter().all(|(_, path)| beside.carries(path))
    {
        let expected = beside.places().join(", ");
        context
            .sink
            .at(spot, Cause::FileSystemElsewhere { expected });
    }
    Some(devices)
}

/// What makes the disk set exclusive, as far as its volumes can be told by their paths.
pub(super) enum Beside {
    /// Whatever the site says: a LUN beside the first, or what its programs take.
    Anything,
    Group(String),
    Resource(String),
}

impl Beside {
    fn of(service: &raw::Service) -> Self {
        let Some(disk_set) = service.disk_set.value() else {
            return Self::Anything;
        };
        let name = |text: &Opt<Text>| text.value().map(|t| t.0.clone());
        let kind = disk_set.driver.value().map(|d| d.0);
        let found = match kind {
            Some(DriverKind::Lvm) => name(&disk_set.volume_group).map(Self::Group),
            Some(DriverKind::Drbd) => name(&disk_set.resource).map(Self::Resource),
            Some(DriverKind::Block | DriverKind::Command | DriverKind::Scsi) | None => None,
        };
        found.unwrap_or(Self::Anything)
    }

    /// Where its volumes are. Device mapper doubles the hyphens of a name.
    pub(super) fn places(&self) -> Vec<String> {
        match self {
            Self::Anything => Vec::new(),
            Self::Group(name) => vec![
                format!("/dev/{name}/"),
                format!("/dev/mapper/{}-", name.replace('-', "--")),
            ],
            Self::Resource(name) => vec![format!("/dev/drbd/by-res/{name}/")],
        }
    }

    /// Anything else would be open to the other node.
    pub(super) fn carries(&self, path: &Path) -> bool {
        let places = self.places();
        let text = path.to_string_lossy();
        // Device mapper doubles the hyphens of a name: the group of `vg--other-data` begins alike, and is another one.
        let below = |place: &String| {
            let rest = text.strip_prefix(place.as_str());
            rest.is_some_and(|name| !name.is_empty() && !name.starts_with('-'))
        };
        places.is_empty() || places.iter().any(below)
    }

    /// Names that say nothing of what is below them, and may be the volume's.
    pub(super) fn may_carry(&self, path: &Path) -> bool {
        const NAMES: [&str; 3] = [
            "/dev/disk/by-id/dm-",
            "/dev/disk/by-uuid/",
            "/dev/disk/by-label/",
        ];
        let text = path.to_string_lossy();
        self.carries(path) || NAMES.iter().any(|n| text.starts_with(n))
    }
}

fn options(raw: &raw::FileSystem, context: &mut Context<'_>) {
    for option in &raw.options.0 {
        let text = &option.value.0;
        let word = text.split('=').next().unwrap_or_default();
        if NOT_MOUNT_OPTIONS.contains(&word) || text.contains([',', ' ']) {
            let found = text.clone();
            context.sink.at(option, Cause::BadMountOption { found });
        }
    }
}

fn name_place(service: &Spot<raw::Service>) -> crate::read::Place {
    service
        .value
        .name
        .0
        .as_ref()
        .map_or_else(|| service.at.clone(), |n| n.at.clone())
}
