//! What is on a block device, read past the page cache, and who has it.

use crate::act::disk_set::BlockDevice;
use crate::act::disk_set::drbd::Resource;
use crate::act::disk_set::layered::Layer;
use crate::act::migrate::device::{entries, kind_of};
use crate::observe::raw_disk::{BLOCK, RawDisk, le32};
use crate::observe::survey::Found;
use crate::observe::{holders, mounts};
use rustix::fs::{Mode, OFlags, SeekFrom};
use siaga_model::config::FileSystemKind;
use siaga_model::migrate::{Carries, Device, Drbd};
use siaga_model::observation::Holding;
use siaga_model::{Holder, ServiceName, Why};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// Where labels of volumes, partitions and file systems lie: at both ends. Bytes.
const END: u64 = 4 << 20;
/// And so many places between.
const SAMPLES: u64 = 64;
/// How much is read to measure.
const MEASURED: u64 = 32 << 20;

/// What lies on it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Content {
    /// Zeros, wherever it was looked.
    Nothing,
    Ext4(Ext4),
    /// Empty where its name is not known.
    Something {
        what: String,
    },
}

/// An ext4 by its superblock.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ext4 {
    pub uuid: String,
    pub clean: bool,
    pub is_empty: bool,
    pub free_bytes: u64,
}

fn why(device: &Path) -> impl Fn(std::io::Error) -> Why + '_ {
    move |e| Why::system(format!("{}: {e}", device.display()))
}

fn size(device: &Path) -> std::io::Result<u64> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let open = rustix::fs::open(device, flags, Mode::empty())?;
    Ok(rustix::fs::seek(&open, SeekFrom::End(0))?)
}

/// Reads both ends and places between.
pub fn content(device: &Path) -> Result<Content, Why> {
    let said = why(device);
    let bytes = size(device).map_err(&said)?;
    let disk = RawDisk::open(device).map_err(&said)?;
    let block = BLOCK as u64;
    let blocks = bytes / block;
    let ends = (END / block).min(blocks);
    let many = usize::try_from(ends).unwrap_or_default();
    let first = disk.read(0, many).map_err(&said)?;
    if let Some(ext4) = ext4(&first) {
        return Ok(Content::Ext4(ext4));
    }
    if let Some(what) = known(&first) {
        return Ok(Content::Something {
            what: what.to_owned(),
        });
    }
    let last = disk.read((blocks - ends) * block, many).map_err(&said)?;
    let mut zero = is_zero(&first) && is_zero(&last);
    for sample in 1..SAMPLES {
        let at = blocks / SAMPLES * sample * block;
        zero = zero && is_zero(&disk.read(at, 1).map_err(&said)?);
    }
    Ok(match zero {
        true => Content::Nothing,
        false => Content::Something {
            what: String::new(),
        },
    })
}

fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|b| *b == 0)
}

