//! What a readiness check examined, and what it found of each thing: also what is in order, and what was not tried.

use crate::event::{FindingCode, Severity};
use crate::evidence::Evidence;
use crate::ids::NodeName;
use serde::{Deserialize, Serialize};

/// A thing that is examined. Stable names.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckId {
    Peer,
    Path,
    DiskSet,
    DiskSetSize,
    /// What makes the disk set exclusive.
    DiskSetDriver,
    Fence,
    Postgres,
    PostgresVersion,
    PostgresUser,
    Configuration,
    MountByHand,
    MountPoint,
    AddressConflict,
    AddressLeftOver,
    Interface,
    StrangeDatabase,
    AutoStart,
    Certificate,
    Clock,
    LogSpace,
    EventLog,
    Fenced,
    Probe,
    Secrets,
    /// The C library and ICU, whose collations order the indexes.
    Libraries,
    Locales,
    Extensions,
    DatabaseConfiguration,
    Memory,
    DiskSpace,
    /// Do table spaces and the WAL lie on the service's own mounts?
    DataPlace,
    Collations,
    RecoveryTime,
    Drill,
    /// Starting the service on the standby from a copy.
    Rehearsal,
    /// The database's control file is the one that its last stop left.
    ControlFile,
    /// The database's pages carry checksums, and all of them fit.
    Checksums,
    /// amcheck found the indexes in order.
    Indexes,
    /// Switching the other node off for real.
    FenceOff,
    /// Mounting here for real.
    Mount,
    DatabaseStart,
    Client,
}

impl CheckId {
    /// What was examined where this was found.
    pub const fn of(code: FindingCode) -> Self {
        match code {
            FindingCode::PeerUnreachable => Self::Peer,
            FindingCode::PathDown => Self::Path,
            FindingCode::DiskSetMissing => Self::DiskSet,
            FindingCode::DiskSetSizeDiffers => Self::DiskSetSize,
            FindingCode::DiskSetDriver | FindingCode::ReservationLost => Self::DiskSetDriver,
            FindingCode::FenceSilent | FindingCode::FenceMissing => Self::Fence,
            FindingCode::PostgresMissing => Self::Postgres,
            FindingCode::PostgresVersionDiffers => Self::PostgresVersion,
            FindingCode::PostgresUserDiffers => Self::PostgresUser,
            FindingCode::ConfigDiffers => Self::Configuration,
            FindingCode::MountByHand => Self::MountByHand,
            FindingCode::MountPointMissing => Self::MountPoint,
            FindingCode::AddressConflict => Self::AddressConflict,
            FindingCode::AddressLeftOver => Self::AddressLeftOver,
            FindingCode::InterfaceDown => Self::Interface,
            FindingCode::DatabaseStranger => Self::StrangeDatabase,
            FindingCode::AutoStart => Self::AutoStart,
            FindingCode::CertificateExpires => Self::Certificate,
            FindingCode::ClockDiffers => Self::Clock,
            FindingCode::LogNearlyFull => Self::LogSpace,
            FindingCode::JournalTorn
            | FindingCode::JournalDamaged
            | FindingCode::EventKeyUnknown => Self::EventLog,
            FindingCode::NodeUnfencedAndBack => Self::Fenced,
            FindingCode::ProbeMissing => Self::Probe,
            FindingCode::SecretReadable => Self::Secrets,
            FindingCode::LibraryVersionDiffers => Self::Libraries,
            FindingCode::LocaleMissing => Self::Locales,
            FindingCode::ExtensionMissing => Self::Extensions,
            FindingCode::DatabaseConfigDiffers => Self::DatabaseConfiguration,
            FindingCode::MemoryShort => Self::Memory,
            FindingCode::DiskSpaceLow => Self::DiskSpace,
            FindingCode::DataOutside => Self::DataPlace,
            FindingCode::CollationChanged => Self::Collations,
            FindingCode::RecoveryTooLong => Self::RecoveryTime,
            FindingCode::DrillOverdue => Self::Drill,
            FindingCode::RehearsalFailed | FindingCode::RehearsalLeftOver => Self::Rehearsal,
            FindingCode::ControlFileRewritten => Self::ControlFile,
            FindingCode::ChecksumFailures => Self::Checksums,
            FindingCode::IndexDamaged => Self::Indexes,
        }
    }
}

/// What came of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckStatus {
    Pass,
    Warn,
    Fail,
    /// It was looked at and can't be told.
    Unknown,
    NotExercised,
}

impl CheckStatus {
    /// What a finding of that severity makes of a check.
    pub const fn of(severity: Severity) -> Self {
        match severity {
            Severity::Info => Self::Pass,
            Severity::Warning => Self::Warn,
            Severity::Blocking => Self::Fail,
        }
    }
}

/// One thing on one node.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Examined {
    pub id: CheckId,
    pub node: NodeName,
    pub severity: Severity,
    pub status: CheckStatus,
    pub evidence: Evidence,
    /// What was found, where something was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<FindingCode>,
}

impl Examined {
    /// It is in order.
    pub fn pass(id: CheckId, node: &NodeName, evidence: Evidence) -> Self {
        Self {
            id,
            node: node.clone(),
            severity: Severity::Info,
            status: CheckStatus::Pass,
            evidence,
            code: None,
        }
    }

    /// It can't be told, or nobody tried.
    pub fn open(id: CheckId, node: &NodeName, status: CheckStatus, evidence: Evidence) -> Self {
        Self {
            status,
            ..Self::pass(id, node, evidence)
        }
    }
}

/// What of a host a takeover leans on and the disk set does not bring along.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct HostFacts {
    /// `glibc 2.36`.
    pub glibc: Option<String>,
    /// File names: `libicui18n.so.72`.
    pub icu: Vec<String>,
    pub locales: Vec<String>,
    /// Modules and extensions of this PostgreSQL.
    pub extensions: Vec<String>,
    /// Configuration files outside the data directory: name, and a number for each line.
    pub config_files: Vec<(String, Vec<u64>)>,
    pub memory_mebibytes: Option<u64>,
    /// Reserved huge pages.
    pub huge_mebibytes: Option<u64>,
    /// The group of PostgreSQL's user.
    pub gid: Option<u32>,
}

/// What the running database asks of a host that would take it over.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DatabaseNeeds {
    pub shared_mebibytes: u64,
    /// It refuses to start without huge pages.
    pub huge_pages: bool,
    /// `max_wal_size`: about so much WAL may be written between two checkpoints.
    pub wal_mebibytes: u64,
    /// Collations whose version is another one than when their indexes were built.
    pub collations_changed: u64,
    /// Do the pages carry checksums?
    #[serde(default)]
    pub checksums: Option<bool>,
    /// Pages whose checksum did not fit, as the database has counted them.
    #[serde(default)]
    pub checksum_failures: Option<u64>,
}
