//! Where a service is: one sentence of truth, its evidence, every node, and the recommended act.

use crate::context::Context;
use crate::term::Tone;
use siaga_model::NodeName;
use siaga_model::api::{CanTakeOver, ServiceStatus, Status, Verdict, VerdictState};
use siaga_model::config::FenceKind;
use siaga_model::observation::{AgentView, FenceState, Holding, NodeView, Power};
use siaga_model::refusal::{Advice, Sentence};
use siaga_words::{Screen, Ui, advice, sentence, ui};

/// Everything of every service.
pub fn text(ctx: &Context, status: &Status) -> String {
    let mut lines = vec![heading(ctx, status)];
    for service in &status.services {
        lines.push(String::new());
        lines.extend(truth(ctx, &service.verdict));
        lines.extend(run(ctx, service));
        lines.push(String::new());
        lines.extend(nodes(ctx, service));
        lines.extend(readiness(ctx, service));
        let acts = advice_lines(ctx, &service.verdict.advice);
        if !acts.is_empty() {
            lines.push(String::new());
            lines.push(ui(&ctx.voice, Ui::Recommended));
            lines.extend(acts);
        }
    }
    if !status.findings.is_empty() {
        lines.push(String::new());
        lines.push(ui(&ctx.voice, Ui::Findings));
        lines.extend(super::findings(&ctx.voice, &status.findings));
    }
    if !status.duties.is_empty() {
        lines.push(String::new());
        lines.push(ui(&ctx.voice, Ui::WhatToDo));
        lines.extend(super::duties(&ctx.voice, &status.duties));
    }
    lines.join("\n")
}

/// Site, asked node, time.
pub fn heading(ctx: &Context, status: &Status) -> String {
    format!(
        "Siaga - {} - {} - {}",
        ctx.site.site,
        status.node,
        ctx.voice.instant(status.at)
    )
}

/// The sentence of truth and its evidence.
pub fn truth(ctx: &Context, verdict: &Verdict) -> Vec<String> {
    let tone = match verdict.state {
        VerdictState::Running => Tone::Good,
        VerdictState::Stopped | VerdictState::InTransition | VerdictState::Unknown => {
            Tone::Attention
        }
        VerdictState::Down | VerdictState::Stuck | VerdictState::Danger => Tone::Bad,
    };
    let mut lines = vec![ctx.term.out(tone, &sentence(&ctx.voice, &verdict.sentence))];
    if !verdict.evidence.is_empty() {
        lines.push(ui(&ctx.voice, Ui::Evidence));
        lines.extend(
            verdict
                .evidence
                .iter()
                .map(|s| format!("  - {}", sentence(&ctx.voice, s))),
        );
    }
    lines
}

/// A run that goes on, or was left over.
pub fn run(ctx: &Context, service: &ServiceStatus) -> Option<String> {
    let run = service.run.as_ref()?;
    let (id, since, coordinator) = (run.run.clone(), run.since, run.coordinator.clone());
    let said = match run.live {
        true => Sentence::RunBy {
            run: id,
            actor: run.actor.clone(),
            since,
            coordinator,
        },
        false => Sentence::RunLeftOver {
            run: id,
            since,
            coordinator,
        },
    };
    let mut text = sentence(&ctx.voice, &said);
    if let Some(covered) = &run.covers {
        let covers = ctx.say(Screen::RunCovers {
            run: covered.clone(),
        });
        text = format!("{text}\n{covers}");
    }
    Some(text)
}

/// What is known of each node, without what the evidence has said already.
fn nodes(ctx: &Context, service: &ServiceStatus) -> Vec<String> {
    let mut lines = Vec::new();
    for (name, view) in &service.observation.nodes {
        let said = node_sentences(name, view);
        let news = said
            .iter()
            .filter(|s| !service.verdict.evidence.iter().any(|e| same_fact(e, s)));
        let mut known: Vec<String> = news
            .map(|s| format!("  - {}", sentence(&ctx.voice, s)))
            .collect();
        if let AgentView::Answered { facts, .. } = &view.agent {
            known.push(format!(
                "  - {}",
                ctx.say(Screen::Database {
                    state: facts.database.clone()
                })
            ));
        }
        if !known.is_empty() {
            lines.push(format!("{name}:"));
            lines.extend(known);
        }
    }
    if service
        .observation
        .nodes
        .values()
        .all(|v| v.fences.is_empty())
    {
        lines.push(sentence(&ctx.voice, &Sentence::NoFenceCost));
    }
    lines
}

