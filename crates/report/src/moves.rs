//! Parts that reports of runs share: steps, timeline, outages, client tests.

use crate::document::{Block, Column, Span};
use siaga_journal::log_book::parse;
use siaga_model::UtcMicros;
use siaga_model::api::{MoveReport, SeenBy, StepView};
use siaga_model::incident::CorrectiveAction;
use siaga_model::run::StepOutcome;
use siaga_words::{Paper, Ui, Voice, action_by_name, duration, evidence, failure, paper, ui};

/// The runs' downtimes, and below them their steps, on one axis.
pub(crate) fn spans(voice: &Voice, runs: &[&MoveReport]) -> Vec<Span> {
    let mut found: Vec<(UtcMicros, u64, String, bool)> = Vec::new();
    for run in runs {
        for outage in &run.outages {
            let from = outage.offline_at.as_deref().and_then(parse);
            if let (Some(from), Some(ms)) = (from, outage.downtime_ms) {
                found.push((from, ms, paper(voice, Paper::Down).to_owned(), true));
            }
        }
    }
    for run in runs {
        for step in &run.steps {
            let Some(from) = parse(&step.started_at) else {
                continue;
            };
            let what = action_by_name(voice, &step.action);
            let label = format!("{}: {what}", step.node);
            found.push((from, step.duration_ms, label, !step.outcome.is_done()));
        }
    }
    let Some(begin) = found.iter().map(|(from, ..)| *from).min() else {
        return Vec::new();
    };
    let span = |(from, ms, label, strong): (UtcMicros, u64, String, bool)| Span {
        label,
        from_ms: from.millis_since(begin),
        length_ms: ms,
        text: duration(voice, ms),
        strong,
    };
    found.into_iter().map(span).collect()
}

/// The steps in the order of their begin.
pub(crate) fn step_table(voice: &Voice, run: &MoveReport) -> Block {
    let columns = vec![
        Column::number("No.", 0.4),
        Column::text(ui(voice, Ui::Node), 0.9),
        Column::text(ui(voice, Ui::Step), 2.2),
        Column::text(paper(voice, Paper::HourOfBegin), 1.5),
        Column::text(ui(voice, Ui::Duration), 1.0),
        Column::text(ui(voice, Ui::Result), 2.2),
    ];
    let row = |(index, step): (usize, &StepView)| {
        let at = parse(&step.started_at).map(|at| voice.clock(at));
        vec![
            (index + 1).to_string(),
            step.node.to_string(),
            action_by_name(voice, &step.action),
            at.unwrap_or_default(),
            duration(voice, step.duration_ms),
            step_result(voice, step),
        ]
    };
    Block::Table {
        columns,
        rows: run.steps.iter().enumerate().map(row).collect(),
    }
}

fn step_result(voice: &Voice, step: &StepView) -> String {
    match &step.outcome {
        StepOutcome::Done { changed: true } => ui(voice, Ui::Done),
        StepOutcome::Done { changed: false } if step.action == "client_test" => ui(voice, Ui::Done),
        StepOutcome::Done { changed: false } => ui(voice, Ui::NothingToDo),
        StepOutcome::Failed(cause) => {
            format!("{}: {}", ui(voice, Ui::Failed), failure(voice, cause))
        }
        StepOutcome::Unknown { why } => {
            let because = siaga_words::why(voice, why);
            format!("{}: {because}", ui(voice, Ui::Unknown))
        }
    }
}

/// Every step that failed, or of which it is not known.
pub(crate) fn troubles(voice: &Voice, run: &MoveReport) -> Vec<String> {
    let failed = run.steps.iter().filter(|s| !s.outcome.is_done());
    failed
        .map(|step| {
            format!(
                "{}, {}: {}",
                step.node,
                action_by_name(voice, &step.action),
                step_result(voice, step)
            )
        })
        .collect()
}

