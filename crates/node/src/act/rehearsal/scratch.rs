//! The folder of a rehearsal's copy. There are patients' data in it: nobody but root gets there, and it goes again.

use super::stage::view;
use crate::act::postgres::account::Account;
use siaga_model::config::Service;
use siaga_model::{ServiceName, Why};
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A file in it that says whose it is: nothing else is ever removed.
const MARK: &str = "made-by-siaga-rehearsal";
/// What the processes of the rehearsal see, below it.
pub(crate) const SHOWN: &str = "shown";

/// Processes that the kernel is just ending may still make a file: it is tried again.
const TRIES: u32 = 50;
const AGAIN_AFTER: Duration = Duration::from_millis(100);

/// Where the copy of a service lies, in the configured folder.
pub fn of(folder: &Path, service: &ServiceName) -> PathBuf {
    folder.join(format!("{service}.rehearsal"))
}

/// Bytes that are free there.
pub fn free(path: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(path).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// Bytes that the file system has, and those that are free: of the folder, or of what is above it where it does not
/// exist yet.
pub fn room(folder: &Path) -> Option<(u64, u64)> {
    let there = folder.ancestors().find(|p| p.is_dir())?;
    let stat = rustix::fs::statvfs(there).ok()?;
    let of = |blocks: u64| blocks.saturating_mul(stat.f_frsize);
    Some((of(stat.f_blocks), of(stat.f_bavail)))
}

/// Makes it, empty. `password`: of the role that may copy.
pub fn make(
    scratch: &Path,
    service: &Service,
    account: &Account,
    password: Option<&str>,
) -> Result<(), Why> {
    let made = || -> io::Result<()> {
        if let Some(folder) = scratch.parent() {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)?;
        }
        DirBuilder::new().mode(0o700).create(scratch)?;
        std::fs::write(scratch.join(MARK), "")?;
        let shown = scratch.join(SHOWN);
        DirBuilder::new().mode(0o700).create(&shown)?;
        // PostgreSQL's account goes through it to its own below; outside nobody gets past `scratch`.
        std::fs::set_permissions(&shown, std::fs::Permissions::from_mode(0o711))?;
        let own = |path: &Path| chown(path, Some(account.uid), Some(account.gid));
        for (at, _) in service.file_systems.iter().enumerate() {
            let place = shown.join(view::file_system(at));
            DirBuilder::new().mode(0o700).create(&place)?;
            own(&place)?;
        }
        for step in view::above_data(service) {
            let place = shown.join(step);
            DirBuilder::new().mode(0o700).create(&place)?;
            own(&place)?;
        }
        if let Some(password) = password {
            let file = shown.join(view::PASSWORDS);
            let mut line = String::from("*:*:*:*:");
            password.chars().for_each(|c| {
                if matches!(c, ':' | '\\') {
                    line.push('\\');
                }
                line.push(c);
            });
            write_secret(&file, &line)?;
            own(&file)?;
        }
        Ok(())
    };
    made().map_err(|e| Why::system(format!("{}: {e}", scratch.display())))
}

fn write_secret(path: &Path, text: &str) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    io::Write::write_all(&mut file, text.as_bytes())
}

/// Is something there, and did a rehearsal make it?
pub fn left_over(scratch: &Path) -> bool {
    scratch.join(MARK).is_file()
}

/// Removes it with all that is in it. Only what [`make`] made: a folder without its mark stays, and is an error.
pub fn remove(scratch: &Path) -> Result<(), Why> {
    let failed = |said: String| Why::CopyNotRemoved {
        folder: scratch.to_owned(),
        said,
    };
    match scratch.symlink_metadata() {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Ok(meta) if meta.is_dir() && left_over(scratch) => {}
        Ok(_) => return Err(failed(format!("{MARK} is not there"))),
        Err(e) => return Err(failed(e.to_string())),
    }
    let mut last = String::new();
    for _ in 0..TRIES {
        // The mark goes last, so that what is left is still known.
        match remove_shown(scratch) {
            Ok(()) => return Ok(()),
            Err(e) => last = e.to_string(),
        }
        std::thread::sleep(AGAIN_AFTER);
    }
    Err(failed(last))
}

fn remove_shown(scratch: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(scratch.join(SHOWN)) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    std::fs::remove_dir_all(scratch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_folder_with_the_mark_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let scratch = of(dir.path(), &"simrs".into());
        assert_eq!(remove(&scratch), Ok(()));
        std::fs::create_dir_all(scratch.join("somebody's")).unwrap();
        assert!(remove(&scratch).is_err());
        assert!(scratch.join("somebody's").is_dir());
        std::fs::write(scratch.join(MARK), "").unwrap();
        assert_eq!(remove(&scratch), Ok(()));
        assert!(!scratch.exists());
    }
}
