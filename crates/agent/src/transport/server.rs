//! Serves one router on a unix socket and on TLS addresses. The caller's identity is in each request's extensions
//! (`Caller`), with `RemoteAddress` beside it where it came over the network.

use super::bind::{bind_tcp, bind_unix, tune};
use super::limits::Unidentified;
use super::reply::normalise;
use super::{Caller, Limits, api_error, gate};
use crate::pki::{CertDates, PeerIdentity, PinStore, Spki};
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixListener};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

const BIND_RETRY: Duration = Duration::from_millis(500);
const SHUTDOWN: Duration = Duration::from_secs(2);
/// Where to serve.
pub struct ServerOptions {
    pub unix: Option<UnixOptions>,
    /// Addresses for TLS; need not be there yet.
    pub tcp: Vec<SocketAddr>,
    pub tls: Option<ServerTls>,
    pub limits: Limits,
}

pub struct UnixOptions {
    pub path: PathBuf,
    /// The group that may use the socket without being root, where it exists: `siaga`.
    pub group: String,
}

#[derive(Clone)]
pub struct ServerTls {
    pub config: Arc<rustls::ServerConfig>,
    pub pins: PinStore,
}

/// Where a request over the network came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RemoteAddress(pub SocketAddr);

#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    #[error("another agent answers on {0}")]
    AlreadyServed(PathBuf),
    #[error("can't serve on {path}: {source}")]
    Socket {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("addresses to serve on need TLS")]
    NoTls,
}

impl ServerError {
    /// A stable code for scripts.
    pub fn code(&self) -> &'static str {
        match self {
            ServerError::AlreadyServed(_) => "AGENT_ALREADY_RUNNING",
            ServerError::Socket { .. } => "AGENT_SOCKET",
            ServerError::NoTls => "AGENT_NO_TLS",
        }
    }
}

/// A running server. Dropping it stops it at once; `shutdown` lets requests end.
pub struct Server {
    tasks: JoinSet<()>,
    stop: watch::Sender<bool>,
    bound: watch::Receiver<Vec<SocketAddr>>,
    socket: Option<PathBuf>,
}

impl Server {
    /// Starts serving. The unix socket is served when this returns; network addresses as soon as they can be.
    /// Must be called inside a tokio runtime.
    pub fn start(options: ServerOptions, router: Router) -> Result<Self, ServerError> {
        let (stop, stopped) = watch::channel(false);
        let (bound_tx, bound) = watch::channel(Vec::new());
        let shared = Arc::new(Shared {
            peers: Semaphore::new(options.limits.connections),
            local: Arc::new(Semaphore::new(options.limits.connections)),
            limits: options.limits,
            unidentified: Unidentified::default(),
            router,
            stopped,
        });
        let mut tasks = JoinSet::new();
        let mut socket = None;
        if let Some(unix) = options.unix {
            let listener = bind_unix(&unix)?;
            tasks.spawn(serve_unix(listener, shared.clone()));
            socket = Some(unix.path);
        }
        if !options.tcp.is_empty() {
            let tls = options.tls.ok_or(ServerError::NoTls)?;
            let bound_tx = Arc::new(bound_tx);
            for address in options.tcp {
                tasks.spawn(serve_tcp(
                    address,
                    tls.clone(),
                    shared.clone(),
                    bound_tx.clone(),
                ));
            }
        }
        Ok(Self {
            tasks,
            stop,
            bound,
            socket,
        })
    }

    /// The network addresses that are served now.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.bound.borrow().clone()
    }

    /// Waits until `count` network addresses are served.
    pub async fn wait_bound(&self, count: usize) -> Vec<SocketAddr> {
        let mut bound = self.bound.clone();
        match bound.wait_for(|list| list.len() >= count).await {
            Ok(list) => list.clone(),
            Err(_) => self.addresses(),
        }
    }

    /// Takes no new connections, lets requests in progress end (two seconds at most), and removes the socket.
    pub async fn shutdown(mut self) {
        let _ = self.stop.send(true);
        let _ = tokio::time::timeout(SHUTDOWN, async {
            while self.tasks.join_next().await.is_some() {}
        })
        .await;
        if let Some(path) = &self.socket {
            let _ = std::fs::remove_file(path);
        }
    }
}

struct Shared {
    peers: Semaphore,
    local: Arc<Semaphore>,
    limits: Limits,
    unidentified: Unidentified,
    router: Router,
    stopped: watch::Receiver<bool>,
}

