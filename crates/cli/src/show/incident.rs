//! Incidents and estimates on the screen.

use super::padded;
use crate::context::Context;
use siaga_model::UtcMicros;
use siaga_model::evidence::Evidence;
use siaga_model::incident::{Basis, Estimate, Range};
use siaga_model::incident_api::{EstimateAnswer, EstimatePhase, EstimateScore};
use siaga_model::record::{
    ClockStep, IncidentLine, IncidentRecord, IncidentState, IntegritySeen, RecordTime, Said,
    TimeSource,
};
use siaga_words::{RecordLabel as L, Ui, action_by_name, duration, move_kind, record_label, ui};

fn label(ctx: &Context, label: L) -> &'static str {
    record_label(&ctx.voice, label)
}

fn instant(ctx: &Context, at: Option<UtcMicros>) -> String {
    at.map_or_else(|| "-".to_owned(), |at| ctx.voice.instant(at))
}

fn span(ctx: &Context, ms: Option<u64>) -> String {
    ms.map_or_else(|| "-".to_owned(), |ms| duration(&ctx.voice, ms))
}

/// Said where there is nothing to show.
pub fn none(ctx: &Context) -> &'static str {
    label(ctx, L::NoIncidents)
}

/// Said where the log could not be written.
pub fn not_written(ctx: &Context) -> &'static str {
    label(ctx, L::NotWritten)
}

/// One line for each incident.
pub fn list(ctx: &Context, lines: &[IncidentLine]) -> String {
    if lines.is_empty() {
        return none(ctx).to_owned();
    }
    let mut rows = vec![
        [
            L::Number,
            L::State,
            L::Kind,
            L::Offline,
            L::Online,
            L::Duration,
        ]
        .map(|l| label(ctx, l).to_owned()),
    ];
    rows.extend(lines.iter().map(|line| {
        [
            line.id.clone(),
            siaga_words::incident_state(&ctx.voice, line.state).to_owned(),
            siaga_words::incident_kind(&ctx.voice, line.kind).to_owned(),
            instant(ctx, line.offline_at),
            instant(ctx, line.online_at),
            span(ctx, line.down_ms),
        ]
    }));
    let widths: [usize; 6] = std::array::from_fn(|column| {
        let of = |row: &[String; 6]| row[column].chars().count();
        rows.iter().map(of).max().unwrap_or(0)
    });
    let laid_out = |row: &[String; 6]| {
        let cells: Vec<String> = row.iter().zip(widths).map(|(c, w)| padded(c, w)).collect();
        cells.join("  ").trim_end().to_owned()
    };
    rows.iter().map(laid_out).collect::<Vec<_>>().join("\n")
}

/// What was written, and what comes next.
pub fn written(ctx: &Context, record: &IncidentRecord) -> String {
    let said = record
        .history
        .last()
        .map(|line| siaga_words::incident_entry(&ctx.voice, &line.entry));
    let mut lines = vec![format!("{}: {}", record.id, said.unwrap_or_default())];
    if let Some(next) = next(record) {
        lines.push(format!("{}: {next}", label(ctx, L::NextStep)));
    }
    lines.join("\n")
}

/// The command that is due next in the record's life.
fn next(record: &IncidentRecord) -> Option<String> {
    let id = &record.id;
    let command = match record.state {
        IncidentState::Suspected => "confirm",
        IncidentState::Confirmed if record.estimates.is_empty() => "estimate",
        IncidentState::Confirmed => "update --text \"...\"",
        IncidentState::UnderWatch => "all-clear",
        IncidentState::AllClear if !record.papers_left.is_empty() => {
            "back-entry UNIT --forms N --entered N"
        }
        IncidentState::AllClear => "close",
        IncidentState::Closed if record.review.is_none() => "review --root-cause \"...\"",
        IncidentState::Closed if record.signatures.is_empty() => "sign performer",
        IncidentState::Closed | IncidentState::Withdrawn | IncidentState::Merged => return None,
    };
    Some(format!("siaga incident {command} --incident {id}"))
}

