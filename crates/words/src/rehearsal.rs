//! What is said of a rehearsal, in both languages.

use crate::downtime::pick;
use crate::voice::Voice;
use siaga_model::integrity::IntegrityReport;
use siaga_model::rehearsal::{
    IndexCheck, RehearsalOutcome, RehearsalReport, RehearsalStage, Tried,
};

/// How far it is, as a line.
pub fn rehearsal_stage(voice: &Voice, stage: &RehearsalStage) -> String {
    let mebibytes = |bytes: u64| bytes >> 20;
    match stage {
        RehearsalStage::Looking => pick(
            voice,
            "asking the server that runs it",
            "bertanya ke server yang menjalankannya",
        )
        .into(),
        RehearsalStage::Copying { bytes, of } => {
            let copying = pick(voice, "copying", "menyalin");
            format!("{copying}: {} / {} MiB", mebibytes(*bytes), mebibytes(*of))
        }
        RehearsalStage::Starting => pick(
            voice,
            "starting PostgreSQL from the copy",
            "menyalakan PostgreSQL dari salinan",
        )
        .into(),
        RehearsalStage::Testing => pick(voice, "testing", "menguji").into(),
        RehearsalStage::Checking => pick(voice, "looking at indexes", "memeriksa indeks").into(),
        RehearsalStage::Removing => pick(voice, "removing the copy", "menghapus salinan").into(),
    }
}

/// What came of one test, in one word.
pub fn tried(voice: &Voice, status: Tried) -> &'static str {
    match status {
        Tried::Passed => pick(voice, "passed", "lulus"),
        Tried::Failed => pick(voice, "FAILED", "GAGAL"),
        Tried::NotExercised => pick(voice, "not tried", "belum dicoba"),
    }
}

/// How it ended: the first line.
pub fn rehearsal_ended(voice: &Voice, report: &RehearsalReport) -> String {
    let (service, node) = (&report.service, &report.node);
    let english = match report.outcome {
        RehearsalOutcome::Passed => format!("{service} starts on {node} from a copy of its data."),
        RehearsalOutcome::Failed => format!("The rehearsal of {service} on {node} did not pass."),
        RehearsalOutcome::Refused => format!("{service} was not rehearsed."),
    };
    let indonesian = match report.outcome {
        RehearsalOutcome::Passed => {
            format!("{service} dapat menyala di {node} dari salinan datanya.")
        }
        RehearsalOutcome::Failed => format!("Latihan {service} di {node} tidak lulus."),
        RehearsalOutcome::Refused => format!("Latihan {service} tidak dijalankan."),
    };
    match voice.language {
        siaga_model::config::Language::English => english,
        siaga_model::config::Language::Indonesian => indonesian,
    }
}

/// The measured times, where there are any.
pub fn rehearsal_times(voice: &Voice, report: &RehearsalReport) -> Vec<String> {
    let measured = &report.measured;
    let parts = [
        (
            measured.backup_ms,
            pick(voice, "copied in", "disalin dalam"),
        ),
        (
            measured.start_ms,
            pick(
                voice,
                "ready after the start in",
                "siap setelah dinyalakan dalam",
            ),
        ),
        (measured.tests_ms, pick(voice, "tested in", "diuji dalam")),
    ];
    let said =
        |(ms, what): (Option<u64>, &str)| Some(format!("{what} {}", crate::duration(voice, ms?)));
    let mut lines: Vec<String> = parts.into_iter().filter_map(said).collect();
    if let Some(bytes) = measured.copied_bytes {
        lines.insert(0, format!("{} MiB", bytes >> 20));
    }
    lines
}

/// The look at the indexes, as a line.
pub fn index_check(voice: &Voice, check: &IndexCheck) -> String {
    let looked = siaga_model::Evidence::IndexesChecked {
        checked: check.checked,
        indexes: check.indexes,
    };
    let mut line = format!("amcheck: {}", tried(voice, check.status));
    match (&check.why, check.status) {
        (Some(why), Tried::NotExercised) => {
            line.push_str(&format!(" ({})", crate::why(voice, why)))
        }
        _ => line.push_str(&format!(" ({})", crate::evidence(voice, &looked))),
    }
    line
}

/// Was production left as it was?
pub fn production(voice: &Voice, untouched: Option<bool>) -> &'static str {
    match untouched {
        Some(true) => pick(
            voice,
            "Production is as it was: same database, same process, same mount, no mandate.",
            "Produksi tidak berubah: basis data, proses, dan mount sama, tanpa mandat.",
        ),
        Some(false) => pick(
            voice,
            "Production is NOT as it was. Type: siaga status",
            "Produksi TIDAK sama seperti semula. Ketik: siaga status",
        ),
        None => pick(
            voice,
            "Whether production is as it was could not be asked.",
            "Belum dapat dipastikan apakah produksi tidak berubah.",
        ),
    }
}

/// What a look at a running database's files gave, as one line.
pub fn integrity(voice: &Voice, report: &IntegrityReport) -> String {
    let damaged = report.checksum_failures.unwrap_or_default();
    let sums = match (report.checksums, damaged) {
        (Some(false), _) => pick(voice, "no page checksums", "tanpa checksum halaman").to_owned(),
        (None, _) => pick(
            voice,
            "page checksums: not known",
            "checksum halaman: tidak diketahui",
        )
        .to_owned(),
        (Some(true), 0) => pick(
            voice,
            "page checksums: no damaged page was met",
            "checksum halaman: tidak ada halaman rusak yang ditemui",
        )
        .to_owned(),
        (Some(true), pages) => {
            let met = pick(
                voice,
                "page checksums: DAMAGED PAGES met",
                "checksum halaman: HALAMAN RUSAK ditemui",
            );
            format!("{met}: {pages}")
        }
    };
    let mut line = format!(
        "{}: {}; {sums}",
        report.node,
        index_check(voice, &report.indexes)
    );
    for index in &report.indexes.damaged {
        line.push_str("; ");
        line.push_str(index);
    }
    line
}
