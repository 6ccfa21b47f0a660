//! What two nodes must have alike, and what the database asks of the one that does not run it.

use crate::estimate;
use siaga_model::event::{Finding, FindingCode, Severity};
use siaga_model::evidence::{Evidence, FileLine};
use siaga_model::readiness::{
    CheckId, CheckStatus, CollationLook, DatabaseNeeds, Examined, HostFacts, HugeNeed,
};
use siaga_model::{NodeName, Why};
use std::time::Duration;

/// More names are not told.
const MOST_NAMES: usize = 20;

/// One node as it sees itself.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    pub node: &'a NodeName,
    pub host: &'a HostFacts,
    /// Of the node that runs the database.
    pub needs: Option<&'a DatabaseNeeds>,
}

/// What the site wants, and what it has measured.
#[derive(Clone, Copy, Debug)]
pub struct Goal<'a> {
    pub rto: Duration,
    /// How fast own recoveries were, KiB per second, oldest first.
    pub redo_kib_per_s: &'a [u64],
}

/// What came of it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Compared {
    pub findings: Vec<Finding>,
    /// What is in order, or can't be told.
    pub examined: Vec<Examined>,
}

impl Compared {
    fn found(&mut self, code: FindingCode, node: &NodeName, severity: Severity, seen: Evidence) {
        self.findings.push(Finding {
            code,
            node: node.clone(),
            severity,
            evidence: seen,
        });
    }

    fn pass(&mut self, id: CheckId, node: &NodeName) {
        self.examined
            .push(Examined::pass(id, node, Evidence::Nothing));
    }

    fn unknown(&mut self, id: CheckId, node: &NodeName) {
        self.open(id, node, CheckStatus::Unknown, Evidence::NotKnown);
    }

    fn open(&mut self, id: CheckId, node: &NodeName, status: CheckStatus, seen: Evidence) {
        self.examined.push(Examined::open(id, node, status, seen));
    }
}

/// Compares two nodes. What differs is told of `other`, what is missing of the node that lacks it.
pub fn compare(one: Side, other: Side, goal: Goal) -> Compared {
    let mut compared = Compared::default();
    libraries(&mut compared, one, other);
    for (has, lacks) in [(one, other), (other, one)] {
        names(
            &mut compared,
            FindingCode::LocaleMissing,
            lacks.node,
            has.node,
            &has.host.locales,
            &lacks.host.locales,
        );
        names(
            &mut compared,
            FindingCode::ExtensionMissing,
            lacks.node,
            has.node,
            &has.host.extensions,
            &lacks.host.extensions,
        );
        if let Some(needs) = has.needs {
            memory(&mut compared, needs, lacks);
            recovery(&mut compared, needs, has.node, goal);
            collations(&mut compared, needs, has.node);
        }
    }
    if let (Some(a), Some(b)) = (one.host.gid, other.host.gid)
        && a != b
    {
        let seen = Evidence::UserIdsDiffer;
        compared.found(
            FindingCode::PostgresUserDiffers,
            other.node,
            Severity::Blocking,
            seen,
        );
    }
    configuration(&mut compared, one, other);
    compared
}

fn libraries(compared: &mut Compared, one: Side, other: Side) {
    let id = CheckId::Libraries;
    let (Some(a), Some(b)) = (&one.host.glibc, &other.host.glibc) else {
        return compared.unknown(id, other.node);
    };
    let icu = |side: Side| Some(side.host.icu.join(" "));
    let versions = |a: Option<String>, b: Option<String>| Evidence::Versions {
        one: one.node.clone(),
        one_has: a,
        other: other.node.clone(),
        other_has: b,
    };
    let code = FindingCode::LibraryVersionDiffers;
    if a != b {
        // Indexes over text that one of them built are silently wrong for the other.
        let seen = versions(Some(a.clone()), Some(b.clone()));
        compared.found(code, other.node, Severity::Blocking, seen);
    } else if icu(one) != icu(other) {
        // Several may be installed, and which one PostgreSQL uses its version tells.
        compared.found(
            code,
            other.node,
            Severity::Warning,
            versions(icu(one), icu(other)),
        );
    } else {
        compared.pass(id, other.node);
    }
}

