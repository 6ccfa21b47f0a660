//! Ten years of a hospital in the event log of a node: twelve downtimes a year, a drill every month, their notices, and
//! a link that comes and goes. Written through the real journal; each of the two nodes writes every second month.

use crate::error::{Result, unexpected};
use crate::night;
use siaga_journal::{Clock, Durability, Journal};
use siaga_model::event::{Actor, ActorProof, Event, EventBody};
use siaga_model::plan::{MoveKind, Placement};
use siaga_model::run::RunOutcome;
use siaga_model::{NodeName, RunId, ServiceName, UtcMicros};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

pub const MONTHS: i64 = 120;
/// In this month of every year a downtime is told to every unit by every channel.
pub const BIG_MONTH: i64 = 6;
const SECOND: i64 = 1_000_000;
/// A twelfth of a year.
const MONTH: i64 = 2_629_746 * SECOND;
/// How often the link comes and goes in a month.
const FLAPS: i64 = 100;
/// The lab's service.
pub const SERVICE: &str = "simrs";

/// The clock that the rows are dated by. Every row is a millisecond later than the one before.
#[derive(Clone)]
struct Dated(Arc<AtomicI64>);

impl Clock for Dated {
    fn wall(&self) -> UtcMicros {
        UtcMicros(self.0.fetch_add(1000, Ordering::SeqCst))
    }
}

/// The journal of one node, written at other times.
pub struct Pen {
    journal: Journal,
    clock: Dated,
    pub node: NodeName,
    run: Option<RunId>,
}

impl Pen {
    /// Writes what happened at that moment. `who`: empty for the agent.
    pub fn at(&mut self, at: i64, who: &str, bodies: Vec<EventBody>) -> Result<()> {
        self.clock.0.store(at, Ordering::SeqCst);
        let actor = match who {
            "" => Actor {
                name: format!("agent@{}", self.node),
                how: ActorProof::Agent,
            },
            who => Actor {
                name: who.to_owned(),
                how: ActorProof::Stated,
            },
        };
        let event = |body| Event {
            service: Some(ServiceName::from(SERVICE)),
            run: self.run.clone(),
            actor: Some(actor.clone()),
            body,
        };
        let events = bodies.into_iter().map(event).collect();
        let written = self.journal.append_all(events, Durability::Lazy);
        written.map(drop).map_err(|e| unexpected(e.to_string()))
    }

    /// What follows belongs to this run.
    pub fn in_run(&mut self, run: Option<&RunId>) {
        self.run = run.cloned();
    }
}

/// When month number `month` began, if the hundred and twentieth has just ended.
pub fn begins(now: UtcMicros, month: i64) -> i64 {
    now.0 - (MONTHS - month) * MONTH
}

/// Inside a node, whose agent does not run: writes its half of ten years.
pub fn write(state_dir: &Path, node: &str, now: UtcMicros) -> Result<()> {
    let clock = Dated(Arc::new(AtomicI64::new(begins(now, 0))));
    let opened = Journal::open(state_dir, NodeName::from(node), Box::new(clock.clone()));
    let (journal, _) = opened.map_err(|e| unexpected(e.to_string()))?;
    let mut pen = Pen {
        journal,
        clock,
        node: NodeName::from(node),
        run: None,
    };
    let mine = i64::from(node == crate::lab::NODES[1]);
    for month in (0..MONTHS).filter(|m| m % 2 == mine) {
        let from = begins(now, month);
        flaps(&mut pen, from)?;
        night::downtime(&mut pen, month, from + 9 * 86_400 * SECOND)?;
        night::drill(&mut pen, month, from + 20 * 86_400 * SECOND)?;
    }
    // So that no agent misses a service that runs nowhere.
    let run = RunId::new(format!("stop-{node}"));
    pen.in_run(Some(&run));
    let stop = night::accepted(MoveKind::Stop, Placement::Stopped, "bench");
    let plan = night::planned(&run, MONTHS as u64 * 4, MoveKind::Stop, node, Vec::new());
    let ended = EventBody::RunEnded {
        outcome: RunOutcome::Done,
        plan: None,
    };
    pen.at(now.0 - 3 * 86_400 * SECOND, "budi", vec![stop, plan, ended])?;
    pen.journal
        .maintain()
        .map_err(|e| unexpected(e.to_string()))
}

fn flaps(pen: &mut Pen, from: i64) -> Result<()> {
    let node = NodeName::from(crate::lab::other(pen.node.as_str()));
    for number in 0..FLAPS {
        let silent = EventBody::PeerSilent { node: node.clone() };
        let answers = EventBody::PeerAnswers {
            node: node.clone(),
            boot: "6a1f3c52-0d0f-4c55-9a37-b1f3d6b1c001".into(),
        };
        let at = from + number * (MONTH / FLAPS);
        pen.at(at, "", vec![silent])?;
        pen.at(at + 40 * SECOND, "", vec![answers])?;
    }
    Ok(())
}