/// Waits until the server is told to stop (or is dropped).
async fn stop(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|s| *s).await;
}

async fn serve_unix(listener: UnixListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    let mut stopped = shared.stopped.clone();
    loop {
        // Beyond the limit callers wait in the kernel's queue.
        let permit = tokio::select! {
            permit = shared.local.clone().acquire_owned() => permit,
            () = stop(&mut stopped) => break,
        };
        let Ok(permit) = permit else { break };
        let stream = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
            () = stop(&mut stopped) => break,
        };
        let stream = match stream {
            Ok((stream, _)) => stream,
            Err(e) => {
                tracing::warn!("accept on the unix socket: {e}");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let shared = shared.clone();
        connections.spawn(async move {
            if let Ok(caller) = Caller::of_unix(&stream) {
                serve(TokioIo::new(stream), Who::Local(caller), &shared).await;
            }
            drop(permit);
        });
    }
    while connections.join_next().await.is_some() {}
}

/// Serves one address. Binds it even where it is not on an interface yet; tries again quietly where that fails.
async fn serve_tcp(
    address: SocketAddr,
    tls: ServerTls,
    shared: Arc<Shared>,
    bound: Arc<watch::Sender<Vec<SocketAddr>>>,
) {
    let mut stopped = shared.stopped.clone();
    let mut told = false;
    let listener = loop {
        match bind_tcp(address) {
            Ok(listener) => break listener,
            Err(e) if !told => {
                tracing::warn!(%address, "can't listen yet, trying again: {e}");
                told = true;
            }
            Err(_) => {}
        }
        tokio::select! {
            () = tokio::time::sleep(BIND_RETRY) => {}
            () = stop(&mut stopped) => return,
        }
    };
    bound.send_modify(|list| list.push(listener.local_addr().unwrap_or(address)));
    let connections = Arc::new(Mutex::new(JoinSet::new()));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop(&mut stopped) => break,
        };
        match accepted {
            Ok((stream, remote)) => spawn_tls(stream, remote, &tls, &shared, &connections),
            Err(e) => {
                tracing::warn!(%address, "accept: {e}");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    let mut connections =
        std::mem::take(&mut *connections.lock().unwrap_or_else(PoisonError::into_inner));
    while connections.join_next().await.is_some() {}
}

fn spawn_tls(
    stream: TcpStream,
    remote: SocketAddr,
    tls: &ServerTls,
    shared: &Arc<Shared>,
    connections: &Mutex<JoinSet<()>>,
) {
    let (tls, task_shared) = (tls.clone(), shared.clone());
    let (id_tx, id_rx) = tokio::sync::oneshot::channel();
    let mut connections = connections.lock().unwrap_or_else(PoisonError::into_inner);
    while connections.try_join_next().is_some() {}
    let task = connections.spawn(async move {
        let Ok(id) = id_rx.await else { return };
        serve_tls(stream, remote, &tls, &task_shared, id).await;
        task_shared.unidentified.remove(id);
    });
    let id = shared
        .unidentified
        .add(task, shared.limits.anonymous_connections);
    let _ = id_tx.send(id);
}

async fn serve_tls(
    stream: TcpStream,
    remote: SocketAddr,
    tls: &ServerTls,
    shared: &Shared,
    id: u64,
) {
    if tune(&stream).is_err() {
        return;
    }
    let handshake = TlsAcceptor::from(tls.config.clone()).accept(stream);
    let stream = match tokio::time::timeout(shared.limits.handshake, handshake).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(e)) => return tracing::debug!(%remote, "TLS: {e}"),
        Err(_) => return tracing::debug!(%remote, "TLS handshake took too long"),
    };
    let cert = stream
        .get_ref()
        .1
        .peer_certificates()
        .and_then(|c| c.first());
    let key = cert.and_then(|c| Some((Spki::of_cert(c).ok()?, CertDates::of(c).ok()?)));
    let who = Who::Network {
        key,
        remote,
        pins: tls.pins.clone(),
    };
    if key.is_none() {
        let serving = serve(TokioIo::new(stream), who, shared);
        let _ = tokio::time::timeout(shared.limits.anonymous_life, serving).await;
        return;
    }
    shared.unidentified.remove(id);
    let Ok(_permit) = shared.peers.try_acquire() else {
        return tracing::warn!(%remote, "more connections of peers and probes than allowed; this one is closed");
    };
    serve(TokioIo::new(stream), who, shared).await;
}

