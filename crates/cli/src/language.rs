//! The language to speak: `--lang`, else `SIAGA_LANG`, else the site's, else the locale's, else English. Where an agent
//! answers, the site's is what the agent says; before that, what `siaga.toml` says, where it can be read.

use crate::args::Global;
use siaga_model::config::Language;
use std::ffi::OsString;
use std::path::Path;

/// What the person asked for: `--lang`, else `SIAGA_LANG`.
pub fn asked(global: &Global) -> Option<Language> {
    global.lang.map(Language::from).or_else(from_environment)
}

/// The language before an agent was asked.
pub fn first(global: &Global) -> Language {
    asked(global).unwrap_or_else(without_a_wish)
}

/// The language of the help and of errors in the command line, which are needed before that is understood.
pub fn of_command_line(args: &[OsString]) -> Language {
    flag(args)
        .or_else(from_environment)
        .unwrap_or_else(without_a_wish)
}

fn without_a_wish() -> Language {
    chosen(
        siaga_config::language_in(Path::new(siaga_config::DEFAULT_PATH)),
        &["LC_ALL", "LC_MESSAGES", "LANG"].map(|name| std::env::var(name).ok()),
    )
}

fn from_environment() -> Option<Language> {
    locale(&std::env::var("SIAGA_LANG").ok()?)
}

/// The site's, else that of the first locale that is set.
fn chosen(site: Option<Language>, locales: &[Option<String>]) -> Language {
    let set = locales.iter().flatten().find(|l| !l.is_empty());
    site.or_else(|| set.and_then(|l| locale(l)))
        .unwrap_or(Language::English)
}

/// `id`, `id_ID.UTF-8`, `en_US`.
fn locale(name: &str) -> Option<Language> {
    let code = name.split(['_', '.', '@']).next().unwrap_or_default();
    match code.to_ascii_lowercase().as_str() {
        "id" => Some(Language::Indonesian),
        "en" => Some(Language::English),
        _ => None,
    }
}

/// `--lang id` or `--lang=id`, wherever it stands before a bare `--`.
fn flag(args: &[OsString]) -> Option<Language> {
    let args: Vec<_> = args.iter().map(|a| a.to_string_lossy()).collect();
    let args = args.split(|a| a == "--").next().unwrap_or_default();
    args.iter().enumerate().find_map(|(at, arg)| {
        let value = match arg.strip_prefix("--lang") {
            Some("") => args.get(at + 1).map(AsRef::as_ref),
            Some(rest) => rest.strip_prefix('='),
            None => None,
        };
        value.and_then(locale)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use siaga_model::config::Language::{English, Indonesian};

    fn of(line: &str) -> Option<Language> {
        let args: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        flag(&args)
    }

    #[test]
    fn the_flag_is_found_where_it_stands() {
        assert_eq!(of("siaga status --lang id --json"), Some(Indonesian));
        assert_eq!(of("siaga --lang=en status"), Some(English));
        assert_eq!(of("siaga lab exec backup -- siaga --lang id"), None);
        assert_eq!(of("siaga status --lang"), None);
        assert_eq!(of("siaga status --language id"), None);
    }

    #[test]
    fn the_site_goes_before_the_locale() {
        let locales = |all: &str, lang: &str| [Some(all.to_owned()), None, Some(lang.to_owned())];
        let id = locales("", "id_ID.UTF-8");
        assert_eq!(chosen(None, &id), Indonesian);
        assert_eq!(chosen(Some(English), &id), English);
        assert_eq!(chosen(Some(Indonesian), &locales("C", "en_US")), Indonesian);
        assert_eq!(chosen(None, &locales("C.UTF-8", "id_ID")), English);
        assert_eq!(chosen(None, &locales("", "")), English);
    }
}
