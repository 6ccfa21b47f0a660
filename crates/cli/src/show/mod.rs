//! How answers look on the screen. Texts come from `siaga-words`; here they are only laid out.

pub mod availability;
pub mod check;
pub mod event;
pub mod incident;
pub mod keys;
pub mod log_book;
pub mod plan;
pub mod refusal;
pub mod rehearsal;
pub mod result;
pub mod status;
pub mod step;

use crate::fault::Fault;
use crate::term::out;
use serde::Serialize;
use siaga_model::duty::Duty;
use siaga_model::event::{Finding, Severity};
use siaga_words::Voice;

/// A value as JSON on standard output.
///
/// # Errors
/// Where the value can't be JSON.
pub fn json(value: &impl Serialize) -> Result<(), Fault> {
    let text = serde_json::to_string_pretty(value).map_err(|e| Fault::Local(e.to_string()))?;
    out(&text);
    Ok(())
}

/// `text`, filled with spaces to `width` characters.
pub fn padded(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(text.chars().count());
    format!("{text}{}", " ".repeat(missing))
}

/// What people still have to do, each with what does it.
pub fn duties(voice: &Voice, duties: &[Duty]) -> Vec<String> {
    let lines = duties.iter().flat_map(|duty| {
        let text = siaga_words::duty(voice, duty);
        [
            format!("  !  {}", text.what),
            format!("       {}", text.remedy),
        ]
    });
    lines.collect()
}

/// What was found, the gravest first: a line of what, and one of what to do.
pub fn findings(voice: &Voice, findings: &[Finding]) -> Vec<String> {
    let mut sorted: Vec<&Finding> = findings.iter().collect();
    sorted.sort_by_key(|f| std::cmp::Reverse(f.severity));
    let mut lines = Vec::new();
    for finding in sorted {
        let (what, remedy) = siaga_words::finding(voice, finding);
        let mark = match finding.severity {
            Severity::Blocking => "!!",
            Severity::Warning => "! ",
            Severity::Info => "- ",
        };
        lines.push(format!("  {mark} {what}"));
        lines.push(format!("       {remedy}"));
    }
    lines
}
