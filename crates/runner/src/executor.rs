//! One order on one node: is the mandate in force here, act, look again, report. Decides nothing.

use crate::fencing::{Asker, Fencing};
use crate::hands::{Acted, AddressCertainty, Did, Hands, LifeQuestion, Progress, Store, Trouble};
use crate::ledger::{Ledger, LedgerError, ProvedReleased};
use crate::permit::OldData;
use crate::verify::Heard;
use siaga_model::api::ClientTestResult;
use siaga_model::config::FenceKind;
use siaga_model::mandate::EpochRelation;
use siaga_model::plan::{Action, MandatedPlan};
use siaga_model::proof::{AttestKind, Ground, ProofRecord};
use siaga_model::run::{FailureKind, Order, StepFailure, StepOutcome, StepReport};
use siaga_model::why::Why;
use siaga_model::{Epoch, NodeName, ServiceName, UtcMicros};
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::Duration;

/// How long a new mandate waits for effects of an older one that are still in flight on this node.
const IN_FLIGHT_WAIT: Duration = Duration::from_secs(20);

/// A node's ledger, with the store behind it and the effects in flight.
pub struct Bench {
    pub ledger: Ledger,
    pub store: Box<dyn Store>,
    /// The mandate of each effect in flight.
    in_flight: Vec<Epoch>,
    /// The victim of each fence under way that hits this service.
    hits: Vec<NodeName>,
    /// When the database was last started here under a plan.
    started_at: UtcMicros,
    /// When other nodes' promises reached this process.
    heard: Vec<Heard>,
    /// A decision for old data, and the mandate whose take it is for. It does not outlive this process.
    accepted: Option<(Epoch, OldData)>,
}

/// Carries orders out for one service on one node.
pub struct Executor<'a> {
    pub hands: &'a dyn Hands,
    /// The other configured nodes: a take needs a proof about each.
    pub others: Vec<NodeName>,
    pub bench: &'a SharedBench,
    /// What this node's services share about fences.
    pub fencing: &'a Fencing,
}

/// The ledger shared by the steps that run side by side.
pub struct SharedBench {
    bench: Mutex<Bench>,
    idle: Condvar,
    in_flight_wait: Duration,
}

impl SharedBench {
    /// Wraps a ledger and its store.
    pub fn new(ledger: Ledger, store: Box<dyn Store>) -> Self {
        let bench = Bench {
            ledger,
            store,
            in_flight: Vec::new(),
            hits: Vec::new(),
            started_at: UtcMicros(0),
            heard: Vec::new(),
            accepted: None,
        };
        Self {
            bench: Mutex::new(bench),
            idle: Condvar::new(),
            in_flight_wait: IN_FLIGHT_WAIT,
        }
    }

    /// Waits at most that long, in place of 20 s, for effects of an older mandate before it refuses a newer one.
    pub fn with_in_flight_wait(self, longest: Duration) -> Self {
        Self {
            in_flight_wait: longest,
            ..self
        }
    }

    /// The ledger, alone for a moment. A panic of another holder does not make its durable content wrong.
    pub fn lock(&self) -> MutexGuard<'_, Bench> {
        self.bench
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Another node's proof reached this process just now (`at`: [`Hands::since_boot`]). Of older mandates nothing is
    /// kept.
    pub fn heard(&self, proof: &ProofRecord, at: Duration) {
        let heard = &mut self.lock().heard;
        heard.retain(|h| h.epoch == proof.epoch && h.node != proof.node);
        heard.push(Heard {
            epoch: proof.epoch.clone(),
            node: proof.node.clone(),
            at,
        });
    }

