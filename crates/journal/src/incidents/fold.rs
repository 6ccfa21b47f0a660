//! One incident's rows, folded in the merged order.

use siaga_model::api::EventView;
use siaga_model::incident::{IncidentEntry, Origin, TimeKind, UnitImpact};
use siaga_model::record::{
    Cause, Correction, Figures, HistoryLine, IncidentRecord, IncidentState, Said, Signature,
    TimeSource,
};
use siaga_model::{IncidentKey, RunId, UnitName, UtcMicros};
use std::collections::BTreeMap;

/// A record before what was measured is added.
pub struct Draft {
    pub record: IncidentRecord,
    pub runs: Vec<RunId>,
    /// The moments at which something was said in the program: these are times of the record too.
    pub said: Vec<(TimeKind, UtcMicros, TimeSource)>,
    /// What people entered, oldest first.
    pub entered: BTreeMap<TimeKind, Vec<Correction>>,
    pub impact: BTreeMap<UnitName, UnitImpact>,
}

impl Draft {
    /// Begins with the row that opens it.
    pub fn opened(key: &IncidentKey, view: &EventView, entry: &IncidentEntry) -> Option<Self> {
        let IncidentEntry::Opened {
            number,
            kind,
            origin,
            services,
            first,
        } = entry
        else {
            return None;
        };
        let some = |text: &String| (!text.is_empty()).then(|| text.clone());
        let record = IncidentRecord {
            id: number.clone(),
            key: key.clone(),
            kind: *kind,
            state: IncidentState::Suspected,
            scope: None,
            level: None,
            origin: origin.clone(),
            services: services.clone(),
            symptom: some(&first.symptom),
            reported_by: first.reported_by.clone(),
            reported_unit: first.unit.clone(),
            medium: first.medium.clone(),
            opened_at: view.at,
            opened_by: author(view),
            times: Vec::new(),
            figures: Figures::default(),
            cause: None,
            decision: None,
            decider: None,
            proofs: Vec::new(),
            runs: Vec::new(),
            estimates: Vec::new(),
            acknowledged_by: None,
            updates: Vec::new(),
            notes: Vec::new(),
            notices: Vec::new(),
            impact: Vec::new(),
            back_entry: Vec::new(),
            papers_left: Vec::new(),
            watch_until: None,
            review: None,
            actions: Vec::new(),
            signatures: Vec::new(),
            closed_at: None,
            closed_reason: None,
            clock_steps: Vec::new(),
            integrity: Vec::new(),
            merged_into: None,
            history: Vec::new(),
            duties: Vec::new(),
        };
        let mut draft = Self {
            record,
            runs: Vec::new(),
            said: Vec::new(),
            entered: BTreeMap::new(),
            impact: BTreeMap::new(),
        };
        match origin {
            Origin::Person => draft.said_now(TimeKind::Reported, view),
            Origin::ClientTests | Origin::CannotTell | Origin::ByHand => {
                draft
                    .said
                    .push((TimeKind::Detected, view.at, TimeSource::Node));
            }
            Origin::Run { run } => draft.runs.push(run.clone()),
        }
        draft.keep(view, entry);
        Some(draft)
    }

    /// Takes one more row in.
    pub fn apply(&mut self, view: &EventView, entry: &IncidentEntry) {
        let record = &mut self.record;
        match entry {
            // A second opening under the same key adds nothing.
            IncidentEntry::Opened { .. } => {}
            IncidentEntry::MovedByHand { .. } => {}
            IncidentEntry::Confirmed => self.said_now(TimeKind::Confirmed, view),
            IncidentEntry::Classified { kind, scope, level } => {
                record.kind = kind.unwrap_or(record.kind);
                record.scope = scope.or(record.scope);
                record.level = level.or(record.level);
            }
            IncidentEntry::TimeEntered { time, at, reason } => {
                self.entered.entry(*time).or_default().push(Correction {
                    at: *at,
                    by: author(view).unwrap_or_default(),
                    said_at: view.at,
                    reason: reason.clone(),
                });
            }
            IncidentEntry::CauseGiven { category, text } => {
                record.cause = Some(Cause {
                    category: *category,
                    text: text.clone(),
                });
            }
            IncidentEntry::Decided { decision, decider } => {
                record.decision = Some(decision.clone());
                record.decider = decider.clone();
                self.said_now(TimeKind::Decided, view);
            }
            IncidentEntry::RunJoined { run } => {
                if !self.runs.contains(run) {
                    self.runs.push(run.clone());
                }
            }
            IncidentEntry::Estimated { estimate } => record.estimates.push(estimate.clone()),
            IncidentEntry::Updated { text } => record.updates.push(said(view, text)),
            IncidentEntry::Noted { text } => record.notes.push(said(view, text)),
            IncidentEntry::Acknowledged { person } => {
                record.acknowledged_by = Some(person.clone());
            }
            IncidentEntry::Restored { watch_until } => record.watch_until = Some(*watch_until),
            IncidentEntry::AllClear => self.said_now(TimeKind::AllClear, view),
            IncidentEntry::Withdrawn { reason } => record.closed_reason = Some(reason.clone()),
            IncidentEntry::MergedInto { incident } => record.merged_into = Some(incident.clone()),
            IncidentEntry::Impact { impact } => {
                self.impact.insert(impact.unit.clone(), impact.clone());
            }
            IncidentEntry::BackEntry { entry } => {
                record.back_entry.retain(|e| e.unit != entry.unit);
                record.back_entry.push(entry.clone());
            }
            IncidentEntry::Reviewed { review } => record.review = Some(review.clone()),
            IncidentEntry::Action { action } => {
                record.actions.retain(|a| a.number != action.number);
                record.actions.push(action.clone());
                record.actions.sort_by_key(|a| a.number);
            }
            IncidentEntry::Signed { part, person } => record.signatures.push(Signature {
                part: *part,
                person: person.clone(),
                at: view.at,
            }),
            IncidentEntry::Closed { reason } => {
                record.closed_at = record.closed_at.or(Some(view.at));
                record.closed_reason = reason.clone();
            }
        }
        self.keep(view, entry);
    }

    fn keep(&mut self, view: &EventView, entry: &IncidentEntry) {
        self.record.history.push(HistoryLine {
            at: view.at,
            node: view.node.clone(),
            by: author(view),
            entry: entry.clone(),
        });
        self.record.state = super::state(&self.record);
    }

    fn said_now(&mut self, time: TimeKind, view: &EventView) {
        let by = author(view).unwrap_or_default();
        self.said.push((time, view.at, TimeSource::Said { by }));
    }
}

fn author(view: &EventView) -> Option<String> {
    view.event.actor.as_ref().map(|a| a.name.clone())
}

fn said(view: &EventView, text: &str) -> Said {
    Said {
        at: view.at,
        by: author(view),
        text: text.to_owned(),
    }
}
