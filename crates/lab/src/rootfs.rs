//! What a machine sees: the host's files, with its own /run, /tmp, /dev/shm, /srv, /proc, /sys, /etc/siaga and
//! /var/lib/siaga over them.

use crate::error::{Doing, Result, on};
use crate::fsdown::own_mounts_below;
use crate::layout::{Layout, SERVICE_MOUNT};
use crate::machine::Machine;
use crate::net::NETNS_DIR;
use crate::state::LabState;
use crate::tools::postgres_user;
use rustix::fd::{AsRawFd, OwnedFd};
use rustix::fs::{Mode, OFlags};
use rustix::mount::{
    MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_bind, mount_change, unmount,
};
use std::ffi::CStr;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Hidden under an empty file system of the machine's own. /srv is among them so that what is written below the
/// service's mount point while nothing is mounted there does not end up on the host.
const PRIVATE: [(&str, &CStr); 4] = [
    ("/run", c"mode=0755"),
    ("/tmp", c"mode=1777"),
    ("/dev/shm", c"mode=1777"),
    ("/srv", c"mode=0755"),
];
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// Builds a machine's view; the calling process is the first one in new mount and PID namespaces.
pub(crate) fn build(layout: &Layout, state: &LabState, machine: Machine) -> Result<()> {
    private()?;
    let kept = keep(layout, state.siaga.as_deref())?;
    for (path, mode) in PRIVATE {
        let flags = MountFlags::NOSUID | MountFlags::NODEV;
        mount("tmpfs", path, "tmpfs", flags, Some(mode)).doing(|| on("mount", Path::new(path)))?;
    }
    let quiet = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    mount("proc", "/proc", "proc", quiet, None).doing(|| "mount /proc".into())?;
    mount("sysfs", "/sys", "sysfs", quiet, None).doing(|| "mount /sys".into())?;
    for keep in kept {
        keep.show()?;
    }
    new_boot_id()?;
    bind(&layout.etc(machine), Path::new("/etc/siaga"))?;
    match state.machine(machine).disk {
        Some(disk) => mount(
            disk.path(),
            "/var/lib/siaga",
            "ext4",
            MountFlags::NOATIME,
            None,
        )
        .doing(|| on("mount", &disk.path()))?,
        None => bind(&layout.client_state(), Path::new("/var/lib/siaga"))?,
    }
    directories()
}

/// Cuts this mount namespace from the host's, and lets go of the network namespaces that it inherited a view of: a
/// mount of one keeps it alive.
pub(crate) fn private() -> Result<()> {
    mount_change(
        "/",
        MountPropagationFlags::PRIVATE | MountPropagationFlags::REC,
    )
    .doing(|| "make the mounts private".into())?;
    for path in own_mounts_below(Path::new(NETNS_DIR)) {
        match unmount(&path, UnmountFlags::DETACH) {
            // Another lab removed it in this moment: it is gone for everybody.
            Ok(()) | Err(rustix::io::Errno::NOENT | rustix::io::Errno::INVAL) => {}
            Err(error) => Err(error).doing(|| on("unmount", &path))?,
        }
    }
    Ok(())
}

/// An empty file system in memory over each of the private places, for those who need no more than that.
pub(crate) fn hide_shared_places() -> Result<()> {
    for (path, mode) in PRIVATE {
        mount("tmpfs", path, "tmpfs", MountFlags::NOSUID, Some(mode))
            .doing(|| on("mount", Path::new(path)))?;
    }
    directories()
}

/// A file or directory that the private places would hide.
struct Kept {
    path: PathBuf,
    handle: OwnedFd,
}

/// The lab's directory and the program, where they lie below one of the private places.
fn keep(layout: &Layout, siaga: Option<&Path>) -> Result<Vec<Kept>> {
    let own = std::env::current_exe().ok();
    let wanted = [Some(layout.dir()), siaga, own.as_deref()]
        .into_iter()
        .flatten();
    let mut paths: Vec<&Path> = wanted
        .filter(|path| PRIVATE.iter().any(|(top, _)| path.starts_with(top)))
        .collect();
    paths.dedup();
    let open = |path: &Path| {
        let handle = rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty());
        Ok(Kept {
            path: path.to_owned(),
            handle: handle.doing(|| on("open", path))?,
        })
    };
    paths.into_iter().map(open).collect()
}

impl Kept {
    /// Shows it again at its old place.
    fn show(self) -> Result<()> {
        let Self { path, handle } = self;
        let magic = PathBuf::from(format!("/proc/self/fd/{}", handle.as_raw_fd()));
        let is_dir = std::fs::metadata(&magic)
            .doing(|| on("look at", &path))?
            .is_dir();
        let parent = if is_dir {
            Some(path.as_path())
        } else {
            path.parent()
        };
        if let Some(parent) = parent {
            std::fs::create_dir_all(parent).doing(|| on("make", parent))?;
        }
        if !is_dir {
            std::fs::write(&path, "").doing(|| on("make", &path))?;
        }
        bind(&magic, &path)
    }
}

fn bind(from: &Path, to: &Path) -> Result<()> {
    mount_bind(from, to).doing(|| format!("show {} at {}", from.display(), to.display()))
}

/// All machines share one kernel, and its boot id with it. A machine that boots needs one of its own.
fn new_boot_id() -> Result<()> {
    let uuid = Path::new("/proc/sys/kernel/random/uuid");
    let file = Path::new("/run/.boot-id");
    let id = std::fs::read(uuid).doing(|| on("read", uuid))?;
    std::fs::write(file, id).doing(|| on("write", file))?;
    std::fs::set_permissions(file, Permissions::from_mode(0o444)).doing(|| on("protect", file))?;
    bind(file, Path::new(BOOT_ID))
}

/// What packages would have made at the boot of a server.
fn directories() -> Result<()> {
    let sockets = Path::new("/run/postgresql");
    let (user, group) = postgres_user()?;
    for dir in [sockets, Path::new(SERVICE_MOUNT), Path::new("/run/lock")] {
        std::fs::create_dir_all(dir).doing(|| on("make", dir))?;
    }
    std::os::unix::fs::chown(sockets, Some(user), Some(group))
        .doing(|| on("give away", sockets))?;
    std::fs::set_permissions(sockets, Permissions::from_mode(0o2775))
        .doing(|| on("protect", sockets))
}
