//! A look that takes long and is not waited for: a node that answers late looks like a silent one.

use crate::act::bounded;
use siaga_model::Why;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What the last look found, and whether another one is under way.
pub(super) struct Watch {
    every: Duration,
    last: Mutex<LastLook>,
    looking: AtomicBool,
}

#[derive(Default)]
struct LastLook {
    at: Option<Instant>,
    found: Option<Why>,
}

/// A look that is under way. Over when dropped, also where its thread could not be begun.
struct Looking(Arc<Watch>);

impl Drop for Looking {
    fn drop(&mut self) {
        self.0.looking.store(false, Ordering::Release);
    }
}

impl Watch {
    /// One look in `every` at the most.
    pub fn new(every: Duration) -> Self {
        Self {
            every,
            last: Mutex::default(),
            looking: AtomicBool::new(false),
        }
    }

    /// What the last look found. An old one begins the next, beside: one that hangs is followed by none.
    pub fn seen(
        self: &Arc<Self>,
        look: impl FnOnce() -> Option<Why> + Send + 'static,
    ) -> Option<Why> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let old = last.at.is_none_or(|at| at.elapsed() >= self.every);
        if old && !self.looking.swap(true, Ordering::AcqRel) {
            let looking = Looking(Arc::clone(self));
            bounded::begin(move || {
                let found = look();
                let at = Some(Instant::now());
                let last = &looking.0.last;
                *last.lock().unwrap_or_else(PoisonError::into_inner) = LastLook { at, found };
            });
        }
        last.found.clone()
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
            Some(Why::system("found"))
        };
        assert_eq!(watch.seen(hangs), None);
        begins.recv().unwrap();
        let again = Arc::new(AtomicBool::new(false));
        for _ in 0..3 {
            let again = again.clone();
            let looks = move || {
                again.store(true, Ordering::Release);
                None
            };
            assert_eq!(watch.seen(looks), None);
        }
        go_on.send(()).unwrap();
        assert!(!again.load(Ordering::Acquire));
        // Its word stands until the next look's.
        while watch.looking.load(Ordering::Acquire) {
            std::thread::yield_now();
        }
        assert_eq!(watch.seen(|| None), Some(Why::system("found")));
        while watch.looking.load(Ordering::Acquire) {
            std::thread::yield_now();
        }
        assert_eq!(watch.seen(|| None), None);
    }
}
