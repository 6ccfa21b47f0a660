//! The help of the command line. Its English is in the command line's own source; what it is in Indonesian is said
//! here, by that English text.

use crate::help_downtime_id::DOWNTIME;
use crate::help_id::{LAB, SECTIONS, VALUES, VERBS};
use crate::help_keys_id::KEYS;
use crate::help_notices_id::NOTICES;
use crate::help_reports_id::REPORTS;
use siaga_model::config::Language;

/// A word that stands in every page of the help.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HelpWord {
    Usage,
    Commands,
    /// What stands for a verb.
    Command,
    Arguments,
    Options,
    /// What stands for options.
    SomeOptions,
    Default,
    Values,
}

/// A text of the help: a paragraph, the help of an argument or of a value, a line of the examples. `None`: nobody said
/// it in that language yet.
pub fn help(language: Language, english: &str) -> Option<&str> {
    match language {
        Language::English => Some(english),
        Language::Indonesian => find(VERBS, english)
            .or_else(|| find(DOWNTIME, english))
            .or_else(|| find(NOTICES, english))
            .or_else(|| find(REPORTS, english))
            .or_else(|| find(KEYS, english))
            .or_else(|| find(LAB, english)),
    }
}

/// What stands for a value: `<NODE>`.
pub fn value_name(language: Language, english: &str) -> Option<&'static str> {
    let english = VALUES.iter().find(|(en, _)| *en == english)?;
    Some(match language {
        Language::English => english.0,
        Language::Indonesian => english.1,
    })
}

/// A heading of a man page.
pub fn man_section(language: Language, english: &str) -> Option<&str> {
    match language {
        Language::English => Some(english),
        Language::Indonesian => find(SECTIONS, english),
    }
}

/// Every English text that has a translation.
pub fn help_texts() -> impl Iterator<Item = &'static str> {
    let downtime = DOWNTIME.iter().chain(NOTICES).chain(REPORTS).chain(KEYS);
    let all = VERBS.iter().chain(downtime).chain(LAB);
    all.map(|(english, _)| *english)
}

/// Every name of a value that has a translation.
pub fn value_names() -> impl Iterator<Item = &'static str> {
    VALUES.iter().map(|(english, _)| *english)
}

/// A fixed word.
pub fn help_word(language: Language, word: HelpWord) -> &'static str {
    match language {
        Language::English => match word {
            HelpWord::Usage => "Usage",
            HelpWord::Commands => "Commands",
            HelpWord::Command => "COMMAND",
            HelpWord::Arguments => "Arguments",
            HelpWord::Options => "Options",
            HelpWord::SomeOptions => "OPTIONS",
            HelpWord::Default => "default",
            HelpWord::Values => "possible values",
        },
        Language::Indonesian => match word {
            HelpWord::Usage => "Pemakaian",
            HelpWord::Commands => "Perintah",
            HelpWord::Command => "PERINTAH",
            HelpWord::Arguments => "Argumen",
            HelpWord::Options => "Opsi",
            HelpWord::SomeOptions => "OPSI",
            HelpWord::Default => "bawaan",
            HelpWord::Values => "pilihan",
        },
    }
}

fn find(table: &'static [(&str, &str)], english: &str) -> Option<&'static str> {
    table
        .iter()
        .find(|(en, _)| *en == english)
        .map(|(_, said)| *said)
}
