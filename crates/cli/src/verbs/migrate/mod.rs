//! `siaga migrate`: a data directory moves from a local disk to the storage that moves between the servers, and back.

mod watching;

use crate::args::Global;
use crate::client::{CallError, Client};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::place::{CONFIG, STATE};
use crate::term::{Term, out};
use crate::{language, show};
use siaga_agent::migrate::{How, Mover};
use siaga_model::migrate::{
    Direction, Fail, Job, NewSide, Plan, Pointing, Refusal, Step, StepFailed, Wish,
};
use siaga_words::{Migrate, Voice, migrate, migrate_fail, migrate_refusal};
use std::path::PathBuf;
use watching::Watching;

/// Move the data directory of a running PostgreSQL to the shared or DRBD storage
///
/// Once, before init, as root. Without --yes it plans: what it found, every step, how long the database will be away (an
/// estimate), and what stands against it; nothing is changed. With --yes it copies while the database runs, stops it, copies
/// what changed, compares every file with what is read from the disk, and starts it from the new place. The old directory is
/// kept, and no server starts from it: the way back is siaga migrate back.
///
/// Killed at any step, it says where it stands and goes on. Without a device it says what was done.
#[derive(clap::Args, Debug, Clone)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    pub verb: Option<MigrateVerb>,
    /// The device that is to carry the data: a LUN, a logical volume, a DRBD device.
    #[arg(long, value_name = "DEVICE")]
    pub to: Option<PathBuf>,
    /// Where the device is mounted.
    #[arg(long = "at", value_name = "DIR", default_value = "/srv/postgresql")]
    pub mount_point: PathBuf,
    /// Which data directory, where several servers run here.
    #[arg(long, value_name = "DIR")]
    pub from: Option<PathBuf>,
    /// Make a file system of that kind, where nothing at all is on the device.
    #[arg(long, value_name = "KIND", value_enum)]
    pub format: Option<Kind>,
    /// The most that is copied in a second while the database runs, in MiB.
    #[arg(long, value_name = "MIB")]
    pub rate: Option<u64>,
    /// Do it, without asking.
    #[arg(long)]
    pub yes: bool,
    #[command(flatten)]
    pub places: Places,
}

/// A file system that is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Kind {
    Ext4,
}

/// Where things are.
#[derive(clap::Args, Debug, Clone)]
pub struct Places {
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// The site's configuration.
    #[arg(long, value_name = "FILE", default_value = CONFIG)]
    pub config: PathBuf,
    /// Where the event log and the keys are kept.
    #[arg(long, value_name = "DIR", default_value = STATE)]
    pub state_dir: PathBuf,
}

const EXAMPLES: &str = "Examples:
  siaga migrate --to /dev/disk/by-id/wwn-0x5000000000000001 --at /srv/simrs
  siaga migrate --to /dev/vg/simrs --at /srv/simrs --format ext4 --yes
  siaga migrate --to /dev/drbd0 --at /srv/simrs --rate 50 --yes --json
  siaga migrate
  siaga migrate back";

#[derive(clap::Subcommand, Debug, Clone)]
pub enum MigrateVerb {
    /// Go back to the old directory
    ///
    /// Whatever was written in the new place since is copied back: no row is lost. Refused once Siaga's service runs there.
    #[command(after_help = BACK_EXAMPLES)]
    Back(Back),
}

const BACK_EXAMPLES: &str = "Examples:
  siaga migrate back
  siaga migrate back --yes --json
  siaga migrate back --as-it-was";

#[derive(clap::Args, Debug, Clone)]
pub struct Back {
    /// To the old copy as it was: everything that was written since the move is lost.
    #[arg(long)]
    pub as_it_was: bool,
    /// Do it, without asking.
    #[arg(long)]
    pub yes: bool,
    #[command(flatten)]
    pub places: Places,
}

/// What every part of the verb needs.
struct Desk<'a> {
    mover: Mover,
    voice: Voice,
    global: &'a Global,
    json: bool,
    yes: bool,
    bytes_per_s: Option<u64>,
}

/// Carries the verb out.
pub fn run(global: &Global, args: &Args) -> Result<Exit, Fault> {
    let (places, yes) = match &args.verb {
        None => (&args.places, args.yes),
        Some(MigrateVerb::Back(back)) => (&back.places, back.yes),
    };
    let mover = Mover::new(&places.state_dir, &places.config).map_err(local)?;
    let desk = Desk {
        mover,
        voice: Voice::new(language::first(global), "UTC"),
        global,
        json: places.json,
        yes,
        bytes_per_s: args.rate.map(|mib| mib.saturating_mul(1 << 20)),
    };
    match &args.verb {
        None => desk.forward(args),
        Some(MigrateVerb::Back(back)) => desk.back(back.as_it_was),
    }
}

fn local(e: impl std::fmt::Display) -> Fault {
    Fault::Local(format!("siaga migrate: {e}"))
}

