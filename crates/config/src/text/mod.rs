//! The causes in words, in each language. The matches are exhaustive: a cause without its words does not compile.

mod english;
mod indonesian;

use crate::cause::Cause;
use siaga_model::config::Language;
use std::path::{Path, PathBuf};

/// What is wrong.
pub fn cause(language: Language, cause: &Cause) -> String {
    match language {
        Language::English => english::cause(cause),
        Language::Indonesian => indonesian::cause(cause),
    }
}

/// What to do about it.
pub fn remedy(language: Language, cause: &Cause) -> String {
    match language {
        Language::English => english::remedy(cause),
        Language::Indonesian => indonesian::remedy(cause),
    }
}

/// The line above the errors.
pub fn heading(language: Language, file: &Path, count: usize) -> String {
    let file = file.display();
    match (language, count) {
        (Language::English, 1) => format!("{file} has 1 error. Nothing was changed."),
        (Language::English, n) => format!("{file} has {n} errors. Nothing was changed."),
        (Language::Indonesian, n) => {
            format!("{file} memiliki {n} kesalahan. Tidak ada yang diubah.")
        }
    }
}

fn paths(list: &[PathBuf]) -> String {
    list.iter()
        .map(|p| p.display().to_string())
        .collect::<Vec<_>>()
        .join(", ")
}
