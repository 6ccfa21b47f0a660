//! Sockets: bound with the right rights, tuned, and the addresses that may come later.

use super::peercred::group_id;
use super::server::{ServerError, UnixOptions};
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, TcpStream, UnixListener};

/// A peer that lost its power is noticed by TCP within about this, and its connections make room.
const DEAD_PEER_MS: u32 = 15_000;

/// Binds the socket under another name, sets its rights, and only then gives it its own name.
pub(super) fn bind_unix(options: &UnixOptions) -> Result<UnixListener, ServerError> {
    let path = &options.path;
    let fail = |source| ServerError::Socket {
        path: path.clone(),
        source,
    };
    let dir = path.parent().unwrap_or(Path::new("/"));
    siaga_node::act::directory::make_open(dir).map_err(fail)?;
    match std::os::unix::net::UnixStream::connect(path) {
        Ok(_) => return Err(ServerError::AlreadyServed(path.clone())),
        // Nobody answers: a file that a dead agent left.
        Err(e) if matches!(e.kind(), ErrorKind::ConnectionRefused | ErrorKind::NotFound) => {}
        Err(e) => return Err(fail(e)),
    }
    let temporary = dir.join(format!(".siaga.{}.sock", std::process::id()));
    let _ = std::fs::remove_file(&temporary);
    let listener = UnixListener::bind(&temporary).map_err(fail)?;
    let ready =
        set_rights(&temporary, &options.group).and_then(|()| std::fs::rename(&temporary, path));
    if let Err(e) = ready {
        let _ = std::fs::remove_file(&temporary);
        return Err(fail(e));
    }
    Ok(listener)
}

fn set_rights(path: &Path, group: &str) -> std::io::Result<()> {
    if let Some(gid) = group_id(group) {
        std::os::unix::fs::chown(path, None, Some(gid))?;
    }
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))
}

/// Binds an address, also one that no interface has yet.
pub(super) fn bind_tcp(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    socket.set_reuseaddr(true)?;
    // The interface may come up later: the kernel then serves the address as soon as it is there.
    match address {
        SocketAddr::V4(_) => rustix::net::sockopt::set_ip_freebind(&socket, true)?,
        SocketAddr::V6(_) => rustix::net::sockopt::set_ipv6_freebind(&socket, true)?,
    }
    socket.bind(address)?;
    socket.listen(128)
}

/// No delay, and a dead other side is noticed. Used by servers and clients.
pub(super) fn tune(stream: &TcpStream) -> std::io::Result<()> {
    use rustix::net::sockopt;
    stream.set_nodelay(true)?;
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, Duration::from_secs(5))?;
    sockopt::set_tcp_keepintvl(stream, Duration::from_secs(2))?;
    sockopt::set_tcp_keepcnt(stream, 4)?;
    sockopt::set_tcp_user_timeout(stream, DEAD_PEER_MS)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The mask is a whole process's: this runs once more, by itself.
    #[test]
    fn the_group_reaches_the_socket_whatever_the_agents_umask() {
        const ALONE: &str = "SIAGA_TEST_SOCKET_BELOW";
        let Some(below) = std::env::var_os(ALONE) else {
            let below = tempfile::tempdir().unwrap();
            let name =
                "transport::bind::tests::the_group_reaches_the_socket_whatever_the_agents_umask";
            let mut alone = std::process::Command::new("/bin/sh");
            alone
                .args(["-c", "umask 027; exec \"$@\"", "sh"])
                .arg(std::env::current_exe().unwrap())
                .args(["--exact", name, "--nocapture"])
                .env(ALONE, below.path());
            let output = alone.output().unwrap();
            let said = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success(), "{said}");
            assert!(said.contains("1 passed"), "{said}");
            return;
        };
        let path = Path::new(&below).join("run/siaga.sock");
        let options = UnixOptions {
            path: path.clone(),
            group: "no-such-group".into(),
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let _listener = runtime.block_on(async { bind_unix(&options) }).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(path.parent().unwrap()), 0o755);
        assert_eq!(mode(&path), 0o660);
    }
}
