//! Which incident is meant, and the rows of a new one.

use super::Desk;
use super::checks::short;
use siaga_model::incident::{IncidentEntry, Origin, TimeKind};
use siaga_model::incident_api::{IncidentAct, IncidentRefusal};
use siaga_model::record::{IncidentRecord, IncidentState};

/// The record that is meant: the one named, or the only one that is open.
///
/// # Errors
/// Where none or several can be meant.
pub fn select<'a>(
    records: &'a [IncidentRecord],
    asked: Option<&str>,
) -> Result<&'a IncidentRecord, IncidentRefusal> {
    if let Some(asked) = asked {
        let is = |r: &&IncidentRecord| r.id.eq_ignore_ascii_case(asked) || r.key.as_str() == asked;
        return records
            .iter()
            .find(is)
            .ok_or_else(|| IncidentRefusal::IncidentUnknown {
                asked: asked.to_owned(),
            });
    }
    let mut may: Vec<&IncidentRecord> = records.iter().filter(|r| r.state.is_open()).collect();
    if may.is_empty() {
        // After the all-clear there is paperwork left.
        may.extend(
            records
                .iter()
                .filter(|r| r.state == IncidentState::AllClear),
        );
    }
    match may.as_slice() {
        [one] => Ok(one),
        [] => Err(IncidentRefusal::NoneOpen),
        several => Err(IncidentRefusal::SeveralOpen {
            ids: several.iter().map(|r| r.id.clone()).collect(),
        }),
    }
}

/// The rows of a new incident.
///
/// # Errors
/// Where something in it can't be right.
pub fn open(
    act: &IncidentAct,
    number: String,
    desk: &Desk,
) -> Result<Vec<IncidentEntry>, IncidentRefusal> {
    let IncidentAct::Open {
        kind,
        services,
        first,
        scope,
        level,
        offline_at,
    } = act
    else {
        return Ok(Vec::new());
    };
    short("--symptom", &first.symptom)?;
    for service in services {
        if !desk.services.contains(service) {
            return Err(IncidentRefusal::ServiceUnknown {
                service: service.clone(),
            });
        }
    }
    if let Some(unit) = &first.unit {
        desk.knows(unit)?;
    }
    let services = match services.is_empty() {
        true => desk.services.to_vec(),
        false => services.clone(),
    };
    let mut rows = vec![IncidentEntry::Opened {
        number,
        kind: *kind,
        origin: Origin::Person,
        services,
        first: first.clone(),
    }];
    if let Some(at) = offline_at {
        desk.is_past(*at)?;
        rows.push(IncidentEntry::TimeEntered {
            time: TimeKind::Offline,
            at: Some(*at),
            reason: String::new(),
        });
    }
    if scope.is_some() || level.is_some() {
        rows.push(IncidentEntry::Classified {
            kind: None,
            scope: *scope,
            level: *level,
        });
    }
    Ok(rows)
}
