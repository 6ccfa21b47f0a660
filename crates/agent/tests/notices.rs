//! Notices in an agent: what people ask, what goes out, and what the rows say of it.

mod common;

use axum::Router;
use common::agent::{Agent, backup_of, config};
use siaga_agent::core::actor::Who;
use siaga_agent::core::alerts::{Raised, raise, settle};
use siaga_agent::core::notices::send::{Flights, step};
use siaga_agent::core::notices::view::{Wanted, notices};
use siaga_agent::core::notices::{acts::act, sender};
use siaga_model::config::{Argv, Config, Language, Person, Role};
use siaga_model::downtime::{Channel, ChannelKind, Contact, OnCall, Release, Unit};
use siaga_model::event::{Actor, ActorProof, EventBody};
use siaga_model::notice::{Moment, NoticeEntry, Text};
use siaga_model::notice_api::{
    DeliveryState, NoticeAct, NoticeAnswer, NoticeFacts, NoticeRefusal, NoticeState, NoticeView,
};
use siaga_model::{NoticeId, UtcMicros};
use std::path::Path;
use std::time::Duration;

/// A site whose program writes what it is given into files of `dir`, and fails while the file `broken` is there.
fn site(dir: &Path) -> Config {
    let mut config = config();
    let script = format!(
        "cd {}; echo x >> calls; [ -e broken ] && {{ echo no modem >&2; exit 1; }}; cat > \"$NOTICE_DELIVERY\"; echo terkirim",
        dir.display()
    );
    let run = ["/bin/sh", "-c", &script].map(str::to_owned).to_vec();
    let channel = |name: &str, kind| Channel {
        name: name.into(),
        kind,
        timeout: Duration::from_secs(20),
    };
    config.downtime.channels = vec![
        channel("sms", ChannelKind::Program { run: Argv(run) }),
        channel("hand", ChannelKind::ByHand),
    ];
    let contact = |channel: &str, address: &str| Contact {
        name: "kepala".into(),
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
    config.downtime.units = vec![
        unit(
            "igd",
            Language::Indonesian,
            vec![contact("sms", "1"), contact("hand", "101")],
        ),
        unit("lab", Language::English, vec![contact("sms", "2")]),
    ];
    let person = |name: &str, role| Person {
        name: name.into(),
        role,
        login: None,
    };
    config.people = vec![
        person("budi", Role::Operator),
        person("ratna", Role::Communicator),
        person("dewi", Role::Decider),
    ];
    let on_call = |person: &str, address: &str| OnCall {
        person: person.into(),
        channel: "sms".into(),
        address: address.into(),
    };
    config.downtime.on_call = vec![on_call("budi", "b"), on_call("dewi", "d")];
    config
}

struct Site {
    agent: Agent,
    dir: tempfile::TempDir,
    flights: Flights,
}

impl Site {
    async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut config = site(dir.path());
        change(&mut config);
        Self {
            agent: backup_of(config, Router::new(), false).await,
            dir,
            flights: Flights::default(),
        }
    }

    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    fn ask(&self, person: &str, asked: NoticeAct) -> NoticeAnswer {
        act(&self.agent.core, &who(person), asked)
    }

    fn done(&self, person: &str, asked: NoticeAct) -> NoticeId {
        match self.ask(person, asked) {
            NoticeAnswer::Done { notice } => notice.unwrap(),
            other => panic!("{other:?}"),
        }
    }

    fn refused(&self, person: &str, asked: NoticeAct) -> NoticeRefusal {
        match self.ask(person, asked) {
            NoticeAnswer::Refused { why } => why,
            other => panic!("{other:?}"),
        }
    }

    /// One look, and what it began to its end.
    async fn send(&mut self) {
        step(&self.agent.core, &mut self.flights);
        self.flights.settle(&self.agent.core).await;
    }

    fn view(&self, notice: &NoticeId) -> NoticeView {
        let wanted = Wanted {
            notice: Some(notice.clone()),
            ..Wanted::default()
        };
        let mut all = notices(&self.agent.core, &wanted).unwrap().notices;
        assert_eq!(all.len(), 1);
        all.remove(0)
    }

    fn calls(&self) -> usize {
        let calls = std::fs::read_to_string(self.dir.path().join("calls"));
        calls.unwrap_or_default().lines().count()
    }

    /// The texts that were sent.
    fn sent(&self, notice: &NoticeId) -> Vec<String> {
        let mut files: Vec<_> = std::fs::read_dir(self.dir.path())
            .unwrap()
            .map(|e| e.unwrap().path())
            .filter(|p| {
                p.file_name()
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .starts_with(notice.as_str())
            })
            .collect();
        files.sort();
        files
            .iter()
            .map(|f| std::fs::read_to_string(f).unwrap())
            .collect()
    }

    /// The rows of notices, by their names.
    fn rows(&self) -> Vec<NoticeEntry> {
        let filter = siaga_journal::Filter {
            kinds: vec!["notice".to_owned()],
            ..siaga_journal::Filter::default()
        };
        let events = self.agent.core.log.journal().events(&filter).unwrap();
        events
            .into_iter()
            .filter_map(|e| match e.event.body {
                EventBody::Notice { entry, .. } => Some(*entry),
                _ => None,
            })
            .collect()
    }
}

fn who(person: &str) -> Who {
    Who {
        actor: Actor {
            name: person.to_owned(),
            how: ActorProof::Stated,
        },
        person: Some(person.into()),
    }
}

fn draft(moment: Moment, release: bool) -> NoticeAct {
    NoticeAct::Draft {
        moment,
        incident: Some("i1".into()),
        units: Vec::new(),
        facts: Box::new(NoticeFacts {
            sentence: Some("sedang diperiksa".into()),
            ..NoticeFacts::default()
        }),
        release,
    }
}

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
        config.downtime.rules.bypass_after = Some(Duration::from_millis(1));
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
    let Raised::New(notice) = raise(&core, &"i1".into(), text).unwrap() else {
        panic!("not raised");
    };
    let again = raise(&core, &"i1".into(), text).unwrap();
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
        raise(&core, &"i2".into(), text).unwrap(),
        Raised::New(_)
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_that_nobody_answers_goes_to_the_next_and_stops_when_it_is_settled() {
    let mut site = Site::with(|config| {
        config.downtime.rules.escalate_after = Duration::from_millis(1);
    })
    .await;
    let core = site.agent.core.clone();
    raise(&core, &"i1".into(), text).unwrap();
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
    assert_eq!(raise(&core, &"i1".into(), text).unwrap(), Raised::Paused);
    let shown = notices(&core, &Wanted::default()).unwrap().pause.unwrap();
    assert_eq!((shown.by.as_str(), shown.reason.as_str()), ("budi", "work"));
    assert!(matches!(
        site.ask("budi", NoticeAct::ResumeAlerts),
        NoticeAnswer::Done { .. }
    ));
    assert!(matches!(
        raise(&core, &"i1".into(), text).unwrap(),
        Raised::New(_)
    ));
    site.send().await;
    assert_eq!(site.calls(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_configured_node_sends_as_long_as_it_answers() {
    let site = Site::new().await;
    // It was not heard of yet, and is given time.
    assert_eq!(sender(&site.agent.core).unwrap().as_str(), "serverdb");
    let site = Site::with(|config| config.nodes.reverse()).await;
    assert_eq!(sender(&site.agent.core).unwrap().as_str(), "backup");
}
