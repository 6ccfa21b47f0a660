//! The log book of a month as a paper.

use crate::document::{Block, Column, Document, Head};
use siaga_journal::log_book::{DowntimeKind, LogBookRow, Subject};
use siaga_model::UtcMicros;
use siaga_model::api::{SeenBy, SiteView};
use siaga_words::{Paper, Ui, Voice, duration, paper, ui};

/// The paper: the services' downtimes, then the machines' own times. `of`: the service and the month, as far as it is
/// not of all.
pub fn document(voice: &Voice, site: &SiteView, of: &str, rows: &[LogBookRow]) -> Document {
    let (services, machines): (Vec<_>, Vec<_>) = rows
        .iter()
        .partition(|r| matches!(r.subject, Subject::Service(_)));
    let mut blocks = Vec::new();
    for (title, rows) in [
        (Paper::LogOfServices, services),
        (Paper::LogOfMachines, machines),
    ] {
        blocks.push(Block::Heading(paper(voice, title).to_owned()));
        match rows.is_empty() {
            true => blocks.push(Block::Text(paper(voice, Paper::NothingInPeriod).to_owned())),
            false => blocks.push(table(voice, &rows)),
        }
    }
    blocks.push(Block::Text(ui(voice, Ui::LogTail)));
    blocks.push(Block::Signatures(crate::signers(voice)));
    let title = format!("{} {of}", paper(voice, Paper::LogBook));
    Document {
        language: voice.language,
        head: Head::of_report(voice, site, title.trim()),
        blocks,
        foot: String::new(),
        data: None,
    }
}

fn table(voice: &Voice, rows: &[&LogBookRow]) -> Block {
    let of = |text| ui(voice, text);
    let columns = vec![
        Column::number("No.", 0.5),
        Column::text(paper(voice, Paper::What), 1.2),
        Column::text(of(Ui::OfflineAt), 1.8),
        Column::text(of(Ui::OnlineAt), 1.8),
        Column::text(of(Ui::Duration), 1.3),
        Column::text(of(Ui::Cause), 2.4),
        Column::text(paper(voice, Paper::Officer), 1.1),
    ];
    let rows = rows.iter().enumerate().map(|(i, r)| line(voice, i + 1, r));
    Block::Table {
        columns,
        rows: rows.collect(),
    }
}

fn line(voice: &Voice, number: usize, row: &LogBookRow) -> Vec<String> {
    let instant = |at: UtcMicros| voice.instant(at);
    let still = || paper(voice, Paper::StillOffline).to_owned();
    vec![
        number.to_string(),
        row.subject.name().to_owned(),
        row.offline_at.map(instant).unwrap_or_default(),
        row.online_at.map_or_else(still, instant),
        how_long(voice, row),
        cause(voice, row),
        row.who.clone().unwrap_or_default(),
    ]
}

/// Unknown is blank; what no client measured says so.
fn how_long(voice: &Voice, row: &LogBookRow) -> String {
    let Some(ms) = row.duration_ms else {
        return String::new();
    };
    let text = duration(voice, ms);
    match (&row.subject, row.seen_by) {
        (Subject::Service(_), SeenBy::Node) => format!("{text} ({})", ui(voice, Ui::NotConfirmed)),
        _ => text,
    }
}

fn cause(voice: &Voice, row: &LogBookRow) -> String {
    let kind = paper(
        voice,
        match row.kind {
            DowntimeKind::Unplanned => Paper::KindUnplanned,
            DowntimeKind::Planned => Paper::KindPlanned,
            DowntimeKind::Drill => Paper::KindDrill,
            DowntimeKind::PoweredOff => Paper::KindPoweredOff,
            DowntimeKind::Restarted => Paper::KindRestarted,
            DowntimeKind::Silent => Paper::KindSilent,
        },
    );
    match row.cause.as_deref().map(str::trim) {
        Some(cause) if !cause.is_empty() => format!("{kind}: {cause}"),
        _ => kind.to_owned(),
    }
}
