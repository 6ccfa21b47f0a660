//! Electronic mail. The Message-ID is the delivery, so that a mail that comes twice is recognised.

use super::{Channel, Outgoing, Receipt, SendError, line, secret};
use crate::fit::fit;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::{self, SmtpTransport};
use lettre::{Address, Transport};
use siaga_model::downtime::MailTls;
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;

/// The longest text, as `limit` has it.
const MOST: usize = 10_000;

pub(super) struct Mail {
    pub server: String,
    pub port: u16,
    pub tls: MailTls,
    pub from: String,
    /// The account, and the file with its password.
    pub login: Option<(String, PathBuf)>,
    pub ca_file: Option<PathBuf>,
    pub timeout: Duration,
}

impl Channel for Mail {
    fn send(&self, out: &Outgoing) -> Result<Receipt, SendError> {
        let message = self.message(out)?;
        let transport = self.transport()?;
        let (done, result) = mpsc::channel();
        // Each command has the timeout for itself; a server that is slow with every one of them is left to its thread.
        std::thread::spawn(move || {
            let _ = done.send(transport.send(&message));
        });
        match result.recv_timeout(self.timeout) {
            Ok(Ok(response)) => Ok(Receipt(line(
                &response.message().collect::<Vec<_>>().join(" "),
            ))),
            Ok(Err(error)) => Err(failed(&error)),
            Err(_) => Err(SendError::later(format!(
                "no answer within {} s",
                self.timeout.as_secs_f32()
            ))),
        }
    }
}

impl Mail {
    fn message(&self, out: &Outgoing) -> Result<Message, SendError> {
        let address = |text: &str| {
            text.parse::<Address>()
                .map_err(|_| SendError::never(format!("{} is not a mail address", line(text))))
        };
        let from = address(&self.from)?;
        let id = format!("<{}@{}>", out.delivery, from.domain());
        let automatic = HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        );
        Message::builder()
            .from(Mailbox::new(None, from))
            .to(Mailbox::new(
                Some(out.contact.clone()),
                address(&out.address)?,
            ))
            .subject(&out.text.subject)
            .message_id(Some(id))
            // Nobody's absence note answers it.
            .raw_header(automatic)
            .header(ContentType::TEXT_PLAIN)
            .body(fit(&out.text.body, MOST, out.text.language))
            .map_err(|e| SendError::never(e.to_string()))
    }

    fn transport(&self) -> Result<SmtpTransport, SendError> {
        let mut builder = SmtpTransport::builder_dangerous(&self.server)
            .port(self.port)
            .timeout(Some(self.timeout))
            .tls(match self.tls {
                MailTls::Starttls => Tls::Required(self.parameters()?),
                MailTls::Tls => Tls::Wrapper(self.parameters()?),
                MailTls::None => Tls::None,
            });
        if let Some((user, file)) = &self.login {
            builder = builder.credentials(Credentials::new(user.clone(), secret(file)?));
        }
        Ok(builder.build())
    }

    fn parameters(&self) -> Result<TlsParameters, SendError> {
        let mut builder = TlsParameters::builder(self.server.clone());
        if let Some(path) = &self.ca_file {
            let unreadable =
                |e: &dyn std::fmt::Display| SendError::later(format!("{}: {e}", path.display()));
            let pem = std::fs::read(path).map_err(|e| unreadable(&e))?;
            builder = builder
                .add_root_certificate(Certificate::from_pem(&pem).map_err(|e| unreadable(&e))?);
        }
        builder.build().map_err(|e| SendError::later(e.to_string()))
    }
}

/// A refusal for good ends it; everything else may get better.
fn failed(error: &smtp::Error) -> SendError {
    let mut why = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !why.contains(&cause_text) {
            why = format!("{why}: {cause_text}");
        }
        source = cause.source();
    }
    match error.is_permanent() {
        true => SendError::never(line(&why)),
        false => SendError::later(line(&why)),
    }
}
