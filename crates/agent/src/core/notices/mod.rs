//! What the units are told: who sends, what is due, and the acts of people.
//!
//! The rows are the only memory. Each agent makes the same outbox of them, and the first configured node whose agent
//! answers sends.

pub mod acts;
pub mod by_unit;
mod from_record;
pub mod send;
pub mod view;

use super::state::Core;
use siaga_comms::Templates;
use siaga_journal::outbox::{KINDS, Outbox};
use siaga_journal::{Durability, Filter, Heads, JournalError};
use siaga_model::config::Config;
use siaga_model::event::{Actor, Event, EventBody};
use siaga_model::notice::NoticeEntry;
use siaga_model::{NodeName, NoticeId};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What the agent keeps about notices beside their rows.
pub struct NoticeDesk {
    pub templates: Templates,
    seen: Mutex<Seen>,
    started: Instant,
    /// When the newest name was given to a notice, so that no two have the same.
    named: AtomicI64,
}

/// The outbox, as far as the rows were read.
#[derive(Default)]
struct Seen {
    outbox: Outbox,
    heads: Heads,
}

impl NoticeDesk {
    /// Reads the site's own texts. One with a fault is reported, and the shipped one stands in for it.
    pub fn new(config: &Config) -> Self {
        let (templates, faults) = Templates::load(config);
        for fault in faults {
            tracing::warn!(%fault, "a text of the site's own is not used");
        }
        Self {
            templates,
            seen: Mutex::default(),
            started: Instant::now(),
            named: AtomicI64::new(0),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Uses the outbox as the newest rows make it.
///
/// # Errors
/// Where the log can't be read.
pub fn with_outbox<T>(core: &Core, work: impl FnOnce(&Outbox) -> T) -> Result<T, JournalError> {
    let mut guard = core.notices.lock();
    let seen = &mut *guard;
    let filter = Filter {
        kinds: KINDS.map(str::to_owned).to_vec(),
        after: Some(seen.heads.clone()),
        ..Filter::default()
    };
    let outbox = &mut seen.outbox;
    // What it makes of the rows does not hang on their order.
    seen.heads = core.log.each(&filter, |view| outbox.apply(&view))?;
    Ok(work(&seen.outbox))
}

/// A name for a new notice: unique, and in the order of time.
pub fn new_id(core: &Core) -> NoticeId {
    use siaga_runner::hands::Hands;
    let now = core.hands.now().0;
    let before = core
        .notices
        .named
        .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |last| {
            Some(now.max(last.saturating_add(1)))
        });
    let named = before.map_or(now, |last| now.max(last.saturating_add(1)));
    NoticeId::new(format!("n{named:014x}-{}", core.me))
}

/// Writes rows of a notice down.
///
/// # Errors
/// Where the log can't be written.
pub fn write(
    core: &Core,
    actor: &Actor,
    rows: Vec<(NoticeId, NoticeEntry)>,
    durability: Durability,
) -> Result<(), JournalError> {
    let events = rows
        .into_iter()
        .map(|(notice, entry)| Event {
            service: None,
            run: None,
            actor: Some(actor.clone()),
            body: EventBody::Notice {
                notice,
                entry: Box::new(entry),
            },
        })
        .collect();
    core.log.append(events, durability)
}

/// The node whose agent sends: the first configured one that answers. A node that was not heard of yet is given time
/// after this agent's start.
pub fn sender(core: &Core) -> Option<NodeName> {
    let silent = core
        .config
        .policy
        .coordinator_silence
        .max(core.config.policy.peer_timeout * 3);
    let answers = |node: &NodeName| {
        let age = core.pulses.get(node).and_then(|p| p.age());
        answers(age, core.notices.started.elapsed(), silent)
    };
    core.config
        .nodes
        .iter()
        .map(|n| &n.name)
        .find(|name| **name == core.me || answers(name))
        .cloned()
}

/// `age`: how long ago it answered, where it ever did. `up`: how long this agent runs.
fn answers(age: Option<Duration>, up: Duration, silent: Duration) -> bool {
    age.unwrap_or(up) < silent
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_node_is_given_time_and_then_passed_over() {
        let s = Duration::from_secs;
        assert!(answers(Some(s(1)), s(100), s(10)));
        assert!(!answers(Some(s(11)), s(100), s(10)));
        assert!(answers(None, s(3), s(10)));
        assert!(!answers(None, s(10), s(10)));
    }
}
