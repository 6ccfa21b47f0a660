//! Who on this host touches a block device: processes with files of it, and mounts in any mount namespace.
//!
//! An unmount that succeeds is no release: a copy of the mount in another namespace goes on writing.

use super::mounts;
use rustix::fs::{AtFlags, CWD, FileType, OFlags, StatxFlags, makedev, statx};
use siaga_model::Why;
pub use siaga_model::why::{HeldThing, Holder};
use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

/// How long one pass over `/proc` may take. A descriptor on a dead network file system can hang it.
const SCAN_WITHIN: Duration = Duration::from_secs(2);

/// At most so many descriptors are named of one process.
const NAMED_PER_PROCESS: usize = 3;

/// Everything on this host that touches the block device `device` (as `stat` numbers it) or the file system on it.
/// An error means that it can't be told.
pub fn scan(device: u64) -> Result<Vec<Holder>, Why> {
    let (tell, told) = mpsc::channel();
    let worker = move || drop(tell.send(scan_now(device)));
    std::thread::Builder::new()
        .name("holders".into())
        .spawn(worker)
        .map_err(|e| Why::ThreadFailed {
            said: e.to_string(),
        })?;
    told.recv_timeout(SCAN_WITHIN)
        .map_err(|_| Why::HolderScanSlow {
            ms: u64::try_from(SCAN_WITHIN.as_millis()).unwrap_or(u64::MAX),
        })?
}

fn scan_now(device: u64) -> Result<Vec<Holder>, Why> {
    let mut pass = Pass {
        device,
        in_maps: format!(
            " {:02x}:{:02x} ",
            rustix::fs::major(device),
            rustix::fs::minor(device)
        ),
        found: own_mounts(device)?,
        namespaces: BTreeSet::new(),
        hidden: Vec::new(),
        own: i32::try_from(std::process::id()).unwrap_or(-1),
    };
    if let Ok(own) = std::fs::read_link("/proc/thread-self/ns/mnt") {
        pass.namespaces.insert(own);
    }
    for pid in all_pids()? {
        pass.process(pid);
    }
    match pass.hidden.first() {
        None => Ok(pass.found),
        Some(said) => Err(Why::HolderScanHidden {
            processes: pass.hidden.len() as u64,
            said: said.clone(),
        }),
    }
}

fn own_mounts(device: u64) -> Result<Vec<Holder>, Why> {
    let table = mounts::own().map_err(|e| Why::MountTable {
        said: e.to_string(),
    })?;
    let mine = table.into_iter().filter(|m| m.device == device);
    Ok(mine
        .map(|m| Holder::Mount {
            mount_point: m.mount_point,
        })
        .collect())
}

/// Every process id in this PID namespace.
pub fn all_pids() -> Result<Vec<i32>, Why> {
    let entries = std::fs::read_dir("/proc").map_err(|e| Why::system(format!("/proc: {e}")))?;
    Ok(entries
        .filter_map(|e| e.ok()?.file_name().to_str()?.parse().ok())
        .collect())
}

/// The short name of a process, for people.
pub fn command_name(pid: i32) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/comm"))
        .map(|name| name.trim_end().to_owned())
        .unwrap_or_else(|_| "?".to_owned())
}

/// One pass over `/proc`.
struct Pass {
    device: u64,
    /// The device as a line of `maps` has it: ` 07:1f `.
    in_maps: String,
    found: Vec<Holder>,
    namespaces: BTreeSet<PathBuf>,
    hidden: Vec<String>,
    /// This process.
    own: i32,
}

/// How a question opens the disk: for reading alone, and not to wait for it. By it nothing is read that the kernel remembers, so
/// it holds nothing, also where it hangs; without this rule one look of ours took another for a holder.
pub const QUESTION: OFlags = OFlags::RDONLY
    .union(OFlags::NONBLOCK)
    .union(OFlags::CLOEXEC);

/// Is that descriptor, of this very process, such a question?
fn is_question(base: &Path, descriptor: &std::ffi::OsStr) -> bool {
    let info = std::fs::read_to_string(base.join("fdinfo").join(descriptor)).unwrap_or_default();
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
    let flags = flags.and_then(|f| u32::from_str_radix(f.trim(), 8).ok());
    flags.is_some_and(|bits| {
        let flags = OFlags::from_bits_retain(bits);
        flags.contains(OFlags::NONBLOCK) && flags & OFlags::ACCMODE == OFlags::RDONLY
    })
}

