//! The help of the command line in the language that is spoken.
//!
//! Its English is in the command line's own source. For another language every text of the finished command is
//! exchanged for its translation in `siaga-words`; a test fails on one that has none.

mod error;
mod man;
mod values;

pub use error::report;
pub use man::pages;

use crate::args::Cli;
use clap::builder::StyledStr;
use clap::{Arg, Command, CommandFactory};
use siaga_model::config::Language;
use siaga_words::{HelpWord, help, help_word, value_name};

/// Whether the default and the possible values are told with an argument.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tell {
    Values,
    TextOnly,
}

/// The whole command line, as a person reads it.
pub fn command(language: Language) -> Command {
    in_language(Cli::command(), language, Tell::Values)
}

/// The whole command line, as a shell completes it.
pub fn completed(language: Language) -> Command {
    in_language(Cli::command(), language, Tell::TextOnly)
}

fn in_language(mut command: Command, language: Language, tell: Tell) -> Command {
    match language {
        Language::English => command,
        Language::Indonesian => {
            // What clap adds by itself is to be translated too.
            command.build();
            translated(command, language, tell)
        }
    }
}

fn translated(command: Command, language: Language, tell: Tell) -> Command {
    let heading = format!("{}:", help_word(language, HelpWord::Usage));
    let style = command.get_styles().get_usage();
    let template = format!(
        "{{before-help}}{{about-with-newline}}\n{style}{heading}{style:#} {{usage}}\n\n{{all-args}}{{after-help}}"
    );
    let mut command = command
        .mut_args(|arg| argument(arg, language, tell))
        .mut_subcommands(|verb| translated(verb, language, tell))
        .subcommand_help_heading(help_word(language, HelpWord::Commands))
        .subcommand_value_name(help_word(language, HelpWord::Command))
        .help_template(template);
    let usage = usage(&command.render_usage(), language);
    command = command.override_usage(usage);
    for (text, set) in [
        (
            command.get_about().cloned(),
            Command::about as fn(Command, String) -> Command,
        ),
        (command.get_long_about().cloned(), Command::long_about),
        (command.get_after_help().cloned(), Command::after_help),
        (
            command.get_after_long_help().cloned(),
            Command::after_long_help,
        ),
    ] {
        if let Some(text) = text {
            command = set(command, text_of(&text, language));
        }
    }
    command
}

/// By paragraph, and within the examples by line: a command is the same in every language.
fn text_of(text: &StyledStr, language: Language) -> String {
    let line = |line: &str| help(language, line).unwrap_or(line).to_owned();
    let paragraph = |text: &str| match help(language, text) {
        Some(said) => said.to_owned(),
        None => text.split('\n').map(line).collect::<Vec<_>>().join("\n"),
    };
    let text = text.to_string();
    text.split("\n\n")
        .map(paragraph)
        .collect::<Vec<_>>()
        .join("\n\n")
}

fn argument(arg: Arg, language: Language, tell: Tell) -> Arg {
    let heading = match arg.is_positional() {
        true => HelpWord::Arguments,
        false => HelpWord::Options,
    };
    let names: Vec<&'static str> = arg
        .get_value_names()
        .unwrap_or_default()
        .iter()
        .filter_map(|name| value_name(language, name))
        .collect();
    let short = arg.get_help().map(|text| text_of(text, language));
    let long = arg.get_long_help().map(|text| text_of(text, language));
    let mut arg = values::translated(arg, language).help_heading(help_word(language, heading));
    if !names.is_empty() && arg.get_action().takes_values() {
        arg = arg.value_names(names);
    }
    let (inline, below) = match tell {
        Tell::Values => (
            values::inline(&arg, language),
            values::below(&arg, language),
        ),
        Tell::TextOnly => (String::new(), String::new()),
    };
    if let Some(long) = long.or_else(|| (!below.is_empty()).then(|| short.clone()).flatten()) {
        arg = arg.long_help(format!("{long}{below}"));
    }
    if let Some(short) = short {
        arg = arg.help(format!("{short}{inline}"));
    }
    arg.hide_default_value(true).hide_possible_values(true)
}

/// The usage without its heading, which the template has. Further lines stand below the first one.
fn usage(rendered: &StyledStr, language: Language) -> String {
    let english = rendered.to_string();
    let english = english.trim_start_matches("Usage:").trim();
    let some = |language| help_word(language, HelpWord::SomeOptions);
    let below = help_word(language, HelpWord::Usage).chars().count() + 2;
    let lines: Vec<&str> = english.lines().map(str::trim).collect();
    lines
        .join(&format!("\n{}", " ".repeat(below)))
        .replace(some(Language::English), some(language))
}

#[cfg(test)]
mod tests;
