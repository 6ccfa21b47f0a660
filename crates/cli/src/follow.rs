//! Watches a run: every step on standard error, with its node, elapsed and expected time.
//!
//! On a terminal the steps that go on share one line that is drawn over; anywhere else each change is a line.

use crate::client::{CallError, encoded};
use crate::context::Context;
use crate::fault::Fault;
use crate::show::step;
use siaga_model::RunId;
use siaga_model::api::{COORDINATOR_SILENT, RunView, RunningStep};
use siaga_words::Screen;
use std::time::{Duration, Instant};

/// How long one long poll is held by the agent.
const POLL: Duration = Duration::from_secs(10);
/// How long an agent may be away while a run goes on: it is started again by its supervisor.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long the node that carries the run out may be silent: the other one may cover it, and then its end is known.
const COVER_PATIENCE: Duration = Duration::from_secs(60);
/// Between two attempts to reach an agent that is away, and where a poll comes back early with nothing new.
const AGAIN: Duration = Duration::from_millis(250);

/// Follows a run to its end.
///
/// # Errors
/// [`Fault::RunGoesOn`] where watching ended before the run did; [`Fault::RunInterrupted`] where the agent was
/// restarted and no longer carries it out.
pub fn follow(ctx: &Context, run: &RunId) -> Result<RunView, Fault> {
    let mut lines = Lines::new(ctx);
    let mut after = 0;
    let mut away: Option<Instant> = None;
    loop {
        let path = format!(
            "/v1/runs/{}?after={after}&wait_ms={}",
            encoded(run.as_str()),
            POLL.as_millis()
        );
        let asked = Instant::now();
        match ctx
            .client
            .get_ticking::<RunView>(&path, POLL * 3, || lines.tick())
        {
            Ok(view) => {
                away = None;
                lines.update(&view);
                if view.ended {
                    return Ok(view);
                }
                let nothing_new = view.version <= after && asked.elapsed() < AGAIN;
                after = view.version;
                if nothing_new {
                    lines.goes_on(ctx.client.pause(AGAIN), run)?;
                }
            }
            Err(why)
                if patience(&why)
                    .is_some_and(|p| away.get_or_insert_with(Instant::now).elapsed() < p) =>
            {
                lines.silent();
                lines.goes_on(ctx.client.pause(AGAIN), run)?;
            }
            Err(CallError::Api { status: 404, .. }) => {
                lines.erase();
                return Err(Fault::RunInterrupted { run: run.clone() });
            }
            Err(why) => lines.goes_on(Err(why), run)?,
        }
    }
}

/// How long to go on asking after such an error; `None`: not at all.
fn patience(why: &CallError) -> Option<Duration> {
    match why {
        CallError::Api { error, .. } if error.code == COORDINATOR_SILENT => Some(COVER_PATIENCE),
        why => why.may_pass().then_some(PATIENCE),
    }
}

/// What has been printed of a run.
struct Lines<'a> {
    ctx: &'a Context,
    finished: usize,
    running: Vec<RunningStep>,
    waiting: usize,
    since: Instant,
    drawn: bool,
    said_silent: bool,
}

impl<'a> Lines<'a> {
    fn new(ctx: &'a Context) -> Self {
        Self {
            ctx,
            finished: 0,
            running: Vec::new(),
            waiting: 0,
            since: Instant::now(),
            drawn: false,
            said_silent: false,
        }
    }

    fn update(&mut self, view: &RunView) {
        self.erase();
        self.said_silent = false;
        for done in view.report.steps.iter().skip(self.finished) {
            eprintln!("{}", step::finished(self.ctx, done));
        }
        self.finished = view.report.steps.len();
        if !self.ctx.term.redraw {
            for running in view.running.iter().filter(|r| self.is_news(r)) {
                eprintln!("{}", step::begun(self.ctx, running));
            }
        }
        self.running.clone_from(&view.running);
        self.waiting = view.waiting.len();
        self.since = Instant::now();
        if !view.ended {
            self.tick();
        }
    }

    /// A step that began, or one that says something new of its progress.
    fn is_news(&self, step: &RunningStep) -> bool {
        let same = |r: &&RunningStep| r.node == step.node && r.action == step.action;
        self.running
            .iter()
            .find(same)
            .is_none_or(|before| before.progress != step.progress)
    }

    /// Draws the line of what goes on.
    fn tick(&mut self) {
        if !self.ctx.term.redraw || self.running.is_empty() {
            return;
        }
        let more = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        let steps: Vec<String> = self
            .running
            .iter()
            .map(|r| step::running(self.ctx, r, more))
            .collect();
        let left = self.ctx.say(Screen::StepsLeft { left: self.waiting });
        let line = format!("  ... {} | {left}", steps.join(" | "));
        // One character short of the width: a full line would wrap and could not be drawn over.
        let line: String = line
            .chars()
            .take(self.ctx.term.width().saturating_sub(1))
            .collect();
        eprint!("\r\x1b[K{line}");
        self.drawn = true;
    }

    fn erase(&mut self) {
        if std::mem::take(&mut self.drawn) {
            eprint!("\r\x1b[K");
        }
    }

    fn silent(&mut self) {
        self.erase();
        self.running.clear();
        if !std::mem::replace(&mut self.said_silent, true) {
            eprintln!("{}", self.ctx.say(Screen::WatchWaits));
        }
    }

    /// Where watching ends, the run goes on all the same.
    fn goes_on<T>(&mut self, result: Result<T, CallError>, run: &RunId) -> Result<T, Fault> {
        result.map_err(|why| {
            self.erase();
            Fault::RunGoesOn {
                run: run.clone(),
                why,
            }
        })
    }
}
