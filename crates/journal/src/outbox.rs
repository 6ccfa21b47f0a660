//! Notices and alerts as their rows say: what is written, released, sent, and who has not answered yet. Pure: rows in,
//! values out. Rows may come in any order, since the other node's are copied when they come; the newest of a kind counts
//! by its place in the merged order.

mod due;

pub use due::{Due, DueState, NextRound, delivery_id, people};

use siaga_model::api::EventView;
use siaga_model::event::{EventBody, Hlc};
use siaga_model::notice::{About, AckHow, AlertCause, Moment, NoticeEntry, Text, Window};
use siaga_model::{DeliveryId, IncidentKey, NodeName, NoticeId, PersonName, UnitName, UtcMicros};
use std::collections::BTreeMap;

/// The kinds of rows that it is made of.
pub const KINDS: [&str; 3] = ["notice", "paused", "pause_ended"];

/// All notices and alerts, and whether alerts rest.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Outbox {
    notices: BTreeMap<NoticeId, NoticeRecord>,
    pause: Option<(Hlc, Option<Pause>)>,
}

/// Alerts rest until then.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pause {
    pub until: UtcMicros,
    pub reason: String,
    pub by: String,
}

/// One notice or alert.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NoticeRecord {
    /// `None`: only later rows of it are here yet.
    pub draft: Option<Draft>,
    /// What is told to people of the site.
    pub message: Option<Message>,
    /// The rounds of an alert, by their number.
    pub rounds: BTreeMap<u32, Round>,
    pub released: Option<Stamp>,
    /// It went out without a release.
    pub bypass: bool,
    pub dropped: Option<(Stamp, String)>,
    pub deliveries: BTreeMap<DeliveryId, DeliveryRecord>,
    /// The first acknowledgement of each unit.
    pub acknowledged: BTreeMap<UnitName, (Stamp, AckHow, String)>,
    pub alert_acknowledged: Option<(Stamp, PersonName)>,
}

/// When, and who.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Stamp {
    pub hlc: Hlc,
    pub at: UtcMicros,
    pub by: String,
}

/// A notice as it was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Draft {
    pub stamp: Stamp,
    pub moment: Moment,
    pub incident: Option<IncidentKey>,
    pub texts: Vec<Text>,
    pub units: Vec<UnitName>,
    pub window: Option<Window>,
    pub reminds_of: Option<NoticeId>,
}

/// A message to people, who need not answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    pub stamp: Stamp,
    pub about: About,
    pub text: Text,
    pub to: Vec<PersonName>,
}

/// An alert to one person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Round {
    pub stamp: Stamp,
    pub incident: IncidentKey,
    pub cause: AlertCause,
    pub text: Text,
    pub to: PersonName,
}

/// What became of one delivery.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DeliveryRecord {
    pub attempts: u32,
    /// The newest attempt that began, and on which node.
    pub trying: Option<(Stamp, NodeName)>,
    pub sent: Option<(Stamp, String)>,
    /// The newest failure: why, and when it is tried again.
    pub failed: Option<(Stamp, String, Option<UtcMicros>)>,
}

impl DeliveryRecord {
    /// The newest attempt has no outcome yet.
    pub fn in_flight(&self) -> Option<&Stamp> {
        let (trying, _) = self.trying.as_ref()?;
        let ended = self
            .failed
            .as_ref()
            .is_some_and(|(failed, ..)| failed.hlc > trying.hlc);
        (self.sent.is_none() && !ended).then_some(trying)
    }
}

