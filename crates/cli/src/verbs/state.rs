//! `siaga state`: a backup of Siaga's own state, and its way back onto new hardware.

use crate::args::Global;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::place::{self, CONFIG, STATE};
use crate::term::out;
use crate::{language, show, when};
use serde::{Deserialize, Serialize};
use siaga_journal::saved::{self, SavedFile};
use siaga_model::config::Language;
use siaga_words::{NoBackup, SiteKeys, site_keys};
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Back up Siaga's own state, or restore it on new hardware
#[derive(clap::Args, Debug, Clone)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    pub verb: StateVerb,
}

const EXAMPLES: &str = "Examples:
  siaga state backup --out /root/siaga-state.jsonl
  siaga state restore /root/siaga-state.jsonl";

#[derive(clap::Subcommand, Debug, Clone)]
pub enum StateVerb {
    /// Write the configuration and the event logs of both servers into one file without secrets
    ///
    /// The agent may run. No key and no password goes into the file: what it holds is the hospital's record, and nobody can
    /// pose as a server with it. The database is not in it.
    #[command(after_help = BACKUP_EXAMPLES)]
    Backup(Backup),
    /// Put a backup on a machine that has no state yet, before init or join
    ///
    /// Only where both servers were lost: where one is left, a new machine gets everything from it (node replace). A
    /// restored log is an old log: this server then starts nothing before the other server's log was read, or a person said
    /// that nothing in the lost rows is in force (events accept-loss).
    #[command(after_help = RESTORE_EXAMPLES)]
    Restore(Restore),
}

const BACKUP_EXAMPLES: &str = "Examples:
  siaga state backup --out /root/siaga-state.jsonl
  siaga state backup --out /mnt/backup/siaga-state.jsonl --json";

const RESTORE_EXAMPLES: &str = "Examples:
  siaga state restore /root/siaga-state.jsonl";

#[derive(clap::Args, Debug, Clone)]
pub struct Backup {
    /// Where to write it. It must not be there yet.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// The site's configuration.
    #[arg(long, value_name = "FILE", default_value = CONFIG)]
    pub config: PathBuf,
    /// Where the event log and the keys are kept.
    #[arg(long, value_name = "DIR", default_value = STATE)]
    pub state_dir: PathBuf,
}

#[derive(clap::Args, Debug, Clone)]
pub struct Restore {
    /// The backup.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// Where the site's configuration is written, unless there is one.
    #[arg(long, value_name = "FILE", default_value = CONFIG)]
    pub config: PathBuf,
    /// Where the event log and the keys are kept.
    #[arg(long, value_name = "DIR", default_value = STATE)]
    pub state_dir: PathBuf,
}

/// The first line; one file of the log is on each further one, and `Last` on the last.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct First {
    siaga_state: u32,
    host: String,
    at: String,
    version: String,
    config: String,
}

/// A backup that was cut off has none.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Last {
    files: usize,
}

/// Carries the verb out.
pub fn run(global: &Global, args: &Args) -> Result<Exit, Fault> {
    let language = language::first(global);
    match &args.verb {
        StateVerb::Backup(backup) => back_up(language, backup),
        StateVerb::Restore(restore) => put_back(language, restore),
    }
}

fn local(file: &Path, e: impl std::fmt::Display) -> Fault {
    Fault::Local(format!("{}: {e}", file.display()))
}

fn back_up(language: Language, args: &Backup) -> Result<Exit, Fault> {
    let config = std::fs::read_to_string(&args.config).map_err(|e| local(&args.config, e))?;
    let first = First {
        siaga_state: 1,
        host: place::host_name(),
        at: when::stamp(when::now()),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        config,
    };
    let opened = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&args.out);
    let file = opened.map_err(|e| not_opened(language, &args.out, &e))?;
    let files = match write(file, &first, &args.state_dir) {
        Ok(files) => files,
        Err(error) => {
            let _ = std::fs::remove_file(&args.out);
            return Err(local(&args.out, error));
        }
    };
    let file = args.out.clone();
    if args.json {
        show::json(&serde_json::json!({ "file": file, "logs": files }))?;
    } else {
        out(&site_keys(language, &SiteKeys::BackedUp { file, files }));
    }
    Ok(Exit::Done)
}

/// A backup is written into a file of its own.
fn not_opened(language: Language, file: &Path, error: &io::Error) -> Fault {
    if error.kind() != io::ErrorKind::AlreadyExists {
        return local(file, error);
    }
    let file = file.to_owned();
    Fault::Local(site_keys(language, &SiteKeys::BackupThere { file }))
}

fn write(file: File, first: &First, state: &Path) -> io::Result<usize> {
    let mut to = BufWriter::new(file);
    let mut line = |value: String| to.write_all(format!("{value}\n").as_bytes());
    line(serde_json::to_string(first)?)?;
    let mut files = 0;
    for name in saved::names_of(state).map_err(io::Error::other)? {
        let one = saved::read(state, &name).map_err(io::Error::other)?;
        // A log without rows is none.
        if !one.text.is_empty() {
            line(serde_json::to_string(&one)?)?;
            files += 1;
        }
    }
    line(serde_json::to_string(&Last { files })?)?;
    let file = to.into_inner().map_err(|e| e.into_error())?;
    file.sync_all()?;
    Ok(files)
}

