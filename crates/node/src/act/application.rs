//! Applications that move with the service: systemd units, or programs with their arguments.

use crate::act::bounded;
use crate::act::postgres::no_answer;
use crate::act::systemd::{Call, Systemd};
use crate::command::{self, CommandResult};
use siaga_model::config::{Application, ApplicationRun, Argv, NamedCommand};
use siaga_model::observation::{ApplicationFact, Known};
use siaga_model::run::FailureKind;
use siaga_model::{Note, Why};
use siaga_runner::hands::{Acted, Did, Trouble};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// How long an application may take to say whether it runs, in a step.
const STATUS_WITHIN: Duration = Duration::from_secs(5);

/// How often an application that is coming up is asked again.
const ASK_EVERY: Duration = Duration::from_millis(50);

/// Starts them in order; each runs, and passes its test, before the next one begins.
pub fn start_all(applications: &[Application], systemd: &Systemd) -> Acted {
    let mut did = Did::nothing();
    for application in applications {
        if running(application, systemd, STATUS_WITHIN).is(&true) {
            continue;
        }
        start(application, systemd).map_err(|why| failed(application, why))?;
        did.changed = true;
        did.notes.push(Note::AppStarted {
            name: application.name.clone(),
        });
    }
    Ok(did)
}

/// Stops them in reverse order.
pub fn stop_all(applications: &[Application], systemd: &Systemd) -> Acted {
    let mut did = Did::nothing();
    let mut troubles = Vec::new();
    for application in applications.iter().rev() {
        if at_rest(application, systemd).is(&true) {
            continue;
        }
        match stop(application, systemd) {
            Ok(()) => did.notes.push(Note::AppStopped {
                name: application.name.clone(),
            }),
            // The next one is stopped all the same: what runs on holds the file systems.
            Err(why) => troubles.push(why.of(&application.name)),
        }
        did.changed = true;
    }
    match troubles.is_empty() {
        true => Ok(did),
        false => Err(Trouble::failed(
            FailureKind::Application,
            Why::all(troubles),
        )),
    }
}

/// Runs the commands that other hosts need after a move. All are tried; a failure is told at the end.
pub fn after_move(commands: &[NamedCommand]) -> Acted {
    let mut did = Did::nothing();
    let mut troubles = Vec::new();
    for named in commands {
        match in_words(&command::run(&named.run.0, None, named.timeout)) {
            Ok(()) => did.notes.push(Note::CommandDone {
                name: named.name.clone(),
            }),
            Err(why) => troubles.push(why.of(&named.name)),
        }
    }
    did.changed = !commands.is_empty();
    if troubles.is_empty() {
        return Ok(did);
    }
    Err(Trouble::failed(
        FailureKind::Application,
        Why::all(troubles),
    ))
}

/// A look at whether each of them runs, which goes on beside others.
pub struct Asked {
    each: Vec<(String, Receiver<Known<bool>>)>,
    until: Instant,
    within: Duration,
}

/// Asks all of them at once. One that does not say it `within` that time counts as not known: the other node takes one that
/// is late with its answer for silent.
pub fn ask_all(applications: &[Application], systemd: &Systemd, within: Duration) -> Asked {
    let ask = |application: &Application| {
        let (tell, told) = channel();
        let (app, systemd) = (application.clone(), systemd.clone());
        bounded::begin(move || drop(tell.send(running(&app, &systemd, within))));
        (application.name.clone(), told)
    };
    Asked {
        each: applications.iter().map(ask).collect(),
        until: Instant::now() + within,
        within,
    }
}

impl Asked {
    /// What they said.
    pub fn facts(self) -> Vec<ApplicationFact> {
        let late = || Known::Unknown {
            why: no_answer(self.within),
        };
        let fact = |(name, told): (String, Receiver<Known<bool>>)| {
            let left = self.until.saturating_duration_since(Instant::now());
            let running = told.recv_timeout(left).unwrap_or_else(|_| late());
            ApplicationFact { name, running }
        };
        self.each.into_iter().map(fact).collect()
    }
}

fn failed(application: &Application, why: Why) -> Trouble {
    Trouble::failed(FailureKind::Application, why.of(&application.name))
}

fn running(application: &Application, systemd: &Systemd, within: Duration) -> Known<bool> {
    let within = within.min(application.timeout);
    let result = match &application.run {
        ApplicationRun::Unit(unit) => return known(systemd.runs(unit)),
        ApplicationRun::Programs {
            status: Some(status),
            ..
        } => command::run(&status.0, None, within),
        ApplicationRun::Programs { status: None, .. } => {
            return Known::Unknown {
                why: Why::NoStatusProgram,
            };
        }
    };
    match result.exit {
        Some(code) if !result.timed_out => Known::Known(code == 0),
        _ => Known::Unknown {
            why: result.ending(""),
        },
    }
}

