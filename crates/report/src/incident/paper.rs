//! The report of an incident on paper.

use super::IncidentDocument;
use crate::document::{Block, Column, Document, Head};
use crate::drill::Parts;
use crate::{capital, moves};
use siaga_model::UtcMicros;
use siaga_model::api::{MoveReport, SiteView};
use siaga_model::evidence::Evidence;
use siaga_model::incident::{SignedAs, TimeKind};
use siaga_words::{
    Paper, RecordLabel, Voice, cause_category, duration, incident_kind, level, moment, paper,
    record_label, scope, signed_as, time_kind,
};

pub(crate) fn document(voice: &Voice, site: &SiteView, incident: &IncidentDocument) -> Document {
    let mut parts = Parts {
        voice,
        blocks: Vec::new(),
        number: 0,
    };
    identity(&mut parts, incident);
    parts.head(Paper::Times);
    parts.blocks.push(time_table(voice, incident));
    parts.fields(durations(voice, incident));
    first_sign(&mut parts, incident);
    cause_and_decision(&mut parts, incident);
    parts.head(Paper::Timeline);
    let runs: Vec<&MoveReport> = incident.runs.iter().collect();
    parts
        .blocks
        .push(Block::Timeline(moves::spans(voice, &runs)));
    for run in &incident.runs {
        parts.blocks.push(moves::step_table(voice, run));
        parts
            .blocks
            .push(moves::outage_table(voice, run, site.rto_s));
        parts.blocks.extend(moves::lost_rows(voice, run));
        parts.blocks.push(moves::test_table(voice, run));
    }
    integrity(&mut parts, incident);
    parts.head(Paper::NoticesSent);
    parts.blocks.push(notice_table(voice, incident));
    parts.head(Paper::ImpactPerUnit);
    parts.blocks.push(unit_table(voice, site, incident));
    review(&mut parts, incident);
    parts.head(Paper::Actions);
    parts
        .blocks
        .push(moves::action_table(voice, &incident.actions));
    parts.head(Paper::Signatures);
    parts
        .blocks
        .push(Block::Signatures(signatures(voice, incident)));
    let note = paper(voice, Paper::RecordInside).to_owned();
    parts.blocks.push(Block::Text(note));
    let mut head = Head::of_report(voice, site, paper(voice, Paper::IncidentTitle));
    head.number = incident.number.clone().unwrap_or_default();
    Document {
        language: voice.language,
        head,
        blocks: parts.blocks,
        foot: String::new(),
        data: None,
    }
}

fn identity(parts: &mut Parts, incident: &IncidentDocument) {
    let voice = parts.voice;
    let services: Vec<&str> = incident.services.iter().map(|s| s.as_str()).collect();
    let said = |text: Option<&'static str>| text.unwrap_or_default().to_owned();
    parts.head(Paper::Identity);
    parts.fields([
        (
            Paper::IncidentNumber,
            incident.number.clone().unwrap_or_default(),
        ),
        (
            Paper::IncidentKind,
            said(incident.kind.map(|k| incident_kind(voice, k))),
        ),
        (
            Paper::IncidentScope,
            said(incident.scope.map(|s| scope(voice, s))),
        ),
        (
            Paper::IncidentLevel,
            said(incident.level.map(|l| level(voice, l))),
        ),
        (Paper::ServiceName, services.join(", ")),
    ]);
}

/// Where a look at the files was made: without one nothing is said of them.
fn integrity(parts: &mut Parts, incident: &IncidentDocument) {
    if incident.integrity.is_empty() {
        return;
    }
    parts.head(Paper::Integrity);
    for seen in &incident.integrity {
        let said = siaga_words::integrity(parts.voice, &seen.report);
        let line = format!("{}  {said}", parts.voice.instant(seen.at));
        parts.blocks.push(Block::Text(line));
    }
}

