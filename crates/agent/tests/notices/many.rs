//! A hundred units with five channels each, and a channel that hangs.

use crate::site::{Site, draft};
use siaga_agent::core::notices::send::send;
use siaga_agent::core::notices::view::{Wanted, notices};
use siaga_model::config::{Argv, Config, Language};
use siaga_model::downtime::{Channel, ChannelKind, Contact, Unit};
use siaga_model::notice::{AlertCause, Moment, NoticeEntry, Text};
use siaga_model::notice_api::{NoticeState, NoticeView};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

const UNITS: usize = 100;
const CHANNELS: usize = 5;

/// Each channel is a program that appends the notice's name to a file of the address.
fn many(config: &mut Config, dir: &Path, units: usize, slow: Option<usize>) {
    let channel = |number: usize| {
        let wait = if slow == Some(number) {
            "sleep 4; "
        } else {
            ""
        };
        let script = format!(
            "{wait}echo $NOTICE_ID >> {}/to-{number}-$NOTICE_ADDRESS",
            dir.display()
        );
        let run = ["/bin/sh", "-c", &script].map(str::to_owned).to_vec();
        Channel {
            name: format!("c{number}").as_str().into(),
            kind: ChannelKind::Program { run: Argv(run) },
            timeout: Duration::from_secs(60),
        }
    };
    let contact = |channel: usize, address: usize| Contact {
        name: "kepala".into(),
        channel: format!("c{channel}").as_str().into(),
        address: address.to_string(),
    };
    let unit = |number: usize| Unit {
        name: format!("unit{number:03}").as_str().into(),
        title: format!("Unit {number}"),
        language: Language::Indonesian,
        goes_to_paper: true,
        contacts: (0..CHANNELS).map(|c| contact(c, number)).collect(),
    };
    config.downtime.channels = (0..CHANNELS).map(channel).collect();
    config.downtime.units = (0..units).map(unit).collect();
    for on_call in &mut config.downtime.on_call {
        on_call.channel = "c0".into();
    }
    // The other node never answered: this one sends at once.
    config.policy.coordinator_silence = Duration::ZERO;
    config.policy.peer_timeout = Duration::ZERO;
}

/// What each address was sent, in its order.
fn arrived(dir: &Path) -> BTreeMap<String, Vec<String>> {
    let files = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path());
    let name = |p: &Path| p.file_name().unwrap().to_str().unwrap().to_owned();
    files
        .filter(|p| name(p).starts_with("to-"))
        .map(|p| {
            let lines = std::fs::read_to_string(&p).unwrap();
            (name(&p), lines.lines().map(str::to_owned).collect())
        })
        .collect()
}

fn count(site: &Site, is: impl Fn(&NoticeEntry) -> bool) -> usize {
    site.rows().iter().filter(|row| is(row)).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_deliveries_arrive_once_and_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let mut site = Site::with(|config| many(config, dir.path(), UNITS, None)).await;
    let first = site.done("ratna", draft(Moment::Confirmed, true));
    site.send().await;
    // The second follows while the first is under way.
    let second = site.done("ratna", draft(Moment::Update, true));
    let all = UNITS * CHANNELS * 2;
    // Each look begins at most so many as one channel allows, of each channel.
    for _ in 0..all {
        if count(&site, |r| matches!(r, NoticeEntry::Sent { .. })) == all {
            break;
        }
        site.send().await;
    }
    let arrived = arrived(dir.path());
    assert_eq!(arrived.len(), UNITS * CHANNELS);
    let both = vec![first.to_string(), second.to_string()];
    assert!(arrived.values().all(|notices| notices == &both));
    assert_eq!(
        count(&site, |r| matches!(r, NoticeEntry::Trying { .. })),
        all
    );
    assert_eq!(count(&site, |r| matches!(r, NoticeEntry::Failed { .. })), 0);
    // A row is about one delivery: none holds more than the names of the units.
    let longest = site
        .rows()
        .iter()
        .map(|r| serde_json::to_string(r).unwrap().len())
        .max();
    assert!(longest < Some(4096), "{longest:?}");
    let listed = notices(&site.agent.core, &Wanted::default())
        .unwrap()
        .notices;
    let states: Vec<NoticeState> = listed.iter().map(|n: &NoticeView| n.state).collect();
    assert_eq!(states, [NoticeState::Sent, NoticeState::Sent]);
}

/// Waits for what the sending task does.
async fn until(what: &str, mut is: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is() {
        assert!(begun.elapsed() < Duration::from_secs(60), "never: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_hangs_holds_up_no_other_and_no_alert() {
    let dir = tempfile::tempdir().unwrap();
    let units = 40;
    let site = Site::with(|config| many(config, dir.path(), units, Some(0))).await;
    let core = site.agent.core.clone();
    site.done("ratna", draft(Moment::Confirmed, true));
    let sending = tokio::spawn(send(core.clone()));
    let of_slow = |name: &str| name.starts_with("to-0-");
    let others = || {
        arrived(dir.path())
            .into_keys()
            .filter(|n| !of_slow(n))
            .count()
    };
    until("the other channels are done", || {
        others() == units * (CHANNELS - 1)
    })
    .await;
    let slow = arrived(dir.path())
        .into_keys()
        .filter(|n| of_slow(n))
        .count();
    assert!(slow < units / 2, "they waited: {slow}");
    // An alert by that channel begins before the units that wait for it.
    let raised =
        siaga_agent::core::alerts::raise(&core, &"i1".into(), &AlertCause::Trouble, |_| Text {
            language: Language::Indonesian,
            subject: "PERINGATAN".into(),
            body: "SIMRS tidak menjawab".into(),
        });
    raised.unwrap();
    let begun = |rows: &[NoticeEntry], alert: bool| {
        let of = |row: &&NoticeEntry| {
            let NoticeEntry::Trying { delivery, .. } = row else {
                return false;
            };
            delivery.as_str().contains(".c0.") && delivery.as_str().contains(".budi.") == alert
        };
        rows.iter().filter(of).count()
    };
    until("the alert began", || begun(&site.rows(), true) == 1).await;
    let before = begun(&site.rows(), false);
    assert!(before < units - 6, "{before} units began before the alert");
    sending.abort();
}
