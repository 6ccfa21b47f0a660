//! What runs and notices tell about incidents.

use crate::filter::SentSums;
use siaga_model::api::EventView;
use siaga_model::event::EventBody;
use siaga_model::incident::TimeKind;
use siaga_model::notice::NoticeEntry;
use siaga_model::plan::Action;
use siaga_model::proof::{Ground, ProofRecord};
use siaga_model::record::{NoticeLine, RunLine, StepLine};
use siaga_model::run::{RunOutcome, StepOutcome, StepReport};
use siaga_model::{IncidentKey, NoticeId, PersonName, RunId, UtcMicros};
use std::collections::BTreeMap;

/// One run as far as an incident needs it.
pub struct RunFacts {
    pub line: RunLine,
    pub proofs: Vec<ProofRecord>,
    /// The times that its rows measured.
    pub times: Vec<(TimeKind, UtcMicros)>,
}

/// Runs and notices of all events.
#[derive(Default)]
pub struct Facts {
    pub runs: BTreeMap<RunId, RunFacts>,
    pub notices: BTreeMap<IncidentKey, Vec<NoticeLine>>,
    /// Who acknowledged the alert of an incident first.
    pub cared_for: BTreeMap<IncidentKey, PersonName>,
}

impl Facts {
    /// Reads them out of the events in the merged order.
    pub fn of(events: &[EventView]) -> Self {
        let mut facts = Self::default();
        let mut of: BTreeMap<&NoticeId, IncidentKey> = BTreeMap::new();
        for view in events {
            match &view.event.body {
                EventBody::Notice { notice, entry } => facts.notice(&mut of, notice, view, entry),
                _ => facts.run(view),
            }
        }
        facts
    }

    /// Adds what was sent, where it is summed.
    pub fn add(&mut self, sums: &SentSums) {
        for line in self.notices.values_mut().flatten() {
            let Some(sum) = sums.get(&line.notice) else {
                continue;
            };
            let (_, at) = sum.first;
            line.first_sent_at = Some(line.first_sent_at.map_or(at, |known| known.min(at)));
            line.sent = line.sent.saturating_add(sum.sent);
        }
    }

    fn run(&mut self, view: &EventView) {
        let Some(id) = &view.event.run else { return };
        if let EventBody::RunAccepted {
            move_kind,
            reason,
            requested_by,
            ..
        } = &view.event.body
        {
            let actor = view.event.actor.as_ref().map(|a| a.name.clone());
            self.runs.entry(id.clone()).or_insert_with(|| RunFacts {
                line: RunLine {
                    run: id.clone(),
                    kind: *move_kind,
                    who: requested_by.as_ref().map(ToString::to_string).or(actor),
                    reason: reason.clone(),
                    started_at: view.at,
                    ended_at: None,
                    outcome: None,
                    steps: Vec::new(),
                    lost_rows: Vec::new(),
                },
                proofs: Vec::new(),
                times: vec![(TimeKind::Decided, view.at)],
            });
            return;
        }
        let Some(run) = self.runs.get_mut(id) else {
            return;
        };
        match &view.event.body {
            EventBody::RunEnded { outcome, .. } => {
                run.line.ended_at = Some(view.at);
                run.line.outcome = Some(outcome_name(outcome).to_owned());
            }
            EventBody::StepFinished { step, report, .. } => {
                run.step(step.node.clone(), &step.action, report);
            }
            EventBody::ProofMade { proof } => run.proved(proof),
            EventBody::RowsLost { lost } => run.line.lost_rows.push(lost.clone()),
            _ => {}
        }
    }

    fn notice<'a>(
        &mut self,
        of: &mut BTreeMap<&'a NoticeId, IncidentKey>,
        notice: &'a NoticeId,
        view: &EventView,
        entry: &NoticeEntry,
    ) {
        if let NoticeEntry::Drafted {
            moment,
            incident: Some(incident),
            next_update,
            ..
        } = entry
        {
            of.insert(notice, incident.clone());
            self.notices
                .entry(incident.clone())
                .or_default()
                .push(NoticeLine {
                    notice: notice.clone(),
                    moment: *moment,
                    drafted_at: view.at,
                    released_at: None,
                    first_sent_at: None,
                    next_update_at: *next_update,
                    sent: 0,
                    acknowledged: Vec::new(),
                });
            return;
        }
        match entry {
            NoticeEntry::Alert { incident, .. } => {
                of.insert(notice, incident.clone());
                return;
            }
            NoticeEntry::AlertAcknowledged { person } => {
                if let Some(key) = of.get(notice) {
                    let first = self.cared_for.entry(key.clone());
                    first.or_insert_with(|| person.clone());
                }
                return;
            }
            _ => {}
        }
        let line = of
            .get(notice)
            .and_then(|key| self.notices.get_mut(key))
            .and_then(|lines| lines.iter_mut().find(|l| &l.notice == notice));
        let Some(line) = line else { return };
        match entry {
            NoticeEntry::Released { .. } => line.released_at = line.released_at.or(Some(view.at)),
            NoticeEntry::Sent { .. } => {
                line.first_sent_at = line.first_sent_at.or(Some(view.at));
                line.sent = line.sent.saturating_add(1);
            }
            NoticeEntry::Acknowledged { unit, .. } if !line.acknowledged.contains(unit) => {
                line.acknowledged.push(unit.clone());
            }
            _ => {}
        }
    }
}

impl RunFacts {
    fn step(&mut self, node: siaga_model::NodeName, action: &Action, report: &StepReport) {
        let ended = UtcMicros(
            report.started_at.0.saturating_add(
                i64::try_from(report.duration_ms)
                    .unwrap_or(0)
                    .saturating_mul(1000),
            ),
        );
        let done = report.outcome.is_done();
        match action {
            Action::Take => self.times.push((TimeKind::TakeStart, report.started_at)),
            Action::StartDatabase if done => {
                self.times.push((TimeKind::DatabaseAccepting, ended));
            }
            _ => {}
        }
        self.line.steps.push(StepLine {
            node,
            action: action.name().to_owned(),
            started_at: report.started_at,
            duration_ms: report.duration_ms,
            outcome: match report.outcome {
                StepOutcome::Done { .. } => "done",
                StepOutcome::Failed(_) => "failed",
                StepOutcome::Unknown { .. } => "unknown",
            }
            .to_owned(),
        });
    }

    fn proved(&mut self, proof: &ProofRecord) {
        match proof.ground {
            Ground::Fenced { .. } | Ground::Attested { .. } => {
                self.times.push((TimeKind::Fenced, proof.at));
            }
            Ground::Released => {}
        }
        self.proofs.push(proof.clone());
    }
}

fn outcome_name(outcome: &RunOutcome) -> &'static str {
    match outcome {
        RunOutcome::Done => "done",
        RunOutcome::Refused { .. } => "refused",
        RunOutcome::Restored { .. } => "restored",
        RunOutcome::Stuck { .. } => "stuck",
    }
}
