//! What people still have to do, as of now: for the screens, and for those who are reminded of it or shouted at.
//!
//! Every agent knows it for its own screens. Only the one that sends tells people, and each thing has a name of its own
//! (see [`name_of`] and `alerts::name_of`), so that nobody is told twice: not after a restart, and not when the other
//! node takes over.

use super::alerts::{self, name_of as alert_name};
use super::incidents;
use super::notices::{sender, with_outbox, write};
use super::state::Core;
use siaga_comms::{AlertFacts, Sign};
use siaga_journal::incidents::INCIDENT_KINDS;
use siaga_journal::outbox::Outbox;
use siaga_journal::{Durability, Filter, Heads, JournalError, projections};
use siaga_model::config::Role;
use siaga_model::downtime::Remind;
use siaga_model::duty::Duty;
use siaga_model::incident::IncidentKind;
use siaga_model::notice::{About, AlertCause, Moment, NoticeEntry};
use siaga_model::record::IncidentRecord;
use siaga_model::{IncidentKey, NoticeId, PersonName, ServiceName, UtcMicros};
use siaga_planner::duties::{self, Desk, Planned, Reminder};
use siaga_runner::hands::Hands;
use siaga_words::Voice;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How often it looks.
const TICK: Duration = Duration::from_secs(1);
/// What may wait goes out from this hour of the site's day on.
const MORNING: i8 = 8;

/// What is kept between two looks.
#[derive(Default)]
pub struct DutyDesk {
    known: Mutex<Option<Arc<Known>>>,
    /// The services whose start after a power loss waits for the end of a pause.
    waiting: Mutex<BTreeSet<ServiceName>>,
}

/// What the log says, as far as it was read.
struct Known {
    heads: Heads,
    /// Those of which something may be due.
    records: Vec<IncidentRecord>,
    last_drill: Option<UtcMicros>,
    began: Option<UtcMicros>,
}

impl DutyDesk {
    /// That service would be started now, but for the pause; or it no longer would.
    pub fn start_waits(&self, service: &ServiceName, waits: bool) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        match waits {
            true => waiting.insert(service.clone()),
            false => waiting.remove(service),
        };
    }
}

/// Never ends.
pub async fn keep(core: Arc<Core>) {
    loop {
        tokio::time::sleep(TICK).await;
        if sender(&core).as_ref() != Some(&core.me) {
            continue;
        }
        if let Err(error) = tell(&core) {
            tracing::error!(%error, "what is due could not be told");
        }
        super::heads_mail::send_heads(&core).await;
    }
}

/// Everything that is to be done now.
///
/// # Errors
/// Where the log can't be read.
pub fn duties(core: &Core) -> Result<Vec<Duty>, JournalError> {
    let known = known(core)?;
    let now = core.hands.now();
    let (planned, pause) = with_outbox(core, |o| (planned(o), o.pause(now).map(|p| p.until)))?;
    let mut all = on_desk(core, &known, &planned, duties::duties);
    if let Some(until) = pause {
        let waiting = core.duties.waiting.lock();
        let waiting = waiting.unwrap_or_else(PoisonError::into_inner);
        let waits = waiting.iter().map(|service| Duty::StartWaits {
            service: service.clone(),
            until,
        });
        all.splice(0..0, waits);
    }
    Ok(all)
}

/// The same for a screen: a log that can't be read hides nothing else.
pub fn shown(core: &Core) -> Vec<Duty> {
    duties(core).unwrap_or_else(|error| {
        tracing::error!(%error, "what is due could not be read");
        Vec::new()
    })
}

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

fn on_desk<T>(core: &Core, known: &Known, planned: &[Planned], ask: impl FnOnce(&Desk) -> T) -> T {
    let now = core.hands.now();
    ask(&Desk {
        now,
        today: &local(core, now).date().to_string(),
        rules: &core.config.downtime.rules,
        records: &known.records,
        planned,
        last_drill: known.last_drill,
        began: known.began,
    })
}

/// A moment on the site's clock.
pub(super) fn local(core: &Core, at: UtcMicros) -> jiff::ZonedDateTime {
    let at = jiff::Timestamp::from_microsecond(at.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let zone =
        jiff::tz::TimeZone::get(&core.config.site.time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
    at.to_zoned_datetime(zone)
}

/// May that wait no longer? It is day at the site.
pub(super) fn is_day(core: &Core, now: UtcMicros) -> bool {
    local(core, now).hour() >= MORNING
}

/// What the log says. Read anew only where something in it has changed, and never while a run is at work here: what is
/// due can wait for a move, and a move must not wait for this.
fn known(core: &Core) -> Result<Arc<Known>, JournalError> {
    let kept = core.duties.known.lock();
    let kept = kept.unwrap_or_else(PoisonError::into_inner).clone();
    if let Some(kept) = kept {
        let moving = |s: &siaga_model::config::Service| core.runs.going_on(&s.name).is_some();
        if core.config.services.iter().any(moving) || !changed(core, &kept.heads)? {
            return Ok(kept);
        }
    }
    let known = Arc::new(read(core)?);
    *core
        .duties
        .known
        .lock()
        .unwrap_or_else(PoisonError::into_inner) = Some(known.clone());
    Ok(known)
}

fn changed(core: &Core, heads: &Heads) -> Result<bool, JournalError> {
    let filter = Filter {
        kinds: INCIDENT_KINDS.map(str::to_owned).to_vec(),
        after: Some(heads.clone()),
        ..Filter::default()
    };
    core.log.with(|journal| match &journal.heads() == heads {
        true => Ok(false),
        false => journal.events(&filter).map(|news| !news.is_empty()),
    })
}

fn read(core: &Core) -> Result<Known, JournalError> {
    let of = |kinds: &[&str]| Filter {
        kinds: kinds.iter().map(|k| (*k).to_owned()).collect(),
        ..Filter::default()
    };
    let (heads, drills, began) = core.log.with(|journal| {
        let heads = journal.heads();
        let drills = journal.events(&of(&projections::DRILL_KINDS))?;
        let began = journal.events(&of(&["node_booted"]))?;
        Ok::<_, JournalError>((heads, drills, began))
    })?;
    let wanted = |r: &IncidentRecord| r.state.is_open() || asks(r);
    Ok(Known {
        heads,
        records: incidents::records(core)?
            .into_iter()
            .filter(wanted)
            .collect(),
        last_drill: projections::last_graded_drill(&drills),
        began: began.first().map(|e| e.at),
    })
}

/// Something of an incident that is over may still be due.
fn asks(record: &IncidentRecord) -> bool {
    record.actions.iter().any(|a| !a.done)
        || !duties::of_incident(record, UtcMicros(i64::MAX)).is_empty()
}

fn planned(outbox: &Outbox) -> Vec<Planned> {
    let one = |(id, record): (&NoticeId, &siaga_journal::outbox::NoticeRecord)| {
        let draft = record.draft.as_ref()?;
        let announces = draft.moment == Moment::Planned && draft.reminds_of.is_none();
        if !announces || record.dropped.is_some() {
            return None;
        }
        Some(Planned {
            notice: id.clone(),
            window: draft.window?,
            since: record.released.as_ref().map_or(draft.stamp.at, |s| s.at),
            released: record.released.is_some() && !record.bypass,
        })
    };
    outbox.all().filter_map(one).collect()
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
        let what = siaga_words::duty(&Voice::from(&*core.config), &reminder.duty).what;
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
