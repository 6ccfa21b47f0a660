//! `global/pg_control`: what PostgreSQL itself last wrote of its state.
//!
//! It speaks only through its holder, and never says that a server has stopped: after a crash it says "in
//! production" for ever, and with a hung `archive_command` it says "shut down" while the postmaster still runs.

use crate::small_file;
use siaga_model::integrity::ControlSeen;
use std::path::Path;

/// How much of the file matters, in bytes.
const NEEDED: usize = 296;

/// The state that the file gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ClusterState {
    StartingUp,
    ShutDown,
    ShutDownInRecovery,
    ShuttingDown,
    InCrashRecovery,
    InArchiveRecovery,
    InProduction,
}

impl ClusterState {
    fn from_number(number: u32) -> Option<Self> {
        Some(match number {
            0 => Self::StartingUp,
            1 => Self::ShutDown,
            2 => Self::ShutDownInRecovery,
            3 => Self::ShuttingDown,
            4 => Self::InCrashRecovery,
            5 => Self::InArchiveRecovery,
            6 => Self::InProduction,
            _ => return None,
        })
    }

    /// In the words of `pg_controldata`.
    pub fn words(self) -> &'static str {
        match self {
            Self::StartingUp => "starting up",
            Self::ShutDown => "shut down",
            Self::ShutDownInRecovery => "shut down in recovery",
            Self::ShuttingDown => "shutting down",
            Self::InCrashRecovery => "in crash recovery",
            Self::InArchiveRecovery => "in archive recovery",
            Self::InProduction => "in production",
        }
    }

    /// True where the next start needs no recovery and no pass of fsync over the data directory.
    pub fn is_shut_down(self) -> bool {
        matches!(self, Self::ShutDown | Self::ShutDownInRecovery)
    }
}

/// What is read from the file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PgControl {
    pub system_identifier: u64,
    /// The format's version: 1300 for PostgreSQL 13 to 16, 1700, 1800.
    pub version: u32,
    pub state: ClusterState,
    /// Place of the latest checkpoint record in the WAL, in bytes.
    pub checkpoint: u64,
    /// Where redo would begin, in bytes.
    pub redo: u64,
    pub timeline: u32,
    /// Size of a WAL segment, in bytes.
    pub wal_segment_size: u32,
    /// The file's own checksum.
    pub checksum: u32,
}

impl PgControl {
    /// What is remembered of it.
    pub fn seen(&self) -> ControlSeen {
        ControlSeen {
            system_identifier: self.system_identifier.to_string(),
            timeline: self.timeline,
            checkpoint: self.checkpoint,
            checksum: self.checksum,
        }
    }
}

/// Why the file can't be used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PgControlError {
    #[error("PG_CONTROL_IO: {0}")]
    Io(String),
    #[error("PG_CONTROL_SHORT: {0} bytes")]
    Short(usize),
    #[error("PG_CONTROL_VERSION: format {0} is not known (PostgreSQL 13 to 18 are)")]
    Version(u32),
    #[error("PG_CONTROL_CRC: the checksum does not fit: damaged, or read while it was written")]
    Checksum,
    #[error("PG_CONTROL_STATE: state {0} is not known")]
    State(u32),
}

/// Where the checksum is, which also says how many bytes it covers.
fn checksum_at(version: u32) -> Option<usize> {
    match version {
        1300 | 1700 => Some(288),
        1800 => Some(292),
        _ => None,
    }
}

/// Reads the control file's bytes.
pub fn parse(bytes: &[u8]) -> Result<PgControl, PgControlError> {
    if bytes.len() < NEEDED {
        return Err(PgControlError::Short(bytes.len()));
    }
    let version = u32_at(bytes, 8);
    let crc_at = checksum_at(version).ok_or(PgControlError::Version(version))?;
    if crc32c(&bytes[..crc_at]) != u32_at(bytes, crc_at) {
        return Err(PgControlError::Checksum);
    }
    let state = u32_at(bytes, 16);
    Ok(PgControl {
        system_identifier: u64_at(bytes, 0),
        version,
        state: ClusterState::from_number(state).ok_or(PgControlError::State(state))?,
        checkpoint: u64_at(bytes, 32),
        redo: u64_at(bytes, 40),
        timeline: u32_at(bytes, 48),
        wal_segment_size: u32_at(bytes, 228),
        checksum: u32_at(bytes, crc_at),
    })
}

/// Reads the control file of a mounted data directory. A checksum that does not fit is read again a few times, since
/// the file may have been read in the middle of a write.
pub fn read(data_dir: &Path) -> Result<PgControl, PgControlError> {
    let path = data_dir.join("global/pg_control");
    let mut last = PgControlError::Checksum;
    for _ in 0..3 {
        let bytes = small_file::read(&path)
            .map_err(|e| PgControlError::Io(format!("{}: {e}", path.display())))?;
        match parse(&bytes) {
            Err(PgControlError::Checksum) => last = PgControlError::Checksum,
            other => return other,
        }
    }
    Err(last)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut four = [0; 4];
    four.copy_from_slice(&bytes[at..at + 4]);
    u32::from_ne_bytes(four)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut eight = [0; 8];
    eight.copy_from_slice(&bytes[at..at + 8]);
    u64::from_ne_bytes(eight)
}