/// Who is at the other end of a connection.
enum Who {
    Local(Caller),
    Network {
        key: Option<(Spki, CertDates)>,
        remote: SocketAddr,
        pins: PinStore,
    },
}

impl Who {
    /// Looked up for every request: a pin that was replaced ends a connection's rights at once.
    fn caller(&self) -> Caller {
        match self {
            Who::Local(caller) => caller.clone(),
            Who::Network { key: None, .. } => Caller::Anonymous,
            Who::Network {
                key: Some((key, dates)),
                pins,
                ..
            } => PeerIdentity::look_up(pins, key, *dates, crate::pki::now())
                .map_or(Caller::Anonymous, Caller::Peer),
        }
    }
    fn is_pinned(&self) -> bool {
        matches!(self, Who::Network { key: Some(_), .. })
    }
}

async fn serve<I: AsyncRead + AsyncWrite + Unpin>(io: TokioIo<I>, who: Who, shared: &Shared) {
    let limits = &shared.limits;
    let patience = if who.is_pinned() {
        limits.peer_idle
    } else {
        limits.header_read
    };
    let service = service_fn(|request| answer(request, &who, shared));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience)
        .max_headers(limits.headers)
        .max_header_size(limits.header_size)
        .max_buf_size((limits.header_size * 2).max(64 << 10))
        .serve_connection(io, service);
    let mut connection = std::pin::pin!(connection);
    let mut stopped = shared.stopped.clone();
    let ended = tokio::select! {
        result = connection.as_mut() => Some(result),
        () = stop(&mut stopped) => None,
    };
    let result = match ended {
        Some(result) => result,
        None => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(e) = result {
        tracing::debug!("a connection ended: {e}");
    }
}

async fn answer(
    request: Request<Incoming>,
    who: &Who,
    shared: &Shared,
) -> Result<Response<Body>, Infallible> {
    let caller = who.caller();
    let anonymous = caller == Caller::Anonymous;
    let mut response = match take_in(request, caller, who, &shared.limits).await {
        Ok(request) => {
            let handled = shared.router.clone().oneshot(request);
            match tokio::time::timeout(shared.limits.handler, handled).await {
                Ok(Ok(response)) => normalise(response).await,
                Err(_) => api_error(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "TIMEOUT",
                    "the agent took too long",
                ),
            }
        }
        Err(refusal) => *refusal,
    };
    if anonymous {
        response
            .headers_mut()
            .insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}

/// Checks the caller's right to ask, then reads the whole body within its bounds.
async fn take_in(
    request: Request<Incoming>,
    caller: Caller,
    who: &Who,
    limits: &Limits,
) -> Result<Request<Body>, Box<Response<Body>>> {
    if let Some(refusal) = gate::refuse(&caller, request.method(), request.uri().path()) {
        return Err(Box::new(refusal));
    }
    let most = limits.body_of(request.uri().path(), caller == Caller::Anonymous);
    let (mut parts, body) = request.into_parts();
    // A length that is said beforehand is refused before anything is read.
    if body.size_hint().lower() > most as u64 {
        return Err(Box::new(too_large(most)));
    }
    let read = Limited::new(body, most).collect();
    let bytes = match tokio::time::timeout(limits.body_read, read).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(e)) => return Err(Box::new(body_error(e.as_ref(), most))),
        Err(_) => {
            return Err(Box::new(closing(
                StatusCode::REQUEST_TIMEOUT,
                "SLOW_BODY",
                "the body came too slowly",
            )));
        }
    };
    if let Who::Network { remote, .. } = who {
        parts.extensions.insert(RemoteAddress(*remote));
    }
    parts.extensions.insert(caller);
    Ok(Request::from_parts(parts, Body::from(bytes)))
}

fn body_error(e: &(dyn std::error::Error + 'static), most: usize) -> Response<Body> {
    if e.is::<LengthLimitError>() {
        return too_large(most);
    }
    closing(StatusCode::BAD_REQUEST, "MALFORMED_BODY", &e.to_string())
}

fn too_large(most: usize) -> Response<Body> {
    closing(
        StatusCode::PAYLOAD_TOO_LARGE,
        "TOO_LARGE",
        &format!("the body is larger than {most} bytes"),
    )
}

/// An error after which the rest of the request is not read: the connection ends.
fn closing(status: StatusCode, code: &str, message: &str) -> Response<Body> {
    let mut response = api_error(status, code, message);
    response
        .headers_mut()
        .insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}
