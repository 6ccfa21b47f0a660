//! What clients lost by a run: gathered when it ends.

use super::live::LiveRun;
use super::state::Core;
use siaga_model::api::{LostRows, Outage, SeenBy, StepView};
use siaga_model::config::Service;
use siaga_model::event::EventBody;
use siaga_model::plan::{Action, MoveKind};
use siaga_model::run::StepOutcome;

/// The gaps in the service, and what did not come along.
pub struct Measured {
    pub outages: Vec<Outage>,
    pub lost_rows: Vec<LostRows>,
}

impl Measured {
    /// By the probes; where none measured a gap, as the node itself saw it. No node sees what is missing: only a client
    /// knows what it was told is kept.
    pub fn of(core: &Core, service: &Service, live: &LiveRun) -> Self {
        let mut outages = core.probes.outages(&service.name, live.started);
        if outages.is_empty() {
            outages = live.update(|s| node_outages(&s.finished));
            // A service that was never on line did not go off line.
            if live.kind == MoveKind::Start {
                outages.retain(|o| o.offline_at.is_some());
            }
        }
        Self {
            outages,
            lost_rows: core.probes.lost_since(&service.name, live.started),
        }
    }

    /// The rows of the log that say so.
    pub fn rows(&self) -> Vec<EventBody> {
        let outages = self.outages.iter().cloned();
        let lost = self.lost_rows.iter().cloned();
        outages
            .map(|outage| EventBody::OutageMeasured { outage })
            .chain(lost.map(|lost| EventBody::RowsLost { lost }))
            .collect()
    }
}

/// The outages as the node itself saw them: from the order to stop the database until it was ready again.
fn node_outages(steps: &[StepView]) -> Vec<Outage> {
    let stop = Action::StopDatabase.name();
    let start = Action::StartDatabase.name();
    let mut outages = Vec::new();
    let mut offline: Option<jiff::Timestamp> = None;
    let mut seen_offline = false;
    for step in steps {
        let Ok(began) = step.started_at.parse::<jiff::Timestamp>() else {
            continue;
        };
        let changed = matches!(step.outcome, StepOutcome::Done { changed: true });
        if step.action == stop && changed {
            offline = Some(began);
            seen_offline = true;
        }
        if step.action == start && changed {
            let took = i64::try_from(step.duration_ms).unwrap_or(i64::MAX);
            let online = began
                .checked_add(jiff::SignedDuration::from_millis(took))
                .ok();
            let gap = offline
                .zip(online)
                .map(|(a, b)| (b.as_millisecond() - a.as_millisecond()).max(0));
            outages.push(Outage {
                offline_at: offline.map(|t| format!("{t:.3}")),
                online_at: online.map(|t| format!("{t:.3}")),
                downtime_ms: gap.and_then(|g| u64::try_from(g).ok()),
                error_ms: None,
                seen_by: SeenBy::Node,
                probe: None,
            });
            offline = None;
            seen_offline = false;
        }
    }
    if seen_offline {
        outages.push(Outage {
            offline_at: offline.map(|t| format!("{t:.3}")),
            online_at: None,
            downtime_ms: None,
            error_ms: None,
            seen_by: SeenBy::Node,
            probe: None,
        });
    }
    outages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_lost_is_a_row_of_the_log() {
        let lost = LostRows {
            probe: "loket-1".into(),
            rows: 3,
        };
        let measured = Measured {
            outages: Vec::new(),
            lost_rows: vec![lost.clone()],
        };
        assert_eq!(measured.rows(), [EventBody::RowsLost { lost }]);
    }
}
