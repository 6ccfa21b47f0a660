//! A replicated device (DRBD 8.4 and 9): primary on the node that holds it. The kernel opens it for nobody while it is
//! secondary, and stays primary while it is open.
//!
//! Only up-to-date data is promoted, and never by force. What the two nodes know of each other's data is in
//! `drbdsetup events2`, which 8.4 and 9 write alike.

use super::layered::Layer;
use super::under_way::UnderWay;
use super::{Problem, TakeOrder};
use crate::command;
use siaga_model::observation::Holding;
use siaga_model::run::FailureKind;
use siaga_model::why::Holder;
use siaga_model::{ServiceName, Why};
use siaga_runner::hands::{Acted, Did, Trouble};
use std::time::Duration;

/// How long a question may take.
const ASK_WITHIN: Duration = Duration::from_secs(10);
/// How long a change may take: a fence handler of the site's own may run in it.
const CHANGE_WITHIN: Duration = Duration::from_secs(60);
const UP_TO_DATE: &str = "UpToDate";

/// One resource on this node.
pub struct Resource {
    name: String,
    under_way: UnderWay,
}

/// What the kernel says of a resource.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Seen {
    role: String,
    /// The state of this node's data, one for each volume.
    disks: Vec<String>,
    /// The role of each peer that is connected.
    peers: Vec<String>,
}

impl Resource {
    /// The resource `name` that carries `service`.
    pub fn new(name: &str, service: &ServiceName) -> Self {
        Self {
            name: name.to_owned(),
            under_way: UnderWay::of(service),
        }
    }

    fn seen(&self) -> Result<Seen, Why> {
        let text = ask(&["drbdsetup", "events2", "--now", &self.name])?;
        parse(&text, &self.name).ok_or_else(|| Why::DrbdUntold {
            resource: self.name.clone(),
        })
    }

    /// A change by name, as the site's configuration of DRBD knows the resource.
    fn change(&self, role: &str) -> Result<(), Why> {
        let argv = ["drbdadm", role, &self.name].map(str::to_owned);
        let result = self.under_way.run(&argv, CHANGE_WITHIN);
        match result.succeeded() {
            true => Ok(()),
            false => Err(result.ending(result.last_line()).of("drbdadm")),
        }
    }

    /// Why this node's data may not be promoted.
    fn refuses(&self, seen: &Seen) -> Option<Why> {
        let resource = self.name.clone();
        if seen.peers.iter().any(|role| role == "Primary") {
            return Some(Why::DrbdPeerPrimary { resource });
        }
        let old = seen.disks.iter().find(|disk| *disk != UP_TO_DATE);
        match (old, seen.disks.is_empty()) {
            (Some(disk), _) => Some(Why::DrbdData {
                resource,
                state: disk.clone(),
            }),
            (None, true) => Some(Why::DrbdUntold { resource }),
            (None, false) => None,
        }
    }

    fn try_take(&self) -> Result<Did, Why> {
        let seen = self.seen()?;
        if seen.role == "Primary" {
            return Ok(Did::nothing());
        }
        if let Some(why) = self.refuses(&seen) {
            return Err(why);
        }
        self.change("primary")?;
        match self.seen()?.role == "Primary" {
            true => Ok(Did::changed(Vec::new())),
            false => Err(Why::NotHeldAfterTake),
        }
    }

    fn try_release(&self) -> Result<Did, Why> {
        if self.seen()?.role == "Secondary" {
            return Ok(Did::nothing());
        }
        self.change("secondary")?;
        match self.seen()?.role == "Secondary" {
            true => Ok(Did::changed(Vec::new())),
            false => Err(Why::HeldAfterRelease),
        }
    }

    /// The value of a setting in DRBD's own configuration, as the kernel has it.
    fn settings(&self) -> Result<String, Why> {
        ask(&["drbdsetup", "show", "--show-defaults", &self.name])
    }
}

impl Layer for Resource {
    fn state(&self) -> Holding {
        match self.seen() {
            Ok(seen) if seen.role == "Secondary" => Holding::Free,
            Ok(_) => Holding::Held {
                by: vec![Holder::Primary {
                    resource: self.name.clone(),
                }],
            },
            Err(why) => Holding::Unknown { why },
        }
    }

    fn take(&self, _order: &TakeOrder) -> Acted {
        self.try_take()
            .map_err(|why| Trouble::failed(FailureKind::Io, why))
    }

    fn release(&self) -> Acted {
        self.try_release()
            .map_err(|why| Trouble::failed(FailureKind::NotReleased, why))
    }

    fn device_stays(&self) -> bool {
        false
    }

    /// Asked before anything is done for a take: a fence must not come before the news that this node's data is old.
    fn unable(&self) -> Option<Why> {
        let seen = self.seen().ok()?;
        let old = seen.disks.iter().find(|disk| *disk != UP_TO_DATE)?;
        Some(Why::DrbdData {
            resource: self.name.clone(),
            state: old.clone(),
        })
    }

    fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut add = |blocking, why| problems.push(Problem { blocking, why });
        let resource = || self.name.clone();
        match self.seen() {
            Err(why) => add(true, why),
            Ok(seen) if seen.peers.is_empty() => {
                let resource = resource();
                add(false, Why::DrbdAlone { resource });
            }
            Ok(_) => {}
        }
        let settings = match self.settings() {
            Ok(settings) => settings,
            Err(why) => {
                add(true, why);
                return problems;
            }
        };
        let set = |name| setting(&settings, name);
        let fences = set("fencing").is_some_and(|f| f != "dont-care");
        let quorum = set("quorum").is_some_and(|q| q != "off");
        if !fences && !quorum {
            let resource = resource();
            add(true, Why::DrbdUnfenced { resource });
        }
        if set("allow-two-primaries").is_some_and(|a| a != "no") {
            let resource = resource();
            add(true, Why::DrbdTwoPrimaries { resource });
        }
        if set("auto-promote").is_some_and(|a| a != "no") {
            let resource = resource();
            add(true, Why::DrbdPromotesItself { resource });
        }
        problems
    }
}

fn ask(argv: &[&str]) -> Result<String, Why> {
    let argv: Vec<String> = argv.iter().map(|a| (*a).to_owned()).collect();
    let result = command::run(&argv, None, ASK_WITHIN);
    match result.succeeded() {
        true => Ok(result.stdout),
        false => Err(result.ending(result.last_line()).of(&argv[0])),
    }
}

/// Lines such as `exists device name:simrs volume:0 minor:0 disk:UpToDate`, ended by `exists -`. An answer without that
/// end, or without the resource, is none.
fn parse(text: &str, name: &str) -> Option<Seen> {
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
            "device" => seen.disks.push(field("disk")?.to_owned()),
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
fn setting<'a>(settings: &'a str, name: &str) -> Option<&'a str> {
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

#[cfg(test)]
mod tests {
    use super::*;

    const PAIR: &str = "exists resource name:simrs role:Secondary suspended:no\n\
        exists connection name:simrs peer-node-id:0 conn-name:peer connection:Connected role:Primary\n\
        exists device name:simrs volume:0 minor:0 disk:UpToDate\n\
        exists peer-device name:simrs peer-node-id:0 conn-name:peer volume:0 replication:Established peer-disk:UpToDate\n\
        exists -\n";

    #[test]
    fn a_resource_as_the_kernel_tells_it() {
        let seen = parse(PAIR, "simrs").unwrap();
        assert_eq!(seen.role, "Secondary");
        assert_eq!(seen.disks, ["UpToDate"]);
        assert_eq!(seen.peers, ["Primary"]);
        let alone = PAIR.replace("Connected role:Primary", "Connecting role:Unknown");
        assert!(parse(&alone, "simrs").unwrap().peers.is_empty());
    }

    #[test]
    fn half_an_answer_is_none() {
        // Without its end, without the resource, or of a role that nobody knows.
        assert_eq!(parse(&PAIR.replace("exists -\n", ""), "simrs"), None);
        assert_eq!(parse("exists -\n", "simrs"), None);
        assert_eq!(parse(PAIR, "other"), None);
        assert_eq!(
            parse(&PAIR.replace("role:Secondary", "role:Unknown"), "simrs"),
            None
        );
    }

    #[test]
    fn only_up_to_date_data_may_be_promoted() {
        let resource = Resource::new("simrs", &"simrs".into());
        let seen = |disk: &str, peer: &str| {
            let text = PAIR.replace(
                "disk:UpToDate\nexists peer",
                &format!("disk:{disk}\nexists peer"),
            );
            parse(&text.replace("Connected role:Primary", peer), "simrs").unwrap()
        };
        let alone = "Connecting role:Unknown";
        assert_eq!(resource.refuses(&seen("UpToDate", alone)), None);
        for old in [
            "Outdated",
            "Inconsistent",
            "Consistent",
            "Diskless",
            "DUnknown",
        ] {
            assert!(
                matches!(resource.refuses(&seen(old, alone)), Some(Why::DrbdData { state, .. }) if state == old)
            );
        }
        let primary = "Connected role:Primary";
        assert!(matches!(
            resource.refuses(&seen("UpToDate", primary)),
            Some(Why::DrbdPeerPrimary { .. })
        ));
        assert!(resource.refuses(&Seen::default()).is_some());
    }

    #[test]
    fn settings_in_drbds_own_language() {
        let text = "resource simrs {\n    net {\n        fencing         \tresource-only;\n        \
                    allow-two-primaries\tno; # default\n    }\n}\n";
        assert_eq!(setting(text, "fencing"), Some("resource-only"));
        assert_eq!(setting(text, "allow-two-primaries"), Some("no"));
        assert_eq!(setting(text, "quorum"), None);
    }
}
