//! Tells people what is due: alerts to the people on call, and reminders by name.

use super::alerts::{self, name_of as alert_name};
use super::duties::{Known, is_day, known, on_desk, planned};
use super::notices::{with_outbox, write};
use super::state::Core;
use siaga_comms::{AlertFacts, Sign};
use siaga_journal::{Durability, JournalError};
use siaga_model::config::Role;
use siaga_model::downtime::Remind;
use siaga_model::duty::Duty;
use siaga_model::incident::IncidentKind;
use siaga_model::notice::{About, AlertCause, NoticeEntry};
use siaga_model::record::IncidentRecord;
use siaga_model::{IncidentKey, NoticeId, PersonName, UtcMicros};
use siaga_planner::duties::{self, Reminder};
use siaga_runner::hands::Hands;
use std::collections::BTreeSet;

/// Alerts and reminders that are due now.
///
/// # Errors
/// Where the log can't be read or written.
pub fn tell(core: &Core) -> Result<(), JournalError> {
    let known = known(core)?;
    shout(core, &known)?;
    let now = core.hands.now();
    let paused = with_outbox(core, |outbox| outbox.pause(now).is_some())?;
    if paused {
        return Ok(());
    }
    remind(core, &known)
}

/// Promises that are late and estimates that are over: the people on call are alerted, and whoever writes the notices is
/// told. What was mended is no longer shouted about.
fn shout(core: &Core, known: &Known) -> Result<(), JournalError> {
    let now = core.hands.now();
    let mut holds: BTreeSet<NoticeId> = BTreeSet::new();
    for record in &known.records {
        for duty in duties::of_incident(record, now) {
            let Some((cause, sign, since)) = cause_of(&duty) else {
                continue;
            };
            holds.extend(alert_name(&record.key, &cause));
            let facts = |notice: String| AlertFacts {
                sign,
                service: services(record),
                since,
                now,
                number: Some(record.id.clone()),
                notice,
                drill: record.kind == IncidentKind::Drill,
            };
            let say = |notice: String| {
                let language = core.config.site.language;
                siaga_comms::alert(&core.notices.templates, language, &facts(notice))
            };
            let told = told(core, record, &cause, &duty, say(String::new()));
            alerts::raise_with(core, &record.key, &cause, |n| say(n.to_string()), told)?;
        }
    }
    settle_mended(core, &holds)
}

fn cause_of(duty: &Duty) -> Option<(AlertCause, Sign, UtcMicros)> {
    match duty {
        Duty::UpdateLate { promised, .. } => {
            let promised = *promised;
            Some((
                AlertCause::UpdateLate { promised },
                Sign::UpdateLate,
                promised,
            ))
        }
        Duty::EstimateOver {
            given_at,
            over_since,
            ..
        } => {
            let given_at = *given_at;
            Some((
                AlertCause::EstimateOver { given_at },
                Sign::EstimateOver,
                *over_since,
            ))
        }
        Duty::TimesMissing { .. }
        | Duty::StartWaits { .. }
        | Duty::PlannedWork { .. }
        | Duty::DrillOverdue { .. }
        | Duty::ReviewOverdue { .. }
        | Duty::ActionOverdue { .. } => None,
    }
}

fn services(record: &IncidentRecord) -> String {
    let names: Vec<&str> = record.services.iter().map(|s| s.as_str()).collect();
    names.join(", ")
}

/// The row that tells those who write the notices, beside the alert.
fn told(
    core: &Core,
    record: &IncidentRecord,
    cause: &AlertCause,
    duty: &Duty,
    text: siaga_model::notice::Text,
) -> Vec<(NoticeId, NoticeEntry)> {
    let to = with_role(core, Role::Communicator);
    let Some(name) = alert_name(&record.key, cause).filter(|_| !to.is_empty()) else {
        return Vec::new();
    };
    let about = About::Duty { duty: duty.clone() };
    let row = NoticeEntry::Message { about, text, to };
    vec![(NoticeId::new(format!("{name}-told")), row)]
}

/// Alerts about promises that no longer hold go no further: news was given, or the incident is over.
fn settle_mended(core: &Core, holds: &BTreeSet<NoticeId>) -> Result<(), JournalError> {
    let mended: Vec<(IncidentKey, AlertCause)> = with_outbox(core, |outbox| {
        let open = |id: &NoticeId, r: &siaga_journal::outbox::NoticeRecord| {
            r.dropped.is_none() && r.alert_acknowledged.is_none() && !holds.contains(id)
        };
        let alerts = outbox.all().filter(|(id, r)| r.is_alert() && open(id, r));
        alerts
            .filter_map(|(_, r)| Some((r.incident()?.clone(), r.cause()?.clone())))
            .filter(|(_, cause)| !cause.is_trouble())
            .collect()
    })?;
    for (incident, cause) in mended {
        alerts::settle_where(core, &incident, "", |c| *c == cause)?;
    }
    Ok(())
}

