//! Which run of a service is the newest, and is it over? A projection of the merged events of both nodes.

use siaga_model::PlanId;
use siaga_model::api::EventView;
use siaga_model::event::{Event, EventBody};
use siaga_model::observation::RunInProgress;
use siaga_model::plan::{MandatedPlan, MoveKind, Placement};
use siaga_model::run::RunOutcome;
use siaga_model::{NodeName, RunId, ServiceName, UtcMicros};
use std::collections::BTreeMap;

/// The newest run of each service.
#[derive(Clone, Default, Debug)]
pub struct RunIndex {
    newest: BTreeMap<ServiceName, KnownRun>,
    /// The newest order of each service: it is written right before its first plan.
    accepted: BTreeMap<ServiceName, Accepted>,
}

/// What an accepted order says beside its plan.
#[derive(Clone, Debug)]
struct Accepted {
    run: RunId,
    covers: Option<RunId>,
    key: String,
}

/// What the events tell of one run.
#[derive(Clone, Debug)]
pub struct KnownRun {
    pub run: RunId,
    /// The run that this one covers.
    pub covers: Option<RunId>,
    /// The idempotency keys of the orders that began it and went on with it.
    pub keys: Vec<String>,
    pub kind: MoveKind,
    pub goal: Placement,
    /// Where the service was when the run began.
    pub from: Option<NodeName>,
    pub plan: MandatedPlan,
    pub actor: String,
    pub since: UtcMicros,
    pub ended: Option<RunOutcome>,
}

impl KnownRun {
    /// True where the run rests unfinished: it was cut off, or it is stuck.
    pub fn is_open(&self) -> bool {
        matches!(&self.ended, None | Some(RunOutcome::Stuck { .. }))
    }

    /// As an observation tells it. `live`: its coordinator is carrying it out now.
    pub fn in_progress(&self, live: bool) -> RunInProgress {
        RunInProgress {
            run: self.run.clone(),
            epoch: self.plan.epoch.clone(),
            coordinator: self.plan.coordinator.clone(),
            since: self.since,
            covers: self.covers.clone(),
            actor: self.actor.clone(),
            live,
            goal: Some(self.goal.clone()),
            home: self.from.clone().map(Placement::ActiveOn),
        }
    }
}

impl RunIndex {
    /// The newest run of `service`.
    pub fn newest(&self, service: &ServiceName) -> Option<&KnownRun> {
        self.newest.get(service)
    }

    /// The newest run, where it rests unfinished.
    pub fn open(&self, service: &ServiceName) -> Option<&KnownRun> {
        self.newest(service).filter(|r| r.is_open())
    }

    /// The newest run of a service that an order with this key began or went on with.
    pub fn by_key(&self, key: &str) -> Option<&KnownRun> {
        let ordered = |known: &&KnownRun| known.keys.iter().any(|k| k == key);
        self.newest
            .values()
            .find(ordered)
            .filter(|_| !key.is_empty())
    }

    /// Takes one event in, written by `by`: own or copied, in any order across nodes.
    pub fn apply(&mut self, by: &NodeName, event: &Event) {
        match &event.body {
            EventBody::RunAccepted {
                covers,
                idempotency_key,
                ..
            } => {
                let (Some(service), Some(run)) = (&event.service, &event.run) else {
                    return;
                };
                let accepted = Accepted {
                    run: run.clone(),
                    covers: covers.clone(),
                    key: idempotency_key.clone(),
                };
                self.accepted.insert(service.clone(), accepted);
            }
            EventBody::PlanRecorded { plan } => self.plan(by, event, plan),
            EventBody::RunEnded { outcome, plan } => self.ended(by, event, outcome, plan.as_ref()),
            _ => {}
        }
    }

