//! What of this host a takeover leans on and the disk set does not bring along: libraries, locales, extensions, memory,
//! PostgreSQL's own configuration. Two nodes compare theirs. Looking changes nothing.

use crate::{command, small_file};
use siaga_model::Why;
use siaga_model::config::{FileSystem, Service};
use siaga_model::readiness::HostFacts;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long one of the small programs may take.
const WITHIN: Duration = Duration::from_secs(5);
/// Of a longer file, or a longer list, no more is compared.
const MOST: usize = 4000;

/// Looks at this host for `service`.
pub fn look(service: &Service) -> HostFacts {
    let database = &service.database;
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    HostFacts {
        glibc: output(&["getconf", "GNU_LIBC_VERSION"]),
        icu: icu(),
        locales: output(&["locale", "-a"])
            .map(|all| all.lines().take(MOST).map(str::to_owned).collect())
            .unwrap_or_default(),
        extensions: extensions(&database.bin_dir),
        config_files: database
            .config_file
            .as_deref()
            .map(|file| own_config(file, &service.file_systems, &database.data_dir))
            .unwrap_or_default(),
        memory_mebibytes: memory_line(&memory, "MemTotal:").map(|kib| kib >> 10),
        huge_mebibytes: huge_pages(&memory),
        huge_pools: huge_pools(Path::new("/sys/kernel/mm/hugepages")),
        gid: crate::act::postgres::account::lookup(&database.os_user)
            .ok()
            .map(|a| a.gid),
    }
}

fn output(argv: &[&str]) -> Option<String> {
    let argv: Vec<String> = argv.iter().map(|a| (*a).to_owned()).collect();
    let result = command::run(&argv, None, WITHIN);
    result.succeeded().then(|| result.stdout.trim().to_owned())
}

/// Where Debian, and where the RPM distributions keep shared libraries.
const LIBRARY_DIRS: [&str; 4] = [
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
];

fn icu() -> Vec<String> {
    let found: BTreeSet<String> = LIBRARY_DIRS
        .iter()
        .flat_map(|dir| names(Path::new(dir)))
        // `libicui18n.so.72`, not the link of the development package, and not the `.72.1` behind it.
        .filter(|name| {
            name.strip_prefix("libicui18n.so.")
                .is_some_and(|version| version.bytes().all(|b| b.is_ascii_digit()))
        })
        .collect();
    found.into_iter().collect()
}

/// Modules in `lib` beside `bin`, and the control files of extensions where this build keeps them, with the version that each
/// brings.
fn extensions(bin_dir: &Path) -> Vec<String> {
    let lib = bin_dir.with_file_name("lib");
    let major = bin_dir
        .parent()
        .and_then(Path::file_name)
        .unwrap_or_default();
    let shares = [
        bin_dir.with_file_name("share").join("extension"),
        Path::new("/usr/share/postgresql")
            .join(major)
            .join("extension"),
    ];
    let modules = names(&lib).filter(|n| n.ends_with(".so"));
    let control = |dir: &PathBuf, name: String| match version(&dir.join(&name)) {
        Some(version) => format!("{name} {version}"),
        None => name,
    };
    let controls = shares.iter().flat_map(|dir| {
        let here = names(dir).filter(|n| n.ends_with(".control"));
        here.map(|name| control(dir, name))
    });
    let found: BTreeSet<String> = modules.chain(controls).collect();
    found.into_iter().take(MOST).collect()
}

/// `default_version = '3.4.2'` of a control file.
fn version(control: &Path) -> Option<String> {
    let text = std::fs::read_to_string(control).ok()?;
    let value = text.lines().find_map(|line| {
        let (key, value) = line.split_once('=')?;
        (key.trim() == "default_version").then_some(value)
    })?;
    let word = value.split('#').next().unwrap_or_default().trim();
    Some(word.trim_matches('\'').to_owned())
}

fn names(dir: &Path) -> impl Iterator<Item = String> + use<> {
    std::fs::read_dir(dir)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
}

/// The configuration that is this host's own. On the disk set it is the same one for both nodes, and one of them has nothing there to
/// compare: that is said on neither.
fn own_config(file: &Path, mounts: &[FileSystem], data: &Path) -> Vec<(String, Vec<u64>)> {
    let mounts = mounts.iter().map(|f| f.mount_point.as_path());
    match mounts.chain([data]).any(|place| file.starts_with(place)) {
        true => Vec::new(),
        false => config_files(file),
    }
}

