//! The lab's failpoints. Outside the lab the file is never there.

use std::time::Duration;

/// The lab's way to kill an agent at an exact place: a line `before:stop_database` in this file. Only root can write
/// there, and only the lab does; the file is used up before the agent dies.
const LAB_CRASH: &str = "/run/siaga/lab-crash";

/// Dies here if the lab asks for it (`before:take`, `in:take`, `after:take`), or falls asleep (`pause:take`: before).
pub fn crash(when: &str, action: &str) {
    use rustix::process::{Signal, getpid, kill_process};
    let Ok(line) = std::fs::read_to_string(LAB_CRASH) else {
        return;
    };
    let signal = match line.trim().split_once(':') {
        Some((asked, at)) if asked == when && at == action => Signal::KILL,
        Some(("pause", at)) if when == "before" && at == action => Signal::STOP,
        _ => return,
    };
    let _ = std::fs::remove_file(LAB_CRASH);
    let _ = kill_process(getpid(), signal);
}

/// Kills the agent within an act, where the lab asks for it: shortly after its begin, at its end at the latest.
pub struct CrashIn(Option<&'static str>);

impl CrashIn {
    /// Arms it if the lab asks for `in:ACTION`.
    pub fn arm(action: &'static str) -> Self {
        let Ok(line) = std::fs::read_to_string(LAB_CRASH) else {
            return Self(None);
        };
        if line.trim() != format!("in:{action}") {
            return Self(None);
        }
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(2));
            crash("in", action);
        });
        Self(Some(action))
    }
}

impl Drop for CrashIn {
    fn drop(&mut self) {
        if let Some(action) = self.0 {
            crash("in", action);
        }
    }
}
