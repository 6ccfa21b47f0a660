//! Whom the keys let in: pinned ones, whatever their certificates' dates say, and nobody else.
#![allow(clippy::unwrap_used)]

mod common;

use common::{SECOND, first, join_node};
use siaga_agent::pki::{self, Identity, Role, Spki, ca};
use siaga_agent::transport::{CallError, LiveIdentity, PeerClient};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test]
async fn a_foreign_certificate_is_refused_both_ways() {
    let (a, foreign) = (first().await, first().await);
    // The foreign node knows us, we do not know it: it gets in nowhere.
    foreign.pins.merge(&a.pins.all(), "nobody").unwrap();
    let known = pki::Pin {
        generation: 9,
        ..a.pins.all()[0].clone()
    };
    foreign.pins.merge(&[known], "nobody").unwrap();
    let client = PeerClient::new(
        &foreign.live,
        &foreign.pins,
        vec![a.address],
        "serverdb".into(),
    )
    .unwrap();
    let e = client.get::<String>("/v1/who", SECOND).await.unwrap_err();
    assert!(matches!(e, CallError::Tls { .. }), "{e:?}");
    assert!(!e.outcome_unknown());
    // And we do not call it, though it has the right name.
    let client =
        PeerClient::new(&a.live, &a.pins, vec![foreign.address], "serverdb".into()).unwrap();
    let e = client.get::<String>("/v1/who", SECOND).await.unwrap_err();
    assert!(matches!(e, CallError::Tls { .. }), "{e:?}");
}

#[tokio::test]
async fn the_same_ca_and_name_with_another_key_is_refused() {
    let a = first().await;
    let b = join_node(&a, "backup").await;
    let site_ca = ca::Ca::load(&a.state()).unwrap().unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let cert = site_ca
        .issue("backup", Role::Node, &key, ca::Validity::leaf(pki::now()))
        .unwrap();
    let own = Identity::load(&b.state()).unwrap();
    let spki = Spki::of_cert(&cert).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let impostor = LiveIdentity::new(&Identity {
        cert,
        key,
        spki,
        ..own
    })
    .unwrap();
    let client = PeerClient::new(&impostor, &b.pins, vec![a.address], "serverdb".into()).unwrap();
    let e = client.get::<String>("/v1/who", SECOND).await.unwrap_err();
    assert!(matches!(e, CallError::Tls { .. }), "{e:?}");
}

#[tokio::test]
async fn the_pinned_name_must_be_the_expected_one() {
    let a = first().await;
    let b = join_node(&a, "backup").await;
    let e = b
        .client_of(&a, "backup")
        .get::<String>("/v1/who", SECOND)
        .await
        .unwrap_err();
    assert!(
        matches!(&e, CallError::Tls { why } if why.contains("it is serverdb, not backup")),
        "{e:?}"
    );
}

#[tokio::test]
async fn an_expired_certificate_works_and_is_reported() {
    let a = first().await;
    let site_ca = ca::Ca::load(&a.state()).unwrap().unwrap();
    let own = Identity::load(&a.state()).unwrap();
    let key = rcgen::KeyPair::try_from(&own.key).unwrap();
    let now = pki::now().0 / 1_000_000;
    let long_ago = ca::Validity {
        not_before: now - 400 * 86_400,
        not_after: now - 35 * 86_400,
    };
    let cert = site_ca
        .issue("serverdb", Role::Node, &key, long_ago)
        .unwrap();
    std::fs::write(
        a.state().join("keys/node.pem"),
        pki::identity::pem("CERTIFICATE", &cert),
    )
    .unwrap();
    a.live.reload(&a.state()).unwrap();
    let b = join_node(&a, "backup").await; // joining works too
    let client = b.client_of(&a, "serverdb");
    client.get::<String>("/v1/who", SECOND).await.unwrap();
    let seen = client.identity().unwrap();
    assert!(
        seen.cert_expired && seen.days_left <= -35 && !seen.not_yet_valid,
        "{seen:?}"
    );
    let said: String = a
        .client_of(&b, "backup")
        .get("/v1/who", SECOND)
        .await
        .unwrap();
    assert!(
        said.contains("cert_expired: true"),
        "the server's side sees it too: {said}"
    );
}

