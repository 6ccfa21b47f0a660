//! Texts of the screens about notices.

use crate::voice::{Voice, list, quoted};
use siaga_model::config::Language;
use siaga_model::notice_api::{DeliveryState, NoticeRefusal, NoticeState};
use siaga_model::{NoticeId, UtcMicros};

/// A text with its arguments.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NoticeScreen {
    /// Above a text that is shown with values of no downtime.
    MadeUp,
    /// Written, and how it is released.
    Written {
        notice: NoticeId,
    },
    Released {
        notice: NoticeId,
    },
    Dropped {
        notice: NoticeId,
    },
    Ticked,
    Acknowledged,
    Paused {
        until: UtcMicros,
    },
    AlertsResumed,
    Refused {
        why: NoticeRefusal,
    },
    Failed {
        why: String,
    },
    NoNotices,
    /// Alerts rest.
    PauseStands {
        until: UtcMicros,
        reason: String,
        by: String,
    },
    State {
        state: NoticeState,
    },
    Delivery {
        state: DeliveryState,
    },
    /// So many of so many have acknowledged.
    AcknowledgedBy {
        have: usize,
        of: usize,
    },
    NotAcknowledged,
    ReadBy {
        by: String,
        at: UtcMicros,
    },
    AnAlert,
    /// To people of the site, who need not answer.
    AMessage,
    Bypassed,
    /// The unit has no address.
    NoAddress,
    /// Nothing of it is left for a person.
    NothingByHand,
    /// Above what a person copies and sends.
    CopyThis,
    TickWith {
        notice: NoticeId,
        unit: String,
    },
    ShareLink,
    BadTime {
        text: String,
    },
}

/// A text in words.
pub fn notice_screen(voice: impl Into<Voice>, text: &NoticeScreen) -> String {
    let voice = voice.into();
    match voice.language {
        Language::English => english(&voice, text),
        Language::Indonesian => indonesian(&voice, text),
    }
}

fn english(voice: &Voice, text: &NoticeScreen) -> String {
    match text {
        NoticeScreen::MadeUp => "--- an example: every value is made up ---".to_owned(),
        NoticeScreen::Written { notice } => format!(
            "Written: {notice}. It goes nowhere yet.\n  Look at it with: siaga notice show {notice}\n  \
             Release it with: siaga notice release {notice}"
        ),
        NoticeScreen::Released { notice } => {
            format!(
                "Released: {notice} goes out now.\n  Follow it with: siaga notice show {notice}"
            )
        }
        NoticeScreen::Dropped { notice } => format!("Dropped: {notice} goes nowhere any more."),
        NoticeScreen::Ticked => "Ticked off as sent.".to_owned(),
        NoticeScreen::Acknowledged => "Recorded as acknowledged.".to_owned(),
        NoticeScreen::Paused { until } => format!(
            "Alerts rest until {}.\n  End it before with: siaga resume-alerts",
            voice.instant(*until)
        ),
        NoticeScreen::AlertsResumed => "Alerts go out again.".to_owned(),
        NoticeScreen::Refused { why } => refusal_en(why),
        NoticeScreen::Failed { why } => format!("The log could not be written: {}.", quoted(why)),
        NoticeScreen::NoNotices => "No notice was written yet.".to_owned(),
        NoticeScreen::PauseStands { until, reason, by } => format!(
            "Alerts rest until {}, by {}: {}.",
            voice.instant(*until),
            quoted(by),
            quoted(reason)
        ),
        NoticeScreen::State { state } => match state {
            NoticeState::Draft => "waits for its release",
            NoticeState::Sending => "on its way",
            NoticeState::SomeFailed => "NOT ALL SENT",
            NoticeState::Sent => "sent",
            NoticeState::Dropped => "dropped",
        }
        .to_owned(),
        NoticeScreen::Delivery { state } => match state {
            DeliveryState::Resting => "rests",
            DeliveryState::Waiting => "waits",
            DeliveryState::Sending => "being sent",
            DeliveryState::Sent => "sent",
            DeliveryState::GivenUp => "GIVEN UP",
            DeliveryState::ByHand => "TO BE SENT BY A PERSON",
        }
        .to_owned(),
        NoticeScreen::AcknowledgedBy { have, of } => format!("{have} of {of} have read it"),
        NoticeScreen::NotAcknowledged => "not acknowledged yet".to_owned(),
        NoticeScreen::ReadBy { by, at } => {
            format!("read: {}, {}", quoted(by), voice.instant(*at))
        }
        NoticeScreen::AnAlert => "alert".to_owned(),
        NoticeScreen::AMessage => "message".to_owned(),
        NoticeScreen::Bypassed => {
            "It went out without a release: nobody gave it in time.".to_owned()
        }
        NoticeScreen::NoAddress => "no address: use the call list".to_owned(),
        NoticeScreen::NothingByHand => "Nothing of it is left to be sent by a person.".to_owned(),
        NoticeScreen::CopyThis => "Copy this text and send it to:".to_owned(),
        NoticeScreen::TickWith { notice, unit } => {
            format!("Sent? Tick it off with: siaga notice send-by-hand {notice} --done {unit}")
        }
        NoticeScreen::ShareLink => "Or open this link on a telephone:".to_owned(),
        NoticeScreen::BadTime { text } => format!(
            "\"{text}\" is no time. Write 14:05, +30m, 2026-12-01T22:00, or RFC 3339; a range as 14:20..14:45."
        ),
    }
}