/// The whole record.
pub fn record(ctx: &Context, r: &IncidentRecord) -> String {
    let voice = &ctx.voice;
    let mut page = Page {
        ctx,
        lines: vec![r.id.clone()],
    };
    page.row(L::State, siaga_words::incident_state(voice, r.state));
    page.row(L::Kind, siaga_words::incident_kind(voice, r.kind));
    page.some(L::Scope, r.scope.map(|s| siaga_words::scope(voice, s)));
    page.some(L::Level, r.level.map(|l| siaga_words::level(voice, l)));
    let services: Vec<&str> = r.services.iter().map(|s| s.as_str()).collect();
    page.row(L::Services, &services.join(", "));
    page.row(L::Origin, &siaga_words::origin(voice, &r.origin));
    page.some(L::Symptom, r.symptom.as_deref());
    page.some(L::ReportedBy, reported(r).as_deref());
    let opened = format!(
        "{} - {}",
        voice.instant(r.opened_at),
        r.opened_by.as_deref().unwrap_or("-")
    );
    page.row(L::Opened, &opened);
    let cared = r.acknowledged_by.as_ref().map(ToString::to_string);
    page.some(L::CaredForBy, cared.as_deref());
    let cause = r.cause.as_ref().map(|c| {
        format!(
            "{}; {}",
            siaga_words::cause_category(voice, c.category),
            c.text
        )
    });
    page.some(L::Cause, cause.as_deref());
    let decision = r.decision.as_ref().map(|d| match &r.decider {
        Some(who) => format!("{d} ({who})"),
        None => d.clone(),
    });
    page.some(L::Decision, decision.as_deref());
    page.list(L::Times, r.times.iter().map(|t| time(ctx, t)).collect());
    page.list(L::ClockSteps, clock_steps(ctx, r));
    page.list(L::Integrity, integrity(ctx, r));
    page.list(L::Figures, figures(ctx, r));
    page.list(L::Proofs, r.proofs.iter().map(|p| proof(ctx, p)).collect());
    page.list(L::Runs, runs(ctx, r));
    page.list(
        L::Estimates,
        r.estimates.iter().map(|e| given(ctx, e)).collect(),
    );
    page.list(L::Updates, said(ctx, &r.updates));
    page.list(L::Notes, said(ctx, &r.notes));
    page.list(L::Notices, notices(ctx, r));
    page.list(L::Impact, impact(ctx, r));
    page.list(L::BackEntry, back_entry(r));
    page.some(
        L::WatchUntil,
        r.watch_until.map(|at| voice.instant(at)).as_deref(),
    );
    if let Some(review) = &r.review {
        page.row(L::Review, &review.root_cause);
        page.some(L::WentWell, Some(review.went_well.as_str()));
        page.some(L::WentBadly, Some(review.went_badly.as_str()));
        page.some(L::ProcedureChange, review.procedure_change.as_deref());
        page.some(L::DataCheck, review.data_check.as_deref());
        page.some(L::LastBackup, review.last_backup.as_deref());
    }
    page.list(L::Actions, actions(ctx, r));
    let signatures = r.signatures.iter().map(|s| {
        let part = siaga_words::signed_as(voice, s.part);
        format!("{} - {part}, {}", s.person, voice.instant(s.at))
    });
    page.list(L::Signatures, signatures.collect());
    page.list(L::History, history(ctx, r));
    if !r.duties.is_empty() {
        page.lines.push(String::new());
        page.lines.push(ui(voice, Ui::WhatToDo));
        page.lines.extend(super::duties(voice, &r.duties));
    }
    if let Some(next) = next(r) {
        page.lines.push(String::new());
        page.row(L::NextStep, &next);
    }
    page.lines.join("\n")
}

struct Page<'a> {
    ctx: &'a Context,
    lines: Vec<String>,
}

impl Page<'_> {
    fn row(&mut self, what: L, value: &str) {
        let head = format!("{}:", label(self.ctx, what));
        self.lines.push(format!("  {} {value}", padded(&head, 20)));
    }

    fn some(&mut self, what: L, value: Option<&str>) {
        if let Some(value) = value.filter(|v| !v.is_empty()) {
            self.row(what, value);
        }
    }

    fn list(&mut self, what: L, rows: Vec<String>) {
        if rows.is_empty() {
            return;
        }
        self.lines.push(String::new());
        self.lines.push(format!("  {}", label(self.ctx, what)));
        self.lines
            .extend(rows.into_iter().map(|row| format!("    {row}")));
    }
}

