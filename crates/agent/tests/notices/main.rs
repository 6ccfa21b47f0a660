//! Notices in an agent: what people ask, what goes out, and what the rows say of it.

mod alerts;
mod by_unit;
#[path = "../common/mod.rs"]
mod common;
mod many;
mod promises;
mod site;

use siaga_agent::core::notices::send::step;
use siaga_agent::core::notices::sender;
use siaga_model::UtcMicros;
use siaga_model::downtime::Release;
use siaga_model::notice::{Moment, NoticeEntry};
use siaga_model::notice_api::{DeliveryState, NoticeAct, NoticeFacts, NoticeRefusal, NoticeState};
use site::{Site, draft};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_is_written_released_sent_once_and_acknowledged() {
    let mut site = Site::new().await;
    let notice = site.done("budi", draft(Moment::Confirmed, false));
    site.send().await;
    assert_eq!(
        (site.calls(), site.view(&notice).state),
        (0, NoticeState::Draft)
    );
    site.done(
        "ratna",
        NoticeAct::Release {
            notice: notice.clone(),
        },
    );
    site.send().await;
    site.send().await;
    assert_eq!(site.calls(), 2);
    let sent = site.sent(&notice);
    assert!(sent[0].starts_with("[SIMRS][HENTI]") && sent[1].starts_with("[SIMRS][DOWN]"));
    let view = site.view(&notice);
    assert_eq!(view.state, NoticeState::Sent);
    assert_eq!(view.released_by.as_deref(), Some("ratna"));
    let first = &view.recipients[0].deliveries[0];
    assert_eq!(
        (first.state, first.detail.as_str()),
        (DeliveryState::Sent, "terkirim")
    );
    assert_eq!(
        view.recipients[0].deliveries[1].state,
        DeliveryState::ByHand
    );
    // Who has not read it yet is known.
    assert!(view.recipients.iter().all(|r| r.acknowledged.is_none()));
    let ack = |unit: &str| NoticeAct::Acknowledge {
        notice: notice.clone(),
        unit: unit.into(),
        by: "Ns. Rina".into(),
    };
    site.done("budi", ack("igd"));
    site.done("budi", ack("igd"));
    let recipients = site.view(&notice).recipients;
    assert_eq!(recipients[0].acknowledged.as_ref().unwrap().by, "Ns. Rina");
    assert!(recipients[1].acknowledged.is_none());
    let acks = site
        .rows()
        .into_iter()
        .filter(|r| matches!(r, NoticeEntry::Acknowledged { .. }));
    assert_eq!(acks.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_is_in_the_log_before_it_is_made() {
    let mut site = Site::new().await;
    site.done("budi", draft(Moment::Suspected, true));
    step(&site.agent.core, &mut site.flights);
    let trying = site
        .rows()
        .into_iter()
        .filter(|r| matches!(r, NoticeEntry::Trying { .. }));
    assert_eq!(trying.count(), 2);
    site.flights.settle(&site.agent.core).await;
    assert_eq!(site.calls(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_is_tried_again_later_and_what_follows_waits() {
    let mut site = Site::new().await;
    std::fs::write(site.dir.path().join("broken"), "").unwrap();
    let first = site.done("budi", draft(Moment::Suspected, true));
    site.send().await;
    let failed = site.view(&first).recipients[0].deliveries[0].clone();
    assert_eq!((failed.state, failed.attempts), (DeliveryState::Waiting, 1));
    assert!(failed.detail.contains("no modem") && failed.at.is_some());
    std::fs::remove_file(site.dir.path().join("broken")).unwrap();
    let second = site.done("budi", draft(Moment::Confirmed, true));
    site.send().await;
    // Five seconds are not over, and nothing overtakes.
    assert_eq!(site.calls(), 2);
    assert!(site.sent(&second).is_empty());
    assert_eq!(site.view(&second).state, NoticeState::Sending);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_site_says_who_releases_and_nobody_waits_for_ever() {
    let mut site = Site::with(|config| {
        config.downtime.rules.release = Release::Decider;
        config.downtime.rules.bypass_after = Some(Duration::ZERO);
    })
    .await;
    let may_not = NoticeRefusal::MayNotRelease {
        name: "ratna".into(),
        decider_only: true,
    };
    assert_eq!(
        site.refused("ratna", draft(Moment::Confirmed, true)),
        may_not
    );
    assert!(site.rows().is_empty());
    let notice = site.done("ratna", draft(Moment::Confirmed, false));
    let release = || NoticeAct::Release {
        notice: notice.clone(),
    };
    assert_eq!(site.refused("ratna", release()), may_not);
    // Its time is over: it goes out, and the record says how.
    site.send().await;
    site.send().await;
    let view = site.view(&notice);
    assert!(view.bypass && view.state == NoticeState::Sent);
    assert_eq!(
        site.refused("dewi", release()),
        NoticeRefusal::AlreadyReleased
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_notice_goes_nowhere() {
    let mut site = Site::new().await;
    let notice = site.done("budi", draft(Moment::Confirmed, false));
    let drop = |reason: &str| NoticeAct::Drop {
        notice: notice.clone(),
        reason: reason.into(),
    };
    assert_eq!(
        site.refused("budi", drop(" ")),
        NoticeRefusal::ReasonMissing
    );
    site.done("budi", drop("a mistake"));
    let release = NoticeAct::Release {
        notice: notice.clone(),
    };
    assert_eq!(site.refused("budi", release), NoticeRefusal::AlreadyDropped);
    site.send().await;
    assert_eq!(
        (site.calls(), site.view(&notice).state),
        (0, NoticeState::Dropped)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_ticks_off_what_goes_by_hand_and_nothing_else() {
    let site = Site::new().await;
    let notice = site.done("budi", draft(Moment::Confirmed, false));
    let deliveries = site.view(&notice).recipients[0].deliveries.clone();
    let tick = |n: usize| NoticeAct::Tick {
        notice: notice.clone(),
        delivery: deliveries[n].delivery.clone(),
    };
    assert_eq!(site.refused("budi", tick(1)), NoticeRefusal::NotReleased);
    site.done(
        "budi",
        NoticeAct::Release {
            notice: notice.clone(),
        },
    );
    site.done("budi", tick(1));
    let by_hand = &site.view(&notice).recipients[0].deliveries[1];
    assert_eq!(
        (by_hand.state, by_hand.detail.as_str()),
        (DeliveryState::Sent, "budi")
    );
    let delivery = deliveries[0].delivery.clone();
    assert_eq!(
        site.refused("budi", tick(0)),
        NoticeRefusal::NotByHand { delivery }
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_must_be_said_is_asked_for_and_nothing_is_written_without_it() {
    let site = Site::new().await;
    let planned = site.refused("budi", draft(Moment::Planned, false));
    assert_eq!(
        planned,
        NoticeRefusal::FactMissing {
            field: "window".into()
        }
    );
    let act = NoticeAct::Draft {
        moment: Moment::AllClear,
        incident: None,
        units: vec!["igd".into()],
        facts: Box::new(NoticeFacts {
            start: Some(UtcMicros(2)),
            restored: Some(UtcMicros(1)),
            ..NoticeFacts::default()
        }),
        release: false,
    };
    assert_eq!(site.refused("budi", act), NoticeRefusal::EndBeforeStart);
    let act = NoticeAct::Draft {
        moment: Moment::Suspected,
        incident: None,
        units: vec!["icu".into()],
        facts: Box::default(),
        release: false,
    };
    assert!(matches!(
        site.refused("budi", act),
        NoticeRefusal::NoSuchUnit { .. }
    ));
    assert!(site.rows().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_configured_node_sends_as_long_as_it_answers() {
    let site = Site::new().await;
    // It was not heard of yet, and is given time.
    assert_eq!(sender(&site.agent.core).unwrap().as_str(), "serverdb");
    let site = Site::with(|config| config.nodes.reverse()).await;
    assert_eq!(sender(&site.agent.core).unwrap().as_str(), "backup");
}
