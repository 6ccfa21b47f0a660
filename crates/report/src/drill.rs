//! The report of a drill: what was measured, and lines for what people add.

use crate::document::{Block, Column, Document, Head};
use crate::moves;
use serde::{Deserialize, Serialize};
use siaga_model::UtcMicros;
use siaga_model::api::{EventView, MoveReport, SiteView};
use siaga_model::event::EventBody;
use siaga_words::{Paper, Ui, Voice, duration, move_kind, paper, ui};

/// What a drill's report is made from. What is not known is left for the pen.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct DrillDocument {
    /// The run as it was measured.
    pub run: MoveReport,
    pub order: Order,
    pub ended_at: Option<UtcMicros>,
}

/// Who ordered a run, when and why.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Order {
    pub at: Option<UtcMicros>,
    pub ordered_by: Option<String>,
    pub requested_by: Option<String>,
    pub approved_by: Option<String>,
    pub reason: Option<String>,
}

impl Order {
    /// From the run's events.
    pub fn of_events(events: &[EventView]) -> Self {
        let accepted = events.iter().find_map(|view| match &view.event.body {
            EventBody::RunAccepted {
                reason,
                requested_by,
                approved_by,
                ..
            } => Some(Order {
                at: Some(view.at),
                ordered_by: view.event.actor.as_ref().map(|a| a.name.clone()),
                requested_by: requested_by.as_ref().map(ToString::to_string),
                approved_by: approved_by.as_ref().map(ToString::to_string),
                reason: Some(reason.clone()).filter(|r| !r.is_empty()),
            }),
            _ => None,
        });
        accepted.unwrap_or_default()
    }
}

/// When a run ended, by its events.
pub fn ended_at(events: &[EventView]) -> Option<UtcMicros> {
    let ends = |view: &&EventView| matches!(view.event.body, EventBody::RunEnded { .. });
    events.iter().rfind(ends).map(|view| view.at)
}

impl DrillDocument {
    /// From a run and its events.
    pub fn of_run(run: MoveReport, events: &[EventView]) -> Self {
        Self {
            run,
            order: Order::of_events(events),
            ended_at: ended_at(events),
        }
    }
}

pub(crate) fn document(voice: &Voice, site: &SiteView, drill: &DrillDocument) -> Document {
    let mut parts = Parts {
        voice,
        blocks: Vec::new(),
        number: 0,
    };
    identity(&mut parts, site, drill);
    parts.head(Paper::DrillKind);
    parts.fields([(
        Paper::DrillKind,
        paper(voice, Paper::DrillKindLive).to_owned(),
    )]);
    parts.head(Paper::DrillGoals);
    parts.blocks.push(Block::Text(goals(voice, site)));
    parts.pen(Paper::DrillScenario, 2);
    participants(&mut parts);
    parts.pen(Paper::DrillPreflight, 2);
    parts.head(Paper::Timeline);
    let spans = moves::spans(voice, &[&drill.run]);
    parts.blocks.push(Block::Timeline(spans));
    parts.blocks.push(moves::step_table(voice, &drill.run));
    parts.head(Paper::MeasuredOutages);
    parts
        .blocks
        .push(moves::outage_table(voice, &drill.run, site.rto_s));
    parts.blocks.extend(moves::lost_rows(voice, &drill.run));
    parts.blocks.push(moves::test_table(voice, &drill.run));
    parts.pen(Paper::NoticesSent, 3);
    parts.head(Paper::Deviations);
    parts.blocks.extend(deviations(voice, drill));
    parts.pen(Paper::DrillFindings, 3);
    parts.head(Paper::Actions);
    parts.blocks.push(moves::action_table(voice, &[]));
    parts.head(Paper::SopChange);
    parts.fields([
        (Paper::SopChangeNeeded, String::new()),
        (Paper::SopNewRevision, String::new()),
    ]);
    parts.head(Paper::Conclusion);
    parts.blocks.push(Block::Text(verdict(voice, site, drill)));
    parts.fields([(Paper::ConclusionChoice, String::new())]);
    parts.head(Paper::Signatures);
    parts.blocks.push(Block::Signatures(crate::signers(voice)));
    parts
        .blocks
        .push(Block::Text(paper(voice, Paper::RecordInside).to_owned()));
    let title = paper(voice, Paper::DrillTitle);
    Document {
        language: voice.language,
        head: Head::of_report(voice, site, title),
        blocks: parts.blocks,
        foot: String::new(),
        data: None,
    }
}

/// The numbered parts of a report.
pub(crate) struct Parts<'a> {
    pub voice: &'a Voice,
    pub blocks: Vec<Block>,
    pub number: u32,
}

