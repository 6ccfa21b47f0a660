//! How long a client gets no answer: measured by one.

use crate::act::postgres::{account, connect};
use siaga_model::config::Database;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::runtime::Handle;

/// How often it is asked, and how long an answer may take.
const EVERY: Duration = Duration::from_millis(20);
const WITHIN: Duration = Duration::from_secs(2);

/// A client that asks again and again.
pub struct Gap {
    over: Arc<AtomicBool>,
    asking: JoinHandle<Option<Duration>>,
}

impl Gap {
    /// Begins while the server answers. `None` where it can't.
    pub fn begin(rt: &Handle, server: &Database) -> Option<Self> {
        let uid = account::lookup(&server.os_user).ok()?.uid;
        let over = Arc::new(AtomicBool::new(false));
        let (rt, server, until) = (rt.clone(), server.clone(), Arc::clone(&over));
        // Before anything is stopped.
        let first = connect::answers(&rt, &server, uid, WITHIN).then(Instant::now)?;
        let ask = move || {
            ask(first, &until, || {
                connect::answers(&rt, &server, uid, WITHIN)
            })
        };
        let asking = std::thread::Builder::new().name("gap".into()).spawn(ask);
        Some(Self {
            over,
            asking: asking.ok()?,
        })
    }

    /// From the last answer before the gap to the first one after it. `None`: no gap, or no end of it, was seen.
    pub fn end(self) -> Option<Duration> {
        self.over.store(true, Ordering::SeqCst);
        self.asking.join().ok().flatten()
    }
}

/// Asks until it is over, and once more.
fn ask(mut last: Instant, over: &AtomicBool, answers: impl Fn() -> bool) -> Option<Duration> {
    let mut longest = None;
    let mut missed = false;
    loop {
        let is_over = over.load(Ordering::SeqCst);
        if answers() {
            if missed {
                longest = longest.max(Some(last.elapsed()));
            }
            (last, missed) = (Instant::now(), false);
        } else {
            missed = true;
        }
        if is_over {
            return longest.filter(|_| !missed);
        }
        std::thread::sleep(EVERY);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    /// What a client is answered, one after the other; after the last one it is over.
    fn gap(answered: &[bool]) -> Option<Duration> {
        let over = AtomicBool::new(false);
        let next = Cell::new(0);
        ask(Instant::now(), &over, || {
            let at = next.replace(next.get() + 1);
            over.store(at + 2 >= answered.len(), Ordering::SeqCst);
            answered[at]
        })
    }

    #[test]
    fn a_gap_has_a_last_answer_before_it_and_a_first_one_after_it() {
        assert!(gap(&[true, false, false, true, true]).is_some());
        assert!(gap(&[false, true]).is_some());
        assert_eq!(gap(&[true, true, true]), None, "there was none");
        assert_eq!(gap(&[true, false, false]), None, "its end was not seen");
    }
}
