//! Long logs: what is read in part, in sums, or as of a seal is the same as what the whole log gives.

use crate::common;
use crate::common::*;
use siaga_journal::incidents::{self, incidents, incidents_summed};
use siaga_journal::log_book::{self, log_book};
use siaga_journal::{Deliveries, Durability, Filter, Journal, offline};
use siaga_model::api::SeenBy;
use siaga_model::event::{Event, EventBody};
use siaga_model::incident::{FirstSign, IncidentEntry, IncidentKind, Origin};
use siaga_model::notice::{Moment, NoticeEntry, Recipient};
use siaga_model::plan::MoveKind;
use siaga_model::seal::LogRows;
use siaga_model::{IncidentKey, UtcMicros};

fn incident(key: &str, entry: IncidentEntry) -> Event {
    of_service(EventBody::Incident {
        incident: IncidentKey::from(key),
        entry: Box::new(entry),
    })
}

fn opened(number: &str) -> IncidentEntry {
    IncidentEntry::Opened {
        number: number.into(),
        kind: IncidentKind::Unplanned,
        origin: Origin::Person,
        services: vec!["simrs".into()],
        first: FirstSign::default(),
    }
}

fn notice(name: &str, entry: NoticeEntry) -> Event {
    of_service(EventBody::Notice {
        notice: name.into(),
        entry: Box::new(entry),
    })
}

fn delivery(name: &str, number: usize) -> [Event; 3] {
    let delivery = format!("{name}.igd.mail.{number}");
    let to = || Recipient::Unit("igd".into());
    [
        notice(
            name,
            NoticeEntry::Trying {
                delivery: delivery.as_str().into(),
                attempt: 1,
            },
        ),
        notice(
            name,
            NoticeEntry::Failed {
                delivery: delivery.as_str().into(),
                to: to(),
                channel: "mail".into(),
                why: "450 try again".into(),
                next_at: None,
            },
        ),
        notice(
            name,
            NoticeEntry::Sent {
                delivery: delivery.as_str().into(),
                to: to(),
                channel: "mail".into(),
                // It looks like what an attempt's row begins with.
                receipt: r#""entry":{"what":"trying" "body":{"kind":"step_finished""#.into(),
            },
        ),
    ]
}

