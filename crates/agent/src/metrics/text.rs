//! The numbers as text, in the exposition format of Prometheus, version 0.0.4
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>). What is not known is a state of its own or is left
//! out; it is never a zero.

use super::{OfService, Snapshot, word};
use siaga_model::api::CanTakeOver;
use siaga_model::event::Severity;
use std::collections::BTreeMap;
use std::fmt::Write;

/// The whole page.
pub fn of(snapshot: &Snapshot) -> String {
    let mut page = Page::default();
    let node = snapshot.node.to_string();
    let version = env!("CARGO_PKG_VERSION");
    page.family("siaga_info", "The agent that tells these numbers.");
    page.sample(&[("node", &node), ("version", version)], 1.0);
    readiness(&mut page, &snapshot.services);
    checks(&mut page, &snapshot.services);
    takeover(&mut page, &snapshot.services);
    here(&mut page, &snapshot.services);
    probes(&mut page, &snapshot.services);
    page.family(
        "siaga_peer_age_seconds",
        "Since the other node last answered.",
    );
    for (peer, age) in &snapshot.peers {
        if let Some(age) = age {
            page.sample(&[("peer", &peer.to_string())], age.as_secs_f64());
        }
    }
    page.family(
        "siaga_findings",
        "What the agent found by itself, by severity.",
    );
    for severity in [Severity::Info, Severity::Warning, Severity::Blocking] {
        let count = snapshot.findings.iter().filter(|s| **s == severity).count();
        page.sample(&[("severity", &word(&severity))], count as f64);
    }
    page.family("siaga_duties", "What people still have to do.");
    page.sample(&[], snapshot.duties as f64);
    page.text
}

fn readiness(page: &mut Page, services: &[OfService]) {
    page.family(
        "siaga_can_take_over",
        "The newest check's answer; \"unknown\" also where it is too old or was never made.",
    );
    for service in services {
        let answer = match &service.check {
            Some(check) if !service.stale => check.can_take_over,
            Some(_) | None => CanTakeOver::Unknown,
        };
        for one in [CanTakeOver::Yes, CanTakeOver::No, CanTakeOver::Unknown] {
            let labels = [("service", service.name.as_str()), ("answer", &word(&one))];
            page.sample(&labels, f64::from(u8::from(one == answer)));
        }
    }
    page.family("siaga_readiness_age_seconds", "Age of the newest check.");
    for (service, check) in services.iter().filter_map(|s| Some((s, s.check.as_ref()?))) {
        page.sample(&[("service", &service.name)], check.age_ms as f64 / 1e3);
    }
}

fn checks(page: &mut Page, services: &[OfService]) {
    page.family(
        "siaga_check",
        "How many things of that kind the newest check found so.",
    );
    for (service, check) in services.iter().filter_map(|s| Some((s, s.check.as_ref()?))) {
        let mut counted: BTreeMap<(String, String, String), u32> = BTreeMap::new();
        for one in &check.examined {
            let key = (one.node.to_string(), word(&one.id), word(&one.status));
            *counted.entry(key).or_default() += 1;
        }
        for ((node, id, status), count) in &counted {
            let labels = [
                ("service", service.name.as_str()),
                ("node", node),
                ("id", id),
                ("status", status),
            ];
            page.sample(&labels, f64::from(*count));
        }
    }
}

fn takeover(page: &mut Page, services: &[OfService]) {
    page.family(
        "siaga_takeover_expected_seconds",
        "How long the steps of a takeover would take.",
    );
    let known = |s: &'_ OfService| Some((s.name.clone(), s.check.as_ref()?.takeover?));
    for (service, range) in services.iter().filter_map(known) {
        for (bound, seconds) in [
            ("low", range.low_s),
            ("likely", range.likely_s),
            ("high", range.high_s),
        ] {
            page.sample(&[("service", &service), ("bound", bound)], seconds as f64);
        }
    }
}

fn here(page: &mut Page, services: &[OfService]) {
    page.family("siaga_disk_set", "Does this node hold the disk set?");
    for service in services {
        let now = word(&service.facts.disk);
        page.states(&service.name, &["free", "held", "unknown"], &now);
    }
    page.family("siaga_database", "The database on this node.");
    for service in services {
        let now = word(&service.facts.database);
        let states = ["stopped", "starting", "ready", "not_serving", "unknown"];
        page.states(&service.name, &states, &now);
    }
    page.family(
        "siaga_virtual_ip_present",
        "Is the service's address on this node?",
    );
    for service in services {
        for vip in &service.facts.virtual_ips {
            let address = vip.address.to_string();
            let labels = [("service", service.name.as_str()), ("address", &address)];
            page.sample(&labels, f64::from(u8::from(vip.present)));
        }
    }
    page.family("siaga_run_at_work", "Does this node coordinate a run now?");
    for service in services {
        page.sample(
            &[("service", &service.name)],
            f64::from(u8::from(service.run_at_work)),
        );
    }
}

fn probes(page: &mut Page, services: &[OfService]) {
    page.family(
        "siaga_probe_serving",
        "Did a client probe's last attempt read and write a row?",
    );
    let each = || {
        services
            .iter()
            .flat_map(|s| s.probes.iter().map(move |p| (s, p)))
    };
    for (service, probe) in each() {
        let labels = [("service", service.name.as_str()), ("probe", &probe.probe)];
        page.sample(&labels, f64::from(u8::from(probe.serving)));
    }
    page.family(
        "siaga_probe_report_age_seconds",
        "Since a client probe last reported to this node.",
    );
    for (service, probe) in each() {
        let labels = [("service", service.name.as_str()), ("probe", &probe.probe)];
        page.sample(&labels, probe.age_ms as f64 / 1e3);
    }
}

