//! What a readiness check examined, and what it found of each thing: also what is in order, and what was not tried.

use crate::api::CanTakeOver;
use crate::event::{Actor, FindingCode, Severity};
use crate::evidence::{BootStart, Evidence};
use crate::ids::{NodeName, PersonName, ServiceName};
use crate::refusal::Refusal;
use crate::time::UtcMicros;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

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
    /// Does the other node's firewall let the database's port through?
    DatabasePort,
    Backup,
    Drill,
    /// Starting the service on the standby from a copy.
    Rehearsal,
    /// The database's control file is the one that its last stop left.
    ControlFile,
    /// The database's pages carry checksums, and all of them fit.
    Checksums,
    /// amcheck found the indexes in order.
    Indexes,
    /// The systemd unit of the database, where it has one.
    DatabaseUnit,
    /// If the other node falls silent, it can be made to let go without a person who goes there.
    LettingGo,
    /// The client probes found every row again that the database had acknowledged.
    Rows,
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
            FindingCode::FenceSilent | FindingCode::FenceMissing | FindingCode::FenceBelied => {
                Self::Fence
            }
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
            FindingCode::CertificateExpires
            | FindingCode::CaKeyMissing
            | FindingCode::CaDiffers => Self::Certificate,
            FindingCode::ClockDiffers => Self::Clock,
            FindingCode::LogNearlyFull => Self::LogSpace,
            FindingCode::JournalTorn
            | FindingCode::JournalDamaged
            | FindingCode::EventKeyUnknown => Self::EventLog,
            FindingCode::NodeUnfencedAndBack | FindingCode::NodeReplaced => Self::Fenced,
            FindingCode::ProbeMissing => Self::Probe,
            FindingCode::RowsLost => Self::Rows,
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
            FindingCode::DatabasePortSilent => Self::DatabasePort,
            FindingCode::BackupOld => Self::Backup,
            FindingCode::RehearsalFailed | FindingCode::RehearsalLeftOver => Self::Rehearsal,
            FindingCode::ControlFileRewritten => Self::ControlFile,
            FindingCode::ChecksumFailures => Self::Checksums,
            FindingCode::IndexDamaged => Self::Indexes,
            FindingCode::DatabaseUnit => Self::DatabaseUnit,
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

/// What `siaga check --fix` may do. Each touches nothing that runs, and is undone as easily.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "fix")]
pub enum Fix {
    /// Makes an empty directory to mount at.
    MakeDirectory { path: PathBuf },
    /// Keeps a unit from being started at boot. One that runs goes on.
    DisableUnit { name: String },
    /// Debian: writes `manual` into the cluster's `start.conf`.
    ManualCluster { file: PathBuf },
}

impl Fix {
    /// What would mend it without any harm; empty where a person has to.
    pub fn of(code: FindingCode, evidence: &Evidence) -> Vec<Self> {
        match (code, evidence) {
            (_, Evidence::Several { each }) => {
                each.iter().flat_map(|one| Self::of(code, one)).collect()
            }
            (FindingCode::MountPointMissing, Evidence::PathMissing { path }) => {
                vec![Self::MakeDirectory { path: path.clone() }]
            }
            (FindingCode::AutoStart, Evidence::StartsAtBoot { what }) => match what {
                BootStart::Unit { name } => vec![Self::DisableUnit { name: name.clone() }],
                BootStart::Cluster { file } => vec![Self::ManualCluster { file: file.clone() }],
                // Lines of the system's own files are a person's.
                BootStart::Fstab { .. } | BootStart::Address { .. } => Vec::new(),
            },
            _ => Vec::new(),
        }
    }
}

/// One of them, and what came of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Fixed {
    pub node: NodeName,
    pub fix: Fix,
    /// Why it was not done. `None`: it was.
    pub trouble: Option<crate::why::Why>,
}

/// `POST /v1/check/fix`: mends what can be mended without any harm, on both nodes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FixRequest {
    pub service: Option<ServiceName>,
    /// `--as NAME`, from root.
    #[serde(default)]
    pub stated_actor: Option<PersonName>,
    /// From the agent that was asked: whom it took the order from.
    #[serde(default)]
    pub forwarded_actor: Option<Actor>,
    #[serde(default)]
    pub forwarded_person: Option<PersonName>,
}

