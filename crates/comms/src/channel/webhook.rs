//! A signed `POST`. The receiver checks who sent it, when, and whether it knows the delivery already.

use super::http::{Post, judged, post};
use super::{Channel, Outgoing, Receipt, SendError, line, secret};
use crate::fit::{drill_mark, fit};
use aws_lc_rs::hmac;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

/// The longest text, as `limit` has it.
const MOST: usize = 10_000;

pub(super) struct Webhook {
    pub url: String,
    pub secret_file: PathBuf,
    pub ca_file: Option<PathBuf>,
    pub timeout: Duration,
}

impl Channel for Webhook {
    fn send(&self, out: &Outgoing) -> Result<Receipt, SendError> {
        let secret = secret(&self.secret_file)?;
        let body = body(out).to_string().into_bytes();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let at = now.unwrap_or_default().as_secs().to_string();
        let answer = post(Post {
            url: &self.url,
            headers: vec![
                ("idempotency-key", out.delivery.to_string()),
                ("x-timestamp", at.clone()),
                ("x-signature", signature(&secret, &at, &body)),
            ],
            body,
            ca_file: self.ca_file.as_deref(),
            timeout: self.timeout,
        })?;
        let said = String::from_utf8_lossy(&answer.body);
        judged(&answer, &said)?;
        Ok(Receipt(match said.is_empty() {
            true => answer.status.to_string(),
            false => format!("{} {}", answer.status, line(&said)),
        }))
    }
}

fn body(out: &Outgoing) -> serde_json::Value {
    let mark = drill_mark(out.text.language);
    serde_json::json!({
        "delivery": out.delivery,
        "notice": out.notice,
        "kind": out.kind,
        "to": out.to,
        "contact": out.contact,
        "address": out.address,
        "language": out.text.language,
        "drill": out.text.subject.starts_with(mark),
        "subject": out.text.subject,
        "text": fit(&out.text.body, MOST, out.text.language),
    })
}

/// `sha256=` and HMAC-SHA256 over the timestamp, a dot, and the body.
fn signature(secret: &str, at: &str, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let mut context = hmac::Context::with_key(&key);
    context.update(at.as_bytes());
    context.update(b".");
    context.update(body);
    let hex: String = context
        .sign()
        .as_ref()
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    format!("sha256={hex}")
}

#[cfg(test)]
mod tests {
    use super::signature;

    #[test]
    fn the_signature_is_the_one_that_everybody_computes() {
        // printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac secret
        assert_eq!(
            signature("secret", "1700000000", b"{\"a\":1}"),
            "sha256=49f24e537407743fa4a0242bb63b94b9a47ee99cbbe071ccd8a22550ae411686"
        );
    }
}
