//! What people of the site are told by name: reminders, and the heads of the log for somebody outside IT.

use crate::templates::Templates;
use siaga_model::UtcMicros;
use siaga_model::config::Language;
use siaga_model::notice::Text;
use siaga_model::seal::Seal;

/// A reminder of something that is to be done; `what` in the words of the screens.
pub fn reminder(language: Language, what: &str) -> Text {
    let (subject, ask) = match language {
        Language::English => (
            "[REMINDER] Information system",
            "What to do stands in the status on the servers. This reminder comes again until it is done.",
        ),
        Language::Indonesian => (
            "[PENGINGAT] Sistem informasi",
            "Langkahnya tertulis pada status di server. Pengingat ini diulang sampai selesai.",
        ),
    };
    Text {
        language,
        subject: subject.to_owned(),
        body: format!("{what}\n{ask}"),
    }
}

/// What a notice to the units says once more, ahead of planned work.
pub fn again(text: &Text) -> Text {
    let mark = match text.language {
        Language::English => "[REMINDER]",
        Language::Indonesian => "[PENGINGAT]",
    };
    Text {
        language: text.language,
        subject: format!("{mark} {}", text.subject),
        body: format!("{mark}\n{}", text.body),
    }
}

/// The heads of the event chains, to be kept by somebody who can't change the log.
pub fn event_heads(
    templates: &Templates,
    language: Language,
    month: &str,
    seal: &Seal,
    now: UtcMicros,
) -> Text {
    let at = templates.moment(language, now, now);
    let (subject, why, keep) = match language {
        Language::English => (
            format!("[LOG] Heads of the downtime log, {month}"),
            format!("These are the last rows of the downtime log of both servers, at {at}."),
            "Please keep this message as it is, outside the IT department. With it anybody can show later whether the \
             log was rewritten: the report's verification reads this message from a file.",
        ),
        Language::Indonesian => (
            format!("[LOG] Kepala log waktu henti, {month}"),
            format!("Berikut baris terakhir log waktu henti dari kedua server, {at}."),
            "Mohon simpan pesan ini apa adanya, di luar unit TI. Dengan pesan ini siapa pun kelak dapat menunjukkan \
             apakah log pernah ditulis ulang: verifikasi laporan membaca pesan ini dari berkas.",
        ),
    };
    let mut lines = vec![why, keep.to_owned(), String::new()];
    lines.extend(
        seal.heads
            .iter()
            .map(|h| format!("{}.{} {} {}", h.node, h.incarnation, h.seq, h.hash)),
    );
    lines.push(format!("digest {}", seal.digest));
    // Microseconds since 1970: what the seal knows it by.
    lines.extend(seal.begins_at.map(|at| format!("begins {}", at.0)));
    Text {
        language,
        subject,
        body: lines.join("\n"),
    }
}
