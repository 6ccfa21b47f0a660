//! What is to be done now: deliveries, the next round of an alert, releases that nobody gave.

use super::{DeliveryRecord, Message, NoticeRecord, Outbox};
use siaga_model::downtime::{Channel, ChannelKind, Downtime};
use siaga_model::notice::{About, AlertCause, Recipient, Text};
use siaga_model::{ChannelName, DeliveryId, IncidentKey, NoticeId, PersonName, UtcMicros};
use std::collections::BTreeSet;
use std::time::Duration;

/// A text that could not be sent for this long says what is no longer so, and is given up.
const STALE: Duration = Duration::from_secs(2 * 3600);
/// After this nothing of a notice is under way any more.
const OVER: Duration = Duration::from_secs(24 * 3600);
/// An attempt without an outcome belongs to an agent that died, once its channel's timeout and this are over.
const ORPHANED: Duration = Duration::from_secs(30);
/// The clocks of two nodes differ by less.
const CLOCKS_DIFFER: Duration = Duration::from_secs(60);

/// One text to one address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Due {
    pub notice: NoticeId,
    pub delivery: DeliveryId,
    pub to: Recipient,
    /// The unit's title, or the person's name.
    pub title: String,
    pub contact: String,
    pub channel: ChannelName,
    pub address: String,
    pub text: Text,
    /// `confirmed`, `alert`.
    pub kind: String,
    /// So many attempts were made.
    pub attempts: u32,
    /// It is given up after this.
    pub until: UtcMicros,
    pub state: DueState,
}

/// Where it stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DueState {
    /// Now.
    Now,
    /// From then on.
    At(UtcMicros),
    /// An earlier text to the same address has to go first.
    Behind,
    /// An attempt is under way, or was when its agent died.
    InFlight(UtcMicros),
    Sent,
    GivenUp,
    /// Too old to be sent, and not yet given up in the record.
    Stale,
    /// A person sends it.
    ByHand,
    /// It is not released, or will not be sent any more.
    Rests,
}

/// An alert that goes on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NextRound {
    pub notice: NoticeId,
    pub incident: IncidentKey,
    pub cause: AlertCause,
    pub text: Text,
    pub round: u32,
    pub to: PersonName,
}

/// The name of a delivery: the same on every node, whatever the order of the contacts.
pub fn delivery_id(
    notice: &NoticeId,
    whom: &str,
    channel: &ChannelName,
    address: &str,
) -> DeliveryId {
    // FNV-1a: a short mark that tells the addresses of one recipient apart.
    let mark = address.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    DeliveryId::new(format!("{notice}.{whom}.{channel}.{mark:08x}"))
}

impl Outbox {
    /// Every delivery that may still be under way, with its state at `now`: what was released long ago is not. Notices
    /// in the order of their release.
    pub fn deliveries(&self, site: &Downtime, now: UtcMicros) -> Vec<Due> {
        let open = |record: &NoticeRecord| {
            let told = || record.message.as_ref().map(|m| m.stamp.at);
            let newest = match record.rounds.last_key_value() {
                Some((_, round)) => Some(round.stamp.at),
                None => record.released.as_ref().map(|s| s.at).or_else(told),
            };
            newest.is_none_or(|at| plus(at, OVER) > now)
        };
        self.deliveries_of(site, now, |_, record| open(record))
    }

    /// Every delivery of the notices that are wanted.
    pub fn deliveries_of(
        &self,
        site: &Downtime,
        now: UtcMicros,
        wanted: impl Fn(&NoticeId, &NoticeRecord) -> bool,
    ) -> Vec<Due> {
        let all = self.all().filter(|(id, record)| wanted(id, record));
        let mut ordered: Vec<(&NoticeId, &NoticeRecord)> = all.collect();
        ordered.sort_by_key(|(id, record)| (from(record).map(|f| f.1), (*id).clone()));
        let silent = self.pause(now).is_some();
        let mut busy: BTreeSet<(ChannelName, String)> = BTreeSet::new();
        let mut all = Vec::new();
        for (notice, record) in ordered {
            for mut due in addressed(notice, record, site) {
                due.state = state(record, &due, site, now);
                if record.is_alert() && silent && due.state == DueState::Now {
                    due.state = DueState::Rests;
                }
                let lane = (due.channel.clone(), due.address.clone());
                let open = matches!(
                    due.state,
                    DueState::Now | DueState::At(_) | DueState::InFlight(_)
                );
                // An address is one lane: what was released first goes first.
                if open
                    && !busy.insert(lane)
                    && matches!(due.state, DueState::Now | DueState::At(_))
                {
                    due.state = DueState::Behind;
                }
                all.push(due);
            }
        }
        all
    }

