//! Why something was not written into an incident's record, with the remedy.

use crate::Voice;
use crate::downtime::incident_state;
use siaga_model::UnitName;
use siaga_model::config::Language;
use siaga_model::incident_api::IncidentRefusal as R;

/// What is wrong, and what to do. Nothing was written.
pub fn incident_refusal(voice: &Voice, refusal: &R) -> String {
    if let R::NotAllowed { refusal } = refusal {
        return crate::refusal(voice, refusal);
    }
    match voice.language {
        Language::English => english(voice, refusal),
        Language::Indonesian => indonesian(voice, refusal),
    }
}

fn english(voice: &Voice, refusal: &R) -> String {
    match refusal {
        R::IncidentUnknown { asked } => format!(
            "No incident has the number {asked}. `siaga incident list` shows them."
        ),
        R::NoneOpen => "No incident is open. Name one with --incident, or open one with `siaga incident open`."
            .to_owned(),
        R::SeveralOpen { ids } => {
            format!("Several incidents are open: {}. Name one with --incident.", ids.join(", "))
        }
        R::IncidentOver { id, state } => format!(
            "{id} is over ({}). Notes, corrective actions and signatures may still be added.",
            incident_state(voice, *state)
        ),
        R::EndBeforeStart { start, end } => format!(
            "The end ({}) lies before the start ({}). Check the day and the hour.",
            voice.instant(*end),
            voice.instant(*start)
        ),
        R::InTheFuture { at } => format!(
            "{} has not come yet. Check the day and the hour.",
            voice.instant(*at)
        ),
        R::AllClearMissing { id } => format!(
            "{id} has no all-clear. Give it with `siaga incident all-clear`, or close with --reason."
        ),
        R::BackEntryOpen { id, units } => format!(
            "{id}: paper forms of {} are not all entered. Enter the figures with `siaga incident back-entry`, or close with --reason.",
            names(units)
        ),
        R::NotRestored { id } => format!(
            "{id}: nobody has seen the service work. Look with `siaga status`; say `siaga incident restored` if clients work."
        ),
        R::UnitUnknown { unit, known } if known.is_empty() => {
            format!("There is no unit {unit}: the configuration has none. Add [[unit]] to siaga.toml.")
        }
        R::UnitUnknown { unit, known } => {
            format!("There is no unit {unit}. The units are {}.", names(known))
        }
        R::ServiceUnknown { service } => format!("There is no service {service}."),
        R::ActionUnknown { number } => {
            format!("There is no corrective action {number}. `siaga incident show` lists them.")
        }
        R::TextMissing { name } => format!("{name} is needed, and must not be empty."),
        R::BadDay { name, found } => {
            format!("{name}: {found:?} is not a day. Write it as 2026-12-01.")
        }
        R::TooLong { name, at_most } => {
            format!("{name} is too long: at most {at_most} bytes.")
        }
        R::Signed { id } => format!(
            "{id} is signed: its record is not changed any more. Add a note with `siaga incident note`."
        ),
        R::TooManyEntered { forms, entered } => format!(
            "{entered} entered of {forms} forms can't be right. Count again."
        ),
        R::PersonNeeded => "Your account is not on the list of people. Say who you are with --as (as root), or add your login to siaga.toml."
            .to_owned(),
        R::NotAllowed { refusal } => crate::refusal(voice, refusal),
    }
}

fn indonesian(voice: &Voice, refusal: &R) -> String {
    match refusal {
        R::IncidentUnknown { asked } => format!(
            "Tidak ada insiden bernomor {asked}. Lihat daftarnya dengan `siaga incident list`."
        ),
        R::NoneOpen => "Tidak ada insiden yang terbuka. Sebutkan dengan --incident, atau buka dengan `siaga incident open`."
            .to_owned(),
        R::SeveralOpen { ids } => format!(
            "Ada beberapa insiden terbuka: {}. Sebutkan salah satu dengan --incident.",
            ids.join(", ")
        ),
        R::IncidentOver { id, state } => format!(
            "{id} sudah selesai ({}). Yang masih dapat ditambahkan: catatan, tindakan perbaikan, dan tanda tangan.",
            incident_state(voice, *state)
        ),
        R::EndBeforeStart { start, end } => format!(
            "Waktu akhir ({}) lebih awal daripada waktu mulai ({}). Periksa tanggal dan jamnya.",
            voice.instant(*end),
            voice.instant(*start)
        ),
        R::InTheFuture { at } => format!(
            "{} belum terjadi. Periksa tanggal dan jamnya.",
            voice.instant(*at)
        ),
        R::AllClearMissing { id } => format!(
            "{id} belum dinyatakan pulih. Nyatakan dengan `siaga incident all-clear`, atau tutup dengan --reason."
        ),
        R::BackEntryOpen { id, units } => format!(
            "{id}: formulir manual {} belum semuanya dientri ulang. Isi jumlahnya dengan `siaga incident back-entry`, atau tutup dengan --reason.",
            names(units)
        ),
        R::NotRestored { id } => format!(
            "{id}: belum ada yang melihat layanan berfungsi. Periksa dengan `siaga status`; nyatakan `siaga incident restored` bila klien sudah berfungsi."
        ),
        R::UnitUnknown { unit, known } if known.is_empty() => format!(
            "Unit {unit} tidak ada: konfigurasi belum memuat unit. Tambahkan [[unit]] pada siaga.toml."
        ),
        R::UnitUnknown { unit, known } => {
            format!("Unit {unit} tidak ada. Unit yang ada: {}.", names(known))
        }
        R::ServiceUnknown { service } => format!("Layanan {service} tidak ada."),
        R::ActionUnknown { number } => format!(
            "Tindakan perbaikan {number} tidak ada. Lihat daftarnya dengan `siaga incident show`."
        ),
        R::TextMissing { name } => format!("{name} wajib diisi dan tidak boleh kosong."),
        R::BadDay { name, found } => {
            format!("{name}: {found:?} bukan tanggal. Tulis seperti 2026-12-01.")
        }
        R::TooLong { name, at_most } => {
            format!("{name} terlalu panjang: paling banyak {at_most} bita.")
        }
        R::Signed { id } => format!(
            "{id} sudah ditandatangani: isinya tidak diubah lagi. Tambahkan catatan dengan `siaga incident note`."
        ),
        R::TooManyEntered { forms, entered } => format!(
            "{entered} dientri dari {forms} formulir tidak mungkin benar. Hitung kembali."
        ),
        R::PersonNeeded => "Akun Anda tidak ada dalam daftar orang. Sebutkan nama dengan --as (sebagai root), atau tambahkan login Anda pada siaga.toml."
            .to_owned(),
        R::NotAllowed { refusal } => crate::refusal(voice, refusal),
    }
}

fn names(units: &[UnitName]) -> String {
    let names: Vec<&str> = units.iter().map(UnitName::as_str).collect();
    names.join(", ")
}