/// Each downtime beside the goal.
pub(crate) fn outage_table(voice: &Voice, run: &MoveReport, rto_s: Option<u64>) -> Block {
    let columns = vec![
        Column::number("No.", 0.4),
        Column::text(ui(voice, Ui::OfflineAt), 1.8),
        Column::text(ui(voice, Ui::OnlineAt), 1.8),
        Column::text(ui(voice, Ui::Duration), 1.2),
        Column::text(paper(voice, Paper::Goal), 1.2),
        Column::text(paper(voice, Paper::SeenBy), 1.3),
    ];
    let at = |text: &Option<String>| {
        let at = text.as_deref().and_then(parse);
        at.map(|at| voice.instant(at)).unwrap_or_default()
    };
    let goal_ms = rto_s.map(|s| s.saturating_mul(1000));
    let rows = run.outages.iter().enumerate().map(|(index, o)| {
        let met = o.downtime_ms.zip(goal_ms).map(|(ms, goal)| ms <= goal);
        let met = met.map(|met| match met {
            true => paper(voice, Paper::TargetMet),
            false => paper(voice, Paper::TargetMissed),
        });
        let goal = goal_ms.map(|ms| duration(voice, ms)).unwrap_or_default();
        let seen = match o.seen_by {
            SeenBy::Probe => ui(voice, Ui::SeenByProbe),
            SeenBy::Node => ui(voice, Ui::SeenByNode),
        };
        vec![
            (index + 1).to_string(),
            at(&o.offline_at),
            at(&o.online_at),
            o.downtime_ms
                .map(|ms| duration(voice, ms))
                .unwrap_or_default(),
            format!("{goal} {}", met.unwrap_or("")).trim().to_owned(),
            seen,
        ]
    });
    Block::Table {
        columns,
        rows: rows.collect(),
    }
}

/// What clients had been told is kept and is gone; nothing where nothing is.
pub(crate) fn lost_rows(voice: &Voice, run: &MoveReport) -> Option<Block> {
    let said =
        |lost: &siaga_model::api::LostRows| siaga_words::rows_lost(voice, &lost.probe, lost.rows);
    let lines: Vec<String> = run.lost_rows.iter().map(said).collect();
    (!lines.is_empty()).then(|| Block::Text(lines.join("\n")))
}

/// The tests from the client's side, at every station.
pub(crate) fn test_table(voice: &Voice, run: &MoveReport) -> Block {
    let columns = vec![
        Column::text(ui(voice, Ui::ClientTests).trim_end_matches(':'), 1.5),
        Column::text(ui(voice, Ui::Node), 1.0),
        Column::text(ui(voice, Ui::Result), 1.2),
        Column::text(paper(voice, Paper::Remark), 2.5),
    ];
    let rows = run.client_tests.iter().map(|test| {
        let result = match test.passed {
            Some(true) => ui(voice, Ui::Passed),
            Some(false) => ui(voice, Ui::Failed),
            None => ui(voice, Ui::NotConfirmed),
        };
        vec![
            test.name.clone(),
            test.node.to_string(),
            result,
            evidence(voice, &test.detail),
        ]
    });
    Block::Table {
        columns,
        rows: rows.collect(),
    }
}

/// Corrective actions, and rows for more.
pub(crate) fn action_table(voice: &Voice, actions: &[CorrectiveAction]) -> Block {
    let columns = vec![
        Column::number("No.", 0.4),
        Column::text(paper(voice, Paper::ActionText), 3.0),
        Column::text(paper(voice, Paper::ActionOwner), 1.4),
        Column::text(paper(voice, Paper::ActionDue), 1.2),
        Column::text(paper(voice, Paper::ActionState), 1.0),
    ];
    let known = actions.iter().map(|a| {
        let state = match a.done {
            true => Paper::ActionDone,
            false => Paper::ActionOpen,
        };
        vec![
            a.number.to_string(),
            a.text.clone(),
            a.owner.clone(),
            a.due.clone(),
            paper(voice, state).to_owned(),
        ]
    });
    let blank = || {
        let mut row = vec![String::new(); 5];
        row[1] = " \n ".to_owned();
        row
    };
    let mut rows: Vec<Vec<String>> = known.collect();
    rows.extend([blank(), blank()]);
    Block::Table { columns, rows }
}

/// A run's end, by its stable name.
pub(crate) fn run_outcome(voice: &Voice, name: &str) -> String {
    match name {
        "done" => ui(voice, Ui::Done),
        "refused" => paper(voice, Paper::OutcomeRefused).to_owned(),
        "restored" => paper(voice, Paper::OutcomeRestored).to_owned(),
        "stuck" => paper(voice, Paper::OutcomeStuck).to_owned(),
        "running" => ui(voice, Ui::Running),
        other => other.to_owned(),
    }
}
