//! The kinds of text and number that stand in the file, each checked when it is read.

use crate::cause::{Cause, ValueKind};
use crate::read::{Place, Read, Sink, wrong_type};
use crate::suggest::closest;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::path::{Component, Path, PathBuf};
use std::time::Duration;
use toml::de::DeValue;

/// The agents' port where an address names none.
pub const AGENT_PORT: u16 = 7443;

/// The longest duration that is believed, hours.
const LONGEST_H: u64 = 24;

/// A value that is written as a text.
trait FromText: Sized {
    fn from_text(text: &str) -> Result<Self, Cause>;
    fn schema() -> Schema;
}

macro_rules! text_scalar {
    ($($(#[$doc:meta])* $name:ident($inner:ty);)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Debug)]
        pub struct $name(pub $inner);
        impl Read for $name {
            fn read(value: &DeValue<'_>, at: &Place, key: &str, sink: &mut Sink) -> Option<Self> {
                let DeValue::String(text) = value else { return wrong_type(ValueKind::Text, value, at, key, sink) };
                Self::from_text(text).map_err(|cause| sink.push(at, key, cause)).ok()
            }
        }
        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                <Self as FromText>::schema()
            }
        }
    )*};
}

text_scalar! {
    /// Any text that is not empty.
    Text(String);
    /// A name that Siaga uses: `[a-z0-9-]`, at most 32 characters.
    Name(String);
    /// A person's name or account: as [`Name`], and `.` and `_`.
    Account(String);
    /// A length of time above zero, at most a day.
    Span(Duration);
    /// An IP address.
    Ip(IpAddr);
    /// An IP address with a port; without one, the agents' port.
    AgentAddress(SocketAddr);
    /// An IP address with a port.
    Endpoint(SocketAddr);
    /// An absolute path without `..`.
    AbsolutePath(PathBuf);
    /// A hardware address, lower case.
    HardwareAddress(String);
    /// A network interface's name.
    Interface(String);
    /// An IANA time zone.
    TimeZone(String);
    /// `http://` or `https://`.
    Url(String);
}

fn text_schema(description: &str) -> Schema {
    json_schema!({"type": "string", "minLength": 1, "description": description})
}

pub(crate) fn pattern_schema(description: &str, pattern: &str) -> Schema {
    json_schema!({"type": "string", "pattern": pattern, "description": description})
}

impl FromText for Text {
    fn from_text(text: &str) -> Result<Self, Cause> {
        let clean = !text.trim().is_empty() && !text.chars().any(char::is_control);
        if clean {
            Ok(Self(text.to_owned()))
        } else {
            Err(Cause::EmptyText)
        }
    }
    fn schema() -> Schema {
        text_schema("A text on one line.")
    }
}

fn name(text: &str, more: &[char]) -> Result<String, Cause> {
    let allowed =
        |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || more.contains(&c);
    let first = text
        .chars()
        .next()
        .is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    if first && text.len() <= 32 && text.chars().all(allowed) {
        Ok(text.to_owned())
    } else {
        Err(Cause::BadName {
            found: text.to_owned(),
        })
    }
}

impl FromText for Name {
    fn from_text(text: &str) -> Result<Self, Cause> {
        name(text, &[]).map(Self)
    }
    fn schema() -> Schema {
        pattern_schema(
            "A name: a-z, 0-9 and -, at most 32 characters.",
            "^[a-z0-9][a-z0-9-]{0,31}$",
        )
    }
}

impl FromText for Account {
    fn from_text(text: &str) -> Result<Self, Cause> {
        name(text, &['.', '_']).map(Self)
    }
    fn schema() -> Schema {
        pattern_schema(
            "A name or an account: a-z, 0-9, -, . and _.",
            "^[a-z0-9][a-z0-9._-]{0,31}$",
        )
    }
}

