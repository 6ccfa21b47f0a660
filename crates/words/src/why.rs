//! Reasons, notes, progress and evidence in words.

use crate::voice::{Voice, quoted};
use crate::{notes_en, notes_id, why_en, why_id};
use siaga_model::config::Language;
use siaga_model::evidence::{Evidence, LogProblem};
use siaga_model::note::{Note, Progress};
use siaga_model::why::{Holder, Why};

/// A reason as a clause, without a full stop.
pub fn why(voice: impl Into<Voice>, reason: &Why) -> String {
    said(voice.into().language, reason)
}

/// As [`why`]; a reason that says nothing is a question mark.
pub(crate) fn said(language: Language, reason: &Why) -> String {
    quoted(&match language {
        Language::English => why_en::why(reason),
        Language::Indonesian => why_id::why(reason),
    })
}

/// What holds the disk set.
pub fn holder(voice: impl Into<Voice>, holder: &Holder) -> String {
    match voice.into().language {
        Language::English => why_en::holder(holder),
        Language::Indonesian => why_id::holder(holder),
    }
}

/// With the people's names behind it, where any are known.
pub(crate) fn with_people(said: String, label: &str, people: &[String]) -> String {
    match people {
        [] => said,
        people => format!("{said}; {label}: {}", people.join(", ")),
    }
}

/// The holders, as one clause.
pub(crate) fn holders(language: Language, by: &[Holder]) -> String {
    match language {
        Language::English => paths(by, why_en::holder),
        Language::Indonesian => paths(by, why_id::holder),
    }
}

/// `a; b`, or a dash.
pub(crate) fn paths<T>(each: &[T], say: impl Fn(&T) -> String) -> String {
    if each.is_empty() {
        return "-".to_owned();
    }
    each.iter().map(say).collect::<Vec<_>>().join("; ")
}

/// A note of a step, as a clause.
pub fn note(voice: impl Into<Voice>, note: &Note) -> String {
    let voice = voice.into();
    match voice.language {
        Language::English => notes_en::note(&voice, note),
        Language::Indonesian => notes_id::note(&voice, note),
    }
}

/// How far a step has come, in a few words.
pub fn progress(voice: impl Into<Voice>, at: &Progress) -> String {
    match voice.into().language {
        Language::English => notes_en::progress(at),
        Language::Indonesian => notes_id::progress(at),
    }
}

/// What was seen, as a clause; empty where there is nothing more to say.
pub fn evidence(voice: impl Into<Voice>, seen: &Evidence) -> String {
    let voice = voice.into();
    if seen.is_nothing() {
        return String::new();
    }
    quoted(&match voice.language {
        Language::English => notes_en::evidence(&voice, seen),
        Language::Indonesian => notes_id::evidence(&voice, seen),
    })
}

/// A problem of an event log, with its place.
pub fn log_problem(voice: impl Into<Voice>, problem: &LogProblem) -> String {
    match voice.into().language {
        Language::English => notes_en::log_problem(problem),
        Language::Indonesian => notes_id::log_problem(problem),
    }
}
