//! Asks the local agent over its unix socket: one HTTP/1.1 request per connection, JSON both ways.
//!
//! The calls look blocking to the verbs. Inside they run on a current-thread runtime, which costs next to nothing to
//! start and lets a long poll tick the screen and notice Ctrl-C.

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use siaga_model::Why;
use siaga_model::api::ApiError;
use std::cell::RefCell;
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::net::UnixStream;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The largest answer that is read, in bytes. A log's export is the largest there is.
const LARGEST: usize = 256 * 1024 * 1024;

/// How often a waiting call redraws the screen.
const TICK: Duration = Duration::from_millis(200);

/// The way to the local agent.
pub struct Client {
    runtime: Runtime,
    socket: PathBuf,
    /// Ctrl-C, from the first wait on that looks for it: one stream for all waits, so that none between two is lost.
    interrupts: RefCell<Option<Signal>>,
}

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// Nobody listens at the socket.
    #[error("no agent at {}: {source}", socket.display())]
    NotReachable { socket: PathBuf, source: io::Error },
    /// The socket is there, and this account may not use it.
    #[error("no permission for {}", socket.display())]
    NotPermitted { socket: PathBuf },
    /// The agent took the request and did not answer in time, or closed the connection.
    #[error("the agent did not answer: {why:?}")]
    Silent { why: Why },
    /// The agent answered with an error.
    #[error("{}: {}", error.code, error.message)]
    Api { status: u16, error: ApiError },
    /// The answer is not what this version understands.
    #[error("the agent's answer is not understood: {why}")]
    Malformed { why: String },
    /// Something on this side.
    #[error("{what}: {source}")]
    Local {
        what: &'static str,
        source: io::Error,
    },
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
}

impl CallError {
    /// True where the agent may be starting again: asking once more can help.
    pub fn may_pass(&self) -> bool {
        matches!(
            self,
            CallError::NotReachable { .. } | CallError::Silent { .. }
        )
    }
}

