//! Debian's clusters that do not run: their configuration says where they belong.

use super::server::disk_of;
use super::{Cluster, ClusterText, Disk, Gathered, Server};
use std::path::PathBuf;

/// Those that no server runs.
pub(super) fn stopped(gathered: &Gathered, servers: &[Server], disks: &[Disk]) -> Vec<Cluster> {
    let runs = |c: &&ClusterText| {
        let data = data_directory(&c.text);
        let same = |s: &Server| {
            s.config_file.as_ref() == Some(&c.config_file) || data.as_ref() == Some(&s.data_dir)
        };
        servers.iter().any(same)
    };
    let all = gathered.clusters.iter().filter(|c| !runs(c));
    all.filter_map(|c| cluster(c, disks)).collect()
}

fn cluster(text: &ClusterText, disks: &[Disk]) -> Option<Cluster> {
    let said = |name: &str| setting(&text.text, name);
    let data_dir = data_directory(&text.text)?;
    let socket = said("unix_socket_directories").unwrap_or_default();
    let socket = socket
        .split(',')
        .next()
        .unwrap_or_default()
        .trim()
        .to_owned();
    Some(Cluster {
        version: text.version.clone(),
        name: text.name.clone(),
        config_file: text.config_file.clone(),
        bin_dir: text.bin_dir.clone(),
        port: said("port").and_then(|p| p.parse().ok()).unwrap_or(5432),
        socket_dir: match socket.as_str() {
            "" => PathBuf::from("/run/postgresql"),
            dir => PathBuf::from(dir),
        },
        has_data: text.has_data,
        disk: disk_of(&data_dir, disks).filter(|_| text.has_data).cloned(),
        data_dir,
    })
}

/// Where its data belongs, whether it is there or not.
pub(crate) fn data_directory(text: &str) -> Option<PathBuf> {
    let path = setting(text, "data_directory").map(PathBuf::from);
    path.filter(|p| p.is_absolute())
}

/// `port = 5433   # comment`: the last one counts. The equals sign may be left out.
fn setting(text: &str, name: &str) -> Option<String> {
    let value = |line: &str| {
        let (key, rest) = line.trim_start().split_at_checked(name.len())?;
        let separated = rest.starts_with([' ', '\t', '=']);
        (key.eq_ignore_ascii_case(name) && separated).then_some(())?;
        let rest = rest.trim_start();
        let rest = rest.strip_prefix('=').unwrap_or(rest).trim_start();
        Some(match rest.strip_prefix('\'') {
            Some(quoted) => unquoted(quoted),
            None => {
                let end = rest.find(|c: char| c == '#' || c.is_whitespace());
                rest[..end.unwrap_or(rest.len())].to_owned()
            }
        })
    };
    text.lines().filter_map(value).next_back()
}

/// Up to the closing quote; two of them are one.
fn unquoted(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\'' if rest.next_if_eq(&'\'').is_some() => out.push('\''),
            '\'' => break,
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::tests::debian;
    use super::*;
    use crate::observe::survey::detect;
    use std::path::Path;

    const CONF: &str = "# data_directory = '/not/this'\ndata_directory = '/srv/simrs/postgresql/15/main'\t# here\n\
        port = 5432\nunix_socket_directories = '/var/run/postgresql, /tmp' \nport_of = 1\ninclude_dir = 'conf.d'\n\nport 5433\n";

    fn simrs() -> ClusterText {
        ClusterText {
            version: "15".into(),
            name: "main".into(),
            config_file: "/etc/postgresql/15/main/postgresql.conf".into(),
            text: CONF.into(),
            bin_dir: Some("/usr/lib/postgresql/15/bin".into()),
            has_data: false,
        }
    }

    #[test]
    fn a_stopped_cluster_says_where_it_belongs() {
        let mut gathered = debian();
        gathered.clusters = vec![simrs()];
        // It runs.
        assert_eq!(detect(&gathered).stopped, []);
        gathered.processes.clear();
        let cluster = detect(&gathered).stopped.remove(0);
        assert_eq!(cluster.data_dir, Path::new("/srv/simrs/postgresql/15/main"));
        assert_eq!((cluster.port, cluster.version.as_str()), (5433, "15"));
        assert_eq!(cluster.socket_dir, Path::new("/var/run/postgresql"));
        // Whether it is on that disk is not known while its data is not there.
        assert_eq!(cluster.disk, None);
        gathered.clusters[0].has_data = true;
        let disk = detect(&gathered).stopped.remove(0).disk.unwrap();
        assert_eq!(disk.mount_point.as_deref(), Some(Path::new("/srv/simrs")));
    }

    #[test]
    fn settings_are_read_as_postgresql_reads_them() {
        let of = |text| setting(text, "data_directory");
        assert_eq!(of("data_directory='/it''s'#x").as_deref(), Some("/it's"));
        assert_eq!(of("  DATA_DIRECTORY /a # b").as_deref(), Some("/a"));
        assert_eq!(of("data_directory_mode = 1\n#data_directory = '/a'"), None);
        assert_eq!(data_directory("data_directory = 'ConfigDir'"), None);
    }
}
