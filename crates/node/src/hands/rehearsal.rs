//! What a rehearsal needs of this node.

use super::NodeHands;
use crate::act::fence::read_secret;
use crate::act::postgres::account;
use crate::act::rehearsal::source::{self, Running};
use crate::act::rehearsal::{Job, scratch};
use siaga_model::ServiceName;
use siaga_model::Why;
use std::net::IpAddr;
use std::path::PathBuf;

impl NodeHands {
    /// What must be the same before and after.
    pub fn rehearsal_source(&self, service: &ServiceName) -> Running {
        let kit = self.kits.get(service);
        kit.map_or_else(Running::default, |k| source::look(&k.service, &k.server))
    }

    /// Bytes of the service's data, where it is mounted here.
    pub fn data_size(&self, service: &ServiceName) -> Option<u64> {
        let kit = self.kits.get(service)?;
        kit.mounted().ok()?;
        Some(source::size(&kit.service.database.data_dir))
    }

    /// The job of a rehearsal here, with its folder made.
    ///
    /// # Errors
    /// Why the folder can't be made.
    pub fn prepare_rehearsal(
        &self,
        service: &ServiceName,
        folder: PathBuf,
        host: IpAddr,
    ) -> Result<Job, Why> {
        let kit = self
            .kits
            .get(service)
            .ok_or_else(|| super::no_service(service))?;
        let (service, rules) = (kit.service.clone(), &kit.service.rehearsal);
        let account = account::lookup(&service.database.os_user)?;
        let password = rules
            .password_file
            .as_deref()
            .map(read_secret)
            .transpose()?;
        scratch::make(&folder, &service, &account, password.as_deref())?;
        let places = |s: &siaga_model::config::Service| {
            let places = s.file_systems.iter().map(|f| f.mount_point.clone());
            places.collect::<Vec<_>>()
        };
        Ok(Job {
            let_go: self.config.services.iter().flat_map(places).collect(),
            scratch: folder,
            host,
            user: rules
                .user
                .clone()
                .unwrap_or_else(|| service.database.check_user.clone()),
            service,
        })
    }
}
