//! The texts beside the notices: the alert, the announcement over loudspeakers, the call list; and made-up facts that
//! show a template.

use crate::facts::{Drill, Facts};
use crate::fit::drill_mark;
use crate::templates::Templates;
use siaga_model::UtcMicros;
use siaga_model::config::Language;
use siaga_model::notice::Text;

/// Why people are alerted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sign {
    /// The tests from the client's side fail.
    ClientTestsFail,
    /// Nobody can tell whether it works.
    CannotTell,
    /// An update that was promised to the units is late.
    UpdateLate,
    /// The estimate that was given is over, and the service is not back.
    EstimateOver,
}

/// What an alert says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AlertFacts {
    pub sign: Sign,
    pub service: String,
    pub since: UtcMicros,
    pub now: UtcMicros,
    /// The incident's number, where it has one.
    pub number: Option<String>,
    /// What is acknowledged. Empty: nothing is, the reader is only told.
    pub notice: String,
    pub drill: bool,
}

/// The alert to a person on call.
pub fn alert(templates: &Templates, language: Language, facts: &AlertFacts) -> Text {
    let since = templates.moment(language, facts.since, facts.now);
    let (service, notice) = (&facts.service, &facts.notice);
    let (head, what) = match (facts.sign, language) {
        (Sign::ClientTestsFail, Language::English) => (
            format!("[ALERT] {service} does not work"),
            format!("The tests from the client's side of {service} fail since {since}."),
        ),
        (Sign::ClientTestsFail, Language::Indonesian) => (
            format!("[PERINGATAN] {service} tidak berfungsi"),
            format!("Uji dari sisi klien untuk {service} gagal sejak {since}."),
        ),
        (Sign::CannotTell, Language::English) => (
            format!("[ALERT] Nobody can tell whether {service} works"),
            format!(
                "No test has said anything of {service} since {since}. It may work, and it may not."
            ),
        ),
        (Sign::CannotTell, Language::Indonesian) => (
            format!("[PERINGATAN] {service} tidak dapat dipastikan berfungsi"),
            format!(
                "Tidak ada hasil uji untuk {service} sejak {since}. Layanan mungkin berfungsi, mungkin tidak."
            ),
        ),
        (Sign::UpdateLate, Language::English) => (
            format!("[ALERT] An update on {service} is late"),
            format!("The units were promised news of {service} for {since}. None was sent."),
        ),
        (Sign::UpdateLate, Language::Indonesian) => (
            format!("[PERINGATAN] Pembaruan untuk {service} terlambat"),
            format!("Unit dijanjikan informasi {service} {since}, tetapi belum ada yang dikirim."),
        ),
        (Sign::EstimateOver, Language::English) => (
            format!("[ALERT] The estimate for {service} is over"),
            format!(
                "{service} was to work again by {since}, and does not. A new estimate is needed."
            ),
        ),
        (Sign::EstimateOver, Language::Indonesian) => (
            format!("[PERINGATAN] Perkiraan untuk {service} terlampaui"),
            format!(
                "{service} diperkirakan pulih paling lambat {since}, tetapi belum. Perkiraan baru diperlukan."
            ),
        ),
    };
    let (ask, number) = match language {
        Language::English if facts.notice.is_empty() => (
            "Please give news, also where nothing has changed.".to_owned(),
            facts.number.as_ref().map(|n| format!("Log number {n}.")),
        ),
        Language::Indonesian if facts.notice.is_empty() => (
            "Mohon beri kabar, juga bila belum ada perubahan.".to_owned(),
            facts.number.as_ref().map(|n| format!("No. log {n}.")),
        ),
        Language::English => (
            format!("Please look at once, and acknowledge the alert {notice}."),
            facts.number.as_ref().map(|n| format!("Log number {n}.")),
        ),
        Language::Indonesian => (
            format!("Mohon segera diperiksa, dan konfirmasi peringatan {notice}."),
            facts.number.as_ref().map(|n| format!("No. log {n}.")),
        ),
    };
    let body = [Some(what), Some(ask), number];
    let body: Vec<String> = body.into_iter().flatten().collect();
    marked(language, facts.drill, head, body.join("\n"))
}

