//! What is checked of a row's parts.

use super::{AHEAD, Desk, TEXT_AT_MOST};
use siaga_model::incident_api::IncidentRefusal;
use siaga_model::{PersonName, UnitName, UtcMicros};
use std::time::Duration;

impl Desk<'_> {
    pub(super) fn knows(&self, unit: &UnitName) -> Result<(), IncidentRefusal> {
        match self.units.contains(unit) {
            true => Ok(()),
            false => Err(IncidentRefusal::UnitUnknown {
                unit: unit.clone(),
                known: self.units.to_vec(),
            }),
        }
    }

    pub(super) fn is_past(&self, at: UtcMicros) -> Result<(), IncidentRefusal> {
        match at.0 > self.now.0.saturating_add(AHEAD) {
            true => Err(IncidentRefusal::InTheFuture { at }),
            false => Ok(()),
        }
    }

    pub(super) fn somebody(&self) -> Result<PersonName, IncidentRefusal> {
        self.person.cloned().ok_or(IncidentRefusal::PersonNeeded)
    }

    pub(super) fn after(&self, time: Duration) -> UtcMicros {
        let micros = i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
        UtcMicros(self.now.0.saturating_add(micros))
    }
}

/// A text that must not be empty.
pub(super) fn needed(name: &str, text: &str) -> Result<(), IncidentRefusal> {
    if text.trim().is_empty() {
        return Err(IncidentRefusal::TextMissing {
            name: name.to_owned(),
        });
    }
    short(name, text)
}

/// A text that fits into a row.
pub(super) fn short(name: &str, text: &str) -> Result<(), IncidentRefusal> {
    match text.len() > TEXT_AT_MOST {
        true => Err(IncidentRefusal::TooLong {
            name: name.to_owned(),
            at_most: TEXT_AT_MOST as u32,
        }),
        false => Ok(()),
    }
}

/// `2026-12-01`: a day as it sorts.
pub(super) fn is_day(text: &str) -> bool {
    crate::calendar::parse_day(text).is_some()
}
