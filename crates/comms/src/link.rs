//! The link by which a unit acknowledges: its token is an HMAC of the delivery under a secret that both nodes have, so
//! that it needs no row of its own and no log holds it.

use crate::fit::drill_mark;
use aws_lc_rs::hmac::{self, HMAC_SHA256, Key};
use siaga_model::DeliveryId;
use siaga_model::config::Language;
use siaga_model::notice::Text;
use std::path::Path;

/// A secret shorter than this could be guessed.
const SHORTEST: usize = 16;
/// So much of the HMAC stands in a link, bytes: 128 bits.
const TOKEN: usize = 16;

/// What the links are made of.
pub struct AckSecret(Key);

/// The secret can't be used. Nothing of it is told.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {why}")]
pub struct NoSecret {
    pub file: String,
    pub why: String,
}

impl AckSecret {
    /// Reads the one line of its file.
    ///
    /// # Errors
    /// Where it can't be read, or is too short.
    pub fn read(path: &Path) -> Result<Self, NoSecret> {
        let no = |why: String| NoSecret {
            file: path.display().to_string(),
            why,
        };
        let text = std::fs::read_to_string(path).map_err(|e| no(e.to_string()))?;
        let line = text.lines().next().unwrap_or_default().trim();
        if line.len() < SHORTEST {
            return Err(no(format!("fewer than {SHORTEST} characters")));
        }
        Ok(Self(Key::new(HMAC_SHA256, line.as_bytes())))
    }

    /// The token of a delivery, hexadecimal.
    pub fn token(&self, delivery: &DeliveryId) -> String {
        let tag = hmac::sign(&self.0, said(delivery).as_bytes());
        let bytes = tag.as_ref().iter().take(TOKEN);
        bytes.map(|byte| format!("{byte:02x}")).collect()
    }

    /// Is that its token? Takes as long for a wrong one as for a right one.
    pub fn fits(&self, delivery: &DeliveryId, token: &str) -> bool {
        let right = self.token(delivery);
        aws_lc_rs::constant_time::verify_slices_are_equal(right.as_bytes(), token.as_bytes())
            .is_ok()
    }
}

/// The use is part of what is signed: no other HMAC under this secret opens the page.
fn said(delivery: &DeliveryId) -> String {
    format!("acknowledge\n{delivery}")
}

/// A link that acknowledges one delivery.
pub struct AckLink(pub String);

impl AckLink {
    /// Below the page's address.
    pub fn new(base: &str, secret: &AckSecret, delivery: &DeliveryId) -> Self {
        Self(format!("{base}/{delivery}/{}", secret.token(delivery)))
    }
}

/// The text with the link under it. A drill's mark stays the last line.
pub fn with_link(text: &Text, link: &AckLink) -> Text {
    let ask = match text.language {
        Language::English => "Please confirm that you have read this:",
        Language::Indonesian => "Mohon konfirmasi bahwa pesan ini sudah dibaca:",
    };
    let mark = drill_mark(text.language);
    let asked = format!("{ask}\n{}", link.0);
    let body = match text.body.strip_suffix(mark) {
        Some(before) => format!("{}\n\n{asked}\n{mark}", before.trim_end()),
        None => format!("{}\n\n{asked}", text.body),
    };
    Text {
        body,
        ..text.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Result<AckSecret, NoSecret> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        AckSecret::read(file.path())
    }

    #[test]
    fn a_token_opens_one_delivery_under_one_secret() {
        let one = secret("0123456789abcdef\n").unwrap();
        let (igd, lab) = (
            DeliveryId::from("n1.igd.mail.1"),
            DeliveryId::from("n1.lab.mail.1"),
        );
        let token = one.token(&igd);
        assert_eq!(token.len(), 32);
        assert!(one.fits(&igd, &token));
        assert!(!one.fits(&lab, &token));
        assert!(!one.fits(&igd, &token[..31]) && !one.fits(&igd, ""));
        assert!(!secret("fedcba9876543210").unwrap().fits(&igd, &token));
        let error = secret("too short").err().unwrap().to_string();
        assert!(!error.contains("too short"), "{error}");
    }

    #[test]
    fn a_drills_mark_stays_the_last_line() {
        let text = |body: String| Text {
            language: Language::English,
            subject: String::new(),
            body,
        };
        let link = AckLink("https://rs.example/x".into());
        let plain = with_link(&text("down".into()), &link).body;
        assert!(
            plain.starts_with("down\n\n") && plain.ends_with("/x"),
            "{plain}"
        );
        let mark = drill_mark(Language::English);
        let drill = with_link(&text(format!("{mark}\ndown\n{mark}")), &link).body;
        assert!(drill.ends_with(mark) && drill.contains("/x\n"), "{drill}");
    }
}
