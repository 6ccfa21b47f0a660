//! Files in a directory that somebody else may write, such as the database's, whose account must not get at more by what root
//! does there.
//!
//! Everything is reached from `/`, folder by folder, through open descriptors. A link on the way is followed only where it is
//! root's, the last name is never followed, and a file is made new. Owner and mode are set on what is open.

use rustix::fs::{AtFlags, CWD, Mode, OFlags, openat, readlinkat, statat};
use rustix::io::Errno;
use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Component, Path, PathBuf};

/// As many as the kernel follows.
const LINKS: usize = 40;
const FOLDER: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// A name in a folder that is open: whoever renames or replaces what leads there changes nothing any more.
pub struct Place {
    folder: OwnedFd,
    name: OsString,
}

impl Place {
    /// The place of an absolute path. The folder has to be there.
    pub fn of(path: &Path) -> io::Result<Self> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        Ok(Self {
            folder: folder(parent)?,
            name: name.to_owned(),
        })
    }

    /// The name that is this one and more, in the same folder.
    pub fn beside(&self, suffix: &str) -> io::Result<Self> {
        let mut name = self.name.clone();
        name.push(suffix);
        let folder = self.folder.try_clone()?;
        Ok(Self { folder, name })
    }

    /// Whose the folder is.
    pub fn folder(&self) -> io::Result<Metadata> {
        File::from(self.folder.try_clone()?).metadata()
    }

    /// For calls by path that do not follow the last name: `rename`, `remove_file`, `symlink_metadata`, `read_link`, and the like.
    pub fn path(&self) -> PathBuf {
        Path::new(&in_proc(&self.folder)).join(&self.name)
    }

    /// What was done to the name survives a power cut.
    pub fn sync(&self) -> io::Result<()> {
        Ok(rustix::fs::fsync(&self.folder)?)
    }

    /// The folder of that name.
    pub fn open_folder(&self) -> io::Result<File> {
        Ok(openat(&self.folder, &self.name, FOLDER, Mode::empty())?.into())
    }

    /// The file of that name, to be read.
    pub fn open(&self) -> io::Result<File> {
        let file = OpenOptions::new()
            .read(true)
            // A pipe is not waited for.
            .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
            .open(self.path())?;
        match file.metadata()?.is_file() {
            true => Ok(file),
            false => Err(io::Error::other("is no file")),
        }
    }

    /// Its content, where that is not more than `limit` bytes.
    pub fn read(&self, limit: u64) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        self.open()?.take(limit + 1).read_to_end(&mut content)?;
        match content.len() as u64 > limit {
            true => Err(io::ErrorKind::FileTooLarge.into()),
            false => Ok(content),
        }
    }

    /// A new file in place of whatever had the name, which is not written to: it may have another name elsewhere. Mode 0600.
    pub fn create(&self) -> io::Result<File> {
        match std::fs::remove_file(self.path()) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .custom_flags(libc::O_NOFOLLOW)
            .open(self.path())
    }

    /// A new file with that content, on the disk.
    pub fn write(&self, content: &[u8], mode: u32) -> io::Result<()> {
        let mut file = self.create()?;
        file.write_all(content)?;
        file.set_permissions(Permissions::from_mode(mode))?;
        file.sync_all()?;
        self.sync()
    }
}

/// Everything below one directory. No link is followed there, whoever it belongs to.
pub struct Below(OwnedFd);

impl Below {
    /// That directory itself, and no link to one.
    pub fn open(directory: &Path) -> io::Result<Self> {
        Ok(Self(Place::of(directory)?.open_folder()?.into()))
    }

    /// A name below it.
    pub fn place(&self, path: &Path) -> io::Result<Place> {
        let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        Ok(Place {
            folder: self.folder(path.parent().unwrap_or(Path::new("")))?,
            name: name.to_owned(),
        })
    }

    /// A folder below it, or itself for the empty path.
    pub fn open_folder(&self, path: &Path) -> io::Result<File> {
        Ok(self.folder(path)?.into())
    }

    fn folder(&self, path: &Path) -> io::Result<OwnedFd> {
        let mut at = openat(&self.0, ".", FOLDER, Mode::empty())?;
        for part in path.components() {
            let Component::Normal(name) = part else {
                return Err(io::ErrorKind::InvalidInput.into());
            };
            at = openat(&at, name, FOLDER, Mode::empty())?;
        }
        Ok(at)
    }
}

/// The name of something that is open, for calls by path.
pub fn in_proc(open: &impl AsFd) -> String {
    format!("/proc/self/fd/{}", open.as_fd().as_raw_fd())
}

/// Owner and mode as of another one. The owner first: its change clears bits of the mode.
pub fn owner_and_mode(of: &Metadata, to: &File) -> io::Result<()> {
    fchown(to, Some(of.uid()), Some(of.gid()))?;
    to.set_permissions(Permissions::from_mode(of.mode() & 0o7777))
}

