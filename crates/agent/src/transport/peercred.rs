//! Who calls: a local person by the kernel's word, a peer by its pinned key, or nobody known.

use crate::pki::PeerIdentity;
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
            login_uid: login_uid(pid),
            user_name: user_name(cred.uid()),
        })
    }
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
    fn names_come_from_the_third_field() {
        let passwd =
            "root:x:0:0:root:/root:/bin/bash\nbroken\nbudi:x:1000:1000::/home/budi:/bin/bash\n";
        assert_eq!(third_field_is(passwd, 1000).as_deref(), Some("budi"));
        assert_eq!(third_field_is(passwd, 7), None);
    }
}
