//! Mount and unmount, by system call.

use super::bounded;
use super::disk_set::BlockDevice;
use super::mmp;
use crate::observe::holders::{self, Holder};
use crate::observe::mounts::{self, MountEntry};
use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, UnmountFlags, fsconfig_create,
    fsconfig_set_flag, fsconfig_set_string, fsmount, fsopen, move_mount, unmount as umount2,
};
use siaga_model::config::{FileSystem, FileSystemKind};
use siaga_model::run::FailureKind;
use siaga_model::{Note, Why};
use siaga_runner::hands::{Acted, Did, Trouble};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A mount replays the journal and may wait for multiple-mount protection; an unmount writes everything back.
const KERNEL_WITHIN: Duration = Duration::from_secs(300);

/// How long a mounted file system may take to say whether it takes writes, and a disk to be read before a mount.
const PROBE_WITHIN: Duration = Duration::from_secs(5);

/// How long a busy mount is tried again: for processes of ours that are dying, and for strangers on their way out.
const OWN_WITHIN: Duration = Duration::from_secs(2);
const STRANGERS_WITHIN: Duration = Duration::from_millis(250);
const POLL: Duration = Duration::from_millis(3);

/// The place of `path` as the mount table names it: links in its parent are followed, it itself is not touched.
pub fn resolved(path: &Path) -> PathBuf {
    let real = path.parent().and_then(|p| p.canonicalize().ok());
    match (real, path.file_name()) {
        (Some(parent), Some(name)) => parent.join(name),
        _ => path.to_owned(),
    }
}

/// The device on top at `mount_point`, if anything is mounted there.
pub fn device_at(mount_point: &Path) -> std::io::Result<Option<u64>> {
    Ok(mounts::on_top(&mounts::own()?, &resolved(mount_point)).map(|m| m.device))
}

/// By what a file system may be mounted here.
#[derive(Clone, Copy)]
pub struct Leave<'a> {
    /// Every other node is off, or refused by the disk itself: the file system's own protection is over.
    pub all_powered_off: bool,
    /// Asked right before each mount, after everything that may have taken long: may it still be made?
    pub still: &'a (dyn Fn() -> Result<(), Trouble> + Sync),
}

/// Mounts a file system of the disk set, which was taken before, at its place.
pub fn mount(disk: &BlockDevice, file_system: &FileSystem, leave: Leave) -> Acted {
    let failed = |why: Why| Trouble::failed(FailureKind::Mount, why);
    let number = disk.number().map_err(failed)?;
    let place = resolved(&file_system.mount_point);
    let mut notes = Vec::new();
    let table = own_table()?;
    match mounts::on_top(&table, &place) {
        Some(top) if top.device == number => match gave_up(&place) {
            None => return Ok(Did::nothing()),
            Some(why) => {
                (leave.still)()?;
                unmount(disk, &place, &|_| false)?;
                notes.push(Note::TookNoWrites {
                    said: why.to_string(),
                });
            }
        },
        Some(top) => return Err(failed(in_the_way(&place, top))),
        None => {}
    }
    if !place.is_dir() {
        return Err(failed(Why::MountPointMissing { mount_point: place }));
    }
    let in_flight = disk.enter();
    let protected = is_protected(disk.device())?;
    if protected && file_system.kind == FileSystemKind::Ext4 {
        (leave.still)()?;
        notes.push(mmp::clear_if_allowed(disk.device(), leave.all_powered_off)?);
    }
    (leave.still)()?;
    let job = (file_system.clone(), disk.device().to_owned(), place.clone());
    let result = bounded::run(KERNEL_WITHIN, move || {
        let _in_flight = in_flight;
        mount_now(&job.0, &job.1, &job.2)
    });
    match result {
        None => {
            return Err(Trouble::Unknown(Why::MountInKernel { mount_point: place }));
        }
        Some(Err(said)) => return Err(failed(Why::System(said))),
        Some(Ok(())) => {}
    }
    match mounts::on_top(&own_table()?, &place) {
        Some(top) if top.device == number => Ok(Did::changed(notes)),
        Some(top) => Err(failed(in_the_way(&place, top))),
        None => Err(failed(Why::MountVanished { mount_point: place })),
    }
}

