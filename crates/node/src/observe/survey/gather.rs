//! Collects the texts. Looks, and changes nothing.

use super::{BlockText, ClusterText, Gathered, ProcessText, Server};
use crate::act::bounded;
use crate::act::disk_set::reservation::kernel;
use crate::act::own_file::Place;
use crate::act::postgres::connect;
use crate::observe::{boot, holders, interfaces, program};
use crate::{command, small_file};
use siaga_model::config::Database;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::runtime::Handle;

/// How long one of the small programs, or an answer of the database, may take.
const WITHIN: Duration = Duration::from_secs(5);
/// Larger is no file of a server about itself, bytes.
const TEXT_LIMIT: u64 = 64 << 10;
/// How long a neighbour may take to be heard.
const HEARD_WITHIN: Duration = Duration::from_millis(700);

/// Everything of this host.
pub fn gather() -> Gathered {
    let text = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let mountinfo = std::fs::read("/proc/self/mountinfo").unwrap_or_default();
    Gathered {
        host: rustix::system::uname()
            .nodename()
            .to_string_lossy()
            .into_owned(),
        processes: processes(),
        mountinfo: String::from_utf8_lossy(&mountinfo).into_owned(),
        passwd: text("/etc/passwd"),
        block: block(),
        links: links(),
        vgs: told_by_lvm(&["vgs", "-o", "vg_name,vg_systemid,pv_name"]),
        lvs: told_by_lvm(&[
            "lvs",
            "--units",
            "b",
            "--nosuffix",
            "-o",
            "vg_name,lv_name,lv_size",
        ]),
        fstab: text("/etc/fstab"),
        clusters: clusters(Path::new("/")),
        routes: text("/proc/net/route"),
        interfaces: interfaces::all().unwrap_or_default(),
        boot_units: boot::databases(Path::new("/")),
    }
}

fn processes() -> Vec<ProcessText> {
    let pids = holders::all_pids().unwrap_or_default();
    pids.into_iter().filter_map(process).collect()
}

fn process(pid: i32) -> Option<ProcessText> {
    let proc = PathBuf::from(format!("/proc/{pid}"));
    let exe = std::fs::read_link(proc.join("exe")).ok()?;
    // The program may have been replaced by an upgrade while it runs.
    let bytes = exe.as_os_str().as_bytes();
    let bytes = bytes.strip_suffix(b" (deleted)").unwrap_or(bytes);
    let exe = PathBuf::from(std::ffi::OsStr::from_bytes(bytes));
    if !matches!(exe.file_name()?.to_str()?, "postgres" | "postmaster") {
        return None;
    }
    // One in a container is not this host's: its paths are others.
    let namespace = |of: &str| std::fs::read_link(format!("/proc/{of}/ns/pid")).ok();
    if namespace(&pid.to_string()) != namespace("self") {
        return None;
    }
    let cwd = std::fs::read_link(proc.join("cwd")).ok()?;
    let stat = std::fs::read_to_string(proc.join("stat")).ok()?;
    let parent = stat[stat.rfind(')')? + 1..]
        .split_ascii_whitespace()
        .nth(1)?;
    let arguments = words(&proc.join("cmdline"));
    let pgdata = words(&proc.join("environ"))
        .into_iter()
        .find_map(|v| v.strip_prefix("PGDATA=").map(str::to_owned));
    let told = told_directory(&arguments).or_else(|| pgdata.clone());
    // The directory is somebody else's: what is read there is a plain, small file.
    let text = |name: &str| {
        let content = Place::of(&cwd.join(name)).and_then(|p| p.read(TEXT_LIMIT));
        String::from_utf8(content.ok()?).ok()
    };
    Some(ProcessText {
        pid,
        parent: parent.parse().ok()?,
        uid: std::fs::metadata(&proc).ok()?.uid(),
        not_roots: !program::is_roots(&exe),
        exe,
        arguments,
        pgdata,
        told_real: told.and_then(|d| std::fs::canonicalize(d).ok()),
        cgroup: std::fs::read_to_string(proc.join("cgroup")).unwrap_or_default(),
        pid_file: text("postmaster.pid"),
        pg_version: text("PG_VERSION").map(|v| v.trim().to_owned()),
        parts: parts(&cwd),
        cwd,
    })
}

fn told_directory(arguments: &[String]) -> Option<String> {
    let at = arguments.iter().position(|a| a.starts_with("-D"))?;
    match arguments[at].strip_prefix("-D") {
        Some("") => arguments.get(at + 1).cloned(),
        joined => joined.map(str::to_owned),
    }
}

