//! Calls to the own agent through its unix socket: what the command line uses.

use super::client::CallError;
use super::wire::{Message, decode, handshake, send};
use axum::http::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::UnixStream;

/// The own agent. A connection per call.
#[derive(Clone, Debug)]
pub struct UnixClient {
    path: PathBuf,
}

impl UnixClient {
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// One call.
    ///
    /// # Errors
    /// `Refused` where no agent answers or this user may not ask it (exit code 6 of the command line).
    pub async fn call<Req: Serialize + ?Sized, Resp: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&Req>,
        timeout: Duration,
    ) -> Result<Resp, CallError> {
        let message = Message::new(method, path, body)?;
        let sent = AtomicBool::new(false);
        let work = async {
            let stream = UnixStream::connect(&self.path)
                .await
                .map_err(|e| self.refused(&e))?;
            let sender = handshake(stream).await?;
            let request = message.request("siaga")?;
            send(sender, request, &sent)
                .await
                .map_err(|(_, e)| e)
                .and_then(|(_, answer)| decode(answer))
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

    /// `call`, for programs without a runtime. Must not be called inside one.
    pub fn call_blocking<Req: Serialize + ?Sized, Resp: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&Req>,
        timeout: Duration,
    ) -> Result<Resp, CallError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| CallError::Refused { why: e.to_string() })?;
        runtime.block_on(self.call(method, path, body, timeout))
    }

    fn refused(&self, e: &std::io::Error) -> CallError {
        let path = self.path.display();
        let why = match e.kind() {
            ErrorKind::NotFound | ErrorKind::ConnectionRefused => {
                format!("no agent answers on {path}")
            }
            ErrorKind::PermissionDenied => {
                format!(
                    "{path}: permission denied; this needs root or membership in the group siaga"
                )
            }
            _ => format!("{path}: {e}"),
        };
        CallError::Refused { why }
    }
}