/// The files beside the named one, and those of its `conf.d`: numbers for their lines, since some hold secrets.
fn config_files(config_file: &Path) -> Vec<(String, Vec<u64>)> {
    let Some(dir) = config_file.parent() else {
        return Vec::new();
    };
    let below = |dir: PathBuf| names(&dir).map(move |n| dir.join(n)).collect::<Vec<_>>();
    let mut paths = below(dir.to_path_buf());
    paths.extend(below(dir.join("conf.d")));
    let mut files: Vec<(String, Vec<u64>)> = paths
        .into_iter()
        .filter(|p| p.extension() == Some(OsStr::new("conf")))
        // How the cluster starts at boot is looked at by itself; its environment is not PostgreSQL's configuration.
        .filter(|p| p.file_name() != Some(OsStr::new("start.conf")))
        .filter_map(|p| {
            let text = small_file::read_configuration(&p).ok()?;
            let name = p.strip_prefix(dir).unwrap_or(&p).display().to_string();
            Some((name, lines(&text)))
        })
        .collect();
    // An empty one too: a file that includes it is in error without it.
    if dir.join("conf.d").is_dir() {
        files.push(("conf.d/".to_owned(), vec![1]));
    }
    files.sort();
    files
}

fn lines(text: &[u8]) -> Vec<u64> {
    text.split(|b| *b == b'\n').take(MOST).map(number).collect()
}

/// FNV-1a, 64 bits: the same on every node and in every version.
fn number(line: &[u8]) -> u64 {
    line.trim_ascii_end()
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
}

