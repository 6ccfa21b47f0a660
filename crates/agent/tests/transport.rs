//! The server's and the client's bounds, and whom they refuse.
#![allow(clippy::unwrap_used)]

mod common;

use common::{SECOND, first, join_node, serve, site};
use rustls::pki_types::ServerName;
use siaga_agent::pki::{Identity, PinStore};
use siaga_agent::transport::{CallError, Caller, Limits, LiveIdentity, PeerClient, tls};
use siaga_model::NodeName;
use siaga_model::api::AttestRequest;
use siaga_model::proof::AttestKind;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};

/// One `GET` on a unix socket: the JSON of the answer's body.
async fn asked(socket: &Path, path: &str) -> std::io::Result<serde_json::Value> {
    let mut stream = UnixStream::connect(socket).await?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: siaga\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    Ok(serde_json::from_str(body).unwrap())
}

async fn anonymous(address: SocketAddr) -> tokio_rustls::client::TlsStream<TcpStream> {
    // The join client's verifier would refuse other sites; here the CA is not the point.
    let config = rustls::ClientConfig::builder_with_provider(tls::provider().clone())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anyone))
        .with_no_client_auth();
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("siaga.example").unwrap();
    tokio_rustls::TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .unwrap()
}

#[derive(Debug)]
struct Anyone;
impl rustls::client::danger::ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &[rustls::pki_types::CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: rustls::pki_types::UnixTime,
    ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
        Ok(rustls::client::danger::ServerCertVerified::assertion())
    }
    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("no".into()))
    }
    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &rustls::pki_types::CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }
    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        tls::provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}

async fn raw(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = anonymous(address).await;
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(8 * SECOND, stream.read_to_end(&mut answer))
        .await
        .unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn without_an_identity_only_a_join_is_heard() {
    let a = first().await;
    for request in [
        "GET /v1/who",
        "POST /v1/slow",
        "GET /v1/join",
        "POST /v1/join/",
        "POST //v1/join",
        "GET /v1/pins",
    ] {
        let answer = raw(
            a.address,
            format!("{request} HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n").as_bytes(),
        )
        .await;
        assert!(
            answer.starts_with("HTTP/1.1 401") && answer.contains("IDENTITY_REQUIRED"),
            "{request}: {answer}"
        );
    }
    assert_eq!(a.handled.load(Ordering::SeqCst), 0);
    let body = "{\"secret\":";
    let request = format!(
        "POST /v1/join HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = raw(a.address, request.as_bytes()).await;
    assert!(
        answer.starts_with("HTTP/1.1 400") && answer.contains("MALFORMED_BODY"),
        "{answer}"
    );
    let large = raw(
        a.address,
        b"POST /v1/join HTTP/1.1\r\nhost: x\r\ncontent-length: 900000\r\n\r\n",
    )
    .await;
    assert!(large.starts_with("HTTP/1.1 413"), "{large}");
}

#[tokio::test]
async fn nonsense_is_answered_or_dropped_and_the_server_lives() {
    let a = first().await;
    let b = join_node(&a, "backup").await;
    let many = (0..200).map(|i| format!("x{i}: y\r\n")).collect::<String>();
    let long = "x".repeat(200_000);
    for request in [
        "\0\u{1}\u{2}garbage\r\n\r\n".to_owned(),
        "GET / HTTP/9.9\r\n\r\n".to_owned(),
        "POST /v1/join HTTP/1.1\r\ncontent-length: -1\r\n\r\n".to_owned(),
        "POST /v1/join HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n".to_owned(),
        format!("GET / HTTP/1.1\r\n{many}\r\n"),
        format!("GET /{long} HTTP/1.1\r\n\r\n"),
    ] {
        let answer = raw(a.address, request.as_bytes()).await;
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 4"),
            "{}: {answer}",
            &request[..30.min(request.len())]
        );
    }
    let mut plain = TcpStream::connect(a.address).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    b.client_of(&a, "serverdb")
        .get::<String>("/v1/who", SECOND)
        .await
        .unwrap();
}

#[tokio::test]
async fn bodies_too_large_or_malformed_are_refused_as_api_errors() {
    let a = first().await;
    let b = join_node(&a, "backup").await;
    let client = b.client_of(&a, "serverdb");
    let code = async |path: &str, body: &serde_json::Value| match client
        .post::<_, serde_json::Value>(path, body, 2 * SECOND)
        .await
    {
        Err(CallError::Status { status, error }) => (status, error.code),
        other => panic!("{other:?}"),
    };
    let large = serde_json::Value::String("x".repeat(1 << 20));
    assert_eq!(
        code("/v1/ours", &large).await,
        (413, "TOO_LARGE".to_owned())
    );
    assert_eq!(
        code("/v1/ours", &serde_json::json!({"node": 7})).await,
        (400, "MALFORMED_BODY".to_owned())
    );
    assert_eq!(
        code("/v1/plain", &serde_json::json!({"node": 7})).await,
        (400, "MALFORMED".to_owned())
    );
    assert_eq!(
        code("/v1/none", &serde_json::json!({})).await,
        (404, "NOT_FOUND".to_owned())
    );
    assert_eq!(
        code("/v1/who", &serde_json::json!({})).await,
        (405, "METHOD_NOT_ALLOWED".to_owned())
    );
    let good = AttestRequest {
        node: NodeName::from("serverdb"),
        how: AttestKind::Unplugged,
    };
    let echoed: AttestRequest = client.post("/v1/plain", &good, SECOND).await.unwrap();
    assert_eq!(echoed, good);
}

#[tokio::test]
async fn slow_callers_are_cut_off_and_idle_peers_are_not() {
    let limits = Limits {
        header_read: SECOND / 5,
        handshake: SECOND / 5,
        body_read: SECOND / 5,
        ..Limits::default()
    };
    let a = serve(site(), limits).await;
    let b = join_node(&a, "backup").await;
    let (through, connections) = counting_proxy(a.address).await;
    let client = PeerClient::new(&b.live, &b.pins, vec![through], "serverdb".into()).unwrap();
    client.get::<String>("/v1/who", SECOND).await.unwrap();
    let ended = async |mut stream: Box<dyn Both>, first: &'static [u8]| {
        let began = Instant::now();
        stream.write_all(first).await.unwrap();
        let mut rest = Vec::new();
        let _ = tokio::time::timeout(3 * SECOND, stream.read_to_end(&mut rest))
            .await
            .expect("cut off");
        assert!(began.elapsed() < 2 * SECOND);
        String::from_utf8_lossy(&rest).into_owned()
    };
    ended(Box::new(TcpStream::connect(a.address).await.unwrap()), b"").await; // no handshake
    ended(Box::new(anonymous(a.address).await), b"GET /v1/who HTT").await; // half a header
    ended(
        Box::new(UnixStream::connect(a.socket()).await.unwrap()),
        b"GET /v1/wh",
    )
    .await;
    let slow = b"POST /v1/ours HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nx";
    let said = ended(
        Box::new(UnixStream::connect(a.socket()).await.unwrap()),
        slow,
    )
    .await;
    assert!(said.contains("408") && said.contains("SLOW_BODY"), "{said}");
    // The peer's connection was idle all that time, and is still the same one.
    client.get::<String>("/v1/who", SECOND).await.unwrap();
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

/// Passes connections on and counts them.
async fn counting_proxy(to: SocketAddr) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                let mut far = TcpStream::connect(to).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
            });
        }
    });
    (address, count)
}

