//! What people still have to do: what it is, and what does it.

use crate::downtime::time_kind;
use crate::voice::{Voice, quoted};
use siaga_model::config::Language;
use siaga_model::duty::Duty;
use siaga_model::incident::TimeKind;

/// A duty in words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DutyText {
    /// What is to be done, without the program's name: it also stands in messages.
    pub what: String,
    /// The command that does it, or what a person does.
    pub remedy: String,
}

/// A duty in words.
pub fn duty(voice: impl Into<Voice>, duty: &Duty) -> DutyText {
    let voice = voice.into();
    let (what, remedy) = match voice.language {
        Language::English => english(&voice, duty),
        Language::Indonesian => indonesian(&voice, duty),
    };
    DutyText { what, remedy }
}

fn english(voice: &Voice, duty: &Duty) -> (String, String) {
    match duty {
        Duty::UpdateLate {
            incident, promised, ..
        } => (
            format!(
                "{incident}: news was promised for {}, and none was given.",
                voice.instant(*promised)
            ),
            give_news(incident),
        ),
        Duty::EstimateOver {
            incident,
            over_since,
            ..
        } => (
            format!(
                "{incident}: the estimate that was given ended {}, and the service is not back. A new one is needed.",
                voice.instant(*over_since)
            ),
            give_news(incident),
        ),
        Duty::TimesMissing { incident, times } => (
            format!(
                "{incident}: the service was moved by hand. Nobody has entered yet: {}.",
                names(voice, times)
            ),
            enter(incident, times),
        ),
        Duty::StartWaits { service, until } => (
            format!(
                "{service} is not started after the power loss: automatic acts rest until {}.",
                voice.instant(*until)
            ),
            format!(
                "siaga start --service {service} (at once), or: siaga resume-alerts (ends the rest)"
            ),
        ),
        Duty::PlannedWork {
            notice,
            starts_at,
            released,
        } => match released {
            true => (
                format!(
                    "Planned work begins {}. The units are told.",
                    voice.instant(*starts_at)
                ),
                format!("siaga notice show {notice}"),
            ),
            false => (
                format!(
                    "Planned work begins {}, and nobody has released its notice to the units.",
                    voice.instant(*starts_at)
                ),
                format!("siaga notice release {notice}"),
            ),
        },
        Duty::DrillOverdue {
            last, every_days, ..
        } => (
            match last {
                Some(last) => format!(
                    "A drill is overdue: the last one that was graded was {}; one is due every {every_days} days.",
                    voice.day(*last)
                ),
                None => format!(
                    "A drill is overdue: none was graded yet; one is due every {every_days} days."
                ),
            },
            "siaga drill".to_owned(),
        ),
        Duty::ReviewOverdue { due } => (
            format!("The written procedure was to be reviewed by {due}."),
            "Review it, then set procedure_review_due in the configuration of both servers."
                .to_owned(),
        ),
        Duty::ActionOverdue {
            incident,
            number,
            text,
            owner,
            due,
        } => (
            format!(
                "{incident}: corrective action {number} was due {due}: {} ({}).",
                quoted(text),
                quoted(owner)
            ),
            format!("siaga incident action-done {number} --incident {incident}"),
        ),
    }
}

fn indonesian(voice: &Voice, duty: &Duty) -> (String, String) {
    match duty {
        Duty::UpdateLate {
            incident, promised, ..
        } => (
            format!(
                "{incident}: informasi berikutnya dijanjikan {}, tetapi belum ada yang diberikan.",
                voice.instant(*promised)
            ),
            give_news(incident),
        ),
        Duty::EstimateOver {
            incident,
            over_since,
            ..
        } => (
            format!(
                "{incident}: perkiraan yang diberikan berakhir {}, tetapi layanan belum pulih. Perkiraan baru diperlukan.",
                voice.instant(*over_since)
            ),
            give_news(incident),
        ),
        Duty::TimesMissing { incident, times } => (
            format!(
                "{incident}: layanan dipindahkan secara manual. Waktu yang belum diisi: {}.",
                names(voice, times)
            ),
            enter(incident, times),
        ),
        Duty::StartWaits { service, until } => (
            format!(
                "{service} tidak dijalankan setelah listrik padam: tindakan otomatis dihentikan sampai {}.",
                voice.instant(*until)
            ),
            format!(
                "siaga start --service {service} (sekarang), atau: siaga resume-alerts (mengakhiri jeda)"
            ),
        ),
        Duty::PlannedWork {
            notice,
            starts_at,
            released,
        } => match released {
            true => (
                format!(
                    "Pekerjaan terencana dimulai {}. Unit sudah diberi tahu.",
                    voice.instant(*starts_at)
                ),
                format!("siaga notice show {notice}"),
            ),
            false => (
                format!(
                    "Pekerjaan terencana dimulai {}, tetapi pemberitahuannya kepada unit belum disetujui.",
                    voice.instant(*starts_at)
                ),
                format!("siaga notice release {notice}"),
            ),
        },
        Duty::DrillOverdue {
            last, every_days, ..
        } => (
            match last {
                Some(last) => format!(
                    "Simulasi sudah terlambat: simulasi terakhir yang dinilai adalah {}; jadwalnya setiap {every_days} hari.",
                    voice.day(*last)
                ),
                None => format!(
                    "Simulasi sudah terlambat: belum ada simulasi yang dinilai; jadwalnya setiap {every_days} hari."
                ),
            },
            "siaga drill".to_owned(),
        ),
        Duty::ReviewOverdue { due } => (
            format!("Prosedur tertulis seharusnya ditinjau paling lambat {due}."),
            "Tinjau prosedur itu, lalu perbarui procedure_review_due di konfigurasi kedua server."
                .to_owned(),
        ),
        Duty::ActionOverdue {
            incident,
            number,
            text,
            owner,
            due,
        } => (
            format!(
                "{incident}: tindakan perbaikan {number} jatuh tempo {due}: {} ({}).",
                quoted(text),
                quoted(owner)
            ),
            format!("siaga incident action-done {number} --incident {incident}"),
        ),
    }
}

fn give_news(incident: &str) -> String {
    format!(
        "siaga incident estimate --incident {incident}; siaga notice draft update --incident {incident}"
    )
}

fn names(voice: &Voice, times: &[TimeKind]) -> String {
    let names: Vec<&str> = times.iter().map(|t| time_kind(voice, *t)).collect();
    names.join(", ")
}

fn enter(incident: &str, times: &[TimeKind]) -> String {
    let one = |time: &TimeKind| {
        let word = match time {
            TimeKind::Offline => "offline",
            TimeKind::ClientOk => "client-ok",
            TimeKind::LastOk => "last-ok",
            TimeKind::Detected => "detected",
            TimeKind::Reported => "reported",
            TimeKind::Confirmed => "confirmed",
            TimeKind::FirstNotice => "first-notice",
            TimeKind::Decided => "decided",
            TimeKind::Fenced => "fenced",
            TimeKind::TakeStart => "take-start",
            TimeKind::DatabaseAccepting => "database-accepting",
            TimeKind::AllClear => "all-clear",
        };
        format!("siaga incident time {word} TIME --incident {incident}")
    };
    times.iter().map(one).collect::<Vec<_>>().join("; ")
}
