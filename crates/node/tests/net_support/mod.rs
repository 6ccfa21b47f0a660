//! Small networks for tests: a bridge with hosts, each in a network namespace of its own that is held by a thread.
//! When the thread ends, also by a panic or a kill, the kernel takes everything away again.

#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

pub mod site;
pub mod vip;

use rustix::thread::UnshareFlags;
use siaga_node::observe::packet::PacketSocket;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

type Job = Box<dyn FnOnce() + Send>;

/// A network namespace and the thread that lives in it.
pub struct Space {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    tid: i32,
}

impl Space {
    pub fn new() -> Self {
        let (jobs, todo) = mpsc::channel::<Job>();
        let (tell, told) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            // SAFETY: only the network namespace is left; file descriptors stay shared with the process.
            unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWNET) }
                .expect("root may make namespaces");
            tell.send(rustix::thread::gettid().as_raw_nonzero().get())
                .unwrap();
            todo.into_iter().for_each(|job| job());
        });
        let tid = told.recv().unwrap();
        Self {
            jobs: Some(jobs),
            thread: Some(thread),
            tid,
        }
    }

    /// Runs `work` in the namespace and waits for it.
    pub fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        self.start(work)
            .recv()
            .expect("the work in the namespace failed")
    }

    /// Begins `work` in the namespace, on its one thread.
    pub fn start<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> mpsc::Receiver<T> {
        let (give, get) = mpsc::channel();
        let job = Box::new(move || drop(give.send(work())));
        self.jobs
            .as_ref()
            .unwrap()
            .send(job)
            .expect("the namespace is still there");
        get
    }

    pub fn ip(&self, words: &str) {
        let words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
        self.run(move || {
            let out = Command::new("/usr/sbin/ip").args(&words).output().unwrap();
            assert!(
                out.status.success(),
                "ip {words:?}: {}",
                String::from_utf8_lossy(&out.stderr)
            );
        });
    }

    pub fn sysctl(&self, path: &str, value: &str) {
        let (path, value) = (format!("/proc/sys/net/{path}"), value.to_owned());
        self.run(move || std::fs::write(&path, value).unwrap_or_else(|e| panic!("{path}: {e}")));
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A host on the bridge.
pub struct Host {
    pub space: Space,
    /// The name of its interface: unique in this process, since listeners are kept by name.
    pub interface: String,
    pub hardware: String,
}

/// Hosts on one bridge. Host `n` is 192.0.2.(11+n)/24 and 2001:db8:20::(11+n)/64.
pub struct Net {
    pub hosts: Vec<Host>,
    hub: Space,
}

static NEXT: AtomicU32 = AtomicU32::new(0);

impl Net {
    pub fn new(hosts: usize) -> Self {
        let hub = Space::new();
        hub.ip("link add br0 type bridge");
        hub.ip("link set br0 up");
        let net = NEXT.fetch_add(1, Ordering::Relaxed);
        let hosts = (0..hosts).map(|n| host(&hub, net, n)).collect();
        Self { hosts, hub }
    }

    /// Pulls the cable of a host out.
    pub fn unplug(&self, n: usize) {
        self.hub.ip(&format!("link set port{n} down"));
    }
}

fn host(hub: &Space, net: u32, n: usize) -> Host {
    let space = Space::new();
    let interface = format!("t{net}h{n}");
    let hardware = format!("02:00:5e:00:53:{:02x}", 0x11 + n);
    hub.ip(&format!(
        "link add port{n} type veth peer name {interface} netns {}",
        space.tid
    ));
    hub.ip(&format!("link set port{n} master br0 up"));
    space.sysctl(&format!("ipv6/conf/{interface}/accept_dad"), "0");
    space.ip(&format!("link set {interface} address {hardware} up"));
    space.ip(&format!(
        "address add 192.0.2.{}/24 dev {interface}",
        11 + n
    ));
    space.ip(&format!(
        "address add 2001:db8:20::{}/64 dev {interface} nodad",
        11 + n
    ));
    Host {
        space,
        interface,
        hardware,
    }
}

/// A runtime as the agent has one.
pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
}

type Frames = Arc<Mutex<Vec<(Instant, Vec<u8>)>>>;

/// Every frame that `host` receives of `protocol`, from now until told.
pub struct Capture {
    stop: mpsc::Sender<()>,
    frames: Frames,
    thread: JoinHandle<()>,
}

impl Capture {
    pub fn begin(host: &Host, protocol: u16) -> Self {
        let (stop, stopped) = mpsc::channel();
        let interface = host.interface.clone();
        let socket = host.space.run(move || {
            let index = siaga_node::observe::interfaces::named(&interface)
                .unwrap()
                .index;
            PacketSocket::open(index, protocol, None).unwrap()
        });
        let frames = Frames::default();
        let keep = Arc::clone(&frames);
        let thread = std::thread::spawn(move || {
            let mut buffer = [0; 2048];
            // Looks once more after it was told to stop: what was sent before is then in the socket.
            loop {
                let last = stopped.recv_timeout(Duration::from_millis(1))
                    != Err(mpsc::RecvTimeoutError::Timeout);
                while let Some(frame) = socket.receive(&mut buffer).unwrap() {
                    keep.lock().unwrap().push((Instant::now(), frame.to_vec()));
                }
                if last {
                    return;
                }
            }
        });
        Self {
            stop,
            frames,
            thread,
        }
    }

    /// When the frames that `wanted` names came in, so far.
    pub fn times(&self, wanted: impl Fn(&[u8]) -> bool) -> Vec<Instant> {
        self.frames
            .lock()
            .unwrap()
            .iter()
            .filter(|(_, frame)| wanted(frame))
            .map(|(at, _)| *at)
            .collect()
    }

    /// Ends it, and gives the times of the frames that `wanted` names.
    pub fn end(self, wanted: impl Fn(&[u8]) -> bool) -> Vec<Instant> {
        let _ = self.stop.send(());
        self.thread.join().unwrap();
        self.frames
            .lock()
            .unwrap()
            .iter()
            .filter(|(_, frame)| wanted(frame))
            .map(|(at, _)| *at)
            .collect()
    }
}

/// Waits until `seen` gives something.
pub fn soon<T>(what: &str, mut seen: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        if let Some(found) = seen() {
            return found;
        }
        assert!(Instant::now() < until, "never seen: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
