//! The report of a rehearsal.

use crate::context::Context;
use crate::term::{Tone, out};
use serde_json::{Value, json};
use siaga_model::ServiceName;
use siaga_model::refusal::Refusal;
use siaga_model::rehearsal::{IndexCheck, Measured, RehearsalOutcome, RehearsalReport, Tried};
use siaga_words::{
    evidence, index_check, production, rehearsal_ended, rehearsal_times, tried, why,
};

/// A refusal in the shape of a report: nothing was begun, so there is nothing to remove, and `refusal` says why.
pub fn refused(service: Option<&ServiceName>, refusal: &Refusal) -> Value {
    let amcheck = IndexCheck {
        status: Tried::NotExercised,
        checked: 0,
        indexes: 0,
        damaged: Vec::new(),
        why: None,
        duration_ms: 0,
    };
    json!({
        "service": service,
        "node": null,
        "holder": null,
        "outcome": RehearsalOutcome::Refused,
        "why": null,
        "started_at": null,
        "duration_ms": 0,
        "client_tests": [],
        "amcheck": amcheck,
        "production_untouched": null,
        "removed": true,
        "measured": Measured::default(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use siaga_model::refusal::{RefusalCode, Sentence};
    use siaga_model::{UtcMicros, Why};

    fn keys(value: &Value) -> Vec<&str> {
        let all = value.as_object().into_iter().flatten();
        all.map(|(key, _)| key.as_str()).collect()
    }

    #[test]
    fn a_refusal_has_every_key_of_a_report_and_the_page_knows_them_all() {
        let report = RehearsalReport {
            service: "simrs".into(),
            node: "backup".into(),
            holder: "serverdb".into(),
            outcome: RehearsalOutcome::Failed,
            why: Some(Why::AgentEnded),
            started_at: UtcMicros(7),
            duration_ms: 1,
            client_tests: Vec::new(),
            amcheck: IndexCheck::not_exercised(Why::AgentEnded),
            production_untouched: None,
            removed: true,
            measured: Measured::default(),
        };
        let refusal = Refusal {
            code: RefusalCode::NoRoom,
            sentence: Sentence::ClientNotTried,
            evidence: Vec::new(),
            next: Vec::new(),
        };
        let refused = refused(None, &refusal);
        let of_a_report = json!(report);
        for key in keys(&of_a_report) {
            assert!(keys(&refused).contains(&key), "{key} is missing");
        }
        assert_eq!(
            (&refused["removed"], &refused["why"]),
            (&json!(true), &Value::Null)
        );
        assert_eq!(refused["refusal"]["code"], "NO_ROOM");
        assert_eq!(refused["amcheck"]["status"], "not_exercised");
        let page = include_str!("../../../../docs/rehearse.md");
        let (_, said) = page.split_once("## What it says").unwrap_or_default();
        let (said, _) = said.split_once("Exit codes").unwrap_or_default();
        for key in keys(&refused) {
            assert!(said.contains(&format!("`{key}`")), "the page lacks {key}");
        }
    }
}