fn reported(r: &IncidentRecord) -> Option<String> {
    let unit = r.reported_unit.as_ref().map(ToString::to_string);
    let parts: Vec<String> = [r.reported_by.clone(), unit, r.medium.clone()]
        .into_iter()
        .flatten()
        .collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// The value that counts, where it is from, and what else was said of it.
fn time(ctx: &Context, time: &RecordTime) -> String {
    let voice = &ctx.voice;
    let name = padded(siaga_words::time_kind(voice, time.time), 32);
    let source = match &time.source {
        None => String::new(),
        Some(TimeSource::Entered { by }) => format!("  ({} - {by})", label(ctx, L::Entered)),
        Some(TimeSource::Said { by }) => format!("  ({by})"),
        Some(TimeSource::Probe) => format!("  ({}, probe)", label(ctx, L::Measured)),
        Some(TimeSource::Node | TimeSource::Run { .. } | TimeSource::Notice { .. }) => {
            format!("  ({})", label(ctx, L::Measured))
        }
    };
    let mut text = format!("{name} {}{source}", instant(ctx, time.at));
    for correction in &time.corrections {
        text.push_str(&format!(
            "\n    {} {}: {} - {}, {}",
            padded("", 32),
            label(ctx, L::Corrected),
            instant(ctx, correction.at),
            correction.by,
            correction.reason
        ));
    }
    text
}

fn clock_steps(ctx: &Context, r: &IncidentRecord) -> Vec<String> {
    let step = |step: &ClockStep| {
        let by_ms = step.by_ms;
        let said = siaga_words::evidence(&ctx.voice, &Evidence::ClockStepped { by_ms });
        format!("{}  {}: {said}", ctx.voice.instant(step.at), step.node)
    };
    r.clock_steps.iter().map(step).collect()
}

fn integrity(ctx: &Context, r: &IncidentRecord) -> Vec<String> {
    let look = |seen: &IntegritySeen| {
        let said = siaga_words::integrity(&ctx.voice, &seen.report);
        format!("{}  {said}", ctx.voice.instant(seen.at))
    };
    r.integrity.iter().map(look).collect()
}

fn figures(ctx: &Context, r: &IncidentRecord) -> Vec<String> {
    [
        (L::DownTime, r.figures.down_ms),
        (L::TimeToDetect, r.figures.detect_ms),
        (L::TimeToNotice, r.figures.notice_ms),
        (L::TimeToDecide, r.figures.decision_ms),
        (L::TechnicalTime, r.figures.technical_ms),
    ]
    .into_iter()
    .map(|(name, ms)| format!("{} {}", padded(label(ctx, name), 32), span(ctx, ms)))
    .collect()
}

fn proof(ctx: &Context, proof: &siaga_model::proof::ProofRecord) -> String {
    format!(
        "{}: {}",
        proof.node,
        siaga_words::ground(&ctx.voice, &proof.ground)
    )
}

fn runs(ctx: &Context, r: &IncidentRecord) -> Vec<String> {
    let mut rows = Vec::new();
    for run in &r.runs {
        rows.push(format!(
            "{}  {}  {}  {}",
            ctx.voice.instant(run.started_at),
            move_kind(&ctx.voice, run.kind),
            siaga_words::ended(&ctx.voice, run.outcome.as_deref().unwrap_or("...")),
            run.who.as_deref().unwrap_or("-"),
        ));
        let lost = run.lost_rows.iter();
        rows.extend(
            lost.map(|l| format!("  {}", siaga_words::rows_lost(&ctx.voice, &l.probe, l.rows))),
        );
        rows.extend(run.steps.iter().map(|step| {
            format!(
                "  {} {} {} {}",
                padded(step.node.as_str(), 10),
                padded(&action_by_name(&ctx.voice, &step.action), 34),
                padded(&duration(&ctx.voice, step.duration_ms), 10),
                siaga_words::ended(&ctx.voice, &step.outcome)
            )
        }));
    }
    rows
}

fn given(ctx: &Context, estimate: &Estimate) -> String {
    format!(
        "{}  {}",
        ctx.voice.instant(estimate.given_at),
        siaga_words::estimate(&ctx.voice, estimate)
    )
}

fn said(ctx: &Context, said: &[Said]) -> Vec<String> {
    let line = |s: &Said| {
        let by = s.by.as_deref().unwrap_or("-");
        format!("{}  {} - {by}", ctx.voice.instant(s.at), s.text)
    };
    said.iter().map(line).collect()
}

fn notices(ctx: &Context, r: &IncidentRecord) -> Vec<String> {
    let line = |n: &siaga_model::record::NoticeLine| {
        format!(
            "{}  {}  {}",
            instant(ctx, n.first_sent_at.or(Some(n.drafted_at))),
            siaga_words::moment(&ctx.voice, n.moment),
            n.sent
        )
    };
    r.notices.iter().map(line).collect()
}

fn impact(ctx: &Context, r: &IncidentRecord) -> Vec<String> {
    let yes_no = |value: Option<bool>, yes, no| match value {
        Some(true) => label(ctx, yes),
        Some(false) => label(ctx, no),
        None => label(ctx, L::NotKnown),
    };
    let line = |i: &siaga_model::incident::UnitImpact| {
        format!(
            "{} {}, {} {} {}",
            padded(i.unit.as_str(), 16),
            yes_no(i.affected, L::Affected, L::NotAffected),
            yes_no(i.went_to_paper, L::Paper, L::NoPaper),
            i.count.map_or_else(String::new, |c| format!("({c})")),
            i.note
        )
        .trim_end()
        .to_owned()
    };
    r.impact.iter().map(line).collect()
}

fn back_entry(r: &IncidentRecord) -> Vec<String> {
    let number = |n: Option<u64>| n.map_or_else(|| "?".to_owned(), |n| n.to_string());
    let line = |e: &siaga_model::incident::BackEntry| {
        let verified = e.verified_by.as_deref().unwrap_or("-");
        format!(
            "{} {} / {}  ({verified})",
            padded(e.unit.as_str(), 16),
            number(e.entered),
            number(e.forms)
        )
    };
    r.back_entry.iter().map(line).collect()
}

fn actions(ctx: &Context, r: &IncidentRecord) -> Vec<String> {
    let line = |a: &siaga_model::incident::CorrectiveAction| {
        let state = label(ctx, if a.done { L::Done } else { L::Open });
        format!(
            "{}. {} - {}, {} ({state})",
            a.number, a.text, a.owner, a.due
        )
    };
    r.actions.iter().map(line).collect()
}

fn history(ctx: &Context, r: &IncidentRecord) -> Vec<String> {
    let line = |h: &siaga_model::record::HistoryLine| {
        format!(
            "{}  {} {} - {}",
            ctx.voice.instant(h.at),
            padded(h.node.as_str(), 10),
            siaga_words::incident_entry(&ctx.voice, &h.entry),
            h.by.as_deref().unwrap_or("-")
        )
    };
    r.history.iter().map(line).collect()
}

/// The estimate as of now, with what it stands on.
pub fn estimate(ctx: &Context, answer: &EstimateAnswer) -> String {
    let phase = match answer.phase {
        EstimatePhase::Serving => return label(ctx, L::ServingNow).to_owned(),
        EstimatePhase::Undecided => label(ctx, L::NobodyDecided),
        EstimatePhase::Running => label(ctx, L::RunAtWork),
    };
    let range = match (answer.low_s, answer.likely_s, answer.high_s) {
        (Some(low_s), Some(likely_s), Some(high_s)) => Some(Range {
            low_s,
            likely_s,
            high_s,
        }),
        _ => None,
    };
    let text = siaga_words::estimate(
        &ctx.voice,
        &Estimate {
            range,
            given_at: answer.next_update_at,
            next_update_at: answer.next_update_at,
            based_on: Vec::new(),
        },
    );
    let mut lines = vec![
        format!("{}: {text} ({phase})", label(ctx, L::Estimate)),
        format!(
            "{}: {}",
            label(ctx, L::NextUpdate),
            ctx.voice.instant(answer.next_update_at)
        ),
        format!("{}:", label(ctx, L::BasedOn)),
    ];
    lines.extend(
        answer
            .based_on
            .iter()
            .map(|b| format!("  {}", basis(ctx, b))),
    );
    if answer.exceeded {
        lines.push(label(ctx, L::Exceeded).to_owned());
    }
    lines.join("\n")
}

fn basis(ctx: &Context, basis: &Basis) -> String {
    let step = |action: &str| action_by_name(&ctx.voice, action);
    match basis {
        Basis::OwnRuns { action, times } => {
            format!("{}: {times} {}", step(action), label(ctx, L::OwnRuns))
        }
        Basis::Prior { action } => format!("{}: {}", step(action), label(ctx, L::Prior)),
        Basis::Decisions { times } => format!("{times} {}", label(ctx, L::OwnDecisions)),
        Basis::DecisionPrior => label(ctx, L::DecisionPrior).to_owned(),
        Basis::WriteBack { bytes, bytes_per_s } => {
            format!("{}: {bytes} B, {bytes_per_s} B/s", step("checkpoint"))
        }
        Basis::Redo { bytes, bytes_per_s } => format!("WAL {bytes} B, {bytes_per_s} B/s"),
        Basis::Person => label(ctx, L::APerson).to_owned(),
    }
}

/// How good the estimates were.
pub fn score(ctx: &Context, score: &EstimateScore) -> String {
    let Some(pct) = score.in_range_pct else {
        return label(ctx, L::ScoreNone).to_owned();
    };
    let seconds = |s: Option<u64>| span(ctx, s.map(|s| s.saturating_mul(1000)));
    [
        (L::ScoreGiven, score.given.to_string()),
        (L::ScoreInRange, format!("{} ({pct} %)", score.in_range)),
        (L::ScoreWidth, seconds(score.median_width_s)),
        (L::ScoreError, seconds(score.median_error_s)),
        (L::ScoreUnknown, score.without_range.to_string()),
    ]
    .into_iter()
    .map(|(name, value)| format!("{} {value}", padded(label(ctx, name), 38)))
    .collect::<Vec<_>>()
    .join("\n")
}
