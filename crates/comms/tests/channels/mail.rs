//! A real SMTP server.

use crate::{Certificates, certificates, channel, outgoing};
use siaga_comms::{Retry, SendError};
use siaga_model::downtime::{ChannelKind, MailTls};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

struct Server {
    child: Child,
    port: u16,
    dir: tempfile::TempDir,
    certificates: Certificates,
}

impl Drop for Server {
    fn drop(&mut self) {
        // Its standard input is closed, and it ends.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

impl Server {
    fn start(mode: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let certificates = certificates(dir.path());
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/channels/smtpd.py");
        let mut child = Command::new("/usr/bin/python3")
            .arg(script)
            .arg(dir.path().join("mailbox"))
            .args([&certificates.server, &certificates.key])
            .arg(mode)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 (scripts/setup.sh installs what the tests need)");
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        let port = line.trim().parse().expect("python3-aiosmtpd is installed");
        Self {
            child,
            port,
            dir,
            certificates,
        }
    }

    fn kind(&self, tls: MailTls, password: &str, ca: bool) -> ChannelKind {
        let file = self.dir.path().join("password");
        std::fs::write(&file, format!("{password}\n")).unwrap();
        ChannelKind::Mail {
            server: "localhost".to_owned(),
            port: self.port,
            tls,
            from: "simrs@rs.example".to_owned(),
            user: Some("simrs".to_owned()),
            password_file: Some(file),
            ca_file: ca.then(|| self.certificates.authority.clone()),
        }
    }

    fn send(&self, kind: ChannelKind, to: &str) -> Result<String, SendError> {
        let sent = channel(kind, Duration::from_secs(20)).send(&outgoing(to));
        sent.map(|r| r.0)
    }

    fn mails(&self) -> Vec<String> {
        mails(&self.dir.path().join("mailbox/new"))
    }
}

fn mails(dir: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(dir) else {
        return Vec::new();
    };
    let files: Vec<PathBuf> = entries.map(|e| e.unwrap().path()).collect();
    files
        .iter()
        .map(|f| std::fs::read_to_string(f).unwrap())
        .collect()
}

#[test]
fn a_mail_is_in_the_mailbox_with_its_delivery_as_its_name() {
    let server = Server::start("starttls");
    let good = server.kind(MailTls::Starttls, "rahasia", true);
    let receipt = server.send(good, "igd@rs.example").unwrap();
    assert!(!receipt.is_empty());
    let mails = server.mails();
    assert_eq!(mails.len(), 1);
    // Read back by a mail program's own parser.
    let python = "import email, email.policy, sys\n\
        m = email.message_from_binary_file(sys.stdin.buffer, policy=email.policy.default)\n\
        print(m['message-id'], m['from'], m['to'], m['auto-submitted'], m['subject'], m.get_content(), sep='\\n', end='')";
    let mut reader = Command::new("/usr/bin/python3")
        .args(["-c", python])
        .env("PYTHONIOENCODING", "utf-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut reader.stdin.take().unwrap(), mails[0].as_bytes()).unwrap();
    let read = reader.wait_with_output().unwrap().stdout;
    let read = String::from_utf8(read).unwrap().replace("\r\n", "\n");
    assert_eq!(
        read.trim_end(),
        "<n1.igd.0@rs.example>\n\
         simrs@rs.example\n\
         Kepala Ruang <igd@rs.example>\n\
         auto-generated\n\
         [SIMRS][HENTI] Tidak dapat digunakan – percobaan\n\
         Mohon maaf.\nPerkiraan pulih: pukul 14.20–14.45 WIB.\n.\nTerima kasih."
    );
}

#[test]
fn without_starttls_nothing_is_sent() {
    let server = Server::start("bare");
    let mut kind = server.kind(MailTls::Starttls, "rahasia", true);
    let ChannelKind::Mail {
        user,
        password_file,
        ..
    } = &mut kind
    else {
        unreachable!("a mail channel");
    };
    // Also where nobody has to log in.
    (*user, *password_file) = (None, None);
    let error = server.send(kind, "igd@rs.example").unwrap_err();
    assert_eq!(error.retry, Retry::Backoff);
    assert!(server.mails().is_empty());
}

#[test]
fn a_server_that_cannot_prove_its_name_gets_no_password() {
    let server = Server::start("starttls");
    let error = server
        .send(
            server.kind(MailTls::Starttls, "rahasia", false),
            "igd@rs.example",
        )
        .unwrap_err();
    assert!(error.why.to_lowercase().contains("certificate"), "{error}");
    assert_eq!(error.retry, Retry::Backoff);
    assert!(server.mails().is_empty());
}

#[test]
fn refusals_for_good_and_for_now_are_told_apart() {
    let server = Server::start("starttls");
    let good = || server.kind(MailTls::Starttls, "rahasia", true);
    let nobody = server.send(good(), "nobody@rs.example").unwrap_err();
    assert_eq!(nobody.retry, Retry::Never);
    assert!(nobody.why.contains("No such user"), "{nobody}");
    let later = server.send(good(), "later@rs.example").unwrap_err();
    assert_eq!(later.retry, Retry::Backoff);
    let wrong = server.kind(MailTls::Starttls, "salah", true);
    let wrong = server.send(wrong, "igd@rs.example").unwrap_err();
    assert!(
        wrong.why.contains("535") || wrong.why.to_lowercase().contains("auth"),
        "{wrong}"
    );
    assert!(!wrong.why.contains("salah"), "{wrong}");
    assert!(server.mails().is_empty());
}

#[test]
fn a_server_that_takes_a_mail_and_loses_it_is_believed_and_only_the_unit_can_tell() {
    let server = Server::start("drop");
    let good = server.kind(MailTls::Starttls, "rahasia", true);
    assert!(server.send(good, "igd@rs.example").is_ok());
    assert!(server.mails().is_empty());
}

#[test]
fn a_server_that_says_nothing_is_not_waited_for() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let server = Server::start("bare");
    let ChannelKind::Mail {
        server: name,
        tls,
        from,
        ..
    } = server.kind(MailTls::None, "x", false)
    else {
        unreachable!("a mail channel");
    };
    let kind = ChannelKind::Mail {
        server: name,
        port: silent.local_addr().unwrap().port(),
        tls,
        from,
        user: None,
        password_file: None,
        ca_file: None,
    };
    let sent = channel(kind, Duration::from_millis(300)).send(&outgoing("igd@rs.example"));
    assert_eq!(sent.unwrap_err().retry, Retry::Backoff);
}
