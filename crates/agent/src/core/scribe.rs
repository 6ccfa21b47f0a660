//! Opens and continues the incident of every run, from the log alone: no run ever waits for it, and an agent that was
//! killed in between goes on from what is written.
//!
//! Each node writes for the runs that it coordinates.

use super::incidents::{self, new_key, open_of};
use super::state::Core;
use siaga_journal::{Filter, JournalError};
use siaga_model::api::EventView;
use siaga_model::event::EventBody;
use siaga_model::incident::{FirstSign, IncidentEntry, IncidentKind, Origin};
use siaga_model::plan::{MoveKind, Placement};
use siaga_model::record::{IncidentRecord, IncidentState};
use siaga_model::run::RunOutcome;
use siaga_model::{RunId, ServiceName, UtcMicros};
use siaga_runner::hands::Hands;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How far back an agent that starts looks for runs without an incident.
const LOOK_BACK: Duration = Duration::from_secs(24 * 3600);
/// The kinds of events that runs are followed by.
const KINDS: [&str; 3] = ["run_accepted", "plan_recorded", "run_ended"];

/// A run of this node.
#[derive(Clone)]
struct Known {
    service: ServiceName,
    kind: MoveKind,
    reason: String,
    stops: bool,
    outcome: Option<RunOutcome>,
    ended_at: Option<UtcMicros>,
}

/// Never ends.
pub async fn scribe(core: Arc<Core>) {
    let mut changed = core.log.subscribe();
    let mut runs: BTreeMap<RunId, Known> = BTreeMap::new();
    let micros = i64::try_from(LOOK_BACK.as_micros()).unwrap_or(0);
    let mut after = Filter {
        since: Some(UtcMicros(core.hands.now().0.saturating_sub(micros))),
        ..filter(&core)
    };
    loop {
        changed.borrow_and_update();
        match news(&core, &mut after) {
            Ok(events) if !events.is_empty() => {
                for view in &events {
                    learn(&mut runs, view);
                }
                if let Err(error) = write_down(&core, &mut runs).await {
                    tracing::error!(%error, "the incident of a run could not be written");
                }
            }
            Ok(_) => {}
            Err(error) => tracing::error!(%error, "the runs could not be read"),
        }
        if changed.changed().await.is_err() {
            return;
        }
    }
}

fn filter(core: &Core) -> Filter {
    Filter {
        node: Some(core.me.clone()),
        kinds: KINDS.iter().map(|k| (*k).to_owned()).collect(),
        ..Filter::default()
    }
}

/// What this node wrote of runs since the last look.
fn news(core: &Core, after: &mut Filter) -> Result<Vec<EventView>, JournalError> {
    let (events, reader) = core.log.read_at(after)?;
    *after = Filter {
        after: Some(reader.heads().clone()),
        ..filter(core)
    };
    Ok(events)
}

fn learn(runs: &mut BTreeMap<RunId, Known>, view: &EventView) {
    let (Some(run), Some(service)) = (&view.event.run, &view.event.service) else {
        return;
    };
    match &view.event.body {
        EventBody::RunAccepted {
            move_kind,
            reason,
            goal,
            ..
        } => {
            runs.entry(run.clone()).or_insert_with(|| Known {
                service: service.clone(),
                kind: *move_kind,
                reason: reason.clone(),
                stops: goal == &Placement::Stopped,
                outcome: None,
                ended_at: None,
            });
        }
        EventBody::PlanRecorded { plan } => {
            if let Some(known) = runs.get_mut(run) {
                known.stops = plan.plan.goal == Placement::Stopped;
            }
        }
        EventBody::RunEnded { outcome, .. } => {
            if let Some(known) = runs.get_mut(run) {
                known.outcome = Some(outcome.clone());
                known.ended_at = Some(view.at);
            }
        }
        _ => {}
    }
}

