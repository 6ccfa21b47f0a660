//! One row as bytes: how it is sealed, and how a seal is checked. The format is described at the crate's top.

use crate::keys::{PublicKey, SigningKey};
use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use siaga_model::api::EventView;
use siaga_model::event::{Actor, Event, EventBody, Hlc, OtherBody};
use siaga_model::{NodeName, RunId, ServiceName, UtcMicros};

/// The longest row, in bytes, without its newline. The largest plan fits many times.
pub const MAX_ROW: usize = 256 * 1024;

/// `,"hash":"` + 64 + `","sig":"` + 128 + `"}`
const SEAL: usize = 9 + 64 + 9 + 128 + 2;

/// The place of a row stands in so many of its first bytes.
const PLACE: usize = 256;

pub(crate) type Digest = [u8; 32];

/// A row byte for byte, without its newline: what is copied between nodes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RawRow(String);

impl RawRow {
    /// Wraps what came from another node. Checked at the import.
    pub fn new(line: impl Into<String>) -> Self {
        Self(line.into())
    }
    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// Why a line is not a row.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RowFault {
    #[error("the row is longer than {MAX_ROW} bytes")]
    TooLong,
    #[error("the row holds a newline or a zero byte")]
    NotOneLine,
    #[error("the row does not end in a hash and a signature")]
    NoSeal,
    #[error("the row's hash does not fit its content: it was changed")]
    HashDiffers,
    #[error("the row can't be read: {0}")]
    NotARow(String),
}

/// What every row of every version has. Other fields are left alone.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub(crate) struct Head {
    pub v: u32,
    pub node: NodeName,
    pub inc: u32,
    pub seq: u64,
    pub hlc: Hlc,
    pub synced: u64,
    pub prev: String,
    pub key: Option<PublicKey>,
    #[serde(default)]
    event: HeadEvent,
}

#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
struct HeadEvent {
    #[serde(default)]
    body: HeadBody,
}

#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
struct HeadBody {
    #[serde(default)]
    kind: String,
}

impl Head {
    /// The event's kind; empty where a version that this one does not know put it elsewhere.
    pub fn kind(&self) -> &str {
        &self.event.body.kind
    }
}

/// A row whose hash fits. Its signature and its place in the chain are still to be checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Checked {
    pub head: Head,
    pub hash: Digest,
    pub signature: [u8; 64],
}

#[derive(Serialize)]
struct Body<'a> {
    v: u32,
    node: &'a NodeName,
    inc: u32,
    seq: u64,
    hlc: Hlc,
    at: UtcMicros,
    synced: u64,
    prev: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a PublicKey>,
    event: &'a Event,
}

/// Where a new row goes.
pub(crate) struct Place<'a> {
    pub node: &'a NodeName,
    pub inc: u32,
    pub seq: u64,
    pub hlc: Hlc,
    pub at: UtcMicros,
    pub synced: u64,
    pub prev: &'a Digest,
}

/// The text that stands for "the row before" of row 1: its SHA-256 is row 1's `prev`.
pub fn genesis(node: &NodeName, incarnation: u32, key: &PublicKey) -> String {
    format!("siaga events 1\nnode {node}\nincarnation {incarnation}\nkey {key}\n")
}

pub(crate) fn sha256(bytes: &[u8]) -> Digest {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, bytes).as_ref());
    out
}

/// Writes and seals one row. The line comes without its newline.
pub(crate) fn encode(place: &Place, event: &Event, key: &SigningKey) -> Result<Vec<u8>, String> {
    let prev = hex(place.prev);
    let body = Body {
        v: 1,
        node: place.node,
        inc: place.inc,
        seq: place.seq,
        hlc: place.hlc,
        at: place.at,
        synced: place.synced,
        prev: &prev,
        key: (place.seq == 1).then(|| key.public()),
        event,
    };
    let mut line = serde_json::to_vec(&body).map_err(|e| e.to_string())?;
    line.pop();
    let hash = sha256(&line);
    let signature = key.sign(&hash)?;
    line.extend_from_slice(b",\"hash\":\"");
    line.extend_from_slice(hex(&hash).as_bytes());
    line.extend_from_slice(b"\",\"sig\":\"");
    line.extend_from_slice(hex(&signature).as_bytes());
    line.extend_from_slice(b"\"}");
    Ok(line)
}

/// Checks a line's shape and hash.
pub(crate) fn check(line: &[u8]) -> Result<Checked, RowFault> {
    if line.len() > MAX_ROW {
        return Err(RowFault::TooLong);
    }
    if line.iter().any(|b| matches!(b, b'\n' | 0)) {
        return Err(RowFault::NotOneLine);
    }
    let (body, hash, signature) = split_seal(line).ok_or(RowFault::NoSeal)?;
    if sha256(body) != hash {
        return Err(RowFault::HashDiffers);
    }
    let head: Head = serde_json::from_slice(line).map_err(|e| RowFault::NotARow(e.to_string()))?;
    if head.seq == 0 || head.hlc.wall > crate::clock::LATEST {
        return Err(RowFault::NotARow("impossible number or time".to_owned()));
    }
    Ok(Checked {
        head,
        hash,
        signature,
    })
}

