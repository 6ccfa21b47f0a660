//! A server that runs, and what its directory is made of.

use crate::act::migrate::switch::CONFIG_LIMIT;
use crate::act::own_file::Place;
use crate::act::postgres::{Postgres, connect};
use crate::command;
use crate::observe::survey::{Found, Server};
use crate::observe::{mounts, program};
use siaga_model::config::Database;
use siaga_model::migrate::{Answers, Cluster};
use siaga_model::{ServiceName, Why};
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tokio::runtime::Handle;

const WITHIN: Duration = Duration::from_secs(10);
/// A stop in order of a busy server writes everything back.
const STOP_WITHIN: Duration = Duration::from_secs(300);
/// What was written in this time is taken for what changes while it is copied.
const RECENT: Duration = Duration::from_secs(15 * 60);

/// Between the words of one answer, and within one.
const WORDS: char = '\u{1f}';
const NAMES: char = '\u{1e}';

/// Every server that was found.
pub fn clusters(rt: &Handle, state_dir: &Path, found: &Found) -> Vec<Cluster> {
    let all = found.servers.iter();
    all.map(|server| cluster(rt, state_dir, server)).collect()
}

fn cluster(rt: &Handle, state_dir: &Path, server: &Server) -> Cluster {
    let database = database(server);
    let data_dir = &database.data_dir;
    let table = mounts::own().unwrap_or_default();
    let below = |m: &&mounts::MountEntry| m.mount_point.starts_with(data_dir);
    let mounted: Vec<PathBuf> = table
        .iter()
        .filter(below)
        .map(|m| m.mount_point.clone())
        .collect();
    let files = Files::of(data_dir);
    let follows = ["standby.signal", "recovery.signal"];
    Cluster {
        version: server.version.clone(),
        programs: programs(&server.bin_dir),
        stranger_unit: stranger(server.pid),
        options: server.other_options.clone(),
        config_unreadable: server.config_file.as_deref().and_then(config_unreadable),
        file_system: std::fs::metadata(data_dir)
            .map(|m| m.dev())
            .unwrap_or_default(),
        is_mount_point: mounted.contains(data_dir),
        mounts_inside: mounted.into_iter().filter(|m| m != data_dir).collect(),
        bytes: files.bytes,
        files: files.files,
        recent_bytes: files.recent_bytes,
        astray: files.astray,
        follows: follows.iter().any(|name| data_dir.join(name).exists()),
        kept_there: false,
        answers: answers(rt, state_dir, &database),
        server: database,
    }
}

fn database(server: &Server) -> Database {
    Database {
        bin_dir: server.bin_dir.clone(),
        data_dir: server.data_dir.clone(),
        config_file: server.config_file.clone(),
        unit: server.unit.clone(),
        port: server.port,
        os_user: server.os_user.clone(),
        socket_dir: server.socket_dir.clone(),
        // Peer authentication lets the account in under its own name.
        check_user: server.os_user.clone(),
        check_database: "postgres".to_owned(),
        stop_fast: STOP_WITHIN,
        stop_immediate: Duration::from_secs(30),
        start_stalled: Duration::from_secs(120),
    }
}

/// The file that is to be changed is read as it will be then: no link is followed that is not root's, and it is none itself.
fn config_unreadable(file: &Path) -> Option<Why> {
    let link = file.is_symlink().then(|| Why::system("symbolic link"));
    let read = || Place::of(file).and_then(|place| place.read(CONFIG_LIMIT));
    link.or_else(|| read().err().map(Why::system))
}

/// `postgres (PostgreSQL) 15.8 (Debian 15.8-0)`: the major version. Root runs only what nobody else could change.
fn programs(bin_dir: &Path) -> Option<String> {
    let program = bin_dir.join("postgres");
    if !program::is_roots(&program) {
        return None;
    }
    let program = program.display().to_string();
    let said = command::run(&[program, "--version".to_owned()], None, WITHIN);
    let version = said.stdout.split(' ').nth(2)?;
    let digits = |c: &char| c.is_ascii_digit();
    Some(version.chars().take_while(digits).collect())
}

/// What else than PostgreSQL's own unit it runs in: it would start it again, or be confused. A session of somebody's is none.
fn stranger(pid: i32) -> Option<String> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    stranger_in(&text)
}

fn stranger_in(cgroup: &str) -> Option<String> {
    let ours = |line: &&str| line.starts_with("0::") || line.contains(":name=systemd:");
    let path = cgroup.lines().find(ours)?;
    let unit = |part: &&str| part.ends_with(".service") || part.ends_with(".scope");
    let unit = path.rsplit('/').find(unit)?;
    let stranger = unit.ends_with(".service") && !unit.starts_with("postgresql");
    (stranger && !unit.starts_with("user@")).then(|| unit.to_owned())
}

