//! The agent: the daemon on each node, its API and its links to the peer, to probes and to people.

pub mod ack_page;
pub mod adopting;
mod check_routes;
pub mod core;
pub mod daemon;
mod notice_routes;
pub mod routes;
mod routes_incident;
pub mod seal_routes;

pub mod pki;
pub mod probe_link;
pub mod survey;
pub mod transport;
