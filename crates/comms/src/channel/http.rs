//! One `POST` over HTTP/1.1, with TLS by the system's authorities and the site's own.

use super::{SendError, line};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// The largest answer that is read, bytes.
const LARGEST: usize = 64 * 1024;

/// What is posted.
pub(super) struct Post<'a> {
    pub url: &'a str,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    pub ca_file: Option<&'a Path>,
    pub timeout: Duration,
}

/// An answer, whatever its status.
pub(super) struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
    /// `Retry-After`, where it is a number of seconds.
    pub retry_after: Option<Duration>,
}

/// Posts, and waits for the whole answer.
pub(super) fn post(post: Post<'_>) -> Result<Answer, SendError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| SendError::later(e.to_string()))?;
    let timeout = post.timeout;
    let answer = runtime.block_on(async {
        match tokio::time::timeout(timeout, exchange(post)).await {
            Ok(answer) => answer,
            Err(_) => Err(SendError::later(format!(
                "no answer within {} s",
                timeout.as_secs_f32()
            ))),
        }
    });
    // A name that is still being looked up is not waited for.
    runtime.shutdown_background();
    answer
}

async fn exchange(post: Post<'_>) -> Result<Answer, SendError> {
    let uri: Uri = post
        .url
        .parse()
        .map_err(|_| SendError::never("the web address can't be used"))?;
    let tls = uri.scheme_str() != Some("http");
    let host = uri
        .host()
        .unwrap_or_default()
        .trim_matches(['[', ']'])
        .to_owned();
    let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
    let stream = TcpStream::connect((host.as_str(), port))
        .await
        .map_err(|e| SendError::later(format!("{host}: {e}")))?;
    if !tls {
        return talk(stream, &uri, post).await;
    }
    let config =
        siaga_trust::client_config(post.ca_file).map_err(|e| SendError::later(e.to_string()))?;
    let name = siaga_trust::server_name(&host).map_err(|e| SendError::never(e.to_string()))?;
    let stream = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .map_err(|e| SendError::later(format!("{host}: {e}")))?;
    talk(stream, &uri, post).await
}

async fn talk<S>(stream: S, uri: &Uri, post: Post<'_>) -> Result<Answer, SendError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let broke = |e: &dyn std::error::Error| SendError::later(format!("the connection broke: {e}"));
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|e| broke(&e))?;
    let host = uri.authority().map_or("", |a| a.as_str()).to_owned();
    let path = uri.path_and_query().map_or("/", |p| p.as_str());
    let mut request = Request::post(path)
        .header("host", host)
        .header("content-type", "application/json")
        .header("connection", "close");
    for (name, value) in post.headers {
        request = request.header(name, value);
    }
    let request = request
        .body(Full::new(Bytes::from(post.body)))
        .map_err(|_| SendError::never("the request can't be made"))?;
    let exchange = async {
        let answer = sender.send_request(request).await.map_err(|e| broke(&e))?;
        let status = answer.status().as_u16();
        let retry_after = answer
            .headers()
            .get("retry-after")
            .and_then(|v| v.to_str().ok()?.trim().parse().ok())
            .map(Duration::from_secs);
        let body = Limited::new(answer.into_body(), LARGEST)
            .collect()
            .await
            .map_err(|e| broke(e.as_ref()))?;
        Ok(Answer {
            status,
            body: body.to_bytes().to_vec(),
            retry_after,
        })
    };
    tokio::pin!(exchange);
    tokio::pin!(connection);
    tokio::select! {
        answer = &mut exchange => answer,
        // The connection's end makes the exchange end too, with its answer or with the reason.
        _ = &mut connection => exchange.await,
    }
}

/// What an answer's status means for the delivery.
pub(super) fn judged(answer: &Answer, said: &str) -> Result<(), SendError> {
    let why = match said.is_empty() {
        true => format!("HTTP status {}", answer.status),
        false => format!("HTTP status {}: {}", answer.status, line(said)),
    };
    match (answer.status, answer.retry_after) {
        (200..=299, _) => Ok(()),
        (429 | 500..=599, Some(wait)) => Err(SendError::after(why, wait)),
        (408 | 425 | 429 | 500..=599, _) => Err(SendError::later(why)),
        // A redirection is not followed: the text would go to an address that nobody configured.
        _ => Err(SendError::never(why)),
    }
}
