//! One-time join tokens. A token is a secret of 256 random bits, the fingerprint of the site's CA and the
//! addresses to join at. Only the hash of the secret is kept.

use super::{PkiError, Role, Spki, ca::Ca, files};
use aws_lc_rs::{digest, rand};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use siaga_model::{NodeName, UtcMicros};
use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

const PREFIX: &str = "siaga1-";
/// Tokens long past their end are forgotten; until then a reused one is told from an unknown one.
const KEEP_MICROS: i64 = 30 * 86_400 * 1_000_000;

/// Whom a token brings in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Enrolee {
    Node(NodeName),
    Probe(String),
}

impl Enrolee {
    pub fn name(&self) -> &str {
        match self {
            Enrolee::Node(name) => name.as_str(),
            Enrolee::Probe(name) => name,
        }
    }
    pub fn role(&self) -> Role {
        match self {
            Enrolee::Node(_) => Role::Node,
            Enrolee::Probe(_) => Role::Probe,
        }
    }
}

/// A token as it is handed to a person. `Display` is the text to copy; `Debug` hides the secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    pub(super) secret: [u8; 32],
    /// The key of the CA that the agent at `addresses` must be certified by.
    pub ca: Spki,
    pub addresses: Vec<SocketAddr>,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("ca", &self.ca)
            .field("addresses", &self.addresses)
            .finish_non_exhaustive()
    }
}

impl Token {
    pub(super) fn secret_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.secret)
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = Vec::with_capacity(128);
        bytes.extend_from_slice(&self.secret);
        bytes.extend_from_slice(&self.ca.0);
        let addresses: Vec<String> = self.addresses.iter().map(SocketAddr::to_string).collect();
        bytes.extend_from_slice(addresses.join(",").as_bytes());
        bytes.extend_from_slice(&check(&bytes));
        write!(f, "{PREFIX}{}", URL_SAFE_NO_PAD.encode(&bytes))
    }
}

/// The text is not a token: cut off, mistyped, or something else.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "this is no join token, or it was not copied whole: it begins with {PREFIX} and has no spaces"
)]
pub struct MalformedToken;

impl FromStr for Token {
    type Err = MalformedToken;
    fn from_str(text: &str) -> Result<Self, MalformedToken> {
        let body = text.trim().strip_prefix(PREFIX).ok_or(MalformedToken)?;
        let bytes = URL_SAFE_NO_PAD.decode(body).map_err(|_| MalformedToken)?;
        let (rest, sum) = bytes.split_last_chunk::<4>().ok_or(MalformedToken)?;
        if check(rest) != *sum {
            return Err(MalformedToken);
        }
        let (secret, rest) = rest.split_first_chunk::<32>().ok_or(MalformedToken)?;
        let (ca, rest) = rest.split_first_chunk::<32>().ok_or(MalformedToken)?;
        let list = std::str::from_utf8(rest).map_err(|_| MalformedToken)?;
        let addresses: Result<Vec<SocketAddr>, _> = list.split(',').map(str::parse).collect();
        Ok(Self {
            secret: *secret,
            ca: Spki(*ca),
            addresses: addresses.map_err(|_| MalformedToken)?,
        })
    }
}

fn check(bytes: &[u8]) -> [u8; 4] {
    let full = digest::digest(&digest::SHA256, bytes);
    let mut out = [0; 4];
    out.copy_from_slice(&full.as_ref()[..4]);
    out
}

/// A token as it is stored: never the secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    secret_sha256: Spki,
    name: String,
    role: Role,
    expires_at: UtcMicros,
    used_at: Option<UtcMicros>,
    /// Who made it, and why.
    #[serde(default)]
    origin: Origin,
}

/// Who made a token, and why: it goes into the events when the token brings a machine in.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Origin {
    /// The account.
    pub by: String,
    pub reason: String,
}

/// What a token stood for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Burnt {
    pub role: Role,
    pub origin: Origin,
}

/// Why a token's secret is not accepted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum NotGood {
    Unknown,
    Used,
    Expired,
    WrongName,
}

/// Makes a one-time token for one machine, good for `ttl` from now. `addresses` are this agent's own.
///
/// # Errors
/// `NoCa` where this node can't issue certificates; `Name` for a name that is none.
pub fn token_create(
    state_dir: &Path,
    enrolee: &Enrolee,
    ttl: Duration,
    addresses: &[SocketAddr],
) -> Result<Token, PkiError> {
    token_create_by(state_dir, enrolee, ttl, addresses, Origin::default())
}

