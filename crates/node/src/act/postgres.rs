//! One database server of PostgreSQL: started, stopped and asked without a shell.
//!
//! | part | what it does |
//! |---|---|
//! | [`process`] | which processes are this server's |
//! | [`start`] | exec, wait on progress, ready |
//! | [`stop`] | fast, immediate, kill, until nothing is left |
//! | [`recovery`] | how far a start has come, and whether it advances |
//! | [`unit`] | the same through its systemd unit, where it has one |
//! | `foreign` | whether another program is at its port |
//! | `pointing` | whether its unit's configuration is of this data |
//! | [`connect`] | the check through the unix socket |
//! | [`needs`] | what it asks of a host that would take it over |

pub mod account;
mod ahead;
pub mod amcheck;
pub(crate) mod collations;
pub mod connect;
mod foreign;
pub mod launch;
pub(crate) mod needs;
pub mod pid_file;
mod pointing;
pub mod process;
pub mod recovery;
pub mod start;
pub mod stop;
pub mod unit;

use crate::act::systemd::Systemd;
use connect::Answer;
pub use foreign::at_the_port;
use pid_file::SaidState;
pub use pointing::elsewhere;
use process::Signature;
use recovery::RedoRange;
use siaga_model::ServiceName;
use siaga_model::config::Database;
use siaga_model::observation::DatabaseState;
use siaga_model::run::FailureKind;
use siaga_model::{Note, Why};
use siaga_runner::hands::{Acted, Did, Trouble};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::runtime::Handle;
use unit::Unit;

/// How long the check of a server that says "ready" may take at a start, which asks again until it is.
pub(crate) const SQL_WITHIN: Duration = Duration::from_secs(2);

/// Every database that may be connected to, a line each.
const DATABASES: &str =
    "select string_agg(datname, chr(10) order by datname) from pg_database where datallowconn";
/// How long a database may take to be opened.
pub(crate) const OPEN_WITHIN: Duration = Duration::from_secs(30);

/// A checkpoint before a planned stop may take this long. It only makes the stop short.
const CHECKPOINT_WITHIN: Duration = Duration::from_secs(60);

/// A server that runs: whom to be for its peer authentication, and its postmaster.
#[derive(Clone, Copy)]
struct Running {
    uid: u32,
    postmaster: i32,
}

/// The server of one service on this node.
pub struct Postgres {
    pub(crate) config: Database,
    pub(crate) log_path: PathBuf,
    /// How long it, and what runs on it, may take to answer in a look.
    pub(crate) look_within: Duration,
    rt: Handle,
    /// Given to the server beside what it is always given.
    pub(crate) extra: Vec<OsString>,
    /// What it is started and stopped by, where that is not this program.
    pub(crate) unit: Option<Unit>,
}

impl Postgres {
    /// The server of `service`. Its output goes to `<state_dir>/log/<service>-postgres.log`. In a look it may take
    /// `look_within` to answer: a commit on a busy disk takes its time, and is no outage.
    pub fn new(
        service: &ServiceName,
        config: Database,
        state_dir: &Path,
        look_within: Duration,
        rt: Handle,
    ) -> Self {
        let log_path = state_dir
            .join("log")
            .join(format!("{service}-postgres.log"));
        let unit = config.unit.clone().map(|name| Unit {
            name,
            systemd: Systemd::of_host(rt.clone()),
        });
        Self {
            unit,
            config,
            log_path,
            look_within,
            rt,
            extra: Vec::new(),
        }
    }

    /// The same server, under another systemd than the host's.
    #[cfg(test)]
    pub fn under(mut self, systemd: Systemd) -> Self {
        if let Some(unit) = &mut self.unit {
            unit.systemd = systemd;
        }
        self
    }

    /// The same server, started with these arguments as well.
    pub fn started_with(self, extra: Vec<OsString>) -> Self {
        Self { extra, ..self }
    }

    pub(crate) fn signature(&self) -> Signature {
        Signature::of(&self.config)
    }

    /// True for a process of this server.
    pub fn owns(&self, pid: i32) -> bool {
        self.signature().matches(pid)
    }

    /// The pid in `postmaster.pid`. It proves nothing.
    pub(crate) fn said_pid(&self) -> Option<i32> {
        pid_file::read(&self.config.data_dir).map(|f| f.pid)
    }

    pub(crate) fn ask(&self, uid: u32, postmaster: i32, within: Duration) -> Answer {
        connect::check(&self.rt, &self.config, uid, postmaster, within)
    }

