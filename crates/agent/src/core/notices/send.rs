//! Sends what is due, as long as this node's agent is the one that sends. At least once: an attempt is durable before
//! it begins, and one without an outcome is made again under the same key.

use super::{sender, with_outbox, write};
use crate::core::state::Core;
use siaga_comms::{Outgoing, Pace, Receipt, Retry, SendError, open};
use siaga_journal::Durability;
use siaga_journal::outbox::{Due, DueState};
use siaga_model::notice::{NoticeEntry, Recipient};
use siaga_model::{ChannelName, DeliveryId, NoticeId, UtcMicros};
use siaga_runner::hands::Hands;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// How often it is looked for what is due.
const TICK: Duration = Duration::from_millis(500);
/// How many texts are under way at the same time.
const AT_ONCE: usize = 16;
/// How many of one channel: one that hangs leaves room for the others.
const AT_ONCE_OF_A_CHANNEL: usize = 6;
/// The wait after the first failure; each further one is three times as long.
const FIRST_WAIT: Duration = Duration::from_secs(5);
/// The longest wait between two attempts.
const LONGEST_WAIT: Duration = Duration::from_secs(300);

type Done = (Due, Result<Receipt, SendError>);

/// What one agent has under way.
#[derive(Default)]
pub struct Flights {
    tasks: JoinSet<Done>,
    busy: BTreeMap<DeliveryId, ChannelName>,
    paces: BTreeMap<ChannelName, Pace>,
}

/// Never ends.
pub async fn send(core: Arc<Core>) {
    if core.config.downtime.channels.is_empty() {
        return;
    }
    let mut flights = Flights::default();
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            Some(done) = flights.tasks.join_next(), if !flights.tasks.is_empty() => {
                flights.landed(&core, done.ok());
            }
            _ = ticks.tick() => {
                if sender(&core).as_ref() == Some(&core.me) {
                    step(&core, &mut flights);
                }
            }
        }
    }
}

/// One look: releases that nobody gave, alerts that go on, texts that are due.
pub fn step(core: &Arc<Core>, flights: &mut Flights) {
    let now = core.hands.now();
    let site = &core.config.downtime;
    let looked = with_outbox(core, |outbox| {
        (
            outbox.unreleased(site, now),
            outbox.next_rounds(site, now),
            outbox.deliveries(site, now),
        )
    });
    let (late, rounds, dues) = match looked {
        Ok(looked) => looked,
        Err(error) => return tracing::error!(%error, "the notices could not be read"),
    };
    let mut rows: Vec<(NoticeId, NoticeEntry)> = late
        .into_iter()
        .map(|notice| (notice, NoticeEntry::Released { bypass: true }))
        .collect();
    rows.extend(rounds.into_iter().map(|next| {
        let row = NoticeEntry::Alert {
            incident: next.incident,
            cause: next.cause,
            text: next.text,
            round: next.round,
            to: next.to,
        };
        (next.notice, row)
    }));
    rows.extend(
        dues.iter()
            .filter(|d| d.state == DueState::Stale)
            .map(|due| {
                let why = "not sent in time: what it says may not be so any more".to_owned();
                (due.notice.clone(), failed(due, why, None))
            }),
    );
    let begun = flights.begin(core, dues);
    rows.extend(begun.iter().map(|due| {
        let row = NoticeEntry::Trying {
            delivery: due.delivery.clone(),
            attempt: due.attempts,
        };
        (due.notice.clone(), row)
    }));
    if rows.is_empty() {
        return;
    }
    // Without its row no attempt begins.
    if let Err(error) = write(core, &core.agent_actor(), rows, Durability::Sync) {
        return tracing::error!(%error, "nothing is sent: the log could not be written");
    }
    for due in begun {
        flights.take_off(core, due);
    }
}