/// What the newest check said, and how old it is: an old yes is shown as one.
fn readiness(ctx: &Context, service: &ServiceStatus) -> Vec<String> {
    let Some(seen) = service.readiness else {
        return Vec::new();
    };
    let tone = match seen.can_take_over {
        _ if seen.stale => Tone::Attention,
        CanTakeOver::Yes => Tone::Good,
        CanTakeOver::No => Tone::Bad,
        CanTakeOver::Unknown => Tone::Attention,
    };
    let (ms, stale) = (seen.age_ms, seen.stale);
    let answer = siaga_words::can_take_over(&ctx.voice, seen.can_take_over);
    let said = format!("{answer} {}", ctx.say(Screen::CheckedAgo { ms, stale }));
    vec![ctx.term.out(tone, &said)]
}

/// The same thing said about the same node, if with other details.
fn same_fact(a: &Sentence, b: &Sentence) -> bool {
    a == b
        || match (a, b) {
            (Sentence::NodeHolds { node: a, .. }, Sentence::NodeHolds { node: b, .. })
            | (
                Sentence::NodeHoldingUnknown { node: a, .. },
                Sentence::NodeHoldingUnknown { node: b, .. },
            )
            | (Sentence::NodeSilent { node: a, .. }, Sentence::NodeSilent { node: b, .. }) => {
                a == b
            }
            _ => false,
        }
}

fn node_sentences(name: &NodeName, view: &NodeView) -> Vec<Sentence> {
    let node = name.clone();
    let mut said = Vec::new();
    match &view.agent {
        AgentView::Answered { facts, .. } => {
            said.push(Sentence::NodeAnswers { node: node.clone() });
            said.push(match &facts.disk {
                Holding::Free => Sentence::NodeFree { node: node.clone() },
                Holding::Held { by } => Sentence::NodeHolds {
                    node: node.clone(),
                    by: by.clone(),
                },
                Holding::Unknown { why } => Sentence::NodeHoldingUnknown {
                    node: node.clone(),
                    why: why.clone(),
                },
            });
        }
        AgentView::Silent { paths_tried, late } => {
            said.push(Sentence::NodeSilent {
                node: node.clone(),
                paths_tried: paths_tried.clone(),
                late: *late,
            });
        }
    }
    if view.fences.iter().any(|f| f.kind == FenceKind::Power) {
        said.push(match view.power {
            Power::On => Sentence::NodePowerOn { node: node.clone() },
            Power::Off => Sentence::NodePowerOff { node: node.clone() },
            Power::Unknown => Sentence::NodePowerUnknown { node: node.clone() },
        });
    }
    for fence in &view.fences {
        let device = fence.name.clone();
        said.push(match &fence.state {
            FenceState::Open => Sentence::FenceAnswers {
                node: node.clone(),
                device,
                fence: fence.kind,
            },
            FenceState::Fenced => Sentence::FenceConfirms {
                node: node.clone(),
                device,
                fence: fence.kind,
            },
            FenceState::Failed { why } => Sentence::FenceFailed {
                node: node.clone(),
                device,
                why: why.clone(),
            },
        });
    }
    said
}

/// Each act as a command with its purpose.
pub fn advice_lines(ctx: &Context, acts: &[Advice]) -> Vec<String> {
    let lines = acts.iter().flat_map(|act| {
        let text = advice(&ctx.voice, act);
        [
            format!("  {}", text.command),
            format!("      {}", text.purpose),
        ]
    });
    lines.collect()
}
