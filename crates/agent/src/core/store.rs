//! The runner's durable store over the node's own journal, and the agent's own appends.

use super::runs::RunIndex;
use siaga_journal::{Durability, Filter, Heads, Journal, JournalError, Reader, SentSums};
use siaga_model::api::EventView;
use siaga_model::event::{Actor, Event, EventBody};
use siaga_model::{RunId, ServiceName};
use siaga_runner::hands::Store;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// The journal, shared. Whoever appends keeps the index of runs in step and wakes the peer's long poll.
#[derive(Clone)]
pub struct Log {
    journal: Arc<Mutex<Journal>>,
    runs: Arc<Mutex<RunIndex>>,
    changed: watch::Sender<u64>,
}

impl Log {
    /// Wraps an opened journal. `runs` was built from its events.
    pub fn new(journal: Journal, runs: RunIndex) -> Self {
        let (changed, _) = watch::channel(journal.version());
        Self {
            journal: Arc::new(Mutex::new(journal)),
            runs: Arc::new(Mutex::new(runs)),
            changed,
        }
    }

    /// Reads or writes the journal, in async code too: the runtime's other work moves on meanwhile, however long the
    /// disk takes.
    pub fn with<T>(&self, work: impl FnOnce(&mut Journal) -> T) -> T {
        off_the_workers(|| work(&mut self.journal()))
    }

    /// The journal, alone for a moment. Waits for the disk: for threads that may block, or use [`Log::with`]. Its content on disk is right whatever happened to another holder.
    pub fn journal(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads events without holding the journal: whoever writes goes on meanwhile, however long the log is.
    ///
    /// # Errors
    /// Where a file can't be read.
    pub fn read(&self, filter: &Filter) -> Result<Vec<EventView>, JournalError> {
        Ok(self.read_at(filter)?.0)
    }

    /// The same, with the sums of what was sent: see [`siaga_journal::Deliveries::Summed`].
    ///
    /// # Errors
    /// Where a file can't be read.
    pub fn summed(&self, filter: &Filter) -> Result<(Vec<EventView>, SentSums), JournalError> {
        off_the_workers(|| {
            let reader = self.journal().reader();
            reader.summed(filter)
        })
    }

    /// Gives on each event that comes through, log by log, and says how far each log reached.
    ///
    /// # Errors
    /// Where a file can't be read.
    pub fn each(
        &self,
        filter: &Filter,
        mut give: impl FnMut(EventView),
    ) -> Result<Heads, JournalError> {
        off_the_workers(|| {
            let reader = self.journal().reader();
            reader.each(filter, &mut give, &mut SentSums::new())?;
            Ok(reader.heads().clone())
        })
    }

    /// The same, with the reader: it knows how far each log reached.
    ///
    /// # Errors
    /// Where a file can't be read.
    pub fn read_at(&self, filter: &Filter) -> Result<(Vec<EventView>, Reader), JournalError> {
        off_the_workers(|| {
            let reader = self.journal().reader();
            Ok((reader.events(filter)?, reader))
        })
    }

    /// The index of runs.
    pub fn runs(&self) -> MutexGuard<'_, RunIndex> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Grows with every row, own or copied.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Appends events, and waits for the disk where `durability` says so.
    pub fn append(&self, events: Vec<Event>, durability: Durability) -> Result<(), JournalError> {
        let (views, version) = self.with(|journal| {
            let views = journal.append_all(events, durability)?;
            Ok::<_, JournalError>((views, journal.version()))
        })?;
        {
            let mut runs = self.runs();
            for view in &views {
                runs.apply(&view.node, &view.event);
            }
        }
        self.changed.send_replace(version);
        Ok(())
    }

    /// After rows were copied in: keeps the index in step.
    pub fn copied(&self, events: &[EventView]) {
        {
            let mut runs = self.runs();
            for view in events {
                runs.apply(&view.node, &view.event);
            }
        }
        let version = self.with(|journal| journal.version());
        self.changed.send_replace(version);
    }
}

/// Does what may wait for the disk. On a worker of the runtime its other tasks go to another thread first; on a
/// thread that may block anyway, or outside of any runtime, it is just done.
fn off_the_workers<T>(work: impl FnOnce() -> T) -> T {
    use tokio::runtime::{Handle, RuntimeFlavor};
    match Handle::try_current().map(|h| h.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}

/// What the ledger of one service writes through.
pub struct ServiceStore {
    pub log: Log,
    /// The run and the person that the next events belong to.
    pub context: Arc<Mutex<Context>>,
}

/// The run and the person behind what is written.
#[derive(Clone, Default)]
pub struct Context {
    pub run: Option<RunId>,
    pub actor: Option<Actor>,
}

impl Store for ServiceStore {
    fn append_durably(
        &mut self,
        service: &ServiceName,
        bodies: Vec<EventBody>,
    ) -> Result<(), String> {
        let context = self
            .context
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let events = bodies
            .into_iter()
            .map(|body| context.event(Some(service.clone()), body))
            .collect();
        self.log
            .append(events, Durability::Sync)
            .map_err(|e| e.to_string())
    }
}

impl Context {
    /// An event in this context. A body that names its run wins over the context's.
    pub fn event(&self, service: Option<ServiceName>, body: EventBody) -> Event {
        let run = match &body {
            EventBody::PlanRecorded { plan } => Some(plan.epoch.run.clone()),
            EventBody::MandateMinted { epoch }
            | EventBody::FenceMandateMinted { epoch, .. }
            | EventBody::Adopted { epoch }
            | EventBody::MandateAdmitted { epoch } => Some(epoch.run.clone()),
            _ => self.run.clone(),
        };
        Event {
            service,
            run,
            actor: self.actor.clone(),
            body,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn a_slow_disk_does_not_hold_the_runtime_up() {
        let dir = tempfile::tempdir().unwrap();
        let clock = Box::new(siaga_journal::SystemClock);
        let (journal, _) = Journal::open(dir.path(), "serverdb".into(), clock).unwrap();
        let log = Log::new(journal, RunIndex::default());
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .build()
            .unwrap();
        let (begun, has_begun) = mpsc::channel();
        let (go_on, slow) = mpsc::channel::<()>();
        let (told, told_rx) = mpsc::channel();
        runtime.spawn(async move {
            log.with(|_| {
                begun.send(()).unwrap();
                // As long as the disk takes.
                slow.recv().unwrap();
            });
        });
        has_begun.recv().unwrap();
        // The only worker is in there: this runs only where another thread took its place.
        runtime.spawn(async move {
            go_on.send(()).unwrap();
            told.send(()).unwrap();
        });
        let ran = told_rx.recv_timeout(std::time::Duration::from_secs(20));
        assert!(ran.is_ok(), "the runtime's worker waits for the disk");
    }
}
