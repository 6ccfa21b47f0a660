//! The report of a rehearsal.

use crate::context::Context;
use crate::term::{Tone, out};
use serde_json::{Value, json};
use siaga_model::refusal::Refusal;
use siaga_model::rehearsal::{RehearsalOutcome, RehearsalReport};
use siaga_words::{
    evidence, index_check, production, rehearsal_ended, rehearsal_times, tried, why,
};

/// A refusal in the shape of a report: nothing was begun.
pub fn refused(refusal: &Refusal) -> Value {
    json!({
        "outcome": RehearsalOutcome::Refused,
        "duration_ms": 0,
        "client_tests": [],
        "amcheck": null,
        "production_untouched": null,
        "refusal": refusal,
    })
}

/// Prints it for people.
pub fn print(ctx: &Context, report: &RehearsalReport) {
    let voice = &ctx.voice;
    let tone = match report.outcome {
        RehearsalOutcome::Passed => Tone::Good,
        RehearsalOutcome::Failed | RehearsalOutcome::Refused => Tone::Bad,
    };
    let mut lines = vec![ctx.term.out(tone, &rehearsal_ended(voice, report))];
    lines.extend(report.why.iter().map(|w| format!("  {}.", why(voice, w))));
    lines.extend(
        rehearsal_times(voice, report)
            .iter()
            .map(|l| format!("  {l}")),
    );
    for test in &report.client_tests {
        let status = tried(voice, test.status);
        let seen = evidence(voice, &test.detail);
        lines.push(format!("  {}: {status} ({seen})", test.name));
    }
    lines.push(format!("  {}", index_check(voice, &report.amcheck)));
    lines.extend(report.amcheck.damaged.iter().map(|d| format!("    {d}")));
    lines.push(production(voice, report.production_untouched).to_owned());
    out(&lines.join("\n"));
}