/// Is ext4's own protection set there? Reads the disk in any case: one that hangs is found before the kernel is asked for a
/// mount, which nobody could take back, and which would be made whenever the disk answers again.
fn is_protected(device: &Path) -> Result<bool, Trouble> {
    let failed = |why: Why| Trouble::failed(FailureKind::Mount, why.of(device.display()));
    let path = device.to_owned();
    let ms = u64::try_from(PROBE_WITHIN.as_millis()).unwrap_or(u64::MAX);
    match bounded::run(PROBE_WITHIN, move || mmp::is_set(&path)) {
        None => Err(failed(Why::NoAnswerWithin { ms })),
        Some(read) => read.map_err(|e| failed(Why::system(e))),
    }
}

/// A file system whose disk went away and came back refuses every write until it is mounted anew. Says the kernel's
/// word for it, where a file without a name can't be made for that reason.
fn gave_up(place: &Path) -> Option<Errno> {
    let place = place.to_owned();
    let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
    let attempt = move || rustix::fs::open(place, flags, Mode::RUSR).err();
    // Where the kernel does not even answer, a mount would not either: whoever writes next says so.
    let error = bounded::run(PROBE_WITHIN, attempt).flatten()?;
    matches!(error, Errno::ROFS | Errno::IO | Errno::SHUTDOWN).then_some(error)
}

fn own_table() -> Result<Vec<MountEntry>, Trouble> {
    mounts::own().map_err(|e| {
        Trouble::Unknown(Why::MountTable {
            said: e.to_string(),
        })
    })
}

fn in_the_way(place: &Path, top: &MountEntry) -> Why {
    let (major, minor) = (rustix::fs::major(top.device), rustix::fs::minor(top.device));
    Why::MountInTheWay {
        mount_point: place.to_owned(),
        file_system: top.file_system.clone(),
        device: format!("{major}:{minor}"),
    }
}

/// The calls themselves. The kernel's own words of a failure are read from the context.
fn mount_now(file_system: &FileSystem, device: &Path, place: &Path) -> Result<(), String> {
    let kind = match file_system.kind {
        FileSystemKind::Ext4 => "ext4",
        FileSystemKind::Xfs => "xfs",
    };
    let context = fsopen(kind, FsOpenFlags::FSOPEN_CLOEXEC).map_err(|e| format!("{kind}: {e}"))?;
    let because = |what: &str, e: Errno| format!("{what}: {e}{}", kernel_words(&context));
    fsconfig_set_string(&context, "source", device).map_err(|e| because("source", e))?;
    let mut attributes = MountAttrFlags::empty();
    for option in file_system.options.iter().map(String::as_str) {
        match attribute(option) {
            Some(flags) => attributes |= flags,
            None if is_for_userland(option) => {}
            None => set_option(&context, option).map_err(|e| because(option, e))?,
        }
    }
    fsconfig_create(&context)
        .map_err(|e| because(&format!("{} as {kind}", device.display()), e))?;
    let mount = fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes)
        .map_err(|e| because("fsmount", e))?;
    // `mount` is dropped at the end of this call: while it is open, an unmount is busy.
    move_mount(
        &mount,
        "",
        CWD,
        place,
        MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH,
    )
    .map_err(|e| format!("{}: {e}", place.display()))
}

fn set_option(context: &OwnedFd, option: &str) -> Result<(), Errno> {
    match option.split_once('=') {
        Some((key, value)) => fsconfig_set_string(context, key, value),
        None => fsconfig_set_flag(context, option),
    }
}

/// Options of the mount rather than of the file system.
fn attribute(option: &str) -> Option<MountAttrFlags> {
    Some(match option {
        "nosuid" => MountAttrFlags::MOUNT_ATTR_NOSUID,
        "nodev" => MountAttrFlags::MOUNT_ATTR_NODEV,
        "noexec" => MountAttrFlags::MOUNT_ATTR_NOEXEC,
        "noatime" => MountAttrFlags::MOUNT_ATTR_NOATIME,
        "nodiratime" => MountAttrFlags::MOUNT_ATTR_NODIRATIME,
        "strictatime" => MountAttrFlags::MOUNT_ATTR_STRICTATIME,
        "relatime" | "suid" | "dev" | "exec" | "atime" | "diratime" => MountAttrFlags::empty(),
        _ => return None,
    })
}

/// Options of `fstab` that mean nothing to the kernel.
fn is_for_userland(option: &str) -> bool {
    matches!(
        option,
        "defaults" | "noauto" | "nofail" | "_netdev" | "nouser"
    ) || option.starts_with("x-")
}

