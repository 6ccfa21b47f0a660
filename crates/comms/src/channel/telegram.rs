//! The Telegram bot API: `sendMessage`, and the buttons that people press under a message.

use super::http::{Answer, Post, judged, post};
use super::{Channel, Outgoing, Receipt, SendError, line, secret};
use crate::fit::{cut, fit, whole};
use crate::templates::moment_by_name;
use aws_lc_rs::digest::{SHA256, digest};
use siaga_model::DeliveryId;
use siaga_model::config::Language;
use siaga_model::downtime::{Channel as Setting, ChannelKind};
use std::path::PathBuf;
use std::time::Duration;

/// The longest message, as `limit` has it.
const MOST: usize = 4_096;

pub(super) struct Telegram {
    pub api: String,
    pub token_file: PathBuf,
    pub ca_file: Option<PathBuf>,
    pub timeout: Duration,
    /// Notices to units carry a button.
    pub buttons: bool,
}

impl Channel for Telegram {
    fn send(&self, out: &Outgoing) -> Result<Receipt, SendError> {
        let chat = match out.address.parse::<i64>() {
            Ok(number) => serde_json::json!(number),
            Err(_) => serde_json::json!(out.address),
        };
        let mut body = serde_json::json!({
            "chat_id": chat,
            "text": fit(&whole(&out.text), MOST, out.text.language),
            "link_preview_options": { "is_disabled": true },
        });
        // An alert is answered in the program, and a reminder not at all.
        if self.buttons && moment_by_name(&out.kind).is_some() {
            let text = match out.text.language {
                Language::English => "Read",
                Language::Indonesian => "Sudah dibaca",
            };
            let data = button_data(&out.delivery);
            body["reply_markup"] = serde_json::json!({
                "inline_keyboard": [[{ "text": text, "callback_data": data }]],
            });
        }
        understood(&self.call("sendMessage", &body, self.timeout)?)
    }
}

impl Telegram {
    fn call(
        &self,
        method: &str,
        body: &serde_json::Value,
        timeout: Duration,
    ) -> Result<Answer, SendError> {
        let token = secret(&self.token_file)?;
        let plain = token
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || ":_-".contains(c));
        if !plain {
            let file = self.token_file.display();
            return Err(SendError::never(format!("{file} holds no bot's token")));
        }
        post(Post {
            url: &format!("{}/bot{token}/{method}", self.api),
            headers: Vec::new(),
            body: body.to_string().into_bytes(),
            ca_file: self.ca_file.as_deref(),
            timeout,
        })
    }
}

/// What a button carries: a mark of its delivery, short enough for the API.
pub fn button_data(delivery: &DeliveryId) -> String {
    let hash = digest(&SHA256, delivery.as_str().as_bytes());
    let hex: String = hash.as_ref()[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("ack:{hex}")
}

/// A button that somebody pressed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pressed {
    /// The bot's own answer needs it.
    pub query: String,
    pub data: String,
    /// The chat's number, and its `@name` where it is public: one of them is the address that the text went to.
    pub chats: Vec<String>,
    /// As the person is named there.
    pub by: String,
}

/// Reads which buttons were pressed. Blocks, so it is called on a thread that may.
pub struct Buttons {
    bot: Telegram,
    /// The next update that is asked for: those before it are done with.
    next: Option<i64>,
}

impl Buttons {
    /// Of a channel whose texts carry buttons.
    pub fn of(setting: &Setting) -> Option<Self> {
        let ChannelKind::Telegram {
            api,
            token_file,
            ca_file,
            buttons: true,
        } = &setting.kind
        else {
            return None;
        };
        let bot = Telegram {
            api: api.clone(),
            token_file: token_file.clone(),
            ca_file: ca_file.clone(),
            timeout: setting.timeout,
            buttons: true,
        };
        Some(Self { bot, next: None })
    }

    /// Waits up to `wait` for buttons. What was handed out before counts as done with now.
    ///
    /// # Errors
    /// Where the API did not answer, or said no.
    pub fn wait(&mut self, wait: Duration) -> Result<Vec<Pressed>, SendError> {
        let mut body = serde_json::json!({
            "timeout": wait.as_secs(),
            "limit": 20,
            "allowed_updates": ["callback_query"],
        });
        if let Some(next) = self.next {
            body["offset"] = serde_json::json!(next);
        }
        let answer = self
            .bot
            .call("getUpdates", &body, wait + self.bot.timeout)?;
        let said: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        refused(&answer, &said)?;
        let Some(updates) = said["result"].as_array() else {
            return Err(not_the_api(&answer));
        };
        let newest = updates.iter().filter_map(|u| u["update_id"].as_i64()).max();
        self.next = newest.map(|id| id.saturating_add(1)).or(self.next);
        Ok(updates.iter().filter_map(pressed).collect())
    }

    /// Tells who pressed it what came of it.
    ///
    /// # Errors
    /// Where the API did not answer, or said no.
    pub fn answer(&self, query: &str, text: &str) -> Result<(), SendError> {
        let body = serde_json::json!({ "callback_query_id": query, "text": text });
        let answer = self
            .bot
            .call("answerCallbackQuery", &body, self.bot.timeout)?;
        let said: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        refused(&answer, &said)
    }
}

fn pressed(update: &serde_json::Value) -> Option<Pressed> {
    let query = &update["callback_query"];
    let chat = &query["message"]["chat"];
    let number = chat["id"].as_i64().map(|id| id.to_string());
    let name = chat["username"].as_str().map(|name| format!("@{name}"));
    let part = |key: &str| query["from"][key].as_str();
    let names: Vec<&str> = [part("first_name"), part("last_name")]
        .into_iter()
        .flatten()
        .collect();
    Some(Pressed {
        query: query["id"].as_str()?.to_owned(),
        data: query["data"].as_str()?.to_owned(),
        chats: number.into_iter().chain(name).collect(),
        by: cut(&line(&names.join(" ")), 80),
    })
}

/// The API says in its body what came of it; the status says the same less exactly.
fn understood(answer: &Answer) -> Result<Receipt, SendError> {
    let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    refused(answer, &body)?;
    match (body["ok"].as_bool(), body["result"]["message_id"].as_i64()) {
        (Some(true), Some(id)) => Ok(Receipt(id.to_string())),
        // Whatever answered, it was not the bot API.
        _ => Err(not_the_api(answer)),
    }
}

fn refused(answer: &Answer, body: &serde_json::Value) -> Result<(), SendError> {
    let said = body["description"].as_str().unwrap_or_default();
    if let Some(wait) = body["parameters"]["retry_after"].as_u64() {
        let wait = Duration::from_secs(wait);
        return Err(SendError::after(line(said), wait));
    }
    judged(answer, said)
}

fn not_the_api(answer: &Answer) -> SendError {
    SendError::later(format!(
        "the answer is not the bot API's: {}",
        line(&String::from_utf8_lossy(&answer.body))
    ))
}
