//! Commands as they are typed in a shell. Nothing of the configuration can break out of its word.

use siaga_model::NodeName;
use siaga_model::config::{Database, Fence, FileSystem, FileSystemKind, Service, VirtualIp};
use std::fmt::Display;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// A word as a shell reads it back.
pub(crate) fn quoted(word: impl Display) -> String {
    let word = word.to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word,
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

pub(crate) fn quoted_path(path: &Path) -> String {
    quoted(path.display())
}

pub(crate) fn quoted_argv(words: &[String]) -> String {
    words.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

/// Asks a fence device something, as its program wants it: lines on standard input, so that no password shows in the
/// list of processes; once for each of its outlets. `None`: an option holds a line break.
pub(crate) fn fence(fence: &Fence, action: &str) -> Option<Vec<String>> {
    let each = fence.each_outlet();
    each.iter().map(|one| fence_one(one, action)).collect()
}

fn fence_one(fence: &Fence, action: &str) -> Option<String> {
    let mut lines = vec![format!("echo {}", quoted(format!("action={action}")))];
    for (key, value) in &fence.options {
        if key.contains('\n') || value.contains('\n') {
            return None;
        }
        lines.push(format!("echo {}", quoted(format!("{key}={value}"))));
    }
    for (key, file) in &fence.secret_options {
        lines.push(format!(
            "echo {}\"$(cat {})\"",
            quoted(format!("{key}=")),
            quoted_path(file)
        ));
    }
    Some(format!(
        "{{ {}; }} | {}",
        lines.join("; "),
        quoted_path(&fence.agent)
    ))
}

pub(crate) fn mount(file_system: &FileSystem, device: &Path) -> String {
    let kind = match file_system.kind {
        FileSystemKind::Ext4 => "ext4",
        FileSystemKind::Xfs => "xfs",
    };
    let options = match file_system.options.is_empty() {
        true => String::new(),
        false => format!(" -o {}", quoted(file_system.options.join(","))),
    };
    format!(
        "mount -t {kind}{options} {} {}",
        quoted_path(device),
        quoted_path(&file_system.mount_point)
    )
}

/// What must print nothing where the file systems are mounted nowhere: in this namespace, and in any other.
pub(crate) fn mounted_nowhere(service: &Service, node: &NodeName) -> Vec<String> {
    let mut commands = Vec::new();
    for fs in &service.file_systems {
        let source = quoted_path(&device_of(service, fs, node));
        commands.push(format!("findmnt --source {source}"));
    }
    for fs in &service.file_systems {
        commands.push(format!(
            "grep -l -F {} /proc/[0-9]*/mountinfo 2>/dev/null",
            quoted(format!(" {} ", fs.mount_point.display()))
        ));
    }
    commands
}

/// The device of a file system, as that node sees it.
pub(crate) fn device_of(service: &Service, fs: &FileSystem, node: &NodeName) -> PathBuf {
    let device = service.device_of(fs, node);
    device.cloned().unwrap_or_else(|| PathBuf::from("?"))
}

/// Throws away what the kernel remembers of the devices.
pub(crate) fn flush(service: &Service, node: &NodeName) -> Vec<String> {
    let devices = service.devices(node).into_iter();
    devices
        .map(|d| format!("blockdev --flushbufs {}", quoted_path(d)))
        .collect()
}

/// An address of its own prefix, so that removing it takes no other along.
pub(crate) fn with_prefix(ip: &VirtualIp) -> String {
    match ip.address {
        IpAddr::V4(a) => format!("{a}/32"),
        IpAddr::V6(a) => format!("{a}/128"),
    }
}

pub(crate) fn address_free(ip: &VirtualIp, node: &NodeName) -> String {
    let interface = quoted(ip.interface(node).unwrap_or("?"));
    match ip.address {
        IpAddr::V4(a) => {
            format!("arping -D -c 3 -w 4 -I {interface} {a} && echo FREE || echo IN USE")
        }
        IpAddr::V6(a) => {
            format!("ping -6 -c 3 -I {interface} {a} && echo IN USE || echo FREE")
        }
    }
}

pub(crate) fn add_address(ip: &VirtualIp, node: &NodeName) -> String {
    let nodad = if ip.address.is_ipv6() { " nodad" } else { "" };
    format!(
        "ip addr add {} dev {}{nodad}",
        with_prefix(ip),
        quoted(ip.interface(node).unwrap_or("?"))
    )
}

pub(crate) fn remove_address(ip: &VirtualIp, node: &NodeName) -> String {
    format!(
        "ip addr del {} dev {}",
        with_prefix(ip),
        quoted(ip.interface(node).unwrap_or("?"))
    )
}

/// Twice: some switches forget the first. `None`: IPv6 neighbours learn by themselves.
pub(crate) fn announce(ip: &VirtualIp, node: &NodeName) -> Option<Vec<String>> {
    let interface = quoted(ip.interface(node).unwrap_or("?"));
    match ip.address {
        IpAddr::V4(a) => Some(vec![
            format!("arping -U -c 4 -I {interface} {a}"),
            format!("arping -A -c 4 -I {interface} {a}"),
        ]),
        IpAddr::V6(_) => None,
    }
}

/// As the database's own user.
fn as_user(db: &Database, program: &str, rest: &str) -> String {
    format!(
        "runuser -u {} -- {} {rest}",
        quoted(&db.os_user),
        quoted_path(&db.bin_dir.join(program))
    )
}

pub(crate) fn start_database(service: &Service) -> String {
    let db = &service.database;
    if let Some(unit) = &db.unit {
        return format!("systemctl start {}", quoted(unit));
    }
    let mut settings = format!("-p {}", db.port);
    if let Some(file) = &db.config_file {
        settings.push_str(&format!(" -c config_file={}", quoted_path(file)));
    }
    let log = format!("/var/tmp/{}-postgres-by-hand.log", service.name);
    let rest = format!(
        "start -w -t 86400 -D {} -l {} -o {}",
        quoted_path(&db.data_dir),
        quoted(log),
        quoted(settings)
    );
    as_user(db, "pg_ctl", &rest)
}

/// Through its unit, where it has one.
pub(crate) fn fast_stop(db: &Database) -> String {
    match &db.unit {
        Some(unit) => format!("systemctl stop {}", quoted(unit)),
        None => stop_database(db, "fast", db.stop_fast.as_secs().max(1)),
    }
}

pub(crate) fn stop_database(db: &Database, mode: &str, seconds: u64) -> String {
    let rest = format!(
        "stop -m {mode} -w -t {seconds} -D {}",
        quoted_path(&db.data_dir)
    );
    as_user(db, "pg_ctl", &rest)
}

/// What must print nothing where no process of the database is left. `alone`: the site has no other database, so that
/// any process of that user tells.
pub(crate) fn database_gone(db: &Database, alone: bool) -> String {
    let user = quoted(&db.os_user);
    match alone {
        true => format!("pgrep -a -u {user} postgres"),
        false => format!("pgrep -a -u {user} -f {}", quoted_path(&db.data_dir)),
    }
}

/// Writes back what is dirty.
pub(crate) fn checkpoint(db: &Database) -> String {
    let rest = format!(
        "-h {} -p {} -U {} -d {} -c checkpoint",
        quoted_path(&db.socket_dir),
        db.port,
        quoted(&db.check_user),
        quoted(&db.check_database)
    );
    as_user(db, "psql", &rest)
}

pub(crate) fn database_answers(db: &Database) -> Vec<String> {
    let place = format!("-h {} -p {}", quoted_path(&db.socket_dir), db.port);
    let ready = format!("{} {place}", quoted_path(&db.bin_dir.join("pg_isready")));
    let ask = format!(
        "{place} -U {} -d {} -Atc 'select pg_catalog.pg_is_in_recovery()'",
        quoted(&db.check_user),
        quoted(&db.check_database)
    );
    vec![ready, as_user(db, "psql", &ask)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_can_not_break_out() {
        assert_eq!(quoted("/srv/simrs"), "/srv/simrs");
        assert_eq!(quoted("/srv/my data"), "'/srv/my data'");
        assert_eq!(quoted("a'; rm -rf /; '"), r"'a'\''; rm -rf /; '\'''");
        assert_eq!(quoted("$(x)"), "'$(x)'");
        assert_eq!(quoted(""), "''");
    }
}