#[tokio::test]
async fn a_certificate_from_the_future_works_and_is_reported() {
    let a = first().await;
    let site_ca = ca::Ca::load(&a.state()).unwrap().unwrap();
    let key = rcgen::KeyPair::try_from(&Identity::load(&a.state()).unwrap().key).unwrap();
    let now = pki::now().0 / 1_000_000;
    let future = ca::Validity {
        not_before: now + 400 * 86_400,
        not_after: now + 800 * 86_400,
    };
    let cert = site_ca.issue("serverdb", Role::Node, &key, future).unwrap();
    std::fs::write(
        a.state().join("keys/node.pem"),
        pki::identity::pem("CERTIFICATE", &cert),
    )
    .unwrap();
    a.live.reload(&a.state()).unwrap();
    let b = join_node(&a, "backup").await;
    let client = b.client_of(&a, "serverdb");
    client.get::<String>("/v1/who", SECOND).await.unwrap();
    assert!(client.identity().unwrap().not_yet_valid);
}

/// A TLS 1.2 ClientHello, as OpenSSL sends it: no `supported_versions`.
#[tokio::test]
async fn tls_1_2_is_refused() {
    let a = first().await;
    let mut body = vec![3, 3];
    body.extend([7; 32]);
    body.extend([0]); // no session
    body.extend([0, 2, 0xc0, 0x2b]); // ECDHE-ECDSA-AES128-GCM
    body.extend([1, 0]); // no compression
    let extensions: &[u8] = &[
        0, 10, 0, 4, 0, 2, 0, 23, 0, 11, 0, 2, 1, 0, 0, 13, 0, 6, 0, 4, 4, 3, 8, 4, 0, 23, 0, 0,
    ];
    body.extend([0, u8::try_from(extensions.len()).unwrap()]);
    body.extend(extensions);
    let mut hello = vec![1, 0, 0, u8::try_from(body.len()).unwrap()];
    hello.extend(body);
    let mut record = vec![22, 3, 1, 0, u8::try_from(hello.len()).unwrap()];
    record.extend(hello);
    let mut stream = TcpStream::connect(a.address).await.unwrap();
    stream.write_all(&record).await.unwrap();
    let mut answer = Vec::new();
    tokio::time::timeout(2 * SECOND, stream.read_to_end(&mut answer))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        answer.get(..7),
        Some(&[21, 3, 3, 0, 2, 2, 70][..]),
        "alert protocol_version: {answer:?}"
    );
}

#[tokio::test]
async fn a_replaced_machine_is_refused_and_told_why() {
    let a = first().await;
    let b = join_node(&a, "backup").await;
    let (to_a, to_b) = (b.client_of(&a, "serverdb"), a.client_of(&b, "backup"));
    let ask = async |client: &PeerClient| client.get::<String>("/v1/who", SECOND).await;
    ask(&to_a).await.unwrap();
    ask(&to_b).await.unwrap();
    a.pins.retire("backup").unwrap();
    // Open connections count for nothing, either way.
    let e = ask(&to_a).await.unwrap_err();
    assert!(matches!(e, CallError::Status { status: 401, .. }), "{e:?}");
    let e = ask(&to_b).await.unwrap_err();
    assert!(matches!(e, CallError::Tls { .. }), "{e:?}");
    // A new one is refused, and no more is said by a server that runs nothing itself: it may be the one that was away.
    let e = ask(&b.client_of(&a, "serverdb")).await.unwrap_err();
    assert!(matches!(e, CallError::Tls { .. }), "{e:?}");
    // By one that runs the services the machine learns that it was replaced: by a server that proved its own key.
    a.pins.set_vouches(true);
    let e = ask(&b.client_of(&a, "serverdb")).await.unwrap_err();
    assert_eq!(e, CallError::Replaced);
    assert!(!e.outcome_unknown());
    // A stranger's key is refused as before: nobody is told what he is not.
    let other = first().await;
    let stranger =
        PeerClient::new(&other.live, &b.pins, vec![a.address], "serverdb".into()).unwrap();
    let e = ask(&stranger).await.unwrap_err();
    assert!(matches!(e, CallError::Tls { .. }), "{e:?}");
}

#[tokio::test]
async fn the_new_machine_joins_under_the_old_name_with_a_key_of_its_own() {
    let a = first().await;
    let old = join_node(&a, "backup").await;
    a.pins.retire("backup").unwrap();
    a.pins.set_vouches(true);
    let new = join_node(&a, "backup").await;
    let who = new.client_of(&a, "serverdb");
    who.get::<String>("/v1/who", SECOND).await.unwrap();
    let old = old.client_of(&a, "serverdb");
    let e = old.get::<String>("/v1/who", SECOND).await.unwrap_err();
    assert_eq!(e, CallError::Replaced);
}