fn names(
    compared: &mut Compared,
    code: FindingCode,
    lacks: &NodeName,
    has: &NodeName,
    there: &[String],
    here: &[String],
) {
    if there.is_empty() || here.is_empty() {
        return compared.unknown(CheckId::of(code), lacks);
    }
    let missing = there.iter().filter(|n| !here.iter().any(|h| is_same(n, h)));
    let names: Vec<String> = missing.take(MOST_NAMES).cloned().collect();
    if names.is_empty() {
        return compared.pass(CheckId::of(code), lacks);
    }
    let node = has.clone();
    compared.found(
        code,
        lacks,
        Severity::Warning,
        Evidence::OnlyOn { node, names },
    );
}

/// `postgis.control 3.4`: where one side does not tell a version (its agent is older), the name alone counts.
fn is_same(one: &str, other: &str) -> bool {
    match (one.split_once(' '), other.split_once(' ')) {
        (Some((name, _)), None) => name == other,
        (None, Some((name, _))) => name == one,
        (Some(_), Some(_)) | (None, None) => one == other,
    }
}

fn memory(compared: &mut Compared, needs: &DatabaseNeeds, host: Side) {
    let Some(has) = host.host.memory_mebibytes else {
        return compared.unknown(CheckId::Memory, host.node);
    };
    let short = [room(needs, has), huge_pages(needs, host.host)];
    let worst = short.into_iter().flatten().max_by_key(|(how, _)| *how);
    match worst {
        Some((severity, seen)) => {
            compared.found(FindingCode::MemoryShort, host.node, severity, seen);
        }
        None if needs.huge_pages && needs.huge_need == HugeNeed::Unknown => {
            compared.unknown(CheckId::Memory, host.node);
        }
        None => compared.pass(CheckId::Memory, host.node),
    }
}

/// Shared buffers are one part of what it uses: half of the memory leaves room for the rest.
fn room(needs: &DatabaseNeeds, has: u64) -> Option<(Severity, Evidence)> {
    let severity = match needs.shared_mebibytes {
        shared if shared >= has => Severity::Blocking,
        shared if shared > has / 2 => Severity::Warning,
        _ => return None,
    };
    let seen = Evidence::Memory {
        needs_mebibytes: needs.shared_mebibytes,
        has_mebibytes: has,
    };
    Some((severity, seen))
}

/// Where it refuses to start without huge pages: all of its shared memory lies in them, and that is more than its shared
/// buffers.
fn huge_pages(needs: &DatabaseNeeds, host: &HostFacts) -> Option<(Severity, Evidence)> {
    let has = reserved(host, needs.huge_page_kibibytes);
    let buffers = needs.shared_mebibytes;
    let (wanted, severity) = match needs.huge_need {
        HugeNeed::SharedBuffers | HugeNeed::Unknown => (buffers, Severity::Blocking),
        HugeNeed::Exactly { mebibytes } => (mebibytes, Severity::Blocking),
        HugeNeed::About { mebibytes } if has < buffers => (mebibytes, Severity::Blocking),
        // What is only reckoned must not say that a takeover is impossible.
        HugeNeed::About { mebibytes } => (mebibytes, Severity::Warning),
    };
    let seen = Evidence::HugePages {
        needs_mebibytes: wanted,
        has_mebibytes: has,
    };
    (needs.huge_pages && has < wanted).then_some((severity, seen))
}

/// MiB in huge pages of that size, or of the system's own.
fn reserved(host: &HostFacts, kibibytes: Option<u64>) -> u64 {
    match kibibytes {
        Some(size) if !host.huge_pools.is_empty() => {
            let pool = host.huge_pools.iter().find(|(one, _)| *one == size);
            pool.map_or(0, |(_, mebibytes)| *mebibytes)
        }
        _ => host.huge_mebibytes.unwrap_or(0),
    }
}

