//! Who calls: a local person by the kernel's word, a peer by its pinned key, or nobody known.

use crate::pki::{PeerIdentity, Role};
use std::fs;
use tokio::net::UnixStream;

/// Put into every request's extensions by the server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Caller {
    /// Through the unix socket, as the kernel names it (`SO_PEERCRED`: at the time of the connect).
    Local {
        pid: i32,
        uid: u32,
        gid: u32,
        /// The process's further groups (`/proc/PID/status`), at the time of the connect.
        groups: Vec<u32>,
        /// Who logged in, also behind `sudo` (`/proc/PID/loginuid`). `None` where nobody did: a service.
        login_uid: Option<u32>,
        /// The account of `uid`, by `/etc/passwd`.
        user_name: Option<String>,
    },
    Peer(PeerIdentity),
    Anonymous,
}

impl Caller {
    /// The caller at the other end of a unix socket.
    pub fn of_unix(stream: &UnixStream) -> std::io::Result<Self> {
        let cred = stream.peer_cred()?;
        let pid = cred.pid().unwrap_or(0);
        Ok(Caller::Local {
            pid,
            uid: cred.uid(),
            gid: cred.gid(),
            groups: groups(pid),
            login_uid: login_uid(pid),
            user_name: user_name(cred.uid()),
        })
    }
}

impl Caller {
    /// May this caller report what the probe of that name saw? The probe itself, known by its key; or, on this machine,
    /// root and the group `siaga`. A report tells whether the service is seen running: it can hold a takeover up.
    pub fn may_report_as(&self, probe: &str) -> bool {
        match self {
            Caller::Local {
                uid, gid, groups, ..
            } => {
                let siaga = group_id(crate::daemon::GROUP);
                *uid == 0 || siaga.is_some_and(|s| *gid == s || groups.contains(&s))
            }
            Caller::Peer(peer) => peer.role == Role::Probe && peer.name() == probe,
            Caller::Anonymous => false,
        }
    }
}

fn groups(pid: i32) -> Vec<u32> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    parse_groups(&text)
}

fn parse_groups(status: &str) -> Vec<u32> {
    let line = status.lines().find_map(|l| l.strip_prefix("Groups:"));
    line.unwrap_or_default()
        .split_whitespace()
        .filter_map(|g| g.parse().ok())
        .collect()
}

fn login_uid(pid: i32) -> Option<u32> {
    let text = fs::read_to_string(format!("/proc/{pid}/loginuid")).ok()?;
    parse_login_uid(&text)
}

fn parse_login_uid(text: &str) -> Option<u32> {
    text.trim().parse().ok().filter(|&uid| uid != u32::MAX)
}

/// The account of a user by `/etc/passwd`.
pub fn user_name(uid: u32) -> Option<String> {
    let text = fs::read_to_string("/etc/passwd").ok()?;
    third_field_is(&text, uid)
}

/// The group's number by `/etc/group`.
pub(super) fn group_id(name: &str) -> Option<u32> {
    let text = fs::read_to_string("/etc/group").ok()?;
    text.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(name)).then(|| fields.nth(1)?.parse().ok())?
    })
}

fn third_field_is(text: &str, id: u32) -> Option<String> {
    text.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(id)).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unset_login_uid_is_nobody() {
        assert_eq!(parse_login_uid("4294967295\n"), None);
        assert_eq!(parse_login_uid("1000\n"), Some(1000));
        assert_eq!(parse_login_uid(""), None);
    }

    #[test]
    fn a_report_comes_from_the_probe_itself_or_from_those_who_may_act_here() {
        let machine = |name: &str, role| {
            Caller::Peer(PeerIdentity {
                name: name.into(),
                role,
                cert_expired: false,
                days_left: 300,
                not_yet_valid: false,
            })
        };
        assert!(machine("client1", Role::Probe).may_report_as("client1"));
        assert!(!machine("client2", Role::Probe).may_report_as("client1"));
        // A node of that name is no probe.
        assert!(!machine("client1", Role::Node).may_report_as("client1"));
        assert!(!Caller::Anonymous.may_report_as("client1"));
        let local = |uid| Caller::Local {
            pid: 1,
            uid,
            gid: uid,
            groups: vec![uid],
            login_uid: None,
            user_name: None,
        };
        assert!(local(0).may_report_as("client1"));
        // Whatever number the group siaga has here, it is not this one.
        assert!(!local(u32::MAX - 7).may_report_as("client1"));
        assert_eq!(parse_groups("Name:\tx\nGroups:\t4 27 998 \n"), [4, 27, 998]);
    }

    #[test]
    fn names_come_from_the_third_field() {
        let passwd =
            "root:x:0:0:root:/root:/bin/bash\nbroken\nbudi:x:1000:1000::/home/budi:/bin/bash\n";
        assert_eq!(third_field_is(passwd, 1000).as_deref(), Some("budi"));
        assert_eq!(third_field_is(passwd, 7), None);
    }
}
