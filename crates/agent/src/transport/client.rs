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
/// A question that the preferred path has not answered by then is asked over the next one too. Many round trips of a
/// hospital's network; a handshake on every path for every question would cost a move more than this ever does.
const PATIENCE: Duration = Duration::from_millis(30);
/// The same of a question that waits for something to happen.
const PATIENCE_POLL: Duration = Duration::from_secs(1);
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
    /// The other side, which proved who it is, says that another machine has this one's name now. Nothing was carried out.
    #[error("TLS: this machine was replaced by another one")]
    Replaced,
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
            CallError::Refused { .. } | CallError::Tls { .. } | CallError::Replaced => false,
        }
    }
    /// True where the other side answered, if only with an error.
    pub fn answered(&self) -> bool {
        match self {
            CallError::Status { .. } | CallError::Malformed { .. } | CallError::Replaced => true,
            CallError::Refused { .. }
            | CallError::Timeout { .. }
            | CallError::Tls { .. }
            | CallError::Lost { .. } => false,
        }
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
    paths: Vec<Arc<Path>>,
    /// The path that answered last: tried first.
    preferred: AtomicUsize,
    seen: Arc<Mutex<Option<PeerIdentity>>>,
}

struct Path {
    address: SocketAddr,
    tls: Arc<ClientConfig>,
    pins: PinStore,
    /// Each with the key that proved itself when it was made.
    idle: Mutex<Vec<(SendRequest<Body>, Instant, Spki)>>,
    expected: NodeName,
    seen: Arc<Mutex<Option<PeerIdentity>>>,
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
        let seen = Arc::default();
        let path = |address| {
            Arc::new(Path {
                address,
                tls: Arc::clone(&tls),
                pins: pins.clone(),
                idle: Mutex::default(),
                expected: expected.clone(),
                seen: Arc::clone(&seen),
            })
        };
        let paths = paths.into_iter().map(path).collect();
        Ok(Self {
            expected,
            paths,
            preferred: AtomicUsize::new(0),
            seen,
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

    /// One call, over the path that answered last before the others. A GET that is not answered soon is asked over the
    /// other paths too, and the first answer wins; anything else is sent once, over the first path that connects.
    pub async fn call<Req: Serialize + ?Sized, Resp: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&Req>,
        timeout: Duration,
    ) -> Result<Resp, CallError> {
        let message = Message::new(method, path, body)?;
        if message.method == Method::GET {
            self.first_answer(&message, timeout, PATIENCE).await
        } else {
            self.send_once(&message, timeout).await
        }
    }

    /// `GET`: the first answer of any path.
    pub async fn get<Resp: DeserializeOwned>(
        &self,
        path: &str,
        timeout: Duration,
    ) -> Result<Resp, CallError> {
        self.call::<(), Resp>(Method::GET, path, None, timeout)
            .await
    }

    /// `GET` over every path at once, the first answer wins: for a question of life, whose time is too short to try one
    /// path after the other.
    pub async fn get_over_all<Resp: DeserializeOwned>(
        &self,
        path: &str,
        timeout: Duration,
    ) -> Result<Resp, CallError> {
        self.first_answer(&Message::get(path), timeout, Duration::ZERO)
            .await
    }

    /// `GET` of what the other side answers only when something has happened, or its wait is over.
    pub async fn poll<Resp: DeserializeOwned>(
        &self,
        path: &str,
        timeout: Duration,
    ) -> Result<Resp, CallError> {
        self.first_answer(&Message::get(path), timeout, PATIENCE_POLL)
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
            let answer = p.exchange(&message, timeout).await.and_then(decode);
            PathAnswer {
                path: p.address,
                answer,
                took: began.elapsed(),
            }
        };
        futures_util::future::join_all(self.paths.iter().map(|p| ask(p))).await
    }

    /// The paths, the one that answered last first.
    fn order(&self) -> impl Iterator<Item = usize> + use<> {
        let preferred = self.preferred.load(Ordering::Relaxed);
        let known = self.paths.len();
        let first = (preferred < known).then_some(preferred);
        let others = (0..known).filter(move |i| Some(*i) != first);
        first.into_iter().chain(others)
    }

