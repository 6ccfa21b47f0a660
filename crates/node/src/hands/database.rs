//! What the database asks of this host, and what keeps it from being started here.

use super::{Kit, NodeHands, precondition};
use crate::act::postgres::unit;
use crate::observe::host;
use siaga_model::readiness::DatabaseNeeds;
use siaga_model::{ServiceName, Why};
use siaga_runner::hands::Trouble;

impl NodeHands {
    /// What keeps that unit from starting a database, or lets systemd act by itself.
    pub fn unit_troubles(&self, unit: &str) -> Vec<Why> {
        unit::troubles(&self.systemd, unit)
    }

    /// See [`crate::act::postgres::Postgres::needs`].
    pub fn database_needs(&self, service: &ServiceName) -> Option<DatabaseNeeds> {
        self.kits.get(service)?.server.needs()
    }
}

impl Kit {
    /// All of its data is on the disk set, which is mounted: anywhere else may lie other data.
    pub(super) fn startable(&self) -> Result<(), Trouble> {
        let place = self.mounted()?;
        if !self.service.database.data_dir.starts_with(&place) {
            return Err(precondition(Why::DataDirElsewhere { mount_point: place }));
        }
        match host::astray(&self.service) {
            astray if astray.is_empty() => Ok(()),
            astray => Err(precondition(Why::all(astray))),
        }
    }
}
