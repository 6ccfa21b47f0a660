//! What was last seen of each database's control file. The rows of the log are the memory; this is a view of them that a
//! start can ask without waiting.

use crate::core::calm::give_way;
use crate::core::state::Core;
use siaga_journal::Filter;
use siaga_model::api::EventView;
use siaga_model::event::{EventBody, Finding, FindingCode, Hlc, Severity};
use siaga_model::integrity::{ControlSeen, Judged};
use siaga_model::plan::{Action, MoveKind, Step};
use siaga_model::run::{StepOutcome, StepReport};
use siaga_model::{Evidence, Note, RunId, ServiceName};
use siaga_planner::integrity::{LastSeen, When, judge};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The rows that are read at the start: those of some fifty moves.
const LOOK_BACK: usize = 500;

/// What is remembered of one database.
#[derive(Default)]
struct Remembered {
    last: Option<LastSeen>,
    /// The newest row that it is from.
    row: Option<Hlc>,
}

impl Remembered {
    /// Any place in the WAL will do from now on. Another database will not.
    fn expects_older(&mut self) {
        if let Some(last) = &mut self.last {
            last.when = When::Start;
            (last.control.timeline, last.control.checkpoint) = (0, 0);
        }
    }
}

/// All of it.
#[derive(Default)]
pub struct IntegrityDesk {
    seen: Mutex<BTreeMap<ServiceName, Remembered>>,
    /// Counts the steps that this node has carried out: what goes on in the background ends when it changes.
    steps: AtomicU64,
}

impl IntegrityDesk {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<ServiceName, Remembered>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A step begins: nothing in the background goes on.
    pub fn step_begins(&self) {
        self.steps.fetch_add(1, Ordering::SeqCst);
    }

    /// How many have begun.
    pub fn steps(&self) -> u64 {
        self.steps.load(Ordering::SeqCst)
    }

    /// Judges what is found before a start.
    pub fn judge(&self, service: &ServiceName, found: &ControlSeen) -> Judged {
        judge(
            self.lock().get(service).and_then(|r| r.last.as_ref()),
            found,
        )
    }

    /// Another node reports a step of a run that is coordinated here. Its row comes later.
    pub fn heard(&self, service: &ServiceName, report: &StepReport) {
        if let Some(last) = control(report) {
            self.lock().entry(service.clone()).or_default().last = Some(last);
        }
    }

    /// A step was carried out here: what it means for the start that follows it is known at once. Its row comes later.
    pub fn done_here(&self, service: &ServiceName, step: &Step, report: &StepReport) {
        if accepts_old_data(step, report)
            && let Some(known) = self.lock().get_mut(service)
        {
            known.expects_older();
        }
    }

    /// From now on older data of the same database may be started: a person decided for it, knowing that it is old.
    fn accept_older(&self, service: &ServiceName, row: Hlc) {
        let mut seen = self.lock();
        let known = seen.entry(service.clone()).or_default();
        if known.row.is_some_and(|known| known >= row) {
            return;
        }
        known.row = Some(row);
        known.expects_older();
    }

    /// A row of the log, in the merged order. One that is older than what is known counts no more. `stops`: the runs that
    /// only stop the service. After any other stop another node may have used the database, and its rows may be lost.
    fn read(&self, view: &EventView, stops: &BTreeSet<RunId>) {
        let Some(service) = &view.event.service else {
            return;
        };
        let mut last = match &view.event.body {
            EventBody::StepFinished { step, report, .. } => match control(report) {
                Some(last) => Some(last),
                None if accepts_old_data(step, report) => {
                    return self.accept_older(service, view.hlc);
                }
                None => return,
            },
            EventBody::DataAccepted { .. } => None,
            _ => return,
        };
        let mut seen = self.lock();
        let known = seen.entry(service.clone()).or_default();
        if known.row.is_some_and(|row| row >= view.hlc) {
            return;
        }
        known.row = Some(view.hlc);
        if is_heard(known.last.as_ref(), last.as_ref()) {
            return;
        }
        let rests = view.event.run.as_ref().is_some_and(|r| stops.contains(r));
        if let Some(last) = last.as_mut().filter(|l| l.when == When::Stop && !rests) {
            last.when = When::Start;
        }
        known.last = last;
    }
}

