//! A look that takes long and is not waited for: a node that answers late looks like a silent one.

use crate::act::bounded;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

const POLL: Duration = Duration::from_millis(10);

/// What the last look found, and whether another one is under way.
pub struct Watch<T> {
    every: Duration,
    last: Mutex<Option<Last<T>>>,
    looking: AtomicBool,
}

struct Last<T> {
    begun: Instant,
    /// From here on the next one is due.
    at: Instant,
    found: T,
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
            .is_none_or(|last| last.at.elapsed() >= self.every);
        if old && !self.looking.swap(true, Ordering::AcqRel) {
            let looking = Looking(Arc::clone(self));
            bounded::begin(move || {
                let begun = Instant::now();
                looking.0.keep(begun, look());
            });
        }
        last.as_ref().map(|last| last.found.clone())
    }

    /// Looks now, and waits for `within` at the most. While another look is under way, and where this one takes longer, what the
    /// one before found stands: it would be "nothing" in the very moment of an order.
    pub fn look(
        self: &Arc<Self>,
        within: Duration,
        look: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        if !self.looking.swap(true, Ordering::AcqRel) {
            let looking = Looking(Arc::clone(self));
            let _ = bounded::run(within, move || {
                let begun = Instant::now();
                looking.0.keep(begun, look());
            });
        }
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.as_ref().map(|last| last.found.clone())
    }

    /// What was found is of something that is no longer there.
    pub fn forget(&self) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// What a look found that began then. One that began later is not forgotten for it: what somebody has just been told
    /// would be denied.
    pub fn keep(&self, begun: Instant, found: T) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.as_ref().is_none_or(|last| last.begun <= begun) {
            let at = Instant::now();
            *last = Some(Last { begun, at, found });
        }
    }

    /// Waits for a look that is under way, for `within` at the most; the next one has to be due again. What is done now would
    /// find the disks in use by it.
    pub fn rest(&self, within: Duration) {
        let deadline = Instant::now() + within;
        loop {
            let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(last) = last.as_mut() {
                last.at = Instant::now();
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
        let set = |at: Instant, found| {
            let begun = at;
            *watch.last.lock().unwrap() = Some(Last { begun, at, found });
        };
        set(long_ago.unwrap(), 2);
        watch.rest(Duration::ZERO);
        assert_eq!(watch.seen(|| 3), Some(2));
        assert!(!watch.looking.load(Ordering::Acquire));
    }

    #[test]
    fn what_was_seen_stands_while_a_look_takes_long() {
        const LONG: Duration = Duration::from_secs(60);
        let watch = Arc::new(Watch::new(Duration::ZERO));
        assert_eq!(watch.look(LONG, || "astray"), Some("astray"));
        let (go_on, waits) = mpsc::channel::<()>();
        let hangs = move || {
            let _ = waits.recv();
            "in order"
        };
        assert_eq!(watch.look(Duration::ZERO, hangs), Some("astray"));
        // None is begun beside it.
        let second = || panic!("a second look");
        assert_eq!(watch.look(LONG, second), Some("astray"));
        go_on.send(()).unwrap();
        while watch.looking.load(Ordering::Acquire) {
            std::thread::yield_now();
        }
        let last = || watch.last.lock().unwrap().as_ref().map(|l| l.found);
        assert_eq!(last(), Some("in order"));
        assert_eq!(watch.look(LONG, || "astray again"), Some("astray again"));
        watch.forget();
        assert_eq!(last(), None);
    }

    #[test]
    fn what_was_found_since_a_look_began_stays() {
        let watch = Arc::new(Watch::new(Duration::from_secs(3600)));
        let before = Instant::now();
        let (begun, begins) = mpsc::channel();
        let (go_on, waits) = mpsc::channel::<()>();
        watch.seen(move || {
            let _ = begun.send(());
            let _ = waits.recv();
            "as it was"
        });
        begins.recv().unwrap();
        watch.keep(Instant::now(), "as it is");
        go_on.send(()).unwrap();
        while watch.looking.load(Ordering::Acquire) {
            std::thread::yield_now();
        }
        assert_eq!(watch.seen(|| "again"), Some("as it is"));
        watch.keep(before, "as it was");
        assert_eq!(watch.seen(|| "again"), Some("as it is"));
        watch.keep(Instant::now(), "as it is now");
        assert_eq!(watch.seen(|| "again"), Some("as it is now"));
    }
}