impl NoticeRecord {
    /// The incident that it belongs to.
    pub fn incident(&self) -> Option<&IncidentKey> {
        let of_round = || self.rounds.values().next().map(|r| &r.incident);
        match &self.draft {
            Some(draft) => draft.incident.as_ref(),
            None => of_round(),
        }
    }
    /// When it was written.
    pub fn written(&self) -> Option<&Stamp> {
        let of_round = || self.rounds.values().next().map(|r| &r.stamp);
        let of_message = || self.message.as_ref().map(|m| &m.stamp);
        self.draft
            .as_ref()
            .map(|d| &d.stamp)
            .or_else(of_round)
            .or_else(of_message)
    }
    /// Why an alert was raised.
    pub fn cause(&self) -> Option<&AlertCause> {
        self.rounds.values().next().map(|r| &r.cause)
    }
    /// An alert to people on call, and not a notice to units.
    pub fn is_alert(&self) -> bool {
        !self.rounds.is_empty()
    }
}

impl Outbox {
    /// Takes a row in. Rows of other kinds say nothing here.
    pub fn apply(&mut self, view: &EventView) {
        let stamp = Stamp {
            hlc: view.hlc,
            at: view.at,
            by: view
                .event
                .actor
                .as_ref()
                .map_or_else(String::new, |a| a.name.clone()),
        };
        match &view.event.body {
            EventBody::Notice { notice, entry } => {
                let record = self.notices.entry(notice.clone()).or_default();
                record.apply(stamp, &view.node, entry);
            }
            EventBody::Paused { until, reason } => {
                let pause = Pause {
                    until: *until,
                    reason: reason.clone(),
                    by: stamp.by,
                };
                self.paused(view.hlc, Some(pause));
            }
            EventBody::PauseEnded => self.paused(view.hlc, None),
            _ => {}
        }
    }

    fn paused(&mut self, hlc: Hlc, pause: Option<Pause>) {
        if self.pause.as_ref().is_none_or(|(newest, _)| hlc > *newest) {
            self.pause = Some((hlc, pause));
        }
    }

    /// The pause that is in force at that moment.
    pub fn pause(&self, now: UtcMicros) -> Option<&Pause> {
        let (_, pause) = self.pause.as_ref()?;
        pause.as_ref().filter(|p| p.until > now)
    }

    /// The notice of that name.
    pub fn notice(&self, notice: &NoticeId) -> Option<&NoticeRecord> {
        self.notices.get(notice)
    }

    /// All of them, by their names: in the order in which they were written.
    pub fn all(&self) -> impl Iterator<Item = (&NoticeId, &NoticeRecord)> {
        self.notices.iter()
    }

    /// The alert of that incident for that cause, which is still wanted.
    pub fn alert_of<'a>(
        &'a self,
        incident: &'a IncidentKey,
        cause: &AlertCause,
    ) -> Option<&'a NoticeId> {
        let mut all = self.alerts_of(incident);
        all.find(|(_, r)| r.dropped.is_none() && r.cause() == Some(cause))
            .map(|(n, _)| n)
    }

    /// The alerts of that incident that still go on: nobody answered them, and they are wanted.
    pub fn going_on<'a>(
        &'a self,
        incident: &'a IncidentKey,
    ) -> impl Iterator<Item = (&'a NoticeId, &'a AlertCause)> {
        self.alerts_of(incident)
            .filter(|(_, r)| r.dropped.is_none() && r.alert_acknowledged.is_none())
            .filter_map(|(n, r)| Some((n, r.cause()?)))
    }

    fn alerts_of<'a>(
        &'a self,
        incident: &'a IncidentKey,
    ) -> impl Iterator<Item = (&'a NoticeId, &'a NoticeRecord)> {
        let of = move |r: &NoticeRecord| r.is_alert() && r.incident() == Some(incident);
        self.notices.iter().filter(move |(_, r)| of(r))
    }
}