fn le16(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

/// The superblock begins at byte 1024; its fields are where the kernel's `struct ext4_super_block` has them.
fn ext4(first: &[u8]) -> Option<Ext4> {
    const EXTENTS: u32 = 0x40;
    const NEEDS_RECOVERY: u32 = 0x4;
    let block = first.get(1024..2048)?;
    let incompatible = le32(block, 0x60);
    if le16(block, 0x38) != 0xEF53 || incompatible & EXTENTS == 0 {
        return None;
    }
    let wide =
        |low: usize, high: usize| u64::from(le32(block, low)) | u64::from(le32(block, high)) << 32;
    let (free, reserved) = (wide(0xC, 0x158), wide(0x8, 0x154));
    let block_bytes = 1024u64.checked_shl(le32(block, 0x18)).unwrap_or(4096);
    // The reserved ones, and `lost+found`.
    let used = le32(block, 0).saturating_sub(le32(block, 0x10));
    Some(Ext4 {
        uuid: uuid_text(&block[0x68..0x78]),
        clean: le16(block, 0x3A) & 1 == 1 && incompatible & NEEDS_RECOVERY == 0,
        is_empty: used <= le32(block, 0x54),
        free_bytes: free.saturating_sub(reserved).saturating_mul(block_bytes),
    })
}

fn uuid_text(bytes: &[u8]) -> String {
    let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
    let parts = [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ];
    parts.join("-")
}

/// What people should hear by name; anything else that is not zero is refused all the same.
fn known(first: &[u8]) -> Option<&'static str> {
    let has = |at: usize, magic: &[u8]| first.get(at..at + magic.len()) == Some(magic);
    let labels = [0usize, 512, 1024, 1536];
    Some(match () {
        () if has(0, b"XFSB") => "XFS",
        () if labels.iter().any(|at| has(*at, b"LABELONE")) => "LVM",
        () if has(512, b"EFI PART") || has(4096, b"EFI PART") => "GPT",
        () if has(0, b"LUKS") => "LUKS",
        () if has(1024 + 0x38, &[0x53, 0xEF]) => "ext2/ext3",
        () if has(0x10040, b"_BHRfS_M") => "btrfs",
        () if has(4086, b"SWAPSPACE2") => "swap",
        () if has(510, &[0x55, 0xAA]) => "MBR",
        () => return None,
    })
}

/// Of a file system of that kind.
pub fn uuid(device: &Path, kind: FileSystemKind) -> Result<Option<String>, Why> {
    let said = why(device);
    let disk = RawDisk::open(device).map_err(&said)?;
    let first = disk.read(0, 1).map_err(&said)?;
    Ok(match kind {
        FileSystemKind::Ext4 => ext4(&first).map(|e| e.uuid),
        FileSystemKind::Xfs => (&first[..4] == b"XFSB").then(|| uuid_text(&first[32..48])),
    })
}

/// The device, as it is before the move.
pub fn look(path: &Path, found: &Found) -> Device {
    let disk = BlockDevice::new(path.to_owned());
    let number = match disk.number() {
        Ok(number) => number,
        Err(why) => return Device::Unusable { why },
    };
    let bytes = match size(path) {
        Ok(bytes) => bytes,
        Err(e) => return Device::Unusable { why: why(path)(e) },
    };
    let table = mounts::own().unwrap_or_default();
    let here = table.iter().filter(|m| m.device == number);
    let mounted_at: Vec<PathBuf> = here.clone().map(|m| m.mount_point.clone()).collect();
    let kind = here.clone().next_back().map(|m| m.file_system.clone());
    let carries = match &kind {
        Some(kind) => mounted(path, &mounted_at[0], kind),
        None => unmounted(path),
    };
    Device::There {
        number,
        bytes,
        held_by: held_by(&disk, number),
        drbd: drbd(path, found),
        mounted_at,
        carries,
    }
}

/// Beside a mount of this namespace: processes, other namespaces, and what the kernel alone knows of.
fn held_by(disk: &BlockDevice, number: u64) -> Vec<Holder> {
    let own = |h: &Holder| matches!(h, Holder::Mount { .. });
    match disk.look() {
        Holding::Free => Vec::new(),
        Holding::Held { by } if by.iter().all(own) => {
            let found = holders::scan(number).unwrap_or(vec![Holder::Invisible]);
            found.into_iter().filter(|h| !own(h)).collect()
        }
        Holding::Held { by } => by,
        Holding::Unknown { .. } => vec![Holder::Invisible],
    }
}

fn mounted(device: &Path, at: &Path, kind: &str) -> Carries {
    let kind = kind_of(kind);
    let free = rustix::fs::statvfs(at).map(|s| s.f_bavail.saturating_mul(s.f_frsize));
    match (entries(at), free) {
        (Ok(entries), Ok(free_bytes)) => Carries::Mounted {
            uuid: kind.and_then(|kind| uuid(device, kind).ok().flatten()),
            kind,
            free_bytes,
            entries,
        },
        (Err(e), _) => Carries::Unreadable { why: why(at)(e) },
        (_, Err(e)) => Carries::Unreadable {
            why: why(at)(e.into()),
        },
    }
}

