//! What `siaga init` found, and what came of it, for people and for scripts.

use super::suggest::{self, Ground};
use super::{Args, checks};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::show;
use crate::term::out;
use siaga_agent::adopting::Adopted;
use siaga_config::ConfigError;
use siaga_config::draft::{Answers, Draft};
use siaga_model::config::Language;
use siaga_model::question::Question;
use siaga_words::{Wizard, wizard};

/// What became of one service.
pub fn say_adopted(language: Language, adopted: &Adopted) {
    match adopted {
        Adopted::Nothing { service } => out(&wizard(
            language,
            &Wizard::NothingRuns {
                service: service.to_string(),
            },
        )),
        Adopted::GoesOn {
            service,
            postmaster,
        } => out(&wizard(
            language,
            &Wizard::Adopted {
                service: service.to_string(),
                postmaster: *postmaster,
            },
        )),
        Adopted::Refused { service, why } => eprintln!(
            "{}",
            wizard(
                language,
                &Wizard::NotAdopted {
                    service: service.to_string(),
                    why: siaga_words::why(language, why),
                }
            )
        ),
    }
}

/// What is open after the answers: a fence is no must.
pub fn say_open(answers: &Answers) {
    let language = answers.language();
    for (fence, node) in [
        (Question::ThisFence, Question::ThisNode),
        (Question::OtherFence, Question::OtherNode),
    ] {
        if answers.get(fence).is_none() {
            let node = answers.get(node).unwrap_or_default().to_owned();
            eprintln!("{}", wizard(language, &Wizard::NoFence { node }));
        }
    }
}

/// The database that was found, and what stands against taking it as it is.
pub fn say_found(language: Language, ground: &Ground) {
    let Some(server) = ground.server() else {
        eprintln!("\n{}", wizard(language, &Wizard::FoundNoServer));
        return;
    };
    let found = Wizard::FoundServer {
        version: server.version.clone(),
        pid: server.pid,
        data_dir: server.data_dir.clone(),
        port: server.port,
        unit: server.unit.clone(),
    };
    eprintln!("\n{}", wizard(language, &found));
    say_found_troubles(language, ground);
}

/// What stands against taking the database that was found as it is.
pub fn say_found_troubles(language: Language, ground: &Ground) {
    let Some(server) = ground.server() else {
        return;
    };
    let say = |text: Wizard| eprintln!("{}", wizard(language, &text));
    if suggest::disk_that_moves(server).is_none() {
        say(Wizard::NotShared {
            data_dir: server.data_dir.clone(),
            mount_point: server.disk.as_ref().and_then(|d| d.mount_point.clone()),
        });
    }
    // A unit goes on giving them.
    if server.unit.is_none() && !server.other_options.is_empty() {
        let options = server.other_options.clone();
        say(Wizard::OtherOptions { options });
    }
    for (link, to) in server.outside.clone() {
        say(Wizard::DataOutside { link, to });
    }
    if !ground.found.boot_units.is_empty() {
        let units = ground.found.boot_units.clone();
        say(Wizard::StartsAtBoot { units });
    }
}

/// What was found and what it makes, and nothing is written.
pub fn print(args: &Args, ground: &Ground, answers: &Answers) -> Result<Exit, Fault> {
    let draft = Draft::of(answers);
    let language = answers.language();
    let missing: Vec<String> = answers
        .missing()
        .iter()
        .map(|q| q.key().to_owned())
        .collect();
    let errors = draft.check(&checks(args)).err().unwrap_or_default();
    if args.json {
        let questions: Vec<_> = Question::ALL
            .iter()
            .map(|q| {
                serde_json::json!({
                    "key": q.key(), "question": siaga_words::question(language, *q),
                    "help": siaga_words::question_help(language, *q), "optional": q.optional(),
                })
            })
            .collect();
        let wrong: Vec<_> = errors
            .iter()
            .map(|(question, e)| {
                serde_json::json!({
                    "question": question.map(Question::key), "code": e.code, "key": e.key,
                    "cause": e.cause_text(language), "remedy": e.remedy_text(language),
                })
            })
            .collect();
        show::json(&serde_json::json!({
            "found": ground.found, "answers": answers.to_json(), "missing": missing,
            "errors": wrong, "questions": questions, "configuration": draft.text(),
        }))?;
        return Ok(Exit::Done);
    }
    say_found(language, ground);
    out(&draft.text());
    if !missing.is_empty() {
        eprintln!("{}", wizard(language, &Wizard::Missing { keys: missing }));
    } else if !errors.is_empty() {
        let said = said(language, &errors);
        eprintln!("{}", wizard(language, &Wizard::Wrong { said }));
    }
    say_open(answers);
    Ok(Exit::Done)
}

/// Errors by their questions.
pub fn said(language: Language, errors: &[(Option<Question>, ConfigError)]) -> String {
    let one = |(question, error): &(Option<Question>, ConfigError)| {
        let of = question.map_or_else(|| error.key.clone(), |q| q.key().to_owned());
        format!(
            "{of}: {}\n  {}\n  {}",
            error.code,
            error.cause_text(language),
            error.remedy_text(language)
        )
    };
    errors.iter().map(one).collect::<Vec<_>>().join("\n")
}
