//! A client beside the test that writes rows without a pause, keeps every acknowledged one, and looks for them at the end.

use siaga_probe::Pace;
use siaga_probe::load::{LoadOptions, LoadResult, run};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// It writes until it is ended.
pub struct Load {
    stop: Arc<AtomicBool>,
    running: Option<JoinHandle<LoadResult>>,
}

impl Load {
    /// Begins to write through the virtual IP.
    pub(crate) fn begin(dsn: &str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let options = LoadOptions {
            pause: Duration::from_millis(50),
            pace: Pace::of(Duration::from_secs(4)),
            settle: Duration::from_secs(900),
            stop: Arc::clone(&stop),
            ..LoadOptions::new(dsn.parse().expect("an address"), 2, 86_400)
        };
        let running = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(run(options)).expect("the service is back")
        });
        Self {
            stop,
            running: Some(running),
        }
    }

    /// Ends it: every acknowledged row is there.
    #[track_caller]
    pub fn nothing_lost(mut self) -> LoadResult {
        self.stop.store(true, Ordering::Relaxed);
        let running = self.running.take().expect("not ended yet");
        let result = running.join().expect("the load ends");
        assert_eq!(result.rows_lost, 0, "{result:?}");
        assert!(result.rows_acknowledged > 10, "{result:?}");
        crate::say(&format!(
            "{} rows acknowledged, all found; {} times without service",
            result.rows_acknowledged,
            result.gaps.len()
        ));
        result
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}
