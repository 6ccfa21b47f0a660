//! The words of incidents and notices: their parts by name, and their rows as lines.

use crate::{Voice, duration};
use siaga_model::config::Language;
use siaga_model::incident::{
    CauseCategory, Estimate, IncidentEntry, IncidentKind, Level, Origin, Scope, SignedAs, TimeKind,
};
use siaga_model::notice::{About, AckHow, AlertCause, Moment, NoticeEntry, Recipient};
use siaga_model::proof::Ground;
use siaga_model::record::IncidentState;

/// One of two texts.
pub(crate) fn pick(voice: &Voice, english: &'static str, indonesian: &'static str) -> &'static str {
    match voice.language {
        Language::English => english,
        Language::Indonesian => indonesian,
    }
}

/// `unplanned`, `tidak terencana`.
pub fn incident_kind(voice: &Voice, kind: IncidentKind) -> &'static str {
    match kind {
        IncidentKind::Unplanned => pick(voice, "unplanned", "tidak terencana"),
        IncidentKind::SemiPlanned => pick(voice, "semi-planned", "semi terencana"),
        IncidentKind::Planned => pick(voice, "planned", "terencana"),
        IncidentKind::Drill => pick(voice, "drill", "simulasi"),
    }
}

/// How far an incident is.
pub fn incident_state(voice: &Voice, state: IncidentState) -> &'static str {
    match state {
        IncidentState::Suspected => pick(voice, "suspected", "dugaan"),
        IncidentState::Confirmed => pick(voice, "confirmed", "terkonfirmasi"),
        IncidentState::UnderWatch => pick(voice, "under watch", "dipantau"),
        IncidentState::AllClear => pick(voice, "all-clear", "dinyatakan pulih"),
        IncidentState::Closed => pick(voice, "closed", "ditutup"),
        IncidentState::Withdrawn => pick(voice, "withdrawn", "batal"),
        IncidentState::Merged => pick(voice, "merged", "digabung"),
    }
}

/// All services, or a part.
pub fn scope(voice: &Voice, scope: Scope) -> &'static str {
    match scope {
        Scope::Whole => pick(voice, "whole system", "seluruh sistem"),
        Scope::Part => pick(voice, "part of the system", "sebagian sistem"),
    }
}

/// What a level means for the units.
pub fn level(voice: &Voice, level: Level) -> &'static str {
    match level {
        Level::G0 => pick(
            voice,
            "G0: some functions are disturbed",
            "G0: gangguan sebagian",
        ),
        Level::G1 => pick(
            voice,
            "G1: down up to 15 minutes",
            "G1: henti s.d. 15 menit",
        ),
        Level::G2 => pick(
            voice,
            "G2: down 15 to 60 minutes, paper for what is urgent",
            "G2: henti 15-60 menit, formulir manual untuk yang mendesak",
        ),
        Level::G3 => pick(
            voice,
            "G3: down more than 60 minutes or not known, full paper",
            "G3: henti lebih dari 60 menit atau belum diketahui, seluruhnya manual",
        ),
        Level::G4 => pick(
            voice,
            "G4: down more than 8 hours or data lost, disaster plan",
            "G4: henti lebih dari 8 jam atau data hilang, rencana bencana",
        ),
    }
}

/// A time of the record.
pub fn time_kind(voice: &Voice, kind: TimeKind) -> &'static str {
    match kind {
        TimeKind::LastOk => pick(voice, "last success", "terakhir berfungsi"),
        TimeKind::Offline => pick(voice, "offline", "offline"),
        TimeKind::Detected => pick(voice, "detected", "terdeteksi"),
        TimeKind::Reported => pick(voice, "reported", "dilaporkan"),
        TimeKind::Confirmed => pick(voice, "confirmed", "terkonfirmasi"),
        TimeKind::FirstNotice => pick(voice, "first notice", "pemberitahuan pertama"),
        TimeKind::Decided => pick(voice, "decided", "diputuskan"),
        TimeKind::Fenced => pick(voice, "old server made safe", "server lama diisolasi"),
        TimeKind::TakeStart => pick(voice, "takeover begun", "ambil alih dimulai"),
        TimeKind::DatabaseAccepting => {
            pick(voice, "database accepts", "basis data menerima koneksi")
        }
        TimeKind::ClientOk => pick(
            voice,
            "online (first client)",
            "online (klien pertama berhasil)",
        ),
        TimeKind::AllClear => pick(voice, "all-clear", "dinyatakan pulih"),
    }
}

