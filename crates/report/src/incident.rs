//! The report of an incident (*berita acara*): what was measured and entered, and lines for what is not known.

use crate::document::{Block, Column, Document, Head};
use crate::drill::{Order, Parts};
use crate::{capital, moves};
use serde::{Deserialize, Serialize};
use siaga_journal::log_book::parse;
use siaga_model::api::{EventView, MoveReport, SeenBy, SiteView};
use siaga_model::incident::{
    BackEntry, CauseCategory, CorrectiveAction, FirstSign, IncidentKind, Level, Review, Scope,
    SignedAs, TimeKind, UnitImpact,
};
use siaga_model::notice::Moment;
use siaga_model::plan::MoveKind;
use siaga_model::{ServiceName, UtcMicros};
use siaga_words::{
    Paper, Voice, cause_category, duration, incident_kind, level, moment, paper, scope, signed_as,
    time_kind,
};
use std::collections::BTreeMap;

/// What the report is made from. Every field may be empty: unknown is blank.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct IncidentDocument {
    pub number: Option<String>,
    pub kind: Option<IncidentKind>,
    pub scope: Option<Scope>,
    pub level: Option<Level>,
    pub services: Vec<ServiceName>,
    pub first: FirstSign,
    /// Each time with all that is known of it: a correction stands beside what was measured.
    pub times: BTreeMap<TimeKind, Vec<RecordedTime>>,
    pub cause: Option<(CauseCategory, String)>,
    pub decision: Option<String>,
    pub decider: Option<String>,
    /// How the old server was made safe.
    pub made_safe: Vec<String>,
    pub runs: Vec<MoveReport>,
    pub notices: Vec<NoticeLine>,
    /// All units of the site, by short name and title.
    pub units: Vec<(siaga_model::UnitName, String)>,
    pub impacts: Vec<UnitImpact>,
    pub back_entries: Vec<BackEntry>,
    pub review: Option<Review>,
    pub actions: Vec<CorrectiveAction>,
    pub signed: BTreeMap<SignedAs, String>,
}

/// A time and where it comes from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RecordedTime {
    /// `None`: taken back.
    pub at: Option<UtcMicros>,
    /// Measured, or entered by a person.
    pub measured: bool,
    /// The witness, or the person.
    pub by: String,
    pub reason: String,
}

/// A notice that went out.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NoticeLine {
    pub at: UtcMicros,
    pub moment: Moment,
    pub channel: String,
    pub to: String,
    pub by: String,
    pub received: Option<bool>,
}

impl IncidentDocument {
    /// From a run alone, where nobody kept a record.
    pub fn of_run(run: MoveReport, events: &[EventView]) -> Self {
        let order = Order::of_events(events);
        let kind = match run.kind {
            MoveKind::Takeover | MoveKind::Cover => IncidentKind::Unplanned,
            MoveKind::Drill => IncidentKind::Drill,
            MoveKind::Switchover
            | MoveKind::Failback
            | MoveKind::Restart
            | MoveKind::Stop
            | MoveKind::Start
            | MoveKind::Resume
            | MoveKind::Abort
            | MoveKind::Restore => IncidentKind::Planned,
        };
        Self {
            kind: Some(kind),
            services: vec![run.service.clone()],
            times: times_of_run(&run, &order),
            decision: order.reason.clone(),
            decider: order.approved_by.or(order.requested_by),
            made_safe: run.proof.iter().map(ToString::to_string).collect(),
            runs: vec![run],
            ..Self::default()
        }
    }
}

fn times_of_run(run: &MoveReport, order: &Order) -> BTreeMap<TimeKind, Vec<RecordedTime>> {
    let mut times = BTreeMap::new();
    let mut add = |kind: TimeKind, at: Option<UtcMicros>, by: &str| {
        if at.is_some() {
            let time = RecordedTime {
                at,
                measured: true,
                by: by.to_owned(),
                reason: String::new(),
            };
            times.entry(kind).or_insert_with(|| vec![time]);
        }
    };
    let witness = |o: &siaga_model::api::Outage| match (o.seen_by, &o.probe) {
        (SeenBy::Probe, Some(probe)) => probe.clone(),
        (SeenBy::Probe, None) => "probe".to_owned(),
        (SeenBy::Node, _) => "agent".to_owned(),
    };
    if let Some(first) = run.outages.first() {
        let at = first.offline_at.as_deref().and_then(parse);
        add(TimeKind::Offline, at, &witness(first));
    }
    if let Some(last) = run.outages.last() {
        let at = last.online_at.as_deref().and_then(parse);
        add(TimeKind::ClientOk, at, &witness(last));
    }
    add(TimeKind::Decided, order.at, "agent");
    for step in &run.steps {
        let begin = parse(&step.started_at);
        let length = i64::try_from(step.duration_ms).unwrap_or(0) * 1000;
        let end = begin.map(|at| UtcMicros(at.0.saturating_add(length)));
        let node = step.node.as_str();
        match step.action.as_str() {
            "fence" if step.outcome.is_done() => add(TimeKind::Fenced, end, node),
            "take" => add(TimeKind::TakeStart, begin, node),
            "start_database" if step.outcome.is_done() => {
                add(TimeKind::DatabaseAccepting, end, node);
            }
            _ => {}
        }
    }
    times
}

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
        parts.blocks.push(moves::test_table(voice, run));
    }
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
