//! How far a start has come: never a flat limit, since limits kill recoveries that advance.

use super::process::title;
use crate::observe::pg_control::{self, PgControl};
use crate::small_file;
use siaga_model::Progress;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The WAL that is to be redone, in bytes of the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RedoRange {
    from: u64,
    to: u64,
    segment: u64,
}

const WAL_PAGE: u64 = 8192;

impl RedoRange {
    /// From the control file's redo point to the last page of WAL that was written. `None` where there is nothing to
    /// redo, or it can't be known.
    pub fn measure(data_dir: &Path) -> Option<Self> {
        let control = pg_control::read(data_dir).ok()?;
        if control.state.is_shut_down() || !control.wal_segment_size.is_power_of_two() {
            return None;
        }
        let range = Self {
            from: control.redo,
            to: wal_end(data_dir, &control)?,
            segment: control.wal_segment_size.into(),
        };
        (range.to > range.from).then_some(range)
    }

    /// How much it is.
    pub fn bytes(&self) -> u64 {
        self.to - self.from
    }

    /// The startup process says which segment it is in: `postgres: startup recovering 000000010000000000000007`.
    pub fn percent(&self, startup_title: &str) -> Option<u8> {
        let name = startup_title
            .split("recovering ")
            .nth(1)?
            .split_ascii_whitespace()
            .next()?;
        let at = segment_start(name, self.segment)?.max(self.from);
        u8::try_from(at.saturating_sub(self.from) * 100 / (self.to - self.from))
            .ok()
            .map(|p| p.min(99))
    }
}

/// Where a segment begins: eight hex digits each of timeline, four-gigabyte file and segment within it.
fn segment_start(name: &str, segment: u64) -> Option<u64> {
    let number = |range| u64::from_str_radix(name.get(range)?, 16).ok();
    if name.len() != 24 {
        return None;
    }
    Some((number(8..16)? << 32) + number(16..24)? * segment)
}

fn segment_path(data_dir: &Path, timeline: u32, start: u64, segment: u64) -> PathBuf {
    let (high, low) = (start >> 32, (start & 0xffff_ffff) / segment);
    data_dir
        .join("pg_wal")
        .join(format!("{timeline:08X}{high:08X}{low:08X}"))
}

/// The end of the written WAL, to the page. Recycled segments carry old page addresses, which tells them apart.
fn wal_end(data_dir: &Path, control: &PgControl) -> Option<u64> {
    let segment = u64::from(control.wal_segment_size);
    let mut start = control.redo - control.redo % segment;
    let mut end = None;
    while let Some(within) = written_pages(
        &segment_path(data_dir, control.timeline, start, segment),
        start,
        segment,
    ) {
        end = Some(start + within * WAL_PAGE);
        if within * WAL_PAGE < segment {
            break;
        }
        start += segment;
    }
    end
}

/// How many pages of a segment were written in this round of its file. `None` where its first one was not.
fn written_pages(path: &Path, start: u64, segment: u64) -> Option<u64> {
    let file = small_file::open(path).ok()?;
    let is_written = |page: u64| {
        let mut address = [0; 8];
        file.read_exact_at(&mut address, page * WAL_PAGE + 8)
            .is_ok()
            && u64::from_ne_bytes(address) == start + page * WAL_PAGE
    };
    if !is_written(0) {
        return None;
    }
    let (mut written, mut unwritten) = (0, segment / WAL_PAGE);
    while unwritten - written > 1 {
        let middle = (written + unwritten) / 2;
        if is_written(middle) {
            written = middle
        } else {
            unwritten = middle
        }
    }
    Some(unwritten)
}

/// What a starting server does now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stage {
    pub at: Progress,
    pub percent: Option<u8>,
}

/// Reads the stage from the titles of the postmaster's children.
pub fn stage(postmaster: i32, range: Option<&RedoRange>) -> Stage {
    let titles: Vec<String> = children(postmaster).into_iter().map(title).collect();
    let find = |part: &str| titles.iter().find(|t| t.contains(part));
    let stage = |at, percent| Stage { at, percent };
    if let Some(startup) = find("recovering ") {
        let percent = range.and_then(|r| r.percent(startup));
        return stage(Progress::Redo { percent }, percent);
    }
    if find("end-of-recovery checkpoint").is_some() {
        return stage(Progress::EndOfRecoveryCheckpoint, Some(99));
    }
    stage(Progress::Starting, None)
}

