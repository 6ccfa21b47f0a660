//! The estimate as of now: the log's history and the run at hand, handed to the planner.

use super::incidents::{open_of, records};
use super::seen::{Seen, seen};
use super::state::Core;
use siaga_journal::JournalError;
use siaga_journal::projections::{REDO_RATE, WRITE_BACK_RATE};
use siaga_model::config::Service;
use siaga_model::incident::{Basis, Estimate, IncidentKind, Range};
use siaga_model::incident_api::{EstimateAnswer, EstimatePhase, EstimateScore};
use siaga_model::record::IncidentRecord;
use siaga_model::{ServiceName, UtcMicros};
use siaga_planner::duties;
use siaga_planner::estimate::{self, History, Phase, StepLeft};
use siaga_runner::hands::Hands;
use std::sync::Arc;
use std::time::Duration;

/// The steps whose times are looked up.
const STEPS: [&str; 15] = [
    "enlist",
    "checkpoint",
    "stop_applications",
    "stop_database",
    "remove_virtual_ip",
    "unmount",
    "release",
    "fence",
    "attest",
    "take",
    "mount",
    "add_virtual_ip",
    "start_database",
    "start_applications",
    "client_test",
];

/// The estimate of a service.
///
/// # Errors
/// Where the log can't be read.
pub async fn of_service(
    core: &Arc<Core>,
    service: &Service,
) -> Result<EstimateAnswer, JournalError> {
    let records = records(core)?;
    let open = open_of(&records, &service.name);
    let (phase, range, based_on) = now(core, service, open, &records).await;
    let at = core.hands.now();
    let exceeded = phase != EstimatePhase::Serving && open.is_some_and(|o| over(o, at));
    Ok(EstimateAnswer {
        service: service.name.clone(),
        incident: open.map(|r| r.id.clone()),
        phase,
        low_s: range.map(|r| r.low_s),
        likely_s: range.map(|r| r.likely_s),
        high_s: range.map(|r| r.high_s),
        next_update_at: next_update(core, at),
        based_on,
        exceeded,
    })
}

/// The estimate that is given for an incident.
pub async fn of_record(
    core: &Arc<Core>,
    record: &IncidentRecord,
    records: &[IncidentRecord],
) -> Estimate {
    let given_at = core.hands.now();
    let service = record
        .services
        .iter()
        .find_map(|s: &ServiceName| core.config.service(s));
    let (range, based_on) = match service {
        Some(service) => {
            let (_, range, based_on) = now(core, service, Some(record), records).await;
            (range, based_on)
        }
        None => (None, Vec::new()),
    };
    Estimate {
        range,
        given_at,
        next_update_at: next_update(core, given_at),
        based_on,
    }
}

/// How good the estimates were.
///
/// # Errors
/// Where the log can't be read.
pub fn score(core: &Core) -> Result<EstimateScore, JournalError> {
    let score = estimate::score(&records(core)?);
    Ok(EstimateScore {
        given: score.given,
        in_range: score.in_range,
        in_range_pct: (score.in_range * 100).checked_div(score.given),
        without_range: score.without_range,
        median_width_s: score.median_width_s,
        median_error_s: score.median_error_s,
    })
}

/// The newest estimate that was given is over, or the time of the next news that was promised.
fn over(record: &IncidentRecord, now: UtcMicros) -> bool {
    duties::over(record, now).is_some() || duties::late(record, now).is_some()
}

fn next_update(core: &Core, at: UtcMicros) -> UtcMicros {
    let every = core.config.downtime.rules.update_every;
    let micros = i64::try_from(every.as_micros()).unwrap_or(i64::MAX);
    UtcMicros(at.0.saturating_add(micros))
}

async fn now(
    core: &Arc<Core>,
    service: &Service,
    open: Option<&IncidentRecord>,
    records: &[IncidentRecord],
) -> (EstimatePhase, Option<Range>, Vec<Basis>) {
    let mut history = history(core, records);
    history.wal_bytes = super::redo::to_redo(core, service).await;
    if let Some(left) = running(core, &service.name).await {
        let (range, based_on) = estimate::estimate(&history, &Phase::Running { left });
        return (EstimatePhase::Running, Some(range), based_on);
    }
    if seen(core, service).await == Seen::Serving {
        let (range, based_on) = estimate::estimate(&history, &Phase::Serving);
        return (EstimatePhase::Serving, Some(range), based_on);
    }
    let at = core.hands.now();
    let waited_ms = open.map_or(0, |r| at.millis_since(r.opened_at));
    let (range, based_on) = estimate::estimate(&history, &Phase::Undecided { waited_ms });
    (EstimatePhase::Undecided, Some(range), based_on)
}

fn history(core: &Core, records: &[IncidentRecord]) -> History {
    let steps = core.log.with(|journal| {
        let of = |action: &&str| ((*action).to_owned(), journal.step_history(action));
        STEPS.iter().map(of).collect()
    });
    let decisions_ms = records
        .iter()
        .filter(|r| r.kind == IncidentKind::Unplanned)
        .filter_map(|r| r.figures.decision_ms)
        .collect();
    History {
        steps,
        decisions_ms,
        wal_bytes: None,
        redo_kib_per_s: rates(core, REDO_RATE),
        write_back_kib_per_s: rates(core, WRITE_BACK_RATE),
    }
}

/// How fast own recoveries were, KiB per second, oldest first.
pub fn redo_rates(core: &Core) -> Vec<u64> {
    rates(core, REDO_RATE)
}

/// What the steps of a takeover would take now. `None` where the log can't be read.
pub async fn of_takeover(core: &Arc<Core>, service: &Service) -> Option<Range> {
    let mut history = history(core, &records(core).ok()?);
    history.wal_bytes = super::redo::to_redo(core, service).await;
    let waits = |action: &&str| StepLeft {
        action: (*action).to_owned(),
        elapsed_ms: None,
    };
    let left = estimate::TAKEOVER.iter().map(waits).collect();
    Some(estimate::estimate(&history, &Phase::Running { left }).0)
}

fn rates(core: &Core, name: &str) -> Vec<u64> {
    core.log.with(|journal| journal.step_history(name))
}

/// What the run at work has left: here, or at the node that coordinates it.
async fn running(core: &Arc<Core>, service: &ServiceName) -> Option<Vec<StepLeft>> {
    let run = match core.runs.going_on(service) {
        Some(live) => live.run.clone(),
        None => {
            let known = core.log.runs().open(service).cloned()?;
            known.ended.is_none().then_some(known.run)?
        }
    };
    let super::ended::Found::View(view) =
        super::ended::find(core, &run, 0, Duration::ZERO, true).await
    else {
        return None;
    };
    if view.ended {
        return None;
    }
    // Side by side only the longest counts: a step that another one hides adds nothing. The address is such a one.
    let mut left: Vec<StepLeft> = view
        .running
        .iter()
        .map(|s| StepLeft {
            action: s.action.clone(),
            elapsed_ms: Some(s.elapsed_ms),
        })
        .collect();
    left.extend(view.waiting.iter().map(|(_, action)| StepLeft {
        action: action.clone(),
        elapsed_ms: None,
    }));
    left.retain(|s| s.action != "add_virtual_ip" && s.action != "remove_virtual_ip");
    Some(left)
}
