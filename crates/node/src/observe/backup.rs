//! How old the newest backup is, by the site's own program.

use crate::command;
use jiff::Timestamp;
use siaga_model::Evidence;
use siaga_model::config::BackupAge;

/// What the program says, at `now`; an error is what stands in the way of knowing, or a backup that is too old.
pub fn look(backup: &BackupAge, now: Timestamp) -> Result<Evidence, Evidence> {
    let result = command::run(&backup.run.0, None, backup.timeout);
    if !result.succeeded() {
        return Err(result.ending(result.last_line()).into());
    }
    let line = result
        .stdout
        .trim()
        .lines()
        .last()
        .unwrap_or_default()
        .trim();
    let Some(at) = time(line) else {
        let program = backup.run.0.first().cloned().unwrap_or_default();
        let said = line.chars().take(80).collect();
        return Err(Evidence::BackupNoTime { program, said });
    };
    let age = now.as_second().saturating_sub(at.as_second());
    let age = u64::try_from(age).unwrap_or(0);
    let seen = Evidence::BackupAge {
        hours: age / 3600,
        at_most_hours: backup.at_most.as_secs() / 3600,
    };
    match age <= backup.at_most.as_secs() {
        true => Ok(seen),
        false => Err(seen),
    }
}

/// RFC 3339, or seconds since 1970.
fn time(line: &str) -> Option<Timestamp> {
    match line.parse::<i64>() {
        Ok(seconds) => Timestamp::from_second(seconds).ok(),
        Err(_) => line.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use siaga_model::config::Argv;
    use std::time::Duration;

    fn said(text: &str) -> Result<Evidence, Evidence> {
        let backup = BackupAge {
            run: Argv(vec!["/usr/bin/printf".into(), "%s".into(), text.into()]),
            timeout: Duration::from_secs(10),
            at_most: Duration::from_secs(26 * 3600),
        };
        look(&backup, "2026-11-25T12:00:00Z".parse().unwrap())
    }

    fn aged(hours: u64) -> Evidence {
        let at_most_hours = 26;
        Evidence::BackupAge {
            hours,
            at_most_hours,
        }
    }

    #[test]
    fn the_last_line_tells_when() {
        assert_eq!(said("checking\n2026-11-25T02:00:00Z\n"), Ok(aged(10)));
        assert_eq!(said("2026-11-24T09:59:00+00:00"), Err(aged(26)));
        assert_eq!(said("1795600800"), Ok(aged(2)));
        // A clock that is ahead makes no backup old.
        assert_eq!(said("2026-11-25T13:00:00Z"), Ok(aged(0)));
    }

    #[test]
    fn what_is_no_time_is_not_known() {
        assert!(matches!(
            said("yesterday"),
            Err(Evidence::BackupNoTime { .. })
        ));
        assert!(matches!(said(""), Err(Evidence::BackupNoTime { .. })));
        let missing = BackupAge {
            run: Argv(vec!["/nowhere/backup-age".into()]),
            timeout: Duration::from_secs(10),
            at_most: Duration::from_secs(1),
        };
        assert!(matches!(
            look(&missing, Timestamp::UNIX_EPOCH),
            Err(Evidence::Because { .. })
        ));
    }
}
