//! Calls to another agent over every path there is, on warm connections.
//!
//! What may have been sent is never sent again by itself: a caller that gets `outcome_unknown` looks again.

use super::server::tune;
use super::tls;
use crate::pki::{CertDates, PeerIdentity, PinStore, PkiError, Spki};
use axum::http::{Method, Request, StatusCode, header};
use futures_util::stream::{FuturesUnordered, StreamExt};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use serde::Serialize;
use serde::de::DeserializeOwned;
use siaga_model::NodeName;
use siaga_model::api::ApiError;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Warm connections kept per path: one for orders, one for questions, one for a long poll.
const KEEP: usize = 3;
/// Let go before the server would (`Limits::peer_idle`).
const IDLE: Duration = Duration::from_secs(120);
const CONNECT: Duration = Duration::from_secs(1);
/// Answers may be larger than requests: a page of events.
const ANSWER: usize = 32 << 20;

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
            CallError::Refused { .. } | CallError::Tls { .. } | CallError::Status { .. } => false,
        }
    }
    /// True where the other side answered, if only with an error.
    pub fn answered(&self) -> bool {
        matches!(self, CallError::Status { .. } | CallError::Malformed { .. })
    }
}

pub(super) type Body = Full<Bytes>;

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
        let paths = paths.into_iter().map(|address| Path { address, idle: Mutex::default() }).collect();
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
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
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
    pub async fn get<Resp: DeserializeOwned>(&self, path: &str, timeout: Duration) -> Result<Resp, CallError> {
        self.call::<(), Resp>(Method::GET, path, None, timeout).await
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
        let message = Message { method: Method::GET, path: path.to_owned(), body: Bytes::new() };
        let ask = async |p: &Path| {
            let began = Instant::now();
            let answer = self.exchange(p, &message, timeout).await.and_then(decode);
            PathAnswer { path: p.address, answer, took: began.elapsed() }
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
        let mut failure = CallError::Refused { why: "no address is known".to_owned() };
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
        let preferred = self.preferred.load(Ordering::Relaxed).min(self.paths.len().saturating_sub(1));
        let others = (0..self.paths.len()).filter(|i| *i != preferred);
        let mut failure = CallError::Refused { why: "no address is known".to_owned() };
        for i in self.paths.get(preferred).map(|_| preferred).into_iter().chain(others) {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.exchange(&self.paths[i], message, left).await {
                Ok(answer) => {
                    self.preferred.store(i, Ordering::Relaxed);
                    return decode(answer);
                }
                Err(e) if e.outcome_unknown() => {
                    // Whatever comes next had better try another path first.
                    self.preferred.store((i + 1) % self.paths.len(), Ordering::Relaxed);
                    return Err(e);
                }
                Err(e) => failure = worse(failure, e),
            }
        }
        Err(failure)
    }

    /// One request over one path: on a warm connection if there is one, else on a new one.
    async fn exchange(&self, path: &Path, message: &Message, timeout: Duration) -> Result<Answer, CallError> {
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
            Err(_) => Err(CallError::Timeout { after_ms, sent: sent.load(Ordering::Relaxed) }),
        }
    }

    async fn connect(&self, address: SocketAddr) -> Result<SendRequest<Body>, CallError> {
        let stream = connect_tls(self.tls.clone(), address).await?;
        if let Some(cert) = stream.get_ref().1.peer_certificates().and_then(|c| c.first())
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

/// One `POST` on a connection of its own. Used to join.
pub(crate) async fn one_shot<Req: Serialize, Resp: DeserializeOwned>(
    tls: Result<Arc<ClientConfig>, PkiError>,
    address: SocketAddr,
    path: &str,
    body: &Req,
    timeout: Duration,
) -> Result<Resp, CallError> {
    let tls = tls.map_err(|e| CallError::Tls { why: e.to_string() })?;
    let message = Message::new(Method::POST, path, Some(body))?;
    let sent = AtomicBool::new(false);
    let work = async {
        let sender = handshake(connect_tls(tls, address).await?).await?;
        let request = message.request(address)?;
        send(sender, request, &sent).await.map_err(|(_, e)| e).and_then(|(_, answer)| decode(answer))
    };
    let after_ms = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
    let late = CallError::Timeout { after_ms, sent: false };
    match tokio::time::timeout(timeout, work).await {
        Ok(result) => result,
        Err(_) if sent.load(Ordering::Relaxed) => Err(CallError::Timeout { after_ms, sent: true }),
        Err(_) => Err(late),
    }
}

async fn connect_tls(
    tls: Arc<ClientConfig>,
    address: SocketAddr,
) -> Result<tokio_rustls::client::TlsStream<TcpStream>, CallError> {
    let refused = |e: std::io::Error| CallError::Refused { why: format!("{address}: {e}") };
    let stream = match tokio::time::timeout(CONNECT, TcpStream::connect(address)).await {
        Ok(stream) => stream.map_err(refused)?,
        Err(_) => return Err(CallError::Refused { why: format!("{address}: no connection within {CONNECT:?}") }),
    };
    tune(&stream).map_err(refused)?;
    // The name is not looked at: the verifier knows the key.
    let name = ServerName::IpAddress(address.ip().into());
    TlsConnector::from(tls).connect(name, stream).await.map_err(|e| match tls_cause(&e) {
        Some(why) => CallError::Tls { why: format!("{address}: {why}") },
        None => refused(e),
    })
}

/// The HTTP handshake; the connection is driven by a task of its own, which ends with it.
pub(super) async fn handshake<I>(io: I) -> Result<SendRequest<Body>, CallError>
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = http1::handshake::<_, Body>(TokioIo::new(io))
        .await
        .map_err(|e| CallError::Refused { why: e.to_string() })?;
    tokio::spawn(async move {
        if let Err(e) = connection.await {
            tracing::debug!("a connection to an agent ended: {e}");
        }
    });
    Ok(sender)
}

