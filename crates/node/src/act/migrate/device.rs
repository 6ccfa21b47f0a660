//! The file system on the device: made where nothing is, mounted, and given back.

use super::Fail;
use crate::act::disk_set::BlockDevice;
use crate::act::mount;
use crate::act::own_file::Place;
use crate::command;
use crate::observe::migrate::device::{self as look, Content};
use siaga_model::config::{FileSystem, FileSystemKind};
use siaga_model::migrate::{Facts, Refusal};
use siaga_model::run::FailureKind;
use siaga_model::{Note, Why};
use siaga_runner::hands::Trouble;
use std::fs::File;
use std::io;
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What a fresh file system has, and what is no content.
const LOST_AND_FOUND: &str = "lost+found";
/// Says that the file system is this job's. It stays: the way back mounts it again.
const MARK: &str = ".siaga-migrate";
/// Longer is no path, bytes.
const MARK_LIMIT: u64 = 4096;

/// A large one on a slow disk.
const FORMAT_WITHIN: Duration = Duration::from_secs(3600);

fn at(path: &Path) -> impl Fn(io::Error) -> Fail + '_ {
    move |e| Fail::Why(Why::system(format!("{}: {e}", path.display())))
}

fn failed(trouble: Trouble) -> Fail {
    match trouble {
        Trouble::Failed(failure) => Fail::Why(failure.detail),
        Trouble::Unknown(why) => Fail::Why(why),
    }
}

/// What is in the root of a file system that somebody put there.
pub fn entries(mount_point: &Path) -> io::Result<Vec<String>> {
    let mut names: Vec<String> = std::fs::read_dir(mount_point)?
        .filter_map(|e| Some(e.ok()?.file_name().to_string_lossy().into_owned()))
        .filter(|name| name != LOST_AND_FOUND)
        .collect();
    names.sort();
    Ok(names)
}

/// Makes the file system. The device is looked at once more: only where nothing is on it, or what an earlier attempt of the
/// very same job made.
pub fn format(facts: &Facts) -> Result<(), Fail> {
    let uuid = facts.uuid.clone().unwrap_or_default();
    let device = facts.device.clone();
    match look::content(&device)? {
        Content::Nothing => {}
        Content::Ext4(found) if found.uuid == uuid => return Ok(()),
        Content::Ext4(_) | Content::Something { .. } => return Err(Fail::DeviceCarries { device }),
    }
    let free = BlockDevice::new(device.clone());
    if !matches!(free.look(), siaga_model::observation::Holding::Free) {
        return Err(Fail::DeviceCarries { device });
    }
    let argv = ["mkfs.ext4", "-q", "-F", "-U", &uuid].map(str::to_owned);
    let argv = [&argv[..], &[device.display().to_string()]].concat();
    let result = command::run(&argv, None, FORMAT_WITHIN);
    match result.succeeded() {
        true => Ok(()),
        false => Err(result.ending(result.last_line()).of("mkfs.ext4").into()),
    }
}

/// Mounts it where it is not mounted, if it `may` be, and marks it as this job's, where nothing is in it.
pub fn mount(facts: &Facts, may: &(dyn Fn() -> bool + Sync)) -> Result<Vec<Note>, Fail> {
    let place = &facts.mount_point;
    if !is_mounted(facts) && !may() {
        return Err(refused(facts));
    }
    let made = !place.exists();
    std::fs::create_dir_all(place).map_err(at(place))?;
    if made {
        let parent = place.parent().unwrap_or(place);
        File::open(parent)
            .and_then(|d| d.sync_all())
            .map_err(at(parent))?;
    }
    let disk = BlockDevice::new(facts.device.clone());
    let file_system = FileSystem {
        kind: facts.kind,
        mount_point: place.clone(),
        options: Vec::new(),
        devices: Vec::new(),
    };
    let mounted_before = mount::device_at(place).map_err(at(place))?.is_some();
    // No take and no proof: nobody else knows this disk yet, or nothing is mounted.
    let against = AtomicBool::new(false);
    let still = || match may() {
        true => Ok(()),
        false => {
            against.store(true, Ordering::Relaxed);
            Err(Trouble::failed(FailureKind::Mount, ""))
        }
    };
    let leave = mount::Leave {
        all_powered_off: false,
        still: &still,
    };
    let did = mount::mount(&disk, &file_system, leave);
    let did = did.map_err(|trouble| match against.load(Ordering::Relaxed) {
        true => refused(facts),
        false => failed(trouble),
    })?;
    let found = look::uuid(&facts.device, facts.kind)?;
    let other = facts.uuid.is_some() && facts.uuid != found;
    let ours = match other {
        true => Err(Fail::OtherFileSystem {
            device: facts.device.clone(),
        }),
        false => mark(facts),
    };
    if ours.is_err() && !mounted_before {
        let _ = mount::unmount(&disk, place, &|_| false);
    }
    ours.map(|()| did.notes)
}

