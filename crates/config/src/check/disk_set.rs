//! The disk set and what makes it exclusive.

use super::Context;
use super::file_systems::Beside;
use super::service::optional_argv;
use crate::cause::Cause;
use crate::choices::{BelowKind, DriverKind, PerNode};
use crate::raw;
use crate::read::{List, Opt, Place, Req, Spot};
use crate::scalars::{AbsolutePath, Text};
use siaga_model::NodeName;
use siaga_model::config::{Below, DiskSet, DiskSetDriver, DiskSetPrograms, Placeholder};
use siaga_model::reservation::node_mark;

pub(super) fn disk_set(disk_set: &Req<raw::DiskSet>, context: &mut Context<'_>) -> Option<DiskSet> {
    let spot = disk_set.0.as_ref()?;
    let raw = &spot.value;
    let devices = context.per_node(&raw.device);
    let kind = raw.driver.value().map_or(DriverKind::Block, |d| d.0);
    check_keys(raw, kind, &spot.at, context);
    let driver = match kind {
        DriverKind::Block => Some(DiskSetDriver::Block),
        DriverKind::Command => programs(raw, context).map(DiskSetDriver::Command),
        DriverKind::Lvm => volume_group(raw, context),
        DriverKind::Scsi => Some(DiskSetDriver::Scsi),
        DriverKind::Drbd => {
            resource(&raw.resource, context).map(|resource| DiskSetDriver::Drbd { resource })
        }
    };
    if let Some(DiskSetDriver::Lvm { volume_group, .. }) = &driver {
        in_group(&raw.device, volume_group, context);
    }
    if let Some(driver) = &driver {
        check_marks(driver, &spot.at, context);
    }
    Some(DiskSet {
        driver: driver?,
        devices: devices?.into_iter().map(|(n, path)| (n, path.0)).collect(),
    })
}

/// A key of one driver, and where it is written.
struct Key<'a> {
    name: &'static str,
    of: &'static [DriverKind],
    required: bool,
    place: Option<(&'a Place, &'a str)>,
    written: bool,
}

fn key<'a, T>(
    name: &'static str,
    of: &'static [DriverKind],
    required: bool,
    value: &'a Opt<T>,
) -> Key<'a> {
    Key {
        name,
        of,
        required,
        place: value.spot.as_ref().map(|s| (&s.at, s.key.as_str())),
        written: value.written,
    }
}

/// Each driver has keys of its own; any other does not go with it.
fn check_keys(raw: &raw::DiskSet, kind: DriverKind, table: &Place, context: &mut Context<'_>) {
    const COMMAND: &[DriverKind] = &[DriverKind::Command];
    const LVM: &[DriverKind] = &[DriverKind::Lvm];
    const DRBD: &[DriverKind] = &[DriverKind::Drbd];
    let keys = [
        key("take", COMMAND, true, &raw.take),
        key("take_forced", COMMAND, false, &raw.take_forced),
        key("release", COMMAND, true, &raw.release),
        key("status", COMMAND, true, &raw.status),
        key("timeout", COMMAND, false, &raw.timeout),
        key("volume_group", LVM, true, &raw.volume_group),
        key("on", LVM, false, &raw.on),
        key("resource", DRBD, true, &raw.resource),
    ];
    for key in keys {
        let mine = key.of.contains(&kind);
        if mine && key.required && !key.written {
            let (at, path) = match &raw.driver.spot {
                Some(driver) => (&driver.at, driver.key.as_str()),
                None => (table, "service.disk_set"),
            };
            let name = key.name.to_owned();
            context.sink.push(at, path, Cause::MissingKey { name });
        }
        if let (false, Some((at, path))) = (mine, key.place) {
            let cause = Cause::NotWith {
                name: key.name.to_owned(),
                other: "driver".to_owned(),
            };
            context.sink.push(at, path, cause);
        }
    }
}

/// LVM's own rule for names. A name that begins with `-` would be an option.
fn is_group_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "+_.-".contains(c);
    !name.is_empty()
        && name.len() <= 127
        && name.chars().all(plain)
        && !name.starts_with('-')
        && ![".", ".."].contains(&name)
}

fn volume_group(raw: &raw::DiskSet, context: &mut Context<'_>) -> Option<DiskSetDriver> {
    let name = raw.volume_group.spot.as_ref();
    if let Some(name) = name.filter(|n| !is_group_name(&n.value.0)) {
        let found = name.value.0.clone();
        context.sink.at(name, Cause::BadVolumeGroup { found });
    }
    let on = match &raw.on.spot {
        None => None,
        Some(on) => Some(below(on, context)?),
    };
    Some(DiskSetDriver::Lvm {
        volume_group: name?.value.0.clone(),
        on,
    })
}

