//! Networks: which addresses are in one.

use crate::cause::{Cause, ValueKind};
use crate::read::{Place, Read, Sink, wrong_type};
use crate::scalars::pattern_schema;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use std::borrow::Cow;
use std::net::IpAddr;
use toml::de::DeValue;

/// A network: an address and the length of its prefix.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Net {
    pub address: IpAddr,
    pub prefix: u8,
}

impl Net {
    /// The network of an address with that prefix.
    pub fn contains(&self, ip: IpAddr) -> bool {
        match (self.address, ip) {
            (IpAddr::V4(a), IpAddr::V4(b)) => {
                same_head(a.to_bits().into(), b.to_bits().into(), self.prefix, 32)
            }
            (IpAddr::V6(a), IpAddr::V6(b)) => same_head(a.to_bits(), b.to_bits(), self.prefix, 128),
            _ => false,
        }
    }
    /// True for an IPv4 network's own and its broadcast address: no machine can have them.
    pub fn reserves(&self, ip: IpAddr) -> bool {
        let (IpAddr::V4(_), IpAddr::V4(b)) = (self.address, ip) else {
            return false;
        };
        if self.prefix >= 31 || !self.contains(ip) {
            return false;
        }
        let tail = u32::MAX.checked_shr(self.prefix.into()).unwrap_or(0);
        let host = b.to_bits() & tail;
        host == 0 || host == tail
    }
}

fn same_head(a: u128, b: u128, prefix: u8, width: u8) -> bool {
    let tail = u32::from(width.saturating_sub(prefix));
    a.checked_shr(tail).unwrap_or(0) == b.checked_shr(tail).unwrap_or(0)
}

impl std::fmt::Display for Net {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl Read for Net {
    fn read(value: &DeValue<'_>, at: &Place, key: &str, sink: &mut Sink) -> Option<Self> {
        let DeValue::String(text) = value else {
            return wrong_type(ValueKind::Text, value, at, key, sink);
        };
        let parsed = text.split_once('/').and_then(|(a, p)| {
            let address: IpAddr = a.parse().ok()?;
            let prefix: u8 = p.parse().ok()?;
            (1..=if address.is_ipv4() { 32 } else { 128 })
                .contains(&prefix)
                .then_some(Self { address, prefix })
        });
        if parsed.is_none() {
            sink.push(
                at,
                key,
                Cause::BadNetwork {
                    found: text.to_string(),
                },
            );
        }
        parsed
    }
}

impl JsonSchema for Net {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Net".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        pattern_schema(
            "A network with the length of its prefix: 192.0.2.0/24.",
            "^[0-9A-Fa-f.:]+/[0-9]{1,3}$",
        )
    }
}
