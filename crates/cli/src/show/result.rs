//! The result of a run: how it ended, what clients lost, which tests passed, and the next act.

use crate::client::encoded;
use crate::context::{Context, LOOK};
use crate::exit::confirmed_by_client;
use crate::term::{Tone, out};
use crate::when;
use siaga_model::api::{ClientTestResult, MoveReport, Outage, RunView, SeenBy, Status};
use siaga_model::plan::MoveKind;
use siaga_model::refusal::Sentence;
use siaga_model::run::RunOutcome;
use siaga_words::{Screen, Ui, evidence, outcome, sentence, ui};

/// Prints the result on standard output.
pub fn print(ctx: &Context, view: &RunView) {
    let report = &view.report;
    out(&how_it_ended(ctx, view));
    for outage in &report.outages {
        out(&outage_text(ctx, outage));
    }
    // Before anything that sounds well: this move did not bring everything along.
    for lost in &report.lost_rows {
        let said = siaga_words::rows_lost(&ctx.voice, &lost.probe, lost.rows);
        out(&ctx.term.out(Tone::Bad, &said));
    }
    if report.outages.is_empty()
        && matches!(view.result, Some(RunOutcome::Done))
        && moves_service(report.kind)
    {
        out(&ctx.say(Screen::NoOutageSeen));
    }
    if !report.client_tests.is_empty() {
        out(&ui(&ctx.voice, Ui::ClientTests));
        report
            .client_tests
            .iter()
            .for_each(|t| out(&format!("  {}", test_text(ctx, t))));
    }
    if report.kind == MoveKind::Drill && matches!(view.result, Some(RunOutcome::Done)) {
        out(&ui(&ctx.voice, grade(report)));
    }
    out(&ctx.say(Screen::RunWas {
        run: report.run_id.clone(),
    }));
    // A stuck or refused run has said its own next act.
    if matches!(
        view.result,
        Some(RunOutcome::Done | RunOutcome::Restored { .. })
    ) {
        next_act(ctx, report);
    }
}

fn how_it_ended(ctx: &Context, view: &RunView) -> String {
    let Some(result) = &view.result else {
        return ctx.say(Screen::EndedWithoutResult);
    };
    let text = outcome(&ctx.voice, result);
    let (tone, more) = match result {
        RunOutcome::Done => (Tone::Good, Some(where_now(&view.report))),
        RunOutcome::Restored { .. } => (Tone::Attention, None),
        RunOutcome::Refused { .. } | RunOutcome::Stuck { .. } => (Tone::Bad, None),
    };
    let (first, rest) = text
        .split_once('\n')
        .map_or((text.as_str(), None), |(f, r)| (f, Some(r)));
    let mut lines = vec![ctx.term.out(tone, first)];
    lines.extend(rest.map(str::to_owned));
    lines.extend(more.map(|s| sentence(&ctx.voice, &s)));
    lines.join("\n")
}

/// A run that is done left the service on its target, or stopped.
fn where_now(report: &MoveReport) -> Sentence {
    let service = report.service.clone();
    // A drill ends where it began; its report's target is the station in between.
    let node = match report.kind {
        MoveKind::Drill => report.from.clone(),
        MoveKind::Stop => None,
        _ => report.to.clone(),
    };
    match node {
        Some(node) => Sentence::ServiceRuns { service, node },
        None => Sentence::ServiceStopped { service },
    }
}

fn moves_service(kind: MoveKind) -> bool {
    !matches!(
        kind,
        MoveKind::Start | MoveKind::Stop | MoveKind::Resume | MoveKind::Abort
    )
}

fn grade(report: &MoveReport) -> Ui {
    let failed = report.client_tests.iter().any(|t| t.passed == Some(false));
    if failed || !report.lost_rows.is_empty() {
        Ui::DrillNotPassed
    } else if confirmed_by_client(report) {
        Ui::DrillPassed
    } else {
        Ui::DrillNotGraded
    }
}

/// `Clients lost 103 ms, measured by probe client1, give or take 5 ms.` with the times below.
pub fn outage_text(ctx: &Context, outage: &Outage) -> String {
    let first = match (outage.downtime_ms, outage.seen_by) {
        (Some(ms), SeenBy::Probe) => ctx.say(Screen::ClientsLost {
            ms,
            probe: outage.probe.clone(),
            error_ms: outage.error_ms,
        }),
        (Some(ms), SeenBy::Node) => ctx.say(Screen::NodeSawGap { ms }),
        (None, SeenBy::Probe | SeenBy::Node) if outage.online_at.is_some() => {
            ctx.say(Screen::GapUnmeasured)
        }
        (None, SeenBy::Probe | SeenBy::Node) => ctx.say(Screen::GapOpen),
    };
    let time = |text: &Option<String>| {
        let at = text.as_deref().and_then(when::parsed);
        at.map_or_else(|| "?".to_owned(), |at| ctx.voice.instant(at))
    };
    let offline = format!(
        "{} {}",
        ui(&ctx.voice, Ui::OfflineAt),
        time(&outage.offline_at)
    );
    let online = format!(
        "{} {}",
        ui(&ctx.voice, Ui::OnlineAt),
        time(&outage.online_at)
    );
    format!("{first}\n  {offline} - {online}")
}

fn test_text(ctx: &Context, test: &ClientTestResult) -> String {
    let passed = match test.passed {
        Some(true) => ui(&ctx.voice, Ui::Passed),
        Some(false) => ui(&ctx.voice, Ui::Failed),
        None => ui(&ctx.voice, Ui::NotConfirmed),
    };
    let detail = match evidence(&ctx.voice, &test.detail) {
        detail if detail.is_empty() => detail,
        detail => format!(" ({detail})"),
    };
    format!("{} @ {}: {passed}{detail}", test.name, test.node)
}

/// What is recommended now. Where the agent does not say it, nothing is lost: the result stands above.
fn next_act(ctx: &Context, report: &MoveReport) {
    let path = format!("/v1/status?service={}", encoded(report.service.as_str()));
    let Ok(status) = ctx.client.get::<Status>(&path, LOOK) else {
        return;
    };
    let Some(service) = status.services.first() else {
        return;
    };
    let advice = super::status::advice_lines(ctx, &service.verdict.advice);
    if !advice.is_empty() {
        out(&ui(&ctx.voice, Ui::NextStep));
        out(&advice.join("\n"));
    }
}
