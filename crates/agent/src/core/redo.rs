//! How much WAL a start would have to redo: seen on the node that runs the service, and told to the other one, which can't
//! look at the shared disk while it is held.

use super::observe::own_facts;
use super::state::Core;
use siaga_model::ServiceName;
use siaga_model::config::Service;
use siaga_model::observation::{DatabaseState, NodeFacts};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes of WAL by service.
pub type Bytes = BTreeMap<ServiceName, u64>;

/// What was seen last: here, and at the other node.
#[derive(Default)]
pub struct RedoDesk {
    own: Mutex<Bytes>,
    theirs: Mutex<Bytes>,
}

fn lock(bytes: &Mutex<Bytes>) -> MutexGuard<'_, Bytes> {
    bytes.lock().unwrap_or_else(PoisonError::into_inner)
}

impl RedoDesk {
    /// What this node saw of the services that it runs.
    pub fn own(&self) -> Bytes {
        lock(&self.own).clone()
    }

    /// What the other node told. Its silence takes nothing back: what it said last is the best there is.
    pub fn told(&self, bytes: Bytes) {
        *lock(&self.theirs) = bytes;
    }
}

/// Looks at this node's own database, where one runs.
pub async fn look(core: &Arc<Core>, service: &Service, facts: &NodeFacts) {
    let seen = match reads(facts) {
        true => measure(service).await,
        false => None,
    };
    let mut own = lock(&core.redo.own);
    match seen {
        Some(bytes) => own.insert(service.name.clone(), bytes),
        None => own.remove(&service.name),
    };
}

/// What a start on this node would redo: measured here where the data directory is here, else as the other node saw it
/// last.
pub async fn to_redo(core: &Arc<Core>, service: &Service) -> Option<u64> {
    let facts = own_facts(core, &service.name).await;
    if reads(&facts) {
        return measure(service).await;
    }
    lock(&core.redo.theirs).get(&service.name).copied()
}

/// May its files be opened now? While the database has them open itself nobody unmounts: a look must never make an
/// unmount fail.
fn reads(facts: &NodeFacts) -> bool {
    matches!(
        facts.database,
        DatabaseState::Ready | DatabaseState::Starting { .. }
    )
}

/// `None` where there is nothing to redo, or it can't be told.
async fn measure(service: &Service) -> Option<u64> {
    let data_dir = service.database.data_dir.clone();
    let measured = tokio::task::spawn_blocking(move || siaga_node::wal_to_redo(&data_dir));
    measured.await.ok().flatten()
}
