//! `siaga explain`: what a code means. Asks no agent: the pages are in the program.

use crate::args::Global;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::language;
use crate::show;
use crate::term::out;
use serde::Serialize;
use siaga_model::config::Language;
use siaga_words::{Screen, screen};

/// Explain a code: of a refusal, a finding or an error
///
/// Every refusal, every finding and every error has a code, such as NEEDS_ATTESTATION. What it means, what is safe while it
/// stands, and what to do. Needs no agent. Without a code: all codes.
#[derive(clap::Args, Debug, Clone)]
#[command(visible_alias = "jelaskan", after_help = EXAMPLES)]
pub struct Args {
    /// The code, in capital or small letters.
    #[arg(value_name = "CODE")]
    pub code: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

const EXAMPLES: &str = "Examples:
  siaga explain NEEDS_ATTESTATION
  siaga explain
  siaga explain unknown_key
  siaga explain disk_set_missing --json";

const REFUSALS: [&str; 2] = [
    include_str!("../../../../docs/refusals.md"),
    include_str!("../../../../docs/refusals.id.md"),
];
const FINDINGS: [&str; 2] = [
    include_str!("../../../../docs/findings.md"),
    include_str!("../../../../docs/findings.id.md"),
];
const CONFIGURATION: [&str; 2] = [
    include_str!("../../../../docs/config-errors.md"),
    include_str!("../../../../docs/config-errors.id.md"),
];
const ERRORS: [&str; 2] = [
    include_str!("../../../../docs/errors.md"),
    include_str!("../../../../docs/errors.id.md"),
];
/// The page of `siaga migrate`, and the heading above the table of its codes.
const MIGRATE: [(&str, &str); 2] = [
    (
        include_str!("../../../../docs/migrate.md"),
        "\n## Refusals\n",
    ),
    (
        include_str!("../../../../docs/migrate.id.md"),
        "\n## Penolakan\n",
    ),
];

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Refusal,
    Finding,
    /// Of `siaga.toml`, or of the site's own texts.
    Configuration,
    Error,
}

/// One code's page.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
struct Page {
    code: &'static str,
    kind: Kind,
    text: String,
}

/// Carries the verb out.
pub fn run(global: &Global, args: &Args) -> Result<Exit, Fault> {
    let language = language::first(global);
    let pages = pages(language);
    let chosen: Vec<Page> = match &args.code {
        None => pages,
        Some(code) => of_code(language, pages, code)?,
    };
    if args.json {
        show::json(&chosen)?;
        return Ok(Exit::Done);
    }
    for (at, page) in chosen.iter().enumerate() {
        let name = screen(language, &of_kind(page.kind));
        match args.code {
            None => out(&format!("{} {name}", show::padded(page.code, 28))),
            Some(_) => {
                let gap = if at > 0 { "\n" } else { "" };
                out(&format!("{gap}{} ({name})\n{}", page.code, page.text));
            }
        }
    }
    Ok(Exit::Done)
}

fn of_kind(kind: Kind) -> Screen {
    match kind {
        Kind::Refusal => Screen::CodeOfRefusal,
        Kind::Finding => Screen::CodeOfFinding,
        Kind::Configuration => Screen::CodeOfConfiguration,
        Kind::Error => Screen::CodeOfError,
    }
}

fn pages(language: Language) -> Vec<Page> {
    let at = match language {
        Language::English => 0,
        Language::Indonesian => 1,
    };
    let (migrate, heading) = MIGRATE[at];
    let rows = rows(migrate, heading).into_iter();
    let of = |kind, text| sections(text).map(move |(code, text)| page(kind, code, text));
    of(Kind::Refusal, REFUSALS[at])
        .chain(rows.map(|(code, text)| page(Kind::Refusal, code, &text)))
        .chain(of(Kind::Finding, FINDINGS[at]))
        .chain(of(Kind::Configuration, CONFIGURATION[at]))
        .chain(of(Kind::Error, ERRORS[at]))
        .collect()
}

fn page(kind: Kind, code: &'static str, text: &str) -> Page {
    Page {
        code,
        kind,
        text: plain(text),
    }
}

fn of_code(language: Language, pages: Vec<Page>, code: &str) -> Result<Vec<Page>, Fault> {
    let wanted = code.trim().to_ascii_uppercase().replace('-', "_");
    let (found, others): (Vec<Page>, Vec<Page>) = pages.into_iter().partition(|p| p.code == wanted);
    if !found.is_empty() {
        return Ok(found);
    }
    let none = Screen::NoSuchCode {
        code: code.to_owned(),
        near: near(&wanted, &others).join(", "),
    };
    Err(Fault::Refused(screen(language, &none)))
}

/// The codes that have the most words in common with the one that was typed, each once.
fn near(wanted: &str, pages: &[Page]) -> Vec<&'static str> {
    let parts: Vec<&str> = wanted.split('_').filter(|p| p.len() > 2).collect();
    let common = |code: &str| {
        let in_code = |part: &&&str| code.split('_').any(|word| word == **part);
        parts.iter().filter(in_code).count()
    };
    let most = pages.iter().map(|p| common(p.code)).max().unwrap_or(0);
    let mut found = Vec::new();
    for page in pages {
        if most > 0 && common(page.code) == most && !found.contains(&page.code) {
            found.push(page.code);
        }
    }
    found
}

