//! Webhooks and the bot API, and what a service can do to a sender.

use crate::stand_in::{Act, Asked, StandIn};
use crate::{certificates, channel, outgoing};
use siaga_comms::{Retry, SendError};
use siaga_model::downtime::ChannelKind;
use std::path::PathBuf;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(10);

fn secret(dir: &tempfile::TempDir, text: &str) -> PathBuf {
    let file = dir.path().join("secret");
    std::fs::write(&file, format!("{text}\n")).unwrap();
    file
}

fn webhook(act: Act) -> (Result<String, SendError>, Vec<Asked>) {
    let dir = tempfile::tempdir().unwrap();
    let server = StandIn::start(vec![act], None);
    let kind = ChannelKind::Webhook {
        url: format!("{}/hook?x=1", server.url()),
        secret_file: secret(&dir, "kunci"),
        ca_file: None,
    };
    let sent = channel(kind, TIMEOUT).send(&outgoing(""));
    (sent.map(|r| r.0), server.asked())
}

fn telegram(act: Act, timeout: Duration) -> (Result<String, SendError>, Vec<Asked>) {
    let dir = tempfile::tempdir().unwrap();
    let server = StandIn::start(vec![act], None);
    let kind = ChannelKind::Telegram {
        api: server.url(),
        token_file: secret(&dir, "123:SANGAT_RAHASIA"),
        ca_file: None,
        buttons: false,
    };
    let sent = channel(kind, timeout).send(&outgoing("-1001234567890"));
    if let Err(error) = &sent {
        assert!(!error.why.contains("RAHASIA"), "{error}");
    }
    (sent.map(|r| r.0), server.asked())
}

#[test]
fn a_webhook_is_signed_and_names_its_delivery() {
    let (sent, asked) = webhook(Act::Answer(202, "", "diterima"));
    assert_eq!(sent.unwrap(), "202 diterima");
    let head = &asked[0].head;
    assert!(head.starts_with("POST /hook?x=1 HTTP/1.1\r\n"), "{head}");
    let header = |name: &str| {
        let line = head.lines().find(|l| l.starts_with(name)).unwrap();
        line[name.len()..].trim().to_owned()
    };
    assert_eq!(header("idempotency-key:"), "n1.igd.0");
    let body: serde_json::Value = serde_json::from_str(&asked[0].body).unwrap();
    assert_eq!(body["delivery"], "n1.igd.0");
    assert_eq!(body["kind"], "confirmed");
    assert_eq!(body["drill"], false);
    assert!(body["text"].as_str().unwrap().contains("14.20–14.45"));
    // Anybody with the secret can check it, here with openssl.
    let signed = format!("{}.{}", header("x-timestamp:"), asked[0].body);
    let mut openssl = std::process::Command::new("openssl")
        .args(["dgst", "-sha256", "-hmac", "kunci"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut openssl.stdin.take().unwrap(), signed.as_bytes()).unwrap();
    let said = String::from_utf8(openssl.wait_with_output().unwrap().stdout).unwrap();
    let hex = said.trim().rsplit(' ').next().unwrap();
    assert_eq!(header("x-signature:"), format!("sha256={hex}"));
}

#[test]
fn a_webhooks_answers_are_understood() {
    let retry = |act: Act| webhook(act).0.unwrap_err().retry;
    for status in [400, 401, 404, 410, 301, 302] {
        assert_eq!(retry(Act::Answer(status, "", "")), Retry::Never, "{status}");
    }
    for status in [408, 429, 500, 502, 503] {
        assert_eq!(
            retry(Act::Answer(status, "", "")),
            Retry::Backoff,
            "{status}"
        );
    }
    let wait = Act::Answer(429, "retry-after: 7\r\n", "");
    assert_eq!(retry(wait), Retry::After(Duration::from_secs(7)));
    // A service can't put a delivery off for days.
    let wait = Act::Answer(503, "retry-after: 864000\r\n", "");
    assert_eq!(retry(wait), Retry::After(Duration::from_secs(3600)));
    assert_eq!(retry(Act::Half), Retry::Backoff);
    assert_eq!(retry(Act::Drop), Retry::Backoff);
}

#[test]
fn a_redirection_is_not_followed() {
    let (sent, asked) = webhook(Act::Answer(307, "location: http://127.0.0.1:1/\r\n", ""));
    assert!(sent.is_err() && asked.len() == 1);
}

#[test]
fn a_webhook_with_tls_is_sent_only_to_who_can_prove_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let files = certificates(dir.path());
    let send = |ca_file: Option<PathBuf>| {
        let script = vec![Act::Answer(200, "", "")];
        let server = StandIn::start(script, Some((&files.server, &files.key)));
        let kind = ChannelKind::Webhook {
            url: format!("https://localhost:{}/", server.port),
            secret_file: secret(&dir, "kunci"),
            ca_file,
        };
        (channel(kind, TIMEOUT).send(&outgoing("")), server.asked())
    };
    let (sent, asked) = send(Some(files.authority.clone()));
    assert!(sent.is_ok() && asked.len() == 1, "{sent:?}");
    let (sent, asked) = send(None);
    assert!(sent.unwrap_err().why.contains("certificate"));
    assert!(asked.is_empty());
}

