//! ext4's multiple-mount protection: it waits some twenty seconds before it believes that the other node is dead.
//! With the other node's power seen off, or its registration at the disk taken away, the wait may be skipped; without
//! that, it is the last guard.

use crate::command;
use crate::observe::raw_disk::{BLOCK, RawDisk, le32, le64};
use siaga_model::run::FailureKind;
use siaga_model::{Note, Why};
use siaga_runner::hands::Trouble;
use std::io;
use std::path::Path;
use std::time::Duration;

const SUPERBLOCK_AT: usize = 1024;
const EXT4_MAGIC: u32 = 0xef53;
const INCOMPAT_MMP: u32 = 0x100;
const MMP_MAGIC: u32 = 0x004d_4d50;
const MMP_CLEAN: u32 = 0xff4d_4d50;
const CLEAR_WITHIN: Duration = Duration::from_secs(10);

/// Does the protection stand in the way of a mount? `false` for other file systems and where it is off or clean.
pub fn is_set(device: &Path) -> io::Result<bool> {
    let disk = RawDisk::open(device)?;
    let superblock = disk.read(0, 1)?.split_off(SUPERBLOCK_AT);
    if le32(&superblock, 0x38) & 0xffff != EXT4_MAGIC || le32(&superblock, 0x60) & INCOMPAT_MMP == 0
    {
        return Ok(false);
    }
    let block_size = 1024u64 << le32(&superblock, 0x18);
    let at = le64(&superblock, 0x168) * block_size;
    let page = disk.read(at - at % BLOCK as u64, 1)?;
    let within = (at % BLOCK as u64) as usize;
    Ok(le32(&page, within) != MMP_MAGIC || le32(&page, within + 4) != MMP_CLEAN)
}

/// Clears a protection that [`is_set`], where that is allowed. Says what it did, for the log.
pub fn clear_if_allowed(device: &Path, all_powered_off: bool) -> Result<Note, Trouble> {
    let failed = |why: Why| Trouble::failed(FailureKind::Mount, why);
    if !all_powered_off {
        return Ok(Note::MmpWaits);
    }
    let tune2fs = ["/usr/sbin/tune2fs", "/sbin/tune2fs"]
        .into_iter()
        .find(|p| Path::new(p).exists());
    let Some(tune2fs) = tune2fs else {
        return Ok(Note::MmpWaitsWithoutTool);
    };
    let device_text = device.to_string_lossy().into_owned();
    let argv = [tune2fs, "-f", "-E", "clear_mmp", &device_text].map(str::to_owned);
    let result = command::run(&argv, None, CLEAR_WITHIN);
    if !result.succeeded() {
        return Err(failed(Why::ClearMmpFailed {
            why: Box::new(result.ending(&result.stderr).of("tune2fs")),
        }));
    }
    Ok(Note::MmpCleared)
}
