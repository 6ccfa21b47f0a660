//! What stands found: of which service it is, and when it ends.
#![allow(clippy::unwrap_used)]

mod common;

use axum::Router;
use common::agent::{Agent, backup_of, config, epoch};
use siaga_agent::core::check::self_check;
use siaga_agent::core::{integrity, look, watch};
use siaga_journal::Filter;
use siaga_model::api::ProbeReport;
use siaga_model::config::Service;
use siaga_model::event::{Finding, FindingCode, Severity};
use siaga_model::observation::{
    DatabaseState, Holding, LastTake, LedgerFacts, MountFact, NodeFacts,
};
use siaga_model::rehearsal::{IndexCheck, Tried};
use siaga_model::{Evidence, Holder, UtcMicros, Why};
use siaga_node::act::postgres::amcheck::Looked;
use siaga_node::act::virtual_ip::Conflict;

/// `backup`, with the services `simrs` and `pacs`.
async fn two() -> (Agent, Service, Service) {
    let mut site = config();
    let mut pacs = site.services[0].clone();
    pacs.name = "pacs".into();
    pacs.file_systems[0].mount_point = "/srv/pacs".into();
    pacs.virtual_ips[0].address = "192.0.2.51".parse().unwrap();
    site.services.push(pacs.clone());
    let simrs = site.services[0].clone();
    (backup_of(site, Router::new(), false).await, simrs, pacs)
}

fn free() -> NodeFacts {
    NodeFacts {
        boot: "boot-1".into(),
        disk: Holding::Free,
        mounts: Vec::new(),
        virtual_ips: Vec::new(),
        database: DatabaseState::Stopped,
        applications: Vec::new(),
        ledger: LedgerFacts::default(),
        unable: None,
        astray: Vec::new(),
    }
}

fn mounted_by_hand(service: &Service) -> NodeFacts {
    NodeFacts {
        mounts: vec![MountFact {
            mount_point: service.file_systems[0].mount_point.clone(),
            mounted: true,
            stranger: true,
        }],
        ..free()
    }
}

impl Agent {
    fn sees(&self, service: &Service, facts: &NodeFacts) {
        look::report(&self.core, service, facts, &[], UtcMicros(0));
    }

    fn stands(&self, service: &Service, code: FindingCode) -> bool {
        let core = &self.core;
        core.standing(Some(&service.name), code, &core.me).is_some()
    }

    /// What bears on that service.
    fn bears_on(&self, service: &Service) -> Vec<FindingCode> {
        let found = self.core.findings_of(&service.name).into_iter();
        found.map(|f| f.code).collect()
    }

    fn written_down(&self) -> usize {
        let filter = Filter::of_kinds(&["found"]);
        self.core.log.read(&filter).unwrap().len()
    }

