//! What the verbs say that set a site up, and what is wrong with what they were given.

use crate::voice::{list, quoted};
use siaga_model::NodeName;
use siaga_model::config::Language;
use std::path::PathBuf;

/// A text of `init`, `token` and `join`, and of the times that a person writes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Setup {
    // --- errors
    NoSuchNode {
        node: NodeName,
        /// The nodes that there are.
        names: Vec<String>,
    },
    ForWhom,
    TokenUnreadable {
        said: String,
    },
    NotAToken,
    NotATime {
        option: String,
        text: String,
    },
    // --- results
    FirstNode {
        node: String,
        site: String,
    },
    CaFingerprint {
        fingerprint: String,
    },
    KeyFingerprint {
        fingerprint: String,
    },
    TokenAsked,
    TokenGood {
        name: String,
        until: String,
        /// For a client probe.
        probe: bool,
    },
    Joined {
        name: String,
    },
    ConfigWritten {
        file: PathBuf,
    },
    ConfigSame {
        file: PathBuf,
    },
    ConfigKept {
        file: PathBuf,
    },
    Agent {
        node: String,
        addresses: Vec<String>,
    },
}

/// A text in words.
pub fn setup(language: Language, text: &Setup) -> String {
    match language {
        Language::English => english(text),
        Language::Indonesian => indonesian(text),
    }
}

fn join(probe: bool) -> &'static str {
    match probe {
        true => "siaga join --probe",
        false => "siaga join",
    }
}

#[rustfmt::skip] // a table of words
fn english(text: &Setup) -> String {
    use Setup as S;
    match text {
        S::NoSuchNode { node, names } => {
            format!("error: the configuration has no node {node}; it has: {}", list(names))
        }
        S::ForWhom => "error: say --for NODE or --probe NAME".into(),
        S::TokenUnreadable { said } => format!("error: the token can't be read: {}", quoted(said)),
        S::NotAToken => "error: this is no join token, or it was not copied whole: it is one line without spaces".into(),
        S::NotATime { option, text } => format!(
            "error: {option}: {} is no time: write 2h, 30m, 3d, 2025-08-01, 2025-08-01T14:05:00 or RFC 3339",
            quoted(text)
        ),
        S::FirstNode { node, site } => format!("{node} is the first node of {site}."),
        S::CaFingerprint { fingerprint } => format!("fingerprint of the site's CA: {fingerprint}"),
        S::KeyFingerprint { fingerprint } => format!("fingerprint of this machine's key: {fingerprint}"),
        S::TokenAsked => "Token:".into(),
        S::TokenGood { name, until, probe } => {
            format!("Good once, for {name}, until {until}. On that machine, as root: {}", join(*probe))
        }
        S::Joined { name } => format!("This machine joined as {name}."),
        S::ConfigWritten { file } => format!("The site's configuration was written to {}.", file.display()),
        S::ConfigSame { file } => format!("The site's configuration is in {} already.", file.display()),
        S::ConfigKept { file } => format!(
            "{} differs from the site's configuration and was kept: siaga check will name it.", file.display()
        ),
        S::Agent { node, addresses } => format!("agent {node}: {}", list(addresses)),
    }
}

#[rustfmt::skip] // a table of words
fn indonesian(text: &Setup) -> String {
    use Setup as S;
    match text {
        S::NoSuchNode { node, names } => {
            format!("kesalahan: tidak ada server {node} dalam konfigurasi; yang ada: {}", list(names))
        }
        S::ForWhom => "kesalahan: tambahkan --for SERVER atau --probe NAMA".into(),
        S::TokenUnreadable { said } => format!("kesalahan: token tidak dapat dibaca: {}", quoted(said)),
        S::NotAToken => "kesalahan: ini bukan token, atau tidak disalin utuh: token adalah satu baris tanpa spasi".into(),
        S::NotATime { option, text } => format!(
            "kesalahan: {option}: {} bukan waktu: tulis 2h, 30m, 3d, 2025-08-01, 2025-08-01T14:05:00, atau RFC 3339",
            quoted(text)
        ),
        S::FirstNode { node, site } => format!("{node} adalah server pertama {site}."),
        S::CaFingerprint { fingerprint } => format!("sidik jari CA tempat ini: {fingerprint}"),
        S::KeyFingerprint { fingerprint } => format!("sidik jari kunci mesin ini: {fingerprint}"),
        S::TokenAsked => "Ketik token:".into(),
        S::TokenGood { name, until, probe } => {
            format!("Berlaku satu kali, untuk {name}, sampai {until}. Di mesin itu, sebagai root: {}", join(*probe))
        }
        S::Joined { name } => format!("Mesin ini bergabung dengan nama {name}."),
        S::ConfigWritten { file } => format!("Konfigurasi tempat ini ditulis ke {}.", file.display()),
        S::ConfigSame { file } => format!("Konfigurasi tempat ini sudah ada di {}.", file.display()),
        S::ConfigKept { file } => format!(
            "{} berbeda dari konfigurasi tempat ini dan tidak diubah: siaga check akan menyebutnya.", file.display()
        ),
        S::Agent { node, addresses } => format!("agen {node}: {}", list(addresses)),
    }
}
