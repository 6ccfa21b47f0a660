//! A refusal: for people on standard error, for scripts as the JSON of a move.

use crate::context::Context;
use crate::fault::Fault;
use crate::when;
use siaga_model::api::MoveRequest;
use siaga_model::refusal::{Refusal, RefusalCode};

/// Prints a refusal. `request` is what was refused, where it was a move.
///
/// # Errors
/// Where it can't be JSON.
pub fn print(
    ctx: &Context,
    request: Option<&MoveRequest>,
    refusal: &Refusal,
    json: bool,
) -> Result<(), Fault> {
    if json {
        return super::json(&as_json(ctx, request, refusal));
    }
    eprintln!("{}", siaga_words::refusal(&ctx.voice, refusal));
    Ok(())
}

/// The JSON of a move that was not begun: no run, no steps; with the evidence and the next acts.
fn as_json(ctx: &Context, request: Option<&MoveRequest>, refusal: &Refusal) -> serde_json::Value {
    let only_service = match ctx.site.services.as_slice() {
        [one] => Some(one.clone()),
        _ => None,
    };
    let evidence: Vec<String> = refusal
        .evidence
        .iter()
        .map(|s| siaga_words::sentence(&ctx.voice, s))
        .collect();
    let next: Vec<String> = refusal
        .next
        .iter()
        .map(|a| siaga_words::advice(&ctx.voice, a).command)
        .collect();
    let (outcome, key) = match refusal.code {
        RefusalCode::OrderUnknown => ("unknown", request.map(|r| r.idempotency_key.clone())),
        _ => ("refused", None),
    };
    serde_json::json!({
        "run_id": null,
        "key": key,
        "kind": request.map(|r| r.kind),
        "service": request.and_then(|r| r.service.clone()).or(only_service),
        "from": null,
        "to": request.and_then(|r| r.to.clone()),
        "outcome": outcome,
        "code": siaga_words::refusal_code(refusal.code),
        "message": siaga_words::sentence(&ctx.voice, &refusal.sentence),
        "evidence": evidence,
        "next": next,
        "proof": [],
        "started_at": when::now_text(),
        "steps": [],
        "outages": [],
        "client_tests": [],
    })
}
