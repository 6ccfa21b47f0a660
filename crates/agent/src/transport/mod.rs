//! How agents, people and probes reach each other: one HTTP/1.1 JSON API, on a unix socket for local people and
//! over mutual TLS 1.3 for peers and probes.

mod bind;
pub mod client;
pub mod gate;
pub mod limits;
pub mod peercred;
pub mod pki_routes;
pub mod reply;
pub mod server;
pub mod tls;
pub(crate) mod wire;

pub use client::{CallError, PathAnswer, PeerClient};
pub use limits::Limits;
pub use peercred::Caller;
pub use reply::{ApiJson, api_error};
pub use server::{RemoteAddress, Server, ServerError, ServerOptions, ServerTls, UnixOptions};
pub use tls::LiveIdentity;
