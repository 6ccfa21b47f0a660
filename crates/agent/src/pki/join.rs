//! Bringing a machine in: it shows a one-time token, and gets a certificate, the pins of everyone, and (a node)
//! the site's configuration.
//!
//! The joiner trusts the agent only if its certificate is issued by the CA whose fingerprint is in the token; the
//! agent trusts the joiner only by the token's secret, which never travels before the first check passed.

use super::ca::{Ca, Validity};
use super::failures::Failures;
use super::token::{self, NotGood, Origin};
use super::{Pin, PinStore, PkiError, Role, Spki, Token, files, identity};
use crate::transport::client::CallError;
use crate::transport::{tls, wire};
use rcgen::{CertificateSigningRequestParams, KeyPair, PublicKeyData};
use rustls::pki_types::CertificateDer;
use serde::{Deserialize, Serialize};
use siaga_journal::{ComingKey, JournalError, PublicKey};
use siaga_model::{NodeName, UtcMicros};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// `POST /v1/join`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JoinRequest {
    pub secret: String,
    pub name: String,
    /// A certificate request, PEM: proves that the joiner holds the key. Only its key is used.
    pub csr: String,
    /// From a node: the public key that it will sign its events with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_key: Option<String>,
}

/// The event key of a node that joins, vouched for by its token.
pub struct EventKey {
    pub node: NodeName,
    pub key: PublicKey,
    pub origin: Origin,
}

/// Makes an event key known, durably, and records that. Blocks on the disk.
pub type TrustEventKey = Box<dyn Fn(EventKey) -> Result<(), JournalError> + Send + Sync>;

/// What the joiner gets.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct JoinResponse {
    pub role: Role,
    pub cert: String,
    pub ca_cert: String,
    pub pins: Vec<Pin>,
    /// The text of `siaga.toml`, for nodes.
    pub config: Option<String>,
    /// Where the site's agents answer.
    pub agents: Vec<AgentAddress>,
}

/// Where one node's agent answers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AgentAddress {
    pub node: NodeName,
    pub addresses: Vec<SocketAddr>,
}

/// Why an agent lets nobody in.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    #[error(
        "the join token is not known here; make a new one with `siaga token create` on the server that you join at"
    )]
    UnknownToken,
    #[error("the join token was used already; make a new one")]
    UsedToken,
    #[error("the join token has expired; make a new one")]
    ExpiredToken,
    #[error("the join token was made for another name than {name:?}")]
    WrongName { name: String },
    #[error("the certificate request is not valid: {0}")]
    BadRequest(String),
    #[error("too many failed attempts to join; wait a minute")]
    TooMany,
    #[error(transparent)]
    Pki(#[from] PkiError),
}

impl JoinError {
    /// A stable code for scripts.
    pub fn code(&self) -> &'static str {
        match self {
            JoinError::UnknownToken => "JOIN_TOKEN_UNKNOWN",
            JoinError::UsedToken => "JOIN_TOKEN_USED",
            JoinError::ExpiredToken => "JOIN_TOKEN_EXPIRED",
            JoinError::WrongName { .. } => "JOIN_WRONG_NAME",
            JoinError::BadRequest(_) => "JOIN_BAD_REQUEST",
            JoinError::TooMany => "JOIN_TOO_MANY",
            JoinError::Pki(e) => e.code(),
        }
    }
    /// The HTTP status that goes with it.
    pub fn status(&self) -> u16 {
        match self {
            JoinError::UnknownToken
            | JoinError::UsedToken
            | JoinError::ExpiredToken
            | JoinError::WrongName { .. } => 403,
            JoinError::BadRequest(_) => 400,
            JoinError::TooMany => 429,
            JoinError::Pki(_) => 500,
        }
    }
}

/// What an agent needs to let machines in.
pub struct JoinState {
    pub state_dir: PathBuf,
    pub pins: PinStore,
    /// The site's `siaga.toml`, handed to nodes as it is.
    pub config_path: PathBuf,
    pub agents: Vec<AgentAddress>,
    /// `None`: this agent keeps no journal.
    pub trust_event_key: Option<TrustEventKey>,
    failures: Failures,
}

