//! Which hardware address answers for an address of this network.

use std::net::{IpAddr, Ipv4Addr};

/// The hardware address of `ip` in this network namespace's neighbour table. `None`: none is known there, or the
/// address is reached through a router, or is IPv6.
pub fn hardware_address(ip: IpAddr) -> Option<String> {
    let IpAddr::V4(ip) = ip else { return None };
    // Of the thread: a probe in the lab runs in its client's namespace.
    let table = std::fs::read_to_string("/proc/thread-self/net/arp").ok()?;
    look_up(&table, ip)
}

fn look_up(table: &str, ip: Ipv4Addr) -> Option<String> {
    table.lines().skip(1).find_map(|line| {
        let mut fields = line.split_whitespace();
        let address: Ipv4Addr = fields.next()?.parse().ok()?;
        let flags = fields.nth(1)?;
        let hardware = fields.next()?;
        // Flags 0x0: asked, and nobody answered.
        (address == ip && flags != "0x0").then(|| hardware.to_ascii_lowercase())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
IP address       HW type     Flags       HW address            Mask     Device
192.0.2.50       0x1         0x2         02:00:5E:00:53:11     *        eno1
192.0.2.51       0x1         0x0         00:00:00:00:00:00     *        eno1
";

    #[test]
    fn only_an_answer_counts() {
        assert_eq!(
            look_up(TABLE, Ipv4Addr::new(192, 0, 2, 50)).as_deref(),
            Some("02:00:5e:00:53:11")
        );
        assert_eq!(look_up(TABLE, Ipv4Addr::new(192, 0, 2, 51)), None);
        assert_eq!(look_up(TABLE, Ipv4Addr::new(192, 0, 2, 5)), None);
    }
}
