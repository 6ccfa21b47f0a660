//! Days of the calendar, without any zone: the caller knows which day it is at the site.

/// `2026-12-01`: year, month and day of a day that exists.
pub(crate) fn parse_day(text: &str) -> Option<(i64, i64, i64)> {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts.as_slice() else {
        return None;
    };
    let number = |text: &str, digits: usize| {
        let right = text.len() == digits && text.bytes().all(|b| b.is_ascii_digit());
        right.then(|| text.parse::<i64>().ok()).flatten()
    };
    let (year, month, day) = (number(year, 4)?, number(month, 2)?, number(day, 2)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 31,
    };
    ((1..=12).contains(&month) && (1..=days).contains(&day)).then_some((year, month, day))
}

/// Days since 1970-01-01, by the Gregorian calendar.
pub(crate) fn day_number(text: &str) -> Option<i64> {
    let (year, month, day) = parse_day(text)?;
    // Years begin in March, so that the leap day is the last of its year.
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    Some(era * 146_097 + days - 719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_over_leap_years() {
        let cases = [
            ("1970-01-01", Some(0)),
            ("2000-02-29", Some(11_016)),
            ("2026-11-25", Some(20_782)),
            ("2100-03-01", Some(47_541)),
            ("2026-02-29", None),
            ("2026-13-01", None),
            ("26-01-01", None),
        ];
        for (text, expected) in cases {
            assert_eq!(day_number(text), expected, "{text}");
        }
    }
}
