//! The trial of the copy: the start with the same options as a real one, the tests, the indexes. The first process of
//! its own processes; with it all of them end.

use super::stage::view;
use super::{Job, Told, tell};
use crate::act::client_test;
use crate::act::postgres::connect::{self, Answer};
use crate::act::postgres::{OPEN_WITHIN, Postgres, amcheck, start};
use crate::act::virtual_ip;
use crate::command;
use rustix::mount::{MountFlags, mount};
use siaga_model::config::{ClientTest, ClientTestKind, Database};
use siaga_model::integrity::Judged;
use siaga_model::rehearsal::{RehearsalTest, Tried};
use siaga_model::{Evidence, Why};
use siaga_runner::hands::Trouble;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Handle, Runtime};

/// The names of the built-in test.
pub const DATABASES: &str = "databases";

/// Reads its catalogue, and commits a write.
const OPEN: &str =
    "select count(*), pg_logical_emit_message(true, 'siaga', 'rehearsal') from pg_class";

/// Everything after the copy, in the namespaces.
pub(crate) fn inner(job: &Job) -> Result<(), Why> {
    let quiet = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    mount("proc", "/proc", "proc", quiet, None).map_err(|e| Why::system(format!("/proc: {e}")))?;
    let rt = runtime().map_err(Why::system)?;
    let addresses: Vec<IpAddr> = job.service.virtual_ips.iter().map(|v| v.address).collect();
    virtual_ip::loopback(rt.handle(), &addresses)?;
    let server = server(job, rt.handle());
    let begun = Instant::now();
    start::start(&server, &|_| Judged::Fine, &|_| {}).map_err(|trouble| match trouble {
        Trouble::Failed(failure) => failure.detail,
        Trouble::Unknown(why) => why,
    })?;
    tell(&Told::Ready { ms: ms(begun) });
    let trial = Trial {
        job,
        server: &server,
    };
    let begun = Instant::now();
    let databases = server.databases();
    let mut tests = vec![trial.open_all(&databases)];
    tests.extend(
        job.service
            .client_tests
            .iter()
            .map(|t| trial.client_test(t)),
    );
    tell(&Told::Tested {
        ms: ms(begun),
        tests,
    });
    let names = databases.unwrap_or_default();
    let ask = |database: &str, statement: &str, within| server.ask_in(database, statement, within);
    let indexes = amcheck::look(&amcheck::Look {
        databases: &names,
        extension: amcheck::Extension::Make,
        until: Instant::now() + job.service.rehearsal.amcheck,
        ask: &ask,
        go_on: &|| true,
        first: &[],
    });
    let indexes = indexes.check;
    tell(&Told::Indexes { indexes });
    Ok(())
}

fn ms(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

fn runtime() -> std::io::Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
}

/// The server as in a real start, but for where its data lies and for what would reach beyond the copy.
fn server(job: &Job, rt: &Handle) -> Postgres {
    let data_dir = view::data_dir(&job.service);
    let database = Database {
        data_dir: data_dir.clone(),
        // The unit is the service's own: of it, a rehearsal has nothing but the configuration.
        unit: None,
        ..job.service.database.clone()
    };
    let settings = [
        // The WAL of the copy is nobody's, and its log goes where it is thrown away with it.
        "archive_mode=off",
        "logging_collector=off",
        // Nobody is there to confirm a commit.
        "synchronous_standby_names=",
    ];
    let extra = settings.into_iter().flat_map(|s| ["-c".into(), s.into()]);
    let within = Duration::from_secs(2);
    let place = Path::new(view::PLACE);
    Postgres::new(&job.service.name, database, place, within, rt.clone())
        .started_with(extra.collect())
}

struct Trial<'a> {
    job: &'a Job,
    server: &'a Postgres,
}

impl Trial<'_> {
    /// Every database opens here: its locale, its libraries, its catalogue.
    fn open_all(&self, databases: &Result<Vec<String>, Answer>) -> RehearsalTest {
        let mut troubles = Vec::new();
        let mut count = 0;
        match databases {
            Err(answer) => troubles.push(connect::unanswered(answer.clone(), OPEN_WITHIN)),
            Ok(names) => {
                for name in names {
                    match self.server.ask_in(name, OPEN, OPEN_WITHIN) {
                        Ok(_) => count += 1,
                        // The check's user may not be let into every one: that says nothing of this server.
                        Err(Answer::CannotCheck(_))
                            if *name != self.server.config.check_database => {}
                        Err(answer) => {
                            let why = connect::unanswered(answer, OPEN_WITHIN);
                            troubles.push(why.of(name));
                        }
                    }
                }
            }
        }
        let (status, detail) = match troubles.is_empty() {
            true => (Tried::Passed, Evidence::DatabasesOpened { count }),
            false => (Tried::Failed, Why::all(troubles).into()),
        };
        RehearsalTest {
            name: DATABASES.into(),
            status,
            detail,
        }
    }

    /// A client test of the service, where the database alone can stand it.
    fn client_test(&self, test: &ClientTest) -> RehearsalTest {
        let (status, detail) = match &test.kind {
            ClientTestKind::Probe => (Tried::NotExercised, Evidence::NeedsClient),
            ClientTestKind::Http { .. } => (Tried::NotExercised, Evidence::NeedsApplication),
            ClientTestKind::Tcp { address } if self.is_database(*address) => {
                match client_test::tcp(*address, test.timeout) {
                    Ok(_) => (Tried::Passed, Evidence::Connected),
                    Err(said) => (Tried::Failed, Evidence::System(said)),
                }
            }
            ClientTestKind::Tcp { .. } => (Tried::NotExercised, Evidence::NeedsApplication),
            ClientTestKind::Program(_) if !self.job.service.applications.is_empty() => {
                (Tried::NotExercised, Evidence::NeedsApplication)
            }
            ClientTestKind::Program(argv) => {
                let result = command::run(&argv.0, None, test.timeout);
                let detail = result.ending(result.last_line()).into();
                (Tried::of(Some(result.succeeded())), detail)
            }
        };
        RehearsalTest {
            name: test.name.clone(),
            status,
            detail,
        }
    }

    fn is_database(&self, address: SocketAddr) -> bool {
        let service = &self.job.service;
        address.port() == service.database.port
            && service
                .virtual_ips
                .iter()
                .any(|v| v.address == address.ip())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::tests::{config, database};
    use siaga_model::config::FileSystemKind;

    #[test]
    fn the_unit_of_the_service_itself_is_never_started() {
        let mount_point = Path::new("/srv/simrs");
        let mut database = database(mount_point, Path::new("/run/postgresql"));
        database.unit = Some("postgresql@15-main.service".into());
        let config = config(
            Path::new("/dev/null"),
            mount_point,
            FileSystemKind::Ext4,
            &database,
        );
        let job = Job {
            service: config.services[0].clone(),
            let_go: Vec::new(),
            scratch: "/nonexistent".into(),
            host: "192.0.2.50".parse().unwrap(),
            user: "postgres".into(),
        };
        let rt = runtime().unwrap();
        assert!(server(&job, rt.handle()).unit.is_none());
    }
}
