//! Stops the server: fast, then immediate, then kill. Stopped means that the postmaster and every process it left are
//! gone; what the control file says only makes the stop a clean one.

use super::Postgres;
use super::process::{self, Handle, Process};
use crate::act::systemd::{Call, Job};
use crate::observe::cgroup::ControlGroup;
use crate::observe::pg_control::{self, PgControl};
use rustix::process::Signal;
use siaga_model::Why;
use siaga_model::note::{ControlState, Note, Progress as At, StopKind};
use siaga_model::run::FailureKind;
use siaga_runner::hands::{Acted, Did, Progress, Trouble};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// How long killed processes may take to be gone. One that waits for a dead disk may never be.
const KILLED_WITHIN: Duration = Duration::from_secs(5);

/// What the postmaster leaves ends by itself, and quickly: the log collector, a backend that writes its last.
const LEFT_WITHIN: Duration = Duration::from_secs(1);

/// In a unit also the program that systemd stops it with has to end.
const LEFT_IN_UNIT_WITHIN: Duration = Duration::from_secs(5);

/// How long systemd may take to see that nothing is left.
const SEEN_WITHIN: Duration = Duration::from_secs(2);

/// How the postmaster ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Ending {
    Fast,
    Immediate,
    Killed,
    /// There was none, only processes that an earlier one had left.
    WasGone,
}

impl Ending {
    fn told(self) -> StopKind {
        match self {
            Ending::Fast => StopKind::Fast,
            Ending::Immediate => StopKind::Immediate,
            Ending::Killed => StopKind::Killed,
            Ending::WasGone => StopKind::LeftOversEnded,
        }
    }
}

/// Stops it, and says how in the notes.
pub fn stop(server: &Postgres, progress: Progress) -> Acted {
    end(server, Firmness::Step, progress)
}

/// Kills it at once: the disk refuses what it could still write, and a stop in order would wait for that.
pub fn kill(server: &Postgres) -> Acted {
    end(server, Firmness::KillAtOnce, &|_| {})
}

/// How the postmaster is ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Firmness {
    /// Ever more firmly, each for its time.
    Step,
    KillAtOnce,
}

fn end(server: &Postgres, firmness: Firmness, progress: Progress) -> Acted {
    let begun = Instant::now();
    let mut stop = Stop {
        server,
        firmness,
        sessions: BTreeSet::new(),
        group: None,
        job: None,
        notes: Vec::new(),
    };
    let servers = process::find(&server.signature()).map_err(Trouble::Unknown)?;
    stop.group = stop.group_now(&servers)?;
    match stop.look() {
        Ok(found) if found.is_empty() => return stop.nothing_comes(),
        // What can't be told of its group is no reason to let it run.
        Err(trouble) if servers.is_empty() => return Err(trouble),
        Ok(_) | Err(_) => {}
    }
    let ending = match process::postmaster(&servers, server.said_pid()) {
        Some(postmaster) => stop.postmaster(postmaster, progress)?,
        None => Ending::WasGone,
    };
    let left = stop.leftovers(ending, progress)?;
    if !left.is_empty() {
        let detail = Why::KilledAndStillThere {
            processes: left.iter().map(Process::name).collect(),
        };
        return Err(Trouble::failed(FailureKind::DatabaseStop, detail));
    }
    if let Some(job) = &mut stop.job {
        // Nothing runs any more, whatever comes of it; but a start would meet it.
        let _ = job.ended(SEEN_WITHIN);
    }
    let ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    let control = pg_control::read(&server.config.data_dir);
    let said = match &control {
        Ok(control) => ControlState::Says(control.state.words().to_owned()),
        Err(error) => ControlState::Unreadable {
            said: error.to_string(),
        },
    };
    let is_shut_down = |c: &PgControl| c.state.is_shut_down();
    let clean = ending == Ending::Fast && control.as_ref().is_ok_and(is_shut_down);
    let mut notes = stop.notes;
    notes.push(Note::Stopped {
        ms,
        how: ending.told(),
        control: said,
        clean,
    });
    // The next start compares it with what is there then.
    notes.extend(
        control
            .ok()
            .map(|c| Note::ControlLeft { control: c.seen() }),
    );
    Ok(Did::changed(notes))
}