/// What a walk through the directory shows.
#[derive(Default)]
struct Files {
    bytes: u64,
    files: u64,
    recent_bytes: u64,
    astray: Vec<(PathBuf, PathBuf)>,
}

impl Files {
    fn of(top: &Path) -> Self {
        let mut files = Self::default();
        let mut open = vec![top.to_owned()];
        while let Some(directory) = open.pop() {
            // What vanishes under a running server is not counted.
            let entries = std::fs::read_dir(&directory)
                .into_iter()
                .flatten()
                .flatten();
            for path in entries.map(|e| e.path()) {
                match std::fs::symlink_metadata(&path) {
                    Ok(meta) if meta.is_dir() => open.push(path),
                    Ok(meta) if meta.is_symlink() => files.link(top, path),
                    Ok(meta) => files.file(&meta),
                    Err(_) => {}
                }
            }
        }
        files.astray.sort();
        files
    }

    fn file(&mut self, meta: &Metadata) {
        self.files += 1;
        self.bytes += meta.len();
        let age = |at: SystemTime| SystemTime::now().duration_since(at).unwrap_or_default();
        if meta.modified().map(age).is_ok_and(|age| age < RECENT) {
            self.recent_bytes += meta.len();
        }
    }

    /// A plain file of somebody else's at the top, such as a certificate, is only read, and stays where it is. Any other link
    /// is part of the data.
    fn link(&mut self, top: &Path, link: PathBuf) {
        let to = link.canonicalize();
        let kept =
            |to: &PathBuf| to.is_file() && !to.starts_with(top) && link.parent() == Some(top);
        match to {
            Ok(to) if kept(&to) => {}
            Ok(to) => self.astray.push((link, to)),
            Err(_) => {
                let to = std::fs::read_link(&link).unwrap_or_default();
                self.astray.push((link, to));
            }
        }
    }
}

fn answers(rt: &Handle, state_dir: &Path, database: &Database) -> Answers {
    let name = ServiceName::new("migrate");
    let server = Postgres::new(&name, database.clone(), state_dir, WITHIN, rt.clone());
    let silent = |why: Why| Answers::Silent { why };
    let said = match server.ask_in(
        &database.check_database,
        &question(&database.data_dir),
        WITHIN,
    ) {
        Ok(said) => said.unwrap_or_default(),
        Err(answer) => return silent(connect::unanswered(answer, WITHIN)),
    };
    let words: Vec<&str> = said.split(WORDS).collect();
    let [in_recovery, set_in, naming] = words[..] else {
        return silent(Why::system(said));
    };
    let list = |names: &str| {
        let names = names.split(NAMES).filter(|n| !n.is_empty());
        names.map(str::to_owned).collect::<Vec<_>>()
    };
    Answers::Says {
        in_recovery: in_recovery != "f",
        set_in: list(set_in).into_iter().map(PathBuf::from).collect(),
        naming: list(naming),
    }
}

fn question(data_dir: &Path) -> String {
    let path = data_dir.display().to_string().replace('\'', "''");
    format!(
        "select case when pg_is_in_recovery() then 't' else 'f' end || chr(31) \
         || coalesce((select string_agg(sourcefile, chr(30)) from pg_file_settings \
                      where name = 'data_directory'), '') || chr(31) \
         || coalesce((select string_agg(name, chr(30)) from pg_settings \
                      where name not in ('data_directory', 'config_file', 'hba_file', 'ident_file') \
                        and position(E'{}' in setting) > 0), '')",
        path.replace('\\', "\\\\")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_file_that_is_a_link_can_not_be_changed_in_its_place() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("file"), dir.path().join("link"));
        std::fs::write(&file, "").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert_eq!(config_unreadable(&file), None);
        assert!(config_unreadable(&link).is_some());
        assert!(config_unreadable(&dir.path().join("none")).is_some());
    }

    #[test]
    fn root_runs_no_program_that_others_could_change() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let (program, mark) = (dir.path().join("postgres"), dir.path().join("mark"));
        let script = format!(
            "#!/bin/sh\ntouch {}\necho postgres x 15.8\n",
            mark.display()
        );
        std::fs::write(&program, script).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(programs(dir.path()), None);
        assert!(!mark.exists(), "it was run");
    }

    #[test]
    fn only_another_programs_unit_is_a_strangers() {
        let of = |path: &str| stranger_in(&format!("0::{path}\n"));
        let ours = "/system.slice/system-postgresql.slice/postgresql@15-main.service";
        assert_eq!(of(ours), None);
        assert_eq!(of("/user.slice/user-1000.slice/session-3.scope"), None);
        assert_eq!(of("/"), None);
        assert_eq!(
            of("/system.slice/patroni.service").as_deref(),
            Some("patroni.service")
        );
    }
}
