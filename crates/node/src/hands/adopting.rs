//! A service that ran here before Siaga came: does it run as the site's configuration says, and the record that it is
//! under a mandate now. Nothing is taken, mounted or started.

use super::{Kit, NodeHands};
use crate::act::mount;
use crate::act::postgres::process;
use crate::act::taken::Taken;
use siaga_model::observation::{DatabaseState, Holding};
use siaga_model::{Epoch, ServiceName, Why};
use siaga_runner::hands::Trouble;
use std::time::Duration;

impl NodeHands {
    /// The postmaster of `service`, where the service runs here as configured: on the disk set, mounted at its place, and
    /// committing writes. `None`: nothing of it is here.
    ///
    /// # Errors
    /// Why what is here can't be gone on with.
    pub fn running(&self, service: &ServiceName) -> Result<Option<i32>, Why> {
        let Some(kit) = self.kits.get(service) else {
            return Ok(None);
        };
        let found = process::find(&kit.server.signature())?;
        let Some(postmaster) = process::postmaster(&found, kit.server.said_pid()) else {
            return kit.nothing_mounted();
        };
        kit.on_the_disk_set()?;
        match kit.server.look() {
            DatabaseState::Ready => Ok(Some(postmaster.pid)),
            DatabaseState::NotServing { why } | DatabaseState::Unknown { why } => Err(why),
            DatabaseState::Stopped | DatabaseState::Starting { .. } => Err(Why::DatabaseNotRunning),
        }
    }

    /// Remembers that what runs here is under `epoch`, for this boot.
    ///
    /// # Errors
    /// Where that can't be written.
    pub fn remember_adopted(&self, service: &ServiceName, epoch: &Epoch) -> Result<(), Why> {
        let taken = Taken {
            // Nobody let go for it, and a mount that is to be made later needs a take of its own.
            all_released: false,
            since_boot: Duration::ZERO,
            ..Taken::new(service.clone(), epoch.clone(), self.boot.clone(), &[])
        };
        self.taken.save(&taken).map_err(Why::System)
    }
}

impl Kit {
    /// Without a database, a mount alone is nobody's: nobody says what it is for.
    fn nothing_mounted(&self) -> Result<Option<i32>, Why> {
        for file_system in &self.service.file_systems {
            match mount::device_at(&file_system.mount_point) {
                Ok(None) => {}
                Ok(Some(_)) => return Err(Why::DatabaseNotRunning),
                Err(e) => {
                    let said = e.to_string();
                    return Err(Why::MountTable { said });
                }
            }
        }
        Ok(None)
    }

    /// Every file system is on its volume of the disk set, at its place, and the data lies there.
    fn on_the_disk_set(&self) -> Result<(), Why> {
        self.mounted().map_err(|trouble| match trouble {
            Trouble::Failed(failure) => failure.detail,
            Trouble::Unknown(why) => why,
        })?;
        match self.disk.look() {
            Holding::Held { .. } => Ok(()),
            // It is mounted here, and what makes it exclusive says that it is not held here.
            Holding::Free => Err(Why::NotHeldHere),
            Holding::Unknown { why } => Err(why),
        }
    }
}
