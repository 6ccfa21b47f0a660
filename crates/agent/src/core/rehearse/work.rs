//! One rehearsal, from its folder to its report. However it ends, the copy is removed, production is asked again, and
//! what came of it is written down.

use super::desk::Going;
use crate::core::actor::Who;
use crate::core::state::Core;
use siaga_journal::Durability;
use siaga_model::config::Service;
use siaga_model::event::{Event, EventBody, Finding, FindingCode, Severity};
use siaga_model::rehearsal::{
    IndexCheck, Measured, RehearsalReport, RehearsalStage, RehearsalTest, SourceFacts,
};
use siaga_model::{Evidence, NodeName, UtcMicros, Why};
use siaga_node::act::rehearsal::{self, Limits, Told, scratch};
use siaga_planner::rehearsal::grade;
use siaga_runner::hands::Hands;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// What is to be done.
pub struct Work {
    pub core: Arc<Core>,
    pub service: Service,
    pub holder: NodeName,
    pub scratch: PathBuf,
    /// Of the running service's data.
    pub bytes: u64,
    pub keep_free: u64,
    pub before: Vec<SourceFacts>,
    pub going: Arc<Going>,
    pub who: Who,
}

/// What was told meanwhile.
struct Heard {
    measured: Measured,
    tests: Vec<RehearsalTest>,
    amcheck: IndexCheck,
}

impl Heard {
    fn nothing() -> Self {
        Self {
            measured: Measured::default(),
            tests: Vec::new(),
            amcheck: IndexCheck::not_exercised(Why::AskingBroke),
        }
    }
}

impl Work {
    /// Carries it out, to its report.
    pub async fn carry_out(self) {
        let (began, clock) = (self.core.hands.now(), Instant::now());
        let work = Arc::new(self);
        let w = work.clone();
        // A thread of its own: the processes end with it, and so with the agent.
        let (sender, ended) = tokio::sync::oneshot::channel();
        let thread = std::thread::Builder::new().name("rehearsal".into());
        let spawned = thread.spawn(move || {
            let mut heard = Heard::nothing();
            let result = w.in_folder(&mut heard);
            let removed = scratch::remove(&w.scratch).err();
            let _ = sender.send((heard, result.err(), removed));
        });
        let (heard, why, removed) = match spawned {
            Ok(_) => ended.await.unwrap_or_else(|_| {
                let left = scratch::remove(&work.scratch).err();
                (Heard::nothing(), Some(Why::AskingBroke), left)
            }),
            Err(e) => {
                let said = e.to_string();
                (Heard::nothing(), Some(Why::ThreadFailed { said }), None)
            }
        };
        let after = work.after().await;
        let report = work.report(began, clock, heard, why, &after, removed);
        work.write_down(&report);
        work.core.rehearsals.end(&work.service.name, report);
    }

    /// The folder, the copy, the trial. Blocks.
    fn in_folder(&self, heard: &mut Heard) -> Result<(), Why> {
        // What an earlier one left.
        scratch::remove(&self.scratch)?;
        let name = &self.service.name;
        let hands = &self.core.hands;
        let job = hands.prepare_rehearsal(name, self.scratch.clone(), self.host()?)?;
        let limits = Limits {
            within: self.service.rehearsal.within,
            keep_free: self.keep_free,
        };
        let desk = &self.core.rehearsals;
        let copied = std::cell::Cell::new(None);
        let copying = |bytes: u64| {
            if copied.get().is_none() {
                let of = self.bytes;
                desk.stage(&self.going, RehearsalStage::Copying { bytes, of });
            }
        };
        copying(0);
        let mut hear = |told: Told| {
            match told {
                Told::Copied { ms } => {
                    copied.set(Some(ms));
                    heard.measured.backup_ms = Some(ms);
                    heard.measured.copied_bytes = Some(rehearsal::source::size(&self.scratch));
                    desk.stage(&self.going, RehearsalStage::Starting);
                }
                Told::Ready { ms } => {
                    heard.measured.start_ms = Some(ms);
                    desk.stage(&self.going, RehearsalStage::Testing);
                }
                Told::Tested { ms, tests } => {
                    heard.measured.tests_ms = Some(ms);
                    heard.tests = tests;
                    desk.stage(&self.going, RehearsalStage::Checking);
                }
                Told::Indexes { indexes } => {
                    heard.amcheck = indexes;
                    desk.stage(&self.going, RehearsalStage::Removing);
                }
                Told::Done | Told::Failed { .. } => {}
            };
        };
        rehearsal::run(&job, &self.going.broken, &limits, &mut hear, &copying)
    }