fn children(pid: i32) -> Vec<i32> {
    let list =
        std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    list.split_ascii_whitespace()
        .filter_map(|p| p.parse().ok())
        .collect()
}

/// Everything that changes while a start advances, as one number: titles, control file, log, and what the startup
/// process has computed, read, written and waited for.
pub fn fingerprint(postmaster: i32, data_dir: &Path, log: Option<&Path>) -> u64 {
    let mut hasher = DefaultHasher::new();
    small_file::read(&data_dir.join("global/pg_control"))
        .unwrap_or_default()
        .hash(&mut hasher);
    log.and_then(|l| std::fs::metadata(l).ok())
        .map(|m| m.len())
        .hash(&mut hasher);
    for child in children(postmaster) {
        let title = title(child);
        if title.contains("startup")
            || title.contains("checkpoint at")
            || title.contains("recovery checkpoint")
        {
            title.hash(&mut hasher);
            for file in ["io", "stat", "schedstat"] {
                std::fs::read(format!("/proc/{child}/{file}"))
                    .unwrap_or_default()
                    .hash(&mut hasher);
            }
        }
    }
    hasher.finish()
}

/// Since when nothing has changed.
pub struct Stall {
    last: Option<u64>,
    since: Instant,
    limit: Duration,
}

impl Stall {
    /// Nothing for `limit` counts as stalled.
    pub fn new(now: Instant, limit: Duration) -> Self {
        Self {
            last: None,
            since: now,
            limit,
        }
    }

    /// True where the fingerprint has been the same for the whole limit.
    pub fn is_stalled(&mut self, now: Instant, fingerprint: u64) -> bool {
        if self.last != Some(fingerprint) {
            self.last = Some(fingerprint);
            self.since = now;
        }
        now.duration_since(self.since) >= self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEGMENT: u64 = 16 << 20;

    #[test]
    fn percent_follows_the_segment_in_the_title() {
        let range = RedoRange {
            from: SEGMENT * 2,
            to: SEGMENT * 12,
            segment: SEGMENT,
        };
        let at =
            |name: &str| range.percent(&format!("postgres: 15/main: startup recovering {name}"));
        assert_eq!(at("000000010000000000000002"), Some(0));
        assert_eq!(at("000000010000000000000006"), Some(40));
        assert_eq!(at("00000001000000000000000C"), Some(99));
        assert_eq!(range.percent("postgres: startup"), None);
        assert_eq!(
            segment_start("0000000100000002000000FF", SEGMENT),
            Some((2 << 32) + 255 * SEGMENT)
        );
    }

    #[test]
    fn the_end_of_the_wal_is_where_page_addresses_stop_fitting() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("segment");
        let segment = 32 * WAL_PAGE;
        let start = 7 * segment;
        let mut bytes = vec![0u8; segment as usize];
        for page in 0..32 {
            // From page 11 on, the addresses are those of the file's earlier life.
            let address = if page < 11 {
                start
            } else {
                start - 3 * segment
            } + page * WAL_PAGE;
            let at = (page * WAL_PAGE + 8) as usize;
            bytes[at..at + 8].copy_from_slice(&address.to_ne_bytes());
        }
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(written_pages(&path, start, segment), Some(11));
        assert_eq!(written_pages(&path, start + segment, segment), None);
    }

    #[test]
    fn what_advances_is_never_stalled() {
        let begin = Instant::now();
        let after = |seconds| begin + Duration::from_secs(seconds);
        let mut stall = Stall::new(begin, Duration::from_secs(10));
        assert!((0..100).all(|s| !stall.is_stalled(after(s), s / 9)));
        assert!(!stall.is_stalled(after(108), 11));
        assert!(stall.is_stalled(after(109), 11));
        assert!(!stall.is_stalled(after(110), 12));
    }
}
