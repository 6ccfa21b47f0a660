//! Instants as people read and write them.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use siaga_model::UtcMicros;

/// An RFC 3339 text as an instant.
pub fn parsed(text: &str) -> Option<UtcMicros> {
    text.parse::<Timestamp>()
        .ok()
        .map(|t| UtcMicros(t.as_microsecond()))
}

/// Now, as RFC 3339 with milliseconds, UTC.
pub fn now_text() -> String {
    format!("{:.3}", Timestamp::now())
}

/// For the name of a file: `20261125-234046`, UTC.
pub fn stamp(at: UtcMicros) -> String {
    let at = Timestamp::from_microsecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH);
    at.strftime("%Y%m%d-%H%M%S").to_string()
}

/// Now.
pub fn now() -> UtcMicros {
    UtcMicros(Timestamp::now().as_microsecond())
}

/// A text that is no time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotATime;

/// What a person means by `--since`: `2h`, `30m`, `3d`, a date, a date and time in the site's zone, or RFC 3339.
///
/// # Errors
/// Where the text is none of these.
pub fn since(text: &str, zone: &str, now: UtcMicros) -> Result<UtcMicros, NotATime> {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    if let Some(at) = parsed(text) {
        return Ok(at);
    }
    if let Ok(time) = text.parse::<DateTime>() {
        return local(time, &zone).ok_or(NotATime);
    }
    if let Ok(date) = text.parse::<Date>() {
        return local(date.at(0, 0, 0, 0), &zone).ok_or(NotATime);
    }
    if let Some(ago) = ago(text) {
        let micros = i64::try_from(ago.as_micros()).map_err(|_| NotATime)?;
        return Ok(UtcMicros(now.0.saturating_sub(micros)));
    }
    Err(NotATime)
}

fn local(time: DateTime, zone: &TimeZone) -> Option<UtcMicros> {
    zone.to_timestamp(time)
        .ok()
        .map(|at| UtcMicros(at.as_microsecond()))
}

/// The seconds of `90s`, `10m`, `2h`, `3d`.
pub fn span_s(text: &str) -> Option<u64> {
    u64::try_from(ago(text)?.as_secs()).ok()
}

/// `90s`, `30m`, `2h`, `3d`.
fn ago(text: &str) -> Option<SignedDuration> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return None,
    };
    Some(SignedDuration::from_secs(
        number.parse::<i64>().ok()?.checked_mul(seconds)?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UtcMicros = UtcMicros(1_754_031_909_000_000); // 2025-08-01T07:05:09Z

    #[test]
    fn times_are_read_in_the_sites_zone() {
        let at = |text| since(text, "Asia/Jakarta", NOW).map(|t| t.0 / 1_000_000);
        assert_eq!(at("2h"), Ok(1_754_031_909 - 7200));
        assert_eq!(
            at("2025-08-01"),
            Ok(1_754_031_909 - (7 * 3600 + 5 * 60 + 9) - 7 * 3600)
        );
        assert_eq!(at("2025-08-01T14:05:09"), Ok(1_754_031_909));
        assert_eq!(at("2025-08-01T07:05:09Z"), Ok(1_754_031_909));
        assert!(at("yesterday").is_err());
        assert!(at("9999999999999999999d").is_err());
        assert!(at("5 apples").is_err());
    }
}
