//! The paper's log book: number, off line, on line, duration, cause, who.

use super::padded;
use siaga_journal::log_book::{DowntimeKind, LogBookRow, Subject};
use siaga_model::UtcMicros;
use siaga_model::api::SeenBy;
use siaga_model::plan::MoveKind;
use siaga_words::{Screen, Ui, Voice, duration, move_kind, screen, ui};

/// The downtimes of the service, then each machine's own times.
pub fn text(voice: &Voice, rows: &[LogBookRow]) -> String {
    let (services, machines): (Vec<_>, Vec<_>) = rows
        .iter()
        .partition(|r| matches!(r.subject, Subject::Service(_)));
    let mut lines = vec![ui(voice, Ui::LogBook)];
    if services.is_empty() {
        lines.push(ui(voice, Ui::NoOutages));
    } else {
        lines.extend(table(voice, &services, Ui::Service));
    }
    if !machines.is_empty() {
        lines.push(String::new());
        lines.push(screen(voice, &Screen::MachinesTimes));
        lines.extend(table(voice, &machines, Ui::Node));
    }
    lines.push(String::new());
    lines.push(ui(voice, Ui::LogTail));
    lines.join("\n")
}

fn table(voice: &Voice, rows: &[&LogBookRow], subject: Ui) -> Vec<String> {
    let mut cells = vec![heading(voice, subject)];
    cells.extend(
        rows.iter()
            .enumerate()
            .map(|(number, row)| line(voice, number + 1, row)),
    );
    let width = |column: usize| {
        cells
            .iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: [usize; COLUMNS] = std::array::from_fn(width);
    let laid_out = |row: &[String; COLUMNS]| {
        let cells: Vec<String> = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| padded(cell, width))
            .collect();
        cells.join("  ").trim_end().to_owned()
    };
    cells.iter().map(laid_out).collect()
}

const COLUMNS: usize = 7;

fn heading(voice: &Voice, subject: Ui) -> [String; COLUMNS] {
    let of = |text| ui(voice, text);
    [
        "No.".to_owned(),
        of(subject),
        of(Ui::OfflineAt),
        of(Ui::OnlineAt),
        of(Ui::Duration),
        of(Ui::Cause),
        of(Ui::Who),
    ]
}

fn line(voice: &Voice, number: usize, row: &LogBookRow) -> [String; COLUMNS] {
    let instant = |at: Option<UtcMicros>| at.map_or_else(|| "?".to_owned(), |at| voice.instant(at));
    let online = match row.online_at {
        Some(at) => voice.instant(at),
        None => screen(voice, &Screen::StillOffline),
    };
    [
        number.to_string(),
        row.subject.name().to_owned(),
        instant(row.offline_at),
        online,
        how_long(voice, row),
        cause(voice, row),
        row.who.clone().unwrap_or_else(|| "-".to_owned()),
    ]
}

/// A duration that no client measured says so, with a mark.
fn how_long(voice: &Voice, row: &LogBookRow) -> String {
    let Some(ms) = row.duration_ms else {
        return match row.entered_by {
            Some(_) => format!("? ({})", ui(voice, Ui::EnteredByHand)),
            None => "?".to_owned(),
        };
    };
    let text = duration(voice, ms);
    if row.entered_by.is_some() {
        return format!("{text} ({})", ui(voice, Ui::EnteredByHand));
    }
    match (&row.subject, row.seen_by) {
        (Subject::Service(_), SeenBy::Node) => {
            format!("{text} ({})", ui(voice, Ui::NotConfirmed))
        }
        _ => text,
    }
}

fn cause(voice: &Voice, row: &LogBookRow) -> String {
    let kind = match row.kind {
        DowntimeKind::Unplanned => ui(voice, Ui::Unplanned),
        DowntimeKind::Planned => ui(voice, Ui::Planned),
        DowntimeKind::Drill => move_kind(voice, MoveKind::Drill).to_owned(),
        DowntimeKind::PoweredOff => screen(voice, &Screen::WasPoweredOff),
        DowntimeKind::Restarted => screen(voice, &Screen::WasRestarted),
        DowntimeKind::Silent => screen(voice, &Screen::WasSilent),
    };
    let text = match &row.cause {
        Some(cause) => format!(
            "{kind}: {}",
            cause.split_whitespace().collect::<Vec<_>>().join(" ")
        ),
        None => kind,
    };
    match &row.covered_by {
        Some(run) => format!(
            "{text} ({})",
            screen(voice, &Screen::CoveredBy { run: run.clone() })
        ),
        None => text,
    }
}