fn memory_line(meminfo: &str, name: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|l| l.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

fn huge_pages(meminfo: &str) -> Option<u64> {
    let pages = memory_line(meminfo, "HugePages_Total:")?;
    let kib = memory_line(meminfo, "Hugepagesize:")?;
    Some(pages.saturating_mul(kib) >> 10)
}

/// KiB of the huge pages that this system uses where a program names no size.
pub(crate) fn huge_page_kibibytes() -> Option<u64> {
    let memory = std::fs::read_to_string("/proc/meminfo").ok()?;
    memory_line(&memory, "Hugepagesize:")
}

/// Reserved huge pages of each size: `hugepages-1048576kB/nr_hugepages`.
fn huge_pools(dir: &Path) -> Vec<(u64, u64)> {
    let mut pools: Vec<(u64, u64)> = names(dir)
        .filter_map(|name| {
            let size = name.strip_prefix("hugepages-")?.strip_suffix("kB")?;
            let kib: u64 = size.parse().ok()?;
            let count = std::fs::read_to_string(dir.join(&name).join("nr_hugepages")).ok()?;
            let pages: u64 = count.trim().parse().ok()?;
            Some((kib, pages.saturating_mul(kib) >> 10))
        })
        .collect();
    pools.sort_unstable();
    pools
}

/// The first existing directory at or above `path`, and how much room it has: free MiB, free percent.
pub fn space(path: &Path) -> Option<(u64, u8)> {
    let stat = rustix::fs::statvfs(path).ok()?;
    let percent = stat
        .f_bavail
        .saturating_mul(100)
        .checked_div(stat.f_blocks)?;
    let free = stat.f_bavail.saturating_mul(stat.f_frsize) >> 20;
    Some((free, u8::try_from(percent).unwrap_or(100)))
}

/// What the data of a cluster is in, below its data directory.
const DATA: [&str; 11] = [
    "base",
    "global",
    "pg_commit_ts",
    "pg_logical",
    "pg_multixact",
    "pg_replslot",
    "pg_subtrans",
    "pg_tblspc",
    "pg_twophase",
    "pg_wal",
    "pg_xact",
];

/// Parts of a mounted data directory (table spaces, the WAL, itself) that lead out of the service's mounts, or to nothing.
pub fn astray(service: &Service) -> Vec<Why> {
    astray_of(&service.file_systems, &service.database.data_dir)
}

fn astray_of(mounts: &[FileSystem], data: &Path) -> Vec<Why> {
    let spaces = data.join("pg_tblspc");
    let mut links = vec![data.to_path_buf()];
    links.extend(DATA.iter().map(|name| data.join(name)));
    links.extend(names(&spaces).map(|n| spaces.join(n)));
    let device = |path: &Path| std::fs::metadata(path).ok().map(|m| m.dev());
    // Another file system mounted below one of the service's is not on the disk set, whatever its path looks like.
    let is_on = |to: &Path, mount: &Path| to.starts_with(mount) && device(to) == device(mount);
    let mut found = Vec::new();
    for link in links {
        let to = match std::fs::canonicalize(&link) {
            Ok(to) => to,
            Err(e) => {
                // What is not there at all, PostgreSQL says itself.
                if e.kind() != std::io::ErrorKind::NotFound {
                    found.push(Why::system(e).of(link.display()));
                } else if link.is_symlink() {
                    found.push(Why::DataLeadsNowhere { link });
                }
                continue;
            }
        };
        let mounts = mounts
            .iter()
            .filter_map(|f| std::fs::canonicalize(&f.mount_point).ok());
        if !mounts.into_iter().any(|mount| is_on(&to, &mount)) {
            found.push(Why::DataLeadsOutside { link, to });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn file_system(mount_point: PathBuf) -> FileSystem {
        FileSystem {
            kind: siaga_model::config::FileSystemKind::Ext4,
            mount_point,
            options: Vec::new(),
            devices: Vec::new(),
        }
    }

    #[test]
    fn lines_of_configuration_files_are_numbered_and_never_told() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("conf.d")).unwrap();
        let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
        write("postgresql.conf", "port = 5432\nmax_connections = 100  \n");
        write(
            "pg_hba.conf",
            "host all all 0.0.0.0/0 ldap ldapbindpasswd=geheim\n",
        );
        write("conf.d/site.conf", "");
        write("start.conf", "auto\n");
        write("environment", "");
        let files = config_files(&dir.path().join("postgresql.conf"));
        let names: Vec<&str> = files.iter().map(|(n, _)| n.as_str()).collect();
        assert_eq!(
            names,
            [
                "conf.d/",
                "conf.d/site.conf",
                "pg_hba.conf",
                "postgresql.conf"
            ]
        );
        let files = &files[1..];
        // Blanks at the end of a line make no difference.
        assert_eq!(files[2].1, lines(b"port = 5432\nmax_connections = 100\n"));
        assert_ne!(files[2].1, lines(b"port = 5433\nmax_connections = 100\n"));
    }

    #[test]
    fn a_configuration_on_the_disk_set_is_not_compared() {
        let dir = tempfile::tempdir().unwrap();
        let mounts = [file_system(dir.path().join("srv"))];
        let compared = |name: &str| {
            let folder = dir.path().join(name);
            std::fs::create_dir_all(&folder).unwrap();
            let file = folder.join("postgresql.conf");
            std::fs::write(&file, "port = 5432\n").unwrap();
            !own_config(&file, &mounts, &dir.path().join("data")).is_empty()
        };
        assert!(compared("etc/15/main"));
        // Another folder whose name begins alike.
        assert!(compared("srv-conf"));
        assert!(!compared("srv/conf"));
        assert!(!compared("data"));
    }

    #[test]
    fn memory_is_read_in_the_kernels_units() {
        let text =
            "MemTotal:       16384 kB\nHugePages_Total:     128\nHugepagesize:       2048 kB\n";
        assert_eq!(memory_line(text, "MemTotal:"), Some(16384));
        assert_eq!(huge_pages(text), Some(256));
        assert_eq!(memory_line(text, "Nothing:"), None);
    }

    #[test]
    fn huge_pages_of_each_size_are_read() {
        let dir = tempfile::tempdir().unwrap();
        for (size, pages) in [("2048kB", "3\n"), ("1048576kB", "2\n")] {
            let pool = dir.path().join(format!("hugepages-{size}"));
            std::fs::create_dir(&pool).unwrap();
            std::fs::write(pool.join("nr_hugepages"), pages).unwrap();
        }
        assert_eq!(huge_pools(dir.path()), [(2048, 6), (1_048_576, 2048)]);
        assert!(huge_pools(&dir.path().join("none")).is_empty());
    }

    #[test]
    fn what_leads_out_of_the_services_mounts_is_found_and_what_stays_inside_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        for name in ["srv/main/pg_tblspc", "srv/spaces/a", "wal", "elsewhere"] {
            std::fs::create_dir_all(at(name)).unwrap();
        }
        let link = |to: &str, name: &str| std::os::unix::fs::symlink(at(to), at(name)).unwrap();
        link("wal", "srv/main/pg_wal");
        link("srv/spaces/a", "srv/main/pg_tblspc/16384");
        link("elsewhere", "srv/main/pg_tblspc/16385");
        let mount = |name: &str| file_system(at(name));
        let found = |mounts: &[&str]| {
            let mounts: Vec<_> = mounts.iter().map(|m| mount(m)).collect();
            let mut links: Vec<_> = astray_of(&mounts, &at("srv/main"))
                .into_iter()
                .map(|why| match why {
                    Why::DataLeadsOutside { link, .. } | Why::DataLeadsNowhere { link } => {
                        link.file_name().unwrap().to_owned()
                    }
                    other => panic!("{other:?}"),
                })
                .collect();
            links.sort();
            links
        };
        assert_eq!(found(&["srv"]), ["16385", "pg_wal"]);
        assert_eq!(
            found(&["srv", "wal"]),
            ["16385"],
            "the WAL on a mount of its own"
        );
        assert!(found(&["srv", "wal", "elsewhere"]).is_empty());
        link("gone", "srv/main/pg_tblspc/16386");
        assert_eq!(found(&["srv", "wal", "elsewhere"]), ["16386"]);
        // The data directory itself: a copy that stayed behind on the local disk.
        let mounts = [mount("srv")];
        link("elsewhere", "srv/copy");
        assert_eq!(
            astray_of(&mounts, &at("srv/copy")),
            [Why::DataLeadsOutside {
                link: at("srv/copy"),
                to: std::fs::canonicalize(at("elsewhere")).unwrap()
            }]
        );
    }
}
