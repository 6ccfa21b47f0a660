//! What is true, whatever anybody believes.

use siaga_model::Epoch;
use siaga_model::event::EventBody;

/// `serverdb` and `backup`.
pub const NODES: [&str; 2] = ["serverdb", "backup"];

/// How long a machine takes to boot at the least, in microseconds.
const BOOT_TAKES: i64 = 30_000_000;

/// One machine.
#[derive(Clone, Debug)]
pub struct Machine {
    pub powered: bool,
    /// Runs, but neither computes nor answers (a paused machine).
    pub frozen: bool,
    /// Its way to the disk set is cut at the storage.
    pub cut: bool,
    pub boot: u32,
    pub agent: bool,
    pub mounted: bool,
    /// Taken in this boot under a mandate, and never proved released since.
    pub owned: bool,
    /// When its proofs were verified.
    pub taken_at: i64,
    /// How much had been written to the disk set when it was mounted here: what this kernel knows of it.
    pub mounted_at: u64,
    /// Misconfigured: mounts the disk set at boot.
    pub mounts_at_boot: bool,
    pub database: bool,
    pub address: bool,
    pub applications: bool,
    /// Survives power cuts: only what was made durable is ever here.
    pub journal: Vec<EventBody>,
    /// The fence device of this machine answers and works.
    pub fence_works: bool,
    /// The database can't start on this machine.
    pub database_broken: bool,
    /// A stranger keeps the mount busy.
    pub busy_mount: bool,
}

impl Machine {
    fn new() -> Self {
        Self {
            powered: true,
            frozen: false,
            cut: false,
            boot: 1,
            agent: true,
            mounted: false,
            owned: false,
            taken_at: 0,
            mounted_at: 0,
            mounts_at_boot: false,
            database: false,
            address: false,
            applications: false,
            journal: Vec::new(),
            fence_works: true,
            database_broken: false,
            busy_mount: false,
        }
    }

    /// Answers on the network.
    pub fn answers(&self) -> bool {
        self.powered && !self.frozen
    }

    /// Its agent can be spoken to, the network permitting.
    pub fn agent_answers(&self) -> bool {
        self.answers() && self.agent
    }

    /// Could write to the disk set now or as soon as it goes on.
    pub fn can_write(&self) -> bool {
        self.powered && !self.cut && (self.mounted || self.database)
    }
}

/// The whole world.
#[derive(Clone, Debug)]
pub struct World {
    pub machines: [Machine; 2],
    /// The nodes reach each other.
    pub link: bool,
    /// A client probe reports to every agent it can reach.
    pub probe: bool,
    /// The record on the disk set.
    pub disk_epoch: Option<Epoch>,
    /// Grows with every moment; the wall clock of everybody.
    pub clock: i64,
    /// The fault to come.
    pub fault: Option<Fault>,
    /// How many acts were begun: where a fault strikes.
    pub acts: u32,
    /// How often a database began to write to the disk set, and which machine did so last.
    pub writes: u64,
    pub last_writer: Option<usize>,
}

/// What goes wrong, at which act.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault {
    pub at_act: u32,
    pub what: What,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    /// The act fails, and nothing changed.
    Fail,
    /// The act takes effect, and its answer is lost.
    LoseAnswer,
    /// The agent that acts dies before the act.
    CrashBefore,
    /// The agent that acts dies after the act, before anybody hears of it.
    CrashAfter,
    /// The machine that acts loses its power before the act.
    PowerCutBefore,
    /// The machine that acts loses its power after the act.
    PowerCutAfter,
    /// The nodes lose sight of each other before the act.
    Partition,
}

/// Every fault there is.
pub const EVERYTHING: [What; 7] = [
    What::Fail,
    What::LoseAnswer,
    What::CrashBefore,
    What::CrashAfter,
    What::PowerCutBefore,
    What::PowerCutAfter,
    What::Partition,
];

impl Default for World {
    fn default() -> Self {
        Self {
            machines: [Machine::new(), Machine::new()],
            link: true,
            probe: true,
            disk_epoch: None,
            clock: 1_000_000,
            fault: None,
            acts: 0,
            writes: 0,
            last_writer: None,
        }
    }
}

impl World {
    /// The power of one machine goes: everything but what is on its disk is gone.
    pub fn cut_power(&mut self, node: usize) {
        let m = &mut self.machines[node];
        m.powered = false;
        m.frozen = false;
        m.agent = false;
        m.mounted = false;
        m.owned = false;
        m.database = false;
        m.address = false;
        m.applications = false;
    }

    /// The machine boots, which takes a while: it holds nothing (but for what it was told to mount), and its agent
    /// comes up.
    pub fn power_on(&mut self, node: usize) {
        if self.machines[node].powered {
            return;
        }
        self.clock += BOOT_TAKES;
        let m = &mut self.machines[node];
        m.powered = true;
        m.cut = false;
        m.boot += 1;
        m.agent = true;
        let mounts = m.mounts_at_boot;
        let other = &self.machines[1 - node];
        if mounts && !other.mounted && !other.database {
            self.mount(node);
        }
    }

    /// The machine reads the disk set as it is now.
    pub fn mount(&mut self, node: usize) {
        self.machines[node].mounted = true;
        self.machines[node].mounted_at = self.writes;
    }

    /// A database of the machine begins to write. What it writes reaches the disk set only over its path.
    pub fn write(&mut self, node: usize) {
        if !self.machines[node].cut {
            self.writes += 1;
            self.last_writer = Some(node);
        }
    }

    /// Its way to the storage is given back without a boot between, by somebody who saw that nobody else has the disk
    /// set, that no database runs there any more, and who needs a while for it. The mount may still be there.
    pub fn give_path_back(&mut self, node: usize) {
        self.clock += BOOT_TAKES;
        let other = &self.machines[1 - node];
        if !other.mounted && !other.database && !self.machines[node].database {
            self.machines[node].cut = false;
        }
    }

    /// The node that serves clients now.
    pub fn serving(&self) -> Option<usize> {
        (0..2).find(|i| {
            let m = &self.machines[*i];
            m.answers() && m.database && m.address && m.mounted && !m.cut
        })
    }
}
