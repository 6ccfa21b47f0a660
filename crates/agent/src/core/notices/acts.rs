//! The acts of people: write, release, drop, tick off, acknowledge, pause.

use super::{from_record, new_id, with_outbox, write};
use crate::core::actor::Who;
use crate::core::state::Core;
use siaga_comms::{Drill, Facts};
use siaga_journal::outbox::{DueState, NoticeRecord};
use siaga_journal::{Durability, JournalError};
use siaga_model::config::{Language, Role};
use siaga_model::downtime::{Release, Unit};
use siaga_model::event::{Actor, Event, EventBody};
use siaga_model::notice::{AckHow, Moment, NoticeEntry, Text, Window};
use siaga_model::notice_api::{NoticeAct, NoticeAnswer, NoticeFacts, NoticeRefusal};
use siaga_model::{DeliveryId, IncidentKey, NoticeId, PersonName, UnitName, UtcMicros};
use siaga_runner::hands::Hands;
use std::sync::Arc;
use std::time::Duration;

/// The longest that alerts may rest.
const PAUSE_AT_MOST: Duration = Duration::from_secs(24 * 3600);

/// Why an act was not done.
#[derive(Debug, thiserror::Error)]
pub enum NotDone {
    #[error("refused")]
    Refused(NoticeRefusal),
    #[error(transparent)]
    Log(#[from] JournalError),
}

impl From<NoticeRefusal> for NotDone {
    fn from(why: NoticeRefusal) -> Self {
        NotDone::Refused(why)
    }
}

type Acted = Result<Option<NoticeId>, NotDone>;

/// Does what a person asks.
pub fn act(core: &Arc<Core>, who: &Who, act: NoticeAct) -> NoticeAnswer {
    match acted(core, who, act) {
        Ok(notice) => NoticeAnswer::Done { notice },
        Err(NotDone::Refused(why)) => NoticeAnswer::Refused { why },
        Err(NotDone::Log(error)) => NoticeAnswer::Failed {
            why: error.to_string(),
        },
    }
}

fn acted(core: &Arc<Core>, who: &Who, act: NoticeAct) -> Acted {
    match act {
        NoticeAct::Draft {
            moment,
            incident,
            units,
            facts,
            release,
        } => {
            if release {
                may_release(core, who)?;
            }
            let (incident, facts) = with_record(core, moment, incident, *facts)?;
            let facts = facts_of(core, moment, facts)?;
            let draft = NewNotice {
                moment,
                incident,
                units,
                facts,
            };
            let notice = draft_notice(core, &who.actor, draft, release)?;
            Ok(Some(notice))
        }
        NoticeAct::Release { notice } => release(core, who, notice),
        NoticeAct::Drop { notice, reason } => drop_notice(core, who, notice, reason),
        NoticeAct::Tick { delivery, notice } => tick(core, who, notice, delivery),
        NoticeAct::Acknowledge { notice, unit, by } => acknowledge(core, who, notice, unit, by),
        NoticeAct::AcknowledgeAlert { notice } => acknowledge_alert(core, who, notice),
        NoticeAct::Pause { for_s, reason } => pause(core, who, for_s, reason),
        NoticeAct::ResumeAlerts => resume(core, who),
    }
}

/// What the incident's record adds to what the person gave.
fn with_record(
    core: &Core,
    moment: Moment,
    asked: Option<IncidentKey>,
    given: NoticeFacts,
) -> Result<(Option<IncidentKey>, NoticeFacts), NotDone> {
    match from_record::meant(core, moment, asked.as_ref())? {
        None => Ok((None, given)),
        Some(Some(record)) => {
            let rules = &core.config.downtime.rules;
            let facts = from_record::fill(&record, moment, rules, core.hands.now(), given);
            Ok((Some(record.key), facts))
        }
        Some(None) => {
            let asked = asked.map(|a| a.to_string()).unwrap_or_default();
            Err(NoticeRefusal::NoSuchIncident { asked }.into())
        }
    }
}

/// A notice that is to be written.
pub struct NewNotice {
    pub moment: Moment,
    pub incident: Option<IncidentKey>,
    /// Empty: every unit.
    pub units: Vec<UnitName>,
    pub facts: Facts,
}

/// Writes a notice down: one text for each language of its units. It goes out when it is released.
///
/// # Errors
/// Where there is nobody to tell, what must be said is not known, or the log can't be written.
pub fn draft_notice(
    core: &Core,
    actor: &Actor,
    new: NewNotice,
    release: bool,
) -> Result<NoticeId, NotDone> {
    let units = chosen(core, &new.units)?;
    let templates = &core.notices.templates;
    if let Some(field) = templates.missing(new.moment, &new.facts) {
        let field = field.name().to_owned();
        return Err(NoticeRefusal::FactMissing { field }.into());
    }
    let mut languages: Vec<Language> = Vec::new();
    for unit in &units {
        if !languages.contains(&unit.language) {
            languages.push(unit.language);
        }
    }
    let texts: Vec<Text> = languages
        .into_iter()
        .map(|language| templates.text(new.moment, language, &new.facts))
        .collect();
    let notice = new_id(core);
    let mut rows = vec![(
        notice.clone(),
        NoticeEntry::Drafted {
            moment: new.moment,
            incident: new.incident,
            texts,
            units: units.iter().map(|u| u.name.clone()).collect(),
            next_update: new.facts.next_update.filter(|_| promises(new.moment)),
            window: new.facts.window.map(|(from, to)| Window { from, to }),
            reminds_of: None,
        },
    )];
    if release {
        rows.push((notice.clone(), NoticeEntry::Released { bypass: false }));
    }
    write(core, actor, rows, Durability::Sync)?;
    Ok(notice)
}

/// Does the text of that moment say when the next news comes?
fn promises(moment: Moment) -> bool {
    matches!(
        moment,
        Moment::Suspected | Moment::Confirmed | Moment::Update | Moment::Action
    )
}

fn chosen<'a>(core: &'a Core, names: &[UnitName]) -> Result<Vec<&'a Unit>, NoticeRefusal> {
    let site = &core.config.downtime;
    if site.units.is_empty() {
        return Err(NoticeRefusal::NoUnits);
    }
    for name in names {
        if site.unit(name).is_none() {
            return Err(NoticeRefusal::NoSuchUnit {
                unit: name.clone(),
                units: site.units.iter().map(|u| u.name.clone()).collect(),
            });
        }
    }
    let wanted = |unit: &&Unit| names.is_empty() || names.contains(&unit.name);
    Ok(site.units.iter().filter(wanted).collect())
}

