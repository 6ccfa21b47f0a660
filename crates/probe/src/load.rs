//! A load of writers that keep every acknowledged row, and a check afterwards that none is lost.

use crate::attempt::{Attempts, Failure, Pace, until_success};
use crate::config::Dsn;
use crate::gaps::{Gap, GapTracker};
use crate::run::now;
use crate::sql::{Session, failure, is_missing_table};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio_postgres::types::Type;

const CREATE: &str = "CREATE TABLE IF NOT EXISTS siaga_load (
    run bigint NOT NULL,
    client int NOT NULL,
    n bigint NOT NULL,
    written_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (run, client, n))";
const INSERT: &str = "INSERT INTO siaga_load (run, client, n) VALUES ($1, $2, $3)";
const SELECT: &str = "SELECT client, n FROM siaga_load WHERE run = $1";
const REMOVE: &str = "DELETE FROM siaga_load WHERE run = $1";
/// Reading all rows back may take long on a busy machine, and then it is right to wait.
const READ_BACK: Duration = Duration::from_secs(120);

/// A load to run.
#[derive(Clone, Debug)]
pub struct LoadOptions {
    pub dsn: Dsn,
    pub clients: u16,
    pub seconds: u64,
    /// Each writer waits so long between rows.
    pub pause: Duration,
    /// How close its attempts follow each other where an answer is missing.
    pub pace: Pace,
    /// How long to wait for the service to come back, at the end and in between.
    pub settle: Duration,
    /// Set: the writers end before their time is over.
    pub stop: Arc<AtomicBool>,
}

impl LoadOptions {
    /// With a row every 5 ms per writer, waiting two minutes at most for the service.
    pub fn new(dsn: Dsn, clients: u16, seconds: u64) -> Self {
        Self {
            dsn,
            clients,
            seconds,
            pause: Duration::from_millis(5),
            pace: Pace::FINE,
            settle: Duration::from_secs(120),
            stop: Arc::default(),
        }
    }
}

/// What came of it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct LoadResult {
    /// Rows whose commit was answered.
    pub rows_acknowledged: u64,
    /// Of these, found at the end.
    pub rows_found: u64,
    /// Acknowledged and not there: must be 0.
    pub rows_lost: u64,
    /// Rows whose commit was not answered: they may be there or not.
    pub rows_unknown: u64,
    pub rows_unknown_found: u64,
    /// Times without any writer's success, over which an attempt failed.
    pub gaps: Vec<Gap>,
}

#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("the service did not answer within {seconds} s: {why}")]
    NotBack {
        seconds: u64,
        why: String,
        so_far: Box<LoadResult>,
    },
    #[error("the load needs at least one client and one second")]
    Nothing,
}

impl LoadError {
    /// A stable code for scripts.
    pub fn code(&self) -> &'static str {
        match self {
            LoadError::NotBack { .. } => "LOAD_NOT_BACK",
            LoadError::Nothing => "LOAD_NOTHING",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Row {
    /// Sent, no answer (yet).
    Unknown,
    Acknowledged,
    /// The database said that it did not commit it.
    Rejected,
}

#[derive(Default)]
struct Shared {
    gaps: GapTracker,
    ended: Vec<Gap>,
    error: Option<String>,
}

/// One writer.
struct Writer<'a> {
    options: &'a LoadOptions,
    run: i64,
    client: i32,
    rows: Mutex<Vec<Row>>,
    shared: &'a Mutex<Shared>,
}

/// Runs the load, then looks for every row.
///
/// # Errors
/// `NotBack` where the service stays away for longer than `settle`; it holds what was counted until then.
pub async fn run(options: LoadOptions) -> Result<LoadResult, LoadError> {
    if options.clients == 0 || options.seconds == 0 {
        return Err(LoadError::Nothing);
    }
    let shared = Mutex::new(Shared::default());
    let run = now().0;
    let writers: Vec<Writer> = (0..options.clients)
        .map(|c| Writer {
            options: &options,
            run,
            client: i32::from(c),
            rows: Mutex::default(),
            shared: &shared,
        })
        .collect();
    let end = Instant::now() + Duration::from_secs(options.seconds);
    let ended = futures_util::future::join_all(writers.iter().map(|w| w.write_until(end))).await;
    let mut result = LoadResult::default();
    for writer in &writers {
        let rows = writer.rows();
        let count = |kind| rows.iter().filter(|r| **r == kind).count() as u64;
        result.rows_acknowledged += count(Row::Acknowledged);
        result.rows_unknown += count(Row::Unknown);
    }
    result.gaps = lock(&shared).ended.clone();
    let found = if ended.into_iter().all(|on_time| on_time) {
        tokio::time::timeout(options.settle, find(&options.dsn, run))
            .await
            .ok()
    } else {
        None
    };
    let Some(found) = found else {
        let why = lock(&shared)
            .error
            .clone()
            .unwrap_or_else(|| "no answer".to_owned());
        return Err(LoadError::NotBack {
            seconds: options.settle.as_secs(),
            why,
            so_far: Box::new(result),
        });
    };
    for writer in &writers {
        writer.compare(&found, &mut result);
    }
    if result.rows_lost == 0 {
        remove(&options.dsn, run).await;
    }
    Ok(result)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Writer<'_> {
    fn rows(&self) -> MutexGuard<'_, Vec<Row>> {
        lock(&self.rows)
    }

