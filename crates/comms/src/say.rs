//! The values of the fields in words: 24-hour clock, the site's zone by its own name.

use crate::facts::Facts;
use crate::field::Field;
use jiff::Timestamp;
use jiff::ZonedDateTime as Zoned;
use jiff::tz::TimeZone;
use siaga_model::UtcMicros;
use siaga_model::config::Language;
use siaga_words::MONTHS;

/// The longest that a person's sentence may be, characters.
pub(crate) const SENTENCE_MOST: usize = 300;

/// Whose texts they are.
#[derive(Clone, Debug)]
pub(crate) struct Speaker<'a> {
    pub language: Language,
    pub zone: &'a TimeZone,
    pub site: &'a str,
    pub contact: &'a str,
}

impl Speaker<'_> {
    fn pick(&self, english: &str, indonesian: &str) -> String {
        match self.language {
            Language::English => english.to_owned(),
            Language::Indonesian => indonesian.to_owned(),
        }
    }

    fn at(&self, at: UtcMicros) -> Zoned {
        Timestamp::from_microsecond(at.0)
            .unwrap_or(Timestamp::UNIX_EPOCH)
            .to_zoned_datetime(self.zone.clone())
    }

    /// `Tuesday, 1 December 2026`, `Selasa, 1 Desember 2026`.
    fn day(&self, at: &Zoned) -> String {
        match self.language {
            Language::English => at.strftime("%A, %-d %B %Y").to_string(),
            Language::Indonesian => {
                let weekday = usize::from(at.weekday().to_monday_zero_offset().unsigned_abs());
                let month = usize::from(at.month().unsigned_abs()).saturating_sub(1);
                format!(
                    "{}, {} {} {}",
                    DAYS[weekday % 7],
                    at.day(),
                    MONTHS[month % 12],
                    at.year()
                )
            }
        }
    }

    fn clock(&self, at: &Zoned) -> String {
        match self.language {
            Language::English => at.strftime("%H:%M").to_string(),
            Language::Indonesian => at.strftime("%H.%M").to_string(),
        }
    }

    /// A moment, with its day where that is not today's: `pukul 14.05 WIB`.
    pub(crate) fn moment(&self, at: UtcMicros, now: UtcMicros) -> String {
        let (at, now) = (self.at(at), self.at(now));
        let clock = self.pick("", "pukul ") + &self.clock(&at);
        let zone = at.strftime("%Z").to_string();
        match at.date() == now.date() {
            true => format!("{clock} {zone}"),
            false => format!("{} {clock} {zone}", self.day(&at)),
        }
    }

    /// From one moment to another, with the day where that is not today's: `pukul 14.20-14.35 WIB`.
    fn range(&self, (from, to): (UtcMicros, UtcMicros), now: Option<UtcMicros>) -> String {
        let (a, b) = (self.at(from), self.at(to.max(from)));
        let zone = b.strftime("%Z").to_string();
        if a.date() != b.date() {
            let (day_a, day_b) = (self.day(&a), self.day(&b));
            return format!(
                "{day_a} {} - {day_b} {} {zone}",
                self.clock(&a),
                self.clock(&b)
            );
        }
        let today = now.is_some_and(|now| a.date() == self.at(now).date());
        let day = match today {
            true => String::new(),
            false => format!("{} ", self.day(&a)),
        };
        let hours = match self.clock(&a) == self.clock(&b) {
            true => self.clock(&a),
            false => format!("{}-{}", self.clock(&a), self.clock(&b)),
        };
        format!("{day}{}{hours} {zone}", self.pick("", "pukul "))
    }

    /// In whole minutes, and never less than was: `1 jam 5 menit`.
    fn length(&self, seconds: u64) -> String {
        let minutes = seconds.div_ceil(60);
        let (hour, minute) = (self.pick("h", "jam"), self.pick("min", "menit"));
        match (minutes / 60, minutes % 60) {
            (0, m) => format!("{m} {minute}"),
            (h, 0) => format!("{h} {hour}"),
            (h, m) => format!("{h} {hour} {m} {minute}"),
        }
    }

    /// The value of a field. `None`: there is none, and the line that asks for it is left out.
    pub(crate) fn value(&self, field: Field, facts: &Facts) -> Option<String> {
        let moment = |at: UtcMicros| self.moment(at, facts.now);
        let unknown = || self.pick("a time that is not known yet", "waktu yang belum diketahui");
        match field {
            Field::Site => filled(self.site),
            Field::Contact => filled(self.contact),
            Field::Now => Some(moment(facts.now)),
            Field::Number => facts.number.as_deref().and_then(filled),
            Field::Services => filled(&facts.services.join(", ")),
            Field::Reported => Some(capital(facts.reported.map_or_else(unknown, moment))),
            Field::Start => Some(facts.start.map_or_else(unknown, moment)),
            Field::Estimate => Some(match facts.estimate {
                Some((from, to)) => self.range(outward(from, to), Some(facts.now)),
                None => self.pick("not yet known", "belum dapat diperkirakan"),
            }),
            Field::EstimateChange => Some(match facts.estimate_changed {
                Some(true) => self.pick("has changed to", "berubah menjadi"),
                Some(false) => self.pick("is still", "tetap"),
                None => self.pick("is", "adalah"),
            }),
            Field::NextUpdate => facts.next_update.map(moment),
            Field::Paper => facts.paper.map(|paper| match paper {
                true => self.pick("Please use paper forms.", "Mohon gunakan formulir manual."),
                false => self.pick(
                    "Paper forms are not needed yet.",
                    "Formulir manual belum diperlukan.",
                ),
            }),
            Field::Restored => Some(facts.restored.map_or_else(unknown, moment)),
            Field::WatchUntil => facts.watch_until.map(moment),
            Field::Downtime => facts.downtime_s.map(|s| self.length(s)),
            Field::BackEntryDue => facts.back_entry_due.map(moment),
            Field::Window => facts.window.map(|w| self.range(w, None)),
            Field::Earlier => facts.earlier.map(moment),
            Field::Sentence => facts.sentence.as_deref().and_then(sentence),
        }
    }
}

/// To whole minutes: what is said is never narrower than what is meant.
fn outward(from: UtcMicros, to: UtcMicros) -> (UtcMicros, UtcMicros) {
    const MINUTE: i64 = 60_000_000;
    let down = from.0.div_euclid(MINUTE).saturating_mul(MINUTE);
    let up = to.0.saturating_add(MINUTE - 1).div_euclid(MINUTE);
    (UtcMicros(down), UtcMicros(up.saturating_mul(MINUTE)))
}

fn filled(text: &str) -> Option<String> {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    (!line.is_empty()).then_some(line)
}

/// A person's sentence: one line, of a length that a notice can carry, with a full stop.
pub(crate) fn sentence(text: &str) -> Option<String> {
    let text: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let line = crate::fit::cut(&filled(&text)?, SENTENCE_MOST);
    match line.ends_with(['.', '!', '?', '…']) {
        true => Some(line),
        false => Some(format!("{line}.")),
    }
}

/// A line that begins with it begins with a capital letter.
fn capital(text: String) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().collect::<String>() + chars.as_str(),
        None => text,
    }
}

const DAYS: [&str; 7] = [
    "Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu",
];
