//! What the tests of the outbox share.

use siaga_journal::outbox::{DueState, Outbox, delivery_id};
use siaga_model::api::EventView;
use siaga_model::config::Language;
use siaga_model::downtime::{Channel, ChannelKind, Contact, Downtime, OnCall, Unit};
use siaga_model::event::{Actor, ActorProof, Event, EventBody, Hlc};
use siaga_model::notice::{AlertCause, Moment, NoticeEntry, Recipient, Text};
use siaga_model::{DeliveryId, UtcMicros};
use std::time::Duration;

pub const S: i64 = 1_000_000;
pub const MINUTE: i64 = 60 * S;

pub fn site() -> Downtime {
    let channel = |name: &str, kind| Channel {
        name: name.into(),
        kind,
        timeout: Duration::from_secs(10),
    };
    let webhook = ChannelKind::Webhook {
        url: "https://x.example/".into(),
        secret_file: "/x".into(),
        ca_file: None,
    };
    let contact = |name: &str, channel: &str, address: &str| Contact {
        name: name.into(),
        channel: channel.into(),
        address: address.into(),
    };
    let unit = |name: &str, language, contacts| Unit {
        name: name.into(),
        title: name.to_uppercase(),
        language,
        goes_to_paper: true,
        contacts,
    };
    let on_call = |person: &str, address: &str| OnCall {
        person: person.into(),
        channel: "hook".into(),
        address: address.into(),
    };
    let mut site = Downtime {
        channels: vec![
            channel("hook", webhook),
            channel("hand", ChannelKind::ByHand),
        ],
        units: vec![
            unit(
                "igd",
                Language::Indonesian,
                vec![
                    contact("kepala", "hook", "1"),
                    contact("grup", "hand", "101"),
                ],
            ),
            unit("lab", Language::English, vec![contact("head", "hook", "2")]),
        ],
        on_call: vec![
            on_call("budi", "b"),
            on_call("budi", "b2"),
            on_call("sari", "s"),
        ],
        ..Downtime::default()
    };
    site.rules.bypass_after = Some(Duration::from_secs(600));
    site.rules.escalate_after = Duration::from_secs(300);
    site
}

pub fn text(language: Language, body: &str) -> Text {
    Text {
        language,
        subject: "s".into(),
        body: body.into(),
    }
}

pub fn view(at: i64, body: EventBody) -> EventView {
    view_of("serverdb", at, body)
}

pub fn view_of(node: &str, at: i64, body: EventBody) -> EventView {
    EventView {
        node: node.into(),
        incarnation: 1,
        seq: 1,
        hlc: Hlc {
            wall: UtcMicros(at),
            count: 0,
        },
        at: UtcMicros(at),
        event: Event {
            service: None,
            run: None,
            actor: Some(Actor {
                name: "ratna".into(),
                how: ActorProof::Stated,
            }),
            body,
        },
    }
}

pub fn notice(notice: &str, at: i64, entry: NoticeEntry) -> EventView {
    let body = EventBody::Notice {
        notice: notice.into(),
        entry: Box::new(entry),
    };
    view(at, body)
}

pub fn drafted() -> NoticeEntry {
    NoticeEntry::Drafted {
        moment: Moment::Confirmed,
        incident: Some("i".into()),
        texts: vec![
            text(Language::Indonesian, "henti"),
            text(Language::English, "down"),
        ],
        units: vec!["igd".into(), "lab".into()],
        next_update: None,
        window: None,
        reminds_of: None,
    }
}

pub fn released() -> NoticeEntry {
    NoticeEntry::Released { bypass: false }
}

pub fn id(n: &str, unit: &str, address: &str) -> DeliveryId {
    delivery_id(&n.into(), unit, &"hook".into(), address)
}

pub fn trying(n: &str, unit: &str, address: &str, attempt: u32) -> NoticeEntry {
    NoticeEntry::Trying {
        delivery: id(n, unit, address),
        attempt,
    }
}

pub fn sent(n: &str, unit: &str, address: &str) -> NoticeEntry {
    NoticeEntry::Sent {
        delivery: id(n, unit, address),
        to: Recipient::Unit(unit.into()),
        channel: "hook".into(),
        receipt: "ok".into(),
    }
}

pub fn failed(n: &str, unit: &str, address: &str, next: Option<i64>) -> NoticeEntry {
    NoticeEntry::Failed {
        delivery: id(n, unit, address),
        to: Recipient::Unit(unit.into()),
        channel: "hook".into(),
        why: "no".into(),
        next_at: next.map(UtcMicros),
    }
}

pub fn outbox(rows: &[EventView]) -> Outbox {
    let mut outbox = Outbox::default();
    rows.iter().for_each(|row| outbox.apply(row));
    outbox
}

/// The states of all deliveries, as `notice/address state`.
pub fn states(outbox: &Outbox, now: i64) -> Vec<(String, DueState)> {
    outbox
        .deliveries(&site(), UtcMicros(now))
        .into_iter()
        .map(|d| (format!("{}/{}", d.notice, d.address), d.state))
        .collect()
}

pub fn of(states: &[(String, DueState)], name: &str) -> DueState {
    states.iter().find(|(n, _)| n == name).unwrap().1
}

pub fn alert(round: u32, to: &str) -> NoticeEntry {
    NoticeEntry::Alert {
        incident: "i".into(),
        cause: AlertCause::Trouble,
        text: text(Language::Indonesian, "periksa"),
        round,
        to: to.into(),
    }
}
