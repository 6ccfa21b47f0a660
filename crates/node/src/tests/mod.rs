//! Tests with real loop devices, file systems, mount namespaces and database servers. They need root, and leave
//! nothing behind: each runs in a mount namespace of its own, and what it makes is removed when it is dropped.

mod boot;
mod database;
mod database_trouble;
mod disk;
mod disk_trouble;
mod executable;
mod indexes;
mod migrate;
mod needs;
mod systemd;
mod unit;
mod volumes;

use crate::act::postgres::{Postgres, process};
use crate::act::taken::Taken;
use crate::hands::NodeHands;
use crate::observe::witness::LifeSigns;
use rustix::mount::{MountPropagationFlags, UnmountFlags, mount_change, unmount};
use rustix::process::{Pid, Signal, kill_process};
use rustix::thread::{UnshareFlags, unshare_unsafe};
use siaga_model::config::*;
use siaga_model::observation::{NodeFacts, ProbeSighting};
use siaga_model::{Epoch, NodeName, RunId, ServiceName, UtcMicros};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub use executable::executable;

/// Runs a test in a mount namespace of its own, which ends with it.
pub fn in_own_namespace(test: impl FnOnce() + Send + 'static) {
    let body = || {
        // SAFETY: only the mount namespace and the working directory of this thread are unshared; no descriptors.
        unsafe { unshare_unsafe(UnshareFlags::NEWNS) }.unwrap();
        mount_change(
            "/",
            MountPropagationFlags::PRIVATE | MountPropagationFlags::REC,
        )
        .unwrap();
        test();
    };
    if let Err(panic) = std::thread::spawn(body).join() {
        std::panic::resume_unwind(panic);
    }
}

/// Runs a test under that umask, which ends with it.
pub fn with_umask(umask: u32, test: impl FnOnce() + Send + 'static) {
    let body = move || {
        // SAFETY: the umask, the root and the working directory of this thread are unshared; no descriptors.
        unsafe { unshare_unsafe(UnshareFlags::FS) }.unwrap();
        rustix::process::umask(rustix::fs::Mode::from_bits_retain(umask));
        test();
    };
    if let Err(panic) = std::thread::spawn(body).join() {
        std::panic::resume_unwind(panic);
    }
}

/// Runs a program and gives its standard output.
pub fn run(argv: &[&str]) -> String {
    let output = Command::new(argv[0]).args(&argv[1..]).output().unwrap();
    assert!(
        output.status.success(),
        "{argv:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Waits for something that has no event to wait for.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < deadline, "{what} did not come");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A process that is killed when the test ends.
pub struct Guard(pub Child);

impl Guard {
    pub fn spawn(command: &mut Command) -> Self {
        Self(
            command
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .spawn()
                .unwrap(),
        )
    }
    pub fn pid(&self) -> i32 {
        i32::try_from(self.0.id()).unwrap()
    }
    pub fn is_alive(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A loop device on an image file.
pub struct Loop {
    pub device: PathBuf,
}

impl Loop {
    pub fn new(image: &Path, sector: u32) -> Self {
        // Who looks for a free device opens also one that another test has just got, and would look like its holder.
        static ONE: std::sync::Mutex<()> = std::sync::Mutex::new(());
        let _one = ONE
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let sector = sector.to_string();
        let image = image.to_str().unwrap();
        // Two tests may find the same free device at the same moment.
        for _ in 0..20 {
            let argv = [
                "-f",
                "--show",
                "--direct-io=on",
                "--sector-size",
                &sector,
                image,
            ];
            let output = Command::new("/sbin/losetup").args(argv).output().unwrap();
            if output.status.success() {
                return Self {
                    device: String::from_utf8(output.stdout).unwrap().trim().into(),
                };
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("no loop device");
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        let _ = Command::new("/sbin/losetup")
            .arg("-d")
            .arg(&self.device)
            .status();
    }
}

pub struct NoSigns;

impl LifeSigns for NoSigns {
    fn peer_lives(&self, _: &NodeName, _: Duration) -> bool {
        false
    }
    fn peer_facts(&self, _: &ServiceName, _: &NodeName, _: Duration) -> Option<NodeFacts> {
        None
    }
    fn promise_facts(
        &self,
        _: &ServiceName,
        _: &NodeName,
        _: Duration,
    ) -> Option<siaga_model::observation::PromiseFacts> {
        None
    }
    fn probes(&self, _: &ServiceName) -> Vec<ProbeSighting> {
        Vec::new()
    }
    fn now(&self) -> UtcMicros {
        crate::wall_clock()
    }
}

/// In these tests a witness's word stays fresh for so long.
pub const WITNESS_FRESH: Duration = Duration::from_secs(2);

/// A node with one service on a disk of its own. Fields are dropped in this order.
pub struct World {
    pub hands: NodeHands,
    pub service: ServiceName,
    pub mount_point: PathBuf,
    pub database: Database,
    pub loop_device: Loop,
    pub image: PathBuf,
    pub directory: TempDir,
    pub runtime: tokio::runtime::Runtime,
}

pub struct Wish<'a> {
    pub kind: FileSystemKind,
    pub mkfs: &'a [&'a str],
    pub sector: u32,
    pub megabytes: u64,
}

impl Wish<'_> {
    pub const EXT4: Wish<'static> = Wish {
        kind: FileSystemKind::Ext4,
        mkfs: &[],
        sector: 512,
        megabytes: 64,
    };
    pub const XFS: Wish<'static> = Wish {
        kind: FileSystemKind::Xfs,
        mkfs: &[],
        sector: 512,
        megabytes: 320,
    };
    pub const ROOMY: Wish<'static> = Wish {
        megabytes: 400,
        ..Wish::EXT4
    };
}