impl NoticeRecord {
    fn apply(&mut self, stamp: Stamp, node: &NodeName, entry: &NoticeEntry) {
        match entry {
            NoticeEntry::Drafted {
                moment,
                incident,
                texts,
                units,
                window,
                reminds_of,
                ..
            } => {
                let known = self.draft.as_ref().map(|d| d.stamp.clone());
                // The same reminder from both nodes: the first counts.
                if !earlier(&known, &stamp) {
                    return;
                }
                self.draft = Some(Draft {
                    stamp,
                    moment: *moment,
                    incident: incident.clone(),
                    texts: texts.clone(),
                    units: units.clone(),
                    window: *window,
                    reminds_of: reminds_of.clone(),
                });
            }
            NoticeEntry::Message { about, text, to } => {
                let known = self.message.as_ref().map(|m| m.stamp.clone());
                if earlier(&known, &stamp) {
                    self.message = Some(Message {
                        stamp,
                        about: about.clone(),
                        text: text.clone(),
                        to: to.clone(),
                    });
                }
            }
            NoticeEntry::Alert {
                incident,
                cause,
                text,
                round,
                to,
            } => {
                let round_row = Round {
                    stamp,
                    incident: incident.clone(),
                    cause: cause.clone(),
                    text: text.clone(),
                    to: to.clone(),
                };
                // The same round from both nodes, while neither saw the other: the first counts.
                let kept = self
                    .rounds
                    .entry(*round)
                    .or_insert_with(|| round_row.clone());
                if round_row.stamp < kept.stamp {
                    *kept = round_row;
                }
            }
            NoticeEntry::Released { bypass } => {
                if earlier(&self.released, &stamp) {
                    self.released = Some(stamp);
                    self.bypass = *bypass;
                }
            }
            NoticeEntry::Dropped { reason } => {
                let known = self.dropped.as_ref().map(|(s, _)| s.clone());
                if earlier(&known, &stamp) {
                    self.dropped = Some((stamp, reason.clone()));
                }
            }
            NoticeEntry::Acknowledged { unit, how, by } => {
                let ack = (stamp, *how, by.clone());
                let kept = self.acknowledged.entry(unit.clone()).or_insert(ack.clone());
                if ack.0 < kept.0 {
                    *kept = ack;
                }
            }
            NoticeEntry::AlertAcknowledged { person } => {
                let known = self.alert_acknowledged.as_ref().map(|(s, _)| s.clone());
                if earlier(&known, &stamp) {
                    self.alert_acknowledged = Some((stamp, person.clone()));
                }
            }
            NoticeEntry::Trying { delivery, .. }
            | NoticeEntry::Sent { delivery, .. }
            | NoticeEntry::Failed { delivery, .. } => {
                let record = self.deliveries.entry(delivery.clone()).or_default();
                record.apply(stamp, node, entry);
            }
        }
    }
}

fn earlier(known: &Option<Stamp>, new: &Stamp) -> bool {
    known.as_ref().is_none_or(|k| new < k)
}

impl DeliveryRecord {
    fn apply(&mut self, stamp: Stamp, node: &NodeName, entry: &NoticeEntry) {
        match entry {
            NoticeEntry::Trying { attempt, .. } => {
                self.attempts = self.attempts.max(*attempt);
                if self.trying.as_ref().is_none_or(|(s, _)| stamp > *s) {
                    self.trying = Some((stamp, node.clone()));
                }
            }
            NoticeEntry::Sent { receipt, .. } => {
                let known = self.sent.as_ref().map(|(s, _)| s.clone());
                if earlier(&known, &stamp) {
                    self.sent = Some((stamp, receipt.clone()));
                }
            }
            NoticeEntry::Failed { why, next_at, .. } => {
                if self.failed.as_ref().is_none_or(|(s, ..)| stamp > *s) {
                    self.failed = Some((stamp, why.clone(), *next_at));
                }
            }
            NoticeEntry::Drafted { .. }
            | NoticeEntry::Alert { .. }
            | NoticeEntry::Message { .. }
            | NoticeEntry::Released { .. }
            | NoticeEntry::Dropped { .. }
            | NoticeEntry::Acknowledged { .. }
            | NoticeEntry::AlertAcknowledged { .. } => {}
        }
    }
}
