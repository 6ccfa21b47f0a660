//! Mends what a check found and what can be mended without any harm (see [`Fix`]).

use super::directory;
use crate::{command, small_file};
use rustix::fs::{AtFlags, CWD, Mode, OFlags, openat, renameat, unlinkat};
use rustix::io::Errno;
use siaga_model::Why;
use siaga_model::readiness::Fix;
use std::fs::{File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

/// systemd only removes links for it.
const WITHIN: Duration = Duration::from_secs(20);
const SYSTEMCTL: &str = "/usr/bin/systemctl";

/// Does it, below `root` (`/` on a real host). What is in order already is left alone.
pub fn fix(fix: &Fix, root: &Path) -> Result<(), Why> {
    let below = |path: &Path| root.join(path.strip_prefix("/").unwrap_or(path));
    match fix {
        Fix::MakeDirectory { path } => {
            let path = below(path);
            directory::make_open(&path).map_err(|e| failed(&path, &e))
        }
        Fix::DisableUnit { name } => disable(name, root),
        Fix::ManualCluster { file } => manual(&below(file)),
    }
}

fn disable(name: &str, root: &Path) -> Result<(), Why> {
    let mut argv = [SYSTEMCTL, "--no-ask-password", "disable", "--quiet"]
        .map(str::to_owned)
        .to_vec();
    if root != Path::new("/") {
        argv.push(format!("--root={}", root.display()));
    }
    argv.extend(["--".to_owned(), name.to_owned()]);
    let result = command::run(&argv, None, WITHIN);
    match result.succeeded() {
        true => Ok(()),
        false => Err(result.ending(result.last_line())),
    }
}

/// The first word that is no comment becomes `manual`; the comments stay. A file that is not there counts as `auto`.
/// Its owner and its mode stay.
fn manual(file: &Path) -> Result<(), Why> {
    rewrite(file, &|text| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let says =
            |line: &&mut String| !line.split('#').next().unwrap_or_default().trim().is_empty();
        match lines.iter_mut().find(says) {
            Some(line) => *line = "manual".to_owned(),
            None => lines.push("manual".to_owned()),
        }
        lines.join("\n") + "\n"
    })
    .map_err(|e| failed(file, &e))
}

/// Replaces a small text file. Its folder may belong to another account, which could lead us away by links: everything is
/// done in the folder that was opened, and no link in it is followed.
fn rewrite(file: &Path, change: &dyn Fn(&str) -> String) -> io::Result<()> {
    let invalid = || io::Error::from(io::ErrorKind::InvalidInput);
    let (folder, name) = file.parent().zip(file.file_name()).ok_or_else(invalid)?;
    let plain = OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = openat(
        CWD,
        folder,
        OFlags::RDONLY | OFlags::DIRECTORY | plain,
        Mode::empty(),
    )?;
    let old = openat(
        &folder,
        name,
        OFlags::RDONLY | OFlags::NONBLOCK | plain,
        Mode::empty(),
    );
    let (text, meta, mode) = match old {
        Ok(old) => {
            let old = File::from(old);
            let meta = old.metadata()?;
            if !meta.is_file() {
                return Err(io::Error::other("not a regular file"));
            }
            let text = small_file::text(small_file::read_from(&old)?)?;
            let mode = meta.mode() & 0o777;
            (text, meta, mode)
        }
        Err(Errno::NOENT) => {
            let owner = File::from(folder.try_clone()?).metadata()?;
            (String::new(), owner, 0o644)
        }
        Err(e) => return Err(e.into()),
    };
    let mut coming = name.to_owned();
    coming.push(".siaga");
    match unlinkat(&folder, &coming, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => {}
        Err(e) => return Err(e.into()),
    }
    let how = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | plain;
    let mut new = File::from(openat(&folder, &coming, how, Mode::RUSR | Mode::WUSR)?);
    new.write_all(change(&text).as_bytes())?;
    std::os::unix::fs::fchown(&new, Some(meta.uid()), Some(meta.gid()))?;
    new.set_permissions(Permissions::from_mode(mode))?;
    new.sync_all()?;
    renameat(&folder, &coming, &folder, name)?;
    Ok(rustix::fs::fsync(&folder)?)
}

