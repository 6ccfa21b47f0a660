//! Promises of news that were not kept, estimates that are over, reminders, and the heads of the log.

use crate::site::Site;
use siaga_agent::core::duties::{duties, tell};
use siaga_agent::core::heads_mail::send_heads;
use siaga_agent::core::incidents;
use siaga_agent::core::notices::view::{Wanted, notices};
use siaga_model::UtcMicros;
use siaga_model::downtime::{OnCall, Remind};
use siaga_model::duty::Duty;
use siaga_model::incident::{CorrectiveAction, Estimate, IncidentEntry, Range};
use siaga_model::notice::{About, AlertCause, Moment, NoticeEntry};
use siaga_model::notice_api::{NoticeAct, NoticeFacts, NoticeView};
use siaga_runner::hands::Hands;

const SECOND: i64 = 1_000_000;

fn now(site: &Site) -> UtcMicros {
    site.agent.core.hands.now()
}

/// An estimate of an hour ago: `next` and `high_s` seconds from then on.
fn estimated(site: &Site, next: i64, high_s: u64) {
    let given_at = UtcMicros(now(site).0 - 3600 * SECOND);
    let estimate = Estimate {
        range: Some(Range {
            low_s: 1,
            likely_s: 2,
            high_s,
        }),
        given_at,
        next_update_at: UtcMicros(given_at.0 + next * SECOND),
        based_on: Vec::new(),
    };
    let core = &site.agent.core;
    let rows = vec![
        IncidentEntry::Confirmed,
        IncidentEntry::Estimated { estimate },
    ];
    incidents::write(core, &"i1".into(), &core.agent_actor(), rows).unwrap();
}

fn alerts(site: &Site) -> Vec<AlertCause> {
    let of = |row| match row {
        NoticeEntry::Alert { cause, .. } => Some(cause),
        _ => None,
    };
    site.rows().into_iter().filter_map(of).collect()
}

fn messages(site: &Site) -> Vec<(About, Vec<String>)> {
    let of = |row| match row {
        NoticeEntry::Message { about, to, .. } => {
            Some((about, to.iter().map(ToString::to_string).collect()))
        }
        _ => None,
    };
    site.rows().into_iter().filter_map(of).collect()
}

fn all(site: &Site) -> Vec<NoticeView> {
    notices(&site.agent.core, &Wanted::default())
        .unwrap()
        .notices
}

