//! Looks at the shared disk from the node that does not hold it. Change means that somebody writes; no change means
//! nothing, since an idle database writes nothing.

use super::raw_disk::{BLOCK, RawDisk, le32, le64};
use crate::act::bounded;
use siaga_model::Why;
use siaga_model::observation::DiskSighting;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How much is read of the beginning of the disk and of the journal, in blocks.
const HEAD_BLOCKS: usize = 16;
const JOURNAL_BLOCKS: usize = 256;

/// How long one read may take.
const READ_WITHIN: Duration = Duration::from_secs(2);

/// What was read of the disk at one moment.
#[derive(Clone, PartialEq, Eq)]
pub struct Sample(Vec<u8>);

impl Sample {
    /// One of several devices, if all can be read.
    pub fn of_all(samples: impl Iterator<Item = io::Result<Self>>) -> io::Result<Self> {
        let each: io::Result<Vec<_>> = samples.collect();
        Ok(Self(each?.into_iter().flat_map(|s| s.0).collect()))
    }
}

/// Reads a sample past the page cache. It may hang.
pub type RawRead = Arc<dyn Fn() -> io::Result<Sample> + Send + Sync>;

/// The last look, to compare the next one with.
#[derive(Default)]
pub struct LastLook {
    last: Option<(Duration, Sample)>,
    reading: Arc<AtomicBool>,
}

/// A read that is under way. Over when dropped.
struct Reading(Arc<AtomicBool>);

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl LastLook {
    /// The next look begins anew.
    pub fn forget(&mut self) {
        self.last = None;
    }

    /// A disk that hangs is not waited for (the node would seem to be silent), and read by nobody else meanwhile.
    fn read(&self, take: &RawRead) -> io::Result<Sample> {
        let hangs = || io::Error::from(io::ErrorKind::TimedOut);
        if self.reading.swap(true, Ordering::AcqRel) {
            return Err(hangs());
        }
        let (take, reading) = (Arc::clone(take), Reading(Arc::clone(&self.reading)));
        let read = move || {
            let _reading = reading;
            take()
        };
        bounded::run(READ_WITHIN, read).unwrap_or_else(|| Err(hangs()))
    }

    /// Looks, against the last look as long as that is `fresh`: what changed since one of long ago may have been written by
    /// somebody who is dead now.
    pub fn watch(&mut self, take: &RawRead, fresh: Duration, interval: Duration) -> DiskSighting {
        let now = crate::since_boot();
        let earlier = self.last.take();
        let earlier = earlier.filter(|(at, _)| now.saturating_sub(*at) <= fresh);
        let earlier = earlier.map(|(_, sample)| sample);
        let (sighting, sample) = watch(&|| self.read(take), earlier.as_ref(), interval);
        self.last = sample.map(|sample| (crate::since_boot(), sample));
        sighting
    }
}

/// Reads the superblock, the multiple-mount block and the head of the journal. Opens and closes its own descriptor.
pub fn sample(device: &Path) -> io::Result<Sample> {
    let disk = RawDisk::open(device)?;
    sample_by(&|offset, blocks| disk.read(offset, blocks))
}

/// The same of what `read` gives: from a byte on so many blocks of it.
pub fn sample_by(read: &dyn Fn(u64, usize) -> io::Result<Vec<u8>>) -> io::Result<Sample> {
    let mut bytes = read(0, HEAD_BLOCKS)?;
    for (offset, blocks) in places(&bytes) {
        // A place that a damaged superblock invents may lie past the end: it is left out, not an error.
        if let Ok(more) = read(offset, blocks) {
            bytes.extend(more);
        }
    }
    Ok(Sample(bytes))
}