/// What the kernel had to say: lines like `e ext4: VFS: Can't find ext4 filesystem`.
fn kernel_words(context: &OwnedFd) -> String {
    let mut words = String::new();
    let mut buffer = [0; 1024];
    while let Ok(length @ 1..) = rustix::io::read(context, &mut buffer) {
        words.push_str(": ");
        words.push_str(String::from_utf8_lossy(&buffer[..length]).trim());
    }
    words
}

/// Unmounts what of the device is mounted at `mount_point`. Never lazily, never killing anything. `is_ours` tells
/// the database's own processes, which may be still on their way out.
pub fn unmount(disk: &BlockDevice, mount_point: &Path, is_ours: &dyn Fn(i32) -> bool) -> Acted {
    let place = resolved(mount_point);
    let number = match disk.number() {
        Ok(number) => number,
        Err(why) => match mounts::on_top(&own_table()?, &place) {
            None => return Ok(Did::nothing()),
            Some(_) => return Err(Trouble::Unknown(why)),
        },
    };
    let mut changed = false;
    let mut patience = Patience::new();
    loop {
        let table = own_table()?;
        if !table
            .iter()
            .any(|m| m.mount_point == place && m.device == number)
        {
            return Ok(Did {
                changed,
                notes: Vec::new(),
            });
        }
        match mounts::on_top(&table, &place) {
            Some(top) if top.device == number => {}
            Some(top) => return Err(Trouble::failed(FailureKind::Busy, in_the_way(&place, top))),
            None => continue,
        }
        match unmount_once(disk, &place)? {
            Ok(()) => changed = true,
            Err(Errno::BUSY) => patience.wait_or_fail(&table, &place, number, is_ours)?,
            Err(e) => {
                return Err(Trouble::failed(
                    FailureKind::Io,
                    Why::system(format!("{}: {e}", place.display())),
                ));
            }
        }
    }
}

fn unmount_once(disk: &BlockDevice, place: &Path) -> Result<Result<(), Errno>, Trouble> {
    let in_flight = disk.enter();
    let owned = place.to_owned();
    let call = move || {
        let _in_flight = in_flight;
        umount2(&owned, UnmountFlags::NOFOLLOW)
    };
    let still = || {
        Trouble::Unknown(Why::UnmountInKernel {
            mount_point: place.to_owned(),
        })
    };
    bounded::run(KERNEL_WITHIN, call).ok_or_else(still)
}

/// How long a busy mount is tried again.
struct Patience {
    since: Instant,
    next_look: Instant,
}

impl Patience {
    fn new() -> Self {
        let now = Instant::now();
        Self {
            since: now,
            next_look: now,
        }
    }

    /// Waits a moment, or names the holders and gives up.
    fn wait_or_fail(
        &mut self,
        table: &[MountEntry],
        place: &Path,
        number: u64,
        is_ours: &dyn Fn(i32) -> bool,
    ) -> Result<(), Trouble> {
        let now = Instant::now();
        if now >= self.next_look {
            let found = busy_because(table, place, number)?;
            let stranger = |h: &Holder| !matches!(h, Holder::Process { pid, .. } if is_ours(*pid));
            let within = if found.iter().any(stranger) {
                STRANGERS_WITHIN
            } else {
                OWN_WITHIN
            };
            let waited = Instant::now() - self.since;
            if waited >= within {
                return Err(Trouble::failed(
                    FailureKind::Busy,
                    Why::HeldBy { by: found },
                ));
            }
            self.next_look = Instant::now() + Duration::from_millis(50).min(within - waited);
        }
        std::thread::sleep(POLL);
        Ok(())
    }
}

/// Who makes the mount busy: processes of the device, and mounts below it.
fn busy_because(table: &[MountEntry], place: &Path, number: u64) -> Result<Vec<Holder>, Trouble> {
    let mut found = holders::scan(number).map_err(Trouble::Unknown)?;
    // The mount itself is no reason.
    found.retain(|h| !matches!(h, Holder::Mount { mount_point } if mount_point == place));
    let below = |m: &&MountEntry| m.mount_point.starts_with(place) && m.mount_point != place;
    found.extend(table.iter().filter(below).map(|m| Holder::Mount {
        mount_point: m.mount_point.clone(),
    }));
    Ok(found)
}
