//! The man pages: one for each verb that is shown.

use super::{Tell, in_language};
use crate::args::Cli;
use clap::{Command, CommandFactory};
use siaga_model::config::Language;
use siaga_words::man_section;
use std::io;

/// A page: its file's name and its text.
pub type Page = (String, String);

/// Every page in that language.
///
/// # Errors
/// Where a page can't be made.
pub fn pages(language: Language) -> io::Result<Vec<Page>> {
    let command = Cli::command().disable_help_subcommand(true);
    let mut command = in_language(command, language, Tell::Values);
    command.build();
    let mut pages = Vec::new();
    add(&command, language, &mut pages)?;
    Ok(pages)
}

fn add(command: &Command, language: Language, pages: &mut Vec<Page>) -> io::Result<()> {
    for verb in command.get_subcommands().filter(|v| !v.is_hide_set()) {
        add(verb, language, pages)?;
    }
    let page = clap_mangen::Man::new(command.clone());
    let mut text = Vec::new();
    page.render(&mut text)?;
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<String> = text.lines().map(|line| heading(line, language)).collect();
    pages.push((page.get_filename(), lines.join("\n") + "\n"));
    Ok(())
}

/// clap's own headings are not translated by the command.
fn heading(line: &str, language: Language) -> String {
    match line.strip_prefix(".SH ") {
        Some(name) => {
            let name = man_section(language, name).unwrap_or(name);
            format!(".SH {}", name.to_uppercase())
        }
        None => line.to_owned(),
    }
}