/// Two samples, `interval` apart, or a new one against an `earlier` one without any wait.
pub fn watch(
    take: &dyn Fn() -> io::Result<Sample>,
    earlier: Option<&Sample>,
    interval: Duration,
) -> (DiskSighting, Option<Sample>) {
    let not_looked = |e: io::Error| DiskSighting::NotLooked {
        why: Why::ReadingDiskSet {
            said: e.to_string(),
        },
    };
    let first = match earlier.cloned().map_or_else(take, Ok) {
        Ok(first) => first,
        Err(e) => return (not_looked(e), None),
    };
    if earlier.is_none() {
        std::thread::sleep(interval);
    }
    match take() {
        Ok(second) if second == first => (DiskSighting::NoChangeSeen, Some(second)),
        Ok(second) => (DiskSighting::Changing, Some(second)),
        Err(e) => (not_looked(e), None),
    }
}

/// Where else to look, in bytes and blocks: what changes first when somebody writes.
fn places(head: &[u8]) -> Vec<(u64, usize)> {
    if head.starts_with(b"XFSB") {
        return xfs_log(head)
            .into_iter()
            .map(|at| (at, JOURNAL_BLOCKS))
            .collect();
    }
    let superblock = &head[1024..];
    if le32(superblock, 0x38) & 0xffff != 0xef53 {
        return Vec::new();
    }
    let block_size = 1024u64 << (le32(superblock, 0x18) & 7);
    let mmp = le64(superblock, 0x168) * block_size;
    let journal = ext4_journal(superblock).map(|block| (block * block_size, JOURNAL_BLOCKS));
    let aligned = |(at, blocks): (u64, usize)| (at - at % BLOCK as u64, blocks);
    [(mmp > 0).then_some((mmp, 1)), journal]
        .into_iter()
        .flatten()
        .map(aligned)
        .collect()
}

/// The journal's first block, from the copy of its inode's extent tree in the superblock.
fn ext4_journal(superblock: &[u8]) -> Option<u64> {
    const EXTENT_MAGIC: u32 = 0xf30a;
    let inode_blocks = &superblock[0x10c..0x10c + 68];
    let (magic, depth) = (le32(inode_blocks, 0) & 0xffff, le32(inode_blocks, 4) >> 16);
    if magic != EXTENT_MAGIC || depth != 0 {
        return None;
    }
    let high = u64::from(le32(inode_blocks, 12 + 4) >> 16);
    Some((high << 32) | u64::from(le32(inode_blocks, 12 + 8)))
}

/// The start of the internal log: allocation group and block within it, as the superblock packs them.
fn xfs_log(head: &[u8]) -> Option<u64> {
    let be32 = |at: usize| u64::from(le32(head, at).swap_bytes());
    let (block_size, group_blocks, group_log) = (be32(4), be32(84), u32::from(head[124]));
    let log_start = (be32(48) << 32) | be32(52);
    if log_start == 0 || group_log >= 64 {
        return None;
    }
    let block = (log_start >> group_log) * group_blocks + (log_start & ((1 << group_log) - 1));
    let at = block.checked_mul(block_size)?;
    Some(at - at % BLOCK as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn a_disk_that_hangs_is_read_once_and_not_waited_for() {
        let (go_on, waits) = mpsc::channel::<()>();
        let waits = std::sync::Mutex::new(waits);
        let (begun, begins) = mpsc::channel();
        let hangs: RawRead = Arc::new(move || {
            let _ = begun.send(());
            let _ = waits.lock().unwrap().recv();
            Ok(Sample(vec![1]))
        });
        let mut seen = LastLook::default();
        let mut look = || seen.watch(&hangs, Duration::MAX, Duration::ZERO);
        let not_looked = |sighting| matches!(sighting, DiskSighting::NotLooked { .. });
        assert!(not_looked(look()) && not_looked(look()));
        begins.recv().unwrap();
        assert!(begins.try_recv().is_err(), "read twice");
        drop(go_on);
        while seen.reading.load(Ordering::Acquire) {
            std::thread::yield_now();
        }
        assert!(!not_looked(seen.watch(
            &hangs,
            Duration::MAX,
            Duration::ZERO
        )));
    }
}