impl Pass {
    fn process(&mut self, pid: i32) {
        let base = PathBuf::from(format!("/proc/{pid}"));
        match std::fs::read_link(base.join("exe")) {
            // A thread of the kernel, which has no files, or a leader that has ended and hides threads that go on.
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                if is_zombie(&base) {
                    self.threads(pid, &base);
                }
                return;
            }
            Err(e) => self.unreadable(pid, &e),
            Ok(_) => {}
        }
        self.namespace(pid, &base);
        for (name, uses) in [
            ("cwd", HeldThing::WorkingDirectory),
            ("root", HeldThing::RootDirectory),
            ("exe", HeldThing::Program),
        ] {
            self.link(pid, &base.join(name), uses);
        }
        self.descriptors(pid, &base);
        self.mappings(pid, &base);
    }

    fn threads(&mut self, pid: i32, base: &Path) {
        let Ok(tasks) = std::fs::read_dir(base.join("task")) else {
            return;
        };
        for task in tasks
            .filter_map(Result::ok)
            .filter(|t| t.file_name() != *pid.to_string())
        {
            self.link(pid, &task.path().join("cwd"), HeldThing::WorkingDirectory);
            self.descriptors(pid, &task.path());
        }
    }

    fn namespace(&mut self, pid: i32, base: &Path) {
        let Ok(namespace) = std::fs::read_link(base.join("ns/mnt")) else {
            return;
        };
        if !self.namespaces.insert(namespace) {
            return;
        }
        // A process that ends meanwhile has an empty table: another one of its namespace may still be there.
        match std::fs::read(base.join("mountinfo")) {
            Ok(text) if !text.is_empty() => {
                let device = self.device;
                for entry in mounts::parse(&text)
                    .into_iter()
                    .filter(|m| m.device == device)
                {
                    self.found.push(Holder::MountElsewhere {
                        mount_point: entry.mount_point,
                        pid,
                        command: command_name(pid),
                    });
                }
            }
            _ => {
                if let Ok(namespace) = std::fs::read_link(base.join("ns/mnt")) {
                    self.namespaces.remove(&namespace);
                }
            }
        }
    }

    fn descriptors(&mut self, pid: i32, base: &Path) {
        let entries = match std::fs::read_dir(base.join("fd")) {
            Ok(entries) => entries,
            Err(e) => return self.unreadable(pid, &e),
        };
        let mut named = 0;
        for entry in entries.filter_map(Result::ok) {
            if named == NAMED_PER_PROCESS {
                return;
            }
            if self.own == pid && is_question(base, &entry.file_name()) {
                continue;
            }
            named += usize::from(self.link(pid, &entry.path(), HeldThing::File));
        }
    }

    fn mappings(&mut self, pid: i32, base: &Path) {
        let text = match std::fs::read(base.join("maps")) {
            Ok(text) => text,
            Err(e) => return self.unreadable(pid, &e),
        };
        // Most have nothing of the device: a search is much faster than reading every line.
        if std::str::from_utf8(&text)
            .is_ok_and(|t| !t.contains(&self.in_maps) && !t.contains(" /dev/"))
        {
            return;
        }
        let mut last: &[u8] = b"";
        for line in text.split(|b| *b == b'\n') {
            let Some((range, device, path)) = mapping(line) else {
                continue;
            };
            if path == last {
                continue;
            }
            last = path;
            let of_device = device == self.device
                || (path.starts_with(b"/dev/")
                    && self.is_device(&base.join("map_files").join(range)));
            if of_device {
                let path = Path::new(std::ffi::OsStr::from_bytes(path));
                self.name(pid, HeldThing::MappedFile, path.to_owned());
                return;
            }
        }
    }

    /// Looks at what a link in `/proc` leads to. True where it is of the device.
    fn link(&mut self, pid: i32, link: &Path, uses: HeldThing) -> bool {
        if !self.is_device(link) {
            return false;
        }
        let target = std::fs::read_link(link).unwrap_or_default();
        self.name(pid, uses, target);
        true
    }

    fn name(&mut self, pid: i32, uses: HeldThing, path: PathBuf) {
        self.found.push(Holder::Process {
            pid,
            command: command_name(pid),
            uses,
            path,
        });
    }

    /// True for a file on the device's file system, and for the block device itself.
    fn is_device(&self, path: &Path) -> bool {
        let flags = AtFlags::STATX_DONT_SYNC | AtFlags::NO_AUTOMOUNT;
        let Ok(seen) = statx(CWD, path, flags, StatxFlags::TYPE) else {
            return false;
        };
        let of_file_system = makedev(seen.stx_dev_major, seen.stx_dev_minor) == self.device;
        let is_block = FileType::from_raw_mode(seen.stx_mode.into()) == FileType::BlockDevice;
        of_file_system
            || (is_block && makedev(seen.stx_rdev_major, seen.stx_rdev_minor) == self.device)
    }

    /// A process that is gone is no riddle; one that may not be looked into is. A container or sandbox protects its
    /// first process even from root; that one starts the others and has no business with a disk.
    fn unreadable(&mut self, pid: i32, error: &std::io::Error) {
        if pid != 1
            && error.kind() == std::io::ErrorKind::PermissionDenied
            && !is_zombie(Path::new(&format!("/proc/{pid}")))
        {
            self.hidden
                .push(format!("pid {pid} ({}): {error}", command_name(pid)));
        }
    }
}

/// Address range, device and path of a line of `/proc/PID/maps`.
fn mapping(line: &[u8]) -> Option<(&Path, u64, &[u8])> {
    let mut fields = line.splitn(6, |b| *b == b' ');
    let range = fields.next()?;
    let device = std::str::from_utf8(fields.nth(2)?).ok()?;
    let (major, minor) = device.split_once(':')?;
    let path = fields.nth(1)?.trim_ascii_start();
    let number = |hex| u32::from_str_radix(hex, 16).ok();
    if path.is_empty() {
        return None;
    }
    Some((
        Path::new(std::ffi::OsStr::from_bytes(range)),
        makedev(number(major)?, number(minor)?),
        path,
    ))
}

fn is_zombie(base: &Path) -> bool {
    let Ok(stat) = std::fs::read(base.join("stat")) else {
        return true;
    };
    let after_name = stat.iter().rposition(|b| *b == b')').map(|at| at + 2);
    after_name
        .and_then(|at| stat.get(at))
        .is_none_or(|state| matches!(state, b'Z' | b'X'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapping_line_gives_its_device_and_path() {
        let line = b"7f00-7f10 r--p 00000000 07:1f 1234                 /srv/a b";
        let (range, device, path) = mapping(line).unwrap();
        assert_eq!(
            (range, device, path),
            (Path::new("7f00-7f10"), makedev(7, 0x1f), &b"/srv/a b"[..])
        );
        assert!(mapping(b"7f00-7f10 rw-p 00000000 00:00 0 ").is_none());
    }

    #[test]
    fn an_unused_device_number_has_no_holder() {
        assert_eq!(scan(makedev(4000, 77)), Ok(Vec::new()));
    }
}
