//! Who looks on while a data directory moves: lines for the person, and what a signal means. While nothing is switched over it
//! breaks the work off; while the database is away it is told that this is ended first. Also a terminal that goes away must
//! not leave the database away.

use crate::term::Term;
use siaga_agent::migrate::{At, Watch};
use siaga_model::migrate::{Progress, Step};
use siaga_words::{Migrate, Voice, bytes, migrate, migrate_step};
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::signal::unix::{SignalKind, signal};

/// How often the line of a copy is drawn.
const DRAW_EVERY: Duration = Duration::from_millis(500);

/// The work as it is watched.
pub struct Watching {
    voice: Voice,
    redraw: bool,
    quiet: bool,
    asked: Arc<AtomicBool>,
    now: Mutex<Now>,
}

struct Now {
    step: Option<Step>,
    drawn: Instant,
    in_line: bool,
    told_not_now: bool,
}

/// Standard error may be gone with its terminal: that ends nothing.
pub fn err(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

impl Watching {
    /// From here on a signal ends nothing by itself.
    pub fn begin(voice: &Voice, quiet: bool) -> io::Result<Self> {
        let asked = Arc::new(AtomicBool::new(false));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (mut interrupt, mut end, mut hangup) = {
            let _inside = runtime.enter();
            (
                signal(SignalKind::interrupt())?,
                signal(SignalKind::terminate())?,
                signal(SignalKind::hangup())?,
            )
        };
        let flag = Arc::clone(&asked);
        let wait = async move {
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = end.recv() => {}
                    _ = hangup.recv() => {}
                }
                flag.store(true, Ordering::SeqCst);
            }
        };
        std::thread::Builder::new()
            .name("signals".into())
            .spawn(move || runtime.block_on(wait))?;
        Ok(Self {
            voice: voice.clone(),
            redraw: Term::look().redraw,
            quiet,
            asked,
            now: Mutex::new(Now {
                step: None,
                drawn: Instant::now(),
                in_line: false,
                told_not_now: false,
            }),
        })
    }

    fn now(&self) -> std::sync::MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A line that is being drawn over is left as it is.
    pub fn line_ends(&self) {
        if std::mem::take(&mut self.now().in_line) {
            err("");
        }
    }

    fn draw(&self, what: &str, done: u64, of: u64) {
        let mut now = self.now();
        if !self.redraw || now.drawn.elapsed() < DRAW_EVERY {
            return;
        }
        let (done, of) = (bytes(&self.voice, done), bytes(&self.voice, of));
        let _ = write!(io::stderr(), "\r\x1b[K    {what} {done} / {of}");
        let _ = io::stderr().flush();
        (now.drawn, now.in_line) = (Instant::now(), true);
    }
}

/// Where a wish for the end is granted: while the database runs.
fn may_end(step: Option<Step>) -> bool {
    matches!(
        step,
        None | Some(Step::Format | Step::Mount | Step::Copy | Step::CopyBack)
    )
}

impl Watch for Watching {
    fn progress(&self, at: &Progress) {
        match at {
            Progress::Step { step, of, number } => {
                self.line_ends();
                self.now().step = Some(*step);
                if !self.quiet {
                    err(&format!(
                        "  {number}/{of} {}",
                        migrate_step(&self.voice, *step)
                    ));
                }
                if matches!(step, Step::Stop) && !self.quiet {
                    err(&migrate(&self.voice, &Migrate::AwayFrom));
                }
            }
            Progress::Copying { bytes, of } => self.draw("→", *bytes, *of),
            Progress::Comparing { bytes, of } => self.draw("=", *bytes, *of),
        }
    }

    fn go_on(&self) -> bool {
        if !self.asked.load(Ordering::SeqCst) {
            return true;
        }
        let mut now = self.now();
        if may_end(now.step) {
            return false;
        }
        if !std::mem::replace(&mut now.told_not_now, true) {
            drop(now);
            err(&migrate(&self.voice, &Migrate::NotNow));
        }
        true
    }

    fn goes_on_at(&self, at: At) -> bool {
        match at {
            At::Before(Step::Stop) => !self.asked.load(Ordering::SeqCst),
            At::Before(_) => self.go_on(),
            At::Done(_) => true,
        }
    }
}
