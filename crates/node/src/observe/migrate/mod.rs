//! What is seen before a data directory moves, and before it comes back. Looks, and changes nothing: it mounts nothing either.

mod cluster;
pub mod device;

pub use cluster::clusters;
pub use device::{look as look_at_device, reads_per_s};

use crate::act::migrate::{CONTROL, HELD, device as act, switch};
use crate::act::own_file;
use crate::observe::mounts;
use crate::observe::pg_control;
use siaga_model::migrate::{Facts, Job, NewSide, Place, Step};
use std::path::{Path, PathBuf};

/// Larger is no control file, bytes.
const CONTROL_LIMIT: u64 = 64 << 10;

/// What is at the mount point.
pub fn place(mount_point: &Path) -> Place {
    let resolved = crate::act::mount::resolved(mount_point);
    if let Ok(table) = mounts::own()
        && let Some(top) = mounts::on_top(&table, &resolved)
    {
        return Place::Mounted { device: top.device };
    }
    match std::fs::read_dir(mount_point).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Place::Empty,
        Ok(false) => Place::NotEmpty,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Place::Missing,
        Err(_) => Place::NotADirectory,
    }
}

/// Was the new place ever written by a server?
pub fn new_side(job: &Job) -> NewSide {
    let first = job.left.first() == Some(&Step::EnableNew);
    if !first && job.left.contains(&Step::EnableNew) {
        return NewSide::Untouched;
    }
    if !act::is_mounted(&job.facts) {
        return NewSide::NotMounted;
    }
    if !act::is_ours(&job.facts) {
        return NewSide::Unknown;
    }
    let read = |path: PathBuf| {
        own_file::Place::of(&path)
            .and_then(|p| p.read(CONTROL_LIMIT))
            .ok()
    };
    let control = read(job.facts.to.join(CONTROL));
    let as_stopped = read(switch::old_dir(&job.facts).join(HELD));
    match control {
        None if first => NewSide::Untouched,
        None => NewSide::Unknown,
        Some(_) if control == as_stopped => NewSide::Untouched,
        Some(_) => NewSide::Written,
    }
}

/// Is the old data still there, under one of its names?
pub fn old_there(facts: &Facts) -> bool {
    let dir = switch::old_dir(facts);
    dir.join(CONTROL).exists() || dir.join(HELD).exists()
}

/// How far the new place is ahead of what was kept, bytes of WAL.
pub fn ahead(job: &Job) -> Option<u64> {
    let new = pg_control::read(&job.facts.to).ok()?;
    new.checkpoint.checked_sub(job.record.stopped_at_lsn?)
}
