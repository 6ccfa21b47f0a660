//! The real hands: one value that does every step on this node.

mod adopting;
mod database;
mod disk_sets;
mod fences;
mod file_systems;
mod integrity;
mod rehearsal;

use crate::act::disk_set::DiskSet;
use crate::act::disk_set::build::{self, Built};
use crate::act::disk_set::drbd::Resource;
use crate::act::disk_set::lvm::VolumeGroup;
use crate::act::disk_set::reservation::Reservation;
use crate::act::disk_set::watch::Watch;
use crate::act::mount::Leave;
use crate::act::postgres::Postgres;
use crate::act::systemd::Systemd;
use crate::act::taken::{Taken, TakenStore};
use crate::act::{application, client_test, epoch_record, fence, postgres, virtual_ip};
use crate::observe::disk_watch::LastLook;
use crate::observe::facts;
use crate::observe::witness::{self, LifeSigns};
use siaga_model::api::ClientTestResult;
use siaga_model::config::{Config, Fence, FenceKind, Service, VirtualIp};
use siaga_model::observation::{DatabaseState, DiskSighting, FenceState, Holding, PromiseFacts};
use siaga_model::refusal::Sentence;
use siaga_model::run::FailureKind;
use siaga_model::{BootId, Epoch, NodeName, ServiceName, UtcMicros, Why};
use siaga_runner::hands::{
    Acted, AddressCertainty, Did, Hands, LifeQuestion, OwnFacts, Progress, Trouble,
};
use siaga_runner::permit::TakePermit;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;

/// What only the agent knows: the peer's answers and the probes' reports.
pub trait Witnesses: LifeSigns + Send + Sync {}

impl<T: LifeSigns + Send + Sync> Witnesses for T {}

/// This node's hands.
pub struct NodeHands {
    config: Arc<Config>,
    node: NodeName,
    boot: BootId,
    rt: Handle,
    systemd: Systemd,
    taken: TakenStore,
    witnesses: Arc<dyn Witnesses>,
    kits: BTreeMap<ServiceName, Kit>,
}

/// The drivers of one service.
struct Kit {
    service: Service,
    disk: Box<dyn DiskSet>,
    /// Where the disk set has one: the same that lies below `disk`.
    reservation: Option<Arc<Reservation>>,
    /// The same for a replicated device.
    replica: Option<Arc<Resource>>,
    /// The same for a volume group.
    group: Option<Arc<VolumeGroup>>,
    server: Postgres,
    /// The last raw look at the disk, to compare the next one with.
    seen: Mutex<LastLook>,
    /// When this process stopped its database here, and what of it led off the disk set then.
    ran_here: Mutex<Option<(Instant, Vec<Why>)>>,
    /// Where its data leads.
    astray: Arc<Watch<Vec<Why>>>,
}

fn no_service(service: &ServiceName) -> Why {
    Why::NoSuchServiceHere {
        service: service.clone(),
    }
}

fn precondition(why: Why) -> Trouble {
    Trouble::failed(FailureKind::Precondition, why)
}

impl NodeHands {
    /// The hands of `node`. `state_dir` is where the database's output is kept, below `log`. Fails where the boot id
    /// can't be read, or a service has no device on this node.
    pub fn new(
        config: Arc<Config>,
        node: NodeName,
        rt: Handle,
        state_dir: PathBuf,
        witnesses: Arc<dyn Witnesses>,
    ) -> Result<Self, String> {
        let run_dir = crate::act::taken::default_directory().to_owned();
        Self::with_run_dir(config, node, rt, state_dir, run_dir, witnesses)
    }

