//! What the agent serves without TLS to whoever has no identity: the page for acknowledgements, and its numbers. Few at
//! once, each for a moment, and not more than a machine bears.

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// How many ask at the same time.
const AT_ONCE: usize = 16;
/// A connection's whole life.
const LIFE: Duration = Duration::from_secs(10);
/// How many requests are answered in a burst, and how many a second after it.
const BURST: f64 = 60.0;
const A_SECOND: f64 = 10.0;
/// Where the address can't be had yet.
const BIND_RETRY: Duration = Duration::from_secs(5);

/// A whole answer.
pub type Answer = Response<Full<Bytes>>;

/// Waits until the address can be had. `what` is for the log.
pub async fn bound(address: SocketAddr, what: &str) -> TcpListener {
    loop {
        match TcpListener::bind(address).await {
            Ok(listener) => return listener,
            Err(error) => tracing::warn!(%address, %error, "{what} can't be served yet"),
        }
        tokio::time::sleep(BIND_RETRY).await;
    }
}

/// Answers each request, one a connection; `busy` is said to who comes when there were too many. Never ends.
pub async fn serve<F>(
    listener: TcpListener,
    busy: impl Fn() -> Answer + Send + Sync + 'static,
    answer: impl Fn(Request<Incoming>) -> F + Send + Sync + 'static,
) where
    F: Future<Output = Answer> + Send + 'static,
{
    let room = Arc::new(Semaphore::new(AT_ONCE));
    let served = Arc::new((Mutex::new(Pace::new(Instant::now())), busy, answer));
    loop {
        let Ok(permit) = room.clone().acquire_owned().await else {
            return;
        };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(_) => {
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let served = served.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| {
                let served = served.clone();
                async move {
                    let (pace, busy, answer) = &*served;
                    let takes = {
                        let mut pace = pace.lock().unwrap_or_else(PoisonError::into_inner);
                        pace.takes(Instant::now())
                    };
                    Ok::<_, Infallible>(match takes {
                        true => answer(request).await,
                        false => busy(),
                    })
                }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(Duration::from_secs(5))
                .keep_alive(false)
                .max_headers(64)
                .serve_connection(TokioIo::new(stream), service);
            let _ = tokio::time::timeout(LIFE, connection).await;
            drop(permit);
        });
    }
}

/// So many at once, and then so many a second. Behind a proxy everybody has one address, so it counts for all.
struct Pace {
    left: f64,
    at: Instant,
}

impl Pace {
    fn new(at: Instant) -> Self {
        Self { left: BURST, at }
    }

    fn takes(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.left = (self.left + passed * A_SECOND).min(BURST);
        self.at = now;
        let takes = self.left >= 1.0;
        if takes {
            self.left -= 1.0;
        }
        takes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_answered_and_a_flood_is_not() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        let many = (0..200).filter(|_| pace.takes(start)).count();
        assert_eq!(many, 60);
        let later = start + Duration::from_secs(1);
        assert_eq!((0..200).filter(|_| pace.takes(later)).count(), 10);
    }
}