async fn with_communicator() -> Site {
    Site::with(|config| {
        config.downtime.reach = vec![OnCall {
            person: "ratna".into(),
            channel: "sms".into(),
            address: "r".into(),
        }];
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_update_alerts_once_and_a_new_promise_makes_a_new_alert_possible() {
    let mut site = with_communicator().await;
    let core = site.agent.core.clone();
    tell(&core).unwrap();
    assert_eq!(alerts(&site), []);
    estimated(&site, 1800, 100_000);
    assert!(matches!(
        duties(&core).unwrap()[..],
        [Duty::UpdateLate { .. }]
    ));
    for _ in 0..3 {
        tell(&core).unwrap();
    }
    assert!(matches!(alerts(&site)[..], [AlertCause::UpdateLate { .. }]));
    site.send().await;
    // The person on call, and the communicator, who is not asked to answer.
    let views = all(&site);
    let alert = views.iter().find(|v| v.about.is_none()).unwrap();
    let told = views.iter().find(|v| v.about.is_some()).unwrap();
    let texts = site.sent(&alert.notice);
    let named = |t: &&String| t.contains(alert.notice.as_str());
    assert_eq!(texts.iter().filter(named).count(), 1, "{texts:?}");
    assert_eq!(told.recipients[0].title, "ratna");
    assert_eq!(site.calls(), 2);
    // News that says when the next comes ends it, and the alert goes no further.
    let act = NoticeAct::Draft {
        moment: Moment::Update,
        incident: Some("i1".into()),
        units: Vec::new(),
        facts: Box::new(NoticeFacts {
            sentence: Some("server kedua dijalankan".into()),
            ..NoticeFacts::default()
        }),
        release: true,
    };
    site.done("ratna", act);
    tell(&core).unwrap();
    assert_eq!(duties(&core).unwrap(), []);
    let alert = site.view(&alert.notice);
    assert!(alert.dropped.is_some(), "it still goes on");
    // The next promise that is late is another one.
    estimated_now_late(&site);
    tell(&core).unwrap();
    tell(&core).unwrap();
    assert_eq!(alerts(&site).len(), 2);
}

/// A promise of just now, for just now.
fn estimated_now_late(site: &Site) {
    let at = now(site);
    let estimate = Estimate {
        range: None,
        given_at: at,
        next_update_at: UtcMicros(at.0 - 1),
        based_on: Vec::new(),
    };
    let core = &site.agent.core;
    let rows = vec![IncidentEntry::Estimated { estimate }];
    incidents::write(core, &"i1".into(), &core.agent_actor(), rows).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_update_waits_for_the_end_of_a_pause() {
    let site = Site::new().await;
    let core = site.agent.core.clone();
    estimated(&site, 1800, 100_000);
    let reason = "work".to_owned();
    site.ask("budi", NoticeAct::Pause { for_s: 60, reason });
    tell(&core).unwrap();
    assert_eq!(alerts(&site), []);
    // The screens say it all the same.
    assert_eq!(duties(&core).unwrap().len(), 1);
    site.ask("budi", NoticeAct::ResumeAlerts);
    tell(&core).unwrap();
    assert_eq!(alerts(&site).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_about_a_promise_has_one_name_on_every_node() {
    let site = Site::new().await;
    let core = site.agent.core.clone();
    estimated(&site, 1800, 100_000);
    tell(&core).unwrap();
    let before = all(&site);
    // As the other node would raise it, which had not heard of it.
    let [AlertCause::UpdateLate { promised }] = alerts(&site)[..] else {
        panic!("no alert");
    };
    let cause = AlertCause::UpdateLate { promised };
    let name = siaga_agent::core::alerts::name_of(&"i1".into(), &cause).unwrap();
    assert_eq!(before[0].notice, name);
    // Dropped by a person, it does not come back.
    let reason = "known".to_owned();
    site.done(
        "budi",
        NoticeAct::Drop {
            notice: name,
            reason,
        },
    );
    tell(&core).unwrap();
    assert_eq!(alerts(&site).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_estimate_that_is_over_says_so_by_itself() {
    let site = Site::new().await;
    let core = site.agent.core.clone();
    estimated(&site, 100_000, 60);
    tell(&core).unwrap();
    tell(&core).unwrap();
    assert!(matches!(
        alerts(&site)[..],
        [AlertCause::EstimateOver { .. }]
    ));
    let said = duties(&core).unwrap();
    assert!(matches!(said[..], [Duty::EstimateOver { .. }]));
}

fn action(site: &Site, owner: &str) {
    let action = CorrectiveAction {
        number: 1,
        text: "pantau kipas".into(),
        owner: owner.into(),
        due: "2020-01-31".into(),
        done: false,
    };
    let core = &site.agent.core;
    let rows = vec![IncidentEntry::Action { action }];
    incidents::write(core, &"i1".into(), &core.agent_actor(), rows).unwrap();
}

/// It is day at the site, whatever the clock of this machine says.
fn in_the_day(config: &mut siaga_model::config::Config) {
    let hour = jiff::Timestamp::now()
        .to_zoned_datetime(jiff::tz::TimeZone::UTC)
        .hour();
    let zone = match hour {
        0..8 => "Asia/Tokyo",
        8..=23 => "UTC",
        _ => unreachable!(),
    };
    config.site.time_zone = zone.to_owned();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overdue_action_reminds_its_owner_and_who_is_named_once() {
    let mut site = Site::with(in_the_day).await;
    let core = site.agent.core.clone();
    action(&site, "budi");
    tell(&core).unwrap();
    tell(&core).unwrap();
    let told = messages(&site);
    assert_eq!(told.len(), 1, "{told:?}");
    // The decider is reminded where nothing else is said.
    assert_eq!(told[0].1, ["budi", "dewi"]);
    site.send().await;
    let view = &all(&site)[0];
    assert!(
        site.sent(&view.notice)[0].starts_with("[PENGINGAT]"),
        "{:?}",
        site.sent(&view.notice)
    );
    assert_eq!(site.calls(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_that_can_tell_no_decider_tells_who_is_first_on_call() {
    let site = Site::with(|config| {
        in_the_day(config);
        config
            .downtime
            .on_call
            .retain(|o| o.person.as_str() == "budi");
    })
    .await;
    action(&site, "somebody else");
    tell(&site.agent.core).unwrap();
    assert_eq!(messages(&site)[0].1, ["budi"]);
    let site = Site::with(|config| {
        in_the_day(config);
        config.downtime.rules.remind = Remind::Person("budi".into());
    })
    .await;
    action(&site, "somebody else");
    tell(&site.agent.core).unwrap();
    assert_eq!(messages(&site)[0].1, ["budi"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reminder_waits_for_the_end_of_a_pause() {
    let site = Site::with(in_the_day).await;
    action(&site, "budi");
    let reason = "work".to_owned();
    site.ask("budi", NoticeAct::Pause { for_s: 60, reason });
    tell(&site.agent.core).unwrap();
    assert_eq!(messages(&site), []);
    site.ask("budi", NoticeAct::ResumeAlerts);
    tell(&site.agent.core).unwrap();
    assert_eq!(messages(&site).len(), 1);
}

fn planned(site: &Site, release: bool) {
    let from = now(site).0 + 1800 * SECOND;
    let act = NoticeAct::Draft {
        moment: Moment::Planned,
        incident: None,
        units: Vec::new(),
        facts: Box::new(NoticeFacts {
            window_from: Some(UtcMicros(from)),
            window_to: Some(UtcMicros(from + 3600 * SECOND)),
            sentence: Some("memori baru".into()),
            ..NoticeFacts::default()
        }),
        release,
    };
    site.done("dewi", act);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_just_been_told_of_planned_work_is_not_reminded() {
    let site = Site::new().await;
    planned(&site, true);
    tell(&site.agent.core).unwrap();
    assert_eq!(messages(&site), []);
    let said = duties(&site.agent.core).unwrap();
    assert!(matches!(
        said[..],
        [Duty::PlannedWork { released: true, .. }]
    ));
    let site = Site::new().await;
    planned(&site, false);
    let said = duties(&site.agent.core).unwrap();
    assert!(matches!(
        said[..],
        [Duty::PlannedWork {
            released: false,
            ..
        }]
    ));
}

/// A notice about work whose last reminder is due in a moment.
fn announced(site: &Site, released: Option<bool>) {
    let core = &site.agent.core;
    let from = now(site).0 + 3600 * SECOND + SECOND / 5;
    let text = siaga_model::notice::Text {
        language: siaga_model::config::Language::Indonesian,
        subject: "[SIMRS][TERENCANA]".into(),
        body: "memori baru".into(),
    };
    let row = NoticeEntry::Drafted {
        moment: Moment::Planned,
        incident: None,
        texts: vec![text],
        units: vec!["igd".into()],
        next_update: None,
        window: Some(siaga_model::notice::Window {
            from: UtcMicros(from),
            to: UtcMicros(from + SECOND),
        }),
        reminds_of: None,
    };
    let mut rows = vec![("n1".into(), row)];
    rows.extend(released.map(|bypass| ("n1".into(), NoticeEntry::Released { bypass })));
    let sync = siaga_journal::Durability::Sync;
    siaga_agent::core::notices::write(core, &core.agent_actor(), rows, sync).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn units_are_told_again_only_of_what_a_person_released() {
    for (released, again) in [(Some(false), 1), (Some(true), 0), (None, 0)] {
        let site = Site::new().await;
        announced(&site, released);
        let core = &site.agent.core;
        let begun = std::time::Instant::now();
        while messages(&site).is_empty() && begun.elapsed().as_secs() < 20 {
            tell(core).unwrap();
            tokio::task::yield_now().await;
        }
        tell(core).unwrap();
        assert_eq!(messages(&site).len(), 1, "{released:?}");
        let reminders = site.rows().into_iter().filter(
            |r| matches!(r, NoticeEntry::Drafted { reminds_of: Some(n), .. } if n.as_str() == "n1"),
        );
        assert_eq!(reminders.count(), again, "{released:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_heads_of_the_log_go_out_once_a_month() {
    let mut site = Site::with(|config| {
        in_the_day(config);
        config.downtime.rules.seal_to = Some("dewi".into());
    })
    .await;
    let core = site.agent.core.clone();
    send_heads(&core).await;
    send_heads(&core).await;
    let told = messages(&site);
    assert!(matches!(&told[..], [(About::EventHeads { .. }, to)] if to == &["dewi"]));
    site.send().await;
    let text = site.sent(&all(&site)[0].notice).remove(0);
    let head = siaga_journal::seal::seal(&core.state_dir, None).unwrap();
    // The head that was sent is a row of the log that is still there.
    let sent = siaga_journal::seal::of_text(&text).unwrap();
    assert_eq!(sent.heads.len(), head.heads.len());
    let trusted = core.log.journal().trusted().clone();
    let problems = siaga_journal::seal::disagreements(&core.state_dir, &trusted, &sent).unwrap();
    assert_eq!(problems, []);
}
