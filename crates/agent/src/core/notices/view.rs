//! Notices as they are shown.

use super::{sender, with_outbox};
use crate::core::state::Core;
use siaga_journal::JournalError;
use siaga_journal::outbox::{Due, DueState, NoticeRecord, Outbox, Stamp};
use siaga_model::notice::Recipient;
use siaga_model::notice_api::{
    AcknowledgedView, DeliveryState, DeliveryView, NoticeState, NoticeView, NoticesAnswer,
    PauseView, RecipientView,
};
use siaga_model::{IncidentKey, NoticeId, UtcMicros};
use siaga_runner::hands::Hands;
use std::collections::{BTreeMap, BTreeSet};

/// How many one answer carries at the most.
const MOST: usize = 500;

/// Which notices.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub notice: Option<NoticeId>,
    pub incident: Option<IncidentKey>,
    /// The newest so many.
    pub limit: Option<usize>,
}

/// Those that are wanted, the newest last.
///
/// # Errors
/// Where the log can't be read.
pub fn notices(core: &Core, wanted: &Wanted) -> Result<NoticesAnswer, JournalError> {
    let now = core.hands.now();
    let sender = sender(core);
    let fits = |id: &NoticeId, record: &NoticeRecord| {
        wanted.notice.as_ref().is_none_or(|n| n == id)
            && wanted
                .incident
                .as_ref()
                .is_none_or(|i| record.incident() == Some(i))
    };
    with_outbox(core, |outbox| {
        let mut ids: Vec<NoticeId> = outbox
            .all()
            .filter(|(id, record)| fits(id, record))
            .map(|(id, _)| id.clone())
            .collect();
        let most = wanted.limit.unwrap_or(MOST).min(MOST);
        ids.drain(..ids.len().saturating_sub(most));
        let chosen: BTreeSet<NoticeId> = ids.into_iter().collect();
        let mut dues: BTreeMap<NoticeId, Vec<Due>> = BTreeMap::new();
        let site = &core.config.downtime;
        for due in outbox.deliveries_of(site, now, |id, _| chosen.contains(id)) {
            dues.entry(due.notice.clone()).or_default().push(due);
        }
        let view = |(id, record): (&NoticeId, &NoticeRecord)| {
            notice(core, id, record, dues.remove(id).unwrap_or_default())
        };
        NoticesAnswer {
            notices: outbox
                .all()
                .filter(|(id, _)| chosen.contains(id))
                .map(view)
                .collect(),
            pause: pause(outbox, now),
            sender,
        }
    })
}

fn pause(outbox: &Outbox, now: UtcMicros) -> Option<PauseView> {
    let pause = outbox.pause(now)?;
    Some(PauseView {
        until: pause.until,
        reason: pause.reason.clone(),
        by: pause.by.clone(),
    })
}

fn notice(core: &Core, id: &NoticeId, record: &NoticeRecord, dues: Vec<Due>) -> NoticeView {
    let written = record.written();
    let texts = match (&record.draft, &record.message) {
        (Some(draft), _) => draft.texts.clone(),
        (None, Some(message)) => vec![message.text.clone()],
        (None, None) => {
            let first = record.rounds.values().next();
            first.map(|r| r.text.clone()).into_iter().collect()
        }
    };
    let recipients = recipients(core, record, dues);
    NoticeView {
        notice: id.clone(),
        moment: record.draft.as_ref().map(|d| d.moment),
        about: record.message.as_ref().map(|m| m.about.clone()),
        incident: record.incident().cloned(),
        texts,
        state: state(record, &recipients),
        written_at: written.map(|s| s.at),
        written_by: written.map(|s| s.by.clone()),
        released_at: record.released.as_ref().map(|s| s.at),
        released_by: record.released.as_ref().map(|s| s.by.clone()),
        bypass: record.bypass,
        dropped: record.dropped.as_ref().map(|(_, reason)| reason.clone()),
        recipients,
    }
}