fn words(path: &Path) -> Vec<String> {
    let bytes = std::fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    text.split('\0')
        .filter(|w| !w.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The WAL and the table spaces of a data directory, and where they really are.
fn parts(data_dir: &Path) -> Vec<(PathBuf, PathBuf)> {
    let mut links = entries(&data_dir.join("pg_tblspc"));
    links.push(data_dir.join("pg_wal"));
    links
        .into_iter()
        .filter_map(|link| Some((link.clone(), std::fs::canonicalize(&link).ok()?)))
        .collect()
}

fn entries(dir: &Path) -> Vec<PathBuf> {
    let read = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = read.map(|e| e.path()).collect();
    found.sort();
    found
}

fn block() -> Vec<BlockText> {
    let text = |path: PathBuf| {
        let read = std::fs::read_to_string(path).ok()?;
        Some(read.trim().to_owned()).filter(|t| !t.is_empty())
    };
    let one = |dir: PathBuf| {
        let number = text(dir.join("dev"))?;
        let seen = std::fs::read_to_string(format!("/run/udev/data/b{number}")).unwrap_or_default();
        let seen = |key: &str| {
            let mut lines = seen.lines();
            lines.find_map(|l| Some(l.strip_prefix("E:")?.strip_prefix(key)?.to_owned()))
        };
        let replica = told_of_replica(&dir).unwrap_or_default();
        let mut below: Vec<String> = entries(&dir.join("slaves"))
            .iter()
            .filter_map(|p| name_of(p))
            .collect();
        // DRBD does not tell the kernel what it lies on.
        below.extend(super::storage::told_disk(&replica).filter(|d| !below.contains(d)));
        Some(BlockText {
            number,
            name: dir.file_name()?.to_str()?.to_owned(),
            // sysfs counts in 512 bytes, whatever the disk's sectors are.
            bytes: text(dir.join("size"))?
                .parse::<u64>()
                .ok()?
                .saturating_mul(512),
            dm_name: text(dir.join("dm/name")),
            dm_uuid: text(dir.join("dm/uuid")),
            drbd: super::storage::told_resource(&replica),
            below,
            part_of: whole(&dir),
            content: seen("ID_FS_TYPE="),
            uuid: seen("ID_FS_UUID="),
            reserves: reserves(&dir),
        })
    };
    let all = entries(Path::new("/sys/class/block")).into_iter();
    all.filter_map(one).filter(|b| b.bytes > 0).collect()
}

fn name_of(path: &Path) -> Option<String> {
    path.file_name()?.to_str().map(str::to_owned)
}

/// Asked of whole SCSI disks and of multipath maps, not of a path that a map has taken. One question, and it changes nothing.
fn reserves(dir: &Path) -> bool {
    let is_map = |of: &Path| {
        let uuid = std::fs::read_to_string(of.join("dm/uuid"));
        uuid.is_ok_and(|u| u.starts_with("mpath-"))
    };
    let path_of_a_map = entries(&dir.join("holders")).iter().any(|h| is_map(h));
    let disk = dir.join("device/scsi_device").exists() && !path_of_a_map;
    let Some(name) = name_of(dir).filter(|_| disk || is_map(dir)) else {
        return false;
    };
    let device = Path::new("/dev").join(name);
    let asked = bounded::run(WITHIN, move || kernel::abilities_of(&device));
    matches!(asked, Some(Ok(can)) if can.registrants == Some(true) && can.persists)
}

/// The disk that a partition is of: its folder in sysfs lies in the disk's.
fn whole(dir: &Path) -> Option<String> {
    let real = std::fs::canonicalize(dir).ok()?;
    real.join("partition").exists().then_some(())?;
    name_of(real.parent()?)
}

/// The DRBD resource that a block device is, and what it lies on. Its link by name comes with an event of udev, which may have come
/// too early.
fn told_of_replica(dir: &Path) -> Option<String> {
    let minor = dir.file_name()?.to_str()?.strip_prefix("drbd")?;
    let argv = ["drbdadm", "sh-udev", &format!("minor-{minor}")].map(str::to_owned);
    let result = command::run(&argv, None, WITHIN);
    result.succeeded().then_some(result.stdout)
}

fn links() -> Vec<(PathBuf, PathBuf)> {
    let mut links = entries(Path::new("/dev/disk/by-id"));
    for resource in entries(Path::new("/dev/drbd/by-res")) {
        match resource.is_dir() {
            true => links.extend(entries(&resource)),
            false => links.push(resource),
        }
    }
    links
        .into_iter()
        .filter_map(|link| Some((link.clone(), std::fs::canonicalize(&link).ok()?)))
        .collect()
}

fn told_by_lvm(words: &[&str]) -> Option<String> {
    let mut argv: Vec<String> = words.iter().map(|w| (*w).to_owned()).collect();
    argv.extend(["--reportformat".to_owned(), "json".to_owned()]);
    let result = command::run(&argv, None, WITHIN);
    result.succeeded().then_some(result.stdout)
}

/// Debian's clusters below `/etc/postgresql`.
fn clusters(root: &Path) -> Vec<ClusterText> {
    let versions = entries(&root.join("etc/postgresql")).into_iter();
    let folders = versions.flat_map(|version| entries(&version));
    folders.filter_map(|dir| cluster(root, &dir)).collect()
}

fn cluster(root: &Path, dir: &Path) -> Option<ClusterText> {
    let config_file = dir.join("postgresql.conf");
    let version = name_of(dir.parent()?)?;
    // Debian includes these at its end, so what they say counts.
    let text_of = |file: &Path| String::from_utf8(small_file::read_configuration(file).ok()?).ok();
    let mut text = text_of(&config_file)?;
    for file in entries(&dir.join("conf.d")) {
        if file.extension().is_some_and(|e| e == "conf") {
            text.push('\n');
            text.push_str(&text_of(&file).unwrap_or_default());
        }
    }
    let bin_dir = root.join("usr/lib/postgresql").join(&version).join("bin");
    let data_dir = super::cluster::data_directory(&text);
    Some(ClusterText {
        name: name_of(dir)?,
        has_data: data_dir.is_some_and(|d| d.join("PG_VERSION").exists()),
        bin_dir: Some(bin_dir).filter(|d| program::is_roots(&d.join("postgres"))),
        version,
        config_file,
        text,
    })
}

/// The roles of a running server that may log in. Empty where it does not say.
pub fn login_roles(rt: &Handle, server: &Server) -> Vec<String> {
    let Ok(account) = crate::act::postgres::account::lookup(&server.os_user) else {
        return Vec::new();
    };
    let database = Database {
        bin_dir: server.bin_dir.clone(),
        data_dir: server.data_dir.clone(),
        config_file: server.config_file.clone(),
        unit: None,
        port: server.port,
        os_user: server.os_user.clone(),
        socket_dir: server.socket_dir.clone(),
        // Peer authentication lets the account in under its own name.
        check_user: server.os_user.clone(),
        check_database: "postgres".to_owned(),
        stop_fast: WITHIN,
        stop_immediate: WITHIN,
        start_stalled: WITHIN,
    };
    let statement =
        "select string_agg(rolname, chr(10) order by rolname) from pg_roles where rolcanlogin";
    let said = connect::query(rt, &database, account.uid, server.pid, statement, WITHIN);
    let said = said.ok().flatten().unwrap_or_default();
    said.lines().map(str::to_owned).collect()
}

/// The hardware address of a neighbour, which is spoken to first, so that the kernel asks for it. Only IPv4 has a table
/// that is read here.
pub fn neighbour(address: SocketAddr) -> Option<String> {
    // Refused or not: the answer to the kernel's own question is what is wanted.
    let _ = TcpStream::connect_timeout(&address, HEARD_WITHIN);
    let arp = std::fs::read_to_string("/proc/net/arp").ok()?;
    let ip: IpAddr = address.ip();
    super::network::in_arp(&arp, ip)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn a_server_of_which_others_could_change_the_program_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let exe = dir.path().join("postgres");
        std::fs::copy("/bin/sleep", &exe).unwrap();
        std::fs::write(dir.path().join("PG_VERSION"), "15\n").unwrap();
        let mut command = Command::new(&exe);
        let mut child = command.arg("600").current_dir(dir.path()).spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        let found = process(pid);
        child.kill().unwrap();
        child.wait().unwrap();
        let found = found.expect("its program is called postgres");
        assert_eq!(found.pg_version.as_deref(), Some("15"));
        let gathered = Gathered {
            processes: vec![found],
            ..Gathered::default()
        };
        let found = crate::observe::survey::detect(&gathered);
        assert!(found.servers.is_empty(), "{:?}", found.servers);
        assert_eq!(found.not_roots, [exe.canonicalize().unwrap()]);
    }

    #[test]
    fn the_programs_of_a_stopped_cluster_are_offered_only_where_they_are_roots() {
        let dir = tempfile::tempdir().unwrap();
        let at = |path: &str| dir.path().join(path);
        std::fs::create_dir_all(at("etc/postgresql/15/main")).unwrap();
        std::fs::create_dir_all(at("usr/lib/postgresql/15/bin")).unwrap();
        std::fs::write(at("etc/postgresql/15/main/postgresql.conf"), "").unwrap();
        std::fs::write(at("usr/lib/postgresql/15/bin/postgres"), "").unwrap();
        let found = clusters(dir.path()).remove(0);
        assert_eq!((found.version.as_str(), found.bin_dir), ("15", None));
    }
}
