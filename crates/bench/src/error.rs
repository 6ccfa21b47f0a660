//! Why a measurement could not be made.

use std::process::Output;

/// Any failure ends the bench: half a measurement is none.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    #[error("{what}: {source}")]
    Io {
        what: String,
        source: std::io::Error,
    },
    #[error("{command} ended with {code}: {said}")]
    Command {
        command: String,
        code: i32,
        said: String,
    },
    #[error("{0}")]
    Unexpected(String),
}

/// What the parts of the bench return.
pub type Result<T> = std::result::Result<T, BenchError>;

/// Says what was being done when the system refused it.
pub trait Doing<T> {
    /// `what` as a verb in the infinitive: "mount /srv".
    fn doing(self, what: impl Into<String>) -> Result<T>;
}

impl<T> Doing<T> for std::io::Result<T> {
    fn doing(self, what: impl Into<String>) -> Result<T> {
        self.map_err(|source| BenchError::Io {
            what: what.into(),
            source,
        })
    }
}

/// The last words of a command that failed.
pub fn failed(command: &str, output: &Output) -> BenchError {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    let text = String::from_utf8_lossy(&text);
    let said: Vec<&str> = text.lines().rev().take(6).collect();
    BenchError::Command {
        command: command.to_owned(),
        code: output.status.code().unwrap_or(-1),
        said: said.into_iter().rev().collect::<Vec<_>>().join(" | "),
    }
}

/// Shorthand.
pub fn unexpected(why: impl Into<String>) -> BenchError {
    BenchError::Unexpected(why.into())
}
