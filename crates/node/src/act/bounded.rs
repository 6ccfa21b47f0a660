//! System calls that can hang in the kernel, with a bound on the wait.

use std::sync::mpsc;
use std::time::Duration;

/// Runs `call` on a thread of its own and waits for it at most so long. `None`: it is still running, and goes on.
pub fn run<T: Send + 'static>(
    within: Duration,
    call: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (tell, told) = mpsc::channel();
    begin(move || drop(tell.send(call())));
    told.recv_timeout(within).ok()
}

/// Runs `call` on a thread of its own, and does not wait for it. Where no thread can be begun, it is dropped.
pub fn begin(call: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().name("bounded".into());
    drop(thread.spawn(call));
}

/// A count of calls that are in the kernel. They count as holding, since their effect may still come.
pub mod in_flight {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Is any call in flight?
    #[derive(Default)]
    pub struct Busy(Arc<AtomicUsize>);

    /// One call in flight, until dropped.
    pub struct InFlight(Arc<AtomicUsize>);

    impl Busy {
        /// True while at least one [`InFlight`] lives.
        pub fn is_busy(&self) -> bool {
            self.0.load(Ordering::SeqCst) > 0
        }
        /// Begins a call.
        pub fn enter(&self) -> InFlight {
            self.0.fetch_add(1, Ordering::SeqCst);
            InFlight(Arc::clone(&self.0))
        }
    }

    impl Drop for InFlight {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hanging_call_is_not_waited_for_and_stays_in_flight() {
        let busy = in_flight::Busy::default();
        let guard = busy.enter();
        let (go, wait) = mpsc::channel::<()>();
        let (ended, end) = mpsc::channel::<()>();
        let result = run(Duration::from_millis(20), move || {
            let _guard = guard;
            let _ = wait.recv();
            let _ended = ended;
        });
        assert!(result.is_none());
        assert!(busy.is_busy());
        drop(go);
        let _ = end.recv();
        while busy.is_busy() {
            std::thread::yield_now();
        }
        assert_eq!(run(Duration::from_secs(5), || 7), Some(7));
    }
}
