//! "Can we take over now?": yes, no, or not known, and what was not tried.

use crate::common::{config, short};
use serde_json::{Value, json};
use siaga_model::NodeName;
use siaga_model::api::{CanTakeOver, CheckReport};
use siaga_model::event::{Finding, FindingCode, Severity};
use siaga_model::evidence::{Evidence, FileLine, OnlyAPerson};
use siaga_model::readiness::{CheckId, CheckStatus, DatabaseNeeds, Examined, HostFacts};
use siaga_model::refusal::Sentence;
use siaga_planner::drift::{Compared, Goal, Side, compare};
use std::time::Duration;

fn check(name: &str, seen: Value, findings: &[Finding]) -> CheckReport {
    let config = config(name);
    siaga_planner::readiness(&config, &short::observation(&config, &seen), findings, &[])
}

fn healthy() -> Value {
    json!({ "observer": "backup", "serverdb": "active", "backup": "free", "probes": [{ "serving": true, "node": "serverdb" }] })
}

fn finding(code: FindingCode, severity: Severity) -> Finding {
    Finding {
        code,
        node: "backup".into(),
        severity,
        evidence: "15.18 and 15.17".into(),
    }
}

fn codes(report: &CheckReport) -> Vec<FindingCode> {
    report.findings.iter().map(|f| f.code).collect()
}

#[test]
fn a_healthy_pair_can_take_over_and_says_what_was_not_tried() {
    let report = check("pair", healthy(), &[]);
    assert_eq!(report.can_take_over, CanTakeOver::Yes);
    assert_eq!(report.findings, []);
    let not_tried = [
        Sentence::FenceNotTried {
            node: "serverdb".into(),
            device: "san".into(),
        },
        Sentence::FenceNotTried {
            node: "serverdb".into(),
            device: "ipmi".into(),
        },
        Sentence::MountNotTried {
            node: "backup".into(),
        },
        Sentence::DatabaseStartNotTried {
            node: "backup".into(),
        },
        Sentence::ClientNotTried,
    ];
    assert_eq!(report.not_exercised, not_tried);
}

#[test]
fn only_a_blocking_finding_says_no() {
    let warning = finding(FindingCode::CertificateExpires, Severity::Warning);
    assert_eq!(
        check("pair", healthy(), std::slice::from_ref(&warning)).can_take_over,
        CanTakeOver::Yes
    );
    let blocking = finding(FindingCode::PostgresVersionDiffers, Severity::Blocking);
    let report = check("pair", healthy(), &[warning, blocking]);
    assert_eq!(report.can_take_over, CanTakeOver::No);
    // What blocks stands first.
    assert_eq!(report.findings[0].code, FindingCode::PostgresVersionDiffers);
}

#[test]
fn a_target_that_can_not_tell_is_not_a_yes() {
    let mut seen = healthy();
    seen["backup"] =
        json!({ "says": { "disk": { "unknown": { "why": "the device is missing" } } } });
    assert_eq!(check("pair", seen, &[]).can_take_over, CanTakeOver::Unknown);
}

#[test]
fn a_source_that_can_not_tell_is_not_a_yes() {
    let mut seen = healthy();
    seen["serverdb"] =
        json!({ "is": "active", "says": { "disk": { "unknown": { "why": "I/O error" } } } });
    assert_eq!(check("pair", seen, &[]).can_take_over, CanTakeOver::Unknown);
}

#[test]
fn a_target_cut_from_the_storage_is_a_no() {
    let mut seen = healthy();
    seen["backup"] = json!({ "is": "free", "fences": { "san": "fenced" } });
    assert_eq!(check("pair", seen, &[]).can_take_over, CanTakeOver::No);
}

#[test]
fn with_a_silent_node_the_table_answers() {
    let silent = |serving| json!({ "observer": "backup", "serverdb": "silent", "probes": [{ "serving": serving, "node": "serverdb" }] });
    assert_eq!(
        check("pair", silent(false), &[]).can_take_over,
        CanTakeOver::Yes
    );
    assert_eq!(
        check("pair", silent(true), &[]).can_take_over,
        CanTakeOver::No
    );
    let no_fence = check("no-fence", silent(false), &[]);
    assert_eq!(no_fence.can_take_over, CanTakeOver::Unknown);
    assert_eq!(
        codes(&no_fence),
        [
            FindingCode::PeerUnreachable,
            FindingCode::FenceMissing,
            FindingCode::FenceMissing
        ]
    );
}