    fn plan(&mut self, by: &NodeName, event: &Event, plan: &MandatedPlan) {
        let service = &plan.plan.service;
        match self.newest.get_mut(service) {
            Some(known) if known.run == plan.epoch.run => {
                if plan.epoch.counter > known.plan.epoch.counter {
                    known.plan = plan.clone();
                    known.ended = None;
                }
            }
            Some(known) if known.plan.epoch.counter >= plan.epoch.counter => {}
            _ => {
                let known = KnownRun {
                    run: plan.epoch.run.clone(),
                    covers: None,
                    keys: Vec::new(),
                    kind: plan.plan.kind,
                    goal: plan.plan.goal.clone(),
                    from: plan.plan.from.clone(),
                    plan: plan.clone(),
                    actor: String::new(),
                    since: run_time(&plan.epoch.run),
                    ended: None,
                };
                self.newest.insert(service.clone(), known);
            }
        }
        // A participant writes the plan down as well; only its coordinator knows whose order it is.
        if by == &plan.coordinator {
            self.ordered(event, plan);
        }
    }

    fn ordered(&mut self, event: &Event, plan: &MandatedPlan) {
        let service = &plan.plan.service;
        let accepted = self.accepted.get(service).cloned();
        let Some(known) = self.newest.get_mut(service) else {
            return;
        };
        if known.run != plan.epoch.run {
            return;
        }
        if known.actor.is_empty()
            && let Some(actor) = &event.actor
        {
            known.actor = actor.name.clone();
        }
        if let Some(accepted) = accepted.filter(|a| a.run == known.run) {
            known.covers = accepted.covers.or(known.covers.take());
            if !accepted.key.is_empty() && !known.keys.contains(&accepted.key) {
                known.keys.push(accepted.key);
            }
        }
    }

    /// Only the node that coordinates the plan in force knows how its run ended. The end of an older plan closes
    /// nothing newer, and another node's word about the run is not this run's end.
    fn ended(&mut self, by: &NodeName, event: &Event, outcome: &RunOutcome, plan: Option<&PlanId>) {
        let (Some(service), Some(run)) = (&event.service, &event.run) else {
            return;
        };
        if let Some(known) = self.newest.get_mut(service)
            && &known.run == run
            && by == &known.plan.coordinator
            && ends(plan, &known.plan)
        {
            known.ended = Some(outcome.clone());
        }
    }
}

/// Was the run's end written under that plan? Rows of before the plan was named do not say: the order of the
/// coordinator's own rows does.
fn ends(ended: Option<&PlanId>, plan: &MandatedPlan) -> bool {
    ended.is_none_or(|ended| ended == &plan.id)
}

/// How a run ended, from its own events in the merged order: by the word of the coordinator of its newest plan, or of
/// the node that covered it.
pub fn end_of(events: &[EventView]) -> Option<(&MandatedPlan, &RunOutcome)> {
    let mut newest: Option<&MandatedPlan> = None;
    let mut end: Option<(bool, &RunOutcome)> = None;
    for view in events {
        match &view.event.body {
            EventBody::PlanRecorded { plan }
                if newest.is_none_or(|n| plan.epoch.counter > n.epoch.counter) =>
            {
                newest = Some(plan);
                end = None;
            }
            EventBody::RunEnded { outcome, plan } => {
                let Some(newest) = newest.filter(|n| ends(plan.as_ref(), n)) else {
                    continue;
                };
                let covered = super::cover::is_cover(outcome) && view.node != newest.coordinator;
                let covered_before = matches!(end, Some((true, _)));
                if covered || (view.node == newest.coordinator && !covered_before) {
                    end = Some((covered, outcome));
                }
            }
            _ => {}
        }
    }
    newest.zip(end.map(|(_, outcome)| outcome))
}

/// The moment in a run's id: see [`new_run_id`].
pub fn run_time(run: &RunId) -> UtcMicros {
    let micros = run
        .as_str()
        .split('-')
        .next()
        .and_then(|t| i64::from_str_radix(t, 16).ok());
    UtcMicros(micros.unwrap_or(0))
}

