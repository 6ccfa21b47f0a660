//! `lab __init`: the first process of a machine. It builds what the machine sees, starts the agent (on the client the
//! probe) and starts it again when it dies, and buries orphans. It holds nothing of the service.

use crate::args::BootArgs;
use crate::boot::state_in;
use crate::error::{Doing, LabError, Result, on};
use crate::keeper::{Keeper, environment};
use crate::layout::Layout;
use crate::machine::Machine;
use crate::rootfs;
use crate::state::LabState;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use std::fs::{File, Permissions};
use std::io::{Read, Write};
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Started at the boot of a machine that has it. It stays over power cuts, as /etc does.
const BOOT: &str = "/etc/siaga/boot";

/// Runs until it is killed. Reports `ready` or `error TEXT` on its standard output, then lets go of it.
pub(crate) fn init(args: &BootArgs) -> Result<()> {
    let mut out = std::io::stdout();
    match prepare(args) {
        Ok((machine, keeper)) => {
            writeln!(out, "ready")
                .and_then(|()| out.flush())
                .doing(|| "report".into())?;
            rustix::stdio::dup2_stdout(rustix::stdio::stderr())
                .doing(|| "let go of the pipe".into())?;
            machine.run(keeper)
        }
        Err(error) => {
            let _ = writeln!(out, "error {error}");
            Err(error)
        }
    }
}

/// What the first process waits for.
struct FirstProcess {
    signals: File,
    listener: UnixListener,
}

fn prepare(args: &BootArgs) -> Result<(FirstProcess, Keeper)> {
    let layout = Layout::new(args.dir.clone())?;
    let state = state_in(args)?;
    // Ctrl-C in the terminal that started the lab is not for the machine.
    rustix::process::setsid().doing(|| "leave the terminal".into())?;
    rootfs::build(&layout, &state, args.machine)?;
    rustix::system::sethostname(args.machine.name().as_bytes())
        .doing(|| "set the host name".into())?;
    let signals = child_signals()?;
    let listener = listen(&layout, args.machine)?;
    units(&layout, &state, args.machine);
    let mut keeper = Keeper::new(&layout, &state, args.machine)?;
    if !args.hold_agent {
        keeper.start();
    }
    Ok((FirstProcess { signals, listener }, keeper))
}

/// What a machine's own service manager would start at boot, whatever Siaga thinks of it: the program at `BOOT`, where a
/// test has put one. It ends with the machine.
fn units(layout: &Layout, state: &LabState, machine: Machine) {
    let unit = Path::new(BOOT);
    let log = File::options()
        .append(true)
        .open(layout.console_log(machine));
    let Some(log) = log.ok().filter(|_| unit.exists()) else {
        return;
    };
    let mut command = Command::new(unit);
    command
        .env_clear()
        .envs(environment(&state.name, machine, state.siaga.as_deref()))
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log);
    if let Err(error) = command.spawn() {
        eprintln!("{BOOT}: {error}");
    }
}

/// A descriptor that can be read when a child has ended.
fn child_signals() -> Result<File> {
    // SAFETY: plain calls of the C library on a set that lives here; the new descriptor belongs to nobody else.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, libc::SIGCHLD);
        if libc::sigprocmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut()) != 0 {
            return Err(std::io::Error::last_os_error()).doing(|| "block SIGCHLD".into());
        }
        let fd = libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK);
        if fd < 0 {
            return Err(std::io::Error::last_os_error())
                .doing(|| "make a signal descriptor".into());
        }
        Ok(File::from(OwnedFd::from_raw_fd(fd)))
    }
}

fn listen(layout: &Layout, machine: Machine) -> Result<UnixListener> {
    let path = layout.init_socket(machine);
    // Left by the boot before.
    let _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path).doing(|| on("listen at", &path))?;
    std::fs::set_permissions(&path, Permissions::from_mode(0o600))
        .doing(|| on("protect", &path))?;
    Ok(listener)
}

impl FirstProcess {
    fn run(mut self, mut keeper: Keeper) -> Result<()> {
        loop {
            let [ended, called] = self.wait(keeper.next_act())?;
            if ended {
                let mut drained = [0; 1024];
                while self.signals.read(&mut drained).is_ok_and(|read| read > 0) {}
            }
            // Without a signal too: one signal may stand for several children.
            keeper.bury();
            keeper.act();
            if called && let Ok((stream, _)) = self.listener.accept() {
                answer(stream, &mut keeper);
            }
        }
    }

    /// Waits for a signal, a caller, or the time. Which of the first two came.
    fn wait(&self, time: Option<Duration>) -> Result<[bool; 2]> {
        let mut fds = [
            PollFd::new(&self.signals, PollFlags::IN),
            PollFd::new(&self.listener, PollFlags::IN),
        ];
        let timeout = time.and_then(|time| Timespec::try_from(time).ok());
        match poll(&mut fds, timeout.as_ref()) {
            Ok(_) => Ok([0, 1].map(|at: usize| !fds[at].revents().is_empty())),
            Err(Errno::INTR) => Ok([false; 2]),
            Err(errno) => Err(errno).doing(|| "poll".into()),
        }
    }
}

/// One command per connection, one line of answer: `ok`, or what is wrong.
fn answer(mut stream: UnixStream, keeper: &mut Keeper) {
    // A caller that says nothing must not stop the machine.
    let _ = stream.set_read_timeout(Some(Duration::from_secs(1)));
    let mut word = [0; 64];
    let read = stream.read(&mut word).unwrap_or(0);
    let reply = match String::from_utf8_lossy(&word[..read]).trim() {
        "start-agent" => keeper.start_on_demand(),
        "kill-agent" => keeper.kill(),
        // Answered when the agent has ended.
        "stop-agent" => match keeper.stop(stream) {
            None => return,
            Some(back) => {
                stream = back;
                Ok(())
            }
        },
        other => Err(format!("unknown command {other:?}")),
    };
    let _ = writeln!(stream, "{}", reply.err().unwrap_or_else(|| "ok".into()));
}

/// Tells a machine's first process to do something, and waits for its answer.
pub(crate) fn tell(layout: &Layout, machine: Machine, command: &str) -> Result<()> {
    let path = layout.init_socket(machine);
    let mut stream = UnixStream::connect(&path).doing(|| on("reach", &path))?;
    // Longer than the keeper gives an agent to end.
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .doing(|| on("wait at", &path))?;
    stream
        .write_all(command.as_bytes())
        .doing(|| on("write to", &path))?;
    let mut reply = String::new();
    stream
        .read_to_string(&mut reply)
        .doing(|| on("hear from", &path))?;
    match reply.trim() {
        "ok" => Ok(()),
        "" => Err(LabError::Broken(format!(
            "{} gave no answer",
            machine.name()
        ))),
        other => Err(LabError::Broken(format!("{}: {other}", machine.name()))),
    }
}
