//! A multipath map: one disk by several paths. A registration is one path's, so each gets one. `multipathd` tells which
//! paths work, by its JSON, and is told the key: it registers a path that comes back before the kernel uses it, and only
//! while that very key is registered still (so never at a server that was fenced).

use crate::command;
use serde::Deserialize;
use siaga_model::Why;
use siaga_model::reservation::ReservationKey;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long `multipathd` may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// A map of the kernel's device mapper.
pub(super) struct Map {
    name: String,
    /// Its folder in sysfs.
    place: PathBuf,
}

/// What `multipathd` says of a map.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Told {
    /// Paths that the kernel does not use now, by the names of their devices.
    pub dead: Vec<String>,
    /// What is written waits for ever where no path works.
    pub queues: bool,
}

#[derive(Deserialize)]
struct Answer {
    map: TheMap,
}

#[derive(Deserialize)]
struct TheMap {
    queueing: String,
    path_groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    paths: Vec<OnePath>,
}

#[derive(Deserialize)]
struct OnePath {
    dev: String,
    /// The kernel's own word: `active`, `failed`.
    dm_st: String,
}

impl Map {
    /// The multipath map that `device` is, where it is one.
    pub(super) fn of(device: &Path) -> Result<Option<Self>, Why> {
        let failed = |e: std::io::Error| Why::system(format!("{}: {e}", device.display()));
        let number = std::fs::metadata(device).map_err(failed)?.rdev();
        let (major, minor) = (rustix::fs::major(number), rustix::fs::minor(number));
        let place = PathBuf::from(format!("/sys/dev/block/{major}:{minor}"));
        let kind = std::fs::read_to_string(place.join("dm/uuid"));
        if !kind.is_ok_and(|uuid| uuid.starts_with("mpath-")) {
            return Ok(None);
        }
        let name = std::fs::read_to_string(place.join("dm/name")).map_err(failed)?;
        Ok(Some(Self {
            name: name.trim().to_owned(),
            place,
        }))
    }

    /// The devices of its paths, as the kernel has them.
    pub(super) fn paths(&self) -> Result<Vec<PathBuf>, Why> {
        let failed = |e: std::io::Error| Why::system(format!("{}: {e}", self.name));
        let mut paths = Vec::new();
        for path in std::fs::read_dir(self.place.join("slaves")).map_err(failed)? {
            let name = path.map_err(failed)?.file_name();
            // sysfs writes a slash of a device's name as an exclamation mark.
            paths.push(Path::new("/dev").join(name.to_string_lossy().replace('!', "/")));
        }
        paths.sort_unstable();
        Ok(paths)
    }

    /// Does the kernel use that path no more? Without a word of `multipathd` it does: then the path must do its part.
    pub(super) fn is_dead(&self, path: &Path) -> bool {
        let name = path.strip_prefix("/dev").unwrap_or(path).to_string_lossy();
        self.told().is_ok_and(|t| t.dead.iter().any(|d| *d == name))
    }

    /// The state of its paths.
    pub(super) fn told(&self) -> Result<Told, Why> {
        let text = ask(&["show", "map", &self.name, "json"])?;
        read(&text).map_err(|e| Why::system(e).of("multipathd"))
    }

    /// From now on a path that comes back is registered under `key`. Fails where `multipath.conf` does not say so.
    pub(super) fn keep(&self, key: ReservationKey) -> Result<(), Why> {
        // The kernel asks the storage to keep its registrations (APTPL), so multipathd must as well.
        let key = format!("{:#018x}:aptpl", key.raw());
        self.change("setprkey", &["key", &key])?;
        self.change("setprstatus", &[])
    }

    /// From now on a path that comes back is left as it is.
    pub(super) fn forget(&self) -> Result<(), Why> {
        self.change("unsetprstatus", &[])?;
        self.change("unsetprkey", &[])
    }

    /// Would [`Map::keep`] be done?
    pub(super) fn can_keep() -> Result<bool, Why> {
        Ok(keeps_keys(&ask(&["show", "config", "local"])?))
    }

    /// The verb comes first: newer versions know no other order, whatever their manual says, and older ones know every one.
    fn change(&self, verb: &str, words: &[&str]) -> Result<(), Why> {
        let said = ask(&[&[verb, "map", &self.name], words].concat())?;
        match said.trim() {
            "ok" => Ok(()),
            other => Err(Why::system(other).of("multipathd")),
        }
    }
}

fn ask(words: &[&str]) -> Result<String, Why> {
    let argv: Vec<String> = [&["multipathd"], words]
        .concat()
        .into_iter()
        .map(str::to_owned)
        .collect();
    let result = command::run(&argv, None, ANSWER_WITHIN);
    match result.succeeded() {
        true => Ok(result.stdout),
        false => Err(result.ending(result.last_line()).of("multipathd")),
    }
}

fn read(text: &str) -> Result<Told, serde_json::Error> {
    let answer: Answer = serde_json::from_str(text)?;
    let paths = answer.map.path_groups.into_iter().flat_map(|g| g.paths);
    Ok(Told {
        dead: paths
            .filter(|p| p.dm_st == "failed")
            .map(|p| p.dev)
            .collect(),
        queues: answer.map.queueing == "on",
    })
}

/// `reservation_key file`, in whichever section of the configuration.
fn keeps_keys(configuration: &str) -> bool {
    configuration.lines().any(|line| {
        let mut words = line.split_whitespace();
        words.next() == Some("reservation_key")
            && words.next().is_some_and(|w| w.trim_matches('"') == "file")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `multipathd show map simrs json` of multipath-tools 0.9.4 writes it, shortened.
    const TOLD: &str = r#"{
   "major_version": 0,
   "minor_version": 1,
   "map":{
      "name" : "simrs", "uuid" : "36001405", "sysfs" : "dm-0", "queueing" : "12 chk", "paths" : 2,
      "path_groups": [{
         "selector" : "service-time 0", "dm_st" : "active", "group" : 1,
         "paths": [{ "dev" : "sda", "dev_t" : "8:0", "dm_st" : "failed", "chk_st" : "faulty" }]
      },{
         "selector" : "service-time 0", "dm_st" : "enabled", "group" : 2,
         "paths": [{ "dev" : "sdb", "dev_t" : "8:16", "dm_st" : "active", "chk_st" : "ready" }]
      }]
   }
}"#;

    #[test]
    fn the_paths_that_do_not_work() {
        let told = read(TOLD).unwrap();
        let expected = Told {
            dead: vec!["sda".into()],
            queues: false,
        };
        assert_eq!(told, expected);
        assert!(read(&TOLD.replace("12 chk", "on")).unwrap().queues);
        // A path of which nothing is told must do its part.
        let untold = TOLD.replace("\"failed\"", "\"undef\"");
        assert!(read(&untold).unwrap().dead.is_empty());
        assert!(read("fail\n").is_err() && read("{}").is_err());
    }

    #[test]
    fn whether_multipathd_keeps_keys() {
        assert!(keeps_keys("defaults {\n\treservation_key \"file\"\n}\n"));
        assert!(keeps_keys("multipath {\n\treservation_key file\n}\n"));
        assert!(!keeps_keys("defaults {\n\treservation_key 0x1\n}\n"));
        assert!(!keeps_keys(
            "defaults {\n\tprkeys_file \"/etc/multipath/prkeys\"\n}\n"
        ));
    }
}
