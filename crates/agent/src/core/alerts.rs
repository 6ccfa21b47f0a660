//! Alerts to the people on call: raised once for one cause, repeated along the list until somebody acknowledges.

use super::notices::{new_id, with_outbox, write};
use super::state::Core;
use siaga_journal::outbox::people;
use siaga_journal::{Durability, JournalError};
use siaga_model::notice::{NoticeEntry, Text};
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
    text: impl FnOnce(&NoticeId) -> Text,
) -> Result<Raised, JournalError> {
    let now = core.hands.now();
    let (known, paused) = with_outbox(core, |outbox| {
        (
            outbox.alert_of(incident).cloned(),
            outbox.pause(now).is_some(),
        )
    })?;
    if let Some(notice) = known {
        return Ok(Raised::Already(notice));
    }
    if paused {
        return Ok(Raised::Paused);
    }
    let Some(first) = people(&core.config.downtime).into_iter().next() else {
        tracing::warn!(%incident, "nobody is on call: no alert goes out");
        return Ok(Raised::Nobody);
    };
    let notice = new_id(core);
    let row = NoticeEntry::Alert {
        incident: incident.clone(),
        text: text(&notice),
        round: 1,
        to: first,
    };
    let rows = vec![(notice.clone(), row)];
    write(core, &core.agent_actor(), rows, Durability::Sync)?;
    Ok(Raised::New(notice))
}

/// Nobody need look any more: the alert of that incident goes no further.
///
/// # Errors
/// Where the log can't be read or written.
pub fn settle(core: &Core, incident: &IncidentKey, reason: &str) -> Result<(), JournalError> {
    let known = with_outbox(core, |outbox| {
        let notice = outbox.alert_of(incident)?;
        let record = outbox.notice(notice)?;
        record.alert_acknowledged.is_none().then(|| notice.clone())
    })?;
    let Some(notice) = known else { return Ok(()) };
    let reason = reason.to_owned();
    let rows = vec![(notice, NoticeEntry::Dropped { reason })];
    write(core, &core.agent_actor(), rows, Durability::Sync)
}