/// Everybody whom it is for, also who has no address.
fn recipients(core: &Core, record: &NoticeRecord, dues: Vec<Due>) -> Vec<RecipientView> {
    let mut all: Vec<RecipientView> = Vec::new();
    let named = record.draft.iter().flat_map(|d| &d.units).map(|unit| {
        let known = core.config.downtime.unit(unit);
        let title = known.map_or_else(|| unit.to_string(), |u| u.title.clone());
        (Recipient::Unit(unit.clone()), title)
    });
    let people = record
        .rounds
        .values()
        .map(|round| (Recipient::OnCall(round.to.clone()), round.to.to_string()));
    let told = record.message.iter().flat_map(|m| &m.to);
    let told = told.map(|person| (Recipient::Person(person.clone()), person.to_string()));
    for (to, title) in named.chain(people).chain(told) {
        if !all.iter().any(|r| r.to == to) {
            all.push(RecipientView {
                acknowledged: acknowledged(record, &to),
                to,
                title,
                deliveries: Vec::new(),
            });
        }
    }
    for due in dues {
        if let Some(recipient) = all.iter_mut().find(|r| r.to == due.to) {
            recipient.deliveries.push(delivery(record, &due));
        }
    }
    all
}

fn acknowledged(record: &NoticeRecord, to: &Recipient) -> Option<AcknowledgedView> {
    match to {
        Recipient::Unit(unit) => {
            let (stamp, how, by) = record.acknowledged.get(unit)?;
            Some(AcknowledgedView {
                at: stamp.at,
                how: *how,
                by: by.clone(),
            })
        }
        Recipient::OnCall(person) => {
            let (stamp, by) = record.alert_acknowledged.as_ref()?;
            (by == person).then(|| AcknowledgedView {
                at: stamp.at,
                how: siaga_model::notice::AckHow::ByHand,
                by: by.to_string(),
            })
        }
        // Nobody asks for it.
        Recipient::Person(_) => None,
    }
}

fn delivery(record: &NoticeRecord, due: &Due) -> DeliveryView {
    let known = record.deliveries.get(&due.delivery);
    let failed = known.and_then(|k| k.failed.as_ref());
    let why = failed.map_or_else(String::new, |(_, why, _)| why.clone());
    let sent: Option<&(Stamp, String)> = known.and_then(|k| k.sent.as_ref());
    let (state, at, detail) = match due.state {
        DueState::Sent => (
            DeliveryState::Sent,
            sent.map(|(s, _)| s.at),
            sent.map_or_else(String::new, |(_, receipt)| receipt.clone()),
        ),
        DueState::Now | DueState::Behind => (DeliveryState::Waiting, None, why),
        DueState::At(at) => (DeliveryState::Waiting, Some(at), why),
        DueState::InFlight(_) => (DeliveryState::Sending, None, why),
        DueState::GivenUp | DueState::Stale => {
            (DeliveryState::GivenUp, failed.map(|(s, ..)| s.at), why)
        }
        DueState::ByHand => (DeliveryState::ByHand, None, why),
        DueState::Rests => (DeliveryState::Resting, None, why),
    };
    DeliveryView {
        delivery: due.delivery.clone(),
        contact: due.contact.clone(),
        channel: due.channel.clone(),
        address: due.address.clone(),
        state,
        attempts: due.attempts,
        at,
        detail,
    }
}

fn state(record: &NoticeRecord, recipients: &[RecipientView]) -> NoticeState {
    let has = |wanted: &[DeliveryState]| {
        recipients
            .iter()
            .flat_map(|r| &r.deliveries)
            .any(|d| wanted.contains(&d.state))
    };
    if record.dropped.is_some() {
        NoticeState::Dropped
    } else if record.released.is_none() && !record.is_alert() && record.message.is_none() {
        NoticeState::Draft
    } else if has(&[DeliveryState::Waiting, DeliveryState::Sending]) {
        NoticeState::Sending
    } else if has(&[DeliveryState::GivenUp]) {
        NoticeState::SomeFailed
    } else {
        NoticeState::Sent
    }
}