fn refusal_en(why: &NoticeRefusal) -> String {
    match why {
        NoticeRefusal::NoSuchNotice { notice } => format!(
            "There is no notice {notice}.\n  The notices: siaga notice list"
        ),
        NoticeRefusal::NoSuchIncident { asked } => format!(
            "There is no incident {asked}.\n  The incidents: siaga incident list"
        ),
        NoticeRefusal::NoSuchUnit { unit, units } => {
            format!("There is no unit {unit} here.\n  The units: {}", list(units))
        }
        NoticeRefusal::NoSuchDelivery { delivery } => format!(
            "There is nothing named {delivery} in this notice.\n  See: siaga notice show"
        ),
        NoticeRefusal::NoUnits => {
            "The site has no units: there is nobody to tell.\n  Describe them with [[unit]] in the configuration."
                .to_owned()
        }
        NoticeRefusal::FactMissing { field } => format!(
            "A text of this moment must say {field}, and it is not known.\n  Give it with --{}.",
            option(field)
        ),
        NoticeRefusal::EndBeforeStart => {
            "The end lies before the start.\n  Correct the times. Nothing was written.".to_owned()
        }
        NoticeRefusal::MayNotRelease { name, decider_only } => format!(
            "{} may not release a notice here.\n  {} may.",
            quoted(name),
            match decider_only {
                true => "A decider",
                false => "A communicator or a decider",
            }
        ),
        NoticeRefusal::AlreadyReleased => {
            "It is released already.\n  Correct it with a new notice of the moment update.".to_owned()
        }
        NoticeRefusal::AlreadyDropped => {
            "It was dropped.\n  Write a new one: siaga notice draft".to_owned()
        }
        NoticeRefusal::NotReleased => {
            "It is not released yet.\n  Release it first: siaga notice release".to_owned()
        }
        NoticeRefusal::WrongKind => {
            "An alert is acknowledged by who is on call, a notice by a unit (--unit).".to_owned()
        }
        NoticeRefusal::NotByHand { delivery } => format!(
            "{delivery} is sent by its channel: nobody has to tick it off.\n  See how it goes: siaga notice show"
        ),
        NoticeRefusal::ReasonMissing => "A reason is needed: it goes into the log.".to_owned(),
        NoticeRefusal::BadPause { most_s } => format!(
            "Alerts may rest for at most {} hours, and for more than nothing.",
            most_s / 3600
        ),
        NoticeRefusal::NotPaused => "Alerts do not rest.".to_owned(),
    }
}

/// The option that gives a field.
fn option(field: &str) -> String {
    match field {
        "window" => "from and --to".to_owned(),
        field => field.replace('_', "-"),
    }
}

