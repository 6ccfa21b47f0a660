//! When will clients work again? Computed from this site's own runs where there are any, from stated priors where
//! there are none, and from what the run at hand has behind it. Values in, values out.
//!
//! A step's time is not one number: of its measured times, of which the newest weigh most, three quantiles are taken.
//! The spread of a sum is that of independent parts.

use siaga_model::incident::{Basis, Range, TimeKind};
use siaga_model::record::IncidentRecord;
use std::collections::BTreeMap;

/// How much less each older measurement weighs.
const OLDER: f64 = 0.8;
/// How much less the prior weighs with each own measurement.
const PRIOR: f64 = 0.5;
/// The quantiles: one in ten is below the first, one in ten above the last.
const QUANTILES: [f64; 3] = [0.1, 0.5, 0.9];

/// What the site has measured so far, oldest first, in milliseconds.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct History {
    /// By the action's name.
    pub steps: BTreeMap<String, Vec<u64>>,
    /// From the first sign to the decision, in unplanned incidents.
    pub decisions_ms: Vec<u64>,
    /// The WAL since the last checkpoint, as it was seen last: what a start has to redo after a crash, and what a stop
    /// has to write back before. `None`: nothing, or it is not known.
    pub wal_bytes: Option<u64>,
    /// How fast this site's own recoveries were, KiB per second, oldest first.
    pub redo_kib_per_s: Vec<u64>,
    /// How fast this site's checkpoints before a stop were, KiB of WAL per second, oldest first.
    pub write_back_kib_per_s: Vec<u64>,
}

/// How far it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Phase {
    /// Nobody has ordered anything yet.
    Undecided { waited_ms: u64 },
    /// A run is at work; what it has left, longest way through, the step at work first.
    Running { left: Vec<StepLeft> },
    /// It works.
    Serving,
}

/// A step that is at work, or waits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StepLeft {
    pub action: String,
    /// `None`: it has not begun.
    pub elapsed_ms: Option<u64>,
}

/// The steps of a takeover, where no plan is made yet.
pub const TAKEOVER: [&str; 5] = ["fence", "take", "mount", "start_database", "client_test"];

/// The range from now, and what it stands on.
pub fn estimate(history: &History, phase: &Phase) -> (Range, Vec<Basis>) {
    let mut parts = Vec::new();
    let mut based_on = Vec::new();
    match phase {
        Phase::Serving => {}
        Phase::Undecided { waited_ms } => {
            let own = &history.decisions_ms;
            based_on.push(match u32::try_from(own.len()) {
                Ok(0) | Err(_) => Basis::DecisionPrior,
                Ok(times) => Basis::Decisions { times },
            });
            // Somebody hesitates: what is past is no longer to come, and long waits tend to last.
            parts.push(left(spread(own, DECISION), Some(*waited_ms)));
            let steps = TAKEOVER.iter().map(|a| ((*a).to_owned(), None));
            add(history, steps, &mut parts, &mut based_on);
        }
        Phase::Running { left } => {
            let steps = left.iter().map(|s| (s.action.clone(), s.elapsed_ms));
            add(history, steps, &mut parts, &mut based_on);
        }
    }
    (sum(&parts), based_on)
}

fn add(
    history: &History,
    steps: impl Iterator<Item = (String, Option<u64>)>,
    parts: &mut Vec<[f64; 3]>,
    based_on: &mut Vec<Basis>,
) {
    // What is written back once, or written back by the stop, is not there any more for the next step.
    let mut wal_bytes = history.wal_bytes;
    for (action, elapsed) in steps {
        let own = history.steps.get(&action).map_or(&[][..], Vec::as_slice);
        let mut spread = spread(own, prior(&action));
        if let Some((ms, basis)) = live(history, &action, &mut wal_bytes) {
            // It takes at least what this takes, and a little for itself.
            let with_it = ms.map(|ms| ms + spread[0]);
            spread = std::array::from_fn(|q| spread[q].max(with_it[q]));
            based_on.push(basis);
        }
        parts.push(left(spread, elapsed));
        based_on.push(match u32::try_from(own.len()) {
            Ok(0) | Err(_) => Basis::Prior { action },
            Ok(times) => Basis::OwnRuns { action, times },
        });
    }
}

/// From the first sign to a decision, where nobody has measured it: two, eight and twenty-five minutes.
const DECISION: [u64; 3] = [120_000, 480_000, 1_500_000];

/// What a step takes where this site has no run of it, in milliseconds: low, likely, high. Servers with a SAN, a
/// database of a hospital and a fence that asks a management board; wide, because nothing is known.
fn prior(action: &str) -> [u64; 3] {
    match action {
        "fence" | "attest" => [2_000, 8_000, 45_000],
        "checkpoint" => [100, 1_500, 30_000],
        "stop_applications" | "start_applications" => [500, 8_000, 60_000],
        "stop_database" => [300, 2_000, 40_000],
        "start_database" => [400, 5_000, 120_000],
        "mount" => [30, 300, 25_000],
        "unmount" | "release" | "take" | "enlist" => [5, 100, 2_000],
        "add_virtual_ip" | "remove_virtual_ip" => [5, 100, 2_000],
        "client_test" | "after_move" => [100, 1_000, 10_000],
        _ => [100, 1_000, 10_000],
    }
}

