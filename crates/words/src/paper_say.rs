//! Sentences about reports, with something in them.

use crate::voice::{Voice, list};
use siaga_model::config::Language;
use siaga_model::seal::{LogHead, SealProblem};
use siaga_model::{RunId, ServiceName};

/// A sentence about a report.
#[derive(Clone, Debug)]
pub enum PaperSay<'a> {
    NotAMonth {
        text: &'a str,
    },
    NotAYear {
        text: &'a str,
    },
    /// A PDF was asked for on a terminal.
    NeedsOutput,
    NoReport {
        file: &'a str,
        why: &'a str,
    },
    NoRun {
        run: &'a RunId,
    },
    NotADrill {
        run: &'a RunId,
    },
    /// Neither an incident nor a run that has ended is called so.
    NoIncident {
        asked: &'a str,
    },
    /// The log has no drill that has ended.
    NoDrill,
    /// There are several services, or none of that name.
    NameAService {
        services: &'a [ServiceName],
    },
    /// The record in the file is not what the log gives.
    ContentDiffers,
    ContentAgrees,
    Agrees,
    DoesNotAgree,
    AsPrinted,
    NotAsPrinted,
    OtherVersion {
        version: &'a str,
    },
    Problem {
        problem: &'a SealProblem,
    },
}

/// The sentence in words.
pub fn paper_say(voice: impl Into<Voice>, say: &PaperSay) -> String {
    match voice.into().language {
        Language::English => english(say),
        Language::Indonesian => indonesian(say),
    }
}

fn english(say: &PaperSay) -> String {
    match say {
        PaperSay::NotAMonth { text } => {
            format!("error: --month {text:?} is no month: write it like 2026-11")
        }
        PaperSay::NotAYear { text } => {
            format!("error: --year {text:?} is no year: write it like 2026")
        }
        PaperSay::NeedsOutput => {
            "error: this is not for a terminal: name a file with -o FILE".to_owned()
        }
        PaperSay::NoReport { file, why: "" } => {
            format!(
                "error: {file} carries no report of this program. A PDF, HTML or JSON report carries the record that it \
                 was made from; a text, a table and CSV do not, so there is nothing to compare: print it as PDF"
            )
        }
        PaperSay::NoReport { file, why } => format!("error: {file}: {why}"),
        PaperSay::NoRun { run } => {
            format!("error: no run {run} that has ended is in the log")
        }
        PaperSay::NotADrill { run } => {
            format!("error: run {run} is no drill: use siaga report incident {run}")
        }
        PaperSay::NoIncident { asked } => format!(
            "error: neither an incident nor a run that has ended is called {asked}: siaga incident list shows them"
        ),
        PaperSay::NoDrill => "error: no drill that has ended is in the log".to_owned(),
        PaperSay::NameAService { services } => {
            format!("error: name a service with --service: {}", list(services))
        }
        PaperSay::ContentDiffers => {
            "Its record is not what the log gives: it was changed.".to_owned()
        }
        PaperSay::ContentAgrees => "Its record is what the log gives.".to_owned(),
        PaperSay::Agrees => "The events still agree with this file.".to_owned(),
        PaperSay::DoesNotAgree => "This file does not agree.".to_owned(),
        PaperSay::AsPrinted => "Its text is as it was printed.".to_owned(),
        PaperSay::NotAsPrinted => "Its text is not what was printed: it was changed.".to_owned(),
        PaperSay::OtherVersion { version } => format!(
            "It was printed by version {version}: whether its text was changed can't be told by this one."
        ),
        PaperSay::Problem { problem } => match problem {
            SealProblem::Broken => "Its seal does not fit itself.".to_owned(),
            SealProblem::RowMissing { head } => {
                format!("The log has no row {} any more.", place(head))
            }
            SealProblem::RowDiffers { head } => {
                format!("Row {} is another one now.", place(head))
            }
            SealProblem::RunDiffers { run } => format!("Run {run} has other rows now."),
            SealProblem::Damaged { detail } => format!("The log is damaged: {detail}"),
        },
    }
}

fn indonesian(say: &PaperSay) -> String {
    match say {
        PaperSay::NotAMonth { text } => {
            format!("galat: --month {text:?} bukan bulan: tulis seperti 2026-11")
        }
        PaperSay::NotAYear { text } => {
            format!("galat: --year {text:?} bukan tahun: tulis seperti 2026")
        }
        PaperSay::NeedsOutput => {
            "galat: ini bukan untuk layar terminal: sebutkan berkas dengan -o BERKAS".to_owned()
        }
        PaperSay::NoReport { file, why: "" } => {
            format!(
                "galat: {file} tidak memuat laporan dari program ini. Laporan PDF, HTML atau JSON memuat catatan asalnya; \
                 teks, tabel dan CSV tidak, sehingga tidak ada yang dapat dibandingkan: cetak sebagai PDF"
            )
        }
        PaperSay::NoReport { file, why } => format!("galat: {file}: {why}"),
        PaperSay::NoRun { run } => {
            format!("galat: proses {run} yang sudah selesai tidak ada di log")
        }
        PaperSay::NotADrill { run } => {
            format!("galat: proses {run} bukan simulasi: gunakan siaga report incident {run}")
        }
        PaperSay::NoIncident { asked } => format!(
            "galat: tidak ada insiden maupun proses selesai bernama {asked}: lihat siaga incident list"
        ),
        PaperSay::NoDrill => "galat: simulasi yang sudah selesai tidak ada di log".to_owned(),
        PaperSay::NameAService { services } => {
            format!(
                "galat: sebutkan layanan dengan --service: {}",
                list(services)
            )
        }
        PaperSay::ContentDiffers => {
            "Catatannya tidak sama dengan isi log: telah diubah.".to_owned()
        }
        PaperSay::ContentAgrees => "Catatannya sama dengan isi log.".to_owned(),
        PaperSay::Agrees => "Log kejadian masih sesuai dengan berkas ini.".to_owned(),
        PaperSay::DoesNotAgree => "Berkas ini tidak sesuai.".to_owned(),
        PaperSay::AsPrinted => "Isinya sama dengan saat dicetak.".to_owned(),
        PaperSay::NotAsPrinted => "Isinya tidak sama dengan saat dicetak: telah diubah.".to_owned(),
        PaperSay::OtherVersion { version } => format!(
            "Dicetak oleh versi {version}: versi ini tidak dapat memastikan apakah isinya diubah."
        ),
        PaperSay::Problem { problem } => match problem {
            SealProblem::Broken => "Segelnya tidak cocok dengan dirinya sendiri.".to_owned(),
            SealProblem::RowMissing { head } => {
                format!("Baris {} tidak ada lagi di log.", place(head))
            }
            SealProblem::RowDiffers { head } => {
                format!("Baris {} sekarang berbeda.", place(head))
            }
            SealProblem::RunDiffers { run } => {
                format!("Proses {run} sekarang memuat baris yang berbeda.")
            }
            SealProblem::Damaged { detail } => format!("Log rusak: {detail}"),
        },
    }
}

fn place(head: &LogHead) -> String {
    format!("{}.{}/{}", head.node, head.incarnation, head.seq)
}