    async fn first_answer<Resp: DeserializeOwned>(
        &self,
        message: &Message,
        timeout: Duration,
        patience: Duration,
    ) -> Result<Resp, CallError> {
        let deadline = Instant::now() + timeout;
        let begin = |i: usize| {
            let (path, message) = (Arc::clone(&self.paths[i]), message.clone());
            let left = deadline.saturating_duration_since(Instant::now());
            // A task of its own: one whose answer comes too late still brings its connection back for the next call.
            tokio::spawn(async move { (i, path.exchange(&message, left).await) })
        };
        let mut order = self.order().peekable();
        let mut asked = FuturesUnordered::new();
        let mut failure = CallError::Refused {
            why: "no address is known".to_owned(),
        };
        asked.extend(order.next().map(begin));
        if patience.is_zero() {
            asked.extend(order.by_ref().map(begin));
        }
        while !asked.is_empty() {
            tokio::select! {
                Some(answered) = asked.next() => match answered {
                    Ok((i, Ok(answer))) => {
                        self.preferred.store(i, Ordering::Relaxed);
                        return decode(answer);
                    }
                    Ok((_, Err(e))) => {
                        failure = worse(failure, e);
                        asked.extend(order.next().map(begin));
                    }
                    Err(broke) => {
                        failure = worse(failure, CallError::Lost { why: broke.to_string() });
                        asked.extend(order.next().map(begin));
                    }
                },
                () = tokio::time::sleep(patience), if order.peek().is_some() => {
                    asked.extend(order.next().map(begin));
                }
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
        let mut failure = CallError::Refused {
            why: "no address is known".to_owned(),
        };
        for i in self.order() {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.paths[i].exchange(message, left).await {
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
}

impl Path {
    /// One request over one path: on a warm connection if there is one, else on a new one.
    async fn exchange(&self, message: &Message, timeout: Duration) -> Result<Answer, CallError> {
        let sent = AtomicBool::new(false);
        let work = async {
            let mut request = message.request(self.address)?;
            while let Some((sender, key)) = self.warm() {
                // `ready` fails where the other side has closed it: then nothing was sent.
                match send(sender, request, &sent).await {
                    Ok((sender, answer)) => return self.keep(sender, key, answer),
                    Err((Some(unsent), _)) => request = *unsent,
                    Err((None, e)) => return Err(e),
                }
            }
            let (sender, key) = self.connect().await?;
            match send(sender, request, &sent).await {
                Ok((sender, answer)) => self.keep(sender, key, answer),
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

    async fn connect(&self) -> Result<(SendRequest<Body>, Spki), CallError> {
        let stream = connect_tls(Arc::clone(&self.tls), self.address).await?;
        let certs = stream.get_ref().1.peer_certificates();
        let cert = certs.and_then(|c| c.first());
        let cert = cert.ok_or_else(|| CallError::Tls {
            why: "no certificate".to_owned(),
        })?;
        let key = Spki::of_cert(cert).map_err(|e| CallError::Tls { why: e.to_string() })?;
        if let Ok(dates) = CertDates::of(cert) {
            let identity = PeerIdentity::look_up(&self.pins, &key, dates, crate::pki::now());
            *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = identity;
        }
        Ok((handshake(stream).await?, key))
    }

    /// Is it still that node's key? It may have been replaced since the connection was made.
    fn is_pinned(&self, key: &Spki) -> bool {
        let pin = self.pins.find(key);
        pin.is_some_and(|p| p.name == self.expected.as_str())
    }

    fn warm(&self) -> Option<(SendRequest<Body>, Spki)> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(sender, since, key)| {
            !sender.is_closed() && since.elapsed() < IDLE && self.is_pinned(key)
        });
        idle.pop().map(|(sender, _, key)| (sender, key))
    }

    /// An answer counts only while its key does.
    fn keep(
        &self,
        sender: SendRequest<Body>,
        key: Spki,
        answer: Answer,
    ) -> Result<Answer, CallError> {
        if !self.is_pinned(&key) {
            return Err(CallError::Tls {
                why: "its key is no longer pinned".to_owned(),
            });
        }
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if !sender.is_closed() && idle.len() < KEEP {
            idle.push((sender, Instant::now(), key));
        }
        Ok(answer)
    }
}

/// Of two failures the one that says more: an answer, then a wrong identity, then a silence.
fn worse(a: CallError, b: CallError) -> CallError {
    let rank = |e: &CallError| match e {
        CallError::Status { .. } | CallError::Malformed { .. } => 4,
        CallError::Replaced => 5,
        CallError::Tls { .. } => 3,
        CallError::Timeout { .. } | CallError::Lost { .. } => 2,
        CallError::Refused { .. } => 1,
    };
    if rank(&b) >= rank(&a) { b } else { a }
}