    /// Notices that nobody released in time.
    pub fn unreleased(&self, site: &Downtime, now: UtcMicros) -> Vec<NoticeId> {
        let Some(wait) = site.rules.bypass_after else {
            return Vec::new();
        };
        let late = |record: &NoticeRecord| {
            let draft = record.draft.as_ref();
            record.released.is_none()
                && record.dropped.is_none()
                && draft.is_some_and(|d| plus(d.stamp.at, wait) <= now)
        };
        let late = self.all().filter(|(_, r)| late(r));
        late.map(|(n, _)| n.clone()).collect()
    }

    /// Alerts that nobody acknowledged in time: they go on along the list, and round again.
    pub fn next_rounds(&self, site: &Downtime, now: UtcMicros) -> Vec<NextRound> {
        let people = people(site);
        if people.is_empty() || self.pause(now).is_some() {
            return Vec::new();
        }
        let next = |(notice, record): (&NoticeId, &NoticeRecord)| {
            let (number, last) = record.rounds.last_key_value()?;
            let settled = record.alert_acknowledged.is_some() || record.dropped.is_some();
            let early = plus(last.stamp.at, site.rules.escalate_after) > now
                && !set_back(last.stamp.at, now);
            if settled || early {
                return None;
            }
            let round = number.saturating_add(1);
            Some(NextRound {
                notice: notice.clone(),
                incident: last.incident.clone(),
                cause: last.cause.clone(),
                text: last.text.clone(),
                round,
                to: person_of(&people, round)?.clone(),
            })
        };
        self.all().filter_map(next).collect()
    }
}

/// The people on call, each once, in the order of the list.
pub fn people(site: &Downtime) -> Vec<PersonName> {
    let mut people: Vec<PersonName> = Vec::new();
    for entry in &site.on_call {
        if !people.contains(&entry.person) {
            people.push(entry.person.clone());
        }
    }
    people
}

/// Whose turn a round is, from 1.
fn person_of(people: &[PersonName], round: u32) -> Option<&PersonName> {
    let turn = usize::try_from(round.saturating_sub(1)).ok()?;
    people.get(turn.checked_rem(people.len())?)
}

/// The row lies ahead of the clock: it was set back since then, and nobody waits for it to come again.
fn set_back(row: UtcMicros, now: UtcMicros) -> bool {
    row > plus(now, CLOCKS_DIFFER)
}

fn plus(at: UtcMicros, wait: Duration) -> UtcMicros {
    let wait = i64::try_from(wait.as_micros()).unwrap_or(i64::MAX);
    UtcMicros(at.0.saturating_add(wait))
}

/// Since when it may go out, with its place in the merged order.
fn from(record: &NoticeRecord) -> Option<(UtcMicros, siaga_model::event::Hlc)> {
    let stamp = match (&record.message, record.is_alert()) {
        (Some(message), _) => Some(&message.stamp),
        (None, true) => record.rounds.values().next().map(|r| &r.stamp),
        (None, false) => record.released.as_ref(),
    }?;
    Some((stamp.at, stamp.hlc))
}

/// Every delivery that a notice has, by the configuration of now.
fn addressed(notice: &NoticeId, record: &NoticeRecord, site: &Downtime) -> Vec<Due> {
    match (&record.draft, &record.message) {
        (Some(_), _) => to_units(notice, record, site),
        (None, Some(message)) => told(notice, record, message, site),
        (None, None) => to_people(notice, record, site),
    }
}

/// A message to people: each by all their addresses.
fn told(notice: &NoticeId, record: &NoticeRecord, message: &Message, site: &Downtime) -> Vec<Due> {
    let kind = match &message.about {
        About::Duty { .. } => "reminder",
        About::EventHeads { .. } => "event_heads",
    };
    let of = |person: &PersonName| -> Vec<Due> {
        let one = |entry: &siaga_model::downtime::OnCall| Due {
            notice: notice.clone(),
            delivery: delivery_id(notice, person.as_str(), &entry.channel, &entry.address),
            to: Recipient::Person(person.clone()),
            title: person.to_string(),
            contact: person.to_string(),
            channel: entry.channel.clone(),
            address: entry.address.clone(),
            text: message.text.clone(),
            kind: kind.to_owned(),
            attempts: 0,
            until: plus(message.stamp.at, OVER),
            state: DueState::Rests,
        };
        site.addresses_of(person).map(one).collect()
    };
    with_attempts(record, message.to.iter().flat_map(of).collect())
}

