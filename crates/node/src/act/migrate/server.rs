//! The server in its old or its new directory.

use super::Fail;
use crate::act::postgres::{Postgres, connect, process, start, stop};
use crate::observe::pg_control::{self, PgControl};
use siaga_model::config::Database;
use siaga_model::integrity::Judged;
use siaga_model::{ServiceName, Why};
use siaga_runner::hands::Trouble;
use std::path::Path;
use std::time::Duration;
use tokio::runtime::Handle;

/// How long an answer may take.
const WITHIN: Duration = Duration::from_secs(30);

/// Who it is, and how far.
const IDENTITY: &str = "select concat_ws(' ', system_identifier, \
    pg_current_wal_lsn() - '0/0', current_setting('data_directory')) from pg_control_system()";

/// One server in one directory.
pub struct Server {
    postgres: Postgres,
}

/// What a running server says of itself.
pub struct Identity {
    pub system_identifier: String,
    pub lsn: u64,
}

fn failed(trouble: Trouble) -> Fail {
    match trouble {
        Trouble::Failed(failure) => Fail::Why(failure.detail),
        Trouble::Unknown(why) => Fail::Why(why),
    }
}

impl Server {
    pub fn new(database: &Database, data_dir: &Path, state_dir: &Path, rt: &Handle) -> Self {
        let config = Database {
            data_dir: data_dir.to_owned(),
            ..database.clone()
        };
        let service = ServiceName::new("migrate");
        Self {
            postgres: Postgres::new(&service, config, state_dir, WITHIN, rt.clone()),
        }
    }

    fn data_dir(&self) -> &Path {
        &self.postgres.config.data_dir
    }

    /// Every process of it.
    pub fn processes(&self) -> Result<Vec<process::Process>, Fail> {
        Ok(process::find(&self.postgres.signature())?)
    }

    /// Stops it where it runs. Nothing else is touched, also not another directory's server in the same unit.
    pub fn stop(&self) -> Result<(), Fail> {
        if self.processes()?.is_empty() {
            return Ok(());
        }
        stop::stop(&self.postgres, &|_| {}).map_err(failed)?;
        let left = self.processes()?;
        match left.is_empty() {
            true => Ok(()),
            false => Err(Fail::StillRuns {
                processes: left.iter().map(process::Process::name).collect(),
            }),
        }
    }

    /// Its control file, where that says "shut down".
    pub fn shut_down(&self) -> Result<PgControl, Fail> {
        let control = pg_control::read(self.data_dir()).map_err(Why::system)?;
        match control.state.is_shut_down() {
            true => Ok(control),
            false => Err(Fail::NotShutDown {
                state: control.state.words().to_owned(),
            }),
        }
    }

    /// Starts it where it does not run, until it is ready.
    pub fn start(&self) -> Result<(), Fail> {
        let whatever = |_: &_| Judged::Fine;
        start::start(&self.postgres, &whatever, &|_| {})
            .map(drop)
            .map_err(failed)
    }

    /// So that the stop is short.
    pub fn checkpoint(&self) {
        // Only that: a stop makes one of its own.
        let _ = self.postgres.checkpoint();
    }

    /// A real connection, and that it is to this directory.
    pub fn identity(&self) -> Result<Identity, Fail> {
        let within = WITHIN;
        let said = self.postgres.ask_in("postgres", IDENTITY, within);
        let said = said.map_err(|answer| connect::unanswered(answer, within))?;
        let said = said.unwrap_or_default();
        let mut words = said.splitn(3, ' ');
        let mut word = || words.next().unwrap_or_default();
        let (system_identifier, lsn, data_dir) = (word().to_owned(), word(), Path::new(word()));
        if data_dir.canonicalize().ok() != self.data_dir().canonicalize().ok() {
            return Err(Fail::RunsElsewhere {
                data_dir: data_dir.to_owned(),
            });
        }
        // A numeric may be written with its scale.
        let lsn = lsn.split('.').next().unwrap_or_default();
        Ok(Identity {
            lsn: lsn.parse().map_err(|_| Why::system(said.clone()))?,
            system_identifier,
        })
    }
}
