//! Joining: who is let in, who is not, and what is left behind.
#![allow(clippy::unwrap_used)]

mod common;

use common::{SECOND, first, join_as, join_node};
use siaga_agent::pki::{self, Enrolee, Identity, PinStore, Role, Token, renew};
use siaga_agent::transport::{CallError, PeerClient};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

#[tokio::test]
async fn a_second_node_joins_and_both_know_each_other() {
    let a = first().await;
    let b = join_node(&a, "backup").await;
    assert_eq!(
        std::fs::read_to_string(b.dir.path().join("siaga.toml")).unwrap(),
        "# the site\n"
    );
    let said: String = b
        .client_of(&a, "serverdb")
        .get("/v1/who", SECOND)
        .await
        .unwrap();
    assert!(said.contains("backup") && said.contains("Node"), "{said}");
    let said: String = a
        .client_of(&b, "backup")
        .get("/v1/who", SECOND)
        .await
        .unwrap();
    assert!(said.contains("serverdb"), "{said}");
}

#[tokio::test]
async fn keys_are_closed_to_others_and_the_secret_is_not_kept() {
    let a = first().await;
    let token = a.token(&Enrolee::Node("backup".into()), 60 * SECOND);
    let keys = a.state().join("keys");
    assert_eq!(
        std::fs::metadata(&keys).unwrap().permissions().mode() & 0o777,
        0o700
    );
    for entry in std::fs::read_dir(&keys).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600,
            "{path:?}"
        );
    }
    let stored = std::fs::read_to_string(keys.join("tokens.json")).unwrap();
    let secret = token.to_string();
    assert!(!stored.contains(&secret[7..40]));
    std::fs::set_permissions(
        keys.join("node.key"),
        std::fs::Permissions::from_mode(0o644),
    )
    .unwrap();
    assert_eq!(
        Identity::load(&a.state()).err().unwrap().code(),
        "KEYS_EXPOSED"
    );
}

#[tokio::test]
async fn init_refuses_where_there_is_an_identity() {
    let a = first().await;
    let before = std::fs::read(a.state().join("keys/ca.sealed")).unwrap();
    let e = pki::init(&a.state(), "Another", &"serverdb".into()).unwrap_err();
    assert_eq!(e.code(), "KEYS_EXIST");
    assert_eq!(
        std::fs::read(a.state().join("keys/ca.sealed")).unwrap(),
        before
    );
}

#[tokio::test]
async fn a_token_works_once() {
    let a = first().await;
    let token = a.token(&Enrolee::Node("backup".into()), 60 * SECOND);
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    pki::join::run(&token, "backup", one.path(), None)
        .await
        .unwrap();
    let pins = a.pins.all();
    let e = pki::join::run(&token, "backup", two.path(), None)
        .await
        .unwrap_err();
    assert_eq!(e.code(), "JOIN_TOKEN_USED");
    assert_eq!(a.pins.all(), pins, "nothing changed");
    assert!(!two.path().join("keys/node.key").exists());
    // Also after a restart of the agent: the mark is on disk.
    let stored = std::fs::read_to_string(a.state().join("keys/tokens.json")).unwrap();
    assert!(!stored.contains("\"used_at\": null"), "{stored}");
}

#[tokio::test]
async fn expired_unknown_and_misnamed_tokens_are_refused_and_then_the_rate_is_limited() {
    let a = first().await;
    let dir = tempfile::tempdir().unwrap();
    let code = async |token: &Token, name: &str| {
        pki::join::run(token, name, dir.path(), None)
            .await
            .unwrap_err()
            .code()
            .to_owned()
    };
    let expired = a.token(&Enrolee::Node("backup".into()), Duration::ZERO);
    assert_eq!(code(&expired, "backup").await, "JOIN_TOKEN_EXPIRED");
    let good = a.token(&Enrolee::Node("backup".into()), 60 * SECOND);
    assert_eq!(code(&good, "other").await, "JOIN_WRONG_NAME");
    let forgotten = a.token(&Enrolee::Node("backup".into()), 60 * SECOND);
    std::fs::write(a.state().join("keys/tokens.json"), "[]").unwrap();
    assert_eq!(code(&forgotten, "backup").await, "JOIN_TOKEN_UNKNOWN");
    for _ in 0..2 {
        assert_eq!(code(&forgotten, "backup").await, "JOIN_TOKEN_UNKNOWN");
    }
    let fresh = a.token(&Enrolee::Node("backup".into()), 60 * SECOND);
    assert_eq!(code(&fresh, "backup").await, "JOIN_TOO_MANY");
    assert_eq!(a.pins.all().len(), 1);
}