#[test]
fn a_webhook_without_its_secret_sends_nothing() {
    let server = StandIn::start(vec![Act::Answer(200, "", "")], None);
    let kind = ChannelKind::Webhook {
        url: server.url(),
        secret_file: "/nowhere/secret".into(),
        ca_file: None,
    };
    let error = channel(kind, TIMEOUT).send(&outgoing("")).unwrap_err();
    assert!(error.why.contains("/nowhere/secret") && error.retry == Retry::Backoff);
    assert!(server.asked().is_empty());
}

#[test]
fn a_telegram_message_is_sent_as_the_bot_api_has_it() {
    let answer = "{\"ok\":true,\"result\":{\"message_id\":42,\"chat\":{\"id\":-1001234567890}}}";
    let (sent, asked) = telegram(Act::Answer(200, "", answer), TIMEOUT);
    assert_eq!(sent.unwrap(), "42");
    let first = asked[0].head.lines().next().unwrap();
    assert_eq!(first, "POST /bot123:SANGAT_RAHASIA/sendMessage HTTP/1.1");
    let body: serde_json::Value = serde_json::from_str(&asked[0].body).unwrap();
    assert_eq!(body["chat_id"], serde_json::json!(-1_001_234_567_890_i64));
    let text = body["text"].as_str().unwrap();
    assert!(
        text.starts_with("[SIMRS][HENTI]") && text.ends_with("Terima kasih."),
        "{text}"
    );
}

#[test]
fn the_bot_apis_answers_are_understood() {
    let retry = |act: Act| telegram(act, TIMEOUT).0.unwrap_err().retry;
    let wait = "{\"ok\":false,\"error_code\":429,\"description\":\"Too Many Requests: retry after 35\",\
        \"parameters\":{\"retry_after\":35}}";
    assert_eq!(
        retry(Act::Answer(429, "", wait)),
        Retry::After(Duration::from_secs(35))
    );
    let gone = "{\"ok\":false,\"error_code\":400,\"description\":\"Bad Request: chat not found\"}";
    let (sent, _) = telegram(Act::Answer(400, "", gone), TIMEOUT);
    let error = sent.unwrap_err();
    assert!(error.why.contains("chat not found") && error.retry == Retry::Never);
    assert_eq!(retry(Act::Answer(500, "", "")), Retry::Backoff);
    assert_eq!(retry(Act::Half), Retry::Backoff);
    assert_eq!(retry(Act::Drop), Retry::Backoff);
    // A captive portal says 200 to everything.
    let portal = Act::Answer(200, "", "<html>Login</html>");
    assert_eq!(retry(portal), Retry::Backoff);
}

#[test]
fn a_service_that_says_nothing_is_not_waited_for() {
    let (sent, asked) = telegram(Act::Silence, Duration::from_millis(300));
    let error = sent.unwrap_err();
    assert!(error.why.contains("no answer") && error.retry == Retry::Backoff);
    assert_eq!(asked.len(), 1);
}

#[test]
fn a_service_that_is_not_there_is_tried_again() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let dir = tempfile::tempdir().unwrap();
    let kind = ChannelKind::Webhook {
        url: format!("http://127.0.0.1:{port}/"),
        secret_file: secret(&dir, "kunci"),
        ca_file: None,
    };
    let error = channel(kind, TIMEOUT).send(&outgoing("")).unwrap_err();
    assert_eq!(error.retry, Retry::Backoff);
}
