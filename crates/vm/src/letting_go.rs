//! How fast a server lets go whose registration is gone: by its own journal, and so by its own clock, which stands still while
//! the machine is frozen.

use crate::{Site, say, wait_until};
use serde_json::Value;
use std::time::Duration;

/// What `docs/disk-sets.md` says: the address at once, and the database within five seconds after it.
const PROMISED: Duration = Duration::from_secs(5);
/// An emulated machine does everything so many times slower on busy cores, and its clock goes on meanwhile. Measured: 1.0 s for all
/// of it. A real machine needs no such factor.
const EMULATION: u32 = 6;

impl Site {
    /// That server let go of everything within the promised time, from the look that found its registration gone to the word
    /// that address, database and file system are gone. How long the disk took to answer that look is not in it.
    #[track_caller]
    pub fn let_go_in_time(&self, name: &str) {
        let journal = "journalctl -q -b -u siaga -o json --output-fields=MESSAGE";
        let mut time = None;
        wait_until(&format!("{name}'s journal says that it let go"), || {
            time = took(&self.server(name).run(journal).expect(0).out);
            time.is_some()
        });
        let time = time.unwrap_or_default();
        say(&format!("{name} let go within {time:.1?} by its own clock"));
        assert!(time <= PROMISED * EMULATION, "{time:?}");
    }
}

/// From the first word that it lets go to the last that it did, a line of JSON each. `None`: it has not said both.
fn took(journal: &str) -> Option<Duration> {
    let lines: Vec<(Duration, String)> = journal.lines().filter_map(line).collect();
    let begins = |text: &str| text.contains("is gone: letting go");
    let done = |text: &str| text.contains("found") && text.contains("ReservationLost");
    let (begun, _) = lines.iter().find(|(_, text)| begins(text))?;
    lines.iter().find(|(at, text)| at >= begun && done(text))?;
    // What was not complete is tried again, and is not over before.
    let (last, _) = lines.iter().rfind(|(_, text)| begins(text) || done(text))?;
    last.checked_sub(*begun)
}

/// When it was said, since the boot, and what.
fn line(json: &str) -> Option<(Duration, String)> {
    let row: Value = serde_json::from_str(json).ok()?;
    let micros = row["__MONOTONIC_TIMESTAMP"].as_str()?.parse().ok()?;
    let text = row["MESSAGE"].as_str()?.to_owned();
    Some((Duration::from_micros(micros), text))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGINS: &str = " WARN the registration at the disk set is gone: letting go service=simrs";
    const DONE: &str = " WARN found code=ReservationLost evidence=KeyGone { cleaned: [] }";

    fn journal(lines: &[(u64, &str)]) -> String {
        let row = |(ms, text): &(u64, &str)| {
            let micros = (ms * 1000).to_string();
            serde_json::json!({ "__MONOTONIC_TIMESTAMP": micros, "MESSAGE": text }).to_string()
        };
        lines.iter().map(row).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn it_takes_from_the_first_word_to_the_last() {
        let lines = [(900, " INFO ready"), (1000, BEGINS), (2500, DONE)];
        assert_eq!(took(&journal(&lines)), Some(Duration::from_millis(1500)));
        assert_eq!(took(&journal(&lines[..2])), None, "it is still at it");
        // Another finding, and one of an earlier time.
        let other = " WARN found code=AddressConflict evidence=Nothing";
        assert_eq!(took(&journal(&[(1000, BEGINS), (1100, other)])), None);
        assert_eq!(took(&journal(&[(900, DONE), (1000, BEGINS)])), None);
        let again = [(1000, BEGINS), (2500, DONE), (3000, BEGINS)];
        assert_eq!(took(&journal(&again)), Some(Duration::from_secs(2)));
        assert_eq!(took("-- no entries --"), None);
    }
}
