//! What is typed to take a disk set and to give it up, where its driver is more than a plain block device.

use super::commands::{quoted, quoted_argv, quoted_path};
use siaga_model::NodeName;
use siaga_model::config::{Argv, Below, Config, DiskSetDriver, Placeholder, Service};
use siaga_model::reservation::ReservationKey;
use std::path::{Path, PathBuf};

/// How the other node let go.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum LetGo {
    /// It ran the steps of a release.
    ByItself,
    /// It was switched off or unplugged.
    MadeSafe,
}

fn device(service: &Service, node: &NodeName) -> PathBuf {
    let device = service.disk_set.device(node);
    device.cloned().unwrap_or_else(|| PathBuf::from("?"))
}

/// What LVM's programs need to change a group that another server left its name on.
fn claim(group: &str) -> String {
    format!(
        "vgchange --yes --config \"local/extra_system_ids=[\\\"$(vgs --noheadings --foreign -o systemid {group} | tr -d ' ')\\\"]\" \
         --systemid \"$(lvm systemid | sed 's/.*: *//')\" {group}"
    )
}

/// The data here must be up to date; never by force.
fn promote(resource: &str) -> Vec<String> {
    let resource = quoted(resource);
    vec![
        format!("drbdadm dstate {resource}"),
        format!("drbdadm primary {resource}"),
    ]
}

/// Shows who is registered at the disk, and who holds the reservation.
fn reservation_seen(device: &Path) -> Vec<String> {
    let device = quoted_path(device);
    vec![
        format!("sg_persist -n -i -k {device}"),
        format!("sg_persist -n -i -r {device}"),
    ]
}

/// Before the mount.
pub(crate) fn take(
    config: &Config,
    service: &Service,
    node: &NodeName,
    let_go: LetGo,
) -> Vec<String> {
    let device = device(service, node);
    let mut commands = Vec::new();
    if let Some(disk) = service.disk_set.reserved_device(node) {
        let key = ReservationKey::new(node, 0);
        let quoted = quoted_path(disk);
        commands.push(format!("sg_persist -n -o -I -S {key} {quoted}"));
        commands.extend(reservation_seen(disk));
        if let_go == LetGo::MadeSafe {
            for other in config.others(node) {
                let theirs = ReservationKey::new(&other.name, 0).to_string();
                commands.push(format!(
                    "for k in $(sg_persist -n -i -k {quoted} | grep -o '{}[0-9a-f]*'); do \
                     sg_persist -n -o -A -K {key} -S $k -T 5 {quoted}; done",
                    &theirs[..10]
                ));
            }
        }
        commands.push(format!("sg_persist -n -o -R -K {key} -T 5 {quoted}"));
    }
    commands.extend(match &service.disk_set.driver {
        DiskSetDriver::Block | DiskSetDriver::Scsi => Vec::new(),
        DiskSetDriver::Drbd { resource } => promote(resource),
        DiskSetDriver::Lvm { volume_group, on } => {
            let group = quoted(volume_group);
            let mut commands = match on {
                Some(Below::Drbd(resource)) => promote(resource),
                Some(Below::Scsi(_)) | None => Vec::new(),
            };
            commands.push(claim(&group));
            commands.push(format!("vgchange -aey {group}"));
            commands
        }
        DiskSetDriver::Command(programs) => {
            let forced = programs.take_forced.as_ref();
            let take = match let_go {
                LetGo::MadeSafe => forced.unwrap_or(&programs.take),
                LetGo::ByItself => &programs.take,
            };
            [take, &programs.status]
                .map(|argv| filled(argv, service, node, &device))
                .to_vec()
        }
    });
    commands
}

/// After the unmount.
pub(crate) fn release(service: &Service, node: &NodeName) -> Vec<String> {
    let device = device(service, node);
    let mut commands = match &service.disk_set.driver {
        DiskSetDriver::Block | DiskSetDriver::Scsi => Vec::new(),
        DiskSetDriver::Drbd { resource } => vec![format!("drbdadm secondary {}", quoted(resource))],
        DiskSetDriver::Lvm { volume_group, on } => {
            let group = quoted(volume_group);
            let mut commands = vec![
                format!("vgchange -an {group}"),
                format!("vgchange --yes --systemid siaga-released {group}"),
            ];
            if let Some(Below::Drbd(resource)) = on {
                commands.push(format!("drbdadm secondary {}", quoted(resource)));
            }
            commands
        }
        DiskSetDriver::Command(programs) => [&programs.release, &programs.status]
            .map(|argv| filled(argv, service, node, &device))
            .to_vec(),
    };
    if let Some(disk) = service.disk_set.reserved_device(node) {
        commands.push(format!("sg_persist -n -o -I -S 0 {}", quoted_path(disk)));
        commands.extend(reservation_seen(disk));
    }
    commands
}

fn filled(argv: &Argv, service: &Service, node: &NodeName, device: &Path) -> String {
    let value = |argument: &String| match Placeholder::of(argument) {
        Some(Placeholder::Service) => service.name.to_string(),
        Some(Placeholder::Node) => node.to_string(),
        Some(Placeholder::Device) => device.display().to_string(),
        None => argument.clone(),
    };
    let words: Vec<String> = argv.0.iter().map(value).collect();
    quoted_argv(&words)
}
