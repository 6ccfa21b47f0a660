//! What stands found on this node, and of which service: two services may have the same thing wrong with them on one node, and the
//! end of one is not the end of the other.

use super::state::Core;
use siaga_model::event::{EventBody, Finding, FindingCode};
use siaga_model::{NodeName, ServiceName};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// One finding; `service` is `None` where it is of the node itself.
struct Standing {
    service: Option<ServiceName>,
    finding: Finding,
}

impl Standing {
    fn is(&self, service: Option<&ServiceName>, code: FindingCode, node: &NodeName) -> bool {
        let same = self.finding.code == code && &self.finding.node == node;
        same && self.service.as_ref() == service
    }
}

/// All of them, one for each service, code and node.
#[derive(Default)]
pub struct FindingDesk(Mutex<Vec<Standing>>);

impl FindingDesk {
    fn lock(&self) -> MutexGuard<'_, Vec<Standing>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds it, or replaces the one with the same service, code and node. True where it is new.
    fn put(&self, service: Option<&ServiceName>, finding: &Finding) -> bool {
        let mut all = self.lock();
        let known = all
            .iter_mut()
            .find(|s| s.is(service, finding.code, &finding.node));
        if let Some(known) = known {
            known.finding = finding.clone();
            return false;
        }
        all.push(Standing {
            service: service.cloned(),
            finding: finding.clone(),
        });
        true
    }

    fn take_back(&self, service: Option<&ServiceName>, code: FindingCode, node: &NodeName) {
        self.lock().retain(|s| !s.is(service, code, node));
    }

    fn get(
        &self,
        service: Option<&ServiceName>,
        code: FindingCode,
        node: &NodeName,
    ) -> Option<Finding> {
        let all = self.lock();
        let known = all.iter().find(|s| s.is(service, code, node))?;
        Some(known.finding.clone())
    }

    /// Those that pass, each once: two services may have the very same thing.
    fn each(&self, which: impl Fn(&Standing) -> bool) -> Vec<Finding> {
        let mut shown: Vec<Finding> = Vec::new();
        for standing in self.lock().iter().filter(|s| which(s)) {
            if !shown.contains(&standing.finding) {
                shown.push(standing.finding.clone());
            }
        }
        shown
    }
}

impl Core {
    /// Adds a finding, or replaces the one with the same service, code and node. New ones are written down.
    pub fn found(&self, service: Option<&ServiceName>, finding: Finding) {
        if self.findings.put(service, &finding) {
            tracing::warn!(code = ?finding.code, evidence = ?finding.evidence, "found");
            self.note(service, EventBody::Found { finding });
        }
    }

    /// Takes a finding back that no longer holds.
    pub fn mended(&self, service: Option<&ServiceName>, code: FindingCode, node: &NodeName) {
        self.findings.take_back(service, code, node);
    }

    /// What stands found of that service with that code, on that node.
    pub fn standing(
        &self,
        service: Option<&ServiceName>,
        code: FindingCode,
        node: &NodeName,
    ) -> Option<Finding> {
        self.findings.get(service, code, node)
    }

    /// Everything that stands found now.
    pub fn findings(&self) -> Vec<Finding> {
        self.findings.each(|_| true)
    }

    /// What of it bears on that service: its own, and what is of no service.
    pub fn findings_of(&self, service: &ServiceName) -> Vec<Finding> {
        self.findings
            .each(|s| s.service.as_ref().is_none_or(|of| of == service))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use siaga_model::Evidence;
    use siaga_model::event::Severity;

    fn finding(code: FindingCode, seen: &str) -> Finding {
        Finding {
            code,
            node: "serverdb".into(),
            severity: Severity::Warning,
            evidence: Evidence::thing(seen),
        }
    }

    #[test]
    fn the_end_of_one_service_is_not_the_end_of_the_other() {
        let (code, me) = (FindingCode::MountByHand, NodeName::from("serverdb"));
        let (simrs, pacs) = (ServiceName::from("simrs"), ServiceName::from("pacs"));
        let desk = FindingDesk::default();
        assert!(desk.put(Some(&simrs), &finding(code, "/srv/simrs")));
        assert!(!desk.put(Some(&simrs), &finding(code, "/srv/simrs")));
        desk.take_back(Some(&pacs), code, &me);
        desk.take_back(None, code, &me);
        let known = desk.get(Some(&simrs), code, &me);
        assert_eq!(known, Some(finding(code, "/srv/simrs")));
        assert!(desk.put(Some(&pacs), &finding(code, "/srv/pacs")));
        desk.take_back(Some(&simrs), code, &me);
        assert_eq!(desk.get(Some(&simrs), code, &me), None);
        assert!(desk.get(Some(&pacs), code, &me).is_some());
    }

    #[test]
    fn what_two_services_have_alike_is_shown_once() {
        let desk = FindingDesk::default();
        let code = FindingCode::AddressConflict;
        for service in ["simrs", "pacs"] {
            desk.put(Some(&service.into()), &finding(code, "192.0.2.50"));
        }
        desk.put(None, &finding(FindingCode::JournalDamaged, "serverdb.log"));
        assert_eq!(desk.each(|_| true).len(), 2);
    }
}
