//! What other parts read out of the events. Pure functions over events in the merged order, oldest first.

use crate::journal::StepTimes;
use siaga_model::api::{EventView, SeenBy};
use siaga_model::event::{ActorProof, EventBody, Hlc};
use siaga_model::note::Note;
use siaga_model::plan::MoveKind;
use siaga_model::proof::Ground;
use siaga_model::run::{RunOutcome, StepOutcome};
use siaga_model::{NodeName, RunId, ServiceName, UtcMicros};
use std::collections::{BTreeMap, BTreeSet};

/// The kinds that a node's ledger and its unfinished runs are rebuilt from.
pub const LEDGER_KINDS: [&str; 13] = [
    "mandate_minted",
    "fence_mandate_minted",
    "mandate_admitted",
    "epoch_seen",
    "adopted",
    "promised",
    "proof_used",
    "proof_made",
    "proof_voided",
    "plan_recorded",
    "run_accepted",
    "run_ended",
    "run_interrupted",
];

/// `me`'s own events about `service` that its ledger is rebuilt from, over all incarnations.
pub fn ledger_events<'a>(
    events: &'a [EventView],
    me: &NodeName,
    service: &ServiceName,
) -> Vec<&'a EventView> {
    let mine = |e: &&EventView| &e.node == me && e.event.service.as_ref() == Some(service);
    events
        .iter()
        .filter(mine)
        .filter(|e| binds(&e.event.body))
        .collect()
}

fn binds(body: &EventBody) -> bool {
    match body {
        EventBody::MandateMinted { .. }
        | EventBody::FenceMandateMinted { .. }
        | EventBody::MandateAdmitted { .. }
        | EventBody::EpochSeen { .. }
        | EventBody::Adopted { .. }
        | EventBody::Promised { .. }
        | EventBody::ProofUsed { .. }
        | EventBody::ProofMade { .. }
        | EventBody::ProofVoided { .. }
        | EventBody::PlanRecorded { .. }
        | EventBody::RunAccepted { .. }
        | EventBody::RunEnded { .. }
        | EventBody::RunInterrupted { .. } => true,
        // A newer version's row of such a kind binds too, though it can't be read: see `unread_ledger_events`.
        EventBody::Other(other) => LEDGER_KINDS.contains(&other.kind.as_str()),
        EventBody::StepFinished { .. }
        | EventBody::LettingGo { .. }
        | EventBody::Refused { .. }
        | EventBody::OutageMeasured { .. }
        | EventBody::RowsLost { .. }
        | EventBody::ServiceOnline { .. }
        | EventBody::ServiceOffline { .. }
        | EventBody::AgentStarted { .. }
        | EventBody::NodeBooted { .. }
        | EventBody::PeerSilent { .. }
        | EventBody::PeerAnswers { .. }
        | EventBody::PowerOrdered { .. }
        | EventBody::PowerChanged { .. }
        | EventBody::LossAccepted { .. }
        | EventBody::EventKeyTrusted { .. }
        | EventBody::CaReplaced { .. }
        | EventBody::NodeReplaced { .. }
        | EventBody::PowerNotChanged { .. }
        | EventBody::Incident { .. }
        | EventBody::Notice { .. }
        | EventBody::Paused { .. }
        | EventBody::PauseEnded
        | EventBody::Found { .. }
        | EventBody::CheckPassed { .. }
        | EventBody::CheckFixed { .. }
        | EventBody::CheckFailed { .. }
        | EventBody::DataAccepted { .. }
        | EventBody::Rehearsed { .. }
        | EventBody::IntegrityChecked { .. } => false,
    }
}

/// Ledger rows that this version can't read: written by a newer one, before a downgrade. A ledger rebuilt without
/// them may have forgotten a promise, so treat the journal as lost while there are any.
pub fn unread_ledger_events(events: &[EventView]) -> Vec<&EventView> {
    let unread =
        |e: &&EventView| matches!(&e.event.body, EventBody::Other(_)) && binds(&e.event.body);
    events.iter().filter(unread).collect()
}

/// How long `action` took each time that it was carried out and changed something, in milliseconds.
pub fn step_history(events: &[EventView], action: &str) -> Vec<u64> {
    events
        .iter()
        .filter_map(step_time)
        .filter(|(name, _)| *name == action)
        .map(|(_, ms)| ms)
        .collect()
}

/// A step that found everything done already says nothing of how long it takes.
fn step_time(view: &EventView) -> Option<(&'static str, u64)> {
    match &view.event.body {
        EventBody::StepFinished { step, report, .. }
            if report.outcome == StepOutcome::Done { changed: true } =>
        {
            Some((step.action.name(), report.duration_ms))
        }
        _ => None,
    }
}

/// The name under which `Journal::step_history` gives the rates of recoveries, in KiB per second.
pub const REDO_RATE: &str = "redo_kib_per_s";

/// The same for what checkpoints before a stop wrote back, in KiB of WAL per second.
pub const WRITE_BACK_RATE: &str = "write_back_kib_per_s";

/// How fast a start redid the WAL, or a checkpoint wrote back what it stood for, with the name of the rate. The rest of the
/// step is among it: what it takes with nothing to do is short beside it.
fn rate(view: &EventView) -> Option<(&'static str, u64)> {
    let EventBody::StepFinished { report, .. } = &view.event.body else {
        return None;
    };
    let (_, ms) = step_time(view)?;
    let (name, bytes) = report.notes.iter().find_map(|note| match note {
        Note::WalToRedo { bytes } => Some((REDO_RATE, *bytes)),
        Note::WalToWriteBack { bytes } => Some((WRITE_BACK_RATE, *bytes)),
        _ => None,
    })?;
    // Next to nothing says nothing of the rate.
    (bytes >= 16 << 20).then(|| (name, (bytes >> 10).saturating_mul(1000) / ms.max(1)))
}

