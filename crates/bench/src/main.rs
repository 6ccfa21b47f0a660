//! `make bench`: Siaga beside a bare floor, interleaved in one run. `docs/bench.md` says what is measured and how.

mod agent;
mod args;
mod client;
mod clock;
mod error;
mod floor;
mod lab;
mod netlink;
mod night;
mod pg_wire;
mod planner;
mod sides;
mod table;
mod ten_years;
mod years;

use args::{Cli, Inside, Options};
use clap::Parser;
use error::{Doing, Result, unexpected};
use sides::{Floor, Sample, Siaga, Side};
use std::process::ExitCode;
use std::time::Duration;
use table::{Line, Spread};

/// What the issue asks of a move: at most so many times the floor.
const GOAL: f64 = 1.15;
const QUICK_RUNS: u32 = 3;
const WAL_MEGABYTES: u64 = 256;

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Case {
    Planned,
    PlannedDirty,
    PowerCut,
    PowerCutDirty,
    Agent,
    Planner,
    TenYears,
}

impl Case {
    const ALL: [Case; 7] = [
        Case::Planned,
        Case::PlannedDirty,
        Case::PowerCut,
        Case::PowerCutDirty,
        Case::Agent,
        Case::Planner,
        Case::TenYears,
    ];

    fn name(self) -> &'static str {
        match self {
            Case::Planned => "planned",
            Case::PlannedDirty => "planned-256mb",
            Case::PowerCut => "power-cut",
            Case::PowerCutDirty => "power-cut-256mb",
            Case::Agent => "agent",
            Case::Planner => "planner",
            Case::TenYears => "ten-years",
        }
    }

    fn is_quick(self) -> bool {
        !matches!(
            self,
            Case::PlannedDirty | Case::PowerCutDirty | Case::TenYears
        )
    }

    fn is_move(self) -> bool {
        !matches!(self, Case::Agent | Case::Planner | Case::TenYears)
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match &cli.inside {
        Some(inside) => run_inside(inside),
        None => bench(&cli.options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("siaga-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run_inside(inside: &Inside) -> Result<()> {
    match inside {
        Inside::Client { dsn } => client::run(dsn),
        Inside::Fill { dsn, megabytes } => client::fill(dsn, *megabytes),
        Inside::Floor(args) => floor::run(args),
        Inside::ColdStart { siaga, socket } => agent::cold_start(siaga, socket),
        Inside::LongLog {
            state_dir,
            node,
            rows,
        } => agent::lengthen(state_dir, node, *rows),
        Inside::TenYears {
            state_dir,
            node,
            now,
        } => years::write(state_dir, node, siaga_model::UtcMicros(*now)),
        Inside::Timed { times, argv } => ten_years::time(*times, argv),
    }
}

fn cases(options: &Options) -> Result<Vec<Case>> {
    if let Some(odd) = options
        .only
        .iter()
        .find(|o| Case::ALL.iter().all(|c| c.name() != o.as_str()))
    {
        let names = Case::ALL.map(Case::name).join(", ");
        return Err(unexpected(format!(
            "there is no case {odd}; there are {names}"
        )));
    }
    let wanted = |c: &Case| match options.only.is_empty() {
        true => !options.quick || c.is_quick(),
        false => options.only.iter().any(|o| o == c.name()),
    };
    Ok(Case::ALL.into_iter().filter(wanted).collect())
}

fn bench(options: &Options) -> Result<()> {
    let cases = cases(options)?;
    let siaga = options
        .siaga
        .canonicalize()
        .doing(format!("find {}", options.siaga.display()))?;
    let runs = if options.quick {
        QUICK_RUNS
    } else {
        options.runs
    };
    let mut lines = Vec::new();
    if cases.contains(&Case::Planner) {
        lines.extend(planner::measure()?);
    }
    if cases.contains(&Case::TenYears) {
        let name = format!("{}y", options.name);
        lines.extend(ten_years::measure(&siaga, &name, runs)?);
    }
    if cases.iter().any(|c| c.is_move() || *c == Case::Agent) {
        eprintln!("building the labs");
        let mut measured = Siaga::up(&siaga, &format!("{}s", options.name))?;
        if cases.iter().any(|c| c.is_move()) {
            let mut floor = Floor::up(&siaga, &format!("{}f", options.name))?;
            for case in cases.iter().filter(|c| c.is_move()) {
                lines.extend(compare(
                    *case,
                    runs,
                    &mut measured,
                    &mut floor,
                    options.verbose,
                )?);
            }
        }
        if cases.contains(&Case::Agent) {
            eprintln!(
                "agent: {} s of doing nothing, then cold starts",
                options.idle_seconds
            );
            lines.extend(agent::idle(
                measured.lab(),
                Duration::from_secs(options.idle_seconds),
            )?);
            lines.extend(agent::cold_starts(measured.lab())?);
        }
    }
    if options.json {
        eprint!("{}", table::text(&lines));
        println!(
            "{}",
            serde_json::to_string_pretty(&lines).map_err(|e| unexpected(e.to_string()))?
        );
    } else {
        print!("{}", table::text(&lines));
    }
    Ok(())
}

/// One case, Siaga and floor in turn, each in a lab of its own.
fn compare(
    case: Case,
    runs: u32,
    siaga: &mut Siaga,
    floor: &mut Floor,
    verbose: bool,
) -> Result<Vec<Line>> {
    let (mut of_siaga, mut of_floor) = (Vec::new(), Vec::new());
    for number in 1..=runs {
        for (side, samples, name) in [
            (siaga as &mut dyn Side, &mut of_siaga, "siaga"),
            (floor as &mut dyn Side, &mut of_floor, "floor"),
        ] {
            let sample = one(case, side)?;
            eprintln!(
                "{} {number}/{runs} {name}: {:.0} ms (the client's gap {:.0} ms)",
                case.name(),
                sample.total_ms,
                sample.gap_ms
            );
            if verbose {
                sample.steps.iter().for_each(|step| eprintln!("    {step}"));
            }
            samples.push(sample);
        }
    }
    let spread = |samples: &[Sample], of: fn(&Sample) -> f64| {
        Spread::of(&samples.iter().map(of).collect::<Vec<_>>())
    };
    let line = |name: &str, of: fn(&Sample) -> f64, goal| {
        Some(Line::ratio(
            name,
            spread(&of_siaga, of)?,
            spread(&of_floor, of)?,
            goal,
        ))
    };
    let mut lines = vec![line(case.name(), |s| s.total_ms, Some(GOAL))];
    // After a power cut the gap is mostly the time until somebody ordered the takeover.
    if matches!(case, Case::Planned | Case::PlannedDirty) {
        lines.push(line(
            &format!("{}, the client's gap", case.name()),
            |s| s.gap_ms,
            None,
        ));
    }
    Ok(lines.into_iter().flatten().collect())
}

fn one(case: Case, side: &mut dyn Side) -> Result<Sample> {
    match case {
        Case::Planned => side.planned(),
        Case::PlannedDirty => {
            side.dirty(WAL_MEGABYTES)?;
            side.planned()
        }
        Case::PowerCut => side.power_cut(),
        Case::PowerCutDirty => {
            side.dirty(WAL_MEGABYTES)?;
            side.power_cut()
        }
        Case::Agent | Case::Planner | Case::TenYears => Err(unexpected("not a move")),
    }
}
