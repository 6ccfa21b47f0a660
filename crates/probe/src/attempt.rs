//! Tries until one attempt succeeds, without letting one that hangs hold up the next.
//!
//! After a power cut an open connection hangs, and a lost SYN is repeated only after a second: so while an attempt
//! has no answer, others are begun beside it on fresh connections, and the first success counts.

use futures_util::stream::{FuturesUnordered, StreamExt};
use std::fmt;
use std::future::Future;
use std::time::{Duration, Instant};

/// How close attempts follow each other: all their pauses are parts of it. Who asks rarely needs no finer answer, and a
/// slow server is not to be crowded by who only wants to know whether it answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pace(Duration);

impl Pace {
    /// The closest there is.
    pub const FINE: Pace = Pace(Duration::from_millis(50));

    /// Of somebody who asks once in an `interval`.
    pub fn of(interval: Duration) -> Self {
        Self((interval / 2).max(Self::FINE.0))
    }

    /// An attempt without an answer for this long gets another one beside it; doubled each time, so that a database
    /// that is only slow isn't flooded.
    fn patience(self) -> Duration {
        self.0
    }

    /// The same once an attempt has failed: then the end of the outage is to be seen quickly.
    fn patience_failing(self) -> Duration {
        self.0 * 2 / 5
    }

    /// Between a failure and the next attempt.
    fn retry(self) -> Duration {
        self.0 / 10
    }

    /// The same while the database is starting or stopping: it makes a process for each attempt only to refuse it, out
    /// of the very time that it needs. So the pause is what the refusal took, within bounds: a slow machine is asked less
    /// often, a fast one is measured finely.
    fn retry_starting(self, took: Duration) -> Duration {
        took.clamp(self.0 * 2 / 5, self.0 * 2)
    }

    /// An attempt takes no longer at first.
    fn longest(self) -> Duration {
        LONGEST.max(self.0 * 4)
    }
}

/// An attempt takes no longer at first, at the closest pace.
const LONGEST: Duration = Duration::from_secs(1);
/// And never longer than this.
const LONGEST_SLOW: Duration = Duration::from_secs(60);
const AT_ONCE: usize = 8;
/// The same once a server took connections and did not answer on them: each that is given up leaves it a process that
/// waits for a disk or still has to be started, and enough of these lock everybody out.
const AT_ONCE_SLOW: usize = 2;

/// Why an attempt failed, for people.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    said: String,
    starting: bool,
}

impl Failure {
    /// It failed, for this reason.
    pub fn new(said: impl Into<String>) -> Self {
        Self {
            said: said.into(),
            starting: false,
        }
    }

    /// The database is there, and is starting or stopping.
    pub fn starting(said: impl Into<String>) -> Self {
        Self {
            said: said.into(),
            starting: true,
        }
    }

    /// How long to wait with the next attempt, after one that took so long.
    fn pause(&self, pace: Pace, took: Duration) -> Duration {
        match self.starting {
            true => pace.retry_starting(took),
            false => pace.retry(),
        }
    }

    /// How long the next attempt is left alone: a server that took its time to refuse takes it again.
    fn patience(&self, pace: Pace, took: Duration) -> Duration {
        match self.starting {
            true => pace.retry_starting(took) * 2,
            false => pace.patience_failing(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.said)
    }
}

/// One kind of attempt.
pub trait Attempts: Sync {
    /// A connection that can serve the next attempt too.
    type Session: Send;

    /// One attempt: on the session of the last one, or on a fresh connection.
    fn attempt(
        &self,
        old: Option<Self::Session>,
    ) -> impl Future<Output = Result<Self::Session, Failure>> + Send;

    /// Told of every failure as it is known.
    fn failed(&self, began: Instant, why: &Failure);

