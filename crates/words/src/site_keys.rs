//! What the verbs about the site's keys say.

use siaga_model::config::Language;

/// A text of `ca`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SiteKeys {
    CaReplaced {
        generation: u64,
        fingerprint: String,
    },
}

/// A text in words.
pub fn site_keys(language: Language, text: &SiteKeys) -> String {
    match language {
        Language::English => english(text),
        Language::Indonesian => indonesian(text),
    }
}

#[rustfmt::skip] // a table of words
fn english(text: &SiteKeys) -> String {
    use SiteKeys as S;
    match text {
        S::CaReplaced { generation, fingerprint } => format!(
            "The site has a new CA, number {generation}: {fingerprint}\nThe other server takes it by itself. Tokens made before are worth nothing: make new ones."
        ),
    }
}

#[rustfmt::skip] // a table of words
fn indonesian(text: &SiteKeys) -> String {
    use SiteKeys as S;
    match text {
        S::CaReplaced { generation, fingerprint } => format!(
            "Tempat ini memiliki CA baru, nomor {generation}: {fingerprint}\nServer lain mengambilnya sendiri. Token yang dibuat sebelumnya tidak berlaku: buat yang baru."
        ),
    }
}