/// Writes what is missing in the records, and forgets the runs that are over.
async fn write_down(
    core: &Arc<Core>,
    runs: &mut BTreeMap<RunId, Known>,
) -> Result<(), JournalError> {
    let _alone = core.incident_desk.lock().await;
    let actor = core.agent_actor();
    for (run, known) in runs.iter() {
        let records = incidents::records(core)?;
        let now = core.hands.now();
        let number = || incidents::number(core, &records, now);
        if let Some((key, rows)) = begins(run, known, &records, number) {
            let key = key.unwrap_or_else(|| new_key(core, now));
            incidents::write(core, &key, &actor, rows)?;
            // Somebody acts already.
            super::alerts::settle(core, &key, "")?;
        }
        if let Some(outcome) = &known.outcome {
            let records = incidents::records(core)?;
            let watch_until = UtcMicros(now.0.saturating_add(
                i64::try_from(core.config.downtime.rules.watch_for.as_micros()).unwrap_or(0),
            ));
            if let Some((key, rows)) = ends(run, known, outcome, &records, watch_until) {
                incidents::write(core, &key, &actor, rows)?;
            }
        }
    }
    runs.retain(|_, known| known.outcome.is_none());
    Ok(())
}

type Rows = (Option<siaga_model::IncidentKey>, Vec<IncidentEntry>);

/// The rows that a run's beginning still needs: it joins the incident of its service, or opens one.
fn begins(
    run: &RunId,
    known: &Known,
    records: &[IncidentRecord],
    number: impl Fn() -> String,
) -> Option<Rows> {
    if records.iter().any(|r| has(r, run)) {
        return None;
    }
    let joined = |open: &&IncidentRecord| joins(open, known.kind) && !over_before(known, open);
    if let Some(open) = open_of(records, &known.service).filter(joined) {
        let row = IncidentEntry::RunJoined { run: run.clone() };
        return Some((Some(open.key.clone()), vec![row]));
    }
    let kind = natural(known.kind)?;
    let row = IncidentEntry::Opened {
        number: number(),
        kind,
        origin: Origin::Run { run: run.clone() },
        services: vec![known.service.clone()],
        first: FirstSign {
            symptom: known.reason.clone(),
            ..FirstSign::default()
        },
    };
    Some((None, vec![row]))
}

/// What a run is by itself. `None`: it ends a downtime and begins none.
fn natural(kind: MoveKind) -> Option<IncidentKind> {
    match kind {
        MoveKind::Takeover | MoveKind::Cover => Some(IncidentKind::Unplanned),
        MoveKind::Drill => Some(IncidentKind::Drill),
        MoveKind::Switchover | MoveKind::Failback | MoveKind::Restart | MoveKind::Stop => {
            Some(IncidentKind::Planned)
        }
        MoveKind::Start | MoveKind::Resume | MoveKind::Abort | MoveKind::Restore => None,
    }
}

/// The run had ended when the incident was opened: an agent that starts finds runs of the last day again, and none of
/// them mended what came after it.
fn over_before(known: &Known, open: &IncidentRecord) -> bool {
    known.ended_at.is_some_and(|ended| ended < open.opened_at)
}

/// Is the run a part of the incident that is open? Where the service works again, only what goes on with the same
/// downtime is: a takeover in the watch after a drill is no part of the drill.
fn joins(open: &IncidentRecord, kind: MoveKind) -> bool {
    open.state != IncidentState::UnderWatch
        || match natural(kind) {
            None => true,
            Some(IncidentKind::Unplanned) => open.kind == IncidentKind::Unplanned,
            Some(_) => false,
        }
}

/// The rows that a run's end still needs.
fn ends(
    run: &RunId,
    known: &Known,
    outcome: &RunOutcome,
    records: &[IncidentRecord],
    watch_until: UtcMicros,
) -> Option<(siaga_model::IncidentKey, Vec<IncidentEntry>)> {
    let record = records.iter().find(|r| has(r, run) && r.state.is_open())?;
    let rows = match outcome {
        RunOutcome::Done | RunOutcome::Restored { .. } if known.stops => return None,
        RunOutcome::Done | RunOutcome::Restored { .. } => {
            if record.state == IncidentState::UnderWatch {
                return None;
            }
            vec![IncidentEntry::Restored { watch_until }]
        }
        // Nothing was begun: where it was only this run's, there was no downtime.
        RunOutcome::Refused { refusal } => match &record.origin {
            Origin::Run { run: first } if first == run => vec![IncidentEntry::Withdrawn {
                reason: serde_json::to_value(refusal.code)
                    .ok()
                    .and_then(|v| v.as_str().map(str::to_owned))
                    .unwrap_or_default(),
            }],
            _ => return None,
        },
        RunOutcome::Stuck { .. } => return None,
    };
    Some((record.key.clone(), rows))
}