/// A category of causes.
pub fn cause_category(voice: &Voice, category: CauseCategory) -> &'static str {
    match category {
        CauseCategory::NotKnown => pick(voice, "not known yet", "belum diketahui"),
        CauseCategory::Power => pick(voice, "power", "listrik"),
        CauseCategory::Network => pick(voice, "network", "jaringan"),
        CauseCategory::Hardware => pick(voice, "hardware", "perangkat keras"),
        CauseCategory::Storage => pick(voice, "storage", "penyimpanan"),
        CauseCategory::OperatingSystem => pick(voice, "operating system", "sistem operasi"),
        CauseCategory::Database => pick(voice, "database", "basis data"),
        CauseCategory::Application => pick(voice, "application", "aplikasi"),
        CauseCategory::Human => pick(voice, "human error", "kesalahan manusia"),
        CauseCategory::PlannedWork => pick(voice, "planned work", "pekerjaan terencana"),
        CauseCategory::Drill => pick(voice, "drill", "simulasi"),
    }
}

/// How a run or a step of a record ended, by its stable name.
pub fn ended(voice: &Voice, name: &str) -> String {
    let said = match name {
        "done" => pick(voice, "done", "selesai"),
        "refused" => pick(voice, "refused", "ditolak"),
        "restored" => pick(voice, "ended where it started", "kembali ke tempat semula"),
        "stuck" => pick(voice, "stuck", "macet"),
        "failed" => pick(voice, "failed", "gagal"),
        "unknown" => pick(voice, "unknown", "tidak diketahui"),
        other => return other.to_owned(),
    };
    said.to_owned()
}

/// Why the old server could do no harm, by one proof.
pub fn ground(voice: &Voice, ground: &Ground) -> String {
    match ground {
        Ground::Released => pick(voice, "it let go", "ia melepas").to_owned(),
        Ground::Fenced { device, .. } => {
            format!("{} {device}", pick(voice, "fenced by", "diisolasi oleh"))
        }
        Ground::Attested { by, .. } => {
            format!("{} {by}", pick(voice, "attested by", "dinyatakan oleh"))
        }
    }
}

/// As what somebody signs.
pub fn signed_as(voice: &Voice, part: SignedAs) -> &'static str {
    match part {
        SignedAs::Performer => pick(voice, "performing officer", "petugas pelaksana"),
        SignedAs::Verifier => pick(
            voice,
            "head of IT (verified)",
            "Kepala Unit SIMRS (verifikator)",
        ),
        SignedAs::Management => pick(voice, "management (noted)", "manajemen (mengetahui)"),
    }
}

/// A moment of a notice.
pub fn moment(voice: &Voice, moment: Moment) -> &'static str {
    match moment {
        Moment::Suspected => pick(voice, "suspected", "dugaan gangguan"),
        Moment::Confirmed => pick(voice, "confirmed", "terkonfirmasi"),
        Moment::Update => pick(voice, "update", "pembaruan"),
        Moment::Action => pick(voice, "being moved", "alih server"),
        Moment::Restored => pick(voice, "restored, under watch", "pulih, dipantau"),
        Moment::AllClear => pick(voice, "all-clear", "dinyatakan pulih"),
        Moment::Planned => pick(voice, "planned work", "pekerjaan terencana"),
        Moment::FollowUp => pick(voice, "follow-up", "tindak lanjut"),
        Moment::Withdrawn => pick(voice, "withdrawn", "batal"),
    }
}

/// What opened an incident.
pub fn origin(voice: &Voice, origin: &Origin) -> String {
    match origin {
        Origin::Person => pick(voice, "a person", "petugas").to_owned(),
        Origin::ClientTests => pick(voice, "client tests failed", "uji klien gagal").to_owned(),
        Origin::CannotTell => pick(
            voice,
            "nobody can tell whether it works",
            "tidak dapat dipastikan apakah berfungsi",
        )
        .to_owned(),
        Origin::Run { run } => format!("{} {run}", pick(voice, "run", "proses")),
        Origin::ByHand => pick(
            voice,
            "a move made by hand",
            "pemindahan yang dilakukan manual",
        )
        .to_owned(),
    }
}

