//! Mends what a check found and what can be mended without any harm (see [`Fix`]).

use crate::command;
use siaga_model::Why;
use siaga_model::readiness::Fix;
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
            std::fs::create_dir_all(&path).map_err(|e| failed(&path, &e))
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
/// Written in place: its owner and its mode stay.
fn manual(file: &Path) -> Result<(), Why> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(e) => return Err(failed(file, &e)),
    };
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let says = |line: &&mut String| !line.split('#').next().unwrap_or_default().trim().is_empty();
    match lines.iter_mut().find(says) {
        Some(line) => *line = "manual".to_owned(),
        None => lines.push("manual".to_owned()),
    }
    std::fs::write(file, lines.join("\n") + "\n").map_err(|e| failed(file, &e))
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
        fix(&make, root.path()).unwrap();
        assert!(root.path().join("srv/db").is_dir());
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