/// Three incidents, each with a notice of two thousand deliveries, and an outage.
fn years(journal: &mut Journal, clock: &TestClock) {
    for number in 0..3i64 {
        clock.set(START + number * 86_400_000_000);
        let (key, name) = (format!("k{number}"), format!("n{number}"));
        let drafted = NoticeEntry::Drafted {
            moment: Moment::Confirmed,
            incident: Some(key.as_str().into()),
            texts: Vec::new(),
            units: vec!["igd".into()],
            next_update: None,
            window: None,
            reminds_of: None,
        };
        let mut rows = vec![
            incident(&key, opened(&format!("DT-2026-00{}", number + 1))),
            notice(&name, drafted),
            notice(&name, NoticeEntry::Released { bypass: false }),
            of_service(outage(
                number * 86_400,
                number * 86_400 + 60 + number,
                SeenBy::Probe,
            )),
        ];
        rows.extend((0..2000).flat_map(|n| delivery(&name, n)));
        // A text that looks like another kind of row, and a run.
        let odd = accepted(MoveKind::Drill, r#""body":{"kind":"outage_measured""#);
        let mut odd = of_service(odd);
        odd.run = Some("r\"1".into());
        rows.push(odd);
        rows.push(incident(&key, IncidentEntry::AllClear));
        for part in rows.chunks(500) {
            journal.append_all(part.to_vec(), Durability::Lazy).unwrap();
        }
    }
}

#[test]
fn the_records_from_sums_are_the_records_from_every_row() {
    let dir = memory_dir();
    let clock = TestClock::at(START);
    let (mut journal, _) = open_at(dir.path(), "serverdb", &clock);
    years(&mut journal, &clock);
    let all = journal.events(&Filter::default()).unwrap();
    assert!(all.len() > 18_000, "{}", all.len());
    let whole = incidents(&all, &["igd".into()]);
    let (events, sums) = journal.reader().summed(&incidents::filter()).unwrap();
    // What is read does not grow with the deliveries.
    assert!(events.len() < 100, "{}", events.len());
    assert_eq!(incidents_summed(&events, &sums, &["igd".into()]), whole);
    let sent: Vec<u32> = whole.iter().map(|r| r.notices[0].sent).collect();
    assert_eq!(sent, [2000, 2000, 2000]);
    assert!(whole.iter().all(|r| r.notices[0].first_sent_at.is_some()));
    // The files alone give the same.
    let (events, sums) = offline::summed(dir.path(), &incidents::filter()).unwrap();
    assert_eq!(incidents_summed(&events, &sums, &["igd".into()]), whole);
}

#[test]
fn the_deliveries_of_one_notice_are_found_among_all() {
    let dir = memory_dir();
    let clock = TestClock::at(START);
    let (mut journal, _) = open_at(dir.path(), "serverdb", &clock);
    years(&mut journal, &clock);
    let filter = Filter {
        notices: Some(["n1".into()].into()),
        deliveries: Deliveries::Sent,
        ..Filter::of_kinds(&["notice"])
    };
    let events = journal.reader().events(&filter).unwrap();
    let sent = |e: &&siaga_model::api::EventView| {
        matches!(&e.event.body, EventBody::Notice { notice, entry }
            if notice.as_str() == "n1" && matches!(**entry, NoticeEntry::Sent { .. }))
    };
    assert_eq!(events.iter().filter(sent).count(), 2000);
    // Besides them only its draft and its release.
    assert_eq!(events.len(), 2002);
}

#[test]
fn as_it_was_at_a_head_means_nothing_later_and_nothing_less() {
    let dir = memory_dir();
    let clock = TestClock::at(START);
    let (mut journal, _) = open_at(dir.path(), "serverdb", &clock);
    years(&mut journal, &clock);
    let before = journal.reader();
    let wanted = LogRows::default();
    let rows = |events: &[_]| log_book::rows(events, &wanted);
    let then = rows(&before.events(&log_book::filter(&wanted)).unwrap());
    assert_eq!(then.len(), 3);
    let later = of_service(outage(400_000, 400_060, SeenBy::Probe));
    journal.append(later, Durability::Sync).unwrap();
    let now = rows(&journal.reader().events(&log_book::filter(&wanted)).unwrap());
    assert_eq!(now.len(), 4);
    // The reader of before, and a reader of now that is asked as of before.
    let as_of = Filter {
        up_to: Some(before.heads().clone()),
        ..log_book::filter(&wanted)
    };
    let again = rows(&before.events(&log_book::filter(&wanted)).unwrap());
    assert_eq!((again, then.len()), (then.clone(), 3));
    assert_eq!(rows(&journal.reader().events(&as_of).unwrap()), then);
    assert_eq!(rows(&offline::events(dir.path(), &as_of).unwrap()), then);
    // A log that the seal does not name had no rows.
    let none = Filter {
        up_to: Some(Default::default()),
        ..Filter::default()
    };
    assert!(journal.events(&none).unwrap().is_empty());
}

/// A machine that nobody saw go was last heard of in some row of any kind: it is read with the kinds that are asked for.
#[test]
fn the_log_book_from_its_kinds_is_the_log_book_from_every_row() {
    let dir = memory_dir();
    let clock = TestClock::at(START);
    let (mut journal, _) = open_at(dir.path(), "serverdb", &clock);
    let at = |seconds: i64| START + seconds * 1_000_000;
    let boot = |text: &str| {
        [
            of_service(EventBody::AgentStarted {
                boot: common::boot(text),
                version: "1".into(),
            }),
            of_service(EventBody::NodeBooted {
                boot: common::boot(text),
            }),
        ]
    };
    let checked = of_service(EventBody::CheckPassed {
        node: "serverdb".into(),
    });
    for (seconds, rows) in [
        (0, boot("b1").to_vec()),
        (100, vec![checked.clone()]),
        (200, vec![checked.clone(), event(1)]),
        (900, boot("b2").to_vec()),
        (1000, vec![checked]),
    ] {
        clock.set(at(seconds));
        journal.append_all(rows, Durability::Sync).unwrap();
    }
    let whole = log_book(&journal.events(&Filter::default()).unwrap());
    let offline_at = whole[1].offline_at.unwrap();
    // The first boot, and the second with the last row before it.
    assert_eq!((offline_at.0 - START) / 1_000_000, 200);
    let wanted = LogRows::default();
    let part = journal.reader().events(&log_book::filter(&wanted)).unwrap();
    assert_eq!(log_book::rows(&part, &wanted), whole);
    assert!(part.len() < 8, "{}", part.len());
    let of_services = LogRows {
        services_only: true,
        ..LogRows::default()
    };
    let none = journal.events(&log_book::filter(&of_services)).unwrap();
    assert!(log_book::rows(&none, &of_services).is_empty());
}

#[test]
fn a_span_of_the_log_book_has_what_touches_it() {
    let dir = memory_dir();
    let clock = TestClock::at(START);
    let (mut journal, _) = open_at(dir.path(), "serverdb", &clock);
    years(&mut journal, &clock);
    let day = |n: i64| Some(UtcMicros(START + n * 86_400_000_000));
    let many = |since, until| {
        let wanted = LogRows {
            since,
            until,
            services_only: false,
        };
        let events = journal.events(&log_book::filter(&wanted)).unwrap();
        log_book::rows(&events, &wanted).len()
    };
    assert_eq!(many(None, None), 3);
    assert_eq!(many(day(1), None), 2);
    assert_eq!(many(None, day(1)), 1);
    assert_eq!(many(day(1), day(2)), 1);
}
