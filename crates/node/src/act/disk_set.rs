//! The shared storage that one node at a time may hold.

pub mod build;
pub mod drbd;
pub mod layered;
pub mod lvm;
pub mod programs;
pub mod reservation;
pub mod under_way;
pub mod volumes;
pub mod watch;

use super::bounded::in_flight::{Busy, InFlight};
use crate::observe::holders;
use rustix::fs::{Mode, OFlags, SeekFrom};
use rustix::io::Errno;
use siaga_model::observation::Holding;
use siaga_model::run::FailureKind;
use siaga_model::{Epoch, Holder, Why};
use siaga_runner::hands::{Acted, Did, Trouble};
use siaga_runner::permit::OldData;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
pub use volumes::Volumes;

/// Under what a disk set is taken. Whoever has one holds the permit: every other node has provably let go.
pub struct TakeOrder<'a> {
    /// The mandate of the take.
    pub epoch: &'a Epoch,
    /// Every other node let go by itself; otherwise at least one was fenced, or a person answers for it, and what it
    /// left behind may have to be overridden.
    pub all_released: bool,
    /// Old data that a person decided to go on with.
    pub accepted: Option<&'a OldData>,
}

/// Something that stands against a driver as it is set up here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// A take would fail, or would not be safe.
    pub blocking: bool,
    /// What, and what is to be done about it.
    pub why: Why,
}

/// What a driver for shared storage does. A plain block device needs nothing but proofs; a volume group, a
/// reservation or a site's own commands do their work in `take` and `release`.
pub trait DiskSet: Send + Sync {
    /// Does this node hold it, or anything on it? Looks, and changes nothing.
    fn look(&self) -> Holding;
    /// As [`DiskSet::look`], by the kernel's word on the device alone, without a pass over every process: cheap.
    fn claimed(&self) -> Holding;
    /// Makes it usable here. The caller holds the proof that every other node has let go.
    fn take(&self, order: &TakeOrder) -> Acted;
    /// It is held here already, and nobody else took it meanwhile: puts it under the new mandate.
    fn retake(&self, order: &TakeOrder) -> Acted;
    /// Gives it up after the last unmount, and proves that nothing here touches it any more.
    fn release(&self) -> Acted;
    /// The block devices that carry the file systems once it is taken.
    fn volumes(&self) -> &Volumes;
    /// Is that device there only while this node holds the disk set?
    fn comes_and_goes(&self) -> bool {
        false
    }
    /// Why a take would fail, where that is known before: asked before another node is made to let go.
    fn unable(&self) -> Option<Why> {
        None
    }
    /// What is not set up as it must be. Looks, and changes nothing.
    fn problems(&self) -> Vec<Problem> {
        Vec::new()
    }
}

/// A smaller device has been cut off: nobody keeps a database on a megabyte.
const LEAST_SIZE: u64 = 1 << 20;

/// How long a holder that is just going away (a dying process, a short look by another program) is waited for.
const TAKE_WITHIN: Duration = Duration::from_millis(500);
const RELEASE_WITHIN: Duration = Duration::from_secs(2);
const POLL: Duration = Duration::from_millis(3);

/// A plain block device: exclusive only by the proofs.
pub struct BlockDevice {
    device: PathBuf,
    /// One exclusive claim at a time: two looks of our own must not take each other for strangers.
    gate: Mutex<()>,
    busy: Busy,
    /// The largest size seen, in bytes: a device that shrinks has been cut off.
    largest: AtomicU64,
    /// The number it had last, plus one; 0 where it was never seen.
    last_number: AtomicU64,
}

/// What an attempt to claim the device showed.
enum Claim {
    Claimed { descriptor: OwnedFd, size: u64 },
    Held,
    Unusable(Why),
}

impl BlockDevice {
    /// The device at `path`. It need not be there yet.
    pub fn new(path: PathBuf) -> Self {
        Self {
            device: path,
            gate: Mutex::new(()),
            busy: Busy::default(),
            largest: AtomicU64::new(0),
            last_number: AtomicU64::new(0),
        }
    }

    /// After a release: another device may get the number.
    fn forget_number(&self) {
        self.last_number.store(0, Ordering::Relaxed);
    }

    fn gate(&self) -> MutexGuard<'_, ()> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens the device as its only user. No data is read: nothing stale can stay behind in the page cache.
    fn claim(&self) -> Claim {
        let flags = OFlags::RDONLY | OFlags::EXCL | OFlags::DIRECT | OFlags::CLOEXEC;
        match rustix::fs::open(&self.device, flags, Mode::empty()) {
            Ok(descriptor) => match rustix::fs::seek(&descriptor, SeekFrom::End(0)) {
                Ok(size) => Claim::Claimed { descriptor, size },
                Err(e) => Claim::Unusable(Why::system(format!("{}: {e}", self.device.display()))),
            },
            Err(Errno::BUSY) => Claim::Held,
            Err(e) => Claim::Unusable(Why::system(format!("{}: {e}", self.device.display()))),
        }
    }

    /// Why a device of `size` bytes is not the disk set.
    fn cut(&self, size: u64) -> Option<Why> {
        let largest = self.largest.fetch_max(size, Ordering::Relaxed).max(size);
        (size < LEAST_SIZE || size < largest).then(|| Why::StorageCut {
            device: self.device.clone(),
            bytes: size,
        })
    }