impl Desk<'_> {
    fn text(&self, text: &Migrate) -> String {
        migrate(&self.voice, text)
    }

    /// For people: on standard output, or beside the JSON.
    fn say(&self, text: &Migrate) {
        match self.json {
            true => watching::err(&self.text(text)),
            false => out(&self.text(text)),
        }
    }

    fn forward(&self, args: &Args) -> Result<Exit, Fault> {
        let job = self.mover.job().map_err(local)?;
        match (job, &args.to) {
            (Some(job), to) if !job.left.is_empty() => {
                let other = to.as_ref().is_some_and(|to| to != &job.facts.device);
                match other {
                    true => self.refused(&[Refusal::UnderWay]),
                    false => self.go_on(job),
                }
            }
            (job, Some(device)) => self.begin(args, device.clone(), job.as_ref()),
            (Some(job), None) => self.ended(&job),
            (None, None) if self.yes => Err(Fault::Usage(self.text(&Migrate::WhereTo))),
            (None, None) => {
                self.say(&Migrate::NoJob);
                Err(Fault::Usage(self.text(&Migrate::WhereTo)))
            }
        }
    }

    fn begin(&self, args: &Args, device: PathBuf, last: Option<&Job>) -> Result<Exit, Fault> {
        let wish = Wish {
            from: args.from.clone(),
            device,
            mount_point: args.mount_point.clone(),
            format: args.format.is_some(),
        };
        let plan = match self.mover.plan(&wish) {
            Ok(plan) => plan,
            Err(refusals) => return self.refused(&refusals),
        };
        if !self.json || !self.yes {
            self.say(&Migrate::Plan { plan: &plan });
        }
        if !self.agreed(&Migrate::AskForward { plan: &plan })? {
            return self.only_planned(&plan);
        }
        let Some(_lock) = self.mover.lock().map_err(local)? else {
            return self.refused(&[Refusal::Busy]);
        };
        // Somebody else may have begun one while this one was read.
        if self.mover.job().map_err(local)?.as_ref() != last {
            return self.refused(&[Refusal::UnderWay]);
        }
        let job = self.mover.begin(&plan).map_err(local)?;
        self.carry_out(job)
    }

    /// Nothing was asked for but the plan.
    fn only_planned(&self, plan: &Plan) -> Result<Exit, Fault> {
        if self.json {
            show::json(&serde_json::json!({ "outcome": "planned", "plan": plan }))?;
        } else if Term::look().interactive {
            self.say(&Migrate::NothingDone);
        }
        Ok(Exit::Done)
    }

    fn go_on(&self, job: Job) -> Result<Exit, Fault> {
        let (direction, left) = (job.direction, &job.left);
        self.say(&Migrate::Stands { direction, left });
        if let Err(refusal) = self.mover.may_go_on(&job) {
            return self.refused(&[refusal]);
        }
        if !self.agreed(&Migrate::AskGoOn)? {
            self.print(&job, "unfinished", None)?;
            return Ok(Exit::Stuck);
        }
        let Some(_lock) = self.mover.lock().map_err(local)? else {
            return self.refused(&[Refusal::Busy]);
        };
        self.carry_out(job)
    }

    fn back(&self, as_it_was: bool) -> Result<Exit, Fault> {
        let Some(_lock) = self.mover.lock().map_err(local)? else {
            return self.refused(&[Refusal::Busy]);
        };
        let Some(job) = self.mover.job().map_err(local)? else {
            return self.refused(&[Refusal::NothingToGoBack]);
        };
        let sides = self.mover.sides(&job);
        let turned = match self.mover.way_back(&job, &sides, as_it_was) {
            Ok(turned) => turned,
            Err(Refusal::NotMounted { .. }) => return self.mount_and_back(&job),
            Err(refusal) => return self.refused(&[refusal]),
        };
        let ask = Migrate::AskBack {
            direction: turned.direction,
            ahead: sides.ahead.filter(|_| sides.new == NewSide::Written),
        };
        if !self.agreed(&ask)? {
            self.say(&Migrate::NothingDone);
            return Ok(Exit::Restored);
        }
        self.turn(turned)
    }

    /// What was written in the new place is not known before it is mounted, and that needs consent.
    fn mount_and_back(&self, job: &Job) -> Result<Exit, Fault> {
        let (device, mount_point) = (job.facts.device.clone(), job.facts.mount_point.clone());
        self.say(&Migrate::MountsFirst {
            device,
            mount_point,
        });
        let ask = Migrate::AskBack {
            direction: Direction::Back,
            ahead: None,
        };
        if !self.agreed(&ask)? {
            self.say(&Migrate::NothingDone);
            return Ok(Exit::Restored);
        }
        if let Err(fail) = self.mover.mount(job) {
            watching::err(&migrate_fail(&self.voice, &fail));
            return self.refused(&[Refusal::NewUnknown]);
        }
        match self.mover.way_back(job, &self.mover.sides(job), false) {
            Ok(turned) => self.turn(turned),
            Err(refusal) => self.refused(&[refusal]),
        }
    }

    fn turn(&self, turned: Job) -> Result<Exit, Fault> {
        self.mover
            .turn(&turned)
            .map_err(|f| local(migrate_fail(&self.voice, &f)))?;
        self.carry_out(turned)
    }

    fn agreed(&self, question: &Migrate) -> Result<bool, Fault> {
        if self.yes {
            return Ok(true);
        }
        let term = Term::look();
        if !term.interactive || self.json {
            return Ok(false);
        }
        let client = Client::new(&self.global.socket)?;
        let said = match term.ask(&client, &self.text(question)) {
            Ok(said) => said.unwrap_or_default(),
            Err(CallError::Interrupted) => return Ok(false),
            Err(other) => return Err(Fault::Call(other)),
        };
        Ok(matches!(said.as_str(), "yes" | "y" | "ya"))
    }

    /// Ends where the list ends, or where the database runs again.
    fn carry_out(&self, mut job: Job) -> Result<Exit, Fault> {
        let watching = Watching::begin(&self.voice, self.json).map_err(local)?;
        let note = self.text(&Migrate::Note {
            from: job.facts.server.data_dir.clone(),
            to: job.facts.to.clone(),
        });
        let how = How {
            watch: &watching,
            bytes_per_s: self.bytes_per_s,
            note: &note,
        };
        let Err(failed) = self.mover.carry_out(&mut job, &how) else {
            return self.done(&job);
        };
        watching.line_ends();
        if failed.fail == Fail::Interrupted {
            self.say(&Migrate::Interrupted);
            self.print(&job, "interrupted", None)?;
            return Ok(Exit::Interrupted);
        }
        self.tell(&failed);
        if job.direction != Direction::Forward {
            return self.stuck(&job, &failed);
        }
        if is_before_the_stop(failed.step) {
            self.say(&Migrate::RunsOn);
            self.print(&job, "failed", Some(&failed))?;
            return Ok(Exit::Failed);
        }
        self.say(&Migrate::GoingBack);
        let sides = self.mover.sides(&job);
        let turned = self.mover.way_back(&job, &sides, false);
        let Ok(mut turned) = turned else {
            return self.stuck(&job, &failed);
        };
        if self.mover.turn(&turned).is_err() {
            return self.stuck(&job, &failed);
        }
        if let Err(again) = self.mover.carry_out(&mut turned, &how) {
            self.tell(&again);
            return self.stuck(&turned, &again);
        }
        self.say(&Migrate::Restored);
        self.print(&turned, "restored", Some(&failed))?;
        Ok(Exit::Restored)
    }

    fn tell(&self, failed: &StepFailed) {
        let (step, fail) = (failed.step, &failed.fail);
        watching::err(&self.text(&Migrate::StepFailed { step, fail }));
    }

    fn stuck(&self, job: &Job, failed: &StepFailed) -> Result<Exit, Fault> {
        self.say(&Migrate::Stuck);
        self.print(job, "stuck", Some(failed))?;
        Ok(Exit::Stuck)
    }

    fn done(&self, job: &Job) -> Result<Exit, Fault> {
        if !self.json {
            self.say(&summary(job));
        }
        let outcome = match job.direction {
            Direction::Forward => "done",
            Direction::Back | Direction::BackAsItWas => "returned",
        };
        self.print(job, outcome, None)?;
        Ok(Exit::Done)
    }

    /// What the last one came to.
    fn ended(&self, job: &Job) -> Result<Exit, Fault> {
        self.done(job)
    }

    fn refused(&self, refusals: &[Refusal]) -> Result<Exit, Fault> {
        let said: Vec<String> = refusals
            .iter()
            .map(|r| migrate_refusal(&self.voice, r))
            .collect();
        if self.json {
            let one = |(refusal, said): (&Refusal, &String)| serde_json::json!({ "code": refusal.code(), "text": said });
            let all: Vec<_> = refusals.iter().zip(&said).map(one).collect();
            show::json(&serde_json::json!({ "outcome": "refused", "refusals": all }))?;
        }
        Err(Fault::Refused(said.join("\n")))
    }

    fn print(&self, job: &Job, outcome: &str, failed: Option<&StepFailed>) -> Result<(), Fault> {
        if !self.json {
            return Ok(());
        }
        let failed = failed.map(
            |f| serde_json::json!({ "step": f.step, "text": migrate_fail(&self.voice, &f.fail) }),
        );
        show::json(&serde_json::json!({ "outcome": outcome, "failed": failed, "job": job }))
    }
}

/// Until then the old place is as it was, and serves.
fn is_before_the_stop(step: Step) -> bool {
    matches!(step, Step::Format | Step::Mount | Step::Copy)
}

fn summary(job: &Job) -> Migrate<'_> {
    let facts = &job.facts;
    let (record, from, to) = (&job.record, facts.server.data_dir.clone(), facts.to.clone());
    match job.direction {
        Direction::Forward => Migrate::Done {
            record,
            from,
            kept: facts.kept.clone(),
            to,
            link: facts.pointing == Pointing::Link,
        },
        Direction::Back | Direction::BackAsItWas => Migrate::Returned {
            record,
            from,
            to,
            untouched: job.record.steps.iter().any(|s| s.step == Step::Tidy),
        },
    }
}