pub(super) type Answer = (StatusCode, Bytes);
type Unsent = (Option<Box<Request<Body>>>, CallError);

/// Sends one request and reads the whole answer. The request comes back where it certainly was not sent.
pub(super) async fn send(
    mut sender: SendRequest<Body>,
    request: Request<Body>,
    sent: &AtomicBool,
) -> Result<(SendRequest<Body>, Answer), Unsent> {
    if let Err(e) = sender.ready().await {
        let error = CallError::Refused { why: e.to_string() };
        return Err((Some(Box::new(request)), error));
    }
    sent.store(true, Ordering::Relaxed);
    let response = match sender.try_send_request(request).await {
        Ok(response) => response,
        Err(mut e) => {
            let unsent = e.take_message().map(Box::new);
            let error = broken(e.error(), unsent.is_some());
            sent.store(error.outcome_unknown(), Ordering::Relaxed);
            return Err((unsent, error));
        }
    };
    match read(response).await {
        Ok(answer) => Ok((sender, answer)),
        Err(e) => Err((None, e)),
    }
}

async fn read(response: hyper::Response<Incoming>) -> Result<Answer, CallError> {
    let status = response.status();
    let body = Limited::new(response.into_body(), ANSWER).collect().await;
    body.map(|b| (status, b.to_bytes())).map_err(|e| CallError::Lost { why: e.to_string() })
}

/// A refusal of our certificate arrives only with the first read (TLS 1.3): the request was not carried out.
fn broken(e: &hyper::Error, unsent: bool) -> CallError {
    match tls_cause(e) {
        Some(why) => CallError::Tls { why },
        None if unsent => CallError::Refused { why: e.to_string() },
        None => CallError::Lost { why: e.to_string() },
    }
}

/// What rustls says, wherever it is in the chain of causes.
fn tls_cause(e: &(dyn std::error::Error + 'static)) -> Option<String> {
    let mut next = Some(e);
    while let Some(e) = next {
        if let Some(tls) = e.downcast_ref::<rustls::Error>() {
            return Some(tls.to_string());
        }
        // An io::Error keeps what it was made of beside `source`.
        if let Some(tls) = e.downcast_ref::<std::io::Error>().and_then(|io| io.get_ref()?.downcast_ref::<rustls::Error>())
        {
            return Some(tls.to_string());
        }
        next = e.source();
    }
    None
}

pub(super) struct Message {
    method: Method,
    path: String,
    body: Bytes,
}

impl Message {
    pub(super) fn new<Req: Serialize + ?Sized>(
        method: Method,
        path: &str,
        body: Option<&Req>,
    ) -> Result<Self, CallError> {
        let body = match body {
            Some(body) => serde_json::to_vec(body).map_err(|e| CallError::Refused { why: e.to_string() })?.into(),
            None => Bytes::new(),
        };
        Ok(Self { method, path: path.to_owned(), body })
    }

    pub(super) fn request(&self, host: impl std::fmt::Display) -> Result<Request<Body>, CallError> {
        let mut request = Request::builder().method(&self.method).uri(&self.path).header(header::HOST, host.to_string());
        if !self.body.is_empty() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        request.body(Full::new(self.body.clone())).map_err(|e| CallError::Refused { why: e.to_string() })
    }
}

/// The JSON of an answer, or the error that it is.
pub(super) fn decode<Resp: DeserializeOwned>((status, bytes): Answer) -> Result<Resp, CallError> {
    if !status.is_success() {
        let error = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| ApiError { code: "FAILED".to_owned(), message: status.to_string() });
        return Err(CallError::Status { status: status.as_u16(), error });
    }
    // No body is `()`.
    let text: &[u8] = if bytes.is_empty() { b"null" } else { &bytes };
    serde_json::from_slice(text).map_err(|e| CallError::Malformed { why: e.to_string() })
}
