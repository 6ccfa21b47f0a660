//! What a database says of its own files.

use crate::ids::{NodeName, ServiceName};
use crate::rehearsal::IndexCheck;
use serde::{Deserialize, Serialize};

/// The control file of a database at one moment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ControlSeen {
    /// As text: it does not fit the numbers of every reader.
    pub system_identifier: String,
    pub timeline: u32,
    /// Place of the latest checkpoint in the WAL, in bytes.
    pub checkpoint: u64,
    /// The file's own checksum: another one was written by somebody.
    pub checksum: u32,
}

impl ControlSeen {
    /// The place of the checkpoint as PostgreSQL writes it: `0/1A2B3C4`.
    pub fn lsn(&self) -> String {
        let (high, low) = (self.checkpoint >> 32, self.checkpoint & 0xffff_ffff);
        format!("{high:X}/{low:X}")
    }
}

/// What was seen of a database that runs, looked at in the background.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct IntegrityReport {
    pub service: ServiceName,
    pub node: NodeName,
    /// Are there checksums at all? `None`: it did not say.
    pub checksums: Option<bool>,
    /// Pages whose checksum did not fit, as the database has counted them.
    pub checksum_failures: Option<u64>,
    /// How many more than at the look before.
    pub new_failures: Option<u64>,
    pub indexes: IndexCheck,
}

/// What to make of a control file that is found before a start.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Judged {
    /// What was left, or newer by Siaga's own work.
    Fine,
    /// Nothing older, and yet somebody wrote it since Siaga stopped the database.
    Rewritten,
    /// Older, or another database: not to be started.
    Wrong(crate::why::Why),
}
