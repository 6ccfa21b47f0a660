//! A real mail server in each node, and the mails that it was given.

use crate::Lab;
use serde_json::Value;

/// Where a node's server keeps them: in the node's own `/tmp`, which is gone with its power.
const BOX: &str = "/tmp/mail";

/// One mail as it arrived.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Mail {
    pub to: String,
    /// The same where a text comes twice.
    pub id: String,
    pub subject: String,
    pub body: String,
}

/// Units in both languages, a mail server on each node's own loopback, and who is on call.
const SITE: &str = r#"
[[channel]]
name = "mail"
kind = "mail"
server = "127.0.0.1"
port = 2525
tls = "none"
from = "it@rs.example"

[[unit]]
name = "igd"
title = "Instalasi Gawat Darurat"
[[unit.contact]]
name = "kepala ruang"
channel = "mail"
address = "igd@rs.example"

[[unit]]
name = "kasir"
title = "Kasir"
language = "en"
[[unit.contact]]
name = "head"
channel = "mail"
address = "kasir@rs.example"

[[on_call]]
person = "budi"
channel = "mail"
address = "budi@rs.example"

[downtime]
alert_after = "2s"
contact = "ext. 123"
"#;

/// A lab of that site in that language, with a mail server in each node.
pub fn lab(language: &str) -> Lab {
    let name = format!("siaga-e2e-site-{}-{language}", std::process::id());
    let site = std::env::temp_dir().join(name);
    std::fs::write(&site, SITE).expect("a file for the lab");
    let path = site.to_string_lossy();
    let lab = Lab::up(&["--language", language, "--append", &path]);
    let _ = std::fs::remove_file(&site);
    for node in ["serverdb", "backup"] {
        start(&lab, node);
    }
    lab
}

/// A real SMTP server inside the node; it ends with the node.
pub fn start(lab: &Lab, node: &str) {
    let server = format!(
        "mkdir -p {BOX}; setsid /usr/bin/python3 -m aiosmtpd -n -l 127.0.0.1:2525 \
         -c aiosmtpd.handlers.Mailbox {BOX}/box >/dev/null 2>&1 </dev/null &"
    );
    lab.exec(node, &["sh", "-c", &server]).expect(0);
}

/// Every mail that the node's server was given since its power came on.
pub fn mails(lab: &Lab, node: &str) -> Vec<Mail> {
    let script = format!(
        "import json,mailbox,os,email.header as h
def t(s): return str(h.make_header(h.decode_header(s or '')))
box='{BOX}/box'
m=mailbox.Maildir(box) if os.path.isdir(box) else []
print(json.dumps([dict(to=t(x['To']),id=t(x['Message-ID']),subject=t(x['Subject']),
 body=(x.get_payload(decode=True) or b'').decode('utf-8','replace')) for x in m]))"
    );
    let told = lab.exec(node, &["/usr/bin/python3", "-c", &script]);
    let told = told.expect(0).json();
    let text = |mail: &Value, key: &str| mail[key].as_str().unwrap_or_default().to_owned();
    let mail = |mail: &Value| Mail {
        to: text(mail, "to"),
        id: text(mail, "id"),
        subject: text(mail, "subject"),
        body: text(mail, "body"),
    };
    told.as_array().into_iter().flatten().map(mail).collect()
}