/// A new run id: the wall clock in microseconds as 14 hexadecimal digits, then the node. Unique, since a node accepts
/// one run of a service at a time, and readable in order of time.
pub fn new_run_id(now: UtcMicros, node: &NodeName) -> RunId {
    RunId::new(format!("{:014x}-{node}", now.0))
}

#[cfg(test)]
mod tests {
    use super::super::cover::{Covered, end_of_covered};
    use super::super::live::LiveRun;
    use super::*;
    use siaga_model::Epoch;
    use siaga_model::event::{Actor, ActorProof, Hlc};
    use siaga_model::plan::Plan;
    use siaga_model::refusal::Sentence;
    use siaga_model::run::FailureKind;

    const A: &str = "serverdb";
    const B: &str = "backup";

    fn actor(name: &str) -> Actor {
        Actor {
            name: name.into(),
            how: ActorProof::Agent,
        }
    }

    fn event(run: &str, body: EventBody) -> Event {
        Event {
            service: Some("simrs".into()),
            run: Some(run.into()),
            actor: Some(actor("siti")),
            body,
        }
    }

    fn plan(run: &str, counter: u64, coordinator: &str) -> MandatedPlan {
        MandatedPlan {
            id: PlanId::new(format!("{run}.{counter}")),
            parent: None,
            epoch: Epoch {
                counter,
                issuer: coordinator.into(),
                run: run.into(),
            },
            coordinator: coordinator.into(),
            hit_mandates: Vec::new(),
            plan: Plan {
                service: "simrs".into(),
                kind: MoveKind::Switchover,
                goal: Placement::ActiveOn(coordinator.into()),
                from: Some(A.into()),
                proofs: Vec::new(),
                steps: Vec::new(),
                sentence: Sentence::NothingToResume,
                unproved: Vec::new(),
                hits: Vec::new(),
            },
        }
    }

    fn planned(run: &str, counter: u64, coordinator: &str) -> Event {
        let plan = Box::new(plan(run, counter, coordinator));
        event(run, EventBody::PlanRecorded { plan })
    }

    fn ended(run: &str, counter: Option<u64>, outcome: RunOutcome) -> Event {
        let plan = counter.map(|c| PlanId::new(format!("{run}.{c}")));
        event(run, EventBody::RunEnded { outcome, plan })
    }

    fn accepted(run: &str, key: &str, covers: Option<&str>) -> Event {
        let body = EventBody::RunAccepted {
            move_kind: MoveKind::Switchover,
            goal: Placement::ActiveOn(B.into()),
            reason: String::new(),
            requested_by: None,
            approved_by: None,
            idempotency_key: key.into(),
            covers: covers.map(Into::into),
        };
        event(run, body)
    }

    fn index(rows: &[(&str, Event)]) -> RunIndex {
        let mut index = RunIndex::default();
        for (by, event) in rows {
            index.apply(&NodeName::from(*by), event);
        }
        index
    }

    fn open(index: &RunIndex) -> bool {
        index.open(&"simrs".into()).is_some()
    }

    #[test]
    fn only_the_coordinator_of_the_plan_in_force_ends_a_run() {
        let done = |counter| ended("r", counter, RunOutcome::Done);
        let begun = (B, planned("r", 4, B));
        assert!(open(&index(&[begun.clone(), (A, done(Some(4)))])));
        assert!(open(&index(&[begun.clone(), (A, done(None))])));
        assert!(!open(&index(&[begun.clone(), (B, done(Some(4)))])));
        // A row of before the plan was named.
        assert!(!open(&index(&[begun, (B, done(None))])));
    }

