//! The mount table of a mount namespace, as `/proc/PID/mountinfo` gives it.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// One line of a mount table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MountEntry {
    /// The device of the file system, as `stat` numbers it.
    pub device: u64,
    /// The part of the file system that is mounted: `/` unless it is a bind mount.
    pub root: PathBuf,
    pub mount_point: PathBuf,
    pub file_system: String,
}

/// The mount table of this thread (every thread of the agent has the same one), in the order of mounting: the last entry of a mount point is the one on top.
pub fn own() -> std::io::Result<Vec<MountEntry>> {
    Ok(parse(&std::fs::read("/proc/thread-self/mountinfo")?))
}

/// The entry on top of `mount_point`.
pub fn on_top<'a>(table: &'a [MountEntry], mount_point: &Path) -> Option<&'a MountEntry> {
    table.iter().rev().find(|m| m.mount_point == mount_point)
}

/// Reads a mount table. Lines that make no sense are left out: the kernel writes none.
pub fn parse(text: &[u8]) -> Vec<MountEntry> {
    text.split(|b| *b == b'\n').filter_map(parse_line).collect()
}

/// `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw`
fn parse_line(line: &[u8]) -> Option<MountEntry> {
    let mut fields = line.split(|b| *b == b' ');
    let device = std::str::from_utf8(fields.nth(2)?).ok()?;
    let root = unescape(fields.next()?);
    let mount_point = unescape(fields.next()?);
    let file_system = fields.skip_while(|f| *f != b"-").nth(1)?;
    let (major, minor) = device.split_once(':')?;
    Some(MountEntry {
        device: rustix::fs::makedev(major.parse().ok()?, minor.parse().ok()?),
        root,
        mount_point,
        file_system: String::from_utf8_lossy(file_system).into_owned(),
    })
}

/// The kernel writes blanks, tabs, newlines and backslashes as `\040`.
pub(super) fn unescape(field: &[u8]) -> PathBuf {
    let mut out = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, tail)) = rest.split_first() {
        let octal = (*first == b'\\')
            .then(|| tail.get(..3))
            .flatten()
            .and_then(|d| std::str::from_utf8(d).ok())
            .and_then(|d| u8::from_str_radix(d, 8).ok());
        match octal {
            Some(byte) => {
                out.push(byte);
                rest = &tail[3..];
            }
            None => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    PathBuf::from(OsString::from_vec(out))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_fields_and_escapes() {
        let text =
            b"36 35 7:3 / /srv/with\\040blank rw,noatime shared:1 master:2 - ext4 /dev/loop3 rw\n\
                     37 35 7:3 /sub /srv/other rw - xfs /dev/loop3 rw\n";
        let table = parse(text);
        assert_eq!(table.len(), 2);
        assert_eq!(table[0].mount_point, Path::new("/srv/with blank"));
        assert_eq!(table[0].device, rustix::fs::makedev(7, 3));
        assert_eq!(table[0].file_system, "ext4");
        assert_eq!(table[1].root, Path::new("/sub"));
        assert_eq!(table[1].file_system, "xfs");
    }

    #[test]
    fn the_last_mount_of_a_place_is_on_top() {
        let text = b"1 0 7:1 / /srv rw - ext4 a rw\n2 0 7:2 / /srv rw - ext4 b rw\n";
        let table = parse(text);
        assert_eq!(
            on_top(&table, Path::new("/srv")).unwrap().device,
            rustix::fs::makedev(7, 2)
        );
    }

    #[test]
    fn own_table_has_a_root() {
        assert!(on_top(&own().unwrap(), Path::new("/")).is_some());
    }
}