impl JoinState {
    pub fn new(
        state_dir: &Path,
        pins: PinStore,
        config_path: &Path,
        agents: Vec<AgentAddress>,
    ) -> Self {
        Self {
            state_dir: state_dir.to_owned(),
            pins,
            config_path: config_path.to_owned(),
            agents,
            trust_event_key: None,
            failures: Failures::default(),
        }
    }

    /// The same, where the event keys of nodes that join are made known.
    pub fn trusting(self, trust: TrustEventKey) -> Self {
        Self {
            trust_event_key: Some(trust),
            ..self
        }
    }
}

/// The server's side. Blocks on the disk: call it from a blocking thread. `source` is where the request came from.
///
/// The token is burnt durably first, then the certificate made and its key pinned durably, then it answers. Where
/// the answer is lost, a new token is needed.
///
/// # Errors
/// `JoinError`, each with its code; every failure but those of this machine counts against `source`.
pub fn accept(
    state: &JoinState,
    request: &JoinRequest,
    source: Option<IpAddr>,
    now: UtcMicros,
) -> Result<JoinResponse, JoinError> {
    if state.failures.too_many(source, Instant::now()) {
        return Err(JoinError::TooMany);
    }
    let result = accept_counted(state, request, now);
    if let Err(e) = &result {
        if !matches!(e, JoinError::Pki(_)) {
            state.failures.add(source, Instant::now());
        }
        tracing::warn!(code = e.code(), name = ?request.name, ?source, "a join was refused");
    }
    result
}

fn accept_counted(
    state: &JoinState,
    request: &JoinRequest,
    now: UtcMicros,
) -> Result<JoinResponse, JoinError> {
    // Whatever can be checked is checked before the token is spent.
    let ca = Ca::load(&state.state_dir)?.ok_or(PkiError::NoCa)?;
    token::check_name(&request.name).map_err(|e| JoinError::BadRequest(e.to_string()))?;
    let csr = CertificateSigningRequestParams::from_pem(&request.csr)
        .map_err(|e| JoinError::BadRequest(e.to_string()))?;
    let key = Spki::of_der(&csr.public_key.subject_public_key_info());
    if state
        .pins
        .find(&key)
        .is_some_and(|pin| pin.name != request.name)
    {
        return Err(JoinError::BadRequest(
            "this key belongs to another machine".to_owned(),
        ));
    }
    if state.pins.is_retired(&key) {
        return Err(JoinError::BadRequest(
            "this key is the one of a machine that was replaced".to_owned(),
        ));
    }
    let event_key = match request.event_key.as_deref().map(PublicKey::parse) {
        Some(None) => return Err(JoinError::BadRequest("its event key is none".to_owned())),
        Some(Some(key)) => Some(key),
        None => None,
    };
    let token::Burnt { role, origin } =
        token::burn(&state.state_dir, &request.secret, &request.name, now)?.map_err(
            |e| match e {
                NotGood::Unknown => JoinError::UnknownToken,
                NotGood::Used => JoinError::UsedToken,
                NotGood::Expired => JoinError::ExpiredToken,
                NotGood::WrongName => JoinError::WrongName {
                    name: request.name.clone(),
                },
            },
        )?;
    let cert = ca.issue(&request.name, role, &csr.public_key, Validity::leaf(now))?;
    let config = match role {
        Role::Node => Some(read_config(&state.config_path)?),
        Role::Probe => None,
    };
    if let (Role::Node, Some(key), Some(trust)) = (role, event_key, &state.trust_event_key) {
        let node = NodeName::new(request.name.clone());
        trust(EventKey { node, key, origin }).map_err(PkiError::from)?;
    }
    state.pins.add(&request.name, role, key)?;
    tracing::info!(name = %request.name, ?role, %key, "a machine joined");
    Ok(JoinResponse {
        role,
        cert: identity::pem("CERTIFICATE", &cert),
        ca_cert: ca.cert_pem(),
        pins: state.pins.all(),
        config,
        agents: state.agents.clone(),
    })
}

