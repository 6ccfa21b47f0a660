//! What is typed to take a disk set and to give it up, where its driver is more than a plain block device.

use super::commands::quoted_argv;
use siaga_model::NodeName;
use siaga_model::config::{Argv, DiskSetDriver, Placeholder, Service};
use std::path::Path;

/// How the other node let go.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum LetGo {
    /// It ran the steps of a release.
    ByItself,
    /// It was switched off or unplugged.
    MadeSafe,
}

/// Before the mount.
pub(crate) fn take(
    service: &Service,
    node: &NodeName,
    device: &Path,
    let_go: LetGo,
) -> Vec<String> {
    match &service.disk_set.driver {
        DiskSetDriver::Block => Vec::new(),
        DiskSetDriver::Command(programs) => {
            let forced = programs.take_forced.as_ref();
            let take = match let_go {
                LetGo::MadeSafe => forced.unwrap_or(&programs.take),
                LetGo::ByItself => &programs.take,
            };
            [take, &programs.status]
                .map(|argv| filled(argv, service, node, device))
                .to_vec()
        }
    }
}

/// After the unmount.
pub(crate) fn release(service: &Service, node: &NodeName, device: &Path) -> Vec<String> {
    match &service.disk_set.driver {
        DiskSetDriver::Block => Vec::new(),
        DiskSetDriver::Command(programs) => [&programs.release, &programs.status]
            .map(|argv| filled(argv, service, node, device))
            .to_vec(),
    }
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
