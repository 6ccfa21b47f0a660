//! What reports over a period hold: made by the same code when a report is printed and when it is verified.

use siaga_journal::availability::{Availability, Basis, Period, PeriodUnit, availability, rows_in};
use siaga_journal::log_book::{LogBookRow, Subject};
use siaga_model::api::SiteView;
use siaga_model::incident::{IncidentKind, TimeKind};
use siaga_model::record::{IncidentLine, IncidentState};
use siaga_model::{ServiceName, UtcMicros};
use std::collections::BTreeMap;

/// How many months a month's trend shows.
const TREND: usize = 12;

/// The log and the site, as they were at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Figures<'a> {
    pub site: &'a SiteView,
    /// Of services, of all time; those of machines may be left out.
    pub rows: &'a [LogBookRow],
    pub incidents: &'a [IncidentLine],
    pub now: UtcMicros,
    /// When the log begins.
    pub begins: Option<UtcMicros>,
}

impl Figures<'_> {
    /// The services of the site, and those that the log still knows.
    pub fn services(&self) -> Vec<ServiceName> {
        let mut all = self.site.services.clone();
        for service in siaga_journal::availability::services(self.rows) {
            if !all.contains(&service) {
                all.push(service);
            }
        }
        all
    }

    /// One line for each service.
    pub fn of(&self, services: &[ServiceName], period: &Period) -> Vec<Availability> {
        let one = |service: &ServiceName| {
            let basis = Basis {
                rows: self.rows,
                now: self.now,
                target_milli_pct: self.site.availability_target_milli_pct,
                log_begins: self.begins,
                records: &self.repaired(service, period),
            };
            availability(service, period, &basis)
        };
        services.iter().map(one).collect()
    }

    /// The months up to this one, or those of this year.
    pub fn trend(&self, services: &[ServiceName], period: &Period) -> Vec<Availability> {
        let months = match period.unit {
            PeriodUnit::Month => period.months_up_to(&self.site.time_zone, TREND),
            PeriodUnit::Year => period.months(&self.site.time_zone),
        };
        months.iter().flat_map(|m| self.of(services, m)).collect()
    }

    /// The times of the unplanned incidents of a service that began in the period: what was planned needed no repair.
    fn repaired(
        &self,
        service: &ServiceName,
        period: &Period,
    ) -> Vec<BTreeMap<TimeKind, UtcMicros>> {
        let began = |line: &&IncidentLine| {
            let at = line.offline_at.unwrap_or(line.opened_at);
            (period.from..period.until).contains(&at)
        };
        let repaired = |line: &&IncidentLine| {
            let none = matches!(line.state, IncidentState::Withdrawn | IncidentState::Merged);
            line.kind == IncidentKind::Unplanned && !none && line.services.contains(service)
        };
        let lines = self.incidents.iter().filter(repaired).filter(began);
        lines.map(|line| line.times.clone()).collect()
    }
}

/// The rows of a log book's paper: those that touch the month (empty: all), of all services or of one, and of the
/// machines. `None`: that is no month.
pub fn log_book(
    rows: &[LogBookRow],
    month: &str,
    zone: &str,
    only: Option<&ServiceName>,
    now: UtcMicros,
) -> Option<Vec<LogBookRow>> {
    let mut rows = match month {
        "" => rows.to_vec(),
        month => rows_in(&Period::month(month, zone)?, rows, now),
    };
    if let Some(only) = only {
        rows.retain(|row| !matches!(&row.subject, Subject::Service(name) if name != only));
    }
    Some(rows)
}