    /// How close attempts follow each other.
    fn pace(&self) -> Pace {
        Pace::FINE
    }
}

/// Returns the session of the first attempt that succeeds.
pub async fn until_success<A: Attempts>(on: &A, old: Option<A::Session>) -> A::Session {
    let bounded = async |old: Option<A::Session>, pause: Duration, longest: Duration| {
        tokio::time::sleep(pause).await;
        let began = Instant::now();
        let fresh = old.is_none();
        match tokio::time::timeout(longest, on.attempt(old)).await {
            Ok(result) => (began, result, None),
            Err(_) => {
                let said = format!("no answer within {} ms", longest.as_millis());
                // Connecting has a shorter bound of its own: whoever let a fresh attempt hang had taken the connection.
                (began, Err(Failure::new(said)), fresh.then_some(longest))
            }
        }
    };
    let pace = on.pace();
    let mut longest = pace.longest();
    let mut at_once = AT_ONCE;
    let mut running = FuturesUnordered::new();
    running.push(bounded(old, Duration::ZERO, longest));
    let mut patience = pace.patience();
    let mut failing = false;
    loop {
        let next = tokio::time::timeout(patience, running.next()).await;
        match next {
            Ok(Some((_, Ok(session), _))) => return session,
            Ok(Some((began, Err(why), hung))) => {
                on.failed(began, &why);
                failing = true;
                if let Some(for_as_long) = hung {
                    longest = longest.max(for_as_long * 2).min(LONGEST_SLOW);
                    at_once = AT_ONCE_SLOW;
                }
                let took = began.elapsed();
                let pause = why.pause(pace, took);
                patience = pause + why.patience(pace, took);
                // One at a time while it is starting.
                if running.is_empty() || (running.len() < 2 && !why.starting) {
                    running.push(bounded(None, pause, longest));
                }
            }
            Ok(None) => running.push(bounded(None, pace.retry(), longest)),
            Err(_) => {
                if running.len() < at_once {
                    running.push(bounded(None, Duration::ZERO, longest));
                }
                if !failing {
                    patience *= 2;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    struct Scripted {
        begun: AtomicUsize,
        failures: AtomicUsize,
        hang: usize,
        fail: usize,
        /// Its failures are those of a database that is starting.
        starting: bool,
    }

    impl Attempts for Scripted {
        type Session = usize;
        async fn attempt(&self, _: Option<usize>) -> Result<usize, Failure> {
            let i = self.begun.fetch_add(1, Ordering::SeqCst);
            if i < self.hang {
                std::future::pending::<()>().await;
            }
            if i - self.hang < self.fail {
                Err(match self.starting {
                    true => Failure::starting("not yet"),
                    false => Failure::new("no"),
                })
            } else {
                Ok(i)
            }
        }
        fn failed(&self, _: Instant, _: &Failure) {
            self.failures.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[tokio::test]
    async fn an_attempt_that_hangs_does_not_hold_up_the_next() {
        let on = Scripted {
            begun: AtomicUsize::new(0),
            failures: AtomicUsize::new(0),
            hang: 3,
            fail: 4,
            starting: false,
        };
        let began = Instant::now();
        assert_eq!(until_success(&on, Some(0)).await, 7);
        assert!(began.elapsed() < LONGEST, "{:?}", began.elapsed());
        assert_eq!(on.failures.load(Ordering::SeqCst), 4);
    }

    /// It takes every connection and answers on none, as with a disk that hangs.
    #[tokio::test]
    async fn a_server_that_hangs_is_not_filled_up_with_connections() {
        let on = Scripted {
            begun: AtomicUsize::new(0),
            failures: AtomicUsize::new(0),
            hang: usize::MAX,
            fail: 0,
            starting: false,
        };
        let at_work = until_success(&on, None);
        let _ = tokio::time::timeout(LONGEST * 8, at_work).await;
        // Those of the first second, and two at a time in the 1, 2 and 4 seconds after it.
        let begun = on.begun.load(Ordering::SeqCst);
        assert!(begun <= AT_ONCE + 3 * 2, "{begun}");
    }

    #[test]
    fn who_asks_rarely_has_patience() {
        assert_eq!(Pace::of(Duration::from_millis(20)), Pace::FINE);
        let slow = Pace::of(Duration::from_secs(2));
        assert_eq!(slow.patience(), Duration::from_secs(1));
        assert_eq!(slow.retry(), Duration::from_millis(100));
        assert_eq!(slow.longest(), Duration::from_secs(4));
    }

    #[test]
    fn the_pause_after_a_refusal_is_what_it_took() {
        let pause = |ms| Failure::starting("not yet").pause(Pace::FINE, Duration::from_millis(ms));
        assert_eq!(pause(1), Duration::from_millis(20));
        assert_eq!(pause(40), Duration::from_millis(40));
        assert_eq!(pause(900), Duration::from_millis(100));
        // Where nothing listens, nobody is kept from work.
        let nobody = Failure::new("refused").pause(Pace::FINE, Duration::from_millis(40));
        assert_eq!(nobody, Duration::from_millis(5));
    }

    /// Refuses only after a while, as a starting database on a slow machine does: once that is known, no second attempt
    /// is made beside the first.
    #[tokio::test]
    async fn a_slow_refusal_gets_no_second_attempt_beside_it() {
        struct Slow {
            at_once: AtomicUsize,
            most: AtomicUsize,
            left: AtomicUsize,
        }
        impl Attempts for Slow {
            type Session = ();
            async fn attempt(&self, _: Option<()>) -> Result<(), Failure> {
                let now = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
                self.most.fetch_max(now, Ordering::SeqCst);
                // Longer than the pause and the patience where nothing is known; shorter than where it is.
                tokio::time::sleep(self.pace().patience() * 7 / 10).await;
                self.at_once.fetch_sub(1, Ordering::SeqCst);
                match self.left.fetch_sub(1, Ordering::SeqCst) {
                    0 => Ok(()),
                    _ => Err(Failure::starting("not yet")),
                }
            }
            fn failed(&self, _: Instant, _: &Failure) {}
            fn pace(&self) -> Pace {
                Pace::of(Duration::from_millis(400))
            }
        }
        let on = Slow {
            at_once: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
            left: AtomicUsize::new(3),
        };
        until_success(&on, None).await;
        assert_eq!(on.most.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_database_that_is_starting_is_not_crowded() {
        let on = Scripted {
            begun: AtomicUsize::new(0),
            failures: AtomicUsize::new(0),
            hang: 0,
            fail: 5,
            starting: true,
        };
        let began = Instant::now();
        assert_eq!(until_success(&on, None).await, 5);
        // One attempt after the other, each a pause after the refusal before.
        assert!(began.elapsed() >= 5 * Pace::FINE.retry_starting(Duration::ZERO));
        assert_eq!(on.failures.load(Ordering::SeqCst), 5);
    }
}
