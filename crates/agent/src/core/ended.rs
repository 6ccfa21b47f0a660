//! A run that this agent does not carry out, as the events of both nodes tell how it ended.

use super::live::LiveRun;
use super::runs::{end_of, run_time};
use super::state::Core;
use crate::transport::CallError;
use siaga_journal::Filter;
use siaga_model::api::{EventView, RunView};
use siaga_model::event::{Actor, ActorProof, EventBody};
use siaga_model::{NodeName, RunId};
use std::sync::Arc;
use std::time::Duration;

/// What is known of a run.
pub enum Found {
    View(Box<RunView>),
    /// It has not ended as far as the log tells, and the node that carries it out does not answer.
    CoordinatorSilent {
        node: NodeName,
    },
    Nothing,
}

/// Asks who may know: this agent's live runs, for a local person the other nodes, then the log. `after` and `wait`
/// make it a long poll.
pub async fn find(core: &Arc<Core>, run: &RunId, after: u64, wait: Duration, local: bool) -> Found {
    if let Some(live) = core.runs.get(run) {
        live.changed(after, wait).await;
        return Found::View(Box::new(live.view()));
    }
    let mut silent = None;
    if local {
        let wait_ms = wait.as_millis();
        let path = format!("/v1/runs/{run}?after={after}&wait_ms={wait_ms}");
        let timeout = wait + core.config.policy.peer_timeout;
        for (node, peer) in &core.peers {
            match peer.poll::<RunView>(&path, timeout).await {
                Ok(view) => return Found::View(Box::new(view)),
                Err(CallError::Status { status: 404, .. }) => {}
                Err(_) => silent = Some(node.clone()),
            }
        }
    }
    let (c, r) = (core.clone(), run.clone());
    let told = tokio::task::spawn_blocking(move || view(&c, &r)).await;
    if let Ok(Some(view)) = told {
        return Found::View(Box::new(view));
    }
    match silent.filter(|node| carried_out_by(core, run, node)) {
        Some(node) => Found::CoordinatorSilent { node },
        None => Found::Nothing,
    }
}

fn carried_out_by(core: &Core, run: &RunId, node: &NodeName) -> bool {
    let runs = core.log.runs();
    core.config.services.iter().any(|service| {
        let known = runs.newest(&service.name);
        // A cover is the covered run's end: its outcome is not known before the cover's own.
        known.is_some_and(|k| {
            let coordinated = &k.run == run && &k.plan.coordinator == node;
            coordinated || k.covers.as_ref() == Some(run)
        })
    })
}

/// The run as far as the log tells, where it tells that it is over. Reads the log: call it from a blocking thread.
pub fn view(core: &Core, run: &RunId) -> Option<RunView> {
    let filter = Filter {
        run: Some(run.clone()),
        ..Filter::default()
    };
    let events = core.log.read(&filter).ok()?;
    of_events(run, &events)
}

/// The same, from the run's events in the merged order.
pub fn of_events(run: &RunId, events: &[EventView]) -> Option<RunView> {
    let (newest, outcome) = end_of(events)?;
    let first = events.iter().find_map(|v| match &v.event.body {
        EventBody::PlanRecorded { plan } => Some(plan),
        _ => None,
    })?;
    let accepted = events.iter().find_map(|v| match &v.event.body {
        EventBody::RunAccepted {
            move_kind, covers, ..
        } => Some((*move_kind, covers.clone())),
        _ => None,
    });
    let (kind, covers) = accepted.unwrap_or((first.plan.kind, None));
    let nobody = Actor {
        name: String::new(),
        how: ActorProof::Agent,
    };
    let service = newest.plan.service.clone();
    let live = LiveRun::new(run.clone(), service, kind, nobody, run_time(run));
    live.planned(first);
    for view in events {
        match &view.event.body {
            EventBody::StepFinished { step, report, .. } => live.step_ends(step, report),
            EventBody::OutageMeasured { outage } => {
                live.update(|s| s.outages.push(outage.clone()));
            }
            EventBody::RowsLost { lost } => {
                live.update(|s| s.lost_rows.push(lost.clone()));
            }
            _ => {}
        }
    }
    live.update(|s| {
        s.result = Some(outcome.clone());
        s.ended = true;
    });
    let mut view = live.view();
    view.waiting.clear();
    view.report.covers = covers;
    Some(view)
}
