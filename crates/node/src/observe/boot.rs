//! What on this host would start the service, or a part of it, at boot and without Siaga.

use crate::small_file;
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
    let ours = |unit: &String| {
        is_database(service, unit) || is_application(service, unit) || is_mount(service, unit)
    };
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

/// A unit that mounts a file system of the service, at the boot or at the first look into its folder.
fn is_mount(service: &Service, unit: &str) -> bool {
    let kinds = [".mount", ".automount"];
    let name = kinds.iter().find_map(|kind| unit.strip_suffix(kind));
    let mut places = service.file_systems.iter().map(|f| &f.mount_point);
    name.is_some_and(|name| places.any(|place| escaped(place) == name))
}

/// As systemd names the unit of a path (`systemd.unit(5)`).
fn escaped(path: &Path) -> String {
    let text = path.to_string_lossy();
    let plain =
        |at: usize, b: u8| b.is_ascii_alphanumeric() || b":_".contains(&b) || (b == b'.' && at > 0);
    let bytes = text.trim_matches('/').bytes().enumerate();
    bytes
        .map(|(at, byte)| match byte {
            b'/' => "-".to_owned(),
            b if plain(at, b) => char::from(b).to_string(),
            b => format!("\\x{b:02x}"),
        })
        .collect()
}

/// Debian: a cluster is started with the others where its `start.conf` says `auto`, or where there is none.
fn cluster(service: &Service, root: &Path, enabled: &[String]) -> Option<BootStart> {
    let file = start_conf(service)?;
    if !enabled.iter().any(|u| u == "postgresql.service") {
        return None;
    }
    let below = root.join(file.strip_prefix("/").unwrap_or(&file));
    // Its folder belongs to the database's account. What can't be read counts as what is not there.
    let text = small_file::read_text(&below).unwrap_or_else(|_| "auto".into());
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
            let ours = devices.iter().any(|d| is_same(root, d, what))
                || service.file_systems.iter().any(|f| f.mount_point == to);
            let says = |word: &str| options.split(',').any(|o| o == word);
            // A unit that wants a mount point (`RequiresMountsFor=`, as Debian's does) has systemd mount also what waits, and
            // an automount does so for whoever looks into the folder.
            let waits =
                service.database.unit.is_none() && says("noauto") && !says("x-systemd.automount");
            (ours && !what.starts_with('#') && !waits).then(|| BootStart::Fstab {
                mount_point: to.to_path_buf(),
                line,
            })
        })
        .collect()
}

/// Does a first word of `fstab` name that device? By the same path, by another name of the same volume, or by anything that
/// leads to the same device now. What is not there on this host can't be told by its number.
fn is_same(root: &Path, device: &Path, what: &str) -> bool {
    let tag = |name: &str, folder: &str| {
        let value = what.strip_prefix(name)?.trim_matches('"');
        Some(Path::new("/dev/disk").join(folder).join(value))
    };
    let by_tag = tag("UUID=", "by-uuid")
        .or_else(|| tag("LABEL=", "by-label"))
        .or_else(|| tag("PARTUUID=", "by-partuuid"))
        .or_else(|| tag("PARTLABEL=", "by-partlabel"))
        .or_else(|| tag("ID=", "by-id"));
    let named = by_tag.unwrap_or_else(|| PathBuf::from(what));
    let leads_to = |path: &Path| {
        let below = root.join(path.strip_prefix("/").unwrap_or(path));
        std::fs::canonicalize(below).ok()
    };
    let same = leads_to(device).is_some_and(|d| leads_to(&named) == Some(d));
    same || named == device || mapped(device).is_some_and(|m| m == named)
}

/// `/dev/mapper/vg-lv`, the other name of `/dev/vg/lv`.
fn mapped(device: &Path) -> Option<PathBuf> {
    let mut parts = device.strip_prefix("/dev").ok()?.iter();
    let (group, volume) = (parts.next()?.to_str()?, parts.next()?.to_str()?);
    let doubled = |name: &str| name.replace('-', "--");
    let name = format!("{}-{}", doubled(group), doubled(volume));
    parts
        .next()
        .is_none()
        .then(|| Path::new("/dev/mapper").join(name))
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
