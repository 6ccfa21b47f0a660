//! The floor, on one node: the work of a move as a bare sequence of system calls and processes. It proves nothing, looks
//! at nothing again and writes no log.
//!
//! It reads orders on standard input, one a line, and answers each with one line: `ok MS STEP=MS …` or `error WHY`.
//!
//! - `let-go`: checkpoint, fast stop, addresses gone, unmount;
//! - `take-clean`, `take-crashed`: addresses and their announcement, mount, `postgres` with the options that Siaga gives
//!   it, then its readiness polled every millisecond.

use crate::args::FloorArgs;
use crate::error::{BenchError, Doing, Result, unexpected};
use crate::netlink;
use crate::pg_wire;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::io::{BufRead, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const POLL: Duration = Duration::from_millis(1);
const START_WITHIN: Duration = Duration::from_secs(120);
const UNMOUNT_WITHIN: Duration = Duration::from_secs(5);

/// What an order took, step by step.
#[derive(Default)]
struct Steps(Vec<(&'static str, f64)>);

impl Steps {
    fn time<T>(&mut self, name: &'static str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let begun = Instant::now();
        let result = work();
        self.0.push((name, begun.elapsed().as_secs_f64() * 1e3));
        result
    }
}

/// Serves orders until standard input ends. A database that it started goes on.
pub fn run(args: &FloorArgs) -> Result<()> {
    let account = Account::postgres()?;
    for line in std::io::stdin().lock().lines() {
        let line = line.doing("read an order")?;
        let begun = Instant::now();
        let mut steps = Steps::default();
        let done = match line.trim() {
            "let-go" => let_go(args, &account, &mut steps),
            "take-clean" => take(args, &account, false, &mut steps),
            "take-crashed" => take(args, &account, true, &mut steps),
            other => Err(unexpected(format!("no such order: {other}"))),
        };
        let answer = match done {
            Ok(()) => {
                let steps: Vec<String> = steps
                    .0
                    .iter()
                    .map(|(n, ms)| format!("{n}={ms:.1}"))
                    .collect();
                format!(
                    "ok {:.1} {}",
                    begun.elapsed().as_secs_f64() * 1e3,
                    steps.join(" ")
                )
            }
            Err(error) => format!("error {error}"),
        };
        let mut out = std::io::stdout();
        writeln!(out, "{answer}")
            .and_then(|()| out.flush())
            .doing("answer")?;
    }
    Ok(())
}

fn let_go(args: &FloorArgs, account: &Account, steps: &mut Steps) -> Result<()> {
    let socket = format!("/run/postgresql/.s.PGSQL.{}", args.port);
    steps.time("checkpoint", || {
        pg_wire::checkpoint(Path::new(&socket), account.uid)
    })?;
    steps.time("stop", || stop(&args.data_dir))?;
    steps.time("address", || {
        let index = netlink::index(&args.interface)?;
        netlink::address(netlink::Change::Remove, index, args.vip.into())?;
        netlink::address(netlink::Change::Remove, index, args.vip6.into())
    })?;
    steps.time("unmount", || unmount_all(&args.mount))
}

fn stop(data_dir: &Path) -> Result<()> {
    let file =
        std::fs::read_to_string(data_dir.join("postmaster.pid")).doing("read postmaster.pid")?;
    let pid = file
        .lines()
        .next()
        .and_then(|l| l.parse().ok())
        .and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| unexpected("postmaster.pid names no process"))?;
    let handle = pidfd_open(pid, PidfdFlags::empty())
        .map_err(std::io::Error::from)
        .doing("hold the postmaster")?;
    pidfd_send_signal(&handle, Signal::INT)
        .map_err(std::io::Error::from)
        .doing("stop the postmaster")?;
    let mut waited = [PollFd::new(&handle, PollFlags::IN)];
    poll(&mut waited, None)
        .map_err(std::io::Error::from)
        .doing("wait for the postmaster")?;
    Ok(())
}

fn unmount_all(place: &Path) -> Result<()> {
    let begun = Instant::now();
    loop {
        match unmount(place, UnmountFlags::empty()) {
            Err(rustix::io::Errno::BUSY) if begun.elapsed() < UNMOUNT_WITHIN => {
                std::thread::sleep(POLL)
            }
            other => {
                return other
                    .map_err(std::io::Error::from)
                    .doing("unmount the disk set");
            }
        }
    }
}

fn take(args: &FloorArgs, account: &Account, crashed: bool, steps: &mut Steps) -> Result<()> {
    let _announcer = steps.time("address", || {
        let index = netlink::index(&args.interface)?;
        netlink::address(netlink::Change::Add, index, args.vip.into())?;
        netlink::address(netlink::Change::Add, index, args.vip6.into())?;
        netlink::announce(&args.interface, index, args.vip)
    })?;
    // Closing a packet socket waits for the kernel's other cores: after the take.
    steps.time("mount", || {
        mount(&args.device, &args.mount, "ext4", MountFlags::empty(), None)
            .map_err(std::io::Error::from)
            .doing("mount the disk set")
    })?;
    let pid = steps.time("exec", || launch(args, account, crashed))?;
    steps.time("ready", || wait_ready(&args.data_dir, pid))
}

fn launch(args: &FloorArgs, account: &Account, crashed: bool) -> Result<u32> {
    let log = std::fs::File::options()
        .create(true)
        .append(true)
        .open("/var/lib/siaga/floor-postgres.log")
        .doing("open a log")?;
    let second = log.try_clone().doing("open a log")?;
    let mut command = Command::new(args.pg_bin.join("postgres"));
    command
        .arg("-D")
        .arg(&args.data_dir)
        .arg("-p")
        .arg(args.port.to_string());
    if crashed {
        command.args(["-c", "recovery_init_sync_method=syncfs"]);
    }
    command
        .current_dir(&args.data_dir)
        .env_clear()
        .env(
            "PATH",
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        )
        .env("LANG", "C.UTF-8")
        .uid(account.uid)
        .gid(account.gid)
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(second);
    // SAFETY: one system call between fork and exec.
    unsafe {
        command.pre_exec(|| {
            rustix::process::setsid()?;
            Ok(())
        });
    }
    command
        .spawn()
        .doing("start postgres")
        .map(|child| child.id())
}

fn wait_ready(data_dir: &Path, pid: u32) -> Result<()> {
    let file = data_dir.join("postmaster.pid");
    let pid = pid.to_string();
    let begun = Instant::now();
    loop {
        // A file that a power cut left behind says "ready" too, of a process that is gone.
        let said = std::fs::read_to_string(&file).unwrap_or_default();
        let mut lines = said.lines();
        if lines.next() == Some(pid.as_str())
            && lines.nth(6).is_some_and(|state| state.trim() == "ready")
        {
            return Ok(());
        }
        if begun.elapsed() > START_WITHIN {
            return Err(unexpected("postgres was not ready in time"));
        }
        std::thread::sleep(POLL);
    }
}

/// The account that the database runs as.
struct Account {
    uid: u32,
    gid: u32,
}

impl Account {
    fn postgres() -> Result<Self> {
        let users = std::fs::read_to_string("/etc/passwd").doing("read /etc/passwd")?;
        let ids = users.lines().find_map(|line| {
            let mut fields = line.strip_prefix("postgres:")?.split(':').skip(1);
            Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
        });
        let (uid, gid) =
            ids.ok_or_else(|| BenchError::Unexpected("there is no account postgres".into()))?;
        Ok(Self { uid, gid })
    }
}
