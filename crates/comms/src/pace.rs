//! How fast a channel may be used: what the services say of themselves, so that nobody has to be told twice.

use siaga_model::downtime::ChannelKind;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// In one minute to one chat: the bot API's limit for groups.
const PER_CHAT: usize = 20;
/// In one second over all chats of a bot.
const PER_SECOND: usize = 30;
const MINUTE: Duration = Duration::from_secs(60);
const SECOND: Duration = Duration::from_secs(1);

/// What was sent through one channel in the last minute.
#[derive(Clone, Debug, Default)]
pub struct Pace {
    sent: VecDeque<(Instant, String)>,
}

impl Pace {
    /// How long the next text to `address` has to wait. Only the bot API has such limits.
    pub fn wait(&mut self, kind: &ChannelKind, address: &str, now: Instant) -> Duration {
        if !matches!(kind, ChannelKind::Telegram { .. }) {
            return Duration::ZERO;
        }
        while self
            .sent
            .front()
            .is_some_and(|(at, _)| now.saturating_duration_since(*at) >= MINUTE)
        {
            self.sent.pop_front();
        }
        let chat: Vec<Instant> = self
            .sent
            .iter()
            .filter(|(_, to)| to == address)
            .map(|(at, _)| *at)
            .collect();
        let all: Vec<Instant> = self.sent.iter().map(|(at, _)| *at).collect();
        until(&chat, PER_CHAT, MINUTE, now).max(until(&all, PER_SECOND, SECOND, now))
    }

    /// A text goes to `address` now.
    pub fn sent(&mut self, address: &str, now: Instant) {
        self.sent.push_back((now, address.to_owned()));
    }
}

/// How long until fewer than `most` of `times` lie in the last `span`.
fn until(times: &[Instant], most: usize, span: Duration, now: Instant) -> Duration {
    let Some(oldest) = times.len().checked_sub(most).and_then(|i| times.get(i)) else {
        return Duration::ZERO;
    };
    (*oldest + span).saturating_duration_since(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn telegram() -> ChannelKind {
        ChannelKind::Telegram {
            api: String::new(),
            token_file: "/x".into(),
            ca_file: None,
            buttons: false,
        }
    }

    #[test]
    fn a_chat_gets_twenty_in_a_minute() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        for n in 0..20u64 {
            let now = start + Duration::from_secs(n);
            assert_eq!(pace.wait(&telegram(), "1", now), Duration::ZERO);
            pace.sent("1", now);
        }
        let now = start + Duration::from_secs(20);
        assert_eq!(pace.wait(&telegram(), "1", now), Duration::from_secs(40));
        assert_eq!(pace.wait(&telegram(), "2", now), Duration::ZERO);
        assert_eq!(pace.wait(&ChannelKind::ByHand, "1", now), Duration::ZERO);
        let later = start + Duration::from_secs(60);
        assert_eq!(pace.wait(&telegram(), "1", later), Duration::ZERO);
    }

    #[test]
    fn a_bot_sends_thirty_in_a_second() {
        let (mut pace, now) = (Pace::default(), Instant::now());
        for n in 0..30 {
            pace.sent(&n.to_string(), now);
        }
        assert_eq!(pace.wait(&telegram(), "new", now), SECOND);
        assert_eq!(pace.wait(&telegram(), "new", now + SECOND), Duration::ZERO);
    }
}
