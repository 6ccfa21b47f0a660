//! Tries until one attempt succeeds, without letting one that hangs hold up the next.
//!
//! After a power cut an open connection hangs, and a lost SYN is repeated only after a second: so while an attempt
//! has no answer, others are begun beside it on fresh connections, and the first success counts.

use futures_util::stream::{FuturesUnordered, StreamExt};
use std::fmt;
use std::future::Future;
use std::time::{Duration, Instant};

/// An attempt without an answer for this long gets another one beside it; doubled each time, so that a database
/// that is only slow isn't flooded.
const PATIENCE: Duration = Duration::from_millis(50);
/// The same once an attempt has failed: then the end of the outage is to be seen quickly.
const PATIENCE_FAILING: Duration = Duration::from_millis(20);
/// Between a failure and the next attempt.
const RETRY: Duration = Duration::from_millis(5);
/// The same while the database is starting: it makes a process for each attempt only to refuse it, out of the very time
/// that it needs to start.
const RETRY_STARTING: Duration = Duration::from_millis(20);
/// No attempt takes longer.
const LONGEST: Duration = Duration::from_secs(1);
const AT_ONCE: usize = 8;

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

    /// The database is there, and is starting.
    pub fn starting(said: impl Into<String>) -> Self {
        Self {
            said: said.into(),
            starting: true,
        }
    }

    /// How long to wait with the next attempt.
    fn pause(&self) -> Duration {
        match self.starting {
            true => RETRY_STARTING,
            false => RETRY,
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
}

/// Returns the session of the first attempt that succeeds.
pub async fn until_success<A: Attempts>(on: &A, old: Option<A::Session>) -> A::Session {
    let bounded = async |old, pause: Duration| {
        tokio::time::sleep(pause).await;
        let began = Instant::now();
        let result = match tokio::time::timeout(LONGEST, on.attempt(old)).await {
            Ok(result) => result,
            Err(_) => Err(Failure::new(format!(
                "no answer within {} ms",
                LONGEST.as_millis()
            ))),
        };
        (began, result)
    };
    let mut running = FuturesUnordered::new();
    running.push(bounded(old, Duration::ZERO));
    let mut patience = PATIENCE;
    let mut failing = false;
    loop {
        let next = tokio::time::timeout(patience, running.next()).await;
        match next {
            Ok(Some((_, Ok(session)))) => return session,
            Ok(Some((began, Err(why)))) => {
                on.failed(began, &why);
                failing = true;
                patience = PATIENCE_FAILING + why.pause();
                // One at a time while it is starting.
                if running.is_empty() || (running.len() < 2 && !why.starting) {
                    running.push(bounded(None, why.pause()));
                }
            }
            Ok(None) => running.push(bounded(None, RETRY)),
            Err(_) => {
                if running.len() < AT_ONCE {
                    running.push(bounded(None, Duration::ZERO));
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
            if i < self.hang + self.fail {
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
        assert!(began.elapsed() >= 5 * RETRY_STARTING);
        assert_eq!(on.failures.load(Ordering::SeqCst), 5);
    }
}
