//! What is found on this host as the answer to a question. Pure.

use siaga_agent::survey::{Card, Disk, Found, Server};
use siaga_config::draft::Answers;
use siaga_model::question::Question;
use std::path::Path;

/// What is found, and what nobody has to look for.
pub struct Ground {
    pub found: Found,
    pub time_zone: Option<String>,
    pub language: &'static str,
}

impl Ground {
    /// The answer that is likely, where there is one.
    pub fn suggest(&self, question: Question, answers: &Answers) -> Option<String> {
        let server = self.server();
        let shown = |path: &Path| Some(path.display().to_string());
        match question {
            Question::Language => Some(self.language.to_owned()),
            Question::TimeZone => self.time_zone.clone(),
            Question::ThisNode => {
                let host = self.found.host.split('.').next().unwrap_or_default();
                Some(host.to_ascii_lowercase()).filter(|h| !h.is_empty())
            }
            Question::ThisAddresses => joined(self.own_cards().filter_map(own_address)),
            Question::ThisHardware => joined(self.own_cards().map(|c| c.hardware.clone())),
            Question::Service => Some("simrs".to_owned()),
            Question::DataDir => shown(&server?.data_dir),
            Question::BinDir => shown(&server?.bin_dir),
            Question::ConfigFile => shown(server?.config_file.as_deref()?),
            Question::Unit => server?.unit.clone(),
            Question::Port => Some(server?.port.to_string()).filter(|p| p != "5432"),
            Question::OsUser => Some(server?.os_user.clone()).filter(|u| u != "postgres"),
            Question::SocketDir => shown(&server?.socket_dir)
                .filter(|d| d != "/run/postgresql" && d != "/var/run/postgresql"),
            Question::CheckUser => check_user(server?),
            Question::MountPoint => shown(self.disk()?.mount_point.as_deref()?),
            Question::FileSystem => self.disk()?.file_system.clone(),
            Question::MountOptions => joined(self.disk()?.mount_options.iter().cloned()),
            Question::Driver => driver(self.disk()?),
            Question::VolumeGroup => self.disk()?.volume_group.clone(),
            Question::ReservedDisk => shown(self.disk()?.reserved.as_deref()?),
            Question::ReplicaBelow => self.disk()?.replica_below.clone(),
            Question::Resource => self.disk()?.drbd.clone(),
            Question::Device => shown(&self.disk()?.device),
            Question::VirtualIp => self.moving_address().map(|(_, address)| address),
            Question::Interface => {
                let card = self.moving_address().map(|(card, _)| card);
                let card = card.or_else(|| self.own_cards().next())?;
                Some(card.name.clone())
            }
            Question::ThisFenceSecret => secret(answers, Question::ThisNode),
            Question::OtherFenceSecret => secret(answers, Question::OtherNode),
            Question::SiteName
            | Question::OtherNode
            | Question::OtherAddresses
            | Question::OtherHardware
            | Question::PreferredNode
            | Question::OtherDevice
            | Question::OtherInterface
            | Question::ThisFence
            | Question::ThisFenceUser
            | Question::OtherFence
            | Question::OtherFenceUser => None,
        }
    }

    /// The server that is meant: the one whose data is on a disk that can move.
    pub fn server(&self) -> Option<&Server> {
        let servers = &self.found.servers;
        servers
            .iter()
            .find(|s| disk_that_moves(s).is_some())
            .or(servers.first())
    }

    fn disk(&self) -> Option<&Disk> {
        disk_that_moves(self.server()?)
    }

    fn own_cards(&self) -> impl Iterator<Item = &Card> {
        let cards = self.found.cards.iter();
        cards.filter(|card| own_address(card).is_some())
    }

    /// An address without a network around it: a host's address that is moved about has that form.
    fn moving_address(&self) -> Option<(&Card, String)> {
        self.found.cards.iter().find_map(|card| {
            let mut single = card.addresses.iter().filter_map(|a| single(a));
            Some((card, single.next()?.to_owned()))
        })
    }

