//! What one caller may use, so that no caller can starve the others.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::AbortHandle;

/// Bounds of the server. Sizes in bytes.
#[derive(Clone, Debug)]
pub struct Limits {
    /// A request's body.
    pub body: usize,
    /// Other bounds for some paths, by prefix: `("/v1/events", 8 MiB)`.
    pub body_for: Vec<(String, usize)>,
    /// A request's body from somebody without an identity.
    pub anonymous_body: usize,
    pub header_size: usize,
    pub headers: usize,
    /// Connections of pinned peers and probes; also, apart from these, of local people.
    pub connections: usize,
    /// TLS connections that have not shown an identity. When there are more, the oldest is closed.
    pub anonymous_connections: usize,
    pub handshake: Duration,
    /// How long an unidentified or local caller may take to send a request's headers (also the first ones).
    pub header_read: Duration,
    /// How long a pinned peer's connection may lie idle. Clients let go earlier, so that none is cut in use.
    pub peer_idle: Duration,
    pub body_read: Duration,
    /// How long a handler may take: a recovery of the database can take long, and is never cut off half-way here.
    pub handler: Duration,
    /// A whole connection without identity.
    pub anonymous_life: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 1 << 20,
            body_for: Vec::new(),
            anonymous_body: 16 << 10,
            header_size: 16 << 10,
            headers: 64,
            connections: 64,
            anonymous_connections: 32,
            handshake: Duration::from_secs(5),
            header_read: Duration::from_secs(5),
            peer_idle: Duration::from_secs(300),
            body_read: Duration::from_secs(10),
            handler: Duration::from_secs(3600),
            anonymous_life: Duration::from_secs(30),
        }
    }
}

impl Limits {
    /// The bound of a body for this path.
    pub fn body_of(&self, path: &str, anonymous: bool) -> usize {
        if anonymous {
            return self.anonymous_body;
        }
        let special = self
            .body_for
            .iter()
            .find(|(prefix, _)| path.starts_with(prefix.as_str()));
        special.map_or(self.body, |(_, size)| *size)
    }
}

/// Connections that have not shown an identity. A flood of them closes the oldest ones, never the door: a peer's
/// handshake takes milliseconds and gets through.
#[derive(Clone, Debug, Default)]
pub(super) struct Unidentified {
    inner: Arc<Mutex<UnidentifiedInner>>,
}

#[derive(Debug, Default)]
struct UnidentifiedInner {
    next: u64,
    open: VecDeque<(u64, AbortHandle)>,
}

impl Unidentified {
    /// Adds a connection's task; closes the oldest where there are more than `most`.
    pub fn add(&self, task: AbortHandle, most: usize) -> u64 {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let id = inner.next;
        inner.next += 1;
        inner.open.push_back((id, task));
        while inner.open.len() > most {
            if let Some((_, oldest)) = inner.open.pop_front() {
                oldest.abort();
            }
        }
        id
    }
    /// It has an identity now, or it is over.
    pub fn remove(&self, id: u64) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.open.retain(|(i, _)| *i != id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paths_own_bound_is_used_but_not_for_strangers() {
        let limits = Limits {
            body_for: vec![("/v1/events".into(), 9 << 20)],
            ..Limits::default()
        };
        assert_eq!(limits.body_of("/v1/events/copy", false), 9 << 20);
        assert_eq!(limits.body_of("/v1/moves", false), 1 << 20);
        assert_eq!(limits.body_of("/v1/events", true), 16 << 10);
    }
}