fn unmounted(device: &Path) -> Carries {
    match content(device) {
        Ok(Content::Nothing) => Carries::Nothing,
        Ok(Content::Something { what }) => Carries::Something { what },
        Ok(Content::Ext4(found)) => Carries::Ext4 {
            uuid: found.uuid,
            clean: found.clean,
            is_empty: found.is_empty,
            free_bytes: found.free_bytes,
        },
        Err(why) => Carries::Unreadable { why },
    }
}

fn drbd(path: &Path, found: &Found) -> Drbd {
    let real = path.canonicalize().unwrap_or_default();
    let name = real
        .file_name()
        .and_then(|n| n.to_str())
        .unwrap_or_default();
    let Some(rest) = name.strip_prefix("drbd") else {
        return Drbd::No;
    };
    if !rest.starts_with(|c: char| c.is_ascii_digit()) {
        return Drbd::No;
    }
    let of = found.disks.iter().find(|d| d.kernel_name == name);
    let Some(resource) = of.and_then(|d| d.drbd.clone()) else {
        let why = Why::DrbdUntold {
            resource: name.to_owned(),
        };
        return Drbd::Unknown { why };
    };
    let layer = Arc::new(Resource::new(&resource, &ServiceName::new("migrate")));
    let not_ready = |state: &str| Drbd::NotReady {
        resource: resource.clone(),
        state: state.to_owned(),
    };
    match (layer.state(), layer.unable()) {
        (Holding::Unknown { why }, _) => Drbd::Unknown { why },
        (Holding::Free, _) => not_ready("Secondary"),
        (Holding::Held { .. }, Some(Why::DrbdData { state, .. })) => not_ready(&state),
        (Holding::Held { .. }, Some(why)) => Drbd::Unknown { why },
        (Holding::Held { .. }, None) => Drbd::Ready,
    }
}

/// How fast is read, past the page cache: of the largest file in the directory, and of the device; the slower one, bytes in a
/// second. Writing is not tried before consent.
pub fn reads_per_s(data_dir: &Path, device: &Path) -> Option<u64> {
    let of_device = rate(device);
    let of_file = largest(data_dir).and_then(|file| rate(&file));
    match (of_file, of_device) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (one, other) => one.or(other),
    }
}

fn rate(path: &Path) -> Option<u64> {
    let bytes = size(path).ok()?.min(MEASURED);
    let disk = RawDisk::open(path).ok()?;
    let blocks = usize::try_from(bytes / BLOCK as u64)
        .ok()
        .filter(|b| *b > 0)?;
    let begun = Instant::now();
    disk.read(0, blocks).ok()?;
    let seconds = begun.elapsed().as_secs_f64().max(1e-6);
    Some((bytes as f64 / seconds) as u64)
}

fn largest(data_dir: &Path) -> Option<PathBuf> {
    let mut open = vec![data_dir.join("base"), data_dir.join("pg_wal")];
    let mut largest = None;
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
            match entry.metadata() {
                Ok(meta) if meta.is_dir() => open.push(entry.path()),
                Ok(meta) => largest = largest.max(Some((meta.len(), entry.path()))),
                Err(_) => {}
            }
        }
    }
    largest.map(|(_, path)| path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_zero_is_something_even_without_a_name() {
        let mut first = vec![0u8; 1 << 17];
        assert_eq!((known(&first), ext4(&first)), (None, None));
        first[512..520].copy_from_slice(b"LABELONE");
        assert_eq!(known(&first), Some("LVM"));
        first[1024 + 0x38..1024 + 0x3A].copy_from_slice(&[0x53, 0xEF]);
        assert_eq!(ext4(&first), None, "without extents it is an older one");
    }
}
