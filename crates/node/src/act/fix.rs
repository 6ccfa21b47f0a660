//! Mends what a check found and what can be mended without any harm (see [`Fix`]).

use super::directory;
use super::own_file::{self, Place};
use crate::{command, small_file};
use siaga_model::Why;
use siaga_model::readiness::Fix;
use std::fs::Permissions;
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
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

/// Replaces a small text file. Its folder may belong to another account, which could lead us away by links: see [`own_file`].
fn rewrite(file: &Path, change: &dyn Fn(&str) -> String) -> io::Result<()> {
    let place = Place::of(file)?;
    let coming = place.beside(".siaga")?;
    let old = match place.open() {
        Ok(old) => Some(old),
        Err(e) if e.kind() == io::ErrorKind::NotFound => None,
        Err(e) => return Err(e),
    };
    let text = match &old {
        Some(old) => small_file::text(small_file::read_from(old)?)?,
        None => String::new(),
    };
    let mut new = coming.create()?;
    new.write_all(change(&text).as_bytes())?;
    match &old {
        Some(old) => own_file::owner_and_mode(&old.metadata()?, &new)?,
        None => {
            let owner = place.folder()?;
            fchown(&new, Some(owner.uid()), Some(owner.gid()))?;
            new.set_permissions(Permissions::from_mode(0o644))?;
        }
    }
    new.sync_all()?;
    std::fs::rename(coming.path(), place.path())?;
    place.sync()
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
        std::os::unix::fs::lchown(&own, Some(101), Some(104)).unwrap();
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