    /// Writes rows until `end`. False where the service stayed away for too long.
    async fn write_until(&self, end: Instant) -> bool {
        let mut session = None;
        while Instant::now() < end && !self.options.stop.load(Ordering::Relaxed) {
            match tokio::time::timeout(self.options.settle, until_success(self, session.take()))
                .await
            {
                Ok(open) => session = Some(open),
                Err(_) => return false,
            }
            self.succeeded();
            tokio::time::sleep(self.options.pause).await;
        }
        true
    }

    fn succeeded(&self) {
        let mut shared = lock(self.shared);
        if shared.gaps.success(Instant::now(), now(), || None) {
            let gap = shared.gaps.ended().last().cloned();
            shared.ended.extend(gap);
        }
    }

    async fn insert(&self, session: &Session) -> Result<(), tokio_postgres::Error> {
        let n = {
            let mut rows = self.rows();
            rows.push(Row::Unknown);
            rows.len() - 1
        };
        let number = i64::try_from(n).unwrap_or(i64::MAX);
        let parameters: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 3] = [
            (&self.run, Type::INT8),
            (&self.client, Type::INT4),
            (&number, Type::INT8),
        ];
        let done = session.client.execute_typed(INSERT, &parameters).await;
        match &done {
            Ok(_) => self.rows()[n] = Row::Acknowledged,
            Err(e) if says_not_committed(e) => self.rows()[n] = Row::Rejected,
            Err(_) => {}
        }
        done.map(|_| ())
    }

    fn compare(&self, found: &HashSet<(i32, i64)>, result: &mut LoadResult) {
        for (n, row) in (0i64..).zip(self.rows().iter()) {
            let there = found.contains(&(self.client, n));
            match (row, there) {
                (Row::Acknowledged, true) => result.rows_found += 1,
                (Row::Acknowledged, false) => result.rows_lost += 1,
                (Row::Unknown, true) => result.rows_unknown_found += 1,
                (Row::Unknown, false) | (Row::Rejected, _) => {}
            }
        }
    }
}

/// An error of the statement itself. A server that goes away (class 57, 58, XX) may have committed before.
fn says_not_committed(e: &tokio_postgres::Error) -> bool {
    e.code().is_some_and(|code| {
        !["57", "58", "XX", "08"]
            .iter()
            .any(|class| code.code().starts_with(class))
    })
}

impl Attempts for Writer<'_> {
    type Session = Session;

    async fn attempt(&self, old: Option<Session>) -> Result<Session, Failure> {
        let session = match old {
            Some(session) => session,
            None => Session::open(&self.options.dsn, "siaga-load").await?,
        };
        match self.insert(&session).await {
            Err(e) if is_missing_table(&e) => {
                session
                    .client
                    .batch_execute(CREATE)
                    .await
                    .map_err(|e| failure(&e))?;
                self.insert(&session).await.map_err(|e| failure(&e))?;
            }
            other => other.map_err(|e| failure(&e))?,
        }
        Ok(session)
    }

    fn pace(&self) -> Pace {
        self.options.pace
    }

    fn failed(&self, began: Instant, why: &Failure) {
        let mut shared = lock(self.shared);
        shared.gaps.failure(began);
        shared.error = Some(why.to_string());
    }
}

/// Every row of the run. Tries until it gets them; the caller bounds it.
async fn find(dsn: &Dsn, run: i64) -> HashSet<(i32, i64)> {
    loop {
        if let Ok(Some(found)) = tokio::time::timeout(READ_BACK, find_once(dsn, run)).await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn find_once(dsn: &Dsn, run: i64) -> Option<HashSet<(i32, i64)>> {
    let session = Session::open(dsn, "siaga-load").await.ok()?;
    let rows = match session
        .client
        .query_typed(SELECT, &[(&run, Type::INT8)])
        .await
    {
        Ok(rows) => rows,
        // The whole table is gone: then every row is.
        Err(e) if is_missing_table(&e) => return Some(HashSet::new()),
        Err(_) => return None,
    };
    rows.iter()
        .map(|row| Some((row.try_get(0).ok()?, row.try_get(1).ok()?)))
        .collect()
}

/// Leaves nothing behind where nothing is to be looked into.
async fn remove(dsn: &Dsn, run: i64) {
    let work = async {
        let session = Session::open(dsn, "siaga-load").await.ok()?;
        session
            .client
            .execute_typed(REMOVE, &[(&run, Type::INT8)])
            .await
            .ok()
    };
    if !matches!(
        tokio::time::timeout(Duration::from_secs(10), work).await,
        Ok(Some(_))
    ) {
        tracing::warn!("the load's rows could not be removed");
    }
}