/// The file system's device is a volume of that very group: what is taken must be what is mounted. Names from which that can't
/// be told are let through. A group whose name is wrong is told of alone.
fn in_group(device: &Req<PerNode<AbsolutePath>>, group: &str, context: &mut Context<'_>) {
    let Some(device) = device.0.as_ref().filter(|_| is_group_name(group)) else {
        return;
    };
    let group = Beside::Group(group.to_owned());
    let each: Vec<_> = match &device.value {
        PerNode::Same(one) => vec![one],
        PerNode::Each(each) => each.0.iter().map(|(_, path)| path).collect(),
    };
    for path in each.into_iter().filter(|p| !group.may_carry(&p.value.0)) {
        let expected = group.places().join(", ");
        context
            .sink
            .at(path, Cause::FileSystemElsewhere { expected });
    }
}

fn below(on: &Spot<raw::Below>, context: &mut Context<'_>) -> Option<Below> {
    let raw = &on.value;
    let kind = raw.driver.value()?.0;
    let (mine, written) = match kind {
        BelowKind::Scsi => ("device", raw.device.written),
        BelowKind::Drbd => ("resource", raw.resource.written),
    };
    if !written {
        let name = mine.to_owned();
        context.sink.at(on, Cause::MissingKey { name });
    }
    let other = match kind {
        BelowKind::Scsi => raw
            .resource
            .spot
            .as_ref()
            .map(|s| ("resource", &s.at, &s.key)),
        BelowKind::Drbd => raw.device.spot.as_ref().map(|s| ("device", &s.at, &s.key)),
    };
    if let Some((name, at, key)) = other {
        let cause = Cause::NotWith {
            name: name.to_owned(),
            other: "driver".to_owned(),
        };
        context.sink.push(at, key, cause);
    }
    match kind {
        BelowKind::Scsi => {
            let device = Req(raw.device.spot.clone());
            let devices = context.per_node(&device)?;
            let devices = devices.into_iter().map(|(n, path)| (n, path.0)).collect();
            Some(Below::Scsi(devices))
        }
        BelowKind::Drbd => resource(&raw.resource, context).map(Below::Drbd),
    }
}

/// DRBD's own rule for names is wide; what would be an option, or a list of resources, is not one.
fn resource(value: &Opt<Text>, context: &mut Context<'_>) -> Option<String> {
    let spot = value.spot.as_ref()?;
    let name = spot.value.0.clone();
    let plain = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    if !name.chars().all(plain) || name.starts_with('-') || name == "all" {
        context.sink.at(
            spot,
            Cause::BadResource {
                found: name.clone(),
            },
        );
    }
    Some(name)
}

/// Reservation keys tell nodes apart by 16 bits of their names.
fn check_marks(driver: &DiskSetDriver, table: &Place, context: &mut Context<'_>) {
    let reserves = match driver {
        DiskSetDriver::Scsi => true,
        DiskSetDriver::Lvm { on, .. } => matches!(on, Some(Below::Scsi(_))),
        DiskSetDriver::Block | DiskSetDriver::Command(_) | DiskSetDriver::Drbd { .. } => false,
    };
    let marks: Vec<u16> = context
        .nodes
        .iter()
        .map(|n| node_mark(&NodeName::new(n.clone())))
        .collect();
    let equal = |(i, mark): (usize, &u16)| marks[..i].contains(mark);
    if reserves && marks.iter().enumerate().any(equal) {
        let path = "service.disk_set";
        context.sink.push(table, path, Cause::EqualReservationMarks);
    }
}

fn programs(raw: &raw::DiskSet, context: &mut Context<'_>) -> Option<DiskSetPrograms> {
    for list in [&raw.take, &raw.take_forced, &raw.release, &raw.status] {
        placeholders(list, context);
    }
    let take = optional_argv(&raw.take, context);
    let take_forced = optional_argv(&raw.take_forced, context);
    let release = optional_argv(&raw.release, context);
    let status = optional_argv(&raw.status, context);
    Some(DiskSetPrograms {
        take: take?,
        take_forced,
        release: release?,
        status: status?,
        timeout: raw.timeout.or_seconds(60),
    })
}

/// A placeholder inside of an argument would need quoting rules, and a mistyped one would reach the program as it is.
fn placeholders(list: &Opt<List<Text>>, context: &mut Context<'_>) {
    let arguments = list.spot.iter().flat_map(|l| &l.value.0);
    for argument in arguments.filter(|a| a.value.0.contains(['{', '}'])) {
        if Placeholder::of(&argument.value.0).is_none() {
            let found = argument.value.0.clone();
            context.sink.at(argument, Cause::BadPlaceholder { found });
        }
    }
}
