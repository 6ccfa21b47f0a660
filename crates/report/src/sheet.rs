//! One page at any moment: what is done, what state each thing is in, the exact next command by hand, who was told.

use crate::document::{Block, Column, Document, Head, Step as ByHand};
use crate::drill::Order;
use crate::moves;
use crate::report::foot;
use crate::sop::disk_set::LetGo;
use crate::sop::parts::Place;
use crate::sop::unit_table;
use siaga_model::api::{EventView, SiteView};
use siaga_model::config::Config;
use siaga_model::event::EventBody;
use siaga_model::plan::{Action, MandatedPlan, PlannedProof, Step};
use siaga_model::run::{RunOutcome, StepOutcome};
use siaga_model::seal::Seal;
use siaga_model::why::Why;
use siaga_model::{NodeName, ServiceName, StepId, UtcMicros};
use siaga_words::{Paper, Procedure, Ui, Voice, action, failure, move_kind, paper, procedure, ui};
use std::collections::BTreeMap;

/// What the sheet is made from.
pub struct Moment<'a> {
    pub site: &'a SiteView,
    /// `None`: it can't be read here, and there are no commands.
    pub config: Option<&'a Config>,
    pub service: &'a ServiceName,
    /// The events of the newest run, in order. Empty: there is none.
    pub events: &'a [EventView],
    /// The agent's sentence on where the service is. `None`: the agent is dead.
    pub sentence: Option<String>,
    pub at: UtcMicros,
    pub seal: &'a Seal,
}

/// How far a step has come.
enum State<'a> {
    Done(UtcMicros),
    Failed(UtcMicros, &'a siaga_model::run::StepFailure),
    Unknown(UtcMicros, &'a Why),
    /// The steps before it are done, and nobody said how this one ended: it may have begun.
    MayHaveBegun,
    Waiting,
}

/// The paper.
pub fn document(voice: &Voice, moment: &Moment) -> Document {
    let mut blocks = vec![Block::Fields(state(voice, moment))];
    if moment.sentence.is_none() {
        let text = paper(voice, Paper::SheetFromFiles).to_owned();
        blocks.push(Block::Warning(text));
    }
    match newest_plan(moment.events) {
        None => blocks.push(Block::Text(paper(voice, Paper::SheetNoRun).to_owned())),
        Some(plan) => blocks.extend(plan_blocks(voice, moment, plan)),
    }
    blocks.extend(told(voice, moment));
    let service = moment.service;
    let title = format!("{} {service}", paper(voice, Paper::SheetTitle));
    Document {
        language: voice.language,
        head: Head {
            date: voice.instant(moment.at),
            ..Head::of_report(voice, moment.site, &title)
        },
        blocks,
        foot: foot(voice, moment.at, moment.seal),
        data: None,
    }
}

fn state(voice: &Voice, moment: &Moment) -> Vec<(String, String)> {
    let name = |p| paper(voice, p).to_owned();
    let mut fields = vec![(
        name(Paper::SheetState),
        moment.sentence.clone().unwrap_or_else(|| "?".to_owned()),
    )];
    if let Some(newest) = moment.events.last() {
        fields.push((name(Paper::SheetNewest), voice.instant(newest.at)));
    }
    let run = moment.events.iter().find_map(|v| v.event.run.clone());
    let Some(run) = run else { return fields };
    let kind = moment.events.iter().find_map(|v| match &v.event.body {
        EventBody::RunAccepted { move_kind, .. } => Some(*move_kind),
        _ => None,
    });
    let order = Order::of_events(moment.events);
    let kind = kind.map(|k| move_kind(voice, k)).unwrap_or_default();
    fields.push((name(Paper::RunNumber), format!("{run} ({kind})")));
    let at = order.at.map(|at| voice.instant(at)).unwrap_or_default();
    fields.push((name(Paper::Begun), at));
    fields.push((name(Paper::OrderedBy), order.ordered_by.unwrap_or_default()));
    fields.push((name(Paper::ReasonGiven), order.reason.unwrap_or_default()));
    fields.push((ui(voice, Ui::Result), result(voice, moment.events)));
    fields
}

fn result(voice: &Voice, events: &[EventView]) -> String {
    let ended = events.iter().rev().find_map(|v| match &v.event.body {
        EventBody::RunEnded { outcome, .. } => Some(outcome),
        _ => None,
    });
    let name = match ended {
        None => return paper(voice, Paper::SheetNoEnd).to_owned(),
        Some(RunOutcome::Done) => "done",
        Some(RunOutcome::Refused { .. }) => "refused",
        Some(RunOutcome::Restored { .. }) => "restored",
        Some(RunOutcome::Stuck { .. }) => "stuck",
    };
    moves::run_outcome(voice, name)
}

fn newest_plan(events: &[EventView]) -> Option<&MandatedPlan> {
    let plans = events.iter().filter_map(|v| match &v.event.body {
        EventBody::PlanRecorded { plan } => Some(plan.as_ref()),
        _ => None,
    });
    plans.max_by_key(|plan| plan.epoch.counter)
}

fn states<'a>(events: &'a [EventView], plan: &MandatedPlan) -> BTreeMap<StepId, State<'a>> {
    let mut states = BTreeMap::new();
    for view in events {
        let EventBody::StepFinished {
            plan: of,
            step,
            report,
        } = &view.event.body
        else {
            continue;
        };
        if of != &plan.id {
            continue;
        }
        let state = match &report.outcome {
            StepOutcome::Done { .. } => State::Done(view.at),
            StepOutcome::Failed(cause) => State::Failed(view.at, cause),
            StepOutcome::Unknown { why } => State::Unknown(view.at, why),
        };
        states.insert(step.id, state);
    }
    let done = |id: &StepId| matches!(states.get(id), Some(State::Done(_)));
    let open: Vec<(StepId, bool)> = plan
        .plan
        .steps
        .iter()
        .filter(|s| !states.contains_key(&s.id))
        .map(|s| (s.id, s.after.iter().all(done)))
        .collect();
    for (id, ready) in open {
        let state = if ready {
            State::MayHaveBegun
        } else {
            State::Waiting
        };
        states.insert(id, state);
    }
    states
}