/// All the times there are, also those that nobody knows.
fn time_table(voice: &Voice, incident: &IncidentDocument) -> Block {
    let columns = vec![
        Column::text(paper(voice, Paper::TimeWhat), 1.6),
        Column::text(paper(voice, Paper::TimeAt), 1.9),
        Column::text(paper(voice, Paper::TimeSource), 2.2),
    ];
    let mut rows = Vec::new();
    for kind in TimeKind::ALL {
        let name = capital(time_kind(voice, kind));
        let known = incident.times.get(&kind).filter(|t| !t.is_empty());
        let Some(known) = known else {
            rows.push(vec![name, String::new(), String::new()]);
            continue;
        };
        for time in known {
            let at = time.at.map(|at| voice.instant(at)).unwrap_or_default();
            let how = match time.measured {
                true => Paper::Measured,
                false => Paper::Entered,
            };
            let mut source = format!("{} {}", paper(voice, how), time.by);
            if !time.reason.is_empty() {
                source.push_str(&format!(": {}", time.reason));
            }
            rows.push(vec![name.clone(), at, source]);
        }
    }
    for step in &incident.clock_steps {
        let by_ms = step.by_ms;
        let said = siaga_words::evidence(voice, &Evidence::ClockStepped { by_ms });
        let name = record_label(voice, RecordLabel::ClockSteps).to_owned();
        let said = format!("{}: {said}", step.node);
        rows.push(vec![name, voice.instant(step.at), said]);
    }
    Block::Table { columns, rows }
}

/// The newest word on a time counts.
fn at(incident: &IncidentDocument, kind: TimeKind) -> Option<UtcMicros> {
    incident.times.get(&kind)?.last()?.at
}

fn durations(voice: &Voice, incident: &IncidentDocument) -> [(Paper, String); 5] {
    let between = |from, to| {
        let (from, to) = (at(incident, from)?, at(incident, to)?);
        (to >= from).then(|| duration(voice, to.millis_since(from)))
    };
    use TimeKind as T;
    [
        (Paper::TotalDowntime, between(T::Offline, T::ClientOk)),
        (Paper::TimeToDetect, between(T::Offline, T::Detected)),
        (Paper::TimeToNotice, between(T::Detected, T::FirstNotice)),
        (Paper::DecisionTime, between(T::Confirmed, T::Decided)),
        (Paper::TechnicalTime, between(T::TakeStart, T::ClientOk)),
    ]
    .map(|(name, text)| (name, text.unwrap_or_default()))
}

fn first_sign(parts: &mut Parts, incident: &IncidentDocument) {
    let first = &incident.first;
    parts.head(Paper::FirstSign);
    parts.fields([
        (Paper::Symptom, first.symptom.clone()),
        (
            Paper::ReportedBy,
            first.reported_by.clone().unwrap_or_default(),
        ),
        (
            Paper::UnitName,
            first
                .unit
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
        ),
        (Paper::Medium, first.medium.clone().unwrap_or_default()),
    ]);
}

fn cause_and_decision(parts: &mut Parts, incident: &IncidentDocument) {
    let voice = parts.voice;
    let cause = incident.cause.as_ref().map(|(category, text)| {
        format!("{}: {text}", cause_category(voice, *category))
            .trim_end_matches([':', ' '])
            .to_owned()
    });
    parts.head(Paper::CauseAndDecision);
    parts.fields([
        (Paper::CauseKnown, cause.unwrap_or_default()),
        (
            Paper::Decision,
            incident.decision.clone().unwrap_or_default(),
        ),
        (Paper::Decider, incident.decider.clone().unwrap_or_default()),
        (Paper::MadeSafe, incident.made_safe.join("; ")),
    ]);
}