/// What a person gave, with what the site's rules add.
fn facts_of(core: &Core, moment: Moment, given: NoticeFacts) -> Result<Facts, NoticeRefusal> {
    let now = core.hands.now();
    let rules = &core.config.downtime.rules;
    let pair = |from: Option<UtcMicros>, to: Option<UtcMicros>| match (from, to) {
        (Some(from), Some(to)) if to < from => Err(NoticeRefusal::EndBeforeStart),
        (from, to) => Ok(from.or(to).zip(to.or(from))),
    };
    // A time that lies before the one that it follows is a mistake, whoever made it.
    pair(given.start, given.restored)?;
    let services = match given.services.is_empty() {
        true => core
            .config
            .services
            .iter()
            .map(|s| s.name.to_string())
            .collect(),
        false => given.services.iter().map(ToString::to_string).collect(),
    };
    let measured = given.start.zip(given.restored);
    let measured = measured.map(|(from, to)| to.millis_since(from) / 1000);
    let only =
        |moments: &[Moment], wait: Duration| moments.contains(&moment).then(|| plus(now, wait));
    Ok(Facts {
        now,
        number: given.number,
        drill: given.drill.then_some(Drill {
            stops_service: given.stops_service,
        }),
        services,
        reported: given.reported,
        start: given.start,
        estimate: pair(given.estimate_from, given.estimate_to)?,
        estimate_changed: given.estimate_changed,
        next_update: given
            .next_update
            .or(promises(moment).then(|| plus(now, rules.update_every))),
        paper: given.paper,
        restored: given.restored,
        watch_until: given
            .watch_until
            .or(only(&[Moment::Restored], rules.watch_for)),
        downtime_s: given.downtime_s.or(measured),
        back_entry_due: given
            .back_entry_due
            .or(only(&[Moment::AllClear], rules.back_entry_within)),
        window: pair(given.window_from, given.window_to)?,
        earlier: given.earlier,
        sentence: given.sentence,
    })
}

/// May this person release a notice?
fn may_release(core: &Core, who: &Who) -> Result<(), NoticeRefusal> {
    let role = core
        .config
        .people
        .iter()
        .find(|p| Some(&p.name) == who.person.as_ref())
        .map(|p| p.role);
    let may = match core.config.downtime.rules.release {
        Release::Anyone => true,
        Release::Communicator => matches!(role, Some(Role::Communicator | Role::Decider)),
        Release::Decider => role == Some(Role::Decider),
    };
    match may {
        true => Ok(()),
        false => Err(NoticeRefusal::MayNotRelease {
            name: who.actor.name.clone(),
            decider_only: core.config.downtime.rules.release == Release::Decider,
        }),
    }
}

fn release(core: &Core, who: &Who, notice: NoticeId) -> Acted {
    may_release(core, who)?;
    let record = record(core, &notice)?;
    if record.is_alert() {
        return Err(NoticeRefusal::WrongKind.into());
    }
    if record.dropped.is_some() {
        return Err(NoticeRefusal::AlreadyDropped.into());
    }
    if record.released.is_some() {
        return Err(NoticeRefusal::AlreadyReleased.into());
    }
    row(core, who, notice, NoticeEntry::Released { bypass: false })
}