/// A person's decision for a copy that is known to be old.
fn accepts_old_data(step: &Step, report: &StepReport) -> bool {
    let done = matches!(report.outcome, StepOutcome::Done { .. });
    done && matches!(step.action, Action::AcceptOldData { .. })
}

/// Is that row the one of a stop that was heard of already?
fn is_heard(known: Option<&LastSeen>, row: Option<&LastSeen>) -> bool {
    match (known, row) {
        (Some(known), Some(row)) => {
            known.when == When::Stop && row.when == When::Stop && known.control == row.control
        }
        _ => false,
    }
}

/// What a step's report says of the control file.
fn control(report: &StepReport) -> Option<LastSeen> {
    report.notes.iter().rev().find_map(|note| match note {
        Note::ControlLeft { control } => Some(LastSeen {
            control: control.clone(),
            when: When::Stop,
        }),
        Note::ControlFound { control } => Some(LastSeen {
            control: control.clone(),
            when: When::Start,
        }),
        _ => None,
    })
}

/// Reads the rows as they come, also the other node's. Never ends.
pub async fn follow(core: Arc<Core>) {
    let mut changed = core.log.subscribe();
    let mut filter = Filter {
        last: Some(LOOK_BACK),
        ..Filter::of_kinds(&["step_finished", "data_accepted", "run_accepted"])
    };
    let mut stops = BTreeSet::new();
    let mut first = true;
    loop {
        changed.borrow_and_update();
        match core.log.read_at(&filter) {
            Ok((views, reader)) => {
                for view in &views {
                    only_stops(&mut stops, view);
                    core.integrity.read(view, &stops);
                    if !first {
                        stands_found(&core, view);
                    }
                }
                filter.last = None;
                filter.after = Some(reader.heads().clone());
                first = false;
            }
            Err(error) => tracing::error!(%error, "the rows of steps could not be read"),
        }
        if changed.changed().await.is_err() {
            return;
        }
        // What a run has to know of the other node's stop is heard at once; a view that is late by a moment knows older places,
        // and refuses nothing that is right.
        give_way(&core).await;
    }
}

/// Remembers a run that only stops the service.
fn only_stops(stops: &mut BTreeSet<RunId>, view: &EventView) {
    if let EventBody::RunAccepted { move_kind, .. } = &view.event.body
        && *move_kind == MoveKind::Stop
    {
        stops.extend(view.event.run.clone());
    }
}

/// A start on this node says whether somebody else had used the database.
fn stands_found(core: &Core, view: &EventView) {
    let EventBody::StepFinished { report, .. } = &view.event.body else {
        return;
    };
    let started = |n: &Note| matches!(n, Note::ControlFound { .. });
    if view.node != core.me || !report.notes.iter().any(started) {
        return;
    }
    let (service, code) = (
        view.event.service.as_ref(),
        FindingCode::ControlFileRewritten,
    );
    if !report.notes.contains(&Note::ControlRewritten) {
        return core.mended(service, code, &core.me);
    }
    let finding = Finding {
        code,
        node: core.me.clone(),
        severity: Severity::Warning,
        evidence: Evidence::Nothing,
    };
    core.found(service, finding);
}

#[cfg(test)]
mod tests {
    use super::*;
    use siaga_model::event::Event;
    use siaga_model::{StepId, UtcMicros};

    fn report(checkpoint: u64, stop: bool) -> StepReport {
        let control = ControlSeen {
            system_identifier: "7".into(),
            timeline: 1,
            checkpoint,
            checksum: u32::try_from(checkpoint).unwrap(),
        };
        StepReport {
            outcome: StepOutcome::Done { changed: true },
            proof: None,
            tests: Vec::new(),
            notes: vec![match stop {
                true => Note::ControlLeft { control },
                false => Note::ControlFound { control },
            }],
            started_at: UtcMicros(0),
            duration_ms: 1,
        }
    }