fn has(record: &IncidentRecord, run: &RunId) -> bool {
    record.history.iter().any(|line| match &line.entry {
        IncidentEntry::RunJoined { run: joined } => joined == run,
        IncidentEntry::Opened {
            origin: Origin::Run { run: first },
            ..
        } => first == run,
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use siaga_model::record::Figures;

    fn open(kind: IncidentKind, state: IncidentState) -> IncidentRecord {
        serde_json::from_value(serde_json::json!({
            "id": "DT-2026-001", "key": "k", "kind": kind, "state": state,
            "scope": null, "level": null, "origin": {"by": "person"}, "services": ["simrs"],
            "symptom": null, "reported_by": null, "reported_unit": null, "medium": null,
            "opened_at": 0, "opened_by": null, "times": [], "figures": Figures::default(),
            "cause": null, "decision": null, "decider": null, "proofs": [], "runs": [],
            "estimates": [], "acknowledged_by": null, "updates": [], "notes": [], "notices": [],
            "impact": [], "back_entry": [], "papers_left": [], "watch_until": null,
            "review": null, "actions": [], "signatures": [], "closed_at": null,
            "closed_reason": null, "merged_into": null, "history": []
        }))
        .unwrap()
    }

    /// The service was started in the morning; at noon it hangs, and the agent is killed and starts again.
    #[test]
    fn a_run_that_was_over_before_is_no_part_of_the_incident() {
        let incident = IncidentRecord {
            opened_at: UtcMicros(1000),
            ..open(IncidentKind::Unplanned, IncidentState::Suspected)
        };
        let records = [incident];
        let run = |kind, ended_at: Option<i64>| Known {
            service: "simrs".into(),
            kind,
            reason: String::new(),
            stops: false,
            outcome: ended_at.map(|_| RunOutcome::Done),
            ended_at: ended_at.map(UtcMicros),
        };
        let rows = |known: &Known| begins(&"r1".into(), known, &records, || "DT-2026-002".into());
        assert!(rows(&run(MoveKind::Start, Some(900))).is_none());
        // One that had no incident gets its own.
        let (key, _) = rows(&run(MoveKind::Switchover, Some(900))).unwrap();
        assert_eq!(key, None);
        for going_on in [Some(1100), None] {
            let (key, rows) = rows(&run(MoveKind::Start, going_on)).unwrap();
            assert_eq!(key, Some("k".into()));
            assert!(matches!(rows[0], IncidentEntry::RunJoined { .. }));
        }
    }

    #[test]
    fn a_run_joins_the_downtime_that_it_goes_on_with_and_no_other() {
        use IncidentKind as K;
        use IncidentState::{Confirmed, UnderWatch};
        let cases = [
            (K::Drill, UnderWatch, MoveKind::Takeover, false),
            (K::Planned, UnderWatch, MoveKind::Takeover, false),
            (K::Unplanned, UnderWatch, MoveKind::Takeover, true),
            (K::Unplanned, UnderWatch, MoveKind::Failback, false),
            (K::Drill, UnderWatch, MoveKind::Switchover, false),
            (K::Planned, UnderWatch, MoveKind::Resume, true),
            // It is down: whatever is done now belongs to it.
            (K::Planned, Confirmed, MoveKind::Takeover, true),
            (K::Unplanned, Confirmed, MoveKind::Restart, true),
        ];
        for (kind, state, run, expected) in cases {
            assert_eq!(
                joins(&open(kind, state), run),
                expected,
                "{kind:?} {state:?} {run:?}"
            );
        }
    }
}