fn drop_notice(core: &Core, who: &Who, notice: NoticeId, reason: String) -> Acted {
    let record = record(core, &notice)?;
    if reason.trim().is_empty() {
        return Err(NoticeRefusal::ReasonMissing.into());
    }
    if record.dropped.is_some() {
        return Err(NoticeRefusal::AlreadyDropped.into());
    }
    row(core, who, notice, NoticeEntry::Dropped { reason })
}

fn tick(core: &Core, who: &Who, notice: NoticeId, delivery: DeliveryId) -> Acted {
    let released = {
        let record = record(core, &notice)?;
        record.released.is_some() && record.dropped.is_none()
    };
    let now = core.hands.now();
    let site = &core.config.downtime;
    let dues = with_outbox(core, |outbox| {
        outbox.deliveries_of(site, now, |id, _| *id == notice)
    })?;
    let Some(due) = dues.into_iter().find(|d| d.delivery == delivery) else {
        return Err(NoticeRefusal::NoSuchDelivery { delivery }.into());
    };
    match due.state {
        // Ticked off twice is ticked off.
        DueState::Sent => Ok(Some(notice)),
        DueState::ByHand => row(
            core,
            who,
            notice,
            NoticeEntry::Sent {
                delivery,
                to: due.to,
                channel: due.channel,
                receipt: who.actor.name.clone(),
            },
        ),
        _ if !released => Err(NoticeRefusal::NotReleased.into()),
        _ => Err(NoticeRefusal::NotByHand { delivery }.into()),
    }
}

fn acknowledge(core: &Core, who: &Who, notice: NoticeId, unit: UnitName, by: String) -> Acted {
    let record = record(core, &notice)?;
    let Some(draft) = &record.draft else {
        return Err(NoticeRefusal::WrongKind.into());
    };
    if record.released.is_none() {
        return Err(NoticeRefusal::NotReleased.into());
    }
    if !draft.units.contains(&unit) {
        let units = draft.units.clone();
        return Err(NoticeRefusal::NoSuchUnit { unit, units }.into());
    }
    if record.acknowledged.contains_key(&unit) {
        return Ok(Some(notice));
    }
    let by = match by.trim() {
        "" => who.actor.name.clone(),
        by => by.to_owned(),
    };
    let how = AckHow::ByHand;
    row(
        core,
        who,
        notice,
        NoticeEntry::Acknowledged { unit, how, by },
    )
}

fn acknowledge_alert(core: &Core, who: &Who, notice: NoticeId) -> Acted {
    let record = record(core, &notice)?;
    if !record.is_alert() {
        return Err(NoticeRefusal::WrongKind.into());
    }
    if record.alert_acknowledged.is_some() {
        return Ok(Some(notice));
    }
    let person = who
        .person
        .clone()
        .unwrap_or_else(|| PersonName::new(who.actor.name.clone()));
    row(core, who, notice, NoticeEntry::AlertAcknowledged { person })
}

fn pause(core: &Core, who: &Who, for_s: u64, reason: String) -> Acted {
    if reason.trim().is_empty() {
        return Err(NoticeRefusal::ReasonMissing.into());
    }
    if for_s == 0 || for_s > PAUSE_AT_MOST.as_secs() {
        let most_s = PAUSE_AT_MOST.as_secs();
        return Err(NoticeRefusal::BadPause { most_s }.into());
    }
    let until = plus(core.hands.now(), Duration::from_secs(for_s));
    event(core, who, EventBody::Paused { until, reason })
}

fn resume(core: &Core, who: &Who) -> Acted {
    let now = core.hands.now();
    let paused = with_outbox(core, |outbox| outbox.pause(now).is_some())?;
    match paused {
        true => event(core, who, EventBody::PauseEnded),
        false => Err(NoticeRefusal::NotPaused.into()),
    }
}

fn record(core: &Core, notice: &NoticeId) -> Result<NoticeRecord, NotDone> {
    let known = with_outbox(core, |outbox| outbox.notice(notice).cloned())?;
    let notice = notice.clone();
    known.ok_or_else(|| NoticeRefusal::NoSuchNotice { notice }.into())
}

fn row(core: &Core, who: &Who, notice: NoticeId, entry: NoticeEntry) -> Acted {
    let rows = vec![(notice.clone(), entry)];
    write(core, &who.actor, rows, Durability::Sync)?;
    Ok(Some(notice))
}

fn event(core: &Core, who: &Who, body: EventBody) -> Acted {
    let event = Event {
        service: None,
        run: None,
        actor: Some(who.actor.clone()),
        body,
    };
    core.log.append(vec![event], Durability::Sync)?;
    Ok(None)
}

fn plus(at: UtcMicros, wait: Duration) -> UtcMicros {
    let wait = i64::try_from(wait.as_micros()).unwrap_or(i64::MAX);
    UtcMicros(at.0.saturating_add(wait))
}
