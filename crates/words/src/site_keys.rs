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
        why: NoBackup,
    },
    /// A backup is not written over a file.
    BackupThere {
        file: PathBuf,
    },
    /// There is a state already.
    StateThere {
        dir: PathBuf,
    },
}

/// Why a file is no whole backup of Siaga's state.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NoBackup {
    Empty,
    /// A newer version of Siaga wrote it.
    Newer,
    /// Its last line does not fit the lines before it.
    EndDiffers,
    /// It was cut off.
    EndMissing,
    /// What the operating system says, or what can't be read as JSON.
    Said(String),
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
        S::NotABackup { file, why } => format!("error: {} is no whole backup of Siaga's state: {}", file.display(), why_english(why)),
        S::BackupThere { file } => format!(
            "error: {} exists already and was not changed: a backup is not written over a file. Choose another name: --out FILE", file.display()
        ),
        S::StateThere { dir } => format!(
            "refused: {} holds a log or keys already. A backup is put on a machine without any; nothing was changed", dir.display()
        ),
    }
}

fn why_english(why: &NoBackup) -> &str {
    match why {
        NoBackup::Empty => "it is empty",
        NoBackup::Newer => "it is of a newer version",
        NoBackup::EndDiffers => "its end does not fit",
        NoBackup::EndMissing => "its end is missing",
        NoBackup::Said(said) => said,
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
        S::NotABackup { file, why } => format!("kesalahan: {} bukan cadangan keadaan Siaga yang utuh: {}", file.display(), why_indonesian(why)),
        S::BackupThere { file } => format!(
            "kesalahan: {} sudah ada, dan tidak diubah: cadangan tidak ditulis di atas berkas yang sudah ada. Pilih nama lain: --out BERKAS", file.display()
        ),
        S::StateThere { dir } => format!(
            "ditolak: {} sudah berisi catatan atau kunci. Cadangan dikembalikan ke mesin yang belum memilikinya; tidak ada yang diubah", dir.display()
        ),
    }
}

fn why_indonesian(why: &NoBackup) -> &str {
    match why {
        NoBackup::Empty => "berkas ini kosong",
        NoBackup::Newer => "berkas ini dibuat oleh versi yang lebih baru",
        NoBackup::EndDiffers => "bagian akhirnya tidak cocok",
        NoBackup::EndMissing => "bagian akhirnya tidak ada",
        NoBackup::Said(said) => said,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_said_in_the_language_and_what_others_say_as_they_say_it() {
        let said = |why: NoBackup| {
            let file = PathBuf::from("/root/siaga.jsonl");
            let text = SiteKeys::NotABackup { file, why };
            [Language::English, Language::Indonesian].map(|l| site_keys(l, &text))
        };
        for (why, english, indonesian) in [
            (NoBackup::Empty, "it is empty", "kosong"),
            (NoBackup::Newer, "newer version", "versi yang lebih baru"),
            (NoBackup::EndDiffers, "does not fit", "tidak cocok"),
            (NoBackup::EndMissing, "is missing", "akhirnya tidak ada"),
            (
                NoBackup::Said("os error 13".into()),
                "os error 13",
                "os error 13",
            ),
        ] {
            let [en, id] = said(why);
            assert!(
                en.ends_with(english) && id.ends_with(indonesian),
                "{en}\n{id}"
            );
        }
    }

    #[test]
    fn a_file_that_is_there_is_said_with_what_to_do() {
        let file = PathBuf::from("/root/siaga.jsonl");
        let text = SiteKeys::BackupThere { file };
        for (language, remedy) in [
            (Language::English, "another name"),
            (Language::Indonesian, "nama lain"),
        ] {
            let said = site_keys(language, &text);
            assert!(
                said.contains("/root/siaga.jsonl") && said.contains(remedy),
                "{said}"
            );
        }
    }
}
