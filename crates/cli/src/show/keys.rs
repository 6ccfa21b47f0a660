//! What went wrong with keys, with joining and with a probe's configuration. The English words are the errors' own,
//! which a log shows too; the Indonesian ones are here, one exhaustive match for each.

use siaga_agent::pki::PkiError;
use siaga_agent::pki::join::RunJoinError;
use siaga_model::config::Language;
use siaga_probe::{ConfigError, Mistake};

/// An error of keys and certificates, with its code.
pub fn pki(language: Language, error: &PkiError) -> String {
    let text = match language {
        Language::English => error.to_string(),
        Language::Indonesian => pki_id(error),
    };
    format!("{text} [{}]", error.code())
}

/// Why this machine did not join, with its code.
pub fn joining(language: Language, error: &RunJoinError) -> String {
    let text = match language {
        Language::English => error.to_string(),
        Language::Indonesian => joining_id(error),
    };
    format!("{text} [{}]", error.code())
}

/// What is wrong with `probe.toml`, with its code.
pub fn probe_config(language: Language, error: &ConfigError) -> String {
    let text = match language {
        Language::English => error.to_string(),
        Language::Indonesian => probe_config_id(error),
    };
    format!("{text} [{}]", error.code())
}

fn pki_id(error: &PkiError) -> String {
    match error {
        PkiError::Io { path, source, .. } => {
            format!(
                "{} tidak dapat dibaca atau ditulis: {source}",
                path.display()
            )
        }
        PkiError::Exists { path } => format!(
            "{} sudah ada: mesin ini sudah memiliki identitas",
            path.display()
        ),
        PkiError::Missing { path } => format!(
            "{} tidak ada: jalankan `siaga init` di server pertama, `siaga join` di mesin lain",
            path.display()
        ),
        PkiError::Broken { path, why } => format!("{} rusak: {why}", path.display()),
        PkiError::Exposed { path, mode } => format!(
            "{} dapat dibaca orang lain (mode {mode:o}): ubah menjadi 0600",
            path.display()
        ),
        PkiError::Crypto(why) => {
            format!("sertifikat atau kunci tidak dapat dibuat atau dibaca: {why}")
        }
        PkiError::NoCa => "kunci CA tidak ada di server ini: agennya mengambilnya dari server lain; kalau tidak ada di server mana pun, `siaga ca replace` membuat yang baru".to_owned(),
        PkiError::Sealed { path } => format!(
            "{} tidak dapat dibuka di mesin ini: dienkripsi di mesin lain, atau sebelum sistem dipasang ulang. Agen mengambil kunci CA lagi dari server lain; kalau tidak ada di server mana pun, `siaga ca replace` membuat yang baru",
            path.display()
        ),
        PkiError::Name { name } => {
            format!("{name:?} bukan nama: pakai a-z, 0-9, dan '-', 1 sampai 32 karakter")
        }
        PkiError::NoAddress => "token membutuhkan sedikitnya satu alamat dari agen ini".to_owned(),
        PkiError::WrongCertificate => {
            "sertifikat ini bukan untuk kunci mesin ini, atau bukan dari CA tempat ini".to_owned()
        }
        PkiError::Journal(why) => format!("log kejadian: {why}"),
    }
}

fn joining_id(error: &RunJoinError) -> String {
    match error {
        RunJoinError::Pki(error) => pki_id(error),
        RunJoinError::Unreachable { addresses, why } => {
            format!("tidak ada agen yang dapat dihubungi di alamat pada token ({addresses}): {why}")
        }
        RunJoinError::WrongCa { address, why } => format!(
            "{address} bukan agen dari tempat yang membuat token ini: {why}. Rahasia token tidak dikirim"
        ),
        RunJoinError::Refused { code, message } => refused_id(code, message),
        RunJoinError::Answer(why) => format!("jawaban agen tidak dapat dimengerti: {why}"),
    }
}

/// The other agent's refusal, by its code; a code that this version does not know keeps the agent's own words.
fn refused_id(code: &str, message: &str) -> String {
    let known = match code {
        "JOIN_TOKEN_UNKNOWN" => {
            "token ini tidak dikenal di sana; buat yang baru dengan `siaga token create` di server tujuan bergabung"
        }
        "JOIN_TOKEN_USED" => "token ini sudah dipakai; buat yang baru",
        "JOIN_TOKEN_EXPIRED" => "masa berlaku token ini sudah habis; buat yang baru",
        "JOIN_WRONG_NAME" => "token ini dibuat untuk nama lain",
        "JOIN_TOO_MANY" => "terlalu banyak percobaan yang gagal; tunggu satu menit",
        "JOIN_BAD_REQUEST" => "permintaan sertifikat tidak sah",
        _ => return message.to_owned(),
    };
    known.to_owned()
}

fn probe_config_id(error: &ConfigError) -> String {
    match error {
        ConfigError::Unreadable { path, source } => {
            format!("{} tidak dapat dibaca: {source}", path.display())
        }
        ConfigError::Syntax { path, message } => {
            format!("{} tidak dapat dimengerti: {message}", path.display())
        }
        ConfigError::Wrong { path, mistake } => {
            format!("{} salah isi: {}", path.display(), mistake_id(mistake))
        }
        ConfigError::Exposed { path, mode } => format!(
            "{} dapat dibaca orang lain (mode {mode:o}): ubah menjadi 0600",
            path.display()
        ),
        ConfigError::Dsn(why) => format!("bukan alamat database: {why}"),
    }
}

fn mistake_id(mistake: &Mistake) -> String {
    match mistake {
        Mistake::Interval { given } => {
            format!("interval: {given:?} tidak di antara \"5ms\" dan \"60s\"")
        }
        Mistake::Name { key, given } => {
            format!("{key}: {given:?} bukan nama: pakai a-z, 0-9, dan '-', paling banyak 32")
        }
        Mistake::NoAddresses { node } => format!("agent {node}: tidak ada alamat"),
        Mistake::Checks => "isi tepat satu dari [sql], [tcp], [http]".to_owned(),
        Mistake::Url { given } => format!(
            "http.url: {given:?} tidak seperti \"http://192.0.2.50:8080/path\" atau \"https://192.0.2.50/path\""
        ),
        Mistake::Host { given } => format!("http.host: {given:?} bukan nama server"),
        Mistake::CaFile { why } => format!("http.ca_file: {why}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_token_is_said_in_the_sites_language() {
        let refused = |code: &str| RunJoinError::Refused {
            code: code.to_owned(),
            message: "as the agent said it".to_owned(),
        };
        let said = joining(Language::Indonesian, &refused("JOIN_TOKEN_USED"));
        assert_eq!(
            said,
            "token ini sudah dipakai; buat yang baru [JOIN_TOKEN_USED]"
        );
        let english = joining(Language::English, &refused("JOIN_TOKEN_USED"));
        assert!(english.starts_with("as the agent said it"));
        let newer = joining(Language::Indonesian, &refused("JOIN_NEWER"));
        assert_eq!(newer, "as the agent said it [JOIN_NEWER]");
    }
}