fn marked(language: Language, drill: bool, subject: String, body: String) -> Text {
    let mark = drill_mark(language);
    let (subject, body) = match drill {
        true => (
            format!("{mark} {subject}"),
            format!("{mark}\n{body}\n{mark}"),
        ),
        false => (subject, body),
    };
    Text {
        language,
        subject,
        body,
    }
}

/// What is read over the loudspeakers: twice, without any jargon.
pub fn announcement(language: Language, drill: bool) -> String {
    let text = match (language, drill) {
        (Language::English, false) => {
            "Attention, all staff. The hospital's information system is disturbed. Please use paper forms. Thank you."
        }
        (Language::English, true) => {
            "Attention, all staff. This is a drill. We rehearse a disturbance of the hospital's information system. \
             This is a drill. Thank you."
        }
        (Language::Indonesian, false) => {
            "Perhatian kepada seluruh petugas. Sistem informasi rumah sakit sedang mengalami gangguan. Mohon \
             menggunakan formulir manual. Terima kasih."
        }
        (Language::Indonesian, true) => {
            "Perhatian kepada seluruh petugas. Ini adalah simulasi. Kami sedang berlatih menghadapi gangguan sistem \
             informasi rumah sakit. Ini adalah simulasi. Terima kasih."
        }
    };
    let twice = match language {
        Language::English => "Read twice:",
        Language::Indonesian => "Dibacakan dua kali:",
    };
    format!("{twice}\n\n{text}\n\n{text}\n")
}

/// One line of the call list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CallRow {
    pub unit: String,
    pub contact: String,
    pub number: String,
    /// Already told or acknowledged: when.
    pub done: Option<String>,
}

/// The call list as plain text: unit, contact, number, a place for the time and a box to tick.
pub fn call_list(language: Language, rows: &[CallRow]) -> String {
    let heads = match language {
        Language::English => ["Unit", "Contact", "Number", "Time", "Done"],
        Language::Indonesian => ["Unit", "Kontak", "Nomor", "Jam", "Selesai"],
    };
    let mut table: Vec<[String; 5]> = vec![heads.map(str::to_owned)];
    table.extend(rows.iter().map(|row| {
        let (time, tick) = match &row.done {
            Some(at) => (at.clone(), "[x]"),
            None => ("__.__".to_owned(), "[ ]"),
        };
        [
            row.unit.clone(),
            row.contact.clone(),
            row.number.clone(),
            time,
            tick.to_owned(),
        ]
    }));
    let width = |column: usize| {
        table
            .iter()
            .map(|r| r[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths = [0, 1, 2, 3, 4].map(width);
    let mut text = String::new();
    for (number, row) in table.iter().enumerate() {
        let cells: Vec<String> = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
        if number == 0 {
            let rule: Vec<String> = widths.iter().map(|w| "-".repeat(*w)).collect();
            text.push_str(&rule.join("  "));
            text.push('\n');
        }
    }
    text
}

/// Made-up facts that show what a template says: a downtime that began half an hour before `now`.
pub fn sample(language: Language, now: UtcMicros, drill: bool) -> Facts {
    let minutes = |m: i64| {
        Some(UtcMicros(
            now.0.saturating_add(m.saturating_mul(60_000_000)),
        ))
    };
    let (sentence, service) = match language {
        Language::English => ("This sentence is made up.", "EXAMPLE SERVICE"),
        Language::Indonesian => ("Kalimat ini hanya contoh.", "LAYANAN CONTOH"),
    };
    Facts {
        now,
        number: Some("DT-0000-000".to_owned()),
        drill: drill.then_some(Drill {
            stops_service: true,
        }),
        services: vec![service.to_owned()],
        reported: minutes(-30),
        start: minutes(-32),
        estimate: minutes(15).zip(minutes(40)),
        estimate_changed: Some(true),
        next_update: minutes(30),
        paper: Some(true),
        restored: minutes(-1),
        watch_until: minutes(14),
        downtime_s: Some(31 * 60),
        back_entry_due: minutes(24 * 60),
        window: minutes(72 * 60).zip(minutes(74 * 60)),
        earlier: minutes(-25),
        sentence: Some(sentence.to_owned()),
    }
}