impl Client {
    /// A client of the agent at `socket`. Nothing is connected yet.
    ///
    /// # Errors
    /// [`CallError::Local`] where the kernel refuses what a runtime needs.
    pub fn new(socket: &Path) -> Result<Self, CallError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|source| CallError::Local {
                what: "runtime",
                source,
            })?;
        Ok(Self {
            runtime,
            socket: socket.to_owned(),
            interrupts: RefCell::default(),
        })
    }

    /// `GET path`, answered within `wait`.
    ///
    /// # Errors
    /// See [`CallError`].
    pub fn get<A: DeserializeOwned>(&self, path: &str, wait: Duration) -> Result<A, CallError> {
        let call = self.call(Method::GET, path, Vec::new(), wait);
        let watched = self.interrupts.borrow().is_some();
        if watched {
            self.or_interrupted(call)
        } else {
            self.runtime.block_on(call)
        }
    }

    /// `POST path` with a JSON body, answered within `wait`. An order that may have been taken is waited for: where a
    /// wait has looked for Ctrl-C before, the signal counts after the answer.
    ///
    /// # Errors
    /// See [`CallError`].
    pub fn post<B: Serialize, A: DeserializeOwned>(
        &self,
        path: &str,
        body: &B,
        wait: Duration,
    ) -> Result<A, CallError> {
        let body =
            serde_json::to_vec(body).map_err(|e| CallError::Malformed { why: e.to_string() })?;
        self.runtime
            .block_on(self.call(Method::POST, path, body, wait))
    }

    /// A long poll: `tick` is called while it waits, and Ctrl-C ends it with [`CallError::Interrupted`].
    ///
    /// # Errors
    /// See [`CallError`].
    pub fn get_ticking<A: DeserializeOwned>(
        &self,
        path: &str,
        wait: Duration,
        mut tick: impl FnMut(),
    ) -> Result<A, CallError> {
        self.or_interrupted(async {
            let call = self.call(Method::GET, path, Vec::new(), wait);
            tokio::pin!(call);
            let mut ticks = tokio::time::interval(TICK);
            loop {
                tokio::select! {
                    answer = &mut call => return answer,
                    _ = ticks.tick() => tick(),
                }
            }
        })
    }

    /// Waits for a moment; Ctrl-C ends it with [`CallError::Interrupted`].
    ///
    /// # Errors
    /// [`CallError::Interrupted`].
    pub fn pause(&self, time: Duration) -> Result<(), CallError> {
        self.or_interrupted(async {
            tokio::time::sleep(time).await;
            Ok(())
        })
    }

    /// Waits until a terminal has a line to read; Ctrl-C ends it with [`CallError::Interrupted`]. Once a wait has
    /// looked for Ctrl-C, the signal no longer ends the program by itself, so every wait has to look for it.
    ///
    /// # Errors
    /// [`CallError::Interrupted`], or [`CallError::Local`] where the descriptor can't be watched.
    pub fn wait_readable(&self, terminal: &impl AsFd) -> Result<(), CallError> {
        let local = |source| CallError::Local {
            what: "terminal",
            source,
        };
        let own = terminal.as_fd().try_clone_to_owned().map_err(local)?;
        self.or_interrupted(async {
            // SAFETY: an `OwnedFd` always names the same open descriptor, and lives as long as the registration.
            let watched = unsafe { AsyncFd::register_with_interest(own, Interest::READABLE) };
            let watched = watched.map_err(|e| local(e.into()))?;
            watched.readable().await.map(drop).map_err(local)
        })
    }

    /// Waits for what is given, or for Ctrl-C.
    fn or_interrupted<T>(
        &self,
        work: impl Future<Output = Result<T, CallError>>,
    ) -> Result<T, CallError> {
        // Taken out while it is waited for: nothing else of this client runs meanwhile.
        let kept = self.interrupts.take();
        self.runtime.block_on(async {
            let mut interrupts = match kept {
                Some(stream) => stream,
                None => signal(SignalKind::interrupt()).map_err(|source| CallError::Local {
                    what: "signals",
                    source,
                })?,
            };
            let done = tokio::select! {
                done = work => done,
                _ = interrupts.recv() => Err(CallError::Interrupted),
            };
            self.interrupts.replace(Some(interrupts));
            done
        })
    }

    async fn call<A: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
        wait: Duration,
    ) -> Result<A, CallError> {
        match tokio::time::timeout(wait, self.exchange(method, path, body)).await {
            Ok(answer) => answer.and_then(|(status, bytes)| understand(status, &bytes)),
            Err(_) => Err(CallError::Silent {
                why: Why::NoAnswerWithin {
                    ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
                },
            }),
        }
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
    ) -> Result<(StatusCode, Bytes), CallError> {
        let stream = UnixStream::connect(&self.socket)
            .await
            .map_err(|source| self.unreachable(source))?;
        let silent = |e: &dyn std::error::Error| CallError::Silent {
            why: Why::system(e),
        };
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|e| silent(&e))?;
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "localhost")
            .header("content-type", "application/json")
            .header("connection", "close")
            .body(Full::new(Bytes::from(body)))
            .map_err(|e| CallError::Malformed { why: e.to_string() })?;
        let talk = async {
            let answer = sender.send_request(request).await.map_err(|e| silent(&e))?;
            let status = answer.status();
            let bytes = Limited::new(answer.into_body(), LARGEST)
                .collect()
                .await
                .map_err(|e| CallError::Silent {
                    why: Why::system(e),
                })?;
            Ok((status, bytes.to_bytes()))
        };
        tokio::pin!(talk);
        tokio::pin!(connection);
        tokio::select! {
            answer = &mut talk => answer,
            // The connection's end makes `talk` end too, with its answer or with the reason.
            _ = &mut connection => talk.await,
        }
    }

    fn unreachable(&self, source: io::Error) -> CallError {
        let socket = self.socket.clone();
        match source.kind() {
            io::ErrorKind::PermissionDenied => CallError::NotPermitted { socket },
            _ => CallError::NotReachable { socket, source },
        }
    }
}

/// An answer with an error's status is the error; some answers (a refusal) carry such a status and are answers still.
fn understand<A: DeserializeOwned>(status: StatusCode, bytes: &[u8]) -> Result<A, CallError> {
    let malformed = |e: serde_json::Error| CallError::Malformed { why: e.to_string() };
    if status.is_success() {
        return serde_json::from_slice(bytes).map_err(malformed);
    }
    if let Ok(error) = serde_json::from_slice::<ApiError>(bytes) {
        return Err(CallError::Api {
            status: status.as_u16(),
            error,
        });
    }
    serde_json::from_slice(bytes).map_err(|_| CallError::Api {
        status: status.as_u16(),
        error: ApiError {
            code: format!("HTTP_{}", status.as_u16()),
            message: status.to_string(),
            problem: None,
        },
    })
}

/// A value as it may stand in a path or query: everything but letters, digits and `-._~` percent-encoded.
pub fn encoded(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                text.push(char::from(byte))
            }
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}
