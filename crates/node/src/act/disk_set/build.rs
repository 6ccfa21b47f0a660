//! The drivers that a service's configuration asks for.

use super::drbd::Resource;
use super::layered::{Layer, Layered};
use super::lvm::{On, VolumeGroup};
use super::programs::Programs;
use super::reservation::Reservation;
use super::under_way::UnderWay;
use super::{DiskSet, Volumes};
use siaga_model::NodeName;
use siaga_model::config::{Below, Config, DiskSetDriver, Service};
use std::sync::Arc;

/// A disk set, and what it is made of where it has that: a reservation, a replicated device, a volume group.
pub struct Built {
    pub disk: Box<dyn DiskSet>,
    pub reservation: Option<Arc<Reservation>>,
    pub replica: Option<Arc<Resource>>,
    pub group: Option<Arc<VolumeGroup>>,
}

/// The disk set of `service` on `node`. Fails where it has no device there.
pub fn disk_set(config: &Config, service: &Service, node: &NodeName) -> Result<Built, String> {
    let device = service.disk_set.device(node);
    let device =
        device.ok_or_else(|| format!("service {} has no device on {node}", service.name))?;
    let further = service.devices(node).into_iter().skip(1).cloned();
    let volumes = Volumes::new(device.clone(), further);
    let reservation = service.disk_set.reserved_device(node).map(|disk| {
        let others = config.others(node).map(|n| n.name.clone()).collect();
        Arc::new(Reservation::new(disk.clone(), node.clone(), others))
    });
    let replica = service.disk_set.resource();
    let replica = replica.map(|name| Arc::new(Resource::new(name, &service.name)));
    let mut layers: Vec<Box<dyn Layer>> = Vec::new();
    if let Some(reservation) = &reservation {
        layers.push(Box::new(Arc::clone(reservation)));
    }
    if let Some(replica) = &replica {
        layers.push(Box::new(Arc::clone(replica)));
    }
    let mut group = None;
    match &service.disk_set.driver {
        DiskSetDriver::Block | DiskSetDriver::Scsi | DiskSetDriver::Drbd { .. } => {}
        DiskSetDriver::Command(programs) => {
            layers.push(Box::new(Programs::new(
                programs,
                &service.name,
                node,
                device,
            )));
        }
        DiskSetDriver::Lvm { volume_group, on } => {
            let on = match on {
                None => None,
                Some(Below::Scsi(_)) => {
                    let disk = service.disk_set.reserved_device(node);
                    disk.map(|d| On::Reserved(d.clone()))
                }
                Some(Below::Drbd(_)) => replica.clone().map(On::Replica),
            };
            let named = Arc::new(VolumeGroup::new(volume_group, on, &service.name));
            layers.push(Box::new(Arc::clone(&named)));
            group = Some(named);
        }
    }
    let disk: Box<dyn DiskSet> = match layers.is_empty() {
        true => Box::new(volumes),
        false => Box::new(Layered::new(volumes, layers, UnderWay::of(&service.name))),
    };
    Ok(Built {
        disk,
        reservation,
        replica,
        group,
    })
}
