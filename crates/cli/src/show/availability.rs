//! The figures of availability as a table.

use super::padded;
use siaga_journal::availability::Availability;
use siaga_report::availability::lines;
use siaga_words::{Paper, Voice, paper};

/// One block per service and period.
pub fn text(voice: &Voice, figures: &[Availability]) -> String {
    if figures.is_empty() {
        return paper(voice, Paper::NoService).to_owned();
    }
    let blocks: Vec<String> = figures.iter().map(|f| block(voice, f)).collect();
    format!(
        "{}\n\n{}",
        blocks.join("\n\n"),
        paper(voice, Paper::DrillsArePlanned)
    )
}

fn block(voice: &Voice, figures: &Availability) -> String {
    let title = format!(
        "{}: {}, {}",
        paper(voice, Paper::Availability),
        figures.service,
        figures.period
    );
    let lines = lines(voice, figures);
    let width = lines.iter().map(|(k, _)| k.chars().count()).max();
    let width = width.unwrap_or(0);
    let rows = lines.iter().map(|(key, value)| {
        format!("  {}  {value}", padded(key, width))
            .trim_end()
            .to_owned()
    });
    std::iter::once(title)
        .chain(rows)
        .collect::<Vec<_>>()
        .join("\n")
}