fn read_config(path: &Path) -> Result<String, PkiError> {
    std::fs::read_to_string(path).map_err(|source| PkiError::Io {
        what: "can't read",
        path: path.to_owned(),
        source,
    })
}

/// Why this machine did not join.
#[derive(Debug, thiserror::Error)]
pub enum RunJoinError {
    #[error(transparent)]
    Pki(#[from] PkiError),
    #[error("no agent of the token's addresses ({addresses}) could be reached: {why}")]
    Unreachable { addresses: String, why: String },
    #[error(
        "{address} is not an agent of the site that made this token: {why}. The token's secret was not sent"
    )]
    WrongCa { address: SocketAddr, why: String },
    #[error("{message}")]
    Refused { code: String, message: String },
    #[error("the agent's answer makes no sense: {0}")]
    Answer(String),
}

impl RunJoinError {
    /// A stable code for scripts.
    pub fn code(&self) -> &str {
        match self {
            RunJoinError::Pki(e) => e.code(),
            RunJoinError::Unreachable { .. } => "JOIN_UNREACHABLE",
            RunJoinError::WrongCa { .. } => "JOIN_WRONG_CA",
            RunJoinError::Refused { code, .. } => code,
            RunJoinError::Answer(_) => "JOIN_ANSWER",
        }
    }
}

/// What `siaga join` did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JoinReport {
    pub name: String,
    pub role: Role,
    pub key: Spki,
    pub ca: Spki,
    pub config: ConfigOutcome,
    /// Where the site's agents answer: for a probe's `probe.toml`.
    pub agents: Vec<AgentAddress>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConfigOutcome {
    /// None was sent, or no place was given for it.
    None,
    Written,
    /// The file there is the same already.
    Same,
    /// A different file was there. It was left as it is: `check` will report the drift.
    Kept,
}

/// The joiner's side. Writes nothing before the agent has proved itself and answered.
///
/// # Errors
/// `RunJoinError`; on each of them this machine is as it was, and only `Answer` may have spent the token.
pub async fn run(
    token: &Token,
    name: &str,
    state_dir: &Path,
    config_path: Option<&Path>,
) -> Result<JoinReport, RunJoinError> {
    token::check_name(name)?;
    let cert_path = files::path(state_dir, files::NODE_CERT);
    if cert_path.exists() {
        return Err(PkiError::Exists { path: cert_path }.into());
    }
    files::ensure_dir(state_dir)?;
    let key = KeyPair::generate().map_err(PkiError::from)?;
    let csr = certificate_request(name, &key)?;
    // A node gets the site's configuration, and keeps a log.
    let event_key = match config_path {
        Some(_) => Some(ComingKey::for_state(state_dir).map_err(PkiError::from)?),
        None => None,
    };
    let request = JoinRequest {
        secret: token.secret_text(),
        name: name.to_owned(),
        csr,
        event_key: event_key.as_ref().map(|k| k.public().to_string()),
    };
    let answer = ask(token, &request).await?;
    let cert = check_answer(token, name, &key, &answer)?;
    install(state_dir, &key, &answer)?;
    if let Some(event_key) = &event_key {
        event_key.install().map_err(PkiError::from)?;
    }
    let config = match (config_path, &answer.config) {
        (Some(path), Some(text)) => write_config(path, text)?,
        _ => ConfigOutcome::None,
    };
    // Last: where the certificate exists, all the rest does.
    files::write(&cert_path, answer.cert.as_bytes())?;
    Ok(JoinReport {
        name: name.to_owned(),
        role: answer.role,
        key: Spki::of_cert(&cert)?,
        ca: token.ca,
        config,
        agents: answer.agents,
    })
}

/// A certificate request for `key`, PEM.
pub(super) fn certificate_request(name: &str, key: &KeyPair) -> Result<String, PkiError> {
    let params = rcgen::CertificateParams::new(vec![name.to_owned()])?;
    Ok(params.serialize_request(key)?.pem()?)
}

