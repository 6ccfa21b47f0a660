//! What is found on this host as the answer to a question. Pure.

mod further;

use siaga_agent::survey::{Card, Cluster, Disk, Found, Server};
use siaga_config::draft::Answers;
use siaga_model::question::Question;
use std::path::{Path, PathBuf};

/// The group of those who may type Siaga's commands without being root.
const GROUP: &str = "siaga";

/// What is found, and what nobody has to look for.
pub struct Ground {
    pub found: Found,
    pub time_zone: Option<String>,
    /// Accounts that are in the agent's group, or that became root for this.
    pub operators: Vec<String>,
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
            Question::Operators => joined(self.operators.iter().cloned()),
            Question::ThisNode => {
                let host = self.found.host.split('.').next().unwrap_or_default();
                Some(host.to_ascii_lowercase()).filter(|h| !h.is_empty())
            }
            Question::ThisAddresses => joined(self.own_cards().filter_map(own_address)),
            Question::ThisHardware => joined(self.own_cards().map(|c| c.hardware.clone())),
            Question::Service => Some("simrs".to_owned()),
            Question::DataDir => shown(&self.of_database(|s| &s.data_dir, |c| &c.data_dir)?),
            Question::BinDir => shown(&self.bin_dir()?),
            Question::ConfigFile => shown(&self.config_file()?),
            Question::Unit => server?.unit.clone(),
            Question::Port => Some(self.of_database(|s| &s.port, |c| &c.port)?.to_string())
                .filter(|p| p != "5432"),
            Question::OsUser => Some(server?.os_user.clone()).filter(|u| u != "postgres"),
            Question::SocketDir => shown(&self.of_database(|s| &s.socket_dir, |c| &c.socket_dir)?)
                .filter(|d| d != "/run/postgresql" && d != "/var/run/postgresql"),
            Question::CheckUser => check_user(server?),
            Question::MountPoint => shown(&self.of_disk(mount_point)?),
            Question::FileSystem => self.of_disk(|d| d.file_system.clone()),
            Question::MountOptions => self.of_disk(|d| joined(d.mount_options.iter().cloned())),
            Question::Driver => self.of_disk(driver),
            Question::VolumeGroup => self.of_disk(|d| d.volume_group.clone()),
            Question::ReservedDisk => shown(&self.of_disk(|d| d.reserved.clone())?),
            Question::ReplicaBelow => self.of_disk(|d| d.replica_below.clone()),
            Question::Resource => self.of_disk(|d| d.drbd.clone()),
            Question::Device => shown(&self.of_disk(|d| Some(d.device.clone()))?),
            Question::FurtherFileSystems => {
                let fit = self.fit(answers);
                joined(fit.into_iter().filter_map(further::as_answer))
            }
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

    /// Where no server runs: the one cluster that is set up here and may lie on the disk that moves.
    fn cluster(&self) -> Option<&Cluster> {
        let mut fit = self.found.stopped.iter().filter(|c| !is_local(c));
        let only = fit.next().filter(|_| self.server().is_none())?;
        fit.next().is_none().then_some(only)
    }

    /// Of the server that runs, or else of the cluster that does not.
    fn of_database<T: Clone>(
        &self,
        server: impl Fn(&Server) -> &T,
        cluster: impl Fn(&Cluster) -> &T,
    ) -> Option<T> {
        match self.server() {
            Some(s) => Some(server(s).clone()),
            None => self.cluster().map(|c| cluster(c).clone()),
        }
    }

    fn bin_dir(&self) -> Option<PathBuf> {
        match self.server() {
            Some(server) => Some(server.bin_dir.clone()),
            None => self.cluster()?.bin_dir.clone(),
        }
    }

    fn config_file(&self) -> Option<PathBuf> {
        match self.server() {
            Some(server) => server.config_file.clone(),
            None => Some(self.cluster()?.config_file.clone()),
        }
    }

    /// The disk below the database; where none runs, what nothing uses.
    fn candidates(&self) -> Vec<&Disk> {
        if let Some(server) = self.server() {
            return disk_that_moves(server).into_iter().collect();
        }
        let below = self.cluster().and_then(|c| movable(c.disk.as_ref()));
        below.map_or_else(|| self.found.free.iter().collect(), |disk| vec![disk])
    }

    /// Is there a disk that it may be?
    pub fn has_disk(&self) -> bool {
        !self.candidates().is_empty()
    }

    /// What is true of the one disk that it may be. Of several only what is the same of all.
    fn of_disk<T: PartialEq>(&self, read: impl Fn(&Disk) -> Option<T>) -> Option<T> {
        let mut values = self.candidates().into_iter().map(read);
        let first = values.next()??;
        let same = values.all(|v| v.as_ref() == Some(&first));
        same.then_some(first)
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

/// Who became root for this, and who is in the agent's group, by the text of `/etc/group`. Never root itself: that is nobody's name.
pub fn operators(became_root: Option<String>, groups: &str) -> Vec<String> {
    let members = groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(GROUP)).then(|| fields.nth(2).unwrap_or_default())
    });
    let members = members.unwrap_or_default().split(',').map(str::to_owned);
    let mut all: Vec<String> = Vec::new();
    for name in became_root.into_iter().chain(members) {
        if !name.is_empty() && name != "root" && !all.contains(&name) {
            all.push(name);
        }
    }
    all
}

/// The disk below the data, unless the system itself is on it.
pub fn disk_that_moves(server: &Server) -> Option<&Disk> {
    movable(server.disk.as_ref())
}

/// Is its data on the system's own disk?
pub fn is_local(cluster: &Cluster) -> bool {
    cluster.has_data && movable(cluster.disk.as_ref()).is_none()
}

fn mount_point(disk: &Disk) -> Option<PathBuf> {
    disk.mount_point.clone().or_else(|| disk.waits_at.clone())
}

fn movable(disk: Option<&Disk>) -> Option<&Disk> {
    let system = [Path::new("/"), Path::new("/var"), Path::new("/usr")];
    disk.filter(|d| {
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
mod tests;