const CRC_TABLE: [u32; 256] = crc_table();

const fn crc_table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        let mut crc = i as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 {
                (crc >> 1) ^ 0x82F6_3B78
            } else {
                crc >> 1
            };
            bit += 1;
        }
        table[i] = crc;
        i += 1;
    }
    table
}

/// CRC-32C (Castagnoli), as PostgreSQL uses it.
fn crc32c(bytes: &[u8]) -> u32 {
    let step =
        |crc: u32, byte: &u8| (crc >> 8) ^ CRC_TABLE[((crc ^ u32::from(*byte)) & 0xff) as usize];
    !bytes.iter().fold(!0, step)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn recorded(name: &str) -> Vec<u8> {
        std::fs::read(recorded_path(name)).unwrap()
    }

    fn recorded_path(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/pg_control")
            .join(name)
    }

    /// The value after `label` in a recorded text.
    fn said(text: &str, label: &str) -> String {
        let line = text.lines().find_map(|l| l.strip_prefix(label)).unwrap();
        line.trim_start_matches(['|', ':', ' ']).trim().to_owned()
    }

    fn lsn(text: &str) -> u64 {
        let (high, low) = text.split_once('/').unwrap();
        (u64::from_str_radix(high, 16).unwrap() << 32) | u64::from_str_radix(low, 16).unwrap()
    }

    #[test]
    fn every_version_reads_as_pg_controldata_printed_it() {
        for major in 13..=18 {
            for state in ["shut_down", "in_production"] {
                let control = parse(&recorded(&format!("{major}-{state}.bin"))).unwrap();
                let text = std::fs::read_to_string(recorded_path(&format!("{major}-{state}.txt")))
                    .unwrap();
                assert_eq!(
                    control.version.to_string(),
                    said(&text, "pg_control version number")
                );
                assert_eq!(
                    control.system_identifier.to_string(),
                    said(&text, "Database system identifier")
                );
                assert_eq!(control.state.words(), said(&text, "Database cluster state"));
                assert_eq!(
                    control.checkpoint,
                    lsn(&said(&text, "Latest checkpoint location"))
                );
                assert_eq!(
                    control.redo,
                    lsn(&said(&text, "Latest checkpoint's REDO location"))
                );
                assert_eq!(
                    control.timeline.to_string(),
                    said(&text, "Latest checkpoint's TimeLineID")
                );
                assert_eq!(
                    control.wal_segment_size.to_string(),
                    said(&text, "Bytes per WAL segment")
                );
            }
        }
    }

    #[test]
    fn every_version_reads_as_its_own_server_answered() {
        for major in 13..=18 {
            let control = parse(&recorded(&format!("{major}-in_production.bin"))).unwrap();
            let text =
                std::fs::read_to_string(recorded_path(&format!("{major}-in_production.sql.txt")))
                    .unwrap();
            assert!(said(&text, "version").starts_with(&format!("PostgreSQL {major}.")));
            assert_eq!(
                control.version.to_string(),
                said(&text, "pg_control_version")
            );
            assert_eq!(
                control.system_identifier.to_string(),
                said(&text, "system_identifier")
            );
            assert_eq!(control.checkpoint, lsn(&said(&text, "checkpoint_lsn")));
            assert_eq!(control.redo, lsn(&said(&text, "redo_lsn")));
            assert_eq!(control.timeline.to_string(), said(&text, "timeline_id"));
            assert_eq!(
                control.wal_segment_size.to_string(),
                said(&text, "bytes_per_wal_segment")
            );
        }
    }

    #[test]
    fn damage_shows_whichever_byte_it_hits() {
        for major in [13, 17, 18] {
            let whole = recorded(&format!("{major}-shut_down.bin"));
            let covered = checksum_at(u32_at(&whole, 8)).unwrap();
            for at in (0..covered + 4).filter(|at| !(8..12).contains(at)) {
                let mut bytes = whole.clone();
                bytes[at] ^= 0x10;
                assert_eq!(parse(&bytes), Err(PgControlError::Checksum), "byte {at}");
            }
        }
    }

    #[test]
    fn what_the_database_account_puts_in_its_place_is_an_error() {
        let data = tempfile::tempdir().unwrap();
        let file = data.path().join("global/pg_control");
        let good = recorded("18-shut_down.bin");
        std::fs::create_dir(data.path().join("global")).unwrap();
        std::fs::write(&file, &good).unwrap();
        read(data.path()).unwrap();
        small_file::tests::each_trap(&file, &good, |what| {
            let said = read(data.path());
            assert!(
                matches!(said, Err(PgControlError::Io(_))),
                "{what}: {said:?}"
            );
        });
    }

    #[test]
    fn an_unknown_format_and_a_short_file_are_named() {
        let mut bytes = recorded("15-shut_down.bin");
        assert_eq!(parse(&bytes[..100]), Err(PgControlError::Short(100)));
        bytes[8..12].copy_from_slice(&1201u32.to_ne_bytes());
        assert_eq!(parse(&bytes), Err(PgControlError::Version(1201)));
    }
}