impl Parts<'_> {
    pub fn head(&mut self, title: Paper) {
        self.number += 1;
        let title = paper(self.voice, title);
        let text = format!("{}. {title}", self.number);
        self.blocks.push(Block::Heading(text));
    }

    /// A part that is written by hand.
    pub fn pen(&mut self, title: Paper, lines: u8) {
        self.head(title);
        self.blocks.push(Block::Lines(lines));
    }

    pub fn fields(&mut self, fields: impl IntoIterator<Item = (Paper, String)>) {
        let named = |(name, value)| (paper(self.voice, name).to_owned(), value);
        let fields = fields.into_iter().map(named).collect();
        self.blocks.push(Block::Fields(fields));
    }
}

fn identity(parts: &mut Parts, site: &SiteView, drill: &DrillDocument) {
    let voice = parts.voice;
    let instant = |at: Option<UtcMicros>| at.map(|at| voice.instant(at)).unwrap_or_default();
    let order = &drill.order;
    parts.head(Paper::Identity);
    let sop = format!("{} / {}", site.document.number, site.document.revision);
    parts.fields([
        (Paper::SopNumber, sop.trim_matches([' ', '/']).to_owned()),
        (Paper::RunNumber, drill.run.run_id.to_string()),
        (Paper::ServiceName, drill.run.service.to_string()),
        (Paper::Begun, instant(order.at)),
        (Paper::Ended, instant(drill.ended_at)),
        (
            Paper::OrderedBy,
            order.ordered_by.clone().unwrap_or_default(),
        ),
        (
            Paper::RequestedBy,
            order.requested_by.clone().unwrap_or_default(),
        ),
        (
            Paper::PermittedBy,
            order.approved_by.clone().unwrap_or_default(),
        ),
        (Paper::ReasonGiven, order.reason.clone().unwrap_or_default()),
    ]);
}

fn goals(voice: &Voice, site: &SiteView) -> String {
    let goal = match site.rto_s {
        Some(s) => duration(voice, s.saturating_mul(1000)),
        None => "____".to_owned(),
    };
    paper(voice, Paper::DrillGoalsText).replace("{rto}", &goal)
}

fn participants(parts: &mut Parts) {
    let voice = parts.voice;
    parts.head(Paper::Participants);
    let columns = vec![
        Column::text(paper(voice, Paper::PersonName), 2.0),
        Column::text(paper(voice, Paper::PersonRole), 1.5),
        Column::text(paper(voice, Paper::UnitName), 1.5),
        Column::text(paper(voice, Paper::Signature), 1.5),
    ];
    let rows = vec![
        vec![
            " \n ".to_owned(),
            String::new(),
            String::new(),
            String::new()
        ];
        4
    ];
    parts.blocks.push(Block::Table { columns, rows });
}

/// How it ended, where it did not simply end well, and every step that did not go as planned.
fn deviations(voice: &Voice, drill: &DrillDocument) -> Vec<Block> {
    let mut lines = Vec::new();
    if drill.run.outcome != "done" {
        let message = drill.run.message.clone().unwrap_or_default();
        lines.push(format!(
            "{}: {} {message}",
            move_kind(voice, drill.run.kind),
            moves::run_outcome(voice, &drill.run.outcome)
        ));
    }
    lines.extend(moves::troubles(voice, &drill.run));
    match lines.is_empty() {
        true => vec![
            Block::Text(paper(voice, Paper::NoDeviation).to_owned()),
            Block::Lines(2),
        ],
        false => vec![Block::Text(lines.join("\n")), Block::Lines(2)],
    }
}

/// What the measurements say; people conclude.
fn verdict(voice: &Voice, site: &SiteView, drill: &DrillDocument) -> String {
    let run = &drill.run;
    let done = run.outcome == "done";
    let tests = run.client_tests.iter().map(|t| t.passed);
    let tested = !run.client_tests.is_empty() && tests.clone().all(|p| p == Some(true));
    let failed = tests.clone().any(|p| p == Some(false));
    let late = |o: &siaga_model::api::Outage| {
        let goal_ms = site.rto_s.map(|s| s.saturating_mul(1000));
        o.downtime_ms.zip(goal_ms).map(|(ms, goal)| ms > goal)
    };
    let too_long = run.outages.iter().any(|o| late(o) == Some(true));
    let measured = run.outages.len() >= 2 && run.outages.iter().all(|o| late(o).is_some());
    let failed = failed || !run.lost_rows.is_empty();
    let grade = match (done, failed || too_long, tested && measured) {
        (false, _, _) | (_, true, _) => ui(voice, Ui::DrillNotPassed),
        (true, false, true) => ui(voice, Ui::DrillPassed),
        (true, false, false) => ui(voice, Ui::DrillNotGraded),
    };
    format!("{} {grade}", paper(voice, Paper::ByMeasurement))
}
