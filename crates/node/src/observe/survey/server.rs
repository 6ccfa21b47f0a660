//! Which database servers run, and how they were started.

use super::{Disk, Gathered, Layout, ProcessText, Server};
use std::path::{Path, PathBuf};

/// Every server that runs, and that root may run again.
pub(super) fn servers(gathered: &Gathered, disks: &[Disk]) -> Vec<Server> {
    let roots = postmasters(gathered).filter(|p| !p.not_roots);
    roots.map(|p| server(p, gathered, disks)).collect()
}

/// The programs of the others.
pub(super) fn not_roots(gathered: &Gathered) -> Vec<PathBuf> {
    let others = postmasters(gathered).filter(|p| p.not_roots);
    others.map(|p| p.exe.clone()).collect()
}

fn postmasters(gathered: &Gathered) -> impl Iterator<Item = &ProcessText> {
    let child = move |p: &ProcessText| gathered.processes.iter().any(|q| q.pid == p.parent);
    let titled = |p: &ProcessText| {
        p.arguments
            .first()
            .is_some_and(|a| a.starts_with("postgres: "))
    };
    gathered
        .processes
        .iter()
        // Only a server's working directory is a data directory; `postgres --version` has none.
        .filter(move |p| p.pg_version.is_some() && !child(p) && !titled(p))
}

fn server(process: &ProcessText, gathered: &Gathered, disks: &[Disk]) -> Server {
    let given = Given::of(process.arguments.get(1..).unwrap_or_default());
    let said = |line: usize| {
        let text = process.pid_file.as_deref().unwrap_or_default();
        text.lines().nth(line).map(str::trim).unwrap_or_default()
    };
    let config_file = config_file(process, &given);
    let socket = said(4).split(',').next().unwrap_or_default().trim();
    let disk = disk_of(&process.cwd, disks).cloned();
    let mount = disk.as_ref().and_then(|d| d.mount_point.clone());
    let outside: Vec<_> = process
        .parts
        .iter()
        .filter(|(_, to)| disk_of(to, disks).and_then(|d| d.mount_point.as_ref()) != mount.as_ref())
        .cloned()
        .collect();
    Server {
        pid: process.pid,
        layout: layout(config_file.as_deref(), &process.cwd),
        version: process.pg_version.clone().unwrap_or_default(),
        bin_dir: process
            .exe
            .parent()
            .map(Path::to_path_buf)
            .unwrap_or_default(),
        data_dir: process.cwd.clone(),
        config_file,
        port: given
            .port
            .as_deref()
            .unwrap_or_else(|| said(3))
            .parse()
            .unwrap_or(5432),
        socket_dir: match socket {
            "" => PathBuf::from("/run/postgresql"),
            dir => PathBuf::from(dir),
        },
        os_user: user(&gathered.passwd, process.uid),
        unit: unit(&process.cgroup),
        other_options: given.others,
        further: further(&outside, gathered, disks),
        outside,
        disk,
        roles: Vec::new(),
    }
}

/// The file systems that carry what lies outside, without those on the system's own disks: they can't move.
fn further(outside: &[(PathBuf, PathBuf)], gathered: &Gathered, disks: &[Disk]) -> Vec<Disk> {
    let mut all: Vec<Disk> = Vec::new();
    for disk in outside.iter().filter_map(|(_, to)| disk_of(to, disks)) {
        if !all.contains(disk) && !super::free::is_systems(disk, gathered) {
            all.push(disk.clone());
        }
    }
    all
}

/// What the command line says.
#[derive(Default)]
struct Given {
    data_dir: Option<String>,
    config_file: Option<String>,
    port: Option<String>,
    others: Vec<String>,
}

impl Given {
    fn of(arguments: &[String]) -> Self {
        let mut given = Self::default();
        let mut rest = arguments.iter();
        while let Some(word) = rest.next() {
            let (option, value) = match word.strip_prefix("--") {
                Some(setting) => ("--", Some(setting.to_owned())),
                // `-D /data` and `-D/data` are the same.
                None => match word.get(..2) {
                    Some(o @ ("-D" | "-p" | "-c")) if word.len() > 2 => {
                        (o, word.get(2..).map(str::to_owned))
                    }
                    Some(o @ ("-D" | "-p" | "-c")) => (o, rest.next().cloned()),
                    _ => ("", None),
                },
            };
            given.take(option, value, word);
        }
        given
    }

    fn take(&mut self, option: &str, value: Option<String>, word: &str) {
        match (option, value) {
            ("-D", Some(value)) => self.data_dir = Some(value),
            ("-p", Some(value)) => self.port = Some(value),
            ("-c" | "--", Some(setting)) => self.setting(&setting),
            _ => self.others.push(word.to_owned()),
        }
    }

    fn setting(&mut self, setting: &str) {
        let (name, value) = setting.split_once('=').unwrap_or((setting, ""));
        let value = value.trim().to_owned();
        match name.trim().replace('-', "_").as_str() {
            "config_file" => self.config_file = Some(value),
            "data_directory" => self.data_dir = Some(value),
            "port" => self.port = Some(value),
            // Siaga gives it by itself where a recovery is due, and it means nothing afterwards.
            "recovery_init_sync_method" => {}
            _ => self.others.push(format!("-c {setting}")),
        }
    }
}

/// Named on the command line, or in the folder that the server was told in place of its data directory.
fn config_file(process: &ProcessText, given: &Given) -> Option<PathBuf> {
    let in_data = process.cwd.join("postgresql.conf");
    let named = given.config_file.as_ref().map(|f| {
        // A relative one is from where it was started, which is not known: it works in its data directory now.
        let file = Path::new(f);
        match file.is_absolute() {
            true => file.to_path_buf(),
            false => process.cwd.join(file),
        }
    });
    let told = given.data_dir.as_ref().or(process.pgdata.as_ref());
    let beside = told
        .filter(|_| {
            process
                .told_real
                .as_ref()
                .is_some_and(|real| real != &process.cwd)
        })
        .map(|dir| Path::new(dir).join("postgresql.conf"));
    named.or(beside).filter(|file| file != &in_data)
}

fn layout(config_file: Option<&Path>, data_dir: &Path) -> Layout {
    match config_file {
        Some(file) if file.starts_with("/etc/postgresql") => Layout::Debian,
        Some(_) => Layout::Elsewhere,
        None if data_dir.starts_with("/var/lib/pgsql") => Layout::Rpm,
        None => Layout::DataDirectory,
    }
}

/// The file system that the path is on: of those mounted above it, the nearest.
pub(super) fn disk_of<'a>(path: &Path, disks: &'a [Disk]) -> Option<&'a Disk> {
    disks
        .iter()
        .filter_map(|d| Some((d.mount_point.as_ref()?, d)))
        .filter(|(mount, _)| path.starts_with(mount))
        .max_by_key(|(mount, _)| mount.components().count())
        .map(|(_, disk)| disk)
}

fn user(passwd: &str, uid: u32) -> String {
    let name = passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    });
    name.unwrap_or_else(|| uid.to_string())
}

/// `0::/system.slice/system-postgresql.slice/postgresql@15-main.service`: the last name of systemd's own hierarchy.
fn unit(cgroup: &str) -> Option<String> {
    let ours = |line: &&str| line.starts_with("0::") || line.contains(":name=systemd:");
    let path = cgroup.lines().find(ours)?;
    let unit = path.rsplit('/').find(|part| part.ends_with(".service"))?;
    unit.starts_with("postgresql").then(|| unit.to_owned())
}
