//! `siaga support`: one file for whoever helps, without secrets.

use crate::args::Global;
use crate::client::Client;
use crate::context::{Context, LOOK};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::show;
use crate::term::out;
use siaga_config::{DEFAULT_PATH, HostChecks};
use siaga_words::Screen;
use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Gather what somebody who helps needs to see, in one file without secrets
///
/// It holds the configuration, what the agents say, the newest events and the state of this machine. Passwords, tokens and
/// keys are taken out; PostgreSQL's own log is left out, since it may name patients. Look through it before you send it.
#[derive(clap::Args, Debug, Clone)]
#[command(visible_alias = "bantuan", after_help = EXAMPLES)]
pub struct Args {
    /// Where to write it. It must not be there yet.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

const EXAMPLES: &str = "Examples:
  siaga support
  siaga support --out /root/siaga-support.tar.gz";

/// Of one part no more is kept.
const MOST: u64 = 4 << 20;
/// A shorter secret would blot out half of the text.
const LEAST_SECRET: usize = 4;
const REMOVED: &str = "[removed]";

/// What the agent is asked.
const QUESTIONS: [(&str, &str); 5] = [
    ("status.json", "/v1/status"),
    ("check.json", "/v1/check?last=true"),
    ("diagnose.json", "/v1/diagnose"),
    ("site.json", "/v1/config"),
    ("events.json", "/v1/events?limit=2000"),
];

/// What this machine is asked.
const PROGRAMS: [(&str, &[&str]); 10] = [
    ("ip-address.txt", &["ip", "-o", "address"]),
    ("ip-route.txt", &["ip", "route"]),
    (
        "lsblk.json",
        &["lsblk", "-J", "-o", "NAME,TYPE,SIZE,FSTYPE,MOUNTPOINTS"],
    ),
    ("df.txt", &["df", "-h"]),
    ("uname.txt", &["uname", "-a"]),
    ("processes.txt", &["ps", "-eo", "pid,ppid,stat,lstart,comm"]),
    ("kernel.txt", &["dmesg", "--time-format", "iso"]),
    (
        "agent-unit.txt",
        &["systemctl", "status", "siaga", "--no-pager"],
    ),
    (
        "agent-log.txt",
        &["journalctl", "-u", "siaga", "-n", "2000", "--no-pager"],
    ),
    (
        "packages.txt",
        &[
            "dpkg-query",
            "-W",
            "siaga",
            "postgresql*",
            "lvm2",
            "drbd-utils",
            "open-iscsi",
        ],
    ),
];

const FILES: [(&str, &str); 3] = [
    ("os-release.txt", "/etc/os-release"),
    ("mounts.txt", "/proc/self/mountinfo"),
    ("memory.txt", "/proc/meminfo"),
];

/// Carries the verb out.
pub fn run(global: &Global, args: &Args) -> Result<Exit, Fault> {
    let ctx = Context::connect(global)?;
    let stamp = crate::when::stamp(crate::when::now());
    let name = format!("siaga-support-{}-{stamp}", crate::place::host_name());
    let file = args
        .out
        .clone()
        .unwrap_or_else(|| format!("{name}.tar.gz").into());
    // What can't be read can't be taken out: then nothing is written.
    let cleaner = Cleaner::new(Path::new(DEFAULT_PATH))
        .map_err(|file| Fault::Local(ctx.say(Screen::SupportCanNotClean { file })))?;
    let parts = gather(&ctx.client, &cleaner);
    write(&file, &name, &parts).map_err(|e| Fault::Local(format!("{}: {e}", file.display())))?;
    let names: Vec<&str> = parts.iter().map(|(n, _)| n.as_str()).collect();
    if args.json {
        show::json(&serde_json::json!({ "file": file, "parts": names }))?;
    } else {
        out(&ctx.say(Screen::SupportWritten {
            file,
            parts: names.len(),
        }));
    }
    Ok(Exit::Done)
}

fn gather(client: &Client, cleaner: &Cleaner) -> Vec<(String, String)> {
    let mut parts = vec![(
        "version.txt".to_owned(),
        env!("CARGO_PKG_VERSION").to_owned(),
    )];
    let mut add = |name: &str, text: String| parts.push((name.to_owned(), cleaner.clean(&text)));
    add(
        "siaga.toml",
        without_inline(&text_of(Path::new(DEFAULT_PATH))),
    );
    for (name, path) in QUESTIONS {
        let answer = client.get::<serde_json::Value>(path, LOOK);
        let text = answer.map_or_else(|e| e.to_string(), |v| format!("{v:#}"));
        add(name, text);
    }
    for (name, argv) in PROGRAMS {
        add(name, output(argv));
    }
    for (name, path) in FILES {
        add(name, text_of(Path::new(path)));
    }
    parts
}

fn text_of(path: &Path) -> String {
    let read = || -> std::io::Result<String> {
        let mut text = Vec::new();
        File::open(path)?.take(MOST).read_to_end(&mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    };
    read().unwrap_or_else(|e| format!("({}: {e})", path.display()))
}

fn output(argv: &[&str]) -> String {
    let Some((program, arguments)) = argv.split_first() else {
        return String::new();
    };
    let ended = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .env("LC_ALL", "C")
        .output();
    match ended {
        Ok(done) => {
            let most = usize::try_from(MOST).unwrap_or(usize::MAX);
            // The end is the newest.
            let from = done.stdout.len().saturating_sub(most);
            String::from_utf8_lossy(&done.stdout[from..]).into_owned()
        }
        Err(e) => format!("({program}: {e})"),
    }
}

/// The configuration must not hold a secret; one that does anyway is not passed on.
fn without_inline(text: &str) -> String {
    let told = |line: &str| {
        let (before, value) = line.split_once('=')?;
        let key = before.trim().to_ascii_lowercase();
        let names = ["password", "passwd", "secret", "token", "community", "key"];
        let secret = names.iter().any(|n| key.ends_with(n));
        // A file is named by its path, and holds it.
        let path = value.trim().trim_start_matches('"').starts_with('/');
        (secret && !path).then(|| format!("{before}= {REMOVED}"))
    };
    let lines = text
        .lines()
        .map(|l| told(l).unwrap_or_else(|| l.to_owned()));
    lines.collect::<Vec<_>>().join("\n")
}

/// Takes every secret of the site out of a text, wherever it got in.
struct Cleaner(Vec<String>);

impl Cleaner {
    /// An error names the file that can't be read.
    fn new(config: &Path) -> Result<Self, PathBuf> {
        let (loaded, _) = siaga_config::load_checked(config, &HostChecks::none())
            .map_err(|_| config.to_owned())?;
        let mut secrets = Vec::new();
        for path in loaded.secret_files() {
            match std::fs::read_to_string(path) {
                Ok(text) => secrets.push(text.trim().to_owned()),
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
                Err(_) => return Err(path.to_owned()),
            }
        }
        secrets.retain(|s| s.len() >= LEAST_SECRET);
        Ok(Self(secrets))
    }

    fn clean(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| {
            text.replace(secret.as_str(), REMOVED)
        })
    }
}

/// A folder in a `tar.gz` that only its owner may read.
fn write(file: &Path, name: &str, parts: &[(String, String)]) -> std::io::Result<()> {
    let archive = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)?;
    let parent = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
    let written = archive_of(&parent, name, parts, archive);
    let removed = std::fs::remove_dir_all(&parent);
    if written.is_err() {
        let _ = std::fs::remove_file(file);
    }
    written.and(removed)
}