/// Text that grows family by family.
#[derive(Default)]
struct Page {
    text: String,
    family: &'static str,
}

impl Page {
    /// The samples that follow belong to it. All are gauges.
    fn family(&mut self, name: &'static str, help: &str) {
        self.family = name;
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} gauge");
    }

    fn sample(&mut self, labels: &[(&str, &str)], value: f64) {
        let name = self.family;
        let labels: Vec<String> = labels
            .iter()
            .map(|(key, value)| format!("{key}=\"{}\"", escaped(value)))
            .collect();
        let _ = match labels.is_empty() {
            true => writeln!(self.text, "{name} {value}"),
            false => writeln!(self.text, "{name}{{{}}} {value}", labels.join(",")),
        };
    }

    /// One sample for each state: 1 for the one that holds.
    fn states(&mut self, service: &str, states: &[&str], now: &str) {
        for state in states {
            let labels = [("service", service), ("state", *state)];
            self.sample(&labels, f64::from(u8::from(*state == now)));
        }
    }
}

fn escaped(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use siaga_model::api::CheckReport;
    use siaga_model::observation::{
        DatabaseState, Holding, LedgerFacts, NodeFacts, ProbeSighting, VirtualIpFact,
    };
    use siaga_model::readiness::{CheckId, CheckStatus, Examined};
    use siaga_model::{BootId, Evidence, UtcMicros, Why};
    use std::time::Duration;

    fn snapshot(stale: bool) -> Snapshot {
        let pass = |id| Examined::pass(id, &"serverdb".into(), Evidence::NoProbeReports);
        let open = |status| {
            Examined::open(
                CheckId::Fence,
                &"backup".into(),
                status,
                Evidence::NoProbeReports,
            )
        };
        let check = CheckReport {
            service: "simrs".into(),
            can_take_over: CanTakeOver::Yes,
            findings: Vec::new(),
            examined: vec![
                pass(CheckId::Peer),
                pass(CheckId::Path),
                pass(CheckId::Path),
                open(CheckStatus::Unknown),
            ],
            checked_at: UtcMicros(0),
            age_ms: 1500,
            takeover: None,
            not_exercised: Vec::new(),
            duties: Vec::new(),
        };
        let service = OfService {
            name: "simrs".into(),
            check: Some(check),
            stale,
            facts: NodeFacts {
                boot: BootId::new("b"),
                disk: Holding::Unknown {
                    why: Why::NoReservation,
                },
                mounts: Vec::new(),
                virtual_ips: vec![VirtualIpFact {
                    address: [192, 0, 2, 10].into(),
                    present: true,
                }],
                database: DatabaseState::Ready,
                applications: Vec::new(),
                ledger: LedgerFacts::default(),
                unable: None,
                astray: Vec::new(),
            },
            probes: vec![ProbeSighting {
                probe: "kasir \"1\"".into(),
                age_ms: 250,
                serving: true,
                answered_by: None,
                node: None,
            }],
            run_at_work: false,
        };
        Snapshot {
            node: "serverdb".into(),
            services: vec![service],
            peers: vec![
                ("backup".into(), Some(Duration::from_millis(500))),
                ("third".into(), None),
            ],
            findings: vec![Severity::Warning],
            duties: 2,
        }
    }

    #[test]
    fn what_is_known_is_a_number_and_what_is_not_is_a_state() {
        let page = of(&snapshot(false));
        for line in [
            "siaga_can_take_over{service=\"simrs\",answer=\"yes\"} 1",
            "siaga_can_take_over{service=\"simrs\",answer=\"unknown\"} 0",
            "siaga_readiness_age_seconds{service=\"simrs\"} 1.5",
            "siaga_check{service=\"simrs\",node=\"serverdb\",id=\"path\",status=\"pass\"} 2",
            "siaga_check{service=\"simrs\",node=\"backup\",id=\"fence\",status=\"unknown\"} 1",
            "siaga_disk_set{service=\"simrs\",state=\"free\"} 0",
            "siaga_disk_set{service=\"simrs\",state=\"unknown\"} 1",
            "siaga_database{service=\"simrs\",state=\"ready\"} 1",
            "siaga_virtual_ip_present{service=\"simrs\",address=\"192.0.2.10\"} 1",
            "siaga_probe_serving{service=\"simrs\",probe=\"kasir \\\"1\\\"\"} 1",
            "siaga_peer_age_seconds{peer=\"backup\"} 0.5",
            "siaga_findings{severity=\"warning\"} 1",
            "siaga_duties 2",
        ] {
            assert!(page.lines().any(|l| l == line), "{line}\nin\n{page}");
        }
        assert!(!page.contains("third"), "never heard of is no number");
    }

    #[test]
    fn a_stale_answer_is_unknown() {
        let page = of(&snapshot(true));
        assert!(page.contains("answer=\"yes\"} 0"));
        assert!(page.contains("answer=\"unknown\"} 1"));
    }

    /// Each sample belongs to the family above it, and no sample comes twice.
    #[test]
    fn the_page_is_well_formed() {
        let page = of(&snapshot(false));
        let (mut family, mut seen) = ("", std::collections::BTreeSet::new());
        for line in page.lines() {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                family = rest.strip_suffix(" gauge").expect("a gauge");
            } else if !line.starts_with('#') {
                let (series, value) = line.rsplit_once(' ').expect("a value");
                assert_eq!(series.split('{').next(), Some(family), "{line}");
                assert!(value.parse::<f64>().is_ok(), "{line}");
                assert!(seen.insert(series), "{line}");
            }
        }
    }
}
