//! A unit acknowledges by itself: by the link in its mail, and by the bot's button.

use crate::site::{Site, draft};
use siaga_agent::ack_page::serve_on;
use siaga_agent::core::notices::by_unit::{look, with_its_link};
use siaga_comms::{AckLink, AckSecret, Buttons, button_data};
use siaga_model::downtime::{AckPage, Channel, ChannelKind};
use siaga_model::notice::{AckHow, Moment, NoticeEntry};
use siaga_model::{DeliveryId, NoticeId};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const SECRET: &str = "0123456789abcdef0123";

/// A site with the page, and a unit that is told by mail and by a bot at `api`.
async fn site(api: &str) -> (Site, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| -> PathBuf {
        let file = dir.path().join(name);
        std::fs::write(&file, text).unwrap();
        file
    };
    let page = AckPage {
        url: "https://simrs.rs.example/baca".into(),
        listen: "127.0.0.1:0".parse().unwrap(),
        secret_file: file("ack", SECRET),
    };
    let bot = ChannelKind::Telegram {
        api: api.to_owned(),
        token_file: file("bot", "123:abc"),
        ca_file: None,
        buttons: true,
    };
    let mail = ChannelKind::Mail {
        server: "127.0.0.1".into(),
        port: 1,
        tls: siaga_model::downtime::MailTls::None,
        from: "it@rs.example".into(),
        user: None,
        password_file: None,
        ca_file: None,
    };
    let site = Site::with(|config| {
        config.downtime.rules.ack = Some(page);
        for (name, kind) in [("bot", bot), ("mail", mail)] {
            config.downtime.channels.push(Channel {
                name: name.into(),
                kind,
                timeout: Duration::from_secs(20),
            });
        }
        let unit = &mut config.downtime.units[0];
        unit.contacts.truncate(0);
        for (channel, address) in [("bot", "-100123"), ("mail", "igd@rs.example")] {
            unit.contacts.push(siaga_model::downtime::Contact {
                name: "kepala".into(),
                channel: channel.into(),
                address: address.into(),
            });
        }
        config.downtime.units.truncate(1);
    })
    .await;
    (site, dir)
}

fn delivery(site: &Site, notice: &NoticeId, channel: &str) -> DeliveryId {
    let view = site.view(notice);
    let mut all = view.recipients[0].deliveries.iter();
    let found = all.find(|d| d.channel.as_str() == channel).unwrap();
    found.delivery.clone()
}

fn acknowledged(site: &Site) -> Vec<(AckHow, String)> {
    let of = |row| match row {
        NoticeEntry::Acknowledged { how, by, .. } => Some((how, by)),
        _ => None,
    };
    site.rows().into_iter().filter_map(of).collect()
}

async fn page(site: &Site) -> SocketAddr {
    let core = site.agent.core.clone();
    let setting = core.config.downtime.rules.ack.clone().unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve_on(core, setting, listener));
    address
}

/// Status and body of one request, as a browser makes it.
async fn http(at: SocketAddr, method: &str, path: &str, body: &str) -> (u16, String) {
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let asked = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(at).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        answer
    });
    let answer = asked.await.unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer)
}

fn path(delivery: &DeliveryId, dir: &tempfile::TempDir) -> String {
    let secret = AckSecret::read(&dir.path().join("ack")).unwrap();
    // What a proxy leaves of the address, with a part of its own before it.
    AckLink::new("/baca", &secret, delivery).0
}