/// The people with that role who can be told.
fn with_role(core: &Core, role: Role) -> Vec<PersonName> {
    let people = core.config.people.iter().filter(|p| p.role == role);
    people
        .map(|p| p.name.clone())
        .filter(|p| can_be_told(core, p))
        .collect()
}

fn can_be_told(core: &Core, person: &PersonName) -> bool {
    core.config.downtime.addresses_of(person).next().is_some()
}

/// Who is reminded: as the site says, else who is first on call.
fn reminded(core: &Core) -> Vec<PersonName> {
    let chosen = match &core.config.downtime.rules.remind {
        Remind::Role(role) => with_role(core, *role),
        Remind::Person(person) => vec![person.clone()],
    };
    match chosen.is_empty() {
        true => siaga_journal::outbox::people(&core.config.downtime)
            .into_iter()
            .take(1)
            .collect(),
        false => chosen,
    }
}

/// Of what is due, people are reminded once in its period.
fn remind(core: &Core, known: &Known) -> Result<(), JournalError> {
    let now = core.hands.now();
    let planned = with_outbox(core, planned)?;
    for reminder in on_desk(core, known, &planned, duties::reminders) {
        if reminder.in_the_day && !is_day(core, now) {
            continue;
        }
        let name = name_of(reminder.period, &reminder.tag);
        if with_outbox(core, |outbox| outbox.notice(&name).is_some())? {
            continue;
        }
        let rows = reminder_rows(core, &name, &reminder)?;
        if !rows.is_empty() {
            write(core, &core.agent_actor(), rows, Durability::Sync)?;
        }
    }
    Ok(())
}

/// The name of what is told once in a period: the same on both nodes.
pub(super) fn name_of(period: UtcMicros, tag: &str) -> NoticeId {
    let plain = |c: char| match c.is_ascii_alphanumeric() || "-_.".contains(c) {
        true => c,
        false => '-',
    };
    let tag: String = tag.chars().map(plain).collect();
    NoticeId::new(format!("n{:014x}-{tag}", period.0))
}

fn reminder_rows(
    core: &Core,
    name: &NoticeId,
    reminder: &Reminder,
) -> Result<Vec<(NoticeId, NoticeEntry)>, JournalError> {
    let mut to = reminded(core);
    if let Duty::ActionOverdue { owner, .. } = &reminder.duty {
        let owner = PersonName::new(owner.clone());
        if can_be_told(core, &owner) && !to.contains(&owner) {
            to.insert(0, owner);
        }
    }
    let mut rows = Vec::new();
    if !to.is_empty() {
        let what = siaga_words::duty(&*core.config, &reminder.duty).what;
        let text = siaga_comms::reminder(core.config.site.language, &what);
        let about = About::Duty {
            duty: reminder.duty.clone(),
        };
        rows.push((name.clone(), NoticeEntry::Message { about, text, to }));
    }
    if let Duty::PlannedWork {
        notice,
        released: true,
        ..
    } = &reminder.duty
    {
        rows.extend(units_again(core, name, notice)?);
    }
    Ok(rows)
}

/// The units are told once more what a person let them be told.
fn units_again(
    core: &Core,
    name: &NoticeId,
    first: &NoticeId,
) -> Result<Vec<(NoticeId, NoticeEntry)>, JournalError> {
    let draft = with_outbox(core, |o| o.notice(first).and_then(|r| r.draft.clone()))?;
    let again = NoticeId::new(format!("{name}-units"));
    let known = with_outbox(core, |o| o.notice(&again).is_some())?;
    let Some(draft) = draft.filter(|_| !known) else {
        return Ok(Vec::new());
    };
    let written = NoticeEntry::Drafted {
        moment: draft.moment,
        incident: draft.incident,
        texts: draft.texts.iter().map(siaga_comms::again).collect(),
        units: draft.units,
        next_update: None,
        window: draft.window,
        reminds_of: Some(first.clone()),
    };
    Ok(vec![
        (again.clone(), written),
        (again, NoticeEntry::Released { bypass: false }),
    ])
}
