//! Pretend hands: the same trait as the real ones, over the [`World`].

use crate::setup::address;
use crate::world::{Machine, NODES, Part, SERVICES, What, World};
use siaga_model::api::ClientTestResult;
use siaga_model::observation::{
    ApplicationFact, DatabaseState, FenceState, Holding, MountFact, PromiseFacts, VirtualIpFact,
};
use siaga_model::refusal::Sentence;
use siaga_model::run::FailureKind;
use siaga_model::{BootId, Epoch, NodeName, ServiceName, UtcMicros};
use siaga_runner::hands::{
    Acted, AddressCertainty, Did, Hands, LifeQuestion, OwnFacts, Progress, Store, Trouble,
};
use siaga_runner::ledger::Ledger;
use siaga_runner::permit::TakePermit;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The world, shared by both nodes' hands.
pub type Shared = Arc<Mutex<World>>;

/// The world, alone for a moment.
pub fn lock(world: &Shared) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One node's hands. `boot` is the boot they belong to: a dead process's hands do nothing.
pub struct PretendHands {
    pub world: Shared,
    pub me: usize,
    pub boot: u32,
}

/// How long after the take the mount may begin, in microseconds.
const MOUNT_WITHIN: i64 = 10_000_000;

/// Said when the process that acts is gone; nobody hears it.
const GONE: &str = "the agent is gone";

impl PretendHands {
    fn alive(&self, world: &World) -> bool {
        let m = &world.machines[self.me];
        m.agent && m.powered && m.boot == self.boot
    }

    /// One act on a service. `done` looks, `change` acts.
    fn act(
        &self,
        service: &ServiceName,
        done: impl Fn(&Part) -> bool,
        change: impl FnOnce(&mut World, usize) -> Result<(), Trouble>,
    ) -> Acted {
        let (me, s) = (self.me, place(service));
        self.strike(|w| done(&w.machines[me].parts[s]), change)
    }

    /// One act: faults strike here.
    fn strike(
        &self,
        done: impl Fn(&World) -> bool,
        change: impl FnOnce(&mut World, usize) -> Result<(), Trouble>,
    ) -> Acted {
        let mut world = lock(&self.world);
        world.clock += 1_000;
        if !self.alive(&world) {
            return Err(Trouble::Unknown(GONE.into()));
        }
        let act = world.acts;
        world.acts += 1;
        let fault = world.fault.filter(|f| f.at_act == act).map(|f| f.what);
        match fault {
            Some(What::Fail) => return Err(Trouble::failed(FailureKind::Io, "pretended failure")),
            Some(What::CrashBefore) => {
                world.machines[self.me].agent = false;
                return Err(Trouble::Unknown(GONE.into()));
            }
            Some(What::PowerCutBefore) => {
                world.cut_power(self.me);
                return Err(Trouble::Unknown(GONE.into()));
            }
            Some(What::Partition) => world.link = false,
            Some(What::LoseAnswer | What::CrashAfter | What::PowerCutAfter) | None => {}
        }
        let changed = !done(&world);
        if changed {
            change(&mut world, self.me)?;
        }
        match fault {
            Some(What::LoseAnswer) => Err(Trouble::Unknown("the answer was lost".into())),
            Some(What::CrashAfter) => {
                world.machines[self.me].agent = false;
                Err(Trouble::Unknown(GONE.into()))
            }
            Some(What::PowerCutAfter) => {
                world.cut_power(self.me);
                Err(Trouble::Unknown(GONE.into()))
            }
            _ => Ok(Did {
                changed,
                notes: Vec::new(),
            }),
        }
    }

    fn other(&self) -> usize {
        1 - self.me
    }
}

fn need(condition: bool, kind: FailureKind, detail: &str) -> Result<(), Trouble> {
    if condition {
        Ok(())
    } else {
        Err(Trouble::failed(kind, detail))
    }
}

impl Hands for PretendHands {
    fn node(&self) -> NodeName {
        NODES[self.me].into()
    }

    fn boot(&self) -> BootId {
        boot_id(self.me, self.boot)
    }

    fn look(&self, service: &ServiceName) -> OwnFacts {
        own_facts(&lock(&self.world).machines[self.me], place(service))
    }

    fn checkpoint(&self, service: &ServiceName) -> Acted {
        self.act(service, |_| true, |_, _| Ok(()))
    }

    fn stop_applications(&self, service: &ServiceName) -> Acted {
        let s = place(service);
        self.act(
            service,
            |m| !m.applications,
            |w, me| {
                w.machines[me].parts[s].applications = false;
                Ok(())
            },
        )
    }

    fn stop_database(&self, service: &ServiceName, _progress: Progress) -> Acted {
        let s = place(service);
        self.act(
            service,
            |m| !m.database,
            |w, me| {
                w.machines[me].parts[s].database = false;
                Ok(())
            },
        )
    }