/// The same, made by somebody for a reason.
///
/// # Errors
/// As [`token_create`].
pub fn token_create_by(
    state_dir: &Path,
    enrolee: &Enrolee,
    ttl: Duration,
    addresses: &[SocketAddr],
    origin: Origin,
) -> Result<Token, PkiError> {
    check_name(enrolee.name())?;
    if addresses.is_empty() {
        return Err(PkiError::NoAddress);
    }
    let ca = Ca::load(state_dir)?.ok_or(PkiError::NoCa)?;
    let mut secret = [0; 32];
    rand::fill(&mut secret).map_err(|_| PkiError::Crypto("no random numbers".to_owned()))?;
    let now = super::now();
    let ttl = i64::try_from(ttl.as_micros()).unwrap_or(i64::MAX);
    let stored = Stored {
        secret_sha256: Spki::of_der(&secret),
        name: enrolee.name().to_owned(),
        role: enrolee.role(),
        expires_at: UtcMicros(now.0.saturating_add(ttl)),
        used_at: None,
        origin,
    };
    let _lock = files::lock(state_dir)?;
    let mut all = read(state_dir)?;
    all.retain(|t| t.expires_at.0.saturating_add(KEEP_MICROS) > now.0);
    all.push(stored);
    write(state_dir, &all)?;
    Ok(Token {
        secret,
        ca: ca.fingerprint()?,
        addresses: addresses.to_vec(),
    })
}

/// Every token of before is worth nothing from now on, durably: the site has another CA, and who has a token need not ask
/// for it.
pub fn void_all(state_dir: &Path) -> Result<(), PkiError> {
    let now = super::now();
    let _lock = files::lock(state_dir)?;
    let mut all = read(state_dir)?;
    if all.is_empty() {
        return Ok(());
    }
    for token in &mut all {
        token.expires_at = token.expires_at.min(now);
    }
    write(state_dir, &all)
}

/// Marks the token as used, durably, and returns what it stands for. After this it is worthless.
pub(super) fn burn(
    state_dir: &Path,
    secret: &str,
    name: &str,
    now: UtcMicros,
) -> Result<Result<Burnt, NotGood>, PkiError> {
    let Ok(bytes) = URL_SAFE_NO_PAD.decode(secret) else {
        return Ok(Err(NotGood::Unknown));
    };
    let hash = Spki::of_der(&bytes);
    let _lock = files::lock(state_dir)?;
    let mut all = read(state_dir)?;
    // Every token is compared, each in constant time.
    let found = all.iter_mut().fold(None, |found, t| {
        if t.secret_sha256 == hash {
            Some(t)
        } else {
            found
        }
    });
    let Some(token) = found else {
        return Ok(Err(NotGood::Unknown));
    };
    if token.used_at.is_some() {
        return Ok(Err(NotGood::Used));
    }
    if now >= token.expires_at {
        return Ok(Err(NotGood::Expired));
    }
    if token.name != name {
        return Ok(Err(NotGood::WrongName));
    }
    token.used_at = Some(now);
    let burnt = Burnt {
        role: token.role,
        origin: token.origin.clone(),
    };
    write(state_dir, &all)?;
    Ok(Ok(burnt))
}

/// Names of nodes and probes: as in `siaga.toml`.
pub(super) fn check_name(name: &str) -> Result<(), PkiError> {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || name.len() > 32 || name.starts_with('-') || !name.chars().all(good) {
        return Err(PkiError::Name {
            name: name.chars().take(40).collect(),
        });
    }
    Ok(())
}

fn read(state_dir: &Path) -> Result<Vec<Stored>, PkiError> {
    let path = files::path(state_dir, files::TOKENS);
    match files::read(&path) {
        Ok(text) => serde_json::from_str(&text).map_err(|e| PkiError::Broken {
            path,
            why: e.to_string(),
        }),
        Err(PkiError::Missing { .. }) => Ok(Vec::new()),
        Err(e) => Err(e),
    }
}

fn write(state_dir: &Path, all: &[Stored]) -> Result<(), PkiError> {
    let text = serde_json::to_vec_pretty(all).map_err(|e| PkiError::Crypto(e.to_string()))?;
    files::write(&files::path(state_dir, files::TOKENS), &text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_back_and_a_changed_one_does_not() {
        let token = Token {
            secret: [7; 32],
            ca: Spki([8; 32]),
            addresses: vec!["198.51.100.11:7443".parse().unwrap()],
        };
        let text = token.to_string();
        assert_eq!(text.parse::<Token>().unwrap(), token);
        assert!(!format!("{token:?}").contains(&token.secret_text()));
        for i in 0..text.len() {
            let mut bad: Vec<char> = text.chars().collect();
            bad[i] = if bad[i] == 'A' { 'B' } else { 'A' };
            let bad: String = bad.into_iter().collect();
            assert_eq!(bad.parse::<Token>(), Err(MalformedToken), "character {i}");
        }
        assert_eq!(text[..text.len() - 1].parse::<Token>(), Err(MalformedToken));
        assert_eq!("".parse::<Token>(), Err(MalformedToken));
    }

    #[test]
    fn names_are_checked() {
        assert!(check_name("poli-1").is_ok());
        for bad in ["", "-a", "A", "a b", "../x", &"a".repeat(33)] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }
}