trait Both: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin {}
impl<T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin> Both for T {}

#[tokio::test]
async fn a_flood_of_strangers_does_not_keep_a_peer_out() {
    let a = first().await;
    let b = join_node(&a, "backup").await;
    let mut flood = Vec::new();
    for _ in 0..100 {
        flood.push(TcpStream::connect(a.address).await.unwrap());
    }
    let client = b.client_of(&a, "serverdb");
    client.get::<String>("/v1/who", SECOND).await.unwrap();
    // The oldest ones were closed to make room.
    let mut byte = [0];
    let end = tokio::time::timeout(2 * SECOND, flood[0].read(&mut byte))
        .await
        .expect("closed");
    assert!(matches!(end, Ok(0) | Err(_)), "{end:?}");
}

#[tokio::test]
async fn the_unix_socket_names_the_caller_and_replaces_only_what_is_dead() {
    let a = first().await;
    let mode = std::fs::metadata(a.socket()).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o660);
    let said = asked(&a.socket(), "/v1/who").await.unwrap();
    let said = said.as_str().unwrap();
    let uid = rustix::process::getuid().as_raw();
    assert!(
        said.contains(&format!("pid: {}", std::process::id())),
        "{said}"
    );
    assert!(said.contains(&format!("uid: {uid}")), "{said}");
    let options = |path| siaga_agent::transport::ServerOptions {
        unix: Some(siaga_agent::transport::UnixOptions {
            path,
            group: "siaga".into(),
        }),
        tcp: vec![],
        tls: None,
        limits: Limits::default(),
    };
    let second = siaga_agent::transport::Server::start(options(a.socket()), axum::Router::new());
    assert_eq!(second.err().unwrap().code(), "AGENT_ALREADY_RUNNING");
    asked(&a.socket(), "/v1/who").await.unwrap();
    // A socket that nobody serves any more is replaced.
    let dead = a.dir.path().join("dead.sock");
    drop(std::os::unix::net::UnixListener::bind(&dead).unwrap());
    siaga_agent::transport::Server::start(options(dead), axum::Router::new()).unwrap();
    let socket = a.socket();
    a.server.shutdown().await;
    assert!(!socket.exists());
}

#[test]
fn the_local_caller_is_a_type_of_its_own() {
    let caller = Caller::Local {
        groups: Vec::new(),
        pid: 1,
        uid: 2,
        gid: 3,
        login_uid: None,
        user_name: None,
    };
    assert_ne!(caller, Caller::Anonymous);
}