    fn remove_virtual_ips(&self, service: &ServiceName) -> Acted {
        let s = place(service);
        self.act(
            service,
            |m| !m.address,
            |w, me| {
                w.machines[me].parts[s].address = false;
                Ok(())
            },
        )
    }

    fn unmount(&self, service: &ServiceName) -> Acted {
        let s = place(service);
        self.act(
            service,
            |m| !m.mounted,
            |w, me| {
                need(
                    !w.machines[me].parts[s].database,
                    FailureKind::Busy,
                    "the database",
                )?;
                need(
                    !w.machines[me].parts[s].busy_mount,
                    FailureKind::Busy,
                    "a shell",
                )?;
                w.machines[me].parts[s].mounted = false;
                Ok(())
            },
        )
    }

    fn prove_released(&self, service: &ServiceName) -> Acted {
        let s = place(service);
        self.act(
            service,
            |_| false,
            |w, me| {
                let m = &w.machines[me].parts[s];
                need(
                    !m.mounted && !m.database,
                    FailureKind::NotReleased,
                    "still held",
                )?;
                w.machines[me].parts[s].owned = false;
                Ok(())
            },
        )
    }

    fn disown(&self, service: &ServiceName) {
        lock(&self.world).machines[self.me].parts[place(service)].owned = false;
    }

    fn take(&self, permit: TakePermit) -> Acted {
        let service = &permit.service().clone();
        let s = place(service);
        let adopts = permit.may_adopt();
        self.act(
            service,
            |_| false,
            |w, me| {
                let m = &mut w.machines[me].parts[s];
                // What is still there without being ours keeps the device busy.
                need(
                    (adopts && m.owned) || !m.mounted,
                    FailureKind::Busy,
                    "a mount",
                )?;
                m.owned = true;
                m.taken_at = w.clock;
                Ok(())
            },
        )
    }

    fn mount(&self, service: &ServiceName) -> Acted {
        let s = place(service);
        self.act(
            service,
            |m| m.mounted,
            |w, me| {
                need(!w.machines[me].cut, FailureKind::Mount, "no device")?;
                let age = w.clock - w.machines[me].parts[s].taken_at;
                need(age <= MOUNT_WITHIN, FailureKind::Precondition, "too late")?;
                w.mount(me, s);
                Ok(())
            },
        )
    }

    fn read_disk_epoch(&self, service: &ServiceName) -> Result<Option<Epoch>, Trouble> {
        Ok(lock(&self.world).disks[place(service)].epoch.clone())
    }

    fn write_disk_epoch(&self, service: &ServiceName, epoch: &Epoch) -> Acted {
        let s = place(service);
        let epoch = epoch.clone();
        self.act(
            service,
            |_| false,
            move |w, me| {
                need(
                    w.machines[me].parts[s].mounted,
                    FailureKind::Precondition,
                    "not mounted",
                )?;
                w.disks[s].epoch = Some(epoch);
                Ok(())
            },
        )
    }

    fn add_virtual_ips(&self, service: &ServiceName, _certainty: AddressCertainty) -> Acted {
        let s = place(service);
        self.act(
            service,
            |m| m.address,
            |w, me| {
                w.machines[me].parts[s].address = true;
                Ok(())
            },
        )
    }

    fn start_database(&self, service: &ServiceName, _progress: Progress) -> Acted {
        let s = place(service);
        self.act(
            service,
            |m| m.database,
            |w, me| {
                let m = &w.machines[me].parts[s];
                need(m.mounted, FailureKind::Precondition, "not mounted")?;
                need(
                    !m.database_broken,
                    FailureKind::DatabaseStart,
                    "broken here",
                )?;
                w.machines[me].parts[s].database = true;
                w.write(me, s);
                Ok(())
            },
        )
    }

    fn start_applications(&self, service: &ServiceName) -> Acted {
        let s = place(service);
        self.act(
            service,
            |m| m.applications,
            |w, me| {
                w.machines[me].parts[s].applications = true;
                Ok(())
            },
        )
    }

    fn client_test(&self, service: &ServiceName, _since: UtcMicros) -> Vec<ClientTestResult> {
        let serving = lock(&self.world).serving(place(service)) == Some(self.me);
        vec![ClientTestResult {
            name: "probe".into(),
            node: self.node(),
            passed: Some(serving),
            detail: siaga_model::Evidence::Nothing,
        }]
    }
    fn after_move(&self, _service: &ServiceName) -> Acted {
        Ok(Did::nothing())
    }
    fn hold_back(&self, _wait: Duration) {}
    fn fence(&self, victim: &NodeName, device: &str) -> Acted {
        let victim = index(victim);
        let fabric = device == "fabric";
        self.strike(
            |_| false,
            |w, me| {
                need(
                    w.machines[victim].fence_works,
                    FailureKind::Fence,
                    "the device does not answer",
                )?;
                w.fence(me, victim, fabric);
                Ok(())
            },
        )
    }

