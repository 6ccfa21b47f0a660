//! The database of a new lab: initdb, pgbench's rows, a clean stop. All of it in namespaces of its own, so that nothing
//! of it is seen outside, and nothing outlives it.

use crate::args::{FsKind, HiddenDir};
use crate::error::{Doing, LabError, Result, on};
use crate::layout::{DATA_DIR, DATABASE, Layout, SERVICE_MOUNT};
use crate::machine::Machine;
use crate::program::Program;
use crate::rootfs;
use crate::state::{LabState, load};
use crate::tools::{self, MKFS_EXT4, MKFS_XFS, checked, postgres_user};
use crate::wait::Deadline;
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use rustix::process::{Pid, Signal, kill_process, set_parent_process_death_signal};
use rustix::thread::{UnshareFlags, unshare_unsafe};
use std::fmt::Write as _;
use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const SOCKETS: &str = "/run/postgresql";
const SERVER_LOG: &str = "/tmp/postgres.log";
const START_PATIENCE: Duration = Duration::from_secs(60);
const STOP_PATIENCE: Duration = Duration::from_secs(60);

/// Makes the file system on a device.
pub(crate) fn make_file_system(device: &Path, fs: FsKind, mmp: bool) -> Result<()> {
    match fs {
        FsKind::Ext4 => {
            // All of it now: an idle disk must not change by itself later.
            let now = "lazy_itable_init=0,lazy_journal_init=0";
            let mut args = vec!["-q", "-F", "-b", "4096", "-E", now];
            if mmp {
                args.extend(["-O", "mmp"]);
            }
            MKFS_EXT4.run(args.iter().map(Path::new).chain([device]))
        }
        FsKind::Xfs => MKFS_XFS.run([Path::new("-q"), Path::new("-f"), device]),
    }
}

/// Fills the file system on serverdb's device with the database; returns once it is unmounted again.
pub(crate) fn make_database(layout: &Layout, program: &Program) -> Result<()> {
    checked(
        program.apart("__prepare").arg("--dir").arg(layout.dir()),
        None,
    )
    .map(|_| ())
}

/// `lab __prepare`: makes the namespaces, and waits for what happens in them.
pub(crate) fn outside(args: &HiddenDir, program: &Program) -> Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))
        .doing(|| "tie the work to its parent".into())?;
    let flags =
        UnshareFlags::NEWNS | UnshareFlags::NEWPID | UnshareFlags::NEWNET | UnshareFlags::NEWIPC;
    // SAFETY: of what can be unshared, only the descriptor table would be unsafe.
    unsafe { unshare_unsafe(flags) }.doing(|| "make namespaces".into())?;
    checked(
        program
            .apart("__prepare-inside")
            .arg("--dir")
            .arg(&args.dir),
        None,
    )
    .map(|_| ())
}

/// `lab __prepare-inside`: the first process there. Everything ends with it.
pub(crate) fn inside(args: &HiddenDir) -> Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))
        .doing(|| "tie the work to its parent".into())?;
    let layout = Layout::new(args.dir.clone())?;
    let state =
        load(&layout.state())?.ok_or_else(|| LabError::Broken("the lab has no state".into()))?;
    let nothing = || LabError::Broken("the lab has no device yet".into());
    let device = state
        .machine(Machine::Serverdb)
        .lun
        .ok_or_else(nothing)?
        .path();
    rootfs::private()?;
    rootfs::hide_shared_places()?;
    let fs = state.options.fs.as_str();
    mount(&device, SERVICE_MOUNT, fs, MountFlags::empty(), None).doing(|| on("mount", &device))?;
    let cluster = Cluster {
        bin: state.pg_bin.clone(),
        user: postgres_user()?,
    };
    cluster.make(&state)?;
    unmount(SERVICE_MOUNT, UnmountFlags::empty()).doing(|| on("unmount", Path::new(SERVICE_MOUNT)))
}

struct Cluster {
    bin: PathBuf,
    user: (u32, u32),
}

impl Cluster {
    fn make(&self, state: &LabState) -> Result<()> {
        let data = Path::new(DATA_DIR);
        std::fs::create_dir(data).doing(|| on("make", data))?;
        std::fs::set_permissions(data, Permissions::from_mode(0o700))
            .doing(|| on("protect", data))?;
        std::os::unix::fs::chown(data, Some(self.user.0), Some(self.user.1))
            .doing(|| on("give away", data))?;
        let fresh = [
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "--data-checksums",
            "--no-sync",
        ];
        checked(
            self.program("initdb").args(["-D", DATA_DIR]).args(fresh),
            None,
        )?;
        self.configure(state)?;
        let mut server = self.start()?;
        let filled = self.fill(state.options.scale);
        self.stop(&mut server)?;
        filled
    }

