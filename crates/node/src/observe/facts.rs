//! What this node says of itself, for one service, put together from every driver's look.

use crate::act::disk_set::DiskSet;
use crate::act::postgres::Postgres;
use crate::act::systemd::Systemd;
use crate::act::{application, mount, virtual_ip};
use siaga_model::NodeName;
use siaga_model::config::Service;
use siaga_model::observation::{MountFact, VirtualIpFact};
use siaga_runner::hands::OwnFacts;
use tokio::runtime::Handle;

/// Where to look.
pub struct Scene<'a> {
    pub node: &'a NodeName,
    pub service: &'a Service,
    pub disk: &'a dyn DiskSet,
    pub server: &'a Postgres,
    /// Did a mandate of Siaga's take the disk set here, in this boot?
    pub taken: bool,
    pub rt: &'a Handle,
    pub systemd: &'a Systemd,
}

/// Looks at everything. Changes nothing.
pub fn look(scene: &Scene) -> OwnFacts {
    // The slowest begin first, and are waited for last.
    let applications = &scene.service.applications;
    let applications = application::ask_all(applications, scene.systemd, scene.server.look_within);
    OwnFacts {
        disk: scene.disk.look(),
        mounts: mounts(scene),
        virtual_ips: virtual_ips(scene),
        database: scene.server.look(),
        applications: applications.facts(),
    }
}

/// A mount point counts as mounted whoever mounted what there: it is in use.
fn mounts(scene: &Scene) -> Vec<MountFact> {
    let numbers = scene.disk.volumes().each().map(|v| v.number().ok());
    let fact = |mount_point: &std::path::PathBuf, number: Option<u64>| {
        let at = mount::device_at(mount_point).ok().flatten();
        let by_mandate = scene.taken && at.is_some() && at == number;
        MountFact {
            mount_point: mount_point.clone(),
            mounted: at.is_some(),
            stranger: at.is_some() && !by_mandate,
        }
    };
    let numbers = numbers.chain(std::iter::repeat(None));
    let file_systems = scene.service.file_systems.iter().zip(numbers);
    file_systems
        .map(|(f, number)| fact(&f.mount_point, number))
        .collect()
}

/// An address whose presence can't be told counts as present: it is not known to be gone.
fn virtual_ips(scene: &Scene) -> Vec<VirtualIpFact> {
    let fact = |v: &siaga_model::config::VirtualIp| {
        let interface = v.interface(scene.node).unwrap_or_default();
        let present = virtual_ip::present(scene.rt, interface, v.address).unwrap_or(true);
        VirtualIpFact {
            address: v.address,
            present,
        }
    };
    scene.service.virtual_ips.iter().map(fact).collect()
}
