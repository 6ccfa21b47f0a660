//! The site's CA: every node has it, a new one takes the place of a lost one, and what is restored is no new site.
#![allow(clippy::unwrap_used)]

mod common;

use common::{SECOND, first, join_as, join_node};
use siaga_agent::pki::{self, Enrolee, Identity, PinStore, ca, renew};
use siaga_agent::transport::{LiveIdentity, PeerClient};
use std::os::unix::fs::PermissionsExt;

/// What a node does that has no copy of the CA, or an older one.
fn takes_copy(from: &common::TestNode, to: &common::TestNode) {
    let copy = ca::Ca::load(&from.state()).unwrap().unwrap().copy();
    ca::Ca::of_copy(&copy).unwrap().store(&to.state()).unwrap();
}

#[tokio::test]
async fn the_second_node_lets_machines_in_when_the_first_is_gone() {
    let a = first().await;
    let b = join_node(&a, "backup").await;
    let token = || {
        let probe = Enrolee::Probe("poli".into());
        pki::token::token_create(&b.state(), &probe, 60 * SECOND, &[b.address])
    };
    assert_eq!(token().unwrap_err().code(), "KEYS_NO_CA");
    takes_copy(&a, &b);
    // From now on its own certificate is its own business too.
    let renewed = renew::run_if_due(&b.state(), None, pki::now()).await;
    assert_eq!(renewed.unwrap(), renew::Renewal::NotDue);
    drop(a);
    let token = token().unwrap();
    let dir = tempfile::tempdir().unwrap();
    pki::join::run(&token, "poli", dir.path(), None)
        .await
        .unwrap();
    assert!(b.pins.all().iter().any(|p| p.name == "poli"));
}