    /// Begins an effect that no order asks for, where `allowed` says so of the ledger as it is now. It counts as in
    /// flight until the value is dropped, so that a newer mandate waits for its end.
    pub fn occupy(
        &self,
        epoch: &Epoch,
        allowed: impl FnOnce(&Ledger) -> bool,
    ) -> Option<InFlight<'_>> {
        let mut bench = self.lock();
        if !allowed(&bench.ledger) {
            return None;
        }
        bench.in_flight.push(epoch.clone());
        Some(InFlight {
            bench: self,
            epoch: epoch.clone(),
        })
    }

    /// True while an effect is under way here: the disk set counts as held, whatever it looks like.
    pub fn busy(&self) -> bool {
        !self.lock().in_flight.is_empty()
    }

    /// A fence of `victim` begins that hits this service, under this mandate of the service. Until [`Self::end_hit`]
    /// no plan is admitted that acts on the victim.
    pub(crate) fn begin_hit(&self, epoch: &Epoch, victim: &NodeName) -> Result<(), LedgerError> {
        let mut bench = self.lock();
        bench.ledger.obey_fence(epoch, victim)?;
        bench.hits.push(victim.clone());
        Ok(())
    }

    /// It is over.
    pub(crate) fn end_hit(&self, victim: &NodeName) {
        let mut bench = self.lock();
        if let Some(one) = bench.hits.iter().position(|v| v == victim) {
            bench.hits.swap_remove(one);
        }
        drop(bench);
        self.idle.notify_all();
    }

    /// Waits until nothing is in flight but effects of the plan's own mandate (a fence of the same plan may run beside
    /// its enlist, and takes as long as it takes), and nobody fences a node that the plan acts on.
    fn wait_for_others_than(&self, plan: &MandatedPlan) -> Result<MutexGuard<'_, Bench>, Trouble> {
        let others = |b: &mut Bench| {
            b.in_flight.iter().any(|e| e != &plan.epoch)
                || b.hits.iter().any(|victim| plan.plan.acts_on(victim))
        };
        let (bench, timeout) = self
            .idle
            .wait_timeout_while(self.lock(), self.in_flight_wait, others)
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if timeout.timed_out() {
            return Err(Trouble::failed(
                FailureKind::Precondition,
                Why::OlderStepUnderWay,
            ));
        }
        Ok(bench)
    }
}

/// Counts one effect in flight until it is dropped, also by a panic.
pub struct InFlight<'a> {
    bench: &'a SharedBench,
    epoch: Epoch,
}

impl<'a> InFlight<'a> {
    fn enter(bench: &'a SharedBench, order: &Order) -> Result<Self, LedgerError> {
        let mut guard = bench.lock();
        guard.ledger.obey(&order.epoch)?;
        guard.in_flight.push(order.epoch.clone());
        Ok(Self {
            bench,
            epoch: order.epoch.clone(),
        })
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        let mut bench = self.bench.lock();
        if let Some(mine) = bench.in_flight.iter().position(|e| e == &self.epoch) {
            bench.in_flight.swap_remove(mine);
        }
        drop(bench);
        self.bench.idle.notify_all();
    }
}

/// What a step brought beside its outcome.
#[derive(Default)]
struct Brought {
    proof: Option<ProofRecord>,
    tests: Vec<ClientTestResult>,
}

