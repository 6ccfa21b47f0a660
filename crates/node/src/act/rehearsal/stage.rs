//! The view of a rehearsal's processes.
//!
//! *Mounts.* The copy lies at the service's mount point, so that every path in it and in the configuration leads to the
//! copy. Everything else can be read and not written; `/run`, `/tmp` and `/dev/shm` are empty, so that no socket of the
//! host is there. Mounts of services are let go of first: a copy of one in this view would keep the disk set from being
//! released. Nothing that is mounted later gets in or out.
//!
//! *Network.* Only the loopback, with the service's addresses on it. The copy is made before, since that needs the network.
//!
//! *Processes.* One namespace for all of them from the copy on: the end of its first process is the end of all.

use super::{Job, Told, backup, end_with_parent, hand_over, scratch, tell, trial};
use crate::act::postgres::account;
use crate::observe::mounts;
use rustix::mount::{
    MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_bind, mount_change,
    mount_remount, unmount,
};
use rustix::thread::{UnshareFlags, unshare_unsafe};
use siaga_model::Why;
use std::ffi::CStr;
use std::io::Read;
use std::os::unix::fs::{DirBuilderExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// Where what is where.
pub mod view {
    use siaga_model::config::Service;
    use std::path::{Path, PathBuf};

    /// The rehearsal's folder, as its processes see it. The data directory is used by this name: a process of the copy
    /// must never look like one of the service's own.
    pub const PLACE: &str = "/run/siaga-rehearsal";
    pub(crate) const PASSWORDS: &str = "passwords";

    /// The service's file system of that number.
    pub(crate) fn file_system(at: usize) -> String {
        format!("fs{at}")
    }

    /// The data directory below the folder.
    fn data(service: &Service) -> PathBuf {
        let data = &service.database.data_dir;
        let inside = |(at, place): (usize, &Path)| {
            let rest = data.strip_prefix(place).ok()?;
            Some(Path::new(&file_system(at)).join(rest))
        };
        let places = service.file_systems.iter().map(|f| f.mount_point.as_path());
        places
            .enumerate()
            .find_map(inside)
            .unwrap_or_else(|| PathBuf::from("data"))
    }

    /// The directories between the file system and the data directory, from above.
    pub(crate) fn above_data(service: &Service) -> Vec<PathBuf> {
        let data = data(service);
        let mut above: Vec<PathBuf> = data
            .ancestors()
            .skip(1)
            .filter(|p| p.components().count() > 1)
            .map(Path::to_owned)
            .collect();
        above.reverse();
        above
    }

    /// The data directory, as the rehearsal's processes see it.
    pub fn data_dir(service: &Service) -> PathBuf {
        Path::new(PLACE).join(data(service))
    }
}

/// Hidden under an empty file system.
const HIDDEN: [(&str, &CStr); 4] = [
    ("/run", c"mode=0755"),
    ("/tmp", c"mode=1777"),
    ("/var/tmp", c"mode=1777"),
    ("/dev/shm", c"mode=1777"),
];

/// The kernel's own, which hold no files of anybody.
const KERNEL: [&str; 3] = ["/proc", "/sys", "/dev"];

/// This program as the process of a rehearsal: `part` is the argument after [`super::ARGUMENT`].
pub fn main(part: &str) -> ExitCode {
    let mut text = Vec::new();
    let read = std::io::stdin().read_to_end(&mut text);
    let job: Job = match read.map(|_| serde_json::from_slice(&text)) {
        Ok(Ok(job)) => job,
        _ => return ExitCode::from(2),
    };
    let done = match part {
        "outer" => outer(&job),
        "inner" => inner(&job).map(|()| tell(&Told::Done)),
        _ => return ExitCode::from(2),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            tell(&Told::Failed { why });
            ExitCode::FAILURE
        }
    }
}

/// The mounts, and the namespace in which all that follows ends together: `pg_basebackup` has a process of its own for the
/// WAL, which nobody else would end.
fn outer(job: &Job) -> Result<(), Why> {
    spare_others();
    own_mounts(job).map_err(|e| Why::system(format!("the rehearsal's own view: {e}")))?;
    leave(UnshareFlags::NEWPID)?;
    let mut command = Command::new("/proc/self/exe");
    command
        .args([super::ARGUMENT, "inner"])
        .stdin(Stdio::piped());
    end_with_parent(&mut command);
    let mut inner = command.spawn().map_err(|e| Why::ProgramNotStarted {
        said: e.to_string(),
    })?;
    hand_over(&mut inner, job)?;
    // It tells its own end; without it, the agent knows that it was ended.
    inner.wait().map(drop).map_err(Why::system)
}

