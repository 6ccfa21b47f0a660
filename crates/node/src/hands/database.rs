//! What the database asks of this host, and what keeps it from being started here.

use super::{Kit, NodeHands, precondition};
use crate::act::postgres::{self, unit};
use crate::observe::host;
use siaga_model::config::Database;
use siaga_model::readiness::DatabaseNeeds;
use siaga_model::{ServiceName, Why};
use siaga_runner::hands::{Acted, Progress, Trouble};
use std::net::IpAddr;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

/// A look at some links takes less.
const ASTRAY_WITHIN: Duration = Duration::from_millis(500);

/// A planned move that fails is home again in less.
const JUST_NOW: Duration = Duration::from_secs(15 * 60);

impl NodeHands {
    /// What keeps the unit of that database from starting it, or lets systemd act by itself.
    pub fn unit_troubles(&self, database: &Database) -> Vec<Why> {
        let Some(unit) = &database.unit else {
            return Vec::new();
        };
        let mut troubles = unit::troubles(&self.systemd, unit);
        troubles.extend(postgres::elsewhere(database));
        troubles
    }

    /// What of the service's data leads off the disk set, where it is mounted here. What can't be told in a moment is what was
    /// seen before: a storage that hangs must not keep this node from answering.
    pub fn astray(&self, service: &ServiceName) -> Vec<Why> {
        let Some(kit) = self.kits.get(service) else {
            return Vec::new();
        };
        if kit.mounted().is_err() {
            kit.astray.forget();
            return Vec::new();
        }
        let (service, group) = (kit.service.clone(), kit.group.clone());
        let looked = kit.astray.look(ASTRAY_WITHIN, move || {
            let mut astray = host::astray(&service);
            astray.extend(group.and_then(|g| g.stays_behind()));
            astray.retain(leads_off);
            astray
        });
        looked.unwrap_or_default()
    }

    /// Without its collations: see [`crate::act::postgres::Postgres::needs`].
    pub fn database_needs(&self, service: &ServiceName) -> Option<DatabaseNeeds> {
        self.kits.get(service)?.server.needs()
    }

    /// See [`crate::act::postgres::Postgres::all_needs`].
    pub fn all_database_needs(&self, service: &ServiceName) -> Option<DatabaseNeeds> {
        self.kits.get(service)?.server.all_needs()
    }
}

impl Kit {
    /// Another program at the port that clients of this service come to.
    pub(super) fn foreign_server(&self) -> Option<Why> {
        let addresses = self.service.virtual_ips.iter().map(|v| v.address);
        let addresses: Vec<IpAddr> = addresses.collect();
        postgres::at_the_port(&self.service.database, &addresses)
    }
}

fn leads_off(why: &Why) -> bool {
    matches!(
        why,
        Why::DataLeadsOutside { .. }
            | Why::DataLeadsNowhere { .. }
            | Why::VolumeGroupElsewhere { .. }
    )
}

impl Kit {
    /// All of its data is on the disk set, which is mounted: anywhere else may lie other data.
    pub(super) fn startable(&self) -> Result<(), Trouble> {
        let place = self.mounted()?;
        if !self.service.database.data_dir.starts_with(&place) {
            return Err(precondition(Why::DataDirElsewhere { mount_point: place }));
        }
        match host::astray(&self.service) {
            astray if astray.is_empty() || self.ran_here_with(&astray) => Ok(()),
            astray => Err(precondition(Why::all(astray))),
        }
    }

    /// It ran here until a moment ago, out of these very places, and can have run nowhere else since: a move that fails elsewhere
    /// has to find its way home.
    fn ran_here_with(&self, astray: &[Why]) -> bool {
        let ran = self.ran_here.lock().unwrap_or_else(PoisonError::into_inner);
        let just_now = |(at, then): &(Instant, Vec<Why>)| at.elapsed() < JUST_NOW && then == astray;
        ran.as_ref().is_some_and(just_now)
    }

    /// Stops its database.
    pub(super) fn stop(&self, progress: Progress) -> Acted {
        let did = postgres::stop::stop(&self.server, progress)?;
        if did.changed {
            let now = (Instant::now(), host::astray(&self.service));
            *self.ran_here.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
        }
        Ok(did)
    }
}