fn refused(facts: &Facts) -> Fail {
    let (device, mount_point) = (facts.device.clone(), facts.mount_point.clone());
    Fail::Refused {
        refusal: Refusal::SiteNode {
            device,
            mount_point,
        },
    }
}

/// Is what is mounted at its place the job's own file system? Looks, and changes nothing.
pub fn is_ours(facts: &Facts) -> bool {
    let uuid = look::uuid(&facts.device, facts.kind);
    let same = uuid.is_ok_and(|found| facts.uuid.is_none() || facts.uuid == found);
    same && is_mounted(facts) && is_marked(facts)
}

fn is_marked(facts: &Facts) -> bool {
    let text = facts.kept.display().to_string();
    let there = Place::of(&facts.mount_point.join(MARK)).and_then(|mark| mark.read(MARK_LIMIT));
    there.is_ok_and(|there| there == text.as_bytes())
}

fn mark(facts: &Facts) -> Result<(), Fail> {
    let mark = facts.mount_point.join(MARK);
    let text = facts.kept.display().to_string();
    if is_marked(facts) {
        return Ok(());
    }
    let entries = entries(&facts.mount_point).map_err(at(&facts.mount_point))?;
    let unmarked = |name: &&String| name.as_str() != MARK;
    if entries.iter().any(|name| unmarked(&name)) {
        return Err(Fail::TargetNotEmpty { entries });
    }
    Place::of(&mark)
        .and_then(|place| place.write(text.as_bytes(), 0o644))
        .map_err(at(&mark))
}

/// Is it mounted at its place?
pub fn is_mounted(facts: &Facts) -> bool {
    let number = BlockDevice::new(facts.device.clone()).number();
    let there = mount::device_at(&facts.mount_point);
    matches!((number, there), (Ok(number), Ok(Some(there))) if number == there)
}

/// The folders above the new directory, for the account that owns the old one.
pub fn make_parents(facts: &Facts, old: &Path) -> Result<(), Fail> {
    let parent = facts.to.parent().unwrap_or(&facts.mount_point);
    if std::fs::symlink_metadata(parent).is_ok_and(|meta| meta.is_dir()) {
        return Ok(());
    }
    let owner = std::fs::symlink_metadata(old).map_err(at(old))?;
    Place::of(parent)
        .and_then(|place| {
            std::fs::create_dir(place.path())?;
            fchown(place.open_folder()?, Some(owner.uid()), Some(owner.gid()))
        })
        .map_err(at(parent))
}

/// Nothing of a job that ended where it began is left on the device, and it is let go of. Only what bears the job's mark is
/// removed.
pub fn tidy(facts: &Facts) -> Result<(), Fail> {
    if !is_mounted(facts) {
        return Ok(());
    }
    if is_marked(facts) {
        for directory in [&facts.part, &facts.to] {
            remove_tree(directory)?;
        }
        if let Some(parent) = facts.to.parent() {
            // Not empty: somebody else's.
            let _ = std::fs::remove_dir(parent);
        }
        super::switch::remove(&facts.mount_point.join(MARK))?;
    }
    let disk = BlockDevice::new(facts.device.clone());
    mount::unmount(&disk, &facts.mount_point, &|_| false)
        .map(drop)
        .map_err(failed)
}

fn remove_tree(path: &Path) -> Result<(), Fail> {
    match Place::of(path).and_then(|place| std::fs::remove_dir_all(place.path())) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(at(path)(e)),
        _ => Ok(()),
    }
}

/// The kind's name, as the kernel has it.
pub fn kind_of(name: &str) -> Option<FileSystemKind> {
    match name {
        "ext4" => Some(FileSystemKind::Ext4),
        "xfs" => Some(FileSystemKind::Xfs),
        _ => None,
    }
}