    #[test]
    fn the_end_of_an_older_plan_does_not_close_a_newer_one() {
        let resumed = [(B, planned("r", 4, B)), (A, planned("r", 5, A))];
        let old = [&resumed[..], &[(B, ended("r", Some(4), RunOutcome::Done))]].concat();
        assert!(open(&index(&old)));
        let same_node = [
            (B, planned("r", 4, B)),
            (B, planned("r", 5, B)),
            (B, ended("r", Some(4), RunOutcome::Done)),
        ];
        assert!(open(&index(&same_node)));
        let new = [&resumed[..], &[(A, ended("r", Some(5), RunOutcome::Done))]].concat();
        assert!(!open(&index(&new)));
    }

    #[test]
    fn a_key_names_the_run_that_it_began_also_after_a_restart_and_on_the_other_node() {
        let rows = [
            (B, accepted("r", "first", None)),
            (B, planned("r", 4, B)),
            (A, planned("r", 4, B)),
            (B, accepted("r", "second", None)),
            (B, planned("r", 5, B)),
        ];
        let index = index(&rows);
        for key in ["first", "second"] {
            assert_eq!(index.by_key(key).map(|k| k.run.as_str()), Some("r"));
        }
        assert!(index.by_key("").is_none() && index.by_key("third").is_none());
    }

    fn view(by: &str, seq: u64, event: Event) -> EventView {
        EventView {
            node: by.into(),
            incarnation: 1,
            seq,
            hlc: Hlc::default(),
            at: UtcMicros(0),
            event,
        }
    }

    fn end_written_by_cover(outcome: RunOutcome) -> Event {
        let service = "simrs".into();
        let covered = Covered {
            run: "r".into(),
            plan: "r.4".into(),
            coordinator: B.into(),
        };
        let cover = LiveRun::new(
            "c".into(),
            service,
            MoveKind::Cover,
            actor("agent"),
            UtcMicros(0),
        )
        .covering(Some(covered));
        let body = EventBody::RunEnded {
            outcome,
            plan: Some("c.5".into()),
        };
        end_of_covered(&cover, &body).expect("the covered run ends with its cover")
    }

    #[test]
    fn a_covered_run_is_not_done_it_says_who_covered_it() {
        let events = [
            view(B, 1, planned("r", 4, B)),
            view(A, 1, planned("r", 4, B)),
            view(A, 2, end_written_by_cover(RunOutcome::Done)),
            // The silent coordinator comes back and believes in its own plan.
            view(B, 2, ended("r", Some(4), RunOutcome::Done)),
        ];
        let (_, outcome) = end_of(&events).expect("it is over");
        let RunOutcome::Restored { cause, at } = outcome else {
            panic!("{outcome:?}")
        };
        assert_eq!(cause.kind, FailureKind::CoordinatorSilent);
        assert_eq!(
            (cause.detail.clone(), at.node.as_str()),
            (siaga_model::Why::from("c"), B)
        );
        let shown = super::super::ended::of_events(&"r".into(), &events).expect("a view");
        assert_eq!(
            (shown.ended, shown.report.outcome.as_str()),
            (true, "restored")
        );
    }

    #[test]
    fn a_cover_is_the_newest_run_and_names_the_run_that_it_covers() {
        let rows = [
            (B, accepted("r", "k", None)),
            (B, planned("r", 4, B)),
            (A, planned("r", 4, B)),
            (A, accepted("c", "", Some("r"))),
            (A, planned("c", 5, A)),
            (A, ended("c", Some(5), RunOutcome::Done)),
            (A, end_written_by_cover(RunOutcome::Done)),
        ];
        let index = index(&rows);
        let known = index.newest(&"simrs".into()).expect("a run");
        assert_eq!(known.run.as_str(), "c");
        assert_eq!(known.covers, Some("r".into()));
        assert_eq!(known.ended, Some(RunOutcome::Done));
    }

    #[test]
    fn the_end_of_a_resumed_run_is_the_resumes() {
        let events = [
            view(B, 1, planned("r", 4, B)),
            view(A, 2, end_written_by_cover(RunOutcome::Done)),
            view(A, 3, planned("r", 6, A)),
        ];
        assert_eq!(end_of(&events), None);
    }
}
