//! The list of a job, step by step. Before each the rest of the list is on the disk; each looks first, so that the one that a
//! kill met is simply begun again.

use super::gap::Gap;
use super::kept::Kept;
use super::pace::Pace;
use super::server::Server;
use super::tree::{self, Same, Way};
use super::{At, Fail, HELD, Watch, device, switch};
use siaga_model::Why;
use siaga_model::migrate::{Direction, Facts, Job, Pass, Progress, Step, StepDone, StepFailed};
use std::path::{Path, PathBuf};
use std::time::Instant;
use tokio::runtime::Handle;

/// While the database runs, passes are made until one copies no more than this, bytes; and at most so many.
const LITTLE: u64 = 64 << 20;
const PASSES: usize = 4;

/// How it is carried out.
pub struct Work<'a> {
    pub kept: &'a Kept,
    pub state_dir: &'a Path,
    pub rt: &'a Handle,
    pub watch: &'a dyn Watch,
    /// The pace of copies while the database runs, bytes in a second.
    pub bytes_per_s: Option<u64>,
    /// What the note in the old directory says.
    pub note: &'a str,
    /// Asked right before each mount: may what is not mounted here be mounted?
    pub may_mount: &'a (dyn Fn() -> bool + Sync),
}

/// What is remembered from one step to the next, and can be made again.
#[derive(Default)]
struct Memory {
    same: Same,
    gap: Option<Gap>,
}

/// Carries out what is left of the job.
///
/// # Errors
/// The step that was not done; it is the first of what is left.
pub fn carry_out(work: &Work, job: &mut Job) -> Result<(), StepFailed> {
    let mut memory = Memory::default();
    let of = job.left.len();
    while let Some(step) = job.left.first().copied() {
        let failed = |fail: Fail| StepFailed { step, fail };
        let number = of - job.left.len() + 1;
        work.watch.progress(&Progress::Step { step, of, number });
        go_on(work, At::Before(step)).map_err(failed)?;
        let (begun, at) = (Instant::now(), crate::wall_clock());
        job.record.begun.get_or_insert(at);
        Doing {
            work,
            job,
            memory: &mut memory,
        }
        .act(step)
        .map_err(failed)?;
        go_on(work, At::Done(step)).map_err(failed)?;
        let ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        job.record.steps.push(StepDone { step, at, ms });
        job.left.remove(0);
        if job.left.is_empty() {
            job.record.ended = Some(crate::wall_clock());
        }
        let write = work.kept.write(job).map_err(Why::system);
        write.map_err(|why| failed(why.into()))?;
    }
    Ok(())
}

fn go_on(work: &Work, at: At) -> Result<(), Fail> {
    match work.watch.goes_on_at(at) {
        true => Ok(()),
        false => Err(Fail::Interrupted),
    }
}

/// One step of it.
struct Doing<'a, 'b> {
    work: &'a Work<'b>,
    job: &'a mut Job,
    memory: &'a mut Memory,
}

impl Doing<'_, '_> {
    fn facts(&self) -> &Facts {
        &self.job.facts
    }

    fn old(&self) -> Server {
        let facts = self.facts();
        Server::new(
            &facts.server,
            &switch::old_dir(facts),
            self.work.state_dir,
            self.work.rt,
        )
    }

    fn new_one(&self) -> Server {
        let facts = self.facts();
        Server::new(&facts.server, &facts.to, self.work.state_dir, self.work.rt)
    }

    fn act(&mut self, step: Step) -> Result<(), Fail> {
        // After a boot it is not.
        if step.needs_mount() {
            device::mount(self.facts(), self.work.may_mount)?;
        }
        match step {
            Step::Format => device::format(self.facts()),
            Step::Mount => Ok(()),
            Step::Copy => self.copy(),
            Step::Stop => self.stop(),
            Step::DisableOld => self.disable_old(),
            Step::CopyRest => self.copy_rest(),
            Step::KeepOld => switch::keep_old(self.facts(), self.work.note),
            Step::Point => switch::point(self.facts()),
            Step::EnableNew => self.enable_new(),
            Step::StartNew => self.new_one().start(),
            Step::Verify => self.verify(),
            Step::CopyBack => self.copy_back(),
            Step::StopNew => self.stop_new(),
            Step::DisableNew => switch::disable(&self.facts().to),
            Step::CopyBackRest => self.copy_back_rest(),
            Step::PointBack => switch::point_back(self.facts()),
            Step::RestoreOld => switch::restore_old(self.facts()),
            Step::EnableOldAsItWas => switch::enable(&self.facts().server.data_dir),
            Step::EnableOld => self.enable_old(),
            Step::StartOld => self.old().start(),
            Step::VerifyOld => self.verify_old(),
            Step::Tidy => device::tidy(self.facts()),
        }
    }

    fn copy(&mut self) -> Result<(), Fail> {
        let (facts, old) = (self.facts().clone(), switch::old_dir(self.facts()));
        device::make_parents(&facts, &old)?;
        // What is dirty now would be what changed later.
        self.old().checkpoint();
        self.live_passes(&old, &part(&facts))
    }

