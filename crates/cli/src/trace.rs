//! What the long-running verbs tell the system's log: lines on standard error, `SIAGA_LOG` sets how much.

use tracing::level_filters::LevelFilter;

/// Starts it. The times are the system log's own.
pub fn start() {
    let level = std::env::var("SIAGA_LOG")
        .ok()
        .and_then(|text| text.parse::<LevelFilter>().ok());
    let made = tracing_subscriber::fmt()
        .with_max_level(level.unwrap_or(LevelFilter::INFO))
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_target(false)
        .without_time()
        .try_init();
    // Only a second start in one process can fail, and then the first goes on.
    drop(made);
}
