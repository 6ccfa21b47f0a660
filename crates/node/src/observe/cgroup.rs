//! The processes in a unit's control group, as the kernel lists them: under version 2, and under version 1 in systemd's own
//! hierarchy.

use super::mounts;
use siaga_model::Why;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// One control group, wherever it is mounted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ControlGroup {
    /// As systemd and `/proc/PID/cgroup` name it: `/system.slice/x.service`.
    name: String,
    places: Vec<PathBuf>,
}

impl ControlGroup {
    /// The one of that name on this host.
    pub fn named(name: &str) -> Result<Self, Why> {
        let table = std::fs::read("/proc/thread-self/mountinfo");
        let table = table.map_err(|e| Why::MountTable {
            said: e.to_string(),
        })?;
        Ok(Self::below(name, &roots(&String::from_utf8_lossy(&table))))
    }

    fn below(name: &str, roots: &[PathBuf]) -> Self {
        let rest = name.trim_start_matches('/');
        Self {
            name: format!("/{rest}"),
            places: roots.iter().map(|r| r.join(rest)).collect(),
        }
    }

    /// Every process in it, and in the groups below it.
    pub fn pids(&self) -> Result<Vec<i32>, Why> {
        let mut pids = Vec::new();
        for place in &self.places {
            collect(place, &mut pids)?;
        }
        pids.sort_unstable();
        pids.dedup();
        Ok(pids)
    }

    /// Is the process in it?
    pub fn holds(&self, pid: i32) -> bool {
        group_of(pid).is_some_and(|group| {
            let below = group.strip_prefix(&self.name);
            below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }
}

/// The control group of a process in the hierarchy that systemd sorts by.
pub fn group_of(pid: i32) -> Option<String> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    let of = |ours: fn(&str) -> Option<&str>| text.lines().find_map(ours).map(str::to_owned);
    // With both mounted, systemd's own is the one of version 1.
    of(|line| line.split_once(":name=systemd:").map(|(_, group)| group))
        .or_else(|| of(|line| line.strip_prefix("0::")))
}

/// Where a group of that name is, or would be.
#[cfg(test)]
pub(crate) fn places(name: &str) -> Vec<PathBuf> {
    ControlGroup::named(name).map_or_else(|_| Vec::new(), |group| group.places)
}

/// Where systemd's hierarchies are mounted, as a whole.
fn roots(mountinfo: &str) -> Vec<PathBuf> {
    let whole = |line: &str| {
        let mut fields = line.split(' ');
        let (root, place) = (fields.nth(3)?, fields.next()?);
        let kind = fields.skip_while(|f| *f != "-").nth(1)?;
        let systemds = match kind {
            "cgroup2" => true,
            "cgroup" => line.split([' ', ',']).any(|word| word == "name=systemd"),
            _ => false,
        };
        (systemds && root == "/").then(|| mounts::unescape(place.as_bytes()))
    };
    mountinfo.lines().filter_map(whole).collect()
}

fn collect(place: &Path, pids: &mut Vec<i32>) -> Result<(), Why> {
    let gone = |e: &std::io::Error| {
        e.kind() == ErrorKind::NotFound || e.raw_os_error() == Some(libc::ENODEV)
    };
    let failed = |e: std::io::Error| Why::system(format!("{}: {e}", place.display()));
    let text = match std::fs::read_to_string(place.join("cgroup.procs")) {
        Ok(text) => text,
        // A group goes with its last process.
        Err(e) if gone(&e) => return Ok(()),
        Err(e) => return Err(failed(e)),
    };
    for word in text.split_ascii_whitespace() {
        match word.parse() {
            // 0: a process that can't be seen from here.
            Ok(0) | Err(_) => return Err(Why::system(format!("{}: {word}", place.display()))),
            Ok(pid) => pids.push(pid),
        }
    }
    let below = match std::fs::read_dir(place) {
        Ok(below) => below,
        Err(e) if gone(&e) => return Ok(()),
        Err(e) => return Err(failed(e)),
    };
    for entry in below.flatten() {
        if entry.file_type().is_ok_and(|t| t.is_dir()) {
            collect(&entry.path(), pids)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const MIXED: &str = "\
30 24 0:26 / /sys/fs/cgroup/unified rw,nosuid - cgroup2 cgroup2 rw\n\
31 24 0:27 / /sys/fs/cgroup/systemd rw,nosuid - cgroup cgroup rw,xattr,name=systemd\n\
32 24 0:28 / /sys/fs/cgroup/pids rw,nosuid - cgroup cgroup rw,pids\n\
33 24 0:26 /docker/7 /srv/elsewhere rw - cgroup2 cgroup2 rw\n";

    #[test]
    fn systemds_hierarchies_are_told_from_those_of_the_controllers() {
        let at = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd"].map(PathBuf::from);
        assert_eq!(roots(MIXED), at);
        let alone = "26 21 0:22 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n";
        assert_eq!(roots(alone), [PathBuf::from("/sys/fs/cgroup")]);
    }

    #[test]
    fn what_is_in_groups_below_counts_and_a_group_that_is_gone_is_empty() {
        let dir = tempfile::tempdir().unwrap();
        let unit = "/system.slice/x.service";
        let place = dir.path().join("system.slice/x.service");
        std::fs::create_dir_all(place.join(".control")).unwrap();
        std::fs::write(place.join("cgroup.procs"), "").unwrap();
        std::fs::write(place.join(".control/cgroup.procs"), "17\n4\n").unwrap();
        let roots = [dir.path().join("v1"), dir.path().to_path_buf()];
        let group = ControlGroup::below(unit, &roots);
        assert_eq!(group.pids(), Ok(vec![4, 17]));
        std::fs::write(place.join("cgroup.procs"), "0\n").unwrap();
        assert!(group.pids().is_err(), "one that can't be seen");
        assert_eq!(
            ControlGroup::below("/system.slice/y.service", &roots).pids(),
            Ok(vec![])
        );
    }

    #[test]
    fn a_name_that_only_begins_alike_is_another_group() {
        let own = group_of(i32::try_from(std::process::id()).unwrap()).unwrap();
        let pid = i32::try_from(std::process::id()).unwrap();
        let named = |name: &str| ControlGroup::below(name, &[]).holds(pid);
        assert!(named(&own));
        assert!(!named(&format!("{own}x")));
    }
}