    fn live_passes(&mut self, from: &Path, to: &Path) -> Result<(), Fail> {
        for _ in 0..PASSES {
            if self.pass(from, to, true)?.copied_bytes <= LITTLE {
                break;
            }
        }
        Ok(())
    }

    fn pass(&mut self, from: &Path, to: &Path, live: bool) -> Result<Pass, Fail> {
        let bytes_per_s = self.work.bytes_per_s.filter(|_| live);
        let mut way = Way {
            from,
            to,
            live,
            pace: Pace::new(bytes_per_s),
            watch: self.work.watch,
        };
        let pass = tree::pass(&mut way, &mut self.memory.same)?;
        self.job.record.passes.push(pass);
        Ok(pass)
    }

    fn stop(&mut self) -> Result<(), Fail> {
        self.memory.gap = Gap::begin(self.work.rt, &self.facts().server);
        self.job.record.stopped_at = Some(crate::wall_clock());
        let old = self.old();
        old.stop()?;
        let control = old.shut_down()?;
        self.job.record.system_identifier = Some(control.system_identifier.to_string());
        self.job.record.stopped_at_lsn = Some(control.checkpoint);
        Ok(())
    }

    fn disable_old(&mut self) -> Result<(), Fail> {
        let (dir, old) = (switch::old_dir(self.facts()), self.old());
        if dir.join(HELD).exists() {
            return Ok(());
        }
        let control = old.shut_down()?;
        if Some(control.checkpoint) != self.job.record.stopped_at_lsn {
            return Err(Fail::StartedMeanwhile);
        }
        switch::disable(&dir)?;
        // One that was started before the rename has read the file already.
        if !old.processes()?.is_empty() {
            switch::enable(&dir)?;
            return Err(Fail::StartedMeanwhile);
        }
        Ok(())
    }

    fn copy_rest(&mut self) -> Result<(), Fail> {
        let facts = self.facts().clone();
        self.pass(&switch::old_dir(&facts), &part(&facts), false)
            .map(drop)
    }

    fn enable_new(&mut self) -> Result<(), Fail> {
        let facts = self.facts();
        switch::name_new(facts)?;
        switch::enable_with(&facts.to, &facts.kept)
    }

    fn verify(&mut self) -> Result<(), Fail> {
        let lsn = self.same_database(&self.new_one(), true)?;
        self.job.record.started_at_lsn = Some(lsn);
        self.away();
        Ok(())
    }

    fn away(&mut self) {
        if let Some(gap) = self.memory.gap.take() {
            let ms = |away: std::time::Duration| u64::try_from(away.as_millis()).ok();
            self.job.record.away_ms = gap.end().and_then(ms);
        }
    }

    /// The database that was stopped, and nothing older.
    fn same_database(&self, server: &Server, not_older: bool) -> Result<u64, Fail> {
        let is = server.identity()?;
        if let Some(was) = self.job.record.system_identifier.clone()
            && was != is.system_identifier
        {
            let is = is.system_identifier;
            return Err(Fail::OtherDatabase { was, is });
        }
        match self.job.record.stopped_at_lsn {
            Some(was) if not_older && is.lsn < was => Err(Fail::OlderData { was, is: is.lsn }),
            _ => Ok(is.lsn),
        }
    }

    fn copy_back(&mut self) -> Result<(), Fail> {
        let facts = self.facts().clone();
        self.new_one().checkpoint();
        self.live_passes(&facts.to, &switch::old_dir(&facts))
    }

    fn stop_new(&mut self) -> Result<(), Fail> {
        let server = self.new_one();
        if self.job.direction == Direction::Back {
            self.memory.gap = Gap::begin(self.work.rt, &self.facts().server);
        }
        server.stop()?;
        // One that was not shut down is copied as it lies: its WAL has everything, and the old place recovers from it.
        if let Ok(control) = server.shut_down() {
            self.job.record.stopped_at_lsn = Some(control.checkpoint);
        }
        Ok(())
    }

    fn copy_back_rest(&mut self) -> Result<(), Fail> {
        let facts = self.facts().clone();
        self.pass(&facts.to, &switch::old_dir(&facts), false)
            .map(drop)
    }

    fn enable_old(&mut self) -> Result<(), Fail> {
        let facts = self.facts();
        let dir = &facts.server.data_dir;
        switch::enable_with(dir, &facts.to)?;
        switch::remove(&dir.join(HELD))
    }

    fn verify_old(&mut self) -> Result<(), Fail> {
        let not_older = self.job.direction == Direction::Back;
        let lsn = self.same_database(&self.old(), not_older)?;
        self.job.record.started_at_lsn = Some(lsn);
        self.away();
        Ok(())
    }
}

/// Where the copy is: it has its last name from the switch on.
fn part(facts: &Facts) -> PathBuf {
    match facts.to.is_dir() {
        true => facts.to.clone(),
        false => facts.part.clone(),
    }
}