/// Opens a folder from `/` on. Links that are root's are followed, others are not.
fn folder(path: &Path) -> io::Result<OwnedFd> {
    if !path.is_absolute() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut links = 0;
    let mut left = parts(path);
    let mut at = openat(CWD, "/", FOLDER, Mode::empty())?;
    while let Some(name) = left.pop() {
        let found = openat(&at, &name, FOLDER, Mode::empty());
        match found {
            Ok(next) => at = next,
            Err(Errno::LOOP | Errno::NOTDIR) => {
                links += 1;
                let to = roots_link(&at, &name)?;
                if links > LINKS {
                    return Err(Errno::LOOP.into());
                }
                if to.is_absolute() {
                    at = openat(CWD, "/", FOLDER, Mode::empty())?;
                }
                left.extend(parts(&to));
            }
            Err(e) => return Err(e.into()),
        }
    }
    Ok(at)
}

/// The parts of a path, the first one last.
fn parts(path: &Path) -> Vec<OsString> {
    let name = |part: Component| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some(OsString::from("..")),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    };
    path.components().rev().filter_map(name).collect()
}

fn roots_link(folder: &OwnedFd, name: &OsStr) -> io::Result<PathBuf> {
    let seen = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
    let link = rustix::fs::FileType::from_raw_mode(seen.st_mode).is_symlink();
    match (link, seen.st_uid) {
        (false, _) => Err(Errno::NOTDIR.into()),
        (true, 0) => {
            let to = readlinkat(folder, name, Vec::new())?.into_bytes();
            Ok(OsString::from_vec(to).into())
        }
        (true, _) => Err(io::Error::other(format!(
            "{} is a link that is not root's: it is not followed",
            String::from_utf8_lossy(name.as_bytes())
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{lchown, symlink};

    /// A directory that somebody else may write, and one that is root's.
    fn two() -> (tempfile::TempDir, PathBuf, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let (theirs, roots) = (dir.path().join("theirs"), dir.path().join("roots"));
        std::fs::create_dir(&theirs).unwrap();
        std::fs::create_dir(&roots).unwrap();
        std::fs::write(roots.join("passwd"), "root").unwrap();
        (dir, theirs, roots)
    }

    fn theirs(link: &Path) {
        lchown(link, Some(65534), Some(65534)).unwrap();
    }

    #[test]
    fn a_new_file_takes_the_place_of_a_planted_link() {
        let (_dir, directory, roots) = two();
        let note = directory.join("note");
        symlink(roots.join("passwd"), &note).unwrap();
        Place::of(&note).unwrap().write(b"said", 0o644).unwrap();
        assert!(!note.is_symlink());
        assert_eq!(std::fs::read_to_string(&note).unwrap(), "said");
        // So it does with another name of the same file.
        std::fs::remove_file(&note).unwrap();
        std::fs::hard_link(roots.join("passwd"), &note).unwrap();
        Place::of(&note).unwrap().write(b"said", 0o644).unwrap();
        assert_eq!(
            std::fs::read_to_string(roots.join("passwd")).unwrap(),
            "root"
        );
    }

    #[test]
    fn nothing_is_read_through_a_link_and_no_more_than_asked_for() {
        let (_dir, directory, roots) = two();
        let link = directory.join("link");
        symlink(roots.join("passwd"), &link).unwrap();
        assert!(Place::of(&link).unwrap().read(100).is_err());
        let file = Place::of(&roots.join("passwd")).unwrap();
        assert_eq!(file.read(4).unwrap(), b"root");
        assert!(file.read(3).is_err());
        let pipe = directory.join("pipe");
        rustix::fs::mkfifoat(CWD, &pipe, Mode::RWXU).unwrap();
        assert!(Place::of(&pipe).unwrap().read(100).is_err());
    }

    #[test]
    fn only_roots_links_lead_on() {
        let (dir, directory, roots) = two();
        let link = directory.join("way");
        symlink("../roots", &link).unwrap();
        let passwd = link.join("passwd");
        assert_eq!(Place::of(&passwd).unwrap().read(9).unwrap(), b"root");
        theirs(&link);
        assert!(Place::of(&passwd).is_err());
        let whole = dir.path().join("whole");
        symlink(&roots, &whole).unwrap();
        assert!(Place::of(&whole.join("passwd")).is_ok());
        let round = dir.path().join("round");
        symlink(&round, &round).unwrap();
        assert!(Place::of(&round.join("passwd")).is_err());
    }

    #[test]
    fn below_a_directory_no_link_leads_on_and_what_is_open_stays() {
        let (_dir, directory, roots) = two();
        std::fs::create_dir(directory.join("base")).unwrap();
        let below = Below::open(&directory).unwrap();
        let before = below.place(Path::new("base/passwd")).unwrap();
        std::fs::rename(directory.join("base"), directory.join("gone")).unwrap();
        symlink(&roots, directory.join("base")).unwrap();
        assert!(below.place(Path::new("base/passwd")).is_err());
        assert!(below.open_folder(Path::new("base")).is_err());
        assert!(below.place(Path::new("../roots/passwd")).is_err());
        before.write(b"said", 0o600).unwrap();
        assert!(directory.join("gone/passwd").exists());
        let link = directory.join("link");
        symlink(&roots, &link).unwrap();
        assert!(Below::open(&link).is_err());
    }
}
