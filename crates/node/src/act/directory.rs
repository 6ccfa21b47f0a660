//! Directories that everybody may pass, whatever the umask: the agent's own keeps others out.

use std::fs::{DirBuilder, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

const OPEN: u32 = 0o755;

/// Makes it, and what is missing above it, with mode 0755. What is there stays as it is.
pub fn make_open(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        make_open(parent)?;
    }
    match DirBuilder::new().mode(OPEN).create(path) {
        Ok(()) => open_up(path),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(e) => Err(e),
    }
}

/// What is above it may be another account's, which could have put a link in its place.
fn open_up(path: &Path) -> io::Result<()> {
    let directory = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_DIRECTORY)
        .open(path)?;
    directory.set_permissions(Permissions::from_mode(OPEN))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::with_umask;

    #[test]
    fn everybody_may_pass_what_is_made_under_the_agents_umask() {
        let root = tempfile::tempdir().unwrap();
        let below = root.path().join("a/b");
        let path = below.clone();
        with_umask(0o027, move || make_open(&path).unwrap());
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode(&below), 0o755);
        assert_eq!(mode(&root.path().join("a")), 0o755);
        // What is there is somebody's choice.
        std::fs::set_permissions(&below, Permissions::from_mode(0o700)).unwrap();
        make_open(&below).unwrap();
        assert_eq!(mode(&below), 0o700);
        std::fs::write(root.path().join("file"), "").unwrap();
        assert!(make_open(&root.path().join("file/c")).is_err());
    }
}