    /// As [`NodeHands::new`], with another directory than `/run/siaga` for what must not outlive the boot.
    pub fn with_run_dir(
        config: Arc<Config>,
        node: NodeName,
        rt: Handle,
        state_dir: PathBuf,
        run_dir: PathBuf,
        witnesses: Arc<dyn Witnesses>,
    ) -> Result<Self, String> {
        let boot = crate::boot_id()?;
        let mut kits = BTreeMap::new();
        for service in &config.services {
            let Built {
                disk,
                reservation,
                replica,
                group,
            } = build::disk_set(&config, service, &node)?;
            let server = Postgres::new(
                &service.name,
                service.database.clone(),
                &state_dir,
                // Half of what the peer waits for an answer, in which this look stands.
                config.policy.peer_timeout / 2,
                rt.clone(),
            );
            let kit = Kit {
                service: service.clone(),
                disk,
                reservation,
                replica,
                group,
                server,
                seen: Mutex::default(),
                ran_here: Mutex::default(),
                astray: Arc::new(Watch::new(Duration::ZERO)),
            };
            kits.insert(service.name.clone(), kit);
        }
        let taken = TakenStore::new(run_dir, boot.clone());
        Ok(Self {
            config,
            node,
            boot,
            systemd: Systemd::of_host(rt.clone()),
            rt,
            taken,
            witnesses,
            kits,
        })
    }

    fn kit(&self, service: &ServiceName) -> Result<&Kit, Trouble> {
        self.kits
            .get(service)
            .ok_or_else(|| precondition(no_service(service)))
    }

    fn device(&self, victim: &NodeName, device: &str) -> Result<&Fence, Why> {
        let fences = self
            .config
            .node(victim)
            .map(|n| n.fences.as_slice())
            .unwrap_or_default();
        let found = fences.iter().find(|f| f.name == device);
        found.ok_or_else(|| Why::NoSuchFence {
            node: victim.clone(),
            device: device.to_owned(),
        })
    }

    /// Looks raw at the shared disk of a service that this node does not hold. The first call waits for `interval`
    /// between two reads; later ones compare with the call before, as long as that is fresh.
    pub fn watch_disk(&self, service: &ServiceName, interval: Duration) -> DiskSighting {
        let Some(kit) = self.kits.get(service) else {
            return DiskSighting::NotLooked {
                why: no_service(service),
            };
        };
        // Held by a look that is in progress: the next call will do.
        let mut seen = kit.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match kit.disk.look() {
            Holding::Free => {}
            Holding::Held { .. } => {
                seen.forget();
                return DiskSighting::NotLooked {
                    why: Why::ThisNodeHolds,
                };
            }
            Holding::Unknown { why } => return DiskSighting::NotLooked { why },
        }
        // Here no copy can be read that the other node writes; the kernel's connection to it is what there is.
        if let Some(replica) = &kit.replica {
            return DiskSighting::NotLooked {
                why: replica.other(),
            };
        }
        let fresh = self.config.policy.witness_fresh;
        match kit.raw() {
            Ok(take) => seen.watch(&take, fresh, interval),
            Err(why) => DiskSighting::NotLooked { why },
        }
    }

    /// The kernel's word alone on the disk set of `service`: cheap enough to be asked right before another node takes
    /// it.
    pub fn claimed(&self, service: &ServiceName) -> Holding {
        self.kits.get(service).map_or_else(
            || Holding::Unknown {
                why: no_service(service),
            },
            |kit| kit.disk.claimed(),
        )
    }
}

fn no_interface(address: &VirtualIp, node: &NodeName) -> Trouble {
    precondition(Why::NoInterface {
        address: address.address,
        node: node.clone(),
    })
}

/// Does each, even after a failure; the first failure counts.
fn all(acts: impl Iterator<Item = Acted>) -> Acted {
    let mut sum = Ok(Did::nothing());
    for acted in acts {
        sum = match (sum, acted) {
            (Ok(mut sum), Ok(did)) => {
                sum.changed |= did.changed;
                sum.notes.extend(did.notes);
                Ok(sum)
            }
            (Err(first), _) | (Ok(_), Err(first)) => Err(first),
        };
    }
    sum
}

impl Hands for NodeHands {
    fn node(&self) -> NodeName {
        self.node.clone()
    }

    fn boot(&self) -> BootId {
        self.boot.clone()
    }

    fn look(&self, service: &ServiceName) -> OwnFacts {
        let Some(kit) = self.kits.get(service) else {
            let why = no_service(service);
            return OwnFacts {
                disk: Holding::Unknown { why: why.clone() },
                mounts: Vec::new(),
                virtual_ips: Vec::new(),
                database: DatabaseState::Unknown { why },
                applications: Vec::new(),
            };
        };
        facts::look(&facts::Scene {
            node: &self.node,
            service: &kit.service,
            disk: kit.disk.as_ref(),
            server: &kit.server,
            taken: self.taken.load(service).is_some(),
            rt: &self.rt,
            systemd: &self.systemd,
        })
    }