    /// What state it is in. Ready only where a write was just committed.
    pub fn look(&self) -> DatabaseState {
        let found = match process::find(&self.signature()) {
            Ok(found) => found,
            Err(why) => return DatabaseState::Unknown { why },
        };
        if found.is_empty() {
            return DatabaseState::Stopped;
        }
        let said = pid_file::read(&self.config.data_dir);
        let Some(postmaster) = process::postmaster(&found, said.as_ref().map(|f| f.pid)) else {
            return not_serving(Why::PostmasterGone {
                processes: found.iter().map(process::Process::name).collect(),
            });
        };
        match said.filter(|f| f.pid == postmaster.pid).map(|f| f.state) {
            Some(SaidState::Ready) => self.look_closer(postmaster.pid),
            Some(SaidState::Stopping) => not_serving(Why::ServerShutsDown),
            Some(SaidState::Standby) => not_serving(Why::ReadOnlyStandby),
            Some(SaidState::Starting | SaidState::Nothing) | None => {
                let range = recovery::RedoRange::measure(&self.config.data_dir);
                DatabaseState::Starting {
                    percent: recovery::stage(postmaster.pid, range.as_ref()).percent,
                }
            }
        }
    }

    fn look_closer(&self, postmaster: i32) -> DatabaseState {
        let uid = match account::lookup(&self.config.os_user) {
            Ok(account) => account.uid,
            Err(why) => return DatabaseState::Unknown { why },
        };
        match self.ask(uid, postmaster, self.look_within) {
            Answer::Ready => DatabaseState::Ready,
            Answer::InRecovery => not_serving(Why::ReadOnlyRecovery),
            Answer::NotNow(why) => not_serving(why),
            Answer::Silent => not_serving(no_answer(self.look_within)),
            Answer::CannotCheck(why) | Answer::NoServer(why) => DatabaseState::Unknown { why },
        }
    }

    /// Writes dirty data back while it serves.
    pub fn checkpoint(&self) -> Acted {
        // What it takes is measured against this later: the rate at which this site's disks take changes.
        let range = RedoRange::measure(&self.config.data_dir);
        let notes = range.map(|r| Note::WalToWriteBack { bytes: r.bytes() });
        self.ask_running("checkpoint", CHECKPOINT_WITHIN)
            .map(|_| Did::changed(notes.into_iter().collect()))
    }

    /// The databases that may be connected to.
    pub fn databases(&self) -> Result<Vec<String>, Answer> {
        let said = self.ask_in(&self.config.check_database, DATABASES, OPEN_WITHIN)?;
        Ok(said
            .unwrap_or_default()
            .lines()
            .map(str::to_owned)
            .collect())
    }

    /// One statement to that database of this node's own running server.
    pub fn ask_in(
        &self,
        database: &str,
        statement: &str,
        within: Duration,
    ) -> Result<Option<String>, Answer> {
        self.ask_of(self.running()?, database, statement, within)
    }

    /// This node's own running server.
    fn running(&self) -> Result<Running, Answer> {
        let found = process::find(&self.signature()).map_err(Answer::NoServer)?;
        let postmaster = process::postmaster(&found, self.said_pid()).map(|p| p.pid);
        let postmaster = postmaster.ok_or(Answer::NoServer(Why::DatabaseNotRunning))?;
        let account = account::lookup(&self.config.os_user).map_err(Answer::CannotCheck)?;
        Ok(Running {
            uid: account.uid,
            postmaster,
        })
    }

    /// One statement to that database of that server.
    fn ask_of(
        &self,
        server: Running,
        database: &str,
        statement: &str,
        within: Duration,
    ) -> Result<Option<String>, Answer> {
        let config = Database {
            check_database: database.to_owned(),
            ..self.config.clone()
        };
        let Running { uid, postmaster } = server;
        connect::query(&self.rt, &config, uid, postmaster, statement, within)
    }

    /// One statement to this node's own running database.
    pub(crate) fn ask_running(
        &self,
        statement: &str,
        within: Duration,
    ) -> Result<Option<String>, Trouble> {
        let trouble = |why: Why| Trouble::failed(FailureKind::Io, why);
        let found = process::find(&self.signature()).map_err(Trouble::Unknown)?;
        let postmaster = process::postmaster(&found, self.said_pid()).map(|p| p.pid);
        let postmaster = postmaster.ok_or_else(|| trouble(Why::DatabaseNotRunning))?;
        let uid = account::lookup(&self.config.os_user).map_err(trouble)?.uid;
        connect::query(&self.rt, &self.config, uid, postmaster, statement, within)
            .map_err(|answer| trouble(connect::unanswered(answer, within)))
    }
}

fn not_serving(why: Why) -> DatabaseState {
    DatabaseState::NotServing { why }
}

pub(crate) fn no_answer(within: Duration) -> Why {
    Why::NoAnswerWithin {
        ms: u64::try_from(within.as_millis()).unwrap_or(u64::MAX),
    }
}
