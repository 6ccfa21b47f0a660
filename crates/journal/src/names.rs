//! File names below the state directory.

use siaga_model::NodeName;
use std::path::{Path, PathBuf};

/// One node's incarnation: what one file holds.
pub(crate) type LogId = (NodeName, u32);

pub(crate) fn events_dir(state: &Path) -> PathBuf {
    state.join("events")
}

pub(crate) fn keys_dir(state: &Path) -> PathBuf {
    state.join("keys")
}

pub(crate) fn log_name(node: &NodeName, incarnation: u32) -> String {
    format!("{node}.{incarnation}.log")
}

/// May this name be part of a file name? Names arrive from the peer too, so nothing is left to luck.
pub(crate) fn is_safe(node: &NodeName) -> bool {
    let text = node.as_str();
    (1..=63).contains(&text.len())
        && !text.starts_with(['.', '-'])
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

/// What a file in the events directory is, by its name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Log(LogId),
    Damaged(LogId),
}

/// `None`: not a file with rows.
pub(crate) fn parse(name: &str) -> Option<Kind> {
    if let Some(stem) = name.strip_suffix(".log") {
        return parse_stem(stem).map(Kind::Log);
    }
    // A second damaged file of one incarnation is `<node>.<incarnation>.damaged2`.
    let (stem, rest) = name.rsplit_once(".damaged")?;
    rest.bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| parse_stem(stem).map(Kind::Damaged))?
}

fn parse_stem(stem: &str) -> Option<LogId> {
    let (node, incarnation) = stem.rsplit_once('.')?;
    let node = NodeName::new(node);
    let number: u32 = incarnation.parse().ok()?;
    // One spelling per number, so that one incarnation has one file.
    (is_safe(&node) && number.to_string() == incarnation).then_some((node, number))
}

/// Beside a log: how far this node has checked it.
pub(crate) fn summary_path(log: &Path) -> PathBuf {
    log.with_extension("summary")
}

/// A free name for the damaged file at `path`.
pub(crate) fn damaged_path(path: &Path) -> PathBuf {
    let mut free = path.with_extension("damaged");
    let mut number = 2u32;
    while free.exists() {
        free = path.with_extension(format!("damaged{number}"));
        number += 1;
    }
    free
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_strange_ones_are_left_alone() {
        let id = (NodeName::from("db.one"), 17);
        assert_eq!(parse(&log_name(&id.0, id.1)), Some(Kind::Log(id.clone())));
        assert_eq!(parse("db.one.17.damaged"), Some(Kind::Damaged(id.clone())));
        assert_eq!(parse("db.one.17.damaged3"), Some(Kind::Damaged(id)));
        for strange in [
            "reserve",
            "a.log",
            "a.01.log",
            ".a.1.log",
            "a.1.log.bak",
            "a.1.summary",
            "a.1.damagedx",
        ] {
            assert_eq!(parse(strange), None, "{strange}");
        }
    }

    #[test]
    fn a_name_can_not_leave_the_directory() {
        for bad in ["", ".", "..", "../x", "a/b", "a\0b", "a b", "-rf"] {
            assert!(!is_safe(&NodeName::from(bad)), "{bad:?}");
        }
        assert!(is_safe(&NodeName::from("serverdb")));
    }
}