    fn checkpoint(&self, service: &ServiceName) -> Acted {
        self.kit(service)?.server.checkpoint()
    }

    fn stop_applications(&self, service: &ServiceName) -> Acted {
        application::stop_all(&self.kit(service)?.service.applications, &self.systemd)
    }

    fn stop_database(&self, service: &ServiceName, progress: Progress) -> Acted {
        self.kit(service)?.stop(progress)
    }

    fn remove_virtual_ips(&self, service: &ServiceName) -> Acted {
        let addresses = &self.kit(service)?.service.virtual_ips;
        all(addresses.iter().map(|v| match v.interface(&self.node) {
            Some(interface) => virtual_ip::remove(&self.rt, interface, v.address),
            None => Err(no_interface(v, &self.node)),
        }))
    }

    fn unmount(&self, service: &ServiceName) -> Acted {
        self.kit(service)?.unmount()
    }

    fn prove_released(&self, service: &ServiceName) -> Acted {
        let did = self.kit(service)?.disk.release()?;
        self.taken.forget(service);
        Ok(did)
    }

    fn disown(&self, service: &ServiceName) {
        self.taken.forget(service);
    }

    fn take(&self, permit: TakePermit) -> Acted {
        let (service, epoch) = (permit.service().clone(), permit.epoch().clone());
        let taken = Taken::new(service, epoch, self.boot.clone(), permit.proofs());
        self.take_for(&taken, permit.may_adopt(), permit.accepted())
    }

    fn mount(&self, service: &ServiceName) -> Acted {
        let kit = self.kit(service)?;
        let taken = self.taken.load(service);
        let taken = taken.ok_or_else(|| precondition(Why::NotTakenInThisBoot))?;
        let still = || match taken.is_fresh(crate::since_boot()) {
            true => Ok(()),
            false => Err(precondition(Why::ProofsTooOld)),
        };
        kit.mount(Leave {
            all_powered_off: taken.all_powered_off,
            still: &still,
        })
    }

    fn read_disk_epoch(&self, service: &ServiceName) -> Result<Option<Epoch>, Trouble> {
        epoch_record::read(&self.kit(service)?.mounted()?)
    }

    fn write_disk_epoch(&self, service: &ServiceName, epoch: &Epoch) -> Acted {
        epoch_record::write(&self.kit(service)?.mounted()?, epoch)
    }

    fn add_virtual_ips(&self, service: &ServiceName, certainty: AddressCertainty) -> Acted {
        let kit = self.kit(service)?;
        if let Some(why) = kit.foreign_server() {
            return Err(precondition(why));
        }
        let addresses = &kit.service.virtual_ips;
        // By the mandate the address is ours: another node that was only cut from the storage may go on answering,
        // and does not keep it from us. Any other machine does.
        let others = self.config.others(&self.node);
        let tolerated: Vec<String> = others.flat_map(|n| n.hardware_addresses.clone()).collect();
        let add = |v: &VirtualIp| match v.interface(&self.node) {
            Some(interface) => {
                virtual_ip::add_beside(&self.rt, interface, v.address, certainty, &tolerated)
            }
            None => Err(no_interface(v, &self.node)),
        };
        // Asking for one takes a fifth of a second: all at once.
        let add = &add;
        std::thread::scope(|scope| {
            let adding: Vec<_> = addresses
                .iter()
                .map(|v| scope.spawn(move || add(v)))
                .collect();
            let broken = || {
                Trouble::Unknown(Why::ThreadFailed {
                    said: "virtual-ip".into(),
                })
            };
            all(adding
                .into_iter()
                .map(|t| t.join().unwrap_or_else(|_| Err(broken()))))
        })
    }

    fn start_database(&self, service: &ServiceName, progress: Progress) -> Acted {
        let kit = self.kit(service)?;
        kit.startable()?;
        let judge = |found: &_| self.witnesses.judge(service, found);
        postgres::start::start(&kit.server, &judge, progress)
    }

