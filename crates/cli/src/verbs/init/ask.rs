//! The questions, one after the other, each until its answer can be right.

use super::suggest::Ground;
use crate::client::{CallError, Client};
use crate::term::Term;
use siaga_agent::survey;
use siaga_config::draft::{Answers, Draft};
use siaga_config::{AGENT_PORT, Cause, ConfigError, HostChecks};
use siaga_model::question::Question;
use siaga_words::{Wizard, question, question_help, wizard};
use std::net::{IpAddr, SocketAddr};

/// What is said of a file that is not whole yet says nothing of an answer.
fn not_yet(cause: &Cause) -> bool {
    matches!(
        cause,
        Cause::MissingKey { .. }
            | Cause::MissingForNode { .. }
            | Cause::NodeCount { .. }
            | Cause::NoService
            | Cause::NoSuchNode { .. }
            | Cause::NoFileSystem
            | Cause::FenceWithoutCredentials { .. }
    )
}

/// Asks everything. `None`: the input ended.
///
/// # Errors
/// [`CallError::Interrupted`] at Ctrl-C.
pub fn ask_all(
    ground: &Ground,
    client: &Client,
    host: &HostChecks,
) -> Result<Option<Answers>, CallError> {
    let mut answers = Answers::default();
    answers.set(Question::Language, ground.language);
    eprintln!("{}", wizard(answers.language(), &Wizard::Welcome));
    for asked in Question::ALL.iter().copied() {
        if asked == Question::ThisNode {
            super::say::say_found(answers.language(), ground, &answers);
        }
        // Most databases have none: asked only where one was found.
        let none =
            asked == Question::FurtherFileSystems && likely(ground, &answers, asked).is_none();
        if !none && answers.asks(asked) && !ask(ground, client, host, &mut answers, asked)? {
            return Ok(None);
        }
    }
    Ok(Some(answers))
}

/// Asks one. False at the end of the input.
fn ask(
    ground: &Ground,
    client: &Client,
    host: &HostChecks,
    answers: &mut Answers,
    asked: Question,
) -> Result<bool, CallError> {
    let mut likely = likely(ground, answers, asked);
    loop {
        let language = answers.language();
        eprintln!("\n{}", question_help(language, asked));
        let shown = likely
            .as_ref()
            .map_or_else(String::new, |l| format!(" [{l}]"));
        let text = format!("{}{shown}:", question(language, asked));
        let Some(line) = Term::look().ask(client, &text)? else {
            return Ok(false);
        };
        match (line.as_str(), &likely) {
            ("", Some(found)) => answers.set(asked, found),
            (line, _) => answers.set(asked, line),
        }
        let language = answers.language();
        if answers.get(asked).is_none() && !asked.optional() {
            eprintln!("{}", wizard(language, &Wizard::MustBeAnswered));
            answers.forget(asked);
            continue;
        }
        let Some(error) = wrong(answers, host) else {
            return Ok(true);
        };
        let said = Wizard::NotRight {
            cause: error.cause_text(language),
            remedy: error.remedy_text(language),
        };
        eprintln!("{}", wizard(language, &said));
        let address = answers.get(asked).unwrap_or_default().to_owned();
        if asked == Question::VirtualIp && ground.is_own(&address) {
            eprintln!("{}", wizard(language, &Wizard::OwnAddress { address }));
        }
        // What was found here and can't be right is not offered again.
        if likely.as_deref() == answers.get(asked) {
            likely = None;
        }
        answers.forget(asked);
    }
}

/// The first thing that is wrong with what was answered so far.
fn wrong(answers: &Answers, host: &HostChecks) -> Option<ConfigError> {
    let errors = Draft::of(answers).check(host).err()?;
    errors
        .into_iter()
        .find(|(of, error)| of.is_some() && !not_yet(&error.cause))
        .map(|(_, error)| error)
}

/// What is found here, or at the other server.
pub fn likely(ground: &Ground, answers: &Answers, asked: Question) -> Option<String> {
    match asked {
        Question::OtherHardware => neighbours(&answers.list(Question::OtherAddresses)),
        other => ground.suggest(other, answers),
    }
}

/// The hardware addresses that answer there. All of them, or none: a part would be taken for the whole.
fn neighbours(addresses: &[&str]) -> Option<String> {
    let one = |address: &&str| {
        let socket: SocketAddr = address.parse().ok().or_else(|| {
            let ip: IpAddr = address.parse().ok()?;
            Some(SocketAddr::new(ip, AGENT_PORT))
        })?;
        survey::neighbour(socket)
    };
    let all: Option<Vec<String>> = addresses.iter().map(one).collect();
    let mut all = all?;
    all.dedup();
    Some(all.join(", ")).filter(|a| !a.is_empty())
}