impl Flights {
    /// What may begin now, each with the number of its attempt. Alerts don't wait behind notices to many units.
    fn begin(&mut self, core: &Core, mut dues: Vec<Due>) -> Vec<Due> {
        let room = AT_ONCE.saturating_sub(self.busy.len());
        let mut begun: Vec<Due> = Vec::new();
        dues.retain(|d| d.state == DueState::Now);
        dues.sort_by_key(|d| matches!(d.to, Recipient::Unit(_)));
        for mut due in dues {
            if begun.len() == room {
                break;
            }
            let under_way = self.busy.values().filter(|c| **c == due.channel).count();
            let beginning = begun.iter().filter(|b| b.channel == due.channel).count();
            if under_way + beginning >= AT_ONCE_OF_A_CHANNEL {
                continue;
            }
            let Some(channel) = core.config.downtime.channel(&due.channel) else {
                continue;
            };
            let pace = self.paces.entry(due.channel.clone()).or_default();
            let wait = pace.wait(&channel.kind, &due.address, Instant::now());
            if !wait.is_zero() || self.busy.contains_key(&due.delivery) {
                continue;
            }
            pace.sent(&due.address, Instant::now());
            due.attempts = due.attempts.saturating_add(1);
            begun.push(due);
        }
        begun
    }

    fn take_off(&mut self, core: &Core, due: Due) {
        let channel = core.config.downtime.channel(&due.channel).and_then(open);
        let Some(channel) = channel else { return };
        self.busy.insert(due.delivery.clone(), due.channel.clone());
        let out = Outgoing {
            delivery: due.delivery.clone(),
            notice: due.notice.clone(),
            address: due.address.clone(),
            contact: due.contact.clone(),
            to: due.title.clone(),
            kind: due.kind.clone(),
            text: super::by_unit::with_its_link(core, &due),
        };
        self.tasks.spawn_blocking(move || (due, channel.send(&out)));
    }

    /// Writes down what came of one. An attempt that broke off stays without an outcome, and is made again.
    fn landed(&mut self, core: &Core, done: Option<Done>) {
        let Some((due, result)) = done else {
            // It is not known which one broke off. Each has its row, and is looked at by that.
            self.busy.clear();
            return;
        };
        let row = outcome(&due, result, core.hands.now());
        let rows = vec![(due.notice.clone(), row)];
        if let Err(error) = write(core, &core.agent_actor(), rows, Durability::Lazy) {
            tracing::error!(%error, "the log could not be written: this text may be sent again");
        }
        self.busy.remove(&due.delivery);
    }

    /// Waits until nothing is under way any more. For tests.
    pub async fn settle(&mut self, core: &Core) {
        while let Some(done) = self.tasks.join_next().await {
            self.landed(core, done.ok());
        }
    }
}

fn outcome(due: &Due, result: Result<Receipt, SendError>, now: UtcMicros) -> NoticeEntry {
    match result {
        Ok(Receipt(receipt)) => NoticeEntry::Sent {
            delivery: due.delivery.clone(),
            to: due.to.clone(),
            channel: due.channel.clone(),
            receipt,
        },
        Err(error) => {
            let wait = match error.retry {
                Retry::Never => None,
                Retry::After(wait) => Some(wait),
                Retry::Backoff => Some(backoff(due.attempts)),
            };
            let next = wait.map(|w| plus(now, w)).filter(|at| *at < due.until);
            failed(due, error.why, next)
        }
    }
}

fn failed(due: &Due, why: String, next_at: Option<UtcMicros>) -> NoticeEntry {
    NoticeEntry::Failed {
        delivery: due.delivery.clone(),
        to: due.to.clone(),
        channel: due.channel.clone(),
        why,
        next_at,
    }
}

/// The wait after so many attempts.
fn backoff(attempts: u32) -> Duration {
    let factor = 3u32.saturating_pow(attempts.saturating_sub(1));
    FIRST_WAIT.saturating_mul(factor).min(LONGEST_WAIT)
}

fn plus(at: UtcMicros, wait: Duration) -> UtcMicros {
    let wait = i64::try_from(wait.as_micros()).unwrap_or(i64::MAX);
    UtcMicros(at.0.saturating_add(wait))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_get_rarer_up_to_five_minutes() {
        let waits: Vec<u64> = (1..=6).map(|n| backoff(n).as_secs()).collect();
        assert_eq!(waits, [5, 15, 45, 135, 300, 300]);
        assert_eq!(backoff(u32::MAX), LONGEST_WAIT);
    }
}
