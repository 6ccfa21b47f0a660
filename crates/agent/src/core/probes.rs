//! What client probes report: who sees the service, and which gaps they measured.

use super::live::rfc3339;
use siaga_model::api::{LostRows, Outage, ProbeGap, ProbeReport, SeenBy};
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
    /// Rows that were not found again, by the moment that was reported here.
    lost: VecDeque<(Instant, u64)>,
}

impl Seen {
    /// `before`: the last number that this probe gave. It counts from zero again where the probe was started anew.
    fn note_lost(&mut self, now: Instant, before: u64, rows: u64) {
        let more = match rows < before {
            true => rows,
            false => rows - before,
        };
        if more > 0 {
            self.lost.push_back((now, more));
        }
        while self.lost.len() > GAPS_KEPT {
            self.lost.pop_front();
        }
    }
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
            // Of a probe that was not heard before everything is news: it may have reported to the other node alone.
            let before = probes.get(&key).map_or(0, |seen| seen.report.lost_rows);
            let seen = probes.entry(key).or_insert_with(|| Seen {
                at: now,
                report: report.clone(),
                closed: VecDeque::new(),
                open: false,
                lost: VecDeque::new(),
            });
            seen.note_lost(now, before, report.lost_rows);
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

    /// What each probe of `service` reported since `since` that it did not find again.
    pub fn lost_since(&self, service: &ServiceName, since: Instant) -> Vec<LostRows> {
        let probes = self.lock();
        let of_it = probes.iter().filter(|((s, _), _)| s == service);
        let lost = of_it.map(|((_, probe), seen)| LostRows {
            probe: probe.clone(),
            rows: {
                let late = seen.lost.iter().filter(|(at, _)| *at >= since);
                late.map(|(_, rows)| rows).sum()
            },
        });
        lost.filter(|lost| lost.rows > 0).collect()
    }

    /// What every probe of `service` misses since it was started.
    pub fn lost(&self, service: &ServiceName) -> Vec<LostRows> {
        let probes = self.lock();
        let of_it = probes.iter().filter(|((s, _), _)| s == service);
        let lost = of_it.map(|((_, probe), seen)| LostRows {
            probe: probe.clone(),
            rows: seen.report.lost_rows,
        });
        lost.filter(|lost| lost.rows > 0).collect()
    }

    /// Does any probe of `service` write rows, and look for them?
    pub fn write_rows(&self, service: &ServiceName) -> bool {
        let probes = self.lock();
        let mut of_it = probes.iter().filter(|((s, _), _)| s == service);
        of_it.any(|(_, seen)| seen.report.writes_rows)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn report(sequence: u64, lost_rows: u64) -> ProbeReport {
        ProbeReport {
            probe: "loket-1".into(),
            service: "simrs".into(),
            sequence,
            interval_ms: 10,
            serving: true,
            last_success_age_ms: Some(1),
            answered_by: None,
            gaps: Vec::new(),
            error: None,
            lost_rows,
            writes_rows: true,
        }
    }

    #[test]
    fn rows_that_are_gone_belong_to_the_run_in_which_they_were_missed() {
        let text = include_str!("../../../../examples/full.toml");
        let checks = siaga_config::HostChecks::default();
        let (config, _) = siaga_config::parse(text, &checks).unwrap();
        let desk = ProbeDesk::new(Arc::new(config));
        let simrs = ServiceName::from("simrs");
        desk.report(report(1, 0));
        let first_run = Instant::now();
        desk.report(report(2, 3));
        desk.report(report(3, 3));
        let lost = |rows| {
            let probe = "loket-1".to_owned();
            vec![LostRows { probe, rows }]
        };
        assert_eq!(desk.lost_since(&simrs, first_run), lost(3));
        assert_eq!(desk.lost_since(&"pacs".into(), first_run), []);
        let second_run = Instant::now();
        desk.report(report(4, 3));
        assert_eq!(desk.lost_since(&simrs, second_run), []);
        assert_eq!(desk.lost(&simrs), lost(3));
        assert_eq!(desk.lost(&"pacs".into()), []);
        // The probe is started anew: what it misses from then on is counted from nothing.
        desk.report(report(1, 0));
        assert_eq!(
            (desk.lost(&simrs), desk.lost_since(&simrs, second_run)),
            (vec![], vec![])
        );
        desk.report(report(2, 1));
        assert_eq!(desk.lost_since(&simrs, second_run), lost(1));
        assert_eq!(desk.lost_since(&simrs, first_run), lost(4));
    }
}
