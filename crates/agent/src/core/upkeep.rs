//! What has to be done now and then: renew the own certificate, and say loudly when a
//! certificate or a clock is wrong. None of it ever blocks a move.

use super::state::Core;
use crate::pki::Identity;
use siaga_model::Evidence;
use siaga_model::event::{Finding, FindingCode, Severity};
use std::sync::Arc;
use std::time::Duration;

/// How often.
const EVERY: Duration = Duration::from_secs(60);
/// How many rounds lie between two whole checks of the log: a day.
const CHECK_LOG_EVERY: u32 = 24 * 60;
/// Fewer days than this left are worth saying.
const FEW_DAYS: i64 = 30;

/// Never ends.
pub async fn upkeep(core: Arc<Core>) {
    let mut round: u32 = 0;
    loop {
        for peer in core.peers.values() {
            if let Some(identity) = peer.identity() {
                report_certificate(
                    &core,
                    &identity.name,
                    identity.days_left,
                    identity.not_yet_valid,
                );
            }
        }
        keep_certificate(&core).await;
        let journal = core.clone();
        let kept = tokio::task::spawn_blocking(move || {
            let mut journal = journal.log.journal();
            // Reads the times of earlier steps now, so that no move waits for it.
            let _ = journal.step_history("");
            journal.maintain()
        })
        .await;
        if let Ok(Err(error)) = kept {
            tracing::warn!(%error, "the log could not be looked after");
        }
        tokio::time::sleep(EVERY).await;
        if round.is_multiple_of(CHECK_LOG_EVERY) {
            check_log(&core).await;
        }
        round = round.wrapping_add(1);
    }
}

/// Reads every row of the log: the open trusts the summaries of long logs. What does not hold is said, and the next
/// open reads every row too, and sets the file aside.
async fn check_log(core: &Arc<Core>) {
    let c = core.clone();
    let checked = tokio::task::spawn_blocking(move || {
        let trusted = c.log.journal().trusted().clone();
        let problems = siaga_journal::verify_dir(&c.state_dir, &trusted).problems;
        // Files that were set aside are known to be damaged.
        let aside = |p: &siaga_journal::Problem| p.file.extension().is_none_or(|e| e != "log");
        let first = problems.into_iter().find(|p| !aside(p));
        if first.is_some()
            && let Err(error) = c.log.journal().forget_summaries()
        {
            tracing::warn!(%error, "the log's summaries could not be removed");
        }
        first
    });
    if let Ok(Some(problem)) = checked.await {
        let evidence = Evidence::DamagedLog {
            problem: Box::new(problem.told()),
        };
        core.found(
            None,
            Finding {
                code: FindingCode::JournalDamaged,
                node: core.me.clone(),
                severity: Severity::Warning,
                evidence,
            },
        );
    }
}

async fn keep_certificate(core: &Arc<Core>) {
    super::ca::keep(core).await;
    let now = crate::pki::now();
    if let Ok(identity) = Identity::load(&core.state_dir) {
        report_certificate(core, core.me.as_str(), identity.dates.days_left(now), false);
    }
}

fn report_certificate(core: &Core, name: &str, days_left: i64, not_yet_valid: bool) {
    let node = siaga_model::NodeName::new(name);
    if days_left >= FEW_DAYS && !not_yet_valid {
        core.mended(None, FindingCode::CertificateExpires, &node);
        return;
    }
    let evidence = if not_yet_valid {
        Evidence::NotYetValid
    } else {
        Evidence::DaysLeft { days: days_left }
    };
    core.found(
        None,
        Finding {
            code: FindingCode::CertificateExpires,
            node,
            severity: Severity::Warning,
            evidence,
        },
    );
}
