//! The Telegram bot API: `sendMessage`.

use super::http::{Answer, Post, judged, post};
use super::{Channel, Outgoing, Receipt, SendError, line, secret};
use crate::fit::{fit, whole};
use std::path::PathBuf;
use std::time::Duration;

/// The longest message, as `limit` has it.
const MOST: usize = 4_096;

pub(super) struct Telegram {
    pub api: String,
    pub token_file: PathBuf,
    pub ca_file: Option<PathBuf>,
    pub timeout: Duration,
}

impl Channel for Telegram {
    fn send(&self, out: &Outgoing) -> Result<Receipt, SendError> {
        let token = secret(&self.token_file)?;
        let plain = token
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || ":_-".contains(c));
        if !plain {
            let file = self.token_file.display();
            return Err(SendError::never(format!("{file} holds no bot's token")));
        }
        let chat = match out.address.parse::<i64>() {
            Ok(number) => serde_json::json!(number),
            Err(_) => serde_json::json!(out.address),
        };
        let body = serde_json::json!({
            "chat_id": chat,
            "text": fit(&whole(&out.text), MOST, out.text.language),
            "link_preview_options": { "is_disabled": true },
        });
        let answer = post(Post {
            url: &format!("{}/bot{token}/sendMessage", self.api),
            headers: Vec::new(),
            body: body.to_string().into_bytes(),
            ca_file: self.ca_file.as_deref(),
            timeout: self.timeout,
        })?;
        understood(&answer)
    }
}

/// The API says in its body what came of it; the status says the same less exactly.
fn understood(answer: &Answer) -> Result<Receipt, SendError> {
    let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let said = body["description"].as_str().unwrap_or_default();
    if let Some(wait) = body["parameters"]["retry_after"].as_u64() {
        let wait = Duration::from_secs(wait);
        return Err(SendError::after(line(said), wait));
    }
    judged(answer, said)?;
    match (body["ok"].as_bool(), body["result"]["message_id"].as_i64()) {
        (Some(true), Some(id)) => Ok(Receipt(id.to_string())),
        // Whatever answered, it was not the bot API.
        _ => Err(SendError::later(format!(
            "the answer is not the bot API's: {}",
            line(&String::from_utf8_lossy(&answer.body))
        ))),
    }
}
