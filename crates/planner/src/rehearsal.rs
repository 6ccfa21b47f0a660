//! May the service be rehearsed now, and what came of it?

use crate::guards;
use crate::world::{Grip, World};
use siaga_model::config::Config;
use siaga_model::event::{Finding, FindingCode, Severity};
use siaga_model::observation::{Observation, RunInProgress};
use siaga_model::readiness::{CheckId, CheckStatus, Examined};
use siaga_model::refusal::{Advice, Refusal, RefusalCode, Sentence};
use siaga_model::rehearsal::{
    IndexCheck, RehearsalOutcome, RehearsalReport, RehearsalTest, SourceFacts, Tried,
};
use siaga_model::{Evidence, NodeName, Why};

/// Where it would be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scene {
    pub holder: NodeName,
    pub standby: NodeName,
}

/// Who is copied, and where it is tried; or why not now. A rehearsal needs a service that runs, and another node that
/// has nothing of it.
pub fn scene(config: &Config, observation: &Observation) -> Result<Scene, Refusal> {
    let world = World::new(config, observation)?;
    if let Some(run) = world.unfinished().filter(|r| r.live) {
        return Err(in_progress(run));
    }
    let holder = world.active().filter(|n| world.is_ready(n));
    let holder = holder.ok_or_else(|| guards::not_running(&world))?;
    let Some(standby) = world.others(holder).into_iter().next() else {
        return Err(Refusal {
            code: RefusalCode::NoSuchThing,
            sentence: Sentence::RefusedNoStandby {
                service: world.name(),
            },
            evidence: Vec::new(),
            next: vec![Advice::Status],
        });
    };
    match world.grip(standby) {
        Grip::Free | Grip::CutOff { .. } => Ok(Scene {
            holder: holder.clone(),
            standby: standby.clone(),
        }),
        Grip::Silent => Err(guards::peer_silent(&world, standby)),
        Grip::Holds | Grip::Unknown { .. } => Err(Refusal {
            code: RefusalCode::TargetNotReady,
            sentence: Sentence::RefusedTargetNotReady {
                node: standby.clone(),
                why: Why::ThisNodeHoldsOrUnknown,
            },
            evidence: Vec::new(),
            next: vec![Advice::Check],
        }),
    }
}

fn in_progress(run: &RunInProgress) -> Refusal {
    Refusal {
        code: RefusalCode::RunInProgress,
        sentence: Sentence::RunBy {
            run: run.run.clone(),
            actor: run.actor.clone(),
            since: run.since,
            coordinator: run.coordinator.clone(),
        },
        evidence: Vec::new(),
        next: vec![Advice::WaitForRun {
            run: run.run.clone(),
        }],
    }
}

/// So much of a file system stays free for others, percent; and at least so many bytes.
const KEPT_PERCENT: u64 = 5;
const KEPT_BYTES: u64 = 64 << 20;
/// What is written while the copy is made and tried, beside the data itself: a part of it, and so many bytes.
const GROWS_BY: u64 = 10;
const GROWS_BYTES: u64 = 128 << 20;

/// Room for a copy, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Room {
    pub needed: u64,
    /// What may be used.
    pub usable: u64,
    /// What has to stay free.
    pub kept: u64,
}

impl Room {
    /// For data of `size` on a file system of `total` with `free`.
    pub fn of(size: u64, total: u64, free: u64) -> Self {
        let kept = (total / 100).saturating_mul(KEPT_PERCENT).max(KEPT_BYTES);
        Self {
            needed: size
                .saturating_add(size / GROWS_BY)
                .saturating_add(GROWS_BYTES),
            usable: free.saturating_sub(kept),
            kept,
        }
    }

    /// Does it fit?
    pub fn fits(self) -> bool {
        self.needed <= self.usable
    }
}

