//! A plan before it is carried out: what it does, how the other node is made to let go, and what can't be known yet.

use super::padded;
use crate::context::Context;
use siaga_model::plan::{MoveKind, Plan, PlannedProof};
use siaga_words::{Screen, Ui, action, sentence, ui};

/// The plan on several lines.
pub fn text(ctx: &Context, plan: &Plan) -> String {
    let voice = &ctx.voice;
    let mut lines = vec![sentence(voice, &plan.sentence)];
    if plan.kind == MoveKind::Drill {
        lines.push(ui(voice, Ui::DrillStopsServiceTwice));
    }
    lines.push(ui(voice, Ui::Plan));
    for (number, step) in plan.steps.iter().enumerate() {
        let node = padded(step.node.as_str(), 10);
        lines.push(format!(
            "  {:>2}. {node} {}",
            number + 1,
            action(voice, &step.action)
        ));
    }
    if !plan.proofs.is_empty() {
        lines.push(ui(voice, Ui::WhatItProves));
        lines.extend(plan.proofs.iter().map(|p| format!("  - {}", proof(ctx, p))));
    }
    if !plan.unproved.is_empty() {
        lines.push(ui(voice, Ui::NotProved));
        lines.extend(
            plan.unproved
                .iter()
                .map(|s| format!("  - {}", sentence(voice, s))),
        );
    }
    lines.join("\n")
}

fn proof(ctx: &Context, proof: &PlannedProof) -> String {
    match proof {
        PlannedProof::Release { node } => ctx.say(Screen::ProofByRelease { node: node.clone() }),
        PlannedProof::Fence {
            node,
            device,
            fence,
        } => ctx.say(Screen::ProofByFence {
            node: node.clone(),
            device: device.clone(),
            fence: *fence,
        }),
        PlannedProof::Attested { node, how } => ctx.say(Screen::ProofByAttestation {
            node: node.clone(),
            how: *how,
        }),
    }
}