impl World {
    pub fn new(wish: &Wish) -> Self {
        Self::with(wish, |_| {})
    }

    pub fn with(wish: &Wish, change: impl FnOnce(&mut Database)) -> Self {
        let directory = tempfile::Builder::new()
            .prefix("siaga-test-")
            .tempdir()
            .unwrap();
        let at = |name: &str| directory.path().join(name);
        run(&["/bin/chmod", "755", directory.path().to_str().unwrap()]);
        let image = at("image");
        std::fs::File::create(&image)
            .unwrap()
            .set_len(wish.megabytes << 20)
            .unwrap();
        let loop_device = Loop::new(&image, wish.sector);
        let device = loop_device.device.to_str().unwrap().to_owned();
        let program = match wish.kind {
            FileSystemKind::Ext4 => ["/sbin/mkfs.ext4", "-q", "-F"].as_slice(),
            FileSystemKind::Xfs => &["/sbin/mkfs.xfs", "-q", "-f"],
        };
        run(&[program, wish.mkfs, &[&device]].concat());
        let mount_point = at("mnt");
        std::fs::create_dir(&mount_point).unwrap();
        let mut database = database(&mount_point, &at("socket"));
        change(&mut database);
        let config = config(&loop_device.device, &mount_point, wish.kind, &database);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let hands = NodeHands::with_run_dir(
            Arc::new(config),
            NodeName::from("backup"),
            runtime.handle().clone(),
            at("state"),
            at("run"),
            Arc::new(NoSigns),
        );
        let service = ServiceName::from("simrs");
        let hands = hands.unwrap();
        Self {
            hands,
            service,
            mount_point,
            database,
            loop_device,
            image,
            directory,
            runtime,
        }
    }

    pub fn epoch(counter: u64) -> Epoch {
        Epoch {
            counter,
            issuer: NodeName::from("backup"),
            run: RunId::from("r"),
        }
    }

    /// Takes as a permit without power proofs would, where nobody else took the disk set meanwhile.
    pub fn take(&self) -> siaga_runner::hands::Acted {
        self.hands.take_for(&self.taken(), true, None)
    }

    /// Takes as a permit does where another node may have taken the disk set meanwhile.
    pub fn take_anew(&self) -> siaga_runner::hands::Acted {
        self.hands.take_for(&self.taken(), false, None)
    }

    pub fn taken(&self) -> Taken {
        let boot = crate::boot_id().unwrap();
        Taken::new(self.service.clone(), Self::epoch(1), boot, &[])
    }

    /// Taken and mounted.
    pub fn mounted(wish: &Wish) -> Self {
        Self::mounted_with(wish, |_| {})
    }

    pub fn mounted_with(wish: &Wish, change: impl FnOnce(&mut Database)) -> Self {
        use siaga_runner::hands::Hands;
        let world = Self::with(wish, change);
        world.take().unwrap();
        world.hands.mount(&world.service).unwrap();
        world
    }

    /// With a fresh cluster on it, and these settings.
    pub fn with_cluster(settings: &str, change: impl FnOnce(&mut Database)) -> Self {
        let world = Self::mounted_with(&Wish::ROOMY, change);
        let (data_dir, socket_dir) = (&world.database.data_dir, &world.database.socket_dir);
        for directory in [data_dir, socket_dir] {
            std::fs::create_dir(directory).unwrap();
            run(&[
                "/bin/chown",
                "postgres:postgres",
                directory.to_str().unwrap(),
            ]);
        }
        let mut initdb = as_postgres(world.database.bin_dir.join("initdb"));
        initdb
            .args(["--no-sync", "--no-locale", "-A", "peer", "-D"])
            .arg(data_dir)
            .stdout(Stdio::null());
        assert!(initdb.status().unwrap().success());
        let text = format!(
            "listen_addresses = ''\nunix_socket_directories = '{}'\nshared_buffers = 16MB\n{settings}\n",
            socket_dir.display()
        );
        std::fs::write(data_dir.join("postgresql.auto.conf"), text).unwrap();
        world
    }

