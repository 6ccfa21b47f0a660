//! Starts the postmaster so that it is nobody's child and outlives the agent, as its own account, without a shell.

use super::account::Account;
use super::process::Handle;
use siaga_model::Why;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// What is to be started.
pub struct Launch<'a> {
    pub program: &'a Path,
    pub arguments: &'a [std::ffi::OsString],
    pub account: &'a Account,
    pub working_directory: &'a Path,
    /// Where its output goes; nowhere without one.
    pub log: Option<File>,
}

/// Starts it and returns as soon as the program has been executed.
pub fn launch(what: Launch<'_>) -> Result<Handle, Why> {
    let (mut reader, writer) = io::pipe().map_err(|e| Why::system(format!("pipe: {e}")))?;
    let (output, errors) = outputs(what.log)?;
    let mut command = Command::new(what.program);
    command
        .args(what.arguments)
        .current_dir(what.working_directory)
        .env_clear()
        .env(
            "PATH",
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        )
        .env("LANG", "C.UTF-8")
        .env("HOME", &what.account.home)
        .env("USER", &what.account.name)
        .env("LOGNAME", &what.account.name)
        // The kernel is to spare the postmaster as it spares the agent, and to take a backend first where memory runs
        // out: PostgreSQL's own wish, since one dead backend is a restart and a dead postmaster an outage.
        .env("PG_OOM_ADJUST_FILE", "/proc/self/oom_score_adj")
        .env("PG_OOM_ADJUST_VALUE", "0")
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors);
    let (uid, gid) = (what.account.uid, what.account.gid);
    let groups = what.account.groups.clone();
    let pid_pipe = writer.as_raw_fd();
    // SAFETY: between fork and exec only system calls are made, on memory that was prepared before.
    unsafe {
        command.pre_exec(move || {
            leave_parent(pid_pipe)?;
            become_account(uid, gid, &groups)
        });
    }
    let program = what.program.display().to_string();
    let mut middle = command
        .spawn()
        .map_err(|e| Why::system(format!("{program}: {e}")))?;
    drop(writer);
    let _ = middle.wait();
    let mut pid = [0; 4];
    reader
        .read_exact(&mut pid)
        .map_err(|e| Why::system(format!("{program}: {e}")))?;
    let pid = i32::from_ne_bytes(pid);
    Handle::open(pid, |_| true)?.ok_or(Why::ProgramGone { program })
}

fn outputs(log: Option<File>) -> Result<(Stdio, Stdio), Why> {
    let Some(log) = log else {
        return Ok((Stdio::null(), Stdio::null()));
    };
    let second = log
        .try_clone()
        .map_err(|e| Why::system(format!("log: {e}")))?;
    Ok((log.into(), second.into()))
}

/// Forks once more and lets the first child end, so that the second one is init's. Its pid goes into the pipe.
fn leave_parent(pid_pipe: i32) -> io::Result<()> {
    // SAFETY: this is a process of one thread that only makes system calls until it executes or exits.
    unsafe {
        match libc::fork() {
            -1 => Err(io::Error::last_os_error()),
            0 => {
                libc::setsid();
                libc::umask(0o077);
                // Nothing of the agent's goes along, whoever opened it without the flag.
                libc::syscall(
                    libc::SYS_close_range,
                    3,
                    libc::c_uint::MAX,
                    libc::CLOSE_RANGE_CLOEXEC,
                );
                Ok(())
            }
            child => {
                let bytes = child.to_ne_bytes();
                libc::write(pid_pipe, bytes.as_ptr().cast(), bytes.len());
                libc::_exit(0)
            }
        }
    }
}

pub(crate) fn become_account(uid: u32, gid: u32, groups: &[u32]) -> io::Result<()> {
    // SAFETY: `groups` lives through the call; the process has one thread.
    let result = unsafe {
        match libc::setgroups(groups.len(), groups.as_ptr()) {
            0 => match libc::setresgid(gid, gid, gid) {
                0 => libc::setresuid(uid, uid, uid),
                failed => failed,
            },
            failed => failed,
        }
    };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}