/// Does the line's hash fit?
pub(crate) fn holds(line: &[u8]) -> bool {
    line.len() <= MAX_ROW && split_seal(line).is_some_and(|(body, hash, _)| sha256(body) == hash)
}

/// The event of a line whose hash fits, without its place in the chain.
pub(crate) fn checked_view(line: &[u8]) -> Option<EventView> {
    let view = holds(line).then(|| view(line)).flatten()?;
    (view.seq != 0 && view.hlc.wall <= crate::clock::LATEST).then_some(view)
}

/// Number and time of a line that is written as this version writes it, without reading the rest.
pub(crate) fn place(line: &[u8]) -> Option<(u64, UtcMicros)> {
    // In the order of `Body`: no text but the node's name comes before, and that holds no quotation mark.
    let (seq, rest) = number_after(line, b",\"seq\":")?;
    let (at, _) = number_after(rest, b",\"at\":")?;
    Some((u64::try_from(seq).ok()?, UtcMicros(at)))
}

fn number_after<'a>(line: &'a [u8], mark: &[u8]) -> Option<(i64, &'a [u8])> {
    let rest = line.get(memchr::memmem::find(line.get(..PLACE)?, mark)? + mark.len()..)?;
    let end = rest.iter().position(|b| *b == b',')?;
    let number = std::str::from_utf8(rest.get(..end)?).ok()?.parse().ok()?;
    Some((number, rest))
}

/// What `line` says of its own place, whether or not its seal holds: for naming a changed row.
pub(crate) fn claimed(line: &[u8]) -> Option<Head> {
    serde_json::from_slice(line).ok()
}

fn split_seal(line: &[u8]) -> Option<(&[u8], Digest, [u8; 64])> {
    let (body, seal) = line.split_at_checked(line.len().checked_sub(SEAL)?)?;
    let rest = seal.strip_prefix(b",\"hash\":\"")?;
    let (hash, rest) = rest.split_at_checked(64)?;
    let rest = rest.strip_prefix(b"\",\"sig\":\"")?;
    let (signature, rest) = rest.split_at_checked(128)?;
    (rest == b"\"}").then_some(())?;
    Some((body, unhex(hash)?, unhex(signature)?))
}

/// A row as an event with its place. A kind, or an event, that this version can't read becomes
/// [`EventBody::Other`] under its own name.
pub(crate) fn view(line: &[u8]) -> Option<EventView> {
    #[derive(Deserialize)]
    struct Whole {
        node: NodeName,
        inc: u32,
        seq: u64,
        hlc: Hlc,
        at: UtcMicros,
        event: Event,
    }
    #[derive(Deserialize)]
    struct Loose {
        node: NodeName,
        inc: u32,
        seq: u64,
        hlc: Hlc,
        at: UtcMicros,
        event: serde_json::Value,
    }
    if let Ok(w) = serde_json::from_slice::<Whole>(line) {
        let Whole {
            node,
            inc,
            seq,
            hlc,
            at,
            event,
        } = w;
        return Some(EventView {
            node,
            incarnation: inc,
            seq,
            hlc,
            at,
            event,
        });
    }
    let Loose {
        node,
        inc,
        seq,
        hlc,
        at,
        event,
    } = serde_json::from_slice(line).ok()?;
    Some(EventView {
        node,
        incarnation: inc,
        seq,
        hlc,
        at,
        event: loose_event(&event),
    })
}

fn loose_event(value: &serde_json::Value) -> Event {
    let text = |name: &str| value.get(name).and_then(|v| v.as_str());
    let actor = value
        .get("actor")
        .and_then(|a| serde_json::from_value::<Actor>(a.clone()).ok());
    let kind = value
        .get("body")
        .and_then(|b| b.get("kind"))
        .and_then(|k| k.as_str());
    Event {
        service: text("service").map(ServiceName::new),
        run: text("run").map(RunId::new),
        actor,
        body: EventBody::Other(OtherBody {
            kind: kind.unwrap_or("unreadable").to_owned(),
        }),
    }
}

/// The name of an event's kind, as it is written in the row.
pub fn kind_name(body: &EventBody) -> String {
    if let EventBody::Other(other) = body {
        return other.kind.clone();
    }
    serde_json::to_value(body)
        .ok()
        .and_then(|v| v.get("kind").and_then(|k| k.as_str()).map(str::to_owned))
        .unwrap_or_default()
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |n: u8| char::from(DIGITS[usize::from(n & 15)]);
    bytes
        .iter()
        .flat_map(|b| [digit(b >> 4), digit(*b)])
        .collect()
}

/// Exactly `N` bytes from lower-case hexadecimal: one spelling, so that a seal has one form.
pub(crate) fn unhex<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let digit = |c: u8| match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'a'..=b'f' => Some(c - b'a' + 10),
        _ => None,
    };
    let mut out = [0; N];
    if text.len() != 2 * N {
        return None;
    }
    for (byte, pair) in out.iter_mut().zip(text.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(out)
}
