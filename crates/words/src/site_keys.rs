//! What the verbs about the site's keys say.

use siaga_model::NodeName;
use siaga_model::config::Language;
use std::path::PathBuf;

/// A text of `ca`, `node` and `state`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SiteKeys {
    CaReplaced {
        generation: u64,
        fingerprint: String,
    },
    /// Before the typed confirmation.
    ReplaceAsked {
        node: NodeName,
    },
    Replaced {
        node: NodeName,
    },
    BackedUp {
        file: PathBuf,
        files: usize,
    },
    Restored {
        files: usize,
        at: String,
        /// A configuration that was there, and was kept.
        kept: Option<PathBuf>,
    },
    NotABackup {
        file: PathBuf,
        why: String,
    },
    /// There is a state already.
    StateThere {
        dir: PathBuf,
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
        S::ReplaceAsked { node } => format!(
            "You say, under your name, that the old machine {node} is off and stays off. If this is not true, the data may be destroyed.\nIts keys count for nothing from then on. To confirm, type the name of the node:"
        ),
        S::Replaced { node } => format!(
            "The old machine {node} is shut out: its keys are refused. The site has a new CA, since the old machine had the key of the one before.\nThe token for the new machine:"
        ),
        S::BackedUp { file, files } => format!(
            "Written to {}: the configuration and {files} files of the event log. There is no key, no password and no database in it.", file.display()
        ),
        S::Restored { files, at, kept } => {
            let config = match kept {
                Some(file) => format!("\n{} was there, and was kept.", file.display()),
                None => String::new(),
            };
            format!(
                "{files} files of the event log were put back, as they were at {at}.{config}\nIt is an old log: this server starts nothing before the other server's log was read, or before somebody says that nothing in the lost rows is in force (siaga events accept-loss). Now: siaga init, or siaga join."
            )
        }
        S::NotABackup { file, why } => format!("error: {} is no whole backup of Siaga's state: {why}", file.display()),
        S::StateThere { dir } => format!(
            "refused: {} holds a log or keys already. A backup is put on a machine without any; nothing was changed", dir.display()
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
        S::ReplaceAsked { node } => format!(
            "Anda menyatakan, atas nama Anda, bahwa mesin lama {node} mati dan tetap mati. Jika ini tidak benar, data dapat rusak.\nSejak itu kuncinya tidak berlaku lagi. Untuk memastikan, ketik nama servernya:"
        ),
        S::Replaced { node } => format!(
            "Mesin lama {node} sudah ditutup: kuncinya ditolak. Tempat ini memiliki CA baru, karena mesin lama memegang kunci CA sebelumnya.\nToken untuk mesin baru:"
        ),
        S::BackedUp { file, files } => format!(
            "Ditulis ke {}: konfigurasi dan {files} berkas catatan kejadian. Tidak ada kunci, kata sandi, atau basis data di dalamnya.", file.display()
        ),
        S::Restored { files, at, kept } => {
            let config = match kept {
                Some(file) => format!("\n{} sudah ada, dan tidak diubah.", file.display()),
                None => String::new(),
            };
            format!(
                "{files} berkas catatan kejadian dikembalikan, seperti pada {at}.{config}\nIni catatan lama: server ini tidak menyalakan apa pun sebelum catatan server lain dibaca, atau sebelum petugas menyatakan bahwa tidak ada yang berlaku dari baris yang hilang (siaga events accept-loss). Sekarang: siaga init, atau siaga join."
            )
        }
        S::NotABackup { file, why } => format!("kesalahan: {} bukan cadangan keadaan Siaga yang utuh: {why}", file.display()),
        S::StateThere { dir } => format!(
            "ditolak: {} sudah berisi catatan atau kunci. Cadangan dikembalikan ke mesin yang belum memilikinya; tidak ada yang diubah", dir.display()
        ),
    }
}
