//! Makes a report's content once more from the log, as it was at the report's seal, and compares. So a file whose text
//! *and* record were changed together, with the seal left alone, is found too.
//!
//! What is the site's and not the log's is taken from the report: the head box, the goals, the titles of the units.

use crate::drill::DrillDocument;
use crate::figures::{Figures, log_book};
use crate::incident::IncidentDocument;
use crate::report::{Content, Report};
use siaga_journal::availability::{Availability, Period};
use siaga_journal::log_book::LogBookRow;
use siaga_model::ServiceName;
use siaga_model::api::{EventView, MoveReport};
use siaga_model::record::IncidentLine;
use siaga_model::seal::SealedIncident;

/// What the log gives, as it was at the report's seal.
pub enum Truth<'a> {
    /// The log book, and the incidents in short.
    Log {
        rows: &'a [LogBookRow],
        incidents: &'a [IncidentLine],
    },
    /// The report's incident.
    Incident(&'a SealedIncident),
    /// The report's run.
    Run {
        run: &'a MoveReport,
        events: &'a [EventView],
    },
}

/// Is the report's content what the log gives?
pub fn agrees(report: &Report, truth: &Truth) -> bool {
    match (&report.content, truth) {
        (
            Content::Availability {
                period,
                figures,
                trend,
            },
            Truth::Log { rows, incidents },
        ) => {
            let source = Figures {
                site: &report.site,
                rows,
                incidents,
                now: report.made_at,
                begins: report.seal.begins_at,
            };
            availability_agrees(&source, period, figures, trend)
        }
        (
            Content::LogBook {
                period,
                service,
                rows: given,
            },
            Truth::Log { rows, .. },
        ) => {
            let zone = &report.site.time_zone;
            let again = log_book(rows, period, zone, service.as_ref(), report.made_at);
            again.as_ref() == Some(given)
        }
        (Content::Drill(given), Truth::Run { run, events }) => {
            **given == DrillDocument::of_run((*run).clone(), events)
        }
        (Content::Incident(given), Truth::Run { run, events }) => {
            let again = IncidentDocument {
                units: given.units.clone(),
                ..IncidentDocument::of_run((*run).clone(), events)
            };
            **given == again
        }
        (Content::Incident(given), Truth::Incident(sealed)) => {
            let again = IncidentDocument {
                units: given.units.clone(),
                ..IncidentDocument::of_record(&sealed.record, sealed.runs.clone(), &sealed.sent)
            };
            **given == again
        }
        (
            Content::Availability { .. } | Content::LogBook { .. },
            Truth::Run { .. } | Truth::Incident(_),
        )
        | (Content::Drill(_), Truth::Log { .. } | Truth::Incident(_))
        | (Content::Incident(_), Truth::Log { .. }) => false,
    }
}

/// All figures again, and no service left out: a report is of every service, or of one.
fn availability_agrees(
    source: &Figures,
    period: &str,
    figures: &[Availability],
    trend: &[Availability],
) -> bool {
    let zone = &source.site.time_zone;
    let Some(period) = Period::month(period, zone).or_else(|| Period::year(period, zone)) else {
        return false;
    };
    let of: Vec<ServiceName> = figures.iter().map(|f| f.service.clone()).collect();
    let all = source.services();
    let whole = of == all || matches!(of.as_slice(), [one] if all.contains(one));
    whole && figures == source.of(&of, &period) && trend == source.trend(&of, &period)
}