#[tokio::test]
async fn another_site_is_not_joined_and_gets_no_secret() {
    let (a, other) = (first().await, first().await);
    let real = a.token(&Enrolee::Node("backup".into()), 60 * SECOND);
    // The same secret and CA, but the address leads to another site's agent.
    let text = retarget(&real, other.address);
    let dir = tempfile::tempdir().unwrap();
    let e = pki::join::run(&text, "backup", dir.path(), None)
        .await
        .unwrap_err();
    assert_eq!(e.code(), "JOIN_WRONG_CA", "{e}");
    assert!(!dir.path().join("keys/node.key").exists());
    pki::join::run(&real, "backup", dir.path(), None)
        .await
        .unwrap();
}

fn retarget(token: &Token, address: std::net::SocketAddr) -> Token {
    let mut token = token.clone();
    token.addresses = vec![address];
    token
}

#[tokio::test]
async fn a_probes_machine_cannot_pose_as_an_agent_to_a_joiner() {
    let a = first().await;
    let dir = tempfile::tempdir().unwrap();
    let report = join_as(&a, Enrolee::Probe("poli".into()), &dir.path().join("state"))
        .await
        .unwrap();
    assert_eq!((report.role, report.agents.len()), (Role::Probe, 1));
    let fake = common::serve(dir, siaga_agent::transport::Limits::default()).await;
    let token = retarget(
        &a.token(&Enrolee::Node("backup".into()), 60 * SECOND),
        fake.address,
    );
    let victim = tempfile::tempdir().unwrap();
    let e = pki::join::run(&token, "backup", victim.path(), None)
        .await
        .unwrap_err();
    assert_eq!(e.code(), "JOIN_WRONG_CA", "{e}");
}

#[tokio::test]
async fn a_probe_may_report_and_nothing_else() {
    let a = first().await;
    let dir = tempfile::tempdir().unwrap();
    join_as(&a, Enrolee::Probe("poli".into()), &dir.path().join("state"))
        .await
        .unwrap();
    let probe = common::serve(dir, siaga_agent::transport::Limits::default()).await;
    let client = probe.client_of(&a, "serverdb");
    client
        .post::<_, ()>("/v1/probe", &(), SECOND)
        .await
        .unwrap();
    let e = client.get::<String>("/v1/who", SECOND).await.unwrap_err();
    assert!(
        matches!(&e, CallError::Status { status: 403, error } if error.code == "PROBE_NOT_ALLOWED"),
        "{e:?}"
    );
    // And nobody takes it for a node.
    let e = a
        .client_of(&probe, "poli")
        .get::<String>("/v1/who", SECOND)
        .await
        .unwrap_err();
    assert!(matches!(e, CallError::Tls { .. }), "{e:?}");
}

#[tokio::test]
async fn a_machine_that_joins_anew_replaces_its_old_key_at_once() {
    let a = first().await;
    let old = join_node(&a, "backup").await;
    let warm = old.client_of(&a, "serverdb");
    warm.get::<String>("/v1/who", SECOND).await.unwrap();
    let _new = join_node(&a, "backup").await;
    let e = warm.get::<String>("/v1/who", SECOND).await.unwrap_err();
    assert!(
        matches!(&e, CallError::Status { status: 401, .. }),
        "also on the open connection: {e:?}"
    );
    let again = old.client_of(&a, "serverdb");
    let e = again.get::<String>("/v1/who", SECOND).await.unwrap_err();
    assert!(matches!(e, CallError::Tls { .. }), "{e:?}");
}

#[tokio::test]
async fn certificates_renew_from_the_same_key() {
    let a = first().await;
    let b = join_node(&a, "backup").await;
    let later = siaga_model::UtcMicros(pki::now().0 + 300 * 86_400 * 1_000_000);
    for (node, peer) in [(&a, None), (&b, Some(b.client_of(&a, "serverdb")))] {
        let before = Identity::load(&node.state()).unwrap();
        let no = renew::run_if_due(&node.state(), peer.as_ref(), pki::now())
            .await
            .unwrap();
        assert_eq!(no, renew::Renewal::NotDue);
        let yes = renew::run_if_due(&node.state(), peer.as_ref(), later)
            .await
            .unwrap();
        assert_eq!(yes, renew::Renewal::Renewed);
        let after = Identity::load(&node.state()).unwrap();
        assert_eq!(after.spki, before.spki);
        assert_ne!(after.cert, before.cert);
        node.live.reload(&node.state()).unwrap();
    }
    let client = b.client_of(&a, "serverdb");
    client.get::<String>("/v1/who", SECOND).await.unwrap();
    assert!(
        client.identity().unwrap().days_left > 600,
        "the new certificate is served without a restart"
    );
    let e = renew::run_if_due(&b.state(), None, siaga_model::UtcMicros(later.0 * 2))
        .await
        .unwrap_err();
    assert!(matches!(e, renew::RenewError::NobodyToAsk));
}

