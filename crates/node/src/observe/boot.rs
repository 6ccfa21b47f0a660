//! What on this host would start the service, or a part of it, at boot and without Siaga.

use siaga_model::NodeName;
use siaga_model::config::{ApplicationRun, Service};
use siaga_model::evidence::BootStart;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// A larger file of network configuration is none.
const LARGEST: u64 = 1 << 20;

/// Everything that is found, under `root` (`/` on a real host).
pub fn starts(service: &Service, node: &NodeName, root: &Path) -> Vec<BootStart> {
    let mut found = Vec::new();
    let enabled = enabled_units(root);
    let ours = |unit: &String| is_database(service, unit) || is_application(service, unit);
    let units = enabled.iter().filter(|u| ours(u));
    found.extend(units.map(|name| BootStart::Unit { name: name.clone() }));
    found.extend(cluster(service, root, &enabled));
    found.extend(fstab(service, node, root));
    found.extend(addresses(service, root));
    found
}

/// The units of databases that are started at boot, whatever they are for.
pub fn databases(root: &Path) -> Vec<String> {
    let all = enabled_units(root).into_iter();
    let rest = |u: &str| u.strip_prefix("postgresql").map(str::to_owned);
    let one = |r: &String| r.ends_with(".service") && (r.starts_with(['@', '-', '.']));
    all.filter(|u| rest(u).as_ref().is_some_and(one)).collect()
}

/// Of `*.wants` and `*.requires` of the system's own directories.
fn enabled_units(root: &Path) -> Vec<String> {
    let system = root.join("etc/systemd/system");
    let mut units: Vec<String> = entries(&system)
        .filter(|p| {
            let kind = p.extension().and_then(|e| e.to_str());
            matches!(kind, Some("wants" | "requires"))
        })
        .flat_map(|dir| entries(&dir).collect::<Vec<_>>())
        .filter_map(|p| p.file_name()?.to_str().map(str::to_owned))
        .collect();
    units.sort();
    units.dedup();
    units
}

/// Debian's `postgresql@15-main.service` of this very cluster, or `postgresql-15.service` of the RPM distributions where this
/// is their only layout. Another database of the host is nobody's business: `check --fix` would switch it off. Debian's
/// `postgresql.service` starts only the clusters whose `start.conf` says so.
fn is_database(service: &Service, unit: &str) -> bool {
    if service.database.unit.as_deref() == Some(unit) {
        return true;
    }
    match debian_cluster(service) {
        Some((version, name)) => unit == format!("postgresql@{version}-{name}.service"),
        None => major(service).is_some_and(|m| unit == format!("postgresql-{m}.service")),
    }
}

/// `15` and `main`, of `/etc/postgresql/15/main/postgresql.conf`.
fn debian_cluster(service: &Service) -> Option<(&str, &str)> {
    let config = service.database.config_file.as_ref()?;
    let mut parts = config.strip_prefix("/etc/postgresql").ok()?.iter();
    Some((parts.next()?.to_str()?, parts.next()?.to_str()?))
}

/// Of `/usr/pgsql-15/bin`.
fn major(service: &Service) -> Option<&str> {
    let mut parts = service.database.bin_dir.iter();
    parts.find_map(|p| p.to_str()?.strip_prefix("pgsql-"))
}

fn is_application(service: &Service, unit: &str) -> bool {
    service.applications.iter().any(|app| match &app.run {
        ApplicationRun::Unit(name) => unit == name || unit == format!("{name}.service"),
        ApplicationRun::Programs { .. } => false,
    })
}

/// Debian: a cluster is started with the others where its `start.conf` says `auto`, or where there is none.
fn cluster(service: &Service, root: &Path, enabled: &[String]) -> Option<BootStart> {
    let file = start_conf(service)?;
    if !enabled.iter().any(|u| u == "postgresql.service") {
        return None;
    }
    let below = root.join(file.strip_prefix("/").unwrap_or(&file));
    let text = match std::fs::read_to_string(below) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => "auto".into(),
        Err(_) => return None,
    };
    let mut words = text
        .lines()
        .map(|l| l.split('#').next().unwrap_or_default().trim());
    let first = words.find(|w| !w.is_empty()).unwrap_or("auto");
    (first == "auto").then_some(BootStart::Cluster { file })
}

/// Beside the configuration file, where Debian's tools keep it.
pub fn start_conf(service: &Service) -> Option<PathBuf> {
    let config = service.database.config_file.as_ref()?;
    config
        .starts_with("/etc/postgresql")
        .then(|| config.with_file_name("start.conf"))
}

fn fstab(service: &Service, node: &NodeName, root: &Path) -> Vec<BootStart> {
    let text = std::fs::read_to_string(root.join("etc/fstab")).unwrap_or_default();
    let devices = service.devices(node);
    (1..)
        .zip(text.lines())
        .filter_map(|(line, words)| {
            let mut words = words.split_whitespace();
            let (what, to) = (words.next()?, words.next()?);
            let options = words.nth(1).unwrap_or_default();
            let to = Path::new(to);
            let ours = devices.iter().any(|d| *d == Path::new(what))
                || service.file_systems.iter().any(|f| f.mount_point == to);
            // A unit that wants a mount point (`RequiresMountsFor=`, as Debian's does) has systemd mount also what waits.
            let waits =
                service.database.unit.is_none() && options.split(',').any(|o| o == "noauto");
            (ours && !what.starts_with('#') && !waits).then(|| BootStart::Fstab {
                mount_point: to.to_path_buf(),
                line,
            })
        })
        .collect()
}

/// Where the network's configuration is kept: a file, or a folder of them.
const NETWORK: [&str; 6] = [
    "etc/network/interfaces",
    "etc/network/interfaces.d",
    "etc/netplan",
    "etc/systemd/network",
    "etc/NetworkManager/system-connections",
    "etc/sysconfig/network-scripts",
];

fn addresses(service: &Service, root: &Path) -> Vec<BootStart> {
    NETWORK
        .iter()
        .map(|place| root.join(place))
        .flat_map(|place| match place.is_dir() {
            true => entries(&place).collect(),
            false => vec![place],
        })
        .filter(|p| std::fs::metadata(p).is_ok_and(|m| m.is_file() && m.len() <= LARGEST))
        .filter(|p| {
            let text = std::fs::read_to_string(p).unwrap_or_default();
            service.virtual_ips.iter().any(|v| names(&text, v.address))
        })
        .map(|p| BootStart::Address {
            file: Path::new("/").join(p.strip_prefix(root).unwrap_or(&p)),
        })
        .collect()
}

/// Does a line that is no comment hold that address, however it is written?
fn names(text: &str, address: IpAddr) -> bool {
    text.lines()
        .map(str::trim_start)
        .filter(|line| !line.starts_with(['#', ';']))
        .flat_map(|line| line.split(|c: char| !(c.is_ascii_hexdigit() || ".:".contains(c))))
        .filter_map(|word| {
            word.trim_matches(':')
                .parse::<IpAddr>()
                .ok()
                .or_else(|| word.parse().ok())
        })
        .any(|found| found == address)
}

fn entries(dir: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    std::fs::read_dir(dir)
        .into_iter()
        .flatten()
        .flatten()
        .map(|e| e.path())
}
