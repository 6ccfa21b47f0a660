//! One HTTP request over one connection: what peers', joiners' and local calls have in common.

use super::bind::tune;
use super::client::CallError;
use crate::pki::PkiError;
use axum::http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use serde::Serialize;
use serde::de::DeserializeOwned;
use siaga_model::api::ApiError;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

const CONNECT: Duration = Duration::from_secs(1);
/// Answers may be larger than requests: a page of events.
const ANSWER: usize = 32 << 20;

pub(super) type Body = Full<Bytes>;

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
        send(sender, request, &sent)
            .await
            .map_err(|(_, e)| e)
            .and_then(|(_, answer)| decode(answer))
    };
    let after_ms = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
    let late = CallError::Timeout {
        after_ms,
        sent: false,
    };
    match tokio::time::timeout(timeout, work).await {
        Ok(result) => result,
        Err(_) if sent.load(Ordering::Relaxed) => Err(CallError::Timeout {
            after_ms,
            sent: true,
        }),
        Err(_) => Err(late),
    }
}

pub(super) async fn connect_tls(
    tls: Arc<ClientConfig>,
    address: SocketAddr,
) -> Result<tokio_rustls::client::TlsStream<TcpStream>, CallError> {
    let refused = |e: std::io::Error| CallError::Refused {
        why: format!("{address}: {e}"),
    };
    let stream = match tokio::time::timeout(CONNECT, TcpStream::connect(address)).await {
        Ok(stream) => stream.map_err(refused)?,
        Err(_) => {
            return Err(CallError::Refused {
                why: format!("{address}: no connection within {CONNECT:?}"),
            });
        }
    };
    tune(&stream).map_err(refused)?;
    // The name is not looked at: the verifier knows the key.
    let name = ServerName::IpAddress(address.ip().into());
    TlsConnector::from(tls)
        .connect(name, stream)
        .await
        .map_err(|e| match tls_cause(&e) {
            Some(why) => CallError::Tls {
                why: format!("{address}: {why}"),
            },
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
    body.map(|b| (status, b.to_bytes()))
        .map_err(|e| CallError::Lost { why: e.to_string() })
}

/// A refusal of our certificate arrives only with the first read (TLS 1.3): the request was not carried out. By then the
/// other side has proved its own key, so that what it says of ours is its word and nobody else's.
fn broken(e: &hyper::Error, unsent: bool) -> CallError {
    match tls_cause(e) {
        Some(rustls::Error::AlertReceived(rustls::AlertDescription::CertificateRevoked)) => {
            CallError::Replaced
        }
        Some(cause) if refuses_us(cause) => CallError::Tls {
            why: cause.to_string(),
        },
        _ if unsent => CallError::Refused { why: e.to_string() },
        _ => CallError::Lost { why: e.to_string() },
    }
}

/// The other side's word that it does not take our certificate.
fn refuses_us(e: &rustls::Error) -> bool {
    use rustls::AlertDescription as Alert;
    let rustls::Error::AlertReceived(alert) = e else {
        return false;
    };
    matches!(
        *alert,
        Alert::BadCertificate
            | Alert::CertificateUnknown
            | Alert::UnknownCA
            | Alert::AccessDenied
            | Alert::CertificateRequired
            | Alert::HandshakeFailure
    )
}

/// What rustls says, wherever it is in the chain of causes.
fn tls_cause<'a>(e: &'a (dyn std::error::Error + 'static)) -> Option<&'a rustls::Error> {
    let mut next = Some(e);
    while let Some(e) = next {
        if let Some(tls) = e.downcast_ref::<rustls::Error>() {
            return Some(tls);
        }
        // An io::Error keeps what it was made of beside `source`.
        if let Some(tls) = e
            .downcast_ref::<std::io::Error>()
            .and_then(|io| io.get_ref()?.downcast_ref::<rustls::Error>())
        {
            return Some(tls);
        }
        next = e.source();
    }
    None
}

#[derive(Clone)]
pub(super) struct Message {
    pub(super) method: Method,
    path: String,
    body: Bytes,
}

impl Message {
    pub(super) fn get(path: &str) -> Self {
        Self {
            method: Method::GET,
            path: path.to_owned(),
            body: Bytes::new(),
        }
    }

    pub(super) fn new<Req: Serialize + ?Sized>(
        method: Method,
        path: &str,
        body: Option<&Req>,
    ) -> Result<Self, CallError> {
        let body = match body {
            Some(body) => serde_json::to_vec(body)
                .map_err(|e| CallError::Refused { why: e.to_string() })?
                .into(),
            None => Bytes::new(),
        };
        Ok(Self {
            method,
            path: path.to_owned(),
            body,
        })
    }

    pub(super) fn request(&self, host: impl std::fmt::Display) -> Result<Request<Body>, CallError> {
        let mut request = Request::builder()
            .method(&self.method)
            .uri(&self.path)
            .header(header::HOST, host.to_string());
        if !self.body.is_empty() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        request
            .body(Full::new(self.body.clone()))
            .map_err(|e| CallError::Refused { why: e.to_string() })
    }
}

/// The JSON of an answer, or the error that it is.
pub(super) fn decode<Resp: DeserializeOwned>((status, bytes): Answer) -> Result<Resp, CallError> {
    if !status.is_success() {
        let error = serde_json::from_slice(&bytes).unwrap_or_else(|_| ApiError {
            code: "FAILED".to_owned(),
            message: status.to_string(),
            problem: None,
        });
        return Err(CallError::Status {
            status: status.as_u16(),
            error,
        });
    }
    // No body is `()`.
    let text: &[u8] = if bytes.is_empty() { b"null" } else { &bytes };
    serde_json::from_slice(text).map_err(|e| CallError::Malformed { why: e.to_string() })
}
