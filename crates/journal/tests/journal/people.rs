//! Alerts by their cause, and messages to people of the site.

use siaga_journal::outbox::{DueState, Outbox};
use siaga_model::UtcMicros;
use siaga_model::api::EventView;
use siaga_model::config::Language;
use siaga_model::downtime::{Channel, ChannelKind, Downtime, OnCall};
use siaga_model::event::{Event, EventBody, Hlc};
use siaga_model::notice::{About, AlertCause, NoticeEntry, Recipient, Text};
use std::time::Duration;

const S: i64 = 1_000_000;

/// Budi is on call at two addresses; `reach` are the addresses of people who need not be.
fn site(reach: Vec<OnCall>) -> Downtime {
    let on_call = |address: &str| OnCall {
        person: "budi".into(),
        channel: "hook".into(),
        address: address.into(),
    };
    Downtime {
        channels: vec![Channel {
            name: "hook".into(),
            kind: ChannelKind::Webhook {
                url: "https://x.example/".into(),
                secret_file: "/x".into(),
                ca_file: None,
            },
            timeout: Duration::from_secs(10),
        }],
        on_call: vec![on_call("b"), on_call("b2")],
        reach,
        ..Downtime::default()
    }
}

fn text(language: Language, body: &str) -> Text {
    Text {
        language,
        subject: "s".into(),
        body: body.into(),
    }
}

fn notice(notice: &str, at: i64, entry: NoticeEntry) -> EventView {
    EventView {
        node: "serverdb".into(),
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
            actor: None,
            body: EventBody::Notice {
                notice: notice.into(),
                entry: Box::new(entry),
            },
        },
    }
}

fn outbox(rows: &[EventView]) -> Outbox {
    let mut outbox = Outbox::default();
    rows.iter().for_each(|row| outbox.apply(row));
    outbox
}

fn alert(round: u32, to: &str) -> NoticeEntry {
    NoticeEntry::Alert {
        incident: "i".into(),
        cause: AlertCause::Trouble,
        text: text(Language::Indonesian, "periksa"),
        round,
        to: to.into(),
    }
}

#[test]
fn each_cause_has_its_alert_and_older_rows_mean_trouble() {
    let late = AlertCause::UpdateLate {
        promised: UtcMicros(7),
    };
    let mut other = alert(1, "budi");
    if let NoticeEntry::Alert { cause, .. } = &mut other {
        *cause = late.clone();
    }
    let outbox = outbox(&[notice("a1", 0, alert(1, "budi")), notice("a2", S, other)]);
    let incident = "i".into();
    let of = |cause: &AlertCause| outbox.alert_of(&incident, cause).map(|n| n.as_str());
    assert_eq!(
        (of(&AlertCause::Trouble), of(&late)),
        (Some("a1"), Some("a2"))
    );
    assert_eq!(outbox.going_on(&incident).count(), 2);
    // A row of before there were causes.
    let older = r#"{"what":"alert","incident":"i","text":{"language":"id","subject":"","body":""},"round":1,"to":"budi"}"#;
    let read: NoticeEntry = serde_json::from_str(older).unwrap();
    assert!(matches!(&read, NoticeEntry::Alert { cause, .. } if cause.is_trouble()));
    assert_eq!(serde_json::to_string(&read).unwrap(), older);
}

#[test]
fn a_message_goes_to_each_person_by_all_their_addresses_and_asks_nothing() {
    let site = site(vec![
        OnCall {
            person: "lina".into(),
            channel: "hook".into(),
            address: "l".into(),
        },
        OnCall {
            person: "budi".into(),
            channel: "hook".into(),
            address: "b".into(),
        },
    ]);
    let about = About::EventHeads {
        month: "2026-11".into(),
    };
    let message = |body: &str| NoticeEntry::Message {
        about: about.clone(),
        text: text(Language::Indonesian, body),
        to: vec!["lina".into(), "budi".into()],
    };
    // The same from both nodes is one: the first.
    let outbox = outbox(&[
        notice("m1", 2 * S, message("second")),
        notice("m1", S, message("first")),
    ]);
    let due = outbox.deliveries(&site, UtcMicros(3 * S));
    let told: Vec<(&str, &str, DueState)> = due
        .iter()
        .map(|d| (d.address.as_str(), d.text.body.as_str(), d.state))
        .collect();
    let first = |address| (address, "first", DueState::Now);
    // Budi's address is named twice, and told once.
    assert_eq!(told, [first("l"), first("b"), first("b2")]);
    assert!(due.iter().all(|d| matches!(d.to, Recipient::Person(_))));
    assert!(
        outbox
            .next_rounds(&site, UtcMicros(i64::MAX / 2))
            .is_empty()
    );
}