/// In the host's network: the copy. From there on nobody is reached any more.
fn inner(job: &Job) -> Result<(), Why> {
    backup::copy(job)?;
    leave(UnshareFlags::NEWNET | UnshareFlags::NEWIPC)?;
    trial::inner(job)
}

fn leave(flags: UnshareFlags) -> Result<(), Why> {
    // SAFETY: of what can be unshared, only the descriptor table would be unsafe.
    unsafe { unshare_unsafe(flags) }.map_err(|e| Why::system(format!("namespaces: {e}")))
}

/// Where memory runs out, the kernel is to take the rehearsal first.
fn spare_others() {
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
}

fn own_mounts(job: &Job) -> rustix::io::Result<()> {
    // SAFETY: as above.
    unsafe { unshare_unsafe(UnshareFlags::NEWNS) }?;
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    mount_change("/", private)?;
    for place in &job.let_go {
        while is_mounted(place) {
            unmount(place, UnmountFlags::DETACH)?;
        }
    }
    let shown = rustix::fs::open(
        job.scratch.join(scratch::SHOWN),
        rustix::fs::OFlags::PATH | rustix::fs::OFlags::CLOEXEC,
        rustix::fs::Mode::empty(),
    )?;
    read_only()?;
    for (place, mode) in HIDDEN.iter().filter(|(p, _)| Path::new(p).is_dir()) {
        let flags = MountFlags::NOSUID | MountFlags::NODEV;
        mount("tmpfs", *place, "tmpfs", flags, Some(*mode))?;
    }
    let magic = PathBuf::from(format!(
        "/proc/self/fd/{}",
        std::os::fd::AsRawFd::as_raw_fd(&shown)
    ));
    make(Path::new(view::PLACE))?;
    mount_bind(&magic, view::PLACE)?;
    // It came read-only, as the mount that it is a part of.
    mount_remount(view::PLACE, MountFlags::BIND, c"")?;
    for (at, fs) in job.service.file_systems.iter().enumerate() {
        let copy = Path::new(view::PLACE).join(view::file_system(at));
        mount_bind(&copy, &fs.mount_point)?;
    }
    sockets(job)
}

fn make(path: &Path) -> rustix::io::Result<()> {
    let made = std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(path);
    made.map_err(errno)
}

fn errno(error: std::io::Error) -> rustix::io::Errno {
    rustix::io::Errno::from_raw_os_error(error.raw_os_error().unwrap_or(libc::EIO))
}

fn is_mounted(place: &Path) -> bool {
    mounts::own().is_ok_and(|table| mounts::on_top(&table, place).is_some())
}

/// Makes every mount of this view read-only. One that can't be reached by its path any more is not in the way.
fn read_only() -> rustix::io::Result<()> {
    use rustix::io::Errno;
    let table = mounts::own().map_err(errno)?;
    let kernel = |m: &&mounts::MountEntry| KERNEL.iter().any(|k| m.mount_point.starts_with(k));
    for entry in table.iter().filter(|m| !kernel(m)) {
        let flags = MountFlags::BIND | MountFlags::RDONLY;
        match mount_remount(&entry.mount_point, flags, c"") {
            Ok(()) | Err(Errno::NOENT | Errno::INVAL | Errno::ACCESS | Errno::STALE) => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

/// The directory of the server's socket, which a package makes at boot: empty, and the server's own.
fn sockets(job: &Job) -> rustix::io::Result<()> {
    let database = &job.service.database;
    let place = &database.socket_dir;
    let hidden = |path: &Path| HIDDEN.iter().any(|(h, _)| path.starts_with(h));
    if !place.is_dir() {
        make(place)?;
    } else if !place.canonicalize().is_ok_and(|real| hidden(&real)) {
        let flags = MountFlags::NOSUID | MountFlags::NODEV;
        mount("tmpfs", place, "tmpfs", flags, Some(c"mode=0755"))?;
    } else {
        // Shared by many, like /tmp.
        return Ok(());
    }
    let account = account::lookup(&database.os_user).map_err(|_| rustix::io::Errno::NOENT)?;
    chown(place, Some(account.uid), Some(account.gid)).map_err(errno)
}