/// Tries the token's addresses in turn. Goes on to the next only where nothing was sent.
async fn ask(token: &Token, request: &JoinRequest) -> Result<JoinResponse, RunJoinError> {
    let mut why = String::from("the token names none");
    let mut wrong_ca = None;
    for &address in &token.addresses {
        let tls = tls::join_client(token.ca);
        match wire::one_shot(tls, address, "/v1/join", request, CALL_TIMEOUT).await {
            Ok(answer) => return Ok(answer),
            Err(CallError::Status { error, .. }) => {
                return Err(RunJoinError::Refused {
                    code: error.code,
                    message: error.message,
                });
            }
            Err(CallError::Malformed { why }) => return Err(RunJoinError::Answer(why)),
            Err(CallError::Tls { why, .. }) => {
                wrong_ca = Some(RunJoinError::WrongCa { address, why })
            }
            Err(e) if e.outcome_unknown() => return Err(RunJoinError::Answer(e.to_string())),
            Err(e) => why = e.to_string(),
        }
    }
    let addresses: Vec<String> = token.addresses.iter().map(SocketAddr::to_string).collect();
    Err(wrong_ca.unwrap_or(RunJoinError::Unreachable {
        addresses: addresses.join(", "),
        why,
    }))
}

fn check_answer(
    token: &Token,
    name: &str,
    key: &KeyPair,
    answer: &JoinResponse,
) -> Result<CertificateDer<'static>, RunJoinError> {
    let bad = |why: &str| RunJoinError::Answer(why.to_owned());
    let cert = identity::parse_cert(&answer.cert).map_err(RunJoinError::Answer)?;
    let ca_cert = identity::parse_cert(&answer.ca_cert).map_err(RunJoinError::Answer)?;
    if Spki::of_cert(&ca_cert)? != token.ca {
        return Err(bad("it sent another CA than the token names"));
    }
    let own = Spki::of_der(&key.subject_public_key_info());
    if Spki::of_cert(&cert)? != own {
        return Err(bad("the certificate is not for this machine's key"));
    }
    let pinned = |p: &Pin| p.spki_sha256 == own && p.name == name && p.role == answer.role;
    if !answer.pins.iter().any(pinned) {
        return Err(bad("this machine's key is not among the pins"));
    }
    Ok(cert)
}

fn install(state_dir: &Path, key: &KeyPair, answer: &JoinResponse) -> Result<(), PkiError> {
    let _lock = files::lock(state_dir)?;
    files::write(
        &files::path(state_dir, files::NODE_KEY),
        key.serialize_pem().as_bytes(),
    )?;
    files::write(
        &files::path(state_dir, files::CA_CERT),
        answer.ca_cert.as_bytes(),
    )?;
    // A machine that was replaced, and joins again, is the one of its name again.
    files::remove(&files::path(state_dir, files::REPLACED))?;
    // Of an earlier site nothing counts: its authority's key would outdo this one's.
    for left in [files::CA_SEALED, files::CA_KEY, files::RETIRED] {
        files::remove(&files::path(state_dir, left))?;
    }
    super::pins::write(state_dir, &answer.pins)
}

fn write_config(path: &Path, text: &str) -> Result<ConfigOutcome, PkiError> {
    match std::fs::read_to_string(path) {
        Ok(there) if there == text => return Ok(ConfigOutcome::Same),
        Ok(_) => return Ok(ConfigOutcome::Kept),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
        Err(source) => {
            return Err(PkiError::Io {
                what: "can't read",
                path: path.to_owned(),
                source,
            });
        }
    }
    if let Some(dir) = path.parent() {
        std::fs::create_dir_all(dir).map_err(|source| PkiError::Io {
            what: "can't make",
            path: dir.to_owned(),
            source,
        })?;
    }
    files::write_mode(path, text.as_bytes(), 0o644)?;
    Ok(ConfigOutcome::Written)
}
