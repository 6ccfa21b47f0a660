//! CSV after RFC 4180: lines end in CR LF, every field that needs it is quoted. Instants are RFC 3339, UTC.

use crate::availability::Availability;
use crate::log_book::LogBookRow;
use crate::row::kind_name;
use siaga_model::UtcMicros;
use siaga_model::api::EventView;
use siaga_model::api::SeenBy;

/// All events, oldest first as given.
pub fn events_csv(events: &[EventView]) -> String {
    let mut out = String::new();
    let header = [
        "at",
        "node",
        "incarnation",
        "seq",
        "service",
        "run",
        "actor",
        "kind",
        "event",
    ];
    line(&mut out, header.map(str::to_owned));
    for view in events {
        let event = &view.event;
        let body = serde_json::to_string(&event.body).unwrap_or_default();
        line(
            &mut out,
            [
                instant(view.at),
                view.node.to_string(),
                view.incarnation.to_string(),
                view.seq.to_string(),
                text(event.service.as_ref()),
                text(event.run.as_ref()),
                event
                    .actor
                    .as_ref()
                    .map(|a| a.name.clone())
                    .unwrap_or_default(),
                kind_name(&event.body),
                body,
            ],
        );
    }
    out
}

/// The log book.
pub fn log_book_csv(rows: &[LogBookRow]) -> String {
    let mut out = String::new();
    let header = [
        "subject",
        "name",
        "kind",
        "offline_at",
        "online_at",
        "duration_ms",
        "error_ms",
        "cause",
        "who",
        "seen_by",
        "run",
    ];
    line(&mut out, header.map(str::to_owned));
    for row in rows {
        let seen_by = match (&row.entered_by, row.seen_by) {
            (Some(_), _) => "entered",
            (None, SeenBy::Probe) => "probe",
            (None, SeenBy::Node) => "node",
        };
        line(
            &mut out,
            [
                row.subject.kind_name().to_owned(),
                row.subject.name().to_owned(),
                row.kind.name().to_owned(),
                row.offline_at.map(instant).unwrap_or_default(),
                row.online_at.map(instant).unwrap_or_default(),
                text(row.duration_ms.as_ref()),
                text(row.error_ms.as_ref()),
                row.cause.clone().unwrap_or_default(),
                row.who.clone().unwrap_or_default(),
                seen_by.to_owned(),
                text(row.run.as_ref()),
            ],
        );
    }
    out
}

/// The figures of availability, one line per service and period.
pub fn availability_csv(figures: &[Availability]) -> String {
    let mut out = String::new();
    let header = [
        "service",
        "period",
        "minutes_in_period",
        "minutes_counted",
        "downtime_planned_min",
        "downtime_unplanned_min",
        "availability_pct",
        "availability_excluding_planned_pct",
        "target_pct",
        "incidents",
        "open_incidents",
        "unknown_duration",
    ];
    line(&mut out, header.map(str::to_owned));
    for f in figures {
        line(
            &mut out,
            [
                f.service.to_string(),
                f.period.clone(),
                text(f.minutes_in_month.or(f.minutes_in_year).as_ref()),
                f.minutes_counted.to_string(),
                f.downtime_planned_min.to_string(),
                f.downtime_unplanned_min.to_string(),
                text(f.availability_pct.as_ref()),
                text(f.availability_excluding_planned_pct.as_ref()),
                text(f.target_pct.as_ref()),
                f.incidents.to_string(),
                f.open_incidents.to_string(),
                f.unknown_duration.to_string(),
            ],
        );
    }
    out
}

fn text(value: Option<&impl ToString>) -> String {
    value.map(ToString::to_string).unwrap_or_default()
}

/// RFC 3339, UTC. Empty where the instant can't be.
pub fn instant(at: UtcMicros) -> String {
    jiff::Timestamp::from_microsecond(at.0)
        .map(|t| t.to_string())
        .unwrap_or_default()
}

fn line<const N: usize>(out: &mut String, fields: [String; N]) {
    for (index, field) in fields.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        if field.contains([',', '"', '\r', '\n']) {
            out.push('"');
            out.push_str(&field.replace('"', "\"\""));
            out.push('"');
        } else {
            out.push_str(field);
        }
    }
    out.push_str("\r\n");
}