    fn fence_state(&self, victim: &NodeName, device: &str) -> FenceState {
        fence_state(&lock(&self.world).machines[index(victim)], device)
    }

    fn sign_of_life(
        &self,
        service: &ServiceName,
        victim: &NodeName,
        ground: LifeQuestion,
        _since: UtcMicros,
    ) -> Option<Sentence> {
        use siaga_model::proof::AttestKind;
        let world = lock(&self.world);
        let m = &world.machines[index(victim)];
        let off = match ground {
            LifeQuestion::PoweredOff => true,
            LifeQuestion::StorageCut => false,
            LifeQuestion::Attested(how) => how != AttestKind::StorageDisconnected,
        };
        let alive = if off {
            m.answers()
        } else {
            m.can_write(place(service)) && world.serving(place(service)) == Some(self.other())
        };
        alive.then(|| Sentence::NodeAnswers {
            node: victim.clone(),
        })
    }

    fn promise_facts(&self, service: &ServiceName, node: &NodeName) -> Option<PromiseFacts> {
        let world = lock(&self.world);
        let other = index(node);
        let m = &world.machines[other];
        if !world.link || !m.agent_answers() || !world.machines[self.me].answers() {
            return None;
        }
        let boot = boot_id(other, m.boot);
        let events = m.parts[place(service)].journal.iter();
        let ledger = Ledger::replay(node.clone(), boot.clone(), service.clone(), false, events);
        let facts = ledger.facts();
        Some(PromiseFacts {
            node: node.clone(),
            boot,
            promise: facts.promise,
            highest: facts.highest,
            last_take: facts.last_take,
            disk: own_facts(m, place(service)).disk,
        })
    }

    fn now(&self) -> UtcMicros {
        UtcMicros(lock(&self.world).clock)
    }

    fn since_boot(&self) -> Duration {
        // The same clock for all: only differences on one machine are looked at.
        Duration::from_micros(u64::try_from(lock(&self.world).clock).unwrap_or_default())
    }
}

/// The place of a service in [`SERVICES`].
pub fn place(service: &ServiceName) -> usize {
    usize::from(service.as_str() != SERVICES[0])
}

/// The place of a node in [`NODES`].
pub fn index(node: &NodeName) -> usize {
    usize::from(node.as_str() != NODES[0])
}

/// A node's boot id in its n-th boot.
pub fn boot_id(node: usize, boot: u32) -> BootId {
    BootId::new(format!("{}-boot-{boot}", NODES[node]))
}

/// What a fence device says.
pub fn fence_state(victim: &Machine, device: &str) -> FenceState {
    if !victim.fence_works {
        return FenceState::Failed {
            why: "no answer".into(),
        };
    }
    let fenced = if device == "fabric" {
        victim.cut
    } else {
        !victim.powered
    };
    if fenced {
        FenceState::Fenced
    } else {
        FenceState::Open
    }
}

/// What a machine sees of itself.
pub fn own_facts(m: &Machine, service: usize) -> OwnFacts {
    let part = &m.parts[service];
    OwnFacts {
        disk: match () {
            () if m.cut => Holding::Unknown {
                why: "the device is cut off".into(),
            },
            () if part.mounted || part.database => Holding::Held {
                by: vec!["mount".into()],
            },
            () => Holding::Free,
        },
        mounts: vec![MountFact {
            mount_point: format!("/srv/{}", SERVICES[service]).into(),
            mounted: part.mounted,
            stranger: part.mounted && !part.owned,
        }],
        virtual_ips: vec![VirtualIpFact {
            address: address(service),
            present: part.address,
        }],
        database: if part.database {
            DatabaseState::Ready
        } else {
            DatabaseState::Stopped
        },
        applications: vec![ApplicationFact {
            name: "web".into(),
            running: siaga_model::observation::Known::Known(part.applications),
        }],
    }
}

/// A durable store in the world. What a dead process appends is lost.
pub struct PretendStore {
    pub world: Shared,
    pub me: usize,
    pub boot: u32,
}

impl Store for PretendStore {
    fn append_durably(
        &mut self,
        service: &ServiceName,
        bodies: Vec<siaga_model::event::EventBody>,
    ) -> Result<(), String> {
        let mut world = lock(&self.world);
        let m = &mut world.machines[self.me];
        if !m.agent || !m.powered || m.boot != self.boot {
            return Err(GONE.into());
        }
        m.parts[place(service)].journal.extend(bodies);
        Ok(())
    }
}
