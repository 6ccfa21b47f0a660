//! Mount points, data directories, devices, ports and systemd units against each other.

use super::Context;
use crate::cause::{Cause, Thing};
use crate::choices::PerNode;
use crate::raw;
use crate::read::Spot;
use crate::scalars::{AbsolutePath, Text};
use std::path::{Path, PathBuf};

/// A mount over one of these would hide what the system, or Siaga, lives on.
const COVERED: [&str; 14] = [
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/proc",
    "/root",
    "/run",
    "/sbin",
    "/sys",
    "/tmp",
    "/usr",
    "/var/log",
    "/var/lib/siaga",
];
/// Nothing can be mounted inside these.
const KERNEL: [&str; 3] = ["/dev", "/proc", "/sys"];

pub(super) fn check(file: &raw::File, context: &mut Context<'_>) {
    let mounts: Vec<&Spot<AbsolutePath>> = file
        .service
        .0
        .iter()
        .flat_map(|s| &s.value.file_system.0)
        .filter_map(|f| f.value.mount_point.0.as_ref())
        .collect();
    for mount in &mounts {
        if unfit(&mount.value.0) {
            context.sink.at(
                mount,
                Cause::BadMountPoint {
                    path: mount.value.0.clone(),
                },
            );
        }
    }
    overlapping(&mounts, context);
    for service in &file.service.0 {
        data_dir(&service.value, context);
    }
    devices(file, context);
    ports(file, context);
    units(file, context);
}

fn unfit(path: &Path) -> bool {
    COVERED.iter().any(|c| Path::new(c).starts_with(path))
        || KERNEL.iter().any(|k| path.starts_with(k))
}

fn overlapping(mounts: &[&Spot<AbsolutePath>], context: &mut Context<'_>) {
    for (i, later) in mounts.iter().enumerate() {
        let (path, before) = (&later.value.0, &mounts[..i]);
        let other = before
            .iter()
            .find(|m| path.starts_with(&m.value.0) || m.value.0.starts_with(path));
        if let Some(other) = other {
            let line = context.line(other);
            let cause = Cause::OverlappingMounts {
                path: path.clone(),
                other: other.value.0.clone(),
                line,
            };
            context.sink.at(later, cause);
        }
    }
}

fn data_dir(service: &raw::Service, context: &mut Context<'_>) {
    let Some(data_dir) = service.database.value().and_then(|d| d.data_dir.0.as_ref()) else {
        return;
    };
    let all: Vec<Option<&AbsolutePath>> = service
        .file_system
        .0
        .iter()
        .map(|f| f.value.mount_point.value())
        .collect();
    // Without every mount point nothing can be said; what is missing is reported already.
    let Some(all) = all.into_iter().collect::<Option<Vec<_>>>() else {
        return;
    };
    // The first file system carries it, and with it what Siaga records beside it.
    let mounts: Vec<PathBuf> = all.into_iter().take(1).map(|p| p.0.clone()).collect();
    if !mounts.is_empty() && !mounts.iter().any(|m| data_dir.value.0.starts_with(m)) {
        context.sink.at(
            data_dir,
            Cause::DataDirOutside {
                path: data_dir.value.0.clone(),
                mounts,
            },
        );
    }
}

/// Two services can't share a device: each would mount it by itself.
fn devices(file: &raw::File, context: &mut Context<'_>) {
    for node in context.nodes.clone() {
        let of_node: Vec<Spot<AbsolutePath>> = file
            .service
            .0
            .iter()
            .flat_map(|s| of_service(&s.value))
            .filter_map(|device| match device {
                PerNode::Same(one) => Some(one.clone()),
                PerNode::Each(each) => each
                    .0
                    .iter()
                    .find(|(n, _)| n.value == node)
                    .map(|(_, d)| d.clone()),
            })
            .collect();
        let before = context.sink.found.len();
        context.unique(Thing::Device, &of_node, |d| d.0.display().to_string());
        // The same place on the other node is the same mistake.
        let (old, new) = context.sink.found.split_at(before);
        let fresh: Vec<_> = new
            .iter()
            .filter(|n| !old.iter().any(|o| o.at == n.at))
            .cloned()
            .collect();
        context.sink.found.truncate(before);
        context.sink.found.extend(fresh);
    }
}

fn of_service(service: &raw::Service) -> impl Iterator<Item = &PerNode<AbsolutePath>> {
    let main = service.disk_set.value().and_then(|d| d.device.value());
    let file_systems = service.file_system.0.iter();
    main.into_iter()
        .chain(file_systems.filter_map(|f| f.value.device.value()))
}

/// Two databases on one node need two ports, or two socket directories and addresses of their own.
fn ports(file: &raw::File, context: &mut Context<'_>) {
    let of_services: Vec<Spot<String>> = file
        .service
        .0
        .iter()
        .filter_map(|s| s.value.database.0.as_ref())
        .map(|d| {
            let port = d.value.port.value().map_or(5432, |p| p.0);
            let dir = d
                .value
                .socket_dir
                .value()
                .map_or_else(|| PathBuf::from("/run/postgresql"), |p| p.0.clone());
            let (at, key) = d
                .value
                .port
                .spot
                .as_ref()
                .map_or((&d.at, &d.key), |p| (&p.at, &p.key));
            Spot {
                value: format!("{port} ({})", dir.display()),
                at: at.clone(),
                key: key.clone(),
            }
        })
        .collect();
    context.unique(Thing::Port, &of_services, String::clone);
}

/// One systemd unit is one thing: what stopped it for one service would end it for the other.
fn units(file: &raw::File, context: &mut Context<'_>) {
    let of = |service: &raw::Service| {
        let database = service.database.value().and_then(|d| d.unit.spot.clone());
        let applications = service.application.0.iter();
        let applications = applications.filter_map(|a| a.value.unit.spot.clone());
        database.into_iter().chain(applications).collect::<Vec<_>>()
    };
    let units: Vec<Spot<Text>> = file.service.0.iter().flat_map(|s| of(&s.value)).collect();
    context.unique(Thing::SystemdUnit, &units, |u| u.0.clone());
}
