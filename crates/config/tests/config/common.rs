//! A bad configuration is written as edits to the full example. A mark such as `⟦ZERO_DURATION⟧` stands right before
//! the place where that error must be reported; it is taken out before the text is parsed.

use siaga_config::{ConfigErrors, HostChecks, parse};

pub const FULL: &str = include_str!("../../../../examples/full.toml");
pub const MINIMAL: &str = include_str!("../../../../examples/minimal.toml");

/// The example with each `(find, replace)` done once.
pub fn edited(base: &str, edits: &[(&str, &str)]) -> String {
    let mut text = base.to_owned();
    for (find, replace) in edits {
        assert!(text.contains(find), "the example has no {find:?}");
        text = text.replacen(find, replace, 1);
    }
    text
}

/// Code, line and column of every mark, and the text without marks.
pub fn marks(marked: &str) -> (String, Vec<(String, usize, usize)>) {
    let mut text = String::new();
    let mut expected = Vec::new();
    let mut rest = marked;
    while let Some((before, after)) = rest.split_once('⟦') {
        text.push_str(before);
        let (code, tail) = after.split_once('⟧').expect("a mark is closed");
        let line = text.lines().count() + usize::from(text.ends_with('\n') || text.is_empty());
        let column = text.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        expected.push((code.to_owned(), line, column));
        rest = tail;
    }
    text.push_str(rest);
    (text, expected)
}

/// The errors of a text, as code, line and column.
pub fn places(errors: &ConfigErrors) -> Vec<(String, usize, usize)> {
    errors
        .errors
        .iter()
        .map(|e| (e.code.to_owned(), e.line, e.column))
        .collect()
}

/// The edited example must give exactly the marked errors.
#[track_caller]
pub fn expect_with(checks: &HostChecks, base: &str, edits: &[(&str, &str)]) -> ConfigErrors {
    let (text, expected) = marks(&edited(base, edits));
    let errors = match parse(&text, checks) {
        Ok(_) => panic!("accepted, but {expected:?} was expected"),
        Err(errors) => errors,
    };
    assert_eq!(places(&errors), expected, "{errors}");
    errors
}

/// As [`expect_with`], on the full example and without a look at the host.
#[track_caller]
pub fn expect(edits: &[(&str, &str)]) -> ConfigErrors {
    expect_with(&HostChecks::none(), FULL, edits)
}