/// A length of time above zero, at most `most_h` hours.
pub(crate) fn span_up_to(text: &str, most_h: u64) -> Result<Duration, Cause> {
    let bad = || Cause::BadDuration {
        found: text.to_owned(),
    };
    let span: jiff::SignedDuration = text.parse().map_err(|_| bad())?;
    let span = Duration::try_from(span).map_err(|_| bad())?;
    match span {
        Duration::ZERO => Err(Cause::ZeroDuration),
        span if span > Duration::from_secs(most_h * 3600) => Err(Cause::LongDuration {
            found: text.to_owned(),
            most_h,
        }),
        span => Ok(span),
    }
}

impl FromText for Span {
    fn from_text(text: &str) -> Result<Self, Cause> {
        span_up_to(text, LONGEST_H).map(Self)
    }
    fn schema() -> Schema {
        pattern_schema(
            "A length of time: 500ms, 30s, 5m, 1h.",
            "^([0-9]+ ?(ms|s|m|h) ?)+$",
        )
    }
}

/// An address that one machine can have and another can reach.
fn usable(ip: IpAddr) -> Result<IpAddr, Cause> {
    let broadcast = matches!(ip, IpAddr::V4(v4) if v4.is_broadcast());
    if ip.is_unspecified() || ip.is_multicast() || broadcast {
        return Err(Cause::UnusableAddress { address: ip });
    }
    Ok(ip)
}

fn bad_address(text: &str) -> Cause {
    Cause::BadAddress {
        found: text.to_owned(),
    }
}

