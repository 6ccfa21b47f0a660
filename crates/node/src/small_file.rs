//! Files in directories that belong to another account than ours, such as the database's. That account can put a link, a
//! pipe that nobody writes to, or a file without an end there.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// No more of a file is read, in bytes: PostgreSQL's control file has 8192.
const MOST: u64 = 64 * 1024;
/// Nor of a configuration file, in bytes.
const MOST_OF_CONFIGURATION: u64 = 1024 * 1024;

/// Opens a regular file to read it. No link is followed, and nothing is waited for.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    open_with(path, libc::O_NOFOLLOW)
}

fn open_with(path: &Path, flags: i32) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags | libc::O_NONBLOCK)
        .open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::other("not a regular file")),
    }
}

/// Its content. An error where it is longer than any that is read this way.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    read_from(&open(path)?)
}

/// The same, as text.
pub(crate) fn read_text(path: &Path) -> io::Result<String> {
    text(read(path)?)
}

/// The content of a configuration file, which a site may keep elsewhere, behind a link. What is in it is compared or
/// searched for settings, and shown to nobody.
pub(crate) fn read_configuration(path: &Path) -> io::Result<Vec<u8>> {
    read_most(&open_with(path, 0)?, MOST_OF_CONFIGURATION)
}

/// What is left of an open file, which may grow meanwhile.
pub(crate) fn read_from(file: &File) -> io::Result<Vec<u8>> {
    read_most(file, MOST)
}

fn read_most(file: &File, most: u64) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    file.take(most + 1).read_to_end(&mut content)?;
    match content.len() as u64 > most {
        true => Err(io::Error::other(format!("longer than {most} bytes"))),
        false => Ok(content),
    }
}

pub(crate) fn text(content: Vec<u8>) -> io::Result<String> {
    String::from_utf8(content).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    /// What an account can put at `path`, one after the other: none of it may be read. `good` would be read.
    pub(crate) fn each_trap(path: &Path, good: &[u8], mut refused: impl FnMut(&str)) {
        let away = path.with_extension("elsewhere");
        std::fs::write(&away, good).unwrap();
        let mut long = good.to_vec();
        long.resize(MOST as usize + 1, b'\n');
        let traps: [(&str, &dyn Fn()); 4] = [
            ("a link", &|| symlink(&away, path).unwrap()),
            ("no end", &|| symlink("/dev/zero", path).unwrap()),
            ("a pipe", &|| {
                let mode = rustix::fs::Mode::RUSR;
                rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, mode, 0)
                    .unwrap();
            }),
            ("too long", &|| std::fs::write(path, &long).unwrap()),
        ];
        for (what, set) in traps {
            let _ = std::fs::remove_file(path);
            set();
            refused(what);
        }
        std::fs::remove_file(path).unwrap();
        std::fs::remove_file(away).unwrap();
    }

    #[test]
    fn only_a_regular_file_that_is_short_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        assert_eq!(read(&path).unwrap_err().kind(), io::ErrorKind::NotFound);
        std::fs::write(&path, vec![b'x'; MOST as usize]).unwrap();
        assert_eq!(read_text(&path).unwrap().len(), MOST as usize);
        each_trap(&path, b"x", |what| assert!(read(&path).is_err(), "{what}"));
        assert!(read(dir.path()).is_err());
    }

    #[test]
    fn a_configuration_may_lie_behind_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("postgresql.conf");
        each_trap(&path, b"port = 5432", |what| {
            let read = read_configuration(&path);
            match what {
                "a link" => assert_eq!(read.unwrap(), b"port = 5432"),
                "too long" => assert!(read.is_ok(), "a configuration is longer than that"),
                _ => assert!(read.is_err(), "{what}"),
            }
        });
        let long = vec![b'#'; MOST_OF_CONFIGURATION as usize + 1];
        std::fs::write(&path, long).unwrap();
        assert!(read_configuration(&path).is_err());
    }
}