#[tokio::test]
async fn the_cas_key_lies_nowhere_in_clear_and_one_of_before_is_encrypted() {
    let a = first().await;
    let keys = a.state().join("keys");
    let key = ca::Ca::load(&a.state()).unwrap().unwrap().copy().key;
    let secret = key.lines().nth(1).unwrap().to_owned();
    let in_clear = || {
        let files = std::fs::read_dir(&keys).unwrap().map(|e| e.unwrap().path());
        let has = |path: &std::path::PathBuf| {
            std::fs::read_to_string(path).is_ok_and(|text| text.contains(&secret))
        };
        files.filter(has).collect::<Vec<_>>()
    };
    assert_eq!(in_clear(), Vec::<std::path::PathBuf>::new());
    // As an earlier version left it.
    std::fs::remove_file(keys.join("ca.sealed")).unwrap();
    std::fs::write(keys.join("ca.key"), &key).unwrap();
    std::fs::set_permissions(keys.join("ca.key"), std::fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(in_clear().len(), 1);
    let before = ca::Ca::load(&a.state()).unwrap().unwrap().mark().unwrap();
    let after = ca::Ca::settle(&a.state()).unwrap().unwrap().mark().unwrap();
    assert_eq!(before, after);
    assert_eq!(in_clear(), Vec::<std::path::PathBuf>::new());
    assert_eq!(
        ca::Ca::load(&a.state()).unwrap().unwrap().mark().unwrap(),
        before
    );
}

#[tokio::test]
async fn a_replaced_ca_changes_no_pin_and_probes_follow_it() {
    let a = first().await;
    let b = join_node(&a, "backup").await;
    let (pins_a, pins_b) = (a.pins.all(), b.pins.all());
    let probe = tempfile::tempdir().unwrap();
    join_as(&a, Enrolee::Probe("poli".into()), probe.path())
        .await
        .unwrap();
    let old = a.token(&Enrolee::Probe("kasir".into()), 60 * SECOND);
    let new = ca::Ca::create("RSUD Contoh", 2, pki::now()).unwrap();
    new.store(&a.state()).unwrap();
    let renewed = renew::run_if_due(&a.state(), None, pki::now()).await;
    assert_eq!(
        renewed.unwrap(),
        renew::Renewal::Renewed,
        "its own certificate"
    );
    a.live.reload(&a.state()).unwrap();
    // Both still know each other, by the same keys.
    let client = b.client_of(&a, "serverdb");
    client.get::<String>("/v1/who", SECOND).await.unwrap();
    let kept = a.pins.all().into_iter().filter(|p| p.name != "poli");
    assert_eq!(kept.collect::<Vec<_>>(), pins_a);
    assert_eq!(b.pins.all(), pins_b);
    // A token of before is worth nothing, one of now is.
    let dir = tempfile::tempdir().unwrap();
    let e = pki::join::run(&old, "kasir", dir.path(), None)
        .await
        .unwrap_err();
    assert_eq!(e.code(), "JOIN_WRONG_CA");
    let token = a.token(&Enrolee::Probe("kasir".into()), 60 * SECOND);
    pki::join::run(&token, "kasir", dir.path(), None)
        .await
        .unwrap();
    // The probe of before gets its next certificate from the new CA, and takes that CA over.
    let own = Identity::load(probe.path()).unwrap();
    let later = siaga_model::UtcMicros((own.dates.not_after - 86_400) * 1_000_000);
    let live = LiveIdentity::new(&own).unwrap();
    let pins = PinStore::load(probe.path()).unwrap();
    let agent = PeerClient::new(&live, &pins, vec![a.address], "serverdb".into()).unwrap();
    let renewed = renew::run_if_due(probe.path(), Some(&agent), later).await;
    assert_eq!(renewed.unwrap(), renew::Renewal::Renewed);
    assert_eq!(&Identity::load(probe.path()).unwrap().ca_cert, new.cert());
}

/// Whoever has a token may leave out the look at the CA: the agent has to refuse it by itself.
#[tokio::test]
async fn a_token_of_before_a_new_ca_is_refused_by_the_agent_too() {
    let a = first().await;
    let token = a.token(&Enrolee::Node("backup".into()), 60 * SECOND);
    pki::token::void_all(&a.state()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let e = pki::join::run(&token, "backup", dir.path(), None)
        .await
        .unwrap_err();
    assert_eq!(e.code(), "JOIN_TOKEN_EXPIRED");
    let token = a.token(&Enrolee::Node("backup".into()), 60 * SECOND);
    pki::join::run(&token, "backup", dir.path(), None)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_lost_cas_number_is_not_given_again() {
    let a = first().await;
    let two = ca::Ca::create("RSUD Contoh", 2, pki::now()).unwrap();
    two.store(&a.state()).unwrap();
    std::fs::remove_file(a.state().join("keys/ca.sealed")).unwrap();
    assert!(ca::Ca::load(&a.state()).unwrap().is_none());
    assert_eq!(ca::Ca::shown_generation(&a.state()), Some(2));
}

#[test]
fn of_two_cas_the_same_one_is_in_force_on_both_nodes() {
    let mark = |generation, byte| pki::CaMark {
        generation,
        spki_sha256: pki::Spki([byte; 32]),
    };
    assert!(mark(2, 1).is_after(&mark(1, 9)));
    assert!(mark(2, 9).is_after(&mark(2, 1)));
    assert!(!mark(2, 1).is_after(&mark(2, 9)));
    assert!(!mark(2, 1).is_after(&mark(2, 1)));
}

/// A site that begins anew with the logs of before is not a new site: nobody knows what came after its backup.
#[test]
fn the_first_node_of_a_restored_site_does_not_say_that_nothing_is_missing() {
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let open = |state: &std::path::Path, node: &str| {
        let clock = Box::new(siaga_journal::SystemClock);
        siaga_journal::Journal::open(state, node.into(), clock).unwrap()
    };
    let event = siaga_model::event::Event {
        service: None,
        run: None,
        actor: None,
        body: siaga_model::event::EventBody::PauseEnded,
    };
    let sync = siaga_journal::Durability::Sync;
    open(old.path(), "backup").0.append(event, sync).unwrap();
    siaga_journal::saved::begin_restored(new.path(), "restored").unwrap();
    for name in siaga_journal::saved::names_of(old.path()).unwrap() {
        let file = siaga_journal::saved::read(old.path(), &name).unwrap();
        assert!(siaga_journal::saved::put_back(new.path(), &file).unwrap());
    }
    // It has no row of this node: its first start, by its own files alone.
    pki::init(new.path(), "RSUD Contoh", &"serverdb".into()).unwrap();
    let (_, report) = open(new.path(), "serverdb");
    assert!(
        matches!(report.history, siaga_journal::History::Unconfirmed { .. }),
        "{report:?}"
    );
}
