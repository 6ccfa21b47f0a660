//! The file systems of a service, each on its volume of the disk set.

use super::{Kit, all, precondition};
use crate::act::disk_set::BlockDevice;
use crate::act::mount::{self, Leave};
use siaga_model::Why;
use siaga_model::config::FileSystem;
use siaga_runner::hands::{Acted, Trouble};
use std::path::PathBuf;

impl Kit {
    /// Each with its volume, in the order of the configuration. The first carries the data directory.
    pub(super) fn file_systems(
        &self,
    ) -> impl DoubleEndedIterator<Item = (&FileSystem, &BlockDevice)> {
        let volumes: Vec<_> = self.disk.volumes().each().collect();
        let count = volumes.len().min(self.service.file_systems.len());
        let pairs = self.service.file_systems.iter().take(count).zip(volumes);
        pairs.collect::<Vec<_>>().into_iter()
    }

    /// The mount point with the data directory, where every file system is really mounted at its place: never write to
    /// what lies below it.
    pub(super) fn mounted(&self) -> Result<PathBuf, Trouble> {
        for (file_system, volume) in self.file_systems() {
            let place = &file_system.mount_point;
            let number = volume.number().map_err(precondition)?;
            match mount::device_at(place) {
                Ok(Some(device)) if device == number => {}
                Ok(_) => {
                    let mount_point = place.clone();
                    return Err(precondition(Why::NotMounted { mount_point }));
                }
                Err(e) => {
                    let said = e.to_string();
                    return Err(Trouble::Unknown(Why::MountTable { said }));
                }
            }
        }
        let first = self.service.file_systems.first();
        let first = first.ok_or_else(|| precondition(Why::NoFileSystem))?;
        Ok(first.mount_point.clone())
    }

    /// Mounts each at its place. All begin at once: the proofs of the take are fresh for a moment only, and one mount may take
    /// minutes.
    pub(super) fn mount(&self, leave: Leave) -> Acted {
        let mount = |(f, volume): (&FileSystem, &BlockDevice)| mount::mount(volume, f, leave);
        let broken = || {
            Trouble::Unknown(Why::ThreadFailed {
                said: "mount".into(),
            })
        };
        let each = self.file_systems();
        if self.service.file_systems.len() == 1 {
            return all(each.map(mount));
        }
        std::thread::scope(|scope| {
            let mounting: Vec<_> = each.map(|pair| scope.spawn(move || mount(pair))).collect();
            all(mounting
                .into_iter()
                .map(|t| t.join().unwrap_or_else(|_| Err(broken()))))
        })
    }

    /// Unmounts each, also after one that fails.
    pub(super) fn unmount(&self) -> Acted {
        let is_ours = |pid| self.server.owns(pid);
        let each = self.file_systems().rev();
        all(each.map(|(f, volume)| mount::unmount(volume, &f.mount_point, &is_ours)))
    }
}