    fn found(&self, service: Option<&Service>, code: FindingCode, evidence: Evidence) {
        let finding = Finding {
            code,
            node: self.core.me.clone(),
            severity: Severity::Blocking,
            evidence,
        };
        self.core.found(service.map(|s| &s.name), finding);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_service_has_is_not_mended_by_the_look_at_another() {
    let (agent, simrs, pacs) = two().await;
    let code = FindingCode::MountByHand;
    for _ in 0..3 {
        agent.sees(&simrs, &mounted_by_hand(&simrs));
        agent.sees(&pacs, &free());
        assert!(agent.stands(&simrs, code) && !agent.stands(&pacs, code));
    }
    assert_eq!(agent.written_down(), 1);
    agent.sees(&pacs, &mounted_by_hand(&pacs));
    agent.sees(&simrs, &free());
    assert!(!agent.stands(&simrs, code) && agent.stands(&pacs, code));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_of_one_service_says_nothing_of_what_another_has() {
    let (agent, simrs, pacs) = two().await;
    let (lost, rewritten) = (
        FindingCode::ReservationLost,
        FindingCode::ControlFileRewritten,
    );
    agent.found(Some(&simrs), lost, Evidence::Nothing);
    agent.found(Some(&simrs), rewritten, Evidence::Nothing);
    agent.found(None, FindingCode::NodeReplaced, Evidence::Nothing);
    assert_eq!(
        agent.bears_on(&simrs),
        [lost, rewritten, FindingCode::NodeReplaced]
    );
    let core = agent.core.clone();
    let own = tokio::task::spawn_blocking(move || self_check(&core, &pacs));
    let own: Vec<FindingCode> = own.await.unwrap().findings.iter().map(|f| f.code).collect();
    assert!(own.contains(&FindingCode::NodeReplaced), "{own:?}");
    assert!(!own.contains(&lost) && !own.contains(&rewritten), "{own:?}");
    // The status shows all of it.
    assert_eq!(agent.core.findings().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_a_probe_of_one_service_misses_stand_in_the_way_of_that_service() {
    let (agent, simrs, pacs) = two().await;
    let report = |service: &Service, lost_rows| {
        agent.core.probes.report(ProbeReport {
            probe: "loket-1".into(),
            service: service.name.clone(),
            sequence: 1,
            interval_ms: 10,
            serving: true,
            last_success_age_ms: Some(1),
            answered_by: None,
            gaps: Vec::new(),
            error: None,
            lost_rows,
            writes_rows: true,
        });
        watch::rows_lost(&agent.core, &service.name);
    };
    report(&simrs, 3);
    report(&pacs, 0);
    assert_eq!(agent.bears_on(&simrs), [FindingCode::RowsLost]);
    assert_eq!(agent.bears_on(&pacs), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_was_declared_gone_is_back_once_it_has_the_disk_set_by_right() {
    let (agent, simrs, _) = two().await;
    let code = FindingCode::NodeUnfencedAndBack;
    let gone = Evidence::DeclaredGone {
        mandate: 7,
        cleaned: Vec::new(),
    };
    let holds = |by: Holder, counter| NodeFacts {
        disk: Holding::Held { by: vec![by] },
        ledger: LedgerFacts {
            last_take: LastTake::Under {
                epoch: epoch(counter),
            },
            ..LedgerFacts::default()
        },
        ..free()
    };
    agent.found(Some(&simrs), code, gone);
    let no_right = [
        // It lets go still: what it has is of the take before.
        holds(Holder::InFlight, 6),
        holds(Holder::InFlight, 7),
        holds(Holder::StepUnderWay, 9),
        NodeFacts {
            disk: Holding::Free,
            ..holds(Holder::InFlight, 9)
        },
    ];
    for facts in no_right {
        agent.sees(&simrs, &facts);
        assert!(agent.stands(&simrs, code), "{facts:?}");
    }
    agent.sees(&simrs, &holds(Holder::InFlight, 9));
    assert!(!agent.stands(&simrs, code));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_claims_no_address_any_more_is_no_conflict() {
    let (agent, simrs, pacs) = two().await;
    let code = FindingCode::AddressConflict;
    let second = 1_000_000;
    let claim = Conflict {
        interface: "eno1".into(),
        address: simrs.virtual_ips[0].address,
        hardware: "02:00:5e:00:53:99".into(),
        first_seen: UtcMicros(0),
        last_seen: UtcMicros(100 * second),
        count: 3,
    };
    let at = |seconds: i64| {
        let (all, now) = ([claim.clone()], UtcMicros(seconds * second));
        look::report(&agent.core, &simrs, &free(), &all, now);
        look::report(&agent.core, &pacs, &free(), &all, now);
        // The address is of one service.
        assert!(!agent.stands(&pacs, code));
        agent.stands(&simrs, code)
    };
    // One question may be lost; two are an answer.
    assert!(at(100) && at(140));
    assert!(!at(200));
    // It comes back, or the address goes from here.
    assert!(at(140));
    agent.sees(&simrs, &free());
    assert!(!agent.stands(&simrs, code));
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_indexes_stand_until_they_were_seen_in_order() {
    let (agent, simrs, pacs) = two().await;
    let code = FindingCode::IndexDamaged;
    let looked = |damaged: &[&str], over| Looked {
        check: IndexCheck {
            status: Tried::of(Some(damaged.is_empty())),
            checked: 1,
            indexes: 2,
            damaged: damaged.iter().map(|d| (*d).to_owned()).collect(),
            why: None,
            duration_ms: 1,
        },
        over,
    };
    let see = |service: &Service, looked: &Looked| {
        integrity::damaged(&agent.core, &service.name, looked);
        agent.stands(&simrs, code)
    };
    assert!(see(&simrs, &looked(&["simrs: a: bad"], false)));
    // A sample that did not see them, another service, and no look at all.
    assert!(see(&simrs, &looked(&[], false)));
    assert!(see(&pacs, &looked(&[], true)));
    assert!(see(&simrs, &Looked::not_exercised(Why::DatabaseNotRunning)));
    assert!(!see(&simrs, &looked(&[], true)));
}
