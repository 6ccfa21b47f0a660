//! The mandate of a service for a fence that hits it: of a node that it is, or may be, on, by another service's run or
//! by a person.
//!
//! Two takeovers at once fence the same node for each other's service. Neither may void the other, so they share: the
//! mandate in force of a service whose own run leaves the victim alone (it fences it too, or nothing of it is there)
//! stands for the fence as well.

use super::{Ledger, LedgerError};
use crate::hands::Store;
use siaga_model::event::EventBody;
use siaga_model::mandate::EpochRelation;
use siaga_model::{Epoch, NodeName, RunId};

/// The fence that asks.
#[derive(Clone, Copy)]
pub struct ForFence<'a> {
    pub victim: &'a NodeName,
    /// The run of the fence.
    pub run: &'a RunId,
    /// The highest epochs of this service known of the other nodes.
    pub elsewhere: &'a [Epoch],
    /// True where the other nodes' journals were read: what a node that lost its own needs.
    pub answers_for: bool,
    /// Is that run being carried out by this node now?
    pub is_live: &'a dyn Fn(&RunId) -> bool,
}

impl Ledger {
    /// The mandate of this service under which `asked.victim` may be fenced: shared where that is right, else minted
    /// above every epoch known, durably. Refuses while a live run of this service acts on the victim.
    pub fn mandate_for_fence(
        &mut self,
        store: &mut dyn Store,
        asked: &ForFence,
    ) -> Result<Epoch, LedgerError> {
        if let Some(shared) = self.shared(asked)? {
            return Ok(shared);
        }
        let epoch = self.next_epoch(asked.run, asked.elsewhere, asked.answers_for)?;
        self.write(
            store,
            vec![EventBody::FenceMandateMinted {
                epoch: epoch.clone(),
                victim: asked.victim.clone(),
            }],
        )?;
        Ok(epoch)
    }

    /// The mandate in force, where it is of a live run here and stands for this fence as well.
    fn shared(&self, asked: &ForFence) -> Result<Option<Epoch>, LedgerError> {
        let Some(highest) = self.highest.as_ref().filter(|_| self.rival.is_none()) else {
            return Ok(None);
        };
        let known_above = |e: &Epoch| e.relation(highest) != EpochRelation::Older && e != highest;
        if !(asked.is_live)(&highest.run) || asked.elsewhere.iter().any(known_above) {
            return Ok(None);
        }
        if let Some(plan) = self.own_plan_in_force()
            && plan.plan.acts_on(asked.victim)
        {
            return Err(LedgerError::RunThere {
                run: highest.run.clone(),
                node: asked.victim.clone(),
            });
        }
        Ok(self.stands_for(asked.victim).then(|| highest.clone()))
    }

    /// May `victim` be fenced under `epoch`, a mandate of this service? It is in force, or what is in force here since
    /// then leaves the victim alone.
    pub fn obey_fence(&self, epoch: &Epoch, victim: &NodeName) -> Result<(), LedgerError> {
        let held = self.obey(epoch);
        match (&held, &self.highest) {
            (Err(LedgerError::Superseded { .. }), Some(highest))
                if epoch.relation(highest) == EpochRelation::Older && self.stands_for(victim) =>
            {
                Ok(())
            }
            _ => held,
        }
    }

    /// Is the mandate in force one of this node's own that leaves `victim` alone, or was minted to fence it?
    fn stands_for(&self, victim: &NodeName) -> bool {
        let minted = self
            .for_fence
            .as_ref()
            .is_some_and(|(epoch, of)| Some(epoch) == self.highest.as_ref() && of == victim);
        let planned = self
            .own_plan_in_force()
            .is_some_and(|plan| !plan.plan.acts_on(victim));
        minted || planned
    }

    fn own_plan_in_force(&self) -> Option<&siaga_model::plan::MandatedPlan> {
        let plan = self.plan.as_ref()?;
        (Some(&plan.epoch) == self.highest.as_ref() && plan.coordinator == self.me).then_some(plan)
    }
}
