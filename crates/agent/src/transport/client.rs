//! Calls to another agent over every path there is, on warm connections.
//!
//! What may have been sent is never sent again by itself: a caller that gets `outcome_unknown` looks again.

use super::tls;
use super::wire::{Answer, Body, Message, connect_tls, decode, handshake, send};
use crate::pki::{CertDates, PeerIdentity, PinStore, PkiError, Spki};
use axum::http::Method;
use futures_util::stream::{FuturesUnordered, StreamExt};
use hyper::client::conn::http1::SendRequest;
use rustls::ClientConfig;
use serde::Serialize;
use serde::de::DeserializeOwned;
use siaga_model::NodeName;
use siaga_model::api::ApiError;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Warm connections kept per path: one for orders, one for questions, one for a long poll.
const KEEP: usize = 3;
/// Let go before the server would (`Limits::peer_idle`).
const IDLE: Duration = Duration::from_secs(120);

/// Why a call brought no result.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CallError {
    /// Not reached: nothing was sent.
    #[error("not reached: {why}")]
    Refused { why: String },
    /// `sent`: the request may have reached the other side.
    #[error("no answer within {after_ms} ms")]
    Timeout { after_ms: u64, sent: bool },
    /// The other side is not who it should be, or does not accept us. Nothing was carried out.
    #[error("TLS: {why}")]
    Tls { why: String },
    /// The connection broke after the request may have been sent.
    #[error("the connection broke before the answer came: {why}")]
    Lost { why: String },
    /// An answer, and it is an error.
    #[error("{} ({status}): {}", error.code, error.message)]
    Status { status: u16, error: ApiError },
    #[error("the answer could not be read: {why}")]
    Malformed { why: String },
}

impl CallError {
    /// True where the other side may have carried the request out.
    pub fn outcome_unknown(&self) -> bool {
        match self {
            CallError::Timeout { sent, .. } => *sent,
            CallError::Lost { .. } | CallError::Malformed { .. } => true,
            // The handler was at work when it failed, or when its time was up.
            CallError::Status { status, .. } => *status >= 500,
            CallError::Refused { .. } | CallError::Tls { .. } => false,
        }
    }
    /// True where the other side answered, if only with an error.
    pub fn answered(&self) -> bool {
        matches!(self, CallError::Status { .. } | CallError::Malformed { .. })
    }
}

/// What one path said.
#[derive(Clone, Debug)]
pub struct PathAnswer<T> {
    pub path: SocketAddr,
    pub answer: Result<T, CallError>,
    pub took: Duration,
}

/// One other agent, over all its paths.
pub struct PeerClient {
    expected: NodeName,
    tls: Arc<ClientConfig>,
    pins: PinStore,
    paths: Vec<Path>,
    /// The path that answered last: tried first for what must not be sent twice.
    preferred: AtomicUsize,
    seen: Mutex<Option<PeerIdentity>>,
}

struct Path {
    address: SocketAddr,
    idle: Mutex<Vec<(SendRequest<Body>, Instant)>>,
}

impl PeerClient {
    /// Calls `expected` at `paths`, in that order, under the own identity.
    pub fn new(
        identity: &tls::LiveIdentity,
        pins: &PinStore,
        paths: Vec<SocketAddr>,
        expected: NodeName,
    ) -> Result<Self, PkiError> {
        let tls = tls::peer_client(identity, pins, &expected)?;
        let paths = paths
            .into_iter()
            .map(|address| Path {
                address,
                idle: Mutex::default(),
            })
            .collect();
        Ok(Self {
            expected,
            tls,
            pins: pins.clone(),
            paths,
            preferred: AtomicUsize::new(0),
            seen: Mutex::new(None),
        })
    }