    fn start_applications(&self, service: &ServiceName) -> Acted {
        application::start_all(&self.kit(service)?.service.applications, &self.systemd)
    }

    fn client_test(&self, service: &ServiceName, since: UtcMicros) -> Vec<ClientTestResult> {
        let Some(kit) = self.kits.get(service) else {
            return Vec::new();
        };
        let scene = client_test::Scene {
            node: &self.node,
            service,
            since,
            fresh: self.config.policy.witness_fresh,
            signs: self.witnesses.as_ref(),
        };
        client_test::run_all(&kit.service.client_tests, &scene)
    }

    fn after_move(&self, service: &ServiceName) -> Acted {
        application::after_move(&self.kit(service)?.service.after_move)
    }

    fn hold_back(&self, wait: Duration) {
        std::thread::sleep(wait);
    }

    fn fence(&self, victim: &NodeName, device: &str) -> Acted {
        if victim == &self.node {
            return Err(precondition(Why::FencesItself));
        }
        let device = self.device(victim, device).map_err(precondition)?;
        let did = fence::act_off(device)?;
        if device.kind == FenceKind::Power {
            let gone = self.replicas_lost_their_peer();
            gone.map_err(|why| Trouble::failed(FailureKind::Fence, why))?;
        }
        Ok(did)
    }

    fn reserve(&self, service: &ServiceName, victim: &NodeName, epoch: &Epoch) -> Acted {
        if victim == &self.node {
            return Err(precondition(Why::FencesItself));
        }
        let kit = self.kit(service)?;
        kit.reservation_fences()
            .map_err(|why| Trouble::failed(FailureKind::Fence, why))?;
        match &kit.reservation {
            Some(reservation) => reservation.reserve(epoch),
            None => Err(precondition(Why::NoReservation)),
        }
    }

    fn reservation(&self, service: &ServiceName, epoch: &Epoch) -> FenceState {
        let reservation = self.kits.get(service).and_then(|k| k.reservation.as_ref());
        reservation.map_or(
            FenceState::Failed {
                why: Why::NoReservation,
            },
            |r| r.state_under(epoch),
        )
    }

    fn fence_state(&self, victim: &NodeName, device: &str) -> FenceState {
        self.device(victim, device)
            .map_or_else(|why| FenceState::Failed { why }, fence::state)
    }

    fn sign_of_life(
        &self,
        service: &ServiceName,
        victim: &NodeName,
        ground: LifeQuestion,
        since: UtcMicros,
    ) -> Option<Sentence> {
        let (config, signs) = (&self.config, self.witnesses.as_ref());
        let me = &self.node;
        witness::sign_of_life(config, me, service, victim, ground, since, signs)
            .or_else(|| self.replica_belies(service, victim, ground))
    }

    fn still_fenced(
        &self,
        service: &ServiceName,
        victim: &NodeName,
        device: &str,
        ground: LifeQuestion,
        since: UtcMicros,
    ) -> (FenceState, Option<Sentence>) {
        // At the same time. A panic of any must not read as its best answer.
        std::thread::scope(|scope| {
            let state = scope.spawn(|| self.fence_state(victim, device));
            let powered = ground == LifeQuestion::PoweredOff;
            let belied = scope.spawn(move || powered.then(|| self.says_on(victim, device))?);
            let sign = self.sign_of_life(service, victim, ground, since);
            let state = state.join().unwrap_or(FenceState::Failed {
                why: Why::AskingBroke,
            });
            let belied = belied.join().unwrap_or(Some(Why::AskingBroke));
            let state = match (state, belied) {
                (FenceState::Fenced, Some(why)) => FenceState::Failed { why },
                (state, _) => state,
            };
            (state, sign)
        })
    }

    fn promise_facts(&self, service: &ServiceName, node: &NodeName) -> Option<PromiseFacts> {
        let within = self.config.policy.peer_timeout;
        self.witnesses.promise_facts(service, node, within)
    }

    fn now(&self) -> UtcMicros {
        crate::wall_clock()
    }

    fn since_boot(&self) -> Duration {
        crate::since_boot()
    }
}
