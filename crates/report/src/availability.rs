//! The availability of services, as lines and as a paper.

use crate::document::{Bar, Block, Document, Head};
use siaga_journal::availability::{Availability, Times};
use siaga_journal::log_book::parse;
use siaga_model::api::SiteView;
use siaga_model::config::Language;
use siaga_words::{Paper, Voice, duration, paper};

/// Names and values of one service's figures.
pub fn lines(voice: &Voice, f: &Availability) -> Vec<(String, String)> {
    let mut lines: Vec<(Paper, String)> = Vec::new();
    if let Some(minutes) = f.minutes_in_month {
        lines.push((Paper::MinutesInMonth, minutes.to_string()));
    }
    if let Some(minutes) = f.minutes_in_year {
        lines.push((Paper::MinutesInYear, minutes.to_string()));
    }
    let down = f.downtime_planned_min + f.downtime_unplanned_min;
    lines.push((Paper::MinutesCounted, number(voice, f.minutes_counted)));
    lines.push((
        Paper::DowntimePlanned,
        number(voice, f.downtime_planned_min),
    ));
    lines.push((
        Paper::DowntimeUnplanned,
        number(voice, f.downtime_unplanned_min),
    ));
    lines.push((Paper::MinutesUp, number(voice, f.minutes_counted - down)));
    lines.push((Paper::AvailabilityAll, percent(voice, f.availability_pct)));
    lines.push((
        Paper::AvailabilityUnplanned,
        percent(voice, f.availability_excluding_planned_pct),
    ));
    if let Some(target) = f.target_pct {
        lines.push((Paper::Target, against(voice, f, target)));
    }
    lines.push((Paper::Incidents, incidents(voice, f)));
    if let Some(times) = &f.times {
        lines.extend(mean_times(voice, times));
    }
    let mut lines: Vec<(String, String)> = lines
        .into_iter()
        .map(|(name, value)| (paper(voice, name).to_owned(), value))
        .collect();
    lines.extend(remarks(voice, f).into_iter().map(|r| (r, String::new())));
    lines
}

/// What a reader has to know of the figures.
fn remarks(voice: &Voice, f: &Availability) -> Vec<String> {
    let mut remarks = Vec::new();
    if !f.complete {
        remarks.push(paper(voice, Paper::StillToCome).to_owned());
    }
    if let Some(at) = f.log_begins_at.as_deref().and_then(parse) {
        let at = voice.instant(at);
        remarks.push(format!("{} {at}", paper(voice, Paper::LogBeginsLater)));
    }
    remarks
}

fn against(voice: &Voice, f: &Availability, target: f64) -> String {
    let met = f.availability_pct.map(|pct| pct >= target);
    let verdict = match met {
        Some(true) => paper(voice, Paper::TargetMet),
        Some(false) => paper(voice, Paper::TargetMissed),
        None => "?",
    };
    format!("{} ({verdict})", percent(voice, Some(target)))
}

fn incidents(voice: &Voice, f: &Availability) -> String {
    let mut text = f.incidents.to_string();
    for (many, what) in [
        (f.open_incidents, Paper::OpenIncidents),
        (f.unknown_duration, Paper::UnknownDuration),
    ] {
        if many > 0 {
            text.push_str(&format!("; {many} {}", paper(voice, what)));
        }
    }
    text
}

fn mean_times(voice: &Voice, times: &Times) -> Vec<(Paper, String)> {
    let text = |s: Option<f64>| {
        s.map_or_else(
            || "?".to_owned(),
            |s| duration(voice, (s * 1000.0).round() as u64),
        )
    };
    vec![
        (Paper::Mttr, text(times.mttr_s)),
        (Paper::TimeToNotice, text(times.time_to_notice_s)),
        (Paper::DecisionTime, text(times.decision_s)),
        (Paper::TechnicalTime, text(times.technical_s)),
    ]
}

/// With the language's decimal mark, without needless zeros.
fn number(voice: &Voice, value: f64) -> String {
    let text = format!("{value:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    match voice.language {
        Language::English => text.to_owned(),
        Language::Indonesian => text.replace('.', ","),
    }
}

fn percent(voice: &Voice, value: Option<f64>) -> String {
    let Some(value) = value else {
        return "?".to_owned();
    };
    let text = format!("{value:.4} %");
    match voice.language {
        Language::English => text,
        Language::Indonesian => text.replace('.', ","),
    }
}

/// The paper: the figures, and the trend of each service as a picture.
pub fn document(
    voice: &Voice,
    site: &SiteView,
    period: &str,
    figures: &[Availability],
    trend: &[Availability],
) -> Document {
    let title = format!("{} {period}", paper(voice, Paper::AvailabilityReport));
    let mut blocks = Vec::new();
    if figures.is_empty() {
        blocks.push(Block::Text(paper(voice, Paper::NoService).to_owned()));
    }
    for f in figures {
        blocks.push(Block::Heading(format!(
            "{} {}, {}",
            paper(voice, Paper::ServiceName),
            f.service,
            f.period
        )));
        let remarks = remarks(voice, f);
        let fields = lines(voice, f);
        let fields = fields.into_iter().filter(|(n, _)| !remarks.contains(n));
        blocks.push(Block::Fields(fields.collect()));
        blocks.extend(remarks.into_iter().map(Block::Text));
        let of_service: Vec<&Availability> =
            trend.iter().filter(|t| t.service == f.service).collect();
        if of_service.len() > 1 {
            blocks.push(Block::Heading(trend_title(voice, &of_service)));
            blocks.push(Block::Bars(bars(voice, &of_service)));
        }
    }
    blocks.push(Block::Text(
        paper(voice, Paper::DrillsArePlanned).to_owned(),
    ));
    blocks.push(Block::Signatures(crate::signers(voice)));
    Document {
        language: voice.language,
        head: Head::of_report(voice, site, &title),
        blocks,
        foot: String::new(),
        data: None,
    }
}

/// Where the bars begin: near the worst value, else nothing is to be seen.
fn floor(trend: &[&Availability]) -> f64 {
    let values = trend.iter().filter_map(|t| t.availability_pct);
    let worst = values.fold(100.0_f64, f64::min);
    [99.9, 99.0, 95.0, 90.0, 50.0]
        .into_iter()
        .find(|floor| worst > *floor)
        .unwrap_or(0.0)
}

fn trend_title(voice: &Voice, trend: &[&Availability]) -> String {
    format!(
        "{} ({} - 100 %)",
        paper(voice, Paper::Trend),
        number(voice, floor(trend))
    )
}

fn bars(voice: &Voice, trend: &[&Availability]) -> Vec<Bar> {
    let floor = floor(trend);
    let bar = |t: &&Availability| Bar {
        label: t.period.clone(),
        share: t.availability_pct.map(|v| (v - floor) / (100.0 - floor)),
        text: percent(voice, t.availability_pct),
    };
    trend.iter().map(bar).collect()
}