/// `12 min to 25 min, likely 15 min`, or "not yet known".
pub fn estimate(voice: &Voice, estimate: &Estimate) -> String {
    let Some(range) = estimate.range else {
        return pick(voice, "not yet known", "belum dapat diperkirakan").to_owned();
    };
    let span = |s: u64| duration(voice, s.saturating_mul(1000));
    format!(
        "{} - {}, {} {}",
        span(range.low_s),
        span(range.high_s),
        pick(voice, "likely", "kemungkinan"),
        span(range.likely_s)
    )
}

/// One row of an incident, as one line.
pub fn incident_entry(voice: &Voice, entry: &IncidentEntry) -> String {
    let says = |english, indonesian, detail: &str| {
        let head = pick(voice, english, indonesian);
        match detail.is_empty() {
            true => head.to_owned(),
            false => format!("{head}: {}", crate::voice::quoted(detail)),
        }
    };
    match entry {
        IncidentEntry::Opened {
            number,
            kind,
            origin: by,
            first,
            ..
        } => {
            let mut detail = format!(
                "{number}, {}, {}",
                incident_kind(voice, *kind),
                origin(voice, by)
            );
            if !first.symptom.is_empty() {
                detail.push_str(&format!("; {}", first.symptom));
            }
            says("incident opened", "insiden dibuka", &detail)
        }
        IncidentEntry::Confirmed => says("incident confirmed", "insiden terkonfirmasi", ""),
        IncidentEntry::Classified {
            kind,
            scope: how_far,
            level: how_bad,
        } => {
            let parts = [
                kind.map(|k| incident_kind(voice, k)),
                how_far.map(|s| scope(voice, s)),
                how_bad.map(|l| level(voice, l)),
            ];
            let parts: Vec<&str> = parts.into_iter().flatten().collect();
            says("classified", "diklasifikasikan", &parts.join(", "))
        }
        IncidentEntry::TimeEntered { time, at, reason } => {
            let at = at.map_or_else(
                || pick(voice, "not known", "tidak diketahui").to_owned(),
                |at| voice.instant(at),
            );
            let detail = format!("{} {at}; {reason}", time_kind(voice, *time));
            says("time entered", "waktu diisi", &detail)
        }
        IncidentEntry::CauseGiven { category, text } => {
            let detail = format!("{}; {text}", cause_category(voice, *category));
            says("cause", "penyebab", &detail)
        }
        IncidentEntry::Decided { decision, decider } => {
            let by = decider.as_ref().map(|d| format!(" ({d})"));
            says(
                "decided",
                "diputuskan",
                &format!("{decision}{}", by.unwrap_or_default()),
            )
        }
        IncidentEntry::MovedByHand { node } => says(
            "found moved by hand, serving on",
            "ditemukan dipindahkan secara manual, melayani di",
            node.as_str(),
        ),
        IncidentEntry::RunJoined { run } => {
            says("run belongs to it", "proses terkait", run.as_str())
        }
        IncidentEntry::Estimated { estimate: given } => {
            says("estimate", "perkiraan", &estimate(voice, given))
        }
        IncidentEntry::Updated { text } => says("update", "pembaruan", text),
        IncidentEntry::Noted { text } => says("note", "catatan", text),
        IncidentEntry::Acknowledged { person } => {
            says("taken care of by", "ditangani oleh", person.as_str())
        }
        IncidentEntry::Restored { watch_until } => says(
            "works again, watched until",
            "pulih, dipantau sampai",
            &voice.instant(*watch_until),
        ),
        IncidentEntry::AllClear => says("all-clear", "dinyatakan pulih", ""),
        IncidentEntry::Withdrawn { reason } => says("withdrawn", "dinyatakan batal", reason),
        IncidentEntry::MergedInto { incident } => {
            says("the same as", "sama dengan", incident.as_str())
        }
        IncidentEntry::Impact { impact } => says("impact", "dampak", impact.unit.as_str()),
        IncidentEntry::BackEntry { entry } => {
            says("back-entry", "entri ulang", entry.unit.as_str())
        }
        IncidentEntry::Reviewed { review } => says("reviewed", "dievaluasi", &review.root_cause),
        IncidentEntry::Action { action } => {
            let state = match action.done {
                true => pick(voice, "done", "selesai"),
                false => pick(voice, "open", "belum selesai"),
            };
            let detail = format!(
                "{}. {} ({}, {}, {state})",
                action.number, action.text, action.owner, action.due
            );
            says("corrective action", "tindakan perbaikan", &detail)
        }
        IncidentEntry::Signed { part, person } => {
            let detail = format!("{person}, {}", signed_as(voice, *part));
            says("signed", "ditandatangani", &detail)
        }
        IncidentEntry::Closed { reason } => says(
            "incident closed",
            "insiden ditutup",
            reason.as_deref().unwrap_or_default(),
        ),
    }
}

