//! What a database that runs here says of its files: pages whose checksum did not fit, and a look at indexes with amcheck
//! where that extension is made. A while after each start, and then once a day. It ends when a step begins.

use crate::core::state::Core;
use siaga_model::config::Service;
use siaga_model::event::{EventBody, Finding, FindingCode, Severity};
use siaga_model::integrity::{IntegrityReport, Judged};
use siaga_model::rehearsal::{IndexCheck, Tried};
use siaga_model::{Evidence, ServiceName};
use siaga_node::act::postgres::amcheck::Looked;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The database is left alone for so long after it was first seen running.
const SETTLE: Duration = Duration::from_secs(120);
const EVERY: Duration = Duration::from_secs(24 * 3600);
const TICK: Duration = Duration::from_secs(20);
/// What one look at the indexes may take.
const BUDGET: Duration = Duration::from_secs(30);

/// What is known of one database that runs here.
struct Running {
    postmaster: (i32, u64),
    next: Instant,
    /// The first look after its start is written down whatever it shows.
    looked: bool,
    failures: Option<u64>,
    /// It stands found that this is not the data that was last seen.
    strange: bool,
}

/// Looks again and again. Never ends.
pub async fn keep_looking(core: Arc<Core>) {
    let mut running: BTreeMap<ServiceName, Running> = BTreeMap::new();
    loop {
        tokio::time::sleep(TICK).await;
        for service in &core.config.services {
            if core.runs.going_on(&service.name).is_none() {
                look(&core, service, &mut running).await;
            }
        }
    }
}

async fn look(core: &Arc<Core>, service: &Service, running: &mut BTreeMap<ServiceName, Running>) {
    let facts = crate::core::rehearse::own_facts(core, &service.name).await;
    let Some(postmaster) = facts.postmaster else {
        running.remove(&service.name);
        return;
    };
    let one = running.entry(service.name.clone()).or_insert(Running {
        postmaster,
        next: Instant::now() + SETTLE,
        looked: false,
        failures: None,
        strange: false,
    });
    if one.postmaster != postmaster {
        running.remove(&service.name);
        return;
    }
    strange(core, service, one).await;
    if Instant::now() < one.next {
        return;
    }
    one.next = Instant::now() + EVERY;
    let steps = core.integrity.steps();
    let (c, s) = (core.clone(), service.name.clone());
    let first = known_damaged(core, &service.name);
    let looked = tokio::task::spawn_blocking(move || {
        let go_on = || c.integrity.steps() == steps;
        let needs = c.hands.database_needs(&s);
        (needs, c.hands.look_at_indexes(&s, BUDGET, &first, &go_on))
    });
    let Ok((needs, looked)) = looked.await else {
        return;
    };
    damaged(core, &service.name, &looked);
    let failures = needs.as_ref().and_then(|n| n.checksum_failures);
    let new_failures = failures
        .zip(one.failures)
        .map(|(now, was)| now.saturating_sub(was));
    let report = IntegrityReport {
        service: service.name.clone(),
        node: core.me.clone(),
        checksums: needs.and_then(|n| n.checksums),
        checksum_failures: failures,
        new_failures,
        indexes: looked.check,
    };
    let news = !one.looked || new_failures.is_some_and(|n| n > 0) || is_damaged(&report.indexes);
    (one.looked, one.failures) = (true, failures);
    if news {
        let body = EventBody::IntegrityChecked {
            report: Box::new(report),
        };
        core.note(Some(&service.name), body);
    }
}

/// A database that somebody restored, made anew or upgraded, and started by hand, serves; and the next start by Siaga would be
/// refused. That has to be known now, and not in the night of a takeover.
async fn strange(core: &Arc<Core>, service: &Service, one: &mut Running) {
    let data_dir = service.database.data_dir.clone();
    let read =
        tokio::task::spawn_blocking(move || siaga_node::observe::pg_control::read(&data_dir));
    let Ok(Ok(control)) = read.await else {
        return;
    };
    let (code, severity, evidence) = match core.integrity.judge(&service.name, &control.seen()) {
        Judged::Wrong(why) => (
            FindingCode::ControlFileRewritten,
            Severity::Blocking,
            why.into(),
        ),
        Judged::Rewritten => (
            FindingCode::ControlFileRewritten,
            Severity::Warning,
            Evidence::Nothing,
        ),
        Judged::Fine => {
            if std::mem::take(&mut one.strange) {
                core.mended(
                    Some(&service.name),
                    FindingCode::ControlFileRewritten,
                    &core.me,
                );
            }
            return;
        }
    };
    if !std::mem::replace(&mut one.strange, true) {
        let node = core.me.clone();
        let finding = Finding {
            code,
            node,
            severity,
            evidence,
        };
        core.found(Some(&service.name), finding);
    }
}

fn is_damaged(indexes: &IndexCheck) -> bool {
    indexes.status == Tried::Failed
}

/// The indexes that stand as damaged, as they are named.
fn known_damaged(core: &Core, service: &ServiceName) -> Vec<String> {
    let known = core.standing(Some(service), FindingCode::IndexDamaged, &core.me);
    match known.map(|f| f.evidence) {
        Some(Evidence::Damaged { names }) => names,
        _ => Vec::new(),
    }
}

/// What stands found of the indexes. A look is a sample: only one that saw the damaged ones again takes them back.
pub fn damaged(core: &Core, service: &ServiceName, looked: &Looked) {
    let code = FindingCode::IndexDamaged;
    if is_damaged(&looked.check) {
        let finding = Finding {
            code,
            node: core.me.clone(),
            severity: Severity::Warning,
            evidence: Evidence::Damaged {
                names: looked.check.damaged.clone(),
            },
        };
        core.found(Some(service), finding);
    } else if looked.over {
        core.mended(Some(service), code, &core.me);
    }
}