fn recovery(compared: &mut Compared, needs: &DatabaseNeeds, node: &NodeName, goal: Goal) {
    let seconds = estimate::redo_seconds(needs.wal_mebibytes << 20, goal.redo_kib_per_s);
    let seen = Evidence::Recovery {
        mebibytes: needs.wal_mebibytes,
        seconds,
        goal_s: goal.rto.as_secs(),
    };
    if seconds > goal.rto.as_secs() {
        compared.found(FindingCode::RecoveryTooLong, node, Severity::Warning, seen);
    } else {
        compared
            .examined
            .push(Examined::pass(CheckId::RecoveryTime, node, seen));
    }
}

fn collations(compared: &mut Compared, needs: &DatabaseNeeds, node: &NodeName) {
    let id = CheckId::Collations;
    let count = needs.collations_changed;
    // Whatever else could not be asked.
    if count > 0 {
        let (code, seen) = (FindingCode::CollationChanged, Evidence::Objects { count });
        return compared.found(code, node, Severity::Warning, seen);
    }
    match needs.collation_look {
        CollationLook::OneDatabase | CollationLook::All => compared.pass(id, node),
        CollationLook::NoDefaults => {
            let seen = Evidence::NoDefaultCollationVersion;
            compared.open(id, node, CheckStatus::NotExercised, seen);
        }
        CollationLook::NotAll { not_asked: count } => {
            let seen = Evidence::DatabasesNotAsked { count };
            compared.open(id, node, CheckStatus::Unknown, seen);
        }
        CollationLook::Unknown => compared.unknown(id, node),
    }
}

/// Only where it lies outside the disk set: else it moves with the data.
fn configuration(compared: &mut Compared, one: Side, other: Side) {
    let (a, b) = (&one.host.config_files, &other.host.config_files);
    if a.is_empty() && b.is_empty() {
        return;
    }
    let names = a.iter().chain(b).map(|(name, _)| name);
    let mut files: Vec<FileLine> = Vec::new();
    for name in names {
        let of = |all: &[(String, Vec<u64>)]| {
            let found = all.iter().find(|(n, _)| n == name);
            found.map(|(_, lines)| lines.clone()).unwrap_or_default()
        };
        let known = files.iter().any(|f| &f.name == name);
        if let Some(line) = first_difference(&of(a), &of(b)).filter(|_| !known) {
            let name = name.clone();
            files.push(FileLine { name, line });
        }
    }
    if files.is_empty() {
        return compared.pass(CheckId::DatabaseConfiguration, other.node);
    }
    // Without it, or without the folder that it includes, the database does not start there.
    let lacks = |side: Side, than: Side| {
        let (here, there) = (&side.host.config_files, &than.host.config_files);
        let folder = |all: &[(String, Vec<u64>)]| all.iter().any(|(name, _)| name.ends_with('/'));
        // A version that names no folder names no file in one either: it does not tell.
        let inside =
            |all: &[(String, Vec<u64>)]| all.iter().any(|(name, _)| name.contains("conf.d/"));
        here.is_empty() || folder(there) && !folder(here) && !inside(here)
    };
    let (node, severity) = match (lacks(one, other), lacks(other, one)) {
        (true, _) => (one.node, Severity::Blocking),
        (false, true) => (other.node, Severity::Blocking),
        (false, false) => (other.node, Severity::Warning),
    };
    let code = FindingCode::DatabaseConfigDiffers;
    compared.found(code, node, severity, Evidence::FilesDiffer { files });
}

/// From 1; a file that ends earlier differs behind its end.
fn first_difference(a: &[u64], b: &[u64]) -> Option<u32> {
    let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    (same < a.len().max(b.len())).then(|| u32::try_from(same + 1).unwrap_or(u32::MAX))
}

/// What can't be told of a node that does not answer.
pub fn silent(node: &NodeName, why: &Why) -> Vec<Examined> {
    let ids = [
        CheckId::DiskSet,
        CheckId::Postgres,
        CheckId::Libraries,
        CheckId::Locales,
        CheckId::Extensions,
        CheckId::AutoStart,
        CheckId::Memory,
        CheckId::DiskSpace,
    ];
    let seen = Evidence::from(why.clone());
    ids.map(|id| Examined::open(id, node, CheckStatus::Unknown, seen.clone()))
        .into()
}