fn archive_of(
    parent: &Path,
    name: &str,
    parts: &[(String, String)],
    archive: File,
) -> std::io::Result<()> {
    // Fails where it is there already: nobody else prepared it.
    std::fs::DirBuilder::new().mode(0o700).create(parent)?;
    std::fs::create_dir(parent.join(name))?;
    for (part, text) in parts {
        std::fs::write(parent.join(name).join(part), text)?;
    }
    let ended = Command::new("tar")
        .args(["-czf", "-", "-C"])
        .arg(parent)
        .arg(name)
        .stdin(Stdio::null())
        .stdout(archive)
        .status()?;
    match ended.success() {
        true => Ok(()),
        false => Err(std::io::Error::other(format!("tar: {ended}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_not_be_read_is_named_and_not_passed_over() {
        let missing = Path::new("/nonexistent/siaga.toml");
        assert_eq!(Cleaner::new(missing).err().as_deref(), Some(missing));
    }

    #[test]
    fn no_secret_gets_through() {
        let cleaner = Cleaner(vec!["hunter2-geheim".into()]);
        let text = "ipmi -P hunter2-geheim failed";
        assert_eq!(cleaner.clean(text), "ipmi -P [removed] failed");
        let config = "password = \"geheim\"\n  token=abc\npassword_file = \"/etc/siaga/mail.secret\"\nsecret_file = \"/etc/x\"\nname = \"RSUD\"";
        let clean = without_inline(config);
        assert!(
            !clean.contains("geheim") && !clean.contains("abc"),
            "{clean}"
        );
        assert!(
            clean.contains("/etc/siaga/mail.secret") && clean.contains("RSUD"),
            "{clean}"
        );
    }
}
