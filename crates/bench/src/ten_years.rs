//! How fast the log is read when it is ten years long: `docs/bench.md`.

use crate::agent;
use crate::error::{Doing, Result, unexpected};
use crate::lab::{Lab, NODES, json, run};
use crate::night::{CHANNELS, UNITS, number, unit};
use crate::table::{Line, Spread};
use crate::years::{BIG_MONTH, MONTHS, begins};
use siaga_model::UtcMicros;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// What the issue asks of the list of incidents and of a month's report.
const GOAL_MS: f64 = 1000.0;
const COPIED_WITHIN: Duration = Duration::from_secs(300);
const DAY: i64 = 86_400 * 1_000_000;
const PDF: &str = "/tmp/incident.pdf";

/// In a lab of its own.
pub fn measure(siaga: &Path, name: &str, times: u32) -> Result<Vec<Line>> {
    let site = SiteFile::written(name)?;
    let append = site.0.display().to_string();
    let lab = Lab::with(siaga, name, &["--size", "2G", "--append", &append])?;
    let now = now()?;
    eprintln!("ten years: writing the rows of both nodes");
    for node in NODES {
        lab.lab(&["stop-agent", node])?;
        let at = now.0.to_string();
        let args = ["__ten-years", "--node", node, "--now", &at];
        run(lab.bench(node, &args), "writing ten years")?;
    }
    for node in NODES {
        lab.lab(&["start-agent", node])?;
    }
    let copied = copied(&lab)?;
    eprintln!("ten years: copied in {:.1} s", copied.as_secs_f64());
    let mut lines = commands(&lab, now, times)?;
    lines.extend(agent::memory(&lab, "ten years: resident memory (RSS)")?);
    lines.extend(agent::cold_starts_as_it_is(&lab, "ten years: cold start")?);
    Ok(lines)
}

/// A file that is removed when dropped.
struct SiteFile(PathBuf);

impl SiteFile {
    /// A hundred units, each with five channels.
    fn written(name: &str) -> Result<Self> {
        let mut text = String::from("\n[downtime]\nrelease = \"anyone\"\n");
        for channel in 0..CHANNELS {
            let _ = write!(
                text,
                "\n[[channel]]\nname = \"channel{channel}\"\nkind = \"program\"\nrun = [\"/bin/true\"]\n"
            );
        }
        for index in 0..UNITS {
            let name = unit(index);
            let _ = write!(text, "\n[[unit]]\nname = \"{name}\"\ntitle = \"{name}\"\n");
            for channel in 0..CHANNELS {
                let _ = write!(
                    text,
                    "[[unit.contact]]\nname = \"kepala\"\nchannel = \"channel{channel}\"\naddress = \"{index}\"\n"
                );
            }
        }
        let path = std::env::temp_dir().join(format!("{name}-site.toml"));
        std::fs::write(&path, text).doing("write the units")?;
        Ok(Self(path))
    }
}

impl Drop for SiteFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn now() -> Result<UtcMicros> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let micros = since.map(|s| i64::try_from(s.as_micros()));
    match micros {
        Ok(Ok(micros)) => Ok(UtcMicros(micros)),
        _ => Err(unexpected("the clock stands before 1970")),
    }
}

/// Waits until both nodes list the incidents of both.
fn copied(lab: &Lab) -> Result<Duration> {
    let begun = Instant::now();
    let wanted = usize::try_from(MONTHS * 2).unwrap_or(usize::MAX);
    loop {
        let known = |node| -> Result<bool> {
            let list = lab.siaga(node, &["incident", "list", "--json"])?;
            let known = list.first().and_then(|l| l.as_array()).map_or(0, Vec::len);
            Ok(known >= wanted)
        };
        // An agent that starts does not answer yet.
        if NODES.into_iter().all(|node| known(node).unwrap_or(false)) {
            return Ok(begun.elapsed());
        }
        if begun.elapsed() > COPIED_WITHIN {
            return Err(unexpected("the rows were never copied"));
        }
        std::thread::sleep(Duration::from_millis(500));
    }
}

fn commands(lab: &Lab, now: UtcMicros, times: u32) -> Result<Vec<Line>> {
    let big = 60 + BIG_MONTH;
    let at = begins(now, big) + 9 * DAY;
    let id = number(big, at, false);
    let month = jiff::Timestamp::from_microsecond(at)
        .map_err(|e| unexpected(e.to_string()))?
        .strftime("%Y-%m")
        .to_string();
    let goal = Some(GOAL_MS);
    let incident = ["report", "incident", &id, "--format", "pdf", "-o", PDF];
    let cases: [(&str, &[&str], Option<f64>); 9] = [
        ("incident list", &["incident", "list", "--json"], goal),
        (
            "log of a month",
            &["log", "--month", &month, "--json"],
            goal,
        ),
        (
            "availability of a month",
            &[
                "report",
                "availability",
                "--month",
                &month,
                "--format",
                "json",
            ],
            goal,
        ),
        ("incident show", &["incident", "show", &id, "--json"], None),
        ("report of an incident", &incident, None),
        ("report verify", &["report", "verify", PDF, "--json"], None),
        ("notice list", &["notice", "list", "--json"], None),
        ("estimate", &["estimate", "--json"], None),
        ("status", &["status", "--json"], None),
    ];
    let mut lines = Vec::new();
    for (name, args, goal) in cases {
        let took = timed(lab, NODES[1], args, times)?;
        let case = format!("ten years: {name}");
        lines.extend(Spread::of(&took).map(|s| Line::alone(&case, "ms", s, goal)));
    }
    Ok(lines)
}

fn timed(lab: &Lab, node: &str, args: &[&str], times: u32) -> Result<Vec<f64>> {
    let siaga = lab.binary().display().to_string();
    let times = times.to_string();
    let mut all = vec!["__timed", "--times", &times, "--", &siaga];
    all.extend(args);
    let output = run(lab.bench(node, &all), &format!("siaga {}", args.join(" ")))?;
    let took: Vec<f64> =
        serde_json::from_value(json(&output)?).map_err(|e| unexpected(e.to_string()))?;
    Ok(took)
}

/// Inside a node: runs a program so many times and prints the milliseconds of each.
pub fn time(times: u32, argv: &[String]) -> Result<()> {
    let Some((program, args)) = argv.split_first() else {
        return Err(unexpected("nothing to run"));
    };
    let mut took = Vec::new();
    for _ in 0..times {
        let mut command = std::process::Command::new(program);
        command.args(args);
        let begun = Instant::now();
        run(command, program)?;
        took.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    println!("{took:?}");
    Ok(())
}