/// One row of a notice, as one line.
pub fn notice_entry(voice: &Voice, entry: &NoticeEntry) -> String {
    let says = |english, indonesian, detail: &str| {
        let head = pick(voice, english, indonesian);
        match detail.is_empty() {
            true => head.to_owned(),
            false => format!("{head}: {}", crate::voice::quoted(detail)),
        }
    };
    let whom = |to: &Recipient| match to {
        Recipient::Unit(unit) => unit.to_string(),
        Recipient::OnCall(person) | Recipient::Person(person) => person.to_string(),
    };
    match entry {
        NoticeEntry::Drafted {
            moment: m, units, ..
        } => {
            let units: Vec<&str> = units.iter().map(|u| u.as_str()).collect();
            let detail = format!("{}; {}", moment(voice, *m), units.join(", "));
            says("notice written", "pemberitahuan ditulis", &detail)
        }
        NoticeEntry::Alert {
            cause, round, to, ..
        } => {
            let why = match cause {
                AlertCause::Trouble => String::new(),
                AlertCause::UpdateLate { promised } => format!(
                    "{} {}; ",
                    pick(voice, "news promised for", "informasi dijanjikan"),
                    voice.instant(*promised)
                ),
                AlertCause::EstimateOver { given_at } => format!(
                    "{} {}; ",
                    pick(voice, "over: the estimate of", "perkiraan terlampaui, dari"),
                    voice.instant(*given_at)
                ),
            };
            let detail = format!("{why}{to} ({round})");
            says("alert", "peringatan petugas jaga", &detail)
        }
        NoticeEntry::Message { about, to, .. } => {
            let what = match about {
                About::Duty { duty } => crate::duty(voice, duty).what,
                About::EventHeads { month } => format!(
                    "{} {month}",
                    pick(voice, "heads of the log for", "kepala log untuk")
                ),
            };
            let to: Vec<&str> = to.iter().map(|p| p.as_str()).collect();
            let detail = format!("{}; {what}", to.join(", "));
            says("message to people", "pesan kepada petugas", &detail)
        }
        NoticeEntry::Released { bypass: false } => {
            says("notice released", "pemberitahuan dilepas", "")
        }
        NoticeEntry::Released { bypass: true } => says(
            "notice sent without a release: nobody released it in time",
            "pemberitahuan dikirim tanpa persetujuan: tidak ada yang menyetujui pada waktunya",
            "",
        ),
        NoticeEntry::Dropped { reason } => {
            says("notice dropped", "pemberitahuan dibatalkan", reason)
        }
        NoticeEntry::Trying { delivery, attempt } => {
            says("sending", "mengirim", &format!("{delivery} ({attempt})"))
        }
        NoticeEntry::Sent { to, channel, .. } => {
            says("sent", "terkirim", &format!("{} ({channel})", whom(to)))
        }
        NoticeEntry::Failed {
            to,
            channel,
            why,
            next_at,
            ..
        } => {
            let then = match next_at {
                Some(_) => pick(voice, "will be tried again", "akan dicoba lagi"),
                None => pick(voice, "given up", "tidak dicoba lagi"),
            };
            says(
                "not sent",
                "tidak terkirim",
                &format!("{} ({channel}); {why}; {then}", whom(to)),
            )
        }
        NoticeEntry::Acknowledged { unit, how, by } => {
            let how = match how {
                AckHow::Link => pick(voice, "link", "tautan"),
                AckHow::Button => pick(voice, "button", "tombol"),
                AckHow::ByHand => pick(voice, "by hand", "dicentang manual"),
            };
            says(
                "received by",
                "diterima oleh",
                &format!("{unit} ({by}, {how})"),
            )
        }
        NoticeEntry::AlertAcknowledged { person } => says(
            "alert acknowledged by",
            "peringatan diterima oleh",
            person.as_str(),
        ),
    }
}