/// The headings that are codes, each with the text below it.
fn sections(page: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let parts = page.split("\n### ").skip(1);
    parts.filter_map(|part| {
        let (code, text) = part.split_once('\n')?;
        // The last one is followed by what belongs to no code.
        Some((code, text.split("\n## ").next()?.trim()))
    })
}

/// The codes of the table below a heading, each with its row's text and with what is said above the table of all of them.
fn rows(page: &'static str, heading: &str) -> Vec<(&'static str, String)> {
    let part = page.split_once(heading).map_or("", |(_, part)| part);
    let part = part.split_once("\n## ").map_or(part, |(part, _)| part);
    let (of_all, table) = part.trim().split_once("\n\n").unwrap_or(("", part));
    let of_all = of_all.replace('\n', " ");
    let mut found = Vec::new();
    for row in table.lines() {
        let cells = row.strip_prefix("| `").and_then(|r| r.split_once("` | "));
        let Some((codes, text)) = cells else { continue };
        let text = format!("{}\n{of_all}", text.trim_end_matches(['|', ' ']));
        found.extend(codes.split("`, `").map(|code| (code, text.clone())));
    }
    found
}

/// Without the marks of the page: emphasis goes to a line of its own, a link becomes its name.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('[') {
        let link = after
            .split_once("](")
            .and_then(|(name, tail)| Some((name, tail.split_once(')')?)))
            .filter(|(name, _)| !name.contains(['[', ']']));
        plain.push_str(before);
        match link {
            Some((name, (_, tail))) => {
                plain.push_str(name);
                rest = tail;
            }
            None => {
                plain.push('[');
                rest = after;
            }
        }
    }
    plain.push_str(rest);
    plain
        .replace(" **", "\n")
        .replace("**", "")
        .replace('`', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_page_in_both_languages() {
        let codes = |language| {
            let pages = pages(language);
            assert!(pages.iter().all(|p| p.text.len() > 20));
            let code = |p: &Page| (p.code, p.kind);
            pages.iter().map(code).collect::<Vec<_>>()
        };
        let english = codes(Language::English);
        assert!(english.len() > 250);
        assert_eq!(english, codes(Language::Indonesian));
        for code in siaga_model::migrate::Refusal::CODES {
            assert!(english.contains(&(*code, Kind::Refusal)), "{code}");
        }
    }

    #[test]
    fn a_row_of_a_table_is_a_page_for_each_of_its_codes() {
        let said = "\nNothing is changed,\nat all.\n\n| code | do |\n| --- | --- |\n";
        let table = "| `A_B`, `A_C` | `wait` |\n| `A_D` | go on |\n\n## More\n\n| `A_E` | no |\n";
        let page: &'static str = format!("# P\n\n## Codes\n{said}{table}").leak();
        let of = |code, text: &str| (code, format!("{text}\nNothing is changed, at all."));
        assert_eq!(
            rows(page, "\n## Codes\n"),
            [of("A_B", "`wait`"), of("A_C", "`wait`"), of("A_D", "go on")]
        );
        assert!(rows(page, "\n## Others\n").is_empty());
        for (language, unchanged) in [
            (Language::English, "\nEverything that stands against"),
            (Language::Indonesian, "\nSemua yang menghalangi"),
        ] {
            let page = of_code(language, pages(language), "migrate-place-taken").unwrap();
            assert!(page[0].text.contains(unchanged), "{}", page[0].text);
            assert!(page[0].text.contains("--at"), "{}", page[0].text);
        }
    }

    #[test]
    fn a_page_without_the_marks() {
        assert_eq!(
            plain("It is `dead`. **Safe:** Wait ([x.md](x.md)). **Do:** `[[node.fence]]` [a](b"),
            "It is dead.\nSafe: Wait (x.md).\nDo: [[node.fence]] [a](b"
        );
    }

    #[test]
    fn a_code_that_is_two_things_has_two_pages_and_one_that_is_none_has_its_neighbours() {
        let of = |code| of_code(Language::English, pages(Language::English), code);
        let kinds: Vec<Kind> = of("address-conflict")
            .unwrap()
            .iter()
            .map(|p| p.kind)
            .collect();
        assert_eq!(kinds, [Kind::Refusal, Kind::Finding]);
        let kinds: Vec<Kind> = of("too_large").unwrap().iter().map(|p| p.kind).collect();
        assert_eq!(kinds, [Kind::Configuration, Kind::Error]);
        let text = &of("unknown_key").unwrap()[0].text;
        assert!(text.contains("\nDo: Use the key"), "{text}");
        let text = &of("JOURNAL_LOST").unwrap()[0].text;
        assert!(text.contains("\nSafe: A running service"), "{text}");
        let Err(Fault::Refused(said)) = of("DISK_MISSING") else {
            panic!("there is none")
        };
        assert!(said.contains("DISK_SET_MISSING"), "{said}");
        let near = |wanted| near(wanted, &pages(Language::English));
        assert_eq!(near("MIGRATE_ROOT"), ["MIGRATE_NOT_ROOT"]);
        assert_eq!(near("ADDRESS_CONFLICTS_CONFLICT"), ["ADDRESS_CONFLICT"]);
        let of_migrate = siaga_model::migrate::Refusal::CODES.len();
        assert_eq!(near("MIGRATE").len(), of_migrate);
        assert!(near("NONSENSE").is_empty());
    }
}
