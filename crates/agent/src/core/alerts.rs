//! Alerts to the people on call: raised once for one cause, repeated along the list until somebody acknowledges.

use super::notices::{new_id, with_outbox, write};
use super::state::Core;
use siaga_journal::outbox::people;
use siaga_journal::{Durability, JournalError};
use siaga_model::notice::{AlertCause, NoticeEntry, Text};
use siaga_model::{IncidentKey, NoticeId};
use siaga_runner::hands::Hands;

/// What came of an alert that was asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Raised {
    /// The first person is being told.
    New(NoticeId),
    /// This cause has its alert already.
    Already(NoticeId),
    /// Alerts rest: ask again when they don't.
    Paused,
    /// The site has nobody on call.
    Nobody,
}

/// Alerts the first person on call of an incident. `text` is given the alert's name, by which it is acknowledged.
/// Escalation and repetition follow by themselves (see `notices::send`).
///
/// # Errors
/// Where the log can't be read or written.
pub fn raise(
    core: &Core,
    incident: &IncidentKey,
    cause: &AlertCause,
    text: impl FnOnce(&NoticeId) -> Text,
) -> Result<Raised, JournalError> {
    raise_with(core, incident, cause, text, Vec::new())
}

/// The same, with rows that are written together with the alert, or not at all.
///
/// # Errors
/// Where the log can't be read or written.
pub fn raise_with(
    core: &Core,
    incident: &IncidentKey,
    cause: &AlertCause,
    text: impl FnOnce(&NoticeId) -> Text,
    beside: Vec<(NoticeId, NoticeEntry)>,
) -> Result<Raised, JournalError> {
    let now = core.hands.now();
    let named = name_of(incident, cause);
    let (known, told, paused) = with_outbox(core, |outbox| {
        let known = match &named {
            // A promise has one alert for ever, also where it was dropped.
            Some(named) => outbox.notice(named).map(|_| named.clone()),
            None => outbox.alert_of(incident, cause).cloned(),
        };
        let told = beside.iter().any(|(id, _)| outbox.notice(id).is_some());
        (known, told, outbox.pause(now).is_some())
    })?;
    if let Some(notice) = known {
        return Ok(Raised::Already(notice));
    }
    if paused {
        return Ok(Raised::Paused);
    }
    let mut rows = if told { Vec::new() } else { beside };
    let raised = match people(&core.config.downtime).into_iter().next() {
        None => {
            tracing::warn!(%incident, "nobody is on call: no alert goes out");
            Raised::Nobody
        }
        Some(first) => {
            let notice = named.unwrap_or_else(|| new_id(core));
            let row = NoticeEntry::Alert {
                incident: incident.clone(),
                cause: cause.clone(),
                text: text(&notice),
                round: 1,
                to: first,
            };
            rows.push((notice.clone(), row));
            Raised::New(notice)
        }
    };
    if !rows.is_empty() {
        write(core, &core.agent_actor(), rows, Durability::Sync)?;
    }
    Ok(raised)
}

/// The name of an alert about a promise: the same on both nodes, so that one promise has one alert, whichever of them
/// raises it and however often it starts.
pub fn name_of(incident: &IncidentKey, cause: &AlertCause) -> Option<NoticeId> {
    let (at, what) = match cause {
        AlertCause::Trouble => return None,
        AlertCause::UpdateLate { promised } => (promised, "late"),
        AlertCause::EstimateOver { given_at } => (given_at, "over"),
    };
    Some(NoticeId::new(format!("n{:014x}-{what}-{incident}", at.0)))
}

/// Nobody need look any more: the alert about the trouble of that incident goes no further. A promise stays one.
///
/// # Errors
/// Where the log can't be read or written.
pub fn settle(core: &Core, incident: &IncidentKey, reason: &str) -> Result<(), JournalError> {
    settle_where(core, incident, reason, AlertCause::is_trouble)
}

/// The same for the causes that are named.
///
/// # Errors
/// Where the log can't be read or written.
pub fn settle_where(
    core: &Core,
    incident: &IncidentKey,
    reason: &str,
    wanted: impl Fn(&AlertCause) -> bool,
) -> Result<(), JournalError> {
    let going_on: Vec<NoticeId> = with_outbox(core, |outbox| {
        let all = outbox.going_on(incident);
        all.filter(|(_, cause)| wanted(cause))
            .map(|(notice, _)| notice.clone())
            .collect()
    })?;
    if going_on.is_empty() {
        return Ok(());
    }
    let dropped = |notice| {
        let reason = reason.to_owned();
        (notice, NoticeEntry::Dropped { reason })
    };
    let rows = going_on.into_iter().map(dropped).collect();
    write(core, &core.agent_actor(), rows, Durability::Sync)
}
