//! Why a verb could not do its work, said on standard error with the next thing to do.

use crate::client::CallError;
use crate::exit::Exit;
use siaga_model::RunId;
use siaga_model::config::Language;
use siaga_words::{Screen, screen};

/// What ends a verb early.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The agent was not asked, or did not answer, or answered with an error.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The command line asks for something that can't be.
    #[error("{0}")]
    Usage(String),
    /// The agent does not have what is asked for; nothing was changed.
    #[error("{0}")]
    Refused(String),
    /// Ctrl-C, or an agent that went away, while this run goes on.
    #[error("run {run} goes on")]
    RunGoesOn { run: RunId, why: CallError },
    /// The agent that carried out this run was restarted: the run rests where it was.
    #[error("run {run} was interrupted")]
    RunInterrupted { run: RunId },
    /// Work on this machine failed; the text says what and why.
    #[error("{0}")]
    Local(String),
}

impl Fault {
    /// The exit code.
    pub fn exit(&self) -> Exit {
        match self {
            Fault::Call(error) | Fault::RunGoesOn { why: error, .. } => Exit::of_call(error),
            Fault::Usage(_) => Exit::Usage,
            Fault::Refused(_) => Exit::Refused,
            Fault::RunInterrupted { .. } => Exit::Stuck,
            Fault::Local(_) => Exit::Failed,
        }
    }

    /// The text for the person. Where no agent answers the site's language is not known: both are spoken.
    pub fn render(&self, language: Language) -> String {
        match self {
            Fault::Call(error) => call(language, error),
            Fault::Usage(text) | Fault::Refused(text) | Fault::Local(text) => text.clone(),
            Fault::RunGoesOn {
                run,
                why: CallError::Interrupted,
            } => screen(language, &Screen::WatchStopped { run: run.clone() }),
            Fault::RunInterrupted { run } => {
                screen(language, &Screen::RunInterrupted { run: run.clone() })
            }
            Fault::RunGoesOn { run, why } => {
                let lost = screen(language, &Screen::WatchLost { run: run.clone() });
                format!("{}\n{lost}", call(language, why))
            }
        }
    }
}

fn call(language: Language, error: &CallError) -> String {
    let both = |make: &dyn Fn() -> Screen| {
        let other = match language {
            Language::English => Language::Indonesian,
            Language::Indonesian => Language::English,
        };
        format!(
            "{}\n\n{}",
            screen(language, &make()),
            screen(other, &make())
        )
    };
    match error {
        CallError::NotReachable { socket, source } => both(&|| Screen::AgentNotReachable {
            socket: socket.clone(),
            why: source.to_string(),
        }),
        CallError::NotPermitted { socket } => both(&|| Screen::SocketNotPermitted {
            socket: socket.clone(),
        }),
        CallError::Silent { why } => both(&|| Screen::AgentSilent { why: why.clone() }),
        CallError::Api { error, .. } => screen(
            language,
            &Screen::ApiError {
                code: error.code.clone(),
                message: match &error.problem {
                    Some(problem) => siaga_words::api_problem(language, problem),
                    None => error.message.clone(),
                },
            },
        ),
        CallError::Malformed { why } => {
            screen(language, &Screen::AnswerNotUnderstood { why: why.clone() })
        }
        CallError::Local { .. } => error.to_string(),
        CallError::Interrupted => screen(language, &Screen::Interrupted),
    }
}