struct Stop<'a> {
    server: &'a Postgres,
    firmness: Firmness,
    /// Sessions of every process seen: what they started is in them.
    sessions: BTreeSet<i32>,
    /// Where the server has a unit: its control group, as it was right before the stop.
    group: Option<ControlGroup>,
    /// The stop that systemd was asked for.
    job: Option<Job>,
    notes: Vec<Note>,
}

impl Stop<'_> {
    fn group_now(&self, servers: &[Process]) -> Result<Option<ControlGroup>, Trouble> {
        let Some(unit) = &self.server.unit else {
            return Ok(None);
        };
        let group = match self.firmness {
            Firmness::Step => unit.group(servers),
            // What is to end at once waits for nobody.
            Firmness::KillAtOnce => unit.group_by_processes(servers),
        };
        group.map(Some).map_err(Trouble::Unknown)
    }

    /// No process is there. A unit that is just being started, or waits to be started again, would bring one later: it is
    /// stopped too.
    fn nothing_comes(&self) -> Acted {
        let Some(unit) = &self.server.unit else {
            return Ok(Did::nothing());
        };
        if self.firmness == Firmness::KillAtOnce
            || !unit.systemd.is_starting(&unit.name).unwrap_or(false)
        {
            return Ok(Did::nothing());
        }
        let within = self.server.config.stop_fast;
        let stopped = unit.systemd.finish(&unit.name, Call::Stop, within);
        stopped.map_err(|why| Trouble::failed(FailureKind::DatabaseStop, why))?;
        match process::find(&self.server.signature()) {
            Ok(found) if found.is_empty() => Ok(Did::changed(Vec::new())),
            Ok(found) => Err(Trouble::failed(
                FailureKind::DatabaseStop,
                Why::KilledAndStillThere {
                    processes: found.iter().map(Process::name).collect(),
                },
            )),
            Err(why) => Err(Trouble::Unknown(why)),
        }
    }

    /// Tells systemd to stop the unit, where the server runs in it.
    fn ask_unit(&mut self, postmaster: i32) {
        let (Some(unit), Some(group)) = (&self.server.unit, &self.group) else {
            return;
        };
        if !group.holds(postmaster) {
            return;
        }
        match (self.firmness, unit.systemd.clone()) {
            (Firmness::Step, systemd) => match systemd.begin(&unit.name, Call::Stop) {
                Ok(job) => self.job = Some(job),
                Err(why) => self.notes.push(Note::UnitNotAsked {
                    unit: unit.name.clone(),
                    why,
                }),
            },
            (Firmness::KillAtOnce, systemd) => {
                let name = unit.name.clone();
                // Only so that it is not started again: nothing waits for it.
                std::thread::spawn(move || systemd.begin(&name, Call::Stop).map(drop));
            }
        }
    }

    /// Everything of the server that is there now.
    fn look(&mut self) -> Result<Vec<Process>, Trouble> {
        let signature = self.server.signature();
        let mut found = process::find(&signature).map_err(Trouble::Unknown)?;
        // A backend leads a session of its own; the postmaster's may be that of whoever started it by hand.
        self.sessions.extend(
            found
                .iter()
                .filter(|p| p.session == p.pid)
                .map(|p| p.session),
        );
        if let Some(group) = &self.group {
            let known: BTreeSet<i32> = found.iter().map(|p| p.pid).collect();
            let others = group.pids().map_err(Trouble::Unknown)?.into_iter();
            let others = others.filter(|pid| !known.contains(pid));
            found.extend(others.filter_map(process::describe));
        }
        if found.is_empty() {
            found = process::find_helpers(&signature, &self.sessions).map_err(Trouble::Unknown)?;
        }
        Ok(found)
    }

    /// Asks the postmaster to stop, ever more firmly.
    fn postmaster(&mut self, postmaster: &Process, progress: Progress) -> Result<Ending, Trouble> {
        let signature = self.server.signature();
        let handle =
            Handle::open(postmaster.pid, |pid| signature.matches(pid)).map_err(Trouble::Unknown)?;
        let Some(handle) = handle else {
            return Ok(Ending::WasGone);
        };
        let config = &self.server.config;
        if self.firmness == Firmness::KillAtOnce {
            self.ask_unit(handle.pid);
            handle.signal(Signal::KILL);
            return Ok(Ending::Killed);
        }
        progress(At::FastStop);
        self.ask_unit(handle.pid);
        // A unit may know a gentler stop only, which waits for the clients.
        let by_unit = match self.job {
            Some(_) => config.stop_fast / 2,
            None => Duration::ZERO,
        };
        if self.job.is_some() && handle.ended_within(by_unit) {
            return Ok(Ending::Fast);
        }
        handle.signal(Signal::INT);
        if handle.ended_within(config.stop_fast - by_unit) {
            return Ok(Ending::Fast);
        }
        progress(At::ImmediateStop);
        handle.signal(Signal::QUIT);
        if handle.ended_within(config.stop_immediate) {
            return Ok(Ending::Immediate);
        }
        progress(At::Killing);
        handle.signal(Signal::KILL);
        Ok(Ending::Killed)
    }

    /// Ends what is left: nothing to be waited for after a kill, a moment of its own otherwise, then a request, then
    /// a kill. Gives what is still there.
    fn leftovers(&mut self, ending: Ending, progress: Progress) -> Result<Vec<Process>, Trouble> {
        let patience = match ending {
            Ending::Fast | Ending::Immediate if self.job.is_some() => LEFT_IN_UNIT_WITHIN,
            Ending::Fast | Ending::Immediate => LEFT_WITHIN,
            Ending::WasGone | Ending::Killed => Duration::ZERO,
        };
        if ending != Ending::Killed {
            if self.gone_within(patience, None)?.is_empty() {
                return Ok(Vec::new());
            }
            progress(At::EndingLeftOvers);
            let within = self.server.config.stop_immediate;
            if self.gone_within(within, Some(Signal::QUIT))?.is_empty() {
                return Ok(Vec::new());
            }
        }
        progress(At::KillingLeftOvers);
        self.gone_within(KILLED_WITHIN, Some(Signal::KILL))
    }

    /// Sends `signal` to each process once, also to those that appear meanwhile, and waits until all are gone.
    fn gone_within(
        &mut self,
        within: Duration,
        signal: Option<Signal>,
    ) -> Result<Vec<Process>, Trouble> {
        let deadline = Instant::now() + within;
        let mut told = BTreeSet::new();
        loop {
            let found = self.look()?;
            let left = deadline.saturating_duration_since(Instant::now());
            if found.is_empty() || left.is_zero() {
                return Ok(found);
            }
            let handles = self.take_hold(&found)?;
            for handle in &handles {
                if let Some(signal) = signal
                    && told.insert(handle.pid)
                {
                    handle.signal(signal);
                }
            }
            // Any of them may be the last one to go; new ones are looked for at least every tenth of a second.
            if let Some(handle) = handles.first() {
                handle.ended_within(left.min(Duration::from_millis(100)));
            }
        }
    }

    /// Handles on the processes that still are what they were.
    fn take_hold(&self, found: &[Process]) -> Result<Vec<Handle>, Trouble> {
        let signature = self.server.signature();
        let ours = |p: &Process| {
            let still = |pid| {
                signature.matches(pid)
                    || self.group.as_ref().is_some_and(|g| g.holds(pid))
                    || self.sessions.contains(&p.session) && process::title(pid) == p.title
            };
            Handle::open(p.pid, still)
        };
        let handles: Result<Vec<_>, Why> = found.iter().map(ours).collect();
        Ok(handles
            .map_err(Trouble::Unknown)?
            .into_iter()
            .flatten()
            .collect())
    }
}