/// How fast WAL is redone where this site has not measured it, KiB per second: ten, forty, two hundred MiB.
const REDO: [u64; 3] = [10 << 10, 40 << 10, 200 << 10];
/// How fast a checkpoint writes back what so much WAL stands for: two, twenty, a hundred MiB. Pages lie apart on the disk, and
/// one that was changed often is written once.
const WRITE_BACK: [u64; 3] = [2 << 10, 20 << 10, 100 << 10];

/// What the WAL since the last checkpoint adds to a step.
fn live(history: &History, action: &str, wal_bytes: &mut Option<u64>) -> Option<([f64; 3], Basis)> {
    match action {
        "start_database" => {
            let bytes = wal_bytes.take()?;
            let (ms, bytes_per_s) = at_rate(bytes, &history.redo_kib_per_s, REDO);
            Some((ms, Basis::Redo { bytes, bytes_per_s }))
        }
        "checkpoint" | "stop_database" => {
            let bytes = wal_bytes.take()?;
            let (ms, bytes_per_s) = at_rate(bytes, &history.write_back_kib_per_s, WRITE_BACK);
            Some((ms, Basis::WriteBack { bytes, bytes_per_s }))
        }
        _ => None,
    }
}

/// How long the redo of so much WAL likely takes, in whole seconds.
pub fn redo_seconds(bytes: u64, own: &[u64]) -> u64 {
    let ([_, likely, _], _) = at_rate(bytes, own, REDO);
    (likely / 1000.0).ceil() as u64
}

/// What so many bytes take, in milliseconds, and the likely rate in bytes per second.
fn at_rate(bytes: u64, own: &[u64], prior: [u64; 3]) -> ([f64; 3], u64) {
    let [slow, likely, fast] = spread(own, prior).map(|kib| kib.max(1.0) * 1024.0);
    let ms = |rate: f64| bytes as f64 / rate * 1000.0;
    ([ms(fast), ms(likely), ms(slow)], likely as u64)
}

/// Three quantiles of what was measured, leaning on the prior while there is little.
fn spread(own: &[u64], prior: [u64; 3]) -> [f64; 3] {
    let mut weight = 1.0;
    let mut samples: Vec<(f64, f64)> = Vec::new();
    for ms in own.iter().rev() {
        samples.push((*ms as f64, weight));
        weight *= OLDER;
    }
    let count = i32::try_from(own.len()).unwrap_or(i32::MAX);
    let of_prior = PRIOR.powi(count);
    samples.extend(prior.iter().map(|ms| (*ms as f64, of_prior)));
    samples.sort_by(|a, b| a.0.total_cmp(&b.0));
    QUANTILES.map(|q| quantile(&samples, q))
}

/// The value below which that share of the weight lies.
fn quantile(samples: &[(f64, f64)], share: f64) -> f64 {
    let all: f64 = samples.iter().map(|(_, w)| w).sum();
    let mut below = 0.0;
    for (value, weight) in samples {
        below += weight;
        if below >= share * all {
            return *value;
        }
    }
    samples.last().map_or(0.0, |(value, _)| *value)
}

/// What is left of a step that has been at work: beyond its high end it may take half as long again.
fn left([low, likely, high]: [f64; 3], elapsed_ms: Option<u64>) -> [f64; 3] {
    let Some(elapsed) = elapsed_ms.map(|ms| ms as f64) else {
        return [low, likely, high];
    };
    let high = (high - elapsed).max(elapsed * 0.5);
    let likely = (likely - elapsed).max(high * 0.25);
    [(low - elapsed).max(0.0), likely.min(high), high]
}

fn sum(parts: &[[f64; 3]]) -> Range {
    let likely: f64 = parts.iter().map(|p| p[1]).sum();
    let below = parts
        .iter()
        .map(|p| (p[1] - p[0]).powi(2))
        .sum::<f64>()
        .sqrt();
    let above = parts
        .iter()
        .map(|p| (p[2] - p[1]).powi(2))
        .sum::<f64>()
        .sqrt();
    // Whole seconds, outwards.
    let seconds = |ms: f64| if ms <= 0.0 { 0.0 } else { ms / 1000.0 };
    Range {
        low_s: seconds(likely - below).floor() as u64,
        likely_s: seconds(likely).round() as u64,
        high_s: seconds(likely + above).ceil() as u64,
    }
}

/// How good the estimates were that people were given.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Score {
    /// Those with a range whose end is known.
    pub given: u32,
    /// Those whose range held the real end.
    pub in_range: u32,
    /// "Not yet known".
    pub without_range: u32,
    pub median_width_s: Option<u64>,
    /// How far the likely end was from the real one.
    pub median_error_s: Option<u64>,
}

/// Scores every estimate that was given before its downtime ended.
pub fn score(records: &[IncidentRecord]) -> Score {
    let mut score = Score::default();
    let (mut widths, mut errors) = (Vec::new(), Vec::new());
    for record in records {
        let Some(end) = record.time(TimeKind::ClientOk) else {
            continue;
        };
        for given in record.estimates.iter().filter(|e| e.given_at <= end) {
            let Some(range) = given.range else {
                score.without_range += 1;
                continue;
            };
            let real_s = end.millis_since(given.given_at).div_ceil(1000);
            score.given += 1;
            if (range.low_s..=range.high_s).contains(&real_s) {
                score.in_range += 1;
            }
            widths.push(range.high_s.saturating_sub(range.low_s));
            errors.push(range.likely_s.abs_diff(real_s));
        }
    }
    score.median_width_s = median(&mut widths);
    score.median_error_s = median(&mut errors);
    score
}

fn median(values: &mut [u64]) -> Option<u64> {
    values.sort_unstable();
    values.get(values.len() / 2).copied()
}
