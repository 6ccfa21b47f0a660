//! How a site is spoken to: its language, its zone, and whether it has several services.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use siaga_model::UtcMicros;
use siaga_model::config::{Config, Language};

/// A language with the zone of the times that people read. A bare [`Language`] speaks in UTC.
#[derive(Clone, Debug)]
pub struct Voice {
    pub language: Language,
    pub(crate) zone: TimeZone,
    /// True where commands have to name the service.
    pub several_services: bool,
}

impl Voice {
    /// The voice of a language in an IANA zone; an unknown zone is UTC, and is shown as such.
    pub fn new(language: Language, zone: &str) -> Self {
        let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
        Self {
            language,
            zone,
            several_services: false,
        }
    }

    /// The same voice, at a site with several services: commands name the service.
    pub fn naming_services(self, several_services: bool) -> Self {
        Self {
            several_services,
            ..self
        }
    }

    /// Date and time of an instant, to the second, with the zone's name.
    pub fn instant(&self, at: UtcMicros) -> String {
        format!("{} {}", self.day(at), self.clock(at))
    }

    /// The day: `2025-08-01`, `1 Agustus 2025`.
    pub fn day(&self, at: UtcMicros) -> String {
        match self.language {
            Language::English => self.format(at, "%Y-%m-%d"),
            Language::Indonesian => {
                let month = MONTHS
                    .get(self.month(at).saturating_sub(1))
                    .copied()
                    .unwrap_or("?");
                format!(
                    "{} {month} {}",
                    self.format(at, "%-d"),
                    self.format(at, "%Y")
                )
            }
        }
    }

    /// The time of day, to the second: `14:05:09 WIB`, `pukul 14.05.09 WIB`.
    pub fn clock(&self, at: UtcMicros) -> String {
        match self.language {
            Language::English => self.format(at, "%H:%M:%S %Z"),
            Language::Indonesian => self.format(at, "pukul %H.%M.%S %Z"),
        }
    }

    fn month(&self, at: UtcMicros) -> usize {
        self.format(at, "%-m").parse().unwrap_or(0)
    }

    fn format(&self, at: UtcMicros, pattern: &str) -> String {
        let at = Timestamp::from_microsecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH);
        at.to_zoned_datetime(self.zone.clone())
            .strftime(pattern)
            .to_string()
    }
}

/// The months in Indonesian, January first.
pub const MONTHS: [&str; 12] = [
    "Januari",
    "Februari",
    "Maret",
    "April",
    "Mei",
    "Juni",
    "Juli",
    "Agustus",
    "September",
    "Oktober",
    "November",
    "Desember",
];

impl From<Language> for Voice {
    fn from(language: Language) -> Self {
        Self {
            language,
            zone: TimeZone::UTC,
            several_services: false,
        }
    }
}

impl From<&Voice> for Voice {
    fn from(voice: &Voice) -> Self {
        voice.clone()
    }
}

impl From<&Config> for Voice {
    fn from(config: &Config) -> Self {
        let several_services = config.services.len() > 1;
        Self {
            several_services,
            ..Self::new(config.site.language, &config.site.time_zone)
        }
    }
}

/// A length of time for people: `850 ms`, `3.2 s`, `2 min 5 s`, `1 h 2 min`.
pub fn duration(voice: impl Into<Voice>, ms: u64) -> String {
    let language = voice.into().language;
    // Round before choosing the unit, so that 59 999 ms does not become "60 s".
    let (unit_ms, unit_s, unit_m, unit_h) = match language {
        Language::English => ("ms", "s", "min", "h"),
        Language::Indonesian => ("milidetik", "detik", "menit", "jam"),
    };
    let tenths = ms.saturating_add(50) / 100;
    let seconds = ms.saturating_add(500) / 1000;
    match ms {
        0..1000 => format!("{ms} {unit_ms}"),
        _ if tenths < 100 && !tenths.is_multiple_of(10) => {
            let point = if language == Language::English {
                '.'
            } else {
                ','
            };
            format!("{}{point}{} {unit_s}", tenths / 10, tenths % 10)
        }
        _ if seconds < 60 => format!("{seconds} {unit_s}"),
        _ if seconds < 3600 => pair(seconds / 60, unit_m, seconds % 60, unit_s),
        _ => pair(seconds / 3600, unit_h, seconds % 3600 / 60, unit_m),
    }
}

fn pair(large: u64, large_unit: &str, small: u64, small_unit: &str) -> String {
    if small == 0 {
        format!("{large} {large_unit}")
    } else {
        format!("{large} {large_unit} {small} {small_unit}")
    }
}

/// Date and time of an instant in an IANA zone: `2025-08-01 14:05:09 WIB`, `1 Agustus 2025 pukul 14.05.09 WIB`.
pub fn instant(language: Language, zone: &str, at: UtcMicros) -> String {
    Voice::new(language, zone).instant(at)
}

/// A foreign text, as evidence inside a sentence: without its own full stop and line breaks.
pub(crate) fn quoted(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = line.trim_end_matches(['.', ':', ';', ',']);
    if line.is_empty() {
        "?".to_owned()
    } else {
        line.to_owned()
    }
}

/// A list for people: `a, b, c`.
pub(crate) fn list<T: ToString>(items: &[T]) -> String {
    if items.is_empty() {
        return "-".to_owned();
    }
    items
        .iter()
        .map(|i| quoted(&i.to_string()))
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use Language::{English, Indonesian};

    #[test]
    fn durations_are_rounded_before_the_unit_is_chosen() {
        let cases = [
            (0, "0 ms", "0 milidetik"),
            (850, "850 ms", "850 milidetik"),
            (1000, "1 s", "1 detik"),
            (3249, "3.2 s", "3,2 detik"),
            (9960, "10 s", "10 detik"),
            (59_499, "59 s", "59 detik"),
            (59_999, "1 min", "1 menit"),
            (125_000, "2 min 5 s", "2 menit 5 detik"),
            (3_720_000, "1 h 2 min", "1 jam 2 menit"),
        ];
        for (ms, english, indonesian) in cases {
            assert_eq!(duration(English, ms), english);
            assert_eq!(duration(Indonesian, ms), indonesian);
        }
        assert!(!duration(English, u64::MAX).is_empty());
    }

    #[test]
    fn instants_are_in_the_sites_zone() {
        let at = UtcMicros(1_754_031_909_123_456); // 2025-08-01T07:05:09Z
        assert_eq!(
            instant(English, "Asia/Jakarta", at),
            "2025-08-01 14:05:09 WIB"
        );
        assert_eq!(
            instant(Indonesian, "Asia/Jakarta", at),
            "1 Agustus 2025 pukul 14.05.09 WIB"
        );
        assert_eq!(
            instant(Indonesian, "Asia/Makassar", at),
            "1 Agustus 2025 pukul 15.05.09 WITA"
        );
        assert_eq!(
            Voice::new(Indonesian, "Asia/Jayapura").clock(at),
            "pukul 16.05.09 WIT"
        );
        assert_eq!(Voice::new(English, "No/Where").clock(at), "07:05:09 UTC");
        assert!(!instant(Indonesian, "Asia/Jakarta", UtcMicros(i64::MAX)).contains('?'));
    }

    #[test]
    fn foreign_texts_are_tamed() {
        assert_eq!(
            quoted(" device or\n resource busy. "),
            "device or resource busy"
        );
        assert_eq!(quoted("..."), "?");
        assert_eq!(list::<String>(&[]), "-");
    }
}
