use super::*;
use siaga_model::config::Language::{English, Indonesian};
use std::collections::BTreeSet;

/// What one finished command says, for people: not what only the program itself calls.
fn walk(command: &Command, see: &mut impl FnMut(&Command)) {
    see(command);
    command
        .get_subcommands()
        .filter(|verb| !verb.get_name().starts_with("__"))
        .for_each(|verb| walk(verb, see));
}

fn built(language: Language) -> Command {
    let mut command = match language {
        English => Cli::command(),
        Indonesian => super::command(language),
    };
    command.build();
    command
}

fn add(text: Option<&StyledStr>, texts: &mut BTreeSet<String>) {
    let text = text.map(ToString::to_string).unwrap_or_default();
    texts.extend(
        text.split("\n\n")
            .map(str::to_owned)
            .filter(|t| !t.is_empty()),
    );
}

/// Every paragraph, and every line of the examples that is more than a command.
fn texts(language: Language) -> BTreeSet<String> {
    let mut texts = BTreeSet::new();
    walk(&built(language), &mut |command| {
        add(command.get_about(), &mut texts);
        add(command.get_long_about(), &mut texts);
        for arg in command.get_arguments().filter(|a| !a.is_hide_set()) {
            add(arg.get_help(), &mut texts);
            add(arg.get_long_help(), &mut texts);
            for value in arg.get_possible_values() {
                add(value.get_help(), &mut texts);
            }
        }
        for after in [command.get_after_help(), command.get_after_long_help()] {
            let after = after.map(ToString::to_string).unwrap_or_default();
            let says_more = |l: &&str| !l.is_empty() && !is_command(l);
            texts.extend(after.lines().filter(says_more).map(str::to_owned));
        }
    });
    texts
}

/// A line of the examples that is nothing but a command.
fn is_command(line: &str) -> bool {
    let command = line.starts_with("  siaga") || line.starts_with("  systemctl");
    command && !line.contains('"') && !line.trim().contains("  ")
}

fn names(language: Language) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    walk(&built(language), &mut |command| {
        let args = command.get_arguments();
        for arg in args.filter(|a| a.get_action().takes_values() && !a.is_hide_set()) {
            names.extend(
                arg.get_value_names()
                    .unwrap_or_default()
                    .iter()
                    .map(ToString::to_string),
            );
        }
    });
    names
}

#[test]
fn every_text_is_said_in_both_languages() {
    let english = texts(English);
    assert!(english.len() > 150, "{}", english.len());
    let missing: Vec<_> = english
        .iter()
        .filter(|t| help(Indonesian, t).is_none())
        .collect();
    assert_eq!(
        missing,
        Vec::<&String>::new(),
        "words/src/help_id.rs does not say"
    );
    let spare: Vec<_> = siaga_words::help_texts()
        .filter(|t| !english.contains(*t) && !crate::args::NAME_ERRORS.contains(t))
        .collect();
    assert_eq!(spare, Vec::<&str>::new(), "nothing says this any more");
}

#[test]
fn every_name_of_a_value_is_said_in_both_languages() {
    let english = names(English);
    let known: BTreeSet<String> = siaga_words::value_names().map(str::to_owned).collect();
    assert_eq!(english, known);
    let indonesian = names(Indonesian);
    assert!(
        indonesian.contains("SERVER") && !indonesian.contains("NODE"),
        "{indonesian:?}"
    );
}

#[test]
fn no_english_is_left_in_the_indonesian_help() {
    let english: BTreeSet<String> = texts(English);
    let left: Vec<String> = texts(Indonesian).intersection(&english).cloned().collect();
    assert_eq!(left, Vec::<String>::new());
    walk(&built(Indonesian), &mut |command| {
        for page in [
            command.clone().render_help(),
            command.clone().render_long_help(),
        ] {
            let page = page.to_string();
            for word in [
                "Usage:",
                "Options:",
                "Commands:",
                "Arguments:",
                "[default",
                "[possible",
                "[aliases",
                "OPTIONS",
                "COMMAND",
                "Examples:",
                "Print ",
            ] {
                assert!(!page.contains(word), "{word:?} is left in\n{page}");
            }
        }
    });
}

#[test]
fn the_indonesian_command_line_takes_what_the_english_one_takes() {
    for line in [
        "siaga takeover --attest-off serverdb --how unplugged --as budi",
        "siaga lab cut-power serverdb --with-fence",
        "siaga power off serverdb --yes",
        "siaga ambil-alih --yes --json",
        "siaga events --limit 5 --csv",
        "siaga",
    ] {
        let parsed = |language| {
            let matches = super::command(language).try_get_matches_from(line.split(' '));
            let matches = matches.unwrap_or_else(|e| panic!("{line}: {e}"));
            format!(
                "{:?}",
                <Cli as clap::FromArgMatches>::from_arg_matches(&matches).ok()
            )
        };
        assert_eq!(parsed(Indonesian), parsed(English));
        assert!(parsed(English).starts_with("Some"));
    }
}

#[test]
fn a_shell_completes_with_texts_and_without_defaults() {
    let mut zsh = Vec::new();
    clap_complete::generate(
        clap_complete::Shell::Zsh,
        &mut completed(Indonesian),
        "siaga",
        &mut zsh,
    );
    let zsh = String::from_utf8_lossy(&zsh);
    assert!(zsh.contains("Semua kabel dayanya sudah dicabut"), "{zsh}");
    assert!(zsh.contains("Server lain mati atau tidak menjawab"));
    assert!(!zsh.contains("bawaan: /run"));
    assert!(!zsh.contains("All power cords are out") && !zsh.contains("Print help"));
}