fn to_units(notice: &NoticeId, record: &NoticeRecord, site: &Downtime) -> Vec<Due> {
    let mut all = Vec::new();
    let Some(draft) = &record.draft else {
        return all;
    };
    let until = record
        .released
        .as_ref()
        .map_or(UtcMicros(i64::MAX), |r| plus(r.at, STALE));
    for unit in draft.units.iter().filter_map(|name| site.unit(name)) {
        let text = draft
            .texts
            .iter()
            .find(|t| t.language == unit.language)
            .or(draft.texts.first());
        let Some(text) = text else { continue };
        for contact in &unit.contacts {
            all.push(Due {
                notice: notice.clone(),
                delivery: delivery_id(
                    notice,
                    unit.name.as_str(),
                    &contact.channel,
                    &contact.address,
                ),
                to: Recipient::Unit(unit.name.clone()),
                title: unit.title.clone(),
                contact: contact.name.clone(),
                channel: contact.channel.clone(),
                address: contact.address.clone(),
                text: text.clone(),
                kind: word(draft.moment),
                attempts: 0,
                until,
                state: DueState::Rests,
            });
        }
    }
    with_attempts(record, all)
}

fn to_people(notice: &NoticeId, record: &NoticeRecord, site: &Downtime) -> Vec<Due> {
    let mut all = Vec::new();
    for (number, round) in &record.rounds {
        for entry in site.on_call.iter().filter(|o| o.person == round.to) {
            let whom = format!("{number}.{}", entry.person);
            all.push(Due {
                notice: notice.clone(),
                delivery: delivery_id(notice, &whom, &entry.channel, &entry.address),
                to: Recipient::OnCall(entry.person.clone()),
                title: entry.person.to_string(),
                contact: entry.person.to_string(),
                channel: entry.channel.clone(),
                address: entry.address.clone(),
                text: round.text.clone(),
                kind: "alert".to_owned(),
                attempts: 0,
                // The next round says it again.
                until: plus(round.stamp.at, site.rules.escalate_after),
                state: DueState::Rests,
            });
        }
    }
    with_attempts(record, all)
}

fn with_attempts(record: &NoticeRecord, mut all: Vec<Due>) -> Vec<Due> {
    for due in &mut all {
        due.attempts = record
            .deliveries
            .get(&due.delivery)
            .map_or(0, |d| d.attempts);
    }
    all
}

fn word(moment: siaga_model::notice::Moment) -> String {
    serde_json::to_value(moment)
        .ok()
        .and_then(|v| v.as_str().map(str::to_owned))
        .unwrap_or_default()
}

fn state(record: &NoticeRecord, due: &Due, site: &Downtime, now: UtcMicros) -> DueState {
    let default = DeliveryRecord::default();
    let delivery = record.deliveries.get(&due.delivery).unwrap_or(&default);
    if delivery.sent.is_some() {
        return DueState::Sent;
    }
    let settled = record.alert_acknowledged.is_some() || record.dropped.is_some();
    if from(record).is_none() || settled {
        return DueState::Rests;
    }
    let Some(channel) = site.channel(&due.channel) else {
        return DueState::Rests;
    };
    if channel.kind == ChannelKind::ByHand {
        return DueState::ByHand;
    }
    if let Some(trying) = delivery.in_flight() {
        let free = plus(trying.at, orphaned(channel));
        if free > now && !set_back(trying.at, now) {
            return DueState::InFlight(free);
        }
    } else if let Some((failed, _, next)) = &delivery.failed {
        match next {
            None => return DueState::GivenUp,
            Some(at) if *at > now && due.until > now && !set_back(failed.at, now) => {
                return DueState::At(*at);
            }
            Some(_) => {}
        }
    }
    match due.until > now {
        true => DueState::Now,
        false => DueState::Stale,
    }
}

fn orphaned(channel: &Channel) -> Duration {
    channel.timeout.saturating_add(ORPHANED)
}