fn indonesian(voice: &Voice, text: &NoticeScreen) -> String {
    match text {
        NoticeScreen::MadeUp => "--- contoh: semua nilai di bawah ini rekaan ---".to_owned(),
        NoticeScreen::Written { notice } => format!(
            "Ditulis: {notice}. Belum dikirim ke mana pun.\n  Lihat dengan: siaga notice show {notice}\n  \
             Lepas dengan: siaga notice release {notice}"
        ),
        NoticeScreen::Released { notice } => format!(
            "Dilepas: {notice} sedang dikirim.\n  Pantau dengan: siaga notice show {notice}"
        ),
        NoticeScreen::Dropped { notice } => {
            format!("Dibatalkan: {notice} tidak dikirim lagi.")
        }
        NoticeScreen::Ticked => "Dicentang sebagai terkirim.".to_owned(),
        NoticeScreen::Acknowledged => "Dicatat sebagai diterima.".to_owned(),
        NoticeScreen::Paused { until } => format!(
            "Peringatan petugas jaga ditahan sampai {}.\n  Akhiri lebih awal dengan: siaga resume-alerts",
            voice.instant(*until)
        ),
        NoticeScreen::AlertsResumed => "Peringatan petugas jaga dikirim lagi.".to_owned(),
        NoticeScreen::Refused { why } => refusal_id(why),
        NoticeScreen::Failed { why } => format!("Catatan tidak dapat ditulis: {}.", quoted(why)),
        NoticeScreen::NoNotices => "Belum ada pemberitahuan.".to_owned(),
        NoticeScreen::PauseStands { until, reason, by } => format!(
            "Peringatan petugas jaga ditahan sampai {}, oleh {}: {}.",
            voice.instant(*until),
            quoted(by),
            quoted(reason)
        ),
        NoticeScreen::State { state } => match state {
            NoticeState::Draft => "menunggu persetujuan",
            NoticeState::Sending => "sedang dikirim",
            NoticeState::SomeFailed => "TIDAK SEMUA TERKIRIM",
            NoticeState::Sent => "terkirim",
            NoticeState::Dropped => "dibatalkan",
        }
        .to_owned(),
        NoticeScreen::Delivery { state } => match state {
            DeliveryState::Resting => "tidak dikirim",
            DeliveryState::Waiting => "menunggu",
            DeliveryState::Sending => "sedang dikirim",
            DeliveryState::Sent => "terkirim",
            DeliveryState::GivenUp => "GAGAL",
            DeliveryState::ByHand => "HARUS DIKIRIM PETUGAS",
        }
        .to_owned(),
        NoticeScreen::AcknowledgedBy { have, of } => format!("{have} dari {of} sudah menerima"),
        NoticeScreen::NotAcknowledged => "belum dikonfirmasi".to_owned(),
        NoticeScreen::ReadBy { by, at } => {
            format!("diterima: {}, {}", quoted(by), voice.instant(*at))
        }
        NoticeScreen::AnAlert => "peringatan petugas jaga".to_owned(),
        NoticeScreen::AMessage => "pesan".to_owned(),
        NoticeScreen::Bypassed => {
            "Dikirim tanpa persetujuan: tidak ada yang menyetujui pada waktunya.".to_owned()
        }
        NoticeScreen::NoAddress => "tanpa alamat: gunakan daftar telepon".to_owned(),
        NoticeScreen::NothingByHand => "Tidak ada lagi yang harus dikirim petugas.".to_owned(),
        NoticeScreen::CopyThis => "Salin teks ini dan kirim kepada:".to_owned(),
        NoticeScreen::TickWith { notice, unit } => format!(
            "Sudah dikirim? Centang dengan: siaga notice send-by-hand {notice} --done {unit}"
        ),
        NoticeScreen::ShareLink => "Atau buka tautan ini di telepon:".to_owned(),
        NoticeScreen::BadTime { text } => format!(
            "\"{text}\" bukan waktu. Tulis 14:05, +30m, 2026-12-01T22:00, atau RFC 3339; rentang seperti 14:20..14:45."
        ),
    }
}

fn refusal_id(why: &NoticeRefusal) -> String {
    match why {
        NoticeRefusal::NoSuchNotice { notice } => format!(
            "Tidak ada pemberitahuan {notice}.\n  Daftarnya: siaga notice list"
        ),
        NoticeRefusal::NoSuchIncident { asked } => format!(
            "Tidak ada insiden {asked}.\n  Daftar insiden: siaga incident list"
        ),
        NoticeRefusal::NoSuchUnit { unit, units } => {
            format!("Tidak ada unit {unit} di sini.\n  Unit yang ada: {}", list(units))
        }
        NoticeRefusal::NoSuchDelivery { delivery } => format!(
            "Tidak ada {delivery} di pemberitahuan ini.\n  Lihat: siaga notice show"
        ),
        NoticeRefusal::NoUnits => {
            "Belum ada unit: tidak ada yang dapat diberi tahu.\n  Tulis dengan [[unit]] di konfigurasi."
                .to_owned()
        }
        NoticeRefusal::FactMissing { field } => format!(
            "Teks untuk saat ini harus memuat {field}, tetapi belum diketahui.\n  Berikan dengan --{}.",
            option(field)
        ),
        NoticeRefusal::EndBeforeStart => {
            "Waktu akhir lebih awal dari waktu mulai.\n  Perbaiki waktunya. Tidak ada yang ditulis.".to_owned()
        }
        NoticeRefusal::MayNotRelease { name, decider_only } => format!(
            "{} tidak boleh melepas pemberitahuan di sini.\n  Yang boleh: {}.",
            quoted(name),
            match decider_only {
                true => "pengambil keputusan (decider)",
                false => "petugas komunikasi (communicator) atau pengambil keputusan (decider)",
            }
        ),
        NoticeRefusal::AlreadyReleased => {
            "Sudah dilepas.\n  Perbaiki dengan pemberitahuan baru untuk saat update.".to_owned()
        }
        NoticeRefusal::AlreadyDropped => {
            "Sudah dibatalkan.\n  Tulis yang baru: siaga notice draft".to_owned()
        }
        NoticeRefusal::NotReleased => {
            "Belum dilepas.\n  Lepas dulu: siaga notice release".to_owned()
        }
        NoticeRefusal::WrongKind => {
            "Peringatan dikonfirmasi oleh petugas jaga, pemberitahuan oleh unit (--unit).".to_owned()
        }
        NoticeRefusal::NotByHand { delivery } => format!(
            "{delivery} dikirim oleh salurannya: tidak perlu dicentang.\n  Lihat jalannya: siaga notice show"
        ),
        NoticeRefusal::ReasonMissing => "Alasan diperlukan dan akan dicatat.".to_owned(),
        NoticeRefusal::BadPause { most_s } => format!(
            "Peringatan dapat ditahan paling lama {} jam, dan lebih dari nol.",
            most_s / 3600
        ),
        NoticeRefusal::NotPaused => "Peringatan petugas jaga tidak sedang ditahan.".to_owned(),
    }
}
