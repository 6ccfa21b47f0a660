//! What people still have to do, as of now: for the screens, and for those who are reminded of it or shouted at.
//!
//! Every agent knows it for its own screens. Only the one that sends tells people, and each thing has a name of its own
//! (`tell::name_of`, `alerts::name_of`), so that nobody is told twice: not after a restart, and not when the other
//! node takes over.

use super::incidents;
use super::notices::{sender, with_outbox};
use super::state::{Core, agent_name};
pub use super::tell::tell;
use siaga_journal::incidents::INCIDENT_KINDS;
use siaga_journal::outbox::Outbox;
use siaga_journal::projections::GradedDrill;
use siaga_journal::{Filter, Heads, JournalError, projections};
use siaga_model::duty::{Duty, Told};
use siaga_model::notice::Moment;
use siaga_model::record::IncidentRecord;
use siaga_model::{NoticeId, ServiceName, UtcMicros};
use siaga_planner::duties::{self, Desk, Planned};
use siaga_runner::hands::Hands;
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
    seen: Mutex<Option<SoFar>>,
    /// The services whose start after a power loss waits for the end of a pause.
    waiting: Mutex<BTreeSet<ServiceName>>,
}

/// What is known, and how far the log was looked through for news.
struct SoFar {
    known: Arc<Known>,
    looked: Heads,
}

/// What the log says, as far as it was read.
pub(super) struct Known {
    /// Those of which something may be due.
    pub(super) records: Vec<IncidentRecord>,
    last_drill: Option<GradedDrill>,
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

/// The newest drill that was graded, with everybody who took part, and how many days may pass between two.
///
/// # Errors
/// Where the log can't be read.
pub fn last_drill(core: &Core) -> Result<(Option<GradedDrill>, u32), JournalError> {
    let every_days = core.config.downtime.rules.drill_every_days;
    Ok((known(core)?.last_drill.clone(), every_days))
}

pub(super) fn on_desk<T>(
    core: &Core,
    known: &Known,
    planned: &[Planned],
    ask: impl FnOnce(&Desk) -> T,
) -> T {
    let now = core.hands.now();
    ask(&Desk {
        now,
        today: &local(core, now).date().to_string(),
        rules: &core.config.downtime.rules,
        records: &known.records,
        planned,
        last_drill: known.last_drill.as_ref().map(|d| d.at),
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
pub(super) fn known(core: &Core) -> Result<Arc<Known>, JournalError> {
    // Held while it reads, so that nobody puts something older in the place of something newer.
    let mut seen = core
        .duties
        .seen
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    if let Some(seen) = seen.as_mut() {
        let moving = |s: &siaga_model::config::Service| core.runs.going_on(&s.name).is_some();
        if core.config.services.iter().any(moving) || !changed(core, &mut seen.looked)? {
            return Ok(seen.known.clone());
        }
    }
    let (known, looked) = read(core)?;
    let known = Arc::new(known);
    *seen = Some(SoFar {
        known: known.clone(),
        looked,
    });
    Ok(known)
}

/// Is there a row since the last look that says something here? Others are passed over once.
fn changed(core: &Core, looked: &mut Heads) -> Result<bool, JournalError> {
    let filter = Filter {
        kinds: INCIDENT_KINDS.map(str::to_owned).to_vec(),
        after: Some(looked.clone()),
        ..Filter::default()
    };
    let (events, reader) = core.log.read_at(&filter)?;
    if events.is_empty() {
        looked.clone_from(reader.heads());
    }
    Ok(!events.is_empty())
}

fn read(core: &Core) -> Result<(Known, Heads), JournalError> {
    let of = |kinds: &[&str]| Filter {
        kinds: kinds.iter().map(|k| (*k).to_owned()).collect(),
        ..Filter::default()
    };
    // What is written after this is news at the next look.
    let (drills, reader) = core.log.read_at(&of(&projections::DRILL_KINDS))?;
    let heads = reader.heads().clone();
    let began = core.log.read(&of(&["node_booted"]))?;
    let wanted = |r: &IncidentRecord| r.state.is_open() || asks(r);
    let records = incidents::records(core)?;
    let mut last_drill = projections::last_graded_drill(&drills);
    if let Some(drill) = &mut last_drill {
        let of_it = records
            .iter()
            .filter(|r| r.runs.iter().any(|l| l.run == drill.run));
        let wrote = of_it.flat_map(|r| &r.history).filter_map(|h| h.by.clone());
        let agents: BTreeSet<String> = core
            .config
            .nodes
            .iter()
            .map(|n| agent_name(&n.name))
            .collect();
        drill
            .people
            .extend(wrote.filter(|name| !agents.contains(name)));
    }
    let known = Known {
        records: records.into_iter().filter(wanted).collect(),
        last_drill,
        began: began.first().map(|e| e.at),
    };
    Ok((known, heads))
}

/// Something of an incident that is over may still be due.
fn asks(record: &IncidentRecord) -> bool {
    record.actions.iter().any(|a| !a.done)
        || !duties::of_incident(record, UtcMicros(i64::MAX)).is_empty()
}

pub(super) fn planned(outbox: &Outbox) -> Vec<Planned> {
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
            told: match (&record.released, record.bypass) {
                (None, _) => Told::NotYet,
                (Some(_), true) => Told::Bypassed,
                (Some(_), false) => Told::Released,
            },
        })
    };
    outbox.all().filter_map(one).collect()
}
