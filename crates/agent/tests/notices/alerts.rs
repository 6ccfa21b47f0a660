//! Alerts to the people on call.

use crate::site::Site;
use siaga_agent::core::alerts::{Raised, raise, settle};
use siaga_agent::core::notices::view::{Wanted, notices};
use siaga_model::NoticeId;
use siaga_model::config::Language;
use siaga_model::notice::{AlertCause, NoticeEntry, Text};
use siaga_model::notice_api::{NoticeAct, NoticeAnswer, NoticeRefusal};
use std::time::Duration;

fn text(notice: &NoticeId) -> Text {
    Text {
        language: Language::Indonesian,
        subject: "[PERINGATAN]".into(),
        body: format!("Konfirmasi {notice}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_is_raised_once_for_one_cause_and_goes_on_until_somebody_answers() {
    let mut site = Site::with(|config| {
        config.downtime.rules.escalate_after = Duration::from_secs(3600);
    })
    .await;
    let core = site.agent.core.clone();
    let Raised::New(notice) = raise(&core, &"i1".into(), &AlertCause::Trouble, text).unwrap()
    else {
        panic!("not raised");
    };
    let again = raise(&core, &"i1".into(), &AlertCause::Trouble, text).unwrap();
    assert_eq!(again, Raised::Already(notice.clone()));
    site.send().await;
    assert_eq!(
        site.sent(&notice),
        [format!("[PERINGATAN]\nKonfirmasi {notice}")]
    );
    let view = site.view(&notice);
    assert_eq!(
        (view.moment, view.recipients[0].title.as_str()),
        (None, "budi")
    );
    let release = NoticeAct::Release {
        notice: notice.clone(),
    };
    assert_eq!(site.refused("dewi", release), NoticeRefusal::WrongKind);
    site.done(
        "budi",
        NoticeAct::AcknowledgeAlert {
            notice: notice.clone(),
        },
    );
    assert!(site.view(&notice).recipients[0].acknowledged.is_some());
    // The next cause is another alert.
    assert!(matches!(
        raise(&core, &"i2".into(), &AlertCause::Trouble, text).unwrap(),
        Raised::New(_)
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_that_nobody_answers_goes_to_the_next_and_stops_when_it_is_settled() {
    let mut site = Site::with(|config| {
        config.downtime.rules.escalate_after = Duration::ZERO;
    })
    .await;
    let core = site.agent.core.clone();
    raise(&core, &"i1".into(), &AlertCause::Trouble, text).unwrap();
    site.send().await;
    site.send().await;
    let people: Vec<String> = site
        .rows()
        .into_iter()
        .filter_map(|row| match row {
            NoticeEntry::Alert { round, to, .. } => Some(format!("{round} {to}")),
            _ => None,
        })
        .collect();
    assert_eq!(people, ["1 budi", "2 dewi", "3 budi"]);
    settle(&core, &"i1".into(), "withdrawn").unwrap();
    let rows = site.rows().len();
    site.send().await;
    assert_eq!(site.rows().len(), rows);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_silences_alerts_until_it_is_ended() {
    let mut site = Site::new().await;
    let pause = |for_s: u64, reason: &str| NoticeAct::Pause {
        for_s,
        reason: reason.into(),
    };
    let most_s = 86_400;
    assert_eq!(
        site.refused("budi", pause(0, "x")),
        NoticeRefusal::BadPause { most_s }
    );
    assert_eq!(
        site.refused("budi", pause(60, "")),
        NoticeRefusal::ReasonMissing
    );
    assert_eq!(
        site.refused("budi", NoticeAct::ResumeAlerts),
        NoticeRefusal::NotPaused
    );
    assert!(matches!(
        site.ask("budi", pause(60, "work")),
        NoticeAnswer::Done { .. }
    ));
    let core = site.agent.core.clone();
    assert_eq!(
        raise(&core, &"i1".into(), &AlertCause::Trouble, text).unwrap(),
        Raised::Paused
    );
    let shown = notices(&core, &Wanted::default()).unwrap().pause.unwrap();
    assert_eq!((shown.by.as_str(), shown.reason.as_str()), ("budi", "work"));
    assert!(matches!(
        site.ask("budi", NoticeAct::ResumeAlerts),
        NoticeAnswer::Done { .. }
    ));
    assert!(matches!(
        raise(&core, &"i1".into(), &AlertCause::Trouble, text).unwrap(),
        Raised::New(_)
    ));
    site.send().await;
    assert_eq!(site.calls(), 1);
}
