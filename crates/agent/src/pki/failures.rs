//! How often somebody failed to join: a secret must not be found by trying.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const PER_MINUTE: usize = 5;
const MINUTE: Duration = Duration::from_secs(60);
/// So many sources are remembered; beyond that the whole table counts as one.
const SOURCES: usize = 1024;

/// The failures of the last minute, by where they came from.
#[derive(Default)]
pub(super) struct Failures(Mutex<HashMap<Option<IpAddr>, Vec<Instant>>>);

impl Failures {
    /// Does it have to wait?
    pub(super) fn too_many(&self, source: Option<IpAddr>, now: Instant) -> bool {
        let mut by = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Here: while the table is full, nobody comes as far as to fail.
        by.retain(|_, list| {
            list.retain(|at| now.saturating_duration_since(*at) < MINUTE);
            !list.is_empty()
        });
        let own = by.get(&of(source));
        by.len() >= SOURCES || own.is_some_and(|list| list.len() >= PER_MINUTE)
    }

    pub(super) fn add(&self, source: Option<IpAddr>, now: Instant) {
        let mut by = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        by.entry(of(source)).or_default().push(now);
    }
}

/// A machine has all addresses of its network's /64.
fn of(source: Option<IpAddr>) -> Option<IpAddr> {
    Some(match source?.to_canonical() {
        IpAddr::V6(address) => {
            let network = address.to_bits() & (u128::MAX << 64);
            IpAddr::V6(Ipv6Addr::from_bits(network))
        }
        v4 => v4,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_table_is_over_after_a_minute() {
        let (failures, begun) = (Failures::default(), Instant::now());
        for number in 0..SOURCES as u32 {
            failures.add(Some(IpAddr::from(number.to_be_bytes())), begun);
        }
        let stranger = Some(IpAddr::from([192, 0, 2, 7]));
        assert!(failures.too_many(stranger, begun + MINUTE - Duration::from_secs(1)));
        assert!(!failures.too_many(stranger, begun + MINUTE));
    }

    #[test]
    fn one_machine_is_one_source_whatever_address_it_takes() {
        let (failures, now) = (Failures::default(), Instant::now());
        let at = |text: &str| Some(text.parse().unwrap());
        for host in 1..=PER_MINUTE {
            failures.add(at(&format!("2001:db8::{host}")), now);
        }
        assert!(failures.too_many(at("2001:db8::ffff:1:2:3"), now));
        assert!(!failures.too_many(at("2001:db8:0:1::1"), now));
        // An IPv4 address as a socket of both families tells it.
        for _ in 0..PER_MINUTE {
            failures.add(at("::ffff:192.0.2.7"), now);
        }
        assert!(failures.too_many(at("192.0.2.7"), now));
        assert!(!failures.too_many(at("192.0.2.8"), now));
    }
}