fn notice_table(voice: &Voice, incident: &IncidentDocument) -> Block {
    let columns = vec![
        Column::text(paper(voice, Paper::TimeAt), 1.6),
        Column::text(paper(voice, Paper::NoticeMoment), 1.4),
        Column::text(paper(voice, Paper::NoticeTo), 1.4),
        Column::text(paper(voice, Paper::NoticeChannel), 1.0),
        Column::text(paper(voice, Paper::NoticeBy), 1.0),
        Column::text(paper(voice, Paper::NoticeReceived), 0.9),
    ];
    let mut rows: Vec<Vec<String>> = incident
        .notices
        .iter()
        .map(|n| {
            vec![
                voice.instant(n.at),
                moment(voice, n.moment).to_owned(),
                n.to.clone(),
                n.channel.clone(),
                n.by.clone(),
                yes_no(voice, n.received),
            ]
        })
        .collect();
    if rows.is_empty() {
        rows = vec![vec![" \n ".to_owned(); 6]; 3];
    }
    Block::Table { columns, rows }
}

fn yes_no(voice: &Voice, value: Option<bool>) -> String {
    match value {
        Some(true) => paper(voice, Paper::Yes).to_owned(),
        Some(false) => paper(voice, Paper::No).to_owned(),
        None => String::new(),
    }
}

/// Every unit has a row: "not affected" is information, a missing row is not.
fn unit_table(voice: &Voice, site: &SiteView, incident: &IncidentDocument) -> Block {
    let columns = vec![
        Column::text(paper(voice, Paper::UnitName), 2.0),
        Column::text(paper(voice, Paper::Affected), 0.9),
        Column::text(paper(voice, Paper::WentToPaper), 0.9),
        Column::number(paper(voice, Paper::Count), 0.8),
        Column::number(paper(voice, Paper::Forms), 0.9),
        Column::number(paper(voice, Paper::FormsEntered), 0.9),
        Column::number(paper(voice, Paper::FormsLeft), 0.8),
        Column::text(paper(voice, Paper::Remark), 1.6),
    ];
    let number = |n: Option<u64>| n.map(|n| n.to_string()).unwrap_or_default();
    let mut rows: Vec<Vec<String>> = incident
        .units
        .iter()
        .map(|(unit, title)| {
            let impact = incident.impacts.iter().find(|i| &i.unit == unit);
            let entry = incident.back_entries.iter().find(|e| &e.unit == unit);
            let (forms, entered) = (entry.and_then(|e| e.forms), entry.and_then(|e| e.entered));
            let left = forms.zip(entered).map(|(f, e)| f.abs_diff(e));
            vec![
                title.clone(),
                yes_no(voice, impact.and_then(|i| i.affected)),
                yes_no(voice, impact.and_then(|i| i.went_to_paper)),
                number(impact.and_then(|i| i.count)),
                number(forms),
                number(entered),
                number(left),
                impact.map(|i| i.note.clone()).unwrap_or_default(),
            ]
        })
        .collect();
    if rows.is_empty() {
        let related = site.document.related_units.iter();
        rows = related
            .map(|name| {
                let mut row = vec![String::new(); 8];
                row[0] = format!("{name}\n ");
                row
            })
            .collect();
    }
    Block::Table { columns, rows }
}

fn review(parts: &mut Parts, incident: &IncidentDocument) {
    let review = incident.review.clone().unwrap_or_default();
    parts.head(Paper::Review);
    parts.fields([
        (Paper::LastBackup, review.last_backup.unwrap_or_default()),
        (Paper::DataCheck, review.data_check.unwrap_or_default()),
        (Paper::RootCause, review.root_cause),
        (Paper::WentWell, review.went_well),
        (Paper::WentBadly, review.went_badly),
        (
            Paper::SopChangeNeeded,
            review.procedure_change.unwrap_or_default(),
        ),
    ]);
}

fn signatures(voice: &Voice, incident: &IncidentDocument) -> Vec<(String, String)> {
    [
        SignedAs::Performer,
        SignedAs::Verifier,
        SignedAs::Management,
    ]
    .map(|part| {
        let name = incident.signed.get(&part).cloned().unwrap_or_default();
        (capital(signed_as(voice, part)), name)
    })
    .to_vec()
}
