//! The channels: each sends one text to one address, once. It blocks, so it is called on a thread that may.
//!
//! A channel never says more than it knows: `Ok` means that the other side took the text, not that somebody read it.

mod http;
mod mail;
mod program;
mod telegram;
mod webhook;

pub use telegram::{Buttons, Pressed, button_data};

use crate::fit::{fit, limit, whole};
use siaga_model::downtime::{Channel as Setting, ChannelKind};
use siaga_model::notice::Text;
use siaga_model::{DeliveryId, NoticeId};
use std::path::Path;
use std::time::Duration;

/// The longest that a service may make a delivery wait.
const WAIT_AT_MOST: Duration = Duration::from_secs(3600);

/// One text on its way to one address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outgoing {
    /// The idempotency key: the same delivery twice is one.
    pub delivery: DeliveryId,
    pub notice: NoticeId,
    /// What the channel needs.
    pub address: String,
    /// The contact person, or what the address is.
    pub contact: String,
    /// The unit's title, or the name of the person on call.
    pub to: String,
    /// `confirmed`, `alert`.
    pub kind: String,
    pub text: Text,
}

/// What the other side answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Receipt(pub String);

/// Why it was not sent, and whether to try again.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{why}")]
pub struct SendError {
    /// For people and the record. Never a secret.
    pub why: String,
    pub retry: Retry,
}

/// When a delivery that failed is tried again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Retry {
    /// It can't get better by itself.
    Never,
    /// The service said when.
    After(Duration),
    /// Later, and later still.
    Backoff,
}

impl SendError {
    fn never(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            retry: Retry::Never,
        }
    }
    fn later(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            retry: Retry::Backoff,
        }
    }
    fn after(why: impl Into<String>, wait: Duration) -> Self {
        Self {
            why: why.into(),
            retry: Retry::After(wait.min(WAIT_AT_MOST)),
        }
    }
}

/// A way to send a text. A new kind is a new type that can do this, and a line in [`open`].
pub trait Channel: Send + Sync {
    /// Sends it, within the channel's timeout. Where the outcome is unknown that is an error too: the delivery is then
    /// sent again under the same key.
    ///
    /// # Errors
    /// Why the other side did not take it, as far as can be told.
    fn send(&self, out: &Outgoing) -> Result<Receipt, SendError>;
}

/// The channel of that setting. `None`: a person sends what goes through it.
pub fn open(setting: &Setting) -> Option<Box<dyn Channel>> {
    let timeout = setting.timeout;
    match &setting.kind {
        ChannelKind::Mail {
            server,
            port,
            tls,
            from,
            user,
            password_file,
            ca_file,
        } => Some(Box::new(mail::Mail {
            server: server.clone(),
            port: *port,
            tls: *tls,
            from: from.clone(),
            login: user.clone().zip(password_file.clone()),
            ca_file: ca_file.clone(),
            timeout,
        })),
        ChannelKind::Webhook {
            url,
            secret_file,
            ca_file,
        } => Some(Box::new(webhook::Webhook {
            url: url.clone(),
            secret_file: secret_file.clone(),
            ca_file: ca_file.clone(),
            timeout,
        })),
        ChannelKind::Program { run } => Some(Box::new(program::Program {
            run: run.clone(),
            timeout,
        })),
        ChannelKind::Telegram {
            api,
            token_file,
            ca_file,
            buttons,
        } => Some(Box::new(telegram::Telegram {
            api: api.clone(),
            token_file: token_file.clone(),
            ca_file: ca_file.clone(),
            timeout,
            buttons: *buttons,
        })),
        ChannelKind::ByHand => None,
    }
}

/// The text as a channel without a subject line sends it, in the length that the channel takes.
pub fn as_sent(kind: &ChannelKind, text: &Text) -> String {
    fit(&whole(text), limit(kind), text.language)
}

/// The one line of a secret file.
fn secret(path: &Path) -> Result<String, SendError> {
    let read = std::fs::read_to_string(path);
    let text = read.map_err(|e| SendError::later(format!("{}: {e}", path.display())))?;
    let line = text.lines().next().unwrap_or_default().trim().to_owned();
    match line.is_empty() {
        true => Err(SendError::later(format!("{} is empty", path.display()))),
        false => Ok(line),
    }
}

/// A foreign text as evidence: one line, short.
fn line(text: &str) -> String {
    let clean: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let words = clean.split_whitespace().collect::<Vec<_>>().join(" ");
    crate::fit::cut(&words, 200)
}
