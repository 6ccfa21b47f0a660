//! Stops the server: fast, then immediate, then kill. Stopped means that the postmaster and every process it left are
//! gone; what the control file says only makes the stop a clean one.

use super::Postgres;
use super::process::{self, Handle, Process};
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
    };
    let found = stop.look()?;
    if found.is_empty() {
        return Ok(Did::nothing());
    }
    let ending = match process::postmaster(&found, server.said_pid()) {
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
    let mut notes = vec![Note::Stopped {
        ms,
        how: ending.told(),
        control: said,
        clean,
    }];
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
}

impl Stop<'_> {
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
        if found.is_empty() {
            found = process::find_helpers(&signature, &self.sessions).map_err(Trouble::Unknown)?;
        }
        Ok(found)
    }

    /// Asks the postmaster to stop, ever more firmly.
    fn postmaster(&self, postmaster: &Process, progress: Progress) -> Result<Ending, Trouble> {
        let signature = self.server.signature();
        let handle =
            Handle::open(postmaster.pid, |pid| signature.matches(pid)).map_err(Trouble::Unknown)?;
        let Some(handle) = handle else {
            return Ok(Ending::WasGone);
        };
        let config = &self.server.config;
        if self.firmness == Firmness::KillAtOnce {
            handle.signal(Signal::KILL);
            return Ok(Ending::Killed);
        }
        progress(At::FastStop);
        handle.signal(Signal::INT);
        if handle.ended_within(config.stop_fast) {
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
