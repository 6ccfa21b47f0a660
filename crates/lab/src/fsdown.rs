//! The end of a file system in a power cut: nothing that is still in memory is written.

use crate::error::{Doing, Result, on};
use crate::process;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::ioctl::{Opcode, Setter, opcode};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// `EXT4_IOC_SHUTDOWN` and `XFS_IOC_GOINGDOWN` are one number: `_IOR('X', 125, __u32)`.
const SHUTDOWN: Opcode = opcode::read::<u32>(b'X', 125);
/// Without flushing the journal either.
const NO_LOG_FLUSH: u32 = 2;

/// Shuts down the file system on `device`, wherever one of the processes `pids` sees it mounted, in whatever mount
/// namespace. Returns whether it was mounted anywhere.
pub(crate) fn shut_down(device: &Path, pids: &[i32]) -> Result<bool> {
    let number = std::fs::metadata(device)
        .doing(|| on("look at", device))?
        .rdev();
    let mut seen = BTreeSet::new();
    for pid in pids {
        // Processes that share a mount namespace see the same mounts.
        if !process::namespace(*pid, "mnt").is_some_and(|namespace| seen.insert(namespace)) {
            continue;
        }
        for mount_point in mount_points(*pid, number) {
            if shut_down_at(*pid, &mount_point, number)? {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// `false` when the process or the mount has gone meanwhile, or when another mount covers it.
fn shut_down_at(pid: i32, mount_point: &Path, number: u64) -> Result<bool> {
    let path = Path::new("/proc").join(pid.to_string()).join("root");
    let path = path.join(mount_point.strip_prefix("/").unwrap_or(mount_point));
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let fd = match rustix::fs::open(&path, flags, Mode::empty()) {
        Ok(fd) => fd,
        Err(Errno::NOENT | Errno::SRCH | Errno::ACCESS) => return Ok(false),
        Err(errno) => return Err(errno).doing(|| on("open", &path)),
    };
    if rustix::fs::fstat(&fd)
        .doing(|| on("look at", &path))?
        .st_dev
        != number
    {
        return Ok(false);
    }
    // SAFETY: the opcode takes a pointer to a 32-bit number of flags, which is what is given.
    match unsafe { rustix::ioctl::ioctl(&fd, Setter::<SHUTDOWN, _>::new(NO_LOG_FLUSH)) } {
        Ok(()) => Ok(true),
        // Shut down already: by an error of the device, for example.
        Err(Errno::IO) => Ok(true),
        Err(errno) => Err(errno).doing(|| on("shut down the file system at", &path)),
    }
}

/// Where process `pid` sees the device with that number mounted.
fn mount_points(pid: i32, number: u64) -> Vec<PathBuf> {
    let Ok(table) = std::fs::read(format!("/proc/{pid}/mountinfo")) else {
        return Vec::new();
    };
    let device = format!(
        "{}:{}",
        rustix::fs::major(number),
        rustix::fs::minor(number)
    );
    let mount_point = |line: &[u8]| {
        let mut fields = line.split(|byte| *byte == b' ');
        (fields.nth(2)? == device.as_bytes()).then_some(())?;
        Some(PathBuf::from(unescape(fields.nth(1)?)))
    };
    table
        .split(|byte| *byte == b'\n')
        .filter_map(mount_point)
        .collect()
}

/// The table's `\040` for a space, and its like.
fn unescape(field: &[u8]) -> OsString {
    let mut out = Vec::with_capacity(field.len());
    let mut rest = field;
    while let [first, tail @ ..] = rest {
        match (first, tail) {
            (b'\\', [a, b, c, after @ ..])
                if [a, b, c].iter().all(|d| (b'0'..=b'7').contains(d)) =>
            {
                out.push(((a - b'0') << 6) | ((b - b'0') << 3) | (c - b'0'));
                rest = after;
            }
            _ => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    OsString::from_vec(out)
}

/// All mount points below `dir` in this process's own mount namespace, the last mounted first.
pub(crate) fn own_mounts_below(dir: &Path) -> Vec<PathBuf> {
    let Ok(table) = std::fs::read("/proc/self/mountinfo") else {
        return Vec::new();
    };
    let lines = table.split(|byte| *byte == b'\n');
    let points = lines.filter_map(|line| line.split(|byte| *byte == b' ').nth(4));
    let mut points: Vec<PathBuf> = points.map(|field| PathBuf::from(unescape(field))).collect();
    points.retain(|point| {
        point.starts_with(dir) && point.as_os_str().as_bytes() != dir.as_os_str().as_bytes()
    });
    points.reverse();
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_mount_points_are_read_back() {
        assert_eq!(
            unescape(b"/srv/a\\040b\\134c"),
            OsString::from("/srv/a b\\c")
        );
        assert_eq!(unescape(b"/srv/\\0"), OsString::from("/srv/\\0"));
    }
}