    /// Is it the address of this server itself?
    pub fn is_own(&self, address: &str) -> bool {
        let cards = self.found.cards.iter().flat_map(|c| &c.addresses);
        let mut own = cards.filter(|a| single(a).is_none());
        own.any(|a| a.split('/').next() == Some(address))
    }

    /// Is it on this server at all?
    pub fn is_here(&self, address: &str) -> bool {
        let mut all = self.found.cards.iter().flat_map(|c| &c.addresses);
        all.any(|a| a.split('/').next() == Some(address))
    }
}

/// The disk below the data, unless the system itself is on it.
pub fn disk_that_moves(server: &Server) -> Option<&Disk> {
    let system = [Path::new("/"), Path::new("/var"), Path::new("/usr")];
    server.disk.as_ref().filter(|d| {
        d.mount_point
            .as_deref()
            .is_some_and(|m| !system.contains(&m))
    })
}

fn single(address: &str) -> Option<&str> {
    let (ip, prefix) = address.split_once('/')?;
    let whole = if ip.contains(':') { "128" } else { "32" };
    (prefix == whole).then_some(ip)
}

fn own_address(card: &Card) -> Option<String> {
    let mut own = card.addresses.iter().filter(|a| single(a).is_none());
    let ip = own.next()?.split('/').next()?;
    Some(ip.to_owned())
}

fn check_user(server: &Server) -> Option<String> {
    let has = |name: &str| server.roles.iter().any(|r| r == name);
    (!server.roles.is_empty() && !has("postgres") && has(&server.os_user))
        .then(|| server.os_user.clone())
}

fn driver(disk: &Disk) -> Option<String> {
    match (&disk.volume_group, &disk.drbd) {
        (Some(_), _) => Some("lvm".to_owned()),
        (None, Some(_)) => Some("drbd".to_owned()),
        // It keeps the other server out by itself.
        (None, None) => disk.reserved.as_ref().map(|_| "scsi".to_owned()),
    }
}

fn secret(answers: &Answers, node: Question) -> Option<String> {
    Some(format!("/etc/siaga/ipmi-{}.secret", answers.get(node)?))
}

fn joined(parts: impl Iterator<Item = String>) -> Option<String> {
    let all: Vec<String> = parts.collect();
    Some(all.join(", ")).filter(|a| !a.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(name: &str, addresses: &[&str]) -> Card {
        Card {
            name: name.into(),
            hardware: format!("02:00:5e:00:53:{}", name.len()),
            addresses: addresses.iter().map(|a| (*a).to_owned()).collect(),
            running: true,
            default_route: false,
        }
    }

    fn ground(cards: Vec<Card>) -> Ground {
        let found = Found {
            host: "ServerDB.rs.example".into(),
            cards,
            ..Found::default()
        };
        Ground {
            found,
            time_zone: None,
            language: "id",
        }
    }

    #[test]
    fn an_address_without_a_network_is_the_one_that_moves() {
        let ground = ground(vec![
            card("eno1", &["198.51.100.11/24", "192.0.2.50/32"]),
            card("eno22", &[]),
        ]);
        let of = |q| ground.suggest(q, &Answers::default());
        assert_eq!(of(Question::ThisNode).as_deref(), Some("serverdb"));
        assert_eq!(
            of(Question::ThisAddresses).as_deref(),
            Some("198.51.100.11")
        );
        assert_eq!(
            of(Question::ThisHardware).as_deref(),
            Some("02:00:5e:00:53:4")
        );
        assert_eq!(of(Question::VirtualIp).as_deref(), Some("192.0.2.50"));
        assert_eq!(of(Question::Interface).as_deref(), Some("eno1"));
        assert!(ground.is_own("198.51.100.11") && !ground.is_own("192.0.2.50"));
        assert!(ground.is_here("192.0.2.50"));
        assert_eq!(of(Question::DataDir), None);
    }
}
