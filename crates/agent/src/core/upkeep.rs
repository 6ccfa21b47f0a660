//! What has to be done now and then: renew the own certificate, and say loudly when a
//! certificate or a clock is wrong. None of it ever blocks a move.

use super::state::Core;
use crate::pki::{Identity, renew};
use crate::transport::LiveIdentity;
use siaga_model::Evidence;
use siaga_model::event::{Finding, FindingCode, Severity};
use std::sync::Arc;
use std::time::Duration;

/// How often.
const EVERY: Duration = Duration::from_secs(60);
/// Fewer days than this left are worth saying.
const FEW_DAYS: i64 = 30;

/// Never ends.
pub async fn upkeep(core: Arc<Core>, live: LiveIdentity) {
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
        keep_certificate(&core, &live).await;
        let journal = core.clone();
        let kept = tokio::task::spawn_blocking(move || journal.log.journal().maintain()).await;
        if let Ok(Err(error)) = kept {
            tracing::warn!(%error, "the log could not be looked after");
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn keep_certificate(core: &Core, live: &LiveIdentity) {
    let now = crate::pki::now();
    let peer = core.peers.values().next().map(AsRef::as_ref);
    match renew::run_if_due(&core.state_dir, peer, now).await {
        Ok(renew::Renewal::NotDue) => {}
        Ok(renew::Renewal::Renewed) => {
            if let Err(error) = live.reload(&core.state_dir) {
                tracing::warn!(%error, "the renewed certificate could not be read");
            }
        }
        Err(error) => tracing::warn!(%error, "the certificate could not be renewed"),
    }
    if let Ok(identity) = Identity::load(&core.state_dir) {
        report_certificate(core, core.me.as_str(), identity.dates.days_left(now), false);
    }
}

fn report_certificate(core: &Core, name: &str, days_left: i64, not_yet_valid: bool) {
    let node = siaga_model::NodeName::new(name);
    if days_left >= FEW_DAYS && !not_yet_valid {
        core.mended(FindingCode::CertificateExpires, &node);
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
