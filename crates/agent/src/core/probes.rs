//! What client probes report: who sees the service, and which gaps they measured.

use super::live::rfc3339;
use siaga_model::api::{Outage, ProbeGap, ProbeReport, SeenBy};
use siaga_model::config::Config;
use siaga_model::observation::ProbeSighting;
use siaga_model::{NodeName, ServiceName};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How many closed gaps are kept for each probe.
const GAPS_KEPT: usize = 32;

/// All probes.
pub struct ProbeDesk {
    config: Arc<Config>,
    probes: Mutex<BTreeMap<(ServiceName, String), Seen>>,
    changed: watch::Sender<u64>,
}

struct Seen {
    at: Instant,
    report: ProbeReport,
    /// Closed gaps, by the moment their end was reported here.
    closed: VecDeque<(Instant, ProbeGap)>,
    open: bool,
}

/// The newest word of a probe that reports.
#[derive(Clone, Copy, Debug)]
pub struct FreshProbe {
    pub serving: bool,
    /// Milliseconds since its last success, now.
    pub last_success_age_ms: Option<u64>,
}

impl ProbeDesk {
    /// No probe has reported yet.
    pub fn new(config: Arc<Config>) -> Self {
        Self {
            config,
            probes: Mutex::default(),
            changed: watch::channel(0).0,
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(ServiceName, String), Seen>> {
        self.probes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a report in.
    pub fn report(&self, report: ProbeReport) {
        let now = Instant::now();
        let key = (report.service.clone(), report.probe.clone());
        {
            let mut probes = self.lock();
            let seen = probes.entry(key).or_insert_with(|| Seen {
                at: now,
                report: report.clone(),
                closed: VecDeque::new(),
                open: false,
            });
            seen.open = false;
            for gap in &report.gaps {
                if gap.first_success.is_none() {
                    seen.open = true;
                } else if !seen.closed.iter().any(|(_, g)| g.id == gap.id) {
                    seen.closed.push_back((now, gap.clone()));
                }
            }
            while seen.closed.len() > GAPS_KEPT {
                seen.closed.pop_front();
            }
            seen.at = now;
            seen.report = report;
        }
        self.changed.send_modify(|v| *v += 1);
    }

    /// Changes with every report.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// The newest word of every probe of `service`.
    pub fn sightings(&self, service: &ServiceName) -> Vec<ProbeSighting> {
        self.lock()
            .iter()
            .filter(|((s, _), _)| s == service)
            .map(|((_, probe), seen)| ProbeSighting {
                probe: probe.clone(),
                age_ms: u64::try_from(seen.at.elapsed().as_millis()).unwrap_or(u64::MAX),
                serving: seen.report.serving,
                answered_by: seen.report.answered_by.clone(),
                node: seen
                    .report
                    .answered_by
                    .as_deref()
                    .and_then(|h| self.owner(h)),
            })
            .collect()
    }

    /// What the probes of `service` say whose word is not older than `fresh`.
    pub fn fresh(&self, service: &ServiceName, fresh: Duration) -> Vec<FreshProbe> {
        let of = |seen: &Seen| {
            let age = seen.at.elapsed();
            let report = &seen.report;
            let add = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
            (age <= fresh).then(|| FreshProbe {
                serving: report.serving,
                last_success_age_ms: report.last_success_age_ms.map(|ms| ms.saturating_add(add)),
            })
        };
        self.lock()
            .iter()
            .filter(|((s, _), _)| s == service)
            .filter_map(|(_, seen)| of(seen))
            .collect()
    }

    fn owner(&self, hardware: &str) -> Option<NodeName> {
        let node = self.config.nodes.iter().find(|n| {
            n.hardware_addresses
                .iter()
                .any(|h| h.eq_ignore_ascii_case(hardware))
        })?;
        Some(node.name.clone())
    }

    /// The gaps of each probe that ended since `since`.
    pub fn outages(&self, service: &ServiceName, since: Instant) -> Vec<Outage> {
        let mut outages = Vec::new();
        for ((s, probe), seen) in self.lock().iter() {
            if s != service {
                continue;
            }
            for (_, gap) in seen.closed.iter().filter(|(at, _)| *at >= since) {
                outages.push(Outage {
                    offline_at: Some(rfc3339(gap.last_success)),
                    online_at: gap.first_success.map(rfc3339),
                    downtime_ms: Some(gap.gap_ms),
                    error_ms: Some(gap.error_ms),
                    seen_by: SeenBy::Probe,
                    probe: Some(probe.clone()),
                });
            }
        }
        outages
    }

    /// Waits until no fresh probe of `service` has an open gap, at most `wait`.
    pub async fn settled(&self, service: &ServiceName, fresh: Duration, wait: Duration) {
        let mut changed = self.subscribe();
        let waiting = async {
            loop {
                changed.borrow_and_update();
                let open = self.lock().iter().any(|((s, _), seen)| {
                    s == service && seen.at.elapsed() < fresh && (seen.open || !seen.report.serving)
                });
                if !open || changed.changed().await.is_err() {
                    return;
                }
            }
        };
        let _ = tokio::time::timeout(wait, waiting).await;
    }
}