#[tokio::test(flavor = "multi_thread")]
async fn the_link_shows_a_page_and_only_its_button_acknowledges() {
    let (site, dir) = site("http://127.0.0.1:1").await;
    let notice = site.done("budi", draft(Moment::Confirmed, true));
    let at = page(&site).await;
    let link = path(&delivery(&site, &notice, "mail"), &dir);
    let (status, shown) = http(at, "GET", &link, "").await;
    assert_eq!(status, 200, "{shown}");
    assert!(shown.contains("Kami sudah membaca ini") && shown.contains("[SIMRS][HENTI]"));
    // Scanners follow links.
    http(at, "HEAD", &link, "").await;
    assert_eq!(acknowledged(&site), []);
    let (status, thanks) = http(at, "POST", &link, "by=Ns.+Rina").await;
    assert!(
        status == 200 && thanks.contains("sudah dicatat"),
        "{thanks}"
    );
    let (status, again) = http(at, "POST", &link, "by=other").await;
    assert!(status == 200 && again.contains("Sudah tercatat"), "{again}");
    assert_eq!(acknowledged(&site), [(AckHow::Link, "Ns. Rina".to_owned())]);
    let read = site.view(&notice).recipients[0].acknowledged.clone();
    assert_eq!(read.unwrap().how, AckHow::Link);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_was_not_sent_opens_nothing() {
    let (site, dir) = site("http://127.0.0.1:1").await;
    let notice = site.done("budi", draft(Moment::Confirmed, true));
    let waits = site.done("budi", draft(Moment::Update, false));
    let at = page(&site).await;
    let good = path(&delivery(&site, &notice, "mail"), &dir);
    let wrong = format!(
        "{}{}",
        &good[..good.len() - 1],
        if good.ends_with('0') { '1' } else { '0' }
    );
    // Of a delivery with a right token that is none, and of a notice that nobody released yet.
    let none = path(&"n1.igd.mail.0".into(), &dir);
    let draft = path(&delivery(&site, &waits, "mail"), &dir);
    for bad in [&wrong, &none, &draft, &"/".to_owned(), &"/baca".to_owned()] {
        let (status, said) = http(at, "POST", bad, "by=x").await;
        assert_eq!(status, 404, "{bad}: {said}");
    }
    let (status, _) = http(at, "POST", &good, &"x".repeat(4000)).await;
    assert_eq!(status, 413);
    assert_eq!(http(at, "DELETE", &good, "").await.0, 405);
    assert_eq!(acknowledged(&site), []);
    // A flood is answered with few words.
    let mut busy = false;
    for _ in 0..200 {
        busy |= http(at, "GET", &wrong, "").await.0 == 429;
    }
    assert!(busy);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_carries_its_link_and_no_row_does() {
    let (site, dir) = site("http://127.0.0.1:1").await;
    let notice = site.done("budi", draft(Moment::Confirmed, true));
    let core = &site.agent.core;
    let now = siaga_runner::hands::Hands::now(core.hands.as_ref());
    let dues = siaga_agent::core::notices::with_outbox(core, |outbox| {
        outbox.deliveries(&core.config.downtime, now)
    });
    for due in dues.unwrap() {
        let text = with_its_link(core, &due).body;
        let token = path(&due.delivery, &dir);
        let link = format!("https://simrs.rs.example{token}");
        // The bot has a button in its place.
        assert_eq!(
            text.contains(&link),
            due.channel.as_str() == "mail",
            "{text}"
        );
    }
    let rows = format!("{:?}", site.rows());
    assert!(!rows.contains("simrs.rs.example"), "{rows}");
    assert_eq!(site.view(&notice).recipients.len(), 1);
}

/// The bot API: answers each call from a script, and keeps what it was asked.
fn bot_api(answers: Vec<String>) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let kept = asked.clone();
    std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut got = Vec::new();
            let mut buffer = [0u8; 4096];
            loop {
                let read = stream.read(&mut buffer).unwrap();
                got.extend_from_slice(&buffer[..read]);
                let text = String::from_utf8_lossy(&got).to_lowercase();
                let Some((head, body)) = text.split_once("\r\n\r\n") else {
                    continue;
                };
                let length = head
                    .lines()
                    .find_map(|l| l.strip_prefix("content-length: "));
                if read == 0 || body.len() >= length.unwrap_or("0").trim().parse().unwrap() {
                    break;
                }
            }
            kept.lock()
                .unwrap()
                .push(String::from_utf8_lossy(&got).into_owned());
            let said = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{answer}",
                answer.len()
            );
            stream.write_all(said.as_bytes()).unwrap();
        }
    });
    (url, asked)
}

fn pressed(id: i64, data: &str, chat: i64) -> serde_json::Value {
    serde_json::json!({
        "update_id": id,
        "callback_query": {
            "id": format!("q{id}"), "data": data,
            "from": { "id": 7, "first_name": "Rina", "last_name": "S." },
            "message": { "message_id": 1, "chat": { "id": chat } },
        },
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bots_button_acknowledges_from_the_chat_that_was_told() {
    let ok =
        |result: serde_json::Value| serde_json::json!({ "ok": true, "result": result }).to_string();
    // The text is sent; then two looks, with an answer to each button.
    let script = Arc::new(Mutex::new(Vec::new()));
    let (site, _dir) = site("http://127.0.0.1:1").await;
    let notice = site.done("budi", draft(Moment::Confirmed, true));
    let data = button_data(&delivery(&site, &notice, "bot"));
    assert!(data.len() <= 64, "{data}");
    script.lock().unwrap().extend([
        ok(serde_json::json!([
            pressed(41, &data, -999),
            pressed(42, &data, -100123)
        ])),
        ok(true.into()),
        ok(true.into()),
        ok(serde_json::json!([pressed(43, &data, -100123)])),
        ok(true.into()),
    ]);
    let (api, asked) = bot_api(script.lock().unwrap().clone());
    let mut setting = site
        .agent
        .core
        .config
        .downtime
        .channel(&"bot".into())
        .unwrap()
        .clone();
    if let ChannelKind::Telegram { api: at, .. } = &mut setting.kind {
        *at = api;
    }
    let core = site.agent.core.clone();
    let looks = tokio::task::spawn_blocking(move || {
        let mut buttons = Buttons::of(&setting).unwrap();
        for _ in 0..2 {
            look(&core, &mut buttons, Duration::from_secs(1)).unwrap();
        }
    });
    looks.await.unwrap();
    // Another chat's word is not the unit's, and a second press changes nothing.
    assert_eq!(
        acknowledged(&site),
        [(AckHow::Button, "Rina S.".to_owned())]
    );
    let asked = asked.lock().unwrap();
    assert!(asked[0].contains("getUpdates") && asked[0].contains("callback_query"));
    assert!(
        asked[1].contains("q41") && asked[1].contains("tidak menunjuk"),
        "{}",
        asked[1]
    );
    assert!(asked[2].contains("q42") && asked[2].contains("sudah dicatat"));
    // What was handed out is done with.
    assert!(asked[3].contains("\"offset\":43"), "{}", asked[3]);
    assert!(asked[4].contains("Sudah tercatat"));
}