fn put_back(language: Language, args: &Restore) -> Result<Exit, Fault> {
    let not_one = |why: NoBackup| {
        let file = args.file.clone();
        Fault::Usage(site_keys(language, &SiteKeys::NotABackup { file, why }))
    };
    // All of it is read once before anything is written.
    let first = check(&args.file).map_err(not_one)?;
    let empty = saved::is_empty(&args.state_dir).map_err(|e| local(&args.state_dir, e))?;
    if !empty || args.state_dir.join("keys/node.pem").exists() {
        let dir = args.state_dir.clone();
        return Err(Fault::Refused(site_keys(
            language,
            &SiteKeys::StateThere { dir },
        )));
    }
    let why = format!(
        "the log was restored from a backup of {} made at {}",
        first.host, first.at
    );
    saved::begin_restored(&args.state_dir, &why).map_err(|e| local(&args.state_dir, e))?;
    let mut files = 0;
    for line in lines(&args.file).map_err(|e| local(&args.file, e))? {
        let line = line.map_err(|e| local(&args.file, e))?;
        if let Ok(one) = serde_json::from_str::<SavedFile>(&line) {
            saved::put_back(&args.state_dir, &one).map_err(|e| local(&args.state_dir, e))?;
            files += 1;
        }
    }
    let config = write_config(&args.config, &first.config).map_err(|e| local(&args.config, e))?;
    if args.json {
        show::json(
            &serde_json::json!({ "logs": files, "config_written": config, "made_at": first.at }),
        )?;
    } else {
        let text = SiteKeys::Restored {
            files,
            at: first.at,
            kept: (!config).then(|| args.config.clone()),
        };
        out(&site_keys(language, &text));
    }
    Ok(Exit::Done)
}

fn lines(file: &Path) -> io::Result<io::Lines<BufReader<File>>> {
    Ok(BufReader::new(File::open(file)?).lines())
}

fn said(error: impl std::fmt::Display) -> NoBackup {
    NoBackup::Said(error.to_string())
}

/// Whole, and of this form.
fn check(file: &Path) -> Result<First, NoBackup> {
    let mut lines = lines(file).map_err(said)?;
    let first = lines.next().ok_or(NoBackup::Empty)?.map_err(said)?;
    let first: First = serde_json::from_str(&first).map_err(said)?;
    if first.siaga_state != 1 {
        return Err(NoBackup::Newer);
    }
    let mut files = 0;
    while let Some(line) = lines.next().transpose().map_err(said)? {
        if let Ok(last) = serde_json::from_str::<Last>(&line) {
            return match last.files == files && lines.next().is_none() {
                true => Ok(first),
                false => Err(NoBackup::EndDiffers),
            };
        }
        serde_json::from_str::<SavedFile>(&line).map_err(said)?;
        files += 1;
    }
    Err(NoBackup::EndMissing)
}

/// `false`: there was one, and it was kept.
fn write_config(file: &Path, text: &str) -> io::Result<bool> {
    if let Some(dir) = file.parent() {
        std::fs::create_dir_all(dir)?;
    }
    let opened = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o644)
        .open(file);
    match opened {
        Ok(mut new) => {
            new.write_all(text.as_bytes())?;
            new.sync_all()?;
            Ok(true)
        }
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(e) => Err(e),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str =
        r#"{"siaga_state":1,"host":"serverdb","at":"now","version":"0.1.0","config":""}"#;

    fn checked(text: &str) -> Option<NoBackup> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("backup.jsonl");
        std::fs::write(&file, text).unwrap();
        check(&file).err()
    }

    #[test]
    fn what_is_no_whole_backup_has_its_reason() {
        let ended = |files: usize| format!("{FIRST}\n{{\"files\":{files}}}\n");
        assert_eq!(checked(&ended(0)), None);
        assert_eq!(checked(""), Some(NoBackup::Empty));
        assert_eq!(checked(FIRST), Some(NoBackup::EndMissing));
        assert_eq!(checked(&ended(1)), Some(NoBackup::EndDiffers));
        let more = format!("{}{FIRST}\n", ended(0));
        assert_eq!(checked(&more), Some(NoBackup::EndDiffers));
        let newer = ended(0).replace(r#""siaga_state":1"#, r#""siaga_state":2"#);
        assert_eq!(checked(&newer), Some(NoBackup::Newer));
        assert!(matches!(checked("siaga"), Some(NoBackup::Said(_))));
    }

    #[test]
    fn a_backup_over_a_file_says_what_to_do_and_another_error_is_told_as_it_is() {
        let of = |kind: io::ErrorKind, language| {
            not_opened(language, Path::new("/b"), &kind.into()).to_string()
        };
        let there = io::ErrorKind::AlreadyExists;
        assert!(of(there, Language::English).contains("another name"));
        assert!(of(there, Language::Indonesian).contains("nama lain"));
        let other = io::ErrorKind::PermissionDenied;
        assert_eq!(of(other, Language::English), "/b: permission denied");
    }
}
