//! What is true, whatever anybody believes.

use siaga_model::Epoch;
use siaga_model::event::EventBody;

/// `serverdb` and `backup`.
pub const NODES: [&str; 2] = ["serverdb", "backup"];

/// The services on them, each with a disk set of its own. A site has the first one, or both.
pub const SERVICES: [&str; 2] = ["simrs", "pacs"];

/// How long a machine takes to boot at the least, in microseconds.
const BOOT_TAKES: i64 = 30_000_000;

/// What one machine has of one service.
#[derive(Clone, Debug, Default)]
pub struct Part {
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
    /// The database can't start on this machine.
    pub database_broken: bool,
    /// A stranger keeps the mount busy.
    pub busy_mount: bool,
}

/// One machine.
#[derive(Clone, Debug)]
pub struct Machine {
    pub powered: bool,
    /// Runs, but neither computes nor answers (a paused machine).
    pub frozen: bool,
    /// Its way to every disk set is cut at the storage.
    pub cut: bool,
    pub boot: u32,
    pub agent: bool,
    /// The fence device of this machine answers and works.
    pub fence_works: bool,
    /// By the service's place in [`SERVICES`].
    pub parts: [Part; 2],
}

impl Machine {
    fn new() -> Self {
        Self {
            powered: true,
            frozen: false,
            cut: false,
            boot: 1,
            agent: true,
            fence_works: true,
            parts: Default::default(),
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

    /// Could write to the service's disk set now or as soon as it goes on.
    pub fn can_write(&self, service: usize) -> bool {
        let part = &self.parts[service];
        self.powered && !self.cut && (part.mounted || part.database)
    }
}

/// What is true of one service's disk set.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    /// The record on it.
    pub epoch: Option<Epoch>,
    /// How often a database began to write to it, and which machine did so last.
    pub writes: u64,
    pub last_writer: Option<usize>,
}

/// A fence that took effect.
#[derive(Clone, Debug)]
pub struct Fenced {
    pub by: usize,
    pub victim: usize,
    /// The services that it hit: something of them was really there.
    pub hit: Vec<usize>,
    /// How long the journals of the one who fenced were.
    pub journals: [usize; 2],
}

/// The whole world.
#[derive(Clone, Debug)]
pub struct World {
    pub machines: [Machine; 2],
    /// The nodes reach each other.
    pub link: bool,
    /// A client probe reports to every agent it can reach.
    pub probe: bool,
    /// By the service's place in [`SERVICES`].
    pub disks: [Disk; 2],
    /// The newest fence.
    pub fenced: Option<Fenced>,
    /// How many fences there were, and how many of them hit more than one service.
    pub fences: (u32, u32),
    /// Grows with every moment; the wall clock of everybody.
    pub clock: i64,
    /// The fault to come.
    pub fault: Option<Fault>,
    /// How many acts were begun: where a fault strikes.
    pub acts: u32,
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
            disks: Default::default(),
            fenced: None,
            fences: (0, 0),
            clock: 1_000_000,
            fault: None,
            acts: 0,
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
        for part in &mut m.parts {
            *part = Part {
                journal: std::mem::take(&mut part.journal),
                mounts_at_boot: part.mounts_at_boot,
                database_broken: part.database_broken,
                busy_mount: part.busy_mount,
                ..Part::default()
            };
        }
    }

    /// `by` fences `victim`, by its power or by its way to the storage.
    pub fn fence(&mut self, by: usize, victim: usize, fabric: bool) {
        let there = |s: &usize| {
            let m = &self.machines[victim];
            let part = &m.parts[*s];
            m.powered && (part.mounted || part.database || part.address || part.applications)
        };
        let hit: Vec<usize> = (0..SERVICES.len()).filter(there).collect();
        self.fences.0 += 1;
        self.fences.1 += u32::from(hit.len() > 1);
        let parts = &self.machines[by].parts;
        self.fenced = Some(Fenced {
            by,
            victim,
            hit,
            journals: [parts[0].journal.len(), parts[1].journal.len()],
        });
        if fabric {
            self.machines[victim].cut = true;
        } else {
            self.cut_power(victim);
        }
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
        for service in 0..SERVICES.len() {
            let other = &self.machines[1 - node].parts[service];
            let free = !other.mounted && !other.database;
            if free && self.machines[node].parts[service].mounts_at_boot {
                self.mount(node, service);
            }
        }
    }

    /// The machine reads the disk set as it is now.
    pub fn mount(&mut self, node: usize, service: usize) {
        let part = &mut self.machines[node].parts[service];
        part.mounted = true;
        part.mounted_at = self.disks[service].writes;
    }

    /// A database of the machine begins to write. What it writes reaches the disk set only over its path.
    pub fn write(&mut self, node: usize, service: usize) {
        if !self.machines[node].cut {
            self.disks[service].writes += 1;
            self.disks[service].last_writer = Some(node);
        }
    }

    /// Its way to the storage is given back without a boot between, by somebody who saw that nobody else has a disk
    /// set, that no database runs there any more, and who needs a while for it. The mount may still be there.
    pub fn give_path_back(&mut self, node: usize) {
        self.clock += BOOT_TAKES;
        let others = &self.machines[1 - node].parts;
        let own = &self.machines[node].parts;
        let held = others.iter().any(|p| p.mounted || p.database);
        if !held && !own.iter().any(|p| p.database) {
            self.machines[node].cut = false;
        }
    }

    /// The node that serves clients of the service now.
    pub fn serving(&self, service: usize) -> Option<usize> {
        (0..2).find(|i| {
            let m = &self.machines[*i];
            let part = &m.parts[service];
            m.answers() && part.database && part.address && part.mounted && !m.cut
        })
    }
}