#[tokio::test]
async fn nobody_gets_a_certificate_for_another_key() {
    let a = first().await;
    let b = join_node(&a, "backup").await;
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec!["serverdb".to_owned()]).unwrap();
    let csr = params.serialize_request(&key).unwrap().pem().unwrap();
    let client = b.client_of(&a, "serverdb");
    let e = client
        .post::<_, renew::RenewResponse>("/v1/renew", &renew::RenewRequest { csr }, SECOND)
        .await;
    assert!(
        matches!(e, Err(CallError::Status { status: 403, .. })),
        "{e:?}"
    );
}

#[tokio::test]
async fn an_unreachable_agent_is_named_in_time() {
    let a = first().await;
    let token = retarget(
        &a.token(&Enrolee::Node("backup".into()), 60 * SECOND),
        "127.0.0.1:1".parse().unwrap(),
    );
    let (dir, began) = (tempfile::tempdir().unwrap(), Instant::now());
    let e = pki::join::run(&token, "backup", dir.path(), None)
        .await
        .unwrap_err();
    assert_eq!(e.code(), "JOIN_UNREACHABLE");
    assert!(began.elapsed() < 3 * SECOND);
}

#[tokio::test]
async fn pins_of_a_probe_spread_to_the_other_node() {
    let a = first().await;
    let b = join_node(&a, "backup").await;
    let dir = tempfile::tempdir().unwrap();
    join_as(&a, Enrolee::Probe("poli".into()), dir.path())
        .await
        .unwrap();
    let identity = Identity::load(dir.path()).unwrap();
    let pins = PinStore::load(dir.path()).unwrap();
    let live = siaga_agent::transport::LiveIdentity::new(&identity).unwrap();
    let client = PeerClient::new(&live, &pins, vec![b.address], "backup".into()).unwrap();
    assert!(matches!(
        client.post::<_, ()>("/v1/probe", &(), SECOND).await,
        Err(CallError::Tls { .. })
    ));
    let theirs: Vec<pki::Pin> = b
        .client_of(&a, "serverdb")
        .get("/v1/pins", SECOND)
        .await
        .unwrap();
    assert_eq!(b.pins.merge(&theirs, "backup").unwrap().len(), 1);
    client
        .post::<_, ()>("/v1/probe", &(), SECOND)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_probes_reports_reach_every_agent_that_lives() {
    let a = first().await;
    let b = join_node(&a, "backup").await;
    let dir = tempfile::tempdir().unwrap();
    join_as(&a, Enrolee::Probe("poli".into()), dir.path())
        .await
        .unwrap();
    let theirs: Vec<pki::Pin> = b
        .client_of(&a, "serverdb")
        .get("/v1/pins", SECOND)
        .await
        .unwrap();
    b.pins.merge(&theirs, "backup").unwrap();
    // The first agent is silent: it accepts connections and says nothing.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let agents = [
        ("serverdb".into(), vec![silent.local_addr().unwrap()]),
        ("backup".into(), vec![b.address]),
    ];
    let link = siaga_agent::probe_link::PeerReporter::start(dir.path(), &agents).unwrap();
    let mut seen = b.reports.subscribe();
    link.report(report(1));
    tokio::time::timeout(SECOND, seen.wait_for(|n| *n == 1))
        .await
        .expect("at once")
        .unwrap();
    link.report(report(2));
    tokio::time::timeout(SECOND, seen.wait_for(|n| *n == 2))
        .await
        .expect("at once")
        .unwrap();
}

fn report(sequence: u64) -> siaga_model::api::ProbeReport {
    siaga_model::api::ProbeReport {
        probe: "poli".into(),
        service: "simrs".into(),
        sequence,
        interval_ms: 100,
        serving: true,
        last_success_age_ms: Some(1),
        answered_by: None,
        gaps: vec![],
        error: None,
        lost_rows: 0,
        writes_rows: true,
    }
}
