//! Another program at the database's port on this host: this server would not start, and clients would find that program at
//! the service's address, which is there first.

use super::pid_file;
use super::process::{self, Signature};
use siaga_model::Why;
use siaga_model::config::Database;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The state "LISTEN" in the kernel's table.
const LISTEN: &str = "0A";

/// Who stands in the way of a start of `database`, whose clients come to `addresses`. Nobody does where it runs itself, and
/// what can't be told is no reason.
pub fn at_the_port(database: &Database, addresses: &[IpAddr]) -> Option<Why> {
    let port = database.port;
    let by = match beside_the_socket(database) {
        Some(by) => Some(by),
        None if listens(port, addresses) => None,
        None => return None,
    };
    let own = process::find(&Signature::of(database)).ok()?;
    own.is_empty().then_some(Why::PortTaken { port, by })
}

/// Does anybody listen there, for clients that come to `addresses`? In this thread's network namespace.
fn listens(port: u16, addresses: &[IpAddr]) -> bool {
    ["tcp", "tcp6"].iter().any(|name| {
        let text = std::fs::read_to_string(format!("/proc/thread-self/net/{name}"));
        let mut all = listeners(&text.unwrap_or_default(), port).into_iter();
        all.any(|at| at.is_unspecified() || addresses.contains(&at))
    })
}

/// Another cluster's server at the same unix socket, by the lock that it keeps beside it.
fn beside_the_socket(database: &Database) -> Option<String> {
    let lock = format!(".s.PGSQL.{}.lock", database.port);
    let said = pid_file::read_file(&database.socket_dir.join(lock))?;
    let exe = std::fs::read_link(format!("/proc/{}/exe", said.pid)).ok()?;
    let is_server = exe.file_name().is_some_and(|name| name == "postgres");
    is_server.then(|| {
        let data = said.data_dir().display();
        format!("pid {} ({data})", said.pid)
    })
}

/// Where somebody listens at that port, by the text of `/proc/net/tcp` or `tcp6`.
fn listeners(text: &str, port: u16) -> Vec<IpAddr> {
    let line = |line: &str| {
        let mut fields = line.split_whitespace().skip(1);
        let (address, at) = fields.next()?.split_once(':')?;
        let listens = fields.nth(1)? == LISTEN && u16::from_str_radix(at, 16).ok()? == port;
        listens.then(|| address_of(address))?
    };
    text.lines().filter_map(line).collect()
}

/// The kernel writes each 32 bits as one number in the host's own order.
fn address_of(hex: &str) -> Option<IpAddr> {
    let word = |at: usize| {
        let word = u32::from_str_radix(hex.get(at * 8..at * 8 + 8)?, 16).ok()?;
        Some(word.to_ne_bytes())
    };
    if hex.len() == 8 {
        return Some(Ipv4Addr::from(word(0)?).into());
    }
    let mut bytes = [0; 16];
    for (at, part) in bytes.chunks_exact_mut(4).enumerate() {
        part.copy_from_slice(&word(at)?);
    }
    Some(Ipv6Addr::from(bytes).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{database, in_own_namespace};
    use std::net::TcpListener;

    #[test]
    fn listeners_as_the_kernel_tells_them() {
        let text = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
             0: 0100007F:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000   109        0 1 1 0 100 0 0 10 0\n   \
             1: 00000000:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000   109        0 1 1 0 100 0 0 10 0\n   \
             2: 320200C0:1538 010200C0:9C40 01 00000000:00000000 00:00000000 00000000   109        0 1 1 0 100 0 0 10 0\n   \
             3: 320200C0:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0\n";
        let of = |port| listeners(text, port);
        let any = IpAddr::from(Ipv4Addr::UNSPECIFIED);
        assert_eq!(of(5432), [IpAddr::from(Ipv4Addr::LOCALHOST), any]);
        assert_eq!(of(22), [IpAddr::from([192, 0, 2, 50])]);
        assert_eq!(of(80), [] as [IpAddr; 0]);
        let six = "   0: 00000000000000000000000000000000:1538 00000000000000000000000000000000:0000 0A 0 0 0\n   \
             1: B80D0120000000000000000001000000:1538 00000000000000000000000000000000:0000 0A 0 0 0\n";
        let any = IpAddr::from(Ipv6Addr::UNSPECIFIED);
        let own: IpAddr = "2001:db8::1".parse().unwrap();
        assert_eq!(listeners(six, 5432), [any, own]);
        assert!(listeners("nonsense\n 0: 12:1538 x 0A\n", 5432).is_empty());
    }

    #[test]
    fn a_listener_at_the_port_is_found_and_one_elsewhere_is_not() {
        in_own_namespace(|| {
            let dir = tempfile::tempdir().unwrap();
            let mut database = database(dir.path(), dir.path());
            let taken = |database: &Database, to: &str| {
                at_the_port(database, &[to.parse().unwrap()]).is_some()
            };
            let local = TcpListener::bind("127.0.0.1:0").unwrap();
            database.port = local.local_addr().unwrap().port();
            assert!(!taken(&database, "192.0.2.50"));
            assert!(taken(&database, "127.0.0.1"));
            for everywhere in ["0.0.0.0:0", "[::]:0"] {
                let all = TcpListener::bind(everywhere).unwrap();
                database.port = all.local_addr().unwrap().port();
                assert!(taken(&database, "192.0.2.50"), "{everywhere}");
            }
        });
    }
}