/// What was seen of the way to make `serverdb` let go if it fell silent.
fn letting_go(report: &CheckReport) -> Option<(CheckStatus, Evidence)> {
    let mut of_it = report.examined.iter();
    let found = of_it.find(|e| e.id == CheckId::LettingGo && e.node.as_str() == "serverdb")?;
    Some((found.status, found.evidence.clone()))
}

fn needs_a_person(because: OnlyAPerson) -> Option<(CheckStatus, Evidence)> {
    Some((CheckStatus::Unknown, Evidence::NeedsAPerson { because }))
}

#[test]
fn a_holder_that_only_a_person_could_vouch_for_is_not_a_yes_while_it_still_answers() {
    let dead = |fences: Value| {
        let mut seen = healthy();
        seen["serverdb"] = json!({ "is": "active", "fences": fences });
        seen
    };
    let both = json!({ "ipmi": "failed", "san": "failed" });
    let report = check("pair", dead(both.clone()), &[]);
    assert_eq!(report.can_take_over, CanTakeOver::Unknown);
    assert_eq!(
        letting_go(&report),
        needs_a_person(OnlyAPerson::NoFenceAnswers)
    );
    // The holder knows of its own fences what the other server tells it; where that tells nothing, nothing is known.
    for (fences, can) in [
        (both.clone(), CanTakeOver::Unknown),
        (json!({ "ipmi": "failed" }), CanTakeOver::Yes),
        (json!({}), CanTakeOver::Yes),
    ] {
        let mut seen = dead(fences.clone());
        seen["observer"] = json!("serverdb");
        let report = check("pair", seen, &[]);
        assert_eq!(report.can_take_over, can, "{fences}");
        let found = |e: &Examined| e.id == CheckId::Fence && e.node.as_str() == "serverdb";
        let of_it = report
            .examined
            .iter()
            .filter(|e| found(e))
            .map(|e| e.status);
        let expected = match fences == json!({}) {
            true => vec![],
            false => vec![CheckStatus::Warn],
        };
        assert_eq!(of_it.collect::<Vec<_>>(), expected, "{fences}");
    }
    // One that answers is enough, and so is the reservation.
    let one = check("pair", dead(json!({ "ipmi": "failed" })), &[]);
    assert_eq!(one.can_take_over, CanTakeOver::Yes);
    let by = Some((CheckStatus::Pass, Evidence::thing("san")));
    assert_eq!(letting_go(&one), by);
    let reserved = check("pair-reserved", dead(both), &[]);
    assert_eq!(reserved.can_take_over, CanTakeOver::Yes);
    // A site without any fence is no better off, whichever server is asked.
    for observer in ["backup", "serverdb"] {
        let mut seen = healthy();
        seen["observer"] = json!(observer);
        let none = check("no-fence", seen, &[]);
        assert_eq!(none.can_take_over, CanTakeOver::Unknown, "{observer}");
        assert_eq!(letting_go(&none), needs_a_person(OnlyAPerson::NoFence));
    }
    // Nobody can die with a service that nobody has.
    let mut stopped = healthy();
    stopped["serverdb"] = json!("free");
    assert_eq!(
        check("no-fence", stopped, &[]).can_take_over,
        CanTakeOver::Yes
    );
}

#[test]
fn what_runs_beside_it_on_a_dead_machine_does_not_hold_its_fence_up() {
    let mut seen = healthy();
    seen["neighbours"] = json!({ "pacs": { "serverdb": "running", "backup": "absent",
        "probes": [{ "serving": true, "node": "serverdb" }] } });
    let report = check("two-services", seen, &[]);
    assert_eq!(report.can_take_over, CanTakeOver::Yes);
    assert_eq!(letting_go(&report).map(|(s, _)| s), Some(CheckStatus::Pass));
}