/// Answer to `POST /v1/check/fix`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "answer")]
pub enum FixAnswer {
    /// What was done on every node that answered.
    Done {
        fixed: Vec<Fixed>,
    },
    Refused {
        refusal: Refusal,
    },
}

/// `GET /v1/health`: could the site's services be taken over now, by the newest check of each? Nothing is looked at for
/// it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Health {
    pub node: NodeName,
    pub at: UtcMicros,
    pub version: String,
    /// Of the worst service.
    pub ready: CanTakeOver,
    pub services: Vec<ServiceHealth>,
}

/// Of one service.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ServiceHealth {
    pub service: ServiceName,
    /// `unknown` also where there is no check yet, or none that is young enough.
    pub ready: CanTakeOver,
    pub checked_at: Option<UtcMicros>,
    pub age_s: Option<u64>,
    /// Too old to be believed.
    pub stale: bool,
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
    /// Reserved huge pages of the size that the system itself uses.
    pub huge_mebibytes: Option<u64>,
    /// Reserved huge pages of each size: KiB of one page, MiB of all. Empty: an agent of before does not tell.
    pub huge_pools: Vec<(u64, u64)>,
    /// The group of PostgreSQL's user.
    pub gid: Option<u32>,
}

/// How much of the collations was compared with what the system's libraries have now.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "compared")]
pub enum CollationLook {
    /// Those of one database, and no default one: an agent of before compares no more.
    #[default]
    OneDatabase,
    /// Those of every database that may be connected to, the default ones too.
    All,
    /// All but the default ones: the server keeps no version of them, since it is older than PostgreSQL 15.
    NoDefaults,
    /// So many databases could not be asked.
    NotAll { not_asked: u64 },
    /// It can't be told.
    Unknown,
}

/// What the database's shared memory takes, where it is to lie in huge pages.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "huge")]
pub enum HugeNeed {
    /// At least its shared buffers: an agent of before tells no more.
    #[default]
    SharedBuffers,
    /// The server told it.
    Exactly { mebibytes: u64 },
    /// Reckoned: the server is too old to tell.
    About { mebibytes: u64 },
    /// The server can't tell.
    Unknown,
}

/// What the running database asks of a host that would take it over.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DatabaseNeeds {
    pub shared_mebibytes: u64,
    /// It refuses to start without huge pages.
    pub huge_pages: bool,
    /// `max_wal_size`: about so much WAL may be written between two checkpoints.
    pub wal_mebibytes: u64,
    /// Collations whose version is another one than when their indexes were built, in all databases that were asked.
    pub collations_changed: u64,
    #[serde(default)]
    pub collation_look: CollationLook,
    /// Do the pages carry checksums?
    #[serde(default)]
    pub checksums: Option<bool>,
    /// Pages whose checksum did not fit, as the database has counted them.
    #[serde(default)]
    pub checksum_failures: Option<u64>,
    #[serde(default)]
    pub huge_need: HugeNeed,
    /// KiB of one huge page, where the database names a size. `None`: the system's own.
    #[serde(default)]
    pub huge_page_kibibytes: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_do_no_harm_is_fixed() {
        let unit = Evidence::StartsAtBoot {
            what: BootStart::Unit {
                name: "postgresql@15-main.service".into(),
            },
        };
        let fstab = Evidence::StartsAtBoot {
            what: BootStart::Fstab {
                mount_point: "/srv/db".into(),
                line: 4,
            },
        };
        let both = Evidence::Several {
            each: vec![unit, fstab],
        };
        let name = "postgresql@15-main.service".to_owned();
        let fixes = Fix::of(FindingCode::AutoStart, &both);
        assert_eq!(fixes, [Fix::DisableUnit { name }]);
        let path = PathBuf::from("/srv/db");
        let missing = Evidence::PathMissing { path };
        let fixes = Fix::of(FindingCode::MountPointMissing, &missing);
        assert_eq!(fixes.len(), 1);
        // The same evidence of another finding is another thing.
        assert!(Fix::of(FindingCode::DiskSetMissing, &missing).is_empty());
    }
}
