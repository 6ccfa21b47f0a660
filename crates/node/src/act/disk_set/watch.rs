//! A look that takes long and is not waited for: a node that answers late looks like a silent one.

use crate::act::bounded;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

const POLL: Duration = Duration::from_millis(10);

/// What the last look found, and whether another one is under way.
pub(super) struct Watch<T> {
    every: Duration,
    last: Mutex<Option<(Instant, T)>>,
    looking: AtomicBool,
}

/// A look that is under way. Over when dropped, also where its thread could not be begun.
struct Looking<T>(Arc<Watch<T>>);

impl<T> Drop for Looking<T> {
    fn drop(&mut self) {
        self.0.looking.store(false, Ordering::Release);
    }
}

impl<T: Clone + Send + 'static> Watch<T> {
    /// One look in `every` at the most.
    pub fn new(every: Duration) -> Self {
        Self {
            every,
            last: Mutex::new(None),
            looking: AtomicBool::new(false),
        }
    }

    /// What the last look found; `None` before the first one has ended. An old one begins the next, beside: one that hangs
    /// is followed by none.
    pub fn seen(self: &Arc<Self>, look: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let old = last
            .as_ref()
            .is_none_or(|(at, _)| at.elapsed() >= self.every);
        if old && !self.looking.swap(true, Ordering::AcqRel) {
            let looking = Looking(Arc::clone(self));
            bounded::begin(move || {
                let found = look();
                let last = &looking.0.last;
                *last.lock().unwrap_or_else(PoisonError::into_inner) =
                    Some((Instant::now(), found));
            });
        }
        last.as_ref().map(|(_, found)| found.clone())
    }

    /// Waits for a look that is under way, for `within` at the most; the next one has to be due again. What is done now would
    /// find the disks in use by it.
    pub fn rest(&self, within: Duration) {
        let deadline = Instant::now() + within;
        loop {
            let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((at, _)) = last.as_mut() {
                *at = Instant::now();
            }
            drop(last);
            if !self.looking.load(Ordering::Acquire) || Instant::now() >= deadline {
                return;
            }
            std::thread::sleep(POLL);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn a_look_is_not_waited_for_and_one_that_hangs_is_followed_by_none() {
        let watch = Arc::new(Watch::new(Duration::ZERO));
        let (begun, begins) = mpsc::channel();
        let (go_on, waits) = mpsc::channel::<()>();
        let hangs = move || {
            let _ = begun.send(());
            let _ = waits.recv();
            "found"
        };
        assert_eq!(watch.seen(hangs), None);
        begins.recv().unwrap();
        let again = Arc::new(AtomicBool::new(false));
        for _ in 0..3 {
            let again = again.clone();
            let looks = move || {
                again.store(true, Ordering::Release);
                "again"
            };
            assert_eq!(watch.seen(looks), None);
        }
        go_on.send(()).unwrap();
        assert!(!again.load(Ordering::Acquire));
        // Its word stands until the next look's.
        while watch.looking.load(Ordering::Acquire) {
            std::thread::yield_now();
        }
        assert_eq!(watch.seen(|| "later"), Some("found"));
        while watch.looking.load(Ordering::Acquire) {
            std::thread::yield_now();
        }
        assert_eq!(watch.seen(|| "last"), Some("later"));
    }

    #[test]
    fn at_rest_no_look_is_under_way_and_none_begins() {
        let watch = Arc::new(Watch::new(Duration::from_secs(3600)));
        let (begun, begins) = mpsc::channel();
        let (go_on, waits) = mpsc::channel::<()>();
        watch.seen(move || {
            let _ = begun.send(());
            let _ = waits.recv();
            1
        });
        begins.recv().unwrap();
        // It is waited for only so long.
        watch.rest(Duration::ZERO);
        assert!(watch.looking.load(Ordering::Acquire));
        go_on.send(()).unwrap();
        watch.rest(Duration::from_secs(3600));
        assert!(!watch.looking.load(Ordering::Acquire));
        // One that would be due is put off.
        let long_ago = Instant::now().checked_sub(Duration::from_secs(3600));
        let set = |at| *watch.last.lock().unwrap() = at;
        set(long_ago.map(|at| (at, 2)));
        watch.rest(Duration::ZERO);
        assert_eq!(watch.seen(|| 3), long_ago.map(|_| 2));
        assert!(!watch.looking.load(Ordering::Acquire));
    }
}