fn plan_blocks(voice: &Voice, moment: &Moment, plan: &MandatedPlan) -> Vec<Block> {
    let states = states(moment.events, plan);
    let columns = vec![
        Column::number("No.", 0.4),
        Column::text(ui(voice, Ui::Node), 1.0),
        Column::text(ui(voice, Ui::Step), 2.4),
        Column::text(paper(voice, Paper::SheetState), 2.6),
    ];
    let rows = plan.plan.steps.iter().enumerate().map(|(index, step)| {
        vec![
            (index + 1).to_string(),
            step.node.to_string(),
            action(voice, &step.action),
            states
                .get(&step.id)
                .map(|s| said(voice, s))
                .unwrap_or_default(),
        ]
    });
    let mut blocks = vec![
        Block::Heading(paper(voice, Paper::SheetSteps).to_owned()),
        Block::Table {
            columns,
            rows: rows.collect(),
        },
    ];
    blocks.extend(next(voice, moment, plan, &states));
    blocks
}

fn said(voice: &Voice, state: &State) -> String {
    let word = |p| paper(voice, p);
    match state {
        State::Done(at) => format!("{} {}", word(Paper::SheetDone), voice.clock(*at)),
        State::Failed(at, cause) => format!(
            "{} {}: {}",
            word(Paper::SheetFailed),
            voice.clock(*at),
            failure(voice, cause)
        ),
        State::Unknown(at, why) => format!(
            "{} ({}): {}",
            word(Paper::SheetUnknown),
            voice.clock(*at),
            siaga_words::why(voice, why)
        ),
        State::MayHaveBegun => word(Paper::SheetBegun).to_owned(),
        State::Waiting => word(Paper::SheetWaiting).to_owned(),
    }
}

/// The first step that is not done, with its commands; before a step that takes anything, the rule.
fn next(
    voice: &Voice,
    moment: &Moment,
    plan: &MandatedPlan,
    states: &BTreeMap<StepId, State>,
) -> Vec<Block> {
    let open = |s: &&Step| {
        let advisory = matches!(s.action, Action::Enlist);
        !advisory && !matches!(states.get(&s.id), Some(State::Done(_)))
    };
    let title = Block::Heading(paper(voice, Paper::SheetNext).to_owned());
    let Some(step) = plan.plan.steps.iter().find(open) else {
        let text = paper(voice, Paper::SheetNothingLeft).to_owned();
        return vec![title, Block::Text(text)];
    };
    let mut blocks = vec![title];
    if takes(&step.action) {
        let rule = procedure(voice, &Procedure::OneHolder);
        blocks.push(Block::Warning(rule));
    }
    if let Action::Fence { victim, .. } | Action::Attest { victim, .. } = &step.action {
        let rule = procedure(voice, &Procedure::NeverSkip { victim });
        blocks.push(Block::Warning(rule));
        let there = procedure(voice, &Procedure::GoThere { victim });
        blocks.push(Block::Text(there));
    }
    let text = format!(
        "{} ({} {})",
        action(voice, &step.action),
        paper(voice, Paper::SheetNextOn),
        step.node
    );
    let index = plan.plan.steps.iter().position(|s| s.id == step.id);
    blocks.push(Block::Steps(vec![ByHand {
        number: index.map(|i| (i + 1).to_string()).unwrap_or_default(),
        text: crate::capital(&text),
        commands: commands(voice, moment, &step.node, &step.action),
    }]));
    if moment.config.is_none() {
        let text = paper(voice, Paper::SheetNoConfig).to_owned();
        blocks.push(Block::Text(text));
    }
    blocks
}

/// From the take on, the other server must have let go.
fn takes(action: &Action) -> bool {
    match action {
        Action::Take
        | Action::Mount
        | Action::AddVirtualIp
        | Action::StartDatabase
        | Action::StartApplications => true,
        Action::Enlist
        | Action::Checkpoint
        | Action::StopApplications
        | Action::StopDatabase
        | Action::RemoveVirtualIp
        | Action::Unmount
        | Action::Release
        | Action::Fence { .. }
        | Action::Attest { .. }
        | Action::AcceptOldData { .. }
        | Action::ClientTest
        | Action::AfterMove => false,
    }
}

fn commands(voice: &Voice, moment: &Moment, node: &NodeName, action: &Action) -> Vec<String> {
    let Some(config) = moment.config else {
        return Vec::new();
    };
    let Some(service) = config.service(moment.service) else {
        return Vec::new();
    };
    let place = Place {
        config,
        service,
        voice,
    };
    // A node that was not asked to release was made safe in another way.
    let by_itself = |p: &PlannedProof| matches!(p, PlannedProof::Release { .. });
    let let_go =
        match newest_plan(moment.events).is_some_and(|p| !p.plan.proofs.iter().all(by_itself)) {
            true => LetGo::MadeSafe,
            false => LetGo::ByItself,
        };
    place.by_hand(node, action, let_go)
}

fn told(voice: &Voice, moment: &Moment) -> Vec<Block> {
    let mut blocks = vec![Block::Heading(paper(voice, Paper::SheetTold).to_owned())];
    match moment.config {
        Some(config) => blocks.extend(
            unit_table(config, voice)
                .into_iter()
                .filter(|b| !matches!(b, Block::Heading(_))),
        ),
        None => blocks.push(Block::Lines(4)),
    }
    blocks
}
