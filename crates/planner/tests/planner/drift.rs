//! What of one node does not fit the other, or the database that would run there.

use siaga_model::NodeName;
use siaga_model::event::{FindingCode, Severity};
use siaga_model::evidence::{Evidence, FileLine};
use siaga_model::readiness::{
    CheckId, CheckStatus, CollationLook, DatabaseNeeds, HostFacts, HugeNeed,
};
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
        huge_pools: vec![(2048, 0), (1_048_576, 0)],
        gid: Some(115),
    }
}

fn needs() -> DatabaseNeeds {
    DatabaseNeeds {
        shared_mebibytes: 4096,
        huge_pages: false,
        wal_mebibytes: 1024,
        collations_changed: 0,
        collation_look: CollationLook::All,
        checksums: Some(true),
        checksum_failures: Some(0),
        huge_need: HugeNeed::Exactly { mebibytes: 4214 },
        huge_page_kibibytes: None,
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

/// What became of one check of `backup` against this database: its status, and what was found.
fn of(id: CheckId, there: &HostFacts, needs: &DatabaseNeeds) -> (CheckStatus, Evidence) {
    let compared = drift(there, needs);
    let found = compared.findings.iter().find(|f| CheckId::of(f.code) == id);
    let examined = compared.examined.iter().find(|e| e.id == id);
    match (found, examined) {
        (Some(found), None) => (CheckStatus::of(found.severity), found.evidence.clone()),
        (None, Some(one)) => (one.status, one.evidence.clone()),
        other => panic!("{id:?}: {other:?}"),
    }
}

#[test]
fn collations_that_were_not_all_compared_are_no_pass() {
    let seen = |changed: u64, look: CollationLook| {
        let needs = DatabaseNeeds {
            collations_changed: changed,
            collation_look: look,
            ..needs()
        };
        of(CheckId::Collations, &host("glibc 2.36"), &needs)
    };
    let nothing = Evidence::Nothing;
    let not_all = CollationLook::NotAll { not_asked: 3 };
    assert_eq!(
        seen(0, CollationLook::All),
        (CheckStatus::Pass, nothing.clone())
    );
    // An agent of before: as it was judged before.
    assert_eq!(
        seen(0, CollationLook::OneDatabase),
        (CheckStatus::Pass, nothing)
    );
    assert_eq!(
        seen(0, CollationLook::NoDefaults),
        (
            CheckStatus::NotExercised,
            Evidence::NoDefaultCollationVersion
        )
    );
    assert_eq!(
        seen(0, not_all),
        (
            CheckStatus::Unknown,
            Evidence::DatabasesNotAsked { count: 3 }
        )
    );
    assert_eq!(
        seen(0, CollationLook::Unknown),
        (CheckStatus::Unknown, Evidence::NotKnown)
    );
    // A change that was found counts in any case.
    for look in [
        CollationLook::All,
        CollationLook::OneDatabase,
        CollationLook::NoDefaults,
        not_all,
        CollationLook::Unknown,
    ] {
        let changed = (CheckStatus::Warn, Evidence::Objects { count: 2 });
        assert_eq!(seen(2, look), changed, "{look:?}");
    }
}

#[test]
fn huge_pages_have_to_take_all_of_the_shared_memory() {
    // 4096 MiB of shared buffers.
    let seen = |reserved: u64, need: HugeNeed| {
        let there = HostFacts {
            huge_mebibytes: Some(reserved),
            ..host("glibc 2.36")
        };
        let needs = DatabaseNeeds {
            huge_pages: true,
            huge_need: need,
            ..needs()
        };
        of(CheckId::Memory, &there, &needs)
    };
    let short = |needs_mebibytes, has_mebibytes| Evidence::HugePages {
        needs_mebibytes,
        has_mebibytes,
    };
    let pass = (CheckStatus::Pass, Evidence::Nothing);
    let exactly = HugeNeed::Exactly { mebibytes: 4214 };
    assert_eq!(
        seen(4096, exactly),
        (CheckStatus::Fail, short(4214, 4096)),
        "it would not start"
    );
    assert_eq!(seen(4214, exactly), pass);
    // Reckoned: below the shared buffers it is certain, above them it is not.
    let about = HugeNeed::About { mebibytes: 4232 };
    assert_eq!(seen(4094, about), (CheckStatus::Fail, short(4232, 4094)));
    assert_eq!(seen(4096, about), (CheckStatus::Warn, short(4232, 4096)));
    assert_eq!(seen(4232, about), pass);
    // An agent of before: as it was judged before.
    assert_eq!(seen(4096, HugeNeed::SharedBuffers), pass);
    assert_eq!(
        seen(4094, HugeNeed::SharedBuffers),
        (CheckStatus::Fail, short(4096, 4094))
    );
    assert_eq!(
        seen(4096, HugeNeed::Unknown),
        (CheckStatus::Unknown, Evidence::NotKnown)
    );
    assert_eq!(
        seen(4094, HugeNeed::Unknown),
        (CheckStatus::Fail, short(4096, 4094))
    );
}

#[test]
fn a_database_that_only_tries_huge_pages_needs_none() {
    let needs = DatabaseNeeds {
        huge_need: HugeNeed::Unknown,
        ..needs()
    };
    let (status, _) = of(CheckId::Memory, &host("glibc 2.36"), &needs);
    assert_eq!(status, CheckStatus::Pass);
}

#[test]
fn huge_pages_of_the_size_that_the_database_names_are_counted() {
    let needs = DatabaseNeeds {
        huge_pages: true,
        huge_need: HugeNeed::Exactly { mebibytes: 5120 },
        huge_page_kibibytes: Some(1_048_576),
        ..needs()
    };
    let status = |own: u64, pools: Vec<(u64, u64)>| {
        let there = HostFacts {
            huge_mebibytes: Some(own),
            huge_pools: pools,
            ..host("glibc 2.36")
        };
        of(CheckId::Memory, &there, &needs).0
    };
    let pools = |small: u64, large: u64| vec![(2048, small), (1_048_576, large)];
    assert_eq!(status(0, pools(0, 5120)), CheckStatus::Pass);
    assert_eq!(status(8192, pools(8192, 0)), CheckStatus::Fail);
    assert_eq!(status(8192, vec![(2048, 8192)]), CheckStatus::Fail);
    // An agent of before tells those of the system's own size alone.
    assert_eq!(status(5120, Vec::new()), CheckStatus::Pass);
}

/// The worse of two is told.
#[test]
fn memory_that_is_too_small_is_told_before_huge_pages_that_may_be() {
    let there = HostFacts {
        memory_mebibytes: Some(4096),
        huge_mebibytes: Some(4096),
        ..host("glibc 2.36")
    };
    let needs = DatabaseNeeds {
        huge_pages: true,
        huge_need: HugeNeed::About { mebibytes: 4232 },
        ..needs()
    };
    let memory = Evidence::Memory {
        needs_mebibytes: 4096,
        has_mebibytes: 4096,
    };
    assert_eq!(
        of(CheckId::Memory, &there, &needs),
        (CheckStatus::Fail, memory)
    );
}

/// By an agent of before, on a host of one: judged as it was then.
#[test]
fn what_an_agent_of_before_tells_gives_the_answer_of_before() {
    let told = r#"{"shared_mebibytes":4096,"huge_pages":true,"wal_mebibytes":1024,"collations_changed":0}"#;
    let needs: DatabaseNeeds = serde_json::from_str(told).unwrap();
    let told = r#"{"memory_mebibytes":16384,"huge_mebibytes":4096}"#;
    let there: HostFacts = serde_json::from_str(told).unwrap();
    let pass = (CheckStatus::Pass, Evidence::Nothing);
    assert_eq!(of(CheckId::Collations, &there, &needs), pass);
    assert_eq!(of(CheckId::Memory, &there, &needs), pass);
}