    pub fn server(&self) -> Postgres {
        Postgres::new(
            &self.service,
            self.database.clone(),
            &self.directory.path().join("state"),
            Duration::from_secs(2),
            self.runtime.handle().clone(),
        )
    }

    pub fn processes(&self) -> Vec<process::Process> {
        process::find(&self.server().signature()).unwrap()
    }

    pub fn postmaster(&self) -> i32 {
        process::postmaster(&self.processes(), None).unwrap().pid
    }

    /// The process with this in its title.
    pub fn titled(&self, part: &str) -> Option<i32> {
        self.processes()
            .iter()
            .find(|p| p.title.contains(part))
            .map(|p| p.pid)
    }

    /// A client that runs this statement.
    pub fn psql(&self, statement: &str) -> Command {
        let mut psql = as_postgres(self.database.bin_dir.join("psql"));
        psql.args(["-XAtq", "-d", "postgres", "-c", statement, "-h"])
            .arg(&self.database.socket_dir);
        psql
    }

    pub fn query(&self, statement: &str) -> String {
        let output = self.psql(statement).output().unwrap();
        assert!(
            output.status.success(),
            "{statement}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for process in process::find_anybody(&self.server().signature()).unwrap_or_default() {
            signal(process.pid, Signal::KILL);
        }
        let gone = || {
            process::find_anybody(&self.server().signature())
                .unwrap_or_default()
                .is_empty()
        };
        let deadline = Instant::now() + Duration::from_secs(5);
        while !gone() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(2));
        }
        while unmount(&self.mount_point, UnmountFlags::empty()).is_ok() {}
    }
}

pub fn signal(pid: i32, signal: Signal) {
    let _ = kill_process(Pid::from_raw(pid).unwrap(), signal);
}

/// A command that runs as the user postgres.
pub fn as_postgres(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let account = crate::act::postgres::account::lookup("postgres").unwrap();
    let mut command = Command::new(program);
    command
        .uid(account.uid)
        .gid(account.gid)
        .current_dir("/")
        .stdin(Stdio::null());
    command
}

pub fn database(mount_point: &Path, socket_dir: &Path) -> Database {
    let versions = Path::new("/usr/lib/postgresql");
    let newest = std::fs::read_dir(versions)
        .unwrap()
        .map(|e| e.unwrap().path())
        .max()
        .unwrap();
    Database {
        bin_dir: newest.join("bin"),
        data_dir: mount_point.join("data"),
        config_file: None,
        unit: None,
        port: 5432,
        os_user: "postgres".into(),
        socket_dir: socket_dir.to_owned(),
        check_user: "postgres".into(),
        check_database: "postgres".into(),
        stop_fast: Duration::from_secs(20),
        stop_immediate: Duration::from_secs(10),
        start_stalled: Duration::from_secs(60),
    }
}

pub fn config(
    device: &Path,
    mount_point: &Path,
    kind: FileSystemKind,
    database: &Database,
) -> Config {
    let node = NodeName::from("backup");
    let service = Service {
        name: ServiceName::from("simrs"),
        preferred_node: NodeName::from("serverdb"),
        disk_set: DiskSet {
            driver: DiskSetDriver::Block,
            devices: vec![(node, device.to_owned())],
        },
        file_systems: vec![FileSystem {
            kind,
            mount_point: mount_point.to_owned(),
            options: vec!["noatime".into(), "nosuid".into(), "noauto".into()],
            devices: Vec::new(),
        }],
        virtual_ips: Vec::new(),
        database: database.clone(),
        applications: Vec::new(),
        client_tests: Vec::new(),
        after_move: Vec::new(),
        backup: None,
        rehearsal: siaga_model::config::Rehearsal::default(),
    };
    Config {
        site: Site {
            name: "RSUD Contoh".into(),
            language: Language::English,
            time_zone: "Asia/Jakarta".into(),
        },
        document: Document::default(),
        people: Vec::new(),
        nodes: Vec::new(),
        services: vec![service],
        policy: Policy {
            peer_timeout: Duration::from_secs(4),
            witness_fresh: WITNESS_FRESH,
            ..Policy::default()
        },
        downtime: siaga_model::downtime::Downtime::default(),
    }
}
