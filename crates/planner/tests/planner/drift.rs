//! What of one node does not fit the other, or the database that would run there.

use siaga_model::NodeName;
use siaga_model::event::{FindingCode, Severity};
use siaga_model::evidence::{Evidence, FileLine};
use siaga_model::readiness::{CheckId, CheckStatus, DatabaseNeeds, HostFacts};
use siaga_planner::drift::{Compared, Goal, Side, compare};
use std::time::Duration;

fn host(glibc: &str) -> HostFacts {
    HostFacts {
        glibc: Some(glibc.into()),
        icu: vec!["libicui18n.so.72".into()],
        locales: vec!["C".into(), "id_ID.utf8".into()],
        extensions: vec!["pgcrypto.control".into()],
        config_files: vec![("pg_hba.conf".into(), vec![1, 2, 3])],
        memory_mebibytes: Some(16_384),
        huge_mebibytes: Some(0),
        gid: Some(115),
    }
}

fn needs() -> DatabaseNeeds {
    DatabaseNeeds {
        shared_mebibytes: 4096,
        huge_pages: false,
        wal_mebibytes: 1024,
        collations_changed: 0,
        checksums: Some(true),
        checksum_failures: Some(0),
    }
}

/// `backup` compared with a `serverdb` that runs the database.
fn drift(there: &HostFacts, needs: &DatabaseNeeds) -> Compared {
    let (serverdb, backup) = (NodeName::from("serverdb"), NodeName::from("backup"));
    let own = host("glibc 2.36");
    let one = Side {
        node: &serverdb,
        host: &own,
        needs: Some(needs),
    };
    let other = Side {
        node: &backup,
        host: there,
        needs: None,
    };
    let goal = Goal {
        rto: Duration::from_secs(300),
        redo_kib_per_s: &[],
    };
    compare(one, other, goal)
}

#[test]
fn nodes_that_are_alike_pass_everything() {
    let same = drift(&host("glibc 2.36"), &needs());
    assert_eq!(same.findings, []);
    for id in [
        CheckId::Libraries,
        CheckId::Locales,
        CheckId::Extensions,
        CheckId::Memory,
        CheckId::RecoveryTime,
        CheckId::Collations,
        CheckId::DatabaseConfiguration,
    ] {
        let found = same.examined.iter().find(|e| e.id == id);
        assert_eq!(found.map(|e| e.status), Some(CheckStatus::Pass), "{id:?}");
    }
}

#[test]
fn an_extension_in_another_version_is_found_where_both_tell_it() {
    let found = |here: &str, there: &str| {
        let of = |name: &str| HostFacts {
            extensions: vec![name.into()],
            ..host("glibc 2.36")
        };
        let names = [NodeName::from("serverdb"), NodeName::from("backup")];
        let hosts = [of(here), of(there)];
        let side = |at: usize| Side {
            node: &names[at],
            host: &hosts[at],
            needs: None,
        };
        let goal = Goal {
            rto: Duration::from_secs(300),
            redo_kib_per_s: &[],
        };
        let findings = compare(side(0), side(1), goal).findings;
        findings.into_iter().map(|f| f.code).collect::<Vec<_>>()
    };
    let differs = FindingCode::ExtensionMissing;
    let (old, new) = ("postgis.control 3.3.2", "postgis.control 3.4.0");
    // Each has one that the other lacks.
    assert_eq!(found(old, new), [differs, differs]);
    assert_eq!(found(new, new), [] as [FindingCode; 0]);
    // An agent of before tells the name alone.
    assert_eq!(found("postgis.control", new), []);
    assert_eq!(found(old, "postgis.control"), []);
}

#[test]
fn each_drift_is_found_on_the_node_that_lacks_it() {
    use FindingCode as F;
    use Severity::{Blocking, Warning};
    let with = |change: fn(&mut HostFacts)| {
        let mut there = host("glibc 2.36");
        change(&mut there);
        drift(&there, &needs()).findings
    };
    let worlds = [
        (
            with(|h| h.glibc = Some("glibc 2.41".into())),
            F::LibraryVersionDiffers,
            Blocking,
        ),
        (
            with(|h| h.icu = vec!["libicui18n.so.76".into()]),
            F::LibraryVersionDiffers,
            Warning,
        ),
        (
            with(|h| h.locales = vec!["C".into()]),
            F::LocaleMissing,
            Warning,
        ),
        (
            with(|h| h.extensions = vec!["plpgsql.control".into(), "pgcrypto.control".into()]),
            F::ExtensionMissing,
            Warning,
        ),
        (
            with(|h| h.gid = Some(999)),
            F::PostgresUserDiffers,
            Blocking,
        ),
        (
            with(|h| h.config_files[0].1[1] = 9),
            F::DatabaseConfigDiffers,
            Warning,
        ),
        (
            with(|h| h.config_files.clear()),
            F::DatabaseConfigDiffers,
            Blocking,
        ),
        (
            with(|h| h.memory_mebibytes = Some(6000)),
            F::MemoryShort,
            Warning,
        ),
        (
            with(|h| h.memory_mebibytes = Some(4096)),
            F::MemoryShort,
            Blocking,
        ),
    ];
    for (found, code, severity) in worlds {
        assert_eq!(found.len(), 1, "{code:?}: {found:?}");
        assert_eq!((found[0].code, found[0].severity), (code, severity));
        // What backup has more is missing on serverdb.
        let node = if code == F::ExtensionMissing {
            "serverdb"
        } else {
            "backup"
        };
        assert_eq!(found[0].node.as_str(), node, "{code:?}");
    }
    let differ = with(|h| h.config_files[0].1[1] = 9);
    let files = vec![FileLine {
        name: "pg_hba.conf".into(),
        line: 2,
    }];
    assert_eq!(differ[0].evidence, Evidence::FilesDiffer { files });
}

#[test]
fn what_the_database_asks_of_a_host_is_held_against_it() {
    let there = host("glibc 2.36");
    let with = |change: fn(&mut DatabaseNeeds)| {
        let mut needs = needs();
        change(&mut needs);
        let found = drift(&there, &needs).findings;
        found
            .iter()
            .map(|f| (f.code, f.severity, f.node.to_string()))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        with(|n| n.huge_pages = true),
        [(
            FindingCode::MemoryShort,
            Severity::Blocking,
            "backup".into()
        )]
    );
    // 64 GiB of WAL at 40 MiB a second are no five minutes.
    assert_eq!(
        with(|n| n.wal_mebibytes = 64 << 10),
        [(
            FindingCode::RecoveryTooLong,
            Severity::Warning,
            "serverdb".into()
        )]
    );
    assert_eq!(
        with(|n| n.collations_changed = 2),
        [(
            FindingCode::CollationChanged,
            Severity::Warning,
            "serverdb".into()
        )]
    );
}

#[test]
fn what_an_older_agent_does_not_tell_is_unknown_and_no_pass() {
    let compared = drift(&HostFacts::default(), &needs());
    assert_eq!(
        compared
            .findings
            .iter()
            .filter(|f| f.code != FindingCode::DatabaseConfigDiffers)
            .count(),
        0
    );
    for id in [
        CheckId::Libraries,
        CheckId::Locales,
        CheckId::Extensions,
        CheckId::Memory,
    ] {
        let found = compared.examined.iter().find(|e| e.id == id);
        assert_eq!(
            found.map(|e| e.status),
            Some(CheckStatus::Unknown),
            "{id:?}"
        );
    }
}