impl FromText for Ip {
    fn from_text(text: &str) -> Result<Self, Cause> {
        usable(text.parse().map_err(|_| bad_address(text))?).map(Self)
    }
    fn schema() -> Schema {
        json_schema!({"type": "string", "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]})
    }
}

fn endpoint(text: &str) -> Result<SocketAddr, Cause> {
    let address: SocketAddr = text.parse().map_err(|_| Cause::BadEndpoint {
        found: text.to_owned(),
    })?;
    if address.port() == 0 {
        return Err(Cause::BadPort {
            found: "0".to_owned(),
        });
    }
    usable(address.ip())?;
    Ok(address)
}

impl FromText for AgentAddress {
    fn from_text(text: &str) -> Result<Self, Cause> {
        let bare = text
            .strip_prefix('[')
            .and_then(|t| t.strip_suffix(']'))
            .unwrap_or(text);
        match bare.parse::<IpAddr>() {
            Ok(ip) => Ok(Self(SocketAddr::new(usable(ip)?, AGENT_PORT))),
            Err(_) => endpoint(text).map(Self),
        }
    }
    fn schema() -> Schema {
        text_schema(
            "The node's own address, with or without a port: 198.51.100.11, 198.51.100.11:7443, [2001:db8::11]:7443.",
        )
    }
}

impl FromText for Endpoint {
    fn from_text(text: &str) -> Result<Self, Cause> {
        endpoint(text).map(Self)
    }
    fn schema() -> Schema {
        text_schema("An address with a port: 192.0.2.50:5432.")
    }
}

impl FromText for AbsolutePath {
    fn from_text(text: &str) -> Result<Self, Cause> {
        let path = Path::new(text);
        let plain = path
            .components()
            .all(|c| matches!(c, Component::RootDir | Component::Normal(_)));
        if path.is_absolute() && plain && !text.chars().any(char::is_control) {
            // `components` drops doubled and trailing slashes, so equal paths compare equal.
            Ok(Self(path.components().collect()))
        } else {
            Err(Cause::NotAbsolute {
                found: text.to_owned(),
            })
        }
    }
    fn schema() -> Schema {
        pattern_schema("An absolute path.", "^/")
    }
}

impl FromText for HardwareAddress {
    fn from_text(text: &str) -> Result<Self, Cause> {
        let lower = text.to_ascii_lowercase().replace('-', ":");
        let pairs: Vec<Option<u8>> = lower
            .split(':')
            .map(|p| {
                if p.len() == 2 {
                    u8::from_str_radix(p, 16).ok()
                } else {
                    None
                }
            })
            .collect();
        let good = pairs.len() == 6 && pairs.iter().all(Option::is_some);
        let zero = pairs.iter().all(|p| *p == Some(0));
        // The lowest bit of the first byte marks a group address: no card has one.
        let group = pairs.first().copied().flatten().is_some_and(|b| b & 1 == 1);
        if good && !zero && !group {
            Ok(Self(lower))
        } else {
            Err(Cause::BadHardwareAddress {
                found: text.to_owned(),
            })
        }
    }
    fn schema() -> Schema {
        pattern_schema(
            "A hardware address: 02:00:5e:00:53:11.",
            "^([0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}$",
        )
    }
}

impl FromText for Interface {
    fn from_text(text: &str) -> Result<Self, Cause> {
        let good = !text.is_empty()
            && text.len() <= 15
            && text
                .chars()
                .all(|c| c.is_ascii_graphic() && c != '/' && c != ':')
            && text != "."
            && text != "..";
        if good {
            Ok(Self(text.to_owned()))
        } else {
            Err(Cause::BadInterface {
                found: text.to_owned(),
            })
        }
    }
    fn schema() -> Schema {
        pattern_schema("A network interface: eno1.", "^[^/: ]{1,15}$")
    }
}

impl FromText for TimeZone {
    fn from_text(text: &str) -> Result<Self, Cause> {
        let known = !text.is_empty() && jiff::tz::TimeZone::get(text).is_ok();
        if known {
            return Ok(Self(text.to_owned()));
        }
        let zones: Vec<String> = jiff::tz::db()
            .available()
            .map(|z| z.as_str().to_owned())
            .collect();
        Err(Cause::BadTimeZone {
            found: text.to_owned(),
            suggestion: closest(text, &zones),
        })
    }
    fn schema() -> Schema {
        text_schema("An IANA time zone: Asia/Jakarta, Asia/Makassar, Asia/Jayapura.")
    }
}

impl FromText for Url {
    fn from_text(text: &str) -> Result<Self, Cause> {
        let rest = text
            .strip_prefix("http://")
            .or_else(|| text.strip_prefix("https://"));
        let host = rest.map(|r| r.split(['/', '?', '#']).next().unwrap_or_default());
        match host {
            Some(host) if host.contains('@') => Err(Cause::InlineSecret {
                name: "url".to_owned(),
            }),
            Some(host) if !host.is_empty() && text.chars().all(|c| c.is_ascii_graphic()) => {
                Ok(Self(text.to_owned()))
            }
            _ => Err(Cause::BadUrl {
                found: text.to_owned(),
            }),
        }
    }
    fn schema() -> Schema {
        pattern_schema("A web address: http://192.0.2.50/simrs/.", "^https?://")
    }
}

/// A TCP port.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Port(pub u16);

impl Read for Port {
    fn read(value: &DeValue<'_>, at: &Place, key: &str, sink: &mut Sink) -> Option<Self> {
        let DeValue::Integer(number) = value else {
            return wrong_type(ValueKind::Number, value, at, key, sink);
        };
        let port = u16::from_str_radix(number.as_str(), number.radix())
            .ok()
            .filter(|p| *p > 0);
        if port.is_none() {
            sink.push(
                at,
                key,
                Cause::BadPort {
                    found: number.to_string(),
                },
            );
        }
        port.map(Self)
    }
}

impl JsonSchema for Port {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Port".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "integer", "minimum": 1, "maximum": 65535})
    }
}

impl Read for bool {
    fn read(value: &DeValue<'_>, at: &Place, key: &str, sink: &mut Sink) -> Option<Self> {
        match value {
            DeValue::Boolean(yes) => Some(*yes),
            other => wrong_type(ValueKind::YesNo, other, at, key, sink),
        }
    }
}
