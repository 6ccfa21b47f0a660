//! A readiness check: as JSON for programs, and the parts of its text.

use crate::context::Context;
use serde::Serialize;
use siaga_model::NodeName;
use siaga_model::api::{CanTakeOver, CheckReport};
use siaga_model::duty::Duty;
use siaga_model::event::{Finding, FindingCode, Severity};
use siaga_model::incident::Range;
use siaga_model::readiness::{CheckId, CheckStatus, Examined, Fix, Fixed};
use siaga_model::{ServiceName, UtcMicros};
use siaga_words::{check_id, check_remedy, check_status, evidence, finding};

/// What programs read. Every examined thing is a finding of its own, also what is in order.
#[derive(Serialize)]
pub struct CheckJson<'a> {
    service: &'a ServiceName,
    ready: CanTakeOver,
    checked_at: UtcMicros,
    age_s: u64,
    /// The steps of a takeover, in seconds.
    takeover: Option<Range>,
    findings: Vec<One>,
    /// What `--fix` did before.
    #[serde(skip_serializing_if = "<[Fixed]>::is_empty")]
    fixed: &'a [Fixed],
    duties: &'a [Duty],
}

/// One thing on one node.
#[derive(Serialize)]
struct One {
    id: CheckId,
    node: NodeName,
    severity: Severity,
    status: CheckStatus,
    code: Option<FindingCode>,
    evidence: String,
    remedy: String,
    fixable: bool,
}

/// The report for programs, its texts in the chosen language.
pub fn json<'a>(ctx: &Context, report: &'a CheckReport, fixed: &'a [Fixed]) -> CheckJson<'a> {
    CheckJson {
        service: &report.service,
        ready: report.can_take_over,
        checked_at: report.checked_at,
        age_s: report.age_ms / 1000,
        takeover: report.takeover,
        findings: report.examined.iter().map(|e| one(ctx, e)).collect(),
        fixed,
        duties: &report.duties,
    }
}

fn one(ctx: &Context, examined: &Examined) -> One {
    let said = found(examined).map(|f| finding(&ctx.voice, &f));
    let plain = || check_remedy(&ctx.voice, examined.id, examined.status).to_owned();
    One {
        id: examined.id,
        node: examined.node.clone(),
        severity: examined.severity,
        status: examined.status,
        code: examined.code,
        evidence: match &said {
            Some((what, _)) => what.clone(),
            None => evidence(&ctx.voice, &examined.evidence),
        },
        remedy: said.map_or_else(plain, |(_, remedy)| remedy),
        fixable: examined
            .code
            .is_some_and(|code| !Fix::of(code, &examined.evidence).is_empty()),
    }
}

fn found(examined: &Examined) -> Option<Finding> {
    Some(Finding {
        code: examined.code?,
        node: examined.node.clone(),
        severity: examined.severity,
        evidence: examined.evidence.clone(),
    })
}

/// What can't be told, a line each.
pub fn unknown(ctx: &Context, report: &CheckReport) -> Vec<String> {
    let all = report.examined.iter();
    let unknown = all.filter(|e| e.status == CheckStatus::Unknown);
    unknown.map(|e| format!("  ?  {}", line(ctx, e))).collect()
}

/// Everything that was examined, a line each.
pub fn all(ctx: &Context, report: &CheckReport) -> String {
    let line = |e: &Examined| {
        let status = super::padded(check_status(&ctx.voice, e.status), 18);
        format!("  {status} {}", line(ctx, e))
    };
    let lines: Vec<String> = report.examined.iter().map(line).collect();
    lines.join("\n")
}

fn line(ctx: &Context, examined: &Examined) -> String {
    let what = format!("{}: {}", examined.node, check_id(&ctx.voice, examined.id));
    let seen = evidence(&ctx.voice, &examined.evidence);
    if seen.is_empty() {
        return what;
    }
    format!("{what} ({seen})")
}