    #[test]
    fn what_another_node_reports_counts_before_its_row_comes() {
        let desk = IntegrityDesk::default();
        let service = ServiceName::from("simrs");
        let found = |checkpoint| match control(&report(checkpoint, true)) {
            Some(seen) => desk.judge(&service, &seen.control),
            None => panic!("no control file"),
        };
        assert_eq!(found(5), Judged::Fine);
        desk.heard(&service, &report(9, true));
        assert!(matches!(found(8), Judged::Wrong(_)));
        assert_eq!(found(9), Judged::Fine);
        // Somebody used it meanwhile, by hand or in a start that failed: that is told, and is never a refusal.
        assert_eq!(found(10), Judged::Rewritten);
        desk.heard(&service, &report(10, false));
        assert_eq!(found(11), Judged::Fine);
    }

    fn row(wall: i64, run: &str, body: EventBody) -> EventView {
        EventView {
            node: "serverdb".into(),
            incarnation: 1,
            seq: 1,
            hlc: Hlc {
                wall: UtcMicros(wall),
                count: 0,
            },
            at: UtcMicros(wall),
            event: Event {
                service: Some("simrs".into()),
                run: Some(run.into()),
                actor: None,
                body,
            },
        }
    }

    fn stopped(checkpoint: u64) -> EventBody {
        EventBody::StepFinished {
            plan: "p".into(),
            step: Step {
                id: StepId(1),
                node: "serverdb".into(),
                action: Action::StopDatabase,
                after: Vec::new(),
            },
            report: report(checkpoint, true),
        }
    }

    #[test]
    fn only_after_a_stop_that_rests_is_a_newer_control_file_strange() {
        let desk = IntegrityDesk::default();
        let found = |checkpoint| match control(&report(checkpoint, true)) {
            Some(seen) => desk.judge(&"simrs".into(), &seen.control),
            None => panic!("no control file"),
        };
        let stops = BTreeSet::from([RunId::from("rests")]);
        desk.read(&row(10, "moves", stopped(5)), &stops);
        assert_eq!(found(6), Judged::Fine);
        desk.read(&row(20, "rests", stopped(7)), &stops);
        assert_eq!(found(8), Judged::Rewritten);
        // A row that comes late changes nothing.
        desk.read(&row(15, "moves", stopped(6)), &stops);
        assert_eq!(found(7), Judged::Fine);
        assert!(matches!(found(6), Judged::Wrong(_)));
        let accepted = EventBody::DataAccepted {
            by: "budi".into(),
            reason: "restored".into(),
        };
        desk.read(&row(30, "none", accepted), &stops);
        assert_eq!(found(1), Judged::Fine);
    }

    #[test]
    fn old_data_that_a_person_decided_for_is_started_and_another_database_is_not() {
        let service = ServiceName::from("simrs");
        let decided = Step {
            id: StepId(2),
            node: "backup".into(),
            action: Action::AcceptOldData {
                resource: "simrs".into(),
                state: "Outdated".into(),
            },
            after: Vec::new(),
        };
        let done = StepReport {
            notes: Vec::new(),
            ..report(0, true)
        };
        let row_of = |step: &Step, report: &StepReport| EventBody::StepFinished {
            plan: "p".into(),
            step: step.clone(),
            report: report.clone(),
        };
        let failed = StepReport {
            outcome: StepOutcome::Unknown {
                why: siaga_model::Why::AskingBroke,
            },
            ..done.clone()
        };
        for at_once in [true, false] {
            let desk = IntegrityDesk::default();
            let found = |checkpoint, other: bool| {
                let mut seen = control(&report(checkpoint, true)).unwrap().control;
                if other {
                    seen.system_identifier = "8".into();
                }
                desk.judge(&service, &seen)
            };
            let stops = BTreeSet::new();
            desk.read(&row(10, "moves", stopped(7)), &stops);
            desk.done_here(&service, &decided, &failed);
            desk.read(&row(11, "takes", row_of(&decided, &failed)), &stops);
            assert!(
                matches!(found(5, false), Judged::Wrong(_)),
                "nobody decided"
            );
            match at_once {
                true => desk.done_here(&service, &decided, &done),
                false => desk.read(&row(20, "takes", row_of(&decided, &done)), &stops),
            }
            assert_eq!(found(5, false), Judged::Fine);
            assert!(matches!(found(5, true), Judged::Wrong(_)), "another one");
        }
    }
}
