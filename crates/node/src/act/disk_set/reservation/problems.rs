//! What stands against a reservation as it is set up here.

use super::multipath::Map;
use super::{Problem, Reservation, count_of, kernel};
use siaga_model::Why;
use siaga_runner::hands::Trouble;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

impl Reservation {
    /// All of it. Looks, and changes nothing.
    pub(super) fn all_problems(&self) -> Vec<Problem> {
        if self.is_partition() {
            let device = self.device.clone();
            return vec![blocking(Why::ReservationPartition { device })];
        }
        let mut problems = self.of_the_disk();
        problems.extend(self.of_the_paths());
        problems.extend(self.of_the_keys());
        problems
    }

    /// Why a take here would fail for certain. Asked before anything is stopped or fenced for it. What can't be told is no
    /// reason: a disk that does not answer is said by the look at the disk set itself.
    pub(super) fn would_fail(&self) -> Option<Why> {
        if self.is_partition() {
            let device = self.device.clone();
            return Some(Why::ReservationPartition { device });
        }
        let for_certain = |why: &Why| {
            matches!(
                why,
                Why::ReservationUnsupported { .. } | Why::MultipathForgets { .. }
            )
        };
        let set_up = self.of_the_disk().into_iter().chain(self.of_the_paths());
        let of_set_up = set_up
            .filter(|p| p.blocking && for_certain(&p.why))
            .map(|p| p.why)
            .next();
        of_set_up.or_else(|| match self.refuse_strangers(&self.seen().ok()?) {
            Err(Trouble::Failed(failure)) => Some(failure.detail),
            Ok(()) | Err(Trouble::Unknown(_)) => None,
        })
    }

    fn is_partition(&self) -> bool {
        let number = std::fs::metadata(&self.device).map_or(0, |m| m.rdev());
        let (major, minor) = (rustix::fs::major(number), rustix::fs::minor(number));
        PathBuf::from(format!("/sys/dev/block/{major}:{minor}/partition")).exists()
    }

    fn of_the_disk(&self) -> Vec<Problem> {
        let device = || self.device.clone();
        let can = match self.ask(|_, way| kernel::abilities_of(way)) {
            Err(why) => return vec![blocking(why)],
            Ok(can) => can,
        };
        let unsupported = || blocking(Why::ReservationUnsupported { device: device() });
        let forgotten = || warning(Why::ReservationForgotten { device: device() });
        let mut problems = Vec::new();
        problems.extend((can.registrants == Some(false)).then(unsupported));
        problems.extend((!can.persists).then(forgotten));
        problems
    }

    fn of_the_paths(&self) -> Vec<Problem> {
        let device = || self.device.clone();
        let Ok(Some(map)) = Map::of(&self.device) else {
            return Vec::new();
        };
        let mut problems = of_paths(&self.device);
        match Map::can_keep() {
            Ok(true) => {}
            // With a path that does not work now, a take is refused.
            Ok(false) => problems.push(Problem {
                blocking: map.told().is_ok_and(|told| !told.dead.is_empty()),
                why: Why::MultipathForgets { device: device() },
            }),
            Err(why) => problems.push(warning(untold(&self.device, why))),
        }
        problems
    }

    fn of_the_keys(&self) -> Vec<Problem> {
        let device = || self.device.clone();
        let seen = match self.seen() {
            Ok(seen) => seen,
            Err(Trouble::Failed(failure)) => return vec![blocking(failure.detail)],
            Err(Trouble::Unknown(why)) => return vec![blocking(why)],
        };
        let mut problems = Vec::new();
        if let Err(Trouble::Failed(failure)) = self.refuse_strangers(&seen) {
            problems.push(blocking(failure.detail));
        }
        let registered = count_of(&seen, |k| k.is_of(&self.me));
        let held = |h: kernel::Holder| h.registrants_write && h.key.is_of(&self.me);
        if registered == 0 {
            return problems;
        }
        if !seen.holder.is_some_and(held) {
            problems.push(blocking(Why::ReservationNotOurs { device: device() }));
        }
        match self.unregistered(registered) {
            Ok(Some(why)) => problems.push(blocking(why)),
            Ok(None) => {}
            Err(Trouble::Failed(failure)) => problems.push(blocking(failure.detail)),
            Err(Trouble::Unknown(why)) => problems.push(blocking(why)),
        }
        problems
    }

    /// Of a node that is registered: are paths that work left out? One that is dead now may have been registered before.
    fn unregistered(&self, registered: u64) -> Result<Option<Why>, Trouble> {
        let paths = self.paths()?;
        let dead = self.map()?.and_then(|map| map.told().ok());
        let dead = dead.map_or(0, |told| u64::try_from(told.dead.len()).unwrap_or(0));
        let expected = paths.saturating_sub(dead)..=paths;
        Ok(
            (!expected.contains(&registered)).then(|| Why::ReservationPaths {
                device: self.device.clone(),
                registered,
                paths,
            }),
        )
    }
}

/// What is wrong with the paths of a device that is a multipath map, whatever it is used for. Whether it is there at all is said
/// by the other looks.
pub fn of_paths(device: &Path) -> Vec<Problem> {
    let Ok(Some(map)) = Map::of(device) else {
        return Vec::new();
    };
    let told = match map.told() {
        Err(why) => return vec![warning(untold(device, why))],
        Ok(told) => told,
    };
    let mut problems = Vec::new();
    let mut add = |why| problems.push(warning(why));
    let device = || device.to_path_buf();
    if !told.dead.is_empty() {
        add(Why::MultipathDeadPaths {
            device: device(),
            paths: told.dead,
        });
    }
    if map.paths().is_ok_and(|p| p.len() == 1) {
        add(Why::MultipathOnePath { device: device() });
    }
    if told.queues {
        add(Why::MultipathQueues { device: device() });
    }
    problems
}

fn untold(device: &Path, why: Why) -> Why {
    Why::MultipathUntold {
        device: device.to_path_buf(),
        why: Box::new(why),
    }
}

fn blocking(why: Why) -> Problem {
    Problem {
        blocking: true,
        why,
    }
}

fn warning(why: Why) -> Problem {
    Problem {
        blocking: false,
        why,
    }
}
