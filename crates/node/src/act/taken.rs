//! What this boot took, and under which mandate: kept below `/run`, so that it outlives the agent but not the boot.

use super::{directory, durable_file};
use serde::{Deserialize, Serialize};
use siaga_model::proof::{Ground, ProofRecord};
use siaga_model::{BootId, Epoch, ServiceName};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long after the take the mount may begin. It is the next step; a starved machine may need a while for it.
const MOUNT_WITHIN: Duration = Duration::from_secs(10);

/// A disk set taken by this node in this boot.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Taken {
    pub service: ServiceName,
    pub epoch: Epoch,
    pub boot: BootId,
    /// Every other node's power was seen off, or its registration at the disk is gone: the block of a multiple-mount
    /// protection may be cleared.
    pub all_powered_off: bool,
    /// Every other node let go by itself.
    #[serde(default)]
    pub all_released: bool,
    /// It was taken by a persistent reservation: without it, this node can't write any more.
    #[serde(default)]
    pub reserved: bool,
    /// When the proofs were verified, since this boot: a mount that comes much later needs a new take.
    pub since_boot: Duration,
}

impl Taken {
    /// What is remembered of a take under these proofs.
    pub fn new(service: ServiceName, epoch: Epoch, boot: BootId, proofs: &[ProofRecord]) -> Self {
        Self {
            service,
            epoch,
            boot,
            all_powered_off: all_powered_off(proofs),
            reserved: false,
            all_released: proofs.iter().all(|p| p.ground == Ground::Released),
            since_boot: crate::since_boot(),
        }
    }

    /// May the disk set still be mounted on the strength of this take? A process that was paused after the take must
    /// not go on with what was proved before.
    pub fn is_fresh(&self, now: Duration) -> bool {
        now.saturating_sub(self.since_boot) <= MOUNT_WITHIN
    }
}

/// Only a fence that switched the power off, or that had the disk itself refuse the node's writes, ends another node's
/// claim on the file system's own protection. A node whose way to the storage was cut, or of which a person says so,
/// may come back to it. (The record keeps the name of its first version.)
pub fn all_powered_off(proofs: &[ProofRecord]) -> bool {
    use siaga_model::config::FenceKind;
    let off = |p: &ProofRecord| match &p.ground {
        Ground::Fenced {
            fence: FenceKind::Power | FenceKind::Reservation,
            ..
        } => true,
        Ground::Fenced {
            fence: FenceKind::Fabric,
            ..
        }
        | Ground::Released
        | Ground::Attested { .. } => false,
    };
    !proofs.is_empty() && proofs.iter().all(off)
}

/// Where the records of one run directory are.
pub struct TakenStore {
    directory: PathBuf,
    boot: BootId,
}

impl TakenStore {
    /// Records below `directory` (`/run/siaga`), valid in `boot` only.
    pub fn new(directory: PathBuf, boot: BootId) -> Self {
        Self { directory, boot }
    }

    fn path(&self, service: &ServiceName) -> PathBuf {
        self.directory.join(format!("taken-{service}"))
    }

    /// What was taken in this boot. A record that can't be read, or of another boot, is none.
    pub fn load(&self, service: &ServiceName) -> Option<Taken> {
        let content = durable_file::read(&self.path(service)).ok()??;
        let taken: Taken = serde_json::from_slice(&content).ok()?;
        (taken.boot == self.boot && &taken.service == service).then_some(taken)
    }

    /// Remembers a take.
    pub fn save(&self, taken: &Taken) -> Result<(), String> {
        let content = serde_json::to_vec(taken).map_err(|e| e.to_string())?;
        directory::make_open(&self.directory)
            .and_then(|()| durable_file::replace(&self.path(&taken.service), &content))
            .map_err(|e| format!("{}: {e}", self.path(&taken.service).display()))
    }

    /// Forgets it, after the release.
    pub fn forget(&self, service: &ServiceName) {
        let path = self.path(service);
        if let Err(e) = std::fs::remove_file(&path)
            && e.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(path = %path.display(), error = %e, "the record of a take stays behind");
        }
    }
}

/// The directory that the records are in by default.
pub fn default_directory() -> &'static Path {
    Path::new("/run/siaga")
}

#[cfg(test)]
mod tests {
    use super::*;
    use siaga_model::config::FenceKind;
    use siaga_model::proof::AttestKind;
    use siaga_model::{NodeName, RunId, UtcMicros};

    fn epoch() -> Epoch {
        Epoch {
            counter: 4,
            issuer: NodeName::from("backup"),
            run: RunId::from("r"),
        }
    }

    fn proof(ground: Ground) -> ProofRecord {
        ProofRecord {
            service: ServiceName::from("simrs"),
            epoch: epoch(),
            node: NodeName::from("serverdb"),
            boot: None,
            at: UtcMicros(0),
            ground,
        }
    }

    fn fenced(fence: FenceKind) -> ProofRecord {
        proof(Ground::Fenced {
            device: "ipmi".into(),
            fence,
        })
    }

    #[test]
    fn only_power_seen_off_opens_the_file_systems_protection() {
        let attested = proof(Ground::Attested {
            by: "budi".into(),
            how: AttestKind::Unplugged,
        });
        assert!(all_powered_off(&[fenced(FenceKind::Power)]));
        assert!(all_powered_off(&[fenced(FenceKind::Reservation)]));
        assert!(!all_powered_off(&[]));
        assert!(!all_powered_off(&[fenced(FenceKind::Fabric)]));
        assert!(!all_powered_off(&[proof(Ground::Released)]));
        assert!(!all_powered_off(std::slice::from_ref(&attested)));
        assert!(!all_powered_off(&[fenced(FenceKind::Power), attested]));
    }

    #[test]
    fn a_take_grows_stale_before_the_mount() {
        let boot = BootId::from("b1");
        let taken = Taken::new(ServiceName::from("simrs"), epoch(), boot, &[]);
        assert!(taken.is_fresh(taken.since_boot));
        assert!(taken.is_fresh(taken.since_boot + MOUNT_WITHIN));
        assert!(!taken.is_fresh(taken.since_boot + MOUNT_WITHIN + Duration::from_millis(1)));
    }

    #[test]
    fn a_take_is_remembered_in_its_boot_only() {
        let directory = tempfile::tempdir().unwrap();
        let service = ServiceName::from("simrs");
        let store = |boot: &str| TakenStore::new(directory.path().join("run"), BootId::from(boot));
        let taken = Taken::new(service.clone(), epoch(), BootId::from("b1"), &[]);
        let (saved, kept) = (store("b1"), taken.clone());
        crate::tests::with_umask(0o027, move || saved.save(&kept).unwrap());
        // The agent's socket is in there, for those who may use it.
        let mode = |path: &str| {
            let meta = std::fs::metadata(directory.path().join(path)).unwrap();
            std::os::unix::fs::PermissionsExt::mode(&meta.permissions()) & 0o777
        };
        assert_eq!((mode("run"), mode("run/taken-simrs")), (0o755, 0o600));
        assert_eq!(store("b1").load(&service), Some(taken));
        assert_eq!(store("b2").load(&service), None);
        store("b1").forget(&service);
        assert_eq!(store("b1").load(&service), None);
    }
}
