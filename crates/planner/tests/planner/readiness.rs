//! "Can we take over now?": yes, no, or not known, and what was not tried.

use crate::common::{config, short};
use serde_json::{Value, json};
use siaga_model::api::{CanTakeOver, CheckReport};
use siaga_model::config::Role;
use siaga_model::event::{Finding, FindingCode, Severity};
use siaga_model::evidence::{Evidence, OnlyAPerson};
use siaga_model::observation::FenceState;
use siaga_model::readiness::{CheckId, CheckStatus, Examined};
use siaga_model::refusal::Sentence;
use siaga_model::{NodeName, Why};

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
fn a_path_that_does_not_answer_beside_one_that_does_is_found() {
    let mut config = config("pair");
    let (second, third) = ("203.0.113.11:7443", "203.0.113.12:7443");
    let observation = short::observation(&config, &healthy());
    // The asked node's own is nobody's finding: it asks itself by none.
    config.nodes[1].addresses.push(third.parse().unwrap());
    let own = siaga_planner::readiness(&config, &observation, &[], &[]);
    assert_eq!(own.findings, []);
    config.nodes[0].addresses.push(second.parse().unwrap());
    let report = siaga_planner::readiness(&config, &observation, &[], &[]);
    let [found] = &report.findings[..] else {
        panic!("{:?}", report.findings)
    };
    assert_eq!(
        (found.code, found.severity),
        (FindingCode::PathDown, Severity::Warning)
    );
    assert_eq!(found.node, NodeName::from("backup"));
    assert_eq!(found.evidence, Evidence::thing(second));
    assert_eq!(report.can_take_over, CanTakeOver::Yes);
    let paths = |report: &CheckReport| {
        let of = report.examined.iter().filter(|e| e.id == CheckId::Path);
        of.map(|e| e.status).collect::<Vec<_>>()
    };
    assert_eq!(paths(&report), [CheckStatus::Warn]);
    assert_eq!(paths(&check("pair", healthy(), &[])), [CheckStatus::Pass]);
    // A node that is silent has a finding of its own.
    let mut seen = healthy();
    seen["serverdb"] = json!("silent");
    let silent = check("pair", seen, &[]);
    assert_eq!(paths(&silent), []);
    assert!(!codes(&silent).contains(&FindingCode::PathDown));
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

/// As the agents gather it of a node that does not answer its self-check.
fn unanswered(node: &str) -> Finding {
    Finding {
        code: FindingCode::PeerUnreachable,
        node: node.into(),
        severity: Severity::Warning,
        evidence: Why::system("connection refused").into(),
    }
}

fn unreachable(report: &CheckReport) -> Vec<Severity> {
    let of_it = report.findings.iter();
    let of_it = of_it.filter(|f| f.code == FindingCode::PeerUnreachable);
    of_it.map(|f| f.severity).collect()
}

#[test]
fn in_the_night_of_a_dead_holder_the_world_answers() {
    let silent = |serving| json!({ "observer": "backup", "serverdb": "silent", "probes": [{ "serving": serving, "node": "serverdb" }] });
    let gathered = [
        finding(FindingCode::FenceSilent, Severity::Warning),
        unanswered("serverdb"),
    ];
    let worlds = [
        ("pair", silent(false), CanTakeOver::Yes),
        ("pair", silent(true), CanTakeOver::No),
        ("no-fence", silent(false), CanTakeOver::Unknown),
        // Its agent answered a moment ago, and is slow, or of a version that has no self-check.
        ("pair", healthy(), CanTakeOver::Yes),
    ];
    for (site, seen, can) in worlds {
        let report = check(site, seen.clone(), &gathered);
        assert_eq!(report.can_take_over, can, "{site} {seen}");
        assert_eq!(unreachable(&report), [Severity::Warning], "{site} {seen}");
    }
    // A node without its journal would need a person, as it does while the holder still answers.
    let mut lost = silent(false);
    lost["backup"] = json!({ "says": { "journal_lost": true } });
    let report = check("pair", lost, &gathered);
    assert_eq!(report.can_take_over, CanTakeOver::Unknown);
    assert_eq!(
        letting_go(&report),
        needs_a_person(OnlyAPerson::JournalLost)
    );
}

#[test]
fn a_silent_node_that_would_have_to_take_over_is_a_no() {
    let mut seen = healthy();
    seen["observer"] = json!("serverdb");
    // It answers the one question and not the other: either will do.
    let slow = check("pair", seen.clone(), &[unanswered("backup")]);
    seen["backup"] = json!("silent");
    let told = check("pair", seen.clone(), &[unanswered("backup")]);
    let seen_alone = check("pair", seen, &[]);
    for report in [slow, told, seen_alone] {
        assert_eq!(report.can_take_over, CanTakeOver::No);
        assert_eq!(unreachable(&report), [Severity::Blocking]);
        let peer = |e: &&Examined| e.id == CheckId::Peer && e.node.as_str() == "backup";
        let status: Vec<_> = report.examined.iter().filter(peer).collect();
        assert_eq!(status.len(), 1);
        assert_eq!(status[0].status, CheckStatus::Fail);
    }
}

#[test]
fn a_fence_of_another_machine_stands_in_the_way_until_it_is_needed() {
    let config = config("pair");
    let belied = |seen: Value, devices: &[&str]| {
        let mut observation = short::observation(&config, &seen);
        let node = NodeName::from("serverdb");
        let why = Why::FenceBelied { node: node.clone() };
        let fences = &mut observation.nodes.get_mut(&node).unwrap().fences;
        for fence in fences {
            if devices.contains(&fence.name.as_str()) {
                let why = why.clone();
                fence.state = FenceState::Failed { why };
            }
        }
        let gathered = Finding {
            node,
            ..finding(FindingCode::FenceBelied, Severity::Blocking)
        };
        siaga_planner::readiness(&config, &observation, &[gathered], &[]).can_take_over
    };
    assert_eq!(belied(healthy(), &["ipmi"]), CanTakeOver::No);
    let mut silent = healthy();
    silent["serverdb"] = json!("silent");
    silent["probes"] = json!([]);
    assert_eq!(belied(silent.clone(), &["ipmi"]), CanTakeOver::Yes);
    // It is not used, so that a person has to look.
    assert_eq!(belied(silent, &["ipmi", "san"]), CanTakeOver::Unknown);
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
    // And who would have to go there may not attest.
    let mut nobody = config("pair");
    nobody.people[0].role = Role::Viewer;
    let seen = short::observation(&nobody, &dead(both.clone()));
    let report = siaga_planner::readiness(&nobody, &seen, &[], &[]);
    assert_eq!(
        letting_go(&report),
        needs_a_person(OnlyAPerson::NobodyListed)
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
    // The watch of an agent reports the mount too, as a warning; here it stands in the way.
    let known = [
        finding(FindingCode::ProbeMissing, Severity::Info),
        finding(FindingCode::MountByHand, Severity::Warning),
    ];
    let report = check("pair", seen, &known);
    assert_eq!(report.can_take_over, CanTakeOver::No);
    let by_hand = |f: &&Finding| f.code == FindingCode::MountByHand;
    let by_hand = report.findings.iter().find(by_hand).map(|f| f.severity);
    assert_eq!(by_hand, Some(Severity::Blocking));
    assert_eq!(
        codes(&report),
        [
            FindingCode::MountByHand,
            FindingCode::AddressConflict,
            FindingCode::ProbeMissing,
            FindingCode::FenceSilent
        ]
    );
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
