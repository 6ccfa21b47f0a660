//! Amounts that only the rules for incidents and notices have.

use crate::cause::{Cause, ValueKind};
use crate::read::{Place, Read, Sink, wrong_type};
use crate::scalars::{pattern_schema, span_up_to};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;
use std::time::Duration;
use toml::de::DeValue;

/// The longest [`LongSpan`], hours: a month.
const MONTH_H: u64 = 31 * 24;
/// The largest [`Count`].
const MOST: u32 = 36_500;

/// A length of time above zero, at most a month.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LongSpan(pub Duration);

/// A length of time, or `never`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bypass(pub Option<Duration>);

/// A day of the calendar, as it is written: `2026-12-01`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Day(pub String);

/// In thousandths of a percent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Percent(pub u32);

/// A whole number above zero.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Count(pub u32);

/// Reads a text with `of`.
fn text<T>(
    value: &DeValue<'_>,
    at: &Place,
    key: &str,
    sink: &mut Sink,
    of: impl FnOnce(&str) -> Result<T, Cause>,
) -> Option<T> {
    let DeValue::String(text) = value else {
        return wrong_type(ValueKind::Text, value, at, key, sink);
    };
    of(text).map_err(|cause| sink.push(at, key, cause)).ok()
}

impl Read for LongSpan {
    fn read(value: &DeValue<'_>, at: &Place, key: &str, sink: &mut Sink) -> Option<Self> {
        text(value, at, key, sink, |t| span_up_to(t, MONTH_H).map(Self))
    }
}

impl Read for Bypass {
    fn read(value: &DeValue<'_>, at: &Place, key: &str, sink: &mut Sink) -> Option<Self> {
        text(value, at, key, sink, |t| match t {
            "never" => Ok(Self(None)),
            span => span_up_to(span, MONTH_H).map(|s| Self(Some(s))),
        })
    }
}

impl Read for Day {
    fn read(value: &DeValue<'_>, at: &Place, key: &str, sink: &mut Sink) -> Option<Self> {
        text(value, at, key, sink, |t| {
            let day = t.parse::<jiff::civil::Date>();
            // Parsed and written again is the same: no time of day, no other form of the date.
            match day.is_ok_and(|d| d.to_string() == t) {
                true => Ok(Self(t.to_owned())),
                false => Err(Cause::BadDay {
                    found: t.to_owned(),
                }),
            }
        })
    }
}

/// `99.5` in thousandths, where it has at most three decimals and is from 0 to 100.
fn thousandths(text: &str) -> Option<u32> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |t: &str| t.chars().all(|c| c.is_ascii_digit());
    if whole.is_empty() || part.len() > 3 || !digits(whole) || !digits(part) {
        return None;
    }
    let part: u32 = format!("{part:0<3}").parse().ok()?;
    let all = whole
        .parse::<u32>()
        .ok()?
        .checked_mul(1000)?
        .checked_add(part)?;
    (all <= 100_000).then_some(all)
}

impl Read for Percent {
    fn read(value: &DeValue<'_>, at: &Place, key: &str, sink: &mut Sink) -> Option<Self> {
        let written = match value {
            DeValue::Integer(number) => number.to_string(),
            DeValue::Float(number) => number.to_string(),
            other => return wrong_type(ValueKind::Fraction, other, at, key, sink),
        };
        let read = thousandths(&written);
        if read.is_none() {
            sink.push(at, key, Cause::BadPercent { found: written });
        }
        read.map(Self)
    }
}

impl Read for Count {
    fn read(value: &DeValue<'_>, at: &Place, key: &str, sink: &mut Sink) -> Option<Self> {
        let DeValue::Integer(number) = value else {
            return wrong_type(ValueKind::Number, value, at, key, sink);
        };
        let count = u32::from_str_radix(number.as_str(), number.radix())
            .ok()
            .filter(|n| (1..=MOST).contains(n));
        if count.is_none() {
            let found = number.to_string();
            sink.push(at, key, Cause::BadCount { found });
        }
        count.map(Self)
    }
}

macro_rules! schema {
    ($($name:ident: $schema:expr;)*) => {$(
        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    )*};
}
schema! {
    LongSpan: pattern_schema("A length of time, at most 744h.", "^([0-9]+ ?(ms|s|m|h) ?)+$");
    Bypass: pattern_schema("A length of time, or never.", "^(never|([0-9]+ ?(ms|s|m|h) ?)+)$");
    Day: pattern_schema("A day: 2026-12-01.", "^[0-9]{4}-[0-9]{2}-[0-9]{2}$");
    Percent: json_schema!({"type": "number", "minimum": 0, "maximum": 100});
    Count: json_schema!({"type": "integer", "minimum": 1, "maximum": MOST});
}

#[cfg(test)]
mod tests {
    use super::thousandths;

    #[test]
    fn a_percentage_is_exact() {
        assert_eq!(thousandths("99.5"), Some(99_500));
        assert_eq!(thousandths("99.999"), Some(99_999));
        assert_eq!(thousandths("100"), Some(100_000));
        for wrong in ["100.001", "-1", "99.9999", "", ".5", "9_9", "1e2", "inf"] {
            assert_eq!(thousandths(wrong), None, "{wrong}");
        }
    }
}
