//! What is said of the move of a data directory, in both languages.

use crate::voice::Voice;
use crate::{migrate_en as en, migrate_id as id};
use siaga_model::config::Language;
use siaga_model::migrate::{Direction, Fail, Plan, Record, Refusal, Step};
use std::path::PathBuf;

/// A text of `siaga migrate`.
#[derive(Clone, PartialEq, Debug)]
pub enum Migrate<'a> {
    /// What is going to be done.
    Plan {
        plan: &'a Plan,
    },
    /// The database is away from one step to another one.
    AwayFrom,
    AskForward {
        plan: &'a Plan,
    },
    AskBack {
        direction: Direction,
        ahead: Option<u64>,
    },
    AskGoOn,
    /// The way back looks at the new place first.
    MountsFirst {
        device: PathBuf,
        mount_point: PathBuf,
    },
    NothingDone,
    /// A device is needed to plan.
    WhereTo,
    NoJob,
    /// What is left of a job.
    Stands {
        direction: Direction,
        left: &'a [Step],
    },
    /// Said after the stop, to a person who wants the end.
    NotNow,
    StepFailed {
        step: Step,
        fail: &'a Fail,
    },
    /// Nothing was switched over.
    RunsOn,
    GoingBack,
    Interrupted,
    /// It did not work, and the database runs from the old place.
    Restored,
    /// Neither way could be ended.
    Stuck,
    Done {
        record: &'a Record,
        from: PathBuf,
        kept: PathBuf,
        to: PathBuf,
        link: bool,
    },
    Returned {
        record: &'a Record,
        from: PathBuf,
        to: PathBuf,
        untouched: bool,
    },
    /// The note in the directory that was kept.
    Note {
        from: PathBuf,
        to: PathBuf,
    },
}

/// A text in words.
pub fn migrate(voice: &Voice, text: &Migrate) -> String {
    match voice.language {
        Language::English => en::text(voice, text),
        Language::Indonesian => id::text(voice, text),
    }
}

/// What a step does.
pub fn migrate_step(voice: &Voice, step: Step) -> &'static str {
    match voice.language {
        Language::English => en::step(step),
        Language::Indonesian => id::step(step),
    }
}

/// Why a step was not done.
pub fn migrate_fail(voice: &Voice, fail: &Fail) -> String {
    match voice.language {
        Language::English => en::fail(voice, fail),
        Language::Indonesian => id::fail(voice, fail),
    }
}

/// Why it is refused, and what to do.
pub fn migrate_refusal(voice: &Voice, refusal: &Refusal) -> String {
    let said = match voice.language {
        Language::English => en::refusal(voice, refusal),
        Language::Indonesian => id::refusal(voice, refusal),
    };
    format!("{}: {said}", refusal.code())
}

/// `3.2 GiB`, `3,2 GiB`.
pub fn bytes(voice: &Voice, bytes: u64) -> String {
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    let mut unit = 0;
    let mut tenths = u128::from(bytes) * 10;
    while tenths >= 10_240 && unit + 1 < units.len() {
        tenths /= 1024;
        unit += 1;
    }
    let point = match voice.language {
        Language::English => '.',
        Language::Indonesian => ',',
    };
    match (unit, voice.language) {
        (0, Language::English) => format!("{bytes} bytes"),
        (0, Language::Indonesian) => format!("{bytes} bita"),
        _ if tenths >= 100 => format!("{} {}", tenths / 10, units[unit]),
        _ => format!("{}{point}{} {}", tenths / 10, tenths % 10, units[unit]),
    }
}

pub(crate) fn paths(paths: &[PathBuf]) -> String {
    let all: Vec<String> = paths.iter().map(|p| p.display().to_string()).collect();
    all.join(", ")
}

/// `0/3000028`, as PostgreSQL writes a place in the WAL.
pub(crate) fn lsn(at: u64) -> String {
    format!("{:X}/{:X}", at >> 32, at & 0xffff_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_said_with_a_decimal_of_the_language() {
        let (en, id) = (
            Voice::from(Language::English),
            Voice::from(Language::Indonesian),
        );
        assert_eq!(bytes(&en, 1023), "1023 bytes");
        assert_eq!(bytes(&en, 3 << 29), "1.5 GiB");
        assert_eq!(bytes(&id, 3 << 29), "1,5 GiB");
        assert_eq!(bytes(&en, 300 << 20), "300 MiB");
    }

    #[test]
    fn every_refusal_has_its_line_in_the_documentation() {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/migrate.md");
        let page = std::fs::read_to_string(page).expect("the page");
        for code in Refusal::CODES {
            assert!(page.contains(&format!("`{code}`")), "{code}");
        }
    }
}