#[tokio::test]
async fn an_address_that_comes_later_does_not_hold_up_the_socket() {
    let a = first().await;
    let taken = a.address; // in use: can't be bound
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s.sock");
    let options = siaga_agent::transport::ServerOptions {
        unix: Some(siaga_agent::transport::UnixOptions {
            path: path.clone(),
            group: "siaga".into(),
        }),
        tcp: vec![taken, "192.0.2.77:0".parse().unwrap()],
        tls: Some(siaga_agent::transport::ServerTls {
            config: tls::server(&a.live, &a.pins).unwrap(),
            pins: a.pins.clone(),
        }),
        limits: Limits::default(),
    };
    let router = axum::Router::new().route("/v1/x", axum::routing::get(|| async { axum::Json(1) }));
    let server = siaga_agent::transport::Server::start(options, router).unwrap();
    assert_eq!(asked(&path, "/v1/x").await.unwrap(), 1);
    // No interface has 192.0.2.77, and yet it is bound, ready for when one gets it.
    assert_eq!(server.wait_bound(1).await[0].ip().to_string(), "192.0.2.77");
    a.server.shutdown().await;
    let both = tokio::time::timeout(5 * SECOND, server.wait_bound(2))
        .await
        .expect("bound when it became free");
    assert!(both.contains(&taken));
}

#[tokio::test]
async fn a_warm_call_is_fast_and_a_restart_is_survived() {
    let a = first().await;
    let b = join_node(&a, "backup").await;
    let client = b.client_of(&a, "serverdb");
    let mut took = Vec::new();
    for _ in 0..200 {
        let began = Instant::now();
        client.get::<String>("/v1/who", SECOND).await.unwrap();
        took.push(began.elapsed());
    }
    took.sort();
    println!("warm call: median {:?}", took[100]);
    assert!(
        took[100] < Duration::from_millis(5),
        "debug build, busy machine: {:?}",
        took[100]
    );
    let (address, dir) = (a.address, a.dir);
    a.server.shutdown().await;
    let e = client
        .post::<_, ()>("/v1/slow", &(), SECOND)
        .await
        .unwrap_err();
    assert!(matches!(e, CallError::Refused { .. }), "{e:?}");
    let state = dir.path().join("state");
    let pins = PinStore::load(&state).unwrap();
    let live = LiveIdentity::new(&Identity::load(&state).unwrap()).unwrap();
    let options = siaga_agent::transport::ServerOptions {
        unix: None,
        tcp: vec![address],
        tls: Some(siaga_agent::transport::ServerTls {
            config: tls::server(&live, &pins).unwrap(),
            pins,
        }),
        limits: Limits::default(),
    };
    let router = axum::Router::new().route("/v1/x", axum::routing::get(|| async { axum::Json(1) }));
    let again = siaga_agent::transport::Server::start(options, router).unwrap();
    again.wait_bound(1).await;
    assert_eq!(client.get::<i32>("/v1/x", SECOND).await, Ok(1));
}

#[tokio::test]
async fn what_may_have_been_sent_is_sent_once_and_called_unknown() {
    let a = first().await;
    let b = join_node(&a, "backup").await;
    // Two paths to the same agent: a POST that gets no answer is not tried on the second.
    let client = PeerClient::new(
        &b.live,
        &b.pins,
        vec![a.address, a.address],
        "serverdb".into(),
    )
    .unwrap();
    let e = client
        .post::<_, ()>("/v1/slow", &(), Duration::from_millis(100))
        .await
        .unwrap_err();
    assert!(
        matches!(e, CallError::Timeout { sent: true, .. }) && e.outcome_unknown(),
        "{e:?}"
    );
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(a.handled.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_dead_path_does_not_hide_a_living_one() {
    let a = first().await;
    let b = join_node(&a, "backup").await;
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let dead: SocketAddr = "127.0.0.1:1".parse().unwrap();
    let paths = vec![silent.local_addr().unwrap(), dead, a.address];
    let client = PeerClient::new(&b.live, &b.pins, paths.clone(), "serverdb".into()).unwrap();
    let began = Instant::now();
    client.get::<String>("/v1/who", 2 * SECOND).await.unwrap();
    assert!(began.elapsed() < SECOND, "the first answer wins");
    client
        .post::<_, ()>("/v1/slow", &(), 2 * SECOND)
        .await
        .unwrap();
    let answers = client.ask_all_paths::<String>("/v1/who", SECOND / 2).await;
    let ok: Vec<bool> = answers.iter().map(|a| a.answer.is_ok()).collect();
    assert_eq!(ok, [false, false, true]);
    assert_eq!(answers.iter().map(|a| a.path).collect::<Vec<_>>(), paths);
    assert!(matches!(answers[1].answer, Err(CallError::Refused { .. })));
    assert!(matches!(
        answers[0].answer,
        Err(CallError::Timeout { sent: false, .. })
    ));
}
