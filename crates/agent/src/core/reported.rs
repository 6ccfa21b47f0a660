//! A finding has one code and one node; two services may have the same one there. Which of them have it, so that the end of one is
//! not taken for the end of both.

use siaga_model::ServiceName;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// The services that a watch has reported.
#[derive(Default)]
pub struct Reported(Mutex<BTreeSet<ServiceName>>);

impl Reported {
    /// It is found of this service.
    pub fn add(&self, service: &ServiceName) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(service.clone());
    }

    /// Was it found of this service?
    pub fn has(&self, service: &ServiceName) -> bool {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.contains(service)
    }

    /// It is over for this service. True where it was the last one.
    pub fn over(&self, service: &ServiceName) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(service) && all.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_one_service_is_not_the_end_of_the_other() {
        let (reported, simrs, pacs) = (Reported::default(), "simrs".into(), "pacs".into());
        reported.add(&simrs);
        reported.add(&simrs);
        assert!(!reported.has(&pacs) && !reported.over(&pacs));
        reported.add(&pacs);
        assert!(!reported.over(&simrs));
        assert!(reported.has(&pacs) && !reported.has(&simrs));
        assert!(reported.over(&pacs));
        assert!(!reported.over(&pacs));
    }
}
