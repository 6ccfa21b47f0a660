//! `postmaster.pid`: what a running server says of itself. It is local to a host and never proves anything; it is
//! read to learn the state of a server that was found by its processes.

use crate::small_file;
use std::path::{Path, PathBuf};

/// What the server says of its state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SaidState {
    Starting,
    Stopping,
    Ready,
    Standby,
    /// The line is not there yet.
    Nothing,
}

/// The lines of the file that are used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PidFile {
    pub pid: i32,
    pub state: SaidState,
    /// The whole file, to see whether it is still the same one.
    pub content: String,
}

/// Where it is.
pub fn path(data_dir: &Path) -> PathBuf {
    data_dir.join("postmaster.pid")
}

/// Reads it. `None` where it is missing or not yet whole.
pub fn read(data_dir: &Path) -> Option<PidFile> {
    read_file(&path(data_dir))
}

/// Reads a file of that form: the lock beside the socket has the same first lines.
pub fn read_file(path: &Path) -> Option<PidFile> {
    parse(small_file::read_text(path).ok()?)
}

impl PidFile {
    /// The data directory that it is for.
    pub fn data_dir(&self) -> &Path {
        Path::new(self.content.lines().nth(1).unwrap_or_default())
    }
}

fn parse(content: String) -> Option<PidFile> {
    let mut lines = content.lines();
    let pid = lines.next()?.trim().trim_start_matches('-').parse().ok()?;
    let state = match lines.nth(6).map(str::trim) {
        Some("starting") => SaidState::Starting,
        Some("stopping") => SaidState::Stopping,
        Some("ready") => SaidState::Ready,
        Some("standby") => SaidState::Standby,
        Some(_) | None => SaidState::Nothing,
    };
    Some(PidFile {
        pid,
        state,
        content,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_eighth_line_is_the_state() {
        let text = "711\n/srv/db\n1764000000\n5432\n/run/postgresql\nlocalhost\n  1234 5\n";
        assert_eq!(parse(text.into()).unwrap().state, SaidState::Nothing);
        assert_eq!(
            parse(format!("{text}ready   \n")).unwrap().state,
            SaidState::Ready
        );
        assert_eq!(
            parse(format!("{text}stopping\n")).unwrap().state,
            SaidState::Stopping
        );
        assert_eq!(parse(text.into()).unwrap().pid, 711);
        assert!(parse(String::new()).is_none());
    }

    #[test]
    fn what_the_database_account_puts_in_its_place_is_none() {
        let data = tempfile::tempdir().unwrap();
        let file = path(data.path());
        std::fs::write(&file, "711\n").unwrap();
        assert_eq!(read(data.path()).unwrap().pid, 711);
        small_file::tests::each_trap(&file, b"711\n", |what| {
            assert_eq!(read(data.path()), None, "{what}");
        });
    }
}