impl Executor<'_> {
    /// Carries `order` out and reports. Blocks.
    pub fn execute(&self, order: &Order, progress: Progress) -> StepReport {
        let started_at = self.hands.now();
        let clock = std::time::Instant::now();
        let mut brought = Brought::default();
        let acted = self.act(order, progress, &mut brought);
        let (outcome, notes) = match acted {
            Ok(did) => (
                StepOutcome::Done {
                    changed: did.changed,
                },
                did.notes,
            ),
            Err(Trouble::Failed(failure)) => (StepOutcome::Failed(failure), Vec::new()),
            Err(Trouble::Unknown(why)) => (StepOutcome::Unknown { why }, Vec::new()),
        };
        StepReport {
            outcome,
            proof: brought.proof,
            tests: brought.tests,
            notes,
            started_at,
            duration_ms: u64::try_from(clock.elapsed().as_millis()).unwrap_or(u64::MAX),
        }
    }

    fn act(&self, order: &Order, progress: Progress, brought: &mut Brought) -> Acted {
        from_its_issuer(order)?;
        if order.step.action == Action::Enlist {
            return self.enlist(order);
        }
        let _in_flight = InFlight::enter(self.bench, order).map_err(ledger_trouble)?;
        let (hands, service) = (self.hands, &order.service);
        match &order.step.action {
            Action::Enlist => Ok(Did::nothing()),
            Action::Checkpoint => hands.checkpoint(service),
            Action::StopApplications => hands.stop_applications(service),
            Action::StopDatabase => hands.stop_database(service, progress),
            Action::RemoveVirtualIp => hands.remove_virtual_ips(service),
            Action::Unmount => hands.unmount(service),
            Action::Release => self.release(order, brought),
            Action::Fence {
                victim,
                device,
                fence,
                wait_ms,
            } => {
                hands.hold_back(Duration::from_millis(*wait_ms));
                self.fence(order, victim, device, *fence, brought)
            }
            Action::Attest { victim, how } => self.attest(order, victim, *how, brought),
            Action::AcceptOldData { resource, state } => {
                let decided = OldData {
                    resource: resource.clone(),
                    state: state.clone(),
                };
                self.bench.lock().accepted = Some((order.epoch.clone(), decided));
                Ok(Did::changed(Vec::new()))
            }
            Action::Take => self.take(order),
            Action::Mount => self.mount(order),
            Action::AddVirtualIp => {
                let certainty = if order.address_free {
                    AddressCertainty::Proven
                } else {
                    AddressCertainty::Contested
                };
                hands.add_virtual_ips(service, certainty)
            }
            Action::StartDatabase => {
                self.bench.lock().started_at = hands.now();
                hands.start_database(service, progress)
            }
            Action::StartApplications => hands.start_applications(service),
            Action::ClientTest => self.client_test(service, brought),
            Action::AfterMove => hands.after_move(service),
        }
    }

    /// The participant obeys the mandate from now on, durably, and waits until nothing older is in flight here.
    fn enlist(&self, order: &Order) -> Acted {
        let Some(plan) = &order.enlist else {
            return Err(Trouble::failed(
                FailureKind::Precondition,
                Why::EnlistWithoutPlan,
            ));
        };
        let mut bench = self.bench.wait_for_others_than(plan)?;
        let Bench { ledger, store, .. } = &mut *bench;
        ledger.admit(store.as_mut(), plan).map_err(ledger_trouble)?;
        Ok(Did::changed(Vec::new()))
    }

    /// Lets go for good. The addresses go here too, whatever the plan saw: a step of an older mandate may have added
    /// one after that look, and nobody else would take it away.
    fn release(&self, order: &Order, brought: &mut Brought) -> Acted {
        self.hands.remove_virtual_ips(&order.service)?;
        let did = self.hands.prove_released(&order.service)?;
        let mut bench = self.bench.lock();
        let Bench { ledger, store, .. } = &mut *bench;
        let proof = ledger
            .promise(
                store.as_mut(),
                &order.epoch,
                self.hands.now(),
                ProvedReleased(()),
            )
            .map_err(ledger_trouble)?;
        brought.proof = Some(proof);
        Ok(Did {
            changed: true,
            ..did
        })
    }

    fn fence(
        &self,
        order: &Order,
        victim: &NodeName,
        device: &str,
        fence: FenceKind,
        brought: &mut Brought,
    ) -> Acted {
        let obeyed = || {
            let own = self.bench.lock().ledger.obey(&order.epoch);
            own.map_err(ledger_trouble)
        };
        let did = match fence {
            // It hits the disk set of this service alone: there is nobody to share it with.
            FenceKind::Reservation => {
                obeyed()?;
                self.hands.reserve(&order.service, victim, &order.epoch)?
            }
            FenceKind::Power | FenceKind::Fabric => {
                let check = || {
                    obeyed()?;
                    self.fencing.stand(victim, &order.hit_mandates)
                };
                let asker = Asker::Plan(&order.plan);
                self.fencing
                    .fence(asker, victim, device, self.hands, check)?
            }
        };
        brought.proof = Some(ProofRecord {
            service: order.service.clone(),
            epoch: order.epoch.clone(),
            node: victim.clone(),
            boot: None,
            at: self.hands.now(),
            ground: Ground::Fenced {
                device: device.to_owned(),
                fence,
            },
        });
        Ok(did)
    }

    fn attest(
        &self,
        order: &Order,
        victim: &NodeName,
        how: AttestKind,
        brought: &mut Brought,
    ) -> Acted {
        let Some(given) = order
            .attested
            .iter()
            .find(|a| &a.node == victim && a.how == how)
        else {
            return Err(Trouble::failed(
                FailureKind::Precondition,
                Why::NobodyAttested,
            ));
        };
        let question = LifeQuestion::Attested(how);
        if let Some(sign) = self
            .hands
            .sign_of_life(&order.service, victim, question, given.at)
        {
            return Err(Trouble::Failed(StepFailure {
                kind: FailureKind::AttestationContradicted,
                detail: Why::system(victim),
                witness: Some(Box::new(sign)),
            }));
        }
        brought.proof = Some(ProofRecord {
            service: order.service.clone(),
            epoch: order.epoch.clone(),
            node: victim.clone(),
            boot: None,
            at: given.at,
            ground: Ground::Attested {
                by: given.by.clone(),
                how,
            },
        });
        Ok(Did::changed(Vec::new()))
    }

    fn take(&self, order: &Order) -> Acted {
        let permit = {
            let mut bench = self.bench.lock();
            let Bench {
                ledger,
                store,
                heard,
                accepted,
                ..
            } = &mut *bench;
            let permit = ledger
                .authorise_take(
                    store.as_mut(),
                    self.hands,
                    &self.others,
                    &order.epoch,
                    &order.proofs,
                    heard,
                )
                .map_err(ledger_trouble)?;
            // Used up: the next take needs a decision of its own.
            let decided = accepted.take().filter(|(epoch, _)| *epoch == order.epoch);
            permit.accepting(decided.map(|(_, old)| old))
        };
        self.hands.take(permit)
    }

    /// Mounts, and lets go again where the disk set itself knows a higher mandate.
    fn mount(&self, order: &Order) -> Acted {
        let did = self.hands.mount(&order.service)?;
        let on_disk = self.hands.read_disk_epoch(&order.service)?;
        if let Some(found) = on_disk
            && matches!(
                found.relation(&order.epoch),
                EpochRelation::Newer | EpochRelation::Conflict
            )
        {
            let remembered = {
                let mut bench = self.bench.lock();
                let Bench { ledger, store, .. } = &mut *bench;
                ledger.remember(store.as_mut(), &found)
            };
            // Let go in any case, also where the log can't be written. What is left here is another node's.
            let unmounted = self.hands.unmount(&order.service);
            self.hands.disown(&order.service);
            unmounted?;
            remembered.map_err(ledger_trouble)?;
            let error = LedgerError::Superseded {
                offered: order.epoch.clone(),
                in_force: found,
            };
            return Err(ledger_trouble(error));
        }
        self.hands.write_disk_epoch(&order.service, &order.epoch)?;
        Ok(did)
    }

    fn client_test(&self, service: &ServiceName, brought: &mut Brought) -> Acted {
        let since = self.bench.lock().started_at;
        brought.tests = self.hands.client_test(service, since);
        let tests: Vec<String> = brought
            .tests
            .iter()
            .filter(|t| t.passed == Some(false))
            .map(|t| t.name.clone())
            .collect();
        if tests.is_empty() {
            return Ok(Did::nothing());
        }
        Err(Trouble::failed(
            FailureKind::ClientTest,
            Why::TestsFailed { tests },
        ))
    }
}

/// An order is obeyed only from the node that issued its mandate; an enlistment only with a plan of that very mandate.
fn from_its_issuer(order: &Order) -> Result<(), Trouble> {
    let issuer = &order.epoch.issuer;
    let own_plan = order
        .enlist
        .as_ref()
        .is_none_or(|plan| plan.epoch == order.epoch && &plan.coordinator == issuer);
    if &order.coordinator == issuer && own_plan {
        return Ok(());
    }
    Err(Trouble::failed(
        FailureKind::Precondition,
        Why::NotItsMandate {
            coordinator: order.coordinator.clone(),
            issuer: issuer.clone(),
        },
    ))
}

pub(crate) fn ledger_trouble(error: LedgerError) -> Trouble {
    Trouble::Failed(error.failure())
}
