//! The copy, by `pg_basebackup`: over the replication protocol, throttled, with the WAL that it needs. It runs as the
//! database's account, gives way to everybody else, and sees the rehearsal's mounts only.

use super::stage::view;
use super::{Job, Told, end_with_parent, tell};
use crate::act::postgres::account::{self, Account};
use siaga_model::Why;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// How much of its last words is kept, in bytes.
const KEPT: usize = 800;

/// Makes the copy.
pub(crate) fn copy(job: &Job) -> Result<(), Why> {
    let account = account::lookup(&job.service.database.os_user)?;
    let begun = Instant::now();
    let output = command(job, &account)
        .output()
        .map_err(|e| Why::ProgramNotStarted {
            said: format!("pg_basebackup: {e}"),
        })?;
    if !output.status.success() {
        return Err(refused(job, &String::from_utf8_lossy(&output.stderr)));
    }
    let ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    tell(&Told::Copied { ms });
    Ok(())
}

fn command(job: &Job, account: &Account) -> Command {
    let database = &job.service.database;
    let mut command = Command::new(database.bin_dir.join("pg_basebackup"));
    command
        .arg("--pgdata")
        .arg(view::data_dir(&job.service))
        .args(["--host", &job.host.to_string()])
        .args(["--port", &database.port.to_string()])
        .args(["--username", &job.user])
        .args(["--wal-method=stream", "--checkpoint=spread", "--no-sync"])
        .args(["--no-password", "--label=siaga-rehearsal"])
        .arg(format!(
            "--max-rate={}M",
            job.service.rehearsal.max_rate_mebibytes
        ))
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("LC_ALL", "C")
        .env("HOME", &account.home)
        .env("PGAPPNAME", "siaga-rehearsal")
        .env("PGCONNECT_TIMEOUT", "10")
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let passwords = Path::new(view::PLACE).join(view::PASSWORDS);
    if passwords.exists() {
        command.env("PGPASSFILE", passwords);
    }
    let (uid, gid, groups) = (account.uid, account.gid, account.groups.clone());
    // SAFETY: only system calls between fork and exec, on memory that was prepared before.
    unsafe {
        command.pre_exec(move || {
            give_way();
            crate::act::postgres::launch::become_account(uid, gid, &groups)
        });
    }
    // After the change of account, which forgets it.
    end_with_parent(&mut command);
    command
}

/// Everybody else goes first, at the processor and at the disk. Where the kernel does not do it, the rate still holds.
fn give_way() {
    const WHO_PROCESS: libc::c_int = 1;
    const CLASS_IDLE: libc::c_int = 3 << 13;
    // SAFETY: plain system calls about this process.
    unsafe {
        libc::setpriority(libc::PRIO_PROCESS, 0, 10);
        libc::syscall(libc::SYS_ioprio_set, WHO_PROCESS, 0, CLASS_IDLE);
    }
}

/// What `pg_basebackup` said, and what mends it. The name of the file stands in PostgreSQL's words in every language.
fn refused(job: &Job, said: &str) -> Why {
    let from = said.trim();
    let from = from
        .char_indices()
        .rev()
        .map(|(at, _)| at)
        .find(|at| from.len() - at >= KEPT)
        .map_or(from, |at| &from[at..]);
    let said = from.replace('\n', " | ");
    if !said.contains("pg_hba.conf") {
        return Why::BackupFailed { said };
    }
    let line = hba_line(&job.user, own_address(job));
    // The agent knows the holder's name; here only its address is known.
    let node = siaga_model::NodeName::new(job.host.to_string());
    Why::ReplicationRefused { node, line, said }
}

fn hba_line(user: &str, own: Option<IpAddr>) -> String {
    let address = match own {
        Some(IpAddr::V4(v4)) => format!("{v4}/32"),
        Some(IpAddr::V6(v6)) => format!("{v6}/128"),
        None => "samenet".into(),
    };
    format!("host replication {user} {address} scram-sha-256")
}

/// The address that the holder sees: nothing is sent.
fn own_address(job: &Job) -> Option<IpAddr> {
    let any = match job.host {
        IpAddr::V4(_) => "0.0.0.0:0",
        IpAddr::V6(_) => "[::]:0",
    };
    let socket = UdpSocket::bind(any).ok()?;
    let there = SocketAddr::new(job.host, job.service.database.port);
    socket.connect(there).ok()?;
    socket.local_addr().ok().map(|a| a.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_for_pg_hba_is_complete() {
        let own = Some("192.0.2.12".parse().unwrap());
        assert_eq!(
            hba_line("rehearsal", own),
            "host replication rehearsal 192.0.2.12/32 scram-sha-256"
        );
        let own = Some("2001:db8::12".parse().unwrap());
        assert_eq!(
            hba_line("rehearsal", own),
            "host replication rehearsal 2001:db8::12/128 scram-sha-256"
        );
    }
}
