//! The errors of one file, each with its line and column.

use crate::cause::Cause;
use crate::read::{Found, Place};
use crate::text;
use siaga_model::config::Language;
use std::path::{Path, PathBuf};

/// One error. `line` and `column` count from 1; both are 0 where the whole file is meant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConfigError {
    /// A stable code: `EQUAL_ADDRESSES`.
    pub code: &'static str,
    pub line: usize,
    /// In characters.
    pub column: usize,
    /// The key's place in the file: `node.fence.timeout`. Empty where no key is meant.
    pub key: String,
    pub cause: Cause,
}

impl ConfigError {
    /// What is wrong, for people.
    pub fn cause_text(&self, language: Language) -> String {
        text::cause(language, &self.cause)
    }
    /// What to do about it, for people.
    pub fn remedy_text(&self, language: Language) -> String {
        text::remedy(language, &self.cause)
    }
}

/// Every error of a file, in the order of their places.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
#[error("{}", self.render(*language))]
pub struct ConfigErrors {
    pub file: PathBuf,
    /// The site's language where it could be read, else English.
    pub language: Language,
    pub errors: Vec<ConfigError>,
}

impl ConfigErrors {
    /// All errors as text: place and key, cause, remedy.
    pub fn render(&self, language: Language) -> String {
        let mut lines = vec![text::heading(language, &self.file, self.errors.len())];
        for error in &self.errors {
            lines.push(String::new());
            lines.push(format!("{}{}", self.place(error), error.code));
            lines.push(format!("  {}", error.cause_text(language)));
            lines.push(format!("  {}", error.remedy_text(language)));
        }
        lines.join("\n")
    }

    fn place(&self, error: &ConfigError) -> String {
        let key = if error.key.is_empty() {
            String::new()
        } else {
            format!("{}: ", error.key)
        };
        match error.line {
            0 => format!("{}: {key}", self.file.display()),
            line => format!("{}:{line}:{}: {key}", self.file.display(), error.column),
        }
    }

    /// All errors as JSON, for scripts.
    pub fn to_json(&self, language: Language) -> serde_json::Value {
        let one = |e: &ConfigError| {
            serde_json::json!({
                "code": e.code, "line": e.line, "column": e.column, "key": e.key,
                "cause": e.cause_text(language), "remedy": e.remedy_text(language),
            })
        };
        serde_json::json!({
            "file": self.file.to_string_lossy(),
            "errors": self.errors.iter().map(one).collect::<Vec<_>>(),
        })
    }

    /// One error that means the whole file.
    pub(crate) fn whole_file(file: &Path, cause: Cause) -> Self {
        let error = ConfigError {
            code: cause.code(),
            line: 0,
            column: 0,
            key: String::new(),
            cause,
        };
        Self {
            file: file.to_owned(),
            language: Language::default(),
            errors: vec![error],
        }
    }

    /// Finds line and column of what was found.
    pub(crate) fn located(text: &str, language: Language, mut found: Vec<Found>) -> Self {
        found.sort_by_key(|f| f.at.start);
        let errors = found
            .into_iter()
            .map(|f| {
                let (line, column) = position(text, &f.at);
                ConfigError {
                    code: f.cause.code(),
                    line,
                    column,
                    key: f.key,
                    cause: f.cause,
                }
            })
            .collect();
        Self {
            file: PathBuf::from("siaga.toml"),
            language,
            errors,
        }
    }
}

/// Line and column of a place, from 1, in characters.
pub(crate) fn position(text: &str, at: &Place) -> (usize, usize) {
    let before = text.get(..at.start).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |i| i + 1);
    (
        before.matches('\n').count() + 1,
        before[line_start..].chars().count() + 1,
    )
}