fn start(application: &Application, systemd: &Systemd) -> Result<(), Why> {
    let deadline = Instant::now() + application.timeout;
    let within = application.timeout;
    match &application.run {
        ApplicationRun::Unit(unit) => systemd.finish(unit, Call::Start, within)?,
        ApplicationRun::Programs { start, .. } => in_words(&command::run(&start.0, None, within))?,
    }
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match passes(application, systemd, left.max(ASK_EVERY)) {
            Ok(()) => return Ok(()),
            Err(why) if left.is_zero() => return Err(why),
            Err(_) => std::thread::sleep(ASK_EVERY.min(left)),
        }
    }
}

/// It says that it runs, where it can say so, and its test passes, where it has one.
fn passes(application: &Application, systemd: &Systemd, within: Duration) -> Result<(), Why> {
    if running(application, systemd, STATUS_WITHIN).is(&false) {
        return Err(Why::StartedNotRunning);
    }
    match &application.test {
        None => Ok(()),
        Some(Argv(test)) => in_words(&command::run(test, None, within))
            .map_err(|why| Why::TestFailed { why: Box::new(why) }),
    }
}

fn stop(application: &Application, systemd: &Systemd) -> Result<(), Why> {
    let within = application.timeout;
    match &application.run {
        ApplicationRun::Unit(unit) => systemd.finish(unit, Call::Stop, within)?,
        ApplicationRun::Programs { stop, .. } => in_words(&command::run(&stop.0, None, within))?,
    }
    match at_rest(application, systemd) {
        Known::Known(false) => Err(Why::StoppedStillRuns),
        Known::Known(true) | Known::Unknown { .. } => Ok(()),
    }
}

/// Is there nothing to stop? A unit that is still coming up does not run yet, and would once nobody looks any more.
fn at_rest(application: &Application, systemd: &Systemd) -> Known<bool> {
    match &application.run {
        ApplicationRun::Unit(unit) => known(systemd.is_at_rest(unit)),
        ApplicationRun::Programs { .. } => match running(application, systemd, STATUS_WITHIN) {
            Known::Known(runs) => Known::Known(!runs),
            unknown @ Known::Unknown { .. } => unknown,
        },
    }
}

fn known(said: Result<bool, Why>) -> Known<bool> {
    said.map_or_else(|why| Known::Unknown { why }, Known::Known)
}