fn failed(path: &Path, error: &std::io::Error) -> Why {
    Why::system(format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_mount_point_is_made() {
        let root = tempfile::tempdir().unwrap();
        let make = Fix::MakeDirectory {
            path: "/srv/db".into(),
        };
        let place = root.path().to_owned();
        crate::tests::with_umask(0o027, move || fix(&make, &place).unwrap());
        // The database's account must come through.
        for made in ["srv", "srv/db"] {
            let meta = std::fs::metadata(root.path().join(made)).unwrap();
            assert_eq!(
                (meta.is_dir(), meta.mode() & 0o777),
                (true, 0o755),
                "{made}"
            );
        }
        std::fs::write(root.path().join("srv/file"), "").unwrap();
        let below_a_file = Fix::MakeDirectory {
            path: "/srv/file/db".into(),
        };
        assert!(fix(&below_a_file, root.path()).is_err());
    }

    #[test]
    fn a_cluster_is_no_longer_started_with_the_others() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("start.conf");
        let write = Fix::ManualCluster {
            file: "/start.conf".into(),
        };
        std::fs::write(
            &file,
            "# Automatic startup\n# may be auto\n\nauto   # now\n",
        )
        .unwrap();
        fix(&write, root.path()).unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        assert_eq!(text, "# Automatic startup\n# may be auto\n\nmanual\n");
        std::fs::remove_file(&file).unwrap();
        fix(&write, root.path()).unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "manual\n");
    }

    #[test]
    fn what_the_database_account_links_to_is_left_alone() {
        let root = tempfile::tempdir().unwrap();
        let own = root.path().join("own");
        let away = root.path().join("away");
        std::fs::create_dir(&own).unwrap();
        std::fs::write(&away, "auto\n").unwrap();
        let file = own.join("start.conf");
        let coming = own.join("start.conf.siaga");
        let write = Fix::ManualCluster {
            file: "/own/start.conf".into(),
        };
        // In the place of what is written and then renamed.
        std::fs::write(&file, "auto\n").unwrap();
        std::fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::chown(&file, Some(101), Some(104)).unwrap();
        std::os::unix::fs::symlink(&away, &coming).unwrap();
        fix(&write, root.path()).unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "manual\n");
        assert!(!coming.exists());
        let meta = std::fs::metadata(&file).unwrap();
        let kept = (meta.uid(), meta.gid(), meta.mode() & 0o7777);
        assert_eq!(kept, (101, 104, 0o640));
        // In the place of the file.
        small_file::tests::each_trap(&file, b"auto\n", |what| {
            assert!(fix(&write, root.path()).is_err(), "{what}");
        });
        // In the place of its folder.
        let elsewhere = root.path().join("elsewhere");
        std::fs::rename(&own, &elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &own).unwrap();
        assert!(fix(&write, root.path()).is_err());
        assert!(!elsewhere.join("start.conf").exists());
        assert_eq!(std::fs::read_to_string(&away).unwrap(), "auto\n");
    }

    /// The real `systemctl`, on a tree of its own.
    #[test]
    fn a_unit_is_no_longer_enabled() {
        if !Path::new(SYSTEMCTL).exists() {
            // Without systemd there is no unit to be found either.
            return;
        }
        let root = tempfile::tempdir().unwrap();
        let wants = root
            .path()
            .join("etc/systemd/system/multi-user.target.wants");
        let units = root.path().join("usr/lib/systemd/system");
        std::fs::create_dir_all(&wants).unwrap();
        std::fs::create_dir_all(&units).unwrap();
        let unit = "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n";
        std::fs::write(units.join("postgresql-15.service"), unit).unwrap();
        let link = wants.join("postgresql-15.service");
        std::os::unix::fs::symlink("/usr/lib/systemd/system/postgresql-15.service", &link).unwrap();
        let name = "postgresql-15.service".to_owned();
        fix(&Fix::DisableUnit { name }, root.path()).unwrap();
        assert!(!link.is_symlink());
    }
}
