//! What clap says instead of running a verb: help, the version, or what is wrong with the command line.

use crate::exit::Exit;
use crate::term::{Term, out};
use clap::Error;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use siaga_model::config::Language;
use siaga_words::{HelpWord, UsageError, UsageNote, help, help_word, usage_error, usage_note};
use std::error::Error as _;

/// Prints it. A closed stream is no reason for another exit code.
pub fn report(error: &Error, language: Language) -> Exit {
    match (language, error.use_stderr()) {
        (Language::English, _) => {
            let _ = error.print();
        }
        (Language::Indonesian, false) => {
            out(page(error, Term::look().colour_out).trim_end());
        }
        (Language::Indonesian, true) => {
            eprintln!("{}", said(error, language).trim_end());
        }
    }
    match error.use_stderr() {
        true => Exit::Usage,
        false => Exit::Done,
    }
}

/// A page of help.
fn page(error: &Error, colour: bool) -> String {
    let page = error.render();
    match colour {
        true => page.ansi().to_string(),
        false => page.to_string(),
    }
}

fn said(error: &Error, language: Language) -> String {
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return page(error, Term::look().colour_err);
    }
    let mut parts = vec![format!(
        "{} {}",
        usage_note(language, &UsageNote::Error),
        usage_error(language, &what(error, language))
    )];
    let names: Vec<String> = [
        ContextKind::SuggestedSubcommand,
        ContextKind::SuggestedArg,
        ContextKind::SuggestedValue,
    ]
    .into_iter()
    .flat_map(|kind| texts(error, kind))
    .collect();
    if !names.is_empty() {
        parts.push(usage_note(language, &UsageNote::Meant { names }));
    }
    if let Some(ContextValue::StyledStr(usage)) = error.get(ContextKind::Usage) {
        let usage = usage.to_string();
        let usage = usage.trim_start_matches("Usage:").trim();
        parts.push(format!("{}: {usage}", help_word(language, HelpWord::Usage)));
    }
    parts.push(usage_note(
        language,
        &UsageNote::More {
            flag: "--help".into(),
        },
    ));
    parts.join("\n\n")
}

fn texts(error: &Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => vec![text.clone()],
        Some(ContextValue::Strings(texts)) => texts.clone(),
        _ => Vec::new(),
    }
}

fn what(error: &Error, language: Language) -> UsageError {
    let one = |kind| texts(error, kind).into_iter().next().unwrap_or_default();
    let argument = || one(ContextKind::InvalidArg);
    let value = || one(ContextKind::InvalidValue);
    let values = || texts(error, ContextKind::ValidValue);
    match error.kind() {
        ErrorKind::ArgumentConflict => {
            let argument = argument();
            let mut with = texts(error, ContextKind::PriorArg);
            with.retain(|other| *other != argument);
            UsageError::Conflict { argument, with }
        }
        ErrorKind::NoEquals => UsageError::NoEquals {
            argument: argument(),
        },
        ErrorKind::InvalidValue if value().is_empty() => UsageError::NoValue {
            argument: argument(),
            values: values(),
        },
        ErrorKind::InvalidValue => UsageError::InvalidValue {
            value: value(),
            argument: argument(),
            values: values(),
        },
        ErrorKind::ValueValidation => UsageError::BadValue {
            value: value(),
            argument: argument(),
            why: why(error, language),
        },
        ErrorKind::TooManyValues => UsageError::TooManyValues {
            value: value(),
            argument: argument(),
        },
        ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => UsageError::WrongNumber {
            argument: argument(),
        },
        ErrorKind::UnknownArgument => UsageError::UnknownArgument {
            argument: argument(),
        },
        ErrorKind::InvalidSubcommand => UsageError::UnknownVerb {
            verb: one(ContextKind::InvalidSubcommand),
        },
        ErrorKind::MissingRequiredArgument => UsageError::MissingArguments {
            arguments: texts(error, ContextKind::InvalidArg),
        },
        ErrorKind::MissingSubcommand => UsageError::MissingVerb {
            command: one(ContextKind::InvalidSubcommand),
            verbs: texts(error, ContextKind::ValidSubcommand),
        },
        ErrorKind::InvalidUtf8 => UsageError::NotText,
        _ => UsageError::Other {
            said: error.to_string(),
        },
    }
}

/// What reads a value says why it can't be one.
fn why(error: &Error, language: Language) -> String {
    let english = error.source().map(ToString::to_string).unwrap_or_default();
    help(language, &english).unwrap_or(&english).to_owned()
}