fn in_words(result: &CommandResult) -> Result<(), Why> {
    if result.succeeded() {
        return Ok(());
    }
    Err(result.ending(result.last_line()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// None of these asks it.
    fn no_systemd() -> (tokio::runtime::Runtime, Systemd) {
        let rt = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let systemd = Systemd::at(rt.handle().clone(), "unix:path=/nonexistent");
        (rt, systemd)
    }

    fn argv(parts: &[&str]) -> Argv {
        Argv(parts.iter().map(|p| (*p).to_owned()).collect())
    }

    /// An application that runs while its file is there.
    fn application(name: &str, file: &str) -> Application {
        Application {
            name: name.into(),
            run: ApplicationRun::Programs {
                start: argv(&["/bin/mkdir", file]),
                stop: argv(&["/bin/rmdir", file]),
                status: Some(argv(&["/bin/test", "-d", file])),
            },
            test: None,
            timeout: Duration::from_secs(5),
        }
    }

    #[test]
    fn started_in_order_and_stopped_in_reverse() {
        let (_rt, systemd) = no_systemd();
        let directory = tempfile::tempdir().unwrap();
        let outer = directory.path().join("outer").to_str().unwrap().to_owned();
        // The inner one can only be made after the outer one, and the outer one only removed after the inner one.
        let both = [
            application("db-pool", &outer),
            application("web", &format!("{outer}/inner")),
        ];
        let did = start_all(&both, &systemd).unwrap();
        assert_eq!(
            did.notes,
            ["db-pool", "web"].map(|name| Note::AppStarted { name: name.into() })
        );
        assert_eq!(start_all(&both, &systemd), Ok(Did::nothing()));
        assert!(
            ask_all(&both, &systemd, STATUS_WITHIN)
                .facts()
                .iter()
                .all(|f| f.running.is(&true))
        );
        assert_eq!(
            stop_all(&both, &systemd).unwrap().notes,
            ["web", "db-pool"].map(|name| Note::AppStopped { name: name.into() })
        );
        assert_eq!(stop_all(&both, &systemd), Ok(Did::nothing()));
    }

    /// What runs on holds the file systems.
    #[test]
    fn one_that_does_not_stop_keeps_no_other_running() {
        let (_rt, systemd) = no_systemd();
        let directory = tempfile::tempdir().unwrap();
        let place = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
        let mut stuck = application("stuck", &place("stuck"));
        let ApplicationRun::Programs { stop, .. } = &mut stuck.run else {
            panic!()
        };
        *stop = argv(&["/bin/false"]);
        let both = [application("db-pool", &place("pool")), stuck];
        start_all(&both, &systemd).unwrap();
        let Err(Trouble::Failed(failure)) = stop_all(&both, &systemd) else {
            panic!("it passed")
        };
        assert!(matches!(failure.detail, Why::Named { name, .. } if name == "stuck"));
        assert!(!directory.path().join("pool").exists());
        assert!(directory.path().join("stuck").exists());
    }

    #[test]
    fn one_that_does_not_answer_holds_up_neither_the_others_nor_the_look() {
        let (_rt, systemd) = no_systemd();
        let directory = tempfile::tempdir().unwrap();
        let place = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
        let mut hangs = application("hangs", &place("hangs"));
        let ApplicationRun::Programs { status, .. } = &mut hangs.run else {
            panic!()
        };
        *status = Some(argv(&["/bin/sleep", "600"]));
        hangs.timeout = Duration::from_millis(50);
        let both = [hangs, application("web", &place("web"))];
        let facts = ask_all(&both, &systemd, STATUS_WITHIN).facts();
        assert!(matches!(facts[0].running, Known::Unknown { .. }));
        assert!(facts[1].running.is(&false));
    }

    /// It is not waited for longer than the look may take, whatever bound the asking itself has.
    #[test]
    fn a_unit_on_a_bus_that_hangs_is_late() {
        let directory = tempfile::tempdir().unwrap();
        let bus = directory.path().join("bus");
        let _says_nothing = std::os::unix::net::UnixListener::bind(&bus).unwrap();
        let rt = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let systemd = Systemd::at(rt.handle().clone(), &format!("unix:path={}", bus.display()));
        let unit = Application {
            run: ApplicationRun::Unit("tomcat10.service".into()),
            ..application("web", "/nonexistent")
        };
        let facts = ask_all(&[unit], &systemd, Duration::from_millis(10)).facts();
        let late = no_answer(Duration::from_millis(10));
        assert!(matches!(&facts[0].running, Known::Unknown { why } if *why == late));
    }

    #[test]
    fn a_failed_test_fails_the_start_and_is_named() {
        let (_rt, systemd) = no_systemd();
        let directory = tempfile::tempdir().unwrap();
        let mut web = application("web", directory.path().join("web").to_str().unwrap());
        web.test = Some(argv(&["/bin/ls", "/nonexistent/page"]));
        web.timeout = Duration::from_millis(300);
        let Err(Trouble::Failed(failure)) = start_all(&[web], &systemd) else {
            panic!("it passed")
        };
        assert_eq!(failure.kind, FailureKind::Application);
        assert!(
            matches!(
                &failure.detail,
                Why::Named { name, why } if name == "web" && matches!(&**why,
                    Why::TestFailed { why } if matches!(**why, Why::ProgramExit { code: 2, .. }))
            ),
            "{:?}",
            failure.detail
        );
    }

    #[test]
    fn a_stop_that_stops_nothing_fails() {
        let (_rt, systemd) = no_systemd();
        let directory = tempfile::tempdir().unwrap();
        let mut web = application("web", directory.path().to_str().unwrap());
        let ApplicationRun::Programs { stop, .. } = &mut web.run else {
            panic!()
        };
        *stop = argv(&["/bin/true"]);
        assert_eq!(
            stop_all(&[web], &systemd),
            Err(Trouble::failed(
                FailureKind::Application,
                Why::StoppedStillRuns.of("web")
            ))
        );
    }

    #[test]
    fn every_command_after_a_move_is_tried() {
        let directory = tempfile::tempdir().unwrap();
        let made = directory.path().join("made");
        let named = |name: &str, parts: &[&str]| NamedCommand {
            name: name.into(),
            run: argv(parts),
            timeout: Duration::from_secs(5),
        };
        let commands = [
            named("pool", &["/bin/false"]),
            named("other", &["/bin/mkdir", made.to_str().unwrap()]),
        ];
        assert_eq!(
            after_move(&commands),
            Err(Trouble::failed(
                FailureKind::Application,
                Why::ProgramExit {
                    code: 1,
                    said: String::new()
                }
                .of("pool")
            ))
        );
        assert!(made.is_dir());
    }
}