    /// Where the running service answers: the first of its addresses, an older kind before a newer one.
    fn host(&self) -> Result<IpAddr, Why> {
        let addresses = self.service.virtual_ips.iter().map(|v| v.address);
        let first = addresses.min_by_key(IpAddr::is_ipv6);
        first.ok_or(Why::NoInterfaceHere)
    }

    async fn after(&self) -> Vec<Option<SourceFacts>> {
        let name = &self.service.name;
        let holder = super::ask(&self.core, name, &self.holder, false).await;
        let own = super::own_facts(&self.core, name).await;
        vec![holder.map(|a| a.facts), Some(own)]
    }

    fn report(
        &self,
        started_at: UtcMicros,
        clock: Instant,
        heard: Heard,
        why: Option<Why>,
        after: &[Option<SourceFacts>],
        removed: Option<Why>,
    ) -> RehearsalReport {
        let why = why.map(|w| self.naming_holder(w));
        let gone = removed.is_none();
        let (tests, before) = (&heard.tests, &self.before);
        let graded = grade(why, tests, &heard.amcheck, before, after, removed);
        RehearsalReport {
            service: self.service.name.clone(),
            node: self.core.me.clone(),
            holder: self.holder.clone(),
            outcome: graded.outcome,
            why: graded.why,
            started_at,
            duration_ms: u64::try_from(clock.elapsed().as_millis()).unwrap_or(u64::MAX),
            client_tests: heard.tests,
            amcheck: heard.amcheck,
            production_untouched: graded.production_untouched,
            removed: gone,
            measured: heard.measured,
        }
    }

    fn naming_holder(&self, why: Why) -> Why {
        match why {
            Why::ReplicationRefused { line, said, .. } => Why::ReplicationRefused {
                node: self.holder.clone(),
                line,
                said,
            },
            other => other,
        }
    }

    fn write_down(&self, report: &RehearsalReport) {
        let event = Event {
            service: Some(self.service.name.clone()),
            run: None,
            actor: Some(self.who.actor.clone()),
            body: EventBody::Rehearsed {
                report: Box::new(report.clone()),
            },
        };
        if let Err(error) = self.core.log.append(vec![event], Durability::Sync) {
            tracing::error!(%error, "the log could not be written");
        }
        left_over(&self.core, &self.service, &self.scratch, report.removed);
    }
}

/// What stands found of the folder.
fn left_over(core: &Core, service: &Service, scratch: &Path, removed: bool) {
    if removed {
        return core.mended(
            Some(&service.name),
            FindingCode::RehearsalLeftOver,
            &core.me,
        );
    }
    let finding = Finding {
        code: FindingCode::RehearsalLeftOver,
        node: core.me.clone(),
        severity: Severity::Warning,
        evidence: Evidence::thing(scratch.display()),
    };
    core.found(Some(&service.name), finding);
}

/// At the agent's start: an earlier one ended in the middle of a rehearsal. Its processes ended with it; its copy goes.
pub async fn look_for_left_over(core: Arc<Core>) {
    for service in core.config.services.clone() {
        let scratch = scratch::of(&super::folder(&core, &service), &service.name);
        if !scratch::left_over(&scratch) {
            continue;
        }
        let place = scratch.clone();
        let removed = tokio::task::spawn_blocking(move || scratch::remove(&place)).await;
        let gone = matches!(removed, Ok(Ok(())));
        if gone {
            // Said once, and nothing that stands.
            let finding = Finding {
                code: FindingCode::RehearsalLeftOver,
                node: core.me.clone(),
                severity: Severity::Info,
                evidence: Evidence::Because {
                    why: Why::AgentEnded.of(scratch.display()),
                },
            };
            core.note(Some(&service.name), EventBody::Found { finding });
        }
        left_over(&core, &service, &scratch, gone);
    }
}
