//! What one node has promised, admitted, minted and used up for one service. Every change is made durable before it
//! counts. Rebuilt from the node's own journal at every start.
//!
//! Invariants, each with a test that fails without its guard:
//! - **newest mandate**: nothing is obeyed under an epoch that is not the highest known here;
//! - **proof for every other node**: a permit needs one proof about each, made under the very mandate of the take;
//! - **once**: a proof that was used opens nothing again;
//! - **promise kept**: after "let go, to epoch E" this node takes only under a mandate later than E.

mod adopting;
mod for_fence;

use crate::hands::{Hands, Store};
use crate::permit::TakePermit;
use crate::verify::{self, Heard, void};
use siaga_model::event::EventBody;
use siaga_model::mandate::EpochRelation;
use siaga_model::observation::{LastTake, LedgerFacts, Promise};
use siaga_model::plan::MandatedPlan;
use siaga_model::proof::{Ground, ProofRecord};
use siaga_model::refusal::Sentence;
use siaga_model::run::{FailureKind, StepFailure};
use siaga_model::why::Why;
use siaga_model::{BootId, Epoch, NodeName, RunId, ServiceName, UtcMicros};

pub use for_fence::ForFence;

/// Why the ledger refuses.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LedgerError {
    #[error("a newer mandate is in force: {in_force}, offered {offered}")]
    Superseded { offered: Epoch, in_force: Epoch },
    #[error("two mandates with equal counters are void: {epoch} and {other}")]
    Conflict { epoch: Epoch, other: Epoch },
    #[error("the run {run} acts on {node}, which would be fenced")]
    RunThere { run: RunId, node: NodeName },
    #[error("this node lost its journal and has not seen the other node's")]
    JournalLost,
    #[error("there were mandates of this service already")]
    NotTheFirst,
    #[error("the log could not be written: {0}")]
    Log(String),
    #[error("the release proof about {node} does not hold: {why:?}")]
    ProofVoid {
        node: NodeName,
        why: Why,
        witness: Option<Box<Sentence>>,
    },
}

impl LedgerError {
    /// The same, as a reason that people are told.
    pub fn why(&self) -> Why {
        match self.clone() {
            LedgerError::Superseded { offered, in_force } => Why::NewerMandate {
                offered: Box::new(offered),
                in_force: Box::new(in_force),
            },
            LedgerError::Conflict { epoch, other } => Why::MandatesVoid {
                epoch: Box::new(epoch),
                other: Box::new(other),
            },
            LedgerError::RunThere { run, node } => Why::RunActsOn { run, node },
            LedgerError::JournalLost => Why::JournalLost,
            LedgerError::NotTheFirst => Why::MandatesBefore,
            LedgerError::Log(said) => Why::LogUnwritten { said },
            LedgerError::ProofVoid { node, why, .. } => Why::ProofFails {
                node,
                why: Box::new(why),
            },
        }
    }

    /// The same as a step's failure.
    pub fn failure(&self) -> StepFailure {
        let kind = match self {
            LedgerError::Superseded { .. } | LedgerError::Conflict { .. } => {
                FailureKind::Superseded
            }
            LedgerError::JournalLost | LedgerError::NotTheFirst | LedgerError::RunThere { .. } => {
                FailureKind::Precondition
            }
            LedgerError::Log(_) => FailureKind::Log,
            LedgerError::ProofVoid { .. } => FailureKind::ProofVoid,
        };
        let witness = match self {
            LedgerError::ProofVoid { witness, .. } => witness.clone(),
            _ => None,
        };
        StepFailure {
            kind,
            detail: self.why(),
            witness,
        }
    }
}

/// That `Hands::prove_released` said yes just now. Made only by the executor: outside of this crate it can be named,
///
/// ```
/// use siaga_runner::ledger::ProvedReleased;
/// fn hand_on(seen: ProvedReleased) -> ProvedReleased { seen }
/// ```
///
/// and neither made,
///
/// ```compile_fail
/// use siaga_runner::ledger::ProvedReleased;
/// fn forge() -> ProvedReleased { ProvedReleased(()) }
/// ```
///
/// nor come out of nothing, of a copy or of data.
///
/// ```compile_fail
/// fn nothing<T: Default>() {}
/// nothing::<siaga_runner::ledger::ProvedReleased>();
/// ```
///
/// ```compile_fail
/// fn copied<T: Clone>() {}
/// copied::<siaga_runner::ledger::ProvedReleased>();
/// ```
///
/// ```compile_fail
/// fn read<T: serde::de::DeserializeOwned>() {}
/// read::<siaga_runner::ledger::ProvedReleased>();
/// ```
pub struct ProvedReleased(pub(crate) ());