    /// The node at the other end.
    pub fn node(&self) -> &NodeName {
        &self.expected
    }
    pub fn paths(&self) -> impl Iterator<Item = SocketAddr> + '_ {
        self.paths.iter().map(|p| p.address)
    }
    /// The identity seen at the last connection: expired certificates and wrong clocks show here.
    pub fn identity(&self) -> Option<PeerIdentity> {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// One call. GET is asked over all paths at once and the first answer wins; anything else is sent once, over
    /// the first path that connects, the one that answered last before the others.
    pub async fn call<Req: Serialize + ?Sized, Resp: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&Req>,
        timeout: Duration,
    ) -> Result<Resp, CallError> {
        let message = Message::new(method, path, body)?;
        if message.method == Method::GET {
            self.first_answer(&message, timeout).await
        } else {
            self.send_once(&message, timeout).await
        }
    }

    /// `GET`: all paths at once, the first answer wins.
    pub async fn get<Resp: DeserializeOwned>(
        &self,
        path: &str,
        timeout: Duration,
    ) -> Result<Resp, CallError> {
        self.call::<(), Resp>(Method::GET, path, None, timeout)
            .await
    }

    /// `POST`: never sent twice.
    pub async fn post<Req: Serialize + ?Sized, Resp: DeserializeOwned>(
        &self,
        path: &str,
        body: &Req,
        timeout: Duration,
    ) -> Result<Resp, CallError> {
        self.call(Method::POST, path, Some(body), timeout).await
    }

    /// `GET` over every path, each answer apart: which paths work.
    pub async fn ask_all_paths<Resp: DeserializeOwned>(
        &self,
        path: &str,
        timeout: Duration,
    ) -> Vec<PathAnswer<Resp>> {
        let message = Message::get(path);
        let ask = async |p: &Path| {
            let began = Instant::now();
            let answer = self.exchange(p, &message, timeout).await.and_then(decode);
            PathAnswer {
                path: p.address,
                answer,
                took: began.elapsed(),
            }
        };
        futures_util::future::join_all(self.paths.iter().map(ask)).await
    }

    async fn first_answer<Resp: DeserializeOwned>(
        &self,
        message: &Message,
        timeout: Duration,
    ) -> Result<Resp, CallError> {
        let numbered = async |(i, p)| (i, self.exchange(p, message, timeout).await);
        let mut asked: FuturesUnordered<_> = self.paths.iter().enumerate().map(numbered).collect();
        let mut failure = CallError::Refused {
            why: "no address is known".to_owned(),
        };
        while let Some((i, result)) = asked.next().await {
            match result {
                Ok(answer) => {
                    self.preferred.store(i, Ordering::Relaxed);
                    return decode(answer);
                }
                Err(e) => failure = worse(failure, e),
            }
        }
        Err(failure)
    }

    async fn send_once<Resp: DeserializeOwned>(
        &self,
        message: &Message,
        timeout: Duration,
    ) -> Result<Resp, CallError> {
        let deadline = Instant::now() + timeout;
        let preferred = self
            .preferred
            .load(Ordering::Relaxed)
            .min(self.paths.len().saturating_sub(1));
        let others = (0..self.paths.len()).filter(|i| *i != preferred);
        let mut failure = CallError::Refused {
            why: "no address is known".to_owned(),
        };
        for i in self
            .paths
            .get(preferred)
            .map(|_| preferred)
            .into_iter()
            .chain(others)
        {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.exchange(&self.paths[i], message, left).await {
                Ok(answer) => {
                    self.preferred.store(i, Ordering::Relaxed);
                    return decode(answer);
                }
                Err(e) if e.outcome_unknown() => {
                    // Whatever comes next had better try another path first.
                    self.preferred
                        .store((i + 1) % self.paths.len(), Ordering::Relaxed);
                    return Err(e);
                }
                Err(e) => failure = worse(failure, e),
            }
        }
        Err(failure)
    }

    /// One request over one path: on a warm connection if there is one, else on a new one.
    async fn exchange(
        &self,
        path: &Path,
        message: &Message,
        timeout: Duration,
    ) -> Result<Answer, CallError> {
        let sent = AtomicBool::new(false);
        let work = async {
            let mut request = message.request(path.address)?;
            while let Some(sender) = path.warm() {
                // `ready` fails where the other side has closed it: then nothing was sent.
                match send(sender, request, &sent).await {
                    Ok((sender, answer)) => return path.keep(sender, answer),
                    Err((Some(unsent), _)) => request = *unsent,
                    Err((None, e)) => return Err(e),
                }
            }
            let sender = self.connect(path.address).await?;
            match send(sender, request, &sent).await {
                Ok((sender, answer)) => path.keep(sender, answer),
                Err((_, e)) => Err(e),
            }
        };
        let after_ms = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
        match tokio::time::timeout(timeout, work).await {
            Ok(result) => result,
            Err(_) => Err(CallError::Timeout {
                after_ms,
                sent: sent.load(Ordering::Relaxed),
            }),
        }
    }

    async fn connect(&self, address: SocketAddr) -> Result<SendRequest<Body>, CallError> {
        let stream = connect_tls(self.tls.clone(), address).await?;
        if let Some(cert) = stream
            .get_ref()
            .1
            .peer_certificates()
            .and_then(|c| c.first())
            && let (Ok(key), Ok(dates)) = (Spki::of_cert(cert), CertDates::of(cert))
        {
            let identity = PeerIdentity::look_up(&self.pins, &key, dates, crate::pki::now());
            *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = identity;
        }
        handshake(stream).await
    }
}

impl Path {
    fn warm(&self) -> Option<SendRequest<Body>> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(sender, since)| !sender.is_closed() && since.elapsed() < IDLE);
        idle.pop().map(|(sender, _)| sender)
    }
    fn keep(&self, sender: SendRequest<Body>, answer: Answer) -> Result<Answer, CallError> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if !sender.is_closed() && idle.len() < KEEP {
            idle.push((sender, Instant::now()));
        }
        Ok(answer)
    }
}

/// Of two failures the one that says more: an answer, then a wrong identity, then a silence.
fn worse(a: CallError, b: CallError) -> CallError {
    let rank = |e: &CallError| match e {
        CallError::Status { .. } | CallError::Malformed { .. } => 4,
        CallError::Tls { .. } => 3,
        CallError::Timeout { .. } | CallError::Lost { .. } => 2,
        CallError::Refused { .. } => 1,
    };
    if rank(&b) >= rank(&a) { b } else { a }
}
