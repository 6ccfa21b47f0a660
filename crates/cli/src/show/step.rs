//! One step of a run on one line.

use super::padded;
use crate::context::Context;
use crate::term::Tone;
use siaga_model::NodeName;
use siaga_model::api::{RunningStep, StepView};
use siaga_model::plan::Action;
use siaga_model::run::StepOutcome;
use siaga_words::{
    Screen, Ui, action_by_name, duration, failure, note, progress, ui, why as said_why,
};

/// The widths of the columns, in characters.
const MARK: usize = 10;
const NODE: usize = 10;
const ACTION: usize = 42;

/// A step that came back: its mark, node, act and time; below it the cause of a failure and the step's notes.
pub fn finished(ctx: &Context, step: &StepView) -> String {
    let voice = &ctx.voice;
    let (mark, tone, below) = match &step.outcome {
        StepOutcome::Done { changed: true } => ("ok".to_owned(), Tone::Good, None),
        StepOutcome::Done { changed: false } => {
            ("ok".to_owned(), Tone::Good, already(ctx, &step.action))
        }
        StepOutcome::Failed(cause) => (
            ui(voice, Ui::Failed),
            Tone::Bad,
            Some(failure(voice, cause)),
        ),
        StepOutcome::Unknown { why } => (
            ui(voice, Ui::Unknown),
            Tone::Attention,
            Some(said_why(voice, why)),
        ),
    };
    let mark = ctx.term.err(tone, &padded(&mark, MARK));
    let mut lines = vec![format!(
        "  {mark} {} {}",
        where_and_what(ctx, &step.node, &step.action),
        duration(voice, step.duration_ms)
    )];
    let notes = step.notes.iter().map(|n| note(voice, n));
    let below = below.into_iter().chain(notes);
    lines.extend(below.map(|line| format!("             {line}")));
    lines.join("\n")
}

/// Said of an act that found its work done; a test changes nothing by its nature.
fn already(ctx: &Context, action: &str) -> Option<String> {
    (action != Action::ClientTest.name()).then(|| ui(&ctx.voice, Ui::NothingToDo))
}

/// A step that begins, for where nothing can be drawn over.
pub fn begun(ctx: &Context, step: &RunningStep) -> String {
    let mark = padded("...", MARK);
    format!(
        "  {mark} {} {}",
        where_and_what(ctx, &step.node, &step.action),
        times(ctx, step, 0)
    )
}

/// A step that goes on, `more` milliseconds after it was told.
pub fn running(ctx: &Context, step: &RunningStep, more: u64) -> String {
    format!(
        "{}: {} {}",
        step.node,
        action_by_name(&ctx.voice, &step.action),
        times(ctx, step, more)
    )
}

fn where_and_what(ctx: &Context, node: &NodeName, action: &str) -> String {
    let action = action_by_name(&ctx.voice, action);
    format!(
        "{} {}",
        padded(node.as_str(), NODE),
        padded(&action, ACTION)
    )
}

fn times(ctx: &Context, step: &RunningStep, more: u64) -> String {
    let mut text = duration(&ctx.voice, step.elapsed_ms.saturating_add(more));
    if let Some(expected) = step.expected_ms {
        text.push_str(&format!(
            " ({})",
            ctx.say(Screen::ExpectedTime { ms: expected })
        ));
    }
    if let Some(at) = &step.progress {
        text.push_str(&format!(", {}", progress(&ctx.voice, at)));
    }
    text
}