/// One service's ledger on one node.
#[derive(Clone, PartialEq, Debug)]
pub struct Ledger {
    me: NodeName,
    boot: BootId,
    service: ServiceName,
    highest: Option<Epoch>,
    /// A second epoch with the counter of `highest`: both are void.
    rival: Option<Epoch>,
    promise: Option<Promise>,
    used: Vec<ProofRecord>,
    /// The mandate under which this node goes on with what ran here before there was any.
    adopted: Option<Epoch>,
    /// What was taken before this process began is not known, whatever old rows say.
    began_without_history: bool,
    /// So many of the proofs used are from before.
    used_before: usize,
    journal_lost: bool,
    plan: Option<MandatedPlan>,
    /// The newest mandate that was minted here for another service's fence, and its victim.
    for_fence: Option<(Epoch, NodeName)>,
}

impl Ledger {
    /// Rebuilds the ledger from the node's own events, oldest first.
    pub fn replay<'a>(
        me: NodeName,
        boot: BootId,
        service: ServiceName,
        journal_lost: bool,
        events: impl Iterator<Item = &'a EventBody>,
    ) -> Self {
        let mut ledger = Self {
            me,
            boot,
            service,
            highest: None,
            rival: None,
            promise: None,
            used: Vec::new(),
            adopted: None,
            began_without_history: journal_lost,
            used_before: 0,
            journal_lost,
            plan: None,
            for_fence: None,
        };
        for body in events {
            ledger.apply(body);
        }
        if journal_lost {
            ledger.used_before = ledger.used.len();
        }
        ledger
    }

    fn apply(&mut self, body: &EventBody) {
        match body {
            EventBody::MandateMinted { epoch }
            | EventBody::MandateAdmitted { epoch }
            | EventBody::EpochSeen { epoch } => self.see(epoch),
            EventBody::FenceMandateMinted { epoch, victim } => {
                self.see(epoch);
                self.for_fence = Some((epoch.clone(), victim.clone()));
            }
            EventBody::Promised { promise } if promise.node == self.me => {
                self.promise = Some(promise.clone());
            }
            EventBody::ProofUsed { proof } => {
                self.used.push(proof.clone());
                // Taking under a later mandate is what ends a promise.
                self.promise = None;
            }
            EventBody::Adopted { epoch } => {
                self.see(epoch);
                self.adopted = Some(epoch.clone());
            }
            EventBody::PlanRecorded { plan } => self.plan = Some((**plan).clone()),
            _ => {}
        }
    }

    fn see(&mut self, epoch: &Epoch) {
        match self.highest.as_ref().map(|h| epoch.relation(h)) {
            None | Some(EpochRelation::Newer) => {
                self.highest = Some(epoch.clone());
                self.rival = None;
            }
            Some(EpochRelation::Conflict) => self.rival = Some(epoch.clone()),
            Some(EpochRelation::Older | EpochRelation::Same) => {}
        }
    }

    /// For an observation. `unfinished` is filled in by the agent, which knows what is live.
    pub fn facts(&self) -> LedgerFacts {
        LedgerFacts {
            highest: self.highest.clone(),
            journal_lost: self.journal_lost,
            promise: self.promise.clone(),
            last_take: self.last_take(),
            adopted: self.used.is_empty() && self.adopted.is_some(),
            unfinished: None,
        }
    }

    /// The newest mandate under which this node was permitted to take.
    fn last_take(&self) -> LastTake {
        let lost = self.began_without_history;
        let from = if lost { self.used_before } else { 0 };
        let used = self.used.iter().skip(from).last().map(|proof| &proof.epoch);
        let adopted = self.adopted.as_ref().filter(|_| !lost);
        match used.or(adopted) {
            Some(epoch) => LastTake::Under {
                epoch: epoch.clone(),
            },
            None if lost => LastTake::Unknown,
            None => LastTake::Never,
        }
    }

    /// The newest plan that was recorded here, as coordinator or as participant.
    pub fn plan(&self) -> Option<&MandatedPlan> {
        self.plan.as_ref()
    }

    /// The node whose ledger this is.
    pub fn node(&self) -> &NodeName {
        &self.me
    }

    /// The epoch that the next mandate gets. `elsewhere`: the highest epochs known of the peer's journal (and the
    /// disk set). `answers_for`: true where the peer's journal was read or a person attested for the peer, which a
    /// node that lost its own journal needs.
    pub fn next_epoch(
        &self,
        run: &RunId,
        elsewhere: &[Epoch],
        answers_for: bool,
    ) -> Result<Epoch, LedgerError> {
        if self.journal_lost && !answers_for {
            return Err(LedgerError::JournalLost);
        }
        let top = elsewhere
            .iter()
            .chain(&self.highest)
            .chain(&self.rival)
            .map(|e| e.counter)
            .max();
        Ok(Epoch {
            counter: top.unwrap_or(0) + 1,
            issuer: self.me.clone(),
            run: run.clone(),
        })
    }

    /// Makes a plan this node's own: the mandate and the whole plan are durable before the first step. `extra` goes
    /// into the same write (the accepted run).
    pub fn begin(
        &mut self,
        store: &mut dyn Store,
        plan: MandatedPlan,
        extra: Vec<EventBody>,
    ) -> Result<(), LedgerError> {
        self.check_newer(&plan.epoch)?;
        let mut bodies = extra;
        bodies.push(EventBody::MandateMinted {
            epoch: plan.epoch.clone(),
        });
        bodies.push(EventBody::PlanRecorded {
            plan: Box::new(plan),
        });
        self.write(store, bodies)?;
        // From here on the epochs of the own journal are known again.
        self.journal_lost = false;
        Ok(())
    }

    /// Obeys another node's mandate from now on, durably, and keeps its plan.
    pub fn admit(&mut self, store: &mut dyn Store, plan: &MandatedPlan) -> Result<(), LedgerError> {
        match self.highest.as_ref().map(|h| plan.epoch.relation(h)) {
            Some(EpochRelation::Same) if self.rival.is_none() => return Ok(()),
            Some(EpochRelation::Conflict) => {
                // Remembered, so that whoever mints next goes above both.
                self.write(
                    store,
                    vec![EventBody::EpochSeen {
                        epoch: plan.epoch.clone(),
                    }],
                )?;
            }
            _ => {}
        }
        self.check_newer(&plan.epoch)?;
        self.write(
            store,
            vec![
                EventBody::MandateAdmitted {
                    epoch: plan.epoch.clone(),
                },
                EventBody::PlanRecorded {
                    plan: Box::new(plan.clone()),
                },
            ],
        )
    }

    /// The peer's copy of the events was read: what this node's own journal may lack is known now.
    pub fn journal_found(&mut self) {
        self.journal_lost = false;
    }

    /// Some rows were written before this node's log had to begin anew, `proofs` of those used among them. Whether others are
    /// missing for ever nobody knows, so none of them says what was taken last.
    #[must_use]
    pub fn after_a_gap(mut self, proofs: usize) -> Self {
        self.began_without_history = true;
        self.used_before = self.used_before.max(proofs);
        self
    }

    /// Nobody has a row of this node from before: it is new in the site, and never took anything.
    pub fn is_new_here(&mut self) {
        self.began_without_history = false;
    }

    /// Remembers an epoch met on the disk set or in the peer's journal.
    pub fn remember(&mut self, store: &mut dyn Store, epoch: &Epoch) -> Result<(), LedgerError> {
        match self.highest.as_ref().map(|h| epoch.relation(h)) {
            Some(EpochRelation::Same | EpochRelation::Older) => Ok(()),
            _ => self.write(
                store,
                vec![EventBody::EpochSeen {
                    epoch: epoch.clone(),
                }],
            ),
        }
    }

    /// Is `epoch` the one in force here?
    pub fn obey(&self, epoch: &Epoch) -> Result<(), LedgerError> {
        let Some(highest) = &self.highest else {
            return Err(void(&epoch.issuer, Why::MandateNeverAdmitted));
        };
        if let Some(rival) = &self.rival {
            return Err(LedgerError::Conflict {
                epoch: highest.clone(),
                other: rival.clone(),
            });
        }
        match epoch.relation(highest) {
            EpochRelation::Same => Ok(()),
            EpochRelation::Conflict => Err(LedgerError::Conflict {
                epoch: epoch.clone(),
                other: highest.clone(),
            }),
            EpochRelation::Older | EpochRelation::Newer => Err(LedgerError::Superseded {
                offered: epoch.clone(),
                in_force: highest.clone(),
            }),
        }
    }

    fn check_newer(&self, epoch: &Epoch) -> Result<(), LedgerError> {
        let Some(highest) = &self.highest else {
            return Ok(());
        };
        match epoch.relation(highest) {
            EpochRelation::Newer => Ok(()),
            EpochRelation::Conflict => Err(LedgerError::Conflict {
                epoch: epoch.clone(),
                other: highest.clone(),
            }),
            EpochRelation::Same | EpochRelation::Older => Err(LedgerError::Superseded {
                offered: epoch.clone(),
                in_force: highest.clone(),
            }),
        }
    }

    /// Promises to have let go to `epoch`, durably, and gives the proof that the taker needs.
    pub fn promise(
        &mut self,
        store: &mut dyn Store,
        epoch: &Epoch,
        at: UtcMicros,
        _seen: ProvedReleased,
    ) -> Result<ProofRecord, LedgerError> {
        self.obey(epoch)?;
        let promise = Promise {
            node: self.me.clone(),
            boot: self.boot.clone(),
            epoch: epoch.clone(),
            at,
        };
        self.write(store, vec![EventBody::Promised { promise }])?;
        Ok(ProofRecord {
            service: self.service.clone(),
            epoch: epoch.clone(),
            node: self.me.clone(),
            boot: Some(self.boot.clone()),
            at,
            ground: Ground::Released,
        })
    }

    /// Verifies every proof once more and uses them up, durably. The only maker of a [`TakePermit`]. `heard`: when
    /// the promises of other nodes reached this process.
    pub fn authorise_take(
        &mut self,
        store: &mut dyn Store,
        hands: &dyn Hands,
        others: &[NodeName],
        epoch: &Epoch,
        proofs: &[ProofRecord],
        heard: &[Heard],
    ) -> Result<TakePermit, LedgerError> {
        self.obey(epoch)?;
        if let Some(promise) = &self.promise
            && promise.epoch.counter >= epoch.counter
        {
            return Err(LedgerError::Superseded {
                offered: epoch.clone(),
                in_force: promise.epoch.clone(),
            });
        }
        let mut used = Vec::new();
        let mut may_adopt = true;
        let mine = self.last_take();
        for other in others {
            let proof = proofs
                .iter()
                .find(|p| &p.node == other && p.service == self.service && &p.epoch == epoch)
                .ok_or_else(|| void(other, Why::NoProofUnderMandate))?;
            if self
                .used
                .iter()
                .any(|u| u.epoch == proof.epoch && u.node == proof.node)
            {
                return Err(void(other, Why::ProofUsedAlready));
            }
            let theirs = verify::again(hands, proof, heard)?;
            may_adopt &= theirs.is_older_than(&mine);
            used.push(proof.clone());
        }
        let bodies = used
            .iter()
            .map(|proof| EventBody::ProofUsed {
                proof: proof.clone(),
            })
            .collect();
        self.write(store, bodies)?;
        Ok(TakePermit::new(
            self.service.clone(),
            epoch.clone(),
            used,
            may_adopt,
        ))
    }

    fn write(&mut self, store: &mut dyn Store, bodies: Vec<EventBody>) -> Result<(), LedgerError> {
        store
            .append_durably(&self.service, bodies.clone())
            .map_err(LedgerError::Log)?;
        for body in &bodies {
            self.apply(body);
        }
        Ok(())
    }
}