#[test]
fn a_target_that_lost_its_journal_would_need_a_person() {
    let mut seen = healthy();
    seen["backup"] = json!({ "says": { "journal_lost": true } });
    let report = check("pair", seen, &[]);
    assert_eq!(report.can_take_over, CanTakeOver::Unknown);
    assert_eq!(
        letting_go(&report),
        needs_a_person(OnlyAPerson::JournalLost)
    );
}

#[test]
fn a_target_whose_copy_can_not_be_promoted_is_a_no() {
    let why = json!({ "say": "drbd_data", "resource": "simrs", "state": "Inconsistent" });
    for observer in ["backup", "serverdb"] {
        let mut seen = healthy();
        seen["observer"] = json!(observer);
        seen["backup"] = json!({ "says": { "unable": why } });
        // Also beside another thing that is wrong with the same driver.
        let alone = finding(FindingCode::DiskSetDriver, Severity::Warning);
        let report = check("replica", seen.clone(), &[alone]);
        assert_eq!(report.can_take_over, CanTakeOver::No, "{observer}");
        let found = codes(&report).into_iter();
        let found = found.filter(|c| *c == FindingCode::DiskSetDriver).count();
        assert_eq!(found, 2, "{:?}", report.findings);
    }
    // A copy that may be older than the other one is good once the holder is fenced.
    let unseen = json!({ "say": "drbd_other_unseen", "resource": "simrs" });
    let mut seen = healthy();
    seen["backup"] = json!({ "says": { "unable": unseen } });
    assert_eq!(
        check("replica", seen.clone(), &[]).can_take_over,
        CanTakeOver::Yes
    );
    // Where nobody has the service, nobody is fenced for it, and nothing starts.
    seen["serverdb"] = json!("free");
    assert_eq!(check("replica", seen, &[]).can_take_over, CanTakeOver::No);
    // The holder lives on the other node's copy: that one takes over.
    let mut seen = healthy();
    seen["serverdb"] = json!({ "is": "active", "says": { "unable": why } });
    assert_eq!(check("replica", seen, &[]).can_take_over, CanTakeOver::Yes);
}

#[test]
fn what_the_observation_shows_is_found_once() {
    let mut seen = healthy();
    seen["serverdb"] = json!({ "is": "active", "fences": { "ipmi": "failed" } });
    seen["backup"] = json!({ "says": { "stranger_mount": "/srv/simrs" } });
    seen["probes"] = json!([]);
    seen["addresses"] = json!({ "192.0.2.50": "stranger" });
    let known = finding(FindingCode::ProbeMissing, Severity::Info);
    let report = check("pair", seen, &[known]);
    assert_eq!(report.can_take_over, CanTakeOver::No);
    assert_eq!(
        codes(&report),
        [
            FindingCode::MountByHand,
            FindingCode::AddressConflict,
            FindingCode::FenceSilent,
            FindingCode::ProbeMissing
        ]
    );
}

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

#[test]
fn everything_that_was_looked_at_is_told_once_and_what_failed_comes_first() {
    let blocking = finding(FindingCode::PostgresVersionDiffers, Severity::Blocking);
    let config = config("pair");
    let seen = short::observation(&config, &healthy());
    let node = NodeName::from("backup");
    let gathered = [
        Examined::pass(CheckId::PostgresVersion, &node, Evidence::Nothing),
        Examined::pass(CheckId::DiskSet, &node, Evidence::Nothing),
    ];
    let report = siaga_planner::readiness(&config, &seen, &[blocking], &gathered);
    assert_eq!(
        (report.examined[0].id, report.examined[0].status),
        (CheckId::PostgresVersion, CheckStatus::Fail)
    );
    let of = |id| {
        report
            .examined
            .iter()
            .filter(|e| e.id == id)
            .map(|e| e.status)
            .collect::<Vec<_>>()
    };
    // What was found is not in order too.
    assert_eq!(of(CheckId::PostgresVersion), [CheckStatus::Fail]);
    assert_eq!(of(CheckId::DiskSet), [CheckStatus::Pass]);
    assert_eq!(of(CheckId::FenceOff), [CheckStatus::NotExercised; 2]);
    assert_eq!(of(CheckId::DatabaseStart), [CheckStatus::NotExercised]);
    assert_eq!(of(CheckId::Peer), [CheckStatus::Pass; 2]);
}