    /// The look itself. Free comes with the claim, still open, and with the gate: another look of our own would take
    /// the open descriptor for a stranger's.
    fn claim_free(&self) -> Result<(OwnedFd, MutexGuard<'_, ()>), Holding> {
        let unknown = |why| Holding::Unknown { why };
        let number = self.number().map_err(unknown)?;
        let one = self.gate();
        if self.busy.is_busy() {
            return Err(Holding::Held {
                by: vec![Holder::InFlight],
            });
        }
        // The claim is closed before the pass over /proc, which would find it.
        let (claim_free, cut) = match self.claim() {
            Claim::Claimed { size, .. } => (true, self.cut(size)),
            Claim::Held => (false, None),
            Claim::Unusable(why) => return Err(self.held_or(number, why)),
        };
        let found = holders::scan(number).map_err(unknown)?;
        if !found.is_empty() {
            return Err(Holding::Held { by: found });
        }
        if !claim_free {
            return Err(Holding::Held {
                by: vec![Holder::Invisible],
            });
        }
        if let Some(why) = cut {
            return Err(unknown(why));
        }
        match self.claim() {
            Claim::Claimed { descriptor, .. } => Ok((descriptor, one)),
            Claim::Held => Err(Holding::Held {
                by: vec![Holder::Invisible],
            }),
            Claim::Unusable(why) => Err(unknown(why)),
        }
    }

    /// A device that can't be opened may still be held: the holders are then the better answer.
    fn held_or(&self, number: u64, why: Why) -> Holding {
        match holders::scan(number) {
            Ok(found) if !found.is_empty() => Holding::Held { by: found },
            _ => Holding::Unknown { why },
        }
    }

    /// Claims the device, waiting a little for holders that are going away.
    fn claim_within(&self, within: Duration) -> Result<(OwnedFd, MutexGuard<'_, ()>), Holding> {
        let deadline = Instant::now() + within;
        loop {
            match self.claim_free() {
                Err(Holding::Held { .. }) if Instant::now() < deadline => std::thread::sleep(POLL),
                result => return result,
            }
        }
    }
}

impl BlockDevice {
    /// See [`DiskSet::look`].
    pub fn look(&self) -> Holding {
        // What is mounted here is held, whoever else touches it: no need for a pass over /proc.
        let number = match self.number() {
            Ok(number) => number,
            Err(why) => return Holding::Unknown { why },
        };
        let own: Vec<Holder> = crate::observe::mounts::own()
            .unwrap_or_default()
            .into_iter()
            .filter(|m| m.device == number)
            .map(|m| Holder::Mount {
                mount_point: m.mount_point,
            })
            .collect();
        if !own.is_empty() {
            return Holding::Held { by: own };
        }
        self.claim_free()
            .map_or_else(|holding| holding, |_| Holding::Free)
    }

    /// See [`DiskSet::claimed`].
    pub fn claimed(&self) -> Holding {
        let _one = self.gate();
        if self.busy.is_busy() {
            return Holding::Held {
                by: vec![Holder::InFlight],
            };
        }
        match self.claim() {
            Claim::Claimed { size, .. } => match self.cut(size) {
                None => Holding::Free,
                Some(why) => Holding::Unknown { why },
            },
            Claim::Held => Holding::Held {
                by: vec![Holder::Invisible],
            },
            Claim::Unusable(why) => Holding::Unknown { why },
        }
    }

    /// Throws away what the kernel remembers of it, where nothing here holds it.
    pub fn take(&self) -> Acted {
        match self.claim_within(TAKE_WITHIN) {
            Ok((descriptor, _one)) => {
                // Whatever this kernel remembers of the device is older than the other node's last write.
                flush_buffers(&descriptor).map_err(|e| {
                    Trouble::failed(
                        FailureKind::Io,
                        Why::FlushFailed {
                            said: e.to_string(),
                        },
                    )
                })?;
                Ok(Did::changed(Vec::new()))
            }
            Err(Holding::Held { by }) => {
                Err(Trouble::failed(FailureKind::Busy, Why::HeldBy { by }))
            }
            Err(Holding::Unknown { why }) => Err(Trouble::failed(FailureKind::Io, why)),
            Err(Holding::Free) => Ok(Did::nothing()),
        }
    }

    /// See [`DiskSet::release`].
    pub fn release(&self) -> Acted {
        match self.claim_within(RELEASE_WITHIN) {
            Ok(_) | Err(Holding::Free) => Ok(Did::nothing()),
            Err(Holding::Held { by }) => Err(Trouble::failed(
                FailureKind::NotReleased,
                Why::HeldBy { by },
            )),
            Err(Holding::Unknown { why }) => Err(Trouble::Unknown(why)),
        }
    }

    /// Its path.
    pub fn device(&self) -> &Path {
        &self.device
    }

    /// Its number, as `stat` gives it. An error says why it is not known.
    pub fn number(&self) -> Result<u64, Why> {
        match std::fs::metadata(&self.device) {
            Ok(meta) if meta.file_type().is_block_device() => {
                self.last_number.store(meta.rdev() + 1, Ordering::Relaxed);
                Ok(meta.rdev())
            }
            Ok(_) => Err(Why::NotABlockDevice {
                device: self.device.clone(),
            }),
            // A device node that vanished under a mount does not end the mount.
            Err(e) => match self.last_number.load(Ordering::Relaxed) {
                0 => Err(Why::system(format!("{}: {e}", self.device.display()))),
                number => Ok(number - 1),
            },
        }
    }

    /// Marks a mount or unmount as being in the kernel, until the value is dropped: it counts as holding.
    pub fn enter(&self) -> InFlight {
        let _one = self.gate();
        self.busy.enter()
    }
}

/// `BLKFLSBUF`: writes back and forgets what the kernel has cached of the device.
fn flush_buffers(device: &OwnedFd) -> rustix::io::Result<()> {
    const BLKFLSBUF: rustix::ioctl::Opcode = rustix::ioctl::opcode::none(0x12, 97);
    // SAFETY: BLKFLSBUF takes no argument and touches no memory of this process.
    unsafe { rustix::ioctl::ioctl(device, rustix::ioctl::NoArg::<BLKFLSBUF>::new()) }
}