pub(crate) fn add_step_times(times: &mut StepTimes, events: &[EventView]) {
    for (action, ms) in events.iter().filter_map(step_time) {
        times.entry(action.to_owned()).or_default().push(ms);
    }
    for (name, kib_per_s) in events.iter().filter_map(rate) {
        times.entry(name.to_owned()).or_default().push(kib_per_s);
    }
}

/// A moment in the merged order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Moment {
    pub hlc: Hlc,
    pub at: UtcMicros,
}

impl Moment {
    fn of(view: &EventView) -> Self {
        Self {
            hlc: view.hlc,
            at: view.at,
        }
    }
}

/// The kinds that [`last_graded_drill`] looks at.
pub const DRILL_KINDS: [&str; 3] = ["run_accepted", "run_ended", "outage_measured"];

/// A drill that was carried through, and that a client measured.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GradedDrill {
    pub run: RunId,
    /// Its end.
    pub at: UtcMicros,
    /// Who ordered it, asked for it and approved it.
    pub people: BTreeSet<String>,
}

/// The newest drill that can be graded.
pub fn last_graded_drill(events: &[EventView]) -> Option<GradedDrill> {
    let mut drills: BTreeMap<&RunId, BTreeSet<String>> = BTreeMap::new();
    let mut measured: BTreeSet<&RunId> = BTreeSet::new();
    let mut done: Vec<(&RunId, UtcMicros)> = Vec::new();
    for view in events {
        let Some(run) = &view.event.run else { continue };
        match &view.event.body {
            EventBody::RunAccepted {
                move_kind: MoveKind::Drill,
                requested_by,
                approved_by,
                ..
            } => {
                let people = [requested_by, approved_by].into_iter().flatten();
                let people = people.map(ToString::to_string).chain(person(view));
                drills.insert(run, people.collect());
            }
            EventBody::OutageMeasured { outage } if outage.seen_by == SeenBy::Probe => {
                measured.insert(run);
            }
            EventBody::RunEnded {
                outcome: RunOutcome::Done,
                ..
            } if drills.contains_key(run) => done.push((run, view.at)),
            _ => {}
        }
    }
    let graded = |(run, _): &&(&RunId, UtcMicros)| measured.contains(run);
    let (run, at) = done.iter().rfind(graded)?;
    Some(GradedDrill {
        run: (*run).clone(),
        at: *at,
        people: drills.remove(run).unwrap_or_default(),
    })
}

/// The person behind a row, where it was not an agent by itself.
fn person(view: &EventView) -> Option<String> {
    let actor = view.event.actor.as_ref()?;
    (actor.how != ActorProof::Agent).then(|| actor.name.clone())
}

/// The newest `check` of a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LastCheck {
    pub when: Moment,
    pub passed: bool,
}

/// The kinds that [`repaired`] looks at.
pub const REPAIR_KINDS: [&str; 7] = [
    "check_passed",
    "check_failed",
    "proof_made",
    "run_accepted",
    "run_ended",
    "peer_silent",
    "peer_answers",
];

/// The newest `check` of `node`.
pub fn last_check(events: &[EventView], node: &NodeName) -> Option<LastCheck> {
    events.iter().rev().find_map(|view| {
        let (checked, passed) = match &view.event.body {
            EventBody::CheckPassed { node } => (node, true),
            EventBody::CheckFailed { node, .. } => (node, false),
            _ => return None,
        };
        (checked == node).then(|| LastCheck {
            when: Moment::of(view),
            passed,
        })
    })
}

/// The newest failure of `node`: it was fenced or attested off, or it was silent during a takeover.
pub fn last_failure(events: &[EventView], node: &NodeName) -> Option<Moment> {
    let mut takeovers: BTreeSet<&RunId> = BTreeSet::new();
    let mut silent = false;
    let mut failure = None;
    for view in events {
        match &view.event.body {
            EventBody::ProofMade { proof } if &proof.node == node => match proof.ground {
                Ground::Fenced { .. } | Ground::Attested { .. } => failure = Some(Moment::of(view)),
                Ground::Released => {}
            },
            EventBody::RunAccepted {
                move_kind: MoveKind::Takeover,
                ..
            } => {
                takeovers.extend(&view.event.run);
                if silent {
                    failure = Some(Moment::of(view));
                }
            }
            EventBody::RunEnded { .. } => {
                takeovers.retain(|run| Some(*run) != view.event.run.as_ref());
            }
            EventBody::PeerSilent { node: who } if who == node => {
                silent = true;
                if !takeovers.is_empty() {
                    failure = Some(Moment::of(view));
                }
            }
            EventBody::PeerAnswers { node: who, .. } if who == node => silent = false,
            _ => {}
        }
    }
    failure
}

/// May the service go back to `node`, as far as checks and failures tell?
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Repaired {
    /// It has not failed, as far as this log goes back.
    NeverFailed,
    /// Its newest check is later than its newest failure, and passed.
    Passed { failed: Moment, checked: Moment },
    /// It has not passed a check since then.
    NotChecked { failed: Moment },
}

/// Has `node` passed `check` since its last failure?
pub fn repaired(events: &[EventView], node: &NodeName) -> Repaired {
    let Some(failed) = last_failure(events, node) else {
        return Repaired::NeverFailed;
    };
    match last_check(events, node) {
        Some(check) if check.passed && check.when > failed => Repaired::Passed {
            failed,
            checked: check.when,
        },
        _ => Repaired::NotChecked { failed },
    }
}
