//! A service that ran on this node before Siaga came to the site goes on as it is.
//!
//! Nothing is taken: the disk set never left this kernel, and before the first mandate no node of the site could have
//! taken it by Siaga. So this is for the very first row of a service's ledger, and for nothing later.

use super::{Ledger, LedgerError};
use crate::hands::Store;
use siaga_model::event::EventBody;
use siaga_model::observation::LastTake;
use siaga_model::{Epoch, RunId};

impl Ledger {
    /// Puts what runs here under the first mandate of all, durably. Refuses where this node knows of any mandate, or may
    /// have forgotten one: somebody may have taken the disk set since, and what is mounted here may be stale.
    pub fn adopt(&mut self, store: &mut dyn Store, run: &RunId) -> Result<Epoch, LedgerError> {
        if self.journal_lost || self.highest.is_some() || self.last_take() != LastTake::Never {
            return Err(LedgerError::NotTheFirst);
        }
        let epoch = self.next_epoch(run, &[], false)?;
        let body = EventBody::Adopted {
            epoch: epoch.clone(),
        };
        self.write(store, vec![body])?;
        Ok(epoch)
    }
}
