//! The secret word of this boot, below `/run`, which only root reads.

use crate::act::{directory, taken};
use crate::small_file;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

const FILE: &str = "disk-set-mark";
/// How the kernel counts the time that a process began at, for every program.
const TICKS_PER_SECOND: u64 = 100;

/// The word, and when it was made, since the boot.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Secret {
    pub word: String,
    made: Duration,
}

impl Secret {
    /// An earlier version marked its programs with the service's name alone. One that it began is root's, and was there when
    /// this boot's word was made.
    pub(super) fn is_later_than(&self, process: &Path) -> bool {
        let text = |file| fs::read_to_string(process.join(file)).unwrap_or_default();
        let began = began(&text("stat"));
        is_root(&text("status")) && began.is_some_and(|at| at < self.made)
    }
}

/// The same word for as long as this boot lasts, whatever becomes of the agent.
pub(super) fn of_this_boot() -> io::Result<Secret> {
    static KNOWN: Mutex<Option<Secret>> = Mutex::new(None);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(secret) = known.as_ref() {
        return Ok(secret.clone());
    }
    let secret = match cfg!(test) {
        true => fresh()?,
        false => kept_in(taken::default_directory())?,
    };
    *known = Some(secret.clone());
    Ok(secret)
}

/// What is kept there; made where it is not there yet.
fn kept_in(directory: &Path) -> io::Result<Secret> {
    let file = directory.join(FILE);
    let at = |e: io::Error| io::Error::new(e.kind(), format!("{}: {e}", file.display()));
    match small_file::read_text(&file) {
        Ok(text) => return parse(&text).map_err(at),
        Err(e) if e.kind() == ErrorKind::NotFound => {}
        Err(e) => return Err(at(e)),
    }
    make(directory, &file).map_err(at)?;
    // Another process may have been first.
    let text = small_file::read_text(&file).map_err(at)?;
    parse(&text).map_err(at)
}

fn make(directory: &Path, file: &Path) -> io::Result<()> {
    directory::make_open(directory)?;
    let coming = directory.join(format!(".{FILE}.{}", std::process::id()));
    let _ = fs::remove_file(&coming);
    let secret = fresh()?;
    let mut new = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&coming)?;
    new.write_all(format!("{} {}\n", secret.word, secret.made.as_millis()).as_bytes())?;
    // Whole, or not at all; and never in the place of one that is there.
    let linked = fs::hard_link(&coming, file);
    fs::remove_file(&coming)?;
    match linked {
        Err(e) if e.kind() != ErrorKind::AlreadyExists => Err(e),
        _ => Ok(()),
    }
}

fn fresh() -> io::Result<Secret> {
    let mut bytes = [0; 16];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(Secret {
        word: bytes.iter().map(|b| format!("{b:02x}")).collect(),
        made: crate::since_boot(),
    })
}

fn parse(text: &str) -> io::Result<Secret> {
    let word = |(word, made): (&str, &str)| {
        let made = Duration::from_millis(made.parse().ok()?);
        let word = word.to_owned();
        Some(Secret { word, made })
    };
    let parsed = text.trim_end().split_once(' ').and_then(word);
    parsed.ok_or_else(|| ErrorKind::InvalidData.into())
}

/// All four of its user ids: a program that another account began may have become root.
fn is_root(status: &str) -> bool {
    let ids = status.lines().find_map(|l| l.strip_prefix("Uid:"));
    ids.is_some_and(|ids| ids.split_whitespace().all(|id| id == "0"))
}

/// When a process had begun, since the boot.
fn began(stat: &str) -> Option<Duration> {
    // The 22nd word; the second is a name in brackets, which may be anything.
    let after_name = stat.rsplit_once(')')?.1;
    let ticks: u64 = after_name.split_whitespace().nth(19)?.parse().ok()?;
    Some(Duration::from_millis((ticks + 1) * 1000 / TICKS_PER_SECOND))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_word_of_a_boot_stays_and_is_roots() {
        let run = tempfile::tempdir().unwrap();
        let directory = run.path().join("siaga");
        let secret = kept_in(&directory).unwrap();
        assert_eq!(secret.word.len(), 32);
        let again = kept_in(&directory).unwrap();
        assert_eq!(again.word, secret.word);
        assert_ne!(fresh().unwrap().word, secret.word);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&directory.join(FILE)), 0o600);
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
        // Another word would not find what is marked with this one.
        fs::write(directory.join(FILE), "").unwrap();
        assert!(kept_in(&directory).is_err());
    }

    #[test]
    fn what_an_earlier_version_marked_was_there_before_and_is_roots() {
        let own = Path::new("/proc/self");
        let secret = |made| Secret {
            word: String::new(),
            made,
        };
        assert!(secret(crate::since_boot() + Duration::from_secs(1)).is_later_than(own));
        assert!(!secret(Duration::ZERO).is_later_than(own));
        assert!(is_root("Name:\tx\nUid:\t0\t0\t0\t0\n"));
        for status in ["Uid:\t0\t1000\t0\t0\n", "Uid:\t1000\t0\t0\t0\n", ""] {
            assert!(!is_root(status), "{status}");
        }
        let stat = "7 (a ) b) S 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 150 9";
        assert_eq!(began(stat), Some(Duration::from_millis(1510)));
    }
}