    /// A PostgreSQL program, run as the user postgres.
    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.bin.join(name));
        command
            .uid(self.user.0)
            .gid(self.user.1)
            .current_dir("/")
            .env_clear();
        command
            .env("PATH", tools::PATH)
            .env("LANG", "C.UTF-8")
            .env("PGHOST", SOCKETS);
        command
    }

    fn configure(&self, state: &LabState) -> Result<()> {
        let settings = "\n# The lab's.\nlisten_addresses = '*'\nport = 5432\nunix_socket_directories = '/run/postgresql'\n\
                        shared_buffers = 64MB\nlogging_collector = off\nlog_line_prefix = '%m [%p] '\n";
        self.write("postgresql.conf", settings, true)?;
        let mut rules = String::from(
            "# The lab's: everybody on its own networks is let in.\nlocal all all trust\n",
        );
        for network in [state.net.network(), state.net.network6()] {
            let _ = writeln!(rules, "host all all {network} trust");
            // A rehearsal copies the database over the replication protocol.
            let _ = writeln!(rules, "host replication all {network} trust");
        }
        self.write("pg_hba.conf", &rules, false)
    }

    fn write(&self, name: &str, text: &str, append: bool) -> Result<()> {
        let path = Path::new(DATA_DIR).join(name);
        let opened = File::options()
            .write(true)
            .append(append)
            .truncate(!append)
            .open(&path);
        let mut file = opened.doing(|| on("open", &path))?;
        std::io::Write::write_all(&mut file, text.as_bytes()).doing(|| on("write", &path))
    }

    /// Starts the server, reachable by its socket only. Nothing needs to be synced now: the unmount does that.
    fn start(&self) -> Result<Child> {
        let log = File::create(SERVER_LOG).doing(|| on("make", Path::new(SERVER_LOG)))?;
        let err = log.try_clone().doing(|| "open the server's log".into())?;
        let mut command = self.program("postgres");
        command.args([
            "-D",
            DATA_DIR,
            "-c",
            "fsync=off",
            "-c",
            "listen_addresses=",
            "-c",
            "synchronous_commit=off",
        ]);
        command.stdin(Stdio::null()).stdout(log).stderr(err);
        let mut server = command.spawn().doing(|| "start postgres".into())?;
        let mut deadline = Deadline::new(START_PATIENCE);
        let pid_file = Path::new(DATA_DIR).join("postmaster.pid");
        // The eighth line says so once connections are accepted.
        while !std::fs::read_to_string(&pid_file)
            .is_ok_and(|text| text.lines().nth(7).map(str::trim) == Some("ready"))
        {
            if server
                .try_wait()
                .doing(|| "look at postgres".into())?
                .is_some()
            {
                let log = std::fs::read_to_string(SERVER_LOG).unwrap_or_default();
                return Err(LabError::Broken(format!(
                    "postgres did not start: {}",
                    log.trim()
                )));
            }
            deadline.pause(&|| "the start of postgres".into())?;
        }
        Ok(server)
    }

    fn fill(&self, scale: u32) -> Result<()> {
        let role = format!("CREATE ROLE {DATABASE} LOGIN");
        let database = format!("CREATE DATABASE {DATABASE} OWNER {DATABASE}");
        let mut psql = self.program("psql");
        psql.args([
            "-X",
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
            "-U",
            "postgres",
            "-d",
            "postgres",
        ]);
        checked(psql.args(["-c", &role, "-c", &database]), None)?;
        let mut pgbench = self.program("pgbench");
        pgbench.args([
            "-i",
            "-q",
            "-s",
            &scale.to_string(),
            "-U",
            DATABASE,
            DATABASE,
        ]);
        checked(&mut pgbench, None).map(|_| ())
    }

    /// A fast stop, which writes everything.
    fn stop(&self, server: &mut Child) -> Result<()> {
        if let Some(pid) = i32::try_from(server.id()).ok().and_then(Pid::from_raw) {
            kill_process(pid, Signal::INT).doing(|| "stop postgres".into())?;
        }
        let mut deadline = Deadline::new(STOP_PATIENCE);
        loop {
            match server.try_wait().doing(|| "look at postgres".into())? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => {
                    return Err(LabError::Broken(format!("postgres ended with {status}")));
                }
                None => deadline.pause(&|| "the stop of postgres".into())?,
            }
        }
    }
}
