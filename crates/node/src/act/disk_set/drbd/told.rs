//! What DRBD tells, read.

/// What the kernel says of a resource.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Seen {
    pub role: String,
    /// The state of this node's data, one for each volume.
    pub disks: Vec<String>,
    /// The numbers of its devices.
    pub minors: Vec<u32>,
    /// The role of each peer that is connected.
    pub peers: Vec<String>,
}

/// Lines such as `exists device name:simrs volume:0 minor:0 disk:UpToDate`, ended by `exists -`. An answer without that
/// end, or without the resource, is none.
pub(super) fn parse(text: &str, name: &str) -> Option<Seen> {
    let mut seen = Seen::default();
    let mut whole = false;
    for line in text.lines() {
        let mut words = line.split_whitespace();
        if words.next() != Some("exists") {
            continue;
        }
        let kind = words.next()?;
        if kind == "-" {
            whole = true;
            continue;
        }
        let fields: Vec<(&str, &str)> = words.filter_map(|w| w.split_once(':')).collect();
        let field = |key: &str| fields.iter().find(|(k, _)| *k == key).map(|(_, v)| *v);
        if field("name") != Some(name) {
            continue;
        }
        match kind {
            "resource" => seen.role = field("role")?.to_owned(),
            "device" => {
                seen.disks.push(field("disk")?.to_owned());
                seen.minors.push(field("minor")?.parse().ok()?);
            }
            "connection" if field("connection")? == "Connected" => {
                seen.peers.push(field("role")?.to_owned());
            }
            _ => {}
        }
    }
    let role = ["Primary", "Secondary"].contains(&seen.role.as_str());
    (whole && role).then_some(seen)
}

/// `fencing resource-only;` in DRBD's configuration language. The last one counts.
pub(super) fn setting<'a>(settings: &'a str, name: &str) -> Option<&'a str> {
    let lines = settings
        .lines()
        .rev()
        .map(|l| l.split('#').next().unwrap_or(""));
    lines
        .filter_map(|l| {
            l.trim()
                .trim_end_matches(';')
                .split_once(char::is_whitespace)
        })
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.trim().trim_end_matches(';').trim())
}

/// Did this copy take writes that the other one lacks? Of `drbdadm get-gi`: the generations of each volume with colons between,
/// the second of them set from the first write without the other node until it has it.
pub(super) fn is_ahead(generations: &str) -> bool {
    let mut words = generations.split_whitespace();
    words.any(|word| {
        let second = word.split(':').nth(1).unwrap_or_default();
        u64::from_str_radix(second, 16).is_ok_and(|bitmap| bitmap != 0)
    })
}

/// The program that DRBD asks about a node that is not connected, of `drbdadm dump`.
pub(super) fn handler(dump: &str) -> Option<&str> {
    dump.lines().find_map(|line| {
        let (key, value) = line.trim().split_once(char::is_whitespace)?;
        let value = value.trim().trim_end_matches(';').trim().trim_matches('"');
        // With its arguments, where the site gave it some.
        (key == "fence-peer").then(|| value.split_whitespace().next().unwrap_or(value))
    })
}