/// What is not the same before and after, by name. `None`: one of them can't be asked any more.
pub fn changed(before: &[SourceFacts], after: &[Option<SourceFacts>]) -> Option<Vec<String>> {
    let mut names = Vec::new();
    for was in before {
        let there = after.iter().flatten().find(|f| f.node == was.node)?;
        let mut differs = |name: &str, same: bool| {
            if !same {
                names.push(format!("{name} ({})", was.node));
            }
        };
        differs("boot", was.boot == there.boot);
        differs(
            "system identifier",
            was.system_identifier == there.system_identifier,
        );
        differs("timeline", was.timeline == there.timeline);
        differs("first process", was.postmaster == there.postmaster);
        differs("mount", was.mount == there.mount);
        differs("mandate", !mandated(was, there));
    }
    Some(names)
}

/// Did a move begin meanwhile?
pub fn move_began(before: &[SourceFacts], after: &[Option<SourceFacts>]) -> bool {
    let newer = |was: &SourceFacts| {
        let there = after.iter().flatten().find(|f| f.node == was.node);
        there.is_some_and(|there| mandated(was, there))
    };
    before.iter().any(newer)
}

fn mandated(was: &SourceFacts, there: &SourceFacts) -> bool {
    was.highest != there.highest || was.last_take != there.last_take
}

/// What it came to.
pub struct Graded {
    pub outcome: RehearsalOutcome,
    pub why: Option<Why>,
    pub production_untouched: Option<bool>,
}

/// Grades it. `ended`: why it did not come to its end. Passed is what was tried, passed, left production as it was, and
/// is gone again.
pub fn grade(
    ended: Option<Why>,
    tests: &[RehearsalTest],
    amcheck: &IndexCheck,
    before: &[SourceFacts],
    after: &[Option<SourceFacts>],
    removed: Option<Why>,
) -> Graded {
    let broken = ended == Some(Why::BrokenOffByMove) || move_began(before, after);
    let changed = changed(before, after).filter(|_| !broken);
    let mut reasons: Vec<Why> = match broken {
        true => vec![Why::BrokenOffByMove],
        false => ended.into_iter().collect(),
    };
    if !broken {
        match &changed {
            Some(what) if what.is_empty() => {}
            Some(what) => reasons.push(Why::ProductionChanged { what: what.clone() }),
            None => reasons.push(Why::AskingBroke),
        }
    }
    let failed = |t: &&RehearsalTest| t.status == Tried::Failed;
    let mut named: Vec<String> = tests
        .iter()
        .filter(failed)
        .map(|t| t.name.clone())
        .collect();
    if amcheck.status == Tried::Failed {
        named.push("amcheck".into());
    }
    if !named.is_empty() {
        reasons.push(Why::TestsFailed { tests: named });
    }
    reasons.extend(removed);
    Graded {
        outcome: match reasons.is_empty() {
            true => RehearsalOutcome::Passed,
            false => RehearsalOutcome::Failed,
        },
        why: (!reasons.is_empty()).then(|| Why::all(reasons)),
        production_untouched: changed.map(|what| what.is_empty()),
    }
}

/// What `check` says of the newest rehearsal, which was so many days ago.
pub fn examined(me: &NodeName, last: Option<(&RehearsalReport, u64)>) -> Result<Examined, Finding> {
    let Some((report, days)) = last else {
        let evidence = Evidence::LastRehearsal {
            days: None,
            node: None,
        };
        let status = CheckStatus::NotExercised;
        return Ok(Examined::open(CheckId::Rehearsal, me, status, evidence));
    };
    match (report.outcome, &report.why) {
        (RehearsalOutcome::Passed, _) | (_, None) => {
            let evidence = Evidence::LastRehearsal {
                days: Some(days),
                node: Some(report.node.clone()),
            };
            Ok(Examined::pass(CheckId::Rehearsal, me, evidence))
        }
        (_, Some(why)) => Err(Finding {
            code: FindingCode::RehearsalFailed,
            node: report.node.clone(),
            severity: Severity::Warning,
            evidence: why.clone().into(),
        }),
    }
}
